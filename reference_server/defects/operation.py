"""Defects of operations: members of their input that are not read."""

from __future__ import annotations

from collections.abc import Collection

from reference_server.defects.editing import dropping, inputs
from reference_server.defects.registry import Wrap, family, row

_READS = {"GetObject", "HeadObject"}
_LISTS = {"ListObjects", "ListObjectsV2"}


def _ignoring(operations: Collection[str], *members: str) -> Wrap:
    """These operations do not see these members of their input."""
    return inputs(operations, dropping(*members))


_CONDITIONS = ("IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")

family(
    "operation",
    _ignoring,
    {
        "cache-control-lost": row(
            "Cache-Control and Content-Disposition of an upload are lost, as in an S3 encryption gateway once "
            "(cloud37/s3-encryption-gateway#236).",
            {"PutObject", "CreateMultipartUpload"},
            "CacheControl",
            "ContentDisposition",
        ),
        "conditional-reads-ignored": row(
            "Conditions of GET and HEAD are ignored, as in AIStore, and in MinIO and MiniStack once "
            "(NVIDIA/aistore@583e7729, minio/minio#1981, ministackorg/ministack#1390).",
            _READS,
            *_CONDITIONS,
        ),
        "content-type-lost": row(
            "Content-Type of an upload is lost, as in AIStore (NVIDIA/aistore@583e7729).",
            {"PutObject", "CreateMultipartUpload"},
            "ContentType",
        ),
        "copy-source-conditions-ignored": row(
            "Conditions on the source of a copy are ignored, as in S3rver (jamhall/s3rver#443).",
            {"CopyObject", "UploadPartCopy"},
            *(f"CopySource{name}" for name in _CONDITIONS),
        ),
        "encoding-type-ignored": row(
            "A listing ignores encoding-type=url, as in AIStore and Backlot (NVIDIA/aistore@583e7729, "
            "brekkylab/backlot#178).",
            {*_LISTS, "ListObjectVersions", "ListMultipartUploads"},
            "EncodingType",
        ),
        "fetch-owner-ignored": row(
            "A listing ignores fetch-owner, as in AIStore and in Chimera once (NVIDIA/aistore@583e7729, "
            "chimera-nas/chimera#709).",
            {"ListObjectsV2"},
            "FetchOwner",
        ),
        "metadata-directive-ignored": row(
            "A copy ignores that its metadata is to be replaced, as in AIStore (NVIDIA/aistore@583e7729).",
            {"CopyObject"},
            "MetadataDirective",
        ),
        "metadata-dropped": row(
            "User metadata of an upload is lost, as in AIStore and in Auto Drive once (NVIDIA/aistore@583e7729, "
            "autonomys/auto-drive@c29e3d5b).",
            {"PutObject", "CreateMultipartUpload", "CopyObject"},
            "Metadata",
        ),
        "multipart-metadata-dropped": row(
            "Content-Type and user metadata of a multipart upload are lost, those of a plain one are kept, as in s2 "
            "(mojatter/s2#191).",
            {"CreateMultipartUpload"},
            "Metadata",
            "ContentType",
            "ContentDisposition",
        ),
        "part-number-ignored": row(
            "GET ignores a part number and answers the whole object, as in Storj (storj/gateway-st@84df15b).",
            _READS,
            "PartNumber",
        ),
        "put-if-match-ignored": row(
            "An upload with If-Match overwrites whatever is there, as in Chimera once (chimera-nas/chimera#706).",
            {"PutObject", "CompleteMultipartUpload"},
            "IfMatch",
        ),
        "put-overwrites-silently-with-if-none-match": row(
            "An upload with If-None-Match: * overwrites the object that is there, as in S3 Orchestrator once "
            "(afreidah/s3-orchestrator#723).",
            {"PutObject", "CompleteMultipartUpload"},
            "IfNoneMatch",
        ),
        "range-ignored": row(
            "GET ignores Range and answers the whole object, as in kumo once (sivchari/kumo#584).",
            {"GetObject"},
            "Range",
        ),
        "start-after-ignored": row(
            "A listing ignores start-after, as in Auto Drive (autonomys/auto-drive@c29e3d5b).",
            {"ListObjectsV2"},
            "StartAfter",
        ),
        "upload-id-marker-ignored": row(
            "ListMultipartUploads ignores upload-id-marker, so that a second page leaves out uploads of the same "
            "key, as in Storj (storj/gateway-st@84df15b).",
            {"ListMultipartUploads"},
            "UploadIdMarker",
        ),
        "upload-prefix-ignored": row(
            "ListMultipartUploads ignores prefix, delimiter and key-marker, as in AIStore (NVIDIA/aistore@583e7729).",
            {"ListMultipartUploads"},
            "Prefix",
            "Delimiter",
            "KeyMarker",
            "UploadIdMarker",
        ),
        "version-id-ignored": row(
            "GET and HEAD ignore versionId and answer the present version, as in Storj once (storj/minio@95a3fa19).",
            _READS,
            "VersionId",
        ),
        "version-id-ignored-on-delete": row(
            "DeleteObject ignores versionId and adds a delete marker instead, as in MiniStack once "
            "(ministackorg/ministack#1097).",
            {"DeleteObject"},
            "VersionId",
        ),
    },
)
