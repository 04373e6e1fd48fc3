"""Defects of conditional requests."""

from __future__ import annotations

import email.utils
import threading
from collections.abc import Callable, Mapping

import pytest

from tests.reference_server.catalogue.steps import Upload
from tests.reference_server.defects.probing import ETAG, TEN, Lab, Probe, empty, names_in, one, versioned
from tests.reference_server.signing import Signer

Ask = Callable[[Lab, str], object]

OTHER, NEW = '"0"', {"If-None-Match": "*"}
LATER = "Wed, 21 Oct 2099 07:28:00 GMT"


def sends(method: str, *asked: Mapping[str, str], key: str = "key", body: bytes = b"") -> Ask:
    """Status of a request with each of these headers."""
    return lambda lab, bucket: [lab.raw(method, f"/{bucket}/{key}", body, headers).status for headers in asked]


def puts(*asked: Mapping[str, str], key: str = "key") -> Ask:
    return sends("PUT", *asked, key=key, body=b"other")


def completes(headers: Mapping[str, str], *meanwhile: str) -> Ask:
    """Status of a conditional completion, after these requests for the key while the upload was open."""

    def ask(lab: Lab, bucket: str) -> int:
        upload = Upload(lab.raw, f"/{bucket}/key")
        parts = [(1, upload.part(1, TEN).headers["etag"], "")]
        for method in meanwhile:
            lab.raw(method, f"/{bucket}/key", TEN if method == "PUT" else b"")
        return upload.complete(parts, headers).status

    return ask


def completes_twice(lab: Lab, bucket: str) -> list[int]:
    upload = Upload(lab.raw, f"/{bucket}/new")
    parts = [(1, upload.part(1, TEN).headers["etag"], "")]
    return [upload.complete(parts, NEW).status for _ in range(2)]


def copies(*asked: Mapping[str, str]) -> Ask:
    """Status of a copy over the object with each of these headers."""

    def ask(lab: Lab, bucket: str) -> list[int]:
        assert lab.raw("PUT", f"/{bucket}/source", b"source").status == 200
        source = {"x-amz-copy-source": f"/{bucket}/source"}
        return [lab.raw("PUT", f"/{bucket}/key", b"", {**source, **headers}).status for headers in asked]

    return ask


def dated(name: str, seconds: int, *more: tuple[str, str]) -> Ask:
    """Status of GET with a date so far from Last-Modified, and further headers."""

    def ask(lab: Lab, bucket: str) -> int:
        modified = email.utils.parsedate_to_datetime(lab.raw("HEAD", f"/{bucket}/key").headers["last-modified"])
        date = email.utils.formatdate(modified.timestamp() + seconds, usegmt=True)
        return lab.raw("GET", f"/{bucket}/key", headers={name: date, **dict(more)}).status

    return ask


def hidden(lab: Lab, bucket: str) -> list[int]:
    """Uploads where a delete marker is the newest version: if there is no object, and if there is one."""
    assert lab.raw("DELETE", f"/{bucket}/key").status == 204
    return [lab.raw("PUT", f"/{bucket}/key", TEN, headers).status for headers in (NEW, {"If-Match": OTHER})]


def hidden_matches(lab: Lab, bucket: str) -> int:
    assert lab.raw("DELETE", f"/{bucket}/key").status == 204
    return lab.raw("PUT", f"/{bucket}/key", TEN, {"If-Match": OTHER}).status


def presigned(lab: Lab, bucket: str) -> int:
    headers = {"Host": lab.raw.host}
    url = Signer().presigned("GET", f"/{bucket}/key", headers, "60")
    return lab.raw("GET", url, sign=False, unsigned={"If-None-Match": ETAG}).status


def together(lab: Lab, bucket: str) -> int:
    """How many of several uploads at the same time create the key."""
    found: list[int] = []
    start = threading.Barrier(6)

    def put() -> None:
        start.wait(10)
        found.append(lab.raw("PUT", f"/{bucket}/new", TEN, NEW).status)

    threads = [threading.Thread(target=put) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return found.count(200)


def validators(lab: Lab, bucket: str) -> tuple[int, bool]:
    reply = lab.raw("GET", f"/{bucket}/key", headers={"If-None-Match": ETAG})
    return reply.status, "etag" in reply.headers


PROBES = {
    "complete-again-412": Probe(completes_twice, [200, 200], [200, 412]),
    "complete-conditions-ignored": Probe(completes(NEW), 412, 200),
    "copy-target-conditions-ignored": Probe(copies(NEW, {"If-Match": OTHER}), [412, 412], [200, 200]),
    "delete-if-match-ignored": Probe(sends("DELETE", {"If-Match": OTHER}), [412], [204]),
    "delete-if-match-size-ignored": Probe(sends("DELETE", {"x-amz-if-match-size": "10"}), [501], [204]),
    "delete-marker-counts-as-object": Probe(hidden, [200, 412], [412, 200], versioned),
    "if-match-on-missing-412": Probe(puts({"If-Match": OTHER}, key="missing"), [404], [412]),
    "if-modified-since-future-believed": Probe(sends("GET", {"If-Modified-Since": LATER}), [200], [304]),
    "modified-time-with-fraction-compared": Probe(dated("If-Modified-Since", 0), 304, 200),
    "not-modified-bare": Probe(validators, (304, True), (304, False)),
    "not-modified-before-failed": Probe(
        sends("GET", {"If-Match": OTHER, "If-None-Match": ETAG}, {"If-Match": OTHER}), [412, 412], [304, 412]
    ),
    "presigned-conditions-ignored": Probe(presigned, 304, 200),
    "upload-forgets-writes": Probe(completes({"If-Match": ETAG}, "PUT"), 409, 200),
    "write-conditions-in-every-form": Probe(
        puts({"If-Match": "*"}, {"If-None-Match": OTHER}, {"If-Match": OTHER, **NEW}), [501] * 3, [200, 412, 412]
    ),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("operation_conditions") == {*PROBES, "if-none-match-races"}


def test_uploads_at_the_same_time_all_win(lab: Lab) -> None:
    assert Probe(together, None, None, empty).observe(lab) == 1
    assert Probe(together, None, None, empty).observe(lab, "if-none-match-races") > 1


@pytest.mark.parametrize(
    ("name", "ask", "wrong", "given"),
    [
        ("complete-conditions-ignored", completes({"If-Match": OTHER}), 200, one),
        ("delete-marker-counts-as-object", hidden_matches, 200, versioned),
        ("if-match-on-missing-412", completes({"If-Match": ETAG}, "DELETE"), 412, one),
        ("modified-time-with-fraction-compared", dated("If-Unmodified-Since", 0), 412, one),
        ("upload-forgets-writes", completes(NEW, "DELETE"), 200, one),
    ],
)
def test_it_shows_elsewhere_too(lab: Lab, name: str, ask: Ask, wrong: int, given: Callable[[Lab], str]) -> None:
    probe = Probe(ask, None, None, given)
    assert probe.observe(lab) != wrong
    assert probe.observe(lab, name) == wrong
