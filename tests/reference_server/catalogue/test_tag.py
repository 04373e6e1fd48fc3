"""Tags of objects and buckets: catalogue family TAG."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from tests.reference_server.catalogue.histories import mark, put
from tests.reference_server.catalogue.steps import md5_header, put_document, refusal, texts, tree, version

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Raw, Reply

COUNT = "x-amz-tagging-count"
ID = "x-amz-version-id"
#: Every sign that a tag may have beside letters, digits and spaces, and letters from elsewhere.
ALLOWED = "aZ0 _.:/=+-@ é ж 漢"


@pytest.fixture
def path(raw: Raw, bucket: str) -> str:
    """The path of an object without tags."""
    put(raw, f"/{bucket}/k")
    return f"/{bucket}/k"


def tagging(*tags: tuple[str, str]) -> str:
    """The document of a tag set."""
    listed = "".join(f"<Tag><Key>{escape(key)}</Key><Value>{escape(value)}</Value></Tag>" for key, value in tags)
    return f"<Tagging><TagSet>{listed}</TagSet></Tagging>"


def tag_set(raw: Raw, path: str, query: str = "") -> list[tuple[str, str]]:
    """The tags that an object or bucket shows."""
    reply = raw("GET", f"{path}?tagging{query}")
    assert reply.status == 200, reply.body
    root = tree(reply)
    assert root.tag == "Tagging"
    return list(zip(texts(root, "TagSet/Tag/Key"), texts(root, "TagSet/Tag/Value"), strict=True))


def put_both(raw: Raw, bucket: str, document: str) -> list[Reply]:
    """PutObjectTagging of object `k` and PutBucketTagging, with the same document."""
    return [put_document(raw, f"/{bucket}/k?tagging", document), put_document(raw, f"/{bucket}?tagging", document)]


@pytest.mark.catalogue("TAG-001")
def test_tags_of_an_object_are_put_read_and_deleted(raw: Raw, path: str) -> None:
    """A new set replaces the old one whole; without tags the set is empty, which is no error."""
    assert tag_set(raw, path) == []
    assert put_document(raw, f"{path}?tagging", tagging(("b", "1"), ("a", ""))).status == 200
    assert tag_set(raw, path) == [("b", "1"), ("a", "")]
    assert put_document(raw, f"{path}?tagging", tagging(("c", "3"))).status == 200
    assert tag_set(raw, path) == [("c", "3")]
    for _ in range(2):
        assert raw("DELETE", f"{path}?tagging").status == 204
        reply = raw("GET", f"{path}?tagging")
        assert (reply.status, tree(reply).find("TagSet") is not None, tag_set(raw, path)) == (200, True, [])
    assert raw("GET", path).body == b"x"


@pytest.mark.catalogue("TAG-001", "TAG-005")
def test_every_allowed_sign_comes_back(raw: Raw, bucket: str, path: str) -> None:
    """In keys and values; the longest ones too."""
    tags = [(ALLOWED, ALLOWED), ("k" * 128, "v" * 256)]
    assert [reply.status for reply in put_both(raw, bucket, tagging(*tags))] == [200, 204]
    assert tag_set(raw, path) == tag_set(raw, f"/{bucket}") == tags


@pytest.mark.catalogue("TAG-002")
def test_tags_of_a_bucket_are_put_read_and_deleted(raw: Raw, bucket: str) -> None:
    """Unlike an object, a bucket without tags has no set at all; deleting what is not there is fine."""
    target, none = f"/{bucket}?tagging", (404, "NoSuchTagSet", bucket)
    assert refusal(raw("GET", target), "BucketName") == none
    assert put_document(raw, target, tagging(("b", "1"), ("a", ""))).status == 204
    assert tag_set(raw, f"/{bucket}") == [("b", "1"), ("a", "")]
    assert put_document(raw, target, tagging(("c", "3"))).status == 204
    assert tag_set(raw, f"/{bucket}") == [("c", "3")]
    for _ in range(2):
        assert raw("DELETE", target).status == 204
        assert refusal(raw("GET", target), "BucketName") == none


def test_an_empty_set_removes_the_tags_of_a_bucket(raw: Raw, bucket: str) -> None:
    """As deleting does. Source: recorded."""
    put_document(raw, f"/{bucket}?tagging", tagging(("a", "b")))
    assert put_document(raw, f"/{bucket}?tagging", tagging()).status == 204
    assert refusal(raw("GET", f"/{bucket}?tagging")) == (404, "NoSuchTagSet")


@pytest.mark.catalogue("TAG-003")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_object_says_how_many_tags_it_has(raw: Raw, bucket: str, path: str, method: str) -> None:
    """Without any it says nothing, not zero."""
    assert COUNT not in raw(method, path).headers
    put_document(raw, f"{path}?tagging", tagging(("a", "1"), ("b", "2"), ("c", "")))
    assert raw(method, path).headers[COUNT] == "3"
    raw("DELETE", f"{path}?tagging")
    assert COUNT not in raw(method, path).headers
    raw("PUT", f"/{bucket}/tagged", b"x", {"x-amz-tagging": "a=1"})
    assert raw(method, f"/{bucket}/tagged").headers[COUNT] == "1"


@pytest.mark.catalogue("TAG-004")
def test_a_key_names_one_tag(raw: Raw, bucket: str, path: str) -> None:
    """The same key twice is refused, also with the same value; another case is another key."""
    put_both(raw, bucket, tagging(("kept", "")))
    for second in ("one", "two"):
        for reply in put_both(raw, bucket, tagging(("Key1", "one"), ("Key1", second))):
            assert refusal(reply, "TagKey") == (400, "InvalidTag", "Key1")
    assert tag_set(raw, path) == tag_set(raw, f"/{bucket}") == [("kept", "")]
    assert [reply.status for reply in put_both(raw, bucket, tagging(("Key1", ""), ("key1", "")))] == [200, 204]


@pytest.mark.catalogue("TAG-005")
@pytest.mark.parametrize("wrong", ["a,b", "a;b", "a&b", "a\tb", "a\nb", "a*b", "<a>", "a😀b", "k" * 129, ""])
def test_a_key_has_no_other_sign(raw: Raw, bucket: str, path: str, wrong: str) -> None:
    """Nor is it too long or empty."""
    for reply in put_both(raw, bucket, tagging((wrong, "value"))):
        assert refusal(reply, "TagKey") == (400, "InvalidTag", escape(wrong))
        assert reply.element("TagValue") == ""
    assert tag_set(raw, path) == []


@pytest.mark.catalogue("TAG-005")
@pytest.mark.parametrize("wrong", ["a,b", "a;b", "a&b", "a\tb", "v" * 257])
def test_a_value_has_no_other_sign(raw: Raw, bucket: str, path: str, wrong: str) -> None:
    """The error names the key and the value."""
    for reply in put_both(raw, bucket, tagging(("good", ""), ("key", wrong))):
        assert refusal(reply, "TagKey", "TagValue") == (400, "InvalidTag", "key", escape(wrong))
    assert tag_set(raw, path) == []


@pytest.mark.catalogue("TAG-006")
def test_tags_of_the_provider_cannot_be_set(raw: Raw, bucket: str, path: str) -> None:
    """Keys that begin with `aws:`; elsewhere in a key or in a value it is a word like any other."""
    for reply in put_both(raw, bucket, tagging(("aws:prefixed", "v"))):
        assert refusal(reply, "TagKey") == (400, "InvalidTag", "aws:prefixed")
    good = [("my-aws:", "aws:v")]
    assert [reply.status for reply in put_both(raw, bucket, tagging(*good))] == [200, 204]
    assert tag_set(raw, path) == good


@pytest.mark.catalogue("TAG-007", "TAG-008")
@pytest.mark.parametrize(("level", "most"), [("object", 10), ("bucket", 50)])
def test_there_is_a_most_of_tags(raw: Raw, bucket: str, path: str, level: str, most: int) -> None:
    """Ten on an object and fifty on a bucket; one more and none is set."""
    target = path if level == "object" else f"/{bucket}"
    tags = [(f"key{number}", "") for number in range(most)]
    assert put_document(raw, f"{target}?tagging", tagging(*tags)).status in (200, 204)
    found = put_document(raw, f"{target}?tagging", tagging(*tags, ("more", "")))
    assert refusal(found) == (400, "BadRequest")
    assert tag_set(raw, target) == tags


@pytest.mark.catalogue("TAG-009")
@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("a&b", [("a", ""), ("b", "")]),
        ("a=&b=x", [("a", ""), ("b", "x")]),
        ("key1&&&key2", [("key1", ""), ("key2", "")]),
        ("a+b=%2B", [("a b", "+")]),
        (f"{quote(ALLOWED)}={quote(ALLOWED)}", [(ALLOWED, ALLOWED)]),
        ("", []),
    ],
)
def test_tags_come_with_an_object_in_a_header(raw: Raw, path: str, header: str, tags: list[tuple[str, str]]) -> None:
    """In the form of a query; a name without `=` has an empty value."""
    assert raw("PUT", path, b"new", {"x-amz-tagging": header}).status == 200
    assert sorted(tag_set(raw, path)) == tags


@pytest.mark.catalogue("TAG-009")
@pytest.mark.parametrize("header", ["key1=val1,key2=val2", "key1=val1&key1=val2", "a=1&a=1", "a=%FF"])
@pytest.mark.parametrize("operation", ["PutObject", "CreateMultipartUpload", "CopyObject"])
def test_a_tagging_header_is_a_query(raw: Raw, path: str, operation: str, header: str) -> None:
    """Commas, a repeated key or broken encoding: the header is named, and nothing is written."""
    send: dict[str, Callable[[dict[str, str]], Reply]] = {
        "PutObject": lambda headers: raw("PUT", path, b"new", headers),
        "CreateMultipartUpload": lambda headers: raw("POST", f"{path}?uploads", headers=headers),
        "CopyObject": lambda headers: raw(
            *("PUT", path),
            headers={"x-amz-copy-source": path, "x-amz-tagging-directive": "REPLACE", **headers},
        ),
    }
    found = refusal(send[operation]({"x-amz-tagging": header}), "ArgumentName", "ArgumentValue")
    assert found == (400, "InvalidArgument", "x-amz-tagging", escape(header))
    assert raw("GET", path).body == b"x"


@pytest.mark.catalogue("TAG-010")
def test_tags_do_not_outlive_their_object(raw: Raw, path: str) -> None:
    """Neither when it is overwritten nor when it is deleted and written again."""
    raw("PUT", path, b"old", {"x-amz-tagging": "a=1"})
    assert tag_set(raw, path) == [("a", "1")]
    put(raw, path)
    assert tag_set(raw, path) == []
    put_document(raw, f"{path}?tagging", tagging(("b", "2")))
    raw("DELETE", path)
    put(raw, path)
    assert tag_set(raw, path) == []


@pytest.mark.catalogue("TAG-011")
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_a_missing_object_has_no_tags(raw: Raw, bucket: str, method: str) -> None:
    """It is not found, and setting tags does not create it; a missing bucket comes before the key."""
    body = tagging(("a", "b")).encode() if method == "PUT" else b""
    found = raw(method, f"/{bucket}/never?tagging", body)
    assert refusal(found) == (404, "NoSuchKey")
    assert found.element("Key").endswith("never")
    assert raw("HEAD", f"/{bucket}/never").status == 404
    found = raw(method, "/no-such-bucket-here/k?tagging", body)
    assert refusal(found, "BucketName") == (404, "NoSuchBucket", "no-such-bucket-here")


@pytest.mark.catalogue("TAG-012")
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
@pytest.mark.parametrize("named", [True, False])
def test_a_delete_marker_has_no_tags(raw: Raw, bucket: str, path: str, method: str, named: bool) -> None:
    """Whether its id is given or it is just the newest; what it covers keeps its tags."""
    version(raw, bucket)
    stored = put(raw, path)
    put_document(raw, f"{path}?tagging", tagging(("a", "b")))
    marker = mark(raw, path)
    body = tagging(("c", "d")).encode() if method == "PUT" else b""
    found = raw(method, f"{path}?tagging" + (f"&versionId={marker}" if named else ""), body)
    assert refusal(found, "Method", "ResourceType") == (405, "MethodNotAllowed", method, "DeleteMarker")
    assert tag_set(raw, path, f"&versionId={stored}") == [("a", "b")]


@pytest.mark.catalogue("TAG-013")
def test_tags_of_a_bucket_need_a_digest(raw: Raw, bucket: str) -> None:
    """None, one of other bytes, one that is none: three errors, and no tags are set."""
    body, target = tagging(("a", "b")).encode(), f"/{bucket}?tagging"
    assert refusal(raw("PUT", target, body)) == (400, "InvalidRequest")
    assert refusal(raw("PUT", target, body, md5_header(b"other"))) == (400, "BadDigest")
    assert refusal(raw("PUT", target, body, {"x-amz-checksum-crc32": "AAAAAA=="})) == (400, "BadDigest")
    assert refusal(raw("PUT", target, body, {"Content-MD5": "not base64"})) == (400, "InvalidDigest")
    assert refusal(raw("GET", target)) == (404, "NoSuchTagSet")
    assert raw("PUT", target, body, md5_header(body)).status == 204


@pytest.mark.catalogue("TAG-014")
def test_tags_of_an_object_need_no_digest(raw: Raw, path: str) -> None:
    """If there is one it must be right."""
    body = tagging(("a", "b")).encode()
    assert refusal(raw("PUT", f"{path}?tagging", body, md5_header(b"other"))) == (400, "BadDigest")
    assert tag_set(raw, path) == []
    assert raw("PUT", f"{path}?tagging", body).status == 200
    assert tag_set(raw, path) == [("a", "b")]


@pytest.mark.catalogue("TAG-015")
@pytest.mark.parametrize(
    "inside",
    [
        "<TagSet><Tag><Value>v</Value></Tag></TagSet>",
        "<TagSet><Tag><Key>k</Key></Tag></TagSet>",
        "<TagSet><Tag></Tag></TagSet>",
        "<Tag><Key>k</Key><Value>v</Value></Tag>",
        "",
        "<TagSet><Tag><Key>k</Key>",
    ],
)
def test_a_tag_has_a_key_and_a_value(raw: Raw, bucket: str, path: str, inside: str) -> None:
    """Both elements, in a set; a document that lacks one sets nothing."""
    put_both(raw, bucket, tagging(("kept", "")))
    for reply in put_both(raw, bucket, f"<Tagging>{inside}</Tagging>"):
        assert refusal(reply) == (400, "MalformedXML")
    assert tag_set(raw, path) == tag_set(raw, f"/{bucket}") == [("kept", "")]


@pytest.mark.catalogue("TAG-016")
def test_an_empty_set_clears_the_tags_of_an_object(raw: Raw, path: str) -> None:
    """It is no mistake; the object counts no tags afterwards."""
    put_document(raw, f"{path}?tagging", tagging(("a", "b")))
    assert put_document(raw, f"{path}?tagging", tagging()).status == 200
    assert tag_set(raw, path) == []
    assert COUNT not in raw("HEAD", path).headers


@pytest.mark.catalogue("TAG-017")
def test_tags_belong_to_a_version_and_name_it(raw: Raw, bucket: str, path: str) -> None:
    """Reading, putting and deleting act on the version asked for, by default the newest, and say which it was."""
    assert ID not in raw("GET", f"{path}?tagging").headers
    version(raw, bucket)
    old, new = put(raw, path), put(raw, path)
    assert put_document(raw, f"{path}?tagging", tagging(("is", "new"))).headers[ID] == new
    assert put_document(raw, f"{path}?tagging&versionId={old}", tagging(("is", "old"))).headers[ID] == old
    assert put_document(raw, f"{path}?tagging&versionId=null", tagging(("is", "null"))).headers[ID] == "null"
    for query, shown, value in (
        ("", new, "new"),
        (f"&versionId={old}", old, "old"),
        ("&versionId=null", "null", "null"),
    ):
        reply = raw("GET", f"{path}?tagging{query}")
        assert (reply.headers[ID], tag_set(raw, path, query)) == (shown, [("is", value)])
    assert raw("DELETE", f"{path}?tagging&versionId={old}").headers[ID] == old
    assert raw("DELETE", f"{path}?tagging").headers[ID] == new
    assert [tag_set(raw, path, query) for query in ("", f"&versionId={old}", "&versionId=null")] == [
        [],
        [],
        [("is", "null")],
    ]
