"""Defects of versioning: versions that are not kept, not told apart, or lost with a delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reference_server.call import Call, Result
from reference_server.defects.registry import defect
from reference_server.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from reference_server.objects import StoredObject

Operation = Callable[[Call], Result]

_READS = {"GetObject", "HeadObject"}
_WRITES = {"PutObject", "CopyObject", "CompleteMultipartUpload"}


def plain_delete(call: Call) -> bool:
    """Whether an object is to be deleted without naming a version."""
    return call.operation == "DeleteObject" and call.members.get("VersionId") is None


def _remove(call: Call, stored: StoredObject | None) -> None:
    """Remove one version for good, whatever the operation does otherwise."""
    if stored is not None:
        call.objects.delete_version(call.bucket(), stored.key, stored.version_id, lambda _: None)


# The status of a bucket


@defect(
    "versioning-status-always",
    "operation",
    "A bucket whose versioning was never configured says Suspended (VER-001).",
)
def _versioning_status_always(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "GetBucketVersioning":
            result.members = {"Status": "Suspended", **result.members}
        return result

    return operation


@defect(
    "versioning-any-status",
    "operation",
    "A versioning status that does not exist, or is missing, is accepted and ignored (VER-003, VER-004).",
)
def _versioning_any_status(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if call.operation != "PutBucketVersioning" or error.status != 400:
                raise
            return Result()

    return operation


@defect(
    "versioning-lock-ignored",
    "operation",
    "Versioning of a bucket with object lock can be suspended (VER-019).",
)
def _versioning_lock_ignored(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if call.operation != "PutBucketVersioning" or error.code != "InvalidBucketState":
                raise
            call.store.configure(call.bucket(), "versioning", {"Status": "Suspended"})
            return Result()

    return operation


@defect(
    "versioning-never-suspended",
    "operation",
    "Versioning that is suspended says so and goes on keeping versions (VER-008, VER-011).",
)
def _versioning_never_suspended(inner: Operation) -> Operation:
    suspended = set[str]()

    def operation(call: Call) -> Result:
        result, name = inner(call), call.request.bucket or ""
        if call.operation == "PutBucketVersioning":
            suspended.discard(name)
            bucket = call.bucket()
            if bucket.versioning == "Suspended":
                suspended.add(name)
                call.store.configure(bucket, "versioning", {"Status": "Enabled"})
        elif call.operation == "GetBucketVersioning" and name in suspended:
            result.members = {"Status": "Suspended"}
        return result

    return operation


# What is written


@defect(
    "versions-overwritten",
    "operation",
    "With versioning enabled a write has a version id, and the version before it is gone all the same (VER-005).",
)
def _versions_overwritten(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation not in _WRITES or not call.bucket().versioning:
            return inner(call)
        before = call.objects.get(call.bucket(), call.key)
        result = inner(call)
        _remove(call, before if result.members.get("VersionId") else None)
        return result

    return operation


@defect(
    "null-version-overwritten",
    "operation",
    "The object from before versioning is lost with the first write after it (VER-007).",
)
def _null_version_overwritten(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation in _WRITES and result.members.get("VersionId"):
            _remove(call, call.objects.get(call.bucket(), call.key, "null"))
        return result

    return operation


@defect(
    "suspended-replaces-newest",
    "operation",
    "While versioning is suspended a write or delete replaces the newest version instead of the null one (VER-008, "
    "VER-011).",
)
def _suspended_replaces_newest(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        changes = call.operation in _WRITES or call.operation == "DeleteObject"
        if changes and call.members.get("VersionId") is None and call.bucket().versioning == "Suspended":
            _remove(call, call.objects.get(call.bucket(), call.key))
            _remove(call, call.objects.get(call.bucket(), call.key))
        return inner(call)

    return operation


@defect(
    "version-ids-with-dashes",
    "operation",
    "Version ids are written with dashes, as UUIDs are (VER-006).",
)
def _version_ids_with_dashes(inner: Operation) -> Operation:
    inputs = ("VersionId", "VersionIdMarker")

    def operation(call: Call) -> Result:
        for name in inputs:
            if call.members.get(name):
                call.members[name] = call.members[name].replace("-", "")
        result = inner(call)
        members = result.members
        entries = [entry for _, entry in members.get("Versions", [])]
        for one in (members, *entries, *members.get("Deleted", [])):
            for name in (*inputs, "NextVersionIdMarker", "DeleteMarkerVersionId"):
                if one.get(name):
                    one[name] = _dashed(one[name])
        return result

    return operation


def _dashed(value: Any) -> Any:
    return f"{value[:8]}-{value[8:16]}-{value[16:]}" if value and value != "null" else value


# What is deleted


@defect(
    "delete-removes-newest-version",
    "operation",
    "In a bucket with versions, DeleteObject removes the newest version for good and adds no marker (VER-009).",
)
def _delete_removes_newest(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if not plain_delete(call) or not call.bucket().versioning:
            return inner(call)
        _remove(call, call.objects.newest(call.bucket(), call.key))
        return Result()

    return operation


@defect(
    "delete-removes-all-versions",
    "operation",
    "In a bucket with versions, DeleteObject adds a marker and removes all that was there (VER-009).",
)
def _delete_removes_all(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        plain = plain_delete(call)
        result = inner(call)
        bucket = call.bucket() if plain else None
        if bucket is not None and bucket.versioning:
            marker = result.members.get("VersionId")
            rows = list(call.objects.version_rows(bucket, call.key.encode(), -(2**62)))
            for key, _, version, *_rest in rows:
                if key.decode() == call.key and (version or "null") != marker:
                    _remove(call, call.objects.get(bucket, call.key, version or "null"))
        return result

    return operation


@defect(
    "delete-of-nothing-adds-no-marker",
    "operation",
    "In a bucket with versions, deleting a key that never existed leaves no delete marker (VER-010).",
)
def _delete_of_nothing(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if plain_delete(call) and call.objects.newest(call.bucket(), call.key) is None:
            return Result()
        return inner(call)

    return operation


@defect(
    "delete-marker-untold",
    "operation",
    "The answer to a delete does not say that it made or removed a delete marker (VER-009, VER-014, VER-018).",
)
def _delete_marker_untold(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation in ("DeleteObject", "DeleteObjects"):
            for one in (result.members, *result.members.get("Deleted", [])):
                one.pop("DeleteMarker", None)
                one.pop("DeleteMarkerVersionId", None)
        return result

    return operation


# What is read


@defect(
    "deleted-untold-on-404",
    "operation",
    "404 for a key whose newest version is a delete marker has no header that says so (VER-012).",
)
def _deleted_untold(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if call.operation in _READS and error.code == "NoSuchKey":
                error.headers = {}
            raise

    return operation


@defect(
    "null-version-refused",
    "operation",
    "versionId=null is refused in a bucket that never had versioning (VER-017).",
)
def _null_version_refused(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.members.get("VersionId") == "null" and not call.bucket().versioning:
            raise invalid_argument("versionId", "null", "Invalid version id specified")
        return inner(call)

    return operation


@defect(
    "unknown-version-reads-newest",
    "operation",
    "A version that is unknown reads the present object instead (VER-015).",
)
def _unknown_version_reads_newest(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if call.operation not in _READS or error.code != "NoSuchVersion":
                raise
            call.members.pop("VersionId")
            return inner(call)

    return operation
