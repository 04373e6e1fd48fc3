"""The building blocks alone, and paging with them over a small storage that keeps the storage contract."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.building_blocks import (
    ListObjectsParams,
    ListObjectsResult,
    ListResult,
    S3ObjectListing,
    build_list_result,
    compute_list_objects_db_limit,
    decode_token,
    encode_token,
    finalize_list_objects,
    format_etag,
    md5_hex,
    multipart_etag,
)

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "checksums.json").read_text())
LAST = "\U0010ffff"
EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"
# What keys may break on: delimiters, the token's own escapes, what XML drops or refuses, both ends of the order of
# bytes, the characters that UTF-16 orders otherwise, half a surrogate pair.
_ODD = "ab/%2F&<]]> .\r\n\t\0\x7f\x85é\ud7ff\ud800\udc00\ue000\ufffd\ufffe\uffff𝄞" + LAST
ODD_TEXT = st.text(st.sampled_from(_ODD) | st.characters(exclude_categories=()), max_size=8)
# Few letters, so that keys share prefixes and fold.
KEYS = st.text(st.sampled_from(f"ab/-%\n\ue000𝄞{LAST}"), min_size=1, max_size=6)
PREFIXES = st.sampled_from(["", "a", "a/", "/", "%", LAST])
DELIMITERS = st.sampled_from([None, "", "/", "a", "ab", "//", "%", "\n", "-/", LAST])


def in_bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def rows_of(*keys: str) -> list[S3ObjectListing]:
    return [S3ObjectListing(key) for key in keys]


def stored(keys: list[str], params: ListObjectsParams, limit: int) -> list[S3ObjectListing]:
    """The storage contract, by bytes: starts with the prefix, greater than the token, ascending, at most `limit`."""
    after = in_bytes(decode_token(params.continuation_token)) if params.continuation_token is not None else b""
    found = [key for key in keys if key.startswith(params.prefix) and in_bytes(key) > after]
    return rows_of(*sorted(found, key=in_bytes)[:limit])


def through_xml(token: str) -> str:
    """A token as a client reads it out of an answer, with a parser that takes nothing but XML 1.0."""
    pieces: list[str] = []
    parser = expat.ParserCreate()
    parser.CharacterDataHandler = pieces.append
    parser.Parse(f'<?xml version="1.0" encoding="UTF-8"?>\n<T>{escape(token)}</T>'.encode(), True)
    return "".join(pieces)


def pages(keys: list[str], params: ListObjectsParams, db_limit: int) -> Iterator[ListObjectsResult]:
    """All pages of a listing; every token crosses XML. A listing that does not end is an error."""
    for _ in range(3 * len(keys) + 3):
        page = finalize_list_objects(params, stored(keys, params, db_limit), db_limit)
        yield page
        assert page.is_truncated == (page.next_continuation_token is not None)
        if page.next_continuation_token is None:
            return
        token = through_xml(page.next_continuation_token)
        params = ListObjectsParams(params.bucket, params.prefix, params.delimiter, params.max_keys, token)
    raise AssertionError("the listing does not end")


def model(keys: list[str], prefix: str, delimiter: str | None) -> tuple[list[str], list[str]]:
    """All keys and all common prefixes that a listing shows, each in order of bytes."""
    plain: set[str] = set()
    folded: set[str] = set()
    for key in keys:
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if key.startswith(prefix):
            (folded if found else plain).add(f"{prefix}{head}{found}" if found else key)
    return sorted(plain, key=in_bytes), sorted(folded, key=in_bytes)


def check_listing(keys: list[str], params: ListObjectsParams, db_limit: int) -> list[ListObjectsResult]:
    """Every key and every common prefix is listed once, in order, on pages that are not too large."""
    listing = list(pages(keys, params, db_limit))
    plain, folded = model(keys, params.prefix, params.delimiter)
    assert [row.key for page in listing for row in page.objects] == plain
    assert [name for page in listing for name in page.common_prefixes] == folded
    entries = [sorted([*(row.key for row in page.objects), *page.common_prefixes], key=in_bytes) for page in listing]
    assert [entry for page in entries for entry in page] == sorted(plain + folded, key=in_bytes)
    assert max(len(page) for page in entries) <= params.max_keys
    return listing


@given(keys=st.lists(KEYS, unique=True, max_size=30), prefix=PREFIXES, delimiter=DELIMITERS, max_keys=st.integers(1, 9))
def test_lst2_004_paging_lists_every_entry_once(
    keys: list[str], prefix: str, delimiter: str | None, max_keys: int
) -> None:
    limit = compute_list_objects_db_limit(max_keys, delimiter)
    listing = check_listing(keys, ListObjectsParams("b", prefix, delimiter, max_keys), limit)
    # Fewer rows than a batch hold everything, so that only the last page may have room left.
    for page in listing[:-1]:
        assert len(page.objects) + len(page.common_prefixes) == max_keys


@given(
    keys=st.lists(KEYS, unique=True, max_size=30),
    prefix=PREFIXES,
    delimiter=DELIMITERS,
    max_keys=st.integers(1, 9),
    db_limit=st.integers(1, 12),
)
@example([f"a{LAST}{digit}" for digit in "12345"] + ["b"], "", "a", 1, 2)
@example(["a/1", "a/2", f"a/{LAST}1", f"a/{LAST}2", f"a/{LAST}3", "b"], "", "/", 2, 1)
def test_lst2_004_paging_with_batches_that_end_anywhere_lists_every_entry_once(
    keys: list[str], prefix: str, delimiter: str | None, max_keys: int, db_limit: int
) -> None:
    check_listing(keys, ListObjectsParams("b", prefix, delimiter, max_keys), db_limit)


@given(keys=st.lists(ODD_TEXT.filter(bool), unique=True, max_size=12), delimiter=DELIMITERS, db_limit=st.integers(1, 5))
def test_paging_over_keys_of_any_characters(keys: list[str], delimiter: str | None, db_limit: int) -> None:
    check_listing(keys, ListObjectsParams("b", "", delimiter, 2), db_limit)


@given(ODD_TEXT)
def test_a_token_survives_xml_and_gives_back_its_key(key: str) -> None:
    token = encode_token(key)
    assert through_xml(token) == token
    assert decode_token(token) == key


@given(ODD_TEXT)
def test_a_token_can_be_printed(key: str) -> None:
    assert encode_token(key).isprintable()


@given(st.text(st.characters(exclude_characters="%", categories=["L", "M", "N", "P", "S"]), max_size=20))
def test_a_token_is_the_raw_key_where_all_of_it_can_be_printed(key: str) -> None:
    assert encode_token(key) == key


@pytest.mark.parametrize(
    ("key", "token"),
    [
        ("photos/2024/a b+c&d<é𝄞", "photos/2024/a b+c&d<é𝄞"),
        ("100%", "100%25"),
        ("a%2Fb", "a%252Fb"),
        ("a\r\n\tb\0", "a%0D%0A%09b%00"),
        ("\x7f\x85\u2028", "%7F%C2%85%E2%80%A8"),
        ("\ufffd\ufffe\uffff", "\ufffd%EF%BF%BE%EF%BF%BF"),
        ("\ud83d\ude00", "%ED%A0%BD%ED%B8%80"),
        (f"dir/{LAST}", "dir/%F4%8F%BF%BF"),
    ],
)
def test_what_tokens_look_like(key: str, token: str) -> None:
    assert encode_token(key) == token
    assert decode_token(token) == key


def test_escapes_may_be_in_lower_case() -> None:
    assert decode_token("%e2%82%ac%0a") == "€\n"


@pytest.mark.parametrize("token", ["%", "a%2", "%zz", "%%25", "%25%", "%0xA"])
def test_a_token_with_a_broken_escape_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="begins no escape"):
        decode_token(token)


@pytest.mark.parametrize("token", ["%FF", "a%C3b", "%80"])
def test_a_token_whose_escapes_are_not_utf_8_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="not UTF-8") as caught:
        finalize_list_objects(ListObjectsParams("b", continuation_token=token), [], 1)
    assert not isinstance(caught.value, UnicodeError)


@pytest.mark.parametrize(
    ("max_keys", "delimiter", "limit"),
    [
        (0, None, 1),
        (1, None, 2),
        (1000, "", 1001),
        (5000, None, 5001),
        (0, "/", 100),
        (1, "/", 110),
        (989, "/", 9990),
        (990, "/", 10_000),
        (1000, "/", 10_000),
        (100_000, "ab", 10_000),
    ],
)
def test_how_many_rows_a_page_needs(max_keys: int, delimiter: str | None, limit: int) -> None:
    assert compute_list_objects_db_limit(max_keys, delimiter) == limit


def test_rows_fold_at_the_first_delimiter_behind_the_prefix() -> None:
    rows = rows_of("p/a", "p/b//", "p/b/c/d", "p/b/e", "p/c", "p/d/")
    result = build_list_result(rows, "p/", "/", 10)
    assert result == ListResult((rows[0], rows[4]), ("p/b/", "p/d/"), is_truncated=False)
    assert build_list_result(rows, "p", "/", 10) == ListResult((), ("p/",))
    assert build_list_result(rows, "p/", "//", 10).common_prefixes == ("p/b//",)


@pytest.mark.parametrize("delimiter", [None, ""])
def test_no_delimiter_folds_nothing(delimiter: str | None) -> None:
    rows = rows_of("a/b", "a/c", "d")
    assert build_list_result(rows, "", delimiter, 3) == ListResult(tuple(rows))
    assert build_list_result(rows, "", delimiter, 2) == ListResult(tuple(rows[:2]), (), True, "a/c")


def test_a_row_is_passed_through_as_it_is() -> None:
    row = S3ObjectListing("k", 7, datetime(2024, 5, 6, tzinfo=UTC), '"e"')
    assert finalize_list_objects(ListObjectsParams("b"), [row], 1001).objects == (row,)


def test_objects_and_prefixes_count_together_and_a_listed_prefix_costs_nothing() -> None:
    rows = rows_of("a", "b/1", "b/2", "b/3", "c", "d")
    assert build_list_result(rows, "", "/", 2) == ListResult((rows[0],), ("b/",), True, "b/3")
    assert build_list_result(rows, "", "/", 3) == ListResult((rows[0], rows[4]), ("b/",), True, "c")
    assert build_list_result(rows[:4], "", "/", 2) == ListResult((rows[0],), ("b/",))


def test_the_token_of_a_page_is_encoded() -> None:
    assert build_list_result(rows_of("a\n", "b"), "", None, 1).next_continuation_token == "a%0A"


@pytest.mark.parametrize("max_keys", [0, -1])
def test_a_page_of_no_entries_is_truncated_without_a_token_if_there_are_rows(max_keys: int) -> None:
    assert build_list_result(rows_of("a"), "", "/", max_keys) == ListResult(is_truncated=True)
    assert build_list_result([], "", "/", max_keys) == ListResult()
    page = finalize_list_objects(ListObjectsParams("b", "p", None, max_keys), rows_of("pa"), 1)
    assert page == ListObjectsResult("b", "p", max_keys, is_truncated=True)


def test_common_prefixes_are_in_order_of_bytes_not_of_utf_16() -> None:
    rows = rows_of("\uff61/", "𝄞/")
    assert [row.key for row in sorted(rows, key=lambda row: row.key.encode("utf-16-be"))] == ["𝄞/", "\uff61/"]
    assert build_list_result(rows, "", "/", 9).common_prefixes == ("\uff61/", "𝄞/")


def test_a_directory_larger_than_a_batch_is_skipped_with_one_token() -> None:
    """The case in which the original answers with a token that no XML document can hold."""
    keys = [*(f"dir/{number:05}" for number in range(250)), "tail"]
    params = ListObjectsParams("b", "", "/", 1)
    assert compute_list_objects_db_limit(1, "/") == 110
    first, second = check_listing(keys, params, 110)
    assert first == ListObjectsResult("b", "", 1, (), ("dir/",), True, encode_token(f"dir/{LAST}"))
    assert second == ListObjectsResult("b", "", 1, (S3ObjectListing("tail"),))


def test_a_full_batch_that_ends_in_an_object_goes_on_behind_it() -> None:
    page = finalize_list_objects(ListObjectsParams("b", "", "/", 5), rows_of("a/1", "a/2", "b%"), 3)
    assert (page.is_truncated, page.next_continuation_token) == (True, "b%25")


@pytest.mark.parametrize("db_limit", [1, 2])
def test_a_batch_with_more_rows_than_asked_for_is_full_as_well(db_limit: int) -> None:
    assert finalize_list_objects(ListObjectsParams("b"), rows_of("a", "b"), db_limit).next_continuation_token == "b"


def test_a_batch_that_is_not_full_is_the_last() -> None:
    page = finalize_list_objects(ListObjectsParams("b", "", "/", 2), rows_of("a/1", "a/2"), 3)
    assert page == ListObjectsResult("b", "", 2, (), ("a/",))


def test_lst2_022_a_key_written_into_a_listed_prefix_does_not_list_it_again() -> None:
    params = ListObjectsParams("b", "", "/", 1)
    token = finalize_list_objects(params, rows_of("a/1", "b"), 110).next_continuation_token
    assert token == "a/1"
    page = finalize_list_objects(ListObjectsParams("b", "", "/", 1, token), rows_of("a/2", "b"), 110)
    assert page == ListObjectsResult("b", "", 1, (S3ObjectListing("b"),))


@pytest.mark.parametrize("db_limit", [0, -1])
def test_a_batch_of_no_rows_is_refused(db_limit: int) -> None:
    with pytest.raises(ValueError, match=f"db_limit must be at least 1, not {db_limit}"):
        finalize_list_objects(ListObjectsParams("b"), [], db_limit)


def test_etags_of_small_objects() -> None:
    assert md5_hex(b"") == EMPTY_MD5
    assert md5_hex(b"test data..") == "e6d9226c2a86b7232933663c13467527"
    assert format_etag(EMPTY_MD5) == f'"{EMPTY_MD5}"'


@pytest.mark.parametrize("spelling", [str, format_etag, str.upper, lambda md5: format_etag(md5.upper())])
@pytest.mark.parametrize("upload", VECTORS["multipart"], ids=lambda upload: upload["etag"])
def test_mpc_022_etags_of_multipart_objects_recorded_on_s3(
    upload: dict[str, Any], spelling: Callable[[str], str]
) -> None:
    parts = [md5_hex(text.encode() * count) for text, count in upload["parts"]]
    assert multipart_etag(spelling(part) for part in parts) == f'"{upload["etag"]}"'


@pytest.mark.parametrize(
    "etag",
    ["", '""', EMPTY_MD5[:-1], f"{EMPTY_MD5}0", f"{EMPTY_MD5}-1", f'W/"{EMPTY_MD5}"', f'"{EMPTY_MD5}', "z" * 32],
)
def test_what_is_no_part_etag_is_refused(etag: str) -> None:
    with pytest.raises(ValueError, match="32 hex digits"):
        multipart_etag([EMPTY_MD5, etag])


def test_an_object_of_no_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        multipart_etag([])


def test_the_module_needs_nothing_but_the_standard_library() -> None:
    """Imported without site-packages; the type checker's imports do not count."""
    program = (
        "import sys, reference_server.building_blocks\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names - set(sys.stdlib_module_names) - {'__main__', '__mp_main__'}))"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-S", "-c", program]
    ended = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True, timeout=60)
    assert ended.stdout == "['reference_server']\n", ended.stderr
