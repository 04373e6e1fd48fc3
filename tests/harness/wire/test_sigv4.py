"""SigV4 as AWS publishes it: the documentation's examples and the cases of its suite that hold for S3."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from harness.wire import sigv4
from harness.wire.sigv4 import EMPTY_SHA256, Credentials, canonical_path, canonical_query, encode, sign

DATA = Path(__file__).parent / "data"
DOCUMENTATION = json.loads((DATA / "sigv4_documentation.json").read_text(encoding="utf-8"))
SUITE = json.loads((DATA / "sigv4_suite.json").read_text(encoding="utf-8"))
NOW = dt.datetime(2015, 8, 30, 12, 36, tzinfo=dt.UTC)
KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


def named(case: dict[str, Any]) -> str:
    return str(case["case"])


def test_data_is_there():
    """Neither file may be empty: a test over no cases proves nothing."""
    assert len(DOCUMENTATION["cases"]) == 5
    assert len(SUITE["cases"]) == 31


@pytest.mark.parametrize("case", DOCUMENTATION["cases"], ids=named)
def test_examples_of_the_documentation(case):
    value = sign(
        case["method"],
        case["target"],
        [(name, text) for name, text in case["headers"]],
        case["payload_hash"],
        Credentials(DOCUMENTATION["access_key"], DOCUMENTATION["secret_key"]),
        DOCUMENTATION["region"],
        dt.datetime.fromisoformat(DOCUMENTATION["timestamp"]),
    )
    names = ";".join(sorted(name.lower() for name, _ in case["headers"]))
    scope = f"{DOCUMENTATION['access_key']}/20130524/us-east-1/s3/aws4_request"
    assert value == (f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={case['signature']}")


@pytest.mark.parametrize("case", SUITE["cases"], ids=named)
def test_cases_of_the_suite(case):
    """Paths are not normalised, repeated headers are joined in order, and values are trimmed."""
    head, _, _ = case["request"].partition("\n\n")
    start, *lines = head.rstrip("\n").split("\n")
    method, target = start.removesuffix(" HTTP/1.1").split(" ", 1)
    headers: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name, value))
        else:  # a folded line
            headers[-1] = (headers[-1][0], f"{headers[-1][1]}\n{line}")
    payload_hash = case["canonical_request"].rpartition("\n")[2]
    if "x-amz-content-sha256:" in case["canonical_request"]:
        headers.append(("X-Amz-Content-SHA256", payload_hash))
    headers.append(("X-Amz-Date", "20150830T123600Z"))
    if "token" in case and not case.get("omit_session_token"):
        headers.append(("X-Amz-Security-Token", case["token"]))
    value = sign(
        method,
        target,
        headers,
        payload_hash,
        Credentials(case["access_key_id"], case["secret_access_key"], case.get("token", "")),
        case["region"],
        dt.datetime.fromisoformat(case["timestamp"]),
        case["service"],
    )
    assert value.rpartition("Signature=")[2] == case["signature"]


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)


@given(WORDS, st.lists(st.tuples(WORDS, WORDS), max_size=5))
def test_agrees_with_botocore_on_any_key_and_query(key, query):
    """Two implementations that share no code sign any encoded request alike."""
    target = "/bucket/" + encode(key, safe="/")
    target += "?" + "&".join(f"{encode(name)}={encode(value)}" for name, value in query) if query else ""
    headers = [("host", "127.0.0.1:9000"), ("x-amz-content-sha256", EMPTY_SHA256), ("x-amz-date", "20150830T123600Z")]
    request = AWSRequest("GET", f"http://127.0.0.1:9000{target}", headers=dict(headers))
    request.context["timestamp"] = "20150830T123600Z"
    auth = S3SigV4Auth(BotoCredentials(KEYS.access_key, KEYS.secret_key), "s3", "us-east-1")
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    assert sign("GET", target, headers, EMPTY_SHA256, KEYS, "us-east-1", NOW).endswith(f"Signature={signature}")


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_encoding_happens_exactly_once(key):
    """However much a client escapes beyond need, the canonical path is the same."""
    once = encode(key, safe="/")
    assert canonical_path(once) == once
    everything = "".join(f"%{byte:02x}" if byte != ord("/") else "/" for byte in key.encode())
    assert canonical_path(everything) == once


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("acl", "acl="),
        ("b=2&a=1&a=0&A=3", "A=3&a=0&a=1&b=2"),
        ("a=b=c", "a=b%3Dc"),
        ("a=+", "a=%2B"),
        ("prefix=%7ea%2fb", "prefix=~a%2Fb"),
        ("a-b=1&a=2&a%2Eb=3", "a=2&a-b=1&a.b=3"),
        ("a&&b", "=&a=&b="),
    ],
)
def test_canonical_query(query, canonical):
    """Sorted by encoded name, then value; a bare name signs as `name=`; plus is no space."""
    assert canonical_query(query) == canonical


def test_only_ascii_space_is_collapsed():
    """A no-break space is a byte sequence like any other: a server that signs bytes must come to the same."""
    signed = {
        value: sign("GET", "/", [("x-amz-meta-a", value)], EMPTY_SHA256, KEYS, "us-east-1", NOW)
        for value in ("a b", " a  b ", "a\u00a0b", "a\u2003b")
    }
    assert signed["a b"] == signed[" a  b "]
    assert len(set(signed.values())) == 3


def test_every_input_changes_the_signature():
    def signature(**changes: Any) -> str:
        given = {
            "method": "GET",
            "target": "/b/k?x=1",
            "headers": [("Host", "h")],
            "payload_hash": EMPTY_SHA256,
            "credentials": KEYS,
            "region": "us-east-1",
            "now": NOW,
            "service": "s3",
        }
        return sign(**(given | changes)).rpartition("=")[2]

    changed = [
        signature(method="PUT"),
        signature(target="/b/K?x=1"),
        signature(target="/b/k?x=2"),
        signature(headers=[("Host", "i")]),
        signature(headers=[("Host", "h"), ("a", "")]),
        signature(payload_hash=hashlib.sha256(b"x").hexdigest()),
        signature(credentials=Credentials("AKIDEXAMPLE", "other")),
        signature(region="eu-west-1"),
        signature(now=NOW + dt.timedelta(seconds=1)),
        signature(service="sts"),
    ]
    assert len({signature(), *changed}) == len(changed) + 1


def test_credentials_show_nothing_of_themselves():
    secret = Credentials("AKIAVISIBLE", "hidden-secret", "hidden-token")
    assert repr(secret) == str(secret) == f"{secret}" == "Credentials(…)"


def test_empty_hash_is_that_of_nothing():
    assert hashlib.sha256(b"").hexdigest() == sigv4.EMPTY_SHA256
