"""Finding the version that a request means. Source: catalogue VER, LOCK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_server.codec import http_time
from reference_server.errors import S3Error, invalid_argument
from reference_server.objects import version_rank

if TYPE_CHECKING:
    from reference_server.blobs import Blob
    from reference_server.call import Call
    from reference_server.objects import StoredObject
    from reference_server.store import Bucket

# Operations that meet a newest delete marker with 405 although no version is named, as recorded on AWS: all that
# change something, and this one.
_STRICT = {"GetObjectTagging"}
_READS = ("GET", "HEAD")


def version_id(call: Call) -> str | None:
    """The versionId of a request.

    Raises:
        S3Error: InvalidArgument for what is no version id (VER-016, DEL-004).
    """
    return checked_id(call.members.get("VersionId"))


def checked_id(version: str | None) -> str | None:
    """A version id, if it is one that this server made; `null` is the id of the version without one.

    Raises:
        S3Error: InvalidArgument.
    """
    if version is None or version == "null" or version_rank(version) is not None:
        return version
    message = "Invalid version id specified" if version else "Version id cannot be the empty string"
    raise invalid_argument("versionId", version, message)


def found(call: Call, bucket: Bucket, wanted: str | None) -> StoredObject:
    """The version (never a delete marker) that a request means.

    Raises:
        S3Error: see `missing` and `is_marker`.
    """
    stored = call.objects.get(bucket, call.key, wanted)
    return checked(call, bucket, stored, wanted)


def opened(call: Call, bucket: Bucket, wanted: str | None) -> tuple[StoredObject, list[Blob]]:
    """The same with its blobs, pinned."""
    stored, blobs = call.objects.open(bucket, call.key, wanted) or (None, [])
    return checked(call, bucket, stored, wanted), blobs


def checked(call: Call, bucket: Bucket, stored: StoredObject | None, wanted: str | None) -> StoredObject:
    """What was looked up, if it is an object; raises as `found` does."""
    if stored is None and wanted is None and (call.request.method not in _READS or call.operation in _STRICT):
        stored = call.objects.newest(bucket, call.key)
    if stored is None:
        raise missing(call, bucket, call.key, wanted)
    if stored.marker:
        raise is_marker(call.request.method, stored)
    return stored


def missing(call: Call, bucket: Bucket, key: str, wanted: str | None) -> S3Error:
    """404 for a key or version that is not there; a newest delete marker is shown in headers (VER-012, VER-015)."""
    if wanted is not None and (wanted != "null" or bucket.versioning):
        return S3Error("NoSuchVersion", None, {"Key": key, "VersionId": wanted})
    newest, headers = call.objects.newest(bucket, key), {}
    if newest is not None and newest.marker:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": newest.version_id}
    return S3Error("NoSuchKey", None, {"Key": key}, headers=headers)


def is_marker(method: str, marker: StoredObject) -> S3Error:
    """405 for an operation that a delete marker cannot answer (TAG-012)."""
    headers = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version_id, "Allow": "DELETE"}
    if method in _READS:
        headers["Last-Modified"] = http_time(marker.modified)
    return S3Error("MethodNotAllowed", None, {"Method": method, "ResourceType": "DeleteMarker"}, headers=headers)


def shown(bucket: Bucket, stored: StoredObject) -> dict[str, Any]:
    """The version id as answers show it: only where versioning was ever set (LINT-033)."""
    return {"VersionId": stored.version_id} if bucket.versioning else {}
