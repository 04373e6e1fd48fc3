"""Each matcher: when it is met, what it says when it is not, and what it does not pretend to see."""

from __future__ import annotations

from typing import Any

import pytest

from harness import expect
from harness.clients.base import Observed
from harness.expect import Matcher, if_shown, ok, one_of, refused
from harness.signals import Inexpressible
from harness.wire.xml import parse

MD5 = '"5d41402abc4b2a76b9719d911017c592"'


def raw(status: int = 200, **changes: Any) -> Observed:
    """An answer as raw HTTP shows it: everything."""
    shown: dict[str, Any] = {"ok": status < 300, "status": status, "headers": {}, "body": b""}
    return Observed("GetObject", "raw", **(shown | changes))


def hidden(**changes: Any) -> Observed:
    """A success as a client shows it that prints a summary."""
    return Observed("GetObject", "rclone", **({"ok": True, "partial": True, "exit_code": 0} | changes))


def no_answer(client: str = "raw") -> Observed:
    return Observed("GetObject", client, ok=False, failure="connection closed without an answer")


def refusal(status: int = 404, code: str = "NoSuchKey", **changes: Any) -> Observed:
    return raw(status, code=code, message="The specified key does not exist.", body=b"<Error/>", **changes)


def listing(*names: str, **changes: Any) -> Observed:
    return raw(output={"Contents": [{"Key": name} for name in names]}, **changes)


CASES: dict[str, tuple[Matcher, list[Observed], list[tuple[Observed, str]]]] = {
    # matcher, met by, not met by (with a part of the text)
    "ok": (
        ok(),
        [raw(), hidden()],
        [
            (raw(204), "status was 204"),
            (refusal(), "got 404 NoSuchKey (The specified key does not exist.)"),
            (hidden(ok=False, exit_code=3), "got exit code 3"),
            (no_answer(), "got connection closed"),
            (raw(200, ok=False, code="InternalError"), "got 200 InternalError"),
        ],
    ),
    "ok(204)": (ok(204), [raw(204), hidden()], [(raw(200), "status was 200")]),
    "refused": (
        refused(404, "NoSuchKey", "NoSuchVersion"),
        [
            refusal(),
            refusal(code="NoSuchVersion"),
            hidden(ok=False, status=404),
            hidden(ok=False, code="NoSuchKey"),
            hidden(ok=True, status=404),
        ],
        [
            (raw(), "got 200"),
            (raw(204), "got 204"),
            (refusal(403, "AccessDenied"), "got 403 AccessDenied"),
            (refusal(code="NotFound"), "code was 'NotFound'"),
            (refusal(code=""), "names no error code"),
            (hidden(), "got exit code 0"),
            (hidden(ok=False, code="AccessDenied"), "code was 'AccessDenied'"),
            (hidden(ok=True, status=200), "got 200 exit code 0"),
            (no_answer(), "got connection closed"),
            (no_answer("boto3"), "got connection closed"),
        ],
    ),
    "refused without code": (
        refused(404),
        [refusal(code=""), refusal(), hidden(ok=False, status=404)],
        [(raw(), "got 200"), (refusal(403), "got 403"), (no_answer(), "got connection")],
    ),
    "refused with fields": (
        refused(404, "NoSuchKey", fields={"Key": "k"}),
        [refusal(error_fields={"Key": "k", "HostId": "h"}), hidden(ok=False, code="NoSuchKey")],
        [(refusal(error_fields={"Key": "x"}), "Key was 'x'"), (refusal(), "Key was None")],
    ),
    "one_of": (
        one_of(ok(), refused(404, "NoSuchKey")),
        [raw(), refusal()],
        [(refusal(403), "got 403"), (no_answer(), "got connection")],
    ),
    "etag": (
        expect.etag(MD5),
        [raw(output={"ETag": MD5}), raw(headers={"etag": MD5}), hidden(output={"ETag": MD5})],
        [
            (raw(headers={"etag": MD5.strip('"')}), "ETag was 5d41402abc4b2a76b9719d911017c592"),
            (raw(headers={"etag": MD5.upper()}), f"ETag was {MD5.upper()}"),
            (raw(), "ETag was None"),
            (no_answer(), "ETag was None"),
        ],
    ),
    "header": (
        expect.header("Content-Length", "5"),
        [raw(headers={"content-length": "5"}), hidden(headers={"content-length": "5"})],
        [
            (raw(headers={"content-length": "05"}), "Content-Length was '05'"),
            (raw(), "there is no Content-Length header"),
            (no_answer(), "there is no Content-Length header"),
        ],
    ),
    "header_where": (
        expect.header_where("x-amz-request-id", "is not empty", bool),
        [raw(headers={"x-amz-request-id": "1"})],
        [(raw(headers={"x-amz-request-id": ""}), "x-amz-request-id was ''"), (raw(), "there is no")],
    ),
    "no_header": (
        expect.no_header("Content-Type"),
        [raw(), refusal()],
        [(raw(headers={"content-type": ""}), "Content-Type was ''"), (no_answer(), "got connection closed")],
    ),
    "root": (
        expect.root("Error"),
        [raw(document=parse(b"<Error/>"))],
        [(raw(document=parse(b"<a/>")), "root element was 'a'"), (no_answer(), "root element was None")],
    ),
    "no_body": (
        expect.no_body(),
        [raw(), raw(204, body=None), raw(404, body=b"")],
        [
            (raw(body=b"abc"), "3 bytes of body came: b'abc'"),
            (raw(stray=b"<a/>"), "4 bytes of body came: b'<a/>'"),
            (no_answer(), "got connection closed"),
        ],
    ),
    "body": (
        expect.body(b"hello"),
        [raw(body=b"hello"), hidden(body=b"hello")],
        [
            (raw(body=b"hell"), "got 4 bytes b'hell'"),
            (raw(body=b"help!"), "bytes differ from offset 3 on: b'p!' for b'lo'"),
            (raw(body=b""), "got 0 bytes"),
            (refusal(), "got 404 NoSuchKey"),
            (no_answer(), "got connection closed"),
            (hidden(ok=False, exit_code=3), "got exit code 3"),
        ],
    ),
    "body of nothing": (
        expect.body(b""),
        [raw(body=b"")],
        [(refusal(), "got 404"), (raw(404, body=b""), "got 404"), (no_answer(), "got"), (raw(body=b"x"), "got 1")],
    ),
    "output": (
        expect.output("MaxKeys", 1),
        [raw(output={"MaxKeys": 1}), hidden(output={"MaxKeys": 1})],
        [
            (raw(output={"MaxKeys": 2}), "MaxKeys was 2"),
            (raw(output={"MaxKeys": "1"}), "MaxKeys was '1'"),
            (raw(output={"MaxKeys": True}), "MaxKeys was True"),
            (raw(), "there is no MaxKeys"),
            (refusal(), "got 404"),
            (no_answer(), "got connection closed"),
        ],
    ),
    "output none": (expect.output("MaxKeys", None), [], [(raw(), "there is no MaxKeys"), (no_answer(), "got")]),
    "output_where": (
        expect.output_where("KeyCount", "at least 1", lambda count: count >= 1),
        [raw(output={"KeyCount": 1})],
        [(raw(output={"KeyCount": 0}), "KeyCount was 0"), (raw(), "there is no KeyCount"), (no_answer(), "got")],
    ),
    "absent": (
        expect.absent("NextMarker"),
        [raw(), raw(output={"MaxKeys": 1})],
        [
            (raw(output={"NextMarker": ""}), "NextMarker was ''"),
            (raw(output={"NextMarker": None}), "NextMarker was None"),
            (refusal(), "got 404"),
            (no_answer(), "got connection closed"),
        ],
    ),
    "keys": (
        expect.keys(["a", "b", "c"]),
        [listing("a", "b", "c")],
        [
            (listing("a", "c", "b"), "all there, in another order"),
            (listing("a", "b", "b", "c"), "'b' comes more than once"),
            (listing("a", "b", "x"), "missing ['c'], unexpected ['x']"),
            (listing(), "missing ['a', 'b', 'c'], unexpected []"),
            (listing(*map(str, range(20))), "… 20 in all"),
            (refusal(), "got 404"),
        ],
    ),
    "keys of nothing": (
        expect.keys([]),
        [listing(), raw()],
        [
            (listing("a"), "unexpected ['a']"),
            (refusal(403, "AccessDenied"), "got 403 AccessDenied"),
            (no_answer(), "got connection closed"),
            (listing(ok=False, failure="the listing does not end"), "got the listing does not end"),
        ],
    ),
    "prefixes": (
        expect.prefixes(["a/"]),
        [raw(output={"CommonPrefixes": [{"Prefix": "a/"}]})],
        [(raw(output={"CommonPrefixes": [{}]}), "unexpected ['']"), (raw(), "missing ['a/']"), (no_answer(), "got")],
    ),
    "metadata": (
        expect.metadata({"a": "1"}),
        [raw(output={"Metadata": {"a": "1"}})],
        [
            (raw(output={"Metadata": {"A": "1"}}), "metadata was {'A': '1'}"),
            (raw(output={"Metadata": {"a": "1", "b": ""}}), "metadata was {'a': '1', 'b': ''}"),
            (raw(), "metadata was {}"),
            (refusal(), "got 404"),
        ],
    ),
    "no metadata": (
        expect.metadata({}),
        [raw(), raw(output={"Metadata": {}})],
        [(raw(output={"Metadata": {"a": ""}}), "metadata was {'a': ''}"), (refusal(), "got 404"), (no_answer(), "got")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_met(name):
    matcher, met, _ = CASES[name]
    assert [matcher.test(seen) for seen in met] == [""] * len(met)


@pytest.mark.parametrize("name", CASES)
def test_not_met_says_what_was_found_instead(name):
    matcher, _, unmet = CASES[name]
    for seen, text in unmet:
        found = matcher.test(seen)
        assert text in found
        assert "\n" not in found
        assert len(found) < 500


@pytest.mark.parametrize("name", CASES)
def test_expected_is_in_words(name):
    matcher = CASES[name][0]
    assert matcher.expected
    assert "\n" not in matcher.expected
    assert len(matcher.expected) < 300


@pytest.mark.parametrize("name", CASES)
def test_no_matcher_is_vacuous(name):
    """Each can fail, and none is met by an endpoint that gave no answer at all."""
    matcher, _, unmet = CASES[name]
    assert unmet
    for client in ("raw", "boto3", "rclone"):
        try:
            assert matcher.test(no_answer(client)), client
        except Inexpressible as error:
            assert client in str(error)  # noqa: PT017 - either is right


def test_every_matcher_has_its_cases():
    makers = {name for name, value in vars(expect).items() if callable(value) and not name.startswith("_")}
    makers = {name for name in makers if getattr(vars(expect)[name], "__module__", "") == expect.__name__}
    assert makers - {"Matcher", "if_shown"} == {name.split()[0].split("(")[0] for name in CASES} - {"no"}


HIDING = [
    (expect.etag(MD5), "the ETag"),
    (expect.header("ETag", MD5), "response headers"),
    (expect.header_where("ETag", "is there", bool), "response headers"),
    (expect.no_header("ETag"), "response headers"),
    (expect.root("Error"), "the XML document"),
    (expect.no_body(), "the bytes of an answer without a body"),
    (expect.body(b"x"), "the object's bytes"),
    (expect.body(b""), "the object's bytes"),
    (expect.output("MaxKeys", 1), "MaxKeys"),
    (expect.output_where("MaxKeys", "is there", bool), "MaxKeys"),
    (expect.absent("MaxKeys"), "MaxKeys"),
    (expect.metadata({}), "user metadata"),
]


@pytest.mark.parametrize(("matcher", "what"), HIDING, ids=lambda value: getattr(value, "expected", value))
def test_what_the_client_does_not_show_is_inexpressible(matcher, what):
    """Never silently green: the cell is inapplicable and says why."""
    with pytest.raises(Inexpressible, match=f"rclone does not show {what}"):
        matcher.test(hidden())
    assert if_shown(matcher).test(hidden()) == ""


@pytest.mark.parametrize("name", CASES)
def test_if_shown_judges_whatever_is_shown(name):
    """It only forgives what cannot be seen."""
    matcher, met, unmet = CASES[name]
    lenient = if_shown(matcher)
    assert lenient.expected == matcher.expected
    assert [lenient.test(seen) for seen in met] == [""] * len(met)
    assert all(text in lenient.test(seen) for seen, text in unmet)


def test_one_of_is_met_by_what_is_shown_even_if_another_way_is_hidden():
    either = one_of(expect.header("x-a", "1"), ok())
    assert either.test(hidden()) == ""
    with pytest.raises(Inexpressible):
        either.test(hidden(ok=False))


def test_empty_etag_is_the_md5_of_nothing():
    import hashlib

    assert f'"{hashlib.md5(b"").hexdigest()}"' == expect.MD5_EMPTY


def test_a_member_that_a_client_is_too_old_for_is_not_judged() -> None:
    """The header came, the client's own model does not know it; where nothing came, the endpoint is to blame."""
    headers = {"content-range": "bytes 0-1/10"}
    for came, error in ((headers, Inexpressible), ({}, None)):
        old = Observed("HeadObject", "awscli", ok=True, status=206, headers=came, output={"ContentLength": 2})
        if error is None:
            assert expect.output("ContentRange", "bytes 0-1/10").test(old) == "there is no ContentRange"
        else:
            with pytest.raises(error, match="awscli does not show ContentRange"):
                expect.output("ContentRange", "bytes 0-1/10").test(old)
