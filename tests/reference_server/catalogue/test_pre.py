"""Presigned URLs: catalogue family PRE."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

from reference_server.auth import Credential
from tests.reference_server.catalogue.steps import Upload, fields, md5, md5_header, refusal, tree
from tests.reference_server.signing import UNSIGNED, Signer, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Raw, Reply, Running

BODY = b"presigned"
VERSIONS = pytest.mark.parametrize("version", ["s3v4", "s3"])
MISMATCH = (403, "SignatureDoesNotMatch")


class Presigner:
    """What boto3 presigns, with Signature Version 4 (`s3v4`) or 2 (`s3`)."""

    def __init__(self, running: Running) -> None:
        self._clients = {version: self._client(running.endpoint, version) for version in ("s3v4", "s3")}

    @staticmethod
    def _client(endpoint: str, version: str) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id="OWNERKEY",
            aws_secret_access_key="owner-secret",
            region_name="us-east-1",
            config=Config(signature_version=version, s3={"addressing_style": "path"}),
        )

    def __call__(self, version: str, operation: str, path: str, expires: int = 60, **more: object) -> str:
        """The target of a URL for an operation on `/bucket/key`."""
        _, bucket, key = path.split("/", 2)
        params = {"Bucket": bucket, "Key": key, **more}
        url = urlsplit(self._clients[version].generate_presigned_url(operation, params, expires))
        return f"{url.path}?{url.query}"

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients.values():
            client.close()


@pytest.fixture(scope="module")
def presign(running: Running) -> Iterator[Presigner]:
    presigner = Presigner(running)
    yield presigner
    presigner.close()


@pytest.fixture
def stored(raw: Raw, bucket: str) -> str:
    """The path of an object."""
    assert raw("PUT", f"/{bucket}/k", BODY).status == 200
    return f"/{bucket}/k"


@pytest.fixture
def free(bucket: str) -> str:
    """The path of no object."""
    return f"/{bucket}/free"


@pytest.fixture
def signed(raw: Raw, stored: str) -> str:
    """A target that may be read for a minute."""
    return Signer().presigned("GET", stored, {"Host": raw.host})


def follow(raw: Raw, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
    """A request that carries no signature but that of its target."""
    return raw(method, target, body, headers, sign=False)


def without(target: str, name: str) -> str:
    """The target less one query parameter."""
    path, _, query = target.partition("?")
    return f"{path}?{'&'.join(piece for piece in query.split('&') if not piece.startswith(f'{name}='))}"


def altered(target: str, name: str, value: str) -> str:
    """The target with another value of one query parameter."""
    found = without(target, name)
    assert found != target
    return f"{found}&{name}={value}"


# Time


@pytest.mark.catalogue("PRE-003")
def test_an_expired_url_tells_when_it_ended(raw: Raw, stored: str, presign: Presigner) -> None:
    """The refusal has both times, and of Version 4 also how long the URL was meant to hold."""
    signer = Signer(at=time.time() - 1000)
    reply = follow(raw, "GET", signer.presigned("GET", stored, {"Host": raw.host}, expires="10"))
    assert refusal(reply, "X-Amz-Expires") == (403, "AccessDenied", "10")
    assert datetime.fromisoformat(reply.element("Expires")).timestamp() == int(signer.at) + 10
    assert abs(datetime.fromisoformat(reply.element("ServerTime")).timestamp() - time.time()) < 60
    target = presign("s3", "get_object", stored, expires=-1000)
    reply = follow(raw, "GET", target)
    assert refusal(reply, "X-Amz-Expires") == (403, "AccessDenied", "")
    expires = int(parse_qs(target.partition("?")[2])["Expires"][0])
    assert datetime.fromisoformat(reply.element("Expires")).timestamp() == expires
    assert abs(datetime.fromisoformat(reply.element("ServerTime")).timestamp() - time.time()) < 60


# What the signature covers


@pytest.mark.catalogue("PRE-004")
def test_nothing_that_was_signed_can_be_altered(raw: Raw, bucket: str, stored: str) -> None:
    """Signature, path, method and every value of the query hold together."""
    raw("PUT", f"/{bucket}/other", BODY)
    signer = Signer(at=time.time() // 3600 * 3600 + 1)  # a second before it is still the same day
    asked = f"{stored}?response-content-type=text%2Fx&x-id=GetObject"
    target = signer.presigned("GET", asked, {"Host": raw.host}, expires="7200")
    assert follow(raw, "GET", target).body == BODY
    signature = target.rpartition("=")[2]
    for wrong in (
        altered(target, "X-Amz-Signature", signature[::-1]),
        target.replace(f"{stored}?", f"/{bucket}/other?"),
        altered(target, "X-Amz-Date", stamp(signer.at - 1)),
        altered(target, "X-Amz-Expires", "7201"),
        altered(target, "X-Amz-SignedHeaders", "accept;host"),
        altered(target, "response-content-type", "text%2Fhtml"),
        altered(target, "x-id", "HeadObject"),
        without(target, "response-content-type"),
    ):
        assert (wrong, *refusal(follow(raw, "GET", wrong))) == (wrong, *MISMATCH)
    assert refusal(follow(raw, "PUT", target, b"new")) == MISMATCH
    assert refusal(follow(raw, "DELETE", target)) == MISMATCH
    assert raw("GET", stored).body == BODY


@pytest.mark.catalogue("PRE-005")
def test_a_mismatch_shows_what_should_have_been_signed(raw: Raw, stored: str, presign: Presigner) -> None:
    """A developer can compare the server's canonical forms with their own, as text and byte by byte."""
    signer = Signer()
    right = signer.presigned("GET", stored, {"Host": raw.host})
    target = altered(right, "X-Amz-Signature", "0" * 64)
    canonical = signer.canonical_request("GET", without(right, "X-Amz-Signature"), {"Host": raw.host}, UNSIGNED)
    reply = follow(raw, "GET", target)
    found = fields(tree(reply))
    assert refusal(reply) == MISMATCH
    assert (found["AWSAccessKeyId"], found["SignatureProvided"]) == ("OWNERKEY", "0" * 64)
    assert found["CanonicalRequest"] == canonical
    assert found["StringToSign"] == signer.string_to_sign(canonical)
    for name in ("StringToSign", "CanonicalRequest"):
        assert bytes.fromhex(found[f"{name}Bytes"]).decode() == found[name]

    target = presign("s3", "get_object", stored)
    expires = parse_qs(target.partition("?")[2])["Expires"][0]
    reply = follow(raw, "GET", altered(target, "Signature", "AAAA"))
    found = fields(tree(reply))
    assert refusal(reply) == MISMATCH
    assert (found["AWSAccessKeyId"], found["SignatureProvided"]) == ("OWNERKEY", "AAAA")
    assert found["StringToSign"] == f"GET\n\n\n{expires}\n{stored}"
    assert bytes.fromhex(found["StringToSignBytes"]).decode() == found["StringToSign"]
    assert "CanonicalRequest" not in found


@pytest.mark.catalogue("PRE-006")
def test_unknown_parameters_must_be_signed(raw: Raw, stored: str, signed: str) -> None:
    """What S3 does not know does no harm, unless it was added to what was signed."""
    target = Signer().presigned("GET", f"{stored}?unknown=1", {"Host": raw.host})
    assert follow(raw, "GET", target).body == BODY
    assert refusal(follow(raw, "GET", f"{signed}&unknown=1")) == MISMATCH


@pytest.mark.catalogue("PRE-015")
@VERSIONS
def test_overrides_are_part_of_what_is_signed(raw: Raw, stored: str, presign: Presigner, version: str) -> None:
    """The signer chooses the headers of the answer, and whoever holds the URL cannot."""
    overrides = {"ResponseContentType": "text/x", "ResponseContentDisposition": 'attachment; filename="a b"'}
    target = presign(version, "get_object", stored, **overrides)
    reply = follow(raw, "GET", target)
    assert (reply.status, reply.body) == (200, BODY)
    assert reply.headers["content-type"] == "text/x"
    assert reply.headers["content-disposition"] == 'attachment; filename="a b"'
    assert refusal(follow(raw, "GET", altered(target, "response-content-type", "text/html"))) == MISMATCH
    assert refusal(follow(raw, "GET", f"{target}&response-cache-control=no-store")) == MISMATCH


@pytest.mark.catalogue("PRE-016")
@VERSIONS
def test_a_part_can_be_uploaded_by_url(raw: Raw, free: str, presign: Presigner, version: str) -> None:
    """The URL is good for one part of one upload and no other."""
    upload, other = Upload(raw, free), Upload(raw, free)
    target = presign(version, "upload_part", free, PartNumber=1, UploadId=upload.id)
    for wrong in (altered(target, "partNumber", "2"), altered(target, "uploadId", other.id)):
        assert refusal(follow(raw, "PUT", wrong, BODY)) == MISMATCH
    reply = follow(raw, "PUT", target, BODY)
    assert (reply.status, reply.headers["etag"]) == (200, f'"{md5(BODY)}"')
    assert upload.listed().elements("PartNumber") == ["1"]
    assert other.listed().elements("PartNumber") == []
    assert upload.complete([(1, reply.headers["etag"], "")]).status == 200
    assert raw("GET", free).body == BODY


# Form of the query


@pytest.mark.catalogue("PRE-007")
@pytest.mark.parametrize("name", ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"])
def test_all_parameters_of_version_4_are_needed(raw: Raw, free: str, name: str) -> None:
    """A query with five of the six is malformed, whichever is missing."""
    target = without(Signer().presigned("PUT", free, {"Host": raw.host}), f"X-Amz-{name}")
    assert refusal(follow(raw, "PUT", target, BODY)) == (400, "AuthorizationQueryParametersError")
    assert raw("HEAD", free).status == 404


@pytest.mark.catalogue("PRE-008")
@pytest.mark.parametrize("name", ["AWSAccessKeyId", "Expires", "Signature"])
def test_all_parameters_of_version_2_are_needed(raw: Raw, free: str, presign: Presigner, name: str) -> None:
    """With two of the three nobody is let in."""
    target = presign("s3", "put_object", free)
    assert refusal(follow(raw, "PUT", without(target, name), BODY)) == (403, "AccessDenied")
    assert raw("HEAD", free).status == 404
    assert follow(raw, "PUT", target, BODY).status == 200


@pytest.mark.catalogue("PRE-013")
def test_a_credential_encoded_twice_is_malformed(raw: Raw, signed: str) -> None:
    """The slashes of the credential are found after one decoding."""
    assert signed.count("%2F") == 4
    reply = follow(raw, "GET", signed.replace("%2F", "%252F"))
    assert refusal(reply) == (400, "AuthorizationQueryParametersError")


# Headers beside the URL


@pytest.mark.catalogue("PRE-009")
def test_settings_in_headers_must_be_signed(raw: Raw, free: str) -> None:
    """An x-amz header that the signer did not foresee is refused by name; the payload hash alone may be added."""
    target = Signer().presigned("PUT", free, {"Host": raw.host})
    reply = follow(raw, "PUT", target, BODY, {"x-amz-meta-sneaked": "in"})
    assert refusal(reply, "HeadersNotSigned") == (403, "AccessDenied", "x-amz-meta-sneaked")
    assert raw("HEAD", free).status == 404
    assert follow(raw, "PUT", target, BODY, {"x-amz-content-sha256": UNSIGNED}).status == 200
    assert raw("GET", free).body == BODY


@pytest.mark.catalogue("PRE-010")
def test_ordinary_headers_need_no_signature(raw: Raw, free: str) -> None:
    """Version 4 lets the sender describe the body, and keeps what they say."""
    target = Signer().presigned("PUT", free, {"Host": raw.host})
    described = {"Content-Type": "text/x", "Cache-Control": "no-store"}
    assert follow(raw, "PUT", target, BODY, described).status == 200
    found = raw("GET", free)
    assert (found.body, {name: found.headers[name.lower()] for name in described}) == (BODY, described)


@pytest.mark.catalogue("PRE-011")
@pytest.mark.parametrize("name", ["Content-Type", "x-amz-meta-m"])
def test_signed_headers_must_be_sent_as_signed(raw: Raw, free: str, name: str) -> None:
    """Neither another value nor none will do."""
    target = Signer().presigned("PUT", free, {"Host": raw.host, name: "right"})
    assert refusal(follow(raw, "PUT", target, BODY, {name: "wrong"})) == MISMATCH
    assert refusal(follow(raw, "PUT", target, BODY)) == MISMATCH
    assert raw("HEAD", free).status == 404
    assert follow(raw, "PUT", target, BODY, {name: "right"}).status == 200
    assert raw("HEAD", free).headers[name.lower()] == "right"


@pytest.mark.catalogue("PRE-012")
def test_settings_may_travel_in_the_query(raw: Raw, free: str) -> None:
    """A storage class and metadata that were signed as parameters count like headers."""
    query = "x-amz-storage-class=STANDARD_IA&x-amz-meta-m=a%20b"
    assert follow(raw, "PUT", Signer().presigned("PUT", f"{free}?{query}", {"Host": raw.host}), BODY).status == 200
    found = raw("GET", free)
    assert (found.body, found.headers["x-amz-storage-class"]) == (BODY, "STANDARD_IA")
    assert found.headers["x-amz-meta-m"] == "a b"


@pytest.mark.catalogue("PRE-022")
@pytest.mark.parametrize("signed", [False, True])
def test_a_body_by_url_is_held_to_its_digest(raw: Raw, free: str, signed: bool) -> None:
    """Content-MD5 is verified, whether it was signed or came with the body."""
    for digest, status in ((md5_header(b"other"), 400), (md5_header(BODY), 200)):
        target = Signer().presigned("PUT", free, {"Host": raw.host, **(digest if signed else {})})
        reply = follow(raw, "PUT", target, BODY, digest)
        assert (reply.status, reply.code) == (status, "BadDigest" if status == 400 else "")
        assert raw("HEAD", free).status == (404 if status == 400 else 200)


# Temporary credentials


@pytest.fixture
def temporary(serve: Callable[..., Iterator[Running]]) -> Iterator[Running]:
    """A server that knows its owner also by temporary credentials."""
    role = Credential("role-secret", token="role/token+1", account_of="OWNERKEY")
    yield from serve(credentials={"ROLEKEY": role})


@pytest.mark.catalogue("PRE-014")
def test_temporary_credentials_come_with_their_token(temporary: Running) -> None:
    """The key of temporary credentials is good with its own token, and unknown without one."""
    raw, signer = temporary.raw(), Signer("ROLEKEY", "role-secret")
    assert raw("PUT", "/bucket").status == 200
    assert raw("PUT", "/bucket/k", BODY).status == 200

    def read(query: str) -> Reply:
        return follow(raw, "GET", signer.presigned("GET", f"/bucket/k{query}", {"Host": raw.host}))

    assert read("?X-Amz-Security-Token=role%2Ftoken%2B1").body == BODY
    assert refusal(read("?X-Amz-Security-Token=other")) == (400, "InvalidToken")
    assert refusal(read("")) == (403, "InvalidAccessKeyId")


@pytest.mark.catalogue("PRE-018")
def test_a_role_can_presign(temporary: Running) -> None:
    """boto3 with the credentials of a role puts the token into the URL, and the URL reads the owner's object."""
    raw = temporary.raw()
    assert raw("PUT", "/bucket").status == 200
    assert raw("PUT", "/bucket/k", BODY).status == 200
    client = boto3.client(
        "s3",
        endpoint_url=temporary.endpoint,
        aws_access_key_id="ROLEKEY",
        aws_secret_access_key="role-secret",
        aws_session_token="role/token+1",
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    with closing(client):
        url = urlsplit(client.generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "k"}))
    assert parse_qs(url.query)["X-Amz-Security-Token"] == ["role/token+1"]
    reply = follow(raw, "GET", f"{url.path}?{url.query}")
    assert (reply.status, reply.body) == (200, BODY)
