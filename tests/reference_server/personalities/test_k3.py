"""The server as Dodil K3: its five ways to authenticate, its addressing, its errors, and what it does not offer."""

from __future__ import annotations

import base64
import hmac
import json
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from reference_server.model import service_model
from reference_server.personality import load
from tests.reference_server.catalogue.steps import md5_header
from tests.reference_server.conftest import OTHER, OWNER, Raw, Running, run

if TYPE_CHECKING:
    from tests.reference_server.conftest import Reply

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
DENIED = f"{XML}<Error><Code>AccessDenied</Code><Message>access denied</Message></Error>".encode()
ABSENT = f"{XML}<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>".encode()
PATH = "/dir/a%20b"
BODY = b"shared"


@pytest.fixture(scope="module")
def k3() -> Iterator[Running]:
    yield from run(personality=load("k3"))


@pytest.fixture(scope="module")
def place(k3: Running) -> str:
    """The path of a bucket with an object at `PATH`."""
    path = f"/k3-{os.getpid()}"
    assert k3.raw()("PUT", path).status == 200
    assert k3.raw()("PUT", path + PATH, BODY).status == 200
    return path


def unsigned(k3: Running, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
    """A request without a signature in its headers."""
    return k3.raw()(method, target, body, headers, sign=False)


# Signatures


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-7", "xyz"])
def test_signature_for_any_region_counts(k3: Running, place: str, region: str) -> None:
    assert Raw(k3.endpoint, OWNER, region)("GET", place + PATH).body == BODY
    refused = Raw(k3.endpoint, (OWNER[0], "wrong"), region)("GET", place + PATH)
    assert (refused.status, refused.body) == (403, DENIED)


def test_bucket_is_made_by_a_client_of_any_region(k3: Running) -> None:
    client = _client(k3, "s3v4", region="eu-west-7")
    name = f"elsewhere-{os.getpid()}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-7"})
    assert name in k3.raw()("GET", "/").elements("Name")
    client.close()


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls_of_both_versions_work(k3: Running, place: str, version: str) -> None:
    client, key = _client(k3, version, region="anywhere"), f"presigned/{version}"
    urls = {
        method: urlsplit(client.generate_presigned_url(operation, {"Bucket": place[1:], "Key": key}))
        for method, operation in (("PUT", "put_object"), ("GET", "get_object"))
    }
    put, got = (f"{urls[method].path}?{urls[method].query}" for method in ("PUT", "GET"))
    assert unsigned(k3, "PUT", put, b"by URL").status == 200
    assert unsigned(k3, "GET", got).body == b"by URL"
    assert unsigned(k3, "GET", got.replace(key, "presigned/other")).body == DENIED
    client.close()


def _client(k3: Running, version: str, region: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=k3.endpoint,
        aws_access_key_id=OWNER[0],
        aws_secret_access_key=OWNER[1],
        region_name=region,
        config=Config(s3={"addressing_style": "path"}, signature_version=version),
    )


@pytest.mark.parametrize("expires", [-1, 60])
def test_presigned_url_ends_with_its_time(k3: Running, place: str, expires: int) -> None:
    text = f"GET\n\n\n{int(time.time()) + expires}\n{place}{PATH}"
    signature = base64.b64encode(hmac.digest(OWNER[1].encode(), text.encode(), "sha1")).decode().replace("+", "%2B")
    query = f"AWSAccessKeyId={OWNER[0]}&Expires={text.splitlines()[3]}&Signature={signature}"
    reply = unsigned(k3, "GET", f"{place}{PATH}?{query}")
    assert reply.body == (BODY if expires > 0 else DENIED)


@pytest.mark.parametrize(
    "authorization",
    ["AWS OWNERKEY:c2lnbmF0dXJl", "Basic T1dORVJLRVk6", "AWS4-HMAC-SHA256 Credential=x", "Bearer", "nothing"],
)
def test_every_failure_of_authentication_is_one_answer(k3: Running, place: str, authorization: str) -> None:
    reply = unsigned(k3, "GET", place + PATH, Authorization=authorization)
    assert (reply.status, reply.body) == (403, DENIED)


def test_who_is_nobody_or_somebody_else_is_denied(k3: Running, place: str) -> None:
    assert unsigned(k3, "GET", place + PATH).body == DENIED
    assert k3.raw(OTHER)("GET", place + PATH).body == DENIED


# Bearer tokens


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _token(claims: dict[str, object], header: dict[str, object] | None = None, secret: str = OWNER[1]) -> str:
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', **(header or {})})}.{_part(claims)}"
    digest = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({"sub": OWNER[0]}, {}),
        ({"sub": "somebody"}, {"kid": OWNER[0]}),
        ({"sub": OWNER[0], "exp": time.time() + 600, "nbf": time.time() - 600}, {}),
    ],
)
def test_bearer_token_acts_for_the_access_key_that_it_names(
    k3: Running, place: str, claims: dict[str, object], header: dict[str, object]
) -> None:
    bearer = {"Authorization": f"Bearer {_token(claims, header)}"}
    assert unsigned(k3, "PUT", f"{place}/by-token", b"mine", **bearer).status == 200
    assert unsigned(k3, "GET", f"{place}/by-token", **bearer).body == b"mine"
    assert unsigned(k3, "DELETE", f"{place}/by-token", **bearer).status == 204


NO_PROOF = {
    "signed with another secret": _token({"sub": OWNER[0]}, secret=OTHER[1]),
    "unknown key": _token({"sub": "NOBODY"}),
    "no key": _token({}),
    "no key but a list": _token({"sub": [OWNER[0]]}),
    "no algorithm": _token({"sub": OWNER[0]}, {"alg": "none"}),
    "expired": _token({"sub": OWNER[0], "exp": time.time() - 5}),
    "expiry that is no time": _token({"sub": OWNER[0], "exp": "never"}),
    "not yet valid": _token({"sub": OWNER[0], "nbf": time.time() + 600}),
    "of somebody else": _token({"sub": OTHER[0]}, secret=OTHER[1]),
    "without its signature": _token({"sub": OWNER[0]}).rpartition(".")[0] + ".",
    "header that is no object": f"{_part([])}.{_part({'sub': OWNER[0]})}.",
    "no base64": "a.b.c",
    "no parts": "[" * 3000,
    "nested deeply": base64.urlsafe_b64encode(b"[" * 9000).decode() + ".e30.",
}


@pytest.mark.parametrize("fault", NO_PROOF)
def test_bearer_token_that_is_no_proof_is_denied(k3: Running, place: str, fault: str) -> None:
    reply = unsigned(k3, "GET", place + PATH, Authorization=f"Bearer {NO_PROOF[fault]}")
    assert (reply.status, reply.body) == (403, DENIED)


# Share links


def _link(path: str, expires: int, org: str = OWNER[0], secret: str = OWNER[1]) -> str:
    token = hmac.digest(secret.encode(), f"GET\n{path}\n{expires}\n{org}".encode(), "sha256").hex()
    return f"{path}?X-K3-Token={token}&X-K3-Expires={expires}&X-K3-Org={org}"


def test_share_link_opens_its_object_until_it_expires(k3: Running, place: str) -> None:
    link = _link(place + PATH, int(time.time()) + 60)
    assert unsigned(k3, "GET", link).body == BODY
    assert unsigned(k3, "GET", link, Range="bytes=0-1").body == BODY[:2]
    assert unsigned(k3, "GET", link).body == BODY
    assert unsigned(k3, "GET", _link(place + PATH, int(time.time()) - 1)).body == DENIED
    assert unsigned(k3, "GET", _link(place + PATH, int(time.time()) + 86_400 + 60)).body == DENIED


def test_share_link_serves_for_nothing_else(k3: Running, place: str) -> None:
    expires = int(time.time()) + 60
    link = _link(place + PATH, expires)
    assert unsigned(k3, "HEAD", link).status == 403
    assert unsigned(k3, "PUT", link, b"other").body == DENIED
    assert unsigned(k3, "DELETE", link).body == DENIED
    assert unsigned(k3, "GET", link.replace("a%20b", "a%20c")).body == DENIED
    assert unsigned(k3, "GET", link.replace(str(expires), str(expires + 1))).body == DENIED
    assert unsigned(k3, "GET", link.replace(OWNER[0], OTHER[0])).body == DENIED
    assert unsigned(k3, "GET", _link(place + PATH, expires, OTHER[0], OTHER[1])).body == DENIED
    assert unsigned(k3, "GET", _link(place, expires)).body == DENIED
    assert unsigned(k3, "GET", f"{place}{PATH}?X-K3-Token=0&X-K3-Expires=soon&X-K3-Org={OWNER[0]}").body == DENIED
    assert k3.raw()("GET", place + PATH).body == BODY


# Addressing and errors


def test_buckets_in_host_names_are_not_routed(k3: Running, place: str) -> None:
    host = f"{place[1:]}.localhost:{urlsplit(k3.endpoint).port}"
    assert k3.raw()("GET", PATH, host=host).body == ABSENT
    assert k3.raw()("PUT", "/through-the-host", b"x", host=host).status == 404
    assert k3.raw()("HEAD", "/through-the-host").status == 404
    assert k3.raw()("GET", f"{place}/through-the-host").body == ABSENT


@pytest.mark.parametrize("target", ["/k3-that-is-missing", "/k3-that-is-missing/k"])
def test_missing_bucket_reads_as_a_missing_key(k3: Running, place: str, target: str) -> None:
    reply = k3.raw()("GET", f"{target}?list-type=2" if target.count("/") == 1 else target)
    assert (reply.status, reply.body) == (404, ABSENT)
    assert k3.raw()("GET", f"{place}/missing").body == ABSENT
    assert k3.raw()("HEAD", target).status == 404


def test_errors_have_a_code_and_a_message_alone(k3: Running, place: str) -> None:
    reply = k3.raw()("DELETE", place)
    message = "The bucket you tried to delete is not empty"
    document = f"{XML}<Error><Code>BucketNotEmpty</Code><Message>{message}</Message></Error>".encode()
    assert (reply.status, reply.body) == (409, document)
    assert reply.headers["content-type"] == "application/xml"


# Operations


def test_offered_operations_are_those_of_the_page() -> None:
    offered = set(service_model().document["operations"]) - set(load("k3").refusals)
    elsewhere = {"ListDirectoryBuckets", "WriteGetObjectResponse"}
    # Older names of requests that are refused under their present one.
    older = {f"{verb}Bucket{what}" for verb in ("Get", "Put") for what in ("Lifecycle", "Notification")}
    tags = {f"{verb}{of}Tagging" for verb in ("Delete", "Get", "Put") for of in ("Bucket", "Object")}
    assert offered - elsewhere - older - tags == {
        *("AbortMultipartUpload", "CompleteMultipartUpload", "CreateBucket", "CreateMultipartUpload", "DeleteBucket"),
        *("DeleteBucketCors", "DeleteBucketPolicy", "DeleteObject", "DeleteObjects", "GetBucketCors"),
        *("GetBucketPolicy", "GetObject", "HeadBucket", "HeadObject", "ListBuckets", "ListMultipartUploads"),
        *("ListObjectsV2", "PutBucketCors", "PutBucketPolicy", "PutObject", "UploadPart"),
    }


@pytest.mark.parametrize(
    ("method", "suffix", "headers"),
    [
        ("GET", "", {}),
        ("GET", "?location", {}),
        ("GET", "?versioning", {}),
        ("DELETE", "?lifecycle", {}),
        ("PUT", "/copy", {"x-amz-copy-source": "k3/k"}),
        ("GET", "/k?uploadId=x", {}),
        ("GET", "/k?acl", {}),
        ("PUT", "/sealed", {"x-amz-server-side-encryption": "aws:kms"}),
        ("PUT", "/sealed", {"x-amz-server-side-encryption-customer-algorithm": "AES256"}),
        ("PUT", "/sealed", {"x-amz-object-lock-mode": "GOVERNANCE"}),
    ],
)
def test_what_is_not_offered_is_not_implemented(
    k3: Running, place: str, method: str, suffix: str, headers: dict[str, str]
) -> None:
    reply = k3.raw()(method, place + suffix, b"x" if method == "PUT" else b"", headers)
    assert (reply.status, reply.code) == (501, "NotImplemented")
    assert k3.raw()("HEAD", f"{place}/copy").status == k3.raw()("HEAD", f"{place}/sealed").status == 404


def test_form_stores_an_object_and_its_errors_are_those_of_all_requests(k3: Running, place: str) -> None:
    boundary = "form-of-a-browser"
    policy = base64.b64encode(b'{"expiration": "2000-01-01T00:00:00Z", "conditions": []}').decode()

    def posted(**fields: str) -> Reply:
        parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}' for name, text in fields.items()]
        parts.append('Content-Disposition: form-data; name="file"; filename="f"\r\n\r\nby form')
        body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return k3.raw()("POST", place, body.encode(), kind, sign=False)

    signature = base64.b64encode(hmac.digest(OWNER[1].encode(), policy.encode(), "sha1")).decode()
    fields = {"key": "by-form", "policy": policy, "AWSAccessKeyId": OWNER[0], "signature": signature}
    assert posted(key="by-form").body == DENIED
    assert posted(**fields).body == DENIED
    policy = base64.b64encode(_open_policy(place[1:])).decode()
    signature = base64.b64encode(hmac.digest(OWNER[1].encode(), policy.encode(), "sha1")).decode()
    assert posted(**fields | {"policy": policy, "signature": signature}).status == 204
    assert k3.raw()("GET", f"{place}/by-form").body == b"by form"


def _open_policy(bucket: str) -> bytes:
    conditions = [{"bucket": bucket}, ["starts-with", "$key", ""]]
    return json.dumps({"expiration": "2099-01-01T00:00:00Z", "conditions": conditions}).encode()


def test_bucket_with_a_lock_is_not_made(k3: Running) -> None:
    path = f"/locked-{os.getpid()}"
    assert k3.raw()("PUT", path, headers={"x-amz-bucket-object-lock-enabled": "true"}).status == 501
    assert k3.raw()("HEAD", path).status == 404


def test_policy_alone_opens_a_bucket_to_everybody(k3: Running, place: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{place[1:]}/dir/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()
    raw = k3.raw()
    assert raw("PUT", f"{place}?policy", policy).status == 204
    assert raw("GET", f"{place}?policy").body == policy
    assert unsigned(k3, "GET", place + PATH).body == BODY
    assert unsigned(k3, "GET", f"{place}/other").body == DENIED
    assert raw("DELETE", f"{place}?policy").status == 204
    assert unsigned(k3, "GET", place + PATH).body == DENIED


def test_cors_of_a_bucket_answers_browsers(k3: Running, place: str) -> None:
    rule = "<CORSRule><AllowedOrigin>https://a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>"
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    raw, document = k3.raw(), f"<CORSConfiguration>{rule}</CORSConfiguration>".encode()
    assert raw("PUT", f"{place}?cors", document, md5_header(document)).status == 200
    assert unsigned(k3, "OPTIONS", place + PATH, **asked).headers["access-control-allow-methods"] == "GET"
    assert raw("DELETE", f"{place}?cors").status == 204
    assert unsigned(k3, "OPTIONS", place + PATH, **asked).status == 403


def test_tags_are_kept_as_they_come(k3: Running, place: str) -> None:
    tags = "".join(f"<Tag><Key>aws:{number % 3}</Key><Value>?</Value></Tag>" for number in range(60))
    document = f"<Tagging><TagSet>{tags}</TagSet></Tagging>".encode()
    raw = k3.raw()
    for path, status in ((place, 204), (place + PATH, 200)):
        assert raw("PUT", f"{path}?tagging", document, md5_header(document)).status == status
        assert len(raw("GET", f"{path}?tagging").elements("Key")) == 60
        assert raw("DELETE", f"{path}?tagging").status == 204
    assert raw("GET", place + PATH).body == BODY
    assert raw("PUT", f"{place}/missing?tagging", document, md5_header(document)).body == ABSENT
