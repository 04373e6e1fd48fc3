"""LMU: the list of unfinished multipart uploads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.reference_server.catalogue.steps import Upload, fields, names, refusal, texts, tree

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from conftest import Raw

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")


def begun(raw: Raw, bucket: str, *keys: str) -> list[str]:
    """Ids of new uploads of these keys."""
    return [Upload(raw, f"/{bucket}/{quote(key)}").id for key in keys]


def listed(raw: Raw, bucket: str, query: str = "") -> ET.Element:
    """The list of uploads, as a tree."""
    reply = raw("GET", f"/{bucket}?uploads{query}")
    assert reply.status == 200
    root = tree(reply)
    assert root.tag == "ListMultipartUploadsResult"
    return root


def ids(root: ET.Element) -> list[str]:
    """Upload ids in the order of the list."""
    return texts(root, "Upload/UploadId")


def prefixes(root: ET.Element) -> list[str]:
    """Common prefixes in the order of the list."""
    return texts(root, "CommonPrefixes/Prefix")


@pytest.mark.catalogue("LMU-002")
def test_an_upload_is_listed_with_all_its_facts(raw: Raw, bucket: str) -> None:
    """Key, id, time, storage class, and by id who owns and who began it."""
    upload = Upload(raw, f"/{bucket}/k", {"x-amz-storage-class": "STANDARD_IA"})
    Upload(raw, f"/{bucket}/l")
    entries = listed(raw, bucket).findall("Upload")
    owner = tree(raw("GET", "/")).findtext("Owner/ID")
    assert owner
    for entry, key, kept in zip(entries, ("k", "l"), ("STANDARD_IA", "STANDARD"), strict=True):
        assert (entry.findtext("Key"), entry.findtext("StorageClass")) == (key, kept)
        assert (entry.findtext("Owner/ID"), entry.findtext("Initiator/ID")) == (owner, owner)
        assert entry.findtext("Initiated")
    assert ids(listed(raw, bucket))[0] == upload.id


@pytest.mark.catalogue("LMU-003")
def test_the_next_markers_name_the_last_upload_shown(raw: Raw, bucket: str) -> None:
    """They are there on every page, empty if it shows none."""
    first = {"NextKeyMarker": "", "NextUploadIdMarker": ""}
    assert first.items() <= fields(listed(raw, bucket)).items()
    (_, b) = begun(raw, bucket, "a", "b")
    whole = fields(listed(raw, bucket))
    assert (whole["NextKeyMarker"], whole["NextUploadIdMarker"], whole["IsTruncated"]) == ("b", b, "false")
    behind = fields(listed(raw, bucket, "&key-marker=b"))
    assert (behind["NextKeyMarker"], behind["NextUploadIdMarker"]) == ("", "")


@pytest.mark.catalogue("LMU-007")
@pytest.mark.parametrize("key", ["a", "c"])
def test_an_upload_id_marker_must_belong_to_the_key_marker(raw: Raw, bucket: str, key: str) -> None:
    """The id of another key's upload, or one that never was, is an invalid argument."""
    (_, b) = begun(raw, bucket, "a", "b")
    for marker in (b, "never"):
        reply = raw("GET", f"/{bucket}?uploads&key-marker={key}&upload-id-marker={marker}")
        assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "upload-id-marker")


@pytest.mark.catalogue("LMU-008")
def test_the_page_size_is_1000_unless_less_is_asked_for(raw: Raw, bucket: str) -> None:
    """The echo says which, and a page that leaves something out says so."""
    found = begun(raw, bucket, "a", "b", "c")
    whole = listed(raw, bucket)
    assert (ids(whole), whole.findtext("MaxUploads"), whole.findtext("IsTruncated")) == (found, "1000", "false")
    page = listed(raw, bucket, "&max-uploads=2")
    assert (ids(page), page.findtext("MaxUploads"), page.findtext("IsTruncated")) == (found[:2], "2", "true")
    exact = listed(raw, bucket, "&max-uploads=3")
    assert (ids(exact), exact.findtext("IsTruncated")) == (found, "false")


@pytest.mark.catalogue("LMU-009")
def test_prefix_and_delimiter_fold_uploads_into_items_of_the_page(raw: Raw, bucket: str) -> None:
    """A group counts once, however many uploads are in it."""
    found = begun(raw, bucket, "d/a/1", "d/a/2", "d/b", "d/c/1", "e")
    root = listed(raw, bucket, "&prefix=d%2F&delimiter=%2F")
    assert (ids(root), prefixes(root)) == ([found[2]], ["d/a/", "d/c/"])
    assert (root.findtext("Prefix"), root.findtext("Delimiter")) == ("d/", "/")
    page = listed(raw, bucket, "&prefix=d%2F&delimiter=%2F&max-uploads=2")
    assert (ids(page), prefixes(page), page.findtext("IsTruncated")) == ([found[2]], ["d/a/"], "true")
    whole = listed(raw, bucket, "&prefix=d%2F&delimiter=%2F&max-uploads=3")
    assert whole.findtext("IsTruncated") == "false"
    assert ids(listed(raw, bucket, "&prefix=d%2F")) == found[:4]


@pytest.mark.catalogue("LMU-010")
def test_a_page_that_ends_in_a_common_prefix_has_empty_markers(raw: Raw, bucket: str) -> None:
    """A prefix is no upload that a marker could name."""
    begun(raw, bucket, "a", "d/1", "e")
    page = listed(raw, bucket, "&delimiter=%2F&max-uploads=2")
    assert (prefixes(page), page.findtext("IsTruncated")) == (["d/"], "true")
    assert {"NextKeyMarker": "", "NextUploadIdMarker": ""}.items() <= fields(page).items()


@pytest.mark.catalogue("LMU-011")
@pytest.mark.parametrize("marker", ["d/", "d/1", "d/5", "d/zzz"])
def test_a_key_marker_in_a_group_skips_all_of_it(raw: Raw, bucket: str, marker: str) -> None:
    """Behind any of its keys, or behind the prefix itself, the group is over."""
    found = begun(raw, bucket, "a", "d/1", "d/5", "e")
    page = listed(raw, bucket, f"&delimiter=%2F&key-marker={quote(marker, safe='')}")
    assert (ids(page), prefixes(page)) == ([found[3]], [])
    before = listed(raw, bucket, "&delimiter=%2F&key-marker=d")
    assert (ids(before), prefixes(before)) == ([found[3]], ["d/"])


@pytest.mark.catalogue("LMU-012")
def test_keys_are_url_encoded_on_request(raw: Raw, bucket: str) -> None:
    """Keys, prefixes, markers and the delimiter; a space is a plus and a slash stays."""
    begun(raw, bucket, "p (1)+/a", "p (1)+b c")
    root = listed(raw, bucket, "&encoding-type=url&delimiter=%2F&prefix=p%20%28&key-marker=p%20")
    assert texts(root, "Upload/Key") == ["p+%281%29%2Bb+c"]
    assert prefixes(root) == ["p+%281%29%2B/"]
    found = fields(root)
    assert (found["EncodingType"], found["Prefix"], found["KeyMarker"]) == ("url", "p+%28", "p+")
    assert (found["NextKeyMarker"], found["Delimiter"]) == ("p+%281%29%2Bb+c", "/")
    assert "EncodingType" not in names(listed(raw, bucket))


@pytest.mark.catalogue("LMU-013")
@pytest.mark.parametrize("kind", ["base64", "URL", ""])
def test_other_encodings_are_refused(raw: Raw, bucket: str, kind: str) -> None:
    """There is no other than url."""
    reply = raw("GET", f"/{bucket}?uploads&encoding-type={kind}")
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "encoding-type")


@pytest.mark.catalogue("LMU-014")
@pytest.mark.parametrize("query", ["uploads&uploadId=x", "uploadId=x&uploads"])
def test_all_uploads_and_one_upload_cannot_be_asked_for_together(raw: Raw, bucket: str, query: str) -> None:
    """The two parameters mean different operations."""
    for target in (f"/{bucket}", f"/{bucket}/k"):
        assert refusal(raw("GET", f"{target}?{query}")) == (400, "InvalidArgument")


@pytest.mark.catalogue("LMU-015")
def test_initiated_has_three_zero_decimals(raw: Raw, bucket: str) -> None:
    """The time is ISO 8601 in UTC, to the second."""
    begun(raw, bucket, "k")
    assert TIME.fullmatch(listed(raw, bucket).findtext("Upload/Initiated") or "")


@pytest.mark.catalogue("LMU-016")
def test_uploads_of_an_unknown_bucket_cannot_be_listed(raw: Raw) -> None:
    """The error names the bucket."""
    reply = raw("GET", "/no-such-bucket-here?uploads")
    assert refusal(reply, "BucketName") == (404, "NoSuchBucket", "no-such-bucket-here")
