"""LST1: ListObjects, the first version of the listing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.reference_server.catalogue.steps import fields, fill, md5, names, refusal, texts, tree

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from conftest import Raw, Running

# Three levels, and keys that sort differently by bytes, by number and by letter case.
KEYS = ("Z", "a", "d/1", "d/2", "d/s/3", "e", "é", "test_10", "test_2", "😀")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")


@pytest.fixture
def full(raw: Raw, bucket: str) -> str:
    """A bucket with KEYS."""
    fill(raw, bucket, *KEYS)
    return bucket


def listed(raw: Raw, bucket: str, **parameters: object) -> ET.Element:
    """The listing as a tree; underscores in names stand for dashes."""
    query = "&".join(f"{name.replace('_', '-')}={quote(str(value), safe='')}" for name, value in parameters.items())
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


@pytest.mark.catalogue("LST1-001")
def test_an_empty_bucket_lists_nothing_but_its_facts(raw: Raw, bucket: str) -> None:
    """Prefix and marker are there as empty elements, and no entry is."""
    expected = {"Name": bucket, "Prefix": "", "Marker": "", "MaxKeys": "1000", "IsTruncated": "false"}
    assert fields(listed(raw, bucket)) == expected


@pytest.mark.catalogue("LST1-002")
def test_keys_are_in_the_order_of_their_bytes(raw: Raw, full: str) -> None:
    """Digits are no numbers, capitals come first, and what is beyond ASCII last."""
    found = keys(listed(raw, full))
    assert found == sorted(KEYS, key=str.encode)
    assert found.index("test_10") < found.index("test_2")
    assert found.index("Z") < found.index("a")


@pytest.mark.catalogue("LST1-003")
@pytest.mark.parametrize("prefix", ["d", "d/", "d/s/3", "tes", "é", "none", "D"])
def test_a_prefix_selects_the_keys_that_start_with_it(raw: Raw, full: str, prefix: str) -> None:
    """And it is echoed."""
    root = listed(raw, full, prefix=prefix)
    assert keys(root) == [key for key in sorted(KEYS, key=str.encode) if key.startswith(prefix)]
    assert root.findtext("Prefix") == prefix


@pytest.mark.catalogue("LST1-004")
@pytest.mark.parametrize("delimiter", ["/", "e", "st_"])
def test_a_delimiter_rolls_keys_up(raw: Raw, full: str, delimiter: str) -> None:
    """Each common prefix ends in the delimiter and stands for all keys that go on behind it."""
    root = listed(raw, full, delimiter=delimiter)
    rolled = {key[: key.index(delimiter) + len(delimiter)] for key in KEYS if delimiter in key}
    assert prefixes(root) == sorted(rolled)
    assert keys(root) == [key for key in sorted(KEYS, key=str.encode) if delimiter not in key]
    assert root.findtext("Delimiter") == delimiter


@pytest.mark.catalogue("LST1-005")
def test_an_empty_delimiter_is_none(raw: Raw, full: str) -> None:
    """Nothing is rolled up and nothing is echoed."""
    root = listed(raw, full, delimiter="")
    assert (keys(root), prefixes(root)) == (sorted(KEYS, key=str.encode), [])
    assert "Delimiter" not in names(root)


@pytest.mark.catalogue("LST1-006")
def test_a_delimiter_is_decoded_once(raw: Raw, full: str) -> None:
    """What is encoded twice is three characters of text, which roll up only the keys that have them."""
    fill(raw, full, "x%2Fy")
    slash = raw("GET", f"/{full}?delimiter=%2F")
    assert texts(tree(slash), "CommonPrefixes/Prefix") == ["d/"]
    assert tree(slash).findtext("Delimiter") == "/"
    literal = listed(raw, full, delimiter="%2F")
    assert prefixes(literal) == ["x%2F"]
    assert set(KEYS) == set(keys(literal))
    assert literal.findtext("Delimiter") == "%2F"
    assert listed(raw, full, delimiter="%2F", encoding_type="url").findtext("Delimiter") == "%252F"


@pytest.mark.catalogue("LST1-007")
def test_keys_and_prefixes_share_a_page(raw: Raw, full: str) -> None:
    """A page of three holds three entries of whichever kind."""
    root = listed(raw, full, delimiter="/", max_keys=3)
    assert (keys(root), prefixes(root)) == (["Z", "a"], ["d/"])
    assert (root.findtext("MaxKeys"), root.findtext("IsTruncated")) == ("3", "true")


@pytest.mark.catalogue("LST1-008")
@pytest.mark.parametrize(("marker", "first"), [("a", "d/1"), ("d/1", "d/2"), ("b", "d/1"), ("d/10", "d/2")])
def test_a_listing_begins_behind_its_marker(raw: Raw, full: str, marker: str, first: str) -> None:
    """The marker itself is left out, and need not be a key."""
    root = listed(raw, full, marker=marker)
    ordered = sorted(KEYS, key=str.encode)
    assert keys(root) == ordered[ordered.index(first) :]
    assert root.findtext("Marker") == marker


@pytest.mark.catalogue("LST1-009")
def test_an_empty_marker_is_none(raw: Raw, full: str) -> None:
    """The listing begins at the first key."""
    root = listed(raw, full, marker="")
    assert (keys(root), root.findtext("Marker")) == (sorted(KEYS, key=str.encode), "")


@pytest.mark.catalogue("LST1-010")
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, None),
        ({"delimiter": "/"}, None),
        ({"max_keys": 2}, None),
        ({"max_keys": 2, "delimiter": "/"}, "a"),
        ({"max_keys": 1000, "delimiter": "/"}, None),
    ],
)
def test_the_next_marker_needs_a_truncated_page_and_a_delimiter(
    raw: Raw, full: str, parameters: dict[str, object], expected: str | None
) -> None:
    """Otherwise a client goes on behind the last key that it got."""
    assert listed(raw, full, **parameters).findtext("NextMarker") == expected


@pytest.mark.catalogue("LST1-011")
def test_a_common_prefix_as_the_next_marker_leads_behind_its_group(raw: Raw, full: str) -> None:
    """No key of the group, nor the prefix, comes again."""
    page = listed(raw, full, delimiter="/", max_keys=3)
    assert (prefixes(page), page.findtext("NextMarker")) == (["d/"], "d/")
    rest = listed(raw, full, delimiter="/", marker="d/")
    assert (keys(rest), prefixes(rest)) == (["e", "test_10", "test_2", "é", "😀"], [])


@pytest.mark.catalogue("LST1-012")
@pytest.mark.parametrize("marker", ["d/1", "d/2", "d/s/3", "d/zzz"])
def test_a_marker_inside_a_group_skips_the_group(raw: Raw, full: str, marker: str) -> None:
    """Though keys of the group are behind it."""
    root = listed(raw, full, delimiter="/", marker=marker)
    assert (keys(root), prefixes(root)) == (["e", "test_10", "test_2", "é", "😀"], [])


@pytest.mark.catalogue("LST1-015")
def test_a_page_of_none_is_not_truncated(raw: Raw, full: str) -> None:
    """There is nothing to go on from."""
    root = listed(raw, full, max_keys=0)
    assert (keys(root), root.findtext("IsTruncated"), root.findtext("MaxKeys")) == ([], "false", "0")
    rolled = listed(raw, full, max_keys=0, delimiter="/")
    assert (keys(rolled), prefixes(rolled), rolled.findtext("IsTruncated")) == ([], [], "false")


@pytest.mark.catalogue("LST1-016")
@pytest.mark.parametrize("value", ["x", "1.5", "0x10"])
def test_a_page_size_must_be_a_number(raw: Raw, bucket: str, value: str) -> None:
    """The refusal names the parameter."""
    reply = raw("GET", f"/{bucket}?max-keys={value}")
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "max-keys")


@pytest.mark.catalogue("LST1-017")
def test_names_are_url_encoded_on_request(raw: Raw, bucket: str) -> None:
    """Keys, prefixes, markers and the delimiter alike, and the answer says so."""
    fill(raw, bucket, "p+ é/1", "p+ é", "p+ é=2")
    root = listed(raw, bucket, encoding_type="url", prefix="p+", delimiter="é/", marker="p+", max_keys=2)
    assert (keys(root), prefixes(root)) == (["p%2B+%C3%A9"], ["p%2B+%C3%A9/"])
    found = fields(root)
    expected = {"EncodingType": "url", "Prefix": "p%2B", "Marker": "p%2B", "Delimiter": "%C3%A9/"}
    assert {**expected, "NextMarker": "p%2B+%C3%A9/"}.items() <= found.items()
    assert "EncodingType" not in names(listed(raw, bucket))


@pytest.mark.catalogue("LST1-018")
@pytest.mark.parametrize("kind", ["base64", "URL", ""])
def test_other_encodings_are_refused(raw: Raw, bucket: str, kind: str) -> None:
    """There is no other than url."""
    reply = raw("GET", f"/{bucket}?encoding-type={kind}")
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "encoding-type")


@pytest.mark.catalogue("LST1-019")
def test_start_after_belongs_to_the_second_version(raw: Raw, bucket: str) -> None:
    """Here it is an error, so that nobody waits for its effect."""
    assert refusal(raw("GET", f"/{bucket}?start-after=a")) == (400, "InvalidArgument")


@pytest.mark.catalogue("LST1-020")
def test_every_entry_names_its_owner(raw: Raw, full: str) -> None:
    """By the same id that the list of buckets shows."""
    owner = tree(raw("GET", "/")).findtext("Owner/ID")
    assert owner
    assert texts(listed(raw, full), "Contents/Owner/ID") == [owner] * len(KEYS)


@pytest.mark.catalogue("LST1-021")
def test_times_have_three_zero_decimals(raw: Raw, full: str) -> None:
    """ISO 8601 in UTC, 24 characters."""
    times = texts(listed(raw, full), "Contents/LastModified")
    assert len(times) == len(KEYS)
    assert all(TIME.fullmatch(time) for time in times)


@pytest.mark.catalogue("LST1-022")
@pytest.mark.parametrize("kept", ["STANDARD", "STANDARD_IA"])
def test_an_entry_has_all_facts_of_its_object(raw: Raw, bucket: str, kept: str) -> None:
    """STANDARD is spelled out here, though headers leave it away."""
    raw("PUT", f"/{bucket}/k", b"data", {"x-amz-storage-class": kept})
    (entry,) = listed(raw, bucket).findall("Contents")
    found = fields(entry)
    expected = {"Key": "k", "ETag": f'"{md5(b"data")}"', "Size": "4", "StorageClass": kept}
    assert expected.items() <= found.items()
    assert TIME.fullmatch(found["LastModified"])


@pytest.mark.catalogue("LST1-023")
def test_the_answer_names_the_region(raw: Raw, bucket: str, frankfurt: Running) -> None:
    """In both versions of the listing, in us-east-1 and elsewhere."""
    far = frankfurt.raw()
    body = (
        b"<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"
    )
    far("PUT", f"/{bucket}", body)
    for query in ("", "list-type=2"):
        assert raw("GET", f"/{bucket}?{query}").headers["x-amz-bucket-region"] == "us-east-1"
        assert far("GET", f"/{bucket}?{query}").headers["x-amz-bucket-region"] == "eu-central-1"
