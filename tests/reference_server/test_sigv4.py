"""The published signature vectors, through the arithmetic and through the authenticator."""

from __future__ import annotations

import calendar
import hashlib
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from reference_server import sigv4
from reference_server.auth import Authenticator
from reference_server.request import parse, parse_query
from reference_server.wire import Head

DATA = Path(__file__).parent / "data"
SUITE: list[dict[str, Any]] = json.loads((DATA / "sigv4_suite.json").read_text())["cases"]
EXAMPLES: dict[str, Any] = json.loads((DATA / "sigv4_examples.json").read_text())
STAMP = "20130524T000000Z"
EMPTY = sigv4.EMPTY_SHA256


def _signed_headers(case: dict[str, Any], canonical: str) -> list[tuple[str, str]]:
    """Headers of a suite request, joined and unfolded, in the order the canonical request names them."""
    values: dict[str, list[str]] = {}
    name = ""
    for line in case["request"].split("\n\n")[0].split("\n")[1:]:
        if line.startswith(" "):
            values[name][-1] += " " + line.strip()
        elif line:
            name, _, value = line.partition(":")
            name = name.lower()
            values.setdefault(name, []).append(value.strip())
    given = dict(line.split(":", 1) for line in canonical.split("\n")[3:] if ":" in line)
    return [(n, ",".join(values[n]) if n in values else given[n]) for n in canonical.split("\n")[-2].split(";")]


@pytest.mark.catalogue("AUTH-002")
@pytest.mark.parametrize("form", ["header", "query"])
@pytest.mark.parametrize("case", SUITE, ids=lambda case: str(case["case"]))
def test_suite_case_gives_the_published_signature(case: dict[str, Any], form: str) -> None:
    expected = case[f"{form}_canonical_request"]
    method, rest = case["request"].split("\n")[0].split(" ", 1)
    path, _, query = rest.rsplit(" ", 1)[0].partition("?")
    pairs = parse_query(query.encode().decode("latin-1"))
    if form == "query":
        own = parse_query(expected.split("\n")[2])
        pairs += [(name, value) for name, value in own if name.startswith("X-Amz-")]
    canonical = sigv4.canonical_request(
        method,
        sigv4.canonical_path(path.encode().decode("latin-1")),
        sigv4.canonical_query(pairs),
        _signed_headers(case, expected),
        expected.split("\n")[-1],
    )
    assert canonical == expected
    stamp = case["timestamp"].replace("-", "").replace(":", "")
    scope = f"{stamp[:8]}/{case['region']}/{case['service']}/aws4_request"
    to_sign = sigv4.string_to_sign(stamp, scope, canonical)
    assert to_sign == case[f"{form}_string_to_sign"]
    key = sigv4.signing_key(case["secret_key"], stamp[:8], case["region"], case["service"])
    assert sigv4.signature(key, to_sign) == case[f"{form}_signature"]


class _NoBody:
    complete = True


def _authenticate(method: str, target: str, headers: dict[str, str]) -> Any:
    head = Head(method, target.encode(), True, {name.lower(): value for name, value in headers.items()})
    request = parse(head, _NoBody(), ("s3.amazonaws.com",))  # type: ignore[arg-type]
    moment = calendar.timegm(time.strptime(STAMP, "%Y%m%dT%H%M%SZ"))
    authenticator = Authenticator({EXAMPLES["access_key"]: EXAMPLES["secret_key"]}, "us-east-1", clock=lambda: moment)
    return authenticator.authenticate(request)


def _authorization(signed: str, signature: str) -> str:
    credential = f"{EXAMPLES['access_key']}/20130524/us-east-1/s3/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={signed},Signature={signature}"


@pytest.mark.catalogue("AUTH-001")
@pytest.mark.parametrize(
    ("name", "method", "target", "headers", "payload"),
    [
        ("get_range", "GET", "/test.txt", {"Range": "bytes=0-9"}, EMPTY),
        (
            "put",
            "PUT",
            "/test$file.text",
            {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        ),
        ("get_lifecycle", "GET", "/?lifecycle", {}, EMPTY),
        ("list", "GET", "/?max-keys=2&prefix=J", {}, EMPTY),
    ],
)
def test_documented_header_example_is_accepted(
    name: str, method: str, target: str, headers: dict[str, str], payload: str
) -> None:
    sent = {**headers, "Host": "examplebucket.s3.amazonaws.com"}
    sent |= {"x-amz-content-sha256": payload, "x-amz-date": STAMP}
    sent["Authorization"] = _authorization(
        ";".join(sorted(header.lower() for header in sent)), EXAMPLES["signatures"][name]
    )
    assert _authenticate(method, target, sent).account.access_key == EXAMPLES["access_key"]


def test_documented_presigned_example_is_accepted() -> None:
    credential = quote(f"{EXAMPLES['access_key']}/20130524/us-east-1/s3/aws4_request", safe="")
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={STAMP}"
        f"&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature={EXAMPLES['signatures']['presigned']}"
    )
    found = _authenticate("GET", f"/test.txt?{query}", {"Host": "examplebucket.s3.amazonaws.com"})
    assert found.payload == "UNSIGNED-PAYLOAD"


def test_documented_chunk_signatures_follow_from_the_seed() -> None:
    sent = {
        "Content-Encoding": "aws-chunked",
        "Content-Length": "66824",
        "Host": "s3.amazonaws.com",
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "x-amz-date": STAMP,
        "x-amz-decoded-content-length": "66560",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
    }
    signatures = EXAMPLES["signatures"]
    sent["Authorization"] = _authorization(";".join(sorted(h.lower() for h in sent)), signatures["chunk_seed"])
    signer = _authenticate("PUT", "/examplebucket/chunkObject.txt", sent).signer
    digests = [hashlib.sha256(b"a" * size).hexdigest() for size in (65536, 1024, 0)]
    assert [signer.chunk(digest) for digest in digests] == [signatures[f"chunk_{n}"] for n in range(3)]
