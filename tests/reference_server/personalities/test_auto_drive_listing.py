"""Listings of the server as Auto Drive: pages, tokens, and many keys under one prefix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest

from reference_server.objects import StoredObject
from reference_server.personality import load
from tests.reference_server.conftest import Raw, Running, run
from tests.reference_server.personalities.auto_drive import listed, md5

if TYPE_CHECKING:
    pass


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    yield from run(personality=load("auto-drive"))


@pytest.mark.parametrize(
    ("sent", "shown"), [("", 1000), ("abc", 1000), ("0", 1000), ("-5", 1000), ("2000", 1000), ("7", 7), ("7x", 7)]
)
def test_pages_have_at_most_1000_entries(raw: Raw, bucket: str, sent: str, shown: int) -> None:
    assert listed(raw, bucket, f"&max-keys={sent}").element("MaxKeys") == str(shown)


def test_tokens_are_keys_and_any_text_is_one(raw: Raw, bucket: str) -> None:
    for key in ("a", "b", "c"):
        raw("PUT", f"/{bucket}/{key}", b"x")
    first = listed(raw, bucket, "&max-keys=1")
    assert (first.element("IsTruncated"), first.element("NextContinuationToken")) == ("true", "a")
    assert listed(raw, bucket, "&continuation-token=b").elements("Key") == ["c"]
    assert listed(raw, bucket, "&continuation-token=%25zz").elements("Key") == ["a", "b", "c"]
    assert listed(raw, bucket, "&start-after=b&fetch-owner=true").elements("Key") == ["a", "b", "c"]


def test_keys_fold_at_any_delimiter(raw: Raw, bucket: str) -> None:
    for key in ("a--1", "a--2", "b", "p/x--y"):
        raw("PUT", f"/{bucket}/{key}", b"x")
    reply = listed(raw, bucket, "&delimiter=--")
    assert (reply.elements("Key"), reply.element("KeyCount")) == (["b"], "3")
    prefixes = ET.fromstring(reply.body).findall("CommonPrefixes/Prefix")  # noqa: S314 - of this server
    assert [prefix.text for prefix in prefixes] == ["a--", "p/x--"]
    assert listed(raw, bucket, "&delimiter=&prefix=a").elements("Key") == ["a--1", "a--2"]


def test_a_key_that_xml_cannot_carry_breaks_its_listing(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/bell%07", b"x")
    reply = raw("GET", f"/{bucket}?list-type=2&encoding-type=url")
    assert (reply.status, reply.headers["content-type"]) == (500, "text/html; charset=utf-8")


def fill(running: Running, bucket: str, keys: list[str]) -> None:
    """Objects without going through HTTP: ten thousand requests would take a minute."""
    running.raw()("PUT", f"/{bucket}/{quote(keys[0])}", b"")
    found = running.store.bucket(bucket)
    assert found is not None
    with running.store.transaction():
        for key in keys[1:]:
            running.app.objects.put(found, StoredObject(key, 0, md5(b""), running.store.now()), None, lambda _: None)


def walk(raw: Raw, bucket: str, size: int, query: str = "") -> list[str]:
    """All entries of all pages, as a client reads them."""
    entries, token = [], ""
    for _ in range(10_100):
        page = ET.fromstring(listed(raw, bucket, f"&max-keys={size}{query}{token}").body)  # noqa: S314 - of this server
        found = [name.text or "" for path in ("Contents/Key", "CommonPrefixes/Prefix") for name in page.iterfind(path)]
        assert len(found) == int(page.findtext("KeyCount", "")) <= size
        entries += found
        if page.findtext("IsTruncated") == "false":
            return entries
        behind = page.findtext("NextContinuationToken", "")
        assert behind.isprintable()
        token = f"&continuation-token={quote(behind, safe='')}"
    raise AssertionError("the listing has no end")


@pytest.mark.parametrize("count", [10_000, 10_001])
def test_many_keys_under_one_prefix_are_one_prefix(running: Running, raw: Raw, bucket: str, count: int) -> None:
    """A page reads at most 10,000 keys: the one after it must neither repeat the prefix nor lose what follows."""
    folded = [f"dir/{number:05}" for number in range(count)]
    fill(running, bucket, [*folded, "a", "dir0", "z\u00e9"])
    assert sorted(walk(raw, bucket, 1000, "&delimiter=/")) == ["a", "dir/", "dir0", "z\u00e9"]
    assert walk(raw, bucket, 1000, "&prefix=dir/") == folded
    assert walk(raw, bucket, 1000, "&prefix=dir/&delimiter=/") == folded


def test_nothing_but_one_prefix_ends_in_an_empty_page(running: Running, raw: Raw, bucket: str) -> None:
    fill(running, bucket, [f"dir/{number:05}" for number in range(10_000)])
    assert walk(raw, bucket, 1000, "&delimiter=/") == ["dir/"]
    page = running.client().list_objects_v2(Bucket=bucket, Delimiter="/")
    token = page["NextContinuationToken"]
    assert (page["KeyCount"], page["IsTruncated"], token.isprintable()) == (1, True, True)
    last = running.client().list_objects_v2(Bucket=bucket, Delimiter="/", ContinuationToken=token)
    assert (last["KeyCount"], last["IsTruncated"]) == (0, False)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_pages_of_any_size_show_each_entry_once(running: Running, raw: Raw, bucket: str, size: int) -> None:
    keys = [f"{letter}/{number:03}" for letter in "abc" for number in range(150)] + ["d", "e%41", "\U0001f600/x"]
    fill(running, bucket, keys)
    entries = walk(raw, bucket, size, "&delimiter=/")
    assert sorted(entries) == ["a/", "b/", "c/", "d", "e%41", "\U0001f600/"]
