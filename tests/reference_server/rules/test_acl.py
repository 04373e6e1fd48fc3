"""Access control lists (catalogue POL-004 to POL-007, AUTH-027)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reference_server.errors import S3Error
from reference_server.model import service_model
from reference_server.rules.acl import (
    ALL_USERS,
    AUTHENTICATED_USERS,
    BUCKET_CANNED,
    EC2,
    GRANT_HEADERS,
    GRANTED_BY,
    LOG_DELIVERY,
    OBJECT_CANNED,
    PERMISSIONS,
    AccessControl,
    Grant,
    allows,
    asked_for,
    canned,
    from_document,
    from_headers,
    from_json,
    read_request,
)
from reference_server.rules.actions import ACTIONS

OWNER, OTHER, THIRD = "1" * 64, "2" * 64, "3" * 64
KNOWN = {OWNER, OTHER, THIRD}.__contains__
FULL = Grant("CanonicalUser", OWNER, "FULL_CONTROL")


def group(uri: str, permission: str) -> Grant:
    return Grant("Group", uri, permission)


def user(user_id: str, permission: str) -> Grant:
    return Grant("CanonicalUser", user_id, permission)


def document(*grants: dict[str, Any], owner: str = OWNER) -> dict[str, Any]:
    return {"Owner": {"ID": owner}, "Grants": list(grants)}


def entry(permission: str = "READ", **grantee: str) -> dict[str, Any]:
    return {"Grantee": grantee, "Permission": permission}


# Canned ACLs


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("private", []),
        ("public-read", [group(ALL_USERS, "READ")]),
        ("public-read-write", [group(ALL_USERS, "READ"), group(ALL_USERS, "WRITE")]),
        ("authenticated-read", [group(AUTHENTICATED_USERS, "READ")]),
        ("aws-exec-read", [user(EC2, "READ")]),
        ("bucket-owner-read", [user(OTHER, "READ")]),
        ("bucket-owner-full-control", [user(OTHER, "FULL_CONTROL")]),
    ],
)
def test_a_canned_acl_of_an_object_adds_grants_to_the_owners_full_control(name: str, expected: list[Grant]) -> None:
    assert canned(name, OWNER, OTHER) == AccessControl(OWNER, (FULL, *expected))


def test_the_bucket_owner_is_not_granted_again_what_the_owner_has() -> None:
    for name in ("bucket-owner-read", "bucket-owner-full-control"):
        assert canned(name, OWNER, OWNER).grants == (FULL,)
        assert canned(name, OWNER).grants == (FULL,)  # on a bucket it adds nothing


def test_log_delivery_is_for_buckets_alone() -> None:
    assert canned("log-delivery-write", OWNER).grants == (
        FULL,
        group(LOG_DELIVERY, "WRITE"),
        group(LOG_DELIVERY, "READ_ACP"),
    )
    with pytest.raises(S3Error):
        canned("log-delivery-write", OWNER, OWNER)


def test_all_canned_names_of_the_service_model_are_known() -> None:
    shapes = service_model().document["shapes"]
    assert set(shapes["BucketCannedACL"]["enum"]) <= BUCKET_CANNED
    assert set(shapes["ObjectCannedACL"]["enum"]) == OBJECT_CANNED
    assert set(shapes["Permission"]["enum"]) == PERMISSIONS


@pytest.mark.parametrize("name", ["fake-acl", "Private", "", "the bucket owner"])
def test_an_unknown_canned_acl_is_an_invalid_argument(name: str) -> None:
    for bucket_owner in (None, OWNER):
        with pytest.raises(S3Error) as caught:
            canned(name, OWNER, bucket_owner)
        assert (caught.value.code, caught.value.status) == ("InvalidArgument", 400)
        assert caught.value.elements == {"ArgumentName": "x-amz-acl", "ArgumentValue": name}


# Headers


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f'id="{OTHER}"', [user(OTHER, "READ")]),
        (f"id={OTHER}", [user(OTHER, "READ")]),
        (f' id = "{OTHER}" , uri="{ALL_USERS}"', [user(OTHER, "READ"), group(ALL_USERS, "READ")]),
        (f"uri={LOG_DELIVERY},id={THIRD}", [group(LOG_DELIVERY, "READ"), user(THIRD, "READ")]),
        (f"id={EC2}", [user(EC2, "READ")]),
    ],
)
def test_a_grant_header_is_a_list_of_grantees(header: str, expected: list[Grant]) -> None:
    assert from_headers({"GrantRead": header}, KNOWN) == tuple(expected)


def test_each_grant_header_gives_its_permission() -> None:
    members = dict.fromkeys(GRANT_HEADERS, f"id={OTHER}")
    assert {grant.permission for grant in from_headers(members, KNOWN)} == PERMISSIONS


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        (f'uri="{ALL_USERS}x"', "uri", f"{ALL_USERS}x"),
        ('id="wrong-id"', "id", "wrong-id"),
        ('id=""', "id", ""),
        ('fakekey="1234"', "x-amz-grant-write", 'fakekey="1234"'),
        ("nonsense", "x-amz-grant-write", "nonsense"),
        ("", "x-amz-grant-write", ""),
        (f'id="{OTHER}', "x-amz-grant-write", f'id="{OTHER}'),
        (f"id={OTHER},,", "x-amz-grant-write", ","),
    ],
)
def test_a_grantee_that_does_not_exist_or_cannot_be_read_is_an_invalid_argument(
    header: str, name: str, value: str
) -> None:
    with pytest.raises(S3Error) as caught:
        from_headers({"GrantWrite": header}, KNOWN)
    assert caught.value.code == "InvalidArgument"
    assert caught.value.elements == {"ArgumentName": name, "ArgumentValue": value}


def test_grantees_are_no_longer_taken_by_email() -> None:
    body = document(entry(Type="AmazonCustomerByEmail", EmailAddress="ann@example.com"))
    with pytest.raises(S3Error) as in_header:
        from_headers({"GrantRead": 'emailAddress="ann@example.com"'}, KNOWN)
    with pytest.raises(S3Error) as in_document:
        from_document(body, OWNER, KNOWN)
    for caught in (in_header.value, in_document.value):
        assert (caught.code, caught.status) == ("MethodNotAllowed", 405)


# Documents


def test_a_document_gives_exactly_the_grants_in_it() -> None:
    body = document(
        entry("WRITE", Type="Group", URI=LOG_DELIVERY),
        entry("FULL_CONTROL", Type="CanonicalUser", ID=OTHER, DisplayName="ignored"),
    )
    expected = AccessControl(OWNER, (group(LOG_DELIVERY, "WRITE"), user(OTHER, "FULL_CONTROL")))
    assert from_document(body, OWNER, KNOWN) == expected
    assert from_document(document(), OWNER, KNOWN) == AccessControl(OWNER, ())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"Owner": {"ID": OWNER}},
        {"Grants": []},
        {"Owner": {}, "Grants": []},
        document(entry("WRONG-PERMISSION", Type="Group", URI=ALL_USERS)),
        document({"Grantee": {"Type": "Group", "URI": ALL_USERS}}),
        document({"Permission": "READ"}),
        document(entry(Type="BadType", ID=OTHER)),
        document(entry(ID=OTHER)),
        document(entry(Type="CanonicalUser", URI=ALL_USERS)),
        document(entry(Type="Group", ID=OTHER)),
    ],
)
def test_a_document_that_breaks_the_schema_is_a_malformed_acl(body: dict[str, Any]) -> None:
    with pytest.raises(S3Error) as caught:
        from_document(body, OWNER, KNOWN)
    assert (caught.value.code, caught.value.status) == ("MalformedACLError", 400)


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        (document(owner="wrong-id"), "CanonicalUser/ID", "wrong-id"),
        (document(entry(Type="CanonicalUser", ID="wrong-id")), "CanonicalUser/ID", "wrong-id"),
        (document(entry(Type="Group", URI=f"{LOG_DELIVERY}s")), "Group/URI", f"{LOG_DELIVERY}s"),
    ],
)
def test_an_unknown_grantee_in_a_document_is_an_invalid_argument(body: dict[str, Any], name: str, value: str) -> None:
    with pytest.raises(S3Error) as caught:
        from_document(body, OWNER, KNOWN)
    assert caught.value.code == "InvalidArgument"
    assert caught.value.elements == {"ArgumentName": name, "ArgumentValue": value}


def test_a_document_cannot_give_a_resource_to_another_owner() -> None:
    with pytest.raises(S3Error) as caught:
        from_document(document(owner=OTHER), OWNER, KNOWN)
    assert caught.value.code == "AccessDenied"


# Whole requests


@pytest.mark.parametrize(
    ("members", "body", "code"),
    [
        ({}, None, "MissingSecurityHeader"),
        ({}, {}, "MalformedACLError"),
        ({"ACL": "fake-acl"}, None, "InvalidArgument"),
        ({"ACL": "private", "GrantRead": f"uri={LOG_DELIVERY}"}, None, "InvalidRequest"),
        ({"ACL": "private"}, document(), "UnexpectedContent"),
        ({"GrantRead": f"id={OTHER}"}, document(), "UnexpectedContent"),
    ],
)
def test_a_request_sets_an_acl_in_exactly_one_way(
    members: dict[str, Any], body: dict[str, Any] | None, code: str
) -> None:
    with pytest.raises(S3Error) as caught:
        read_request(members, body, OWNER, None, KNOWN)
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_a_request_that_sets_nothing_is_told_which_header_is_missing() -> None:
    with pytest.raises(S3Error) as caught:
        read_request({}, None, OWNER, None, KNOWN)
    assert caught.value.elements == {"MissingHeaderName": "x-amz-acl"}


@pytest.mark.parametrize(
    ("members", "body", "expected"),
    [
        ({"ACL": "public-read"}, None, (FULL, group(ALL_USERS, "READ"))),
        ({"GrantRead": f"id={OTHER}"}, None, (user(OTHER, "READ"),)),
        ({}, document(entry(Type="Group", URI=ALL_USERS)), (group(ALL_USERS, "READ"),)),
    ],
)
def test_a_request_replaces_the_whole_acl(
    members: dict[str, Any], body: dict[str, Any] | None, expected: tuple[Grant, ...]
) -> None:
    assert read_request(members, body, OWNER, OTHER, KNOWN) == AccessControl(OWNER, expected)


def test_an_upload_need_not_ask_for_an_acl() -> None:
    assert asked_for({"ContentType": "text/plain"}, OWNER, OTHER, KNOWN) is None
    assert asked_for({"ACL": "bucket-owner-read"}, OWNER, OTHER, KNOWN) == canned("bucket-owner-read", OWNER, OTHER)
    with pytest.raises(S3Error) as caught:
        asked_for({"ACL": "private", "GrantWriteACP": f"id={OTHER}"}, OWNER, OTHER, KNOWN)
    assert caught.value.code == "InvalidRequest"


# What an ACL allows, and how it is written


@pytest.mark.parametrize(
    ("grants", "permission", "expected"),
    [
        ([FULL], "READ", {"owner"}),
        ([FULL], "WRITE_ACP", {"owner"}),
        ([], "READ", set()),
        ([], "READ_ACP", {"owner"}),
        ([], "WRITE_ACP", {"owner"}),
        ([FULL, user(OTHER, "READ")], "READ", {"owner", "other"}),
        ([FULL, user(OTHER, "READ")], "WRITE", {"owner"}),
        ([FULL, user(OTHER, "READ_ACP")], "READ", {"owner"}),
        ([FULL, user(OTHER, "FULL_CONTROL")], "WRITE_ACP", {"owner", "other"}),
        ([FULL, group(ALL_USERS, "READ")], "READ", {"owner", "other", "anonymous"}),
        ([FULL, group(ALL_USERS, "READ")], "WRITE", {"owner"}),
        ([FULL, group(AUTHENTICATED_USERS, "READ")], "READ", {"owner", "other"}),
        ([FULL, group(LOG_DELIVERY, "WRITE")], "WRITE", {"owner"}),
    ],
)
def test_an_acl_allows_what_it_grants(grants: list[Grant], permission: str, expected: set[str]) -> None:
    acl = AccessControl(OWNER, tuple(grants))
    accounts = {"owner": OWNER, "other": OTHER, "anonymous": None}
    assert {name for name, account in accounts.items() if allows(acl, permission, account)} == expected


def test_what_an_acl_can_grant_are_actions_and_permissions_that_exist() -> None:
    for action, (kind, permission) in GRANTED_BY.items():
        assert action.removeprefix("s3:") in ACTIONS["bucket"] | ACTIONS["object"]
        assert permission in PERMISSIONS
        assert kind == "object" or permission == "WRITE" or action.removeprefix("s3:") in ACTIONS["bucket"]


@pytest.mark.parametrize(("name", "public"), [("private", False), ("public-read", True), ("authenticated-read", True)])
def test_an_acl_is_public_if_it_grants_anything_to_strangers(name: str, public: bool) -> None:
    acl = canned(name, OWNER, OTHER)
    assert acl.public is public
    assert acl.without_public() == canned("private", OWNER, OTHER)


def test_an_acl_that_grants_to_one_other_account_is_not_the_owners_alone() -> None:
    assert canned("private", OWNER).owner_only
    assert not AccessControl(OWNER, (FULL, user(OTHER, "READ"))).owner_only
    assert not canned("log-delivery-write", OWNER).owner_only


def test_an_acl_is_answered_by_model_names() -> None:
    assert canned("public-read", OWNER).to_members() == {
        "Owner": {"ID": OWNER},
        "Grants": [
            {"Grantee": {"ID": OWNER, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"},
            {"Grantee": {"URI": ALL_USERS, "Type": "Group"}, "Permission": "READ"},
        ],
    }


@pytest.mark.parametrize("name", sorted(OBJECT_CANNED))
def test_an_acl_survives_storage_and_being_sent_back(name: str) -> None:
    acl = canned(name, OWNER, OTHER)
    assert from_json(json.loads(json.dumps(acl.to_json()))) == acl
    assert from_document(acl.to_members(), OWNER, KNOWN) == acl
