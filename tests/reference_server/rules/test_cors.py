"""Cross-origin rules against recorded answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.errors import S3Error
from reference_server.rules import cors

ORIGIN = "https://localhost:4200"
VARY = ("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")


def rule(**members: Any) -> dict[str, Any]:
    return {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": [ORIGIN], **members}


def configuration(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"CORSRules": list(rules)}


@pytest.mark.parametrize(
    "document",
    [
        configuration(rule()),
        configuration(rule(AllowedOrigins=[""])),
        configuration(rule(AllowedOrigins=["http://*.example.com", "*"], AllowedHeaders=["*", "x-amz-*"])),
        configuration(*[rule()] * 100),
    ],
)
def test_a_valid_document_passes(document: dict[str, Any]) -> None:
    cors.check(document)


@pytest.mark.parametrize(
    ("document", "code", "part"),
    [
        ({}, "MalformedXML", ""),
        (configuration(), "MalformedXML", ""),
        (configuration(*[rule()] * 101), "MalformedXML", ""),
        (configuration(rule(AllowedMethods=[])), "MalformedXML", ""),
        (configuration({"AllowedMethods": ["GET"]}), "MalformedXML", ""),
        (configuration(rule(AllowedMethods=["GET", "MYMETHOD"])), "InvalidRequest", "method is MYMETHOD"),
        (configuration(rule(AllowedMethods=["get"])), "InvalidRequest", "method is get"),
        (configuration(rule(AllowedMethods=["OPTIONS"])), "InvalidRequest", "method is OPTIONS"),
        (configuration(rule(AllowedOrigins=["*a*"])), "InvalidRequest", 'AllowedOrigin "*a*" can not'),
        (configuration(rule(AllowedHeaders=["x-*-*"])), "InvalidRequest", 'AllowedHeader "x-*-*" can not'),
        (configuration(rule(ExposeHeaders=["*"])), "InvalidRequest", 'ExposeHeader "*" contains'),
        (configuration(rule(), rule(AllowedMethods=["TRACE"])), "InvalidRequest", "TRACE"),
    ],
)
def test_an_invalid_document_is_refused(document: dict[str, Any], code: str, part: str) -> None:
    with pytest.raises(S3Error) as caught:
        cors.check(document)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert part in caught.value.message


def test_a_preflight_is_answered_with_every_header_of_its_rule() -> None:
    document = configuration(rule(MaxAgeSeconds=3000, AllowedHeaders=["X-AMZ-*"], ExposeHeaders=["ETag", "x-amz-id-2"]))
    found = cors.preflight(document, ORIGIN, "PUT", "x-amz-Date,  X-Amz-Request-Payer")
    assert found == [
        ("Access-Control-Allow-Origin", ORIGIN),
        ("Access-Control-Allow-Methods", "GET, PUT"),
        ("Access-Control-Allow-Headers", "x-amz-date, x-amz-request-payer"),
        ("Access-Control-Expose-Headers", "ETag, x-amz-id-2"),
        ("Access-Control-Max-Age", "3000"),
        ("Access-Control-Allow-Credentials", "true"),
        VARY,
    ]


def test_a_rule_for_everyone_names_no_origin_and_takes_no_credentials() -> None:
    document = configuration(rule(AllowedOrigins=["*"]))
    expected = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "GET, PUT"), VARY]
    assert cors.preflight(document, "localhost:4566", "GET", None) == expected
    assert cors.actual(document, "localhost:4566", "GET") == expected


def test_the_first_rule_that_allows_the_request_answers_it() -> None:
    document = configuration(
        rule(AllowedMethods=["PUT"], MaxAgeSeconds=1),
        rule(AllowedMethods=["GET"], MaxAgeSeconds=2),
        rule(AllowedMethods=["GET"], MaxAgeSeconds=3),
    )
    assert ("Access-Control-Max-Age", "2") in cors.preflight(document, ORIGIN, "GET", None)


def test_an_age_of_zero_is_sent() -> None:
    assert ("Access-Control-Max-Age", "0") in cors.actual(configuration(rule(MaxAgeSeconds=0)), ORIGIN, "GET")


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        ("http://localhost:4200", "GET", None),
        (f"{ORIGIN}/", "GET", None),
        (ORIGIN, "DELETE", None),
        (ORIGIN, "GET", "x-amz-request-payer"),
        (ORIGIN, "GET", "x-amz-date, authorization"),
    ],
)
def test_a_preflight_that_no_rule_allows_is_forbidden(origin: str, method: str, headers: str | None) -> None:
    document = configuration(rule(AllowedHeaders=["x-amz-date"]))
    with pytest.raises(S3Error) as caught:
        cors.preflight(document, origin, method, headers)
    assert (caught.value.status, caught.value.code) == (403, "AccessForbidden")
    assert caught.value.elements == {"Method": method, "ResourceType": "OBJECT"}
    assert cors.actual(document, origin, method, headers) == []


def test_a_preflight_of_a_bucket_says_bucket() -> None:
    with pytest.raises(S3Error) as caught:
        cors.preflight(configuration(rule()), "http://other", "GET", None, "BUCKET")
    assert caught.value.elements["ResourceType"] == "BUCKET"


@pytest.mark.parametrize(("method", "named"), [("PUT", "PUT"), (None, "OPTIONS")])
def test_a_bucket_without_rules_forbids_every_preflight(method: str | None, named: str) -> None:
    with pytest.raises(S3Error) as caught:
        cors.preflight(None, ORIGIN, method, None)
    assert (caught.value.status, caught.value.code) == (403, "AccessForbidden")
    assert caught.value.elements == {"Method": named, "ResourceType": "BUCKET"}
    assert "not enabled" in caught.value.message


@pytest.mark.parametrize(
    ("origin", "method", "headers", "part"),
    [
        (None, "GET", None, "Origin request header needed"),
        ("", "GET", None, "Origin request header needed"),
        (ORIGIN, None, None, "Invalid Access-Control-Request-Method: null"),
        (ORIGIN, "PATCH", None, "Invalid Access-Control-Request-Method: PATCH"),
        (ORIGIN, "GET", "x-amz-date, bad header", '"bad header" contains invalid character'),
    ],
)
def test_a_preflight_that_lacks_information_is_a_bad_request(
    origin: str | None, method: str | None, headers: str | None, part: str
) -> None:
    with pytest.raises(S3Error) as caught:
        cors.preflight(configuration(rule()), origin, method, headers)
    assert (caught.value.status, caught.value.code) == (400, "BadRequest")
    assert part in caught.value.message


@pytest.mark.parametrize(("document", "origin"), [(None, ORIGIN), (configuration(rule()), None)])
def test_a_request_without_origin_or_rules_has_no_headers(document: dict[str, Any] | None, origin: str | None) -> None:
    assert cors.actual(document, origin, "GET") == []


@pytest.mark.parametrize(
    ("pattern", "origin", "expected"),
    [
        ("http://*.example.com", "http://a.example.com", True),
        ("http://*.example.com", "https://a.example.com", False),
        ("http://*.example.com", "http://a.example.org", False),
        ("http://*.example.com", "http://example.com", False),
        ("ab*ba", "aba", False),
    ],
)
def test_both_sides_of_a_star_bind(pattern: str, origin: str, expected: bool) -> None:
    assert bool(cors.actual(configuration(rule(AllowedOrigins=[pattern])), origin, "GET")) is expected


# Two letters and short texts: most draws are near misses.
_TEXT = st.text("ab", max_size=3)


@given(head=_TEXT, tail=_TEXT, origin=_TEXT.filter(bool))
def test_a_star_stands_for_any_text_also_none(head: str, tail: str, origin: str) -> None:
    document = configuration(rule(AllowedOrigins=[f"{head}*{tail}"]))
    matches = re.fullmatch(re.escape(head) + ".*" + re.escape(tail), origin) is not None
    assert bool(cors.actual(document, origin, "GET")) == matches
