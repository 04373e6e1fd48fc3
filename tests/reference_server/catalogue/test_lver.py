"""ListObjectVersions: catalogue family LVER."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.reference_server.catalogue.histories import Entry, entries, history, mark, put, versions_page
from tests.reference_server.catalogue.steps import md5, names, refusal, texts, version

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Raw


@pytest.fixture
def enabled(raw: Raw, bucket: str) -> str:
    """A bucket that keeps versions."""
    version(raw, bucket)
    return bucket


@pytest.fixture
def mixed(raw: Raw, bucket: str) -> list[Entry]:
    """Two keys with a null version, markers and versions among one another; what the bucket must show of them."""
    a, b = f"/{bucket}/a", f"/{bucket}/b"
    put(raw, a)
    version(raw, bucket)
    a1, a2, a3 = put(raw, a), mark(raw, a), put(raw, a)
    b1, b2, b3, b4 = mark(raw, b), put(raw, b), mark(raw, b), mark(raw, b)
    return [
        Entry("Version", "a", a3, latest=True),
        Entry("DeleteMarker", "a", a2, latest=False),
        Entry("Version", "a", a1, latest=False),
        Entry("Version", "a", "null", latest=False),
        Entry("DeleteMarker", "b", b4, latest=True),
        Entry("DeleteMarker", "b", b3, latest=False),
        Entry("Version", "b", b2, latest=False),
        Entry("DeleteMarker", "b", b1, latest=False),
    ]


def behind(key: str, version_id: str = "") -> str:
    """The query for what comes behind a key, or behind one version of it."""
    return f"&key-marker={quote(key, safe='')}" + (f"&version-id-marker={version_id}" if version_id else "")


def walk(raw: Raw, bucket: str, query: str, between: Callable[[list[Entry]], None] | None = None) -> list[list[Entry]]:
    """The entries of each page; `between` sees a page before the next one is asked for."""
    found: list[list[Entry]] = []
    position = ""
    while len(found) < 100:
        page = versions_page(raw, bucket, f"{query}{position}")
        found.append(entries(page))
        if page.findtext("IsTruncated") == "false":
            assert (page.find("NextKeyMarker"), page.find("NextVersionIdMarker")) == (None, None)
            return found
        position = behind(page.findtext("NextKeyMarker") or "", page.findtext("NextVersionIdMarker") or "")
        if between is not None:
            between(found[-1])
    raise AssertionError("the listing does not end")


@pytest.mark.catalogue("LVER-001", "LVER-003")
def test_the_newest_of_a_key_comes_first_and_is_the_latest(raw: Raw, bucket: str, mixed: list[Entry]) -> None:
    """Versions and delete markers share one order; of each key exactly the first entry is the latest."""
    found = history(raw, bucket)
    assert found == mixed
    assert [entry.key for entry in found if entry.latest] == ["a", "b"]


@pytest.mark.catalogue("LVER-001")
def test_the_version_below_a_deleted_one_becomes_the_latest(raw: Raw, bucket: str, mixed: list[Entry]) -> None:
    """Whether it is a version or a marker, until none is left."""
    left = list(mixed)
    for doomed in mixed:
        raw("DELETE", f"/{bucket}/{doomed.key}?versionId={doomed.id}")
        left.pop(0)
        if left and left[0].key == doomed.key:
            left[0] = left[0]._replace(latest=True)
        assert history(raw, bucket) == left


@pytest.mark.catalogue("LVER-002")
def test_the_first_page_shows_empty_markers(raw: Raw, bucket: str) -> None:
    """The elements are there, also in a bucket without anything."""
    page = versions_page(raw, bucket)
    assert page.tag == "ListVersionsResult"
    assert (page.findtext("KeyMarker"), page.findtext("VersionIdMarker")) == ("", "")
    assert names(page) == ["Name", "Prefix", "KeyMarker", "VersionIdMarker", "MaxKeys", "IsTruncated"]
    asked = versions_page(raw, bucket, behind("a", "null"))
    assert (asked.findtext("KeyMarker"), asked.findtext("VersionIdMarker")) == ("a", "null")


@pytest.mark.catalogue("LVER-003")
def test_a_delete_marker_has_neither_tag_nor_size(raw: Raw, enabled: str) -> None:
    """What a version tells about its data, a marker has not; both count against max-keys."""
    stored, marker = put(raw, f"/{enabled}/k", b"data"), mark(raw, f"/{enabled}/k")
    page = versions_page(raw, enabled)
    above, below = page.find("DeleteMarker"), page.find("Version")
    assert above is not None
    assert below is not None
    assert set(names(above)) == {"Key", "VersionId", "IsLatest", "LastModified", "Owner"}
    assert set(names(below)) - set(names(above)) >= {"ETag", "Size", "StorageClass"}
    assert (below.findtext("ETag"), below.findtext("Size")) == (f'"{md5(b"data")}"', "4")
    assert [child.tag for child in page if child.tag in ("Version", "DeleteMarker")] == ["DeleteMarker", "Version"]
    short = versions_page(raw, enabled, "&max-keys=1")
    assert [entry.id for entry in entries(short)] == [marker]
    assert short.findtext("IsTruncated") == "true"
    assert [entry.id for entry in entries(versions_page(raw, enabled, f"&max-keys=1{behind('k', marker)}"))] == [stored]


@pytest.mark.catalogue("LVER-004")
@pytest.mark.parametrize("size", range(1, 10))
def test_pages_of_any_size_join_without_gap_or_repetition(raw: Raw, bucket: str, mixed: list[Entry], size: int) -> None:
    """Key and version of the last entry lead to the next page, in the middle of a key too."""
    found = walk(raw, bucket, f"&max-keys={size}")
    assert found == [mixed[at : at + size] for at in range(0, len(mixed), size)]


@pytest.mark.catalogue("LVER-004")
def test_the_markers_of_a_cut_page_name_its_last_entry(raw: Raw, bucket: str, mixed: list[Entry]) -> None:
    """They are those that the next request sends; a full last page has none."""
    page = versions_page(raw, bucket, "&max-keys=4")
    assert (page.findtext("NextKeyMarker"), page.findtext("NextVersionIdMarker")) == ("a", "null")
    last = versions_page(raw, bucket, f"&max-keys=4{behind('a', 'null')}")
    assert entries(last) == mixed[4:]
    assert (last.find("NextKeyMarker"), last.find("NextVersionIdMarker")) == (None, None)
    none = versions_page(raw, bucket, "&max-keys=0")
    assert (entries(none), none.findtext("IsTruncated"), none.find("NextKeyMarker")) == ([], "false", None)


@pytest.mark.catalogue("LVER-005")
def test_a_key_alone_skips_all_its_versions(raw: Raw, bucket: str, mixed: list[Entry]) -> None:
    """Also a key between those that exist, and one behind all."""
    for marker, expected in (("a", mixed[4:]), ("aa", mixed[4:]), ("A", mixed), ("b", []), ("zzz", [])):
        assert history(raw, bucket, behind(marker)) == expected, marker


@pytest.mark.catalogue("LVER-006")
def test_a_version_without_its_key_is_no_position(raw: Raw, bucket: str, mixed: list[Entry]) -> None:
    """An id says nothing without the key; an empty key is none."""
    for query in (f"&version-id-marker={mixed[1].id}", f"&key-marker=&version-id-marker={mixed[1].id}"):
        found = refusal(raw("GET", f"/{bucket}?versions{query}"), "ArgumentName")
        assert found == (400, "InvalidArgument", "version-id-marker")


def test_a_position_that_is_no_version_is_refused(raw: Raw, bucket: str, mixed: list[Entry]) -> None:
    """Instead of being passed over as if the listing began there. Source: recorded against AWS."""
    found = refusal(raw("GET", f"/{bucket}?versions{behind('a', 'invalid')}"), "Message")
    assert found == (400, "InvalidArgument", "Invalid version id specified")
    assert history(raw, bucket) == mixed


@pytest.mark.catalogue("LVER-007")
def test_prefix_and_delimiter_group_versions_and_markers(raw: Raw, enabled: str) -> None:
    """A group appears once, whatever it holds; what is not in a group is listed in full."""
    top = f"/{enabled}/dir/top"
    put(raw, f"/{enabled}/dir/a/versions")
    put(raw, f"/{enabled}/dir/a/versions")
    mark(raw, f"/{enabled}/dir/b/markers")
    put(raw, f"/{enabled}/other")
    below, above = put(raw, top), mark(raw, top)
    page = versions_page(raw, enabled, "&prefix=dir%2F&delimiter=%2F")
    assert texts(page, "CommonPrefixes/Prefix") == ["dir/a/", "dir/b/"]
    assert (page.findtext("Prefix"), page.findtext("Delimiter")) == ("dir/", "/")
    assert entries(page) == [
        Entry("DeleteMarker", "dir/top", above, latest=True),
        Entry("Version", "dir/top", below, latest=False),
    ]
    page = versions_page(raw, enabled, "&prefix=dir%2Fa")
    assert (len(entries(page)), texts(page, "CommonPrefixes/Prefix")) == (2, [])
    page = versions_page(raw, enabled, "&delimiter=%2F")
    assert (texts(page, "CommonPrefixes/Prefix"), [entry.key for entry in entries(page)]) == (["dir/"], ["other"])


@pytest.mark.catalogue("LVER-008")
def test_a_page_that_ends_in_a_group_names_no_version(raw: Raw, enabled: str) -> None:
    """The next page begins behind the whole group, also if a key inside it is the marker."""
    for key in ("folder/sub/1", "folder/sub/2", "folder/sub/2", "folder/file1", "folder/file2"):
        put(raw, f"/{enabled}/{key}")
    query = "&prefix=folder%2F&delimiter=%2F&max-keys=1"
    page = versions_page(raw, enabled, f"{query}{behind('folder/file2')}")
    assert (texts(page, "CommonPrefixes/Prefix"), page.findtext("IsTruncated")) == (["folder/sub/"], "false")
    put(raw, f"/{enabled}/folder/zzz")
    page = versions_page(raw, enabled, f"{query}{behind('folder/file2')}")
    assert (texts(page, "CommonPrefixes/Prefix"), page.findtext("IsTruncated")) == (["folder/sub/"], "true")
    assert (page.findtext("NextKeyMarker"), page.find("NextVersionIdMarker")) == ("folder/sub/", None)
    for marker in ("folder/sub/", "folder/sub/1", "folder/sub/9"):
        page = versions_page(raw, enabled, f"{query}{behind(marker)}")
        assert ([entry.key for entry in entries(page)], page.find("CommonPrefixes")) == (["folder/zzz"], None), marker


@pytest.mark.catalogue("LVER-009")
def test_a_position_may_be_deleted_meanwhile(raw: Raw, enabled: str) -> None:
    """What comes behind it is the same; if nothing newer is left, the page begins with the latest."""
    path = f"/{enabled}/k"
    ids = [put(raw, path) for _ in range(5)][::-1]
    position = behind("k", ids[2])
    assert [(entry.id, entry.latest) for entry in history(raw, enabled, position)] == [
        (ids[3], False),
        (ids[4], False),
    ]
    for doomed in (ids[2], ids[0]):
        raw("DELETE", f"{path}?versionId={doomed}")
        assert [(entry.id, entry.latest) for entry in history(raw, enabled, position)] == [
            (ids[3], False),
            (ids[4], False),
        ]
    raw("DELETE", f"{path}?versionId={ids[1]}")
    assert [(entry.id, entry.latest) for entry in history(raw, enabled, position)] == [(ids[3], True), (ids[4], False)]
    for doomed in ids[3:]:
        raw("DELETE", f"{path}?versionId={doomed}")
    assert history(raw, enabled, position) == []


@pytest.mark.catalogue("LVER-009")
@pytest.mark.parametrize("size", range(1, 9))
def test_a_bucket_can_be_emptied_page_by_page(raw: Raw, bucket: str, mixed: list[Entry], size: int) -> None:
    """Everything that a page shows is gone before the next one is asked for; each entry still shows once."""

    def remove(page: list[Entry]) -> None:
        for entry in page:
            raw("DELETE", f"/{bucket}/{entry.key}?versionId={entry.id}")

    found = walk(raw, bucket, f"&max-keys={size}", remove)
    assert [(each.key, each.id) for each in itertools.chain(*found)] == [(each.key, each.id) for each in mixed]
    remove(found[-1])
    assert history(raw, bucket) == []
    assert raw("DELETE", f"/{bucket}").status == 204


@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_a_null_version_as_position_may_change_meanwhile(raw: Raw, enabled: str, change: str) -> None:
    """Nobody knows any more where it was: what was behind it is shown in any case, rather than left out."""
    path = f"/{enabled}/k"
    old = put(raw, path)
    version(raw, enabled, "Suspended")
    put(raw, path)
    version(raw, enabled)
    newest = put(raw, path)
    position = behind("k", "null")
    assert [entry.id for entry in history(raw, enabled, position)] == [old]
    if change == "replaced":
        version(raw, enabled, "Suspended")
        put(raw, path)
        assert [entry.id for entry in history(raw, enabled, position)] == [newest, old]
    else:
        raw("DELETE", f"{path}?versionId=null")
        assert {entry.id for entry in history(raw, enabled, position)} >= {old}


@pytest.mark.catalogue("LVER-010")
def test_a_bucket_without_versions_shows_null_versions(raw: Raw, bucket: str) -> None:
    """Each object once, as the latest, by key; an overwritten one has left nothing."""
    for key in ("c", "a", "b", "a"):
        put(raw, f"/{bucket}/{key}")
    assert history(raw, bucket) == [Entry("Version", key, "null", latest=True) for key in "abc"]
    found = walk(raw, bucket, "&max-keys=1")
    assert [[entry.key for entry in page] for page in found] == [["a"], ["b"], ["c"]]
    raw("DELETE", f"/{bucket}/b")
    assert [entry.key for entry in history(raw, bucket)] == ["a", "c"]


@pytest.mark.catalogue("LVER-011")
def test_an_unknown_encoding_is_refused(raw: Raw, enabled: str) -> None:
    """`url` is the only one; it changes keys, prefixes and markers, and none of the ids."""
    found = refusal(raw("GET", f"/{enabled}?versions&encoding-type=base64"), "ArgumentName")
    assert found == (400, "InvalidArgument", "encoding-type")
    stored = put(raw, f"/{enabled}/a%20%2B%26")
    page = versions_page(raw, enabled, f"&encoding-type=url&prefix=a%20&delimiter=%26{behind('a')}")
    assert page.findtext("EncodingType") == "url"
    assert (page.findtext("Prefix"), page.findtext("Delimiter")) == ("a+", "%26")
    assert texts(page, "CommonPrefixes/Prefix") == ["a+%2B%26"]
    page = versions_page(raw, enabled, "&encoding-type=url")
    assert [(entry.key, entry.id) for entry in entries(page)] == [("a+%2B%26", stored)]


@pytest.mark.catalogue("LVER-012")
@pytest.mark.parametrize("exists", [True, False])
def test_an_object_has_no_list_of_versions(raw: Raw, enabled: str, exists: bool) -> None:
    """The sub-resource belongs to the bucket; the object is not sent instead."""
    if exists:
        put(raw, f"/{enabled}/k")
    assert refusal(raw("GET", f"/{enabled}/k?versions")) == (400, "InvalidRequest")


@pytest.mark.catalogue("LVER-013")
def test_times_have_three_zero_decimals(raw: Raw, enabled: str) -> None:
    """Those of versions and those of markers."""
    put(raw, f"/{enabled}/k")
    mark(raw, f"/{enabled}/k")
    page = versions_page(raw, enabled)
    times = texts(page, "Version/LastModified") + texts(page, "DeleteMarker/LastModified")
    assert len(times) == 2
    assert [time for time in times if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", time)] == []
