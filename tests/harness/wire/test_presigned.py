"""Presigned URLs of both versions of the signature, as AWS publishes them and as botocore makes them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import HmacV1QueryAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from harness.wire import sigv2
from harness.wire.sigv4 import EMPTY_SHA256, Credentials, Signer, encode

DATA = Path(__file__).parent / "data"
SUITE = json.loads((DATA / "sigv4_suite.json").read_text(encoding="utf-8"))["cases"]
QUERY = json.loads((DATA / "sigv4_suite_query.json").read_text(encoding="utf-8"))
EXAMPLE = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
TOKEN = Credentials("AKIDEXAMPLE", "secret", "to/ken+=")
NOW = dt.datetime(2013, 5, 24, tzinfo=dt.UTC)
END = 1_175_139_620


# --- version 4 ---


def test_example_of_the_documentation():
    """Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"."""
    host = ("Host", "examplebucket.s3.amazonaws.com")
    target = Signer(EXAMPLE, "us-east-1", NOW).presign("GET", "/test.txt", [host], "86400")
    credential = "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    assert target == (
        f"/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date=20130524T000000Z"
        "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_every_case_of_the_suite_has_its_signature_in_the_query():
    assert QUERY["signatures"].keys() == {case["case"] for case in SUITE}


@pytest.mark.parametrize("case", SUITE, ids=lambda case: str(case["case"]))
def test_cases_of_the_suite_in_the_query(case):
    """Other services sign the hash of the body in the query too; with S3 it is UNSIGNED-PAYLOAD there."""
    head, _, _ = case["request"].partition("\n\n")
    start, *lines = head.rstrip("\n").split("\n")
    method, target = start.removesuffix(" HTTP/1.1").split(" ", 1)
    headers: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        headers += [(name, value)] if colon else []
        if not colon:  # a folded line
            headers[-1] = (headers[-1][0], f"{headers[-1][1]}\n{line}")
    credentials = Credentials(case["access_key_id"], case["secret_access_key"])
    now = dt.datetime.fromisoformat(case["timestamp"])
    token = "" if case.get("omit_session_token") else case.get("token", "")
    signer = Signer(credentials, case["region"], now, case["service"])
    made = signer.presign(method, target, headers, "3600", token).rpartition("&X-Amz-Signature=")[0]
    payload_hash = QUERY["payload_hashes"].get(case["case"], EMPTY_SHA256)
    assert signer.request(method, made, headers, payload_hash)[1] == QUERY["signatures"][case["case"]]


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)


@given(WORDS, st.integers(1, 604_800), st.sampled_from([EXAMPLE, TOKEN]))
def test_agrees_with_botocore_on_any_key(key, expires, credentials):
    """Two implementations that share no code make the same URL, but for the order of its parameters."""
    target = "/bucket/" + encode(key, safe="/")
    auth = S3SigV4QueryAuth(
        BotoCredentials(credentials.access_key, credentials.secret_key, credentials.session_token or None),
        *("s3", "us-east-1", expires),
    )
    request = AWSRequest("GET", f"http://127.0.0.1:9000{target}")
    auth.add_auth(request)
    theirs = dict(parse_qsl(urlsplit(request.url).query))
    now = dt.datetime.strptime(theirs["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    signer, host = Signer(credentials, "us-east-1", now), ("Host", "127.0.0.1:9000")
    ours = signer.presign("GET", target, [host], str(expires), credentials.session_token)
    assert dict(parse_qsl(ours.partition("?")[2])) == theirs


def test_a_query_and_headers_are_signed_too():
    signer, host = Signer(EXAMPLE, "us-east-1", NOW), ("Host", "h")
    made = {
        signer.presign("PUT", "/b/k", [host], "60"),
        signer.presign("PUT", "/b/k?x=1", [host], "60"),
        signer.presign("PUT", "/b/k", [host, ("Content-Type", "a")], "60"),
        signer.presign("PUT", "/b/k", [host, ("Content-Type", "b")], "60"),
        signer.presign("GET", "/b/k", [host], "60"),
    }
    assert len({url.rpartition("=")[2] for url in made}) == 5
    assert signer.presign("PUT", "/b/k?x=1", [host], "60").startswith("/b/k?x=1&X-Amz-Algorithm=")


def test_the_day_of_the_scope_can_be_any_text():
    signer = Signer(EXAMPLE, "us-east-1", NOW, day="someday")
    assert (signer.stamp, signer.scope) == ("20130524T000000Z", "someday/us-east-1/s3/aws4_request")
    host = [("Host", "h")]
    honest = Signer(EXAMPLE, "us-east-1", NOW, day="20130524")
    assert honest.authorize("GET", "/", host, "x") == Signer(EXAMPLE, "us-east-1", NOW).authorize(
        "GET", "/", host, "x"
    )._replace(signer=honest)
    assert signer.sign("text") != honest.sign("text")


# --- version 2 ---


def test_example_of_the_user_guide():
    """Source: "Signing and authenticating REST requests", query string request authentication alternative."""
    target = sigv2.presign("GET", "/johnsmith/photos/puppy.jpg", [], END, EXAMPLE)
    signature = "NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
    query = f"AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires={END}&Signature={signature}"
    assert target == f"/johnsmith/photos/puppy.jpg?{query}"


@pytest.mark.parametrize("credentials", [EXAMPLE, TOKEN], ids=["permanent", "temporary"])
@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/bucket/a%20b/%C3%A9", {}),
        ("PUT", "/bucket/k", {"Content-Type": "text/x", "Content-MD5": "md5"}),
        ("PUT", "/bucket/k?partNumber=2&uploadId=abc", {}),
        ("GET", "/bucket/k?response-content-type=text%2Fx&versionId=v1", {}),
        ("GET", "/bucket/k?acl", {}),
    ],
)
def test_agrees_with_botocore(method, target, headers, credentials):
    boto = BotoCredentials(credentials.access_key, credentials.secret_key, credentials.session_token or None)
    request = AWSRequest(method, f"http://127.0.0.1:9000{target}", headers=headers)
    request.auth_path = None
    HmacV1QueryAuth(boto, 60).add_auth(request)
    theirs = dict(parse_qsl(urlsplit(request.url).query))
    ours = sigv2.presign(method, target, list(headers.items()), int(theirs["Expires"]), credentials)
    assert dict(parse_qsl(ours.partition("?")[2]))["Signature"] == theirs["Signature"]


def test_what_is_signed_of_headers_and_query():
    """Of the headers those that are x-amz-*, sorted; of the query subresources and overrides, decoded and sorted."""
    headers = [("X-Amz-Meta-b", "2"), ("Host", "h"), ("x-amz-acl", "private"), ("Content-MD5", "m")]
    text = sigv2.string_to_sign("PUT", "/b/k?x=1&uploadId=u&acl&response-content-type=a%2Fb", headers, 9, "token")
    assert text == (
        "PUT\nm\n\n9\nx-amz-acl:private\nx-amz-meta-b:2\nx-amz-security-token:token\n"
        "/b/k?acl&response-content-type=a/b&uploadId=u"
    )
