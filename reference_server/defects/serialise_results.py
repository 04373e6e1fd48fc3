"""Defects of results: members of an output that are missing or wrong."""

from __future__ import annotations

from urllib.parse import unquote_plus

from reference_server.codec import http_time
from reference_server.defects.editing import Members, dropping, outputs
from reference_server.defects.registry import family, row

READS = {"GetObject", "HeadObject"}
LISTS = {"ListObjects", "ListObjectsV2"}


def _all_etags_bare(members: Members) -> None:
    for entry in members.get("Contents", []):
        entry["ETag"] = entry["ETag"].strip('"')


def _etag_bare(members: Members) -> None:
    members["ETag"] = members["ETag"].strip('"')


def _listed_times_as_http(members: Members) -> None:
    for entry in members.get("Contents", []):
        entry["LastModified"] = http_time(entry["LastModified"])


def _copy_time_as_http(members: Members) -> None:
    result = members["CopyObjectResult"]
    members["CopyObjectResult"] = {**result, "LastModified": http_time(result["LastModified"])}


def _keys_only_counted(members: Members) -> None:
    members["KeyCount"] = len(members.get("Contents", []))


def _next_marker_raw(members: Members) -> None:
    if members.get("EncodingType") and "NextMarker" in members:
        members["NextMarker"] = unquote_plus(members["NextMarker"])


def _prefixes_raw(members: Members) -> None:
    if members.get("EncodingType"):
        members["CommonPrefixes"] = [{"Prefix": unquote_plus(one["Prefix"])} for one in members["CommonPrefixes"]]


def _uploads_anonymous(members: Members) -> None:
    for entry in members.get("Uploads", []):
        entry |= {"Owner": None, "Initiator": None}


family(
    "serialise",
    outputs,
    {
        "complete-etag-unquoted": row(
            "The ETag of a completed upload lacks its quotation marks, as in Zenko CloudServer once "
            "(scality/cloudserver#163).",
            {"CompleteMultipartUpload"},
            _etag_bare,
        ),
        "copy-last-modified-as-http-date": row(
            "LastModified of a copy is an HTTP date instead of ISO 8601, as in Zenko CloudServer once "
            "(scality/cloudserver#372).",
            {"CopyObject"},
            _copy_time_as_http,
        ),
        "encoding-type-not-echoed": row(
            "Keys are encoded as was asked for, but EncodingType does not say so, so that boto3 does not decode "
            "them, as in Ceph once (ceph/ceph#7712).",
            LISTS,
            dropping("EncodingType"),
        ),
        "etag-missing": row(
            "Downloads have no ETag, as objects of Auto Drive that are older than its ETags "
            "(autonomys/auto-drive@c29e3d5b).",
            READS,
            dropping("ETag"),
        ),
        "key-count-without-prefixes": row(
            "KeyCount does not count common prefixes, as in Moto and SeaweedFS once (getmoto/moto#2375, "
            "seaweedfs/seaweedfs#1741).",
            {"ListObjectsV2"},
            _keys_only_counted,
        ),
        "list-etag-unquoted": row(
            "ETags in listings lack their quotation marks, as in Zenko CloudServer once (scality/cloudserver#66).",
            LISTS,
            _all_etags_bare,
        ),
        "list-last-modified-as-http-date": row(
            "LastModified in listings is an HTTP date instead of ISO 8601, as in S3rver once (jamhall/s3rver#181).",
            LISTS,
            _listed_times_as_http,
        ),
        "next-marker-unencoded": row(
            "NextMarker is not encoded as the keys are, as in Supabase Storage (supabase/storage#1417).",
            {"ListObjects"},
            _next_marker_raw,
        ),
        "prefixes-unencoded": row(
            "Common prefixes are not encoded as the keys are, which rclone knows of many providers "
            "(rclone/rclone@64ab1ac3).",
            LISTS,
            _prefixes_raw,
        ),
        "truncated-without-token": row(
            "A page that says there are more has neither token nor marker for them, as from InsForge and findify's "
            "s3mock (InsForge/InsForge#1959, findify/s3mock#144).",
            LISTS,
            dropping("NextContinuationToken", "NextMarker"),
        ),
        "uploads-without-markers": row(
            "ListMultipartUploads has neither NextKeyMarker nor NextUploadIdMarker; versitygw keeps its test of "
            "them for AWS only (LMU-003).",
            {"ListMultipartUploads"},
            dropping("NextKeyMarker", "NextUploadIdMarker"),
        ),
        "uploads-without-owner": row(
            "ListMultipartUploads shows neither Owner nor Initiator; versitygw keeps its test of them for AWS only "
            "(LMU-002).",
            {"ListMultipartUploads"},
            _uploads_anonymous,
        ),
        "version-id-missing": row(
            "Answers of a bucket with versions lack x-amz-version-id, as AIStore's do (NVIDIA/aistore@583e7729).",
            {*READS, "PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject"},
            dropping("VersionId"),
        ),
    },
)
