"""Object lock: what requests may ask for and what a lock forbids."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.codec import iso_time
from reference_server.errors import S3Error
from reference_server.rules import lock
from reference_server.rules.lock import Retention

NOW = calendar.timegm((2026, 3, 1, 12, 0, 0))
FUTURE, PAST = "2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
UNTIL = calendar.timegm((2030, 1, 1, 0, 0, 0))
MODE, DATE, HOLD = "ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.999Z", 0),
        ("1970-01-01T00:00:01", 1),
        (" 1970-01-01T01:00:02+01:00 ", 2),
        ("2030-01-01T00:00:00.000Z", UNTIL),
        ("", None),
        ("soon", None),
        ("Fri, 01 Jan 2016 00:00:00 GMT", None),
        ("2030-13-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+00:00", -62135596800),
    ],
)
def test_times_are_iso_8601(text: str, expected: int | None) -> None:
    assert lock.parse_time(text) == expected


@given(st.integers(0, 253402300799))
def test_a_time_written_is_read_again(seconds: int) -> None:
    assert lock.parse_time(iso_time(seconds)) == seconds


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, None),
        ({HOLD: "ON"}, None),
        ({HOLD: "OFF"}, None),
        ({MODE: "GOVERNANCE", DATE: FUTURE}, Retention("GOVERNANCE", UNTIL)),
        ({MODE: "COMPLIANCE", DATE: FUTURE, HOLD: "ON"}, Retention("COMPLIANCE", UNTIL)),
    ],
)
def test_a_write_may_ask_for_a_lock(members: dict[str, str], expected: Retention | None) -> None:
    assert lock.check_request(members, True, True, NOW) == expected


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({MODE: "GOVERNANCE"}, "x-amz-object-lock-retain-until-date"),
        ({MODE: "BAD-VALUE"}, "x-amz-object-lock-retain-until-date"),
        ({DATE: FUTURE}, "x-amz-object-lock-mode"),
        ({MODE: "BAD-VALUE", DATE: FUTURE}, "x-amz-object-lock-mode"),
        ({MODE: "GOVERNANCE", DATE: PAST}, "x-amz-object-lock-retain-until-date"),
        ({MODE: "GOVERNANCE", DATE: iso_time(NOW)}, "x-amz-object-lock-retain-until-date"),
        ({MODE: "GOVERNANCE", DATE: "tomorrow"}, "x-amz-object-lock-retain-until-date"),
        ({HOLD: "on"}, "x-amz-object-lock-legal-hold"),
    ],
)
def test_lock_headers_that_cannot_be_are_named(members: dict[str, str], name: str) -> None:
    with pytest.raises(S3Error) as caught:
        lock.check_request(members, True, True, NOW)
    assert (caught.value.status, caught.value.code) == (400, "InvalidArgument")
    assert caught.value.elements["ArgumentName"] == name


@pytest.mark.parametrize(
    ("enabled", "has_digest", "part"), [(False, True, "missing Object Lock"), (True, False, "Content-MD5")]
)
@pytest.mark.parametrize("members", [{HOLD: "ON"}, {MODE: "GOVERNANCE", DATE: FUTURE}])
def test_a_lock_needs_a_bucket_with_lock_and_a_digest(
    members: dict[str, str], enabled: bool, has_digest: bool, part: str
) -> None:
    with pytest.raises(S3Error) as caught:
        lock.check_request(members, enabled, has_digest, NOW)
    assert (caught.value.status, caught.value.code) == (400, "InvalidRequest")
    assert part in caught.value.message


def test_a_write_without_lock_headers_needs_neither() -> None:
    assert lock.check_request({}, False, False, NOW) is None


def test_the_bypass_header_needs_a_bucket_with_lock() -> None:
    lock.check_bypass(None, False)
    lock.check_bypass(True, True)
    with pytest.raises(S3Error) as caught:
        lock.check_bypass(False, False)
    assert caught.value.code == "InvalidArgument"
    assert caught.value.elements == {"ArgumentName": "x-amz-bypass-governance-retention"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"Mode": "GOVERNANCE"}, "MalformedXML"),
        ({"RetainUntilDate": FUTURE}, "MalformedXML"),
        ({"Mode": "BAD-VALUE", "RetainUntilDate": FUTURE}, "MalformedXML"),
        ({"Mode": "GOVERNANCE", "RetainUntilDate": "later"}, "MalformedXML"),
        ({"Mode": "GOVERNANCE", "RetainUntilDate": PAST}, "InvalidArgument"),
        ({"Mode": "GOVERNANCE", "RetainUntilDate": iso_time(NOW)}, "InvalidArgument"),
    ],
)
def test_a_retention_document_has_both_parts(document: dict[str, str], code: str) -> None:
    with pytest.raises(S3Error) as caught:
        lock.read_retention(document, NOW)
    assert caught.value.code == code


def test_retention_and_hold_documents_are_read() -> None:
    document = {"Mode": "COMPLIANCE", "RetainUntilDate": FUTURE}
    assert lock.read_retention(document, NOW) == Retention("COMPLIANCE", UNTIL)
    assert lock.read_retention({}, NOW) is None
    assert [lock.read_hold({"Status": status}) for status in ("ON", "OFF")] == ["ON", "OFF"]


@pytest.mark.parametrize("document", [{}, {"Status": ""}, {"Status": "on"}])
def test_a_hold_document_says_on_or_off(document: dict[str, str]) -> None:
    with pytest.raises(S3Error) as caught:
        lock.read_hold(document)
    assert caught.value.code == "MalformedXML"


def default(**members: Any) -> dict[str, Any]:
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": members}}


@pytest.mark.parametrize(
    "document",
    [
        {"ObjectLockEnabled": "Enabled"},
        default(Mode="GOVERNANCE", Days=1),
        default(Mode="COMPLIANCE", Years=100),
        default(Mode="COMPLIANCE", Days=36500),
    ],
)
def test_a_valid_lock_configuration_passes(document: dict[str, Any]) -> None:
    lock.check_configuration(document)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({}, "MalformedXML"),
        ({"ObjectLockEnabled": "Disabled"}, "MalformedXML"),
        ({"Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}, "MalformedXML"),
        ({"ObjectLockEnabled": "Enabled", "Rule": {}}, "MalformedXML"),
        (default(), "MalformedXML"),
        (default(Mode="GOVERNANCE"), "MalformedXML"),
        (default(Days=1), "MalformedXML"),
        (default(Mode="governance", Days=1), "MalformedXML"),
        (default(Mode="GOVERNANCE", Days=1, Years=1), "MalformedXML"),
        (default(Mode="GOVERNANCE", Days=0), "InvalidArgument"),
        (default(Mode="GOVERNANCE", Years=-1), "InvalidArgument"),
        (default(Mode="GOVERNANCE", Days=36501), "InvalidArgument"),
        (default(Mode="GOVERNANCE", Years=101), "InvalidArgument"),
    ],
)
def test_an_invalid_lock_configuration_is_refused(document: dict[str, Any], code: str) -> None:
    with pytest.raises(S3Error) as caught:
        lock.check_configuration(document)
    assert (caught.value.status, caught.value.code) == (400, code)


@pytest.mark.parametrize(
    ("configuration", "now", "expected"),
    [
        (None, "2026-03-01T12:00:00Z", None),
        ({"ObjectLockEnabled": "Enabled"}, "2026-03-01T12:00:00Z", None),
        (default(Mode="GOVERNANCE", Days=1), "2026-02-28T12:00:00Z", ("GOVERNANCE", "2026-03-01T12:00:00Z")),
        (default(Mode="COMPLIANCE", Years=2), "2026-03-01T12:00:00Z", ("COMPLIANCE", "2028-03-01T12:00:00Z")),
        (default(Mode="GOVERNANCE", Years=1), "2028-02-29T12:00:00Z", ("GOVERNANCE", "2029-03-01T12:00:00Z")),
        (default(Mode="GOVERNANCE", Years=4), "2028-02-29T12:00:00Z", ("GOVERNANCE", "2032-02-29T12:00:00Z")),
    ],
)
def test_a_default_retention_counts_from_now(
    configuration: dict[str, Any] | None, now: str, expected: tuple[str, str] | None
) -> None:
    seconds = datetime.fromisoformat(now).timestamp() + 0.5
    found = lock.default_retention(configuration, seconds)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert (found.mode, datetime.fromtimestamp(found.until, UTC)) == (
            expected[0],
            datetime.fromisoformat(expected[1]),
        )


@pytest.mark.parametrize(
    ("mode", "until", "hold", "bypass", "expected"),
    [
        (None, None, None, False, True),
        (None, None, "OFF", False, True),
        (None, None, "ON", False, False),
        (None, None, "ON", True, False),
        ("GOVERNANCE", NOW + 1, None, False, False),
        ("GOVERNANCE", NOW + 1, None, True, True),
        ("GOVERNANCE", NOW + 1, "ON", True, False),
        ("GOVERNANCE", NOW, None, False, True),
        ("COMPLIANCE", NOW + 1, None, True, False),
        ("COMPLIANCE", NOW - 1, None, False, True),
        ("COMPLIANCE", NOW - 1, "ON", False, False),
    ],
)
def test_who_may_delete_a_version(
    mode: str | None, until: int | None, hold: str | None, bypass: bool, expected: bool
) -> None:
    assert lock.may_delete(mode, until, hold, bypass, NOW) is expected


GOVERNED, COMPLIANT = Retention("GOVERNANCE", NOW + 100), Retention("COMPLIANCE", NOW + 100)


@pytest.mark.parametrize(
    ("old", "new", "allowed", "allowed_with_bypass"),
    [
        (None, COMPLIANT, True, True),
        (Retention("COMPLIANCE", NOW), None, True, True),
        (GOVERNED, Retention("GOVERNANCE", NOW + 100), True, True),
        (GOVERNED, Retention("GOVERNANCE", NOW + 200), True, True),
        (GOVERNED, Retention("GOVERNANCE", NOW + 50), False, True),
        (GOVERNED, COMPLIANT, False, True),
        (GOVERNED, None, False, True),
        (COMPLIANT, Retention("COMPLIANCE", NOW + 200), True, True),
        (COMPLIANT, Retention("COMPLIANCE", NOW + 99), False, False),
        (COMPLIANT, Retention("GOVERNANCE", NOW + 200), False, False),
        (COMPLIANT, None, False, False),
    ],
)
def test_a_retention_in_force_is_weakened_only_by_bypassing_governance(
    old: Retention | None, new: Retention | None, allowed: bool, allowed_with_bypass: bool
) -> None:
    for bypass, expected in ((False, allowed), (True, allowed_with_bypass)):
        if expected:
            lock.check_retention_change(old, new, bypass, NOW)
        else:
            with pytest.raises(S3Error) as caught:
                lock.check_retention_change(old, new, bypass, NOW)
            assert (caught.value.status, caught.value.code) == (403, "AccessDenied")


def test_reads_tell_lock_and_hold() -> None:
    assert lock.header_members(None, None) == {}
    assert lock.header_members(Retention("GOVERNANCE", UNTIL), "OFF") == {
        MODE: "GOVERNANCE",
        DATE: "2030-01-01T00:00:00.000Z",
        HOLD: "OFF",
    }
