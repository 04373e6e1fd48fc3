"""Defects of what an upload stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.reference_server.defects.probing import ETAG, TEN, Lab, Probe, empty, names_in, one

Ask = Callable[[Lab, str], object]


def stores(sent: Mapping[str, str]) -> Ask:
    """Status of an upload with these headers, and which of them the object has."""

    def ask(lab: Lab, bucket: str) -> tuple[int, list[str | None]]:
        status = lab.raw("PUT", f"/{bucket}/new", TEN, sent).status
        found = lab.raw("HEAD", f"/{bucket}/new").headers
        return status, [found.get(name.lower()) for name in sent]

    return ask


def keeps(header: str, sent: str, wrong: tuple[int, str | None]) -> Probe:
    """An upload that has this header kept as it was sent."""
    return Probe(stores({header: sent}), (200, [sent]), (wrong[0], [wrong[1]]), empty)


def dotted(lab: Lab, bucket: str) -> list[list[str]]:
    """The keys of two buckets after an upload that leads from the first to the second, and one within the first."""
    other = lab.bucket()
    for key in (f"../{other}/escaped", "a/../b"):
        assert lab.raw("PUT", f"/{bucket}/{key}", TEN).status == 200
    return [[key.replace(other, "other") for key in lab.keys(name)] for name in (bucket, other)]


def smiling(lab: Lab, bucket: str) -> list[str]:
    assert lab.raw("PUT", f"/{bucket}/%F0%9F%98%80%E4%B8%AD", TEN).status == 200
    return lab.keys(bucket)


def long_name(lab: Lab, bucket: str) -> list[int]:
    return [lab.raw("PUT", f"/{bucket}/{'k' * size}", TEN).status for size in (255, 256)]


def large_metadata(lab: Lab, bucket: str) -> list[int]:
    sent = {"x-amz-meta-a": "x" * 1500, "x-amz-meta-b": "y" * 800}
    return [lab.raw("PUT", f"/{bucket}/new", TEN, sent).status, lab.raw("HEAD", f"/{bucket}/new").status]


def overwrites(lab: Lab, bucket: str) -> tuple[int, str, bytes]:
    reply = lab.raw("PUT", f"/{bucket}/key", b"new")
    return reply.status, reply.headers["etag"], lab.raw("GET", f"/{bucket}/key").body


HELLO = "=?UTF-8?B?aGVsbG8=?="
NEW_ETAG = '"22af645d1859cb5ca6da0c484f1f37ea"'

PROBES = {
    "any-storage-class": Probe(stores({"x-amz-storage-class": "OUTPOSTS"}), (400, [None]), (200, [None]), empty),
    "broken-encoded-metadata-400": keeps("x-amz-meta-a", "=?UTF-8?B?a?=", (400, None)),
    "content-type-in-lower-case": keeps("Content-Type", "Text/Plain;charset=A", (200, "text/plain; charset=a")),
    "dot-segments-resolved": Probe(dotted, [["../other/escaped", "a/../b"], []], [["b"], ["escaped"]], empty),
    "emoji-in-keys-lost": Probe(smiling, ["\U0001f600中"], ["?中"], empty),
    "encoded-metadata-kept": Probe(stores({"x-amz-meta-a": HELLO}), (200, ["hello"]), (200, [HELLO]), empty),
    "expires-read-as-date": keeps("Expires", "2037-10-21T07:28:00Z", (200, "Wed, 21 Oct 2037 07:28:00 GMT")),
    "key-names-255": Probe(long_name, [200, 200], [200, 500], empty),
    "metadata-cut-to-fit": Probe(large_metadata, [400, 404], [200, 200], empty),
    "put-keeps-old": Probe(overwrites, (200, NEW_ETAG, b"new"), (200, ETAG, TEN), one),
    "storage-class-lost": keeps("x-amz-storage-class", "STANDARD_IA", (200, None)),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("operation_stored") == PROBES.keys()


def test_an_expires_that_is_no_date_is_dropped(lab: Lab) -> None:
    probe = keeps("Expires", "0", (200, None))
    assert probe.observe(lab) == probe.honest
    assert probe.observe(lab, "expires-read-as-date") == probe.wrong
