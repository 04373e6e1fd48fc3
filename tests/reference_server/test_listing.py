"""Listing against models that fold everything by brute force: one page in the code, all pages over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.errors import S3Error
from reference_server.listing import BEFORE, BEHIND, Row, encoder, folded, make_token, page, read_token, successor
from reference_server.objects import Objects, StoredObject
from reference_server.store import Store
from reference_server.uploads import Uploads
from tests.reference_server.catalogue.steps import Upload, texts, tree, version

if TYPE_CHECKING:
    from conftest import Raw

# Few letters, so that keys share prefixes; a delimiter, bytes around it, one and four byte characters.
_KEYS = st.text(st.sampled_from("ab/.-é𝄞"), min_size=1, max_size=6)
_DELIMITERS = st.sampled_from(["", "/", "a", "ab", "//", "-.", "é"])
_PREFIXES = st.text(st.sampled_from("ab/é"), max_size=2)


def model(keys: list[str], prefix: str, delimiter: str, marker: str, limit: int) -> tuple[list[str], bool]:
    """Entries of one page and whether there are more: the definition in the module's docstring, literally."""
    entries = set()
    for key in keys:
        if key.startswith(prefix):
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            entries.add(key if at < 0 else key[: at + len(delimiter)])
    ordered = sorted(entries, key=str.encode)
    ordered = [entry for entry in ordered if entry.encode() > marker.encode()]
    return ordered[:limit], limit > 0 and len(ordered) > limit


@settings(max_examples=300, deadline=None)
@given(
    keys=st.lists(_KEYS, unique=True, max_size=25),
    prefix=_PREFIXES,
    delimiter=_DELIMITERS,
    marker=st.one_of(st.just(""), _KEYS),
    limit=st.integers(0, 8),
)
def test_a_page_is_what_the_model_says(keys: list[str], prefix: str, delimiter: str, marker: str, limit: int) -> None:
    store = Store()
    try:
        objects, (bucket, _) = Objects(store), store.create_bucket("bucket", "owner")
        for key in keys:
            objects.put(bucket, StoredObject(key, 0, "", 0), None, lambda _: None)

        def rows(lower: bytes, after: int) -> Iterator[Row]:
            return objects.rows(bucket, lower, inclusive=after == BEFORE)

        found = page(rows, prefix.encode(), delimiter.encode(), (marker.encode(), BEHIND), limit)
    finally:
        store.close()
    expected, more = model(keys, prefix, delimiter, marker, limit)
    entries = sorted([row[0] for row in found.rows] + found.prefixes)
    assert [entry.decode() for entry in entries] == expected
    assert found.truncated == more
    if expected:
        assert found.last.decode() == expected[-1]


@settings(max_examples=120, deadline=None)
@given(
    keys=st.lists(_KEYS, max_size=20),
    prefix=_PREFIXES,
    delimiter=_DELIMITERS,
    limit=st.integers(1, 5),
)
def test_pages_of_uploads_show_each_once_and_in_order(keys: list[str], prefix: str, delimiter: str, limit: int) -> None:
    store = Store()
    try:
        bucket, _ = store.create_bucket("bucket", "owner")
        uploads = Uploads(store, Objects(store))
        begun = [(key, uploads.create(bucket, key, {}, "STANDARD", (None, None))) for key in keys]

        def rows(lower: bytes, after: int) -> Iterator[Row]:
            return uploads.rows(bucket, lower, after)

        seen: list[tuple[str, str]] = []
        prefixes: list[str] = []
        marker = (b"", BEHIND)
        for _ in range(len(keys) + 1):
            found = page(rows, prefix.encode(), delimiter.encode(), marker, limit)
            seen += [(row[0].decode(), row[2]) for row in found.rows]
            prefixes += [name.decode() for name in found.prefixes]
            if not found.truncated:
                break
            assert len(found.rows) + len(found.prefixes) == limit
            marker = (found.last, BEHIND if found.last_is_prefix else found.rows[-1][1])
    finally:
        store.close()
    entries, _ = model(keys, prefix, delimiter, "", 1000)
    plain = [entry for entry in entries if folded(entry.encode(), prefix.encode(), delimiter.encode()) is None]
    assert prefixes == [entry for entry in entries if entry not in plain]
    by_key = sorted((pair for pair in begun if pair[0] in plain), key=lambda pair: pair[0].encode())
    assert seen == by_key


@pytest.mark.parametrize(("prefix", "after"), [(b"a", b"b"), (b"a\xff", b"b"), (b"\xff\xff", None), (b"", None)])
def test_successor_is_the_least_string_behind_all_with_the_prefix(prefix: bytes, after: bytes | None) -> None:
    assert successor(prefix) == after


@given(st.text(min_size=1, max_size=40))
def test_a_token_gives_back_its_entry(entry: str) -> None:
    assert read_token(make_token(entry.encode())) == entry.encode()


@given(st.text(max_size=30))
def test_a_foreign_token_is_an_invalid_argument(token: str) -> None:
    with pytest.raises(S3Error, match="InvalidArgument"):
        read_token(token)


def test_url_encoding_keeps_slashes_and_spells_spaces_as_plus() -> None:
    assert encoder("url")("a b+c/d=é(1)") == "a+b%2Bc/d%3D%C3%A9%281%29"
    assert encoder(None)("a b+c") == "a b+c"
    for wrong in ("", "base64"):
        with pytest.raises(S3Error, match="InvalidArgument"):
            encoder(wrong)


def test_a_page_of_folded_prefixes_seeks_instead_of_scanning() -> None:
    store = Store()
    try:
        objects, (bucket, _) = Objects(store), store.create_bucket("bucket", "owner")
        for number in range(3000):
            key = f"d{number % 3}/{number:05}"
            objects.put(bucket, StoredObject(key, 0, "", 0), None, lambda _: None)
        read = 0

        def rows(lower: bytes, after: int) -> Iterator[Row]:
            nonlocal read
            for row in objects.rows(bucket, lower, inclusive=after == BEFORE):
                read += 1
                yield row

        found = page(rows, b"", b"/", (b"", BEHIND), 1000)
    finally:
        store.close()
    assert found.prefixes == [b"d0/", b"d1/", b"d2/"]
    assert read == 3


# All pages over HTTP


@dataclass(frozen=True)
class Listing:
    """One listing operation as a client sees it.

    Attributes:
        query: what asks for it.
        limit: parameter of the page size.
        entries: elements that show one thing each.
        ident: element inside that tells things of one key apart.
        following: parameters of the next page by the elements that give them; without the first of these, a client
            goes on behind the greatest entry it got.
        add: makes one thing of a key, and returns what tells it apart.
        versions: needs versioning, and shows the newest thing of a key first.
    """

    query: str
    limit: str
    entries: tuple[str, ...]
    ident: str
    following: dict[str, str]
    add: Callable[[Raw, str], str]
    versions: bool = False


def put(raw: Raw, path: str) -> str:
    assert raw("PUT", path, b"x").status == 200
    return ""


def change(raw: Raw, path: str) -> str:
    """A new version, or for some keys a delete marker."""
    return raw("DELETE" if path.endswith(("a", "/")) else "PUT", path).headers["x-amz-version-id"]


_BY_KEY = {"NextKeyMarker": "key-marker"}
LISTINGS = {
    "ListObjects": Listing("", "max-keys", ("Contents",), "", {"NextMarker": "marker"}, put),
    "ListObjectsV2": Listing(
        "list-type=2", "max-keys", ("Contents",), "", {"NextContinuationToken": "continuation-token"}, put
    ),
    "ListMultipartUploads": Listing(
        *("uploads", "max-uploads", ("Upload",), "UploadId", {**_BY_KEY, "NextUploadIdMarker": "upload-id-marker"}),
        lambda raw, path: Upload(raw, path).id,
    ),
    "ListObjectVersions": Listing(
        *("versions", "max-keys", ("Version", "DeleteMarker"), "VersionId"),
        *({**_BY_KEY, "NextVersionIdMarker": "version-id-marker"}, change, True),
    ),
}
Entry = tuple[str, str]
_numbers = itertools.count()
# Whole delimiters and what they are made of, beside characters that XML, URLs and sorting by code units get wrong.
_PIECES = st.sampled_from(["a", "B", "/", "//", "-.", "é", "\uffee", "𝄞", "\x01", "\r\n", "%2F", " +", "&<"])


def shown(things: list[Entry], prefix: str, delimiter: str) -> list[Entry]:
    """Every thing, or once the common prefix it rolls up into, by the bytes of the key."""
    entries = {}
    for key, ident in things:
        if key.startswith(prefix):
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            entries[(key, ident) if at < 0 else (key[: at + len(delimiter)], "")] = None
    return sorted(entries, key=lambda entry: entry[0].encode())


def pages(raw: Raw, bucket: str, listing: Listing, fold: list[str], size: int) -> Iterator[list[Entry]]:
    """The entries of each page, keys and prefixes in one order, as long as the server says that there is more."""
    position: list[str] = []
    while True:
        query = "&".join([listing.query, *fold, f"{listing.limit}={size}", "encoding-type=url", *position])
        root = tree(raw("GET", f"/{bucket}?{query.strip('&')}"))
        things = [child for child in root if child.tag in listing.entries]
        keys = [(unquote_plus(each.findtext("Key") or ""), each.findtext(listing.ident) or "") for each in things]
        prefixes = [(unquote_plus(text), "") for text in texts(root, "CommonPrefixes/Prefix")]
        for kind in (keys, prefixes):
            assert kind == sorted(kind, key=lambda entry: entry[0].encode())
        page_entries = sorted(keys + prefixes, key=lambda entry: entry[0].encode())
        yield page_entries
        if root.findtext("IsTruncated") != "true":
            return
        found = {name: unquote_plus(root.findtext(element) or "") for element, name in listing.following.items()}
        first = next(iter(found))
        found[first] = found[first] or page_entries[-1][0]
        position = [f"{name}={quote(value, safe='')}" for name, value in found.items() if value]


@pytest.mark.parametrize("operation", LISTINGS)
@settings(max_examples=25)
@given(
    keys=st.lists(st.lists(_PIECES, min_size=1, max_size=4).map("".join), max_size=14),
    prefix=st.one_of(st.just(""), _PIECES),
    delimiter=st.one_of(st.just(""), _PIECES, st.just("a/")),
)
def test_every_listing_shows_each_entry_once_in_pages_of_any_size(
    raw: Raw, operation: str, keys: list[str], prefix: str, delimiter: str
) -> None:
    listing, bucket = LISTINGS[operation], f"listing-{next(_numbers)}"
    raw("PUT", f"/{bucket}")
    if listing.versions:
        version(raw, bucket)
    things = [(key, listing.add(raw, f"/{bucket}/{quote(key)}")) for key in keys]
    expected = shown(things[::-1] if listing.versions else things, prefix, delimiter)
    fold = [f"prefix={quote(prefix, safe='')}", f"delimiter={quote(delimiter, safe='')}"]
    for size in range(1, len(expected) + 2):
        found = list(itertools.islice(pages(raw, bucket, listing, fold, size), len(expected) + 1))
        assert found == ([expected[at : at + size] for at in range(0, len(expected), size)] or [[]])


@settings(max_examples=20)
@given(numbers=st.lists(st.integers(1, 10_000), unique=True, max_size=8))
def test_parts_are_listed_once_in_pages_of_any_size(raw: Raw, numbers: list[int]) -> None:
    bucket = f"listing-{next(_numbers)}"
    raw("PUT", f"/{bucket}")
    upload = Upload(raw, f"/{bucket}/k")
    for number in numbers:
        upload.part(number, b"x")
    expected = [str(number) for number in sorted(numbers)]
    for size in range(1, len(expected) + 2):
        found, marker, more = [], "0", "true"
        while more == "true" and len(found) <= len(expected):
            page = upload.listed(f"&max-parts={size}&part-number-marker={marker}")
            found.append(page.elements("PartNumber"))
            marker, more = page.element("NextPartNumberMarker"), page.element("IsTruncated")
        assert found == ([expected[at : at + size] for at in range(0, len(expected), size)] or [[]])
