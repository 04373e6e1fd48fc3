"""Request authentication in headers: catalogue family AUTH."""

from __future__ import annotations

import hashlib
import json
import time
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus

import boto3
import pytest
from botocore.config import Config

from reference_server import sigv4
from reference_server.auth import Credential
from tests.reference_server.catalogue.sockets import exchange
from tests.reference_server.catalogue.steps import names, refusal
from tests.reference_server.scripted import read_all
from tests.reference_server.signing import UNSIGNED, Signer, canonical_query, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conftest import Raw, Reply, Running

DATA = Path(__file__).parents[1] / "data"
SUITE, NORMALISED = (
    json.loads((DATA / name).read_text())["cases"] for name in ("sigv4_suite.json", "sigv4_suite_normalised.json")
)
EMPTY = hashlib.sha256(b"").hexdigest()
BODY = b"authentic"
HASH = hashlib.sha256(BODY).hexdigest()
MALFORMED = (400, "AuthorizationHeaderMalformed")


@pytest.fixture
def stored(raw: Raw, bucket: str) -> str:
    """The path of an object."""
    assert raw("PUT", f"/{bucket}/k", BODY).status == 200
    return f"/{bucket}/k"


def get(raw: Raw, target: str, signer: Signer, changes: Mapping[str, str | None] | None = None) -> Reply:
    """A signed GET of which some headers are replaced after signing, or left out (None)."""
    sent: dict[str, str | None] = {**signer.headers("GET", target, {"Host": raw.host}, EMPTY), **(changes or {})}
    kept = {name: value for name, value in sent.items() if value is not None}
    return raw("GET", target, headers=kept, sign=False)


# Known answers


def test_the_suite_is_whole() -> None:
    """All 38 published cases are here, each once."""
    assert len({case["case"] for case in SUITE + NORMALISED}) == len(SUITE) + len(NORMALISED) == 38


@pytest.mark.catalogue("AUTH-002")
@pytest.mark.parametrize("form", ["header", "query"])
@pytest.mark.parametrize("case", NORMALISED, ids=lambda case: str(case["case"]))
def test_a_path_that_was_normalised_gives_the_published_signature(case: dict[str, Any], form: str) -> None:
    """Other services have clients remove dots and double slashes; what is left is signed by the same arithmetic."""
    method, path, _ = case["request"].split("\n")[0].split(" ")
    host = case["request"].split("\n")[1].removeprefix("Host:")
    moment = case["timestamp"].replace("-", "").replace(":", "")
    scope = f"{moment[:8]}/{case['region']}/{case['service']}/aws4_request"
    headers, query = [("host", host), ("x-amz-date", moment)], {}
    if form == "query":
        headers.pop()
        query = {"X-Amz-SignedHeaders": "host", "X-Amz-Expires": "3600", "X-Amz-Date": moment}
        query |= {"X-Amz-Credential": f"AKIDEXAMPLE/{scope}", "X-Amz-Algorithm": "AWS4-HMAC-SHA256"}
    canonical = sigv4.canonical_request(
        method, sigv4.canonical_path(normalised(path)), sigv4.canonical_query(query.items()), headers, EMPTY
    )
    assert canonical == case[f"{form}_canonical_request"]
    to_sign = sigv4.string_to_sign(moment, scope, canonical)
    assert to_sign == case[f"{form}_string_to_sign"]
    key = sigv4.signing_key(case["secret_key"], moment[:8], case["region"], case["service"])
    assert sigv4.signature(key, to_sign) == case[f"{form}_signature"]


def normalised(path: str) -> str:
    """A path without empty segments and dot segments, with the slash at its end if it had one."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


# Who asks


@pytest.mark.catalogue("AUTH-005")
def test_a_private_bucket_is_closed_to_the_anonymous(raw: Raw, bucket: str, stored: str) -> None:
    """Without credentials nothing can be read, written, listed or removed, nor be told to exist."""
    for method, target, body in (
        ("GET", stored, b""),
        ("PUT", stored, b"new"),
        ("DELETE", stored, b""),
        ("GET", f"/{bucket}/missing", b""),
        ("GET", f"/{bucket}?list-type=2", b""),
        ("GET", f"/{bucket}?acl", b""),
        ("DELETE", f"/{bucket}", b""),
    ):
        reply = raw(method, target, body, sign=False)
        assert (method, target, *refusal(reply)) == (method, target, 403, "AccessDenied")
    assert raw("HEAD", stored, sign=False).status == 403
    assert raw("GET", stored).body == BODY


# Scope and time


@pytest.mark.catalogue("AUTH-008")
@pytest.mark.parametrize("date", ["2026", "2026-01-01", "20261340", "20260x01", "today"])
def test_a_scope_without_a_date_is_malformed(raw: Raw, date: str) -> None:
    """The first part of the scope is eight digits that are a day, however well the rest is signed."""
    assert refusal(get(raw, "/", Signer(date=date))) == MALFORMED


@pytest.mark.catalogue("AUTH-010")
@pytest.mark.parametrize("service", ["ec2", "S3", "s3express"])
def test_a_scope_of_another_service_is_malformed(raw: Raw, service: str) -> None:
    """A signature that is right for another service is not good here."""
    assert refusal(get(raw, "/", Signer(service=service))) == MALFORMED


@pytest.mark.catalogue("AUTH-011")
@pytest.mark.parametrize("minutes", [-16, -600, 16])
def test_clocks_may_differ_by_fifteen_minutes(raw: Raw, minutes: int) -> None:
    """A request from further in the past or the future is refused with both times and the allowance."""
    signer = Signer(at=time.time() + minutes * 60)
    reply = get(raw, "/", signer)
    found = refusal(reply, "RequestTime", "MaxAllowedSkewMilliseconds")
    assert found == (403, "RequestTimeTooSkewed", stamp(signer.at), "900000")
    assert abs(datetime.fromisoformat(reply.element("ServerTime")).timestamp() - time.time()) < 60
    assert get(raw, "/", Signer(at=time.time() + (14 if minutes > 0 else -14) * 60)).status == 200


@pytest.mark.catalogue("AUTH-012")
@pytest.mark.parametrize(
    "changes",
    [
        {"x-amz-date": None},
        {"x-amz-date": "yesterday"},
        {"x-amz-date": "20269999T999999Z"},
        {"x-amz-date": None, "Date": "yesterday"},
    ],
)
def test_a_request_needs_a_readable_date(raw: Raw, changes: dict[str, str | None]) -> None:
    """Without a moment there is nothing that a signature could be good for."""
    assert refusal(get(raw, "/", Signer(), changes)) == (403, "AccessDenied")


# The payload hash


@pytest.mark.catalogue("AUTH-013")
def test_the_payload_must_be_declared(raw: Raw, stored: str) -> None:
    """A header signature without x-amz-content-sha256 is no request, whether or not there is a body."""
    assert refusal(get(raw, "/", Signer(), {"x-amz-content-sha256": None})) == (400, "InvalidRequest")
    sent = Signer().headers("PUT", stored, {"Host": raw.host}, HASH)
    del sent["x-amz-content-sha256"]
    assert refusal(raw("PUT", stored, b"new", sent, sign=False)) == (400, "InvalidRequest")
    assert raw("GET", stored).body == BODY


@pytest.mark.catalogue("AUTH-014", "AUTH-015")
@pytest.mark.parametrize("keyword", ["invalid", "UNSIGNED", "unsigned-payload", HASH[:-1], f"{HASH[:-1]}g"])
def test_the_payload_is_declared_by_a_hash_or_a_known_word(raw: Raw, stored: str, keyword: str) -> None:
    """Anything else is refused with its name and value, a keyword in small letters too."""
    found = refusal(raw("PUT", stored, BODY, payload=keyword), "ArgumentName", "ArgumentValue")
    assert found == (400, "InvalidArgument", "x-amz-content-sha256", keyword)
    assert raw("GET", stored).body == BODY


@pytest.mark.catalogue("AUTH-018")
def test_an_unsigned_payload_may_be_any(raw: Raw, stored: str) -> None:
    """The same signature serves for two bodies, as none is part of it."""
    sent = Signer().headers("PUT", stored, {"Host": raw.host}, UNSIGNED)
    for body in (b"one body", b"another body"):
        assert raw("PUT", stored, body, sent, sign=False).status == 200
        assert raw("GET", stored).body == body


# HTTP


@pytest.mark.catalogue("AUTH-021")
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"deformed\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    ],
    ids=["words", "tls", "no-host"],
)
def test_what_is_not_a_request_is_a_bad_one(raw: Raw, request_bytes: bytes) -> None:
    """Bytes that are not HTTP, and HTTP that names no host, get an answer all the same."""
    assert exchange(raw, request_bytes)[0].startswith(b"HTTP/1.1 400 ")


@pytest.mark.catalogue("AUTH-022")
def test_errors_are_documents_of_one_form(raw: Raw, bucket: str, stored: str) -> None:
    """Whatever went wrong, the document has no namespace and says what, and to which request it happened."""
    for reply in (
        raw("GET", f"/{bucket}/missing"),
        raw("GET", "/no-such-bucket-here"),
        raw("GET", stored, sign=False),
        raw("GET", stored, headers={"If-Match": '"other"'}),
        get(raw, "/", Signer(secret="wrong")),
        raw("PUT", f"/{bucket}?versioning", b"no document"),
        raw("POST", stored),
    ):
        assert reply.status >= 400
        assert reply.headers["content-type"] == "application/xml"
        root = ET.fromstring(reply.body)  # noqa: S314 - from our own server
        assert root.tag == "Error"
        assert {"Code", "Message", "RequestId", "HostId"} <= set(names(root))
        assert root.findtext("RequestId") == reply.headers["x-amz-request-id"]
        assert root.findtext("Code")
        assert root.findtext("HostId")


@pytest.mark.catalogue("AUTH-023")
def test_a_client_that_waits_is_told_to_go_on(raw: Raw, stored: str) -> None:
    """With Expect: 100-continue the body follows the go-ahead, and is stored."""
    headers = {"Expect": "100-continue", "Connection": "close"}
    head = raw.bytes_of("PUT", stored, b"expected", headers).removesuffix(b"expected")
    with raw.connect() as sock:
        sock.sendall(head)
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"expected")
        assert read_all(sock).startswith(b"HTTP/1.1 200 ")
    assert raw("GET", stored).body == b"expected"


# Canonical form


@pytest.mark.catalogue("AUTH-024")
def test_headers_are_signed_without_case_and_spare_spaces(raw: Raw, stored: str) -> None:
    """Names count in small letters, values without spaces at their ends and with one between words."""
    sent = Signer().headers("PUT", stored, {"Host": raw.host, "X-AMZ-Meta-M": "  a   b    c  "}, HASH)
    shouted = {name.upper(): value for name, value in sent.items() if name != "Host"}
    assert raw("PUT", stored, BODY, shouted, sign=False).status == 200
    assert raw("HEAD", stored).headers["x-amz-meta-m"].split() == ["a", "b", "c"]


@pytest.mark.catalogue("AUTH-025")
def test_queries_are_signed_in_order(raw: Raw, stored: str) -> None:
    """A name without a value is signed with its equals sign, and repeated names are ordered by value."""
    target = f"{stored}?z=2&b&a=&z=1&z=%20&Z=0&b=%2F"
    assert canonical_query(target) == "Z=0&a=&b=&b=%2F&z=%20&z=1&z=2"
    reply = get(raw, target, Signer())
    assert (reply.status, reply.body) == (200, BODY)


@pytest.mark.catalogue("AUTH-026")
@pytest.mark.parametrize("key", ["a//b", "./x", "a/../b", "//", "a/./b/", "100%", "a%2Fb", "a+b c", "é~"])
def test_paths_are_signed_as_they_are(raw: Raw, bucket: str, key: str) -> None:
    """Slashes and dots keep their places, each byte is encoded once, and the key is the one that was meant."""
    target = f"/{bucket}/{quote(key, safe='/-_.~')}"
    sent = Signer().headers("PUT", target, {"Host": raw.host}, HASH)
    assert raw("PUT", target, BODY, sent, sign=False).status == 200
    listed = raw("GET", f"/{bucket}?list-type=2&encoding-type=url").elements("Key")
    assert [unquote_plus(name) for name in listed] == [key]
    if (changed := normalised(target)) != target:
        sent = Signer().headers("PUT", changed, {"Host": raw.host}, HASH)
        assert refusal(raw("PUT", target, BODY, sent, sign=False)) == (403, "SignatureDoesNotMatch")


# ACLs


@pytest.mark.catalogue("AUTH-027")
def test_an_acl_must_be_given_somewhere(raw: Raw, s3: Any, bucket: str, stored: str) -> None:
    """Neither header, grant nor document: the refusal names the header that would have been enough."""
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    for target in (f"/{bucket}?acl", f"{stored}?acl"):
        found = refusal(raw("PUT", target), "MissingHeaderName")
        assert found == (400, "MissingSecurityHeader", "x-amz-acl")


# Real signers


def test_what_boto3_signs_in_headers_is_accepted(s3: Any, bucket: str) -> None:
    """Keys, metadata and prefixes that need encoding go through."""
    key = "a b+c/é%2F//~'()"
    s3.put_object(Bucket=bucket, Key=key, Body=BODY, Metadata={"m": "two  spaces"}, ContentType="text/x; a=b")
    assert s3.get_object(Bucket=bucket, Key=key, Range="bytes=2-4")["Body"].read() == BODY[2:5]
    s3.copy_object(Bucket=bucket, Key="copy & more", CopySource={"Bucket": bucket, "Key": key})
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="a b+", Delimiter="é%", StartAfter="a")
    assert [prefix["Prefix"] for prefix in listed["CommonPrefixes"]] == ["a b+c/é%"]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": "copy & more"}]})
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_temporary_credentials_sign_headers_too(serve: Callable[..., Iterator[Running]]) -> None:
    """The token of temporary credentials travels in a signed header; another or none is refused."""
    role = Credential("role-secret", token="role/token+1", account_of="OWNERKEY")
    for running in serve(credentials={"ROLEKEY": role}):
        owner, raw = running.raw(), running.raw(("ROLEKEY", "role-secret"))
        assert owner("PUT", "/bucket").status == 200
        assert owner("PUT", "/bucket/k", BODY).status == 200
        assert raw("GET", "/bucket/k", headers={"x-amz-security-token": "role/token+1"}).body == BODY
        assert refusal(raw("GET", "/bucket/k", headers={"x-amz-security-token": "other"})) == (400, "InvalidToken")
        assert refusal(raw("GET", "/bucket/k")) == (403, "InvalidAccessKeyId")
        session = boto3.Session("ROLEKEY", "role-secret", "role/token+1", "us-east-1")
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={})
        with closing(session.client("s3", endpoint_url=running.endpoint, config=config)) as client:
            client.put_object(Bucket="bucket", Key="by-role", Body=BODY)
        assert owner("GET", "/bucket/by-role").body == BODY
