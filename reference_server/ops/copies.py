"""CopyObject and UploadPartCopy. Source: catalogue COPY."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from reference_server import access, checksums
from reference_server.call import Call, Handler, Result, check_expected_owner, checked
from reference_server.conditions import check_copy_source, copy_range, write_check
from reference_server.errors import S3Error, invalid_argument
from reference_server.objects import StoredObject
from reference_server.ops import versions
from reference_server.ops.multipart import part_number
from reference_server.ops.writes import (
    ARCHIVED,
    STORED,
    checksum_members,
    customer_md5,
    encryption_members,
    etag_of,
    headers_of,
    settings_of,
    storage_class,
    written_members,
)
from reference_server.payload import MAX_BODY, Received
from reference_server.rules import encryption, tags
from reference_server.uploads import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reference_server.blobs import Blob
    from reference_server.store import Bucket

_HEADER = "x-amz-copy-source"
_CHANGES = ("StorageClass", "ServerSideEncryption", "SSECustomerAlgorithm", "WebsiteRedirectLocation")


@dataclass(frozen=True)
class _Source:
    bucket: str
    key: str
    version: str | None


def copy_object(call: Call) -> Result:
    """CopyObject: always a new single-part object with a full-object checksum."""
    members = call.members
    source = _source(members["CopySource"])
    _check_request(call)
    directive = str(members.get("MetadataDirective") or "COPY")
    if directive not in ("COPY", "REPLACE"):
        raise invalid_argument("x-amz-metadata-directive", directive, "Unknown metadata directive.")
    asked = members.get("ChecksumAlgorithm")
    algorithm = checksums.named(asked) if asked is not None else None
    kept_class = storage_class(members)
    check = write_check(members, call.key)
    bucket = call.bucket()
    settings = settings_of(call, bucket)
    _check_self_copy(call, bucket, source, directive)
    with _opened(call, source) as (found, blobs, shown_source):
        if found.size > MAX_BODY:
            message = "The specified copy source is larger than the maximum allowable size for a copy source:"
            raise S3Error("InvalidRequest", f"{message} {MAX_BODY}")
        algorithm = algorithm or found.algorithm or checksums.DEFAULT
        kept = headers_of(call) if directive == "REPLACE" else _inherited(found, members)
        kept |= settings | {"Tags": tags.copied(members, found.attributes.get("Tags", []))}
        _check_tags(call, bucket, source, kept)
        received, blob = _read_into(call, blobs, (0, found.size), algorithm)
    value = received.checksums[algorithm]
    new = StoredObject(
        *(call.key, received.size, etag_of(received, kept), call.store.now(), kept_class),
        *(algorithm, "FULL_OBJECT", value, kept),
    )
    stored = call.objects.put(bucket, new, blob, check)
    shown = checksum_members(algorithm, value, "FULL_OBJECT")
    result = {"ETag": f'"{new.etag}"', "LastModified": new.modified, **shown}
    return Result({"CopyObjectResult": result, **written_members(bucket, stored), **shown_source})


def _check_tags(call: Call, bucket: Bucket, source: _Source, kept: dict[str, Any]) -> None:
    """Tags come along only to those who may read and write them; no tags are not stored."""
    if not kept["Tags"]:
        del kept["Tags"]
    elif (call.members.get("TaggingDirective") or "COPY") == "COPY":
        origin = checked(call.store.bucket(source.bucket), source.bucket)
        access.require(call, origin, "GetObjectTagging", source.key, {"VersionId": source.version})
        access.require(call, bucket, "PutObjectTagging", call.key)


def _inherited(found: StoredObject, members: dict[str, Any]) -> dict[str, Any]:
    """Stored headers and metadata of the source; a website redirect, lock and ACL are never copied (COPY-013)."""
    names = {*STORED, "Metadata"} - {"WebsiteRedirectLocation"}
    kept = {name: value for name, value in found.attributes.items() if name in names}
    if members.get("WebsiteRedirectLocation"):
        kept["WebsiteRedirectLocation"] = members["WebsiteRedirectLocation"]
    return kept


def upload_part_copy(call: Call) -> Result:
    """UploadPartCopy: a whole object, or exactly the bytes of x-amz-copy-source-range."""
    source = _source(call.members["CopySource"])
    number = part_number(call)
    _check_request(call)
    bucket = call.bucket()
    upload = call.uploads.find(bucket, call.key, call.members["UploadId"])
    encryption.check_part(customer_md5(upload.attributes), call.members)
    algorithm = upload.algorithm or checksums.DEFAULT
    with _opened(call, source) as (found, blobs, shown_source):
        first, last = copy_range(call.members.get("CopySourceRange"), found.size)
        if last - first + 1 > MAX_BODY:
            raise S3Error("InvalidRequest", f"The specified copy range is larger than {MAX_BODY} bytes")
        received, blob = _read_into(call, blobs, (first, last - first + 1), algorithm)
    etag = etag_of(received, upload.attributes)
    part = Part(number, received.size, etag, call.store.now(), received.checksums, 0)
    call.uploads.put_part(bucket, upload, part, blob)
    shown = checksum_members(upload.algorithm, received.checksums.get(algorithm), None)
    result = {"ETag": f'"{part.etag}"', "LastModified": part.modified, **shown}
    return Result({"CopyPartResult": result, **encryption_members(upload.attributes), **shown_source})


def _source(header: str) -> _Source:
    """What x-amz-copy-source names: decoded once, `+` is a space (COPY-009, COPY-010)."""
    path, _, query = header.partition("?")
    version = query.removeprefix("versionId=") if query.startswith("versionId=") else None
    try:
        text = unquote_to_bytes(path.replace("+", " ").encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise invalid_argument(_HEADER, header, "Invalid copy source encoding.") from None
    bucket, _, key = text.removeprefix("/").partition("/")
    if not bucket or not key:
        raise invalid_argument(_HEADER, header, "Invalid copy source object key")
    return _Source(bucket, key, version)


def _check_request(call: Call) -> None:
    if "range" in call.request.headers and call.operation == "CopyObject":
        message = "The Range header is not allowed on a copy."
        raise invalid_argument("Range", call.request.headers["range"], message)
    if call.request.headers.get("content-length", "0") != "0":
        raise S3Error("InvalidRequest", "A request with x-amz-copy-source must not have a body.")


def _check_self_copy(call: Call, bucket: Bucket, source: _Source, directive: str) -> None:
    """A copy onto itself must change something (COPY-004 to COPY-006)."""
    same = (source.bucket, source.key) == (call.request.bucket, call.key)
    changes = (
        directive == "REPLACE"
        or source.version is not None
        or "encryption" in bucket.settings
        or any(call.members.get(name) for name in _CHANGES)
    )
    if same and not changes:
        message = (
            "This copy request is illegal because it is trying to copy an object to itself without changing "
            "the object's metadata, storage class, website redirect location or encryption attributes."
        )
        raise S3Error("InvalidRequest", message)


@contextmanager
def _opened(call: Call, source: _Source) -> Iterator[tuple[StoredObject, list[Blob], dict[str, Any]]]:
    """The source object, if it may be read and its conditions hold, and what the answer shows of it."""
    store = call.store
    bucket = checked(store.bucket(source.bucket), source.bucket)
    check_expected_owner(call.endpoint, bucket, call.members.get("ExpectedSourceBucketOwner"))
    version = versions.checked_id(source.version)
    access.require(call, bucket, "GetObject", source.key, {"VersionId": version} if version else {})
    stored, blobs = call.objects.open(bucket, source.key, version) or (None, [])
    if stored is None:
        raise versions.missing(call, bucket, source.key, version)
    try:
        if stored.marker:
            message = "The source of a copy request may not specifically refer to a delete marker by version id."
            raise S3Error("InvalidRequest", message)
        encryption.check_key(customer_md5(stored.attributes), call.members, "CopySource")
        check_copy_source(call.members, stored, call.store.clock())
        if stored.storage_class in ARCHIVED and "Restored" not in stored.attributes:
            raise S3Error("InvalidObjectState", None, {"StorageClass": stored.storage_class})
        yield stored, blobs, {"CopySourceVersionId": stored.version_id} if bucket.versioning else {}
    finally:
        store.blobs.unpin(blobs)


def _read_into(call: Call, blobs: list[Blob], span: tuple[int, int], algorithm: str) -> tuple[Received, Blob]:
    """Copy (start, length) bytes into a new blob."""
    md5, running = hashlib.md5(), checksums.start(algorithm)
    writer = call.store.blobs.writer()
    takers: tuple[Callable[[bytes], object], ...] = (md5.update, running.update, writer.write)
    try:
        for data in call.store.blobs.read(blobs, *span):
            for take in takers:
                take(data)
        blob = writer.finish()
    except BaseException:
        writer.abort()
        raise
    return Received(blob.size, md5.hexdigest(), {algorithm: checksums.encode(running.digest())}), blob


HANDLERS: dict[str, Handler] = {"CopyObject": copy_object, "UploadPartCopy": upload_part_copy}
