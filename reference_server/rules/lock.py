"""Object lock: retention, legal hold, and what they forbid.

Times are seconds since the epoch; documents and headers carry them in ISO 8601.
Sources: Amazon S3 User Guide, "Locking objects with Object Lock"; catalogue LOCK.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from reference_server.codec import iso_time
from reference_server.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Mapping

MODES = ("GOVERNANCE", "COMPLIANCE")
HOLDS = ("ON", "OFF")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86400
_MAX_PERIOD = {"Days": 36500, "Years": 100}
_DATE_HEADER = "x-amz-object-lock-retain-until-date"
_MODE_HEADER = "x-amz-object-lock-mode"
_HOLD_HEADER = "x-amz-object-lock-legal-hold"
_BYPASS_HEADER = "x-amz-bypass-governance-retention"
_PAST = "The retain until date must be in the future!"


class Retention(NamedTuple):
    """How an object version is retained: GOVERNANCE or COMPLIANCE, until when."""

    mode: str
    until: int


def parse_time(text: str) -> int | None:
    """Seconds of an ISO 8601 time, in UTC if it names no zone; None for what is none."""
    try:
        parsed = datetime.fromisoformat(text.strip())
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return (aware - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None


def require_enabled(enabled: bool) -> None:
    """Refuse lock operations on a bucket without object lock (catalogue LOCK-002).

    Raises:
        S3Error: InvalidRequest.
    """
    if not enabled:
        raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")


def check_bypass(asked: bool | None, enabled: bool) -> None:
    """Refuse the bypass header on a bucket without object lock (catalogue LOCK-009).

    Raises:
        S3Error: InvalidArgument.
    """
    if asked is not None and not enabled:
        message = f"{_BYPASS_HEADER} is only applicable to Object Lock enabled buckets."
        raise S3Error("InvalidArgument", message, {"ArgumentName": _BYPASS_HEADER})


def check_request(members: Mapping[str, Any], lock_enabled: bool, has_digest: bool, now: float) -> Retention | None:
    """What the lock headers of a write ask for (catalogue LOCK-002, LOCK-006, LOCK-007, LOCK-011).

    Args:
        members: input with ObjectLockMode, ObjectLockRetainUntilDate, ObjectLockLegalHoldStatus.
        lock_enabled: whether the bucket has object lock.
        has_digest: whether the request has Content-MD5 or a checksum; true for operations without a body.
        now: the time of the request.

    Returns:
        The retention asked for, if any.

    Raises:
        S3Error: InvalidRequest or InvalidArgument.
    """
    mode, date = members.get("ObjectLockMode"), members.get("ObjectLockRetainUntilDate")
    hold = members.get("ObjectLockLegalHoldStatus")
    if mode is None and date is None and hold is None:
        return None
    require_enabled(lock_enabled)
    if not has_digest:
        message = (
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        )
        raise S3Error("InvalidRequest", message)
    if hold is not None and hold not in HOLDS:
        raise invalid_argument(_HOLD_HEADER, hold, "Legal Hold must be either of 'ON' or 'OFF'")
    return _asked_retention(mode, date, now)


def _asked_retention(mode: str | None, date: str | None, now: float) -> Retention | None:
    if mode is None and date is None:
        return None
    if mode is None or date is None:
        message = f"{_DATE_HEADER} and {_MODE_HEADER} must both be supplied"
        raise S3Error("InvalidArgument", message, {"ArgumentName": _MODE_HEADER if mode is None else _DATE_HEADER})
    if mode not in MODES:
        raise invalid_argument(_MODE_HEADER, mode, "Unknown wormMode directive.")
    until = parse_time(date)
    if until is None:
        message = "The retain until date must be provided in ISO 8601 format"
        raise invalid_argument(_DATE_HEADER, date, message)
    if until <= now:
        raise invalid_argument(_DATE_HEADER, date, _PAST)
    return Retention(mode, until)


def read_retention(document: Mapping[str, Any], now: float) -> Retention | None:
    """The retention of a PutObjectRetention document; None for an empty one, which asks to remove it.

    Raises:
        S3Error: MalformedXML for a document that misses a part or has an unknown mode, InvalidArgument for a
            time that has passed.
    """
    mode, date = document.get("Mode"), document.get("RetainUntilDate")
    if mode is None and date is None:
        return None
    until = None if date is None else parse_time(date)
    if mode not in MODES or until is None:
        raise S3Error("MalformedXML")
    if until <= now:
        raise invalid_argument("RetainUntilDate", str(date), _PAST)
    return Retention(mode, until)


def read_hold(document: Mapping[str, Any]) -> str:
    """The status of a PutObjectLegalHold document, ON or OFF.

    Raises:
        S3Error: MalformedXML.
    """
    status = document.get("Status")
    if status not in HOLDS:
        raise S3Error("MalformedXML")
    return str(status)


def check_configuration(document: Mapping[str, Any]) -> None:
    """Refuse a document that PutObjectLockConfiguration refuses (catalogue LOCK-010).

    Raises:
        S3Error: MalformedXML for missing or clashing parts, InvalidArgument for a period out of range.
    """
    if document.get("ObjectLockEnabled") != "Enabled":
        raise S3Error("MalformedXML")
    if "Rule" not in document:
        return
    default = document["Rule"].get("DefaultRetention") or {}
    periods = [unit for unit in _MAX_PERIOD if default.get(unit) is not None]
    if default.get("Mode") not in MODES or len(periods) != 1:
        raise S3Error("MalformedXML")
    unit = periods[0]
    if default[unit] < 1:
        message = "Default retention period must be a positive integer value."
        raise invalid_argument(unit, str(default[unit]), message)
    if default[unit] > _MAX_PERIOD[unit]:
        raise invalid_argument(unit, str(default[unit]), "Default retention period too large.")


def default_retention(configuration: Mapping[str, Any] | None, now: float) -> Retention | None:
    """The retention that a bucket gives to a version written now without one of its own."""
    default = ((configuration or {}).get("Rule") or {}).get("DefaultRetention")
    if not default:
        return None
    if default.get("Days") is not None:
        return Retention(default["Mode"], int(now) + default["Days"] * _DAY)
    start = datetime.fromtimestamp(int(now), UTC)
    year = start.year + default["Years"]
    try:
        end = start.replace(year=year)
    except ValueError:  # 29 February: a year ends when 28 February is over
        end = start.replace(year=year, month=3, day=1)
    return Retention(default["Mode"], int(end.timestamp()))


def may_delete(mode: str | None, until: int | None, hold: str | None, bypass: bool, now: float) -> bool:
    """Whether a version may be deleted for good (catalogue LOCK-004, LOCK-005).

    Args:
        mode: of its retention, if it has one.
        until: when that ends.
        hold: its legal hold, ON, OFF or None; no bypass lifts it.
        bypass: whether an owner asked to bypass governance.
        now: the time of the request.
    """
    if hold == "ON":
        return False
    if until is None or until <= now:
        return True
    return mode == "GOVERNANCE" and bypass


def check_retention_change(old: Retention | None, new: Retention | None, bypass: bool, now: float) -> None:
    """Refuse to weaken a retention that is in force: longer in its own mode is always allowed.

    Args:
        old: the retention that the version has.
        new: the one to replace it; None to remove it.
        bypass: whether an owner asked to bypass governance; COMPLIANCE knows no bypass.
        now: the time of the request.

    Raises:
        S3Error: AccessDenied.
    """
    if old is None or may_delete(old.mode, old.until, None, bypass, now):
        return
    if new is None or new.mode != old.mode or new.until < old.until:
        raise locked()


def locked() -> S3Error:
    """403 AccessDenied, for a change that object lock forbids."""
    return S3Error("AccessDenied", "Access Denied because object protected by object lock.")


def header_members(retention: Retention | None, hold: str | None) -> dict[str, str]:
    """Members of GetObject and HeadObject outputs; the date is text, in ISO 8601 (catalogue LOCK-008)."""
    members: dict[str, str] = {}
    if retention is not None:
        members["ObjectLockMode"] = retention.mode
        members["ObjectLockRetainUntilDate"] = iso_time(retention.until)
    if hold is not None:
        members["ObjectLockLegalHoldStatus"] = hold
    return members
