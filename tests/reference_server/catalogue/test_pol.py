"""Policies, ACLs, ownership and the public access block: catalogue family POL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.reference_server.catalogue.permissions import (
    ALL_USERS,
    acl,
    canonical_id,
    grant,
    own,
    policy,
    put_policy,
    set_policy,
    statement,
    unblock,
    with_acls,
)
from tests.reference_server.catalogue.steps import fill, md5_header, names, put_document, refusal, texts, tree

if TYPE_CHECKING:
    from conftest import Raw, Reply

BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
PLAIN = "<AccessControlPolicy>{}</AccessControlPolicy>"


@pytest.fixture
def shared(raw: Raw, bucket: str) -> str:
    """A bucket with an object `k`, where ACLs count."""
    fill(raw, bucket, "k")
    return with_acls(raw, bucket)


def grants(reply: Reply) -> list[tuple[str, str]]:
    """Grantee and permission of each grant of an ACL."""
    assert reply.status == 200
    root = tree(reply)
    grantees = [found[0].text or "" for found in root.findall("AccessControlList/Grant/Grantee")]
    return list(zip(grantees, texts(root, "AccessControlList/Grant/Permission"), strict=True))


# Policies


@pytest.mark.catalogue("POL-001")
def test_a_policy_is_put_read_and_deleted(raw: Raw, bucket: str) -> None:
    """What is read is the text that was put; deleting twice does no harm."""
    path = f"/{bucket}?policy"
    assert refusal(raw("GET", path), "BucketName") == (404, "NoSuchBucketPolicy", bucket)
    text = policy(statement(bucket, "s3:GetObject", effect="Deny")).replace(", ", ",\n   ")
    put = put_document(raw, path, text)
    assert (put.status, put.body) == (204, b"")
    found = raw("GET", path)
    assert (found.status, found.body, found.headers["content-type"]) == (200, text.encode(), "application/json")
    assert json.loads(found.body)["Statement"][0]["Effect"] == "Deny"
    for _ in range(2):
        deleted = raw("DELETE", path)
        assert (deleted.status, deleted.body) == (204, b"")
    assert refusal(raw("GET", path)) == (404, "NoSuchBucketPolicy")


@pytest.mark.catalogue("POL-002")
@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{",
        "{}",
        '{"Version": "2012-10-17"}',
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}',
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}]}',
        '{"Version": "tomorrow", "Statement": []}',
    ],
)
def test_a_policy_that_is_none_is_malformed(raw: Raw, bucket: str, text: str) -> None:
    """It must be JSON and have all that a policy needs; nothing is stored."""
    assert refusal(put_document(raw, f"/{bucket}?policy", text)) == (400, "MalformedPolicy")
    assert raw("GET", f"/{bucket}?policy").status == 404


@pytest.mark.catalogue("POL-003")
def test_a_policy_opens_and_closes(raw: Raw, bucket: str) -> None:
    """An Allow for everybody makes an object public; a Deny outweighs it, and the owner's own right too."""
    fill(raw, bucket, "k")
    path = f"/{bucket}/k"
    assert refusal(raw("GET", path, sign=False)) == (403, "AccessDenied")
    opening = statement(bucket, "s3:GetObject", resource="/*")
    set_policy(raw, bucket, opening)
    assert raw("GET", path, sign=False).body == b"x"
    assert refusal(raw("DELETE", path, sign=False)) == (403, "AccessDenied")
    assert refusal(raw("PUT", path, b"y", sign=False)) == (403, "AccessDenied")
    set_policy(raw, bucket, opening, statement(bucket, "s3:GetObject", effect="Deny"))
    for signed in (True, False):
        assert refusal(raw("GET", path, sign=signed)) == (403, "AccessDenied")
    assert raw("PUT", path, b"y").status == 200


# ACLs


@pytest.mark.catalogue("POL-004")
@pytest.mark.parametrize("key", ["", "/k"])
@pytest.mark.parametrize("name", ["unknown", "Public-Read", "bucket-owner"])
def test_a_canned_acl_has_a_known_name(raw: Raw, shared: str, key: str, name: str) -> None:
    """The error names the header; the ACL stays as it was."""
    reply = raw("PUT", f"/{shared}{key}?acl", headers={"x-amz-acl": name})
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "x-amz-acl")
    assert grants(raw("GET", f"/{shared}{key}?acl")) == [(canonical_id(raw), "FULL_CONTROL")]


@pytest.mark.catalogue("POL-005")
def test_an_acl_is_given_in_one_way(raw: Raw, shared: str) -> None:
    """Canned ACL, grant headers and a document do not mix."""
    canned, owner = {"x-amz-acl": "private"}, canonical_id(raw)
    granting = {"x-amz-grant-read": f'uri="{ALL_USERS}"'}
    document = acl(owner, grant("CanonicalUser", owner, "READ"))
    for target in (f"/{shared}?acl", f"/{shared}/k?acl"):
        assert refusal(raw("PUT", target, headers=canned | granting)) == (400, "InvalidRequest")
        for headers in (canned, granting):
            reply = raw("PUT", target, document.encode(), md5_header(document.encode()) | headers)
            assert refusal(reply) == (400, "UnexpectedContent")
        assert grants(raw("GET", target)) == [(owner, "FULL_CONTROL")]


@pytest.mark.catalogue("POL-006")
@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("no document", "MalformedACLError"),
        ("<Other/>", "MalformedACLError"),
        (PLAIN.format(""), "MalformedACLError"),
        (PLAIN.format("<Owner><ID>{owner}</ID></Owner>"), "MalformedACLError"),
        (PLAIN.format("<AccessControlList/>"), "MalformedACLError"),
        (acl("{owner}", grant("CanonicalUser", "{owner}", "EVERYTHING")), "MalformedACLError"),
        (acl("{owner}", grant("CanonicalUser", "0" * 64, "READ")), "InvalidArgument"),
        (acl("{owner}", grant("Group", "http://acs.amazonaws.com/groups/global/Nobody", "READ")), "InvalidArgument"),
        (acl("0" * 64), "InvalidArgument"),
    ],
)
def test_an_acl_document_obeys_its_schema_and_names_who_exists(raw: Raw, shared: str, document: str, code: str) -> None:
    """Whatever is wrong with it, the ACL stays as it was."""
    owner = canonical_id(raw)
    reply = put_document(raw, f"/{shared}?acl", document.replace("{owner}", owner))
    assert refusal(reply) == (400, code)
    assert grants(raw("GET", f"/{shared}?acl")) == [(owner, "FULL_CONTROL")]


@pytest.mark.catalogue("POL-006")
@pytest.mark.parametrize("value", ['id="0000"', 'uri="http://example.com/"', "nonsense"])
def test_grant_headers_name_who_exists(raw: Raw, shared: str, value: str) -> None:
    """They are held to what documents are held to."""
    assert refusal(raw("PUT", f"/{shared}?acl", headers={"x-amz-grant-read": value})) == (400, "InvalidArgument")


@pytest.mark.catalogue("POL-007")
def test_the_owner_alone_has_full_control_at_first(raw: Raw, bucket: str) -> None:
    """Of buckets and objects, where ACLs are disabled and where they count."""
    fill(raw, bucket, "k")
    owner = canonical_id(raw)
    for _ in range(2):
        for target in (f"/{bucket}?acl", f"/{bucket}/k?acl"):
            reply = raw("GET", target)
            assert names(tree(reply)) == ["Owner", "AccessControlList"]
            assert tree(reply).findtext("Owner/ID") == owner
            assert b'xsi:type="CanonicalUser"' in reply.body
            assert grants(reply) == [(owner, "FULL_CONTROL")]
        with_acls(raw, bucket)


@pytest.mark.catalogue("POL-008")
def test_a_new_bucket_takes_no_acls(raw: Raw, bucket: str) -> None:
    """Not even the one that it has, in whatever way it is given."""
    fill(raw, bucket, "k")
    refused = (400, "AccessControlListNotSupported")
    owner = canonical_id(raw)
    document = acl(owner, grant("CanonicalUser", owner, "FULL_CONTROL"))
    for target in (f"/{bucket}?acl", f"/{bucket}/k?acl"):
        for headers in ({"x-amz-acl": "private"}, {"x-amz-grant-read": f'id="{owner}"'}):
            assert refusal(raw("PUT", target, headers=headers)) == refused
        assert refusal(put_document(raw, target, document)) == refused
    for headers in ({"x-amz-acl": "public-read"}, {"x-amz-grant-read": f'id="{owner}"'}):
        assert refusal(raw("PUT", f"/{bucket}/new", b"x", headers)) == refused
        assert refusal(raw("POST", f"/{bucket}/new?uploads", headers=headers)) == refused
        copying = {**headers, "x-amz-copy-source": f"/{bucket}/k"}
        assert refusal(raw("PUT", f"/{bucket}/new", headers=copying)) == refused
    assert raw("HEAD", f"/{bucket}/new").status == 404


@pytest.mark.catalogue("POL-009")
@pytest.mark.parametrize("ownership", [{}, {"x-amz-object-ownership": "BucketOwnerEnforced"}])
def test_a_bucket_without_acls_is_not_created_with_one(raw: Raw, ownership: dict[str, str]) -> None:
    """Neither canned nor granted; where ACLs count, the same is accepted."""
    for headers in ({"x-amz-acl": "public-read"}, {"x-amz-grant-full-control": f'id="{canonical_id(raw)}"'}):
        reply = raw("PUT", "/never-created", headers={**headers, **ownership})
        assert refusal(reply) == (400, "InvalidBucketAclWithObjectOwnership")
    assert raw("HEAD", "/never-created").status == 404
    headers = {"x-amz-acl": "authenticated-read", "x-amz-object-ownership": "ObjectWriter"}
    refused = (400, "InvalidBucketAclWithBlockPublicAccessError")  # a new bucket cannot be public
    assert refusal(raw("PUT", "/never-created", headers=headers)) == refused
    headers = {"x-amz-grant-read": f'id="{canonical_id(raw)}"', "x-amz-object-ownership": "BucketOwnerPreferred"}
    assert raw("PUT", "/created-with-acl", headers=headers).status == 200
    assert grants(raw("GET", "/created-with-acl?acl")) == [(canonical_id(raw), "READ")]


# Ownership and the public access block


@pytest.mark.catalogue("POL-010")
def test_ownership_is_the_bucket_owners_until_it_is_changed(raw: Raw, bucket: str) -> None:
    """Deleting the controls leaves none."""
    path = f"/{bucket}?ownershipControls"
    assert texts(tree(raw("GET", path)), "Rule/ObjectOwnership") == ["BucketOwnerEnforced"]
    assert own(raw, bucket, "ObjectWriter").status == 200
    assert texts(tree(raw("GET", path)), "Rule/ObjectOwnership") == ["ObjectWriter"]
    assert refusal(own(raw, bucket, "Nobody")) == (400, "MalformedXML")
    assert raw("DELETE", path).status == 204
    assert refusal(raw("GET", path), "BucketName") == (404, "OwnershipControlsNotFoundError", bucket)


@pytest.mark.catalogue("POL-011")
def test_nothing_of_a_new_bucket_can_be_made_public(raw: Raw, bucket: str) -> None:
    """All four settings are on; after their deletion there are none, and those not put are off."""
    path = f"/{bucket}?publicAccessBlock"
    assert {name: tree(raw("GET", path)).findtext(name) for name in BLOCK} == dict.fromkeys(BLOCK, "true")
    assert raw("DELETE", path).status == 204
    found = refusal(raw("GET", path), "BucketName")
    assert found == (404, "NoSuchPublicAccessBlockConfiguration", bucket)
    put_document(
        raw, path, f"<PublicAccessBlockConfiguration><{BLOCK[2]}>true</{BLOCK[2]}></PublicAccessBlockConfiguration>"
    )
    expected = dict.fromkeys(BLOCK, "false") | {BLOCK[2]: "true"}
    assert {name: tree(raw("GET", path)).findtext(name) for name in BLOCK} == expected


@pytest.mark.parametrize("setting", BLOCK)
def test_each_setting_of_the_block_keeps_the_public_out(raw: Raw, bucket: str, setting: str) -> None:
    """Two refuse to set what is public, two ignore it where it is already set."""
    fill(raw, bucket, "k")
    with_acls(raw, bucket)
    public_acl, public_policy = {"x-amz-acl": "public-read"}, statement(bucket, "s3:GetObject", resource="/p")
    fill(raw, bucket, "p")
    assert raw("PUT", f"/{bucket}/k?acl", headers=public_acl).status == 200
    assert put_policy(raw, bucket, public_policy).status == 204
    document = f"<{setting}>true</{setting}>"
    document = f"<PublicAccessBlockConfiguration>{document}</PublicAccessBlockConfiguration>"
    assert put_document(raw, f"/{bucket}?publicAccessBlock", document).status == 200
    assert raw("GET", f"/{bucket}/k", sign=False).status == (403 if setting == "IgnorePublicAcls" else 200)
    assert raw("GET", f"/{bucket}/p", sign=False).status == (403 if setting == "RestrictPublicBuckets" else 200)
    refused = (403, "AccessDenied")
    for reply in (
        raw("PUT", f"/{bucket}?acl", headers=public_acl),
        raw("PUT", f"/{bucket}/k?acl", headers=public_acl),
        raw("PUT", f"/{bucket}/new", b"x", public_acl),
        raw("POST", f"/{bucket}/new?uploads", headers=public_acl),
    ):
        assert refusal(reply) == (refused if setting == "BlockPublicAcls" else (200, ""))
    reply = put_policy(raw, bucket, public_policy)
    assert refusal(reply) == (refused if setting == "BlockPublicPolicy" else (204, ""))
    assert raw("GET", f"/{bucket}/k").status == raw("GET", f"/{bucket}/p").status == 200


def test_the_status_of_a_policy_tells_whether_it_is_public(raw: Raw, bucket: str) -> None:
    """Naming an account or a narrow network is not public; without a policy there is no status."""
    path = f"/{bucket}?policyStatus"
    assert refusal(raw("GET", path)) == (404, "NoSuchBucketPolicy")
    unblock(raw, bucket)
    network = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    for condition, principal, expected in (
        (None, "*", "true"),
        (network, "*", "false"),
        (None, {"AWS": "111122223333"}, "false"),
    ):
        put_policy(raw, bucket, statement(bucket, "s3:ListBucket", principal=principal, conditions=condition))
        assert raw("GET", path).element("IsPublic") == expected


def test_acls_are_shown_as_they_count(raw: Raw, shared: str) -> None:
    """What is ignored is not shown, and comes back when it is no longer ignored."""
    owner = canonical_id(raw)
    public = [(owner, "FULL_CONTROL"), (ALL_USERS, "READ")]
    for target in (f"/{shared}?acl", f"/{shared}/k?acl"):
        assert raw("PUT", target, headers={"x-amz-acl": "public-read"}).status == 200
        assert grants(raw("GET", target)) == public
    document = (
        "<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>"
    )
    put_document(raw, f"/{shared}?publicAccessBlock", document)
    for target in (f"/{shared}?acl", f"/{shared}/k?acl"):
        assert grants(raw("GET", target)) == public[:1]
    unblock(raw, shared)
    refused = (400, "InvalidBucketAclWithObjectOwnership")
    assert refusal(own(raw, shared, "BucketOwnerEnforced")) == refused
    assert raw("PUT", f"/{shared}?acl", headers={"x-amz-acl": "private"}).status == 200
    assert own(raw, shared, "BucketOwnerEnforced").status == 200
    assert grants(raw("GET", f"/{shared}/k?acl")) == public[:1]
    assert raw("GET", f"/{shared}/k", sign=False).status == 403


def test_boto3_reads_back_the_acl_that_it_sets(s3: Any, shared: str) -> None:
    """Owner, grantees and their types go there and back."""
    owner = s3.list_buckets()["Owner"]["ID"]
    document = {
        "Owner": {"ID": owner},
        "Grants": [
            {"Grantee": {"Type": "CanonicalUser", "ID": owner}, "Permission": "FULL_CONTROL"},
            {"Grantee": {"Type": "Group", "URI": ALL_USERS}, "Permission": "READ_ACP"},
        ],
    }
    s3.put_bucket_acl(Bucket=shared, AccessControlPolicy=document)
    assert s3.get_bucket_acl(Bucket=shared)["Grants"] == document["Grants"]
    s3.put_object_acl(Bucket=shared, Key="k", GrantRead=f'id="{owner}", uri="{ALL_USERS}"')
    found = s3.get_object_acl(Bucket=shared, Key="k")["Grants"]
    assert [(one["Grantee"]["Type"], one["Permission"]) for one in found] == [
        ("CanonicalUser", "READ"),
        ("Group", "READ"),
    ]
    s3.put_object(Bucket=shared, Key="canned", ACL="bucket-owner-full-control")
    assert s3.get_object_acl(Bucket=shared, Key="canned")["Owner"]["ID"] == owner


def test_a_canned_acl_needs_no_content_length(raw: Raw, shared: str) -> None:
    """As curl sends it: a PUT without any body has neither length nor digest."""
    reply = raw("PUT", f"/{shared}?acl", headers={"x-amz-acl": "public-read"}, length=False)
    assert reply.status == 200
    assert raw("GET", f"/{shared}", sign=False).status == 200
