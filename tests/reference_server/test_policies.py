"""What policies let other accounts and the public do, and nothing beyond it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.reference_server.catalogue.permissions import (
    canonical_id,
    policy,
    set_policy,
    statement,
)
from tests.reference_server.catalogue.steps import (
    Upload,
    fill,
    md5_header,
    put_document,
    refusal,
    texts,
    tree,
    version,
)

if TYPE_CHECKING:
    from conftest import Raw, Reply, Running

DENIED = (403, "AccessDenied")
OTHER = ("OTHERKEY", "other-secret")
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
PUBLIC_READ = {"x-amz-acl": "public-read"}


@pytest.fixture(scope="module")
def other(running: Running) -> Raw:
    """Requests of the other account."""
    return running.raw(OTHER)


@pytest.fixture(scope="module")
def number(running: Running, other: Raw) -> str:
    """The account number of the other account."""
    account = running.app.account(canonical_id(other))
    assert account is not None
    return account.number


@pytest.fixture
def path(raw: Raw, bucket: str) -> str:
    """The path of an object."""
    fill(raw, bucket, "k")
    return f"/{bucket}/k"


def allow(raw: Raw, bucket: str, number: str, *actions: str, **more: Any) -> None:
    """Let the other account do something."""
    set_policy(raw, bucket, statement(bucket, *actions, principal={"AWS": number}, **more))


# Policies


def test_a_policy_names_accounts_in_four_ways(raw: Raw, other: Raw, number: str, path: str, bucket: str) -> None:
    """By number, by root or user ARN, by canonical id; those of others mean somebody else."""
    arns = [f"arn:aws:iam::{number}:root", f"arn:aws:iam::{number}:user/OTHERKEY"]
    for principal in ({"AWS": number}, *({"AWS": arn} for arn in arns), {"CanonicalUser": canonical_id(other)}):
        set_policy(raw, bucket, statement(bucket, "s3:GetObject", principal=principal))
        assert other("GET", path).body == b"x"
        assert refusal(other("GET", path, sign=False)) == DENIED
        assert refusal(other("PUT", path, b"y")) == DENIED
    for principal in ({"AWS": "111122223333"}, {"AWS": arns[1] + "x"}, {"CanonicalUser": canonical_id(raw)}):
        set_policy(raw, bucket, statement(bucket, "s3:GetObject", principal=principal))
        assert refusal(other("GET", path)) == DENIED


def test_the_owner_gets_out_of_a_policy_that_denies_everything(raw: Raw, bucket: str, path: str) -> None:
    """Nothing but the policy can be read or changed then, and that suffices."""
    set_policy(raw, bucket, statement(bucket, "s3:*", effect="Deny"))
    for method, target in (
        ("GET", path),
        ("PUT", path),
        ("DELETE", path),
        ("GET", f"/{bucket}"),
        ("GET", f"/{bucket}?policyStatus"),
        ("DELETE", f"/{bucket}"),
    ):
        assert (method, target, *refusal(raw(method, target))) == (method, target, *DENIED)
    assert raw("HEAD", f"/{bucket}").status == 403
    assert raw("GET", f"/{bucket}?policy").status == 200
    document = policy(statement(bucket, "s3:*", effect="Deny", principal={"AWS": "*"}))
    assert put_document(raw, f"/{bucket}?policy", document).status == 204
    assert refusal(raw("GET", path)) == DENIED
    assert raw("DELETE", f"/{bucket}?policy").status == 204
    assert raw("GET", path).status == 200


def test_the_policy_itself_is_for_its_own_account(raw: Raw, other: Raw, number: str, bucket: str) -> None:
    """Others get 405 even if it lets them read and change it; without that, 403."""
    allow(raw, bucket, number, "s3:*")
    kept = raw("GET", f"/{bucket}?policy").body
    for reply in (
        other("GET", f"/{bucket}?policy"),
        put_document(other, f"/{bucket}?policy", policy(statement(bucket, "s3:*"))),
        other("DELETE", f"/{bucket}?policy"),
    ):
        assert (reply.status, reply.code, reply.element("ResourceType")) == (405, "MethodNotAllowed", "BUCKETPOLICY")
        assert reply.element("Method") in ("GET", "PUT", "DELETE")
    assert other("GET", f"/{bucket}?policyStatus").status == 200
    assert raw("GET", f"/{bucket}?policy").body == kept
    allow(raw, bucket, number, "s3:GetObject")
    assert refusal(other("GET", f"/{bucket}?policy")) == DENIED


def test_only_who_may_list_learns_what_is_missing(raw: Raw, other: Raw, bucket: str, path: str) -> None:
    """Else a missing key is 403 as a forbidden one is, for reads, copies and the public."""
    mine = f"/{bucket}-of-other"
    assert other("PUT", mine).status == 200
    copying = {"x-amz-copy-source": f"/{bucket}/none"}
    asked = {"x-amz-object-attributes": "ETag"}
    for listing, status, code in ((False, 403, "AccessDenied"), (True, 404, "NoSuchKey")):
        actions = ["s3:GetObject", "s3:GetObjectAttributes", *(["s3:ListBucket"] if listing else [])]
        set_policy(raw, bucket, statement(bucket, *actions))
        for reply in (
            other("GET", f"/{bucket}/none"),
            other("GET", f"/{bucket}/none", sign=False),
            other("GET", f"/{bucket}/none?attributes", headers=asked),
            other("PUT", f"{mine}/copy", headers=copying),
        ):
            assert refusal(reply) == (status, code)
        assert other("HEAD", f"/{bucket}/none").status == status
        assert other("GET", path).status == 200
    set_policy(raw, bucket, statement(bucket, "s3:ListBucket"))
    assert refusal(other("GET", f"/{bucket}/none")) == DENIED
    set_policy(raw, bucket, statement(bucket, "s3:ListBucket", effect="Deny"))
    assert (raw("GET", path).status, *refusal(raw("GET", f"/{bucket}/none"))) == (200, *DENIED)


NARROW = [
    ("s3:GetObject", [("GET", "?versionId={old}"), ("GET", "?acl"), ("GET", "?tagging"), ("GET", "?attributes")]),
    ("s3:GetObjectVersion", [("GET", ""), ("HEAD", ""), ("DELETE", "?versionId={old}")]),
    ("s3:DeleteObject", [("DELETE", "?versionId={old}"), ("DELETE", "?tagging"), ("GET", "")]),
    ("s3:DeleteObjectVersion", [("DELETE", ""), ("GET", "?versionId={old}")]),
    ("s3:PutObject", [("GET", ""), ("DELETE", ""), ("PUT", "?tagging"), ("PUT", "?retention"), ("GET", "?uploadId=x")]),
    (
        "s3:PutObjectTagging",
        [("PUT", ""), ("GET", "?tagging"), ("DELETE", "?tagging"), ("PUT", "?tagging&versionId={old}")],
    ),
    ("s3:ListMultipartUploadParts", [("DELETE", "?uploadId=x"), ("PUT", "?uploadId=x&partNumber=1")]),
    ("s3:AbortMultipartUpload", [("GET", "?uploadId=x"), ("POST", "?uploadId=x")]),
]


@pytest.mark.parametrize(("action", "requests"), NARROW, ids=[action for action, _ in NARROW])
def test_an_action_is_just_that(
    raw: Raw, other: Raw, number: str, bucket: str, action: str, requests: list[tuple[str, str]]
) -> None:
    """None implies another, in particular not the one for versions."""
    version(raw, bucket)
    old = raw("PUT", f"/{bucket}/k", b"x").headers["x-amz-version-id"]
    fill(raw, bucket, "k")
    allow(raw, bucket, number, action)
    headers = {"x-amz-object-attributes": "ETag"}
    for method, query in requests:
        reply = other(method, f"/{bucket}/k{query.format(old=old)}", b"", headers if "attributes" in query else None)
        assert (method, query, reply.status) == (method, query, 403)


@pytest.mark.parametrize(
    ("action", "headers"),
    [
        ("s3:PutObjectAcl", {"x-amz-acl": "bucket-owner-full-control"}),
        ("s3:PutObjectTagging", {"x-amz-tagging": "a=b"}),
        ("s3:PutObjectLegalHold", {"x-amz-object-lock-legal-hold": "ON"}),
        (
            "s3:PutObjectRetention",
            {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2099-01-01T00:00:00Z"},
        ),
    ],
)
def test_a_write_needs_leave_for_all_it_sets(
    raw: Raw, other: Raw, number: str, bucket: str, action: str, headers: dict[str, str]
) -> None:
    """Whether it is an upload, the beginning of one, or a copy."""
    locked = f"{bucket}-locked"
    raw("PUT", f"/{locked}", headers={"x-amz-bucket-object-lock-enabled": "true"})
    fill(raw, locked, "k")

    def replies() -> list[Reply]:
        copying = {**headers, "x-amz-copy-source": f"/{locked}/k", "x-amz-tagging-directive": "REPLACE"}
        return [
            other("PUT", f"/{locked}/new", b"x", {**headers, **md5_header(b"x")}),
            other("POST", f"/{locked}/new?uploads", headers=headers),
            other("PUT", f"/{locked}/new", headers=copying),
        ]

    allow(raw, locked, number, "s3:PutObject", "s3:GetObject")
    assert [refusal(reply) for reply in replies()] == [DENIED] * 3
    allow(raw, locked, number, "s3:PutObject", "s3:GetObject", action)
    assert [reply.status for reply in replies()] == [200] * 3


def test_locks_need_leave_to_be_passed_by(raw: Raw, other: Raw, number: str, bucket: str) -> None:
    """In a batch as well: whoever may only delete versions leaves those under governance."""
    locked = f"{bucket}-locked"
    raw("PUT", f"/{locked}", headers={"x-amz-bucket-object-lock-enabled": "true"})
    held = {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2099-01-01T00:00:00Z"}
    kept = raw("PUT", f"/{locked}/k", b"x", {**held, **md5_header(b"x")}).headers["x-amz-version-id"]
    bypass = {"x-amz-bypass-governance-retention": "true"}
    batch = f"<Delete><Object><Key>k</Key><VersionId>{kept}</VersionId></Object></Delete>".encode()
    allow(raw, locked, number, "s3:DeleteObject*")
    assert refusal(other("DELETE", f"/{locked}/k?versionId={kept}", headers=bypass)) == DENIED
    reply = other("POST", f"/{locked}?delete", batch, {**bypass, **md5_header(batch)})
    assert texts(tree(reply), "Error/Code") == ["AccessDenied"]
    assert raw("GET", f"/{locked}/k?versionId={kept}").status == 200
    allow(raw, locked, number, "s3:DeleteObject*", "s3:BypassGovernanceRetention")
    reply = other("POST", f"/{locked}?delete", batch, {**bypass, **md5_header(batch)})
    assert texts(tree(reply), "Deleted/VersionId") == [kept]


def test_a_batch_deletes_what_may_be_deleted(raw: Raw, other: Raw, number: str, bucket: str) -> None:
    """Key by key, for others and for the owner."""
    fill(raw, bucket, "open/a", "shut/a", "shut/b")
    opening = statement(bucket, "s3:DeleteObject", resource="/open/*", principal={"AWS": number})
    set_policy(raw, bucket, opening, statement(bucket, "s3:DeleteObject", effect="Deny", resource="/shut/b"))
    keys = ("open/a", "shut/a", "shut/b")
    body = f"<Delete>{''.join(f'<Object><Key>{key}</Key></Object>' for key in keys)}</Delete>".encode()
    for account, gone in ((other, ["open/a"]), (raw, ["open/a", "shut/a"])):
        root = tree(account("POST", f"/{bucket}?delete", body, md5_header(body)))
        assert texts(root, "Deleted/Key") == gone
        assert texts(root, "Error/Code") == ["AccessDenied"] * (3 - len(gone))
    assert raw("GET", f"/{bucket}").elements("Key") == ["shut/b"]


def test_another_account_uploads_in_parts(raw: Raw, other: Raw, number: str, bucket: str) -> None:
    """With leave to put; to see or to end uploads takes more."""
    allow(raw, bucket, number, "s3:PutObject")
    upload = Upload(other, f"/{bucket}/big")
    etag = upload.part(1, b"part").headers["etag"]
    assert refusal(upload.listed()) == DENIED
    assert refusal(other("DELETE", upload.target)) == DENIED
    assert refusal(other("GET", f"/{bucket}?uploads")) == DENIED
    assert upload.complete([(1, etag, "")]).status == 200
    assert raw("GET", f"/{bucket}/big").body == b"part"
    assert refusal(other("GET", f"/{bucket}/big")) == DENIED
