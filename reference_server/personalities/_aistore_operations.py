"""What AIStore's operations do otherwise than S3's: its buckets, its keys, its ETags, its multipart uploads.

Source: aistore 583e7729, ais/prxs3.go, ais/tgts3.go, ais/tgts3mpt.go; ETags: core/lom.go.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from reference_server import checksums
from reference_server.call import Call, Result
from reference_server.codec import iso_time
from reference_server.errors import S3Error
from reference_server.objects import StoredObject
from reference_server.ops.objects import receive
from reference_server.personalities._aistore_answers import SERVER
from reference_server.personalities._aistore_requests import generic, object_name
from reference_server.store import Bucket
from reference_server.xmltree import Node, parse_xml

Operation = Callable[[Call], Result]

#: Settings of a bucket in the store; S3's own `versioning` is never set, since no versions are kept.
CHECKSUM, VERSIONING = "ais-checksum", "ais-versioning"
DEFAULT_CHECKSUM = "xxhash2"
_NODE = "t[s3conform]"
_RANGE = re.compile(r"bytes=(\d{1,18}-\d{0,18}|-\d{1,18})\Z", re.ASCII)
_BUCKET = re.compile(r"[A-Za-z0-9_.-]+\Z")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TARGET = "ais-cksum-"


# Buckets


def create_bucket(call: Call, default_checksum: str) -> Result:
    """CreateBucket: the body is not read, and a name that is taken is refused to everybody."""
    name = call.request.bucket or ""
    if not _BUCKET.match(name) or ".." in name:
        allowed = "letters, numbers, dashes (-), underscores (_), and dots (.)"
        raise generic(f'bucket name "{name}" is invalid: may only contain {allowed}')
    settings = {CHECKSUM: default_checksum, VERSIONING: "Enabled"}
    if not call.store.create_bucket(name, call.account.id, settings)[1]:
        message = f'cannot create bucket "{name}" via S3 API: name already in use by ais://{name}'
        raise S3Error("BucketAlreadyExists", message)
    return Result()


def head_bucket(call: Call) -> Result:
    """HeadBucket: every region is this one."""
    call.bucket()
    return Result(headers=[SERVER, ("x-amz-bucket-region", "ais")])


def delete_bucket(call: Call) -> Result:
    """DeleteBucket: with all that is in it."""
    bucket = call.bucket()
    with call.store.transaction():
        for row in list(call.objects.rows(bucket, b"", inclusive=True)):
            call.objects.delete(bucket, row[0].decode(), _always)
        call.store.delete_bucket(bucket)
    return Result(status=200)


def get_versioning(call: Call) -> Result:
    """GetBucketVersioning: a property of the bucket, without any version to be had."""
    return Result({"Status": call.bucket().settings.get(VERSIONING, "Enabled")})


def put_versioning(call: Call) -> Result:
    """PutBucketVersioning: whatever is not Enabled is Suspended."""
    root = _body(call)
    status = next((one.text for one in root.children if one.name == "Status"), "")
    call.store.configure(call.bucket(), VERSIONING, "Enabled" if status == "Enabled" else "Suspended")
    return Result()


# Listings


def list_objects(call: Call) -> Result:
    """Both versions of the listing: all keys in one document, folded at slashes or not at all."""
    members, bucket = call.members, call.bucket()
    token, prefix = members.get("ContinuationToken") or "", (members.get("Prefix") or "").encode()
    marker = (token or members.get("StartAfter") or "").encode()
    delimiter = b"/" if members.get("Delimiter") else b""

    def rows(lower: bytes, after: int) -> Any:
        return call.objects.rows(bucket, lower, inclusive=after < 0)

    with call.store.lock:
        found = call.endpoint.seams.listing(rows, prefix, delimiter, (marker, 1 << 62), 1 << 31)
    contents = [
        {"Key": key.decode(), "Size": size, "ETag": f'"{etag}"', "LastModified": modified}
        for key, size, etag, modified, *_ in found.rows
    ]
    folded = [one.decode() for one in found.prefixes]
    names = {"Name": bucket.name, "ContinuationToken": token}
    return Result({**names, "Contents": contents, "CommonPrefixes": folded})


def list_uploads(call: Call) -> Result:
    """ListMultipartUploads: cut and continued by upload id alone."""
    bucket, most = call.bucket(), call.members.get("MaxUploads") or 0
    with call.store.lock:
        found = [
            {"Key": key.decode(), "UploadId": upload_id, "Initiated": initiated}
            for key, _, upload_id, initiated, *_ in call.uploads.rows(bucket, b"", 0)
        ]
    ids = [one["UploadId"] for one in found]
    marker = call.members.get("UploadIdMarker")
    rest = found[ids.index(marker) + 1 :] if marker in ids else found
    shown = rest[:most] if most else rest
    return Result({"Bucket": bucket.name, "Uploads": shown, "MaxUploads": most, "IsTruncated": len(shown) < len(rest)})


# Objects


def put_object(call: Call) -> Result:
    """PutObject: the bytes, and nothing of what the headers say about them."""
    bucket = call.bucket()
    received, blob = receive(call, call.payload(), checksums.DEFAULT)
    new = _object(call, bucket, call.key, (received.size, received.md5))
    call.objects.put(bucket, new, blob, _always)
    return Result({"ETag": f'"{new.etag}"'})


def copy_object(call: Call) -> Result:
    """CopyObject: the directive and all other headers are not read; the ETag comes bare, and only where it is MD5."""
    bucket, text = call.bucket(), object_name(unquote_plus(call.request.headers["x-amz-copy-source"]))
    name, _, key = text.partition("/")
    if not key:
        raise generic("missing or empty object name")
    source = call.store.bucket(name)
    if source is None:
        raise no_such_bucket(name)
    opened = call.objects.open(source, key)
    if opened is None:
        raise missing(name, key)
    found, blobs = opened
    writer, digest = call.store.blobs.writer(), hashlib.md5()
    try:
        for data in call.store.blobs.read(blobs, 0, found.size):
            digest.update(data)
            writer.write(data)
        blob = writer.finish()
    finally:
        writer.abort()
        call.store.blobs.unpin(blobs)
    new = _object(call, bucket, call.key, (found.size, digest.hexdigest()))
    call.objects.put(bucket, new, blob, _always)
    shown = new.etag if bucket.settings.get(CHECKSUM, DEFAULT_CHECKSUM) == "md5" else ""
    return Result({"LastModified": iso_time(new.modified), "ETag": shown})


def get_object(call: Call, inner: Operation) -> Result:
    """GetObject: no stored headers; a part comes as if it were the whole; several ranges are none."""
    number, header = call.members.get("PartNumber"), call.members.get("Range")
    stored = call.objects.get(call.bucket(), call.key)
    if stored is None:
        raise missing(call.bucket().name, call.key)
    if number is not None and not 1 <= number <= (stored.parts or 0):
        raise generic(f"part {number} of ais://{call.bucket().name}/{call.key} does not exist", 404)
    if header is not None and not _RANGE.match(header.strip()):
        raise _no_range(stored.size)
    try:
        result = inner(call)
    except S3Error as error:
        raise _no_range(stored.size) if error.code == "InvalidRange" else error from None
    if number is not None:
        result.status = 200
        del result.members["ContentRange"]
    kept = ("AcceptRanges", "ContentLength", "ContentRange", "ETag", "LastModified")
    result.members = {name: result.members[name] for name in kept if name in result.members}
    result.members["ContentType"] = "application/octet-stream"
    return result


def head_object(call: Call) -> Result:
    """HeadObject: size, time, ETag and AIStore's own checksum."""
    bucket = call.bucket()
    stored = call.objects.get(bucket, call.key)
    if stored is None:
        raise missing(bucket.name, call.key)
    members = {"ETag": f'"{stored.etag}"', "LastModified": stored.modified, "ContentLength": stored.size}
    return Result(members | {"AcceptRanges": "bytes", "Metadata": stored.attributes.get("Checksum", {})})


def delete_object(call: Call) -> Result:
    """DeleteObject: 200, and an error where there is nothing to delete."""
    bucket = call.bucket()
    if call.objects.delete(bucket, call.key, _always).removed is None:
        raise missing(bucket.name, call.key)
    return Result(status=200)


def delete_objects(call: Call) -> Result:
    """DeleteObjects: every key that was asked for is said to be deleted, however quiet it was to be."""
    bucket = call.bucket()
    keys = [
        next((part.text for part in one.children if part.name == "Key"), "")
        for one in _body(call).children
        if one.name == "Object"
    ]
    for key in keys:
        call.objects.delete(bucket, object_name(key), _always)
    return Result({"Deleted": keys} if keys else {}, status=200)


def missing(bucket: str, key: str) -> S3Error:
    """There is no such object."""
    return S3Error("NoSuchKey", f"{_NODE}: ais://{bucket}/{key} does not exist")


def no_such_bucket(name: str) -> S3Error:
    """There is no such bucket."""
    return S3Error("NoSuchBucket", f'bucket "{name}" does not exist')


def _no_range(size: int) -> S3Error:
    return generic("range not satisfiable", 416, "ErrRangeNotSatisfiable", {"Content-Range": f"bytes */{size}"})


def _object(call: Call, bucket: Bucket, key: str, content: tuple[int, str]) -> StoredObject:
    """A new object; `content` is size and MD5.

    Only the form of its checksum is xxhash's: 16 hexadecimal digits that depend on the content alone.
    """
    size, md5 = content
    kind = bucket.settings.get(CHECKSUM, DEFAULT_CHECKSUM)
    value = md5 if kind == "md5" else hashlib.blake2b(md5.encode(), digest_size=8).hexdigest()
    etag = md5 if kind == "md5" else f"v1-{value}-{_base36(int(call.store.clock() * 1e9))}"
    kept = {"Checksum": {f"{_TARGET}type": kind, f"{_TARGET}val": value}}
    return StoredObject(key, size, etag, call.store.now(), attributes=kept)


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


# Multipart uploads


def upload_part(call: Call, inner: Operation) -> Result:
    """UploadPart: any size but nothing; its ETag is its MD5 whatever the bucket's checksum."""
    number = call.members.get("PartNumber")
    if number is None or number < 1:
        raise generic(f"part number must be a positive integer, got: {number}")
    if call.request.headers.get("content-length") == "0":
        raise generic(f"part {number}: zero-size part")
    return Result({"ETag": _known(call, lambda: inner(call)).members["ETag"]})


def upload_part_copy(_call: Call) -> Result:
    """UploadPartCopy."""
    raise generic("UploadPartCopy not implemented yet", 501)


def create_upload(call: Call) -> Result:
    """CreateMultipartUpload."""
    bucket = call.bucket()
    kept = {"Initiator": call.account.id}
    upload_id = call.uploads.create(bucket, call.key, kept, "STANDARD", (None, None))
    return Result({"Bucket": bucket.name, "Key": call.key, "UploadId": upload_id})


def complete_upload(call: Call) -> Result:
    """CompleteMultipartUpload: all parts, in any order; what the list says of their ETags is not read."""
    bucket, listed = call.bucket(), _part_numbers(_body(call))
    if not listed:
        raise generic("no parts")
    with call.store.transaction():
        upload = _known(call, lambda: call.uploads.find(bucket, call.key, call.members["UploadId"]))
        parts = call.uploads.parts(upload.seq)
        if len(listed) != len(parts):
            raise generic(f"partial completion is not allowed: requested {len(listed)} parts, have {len(parts)}")
        for position, number in enumerate(sorted(listed)):
            if number != position + 1:
                raise generic(f"parts must be exactly 1..{len(parts)}: got {number} at position {position}")
        digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts)).hexdigest()
        new = StoredObject(
            call.key,
            sum(part.size for part in parts),
            f"{digest}-{len(parts)}",
            call.store.now(),
            upload=upload.seq,
            parts=len(parts),
        )
        call.uploads.finish(bucket, upload, new, (set(listed), "finished", {}), _always)
    etag = f'"{new.etag}"'
    return Result({"Bucket": bucket.name, "Key": call.key, "ETag": etag}, headers=[("ETag", etag)])


def abort_upload(call: Call, inner: Operation) -> Result:
    """AbortMultipartUpload."""
    result: Result = _known(call, lambda: inner(call))
    return result


def list_parts(call: Call) -> Result:
    """ListParts: numbers and ETags of all of them, and nothing else."""
    bucket, upload_id = call.bucket(), call.members["UploadId"]
    upload = _known(call, lambda: call.uploads.find(bucket, call.key, upload_id))
    parts = [{"PartNumber": one.number, "ETag": f'"{one.etag}"'} for one in call.uploads.parts(upload.seq)]
    return Result({"Bucket": bucket.name, "Key": call.key, "UploadId": upload_id, "Parts": parts})


def _known(call: Call, does: Callable[[], Any]) -> Any:
    """What is done with an upload; that there is none comes with AIStore's advice."""
    try:
        return does()
    except S3Error as error:
        if error.code != "NoSuchUpload":
            raise
        upload_id = call.members["UploadId"]
        tip = f"s3cmd abortmp s3://{call.request.bucket}/{call.key} {upload_id}"
        message = f'upload "{upload_id}" does not exist\nUse upload ID "{upload_id}" to cleanup, e.g.:\n  {tip}'
        raise S3Error("NoSuchUpload", message) from None


def _part_numbers(root: Node) -> list[int]:
    numbers = [
        child.text.strip()
        for part in root.children
        if part.name == "Part"
        for child in part.children
        if child.name == "PartNumber"
    ]
    if not all(number.isdecimal() for number in numbers):
        raise generic("invalid part number")
    return [int(number) for number in numbers]


# Bodies


def _body(call: Call) -> Node:
    root = parse_xml(call.payload().document())
    if root is None:
        raise generic("EOF")
    return root


def _always(_present: StoredObject | None) -> None:
    """No condition is ever read."""
