"""GetObject and HeadObject: ranges, parts, conditions, overrides. Source: catalogue GET, CRD, CKS."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, cast

from reference_server.call import Call, Handler, Result
from reference_server.codec import http_time
from reference_server.conditions import byte_range, check_read
from reference_server.errors import NotModifiedError, S3Error, invalid_argument
from reference_server.ops import versions
from reference_server.ops.writes import (
    ARCHIVED,
    STORED,
    checksum_members,
    customer_md5,
    encryption_members,
    expiration,
    retention_of,
)
from reference_server.rules import encryption, lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_server.blobs import Blob
    from reference_server.objects import StoredObject
    from reference_server.store import Bucket

DEFAULT_TYPE = "binary/octet-stream"
_MAX_PART = 10_000
_SMALL = 256 * 1024
_OVERRIDES = {
    "response-cache-control": "CacheControl",
    "response-content-disposition": "ContentDisposition",
    "response-content-encoding": "ContentEncoding",
    "response-content-language": "ContentLanguage",
    "response-content-type": "ContentType",
    "response-expires": "Expires",
}


def get_object(call: Call) -> Result:
    """GetObject."""
    bucket = call.bucket()
    overrides, wanted = _overrides(call), versions.version_id(call)
    stored, blobs = versions.opened(call, bucket, wanted)
    store = call.store.blobs
    try:
        if stored.storage_class in ARCHIVED and "Restored" not in stored.attributes:
            raise S3Error("InvalidObjectState", None, {"StorageClass": stored.storage_class})
        members, status, (start, length) = _describe(call, bucket, (stored, blobs), overrides)
        if length <= _SMALL:
            body = b"".join(store.read(blobs, start, length))
            store.unpin(blobs)
            return Result(members, status, body=body, length=length)
        chunks: Iterator[bytes] = store.read(blobs, start, length)
        chunks = itertools.chain([next(chunks)], chunks)  # a body that cannot be opened is an error, not a cut
    except BaseException:
        store.unpin(blobs)
        raise
    return Result(members, status, body=chunks, length=length, done=lambda: store.unpin(blobs))


def head_object(call: Call) -> Result:
    """HeadObject: the headers of GetObject."""
    bucket = call.bucket()
    overrides, wanted = _overrides(call), versions.version_id(call)
    if call.members.get("PartNumber") is None:
        stored, blobs = versions.found(call, bucket, wanted), cast("list[Blob]", [])
    else:
        stored, blobs = versions.opened(call, bucket, wanted)
        call.store.blobs.unpin(blobs)
    members, status, _ = _describe(call, bucket, (stored, blobs), overrides)
    return Result(members, status)


def _overrides(call: Call) -> dict[str, str]:
    found = {}
    for name, value in call.request.parameters.items():
        if not name.startswith("response-"):
            continue
        if call.account.anonymous:
            message = "Request specific response headers cannot be used for anonymous GET requests."
            raise S3Error("InvalidRequest", message)
        member = _OVERRIDES.get(name)
        if member is None:
            raise invalid_argument(
                name, value, f"{name} is not in the set of overridable response header query parameters."
            )
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            message = "Header value cannot be represented using ISO-8859-1."
            raise invalid_argument(name, value, message) from None
        found[member] = " ".join(value.splitlines())
    return found


def _describe(
    call: Call, bucket: Bucket, opened: tuple[StoredObject, list[Blob]], overrides: dict[str, str]
) -> tuple[dict[str, Any], int, tuple[int, int]]:
    """Members of the answer, status, and (start, length) of the bytes asked for."""
    stored, blobs = opened
    encryption.check_key(customer_md5(stored.attributes), call.members)
    members = _members(stored, overrides) | versions.shown(bucket, stored)
    if "lifecycle" in bucket.settings and call.members.get("VersionId") is None:
        members["Expiration"] = expiration(bucket, stored)
    if not check_read(call.members, stored, call.store.clock()):
        raise NotModifiedError([("Last-Modified", http_time(stored.modified)), ("ETag", f'"{stored.etag}"')])
    number, header = call.members.get("PartNumber"), call.members.get("Range")
    size = stored.size
    span: tuple[int, int] | None
    if number is not None:
        if header is not None:
            raise S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        first, length = _part(number, stored, blobs)
        if not length:  # a range cannot say "no bytes"
            members["ContentLength"] = 0
            return members | ({"PartsCount": stored.parts} if stored.parts else {}), 200, (0, 0)
        span = (first, first + length - 1)
        if stored.parts is not None:
            members["PartsCount"] = stored.parts
    else:
        span = byte_range(header, size)
    whole = span is None or span == (0, size - 1)
    if str(call.members.get("ChecksumMode", "")).upper() == "ENABLED":
        members |= _checksum(call, stored, number, whole=whole)
    if span is None:
        members["ContentLength"] = size
        return members, 200, (0, size)
    members["ContentRange"] = f"bytes {span[0]}-{span[1]}/{size}"
    members["ContentLength"] = span[1] - span[0] + 1
    return members, 206, (span[0], members["ContentLength"])


def _members(stored: StoredObject, overrides: dict[str, str]) -> dict[str, Any]:
    kept = stored.attributes
    members: dict[str, Any] = {
        "LastModified": stored.modified,
        "ETag": f'"{stored.etag}"',
        **encryption_members(kept),
        "AcceptRanges": "bytes",
        "ContentType": DEFAULT_TYPE,
    }
    for name in STORED:
        if name in kept:
            members[name] = kept[name]
    members |= lock.header_members(retention_of(stored), kept.get("LegalHold"))
    members |= overrides
    if "Tags" in kept:
        members["TagCount"] = len(kept["Tags"])
    if "Restored" in kept:
        members["Restore"] = kept["Restored"]
    if "Metadata" in kept:
        members["Metadata"] = kept["Metadata"]
    if stored.storage_class != "STANDARD":
        members["StorageClass"] = stored.storage_class
    return members


def _part(number: int, stored: StoredObject, blobs: list[Blob]) -> tuple[int, int]:
    """Start and length of a part by its position; a plain object is one part (GET-018 to GET-021)."""
    if not 1 <= number <= _MAX_PART:
        message = "Part number must be an integer between 1 and 10000, inclusive"
        raise invalid_argument("partNumber", str(number), message)
    count = stored.parts or 1
    if number > count:
        raise S3Error("InvalidPartNumber", None, {"ActualPartCount": count, "PartNumberRequested": number})
    if stored.parts is None:
        return 0, stored.size
    return sum(blob.size for blob in blobs[: number - 1]), blobs[number - 1].size


def _checksum(call: Call, stored: StoredObject, number: int | None, *, whole: bool) -> dict[str, str]:
    """Checksum members: of the part for a part of a COMPOSITE object, else only of the whole (CKS-016)."""
    if number is not None and stored.upload is not None:
        if stored.checksum_type != "COMPOSITE" or stored.algorithm is None:
            return checksum_members(stored.algorithm, stored.checksum, "FULL_OBJECT") if stored.parts == 1 else {}
        parts = call.uploads.parts(stored.upload)
        if len(parts) < number:  # the object was replaced a moment ago, its body is still pinned
            return {}
        return checksum_members(stored.algorithm, parts[number - 1].checksums.get(stored.algorithm), "COMPOSITE")
    return checksum_members(stored.algorithm, stored.checksum, stored.checksum_type) if whole else {}


HANDLERS: dict[str, Handler] = {"GetObject": get_object, "HeadObject": head_object}
