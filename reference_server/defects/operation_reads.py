"""Defects of reads: ranges, parts, overrides, archived objects, attributes, and how they are refused."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server.call import Call, Result
from reference_server.defects.editing import Members, calls, inputs
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error
from reference_server.request import Request
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.blobs import Blob
    from reference_server.objects import StoredObject
    from reference_server.store import Bucket

Operation = Callable[[Call], Result]

_READS = frozenset({"GetObject", "HeadObject"})
_LISTS = frozenset({"ListObjects", "ListObjectsV2"})
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z", re.ASCII)
_ENCODED = re.compile(r"=\?UTF-8\?B\?([^?]*)\?=\Z")
_OVERRIDE = "response-"


# What is asked for


def _malformed_range_refused(members: Members) -> None:
    header = members.get("Range")
    if header is None:
        return
    match = _RANGE.match(header)
    if match is None or match[1] + match[2] == "" or (match[1] and match[2] and int(match[2]) < int(match[1])):
        raise S3Error("InvalidRange")


def _range_of_empty_ignored(call: Call) -> None:
    stored = call.objects.get(call.bucket(), call.key)
    if stored is not None and stored.size == 0:
        call.members.pop("Range", None)


def _part_beyond_last_is_last(call: Call) -> None:
    number, stored = call.members.get("PartNumber"), call.objects.get(call.bucket(), call.key)
    if number is not None and stored is not None:
        call.members["PartNumber"] = min(number, stored.parts or 1)


def _range_of_part_ignored(members: Members) -> None:
    if members.get("PartNumber") is not None:
        members.pop("Range", None)


def _without_overrides(call: Call) -> None:
    for name in [name for name in call.request.parameters if name.startswith(_OVERRIDE)]:
        del call.request.parameters[name]


def _anonymous_without_overrides(call: Call) -> None:
    if call.account.anonymous:
        _without_overrides(call)


def _overrides_in_latin(call: Call) -> None:
    for name, value in call.request.parameters.items():
        if name.startswith(_OVERRIDE):
            call.request.parameters[name] = value.encode("latin-1", "replace").decode("latin-1")


def _body_refused(call: Call) -> None:
    if call.request.headers.get("content-length", "0") != "0":
        raise S3Error("InvalidRequest", "GET requests must not have a body")


def _all_attributes(call: Call) -> None:
    call.request.headers["x-amz-object-attributes"] = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize"


family(
    "operation",
    inputs,
    {
        "malformed-range-416": row(
            "A Range that is none is refused with 416 instead of ignored (GET-013).",
            {"GetObject"},
            _malformed_range_refused,
        ),
        "range-of-part-ignored": row(
            "Of a part number and a Range in one request the part number counts (GET-022).",
            _READS,
            _range_of_part_ignored,
        ),
    },
)

family(
    "operation",
    calls,
    {
        "all-attributes-shown": row(
            "GetObjectAttributes shows every attribute, whichever were asked for (GET-040).",
            {"GetObjectAttributes"},
            _all_attributes,
        ),
        "anonymous-overrides-unseen": row(
            "The response-* parameters of a request without a signature are passed over (GET-028).",
            {"GetObject"},
            _anonymous_without_overrides,
        ),
        "get-with-body-400": row(
            "GET with a body is refused (GET-034).",
            _READS,
            _body_refused,
        ),
        "overrides-ignored-on-head": row(
            "HEAD ignores the response-* parameters; versitygw has a test of it (GET-025).",
            {"HeadObject"},
            _without_overrides,
        ),
        "overrides-with-question-marks": row(
            "Characters of an override that no header can say become question marks (GET-027).",
            _READS,
            _overrides_in_latin,
        ),
        "part-beyond-last-is-last": row(
            "A part number above the count of parts reads the last part (GET-021).",
            _READS,
            _part_beyond_last_is_last,
        ),
        "range-of-empty-object-200": row(
            "A range of an empty object is ignored instead of refused (GET-017).",
            _READS,
            _range_of_empty_ignored,
        ),
    },
)


@defect(
    "part-number-letters-ignored",
    "auth",
    "A part number that is no number is as if it were absent; versitygw has a test of it (GET-023).",
)
def _part_number_letters_ignored(inner: Callable[[Request], Authenticated]) -> Callable[[Request], Authenticated]:
    """At the first seam behind the signature: parameters are read before the operation is run."""

    def authenticate(request: Request) -> Authenticated:
        authenticated = inner(request)
        if not request.parameters.get("partNumber", "1").isdigit():
            del request.parameters["partNumber"]
        return authenticated

    return authenticate


# What is answered


@defect(
    "archived-objects-readable",
    "operation",
    "Objects in GLACIER and DEEP_ARCHIVE can be read without being restored (GET-032).",
)
def _archived_objects_readable(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation != "GetObject":
            return inner(call)
        objects = call.objects

        def opened(bucket: Bucket, key: str, version_id: str | None = None) -> tuple[StoredObject, list[Blob]] | None:
            found = objects.open(bucket, key, version_id)
            return None if found is None else (replace(found[0], storage_class="GLACIER_IR"), found[1])

        stored = objects.get(call.bucket(), call.key)
        if stored is not None and stored.storage_class in ("GLACIER", "DEEP_ARCHIVE"):
            call.endpoint = view(call.endpoint, objects=view(objects, open=opened))
        return inner(call)

    return operation


def _answering(operations: Collection[str], change: Callable[[Members], None]) -> Wrap:
    """Members of these operations' answers are changed in place."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            result = inner(call)
            if call.operation in operations:
                change(result.members)
            return result

        return operation

    return wrap


def _standard_named(members: Members) -> None:
    members.setdefault("StorageClass", "STANDARD")


def _listed_a_second_later(members: Members) -> None:
    members["Contents"] = [{**entry, "LastModified": entry["LastModified"] + 1} for entry in members["Contents"]]


def _metadata_raw(members: Members) -> None:
    """Encoded words, as the server itself makes them, as raw UTF-8, which a header line carries as bytes."""
    metadata = members.get("Metadata") or {}
    if metadata:
        members["Metadata"] = {name: _raw(value) for name, value in metadata.items()}


def _raw(value: str) -> str:
    match = _ENCODED.match(value)
    try:
        return base64.b64decode(match[1], validate=True).decode("latin-1") if match else value
    except ValueError:
        return value


family(
    "operation",
    _answering,
    {
        "list-times-rounded-up": row(
            "LastModified of a listing is rounded up to the next second, Last-Modified of the object is not (GET-037).",
            _LISTS,
            _listed_a_second_later,
        ),
        "metadata-as-raw-utf8": row(
            "User metadata beyond ASCII comes back as raw UTF-8, which most clients read as ISO-8859-1 (META-005).",
            _READS,
            _metadata_raw,
        ),
        "standard-class-shown": row(
            "Reads name the storage class STANDARD as well (GET-031).",
            _READS,
            _standard_named,
        ),
    },
)


# How it is refused


def _refusing(operations: Collection[str], before: str, code: str, status: int) -> Wrap:
    """An error of these operations (of all if none is named) has another code and status."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            try:
                return inner(call)
            except S3Error as error:
                if error.code != before or (operations and call.operation not in operations):
                    raise
                raise S3Error(code, None, status=status) from None

        return operation

    return wrap


family(
    "operation",
    _refusing,
    {
        "failed-condition-500": row(
            "A condition that fails is an internal error, which SDKs repeat (CRD-001, CWR-001).",
            (),
            "PreconditionFailed",
            "InternalError",
            500,
        ),
        "missing-key-503": row(
            "A missing key is 503 instead of 404, so that clients try again and again (GET-003).",
            _READS,
            "NoSuchKey",
            "ServiceUnavailable",
            503,
        ),
        "too-large-413": row(
            "An upload above 5 GiB is refused with HTTP's own 413 instead of EntityTooLarge (META-022).",
            {"PutObject"},
            "EntityTooLarge",
            "RequestEntityTooLarge",
            413,
        ),
    },
)
