"""boto3 as SDK users have it: whatever an endpoint answers is a finding, nothing is hidden, nothing raised."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.clients.base import MAX_PAGES
from harness.config import Endpoint
from harness.signals import Inexpressible
from harness.wire.exchange import BODY_CAP
from harness.wire.sigv4 import Credentials
from tests.harness.clients.making import opened

OBJECT = {"Bucket": "bucket", "Key": "k"}
ERROR = b"<?xml version='1.0'?>\n<Error><Code>NoSuchKey</Code><Message>because</Message><Key>k</Key></Error>"


def http(body: bytes = b"", status: str = "200 OK", *lines: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (*lines, f"Content-Length: {len(body)}"))
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def page(keys: str, *more: str) -> bytes:
    contents = "".join(f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys)
    return http(f"<ListBucketResult>{contents}{''.join(more)}</ListBucketResult>".encode())


@pytest.fixture
def client() -> Iterator[Callable[..., Any]]:
    """Makes clients that are closed with the test."""
    made: list[Any] = []

    def make(url: str, **changes: Any) -> Any:
        given = {"credentials": Credentials("AKIDEXAMPLE", "secret"), "timeout": 5.0}
        made.append(opened("boto3", Endpoint(url, **(given | changes))))
        return made[-1]

    yield make
    for one in made:
        one.close()


# --- plain answers ---


def test_a_success_is_what_the_sdk_made_of_it(ask):
    found = ask("GetObject", OBJECT, http(b"hello", "200 OK", 'ETag: "e"', "x-amz-meta-A: 1", "Content-Type: a/b"))
    assert (found.ok, found.status, found.body, found.failure) == (True, 200, b"hello", "")
    assert (found.etag, found.output["Metadata"], found.output["ContentLength"]) == ('"e"', {"A": "1"}, 5)
    assert found.headers is not None
    assert found.headers["content-type"] == "a/b"
    assert "ResponseMetadata" not in found.output
    assert "Body" not in found.output


def test_an_error_document_gives_code_message_and_fields(ask):
    found = ask("GetObject", OBJECT, http(ERROR, "404 Not Found", "X-A: 1"))
    assert (found.ok, found.status, found.code, found.message) == (False, 404, "NoSuchKey", "because")
    assert found.error_fields == {"Key": "k"}
    assert found.headers is not None
    assert found.headers["x-a"] == "1"
    assert found.exchanges[0].response_body.text == ERROR.decode()


def test_an_error_after_200_is_an_error(ask):
    """The SDK looks for it where S3 may send one; the status stays that of the wire."""
    found = ask("CopyObject", OBJECT | {"CopySource": "bucket/s"}, http(ERROR))
    assert not found.ok
    assert (found.status, found.code, found.exchanges[0].status) == (200, "NoSuchKey", 200)


def test_an_error_without_a_body(ask):
    found = ask("HeadObject", OBJECT, b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n")
    assert (found.ok, found.status, found.code) == (False, 404, "404")


def test_retries_are_off(answering, client):
    """Every answer is the endpoint's own, and none is waited for twice."""
    seen: list[bytes] = []

    def refuse(request: bytes) -> bytes:
        seen.append(request)
        return http(b"<Error><Code>SlowDown</Code></Error>", "503 Slow Down")

    found = client(answering(refuse).url).call("ListBuckets", {})
    assert (found.ok, found.code, len(found.exchanges), len(seen)) == (False, "SlowDown", 1, 1)


# --- strange answers ---


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("ListObjectsV2", http(b"not xml")),
        ("ListObjectsV2", http(b"<ListBucketResult>")),
        ("ListObjectsV2", http(b"<ListBucketResult><MaxKeys>ten</MaxKeys></ListBucketResult>")),
        ("ListObjectsV2", page("", "<Contents><Key>a</Key><Size>big</Size></Contents>")),
        ("ListObjectsV2", page("", "<Contents><Key>a</Key><LastModified>yesterday</LastModified></Contents>")),
        ("ListObjectsV2", http(b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>")),
        ("ListObjectsV2", http(b"\xff\xfe\x00")),
        ("ListBuckets", http(b"<R><Buckets><Bucket><CreationDate>-</CreationDate></Bucket></Buckets></R>")),
        ("HeadObject", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"),
        ("HeadObject", b"HTTP/1.1 200 OK\r\nLast-Modified: never\r\nContent-Length: 0\r\n\r\n"),
        ("PutObject", b"SSH-2.0-OpenSSH\r\n"),
        ("PutObject", b"HTTP/1.1 abc\r\n\r\n"),
        ("PutObject", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"),
        ("PutObject", b""),
        ("GetObject", http(b"hello", "200 OK", "x-amz-checksum-crc32: AAAAAA==")),
    ],
)
def test_an_answer_the_sdk_cannot_take_is_a_finding(serve, client, operation, answer):
    """What boto3 raises is told with its type, and the exchange is kept."""

    def handler(connection: socket.socket, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)

    params = {"ListBuckets": {}, "ListObjectsV2": {"Bucket": "bucket"}, "PutObject": OBJECT | {"Body": b""}}
    found = client(serve(handler).url).call(operation, params.get(operation, OBJECT))
    assert not found.ok
    assert found.failure or found.code
    assert "\n" not in found.summary()
    assert len(found.summary()) < 600
    (exchange,) = found.exchanges
    assert exchange.status in (None, 200)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_body_cut_short_is_a_failure(serve, client, answer):
    def handler(connection: socket.socket, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    found = client(serve(handler).url).call("GetObject", OBJECT)
    assert not found.ok
    assert found.failure
    assert found.exchanges[0].status == 200


def test_an_endpoint_that_never_answers_ends_after_the_timeout(serve, client):
    def handler(connection: socket.socket, _number: int) -> None:
        while connection.recv(65536):
            pass

    started = time.monotonic()
    found = client(serve(handler).url, timeout=0.3).call("GetObject", OBJECT)
    assert time.monotonic() - started < 5
    assert (found.ok, found.status) == (False, None)
    assert "ReadTimeout" in found.failure


def test_nobody_listens(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = client(f"http://127.0.0.1:{port}").call("ListBuckets", {})
    assert (found.ok, found.status) == (False, None)
    assert "cannot connect to " in found.failure
    assert found.step("client").status is None


@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect", "302 Found"])
def test_a_redirect_in_circles_is_a_finding(answering, client, status):
    def circle(request: bytes) -> bytes:
        path = request.split(b" ")[1].decode()
        body = b"" if request.startswith(b"HEAD") else b"<Error><Code>PermanentRedirect</Code></Error>"
        return http(body, status, f"Location: http://127.0.0.1{path}", "x-amz-bucket-region: eu-west-1")

    started = time.monotonic()
    found = client(answering(circle).url).call("GetObject", OBJECT)
    assert not found.ok
    assert len(found.exchanges) < 10
    assert time.monotonic() - started < 10


# --- evidence ---


def test_an_exchange_keeps_header_case_order_and_bodies(ask, answering, client):
    answer = http(b"b" * 10_000, "200 OK", "x-A: 1", "ETag: e", "X-Amz-META-n: v")
    url = answering(answer).url
    found = client(url).call("GetObject", OBJECT | {"Key": "a b/\u00e9"})
    (exchange,) = found.exchanges
    assert (exchange.method, exchange.url) == ("GET", f"{url}/bucket/a%20b/%C3%A9")
    assert [name for name, _ in exchange.response_headers] == ["x-A", "ETag", "X-Amz-META-n", "Content-Length"]
    assert (exchange.response_body.size, len(exchange.response_body.text)) == (10_000, BODY_CAP)
    assert exchange.response_body.truncated
    sent = {name.lower(): value for name, value in exchange.request_headers}
    assert sent["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert 0 < exchange.seconds < 5


@pytest.mark.parametrize("size", [0, 5, BODY_CAP, 50_000])
def test_the_body_that_was_sent_is_kept(answering, client, size):
    """Also where the SDK wraps it in a file or in chunks."""
    found = client(answering(http()).url).call("PutObject", OBJECT | {"Body": b"a" * size})
    body = found.exchanges[0].request_body
    assert body.size >= size
    assert "a" * min(size, 100) in body.text
    assert body.truncated is (body.size > BODY_CAP)


def test_each_call_has_its_own_exchanges(answering, client):
    sdk = client(answering(http(b"<R/>")).url)
    for _ in range(3):
        assert len(sdk.call("ListBuckets", {}).exchanges) == 1


def test_the_call_is_shown_as_a_user_would_type_it(ask):
    found = ask("PutObject", OBJECT | {"Body": b"a" * 100}, http())
    assert found.command == {"boto3": "s3.put_object(Bucket='bucket', Key='k', Body=bytes(100))"}


# --- what cannot be said ---


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetObject", {"Bucket": "bucket"}),
        ("GetObject", OBJECT | {"Key": ""}),
        ("GetObject", OBJECT | {"PartNumber": "one"}),
        ("GetObject", OBJECT | {"Perfix": "x"}),
        ("GetObject", OBJECT | {"Bucket": "no/slash allowed"}),
        ("NoSuchOperation", {}),
    ],
)
def test_what_the_sdk_does_not_send_is_inexpressible(answering, client, operation, params):
    endpoint = answering(http())
    with pytest.raises(Inexpressible, match="boto3") as caught:
        client(endpoint.url).call(operation, params)
    assert "\n" not in str(caught.value)
    assert endpoint.connections == 0


def test_the_users_settings_change_nothing(answering, client, monkeypatch, tmp_path):
    """Neither environment nor configuration files redirect the requests or change the credentials."""
    (tmp_path / "config").write_text("[default]\nendpoint_url = http://127.0.0.1:1\nregion = x\nmax_attempts = 9\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OTHER")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    endpoint = answering(http(b"<R/>"))
    found = client(endpoint.url).call("ListBuckets", {})
    assert found.ok
    sent = {name.lower(): value for name, value in found.exchanges[0].request_headers}
    assert "Credential=AKIDEXAMPLE/" in sent["authorization"]
    assert "/us-east-1/s3/aws4_request" in sent["authorization"]


# --- listings ---


@pytest.mark.parametrize("version", [1, 2])
def test_pages_are_walked_by_the_sdks_paginator(answering, client, version):
    first = page("ab", "<IsTruncated>true</IsTruncated><NextMarker>b</NextMarker>"
                 "<NextContinuationToken>t</NextContinuationToken>")  # fmt: skip
    second = page("c", "<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes><IsTruncated>false</IsTruncated>")
    found = client(answering(first, second).url).list_all(version, {"Bucket": "bucket"})
    assert (found.ok, found.keys, found.prefixes, len(found.exchanges)) == (True, ["a", "b", "c"], ["d/"], 2)


@pytest.mark.parametrize("version", [1, 2])
def test_a_listing_that_never_ends_is_cut(answering, client, version):
    numbers = iter(range(10**6))

    def again(_request: bytes) -> bytes:
        token = f"t{next(numbers)}"
        return page("a", f"<IsTruncated>true</IsTruncated><NextMarker>{token}</NextMarker>"
                    f"<NextContinuationToken>{token}</NextContinuationToken>")  # fmt: skip

    found = client(answering(again).url).list_all(version, {"Bucket": "bucket"})
    assert not found.ok
    assert found.failure == f"does not end: cut after {MAX_PAGES} requests"
    assert len(found.exchanges) <= MAX_PAGES + 1


def test_a_token_that_comes_again_is_a_finding(answering, client):
    """boto3's paginator notices; whoever has an older one loops."""
    again = page("a", "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")
    found = client(answering(again).url).list_all(2, {"Bucket": "bucket"})
    assert not found.ok
    assert "PaginationError" in found.failure
    assert len(found.exchanges) < 5


def test_a_page_that_is_refused_ends_the_walk(answering, client):
    first = page("a", "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")
    refused = http(b"<Error><Code>AccessDenied</Code></Error>", "403 Forbidden")
    found = client(answering(first, refused).url).list_all(2, {"Bucket": "bucket"})
    assert (found.ok, found.status, found.code) == (False, 403, "AccessDenied")


# --- uploads ---


def test_a_managed_upload_is_a_multipart_upload(answering, client):
    parts: list[bytes] = []

    def part(request: bytes) -> bytes:
        parts.append(request)
        return http(b"", "200 OK", 'ETag: "e"')

    created = http(b"<R><UploadId>u</UploadId></R>")
    done = http(b"<CompleteMultipartUploadResult><ETag>e-2</ETag></CompleteMultipartUploadResult>")
    size = 5 * 1024 * 1024
    content = bytes(range(256)) * (size // 256) + b"tail"
    found = client(answering(created, part, part, done).url).upload(OBJECT | {"Body": content}, size)
    assert (found.ok, found.status, found.operation) == (True, 200, "CompleteMultipartUpload")
    assert [exchange.method for exchange in found.exchanges] == ["POST", "PUT", "PUT", "POST"]
    first = found.exchanges[1].request_body
    assert first.size >= size
    assert first.truncated
    assert b"tail" in parts[1]


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_a_refusal_within_a_managed_upload_is_its_answer(answering, client, fails):
    answers = [http(b"<R><UploadId>u</UploadId></R>"), http(b"", "200 OK", 'ETag: "1"'), http(b"<R/>")]
    answers[fails] = http(b"<Error><Code>AccessDenied</Code></Error>", "403 Forbidden")
    found = client(answering(*answers).url).upload(OBJECT | {"Body": b"a" * 6 * 1024 * 1024}, 6 * 1024 * 1024)
    assert (found.ok, found.code) == (False, "AccessDenied")


def test_settings_reach_its_configuration():
    """Those of `Config` itself, among them the one that has a default here, and those of the `s3` in it."""
    settings = {
        "signature_version": "s3",
        "payload_signing_enabled": "true",
        "request_checksum_calculation": "when_required",
    }
    client = opened("boto3", Endpoint("http://127.0.0.1:9", Credentials("AK", "SK")), settings)
    config = client._client.meta.config
    client.close()
    assert (config.signature_version, config.request_checksum_calculation) == ("s3", "when_required")
    assert config.s3["payload_signing_enabled"] is True
