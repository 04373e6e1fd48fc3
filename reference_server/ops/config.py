"""Configuration that is read-only here: what a bucket with default settings answers."""

from __future__ import annotations

from reference_server.call import Call, Handler, Result, check_version
from reference_server.errors import S3Error


def get_bucket_versioning(call: Call) -> Result:
    """GetBucketVersioning of a bucket where it was never set: an empty document (catalogue VER-001)."""
    call.bucket()
    return Result()


def get_bucket_acl(call: Call) -> Result:
    """GetBucketAcl: the owner has full control (catalogue POL-007)."""
    call.bucket()
    return Result(_owner_only(call))


def get_object_acl(call: Call) -> Result:
    """GetObjectAcl: the owner has full control."""
    bucket = call.bucket()
    if call.store.object(bucket, call.key) is None:
        raise S3Error("NoSuchKey", None, {"Key": call.key})
    check_version(call)
    return Result(_owner_only(call))


def _owner_only(call: Call) -> dict[str, object]:
    owner = {"ID": call.account.id}
    grant = {"Grantee": {"ID": call.account.id, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}
    return {"Owner": owner, "Grants": [grant]}


HANDLERS: dict[str, Handler] = {
    "GetBucketAcl": get_bucket_acl,
    "GetBucketVersioning": get_bucket_versioning,
    "GetObjectAcl": get_object_acl,
}
