"""Defects of operations: members of the input that are not read, or misread.

Further ones are in the modules `operation_*`, which register themselves when this one is imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server.call import Call, Result
from reference_server.defects import operation_multipart, operation_objects, operation_routing  # noqa: F401 - see above
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.listing import make_token, read_token

if TYPE_CHECKING:
    from reference_server.auth import Account

Operation = Callable[[Call], Result]

READS = {"GetObject", "HeadObject"}
LISTS = {"ListObjects", "ListObjectsV2"}
_COPY_RANGE = re.compile(r"bytes=\d+-\d+\Z")
_RESPONSES = {
    f"response-{name}"
    for name in (
        *("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"),
    )
}


# Members that are not read


def _ignoring(operations: Collection[str], *members: str) -> Wrap:
    """These operations do not see these members of their input."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            if call.operation in operations:
                for name in members:
                    call.members.pop(name, None)
            return inner(call)

        return operation

    return wrap


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
            READS,
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
            {*LISTS, "ListObjectVersions", "ListMultipartUploads"},
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
            READS,
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
            READS,
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


# Members that are misread


def _editing(edit: Callable[[Call], None]) -> Wrap:
    """The call is changed in place before it is run."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            edit(call)
            return inner(call)

        return operation

    return wrap


def _suffix_from_start(call: Call) -> None:
    if call.operation in READS and str(call.members.get("Range", "")).startswith("bytes=-"):
        call.members["Range"] = f"bytes=0-{call.members['Range'].removeprefix('bytes=-')}"


def _bad_copy_range(call: Call) -> None:
    if not _COPY_RANGE.match(str(call.members.get("CopySourceRange", ""))):
        call.members.pop("CopySourceRange", None)


def _unknown_response(call: Call) -> None:
    parameters = call.request.parameters
    for name in [name for name in parameters if name.startswith("response-") and name not in _RESPONSES]:
        del parameters[name]


def _start_after_in_v1(call: Call) -> None:
    if call.operation == "ListObjects":
        call.request.parameters.pop("start-after", None)


def _lone_version_marker(call: Call) -> None:
    if call.operation == "ListObjectVersions" and not call.members.get("KeyMarker"):
        call.members.pop("VersionIdMarker", None)


def _as_owner(call: Call) -> None:
    bucket = call.store.bucket(call.request.bucket or "")
    owner: Account | None = call.endpoint.account(bucket.owner) if bucket is not None else None
    if owner is not None:
        call.authenticated = replace(call.authenticated, account=owner)


family(
    "operation",
    _editing,
    {
        "bad-copy-range-copies-all": row(
            "UploadPartCopy copies the whole source if it cannot read the range, as in Ozone once "
            "(apache/ozone#10711).",
            _bad_copy_range,
        ),
        "everyone-is-owner": row(
            "Whoever asks, with a signature or without, may do what the owner of a bucket may, as in AIStore without "
            "its own authentication (NVIDIA/aistore@583e7729).",
            _as_owner,
        ),
        "lone-version-marker-accepted": row(
            "A version-id-marker without a key-marker is accepted; versitygw keeps its test of that for AWS only "
            "(LVER-006).",
            _lone_version_marker,
        ),
        "start-after-accepted-in-v1": row(
            "ListObjects accepts start-after, which only version 2 has; versitygw keeps its test of that for AWS "
            "only (LST1-019).",
            _start_after_in_v1,
        ),
        "suffix-range-misread": row(
            "The range bytes=-N means the first bytes instead of the last ones, as in Auto Drive "
            "(autonomys/auto-drive@c29e3d5b).",
            _suffix_from_start,
        ),
        "unknown-response-parameter-accepted": row(
            "An unknown response-* parameter is accepted; versitygw keeps its test of that for AWS only (GET-026).",
            _unknown_response,
        ),
    },
)


def _plain_token(name: str, shown: str) -> Wrap:
    """The token of this operation, `shown` in its result, is the last entry itself, and every text is one."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            if call.operation != name:
                return inner(call)
            sent = call.members.get("ContinuationToken")
            if sent:
                call.members["ContinuationToken"] = make_token(sent.encode())
            result = inner(call)
            if sent and "ContinuationToken" in result.members and shown != "ContinuationToken":
                result.members["ContinuationToken"] = sent
            if shown in result.members:
                result.members[shown] = read_token(result.members[shown]).decode()
            return result

        return operation

    return wrap


family(
    "operation",
    _plain_token,
    {
        "buckets-token-is-a-name": row(
            "The token of ListBuckets is the name of a bucket; versitygw keeps its test of that for AWS only "
            "(LBKT-003).",
            "ListBuckets",
            "ContinuationToken",
        ),
        "token-is-a-key": row(
            "The token of a listing is the last key itself and every text is accepted as one, as in Auto Drive "
            "(autonomys/auto-drive@c29e3d5b).",
            "ListObjectsV2",
            "NextContinuationToken",
        ),
    },
)


@defect(
    "copy-loses-metadata",
    "operation",
    "A copy has none of the metadata and headers of its source, as in Moto and LocalStack once (getmoto/moto#4666, "
    "localstack/localstack#5068).",
)
def _copy_loses_metadata(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation == "CopyObject" and call.members.get("MetadataDirective") != "REPLACE":
            dropped = ("Metadata", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage")
            for name in (*dropped, "ContentType", "Expires"):
                call.members.pop(name, None)
            call.members["MetadataDirective"] = "REPLACE"
        return inner(call)

    return operation
