"""Bucket policies: what is refused, what they decide, and which are public (catalogue POL-001 to POL-003, DEL-018)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reference_server.errors import S3Error
from reference_server.rules.actions import actions_for
from reference_server.rules.policy import MAX_SIZE, Access, Policy, parse_policy, resource_arn
from reference_server.rules.policy_text import Context

OWNER, OTHER = "012345678901", "444455556666"
CANONICAL = {OWNER: "0a" * 32, OTHER: "4" * 64}
BUCKET = "arn:aws:s3:::bucket"
OBJECTS = "arn:aws:s3:::bucket/*"
ANN = f"arn:aws:iam::{OTHER}:user/ann"


def statement(**changes: Any) -> dict[str, Any]:
    """A valid statement with changes; None leaves an element out."""
    base = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECTS}
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    return parse_policy(json.dumps({"Version": version, "Statement": list(statements)}).encode(), "bucket")


def access(
    account: str | None = OTHER,
    action: str = "s3:GetObject",
    key: str | None = "key",
    *,
    arn: str | None = None,
    context: Context | None = None,
) -> Access:
    """A request of an account's root, or of a user of it; account None for one without a signature."""
    if account is None:
        return Access(None, None, None, action, resource_arn("bucket", key), context or {})
    arn = arn or f"arn:aws:iam::{account}:root"
    return Access(account, arn, CANONICAL[account], action, resource_arn("bucket", key), context or {})


# What is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "first byte"),
        (b"invalid json", "first byte"),
        (b' {"Statement": []}', "first byte"),
        (b"[]", "first byte"),
        (b"{", "invalid Json"),
        (b'{"Statement": [{}]}]', "invalid Json"),
        (b'{"Statement": NaN}', "invalid Json"),
        (b'{"Id": "\xff"}', "invalid Json"),
        (b'{"Id": "\\ud800"}', "invalid Json"),
        (b'{"Id": "a", "Id": "b"}', "invalid Json"),
        (b'{"Id": ' + b"[" * 100_000, "invalid Json"),
        (b"{}", "Missing required field Statement"),
        (b'{"Statement": []}', "Statement is empty"),
        (b'{"Statement": "x"}', "Statement must be"),
        (b'{"Statement": [1]}', "Statement must be"),
        (b'{"Statement": {}, "Version": "2020-01-01"}', "valid version string"),
        (b'{"Statement": {}, "Version": ["2012-10-17"]}', "valid version string"),
        (b'{"Statement": {}, "Remark": "x"}', "Unknown field Remark"),
        (b'{"Statement": {}}', "Missing required field Effect"),
    ],
)
def test_a_document_that_is_no_policy_is_malformed(text: bytes, message: str) -> None:
    with pytest.raises(S3Error, match=message) as caught:
        parse_policy(text, "bucket")
    assert (caught.value.code, caught.value.status) == ("MalformedPolicy", 400)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Effect": None}, "Missing required field Effect"),
        ({"Effect": "allow"}, "Invalid effect : allow"),
        ({"Effect": ["Allow"]}, "Invalid effect"),
        ({"Principal": None}, "Missing required field Principal"),
        ({"Principal": {}}, "Invalid principal"),
        ({"Principal": "ann"}, "Invalid principal"),
        ({"Principal": ["*"]}, "Invalid principal"),
        ({"Principal": {"AWS": []}}, "Invalid principal"),
        ({"Principal": {"AWS": "12345"}}, "Invalid principal"),
        ({"Principal": {"AWS": f"arn:aws:iam::{OTHER}:user/*"}}, "Invalid principal"),
        ({"Principal": {"AWS": f"arn:aws:iam::{OTHER}:group/all"}}, "Invalid principal"),
        ({"Principal": {"CanonicalUser": "short"}}, "Invalid principal"),
        ({"Principal": {"Service": "*"}}, "Invalid principal"),
        ({"Principal": {"Service": ""}}, "Invalid principal"),
        ({"Principal": {"Person": "ann"}}, "Invalid principal"),
        ({"NotPrincipal": "*"}, "either Principal or NotPrincipal"),
        ({"Principal": None, "NotPrincipal": {"AWS": OTHER}}, "Allow with NotPrincipal"),
        ({"Action": None}, "Missing required field Action"),
        ({"Action": []}, "invalid action"),
        ({"Action": "s3:ListObjects"}, "invalid action"),
        ({"Action": "s3:FlyToTheMoon"}, "invalid action"),
        ({"Action": "ec2:*"}, "invalid action"),
        ({"Action": ["s3:GetObject", "s3:Nothing*"]}, "invalid action"),
        ({"NotAction": "s3:GetObject"}, "either Action or NotAction"),
        ({"Action": None, "NotAction": "s3:Nothing"}, "invalid action"),
        ({"Resource": None}, "Missing required field Resource"),
        ({"Resource": []}, "invalid resource"),
        ({"Resource": 5}, "invalid resource"),
        ({"Resource": "*"}, "invalid resource"),
        ({"Resource": "bucket/*"}, "invalid resource"),
        ({"Resource": "arn:aws:s3:::other/*"}, "invalid resource"),
        ({"Resource": "arn:aws:s3:::bucket2/*"}, "invalid resource"),
        ({"Resource": [OBJECTS, "arn:aws:s3:::other/*"]}, "invalid resource"),
        ({"Resource": None, "NotResource": "arn:aws:s3:::other/*"}, "invalid resource"),
        ({"NotResource": OBJECTS}, "either Resource or NotResource"),
        ({"Resource": BUCKET}, "Action does not apply"),
        ({"Action": "s3:ListBucket"}, "Action does not apply"),
        ({"Action": ["s3:GetObject", "s3:ListBucket"]}, "Action does not apply"),
        ({"Action": "s3:ListAllMyBuckets", "Resource": BUCKET}, "Action does not apply"),
        ({"Condition": {"StringIs": {"aws:x": "y"}}}, "Invalid Condition type"),
        ({"Condition": {"StringLike": {"s3:prefix": "a*"}}}, "Conditions do not apply"),
        (
            {
                "Action": ["s3:ListBucket", "s3:GetObject"],
                "Resource": [BUCKET, OBJECTS],
                "Condition": {"StringLike": {"s3:prefix": "a*"}},
            },
            "Conditions do not apply",
        ),
        ({"Remark": "x"}, "Unknown field Remark"),
    ],
)
def test_a_statement_that_breaks_the_language_is_malformed(changes: dict[str, Any], message: str) -> None:
    policy(statement())
    with pytest.raises(S3Error, match=message) as caught:
        policy(statement(**changes))
    assert caught.value.code == "MalformedPolicy"


@pytest.mark.parametrize(
    "changes",
    [
        {"Sid": "one"},
        {"Action": "*"},
        {"Action": "S3:GETobject"},
        {"Action": ["s3:GetObject*", "s3:List*"], "Resource": [BUCKET, OBJECTS]},
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket*"},
        {"Action": "s3:GetObject", "Resource": [BUCKET, "arn:aws:s3:::bucket*"]},
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::buck?t/*"},
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::${aws:PrincipalTag/a/b}/*"},
        {"Action": None, "NotAction": "s3:ListAllMyBuckets"},
        {"Resource": None, "NotResource": BUCKET},
        {"Principal": {"AWS": [OTHER, ANN, f"arn:aws:sts::{OTHER}:assumed-role/r/s"]}},
        {"Principal": {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1"}},
        {"Principal": {"Service": "logging.s3.amazonaws.com", "CanonicalUser": CANONICAL[OTHER]}},
        {"Action": "s3:ListBucket*", "Resource": BUCKET, "Condition": {"StringLike": {"s3:prefix": "a*"}}},
        {"Action": "S3:LISTBUCKET", "Resource": BUCKET, "Condition": {"StringLike": {"s3:prefix": "a*"}}},
        {"Condition": {}},
    ],
)
def test_forms_that_are_legal_are_accepted(changes: dict[str, Any]) -> None:
    assert len(policy(statement(**changes)).statements) == 1


def test_a_single_statement_needs_no_list() -> None:
    parsed = parse_policy(json.dumps({"Statement": statement()}).encode(), "bucket")
    assert parsed.decide(access()) is True


def test_the_size_limit_counts_without_white_space() -> None:
    spaced = json.dumps({"Statement": statement()}, indent=200).encode()
    assert len(spaced) < MAX_SIZE < len(spaced + b" " * MAX_SIZE)
    assert parse_policy(spaced + b" " * MAX_SIZE, "bucket").statements
    with pytest.raises(S3Error, match="maximum allowed size"):
        policy(statement(Sid="x" * MAX_SIZE))


# Decisions


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", {"anonymous", "owner", "other", "ann"}),
        ({"AWS": "*"}, {"anonymous", "owner", "other", "ann"}),
        ({"AWS": OTHER}, {"other", "ann"}),
        ({"AWS": f"arn:aws:iam::{OTHER}:root"}, {"other", "ann"}),
        ({"AWS": ANN}, {"ann"}),
        ({"AWS": [ANN, OWNER]}, {"ann", "owner"}),
        ({"CanonicalUser": CANONICAL[OTHER]}, {"other", "ann"}),
        ({"AWS": OWNER, "CanonicalUser": CANONICAL[OTHER]}, {"owner", "other", "ann"}),
        ({"Service": "s3.amazonaws.com"}, set()),
        ({"Federated": "graph.example.com"}, set()),
    ],
)
def test_a_principal_names_who_is_meant_and_not_principal_the_rest(principal: object, expected: set[str]) -> None:
    requests = {
        "anonymous": access(None),
        "owner": access(OWNER),
        "other": access(OTHER),
        "ann": access(OTHER, arn=ANN),
    }
    allowing = policy(statement(Principal=principal))
    assert {name for name, request in requests.items() if allowing.decide(request)} == expected
    denying = policy(statement(Principal=None, NotPrincipal=principal, Effect="Deny"))
    denied = {name for name, request in requests.items() if denying.decide(request) is False}
    assert denied == set(requests) - expected


@pytest.mark.parametrize(
    ("changes", "request_", "expected"),
    [
        ({}, access(), True),
        ({}, access(action="s3:PutObject"), None),
        ({"Action": "s3:get*"}, access(), True),
        ({"Action": ["s3:PutObject", "s3:GetObject"]}, access(), True),
        ({"Resource": [f"{BUCKET}/a", f"{BUCKET}/key"]}, access(), True),
        ({"Action": "S3:GETOBJECT"}, access(), True),
        ({"Action": "s3:GetObject?*"}, access(), None),
        ({"Action": "*", "Resource": OBJECTS}, access(action="s3:PutObject"), True),
        ({"Action": None, "NotAction": ["s3:Delete*", "s3:Put*"]}, access(), True),
        ({"Action": None, "NotAction": "s3:Get*"}, access(), None),
        ({"Resource": f"{BUCKET}/key"}, access(), True),
        ({"Resource": f"{BUCKET}/Key"}, access(), None),
        ({"Resource": f"{BUCKET}/k?y"}, access(), True),
        ({"Resource": f"{BUCKET}/a/*/z"}, access(key="a/b/c/z"), True),
        ({"Resource": f"{BUCKET}/a*"}, access(key="b/a"), None),
        ({"Action": "s3:*", "Resource": OBJECTS}, access(action="s3:ListBucket", key=None), None),
        ({"Action": "s3:ListBucket", "Resource": BUCKET}, access(action="s3:ListBucket", key=None), True),
        ({"Resource": None, "NotResource": f"{BUCKET}/secret/*"}, access(), True),
        ({"Resource": None, "NotResource": f"{BUCKET}/secret/*"}, access(key="secret/a"), None),
        ({"Effect": "Deny"}, access(), False),
    ],
)
def test_actions_and_resources_say_where_a_statement_applies(
    changes: dict[str, Any], request_: Access, expected: bool | None
) -> None:
    assert policy(statement(**changes)).decide(request_) is expected


def test_a_deny_outweighs_any_number_of_allows_in_any_order() -> None:
    allow, deny = statement(), statement(Effect="Deny", Resource=f"{BUCKET}/secret/*")
    for decided in (policy(allow, deny, allow), policy(deny, allow)):
        assert decided.decide(access()) is True
        assert decided.decide(access(key="secret/plans")) is False
        assert decided.decide(access(action="s3:PutObject")) is None


def test_each_key_of_a_multi_object_delete_is_decided_by_itself() -> None:
    """A version is another action, so a policy can forbid the one and not the other (catalogue DEL-018)."""
    decided = policy(
        statement(Action="s3:DeleteObject*"),
        statement(Effect="Deny", Action="s3:DeleteObject", Resource=f"{BUCKET}/keep"),
    )
    (plain,) = actions_for("DeleteObjects", {})
    (versioned,) = actions_for("DeleteObjects", {"VersionId": "v"})
    assert decided.decide(access(action=plain, key="keep")) is False
    assert decided.decide(access(action=plain, key="drop")) is True
    assert decided.decide(access(action=versioned, key="keep")) is True


def test_variables_in_resources_stand_for_who_asks() -> None:
    decided = policy(statement(Resource=f"{BUCKET}/home/${{aws:username}}/*"))
    assert decided.decide(access(key="home/ann/x", context={"aws:username": "ann"})) is True
    assert decided.decide(access(key="home/bob/x", context={"aws:username": "ann"})) is None
    assert decided.decide(access(key="home/ann/x")) is None
    assert decided.decide(access(key="home//x", context={"aws:username": ""})) is True


def test_a_variable_without_a_value_voids_not_resource_instead_of_widening_it() -> None:
    decided = policy(statement(Effect="Deny", Resource=None, NotResource=f"{BUCKET}/${{aws:username}}/*"))
    assert decided.decide(access(key="bob/x", context={"aws:username": "ann"})) is False
    assert decided.decide(access(key="ann/x", context={"aws:username": "ann"})) is None
    assert decided.decide(access(key="bob/x")) is None


def test_without_the_newer_version_variables_are_plain_text() -> None:
    decided = policy(statement(Resource=f"{BUCKET}/${{aws:username}}"), version="2008-10-17")
    assert decided.decide(access(key="ann", context={"aws:username": "ann"})) is None
    assert decided.decide(access(key="${aws:username}")) is True


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": "false"}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws:securetransport": "true"}, None),
        ({"StringLike": {"aws:Referer": "https://example.com/*"}}, {"aws:referer": "https://example.com/a"}, True),
        ({"StringLike": {"aws:Referer": "https://example.com/*"}}, {}, None),
        ({"StringEquals": {"s3:ExistingObjectTag/Class": "open"}}, {"s3:existingobjecttag/class": "open"}, True),
        ({"StringEquals": {"aws:PrincipalAccount": OTHER}}, {}, True),
        ({"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:root"}}, {}, None),
    ],
)
def test_a_statement_applies_where_its_conditions_hold(
    condition: dict[str, Any], context: Context, expected: bool | None
) -> None:
    assert policy(statement(Condition=condition)).decide(access(context=context)) is expected


def test_a_request_without_a_signature_has_no_principal_keys() -> None:
    decided = policy(statement(Condition={"Null": {"aws:PrincipalArn": "true"}}))
    assert decided.decide(access(None)) is True
    assert decided.decide(access(OTHER)) is None


# Public


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": [OTHER, "*"]}}, True),
        ({"Principal": {"AWS": OTHER}}, False),
        ({"Principal": {"Service": "s3.amazonaws.com"}}, False),
        ({"Principal": {"Federated": "graph.example.com"}}, True),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, True),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-91237329"}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-91237329"}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": ["vpc-9", "${aws:username}"]}}}, True),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-9"}}}, True),
        ({"Condition": {"ForAllValues:StringEquals": {"aws:SourceVpc": "vpc-9"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-9"}}}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Condition": {"StringEquals": {"aws:Referer": "https://example.com"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/1"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "0.0.0.0/7"]}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "2001::/16"}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, True),
        ({"Condition": {"ArnLike": {"s3:DataAccessPointArn": f"arn:aws:s3:*:{OTHER}:accesspoint/*"}}}, False),
        ({"Condition": {"ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:*:*:accesspoint/*"}}}, True),
        (
            {
                "Condition": {
                    "ArnLike": {"s3:DataAccessPointArn": [f"arn:aws:s3:*:{OWNER}:accesspoint/*", "arn:aws:s3:*"]}
                }
            },
            True,
        ),
        (
            {"Condition": {"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceAccount": OTHER}}},
            False,
        ),
    ],
)
def test_a_policy_is_public_unless_fixed_values_confine_it(changes: dict[str, Any], expected: bool) -> None:
    assert policy(statement(**changes)).public is expected


def test_one_public_statement_makes_the_policy_public() -> None:
    assert policy(statement(Principal={"AWS": OTHER}), statement()).public
    assert not policy(statement(Principal={"AWS": OTHER}), statement(Effect="Deny")).public


def test_a_deny_does_not_make_a_public_grant_less_public() -> None:
    assert policy(statement(), statement(Effect="Deny", Resource=f"{BUCKET}/secret/*")).public
