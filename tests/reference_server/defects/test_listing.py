"""Defects of listings, seen as pages of version 2."""

from __future__ import annotations

import hashlib

import pytest

from tests.reference_server.defects.probing import Lab, Probe, keys, names_in, target

LETTERS = [*"abcdefgh"]
BY_MD5 = sorted(LETTERS, key=lambda key: hashlib.md5(key.encode()).digest())
# The first is after the second in UTF-16, whose code units of it are greater, and before it in UTF-8.
WAVE, SMILE = "\uff5e", "\U0001f600"


def truncated(lab: Lab, bucket: str, limit: int) -> str:
    return lab.raw("GET", f"/{bucket}?list-type=2&max-keys={limit}").element("IsTruncated")


PROBES = {
    "delimiter-always-slash": Probe(
        lambda lab, b: lab.keys(b, "delimiter=-"), ["a/2", "a-"], ["a-1", "a/"], keys("a-1", "a/2")
    ),
    "folder-keys-hidden": Probe(lambda lab, b: lab.keys(b), ["d/", "d/x"], ["d/x"], keys("d/", "d/x")),
    "keys-in-utf16-order": Probe(lambda lab, b: lab.keys(b), [WAVE, SMILE], [SMILE, WAVE], keys(SMILE, WAVE)),
    "keys-twice": Probe(
        lambda lab, b: sorted(lab.keys(b)),
        ["m/", "m/s/", "m/s/f"],
        ["m/", "m/s/", "m/s/f", "m/s/f"],
        keys("m/", "m/s/", "m/s/f"),
    ),
    "keys-unsorted": Probe(lambda lab, b: lab.keys(b), LETTERS, BY_MD5, keys(*LETTERS)),
    "list-repeats-common-prefixes": Probe(
        lambda lab, b: lab.pages(b, "delimiter=/&max-keys=1"),
        [["a/"], ["b"]],
        [["a/"], ["a/"], ["b"]],
        keys("a/1", "a/2", "b"),
    ),
    "marker-inclusive": Probe(lambda lab, b: lab.keys(b, "start-after=a"), ["b"], ["a", "b"], keys("a", "b")),
    "max-keys-ignored": Probe(
        lambda lab, b: lab.pages(b, "max-keys=1"), [["a"], ["b"], ["c"]], [["a", "b", "c"]], keys(*"abc")
    ),
    "max-keys-zero-truncated": Probe(lambda lab, b: truncated(lab, b, 0), "false", "true", keys("a")),
    "object-hides-folder": Probe(
        lambda lab, b: [lab.keys(b), lab.keys(b, "delimiter=/")],
        [["a", "a/b", "c/d"], ["a", "a/", "c/"]],
        [["a", "c/d"], ["a", "c/"]],
        keys("a", "a/b", "c/d"),
    ),
    "prefix-key-omitted": Probe(lambda lab, b: lab.keys(b, "prefix=d/"), ["d/", "d/x"], ["d/x"], keys("d/", "d/x")),
    "prefix-needs-slash": Probe(
        lambda lab, b: [lab.keys(b, f"prefix={prefix}&delimiter=/") for prefix in ("di", "dir/")],
        [["dir/"], ["dir/x"]],
        [[], ["dir/x"]],
        keys("dir/x"),
    ),
    "prefixes-uncounted": Probe(
        lambda lab, b: lab.pages(b, "delimiter=/&max-keys=2"),
        [["a/", "b/"], ["c", "d"], ["e"]],
        [["c", "d", "a/", "b/"], ["e"]],
        keys("a/1", "b/1", "c", "d", "e"),
    ),
    "start-after-hides-prefix": Probe(
        lambda lab, b: lab.keys(b, "delimiter=/&start-after=one"), ["one/", "two/"], ["two/"], keys("one/x", "two/x")
    ),
    "token-repeats": Probe(
        lambda lab, b: lab.pages(b, "max-keys=1"),
        [["a"], ["b"], ["c"]],
        [["a"], ["b"], ["b"], ["b"], ["b"]],
        keys(*"abc"),
    ),
    "truncated-when-full": Probe(
        lambda lab, b: [truncated(lab, b, limit) for limit in (1, 2, 3)],
        ["true", "false", "false"],
        ["true", "true", "false"],
        keys("a", "b"),
    ),
    "truncation-hidden": Probe(
        lambda lab, b: lab.pages(b, "max-keys=2"), [["a", "b"], ["c"]], [["a", "b"]], keys(*"abc")
    ),
}


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("listing") == PROBES.keys()


@pytest.mark.parametrize("name", ["keys-unsorted", "keys-in-utf16-order", "folder-keys-hidden", "object-hides-folder"])
def test_pages_still_lead_through_the_whole_listing(lab: Lab, name: str) -> None:
    probe = Probe(lambda lab, b: lab.pages(b, "max-keys=3"), None, None, keys(*LETTERS))
    assert sorted(key for page in probe.observe(lab, name) for key in page) == LETTERS


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("kind", ["versions", "uploads"])
def test_other_listings_are_wrong_but_not_broken(lab: Lab, name: str, kind: str) -> None:
    """Versions and uploads are listed by the same code."""

    def ask(lab: Lab, bucket: str) -> set[int]:
        for key in ("d/", "d/x", "e"):
            assert lab.raw("POST", f"/{bucket}/{key}?uploads").status == 200
        asked = ("max-keys=1", "max-keys=0", "prefix=d/&delimiter=/", "key-marker=d/&max-keys=2")
        limit = "max-uploads" if kind == "uploads" else "max-keys"
        return {lab.raw("GET", target(bucket, f"{kind}&{one.replace('max-keys', limit)}")).status for one in asked}

    assert Probe(ask, None, None, keys("d/", "d/x", "e")).observe(lab, name) == {200}
