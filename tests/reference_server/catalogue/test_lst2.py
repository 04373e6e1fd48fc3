"""LST2: ListObjectsV2, the second version of the listing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.reference_server.catalogue.steps import Upload, fields, fill, names, refusal, texts, tree

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from conftest import Raw

KEYS = ("a", "d/1", "d/2", "d/s/3", "e", "f/g/1", "f/g/2", "z")
ROLLED = ["a", "d/", "e", "f/", "z"]


@pytest.fixture
def full(raw: Raw, bucket: str) -> str:
    """A bucket with KEYS."""
    fill(raw, bucket, *KEYS)
    return bucket


def listed(raw: Raw, bucket: str, **parameters: object) -> ET.Element:
    """The listing as a tree; underscores in names stand for dashes."""
    pairs = {"list-type": 2} | {name.replace("_", "-"): value for name, value in parameters.items()}
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in pairs.items())
    reply = raw("GET", f"/{bucket}?{query}")
    assert reply.status == 200
    root = tree(reply)
    assert root.tag == "ListBucketResult"
    return root


def keys(root: ET.Element) -> list[str]:
    """Keys in the order of the listing."""
    return texts(root, "Contents/Key")


def prefixes(root: ET.Element) -> list[str]:
    """Common prefixes in the order of the listing."""
    return texts(root, "CommonPrefixes/Prefix")


def pages(raw: Raw, bucket: str, **parameters: object) -> list[ET.Element]:
    """All pages, each by the token of the one before."""
    found = [listed(raw, bucket, **parameters)]
    while token := found[-1].findtext("NextContinuationToken"):
        assert len(found) < 20
        found.append(listed(raw, bucket, **parameters, continuation_token=token))
    return found


@pytest.mark.catalogue("LST2-001")
@pytest.mark.parametrize(
    ("parameters", "counts"),
    [({}, [8]), ({"delimiter": "/"}, [5]), ({"delimiter": "/", "max_keys": 2}, [2, 2, 1]), ({"prefix": "none"}, [0])],
)
def test_the_key_count_is_of_keys_and_prefixes_of_the_page(
    raw: Raw, full: str, parameters: dict[str, object], counts: list[int]
) -> None:
    """What a client sees on this page, not on all of them."""
    found = pages(raw, full, **parameters)
    assert [len(keys(page)) + len(prefixes(page)) for page in found] == counts
    assert [page.findtext("KeyCount") for page in found] == [str(count) for count in counts]


@pytest.mark.catalogue("LST2-002")
@pytest.mark.parametrize("size", [1, 4, 7, 8, 9])
def test_a_next_token_is_there_exactly_when_the_page_is_truncated(raw: Raw, full: str, size: int) -> None:
    """Also when the last page is full."""
    found = pages(raw, full, max_keys=size)
    assert len(found) == -(-len(KEYS) // size)
    truncated = [page.findtext("IsTruncated") for page in found]
    assert truncated == ["true"] * (len(found) - 1) + ["false"]
    assert ["NextContinuationToken" in names(page) for page in found] == [value == "true" for value in truncated]


@pytest.mark.catalogue("LST2-003")
def test_the_token_is_echoed_on_the_page_it_led_to(raw: Raw, full: str) -> None:
    """The first page has none."""
    first, *rest = pages(raw, full, max_keys=3)
    assert "ContinuationToken" not in names(first)
    for before, page in zip([first, *rest], rest, strict=False):
        assert page.findtext("ContinuationToken") == before.findtext("NextContinuationToken")


@pytest.mark.catalogue("LST2-004")
@pytest.mark.parametrize("size", range(1, 10))
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_of_any_size_give_every_entry_once_in_order(raw: Raw, full: str, size: int, delimiter: str) -> None:
    """Entries of a page are sorted by kind, the pages by all of them."""
    found = pages(raw, full, max_keys=size, delimiter=delimiter)
    assert all(keys(page) == sorted(keys(page)) for page in found)
    assert all(prefixes(page) == sorted(prefixes(page)) for page in found)
    entries = [entry for page in found for entry in sorted(keys(page) + prefixes(page))]
    assert entries == (ROLLED if delimiter else list(KEYS))


@pytest.mark.catalogue("LST2-005")
def test_a_token_is_opaque_and_fit_for_a_url(raw: Raw, bucket: str) -> None:
    """It is not the key, and works whatever characters the key has."""
    awkward = ["a b", "c+d", "e&f=g", "h%2Fi", "j\u0001k", "l/é", "m😀", "n"]
    fill(raw, bucket, *awkward)
    found = pages(raw, bucket, max_keys=1, encoding_type="url")
    assert len(found) == len(awkward)
    for page, key in zip(found[:-1], awkward, strict=False):
        token = page.findtext("NextContinuationToken") or ""
        assert token.isascii()
        assert token.isprintable()
        assert token not in (key, quote(key), quote(key, safe=""))


@pytest.mark.catalogue("LST2-006")
@pytest.mark.parametrize(("after", "first"), [("a", "d/1"), ("d/1", "d/2"), ("b", "d/1")])
def test_start_after_leaves_its_own_key_out(raw: Raw, full: str, after: str, first: str) -> None:
    """It need not be a key, and is echoed."""
    root = listed(raw, full, start_after=after)
    assert (keys(root), root.findtext("StartAfter")) == (list(KEYS[KEYS.index(first) :]), after)


@pytest.mark.catalogue("LST2-007")
def test_a_token_outweighs_start_after(raw: Raw, full: str) -> None:
    """Which then is not echoed either."""
    token = listed(raw, full, max_keys=2).findtext("NextContinuationToken")
    page = listed(raw, full, continuation_token=token, start_after="f")
    assert keys(page) == list(KEYS[2:])
    assert "StartAfter" not in names(page)


@pytest.mark.catalogue("LST2-008")
def test_an_empty_token_is_refused(raw: Raw, full: str) -> None:
    """It is no token of the server, nor taken for none."""
    reply = raw("GET", f"/{full}?list-type=2&continuation-token=")
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "continuation-token")


@pytest.mark.catalogue("LST2-009")
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_damaged_token_is_refused(raw: Raw, bucket: str, size: int) -> None:
    """Cut, lengthened, changed in any one place, or made up."""
    fill(raw, bucket, "@", "@@", "@@@", "z")
    token = listed(raw, bucket, max_keys=size).findtext("NextContinuationToken") or ""
    damaged = [token[:at] + ("B" if token[at] == "A" else "A") + token[at + 1 :] for at in range(len(token))]
    for wrong in (*damaged, token[:-1], f"{token}AAAA", "@", "not!a token"):
        reply = raw("GET", f"/{bucket}?list-type=2&continuation-token={quote(wrong, safe='')}")
        assert refusal(reply) == (400, "InvalidArgument"), wrong


@pytest.mark.catalogue("LST2-010")
def test_owners_are_shown_on_request_only(raw: Raw, full: str) -> None:
    """Unlike in the first version."""
    for parameters in ({}, {"fetch_owner": "false"}):
        assert listed(raw, full, **parameters).findall("Contents/Owner") == []
    owner = tree(raw("GET", "/")).findtext("Owner/ID")
    assert texts(listed(raw, full, fetch_owner="true"), "Contents/Owner/ID") == [owner] * len(KEYS)


@pytest.mark.catalogue("LST2-012")
@pytest.mark.parametrize(
    ("prefix", "children", "rolled"),
    [("d/", ["d/1", "d/2"], ["d/s/"]), ("f/", [], ["f/g/"]), ("d", [], ["d/"]), ("f/g/", ["f/g/1", "f/g/2"], [])],
)
def test_prefix_and_delimiter_show_one_level(
    raw: Raw, full: str, prefix: str, children: list[str], rolled: list[str]
) -> None:
    """Direct children as keys, whatever is deeper as a prefix."""
    root = listed(raw, full, prefix=prefix, delimiter="/")
    assert (keys(root), prefixes(root)) == (children, rolled)


@pytest.mark.catalogue("LST2-014")
@pytest.mark.parametrize("delimiter", ["--", "/x/", "é=", "aa"])
def test_delimiters_may_have_several_characters(raw: Raw, bucket: str, delimiter: str) -> None:
    """The first occurrence of the whole delimiter ends the prefix; a part of it does not."""
    stored = {f"1{delimiter}a", f"1{delimiter}{delimiter}b", f"2{delimiter[:-1]}", f"2{delimiter[0]}c", "3"}
    fill(raw, bucket, *stored)
    root = listed(raw, bucket, delimiter=delimiter)
    rolled = {key[: key.index(delimiter) + len(delimiter)] for key in stored if delimiter in key}
    assert prefixes(root) == sorted(rolled, key=str.encode)
    assert keys(root) == sorted((key for key in stored if delimiter not in key), key=str.encode)
    assert root.findtext("Delimiter") == delimiter


@pytest.mark.catalogue("LST2-015")
def test_every_common_prefix_has_an_element_of_its_own(raw: Raw, full: str) -> None:
    """No list is wrapped around them."""
    root = listed(raw, full, delimiter="/")
    assert [fields(element) for element in root.findall("CommonPrefixes")] == [{"Prefix": "d/"}, {"Prefix": "f/"}]


@pytest.mark.catalogue("LST2-016")
def test_names_are_url_encoded_on_request(raw: Raw, bucket: str) -> None:
    """A slash stays, a space is a plus, and the signs that mean something in a query are escaped."""
    fill(raw, bucket, "p /q+r=s", "p /t=/u")
    root = listed(raw, bucket, encoding_type="url", prefix="p /", delimiter="=/", start_after="p /+ =")
    assert (keys(root), prefixes(root)) == (["p+/q%2Br%3Ds"], ["p+/t%3D/"])
    expected = {"EncodingType": "url", "Prefix": "p+/", "Delimiter": "%3D/", "StartAfter": "p+/%2B+%3D"}
    assert expected.items() <= fields(root).items()


@pytest.mark.catalogue("LST2-017")
def test_names_are_not_encoded_unless_asked(raw: Raw, bucket: str) -> None:
    """Percent signs, spaces and non-ASCII letters stand in the document as they are; markup is escaped."""
    fill(raw, bucket, "a%20b c/é+=", "<&>")
    reply = raw("GET", f"/{bucket}?list-type=2&prefix=a%2520")
    assert "<Key>a%20b c/é+=</Key>" in reply.body.decode()
    assert "<Prefix>a%20</Prefix>" in reply.body.decode()
    assert b"EncodingType" not in reply.body
    assert b"<Key>&lt;&amp;&gt;</Key>" in raw("GET", f"/{bucket}?list-type=2").body


@pytest.mark.catalogue("LST2-018")
@pytest.mark.parametrize("key", ["&", "<", ">", '"', "'", "&amp;", "<a/>", "]]>", "a&b<c>d\"e'f", "&#x41;"])
def test_markup_in_keys_survives_the_document(raw: Raw, bucket: str, key: str) -> None:
    """Also in a prefix, a delimiter and a common prefix."""
    fill(raw, bucket, key, f"{key}/x{key}y")
    assert keys(listed(raw, bucket)) == [key, f"{key}/x{key}y"]
    root = listed(raw, bucket, prefix=f"{key}/", delimiter=key)
    assert (prefixes(root), root.findtext("Prefix"), root.findtext("Delimiter")) == ([f"{key}/x{key}"], f"{key}/", key)


@pytest.mark.catalogue("LST2-019")
def test_the_document_tells_its_facts_before_its_entries(raw: Raw, full: str) -> None:
    """A parser that reads as it goes knows the name of the bucket, and all else but the prefixes, before the keys."""
    found = names(listed(raw, full, delimiter="/", max_keys=3, start_after="0", encoding_type="url"))
    first = found.index("Contents")
    assert found[0] == "Name"
    assert set(found[first:]) == {"Contents", "CommonPrefixes"}
    assert {"Prefix", "KeyCount", "MaxKeys", "IsTruncated", "NextContinuationToken", "Delimiter"} <= set(found[:first])


@pytest.mark.catalogue("LST2-020")
def test_a_page_of_none_is_not_truncated(raw: Raw, full: str) -> None:
    """There is nothing to go on from."""
    root = listed(raw, full, max_keys=0)
    assert (keys(root), root.findtext("KeyCount"), root.findtext("IsTruncated")) == ([], "0", "false")
    assert "NextContinuationToken" not in names(root)


@pytest.mark.catalogue("LST2-021")
def test_an_unknown_bucket_cannot_be_listed(raw: Raw) -> None:
    """The error names the bucket."""
    reply = raw("GET", "/no-such-bucket-here?list-type=2")
    assert refusal(reply, "BucketName") == (404, "NoSuchBucket", "no-such-bucket-here")


@pytest.mark.catalogue("LST2-022")
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_changes_between_pages_repeat_nothing(raw: Raw, full: str, delimiter: str) -> None:
    """The listing goes on behind the place of the token, even if the key of that place is gone."""
    first = listed(raw, full, max_keys=2, delimiter=delimiter)
    shown = keys(first) + prefixes(first)
    raw("DELETE", f"/{full}/d/1")
    raw("DELETE", f"/{full}/e")
    fill(raw, full, "0", "b", "d/0", "d/x", "x")
    token = first.findtext("NextContinuationToken")
    rest = listed(raw, full, delimiter=delimiter, continuation_token=token)
    assert shown == (["a", "d/"] if delimiter else ["a", "d/1"])
    expected = ["f/", "x", "z"] if delimiter else ["d/2", "d/s/3", "d/x", "f/g/1", "f/g/2", "x", "z"]
    assert sorted(keys(rest) + prefixes(rest)) == expected


@pytest.mark.catalogue("LST2-024")
def test_unfinished_uploads_are_not_listed(raw: Raw, bucket: str) -> None:
    """Neither as keys nor in common prefixes, until they are completed."""
    uploads = [Upload(raw, f"/{bucket}/{key}") for key in ("k", "d/k")]
    for upload in uploads:
        upload.part(1, b"x")
    for parameters in ({}, {"delimiter": "/"}):
        assert listed(raw, bucket, **parameters).findtext("KeyCount") == "0"
    assert all(upload.finish(b"x").status == 200 for upload in uploads)
    root = listed(raw, bucket, delimiter="/")
    assert (keys(root), prefixes(root)) == (["k"], ["d/"])
