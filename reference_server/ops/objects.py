"""Writing and deleting objects. Source: catalogue ETAG, CKS, CWR, DEL, META, VER, LOCK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_server import access, checksums
from reference_server.call import Call, Handler, Result
from reference_server.conditions import etag_matches, write_check
from reference_server.errors import S3Error, invalid_argument, not_implemented_header
from reference_server.objects import StoredObject
from reference_server.ops import versions
from reference_server.ops.writes import (
    checksum_members,
    etag_of,
    headers_of,
    retention_of,
    settings_of,
    storage_class,
    written_members,
)
from reference_server.rules import lock

if TYPE_CHECKING:
    from reference_server.blobs import Blob
    from reference_server.objects import Deleted
    from reference_server.payload import Payload, Received
    from reference_server.store import Bucket

_MAX_DELETE = 1000


def put_object(call: Call) -> Result:
    """PutObject."""
    if "versionId" in call.request.parameters:
        version = call.request.parameters["versionId"]
        raise invalid_argument("versionId", version, "This operation does not accept a query-string.")
    payload = call.payload(hex_md5=True)
    payload.require_length(call.request.headers)
    return store_object(call, call.bucket(write=True), payload)


def store_object(call: Call, bucket: Bucket, payload: Payload) -> Result:
    """Store the object that a request brings; the members of the answer."""
    attributes, kept_class = headers_of(call), storage_class(call.members)
    check = write_check(call.members, call.key)
    attributes |= settings_of(call, bucket, payload)
    if call.members.get("IfMatch") is not None or call.members.get("IfNoneMatch") is not None:
        check(call.objects.get(bucket, call.key))  # early, before the body; the transaction decides
    algorithm = payload.algorithm or checksums.DEFAULT
    received, blob = receive(call, payload, algorithm)
    value = received.checksums[algorithm]
    new = StoredObject(
        *(call.key, received.size, etag_of(received, attributes), call.store.now(), kept_class),
        *(algorithm, "FULL_OBJECT", value, attributes),
    )
    stored = call.objects.put(bucket, new, blob, check)
    shown = checksum_members(algorithm, value, "FULL_OBJECT")
    return Result({"ETag": f'"{stored.etag}"', **shown, **written_members(bucket, stored)})


def receive(call: Call, payload: Payload, algorithm: str) -> tuple[Received, Blob]:
    """Read a body into a new blob."""
    writer = call.store.blobs.writer()
    try:
        received = payload.receive(writer.write, [algorithm])
        return received, writer.finish()
    except BaseException:
        writer.abort()
        raise


def delete_object(call: Call) -> Result:
    """DeleteObject: 204 whether or not there was one."""
    members = call.members
    for member, header in (
        ("IfMatchSize", "x-amz-if-match-size"),
        ("IfMatchLastModifiedTime", "x-amz-if-match-last-modified-time"),
    ):
        if member in members:
            raise not_implemented_header(header)
    bucket, wanted = call.bucket(), versions.version_id(call)
    lock.check_bypass(members.get("BypassGovernanceRetention"), "object-lock" in bucket.settings)
    done = _delete(call, bucket, call.key, wanted, members.get("IfMatch"))
    return Result(_shown(bucket, done, wanted))


def _shown(bucket: Bucket, done: Deleted, wanted: str | None) -> dict[str, Any]:
    """What the answer to a delete shows; a version id comes back also if that version was gone before."""
    if done.marker is not None:
        return {"DeleteMarker": True, "VersionId": done.marker.version_id}
    if wanted is None or not bucket.versioning:
        return {}
    return {"DeleteMarker": True if done.removed is not None and done.removed.marker else None, "VersionId": wanted}


def _delete(call: Call, bucket: Bucket, key: str, wanted: str | None, match: str | None) -> Deleted:
    """Delete one key or version, unless a condition or a lock forbids it."""

    def condition(present: StoredObject | None) -> None:
        if match is None:
            return
        if present is None:
            raise S3Error("NoSuchKey", None, {"Key": key})
        if not etag_matches(match, present.etag):
            raise S3Error("PreconditionFailed", None, {"Condition": "If-Match"})

    if wanted is None:
        return call.objects.delete(bucket, key, condition)

    def check(present: StoredObject | None) -> None:
        condition(present)
        if present is not None:
            check_lock(call, present)

    return call.objects.delete_version(bucket, key, wanted, check)


def check_lock(call: Call, stored: StoredObject) -> None:
    """A version under retention or legal hold stays (catalogue LOCK-004, LOCK-005).

    Raises:
        S3Error: AccessDenied.
    """
    retention = retention_of(stored)
    mode, until = retention or (None, None)
    bypass = bool(call.members.get("BypassGovernanceRetention"))
    if not lock.may_delete(mode, until, stored.attributes.get("LegalHold"), bypass, call.store.clock()):
        raise lock.locked()


def delete_objects(call: Call) -> Result:
    """DeleteObjects: needs a digest of its body (DEL-010), keys are literal (DEL-015)."""
    bucket = call.bucket()
    lock.check_bypass(call.members.get("BypassGovernanceRetention"), "object-lock" in bucket.settings)
    document = call.document()
    entries = document["Objects"]
    if len(entries) > _MAX_DELETE:
        raise S3Error("MalformedXML")
    deleted, errors = [], []
    for entry in entries:
        shown = {name: entry[name] for name in ("Key", "VersionId") if name in entry}
        try:
            deleted.append({**shown, **_delete_entry(call, bucket, entry)})
        except S3Error as error:
            errors.append({**shown, "Code": error.code, "Message": error.message})
    return Result({"Deleted": [] if document.get("Quiet") else deleted, "Errors": errors})


def _delete_entry(call: Call, bucket: Bucket, entry: dict[str, Any]) -> dict[str, Any]:
    """Delete one entry; what its answer shows beside key and version id (VER-018)."""
    key = entry["Key"]
    if not key:
        raise S3Error("UserKeyMustBeSpecified", "The request was missing a key")
    for name in ("LastModifiedTime", "Size"):
        if name in entry:
            raise S3Error("NotImplemented")
    asked = {"VersionId": entry["VersionId"]} if "VersionId" in entry else {}
    access.require(call, bucket, "DeleteObject", key, asked)
    try:
        wanted = versions.checked_id(entry.get("VersionId"))
    except S3Error:
        raise S3Error("NoSuchVersion") from None
    if wanted not in (None, "null") and not bucket.versioning:
        raise S3Error("NoSuchVersion")
    done = _delete(call, bucket, key, wanted, entry.get("ETag"))
    if done.marker is not None:
        return {"DeleteMarker": True, "DeleteMarkerVersionId": done.marker.version_id}
    if done.removed is not None and done.removed.marker:
        return {"DeleteMarker": True, "DeleteMarkerVersionId": done.removed.version_id}
    return {}


HANDLERS: dict[str, Handler] = {
    "DeleteObject": delete_object,
    "DeleteObjects": delete_objects,
    "PutObject": put_object,
}
