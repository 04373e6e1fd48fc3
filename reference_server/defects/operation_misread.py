"""Defects of operations that misread members of their input."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server.call import Call, Result
from reference_server.defects.editing import calls, dropping
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.listing import make_token, read_token

if TYPE_CHECKING:
    from reference_server.auth import Account

Operation = Callable[[Call], Result]

_READS = {"GetObject", "HeadObject"}
_COPY_RANGE = re.compile(r"bytes=\d+-\d+\Z")
_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires")
_RESPONSES = {f"response-{name}" for name in _HEADERS}
_COPIED = (
    "Metadata",
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
)


def _suffix_from_start(call: Call) -> None:
    if str(call.members.get("Range", "")).startswith("bytes=-"):
        call.members["Range"] = f"bytes=0-{call.members['Range'].removeprefix('bytes=-')}"


def _bad_copy_range(call: Call) -> None:
    if not _COPY_RANGE.match(str(call.members.get("CopySourceRange", ""))):
        call.members.pop("CopySourceRange", None)


def _unknown_response(call: Call) -> None:
    parameters = call.request.parameters
    for name in [name for name in parameters if name.startswith("response-") and name not in _RESPONSES]:
        del parameters[name]


def _start_after_in_v1(call: Call) -> None:
    call.request.parameters.pop("start-after", None)


def _lone_version_marker(call: Call) -> None:
    if not call.members.get("KeyMarker"):
        call.members.pop("VersionIdMarker", None)


def _as_owner(call: Call) -> None:
    bucket = call.store.bucket(call.request.bucket or "")
    owner: Account | None = call.endpoint.account(bucket.owner) if bucket is not None else None
    if owner is not None:
        call.authenticated = replace(call.authenticated, account=owner)


family(
    "operation",
    calls,
    {
        "bad-copy-range-copies-all": row(
            "UploadPartCopy copies the whole source if it cannot read the range, as in Ozone once "
            "(apache/ozone#10711).",
            (),
            _bad_copy_range,
        ),
        "everyone-is-owner": row(
            "Whoever asks, with a signature or without, may do what the owner of a bucket may, as in AIStore without "
            "its own authentication (NVIDIA/aistore@583e7729).",
            (),
            _as_owner,
        ),
        "lone-version-marker-accepted": row(
            "A version-id-marker without a key-marker is accepted; versitygw keeps its test of that for AWS only "
            "(LVER-006).",
            {"ListObjectVersions"},
            _lone_version_marker,
        ),
        "start-after-accepted-in-v1": row(
            "ListObjects accepts start-after, which only version 2 has; versitygw keeps its test of that for AWS "
            "only (LST1-019).",
            {"ListObjects"},
            _start_after_in_v1,
        ),
        "suffix-range-misread": row(
            "The range bytes=-N means the first bytes instead of the last ones, as in Auto Drive "
            "(autonomys/auto-drive@c29e3d5b).",
            _READS,
            _suffix_from_start,
        ),
        "unknown-response-parameter-accepted": row(
            "An unknown response-* parameter is accepted; versitygw keeps its test of that for AWS only (GET-026).",
            (),
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
            dropping(*_COPIED)(call.members)
            call.members["MetadataDirective"] = "REPLACE"
        return inner(call)

    return operation
