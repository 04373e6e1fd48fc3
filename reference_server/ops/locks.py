"""Retention and legal hold of object versions. Source: catalogue LOCK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server.call import Call, Handler, Result
from reference_server.codec import iso_time
from reference_server.errors import S3Error
from reference_server.ops import versions
from reference_server.ops.writes import retention_of
from reference_server.rules import lock

if TYPE_CHECKING:
    from reference_server.objects import StoredObject
    from reference_server.store import Bucket


def _locked(call: Call) -> tuple[Bucket, StoredObject]:
    """The bucket, which must have Object Lock, and the version meant (LOCK-002)."""
    bucket = call.bucket()
    lock.require_enabled("object-lock" in bucket.settings)
    return bucket, versions.found(call, bucket, versions.version_id(call))


def get_object_retention(call: Call) -> Result:
    """GetObjectRetention."""
    _, stored = _locked(call)
    kept = retention_of(stored)
    if kept is None:
        raise S3Error("NoSuchObjectLockConfiguration")
    return Result({"Retention": {"Mode": kept.mode, "RetainUntilDate": iso_time(kept.until)}})


def put_object_retention(call: Call) -> Result:
    """PutObjectRetention: shortening or removing needs the bypass, and never works for COMPLIANCE."""
    _locked(call)
    now = call.store.clock()
    asked = lock.read_retention(call.document(), now)
    bypass = bool(call.members.get("BypassGovernanceRetention"))
    with call.store.transaction():  # what another request has locked meanwhile counts
        bucket, stored = _locked(call)
        lock.check_retention_change(retention_of(stored), asked, bypass, now)
        call.objects.change(bucket, stored, Retention=asked)
    return Result()


def get_object_legal_hold(call: Call) -> Result:
    """GetObjectLegalHold."""
    _, stored = _locked(call)
    status = stored.attributes.get("LegalHold")
    if status is None:
        raise S3Error("NoSuchObjectLockConfiguration")
    return Result({"LegalHold": {"Status": status}})


def put_object_legal_hold(call: Call) -> Result:
    """PutObjectLegalHold."""
    bucket, stored = _locked(call)
    call.objects.change(bucket, stored, LegalHold=lock.read_hold(call.document()))
    return Result()


HANDLERS: dict[str, Handler] = {
    "GetObjectLegalHold": get_object_legal_hold,
    "GetObjectRetention": get_object_retention,
    "PutObjectLegalHold": put_object_legal_hold,
    "PutObjectRetention": put_object_retention,
}
