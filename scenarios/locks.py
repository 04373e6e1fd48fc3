"""LOCK: object lock of buckets and versions, and what it forbids. What uploads may ask for: `locks_writes`."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, body, header, ok, output, output_where, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios._locked import CONTENT, after, governance, keep, locked_bucket, tomorrow, with_digest

_DENIED = refused(403, "AccessDenied")
_PERIODS = (0.5, 2.0, 8.0)
"""Least seconds that a COMPLIANCE lock lasts, tried in turn until the requests come before its end."""
_GRACE = 0.05
"""Seconds behind the end of a lock: clocks of one machine may differ by their resolution."""


def _still_there(s3: Scene, version: dict[str, str]) -> None:
    s3.expect(s3.look("GetObject", **version), ok(), body(CONTENT))


def _gone(s3: Scene, version: dict[str, str]) -> None:
    s3.expect(s3.look("GetObject", **version), refused(404))


@scenario(
    "LOCK-001",
    EXTENDED,
    "GetObjectLockConfiguration",
    source="LocalStack test_get_object_lock_configuration_exc (recorded on AWS)",
    clients=LIBRARIES,
)
def no_lock_configuration(s3: Scene) -> None:
    """GetObjectLockConfiguration of a bucket without object lock is 404 ObjectLockConfigurationNotFoundError.

    S3 promises: the error has a code of its own; a bucket created with object lock answers 200
    with ObjectLockEnabled Enabled.

    Breaks: backup programs (Veeam, restic-based tools, Kopia) ask before they rely on immutability. An empty 200, or
    501, makes them refuse the bucket or, worse, believe in a lock that is not there.

    Fix: keep the configuration with the bucket from its creation on, and answer the error where there is none.
    """
    none = refused(404, "ObjectLockConfigurationNotFoundError")
    s3.expect(s3.call("GetObjectLockConfiguration", Bucket=s3.new_bucket()), none)
    with locked_bucket(s3) as locked:
        enabled = output_where(
            "ObjectLockConfiguration",
            "ObjectLockEnabled Enabled",
            lambda shown: shown.get("ObjectLockEnabled") == "Enabled",
        )
        s3.expect(s3.call("GetObjectLockConfiguration", Bucket=locked), ok(), enabled)


@scenario(
    "LOCK-002",
    EXTENDED,
    "PutObjectRetention",
    "PutObjectLegalHold",
    source="LocalStack test_s3_object_retention_exc and test_put_object_legal_hold_exc (recorded on AWS)",
    clients=LIBRARIES,
)
def lock_needs_bucket(s3: Scene) -> None:
    """Retention and legal hold in a bucket without object lock are refused with 400 InvalidRequest.

    S3 promises: only buckets created with object lock, or given it later, keep objects. Elsewhere both requests are
    400 InvalidRequest; in a bucket with it they succeed.

    Breaks: a backup program that asks for protection must learn that it cannot be had. A gateway that answers 200
    here lets backups be deleted that everybody believes immutable.

    Fix: look at the bucket's lock configuration before accepting either document.
    """
    key, retention = s3.key(), {"Mode": "GOVERNANCE", "RetainUntilDate": tomorrow()}
    s3.put(key, CONTENT)
    requests = (
        ("PutObjectRetention", {"Retention": retention}),
        ("PutObjectLegalHold", {"LegalHold": {"Status": "ON"}}),
    )
    for operation, asked in requests:
        s3.expect(s3.call(operation, Key=key, **asked), refused(400, "InvalidRequest"))
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))
    with locked_bucket(s3) as bucket:
        version = keep(s3, bucket, key)
        for operation, asked in requests:
            s3.expect(s3.call(operation, **version, **asked), ok())
        s3.expect(s3.look("HeadObject", **version), header("x-amz-object-lock-mode", "GOVERNANCE"))


@scenario(
    "LOCK-003",
    EXTENDED,
    "GetObjectRetention",
    "GetObjectLegalHold",
    source="LocalStack test_s3_object_retention_exc and test_put_object_legal_hold_exc (recorded on AWS)",
    clients=LIBRARIES,
)
def object_without_lock(s3: Scene) -> None:
    """Retention or legal hold of an object that has none is 404 NoSuchObjectLockConfiguration.

    S3 promises: in a bucket with object lock, an object without a setting answers both questions with that code;
    once a setting was put, it is given back.

    Breaks: programs that extend retention ask first what there is, and take this code alone for "nothing". 404
    NoSuchKey would tell them that the backup is lost.

    Fix: tell a missing object from a missing setting, and do not print an empty document.
    """
    with locked_bucket(s3) as bucket:
        version, none = keep(s3, bucket, s3.key()), refused(404, "NoSuchObjectLockConfiguration")
        s3.expect(s3.call("GetObjectRetention", **version), none)
        s3.expect(s3.call("GetObjectLegalHold", **version), none)
        s3.setup("PutObjectRetention", **version, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": tomorrow()})
        s3.setup("PutObjectLegalHold", **version, LegalHold={"Status": "ON"})
        kept = output_where("Retention", "Mode GOVERNANCE", lambda shown: shown.get("Mode") == "GOVERNANCE")
        s3.expect(s3.call("GetObjectRetention", **version), ok(), kept)
        s3.expect(s3.call("GetObjectLegalHold", **version), ok(), output("LegalHold", {"Status": "ON"}))


@scenario(
    "LOCK-004",
    EXTENDED,
    "DeleteObject",
    source="LocalStack test_s3_object_retention, test_delete_locked_object and test_object_lock_delete_markers "
    "(recorded on AWS)",
    clients=LIBRARIES,
)
def protected_version(s3: Scene) -> None:
    """A version under retention or legal hold cannot be deleted by id (403); without an id a delete marker is made.

    S3 promises: DELETE with the version id of a protected version is 403 AccessDenied. Without version id nothing is
    destroyed, so it is 204 and a delete marker hides the key; the version can still be read by its id. An unprotected
    version beside it can be deleted.

    Breaks: this is what immutable backups are for. Where the lock is stored and not enforced, an attacker with the
    keys, or a faulty script, deletes them; where the plain DELETE is refused, clean-up jobs fail for ever.

    Fix: check retention and hold in the one place that removes a version, and nowhere on the way to a delete marker.
    """
    with locked_bucket(s3) as bucket:
        kept = keep(s3, bucket, s3.key("kept"), **governance())
        held = keep(s3, bucket, s3.key("held"), ObjectLockLegalHoldStatus="ON")
        free = keep(s3, bucket, s3.key("free"))
        for version in (kept, held):
            s3.expect(s3.call("DeleteObject", **version), _DENIED)
            _still_there(s3, version)
            marker = s3.call("DeleteObject", Bucket=bucket, Key=version["Key"])
            s3.expect(marker, ok(204), header("x-amz-delete-marker", "true"))
            s3.expect(s3.look("HeadObject", Bucket=bucket, Key=version["Key"]), refused(404))
            _still_there(s3, version)
        s3.expect(s3.call("DeleteObject", **free), ok(204))
        _gone(s3, free)


@scenario(
    "LOCK-005",
    EXTENDED,
    "DeleteObject",
    source="Moto test_locked_object_governance_mode and test_locked_object_compliance_mode (verified on AWS)",
    clients=LIBRARIES,
)
def bypass_governance(s3: Scene) -> None:
    """x-amz-bypass-governance-retention lets the owner delete a version under GOVERNANCE, never one under COMPLIANCE.

    S3 promises: GOVERNANCE yields to those with the permission who say so in the header. COMPLIANCE yields to nobody
    before its date; afterwards the version can be deleted like any other.

    Breaks: regulated archives depend on COMPLIANCE as the one promise that the owner cannot take back; everybody else
    needs the bypass to correct a wrong date.

    Fix: let the header count for GOVERNANCE alone, and compare the date with the server's clock at the delete.
    """
    with locked_bucket(s3) as bucket:
        kept = keep(s3, bucket, s3.key("governance"), **governance())
        s3.expect(s3.call("DeleteObject", **kept), _DENIED)
        s3.expect(s3.call("DeleteObject", **kept, BypassGovernanceRetention=True), ok(204))
        _gone(s3, kept)
        _compliance(s3, bucket)


def _compliance(s3: Scene, bucket: str) -> None:
    """COMPLIANCE holds until its date, and no longer.

    The date must be waited for, so it is the next whole second, for dates have no fractions; a later one is taken
    only where the endpoint is too slow for that.
    """
    for seconds in _PERIODS:
        until = after(seconds)
        locked = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
        target = {"Bucket": bucket, "Key": s3.key(f"compliance-{seconds:g}")}
        stored = s3.look("PutObject", **target, **with_digest(), **locked)
        version = target | {"VersionId": str(stored.output.get("VersionId", ""))}
        if stored.ok and _holds_until(s3, version, dt.datetime.fromisoformat(until).timestamp()):
            s3.expect(s3.call("DeleteObject", **version), ok(204))
            _gone(s3, version)
            return
    s3.expect(stored, ok())
    raise Inexpressible(f"the endpoint takes longer than {_PERIODS[-1]:g} s for four requests")


def _holds_until(s3: Scene, version: dict[str, str], end: float) -> bool:
    """The client cannot delete the version, in either way; False if it asked too late to tell. Returns after `end`."""
    try:
        for how in ({"BypassGovernanceRetention": True}, {}):
            answer = s3.call("DeleteObject", **version, **how)
            if time.time() >= end:
                return False
            s3.expect(answer, _DENIED)
        return True
    finally:
        s3.wait(max(0.0, end - time.time()) + _GRACE)


@scenario(
    "LOCK-008",
    EXTENDED,
    "HeadObject",
    source="LocalStack test_put_object_with_legal_hold and test_s3_object_retention (recorded on AWS)",
    clients=LIBRARIES,
)
def lock_headers(s3: Scene) -> None:
    """HEAD tells the lock of an object: mode, retain-until-date in ISO 8601, and legal hold.

    S3 promises: x-amz-object-lock-mode, x-amz-object-lock-retain-until-date and x-amz-object-lock-legal-hold are on
    HEAD and GET of an object that has them, the date as ISO 8601 in UTC.

    Breaks: backup programs verify by HEAD that what they wrote is protected, and until when; an HTTP date in place of
    ISO 8601 makes SDKs fail on the whole answer.

    Fix: print the three headers from what is stored with the version, in the format of the model (iso8601).
    """
    until = tomorrow()
    with locked_bucket(s3) as bucket:
        lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until, "ObjectLockLegalHoldStatus": "ON"}
        version = keep(s3, bucket, s3.key(), **lock)
        for operation in ("HeadObject", "GetObject"):
            answer = s3.expect(s3.call(operation, **version), ok(), header("x-amz-object-lock-mode", "GOVERNANCE"))
            s3.expect(answer, header("x-amz-object-lock-legal-hold", "ON"), _until(until))


def _until(moment: str) -> Matcher:
    """The retain-until-date is this moment in ISO 8601, with or without a fraction of a second."""

    def test(seen: Observed) -> str:
        shown = (seen.headers or {}).get("x-amz-object-lock-retain-until-date", "")
        try:
            same = dt.datetime.fromisoformat(shown) == dt.datetime.fromisoformat(moment)
        except (ValueError, TypeError):
            same = False
        return "" if same else f"x-amz-object-lock-retain-until-date was {shown!r}"

    return Matcher(f"header x-amz-object-lock-retain-until-date: {moment}", test)


@scenario(
    "LOCK-009",
    EXTENDED,
    "DeleteObject",
    source="LocalStack test_delete_object_with_no_locking (recorded on AWS)",
    clients=LIBRARIES,
)
def bypass_without_lock(s3: Scene) -> None:
    """The bypass header on a bucket without object lock is refused with 400 InvalidArgument, and the object stays.

    S3 promises: x-amz-bypass-governance-retention applies to buckets with object lock alone. Elsewhere the request is
    400 InvalidArgument and deletes nothing; without the header it deletes as usual.

    Breaks: only strict validation; a script that bypasses locks by default is told that it is at the wrong bucket.

    Fix: refuse the header before deleting when the bucket has no lock configuration.
    """
    key = s3.key()
    s3.put(key, CONTENT)
    s3.expect(s3.call("DeleteObject", Key=key, BypassGovernanceRetention=True), refused(400, "InvalidArgument"))
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))
    s3.expect(s3.call("DeleteObject", Key=key), ok(204))
    s3.expect(s3.look("GetObject", Key=key), refused(404))


@scenario(
    "LOCK-010",
    EXTENDED,
    "PutObjectLockConfiguration",
    source="LocalStack test_put_object_lock_configuration_exc (recorded on AWS)",
    clients=LIBRARIES,
)
def incomplete_lock_configuration(s3: Scene) -> None:
    """A lock configuration that lacks a part is refused with 400 MalformedXML.

    S3 promises: ObjectLockEnabled must be there; a rule needs DefaultRetention with a mode and with either days or
    years. Anything less is MalformedXML, and the default retention that was set stays.

    Breaks: whoever sets up a bucket for backups: a rule that is accepted without mode or period protects nothing.

    Fix: check the document before storing it, days and years against each other too.
    """
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    with locked_bucket(s3) as bucket:
        good = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        s3.expect(s3.call("PutObjectLockConfiguration", Bucket=bucket, ObjectLockConfiguration=good), ok())
        incomplete: tuple[dict[str, Any], ...] = (
            {},
            {"Rule": rule},
            good | {"Rule": {}},
            good | {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE"}}},
            good | {"Rule": {"DefaultRetention": {"Days": 1}}},
            good | {"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1, "Years": 1}}},
        )
        for document in incomplete:
            answer = s3.call("PutObjectLockConfiguration", Bucket=bucket, ObjectLockConfiguration=document)
            s3.expect(answer, refused(400, "MalformedXML"))
        s3.expect(s3.look("GetObjectLockConfiguration", Bucket=bucket), output("ObjectLockConfiguration", good))
