"""What ACLs let other accounts and the public do, and nothing beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.permissions import (
    ALL_USERS,
    acl,
    canonical_id,
    grant,
    own,
    set_policy,
    statement,
    with_acls,
)
from tests.reference_server.catalogue.steps import Upload, fill, md5_header, put_document, refusal, tree, version

if TYPE_CHECKING:
    from conftest import Raw, Running

DENIED = (403, "AccessDenied")
PUBLIC_READ = {"x-amz-acl": "public-read"}


@pytest.fixture(scope="module")
def other(running: Running) -> Raw:
    """Requests of the other account."""
    return running.raw(("OTHERKEY", "other-secret"))


@pytest.fixture
def path(raw: Raw, bucket: str) -> str:
    """The path of an object."""
    fill(raw, bucket, "k")
    return f"/{bucket}/k"


def test_an_object_is_public_by_its_acl(raw: Raw, other: Raw, bucket: str, path: str) -> None:
    """It alone, and only to be read; listing is what the ACL of the bucket allows."""
    with_acls(raw, bucket)
    fill(raw, bucket, "shut")
    assert raw("PUT", f"{path}?acl", headers=PUBLIC_READ).status == 200
    for account in (raw, other):
        assert account("GET", path, sign=False).body == b"x"
        assert account("HEAD", path, sign=False).status == 200
    for method, target in (
        ("GET", f"{path}?acl"),
        ("GET", f"{path}?tagging"),
        ("PUT", path),
        ("DELETE", path),
        ("GET", f"/{bucket}/shut"),
        ("GET", f"/{bucket}"),
        ("GET", f"/{bucket}/none"),
    ):
        assert refusal(other(method, target)) == DENIED
        assert refusal(other(method, target, sign=False)) == DENIED
    assert raw("PUT", f"/{bucket}?acl", headers=PUBLIC_READ).status == 200
    assert other("GET", f"/{bucket}", sign=False).elements("Key") == ["k", "shut"]
    assert other("HEAD", f"/{bucket}").status == 200
    assert refusal(other("GET", f"/{bucket}/none")) == (404, "NoSuchKey")
    assert refusal(other("GET", f"/{bucket}/shut")) == DENIED
    assert refusal(other("GET", f"/{bucket}?acl")) == DENIED
    set_policy(raw, bucket, statement(bucket, "s3:GetObject", effect="Deny"))
    assert refusal(other("GET", path, sign=False)) == DENIED


def test_what_is_denied_stays_denied_where_the_public_is_kept_out(raw: Raw, other: Raw, bucket: str, path: str) -> None:
    """A policy that allows too much counts no longer for others, but what it denies them does."""
    with_acls(raw, bucket)
    raw("PUT", f"{path}?acl", headers=PUBLIC_READ)
    opening = statement(bucket, "s3:GetObject", resource="/other")
    set_policy(raw, bucket, opening, statement(bucket, "s3:GetObject", effect="Deny", resource="/k"))
    for document in ("", "<RestrictPublicBuckets>true</RestrictPublicBuckets>"):
        document = f"<PublicAccessBlockConfiguration>{document}</PublicAccessBlockConfiguration>"
        assert put_document(raw, f"/{bucket}?publicAccessBlock", document).status == 200
        assert refusal(other("GET", path, sign=False)) == DENIED
        assert refusal(raw("GET", path)) == DENIED


def test_a_document_is_read_however_it_is_framed(raw: Raw, bucket: str) -> None:
    """Of known or of unknown length; a digest is not needed, and must be right."""
    with_acls(raw, bucket)
    target, document = f"/{bucket}?acl", acl(canonical_id(raw), grant("Group", ALL_USERS, "READ")).encode()
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(document), document)
    chunked = {"Transfer-Encoding": "chunked"}
    assert refusal(raw("PUT", target, document, md5_header(b"other"))) == (400, "BadDigest")
    assert raw("PUT", target, chunks, payload="UNSIGNED-PAYLOAD", unsigned=chunked, length=False).status == 200
    assert raw("GET", f"/{bucket}", sign=False).status == 200
    assert raw("PUT", target, acl(canonical_id(raw)).encode()).status == 200
    assert raw("GET", f"/{bucket}", sign=False).status == 403


def test_who_has_signed_is_not_everybody(raw: Raw, other: Raw, bucket: str, path: str) -> None:
    """Authenticated users are those of all accounts."""
    with_acls(raw, bucket)
    raw("PUT", f"{path}?acl", headers={"x-amz-acl": "authenticated-read"})
    assert other("GET", path).body == b"x"
    assert refusal(other("GET", path, sign=False)) == DENIED


def test_each_permission_is_one_thing(raw: Raw, other: Raw, bucket: str, path: str) -> None:
    """To read, to write, to read the ACL, to write the ACL; full control is all of them."""
    with_acls(raw, bucket)
    grantee = f'id="{canonical_id(other)}"'
    document = acl(canonical_id(raw), grant("CanonicalUser", canonical_id(raw), "FULL_CONTROL"))
    uses = {
        "read": [("GET", path, ""), ("GET", f"/{bucket}", "")],
        "write": [("PUT", f"/{bucket}/theirs", "x")],
        "read-acp": [("GET", f"{path}?acl", ""), ("GET", f"/{bucket}?acl", "")],
        "write-acp": [("PUT", f"{path}?acl", document), ("PUT", f"/{bucket}?acl", document)],
    }
    for granted in (*uses, "full-control"):
        for permission, requests in uses.items():
            for method, target, body in requests:
                for shared in (f"/{bucket}?acl", f"{path}?acl"):
                    header = {f"x-amz-grant-{granted}": grantee, "x-amz-grant-write-acp": f'id="{canonical_id(raw)}"'}
                    if granted == "write-acp":
                        header = {"x-amz-grant-write-acp": f'{grantee}, id="{canonical_id(raw)}"'}
                    assert raw("PUT", shared, headers=header).status == 200
                headers = md5_header(body.encode()) if body else {}
                reply = other(method, target, body.encode(), headers)
                expected = 200 if granted in (permission, "full-control") else 403
                assert (granted, method, target, reply.status) == (granted, method, target, expected)


def test_what_another_writes_is_theirs(raw: Raw, other: Raw, bucket: str) -> None:
    """With ObjectWriter: the bucket's owner can remove it, and read it only if they let them."""
    with_acls(raw, bucket)
    writable = acl(
        canonical_id(raw),
        grant("CanonicalUser", canonical_id(raw), "FULL_CONTROL"),
        grant("CanonicalUser", canonical_id(other), "WRITE"),
    )
    assert put_document(raw, f"/{bucket}?acl", writable).status == 200
    theirs = f"/{bucket}/theirs"
    assert other("PUT", theirs, b"theirs").status == 200
    assert other("GET", theirs).body == b"theirs"
    assert tree(other("GET", f"{theirs}?acl")).findtext("Owner/ID") == canonical_id(other)
    for method, target in (("GET", theirs), ("GET", f"{theirs}?acl"), ("PUT", f"{theirs}?acl")):
        assert refusal(raw(method, target)) == DENIED
    assert raw("HEAD", theirs).status == 403
    set_policy(raw, bucket, statement(bucket, "s3:GetObject"))
    assert refusal(raw("GET", theirs)) == refusal(raw("GET", theirs, sign=False)) == DENIED
    raw("DELETE", f"/{bucket}?policy")
    assert other("PUT", f"{theirs}?acl", headers={"x-amz-acl": "bucket-owner-read"}).status == 200
    assert raw("GET", theirs).body == b"theirs"
    assert tree(other("GET", f"{theirs}?acl")).findtext("Owner/ID") == canonical_id(other)
    assert refusal(other("DELETE", theirs)) == DENIED
    assert raw("DELETE", theirs).status == 204


def test_a_writer_may_give_the_object_to_the_bucket(raw: Raw, other: Raw, bucket: str) -> None:
    """With BucketOwnerPreferred, by one canned ACL; where ACLs are disabled, always."""
    with_acls(raw, bucket, "BucketOwnerPreferred")
    set_policy(raw, bucket, statement(bucket, "s3:PutObject", "s3:PutObjectAcl"))
    raw("PUT", f"/{bucket}?acl", headers={"x-amz-acl": "public-read"})
    given = {"x-amz-acl": "bucket-owner-full-control"}
    assert other("PUT", f"/{bucket}/given", b"x", given).status == 200
    assert other("PUT", f"/{bucket}/kept", b"x").status == 200
    assert tree(raw("GET", f"/{bucket}/given?acl")).findtext("Owner/ID") == canonical_id(raw)
    assert refusal(raw("GET", f"/{bucket}/kept")) == DENIED
    raw("PUT", f"/{bucket}?acl", headers={"x-amz-acl": "private"})
    assert own(raw, bucket, "BucketOwnerEnforced").status == 200
    for key in ("given", "kept"):
        assert raw("GET", f"/{bucket}/{key}").status == 200
        assert tree(raw("GET", f"/{bucket}/{key}?acl")).findtext("Owner/ID") == canonical_id(raw)
        assert refusal(other("GET", f"/{bucket}/{key}")) == DENIED


def test_each_version_has_an_acl_of_its_own(raw: Raw, other: Raw, bucket: str, path: str) -> None:
    """A public one does not open those before it, to readers or to copies."""
    with_acls(raw, bucket)
    version(raw, bucket)
    shut = raw("PUT", path, b"shut").headers["x-amz-version-id"]
    opened = raw("PUT", path, b"open", PUBLIC_READ).headers["x-amz-version-id"]
    mine = f"/{bucket}-of-other"
    assert other("PUT", mine).status == 200
    upload = Upload(other, f"{mine}/up")
    for named, status in ((opened, 200), (shut, 403)):
        source = {"x-amz-copy-source": f"{path}?versionId={named}"}
        assert other("GET", f"{path}?versionId={named}", sign=False).status == status
        assert other("HEAD", f"{path}?versionId={named}").status == status
        assert other("PUT", f"{mine}/copy", headers=source).status == status
        assert upload.copy(1, source["x-amz-copy-source"]).status == status
    raw("PUT", f"{path}?acl&versionId={shut}", headers=PUBLIC_READ)
    raw("PUT", f"{path}?acl&versionId={opened}", headers={"x-amz-acl": "private"})
    assert other("GET", f"{path}?versionId={shut}", sign=False).body == b"shut"
    assert refusal(other("GET", path, sign=False)) == DENIED


def test_a_public_bucket_takes_objects_from_everybody(raw: Raw, other: Raw, bucket: str) -> None:
    """With public-read-write; those of nobody belong to nobody's account, and the owner removes them."""
    with_acls(raw, bucket)
    raw("PUT", f"/{bucket}?acl", headers={"x-amz-acl": "public-read-write"})
    assert other("PUT", f"/{bucket}/k", b"x", sign=False).status == 200
    assert other("GET", f"/{bucket}", sign=False).elements("Key") == ["k"]
    assert refusal(other("DELETE", f"/{bucket}", sign=False)) == DENIED
    assert raw("DELETE", f"/{bucket}/k").status == 204


def test_nobody_is_named_by_mail(raw: Raw, bucket: str) -> None:
    """S3 took e-mail addresses once; they are refused as a method that is not allowed."""
    with_acls(raw, bucket)
    headers = {"x-amz-grant-read": 'emailAddress="a@b.test"'}
    assert refusal(raw("PUT", f"/{bucket}?acl", headers=headers)) == (405, "MethodNotAllowed")
