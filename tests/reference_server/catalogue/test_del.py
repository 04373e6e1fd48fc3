"""DEL: deleting one object and many."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import pytest

from tests.reference_server.catalogue.steps import (
    ALGORITHMS,
    checksum,
    fields,
    fill,
    md5,
    md5_header,
    names,
    put_document,
    refusal,
    texts,
    tree,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Raw, Reply


def entry(key: str, more: str = "") -> str:
    """One object of the document."""
    return f"<Object><Key>{escape(key)}</Key>{more}</Object>"


def document(*entries: str, quiet: str = "") -> bytes:
    """The document of DeleteObjects."""
    return f"<Delete>{quiet}{''.join(entries)}</Delete>".encode()


def delete(raw: Raw, bucket: str, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
    """DeleteObjects, with Content-MD5 unless other headers are given."""
    return raw("POST", f"/{bucket}?delete", body, md5_header(body) if headers is None else headers)


def left(raw: Raw, bucket: str) -> list[str]:
    """Keys that the bucket still has."""
    return texts(tree(raw("GET", f"/{bucket}")), "Contents/Key")


@pytest.mark.catalogue("DEL-001")
def test_the_answer_to_a_delete_is_empty(raw: Raw, bucket: str) -> None:
    """No body, no type of one, and the object is gone."""
    fill(raw, bucket, "k")
    reply = raw("DELETE", f"/{bucket}/k")
    assert (reply.status, reply.body) == (204, b"")
    assert "content-type" not in reply.headers
    assert raw("GET", f"/{bucket}/k").status == 404


@pytest.mark.catalogue("DEL-003")
def test_nothing_can_be_deleted_from_a_missing_bucket(raw: Raw) -> None:
    """The error names the bucket."""
    reply = raw("DELETE", "/no-such-bucket-here/k")
    assert refusal(reply, "BucketName") == (404, "NoSuchBucket", "no-such-bucket-here")


@pytest.mark.catalogue("DEL-004")
@pytest.mark.parametrize("version", ["nonsense", "v" * 31])
def test_a_version_id_must_be_one(raw: Raw, bucket: str, version: str) -> None:
    """In a bucket without versions, too; the object stays."""
    fill(raw, bucket, "k")
    reply = raw("DELETE", f"/{bucket}/k?versionId={version}")
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "versionId")
    assert left(raw, bucket) == ["k"]


@pytest.mark.catalogue("DEL-005", "DEL-019")
def test_every_key_is_reported_as_deleted_whether_it_was_there_or_not(raw: Raw, bucket: str) -> None:
    """Once each and without errors, in whatever order."""
    keys = [f"k{number}" for number in range(30)]
    fill(raw, bucket, *keys[::2])
    reply = delete(raw, bucket, document(*map(entry, keys)))
    assert reply.status == 200
    root = tree(reply)
    assert (root.tag, set(names(root))) == ("DeleteResult", {"Deleted"})
    assert sorted(texts(root, "Deleted/Key")) == sorted(keys)
    assert left(raw, bucket) == []


@pytest.mark.catalogue("DEL-006")
def test_a_quiet_delete_reports_no_success(raw: Raw, bucket: str) -> None:
    """The result is empty, the objects are gone."""
    fill(raw, bucket, "a", "b")
    reply = delete(raw, bucket, document(entry("a"), entry("never"), quiet="<Quiet>true</Quiet>"))
    root = tree(reply)
    assert (reply.status, root.tag, len(root)) == (200, "DeleteResult", 0)
    assert left(raw, bucket) == ["b"]
    loud = tree(delete(raw, bucket, document(entry("b"), quiet="<Quiet>false</Quiet>")))
    assert texts(loud, "Deleted/Key") == ["b"]


@pytest.mark.catalogue("DEL-007")
def test_many_objects_of_a_missing_bucket_cannot_be_deleted(raw: Raw) -> None:
    """The whole request fails, not each entry."""
    reply = delete(raw, "no-such-bucket-here", document(entry("k")))
    assert refusal(reply, "BucketName") == (404, "NoSuchBucket", "no-such-bucket-here")


@pytest.mark.catalogue("DEL-008")
def test_a_bad_version_fails_its_entry_alone(raw: Raw, bucket: str) -> None:
    """The answer is a success with one error in it."""
    fill(raw, bucket, "a", "b", "c")
    body = document(entry("a"), entry("b", "<VersionId>bad</VersionId>"), entry("c"))
    reply = delete(raw, bucket, body)
    root = tree(reply)
    assert (reply.status, sorted(texts(root, "Deleted/Key"))) == (200, ["a", "c"])
    (error,) = [fields(element) for element in root.findall("Error")]
    assert (error["Key"], error["Code"], error["VersionId"]) == ("b", "NoSuchVersion", "bad")
    assert left(raw, bucket) == ["b"]


@pytest.mark.catalogue("DEL-009")
@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 400)])
def test_a_delete_names_1000_entries_at_most(raw: Raw, bucket: str, count: int, status: int) -> None:
    """One more, and not even the first is deleted."""
    fill(raw, bucket, "k0")
    reply = delete(raw, bucket, document(*(entry(f"k{number}") for number in range(count))))
    assert refusal(reply) == ((200, "") if status == 200 else (400, "MalformedXML"))
    assert left(raw, bucket) == ([] if status == 200 else ["k0"])


@pytest.mark.catalogue("DEL-010")
def test_a_delete_needs_a_digest_of_its_body(raw: Raw, bucket: str) -> None:
    """The payload hash of the signature is not enough."""
    fill(raw, bucket, "k")
    assert refusal(delete(raw, bucket, document(entry("k")), {})) == (400, "InvalidRequest")
    assert left(raw, bucket) == ["k"]


@pytest.mark.catalogue("DEL-011")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_any_checksum_will_do_for_a_digest(raw: Raw, bucket: str, algorithm: str) -> None:
    """In place of Content-MD5."""
    fill(raw, bucket, "k")
    body = document(entry("k"))
    reply = delete(raw, bucket, body, {f"x-amz-checksum-{algorithm}": checksum(algorithm, body)})
    assert (reply.status, texts(tree(reply), "Deleted/Key")) == (200, ["k"])
    assert left(raw, bucket) == []


@pytest.mark.catalogue("DEL-012")
@pytest.mark.parametrize(
    "headers",
    [
        md5_header(b"else"),
        *({f"x-amz-checksum-{algorithm}": checksum(algorithm, b"else")} for algorithm in ALGORITHMS),
        {**md5_header(document(entry("k"))), "x-amz-checksum-crc32": checksum("crc32", b"else")},
    ],
)
def test_a_digest_of_another_body_deletes_nothing(raw: Raw, bucket: str, headers: dict[str, str]) -> None:
    """Content-MD5 or a checksum, and one wrong of two is enough."""
    fill(raw, bucket, "k")
    assert refusal(delete(raw, bucket, document(entry("k")), headers)) == (400, "BadDigest")
    assert left(raw, bucket) == ["k"]


@pytest.mark.catalogue("DEL-013")
def test_a_delete_without_a_document_is_refused(raw: Raw, bucket: str) -> None:
    """The digest of nothing does not make it a request."""
    assert refusal(delete(raw, bucket, b"")) == (400, "MissingRequestBodyError")


@pytest.mark.catalogue("DEL-014")
@pytest.mark.parametrize("body", [document(), document(quiet="<Quiet>true</Quiet>"), b"<Delete/>"])
def test_a_delete_of_nothing_is_malformed(raw: Raw, bucket: str, body: bytes) -> None:
    """The document needs an entry."""
    assert refusal(delete(raw, bucket, body)) == (400, "MalformedXML")


@pytest.mark.catalogue("DEL-015")
@pytest.mark.parametrize(("literal", "decoded"), [("a%2Fb", "a/b"), ("%25", "%"), ("a+b", "a b"), ("a%20b", "a b")])
def test_keys_in_the_document_are_not_decoded(raw: Raw, bucket: str, literal: str, decoded: str) -> None:
    """An object whose key is the decoded form stays."""
    fill(raw, bucket, literal, decoded)
    reply = delete(raw, bucket, document(entry(literal)))
    assert texts(tree(reply), "Deleted/Key") == [literal]
    assert left(raw, bucket) == [decoded]


@pytest.mark.catalogue("DEL-016")
@pytest.mark.parametrize("key", ["dir/", "dir//", "a&b", "<a>", "a\"b'c", "]]>", "a\rb", "a\tb"])
def test_keys_with_slashes_and_markup_can_be_deleted(raw: Raw, bucket: str, key: str) -> None:
    """And are reported as they are."""
    fill(raw, bucket, key, "dir")
    body = document(entry(key)).replace(b"\r", b"&#13;")
    assert texts(tree(delete(raw, bucket, body)), "Deleted/Key") == [key]
    assert left(raw, bucket) == ["dir"]


@pytest.mark.catalogue("DEL-017")
def test_an_entry_may_name_the_etag_it_expects(raw: Raw, bucket: str) -> None:
    """Another one fails that entry and no other."""
    fill(raw, bucket, "right", "wrong")
    found = f"<ETag>{md5(b'x')}</ETag>"
    reply = delete(raw, bucket, document(entry("wrong", f"<ETag>{md5(b'y')}</ETag>"), entry("right", found)))
    root = tree(reply)
    assert (reply.status, texts(root, "Deleted/Key")) == (200, ["right"])
    (error,) = [fields(element) for element in root.findall("Error")]
    assert (error["Key"], error["Code"]) == ("wrong", "PreconditionFailed")
    assert left(raw, bucket) == ["wrong"]


@pytest.mark.catalogue("DEL-018")
def test_a_policy_fails_the_entries_it_forbids(raw: Raw, bucket: str) -> None:
    """The other keys of the request are deleted."""
    fill(raw, bucket, "free", "locked/k")
    resource = f"arn:aws:s3:::{bucket}/locked/*"
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObject", "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert put_document(raw, f"/{bucket}?policy", policy).status == 204
    reply = delete(raw, bucket, document(entry("locked/k"), entry("free")))
    root = tree(reply)
    assert (reply.status, texts(root, "Deleted/Key")) == (200, ["free"])
    (error,) = [fields(element) for element in root.findall("Error")]
    assert (error["Key"], error["Code"]) == ("locked/k", "AccessDenied")
    assert left(raw, bucket) == ["locked/k"]
