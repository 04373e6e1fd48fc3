"""Conditional writes: catalogue family CWR."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.steps import Upload, md5, refusal, version

if TYPE_CHECKING:
    from conftest import Raw, Reply

FREE = {"If-None-Match": "*"}


def match(data: bytes) -> dict[str, str]:
    """The condition that the key holds these bytes."""
    return {"If-Match": f'"{md5(data)}"'}


class Pending(Upload):
    """A multipart upload whose only part is there and which waits to be completed."""

    def __init__(self, raw: Raw, path: str) -> None:
        super().__init__(raw, path)
        self._parts = [(1, self.part(1, b"part").headers["etag"], "")]

    def complete_if(self, condition: dict[str, str]) -> Reply:
        """Complete it under a condition."""
        return self.complete(self._parts, condition)


@pytest.fixture
def path(bucket: str) -> str:
    return f"/{bucket}/k"


# PutObject


@pytest.mark.catalogue("CWR-002")
@pytest.mark.parametrize("versioned", [False, True])
def test_a_deleted_key_is_free_again(raw: Raw, bucket: str, path: str, versioned: bool) -> None:
    """Whether the deletion took the object away or covered it with a marker, the key may be created anew."""
    if versioned:
        version(raw, bucket)
    raw("PUT", path, b"old")
    assert raw("PUT", path, b"early", FREE).status == 412
    raw("DELETE", path)
    assert raw("PUT", path, b"new", FREE).status == 200
    assert raw("GET", path).body == b"new"


@pytest.mark.catalogue("CWR-004")
def test_if_match_replaces_what_it_names(raw: Raw, path: str) -> None:
    """The current tag lets the write through, which makes the tag stale for the next."""
    raw("PUT", path, b"one")
    assert raw("PUT", path, b"two", match(b"one")).status == 200
    found = refusal(raw("PUT", path, b"three", match(b"one")), "Condition")
    assert found == (412, "PreconditionFailed", "If-Match")
    assert raw("GET", path).body == b"two"


@pytest.mark.catalogue("CWR-006")
def test_a_delete_marker_has_no_tag_to_match(raw: Raw, bucket: str, path: str) -> None:
    """A covered version does not count as the object."""
    version(raw, bucket)
    raw("PUT", path, b"old")
    raw("DELETE", path)
    assert refusal(raw("PUT", path, b"new", match(b"old"))) == (404, "NoSuchKey")
    assert raw("HEAD", path).status == 404


# CompleteMultipartUpload


@pytest.mark.catalogue("CWR-010")
def test_a_deletion_during_an_upload_is_a_conflict(raw: Raw, path: str) -> None:
    """The key is free, but it was not all the time."""
    raw("PUT", path, b"old")
    upload = Pending(raw, path)
    raw("DELETE", path)
    found = refusal(upload.complete_if(FREE), "Condition", "Key")
    assert found == (409, "ConditionalRequestConflict", "If-None-Match", "k")
    assert raw("HEAD", path).status == 404


@pytest.mark.catalogue("CWR-011")
@pytest.mark.parametrize("again", [b"old", b"other"])
def test_a_write_during_an_upload_is_a_conflict(raw: Raw, path: str, again: bytes) -> None:
    """The tag fits, but the object it belongs to is younger than the upload."""
    raw("PUT", path, b"old")
    upload = Pending(raw, path)
    raw("PUT", path, again)
    assert refusal(upload.complete_if(match(again))) == (409, "ConditionalRequestConflict")
    assert raw("GET", path).body == again


@pytest.mark.catalogue("CWR-012")
def test_an_upload_does_not_replace_what_it_does_not_name(raw: Raw, path: str) -> None:
    """A stale tag leaves the object, the current one lets it be replaced."""
    raw("PUT", path, b"old")
    assert refusal(Pending(raw, path).complete_if(match(b"older"))) == (412, "PreconditionFailed")
    assert raw("GET", path).body == b"old"
    assert Pending(raw, path).complete_if(match(b"old")).status == 200
    assert raw("GET", path).body == b"part"


@pytest.mark.catalogue("CWR-013")
def test_an_upload_cannot_replace_what_was_deleted(raw: Raw, path: str) -> None:
    """Without an object no tag fits."""
    raw("PUT", path, b"old")
    upload = Pending(raw, path)
    raw("DELETE", path)
    assert refusal(upload.complete_if(match(b"old"))) == (404, "NoSuchKey")


@pytest.mark.catalogue("CWR-014")
def test_a_repeated_completion_does_not_fail_for_its_own_object(raw: Raw, path: str) -> None:
    """A client that lost the answer and asks again gets it, though the key exists by now."""
    upload = Pending(raw, path)
    first, again = upload.complete_if(FREE), upload.complete_if(FREE)
    assert (first.status, again.status) == (200, 200)
    assert first.element("ETag") == again.element("ETag") != ""
    assert raw("GET", path).body == b"part"


# CopyObject


@pytest.mark.catalogue("CWR-015")
def test_a_copy_obeys_conditions_on_its_destination(raw: Raw, bucket: str, path: str) -> None:
    """The rules of PutObject hold for the key that a copy would write."""
    raw("PUT", f"/{bucket}/source", b"copied")
    source = {"x-amz-copy-source": f"/{bucket}/source"}
    assert refusal(raw("PUT", path, headers={**source, **match(b"x")})) == (404, "NoSuchKey")
    assert raw("PUT", path, headers={**source, **FREE}).status == 200
    found = refusal(raw("PUT", path, headers={**source, **FREE}), "Condition")
    assert found == (412, "PreconditionFailed", "If-None-Match")
    found = refusal(raw("PUT", path, headers={**source, **match(b"x")}), "Condition")
    assert found == (412, "PreconditionFailed", "If-Match")
    assert raw("PUT", path, headers={**source, **match(b"copied")}).status == 200
    for condition in ({"If-None-Match": f'"{md5(b"x")}"'}, {"If-Match": "*"}, {**match(b"copied"), **FREE}):
        found = refusal(raw("PUT", path, headers={**source, **condition}), "Header")
        assert found == (501, "NotImplemented", ",".join(condition))


@pytest.mark.catalogue("CWR-016")
def test_a_copy_in_place_obeys_conditions_too(raw: Raw, path: str) -> None:
    """The object is its own destination: it exists, and it has the tag it has."""
    raw("PUT", path, b"same")
    change = {"x-amz-copy-source": path, "x-amz-metadata-directive": "REPLACE", "x-amz-meta-m": "new"}
    found = refusal(raw("PUT", path, headers={**change, **FREE}), "Condition")
    assert found == (412, "PreconditionFailed", "If-None-Match")
    found = refusal(raw("PUT", path, headers={**change, **match(b"other")}), "Condition")
    assert found == (412, "PreconditionFailed", "If-Match")
    assert "x-amz-meta-m" not in raw("HEAD", path).headers
    assert raw("PUT", path, headers={**change, **match(b"same")}).status == 200
    assert raw("HEAD", path).headers["x-amz-meta-m"] == "new"


# DeleteObject


@pytest.mark.catalogue("CWR-017")
def test_a_delete_takes_only_what_it_names(raw: Raw, path: str) -> None:
    """Another tag keeps the object, the current one removes it."""
    raw("PUT", path, b"data")
    assert refusal(raw("DELETE", path, headers=match(b"other"))) == (412, "PreconditionFailed")
    assert raw("GET", path).body == b"data"
    assert raw("DELETE", path, headers=match(b"data")).status == 204
    assert raw("HEAD", path).status == 404


@pytest.mark.catalogue("CWR-018")
def test_a_conditional_delete_needs_an_object(raw: Raw, path: str) -> None:
    """Only the unconditional delete of nothing succeeds."""
    assert refusal(raw("DELETE", path, headers=match(b"data"))) == (404, "NoSuchKey")


@pytest.mark.catalogue("CWR-019")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-if-match-size", "4"),
        ("x-amz-if-match-last-modified-time", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ],
)
def test_conditions_of_directory_buckets_are_not_for_ordinary_ones(raw: Raw, path: str, name: str, value: str) -> None:
    """Size and time are conditions elsewhere; here they are refused by name, even where they hold."""
    raw("PUT", path, b"data")
    found = refusal(raw("DELETE", path, headers={name: value}), "Header")
    assert found == (501, "NotImplemented", name)
    assert raw("HEAD", path).status == 200
