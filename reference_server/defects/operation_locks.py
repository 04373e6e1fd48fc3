"""Defects of object lock: kept and not enforced, lifted by whoever asks, or lost without a word."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.call import Call, Result
from reference_server.defects.editing import calls, dropping
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.ops.writes import retention_of
from reference_server.rules.lock import parse_time

Operation = Callable[[Call], Result]

_HEADERS = ("ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus")


def _lifting(meant: Callable[[Call], bool]) -> Wrap:
    """Such deletes of a version lift its retention first."""

    def lift(call: Call) -> None:
        bucket, version = call.store.bucket(call.request.bucket or ""), call.members.get("VersionId")
        if version and bucket is not None and meant(call):
            stored = call.objects.get(bucket, call.key, version)
            if stored is not None and not stored.marker and retention_of(stored) is not None:
                call.objects.change(bucket, stored, Retention=None)

    return calls({"DeleteObject"}, lift)


family(
    "operation",
    _lifting,
    {
        "compliance-bypassed": row(
            "The bypass for GOVERNANCE also lets a version under COMPLIANCE be deleted (LOCK-005).",
            lambda call: bool(call.members.get("BypassGovernanceRetention")),
        ),
        "retention-not-enforced": row(
            "Retention is stored and shown, and a version under it is deleted all the same (LOCK-004).",
            lambda _: True,
        ),
    },
)


def _faulty(call: Call) -> bool:
    """Whether the lock of an upload is half, over already, or without a digest."""
    mode, date = call.members.get("ObjectLockMode"), call.members.get("ObjectLockRetainUntilDate")
    digest = any(name.startswith(("content-md5", "x-amz-checksum-", "x-amz-trailer")) for name in call.request.headers)
    over = date is not None and (parse_time(date) or 0) <= call.store.clock()
    return (mode is None) != (date is None) or over or not digest


@defect(
    "faulty-locks-dropped",
    "operation",
    "An upload whose lock is at fault is stored without one, as by Moto (LOCK-006, LOCK-007, LOCK-011).",
)
def _faulty_locks_dropped(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation == "PutObject" and _faulty(call):
            dropping(*_HEADERS)(call.members)
        return inner(call)

    return operation


@defect(
    "locks-without-bucket-lock",
    "operation",
    "Retention, legal hold and bypass are accepted in a bucket without object lock, and do nothing, as in Moto "
    "(LOCK-002, LOCK-009).",
)
def _locks_without_bucket_lock(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        bucket = call.store.bucket(call.request.bucket or "")
        if bucket is not None and "object-lock" not in bucket.settings:
            if call.operation in ("PutObjectRetention", "PutObjectLegalHold"):
                return Result()
            call.members.pop("BypassGovernanceRetention", None)
        return inner(call)

    return operation
