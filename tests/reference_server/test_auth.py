"""Refusals of signatures, presigned URLs of both versions. Ids are those of the behaviour catalogue."""

from __future__ import annotations

import http.client
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

if TYPE_CHECKING:
    from conftest import Raw, Reply, Running


def fetch(url: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
    """A plain request of a URL: status and body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
    with closing(connection):
        connection.request(method, f"{parts.path}?{parts.query}", body, headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode()


def altered(raw: Raw, target: str, **changes: str | None) -> Reply:
    """A signed GET of which some headers are replaced (None: left out) after signing."""
    signed = raw.sign("GET", target, {}, "UNSIGNED-PAYLOAD")
    signed |= {name.replace("_", "-"): value or "" for name, value in changes.items()}
    dropped = [name.replace("_", "-") for name, value in changes.items() if value is None]
    sent = {name: value for name, value in signed.items() if name not in dropped}
    return raw("GET", target, sign=False, headers=sent)


@pytest.mark.catalogue("AUTH-003", "AUTH-004")
def test_who_are_you(running: Running, raw: Raw, bucket: str) -> None:
    unknown = running.raw(("NOBODY", "secret"))("GET", f"/{bucket}")
    assert (unknown.status, unknown.code) == (403, "InvalidAccessKeyId")
    wrong = running.raw(("OWNERKEY", "wrong"))("GET", f"/{bucket}/a%20b?x=y")
    assert (wrong.status, wrong.code) == (403, "SignatureDoesNotMatch")
    assert wrong.element("AWSAccessKeyId") == "OWNERKEY"
    assert wrong.element("CanonicalRequest").startswith(f"GET\n/{bucket}/a%20b\nx=y\nhost:")
    assert bytes.fromhex(wrong.element("StringToSignBytes")).decode() == wrong.element("StringToSign")
    anonymous = raw("GET", f"/{bucket}", sign=False)
    assert (anonymous.status, anonymous.code) == (403, "AccessDenied")


@pytest.mark.catalogue("AUTH-009")
def test_other_region_is_told_the_right_one(running: Running, bucket: str) -> None:
    raw = running.raw()
    raw._region = "eu-west-1"
    reply = raw("GET", f"/{bucket}")
    assert (reply.status, reply.code, reply.element("Region")) == (400, "AuthorizationHeaderMalformed", "us-east-1")


CREDENTIAL = "AWS4-HMAC-SHA256 Credential={},SignedHeaders=host;x-amz-date,Signature=0"


@pytest.mark.catalogue("AUTH-006", "AUTH-007")
@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Bearer abc", "InvalidArgument"),
        ("AWS key:signature", "InvalidRequest"),
        ("AWS4-HMAC-SHA256", "AuthorizationHeaderMalformed"),
        ("AWS4-HMAC-SHA256 nonsense", "AuthorizationHeaderMalformed"),
        (CREDENTIAL.format("OWNERKEY"), "AuthorizationHeaderMalformed"),
        (CREDENTIAL.format("OWNERKEY/2015/us-east-1/s3/aws4_request"), "AuthorizationHeaderMalformed"),
        (CREDENTIAL.format("OWNERKEY/20150101/us-east-1/ec2/aws4_request"), "AuthorizationHeaderMalformed"),
        (CREDENTIAL.format("OWNERKEY/20150101/us-east-1/s3/aws5_request"), "AuthorizationHeaderMalformed"),
    ],
)
def test_unusable_authorization(raw: Raw, authorization: str, code: str) -> None:
    reply = altered(raw, "/", Authorization=authorization)
    assert (reply.status, reply.code) == (400, code)


def test_times(raw: Raw) -> None:
    stale = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 1000))
    reply = altered(raw, "/", X_Amz_Date=stale)
    assert (reply.status, reply.code) == (403, "RequestTimeTooSkewed")
    assert reply.element("RequestTime") == stale
    assert reply.element("MaxAllowedSkewMilliseconds") == "900000"
    for wrong in (None, "yesterday", "20159999T999999Z"):
        assert altered(raw, "/", X_Amz_Date=wrong).code == "AccessDenied"


def test_payload_keyword(raw: Raw) -> None:
    assert altered(raw, "/", X_Amz_Content_SHA256=None).code == "InvalidRequest"
    for wrong in ("unsigned-payload", "abc", "UNSIGNED"):
        reply = raw("GET", "/", payload=wrong)
        assert (reply.status, reply.code, reply.element("ArgumentValue")) == (400, "InvalidArgument", wrong)


def test_every_x_amz_header_must_be_signed(raw: Raw) -> None:
    reply = raw("GET", "/", unsigned={"x-amz-meta-sneaked": "in"})
    assert (reply.status, reply.code, reply.element("HeadersNotSigned")) == (403, "AccessDenied", "x-amz-meta-sneaked")
    assert raw("GET", "/", unsigned={"X-Other": "fine"}).status == 200
    assert raw("GET", "/", headers={"x-amz-security-token": "t"}).code == "InvalidToken"


def test_spaces_inside_signed_values_collapse(raw: Raw, bucket: str) -> None:
    assert raw("PUT", f"/{bucket}/k", b"x", {"x-amz-meta-m": "  a   b  "}).status == 200


@pytest.mark.parametrize("target", ["//", "/a//b", "/./x", "/x/../y", "/a%20b", "/~a", "/a?b&a=&c=%20&c=+", "/a?=b"])
def test_paths_and_queries_are_signed_as_sent(raw: Raw, bucket: str, target: str) -> None:
    reply = raw("GET", f"/{bucket}{target}".replace("+", "%20"))
    assert reply.code in ("NoSuchKey", ""), reply.body


@pytest.fixture
def object_url(raw: Raw, bucket: str) -> dict[str, str]:
    raw("PUT", f"/{bucket}/a%20b%2B%C3%A9", b"body")
    return {"Bucket": bucket, "Key": "a b+é"}


def presign(running: Running, version: str, operation: str, expires: int = 60, **params: str) -> str:
    client = boto3.client(
        "s3",
        endpoint_url=running.endpoint,
        aws_access_key_id="OWNERKEY",
        aws_secret_access_key="owner-secret",
        region_name="us-east-1",
        config=Config(signature_version=version, s3={"addressing_style": "path"}),
    )
    with closing(client):
        return str(client.generate_presigned_url(operation, Params=params, ExpiresIn=expires))


@pytest.mark.catalogue("PRE-001", "PRE-002", "PRE-017", "PRE-020")
@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls(running: Running, object_url: dict[str, str], version: str) -> None:
    url = presign(running, version, "get_object", **object_url, ResponseContentType="text/x")
    assert fetch(url) == (200, "body")
    assert fetch(presign(running, version, "head_object", **object_url), "HEAD") == (200, "")
    assert fetch(presign(running, version, "put_object", **object_url), "PUT", b"new") == (200, "")
    assert fetch(url) == (200, "new")
    expired = presign(running, version, "get_object", expires=-5 if version == "s3" else 1, **object_url)
    if version == "s3v4":
        time.sleep(2.1)
    status, body = fetch(expired)
    assert status == 403
    assert "<Code>AccessDenied</Code><Message>Request has expired</Message>" in body
    assert "<ServerTime>" in body
    for wrong in (
        url.replace("a%20b", "a%20c"),
        url.replace("response-content-type=text", "response-content-type=exe"),
    ):
        status, body = fetch(wrong)
        assert status == 403
        assert "<Code>SignatureDoesNotMatch</Code>" in body
    assert fetch(url, "DELETE")[0] == 403
    assert fetch(presign(running, version, "delete_object", **object_url), "DELETE") == (204, "")


@pytest.mark.catalogue("PRE-019")
def test_presigned_query_is_held_to_its_form(running: Running, object_url: dict[str, str]) -> None:
    url = presign(running, "s3v4", "get_object", **object_url)
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"):
        status, body = fetch("&".join(p for p in url.replace("?", "?&").split("&") if f"X-Amz-{name}=" not in p))
        assert (status, "AuthorizationQueryParametersError" in body) == (400, True), name
    for wrong in ("604801", "0", "-1", "x", "9" * 5000):
        status, body = fetch(url.replace("X-Amz-Expires=60", f"X-Amz-Expires={wrong}"))
        assert (status, "AuthorizationQueryParametersError" in body) == (400, True), wrong
    assert fetch(f"{url}&added=later")[0] == 403
    assert fetch(url, headers={"x-amz-meta-x": "y"})[0] == 403
    assert fetch(url, headers={"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})[0] == 200
    assert fetch(url, headers={"Content-Type": "text/x"})[0] == 200


def test_streaming_keyword_only_for_uploads(raw: Raw, bucket: str) -> None:
    reply = raw("POST", f"/{bucket}?delete", b"x", payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert (reply.status, reply.code) == (400, "InvalidRequest")


@pytest.mark.catalogue("AUTH-019")
@pytest.mark.parametrize("keyword", ["STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"])
def test_auth_019_streaming_is_for_uploads(raw: Raw, bucket: str, keyword: str) -> None:
    for method, target in (
        ("GET", "/"),
        ("GET", f"/{bucket}"),
        ("DELETE", f"/{bucket}/k"),
        ("POST", f"/{bucket}/k?uploads"),
    ):
        reply = raw(method, target, payload=keyword)
        assert (reply.status, reply.code) == (400, "InvalidRequest")


def test_a_second_signature_is_refused(raw: Raw, s3: Any, bucket: str) -> None:
    headers = raw.sign("GET", f"/{bucket}", {}, "UNSIGNED-PAYLOAD")
    headers["Authorization"] += "," + headers["Authorization"]
    assert raw("GET", f"/{bucket}", sign=False, unsigned=headers).code == "AuthorizationHeaderMalformed"
    url = urlsplit(s3.generate_presigned_url("list_objects", {"Bucket": bucket}))
    assert raw("GET", f"{url.path}?{url.query}", sign=False).status == 200
    assert raw("GET", f"{url.path}?{url.query}&X-Amz-Signature=0", sign=False).code == "SignatureDoesNotMatch"
