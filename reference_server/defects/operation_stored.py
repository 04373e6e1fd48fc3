"""Defects of what PutObject stores: not these bytes, not under this key, not with these headers."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Callable
from dataclasses import replace

from reference_server.call import Call, Result
from reference_server.codec import http_time
from reference_server.conditions import http_seconds
from reference_server.defects.editing import Members, calls, dropping, inputs
from reference_server.defects.registry import defect, family, row
from reference_server.errors import S3Error
from reference_server.ops.writes import MAX_METADATA, STORAGE_CLASSES

Operation = Callable[[Call], Result]

_WRITES = frozenset({"PutObject", "CreateMultipartUpload"})
_ENCODED = re.compile(r"=\?[^?]+\?[bB]\?([^?]*)\?=\Z")
_NAME_LIMIT = 255
"""Bytes of a name in most file systems."""


def _expires_as_date(members: Members) -> None:
    if members.get("Expires") is not None:
        seconds = http_seconds(members["Expires"])
        members["Expires"] = None if seconds is None else http_time(seconds)


def _type_in_lower_case(members: Members) -> None:
    if members.get("ContentType"):
        members["ContentType"] = members["ContentType"].lower().replace(";charset", "; charset")


def _any_class(members: Members) -> None:
    if members.get("StorageClass") not in STORAGE_CLASSES:
        members.pop("StorageClass", None)


def _metadata_cut(members: Members) -> None:
    """Entries are left out from the end until the rest fits."""
    metadata = dict(members.get("Metadata") or {})
    while sum(len(name) + len(value) for name, value in metadata.items()) > MAX_METADATA:
        metadata.popitem()
    members["Metadata"] = metadata


def _words_kept_encoded(members: Members) -> None:
    """Encoded once more, so that decoding gives what was sent."""
    metadata = members.get("Metadata") or {}
    members["Metadata"] = {
        name: f"=?UTF-8?B?{base64.b64encode(value.encode('latin-1')).decode()}?=" if _ENCODED.match(value) else value
        for name, value in metadata.items()
    }


def _broken_words_refused(members: Members) -> None:
    for value in (members.get("Metadata") or {}).values():
        match = _ENCODED.match(value)
        if match is None:
            continue
        try:
            base64.b64decode(match[1], validate=True)
        except ValueError:
            raise S3Error("InvalidArgument", "Metadata cannot be decoded") from None


def _names_limited(call: Call) -> None:
    if any(len(name.encode()) > _NAME_LIMIT for name in call.key.split("/")):
        raise S3Error("InternalError", "File name too long")


def _dots_resolved(call: Call) -> None:
    """As a path below the folder of all buckets."""
    path = posixpath.normpath(f"/{call.request.bucket}/{call.key}")
    bucket, _, key = path.removeprefix("/").partition("/")
    if key:
        key += "/" if call.key.endswith("/") else ""
        call.request = replace(call.request, bucket=bucket, key=key)


def _long_characters_lost(call: Call) -> None:
    call.request = replace(call.request, key=re.sub("[\U00010000-\U0010ffff]", "?", call.key))


family(
    "operation",
    inputs,
    {
        "any-storage-class": row(
            "An unknown storage class is accepted and forgotten (GET-033).",
            _WRITES,
            _any_class,
        ),
        "broken-encoded-metadata-400": row(
            "User metadata that looks like RFC 2047 and cannot be decoded is refused (META-007).",
            _WRITES,
            _broken_words_refused,
        ),
        "content-type-in-lower-case": row(
            "Content-Type is brought into the form that a library thinks right (META-023).",
            _WRITES,
            _type_in_lower_case,
        ),
        "encoded-metadata-kept": row(
            "User metadata in the form of RFC 2047 is stored as it was sent (META-006).",
            _WRITES,
            _words_kept_encoded,
        ),
        "expires-read-as-date": row(
            "Expires is parsed, written in another form, and dropped if it is no date (GET-030, META-008).",
            _WRITES,
            _expires_as_date,
        ),
        "metadata-cut-to-fit": row(
            "User metadata above the limit is cut until it fits (META-004).",
            _WRITES,
            _metadata_cut,
        ),
        "storage-class-lost": row(
            "The storage class of an upload is lost (GET-031).",
            _WRITES,
            dropping("StorageClass"),
        ),
    },
)

family(
    "operation",
    calls,
    {
        "dot-segments-resolved": row(
            "Dots in keys lead to other keys and other buckets, as paths of a file system do (META-016).",
            {"PutObject"},
            _dots_resolved,
        ),
        "emoji-in-keys-lost": row(
            "Characters of four bytes in keys become question marks, as in a database of three-byte UTF-8 (META-011).",
            _WRITES,
            _long_characters_lost,
        ),
        "key-names-255": row(
            "What is between two slashes of a key has at most 255 bytes, as names in file systems (META-018).",
            _WRITES,
            _names_limited,
        ),
    },
)


@defect(
    "put-keeps-old",
    "operation",
    "PutObject over an object that is there says 200 and keeps the old one (ETAG-004).",
)
def _put_keeps_old(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation == "PutObject":
            present = call.objects.get(call.bucket(), call.key)
            if present is not None:
                call.payload(hex_md5=True).receive(lambda _data: None)
                return Result({"ETag": f'"{present.etag}"'})
        return inner(call)

    return operation
