"""Object lock: catalogue family LOCK."""

from __future__ import annotations

import calendar
import time
from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.histories import history, mark, put
from tests.reference_server.catalogue.steps import (
    Upload,
    checksum,
    fields,
    md5_header,
    put_document,
    refusal,
    tree,
    version,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Raw, Reply, Running

    Serve = Callable[..., Iterator[Running]]

DAY = 86_400
DATA = b"data"
BYPASS = {"x-amz-bypass-governance-retention": "true"}
MODE, UNTIL, HOLD = (f"x-amz-object-lock-{name}" for name in ("mode", "retain-until-date", "legal-hold"))


def date(seconds: float) -> str:
    """So many seconds from now, as documents and headers carry it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def retention(mode: str, seconds: float) -> str:
    """The document of PutObjectRetention."""
    return f"<Retention><Mode>{mode}</Mode><RetainUntilDate>{date(seconds)}</RetainUntilDate></Retention>"


def retain(raw: Raw, target: str, document: str, headers: dict[str, str] | None = None) -> Reply:
    """PutObjectRetention; `target` is the path, with a version if one is meant."""
    joint = "&" if "?" in target else "?"
    return raw(
        "PUT", f"{target}{joint}retention", document.encode(), {**md5_header(document.encode()), **(headers or {})}
    )


def hold(raw: Raw, path: str, status: str) -> Reply:
    """PutObjectLegalHold."""
    return put_document(raw, f"{path}?legal-hold", f"<LegalHold><Status>{status}</Status></LegalHold>")


def write(raw: Raw, path: str, headers: dict[str, str]) -> Reply:
    """PutObject with lock headers and the digest that they demand."""
    return raw("PUT", path, DATA, {**md5_header(DATA), **headers})


def governed(seconds: float = DAY, mode: str = "GOVERNANCE") -> dict[str, str]:
    """The headers of a write that retains its version."""
    return {MODE: mode, UNTIL: date(seconds)}


@pytest.fixture
def locked(raw: Raw, bucket: str) -> str:
    """A bucket with object lock."""
    name = f"{bucket}-locked"
    assert raw("PUT", f"/{name}", headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 200
    return name


@pytest.fixture
def path(locked: str) -> str:
    return f"/{locked}/k"


class Clock:
    """A time of its own for a server."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def later(serve: Serve) -> Iterator[tuple[Running, Clock]]:
    """A server whose clock can be put forward. Requests are signed with the true time, within its tolerance."""
    clock = Clock()
    for running in serve(clock=clock):
        yield running, clock


# Configuration


@pytest.mark.catalogue("LOCK-001")
def test_a_bucket_without_lock_has_no_configuration(raw: Raw, bucket: str, locked: str) -> None:
    """One created with it has, though without any rule."""
    found = refusal(raw("GET", f"/{bucket}?object-lock"), "BucketName")
    assert found == (404, "ObjectLockConfigurationNotFoundError", bucket)
    reply = raw("GET", f"/{locked}?object-lock")
    assert (reply.status, fields(tree(reply))) == (200, {"ObjectLockEnabled": "Enabled"})


RULE = "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode>{}</DefaultRetention></Rule>"
ENABLED = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"


@pytest.mark.catalogue("LOCK-010")
@pytest.mark.parametrize(
    "inside",
    [
        "",
        RULE.format("<Days>1</Days>"),
        f"{ENABLED}<Rule></Rule>",
        f"{ENABLED}<Rule><DefaultRetention></DefaultRetention></Rule>",
        ENABLED + RULE.format(""),
        ENABLED + RULE.format("<Days>1</Days><Years>1</Years>"),
        f"{ENABLED}<Rule><DefaultRetention><Days>1</Days></DefaultRetention></Rule>",
        "<ObjectLockEnabled>enabled</ObjectLockEnabled>",
    ],
)
def test_a_configuration_lacks_no_part(raw: Raw, locked: str, inside: str) -> None:
    """Neither the switch, nor the mode of a rule, nor exactly one period."""
    target = f"/{locked}?object-lock"
    kept = f"<ObjectLockConfiguration>{ENABLED}{RULE.format('<Days>1</Days>')}</ObjectLockConfiguration>"
    assert put_document(raw, target, kept).status == 200
    found = put_document(raw, target, f"<ObjectLockConfiguration>{inside}</ObjectLockConfiguration>")
    assert refusal(found) == (400, "MalformedXML")
    assert raw("GET", target).element("Days") == "1"


def test_locks_need_versions(raw: Raw, bucket: str) -> None:
    """A bucket gets its locks later only while it keeps versions. Source: recorded."""
    target, document = f"/{bucket}?object-lock", f"<ObjectLockConfiguration>{ENABLED}</ObjectLockConfiguration>"
    assert refusal(put_document(raw, target, document)) == (409, "InvalidBucketState")
    version(raw, bucket, "Suspended")
    assert refusal(put_document(raw, target, document)) == (409, "InvalidBucketState")
    version(raw, bucket)
    assert put_document(raw, target, document).status == 200
    assert write(raw, f"/{bucket}/k", governed()).status == 200


# Buckets and objects without locks


@pytest.mark.catalogue("LOCK-002")
def test_a_bucket_without_lock_cannot_lock_objects(raw: Raw, bucket: str) -> None:
    """By no operation and no header; reading locks is refused in the same way."""
    version(raw, bucket)
    path = f"/{bucket}/k"
    put(raw, path)
    replies = [
        retain(raw, path, retention("GOVERNANCE", DAY)),
        hold(raw, path, "ON"),
        raw("GET", f"{path}?retention"),
        raw("GET", f"{path}?legal-hold"),
        write(raw, path, governed()),
        write(raw, path, {HOLD: "ON"}),
        raw("POST", f"{path}?uploads", headers=governed()),
        raw("PUT", path, headers={"x-amz-copy-source": path, "x-amz-metadata-directive": "REPLACE", **governed()}),
    ]
    assert [refusal(reply) for reply in replies] == [(400, "InvalidRequest")] * len(replies)
    assert len(history(raw, bucket)) == 1


@pytest.mark.catalogue("LOCK-003")
def test_an_object_without_lock_has_nothing_to_show(raw: Raw, path: str) -> None:
    """Neither of the two shows for the other, and a missing key is another error."""
    put(raw, path)
    missing = (404, "NoSuchObjectLockConfiguration")
    assert refusal(raw("GET", f"{path}?retention")) == missing
    assert refusal(raw("GET", f"{path}?legal-hold")) == missing
    assert hold(raw, path, "OFF").status == 200
    assert refusal(raw("GET", f"{path}?retention")) == missing
    assert raw("GET", f"{path}?legal-hold").element("Status") == "OFF"
    for name in ("retention", "legal-hold"):
        assert refusal(raw("GET", f"{path}-never?{name}"), "Key") == (404, "NoSuchKey", "k-never")


# Deleting


@pytest.mark.catalogue("LOCK-004")
@pytest.mark.parametrize("lock", ["GOVERNANCE", "COMPLIANCE", "hold"])
def test_a_protected_version_stays(raw: Raw, locked: str, path: str, lock: str) -> None:
    """It can be covered by a marker, and the marker deleted; the version itself stays where it is."""
    headers = {HOLD: "ON"} if lock == "hold" else governed(mode=lock)
    kept = write(raw, path, headers).headers["x-amz-version-id"]
    target = f"{path}?versionId={kept}"
    assert refusal(raw("DELETE", target)) == (403, "AccessDenied")
    marker = mark(raw, path)
    assert refusal(raw("DELETE", target)) == (403, "AccessDenied")
    assert raw("DELETE", f"{path}?versionId={marker}").status == 204
    assert raw("GET", path).body == DATA
    body = f"<Delete><Object><Key>k</Key><VersionId>{kept}</VersionId></Object></Delete>".encode()
    (error,) = [
        fields(each) for each in tree(raw("POST", f"/{locked}?delete", body, md5_header(body))).findall("Error")
    ]
    assert (error["Code"], error["Key"], error["VersionId"]) == ("AccessDenied", "k", kept)
    newer = put(raw, path, b"newer")
    assert [entry.id for entry in history(raw, locked)] == [newer, kept]
    assert refusal(raw("DELETE", f"/{locked}")) == (409, "BucketNotEmpty")


@pytest.mark.catalogue("LOCK-005")
def test_the_owner_can_bypass_governance_only(raw: Raw, locked: str, path: str) -> None:
    """With the header; not for COMPLIANCE, and not for a legal hold, whatever else is on the version."""
    strict = write(raw, path, governed(mode="COMPLIANCE")).headers["x-amz-version-id"]
    held = write(raw, path, {HOLD: "ON", **governed()}).headers["x-amz-version-id"]
    mild = write(raw, path, governed()).headers["x-amz-version-id"]
    many = write(raw, path, governed()).headers["x-amz-version-id"]
    for version_id in (strict, held):
        assert refusal(raw("DELETE", f"{path}?versionId={version_id}", headers=BYPASS)) == (403, "AccessDenied")
    not_really = {"x-amz-bypass-governance-retention": "false"}
    assert refusal(raw("DELETE", f"{path}?versionId={mild}", headers=not_really)) == (403, "AccessDenied")
    assert raw("DELETE", f"{path}?versionId={mild}", headers=BYPASS).status == 204
    body = f"<Delete><Object><Key>k</Key><VersionId>{many}</VersionId></Object></Delete>".encode()
    assert raw("POST", f"/{locked}?delete", body, {**md5_header(body), **BYPASS}).element("VersionId") == many
    assert [entry.id for entry in history(raw, locked)] == [held, strict]
    assert hold(raw, f"{path}", "OFF").status == 200
    assert raw("DELETE", f"{path}?versionId={held}", headers=BYPASS).status == 204


@pytest.mark.catalogue("LOCK-005")
@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_retention_ends(later: tuple[Running, Clock], mode: str) -> None:
    """From that second on the version is as free as any."""
    running, clock = later
    raw, path = running.raw(), "/ends/k"
    assert raw("PUT", "/ends", headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 200
    kept = write(raw, path, governed(120, mode)).headers["x-amz-version-id"]
    clock.ahead = 110
    assert refusal(raw("DELETE", f"{path}?versionId={kept}")) == (403, "AccessDenied")
    clock.ahead = 121
    assert raw("DELETE", f"{path}?versionId={kept}").status == 204
    assert history(raw, "ends") == []


@pytest.mark.catalogue("LOCK-009")
@pytest.mark.parametrize("value", ["true", "false"])
def test_there_is_nothing_to_bypass_without_lock(raw: Raw, bucket: str, value: str) -> None:
    """The header is refused wherever it is sent, even if it says no."""
    put(raw, f"/{bucket}/k")
    headers = {"x-amz-bypass-governance-retention": value}
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    for reply in (
        raw("DELETE", f"/{bucket}/k", headers=headers),
        raw("POST", f"/{bucket}?delete", body, {**md5_header(body), **headers}),
    ):
        found = refusal(reply, "ArgumentName")
        assert found == (400, "InvalidArgument", "x-amz-bypass-governance-retention")
    assert raw("HEAD", f"/{bucket}/k").status == 200


# Headers of a write


@pytest.mark.catalogue("LOCK-006")
@pytest.mark.parametrize("sent", [MODE, UNTIL])
def test_mode_and_date_come_together(raw: Raw, path: str, sent: str) -> None:
    """Either alone is a mistake of the request, which stores nothing."""
    both = governed()
    (other,) = both.keys() - {sent}
    assert refusal(write(raw, path, {sent: both[sent]}), "ArgumentName") == (400, "InvalidArgument", other)
    assert raw("HEAD", path).status == 404


@pytest.mark.catalogue("LOCK-006")
@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({MODE: "governance", UNTIL: date(DAY)}, MODE),
        ({MODE: "GOVERNANCE", UNTIL: "tomorrow"}, UNTIL),
        ({HOLD: "YES"}, HOLD),
    ],
)
def test_lock_headers_are_exact(raw: Raw, path: str, headers: dict[str, str], name: str) -> None:
    """Two modes, two states of a hold, one form of a date."""
    assert refusal(write(raw, path, headers), "ArgumentName") == (400, "InvalidArgument", name)
    assert raw("HEAD", path).status == 404


@pytest.mark.catalogue("LOCK-007")
@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_nothing_is_retained_until_the_past(raw: Raw, path: str, mode: str) -> None:
    """It would protect nothing; the object is not stored without protection instead."""
    for when in (date(-1), date(-DAY), "1970-01-01T00:00:00Z"):
        found = refusal(write(raw, path, {MODE: mode, UNTIL: when}), "ArgumentName")
        assert found == (400, "InvalidArgument", UNTIL), when
    assert raw("HEAD", path).status == 404


@pytest.mark.catalogue("LOCK-008")
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_locks_show_on_reading(raw: Raw, path: str, method: str) -> None:
    """The date is ISO 8601 as in documents, not a date of HTTP; without locks there are no such headers."""
    until = date(DAY)
    write(raw, path, {MODE: "GOVERNANCE", UNTIL: until, HOLD: "ON"})
    headers = raw(method, path).headers
    assert {name: headers[name] for name in (MODE, HOLD)} == {MODE: "GOVERNANCE", HOLD: "ON"}
    assert headers[UNTIL].removesuffix("Z").removesuffix(".000") == until.removesuffix("Z")
    hold(raw, path, "OFF")
    assert raw(method, path).headers[HOLD] == "OFF"
    put(raw, path)
    assert not {MODE, UNTIL, HOLD} & raw(method, path).headers.keys()


@pytest.mark.catalogue("LOCK-011")
@pytest.mark.parametrize("headers", [{HOLD: "ON"}, governed()], ids=["hold", "retention"])
def test_a_lock_needs_a_digest(raw: Raw, path: str, headers: dict[str, str]) -> None:
    """What cannot be deleted must be what was meant: Content-MD5 or a checksum, otherwise nothing is stored."""
    assert refusal(raw("PUT", path, DATA, headers)) == (400, "InvalidRequest")
    assert raw("HEAD", path).status == 404
    assert raw("PUT", path, DATA, {**headers, "x-amz-checksum-crc32": checksum("crc32", DATA)}).status == 200
    assert write(raw, path, headers).status == 200


# Changing a lock


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_a_retention_can_be_longer_but_not_weaker(raw: Raw, path: str, mode: str) -> None:
    """Neither earlier, nor gone, nor milder; only governance can be bypassed. Source: User Guide, Object Lock."""
    write(raw, path, governed(2 * DAY, mode))
    weaker = [retention(mode, DAY), "<Retention/>"]
    weaker += [retention("GOVERNANCE", 3 * DAY)] if mode == "COMPLIANCE" else []
    for document in weaker:
        assert refusal(retain(raw, path, document)) == (403, "AccessDenied"), document
    assert retain(raw, path, retention(mode, 3 * DAY)).status == 200
    expected = (200, "") if mode == "GOVERNANCE" else (403, "AccessDenied")
    for document in weaker:
        assert refusal(retain(raw, path, document, BYPASS)) == expected, document
    found = raw("GET", f"{path}?retention")
    assert found.element("Mode") == ("" if mode == "GOVERNANCE" else mode)


def test_each_version_has_its_own_lock(raw: Raw, path: str) -> None:
    """What is set on an older version does not show on the newest, nor the other way round. Source: recorded."""
    old, new = put(raw, path, b"old"), put(raw, path, b"new")
    assert retain(raw, f"{path}?versionId={old}", retention("GOVERNANCE", DAY)).status == 200
    assert (
        put_document(raw, f"{path}?legal-hold&versionId={new}", "<LegalHold><Status>ON</Status></LegalHold>").status
        == 200
    )
    shown = {each: raw("HEAD", f"{path}?versionId={each}").headers.keys() & {MODE, HOLD} for each in (old, new)}
    assert shown == {old: {MODE}, new: {HOLD}}
    assert raw("GET", f"{path}?retention&versionId={old}").element("Mode") == "GOVERNANCE"
    assert raw("GET", f"{path}?retention").code == "NoSuchObjectLockConfiguration"


@pytest.mark.parametrize("name", ["retention", "legal-hold"])
def test_a_delete_marker_cannot_be_locked(raw: Raw, locked: str, path: str, name: str) -> None:
    """There is nothing to protect; the marker itself can be deleted at any time. Source: recorded."""
    put(raw, path)
    marker = mark(raw, path)
    document = retention("GOVERNANCE", DAY) if name == "retention" else "<LegalHold><Status>ON</Status></LegalHold>"
    for method, target, body in (
        ("PUT", f"{path}?{name}&versionId={marker}", document.encode()),
        ("PUT", f"{path}?{name}", document.encode()),
        ("GET", f"{path}?{name}&versionId={marker}", b""),
    ):
        found = refusal(raw(method, target, body, md5_header(body)), "Method", "ResourceType")
        assert found == (405, "MethodNotAllowed", method, "DeleteMarker"), target
    assert refusal(raw("GET", f"{path}?{name}")) == (404, "NoSuchKey")
    assert raw("DELETE", f"{path}?versionId={marker}").status == 204
    assert len(history(raw, locked)) == 1


# What a bucket retains by default


@pytest.mark.parametrize(("period", "seconds"), [("<Days>3</Days>", 3 * DAY), ("<Years>1</Years>", 365 * DAY)])
def test_a_default_retention_is_given_to_every_new_version(
    raw: Raw, locked: str, path: str, period: str, seconds: int
) -> None:
    """However it is written; not to versions from before, and a retention of the write's own counts instead."""
    before = put(raw, path)
    document = f"<ObjectLockConfiguration>{ENABLED}{RULE.format(period)}</ObjectLockConfiguration>"
    assert put_document(raw, f"/{locked}?object-lock", document).status == 200
    written = [raw("PUT", path, DATA)]
    written.append(raw("PUT", path, headers={"x-amz-copy-source": f"{path}?versionId={before}"}))
    written.append(Upload(raw, path).finish(DATA))
    for reply in written:
        assert reply.status == 200
        headers = raw("HEAD", f"{path}?versionId={reply.headers['x-amz-version-id']}").headers
        assert headers[MODE] == "GOVERNANCE"
        until = time.strptime(headers[UNTIL][:19], "%Y-%m-%dT%H:%M:%S")
        assert abs(calendar.timegm(until) - time.time() - seconds) < DAY + 60
        assert refusal(raw("DELETE", f"{path}?versionId={reply.headers['x-amz-version-id']}")) == (403, "AccessDenied")
    assert MODE not in raw("HEAD", f"{path}?versionId={before}").headers
    own = write(raw, path, governed(mode="COMPLIANCE")).headers["x-amz-version-id"]
    assert raw("HEAD", f"{path}?versionId={own}").headers[MODE] == "COMPLIANCE"
    assert raw("DELETE", f"{path}?versionId={before}").status == 204
