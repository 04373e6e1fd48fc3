"""Public access block, object ownership, requests without a signature (catalogue POL-008 to POL-011, GET-028)."""

from __future__ import annotations

from typing import Any

import pytest

from reference_server.errors import S3Error
from reference_server.model import service_model
from reference_server.rules.acl import canned
from reference_server.rules.public_access import (
    ENFORCED,
    PREFERRED,
    WRITER,
    check_acl_operation,
    check_enforceable,
    check_new_bucket,
    check_upload,
    object_owner,
    public_access,
)

OWNER, OTHER = "1" * 64, "2" * 64
SETTINGS = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]


def test_the_settings_are_those_of_the_service_model() -> None:
    shape = service_model().document["shapes"]["PublicAccessBlockConfiguration"]
    assert set(shape["members"]) == set(SETTINGS)


def test_settings_that_are_not_given_are_off() -> None:
    assert public_access(None) == public_access({}) == public_access(dict.fromkeys(SETTINGS, False))


def test_each_setting_does_its_own_and_nothing_else() -> None:
    public, private = canned("public-read", OWNER), canned("private", OWNER)
    for setting in SETTINGS:
        block = public_access({setting: True})
        assert (block.effective(public) == private) is (setting == "IgnorePublicAcls")
        assert block.admits(OTHER, OWNER, public_policy=True) is (setting != "RestrictPublicBuckets")
        for check, wanted in (
            (lambda block=block: block.check_acl(public), "BlockPublicAcls"),
            (lambda block=block: block.check_policy(public=True), "BlockPublicPolicy"),
        ):
            if setting == wanted:
                with pytest.raises(S3Error, match=wanted) as caught:
                    check()
                assert (caught.value.code, caught.value.status) == ("AccessDenied", 403)
            else:
                check()


def test_what_is_not_public_passes_with_all_settings_on() -> None:
    block = public_access(dict.fromkeys(SETTINGS, True))
    acl = canned("bucket-owner-full-control", OWNER, OTHER)
    block.check_acl(acl)
    block.check_policy(public=False)
    assert block.effective(acl) == acl
    assert block.admits(None, OWNER, public_policy=False)


@pytest.mark.parametrize(("account", "expected"), [(OWNER, True), (OTHER, False), (None, False)])
def test_a_restricted_bucket_with_a_public_policy_is_for_its_own_account(account: str | None, expected: bool) -> None:
    block = public_access({"RestrictPublicBuckets": True})
    assert block.admits(account, OWNER, public_policy=True) is expected


def test_acl_operations_fail_where_acls_are_disabled() -> None:
    check_acl_operation(PREFERRED)
    check_acl_operation(WRITER)
    with pytest.raises(S3Error) as caught:
        check_acl_operation(ENFORCED)
    assert (caught.value.code, caught.value.status) == ("AccessControlListNotSupported", 400)


@pytest.mark.parametrize(
    ("members", "accepted"),
    [
        ({}, True),
        ({"ACL": "private"}, True),
        ({"ACL": "bucket-owner-full-control"}, True),
        ({"ACL": "bucket-owner-read"}, False),
        ({"ACL": "public-read"}, False),
        ({"GrantRead": "id=x"}, False),
    ],
)
def test_uploads_may_ask_for_what_gives_the_bucket_owner_control(members: dict[str, Any], accepted: bool) -> None:
    check_upload(WRITER, members)
    if accepted:
        check_upload(ENFORCED, members)
        return
    with pytest.raises(S3Error) as caught:
        check_upload(ENFORCED, members)
    assert caught.value.code == "AccessControlListNotSupported"


@pytest.mark.parametrize(
    ("members", "accepted"),
    [
        ({}, True),
        ({"ACL": "private"}, True),
        ({"ACL": "public-read"}, False),
        ({"ACL": "public-read", "ObjectOwnership": ENFORCED}, False),
        ({"GrantFullControl": "id=x"}, False),
        ({"ACL": "public-read", "ObjectOwnership": WRITER}, True),
        ({"GrantFullControl": "id=x", "ObjectOwnership": PREFERRED}, True),
    ],
)
def test_a_new_bucket_has_an_acl_only_with_acls_enabled(members: dict[str, Any], accepted: bool) -> None:
    if accepted:
        check_new_bucket(members)
        return
    with pytest.raises(S3Error) as caught:
        check_new_bucket(members)
    assert (caught.value.code, caught.value.status) == ("InvalidBucketAclWithObjectOwnership", 400)


def test_acls_can_be_disabled_once_the_buckets_own_grants_nothing_to_others() -> None:
    check_enforceable(ENFORCED, canned("private", OWNER))
    check_enforceable(WRITER, canned("public-read", OWNER))
    with pytest.raises(S3Error) as caught:
        check_enforceable(ENFORCED, canned("public-read", OWNER))
    assert caught.value.code == "InvalidBucketAclWithObjectOwnership"


@pytest.mark.parametrize(
    ("ownership", "acl", "expected"),
    [
        (ENFORCED, None, OWNER),
        (PREFERRED, None, OTHER),
        (PREFERRED, "bucket-owner-full-control", OWNER),
        (WRITER, "bucket-owner-full-control", OTHER),
    ],
)
def test_object_ownership_says_who_owns_what_another_account_writes(
    ownership: str, acl: str | None, expected: str
) -> None:
    assert object_owner(ownership, {"ACL": acl}, OTHER, OWNER) == expected


def test_ownership_names_are_those_of_the_service_model() -> None:
    assert {ENFORCED, PREFERRED, WRITER} == set(service_model().document["shapes"]["ObjectOwnership"]["enum"])
