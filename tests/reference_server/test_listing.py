"""Listing against a model that folds everything by brute force."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.errors import S3Error
from reference_server.listing import BEHIND, Row, encoder, folded, make_token, page, read_token, successor
from reference_server.store import Store
from reference_server.uploads import Uploads

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
        bucket, _ = store.create_bucket("bucket", "owner")
        for key in keys:
            store.put_object(bucket, StoredObject(key, 0, "", 0), None, lambda _: None)

        def rows(lower: bytes, after: int) -> Iterator[Row]:
            return store.object_rows(bucket, lower, inclusive=after < 0)

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
        uploads = Uploads(store)
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
        bucket, _ = store.create_bucket("bucket", "owner")
        for number in range(3000):
            key = f"d{number % 3}/{number:05}"
            store.put_object(bucket, StoredObject(key, 0, "", 0), None, lambda _: None)
        read = 0

        def rows(lower: bytes, after: int) -> Iterator[Row]:
            nonlocal read
            for row in store.object_rows(bucket, lower, inclusive=after < 0):
                read += 1
                yield row

        found = page(rows, b"", b"/", (b"", BEHIND), 1000)
    finally:
        store.close()
    assert found.prefixes == [b"d0/", b"d1/", b"d2/"]
    assert read == 3
