"""Condition operators on requests with and without the key."""

from __future__ import annotations

from typing import Any

import pytest

from reference_server.errors import S3Error
from reference_server.rules.policy_conditions import OPERATORS, parse_conditions
from reference_server.rules.policy_text import Context


def holds(operator: str, key: str, values: Any, context: Context) -> bool:
    conditions = parse_conditions({operator: {key: values}}, variables=True)
    return all(condition.holds(context) for condition in conditions)


@pytest.mark.parametrize(
    ("operator", "values", "actual", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "${aws:username}", "ann", True),
        ("StringEquals", "${aws:nothing}", "ann", False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", "${aws:nothing}", "ann", False),
        ("StringEqualsIgnoreCase", "AbC", "aBc", True),
        ("StringNotEqualsIgnoreCase", "AbC", "aBc", False),
        ("StringLike", "home/*", "home/ann", True),
        ("StringLike", "home/${aws:username}/*", "home/ann/x", True),
        ("StringLike", "home/${aws:username}/*", "home/bob/x", False),
        ("StringLike", ["", "home/"], "", True),
        ("StringLike", "a?c", "abc", True),
        ("StringLike", "a${?}c", "abc", False),
        ("StringNotLike", "home/*", "home/ann", False),
        ("NumericEquals", 10, "10.0", True),
        ("NumericEquals", "10", "ten", False),
        ("NumericNotEquals", "10", "11", True),
        ("NumericLessThan", "10", "9.5", True),
        ("NumericLessThan", "10", "10", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "9", "10", True),  # as text it would not be
        ("NumericGreaterThan", "10", "10", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("DateEquals", "2024-01-01T00:00:00Z", "1704067200", True),
        ("DateNotEquals", "2024-01-01", "2024-01-01T00:00:00Z", False),
        ("DateLessThan", "2024-01-01T00:00:00Z", "2023-12-31T23:59:59Z", True),
        ("DateLessThan", "2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00Z", False),
        ("DateLessThanEquals", "2024-01-01T01:00:00+01:00", "2024-01-01T00:00:00Z", True),
        ("DateGreaterThan", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z", True),
        ("DateGreaterThanEquals", "1704067200", "2024-01-01T00:00:00Z", True),
        ("Bool", "true", "True", True),
        ("Bool", True, "false", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.0/8", "11.1.2.3", False),
        ("IpAddress", "192.0.2.7", "192.0.2.7", True),
        ("IpAddress", "192.0.2.7", "192.0.2.8", False),
        ("IpAddress", "10.0.0.1/8", "10.1.2.3", True),
        ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
        ("IpAddress", "2001:db8::/32", "10.1.2.3", False),
        ("IpAddress", "10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("IpAddress", "0.0.0.0/0", "somewhere", False),
        ("NotIpAddress", ["10.0.0.0/8", "11.0.0.0/8"], "11.1.2.3", False),
        ("NotIpAddress", "10.0.0.0/8", "12.1.2.3", True),
        ("ArnLike", "arn:aws:iam::*:user/a*", "arn:aws:iam::1:user/ann", True),
        ("ArnEquals", "arn:aws:iam::*:user/a*", "arn:aws:iam::1:user/ann", True),
        ("ArnLike", "arn:aws:x:*:1:finance/*", "arn:aws:x:r:9:store/abc:1:finance/d", False),
        ("StringLike", "arn:aws:x:*:1:finance/*", "arn:aws:x:r:9:store/abc:1:finance/d", True),
        ("ArnLike", "arn:aws:x:r:1:a:b", "arn:aws:x:r:1:a:b", True),
        ("ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::1:user/ann", True),
        ("ArnLike", "*", "arn:aws:iam::1:user/ann", False),
        ("ArnNotLike", "arn:aws:iam::1:*", "arn:aws:iam::2:user/ann", True),
        ("ArnNotEquals", "arn:aws:iam::1:*", "arn:aws:iam::1:user/ann", False),
        ("Null", "true", "x", False),
        ("Null", "false", "", True),
    ],
)
def test_an_operator_compares_a_value_of_the_request(operator: str, values: Any, actual: str, expected: bool) -> None:
    context = {"aws:username": "ann", "aws:key": actual}
    assert holds(operator, "aws:Key", values, context) is expected
    assert holds(f"{operator}IfExists" if operator != "Null" else operator, "AWS:KEY", values, context) is expected


ANY_VALUE = {"Date": "2024-01-01", "Numeric": "1", "Bool": "true", "Null": "false", "Ip": "10.0.0.0/8"}


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_a_request_without_the_key_satisfies_negated_operators_alone(operator: str) -> None:
    value = next((value for start, value in ANY_VALUE.items() if start in operator[:7]), "arn:aws:s3:::x")
    assert holds(operator, "aws:key", value, {}) is ("Not" in operator)
    if operator != "Null":
        assert holds(f"{operator}IfExists", "aws:key", value, {})
        assert holds(f"ForAllValues:{operator}", "aws:key", value, {})
        assert not holds(f"ForAnyValue:{operator}", "aws:key", value, {})
        assert holds(f"ForAnyValue:{operator}IfExists", "aws:key", value, {})


def test_null_asks_whether_the_key_is_absent() -> None:
    assert holds("Null", "aws:key", "true", {})
    assert not holds("Null", "aws:key", "false", {})
    assert holds("Null", "aws:key", "true", {"aws:key": ()})


@pytest.mark.parametrize(
    ("operator", "actual", "expected"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAnyValue:StringEquals", ("a", "c"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("a", "d"), False),
        ("ForAnyValue:StringNotEquals", ("a", "d"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
        ("StringEquals", ("c", "a"), True),
        ("StringNotEquals", ("c", "a"), False),
    ],
)
def test_quantifiers_count_the_values_of_the_request(operator: str, actual: tuple[str, ...], expected: bool) -> None:
    assert holds(operator, "s3:RequestObjectTagKeys", ["a", "b"], {"s3:requestobjecttagkeys": actual}) is expected


def test_all_operators_and_keys_must_hold() -> None:
    value = {"StringEquals": {"aws:username": "ann", "s3:prefix": "a"}, "Bool": {"aws:SecureTransport": "true"}}
    conditions = parse_conditions(value, variables=True)
    context = {"aws:username": "ann", "s3:prefix": "a", "aws:securetransport": "true"}
    assert len(conditions) == 3
    assert all(condition.holds(context) for condition in conditions)
    for key in context:
        assert not all(condition.holds({**context, key: "other"}) for condition in conditions)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "Condition must be an object"),
        ({"StringLooksLike": {"aws:x": "y"}}, "Invalid Condition type : StringLooksLike"),
        ({"stringequals": {"aws:x": "y"}}, "Invalid Condition type : stringequals"),
        ({"NullIfExists": {"aws:x": "true"}}, "Invalid Condition type : NullIfExists"),
        ({"ForSomeValues:StringEquals": {"aws:x": "y"}}, "Invalid Condition type"),
        ({"StringEquals": "x"}, "must be an object of condition keys"),
        ({"StringEquals": {}}, "must be an object of condition keys"),
        ({"StringEquals": {"s3:x-acl": "y"}}, "invalid condition key"),
        ({"StringEquals": {"s3:ExistingObjectTag/": "y"}}, "invalid condition key"),
        ({"StringEquals": {"ec2:Vpc": "y"}}, "invalid condition key"),
        ({"StringEquals": {"aws:": "y"}}, "invalid condition key"),
        ({"StringEquals": {"aws:x": []}}, "needs a value"),
        ({"StringEquals": {"aws:x": None}}, "needs a value"),
        ({"StringEquals": {"aws:x": ["a", {}]}}, "needs a value"),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}, "Invalid IP address in Conditions"),
        ({"NumericEquals": {"s3:max-keys": "many"}}, "Invalid value in Conditions for NumericEquals"),
        ({"DateLessThan": {"aws:CurrentTime": "soon"}}, "Invalid value in Conditions for DateLessThan"),
        ({"Bool": {"aws:SecureTransport": "yes"}}, "Invalid value in Conditions for Bool"),
        ({"Null": {"aws:SecureTransport": "yes"}}, "Invalid value in Conditions for Null"),
    ],
)
def test_what_is_no_condition_is_a_malformed_policy(value: object, message: str) -> None:
    with pytest.raises(S3Error, match=message) as caught:
        parse_conditions(value, variables=True)
    assert caught.value.code == "MalformedPolicy"


@pytest.mark.parametrize("key", ["s3:ExistingObjectTag/Team", "s3:VersionId", "s3:x-amz-acl", "aws:PrincipalTag/x"])
def test_keys_of_s3_and_all_global_keys_are_accepted_in_any_case(key: str) -> None:
    assert parse_conditions({"StringEquals": {key: "y"}}, variables=True)[0].key == key.lower()
