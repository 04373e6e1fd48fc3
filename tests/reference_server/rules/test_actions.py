"""The action table against botocore's model and the permissions its documentation names."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reference_server.model import service_model
from reference_server.rules.actions import ACTIONS, actions_for, kinds_named

OPERATIONS = sorted(service_model().document["operations"])
KNOWN = {f"s3:{name}": kind for kind, names in ACTIONS.items() for name in names}
#: Operations of directory buckets and Object Lambda, whose actions are of other services.
ELSEWHERE = {
    "CreateSession": "s3express:CreateSession",
    "ListDirectoryBuckets": "s3express:ListAllMyDirectoryBuckets",
    "RenameObject": "s3express:CreateSession",
    "WriteGetObjectResponse": "s3-object-lambda:WriteGetObjectResponse",
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_needs_actions_that_exist_and_fit_what_it_acts_on(operation: str) -> None:
    actions = actions_for(operation, {})
    if operation in ELSEWHERE:
        assert actions == (ELSEWHERE[operation],)
        return
    uri = service_model().document["operations"][operation]["http"]["requestUri"]
    on_object = "{Key+}" in uri or operation == "DeleteObjects"
    kind = "object" if on_object else "account" if operation == "ListBuckets" else "bucket"
    assert [KNOWN.get(action) for action in actions] == [kind] * len(actions)


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - set(ELSEWHERE)))
def test_the_documentation_of_the_model_does_not_name_other_actions(operation: str) -> None:
    text = re.sub("<[^>]+>", "", service_model().document["operations"][operation].get("documentation", ""))
    documented = {action.lower() for action in re.findall(r"\bs3:[A-Z]\w+", text)}
    if documented:
        assert {action.lower() for action in actions_for(operation, {})} <= documented


@pytest.mark.parametrize(
    ("operation", "members", "expected"),
    [
        ("GetObject", {"VersionId": "null"}, ["GetObjectVersion"]),
        ("HeadObject", {"VersionId": "v"}, ["GetObjectVersion"]),
        ("DeleteObject", {"VersionId": "v"}, ["DeleteObjectVersion"]),
        ("DeleteObjects", {"VersionId": "v"}, ["DeleteObjectVersion"]),
        ("GetObjectAttributes", {"VersionId": "v"}, ["GetObjectVersion", "GetObjectVersionAttributes"]),
        ("GetObjectAcl", {"VersionId": "v"}, ["GetObjectVersionAcl"]),
        ("PutObjectAcl", {"VersionId": "v", "ACL": "private"}, ["PutObjectVersionAcl"]),
        ("GetObjectTagging", {"VersionId": "v"}, ["GetObjectVersionTagging"]),
        ("PutObjectTagging", {"VersionId": "v"}, ["PutObjectVersionTagging"]),
        ("DeleteObjectTagging", {"VersionId": "v"}, ["DeleteObjectVersionTagging"]),
        ("GetObjectRetention", {"VersionId": "v"}, ["GetObjectRetention"]),
        ("PutObject", {"Metadata": {}}, ["PutObject"]),
        ("PutObject", {"ACL": "private"}, ["PutObject", "PutObjectAcl"]),
        ("CopyObject", {"GrantRead": "id=x"}, ["PutObject", "PutObjectAcl"]),
        ("CreateMultipartUpload", {"Tagging": "a=b"}, ["PutObject", "PutObjectTagging"]),
        ("UploadPart", {}, ["PutObject"]),
        (
            "PutObject",
            {"ObjectLockMode": "GOVERNANCE", "ObjectLockLegalHoldStatus": "ON"},
            ["PutObject", "PutObjectRetention", "PutObjectLegalHold"],
        ),
        ("DeleteObject", {"BypassGovernanceRetention": True}, ["DeleteObject", "BypassGovernanceRetention"]),
        ("DeleteObject", {"BypassGovernanceRetention": False}, ["DeleteObject"]),
        (
            "CreateBucket",
            {"ObjectLockEnabledForBucket": True, "ObjectOwnership": "ObjectWriter", "ACL": "private"},
            [
                *("CreateBucket", "PutBucketAcl", "PutBucketObjectLockConfiguration", "PutBucketVersioning"),
                "PutBucketOwnershipControls",
            ],
        ),
        ("ListObjectAnnotations", {"VersionId": "v"}, ["ListObjectVersionAnnotations"]),
    ],
)
def test_members_change_which_actions_are_needed(operation: str, members: dict[str, Any], expected: list[str]) -> None:
    actions = actions_for(operation, members)
    assert actions == tuple(f"s3:{name}" for name in expected)
    assert set(actions) <= set(KNOWN)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("s3:GetObject", {"object"}),
        ("S3:getobject", {"object"}),
        ("s3:Get*", {"bucket", "object"}),
        ("s3:ListBucket*", {"bucket"}),
        ("s3:ListAllMyBuckets", {"account"}),
        ("*", {"account", "bucket", "object"}),
        ("s3:ListObjects", set()),
        ("s3:HeadObject", set()),
        ("ec2:*", set()),
    ],
)
def test_a_pattern_names_actions_of_some_kinds(pattern: str, expected: set[str]) -> None:
    assert kinds_named(pattern) == expected
