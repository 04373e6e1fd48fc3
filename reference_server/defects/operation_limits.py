"""Defects of limits: lower than S3's, or counted in another way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reference_server.defects.editing import calls
from reference_server.defects.registry import Wrap, family, row
from reference_server.errors import S3Error, invalid_argument
from reference_server.views import view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reference_server.call import Call

_FILE_NAME = 255
_KEY = 1024
_METADATA = 1024
_PAGE = 1000
_TAGS = 10
_BUCKET_NAME = 60
_DELETE = 500
_DOCUMENT = 256 * 1024
_SIZE_HEADER = "x-amz-mp-object-size"
_OTHER_WRITES = {"CreateMultipartUpload", "CopyObject"}


def _limiting(check: Callable[[Call], None]) -> Wrap:
    """Calls are refused, or changed in place, for what is too much of them."""
    return calls((), check)


def _keys(call: Call) -> None:
    size = len(call.key.encode())
    if size > _FILE_NAME:
        raise S3Error("KeyTooLongError", None, {"Size": size, "MaxSizeAllowed": _FILE_NAME})


def _names(call: Call) -> None:
    if any(len(name.encode()) > _FILE_NAME for name in call.key.split("/")):
        raise S3Error("InvalidArgument", "file name too long")


def _encoded(call: Call) -> None:
    size = len(quote(call.key))
    if size > _KEY:
        raise S3Error("KeyTooLongError", None, {"Size": size, "MaxSizeAllowed": _KEY})


def _tokens(call: Call) -> None:
    for name in ("continuation-token", "start-after", "marker", "prefix"):
        value = call.request.parameters.get(name, "")
        if len(value.encode()) > _KEY // 2:
            raise invalid_argument(name, value, "The value is too long")


def _pages(call: Call) -> None:
    for name in ("max-keys", "max-parts", "max-uploads"):
        value = call.request.parameters.get(name, "")
        if value.isdigit() and int(value) > _PAGE:
            raise invalid_argument(name, value, f"Argument {name} must be an integer between 0 and {_PAGE}")


def _metadata(call: Call) -> None:
    size = sum(len(name) + len(value) for name, value in (call.members.get("Metadata") or {}).items())
    if size > _METADATA:
        raise S3Error("MetadataTooLarge", None, {"Size": size, "MaxSizeAllowed": _METADATA})


class _Weightless(str):
    """A text that counts as empty, and is not."""

    __slots__ = ()

    def __len__(self) -> int:
        return 0


def _unmeasured(call: Call) -> None:
    if call.operation in _OTHER_WRITES and call.members.get("Metadata"):
        values = call.members["Metadata"].items()
        call.members["Metadata"] = {name: _Weightless(value) for name, value in values}


def _tags_cut(call: Call) -> None:
    tags = str(call.members.get("Tagging") or "") if call.operation == "PutObject" else ""
    if tags.count("&") >= _TAGS:
        call.members["Tagging"] = "&".join(tags.split("&")[:_TAGS])


def _size_cut(call: Call) -> None:
    size = call.request.headers.get(_SIZE_HEADER, "")
    if size.isdigit():
        headers = {**call.request.headers, _SIZE_HEADER: str(int(size) % 2**32)}
        call.request = replace(call.request, headers=headers)


def _bucket_names(call: Call) -> None:
    name = call.request.bucket or ""
    if call.operation == "CreateBucket" and len(name) > _BUCKET_NAME:
        raise S3Error("InvalidBucketName", None, {"BucketName": name})


family(
    "operation",
    _limiting,
    {
        "bucket-name-limit-60": row(
            "Names of buckets have at most 60 characters, since the gateway has a prefix of its own for them "
            "(LIM-008).",
            _bucket_names,
        ),
        "header-tags-cut": row(
            "Of more than ten tags in the header of an upload the first ten are kept (LIM-009).", _tags_cut
        ),
        "key-limit-255": row(
            "Keys have at most 255 bytes, as names of files have (LIM-001).",
            _keys,
        ),
        "key-limit-of-encoded": row(
            "The limit of a key counts its percent-encoded form (LIM-003).",
            _encoded,
        ),
        "long-tokens-refused": row(
            "Markers, tokens and prefixes of listings have half the length of a key (LIM-005).",
            _tokens,
        ),
        "metadata-limit-1024": row(
            "User metadata has at most 1 KB instead of 2 KB (LIM-007).",
            _metadata,
        ),
        "metadata-limit-of-put-only": row(
            "Multipart uploads and copies take any amount of user metadata (LIM-006).",
            _unmeasured,
        ),
        "name-limit-255": row(
            "What is between two slashes of a key has at most 255 bytes, as names of files have (LIM-004).",
            _names,
        ),
        "object-size-in-32-bits": row(
            "The size that a completion announces is compared in 32 bits (LIM-019).",
            _size_cut,
        ),
        "page-limit-enforced": row(
            "A listing that asks for more than 1000 entries is refused instead of cut (LIM-010, LIM-015).",
            _pages,
        ),
    },
)


def _documents(check: Callable[[bytes, Mapping[str, Any]], bool]) -> Wrap:
    """Documents that fail a check are refused as malformed."""

    def checked(call: Call) -> None:
        codec = call.endpoint.codec

        def parse(name: str, body: bytes) -> Mapping[str, Any]:
            document = codec.parse_document(name, body)
            if not check(body, document):
                raise S3Error("MalformedXML")
            return document

        call.endpoint = view(call.endpoint, codec=view(codec, parse_document=parse))

    return calls((), checked)


family(
    "operation",
    _documents,
    {
        "delete-limit-500": row(
            "DeleteObjects takes at most 500 keys instead of 1000 (LIM-011).",
            lambda _body, document: len(document.get("Objects") or ()) <= _DELETE,
        ),
        "document-limit-256-kib": row(
            "Documents in requests have at most 256 KiB, as in web frameworks by default (LIM-012, LIM-013).",
            lambda body, _document: len(body) <= _DOCUMENT,
        ),
    },
)
