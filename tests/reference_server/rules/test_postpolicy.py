"""POST policies: reading them, holding forms against them, and what follows success."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.errors import S3Error
from reference_server.rules import postpolicy
from reference_server.rules.lock import parse_time
from reference_server.rules.postpolicy import PostPolicy

EXPIRATION = "2030-01-01T12:00:00.000Z"
NOW = (parse_time(EXPIRATION) or 0) - 60
URL = "http://localhost.test/random"


def encode(document: object) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    return base64.b64encode(text.encode()).decode()


def policy(*conditions: object) -> PostPolicy:
    return postpolicy.parse(encode({"expiration": EXPIRATION, "conditions": list(conditions)}))


def form(**fields: str) -> dict[str, str]:
    return {"bucket": "b", "key": "k", **{name.replace("_", "-"): value for name, value in fields.items()}}


BASE: tuple[object, ...] = ({"bucket": "b"}, ["starts-with", "$key", ""])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expecting '{' but found End-of-Input"),
        ("invalid_base64", "invalid Base64 encoding."),
        (encode("invalid json"), "Invalid JSON."),
        (encode("[]"), "Invalid JSON."),
        (encode("[" * 100_000), "Invalid JSON."),
        (encode("9" * 10_000), "Invalid JSON."),
        (encode({"conditions": []}), "Policy missing expiration."),
        (encode({"expiration": EXPIRATION}), "Policy missing conditions."),
        (encode({"expiration": "invalid", "conditions": []}), "Invalid 'expiration' value: 'invalid'"),
        (encode({"expiration": True, "conditions": []}), "Invalid 'expiration' value: 'True'"),
        (encode({"expiration": EXPIRATION, "conditions": True}), "Invalid 'conditions' value: must be a List."),
    ],
)
def test_a_policy_that_cannot_be_read_is_an_invalid_document(text: str, message: str) -> None:
    with pytest.raises(S3Error) as caught:
        postpolicy.parse(text)
    assert (caught.value.status, caught.value.code) == (400, "InvalidPolicyDocument")
    assert caught.value.message == f"Invalid Policy: {message}"


@pytest.mark.parametrize(
    ("condition", "part"),
    [
        ({"bucket": "b", "key": "k"}, "must have exactly one property"),
        ({}, "must have exactly one property"),
        ({"expires": True}, "value must be a string"),
        (True, "must be a List or Object"),
        ([], "missing operation identifier"),
        (["matches", "$key", "a"], "unknown operation 'matches'"),
        ([["eq"], "$key", "a"], "unknown operation"),
        (["eq", "$key", "a", "b"], "Invalid eq: wrong number of arguments"),
        (["content-length-range", 1], "Invalid content-length-range: wrong number of arguments"),
        (["eq", False, "a"], "Invalid JSON."),
        (["eq", "$key", True], "Invalid JSON."),
        (["eq", "$key", None], "Invalid JSON."),
    ],
)
def test_a_condition_that_cannot_be_is_an_invalid_document(condition: object, part: str) -> None:
    with pytest.raises(S3Error) as caught:
        policy(condition)
    assert (caught.value.status, caught.value.code) == (400, "InvalidPolicyDocument")
    assert part in caught.value.message


@pytest.mark.parametrize(
    ("conditions", "fields"),
    [
        ([], form()),
        ([{"acl": "private"}], form(acl="private")),
        ([["eq", "$acl", "private"]], form(acl="private")),
        ([["eq", "$success_action_status", 201]], {**form(), "success_action_status": "201"}),
        ([["eq", "$SUCCESS_Action_redirect", URL]], {**form(), "success_action_redirect": URL}),
        ([{"Content-Type": "text/plain"}], form(content_type="text/plain")),
        ([["starts-with", "$x-amz-meta-env", "prod"]], form(x_amz_meta_env="production")),
        ([["starts-with", "$x-amz-meta-tag", ""]], form(x_amz_meta_tag="")),
        ([["starts-with", "$content-type", "text/"]], form(content_type="text/plain, text/html")),
        ([["starts-with", "$x-amz-meta-a", "a,"]], form(x_amz_meta_a="a, b")),
        (
            [],
            form(x_ignore_me="1", policy="p", file="f", x_amz_signature="s", signature="s", awsaccesskeyid="i"),
        ),
        ([["content-length-range", 1, 2]], form()),
    ],
)
def test_a_form_that_meets_every_condition_passes(conditions: list[object], fields: dict[str, str]) -> None:
    policy(*BASE, *conditions).check(fields, NOW)


@pytest.mark.parametrize(
    ("condition", "fields", "named"),
    [
        (["eq", "$acl", "private"], form(acl="public-read"), '["eq", "$acl", "private"]'),
        (["eq", "$acl", "private"], form(acl="Private"), '["eq", "$acl", "private"]'),
        (["eq", "$acl", "public-read"], form(acl="public-read-write"), '["eq", "$acl", "public-read"]'),
        ({"acl": "public-read"}, form(acl="public-read-write"), '["eq", "$acl", "public-read"]'),
        (["eq", "$acl", "private"], form(), '["eq", "$acl", "private"]'),
        ({"acl": "private"}, form(acl="public-read"), '["eq", "$acl", "private"]'),
        ({"bucket": "other"}, form(), '["eq", "$bucket", "other"]'),
        (["eq", "acl", "private"], form(acl="private"), '["eq", "acl", "private"]'),
        (["eq", "acl", "private"], {**form(acl="private"), "": "private"}, '["eq", "acl", "private"]'),
        (["starts-with", "$acl", "http://a"], form(acl="HTTP://a"), '["starts-with", "$acl", "http://a"]'),
        (["starts-with", "$acl", ""], form(), '["starts-with", "$acl", ""]'),
        (
            ["starts-with", "$content-type", "text/"],
            form(content_type="text/plain, image/png"),
            '["starts-with", "$content-type", "text/"]',
        ),
        (["eq", "5", "10"], form(), '["eq", "5", "10"]'),
        (["content-length-range", "test", "10"], form(), '["content-length-range", "test", "10"]'),
        (["content-length-range", True, 10], form(), '["content-length-range", true, 10]'),
        (["eq", "$acl", "\ud800é"], form(), '["eq", "$acl", "?é"]'),
    ],
)
def test_a_condition_that_is_not_met_is_named(condition: object, fields: dict[str, str], named: str) -> None:
    with pytest.raises(S3Error) as caught:
        policy(*BASE, condition).check(fields, NOW)
    assert (caught.value.status, caught.value.code) == (403, "AccessDenied")
    assert caught.value.message == f"Invalid according to Policy: Policy Condition failed: {named}"
    assert caught.value.document("R", "H")


@pytest.mark.parametrize(
    ("conditions", "fields", "named"),
    [
        (BASE, form(acl="private"), "acl"),
        (BASE, form(x_amz_security_token="t"), "x-amz-security-token"),
        ([{"key": "k"}], form(), "bucket"),
        ([{"bucket": "b"}], form(), "key"),
        (BASE, form(a="1", b="2"), "a, b"),
    ],
)
def test_fields_that_no_condition_covers_are_named(
    conditions: list[object], fields: dict[str, str], named: str
) -> None:
    with pytest.raises(S3Error) as caught:
        policy(*conditions).check(fields, NOW)
    assert (caught.value.status, caught.value.code) == (403, "AccessDenied")
    assert caught.value.message == f"Invalid according to Policy: Extra input fields: {named}"


def test_a_policy_ends_when_it_expires() -> None:
    found = policy(*BASE)
    found.check(form(), found.expiration - 1)
    with pytest.raises(S3Error) as caught:
        found.check({}, found.expiration)
    assert (caught.value.status, caught.value.code) == (403, "AccessDenied")
    assert caught.value.message == "Invalid according to Policy: Policy expired."


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], None),
        ([["content-length-range", 5, 10]], (5, 10)),
        ([["content-length-range", "5", "10"]], (5, 10)),
        ([["content-length-range", 5, 10], ["content-length-range", 0, 7]], (5, 7)),
    ],
)
def test_the_length_range_is_read(conditions: list[Any], expected: tuple[int, int] | None) -> None:
    assert policy(*conditions).length_range == expected


@pytest.mark.parametrize(
    ("size", "code", "elements"),
    [
        (4, "EntityTooSmall", {"ProposedSize": 4, "MinSizeAllowed": 5}),
        (11, "EntityTooLarge", {"ProposedSize": 11, "MaxSizeAllowed": 10}),
    ],
)
def test_a_file_outside_the_range_is_refused(size: int, code: str, elements: dict[str, int]) -> None:
    with pytest.raises(S3Error) as caught:
        policy(["content-length-range", 5, 10]).check_length(size)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert caught.value.elements == elements


def test_a_file_within_the_range_passes() -> None:
    for size in (5, 10):
        policy(["content-length-range", 5, 10]).check_length(size)
    policy().check_length(10**12)


V4 = ("x-amz-signature", "x-amz-algorithm", "x-amz-credential", "x-amz-date")
V2 = ("signature", "awsaccesskeyid")


def signed(*names: str, without: str = "") -> dict[str, str]:
    values = {"x-amz-algorithm": "AWS4-HMAC-SHA256"}
    return {name: values.get(name, "value") for name in ("key", "policy", *names) if name != without}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [(signed(*V4), "v4"), (signed(*V2), "v2"), ({"key": "k"}, None), ({**signed(*V2), "policy": ""}, "v2")],
)
def test_the_fields_tell_the_signature(fields: dict[str, str], expected: str | None) -> None:
    assert postpolicy.check_fields(fields) == expected


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (signed(*V4, without="key"), "key"),
        ({**signed(*V4), "key": ""}, "key"),
        (signed(*V4, without="x-amz-signature"), "X-Amz-Signature"),
        (signed(*V4, without="x-amz-algorithm"), "X-Amz-Algorithm"),
        (signed(*V4, without="x-amz-credential"), "X-Amz-Credential"),
        (signed(*V4, without="x-amz-date"), "X-Amz-Date"),
        (signed(*V4, without="policy"), "Policy"),
        (signed(*V2, without="signature"), "Signature"),
        (signed(*V2, without="awsaccesskeyid"), "AWSAccessKeyId"),
    ],
)
def test_a_missing_field_is_named(fields: dict[str, str], name: str) -> None:
    with pytest.raises(S3Error) as caught:
        postpolicy.check_fields(fields)
    assert (caught.value.status, caught.value.code) == (400, "InvalidArgument")
    assert caught.value.elements == {"ArgumentName": name, "ArgumentValue": ""}
    assert f"a field named '{name}'" in caught.value.message


def test_an_unknown_algorithm_is_named() -> None:
    with pytest.raises(S3Error) as caught:
        postpolicy.check_fields({**signed(*V4), "x-amz-algorithm": "AWS4-ECDSA-P256-SHA256"})
    assert (caught.value.status, caught.value.code) == (400, "InvalidArgument")
    assert caught.value.elements["ArgumentName"] == "X-Amz-Algorithm"


def test_a_policy_without_signature_is_denied() -> None:
    with pytest.raises(S3Error) as caught:
        postpolicy.check_fields(signed())
    assert (caught.value.status, caught.value.code) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("key", "filename", "expected"),
    [
        ("key-${filename}", "my-file", "key-my-file"),
        ("${filename}/${filename}", "a", "a/a"),
        ("u/${filename}", "C:\\docs\\a.txt", "u/a.txt"),
        ("u/${filename}", "/home/x/a.txt", "u/a.txt"),
        ("u/${filename}", "", "u/"),
        ("u/${filename}", None, "u/${filename}"),
        ("plain", "a", "plain"),
        ("${filename}", "${filename}", "${filename}"),
    ],
)
def test_the_file_name_goes_into_the_key(key: str, filename: str | None, expected: str) -> None:
    assert postpolicy.substitute_filename(key, filename) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, f"{URL}?bucket=b&key=a%20%26%2F%C3%A9&etag=%22e%22"),
        ("https://h?x=1#top", "https://h?x=1&bucket=b&key=a%20%26%2F%C3%A9&etag=%22e%22#top"),
        ("http://h/é", "http://h/%C3%A9?bucket=b&key=a%20%26%2F%C3%A9&etag=%22e%22"),
        ("/wrong/redirect/relative", None),
        ("", None),
        ("javascript:alert(1)", None),
        ("ftp://h/", None),
        ("http://", None),
        ("http://[", None),
        ("http://h/\r\nSet-Cookie: a=b", None),
        ("http://h/a b", None),
    ],
)
def test_success_redirects_only_to_a_url(url: str, expected: str | None) -> None:
    assert postpolicy.redirect_location(url, "b", "a &/é", '"e"') == expected


@given(st.text())
def test_a_redirect_carries_the_key(key: str) -> None:
    location = postpolicy.redirect_location(URL, "b", key, '"e"')
    assert location is not None
    assert location.isascii()
    query = parse_qs(urlsplit(location).query, keep_blank_values=True)
    assert query == {"bucket": ["b"], "key": [key.encode(errors="replace").decode()], "etag": ['"e"']}
