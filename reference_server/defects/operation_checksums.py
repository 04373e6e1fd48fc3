"""Defects of the checksums of objects: kept, shown to the wrong reader, or lost on the way to a copy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reference_server import checksums
from reference_server.call import Call, Result
from reference_server.defects.editing import Members, calls, dropping, inputs
from reference_server.defects.registry import defect, family, row
from reference_server.errors import S3Error
from reference_server.views import put_changed

Operation = Callable[[Call], Result]

_READS = {"GetObject", "HeadObject"}
_VALUES = {checksums.member(name) for name in checksums.ALGORITHMS.values()}
_SHOWN = {*_VALUES, "Checksum", "ChecksumAlgorithm", "ChecksumType"}
_SENT = (*(f"x-amz-checksum-{name}" for name in checksums.ALGORITHMS), "x-amz-trailer")
_ATTRIBUTES = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}
_DIGESTS = {"BadDigest", "IncompleteBody", "InvalidDigest", "SignatureDoesNotMatch", "XAmzContentSHA256Mismatch"}


# What is asked for


def _always(members: Members) -> None:
    members["ChecksumMode"] = "ENABLED"


def _capitals(members: Members) -> None:
    if members.get("ChecksumMode") != "ENABLED":
        members.pop("ChecksumMode", None)


def _not_for_ranges(members: Members) -> None:
    if members.get("Range"):
        members.pop("ChecksumMode", None)


def _default_algorithm(members: Members) -> None:
    members.setdefault("ChecksumAlgorithm", checksums.DEFAULT)


def _known_attributes(call: Call) -> None:
    headers = call.request.headers
    asked = headers.get("x-amz-object-attributes", "").split(",")
    headers["x-amz-object-attributes"] = ",".join(name for name in asked if name.strip() in _ATTRIBUTES) or "ETag"


def _first_attribute(call: Call) -> None:
    headers, name = call.request.headers, "x-amz-object-attributes"
    headers[name] = headers.get(name, "").partition(",")[0]


family(
    "operation",
    inputs,
    {
        "checksum-missing-for-ranges": row(
            "No range has a checksum, not even one that is the whole object (CKS-017).",
            _READS,
            _not_for_ranges,
        ),
        "checksum-mode-case-sensitive": row(
            "x-amz-checksum-mode is understood in capitals only (CKS-015).",
            _READS,
            _capitals,
        ),
        "checksum-shown-unasked": row(
            "Downloads carry their checksum whether or not it was asked for (CKS-014).",
            _READS,
            _always,
        ),
        "copy-checksum-algorithm-ignored": row(
            "A copy keeps the checksum algorithm of its source whatever it asks for (CKS-023).",
            {"CopyObject"},
            dropping("ChecksumAlgorithm"),
        ),
        "copy-takes-default-checksum": row(
            "A copy gets a CRC64NVME unless it asks for something else, whatever its source has (CKS-022).",
            {"CopyObject"},
            _default_algorithm,
        ),
    },
)

family(
    "operation",
    calls,
    {
        "attributes-first-name-only": row(
            "GetObjectAttributes reads the first of the names that it is asked for and no other (CKS-020).",
            {"GetObjectAttributes"},
            _first_attribute,
        ),
        "unknown-attribute-accepted": row(
            "GetObjectAttributes reads over attributes that it does not know; versitygw keeps its test of that for "
            "AWS only (CKS-019).",
            {"GetObjectAttributes"},
            _known_attributes,
        ),
    },
)


# What is shown


def _bare(value: Any) -> Any:
    """A result without anything about checksums, at any depth."""
    if isinstance(value, dict):
        return {name: _bare(inner) for name, inner in value.items() if name not in _SHOWN}
    return [_bare(each) for each in value] if isinstance(value, list) else value


@defect(
    "checksum-missing-in-documents",
    "operation",
    "Checksums are headers only: listings, attributes, copies and completions do not show them (CKS-021).",
)
def _checksum_missing_in_documents(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation not in (*_READS, "PutObject", "UploadPart", "PostObject", "CreateMultipartUpload"):
            result.members = _bare(result.members)
        return result

    return operation


@defect(
    "checksum-of-whole-on-slices",
    "operation",
    "Part of an object carries the checksum of the whole, with which SDKs take it for damaged (CKS-016).",
)
def _checksum_of_whole_on_slices(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation in _READS and result.status == 206 and call.members.get("ChecksumMode"):
            stored = call.objects.get(call.bucket(), call.key)
            if stored is not None and stored.algorithm is not None:
                shown = {checksums.member(stored.algorithm): stored.checksum, "ChecksumType": stored.checksum_type}
                result.members |= shown
        return result

    return operation


# What is kept


@defect(
    "default-checksum-missing",
    "operation",
    "An object that is uploaded without a checksum has none, as everywhere before AWS began to add one (CKS-011).",
)
def _default_checksum_missing(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation not in ("PutObject", "PostObject") or any(name in call.request.headers for name in _SENT):
            return inner(call)
        put_changed(call, lambda new, _blob: replace(new, algorithm=None, checksum_type=None, checksum=None))
        result = inner(call)
        result.members = _bare(result.members)
        return result

    return operation


@defect(
    "failed-upload-removes-object",
    "operation",
    "An upload is written in place of the earlier object, which is gone when the digests turn out wrong (CKS-026).",
)
def _failed_upload_removes_object(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if call.operation == "PutObject" and error.code in _DIGESTS:
                call.objects.delete(call.bucket(), call.key, lambda _present: None)
            raise

    return operation
