"""Raw HTTP says exactly what it is told, and hides nothing of what comes back."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from harness.clients.base import MAX_PAGES
from harness.clients.raw import Head, RawClient, Signing
from harness.config import Endpoint
from harness.wire import sigv2
from harness.wire.exchange import BODY_CAP
from harness.wire.sigv4 import EMPTY_SHA256, Credentials, Signer, sign

KEYS = Credentials("AKIDEXAMPLE", "secret+/=", "token")


def http(body: bytes = b"", status: str = "200 OK", *lines: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (*lines, f"Content-Length: {len(body)}"))
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def error(code: str, *more: str) -> bytes:
    members = f"<Code>{code}</Code><Message>because</Message>{''.join(more)}"
    return f"<?xml version='1.0'?>\n<Error>{members}</Error>".encode()


def page(keys: str, *more: str) -> bytes:
    contents = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    return http(f"<ListBucketResult>{contents}{''.join(more)}</ListBucketResult>".encode())


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Iterator[Callable[..., RawClient]]:
    """Makes clients that are closed with the test."""
    made: list[RawClient] = []

    def make(url: str, **changes: Any) -> RawClient:
        made.append(RawClient(Endpoint(url, **({"credentials": KEYS, "timeout": 5.0} | changes))))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def requests(answering: Any) -> tuple[str, list[bytes]]:
    """An endpoint that answers 200 to everything, and the requests it got."""
    seen: list[bytes] = []

    def note(request: bytes) -> bytes:
        seen.append(request)
        return http()

    return answering(note).url, seen


def lines(request: bytes) -> list[tuple[str, str]]:
    """Header lines of a request, without the request line."""
    head = request.partition(b"\r\n\r\n")[0].decode()
    return [(line.partition(": ")[0], line.partition(": ")[2]) for line in head.split("\r\n")[1:]]


OBJECT = {"Bucket": "b", "Key": "k"}


# --- answers ---


def test_a_success_is_read_by_the_service_model(ask):
    answer = http(b"", "200 OK", 'ETag: "e"', "x-Amz-Version-ID: v", "X-A: 1", "x-a: 2")
    found = ask("PutObject", OBJECT | {"Body": b"x"}, answer)
    assert (found.ok, found.status, found.output) == (True, 200, {"ETag": '"e"', "VersionId": "v"})
    assert found.headers == {"etag": '"e"', "x-amz-version-id": "v", "x-a": "1, 2", "content-length": "0"}
    assert (found.code, found.message, found.failure, found.partial) == ("", "", "", False)
    assert found.etag == '"e"'


def test_an_error_document_is_read_whole(ask):
    body = error("NoSuchKey", "<Key>k</Key><RequestId>1</RequestId><Nested><A>1</A></Nested>")
    found = ask("GetObject", OBJECT, http(body, "404 Not Found"))
    assert (found.ok, found.status, found.code, found.message) == (False, 404, "NoSuchKey", "because")
    assert found.error_fields == {"Code": "NoSuchKey", "Message": "because", "Key": "k", "RequestId": "1"}
    assert found.output == {}
    assert found.body == body
    assert found.summary() == "404 NoSuchKey (because)"


@pytest.mark.parametrize("operation", ["CompleteMultipartUpload", "CopyObject", "UploadPartCopy", "DeleteObjects"])
def test_an_error_after_200_is_an_error(ask, operation):
    """These may have to say 200 before they know."""
    params: dict[str, Any] = {
        "CompleteMultipartUpload": OBJECT | {"UploadId": "u", "MultipartUpload": {"Parts": []}},
        "CopyObject": OBJECT | {"CopySource": "b/s"},
        "UploadPartCopy": OBJECT | {"UploadId": "u", "PartNumber": 1, "CopySource": "b/s"},
        "DeleteObjects": {"Bucket": "b", "Delete": {"Objects": []}},
    }[operation]
    found = ask(operation, params, http(b"\n  " + error("InternalError").partition(b"\n")[2]))
    assert (found.ok, found.status, found.code) == (False, 200, "InternalError")


def test_an_object_that_looks_like_an_error_is_an_object(ask):
    found = ask("GetObject", OBJECT, http(error("NoSuchKey")))
    assert (found.ok, found.code, found.body, found.document) == (True, "", error("NoSuchKey"), None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no",
        b"<html><br>",
        b"<",
        b"\xff\xfe",
        b'{"error":1}',
        b"<!DOCTYPE a><Error/>",
        b"<Error/>",
        b"<Error>" * 99,
    ],
)
def test_an_error_that_cannot_be_read_has_no_code(ask, body):
    found = ask("ListObjectsV2", {"Bucket": "b"}, http(body, "500 Oops"))
    assert (found.ok, found.status, found.code, found.message, found.output) == (False, 500, "", "", {})
    assert found.body == body


@pytest.mark.parametrize("body", [b"", b"text", b"<a>", b"<Other/>", b"<R><Contents/></R>"])
def test_a_success_of_another_shape_is_a_finding_for_the_matchers(ask, body):
    found = ask("ListObjectsV2", {"Bucket": "b"}, http(body))
    assert found.ok
    assert [key for key in found.keys if key] == []


def test_bytes_where_no_body_may_be_are_kept(ask):
    found = ask("DeleteObject", OBJECT, b"HTTP/1.1 204 No Content\r\n\r\n<a/>")
    assert (found.status, found.body, found.stray) == (204, b"", b"<a/>")
    assert found.exchanges[0].response_body.text == "<a/>"


def test_no_answer_is_a_failure_in_words(serve, client):
    def close(connection: socket.socket, _number: int) -> None:
        connection.recv(65536)

    found = client(serve(close).url).call("GetObject", OBJECT)
    assert (found.ok, found.status, found.headers, found.body) == (False, None, None, None)
    assert found.failure == found.summary() == "connection closed without an answer"
    (exchange,) = found.exchanges
    assert (exchange.status, exchange.error) == (None, found.failure)
    assert (found.step("client").message, found.step("client").failure) == ("", found.failure)


# --- evidence ---


def test_an_exchange_is_kept_as_it_crossed_the_wire(answering, client):
    url = answering(http(b"\xffabc", "206 Partially", "x-A: 1", "ETag: e", "X-a: 2")).url
    found = client(url).send("GetObject", "GET", "/b/a//./%2e?x=+&y", [("X-oDD", "a  b"), ("x-odd", "")])
    (exchange,) = found.exchanges
    assert (exchange.method, exchange.url) == ("GET", f"{url}/b/a//./%2e?x=+&y")
    assert exchange.request_headers[:3] == [("Host", url.removeprefix("http://")), ("X-oDD", "a  b"), ("x-odd", "")]
    assert [name for name, _ in exchange.request_headers[3:]] == [
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
        "Authorization",
    ]
    assert (exchange.status, exchange.reason) == (206, "Partially")
    assert exchange.response_headers == [("x-A", "1"), ("ETag", "e"), ("X-a", "2"), ("Content-Length", "4")]
    assert (exchange.response_body.size, exchange.response_body.text) == (4, "\ufffdabc")
    assert 0 < exchange.seconds < 5


def test_large_bodies_are_kept_in_part_and_say_so(ask):
    found = ask("PutObject", OBJECT | {"Body": b"a" * 100_000}, http(b"b" * 200_000))
    (exchange,) = found.exchanges
    assert (exchange.request_body.size, len(exchange.request_body.text), exchange.request_body.truncated) == (
        100_000,
        BODY_CAP,
        True,
    )
    assert (exchange.response_body.size, len(exchange.response_body.text)) == (200_000, BODY_CAP)
    assert found.body == b"b" * 200_000


# --- requests ---


def test_requests_are_signed_as_they_are_sent(requests, client):
    url, seen = requests
    client(url).call("PutObject", OBJECT | {"Key": "a b/\u00e9", "Body": b"hello", "Metadata": {"n": "1  2"}})
    (request,) = seen
    sent = dict(lines(request))
    assert request.startswith(b"PUT /b/a%20b/%C3%A9 HTTP/1.1\r\nHost: ")
    assert sent["x-amz-content-sha256"] == hashlib.sha256(b"hello").hexdigest()
    assert sent["Content-Length"] == "5"
    assert sent["x-amz-security-token"] == "token"
    now = dt.datetime.strptime(sent["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    assert abs((dt.datetime.now(dt.UTC) - now).total_seconds()) < 60
    signed = [(name, value) for name, value in lines(request) if name != "Authorization"]
    digest = sent["x-amz-content-sha256"]
    assert sent["Authorization"] == sign("PUT", "/b/a%20b/%C3%A9", signed, digest, KEYS, "us-east-1", now)


def test_nothing_is_added_to_an_unsigned_request(requests, client):
    url, seen = requests
    client(url).send("GetObject", "PUT", "/b/k", [("a", "1")], signing=None, content_length=False)
    assert seen == [f"PUT /b/k HTTP/1.1\r\nHost: {url.removeprefix('http://')}\r\na: 1\r\n\r\n".encode()]


def test_a_payload_hash_of_ones_own_is_kept_and_signed(requests, client):
    url, seen = requests
    client(url).send("PutObject", "PUT", "/b/k", [("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")], b"x")
    assert re.findall(rb"(?i)x-amz-content-sha256: (.*)\r\n", seen[0]) == [b"UNSIGNED-PAYLOAD"]


def test_a_digest_is_sent_only_where_s3_demands_one(requests, client):
    url, seen = requests
    raw = client(url)
    raw.call("PutObject", OBJECT | {"Body": b"x"})
    raw.call("DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}]}})
    raw.call("DeleteObjects", {"Bucket": "b", "Delete": {"Objects": []}, "ChecksumAlgorithm": "CRC32", "MFA": "m"})
    put, delete, _ = ({name.lower(): value for name, value in lines(request)} for request in seen)
    assert "content-md5" not in put
    body = seen[1].partition(b"\r\n\r\n")[2]
    assert delete["content-md5"] == base64.b64encode(hashlib.md5(body).digest()).decode()


@pytest.mark.parametrize(("method", "expected"), [("GET", False), ("DELETE", False), ("PUT", True), ("POST", True)])
def test_an_empty_body_has_a_length_where_it_is_usual(requests, client, method, expected):
    url, seen = requests
    client(url).send("PutObject", method, "/b")
    sent = dict(lines(seen[0]))
    assert ("Content-Length" in sent) is expected
    assert sent["x-amz-content-sha256"] == EMPTY_SHA256


def test_virtual_addressing_moves_the_bucket_to_the_host(requests, client):
    url, seen = requests
    raw = client(f"{url}/base", addressing="virtual")
    raw.call("GetObject", OBJECT | {"Key": "b/k"})
    raw.call("ListObjectsV2", {"Bucket": "b"})
    raw.call("ListBuckets", {})
    raw.send("GetObject", "GET", "/b/k", bucket="b", addressing="path")
    authority = url.removeprefix("http://")
    assert [(request.split(b" ")[1].decode(), lines(request)[0][1]) for request in seen] == [
        ("/base/b/k", f"b.{authority}"),
        ("/base/?list-type=2", f"b.{authority}"),
        ("/base/", authority),
        ("/base/b/k", authority),
    ]


def test_the_clock_and_the_version_can_be_ones_own(requests, client):
    url, seen = requests
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    client(url).send("GetObject", "GET", "/b/k", version="HTTP/1.0", signing=Signing(skew=-1200))
    sent = dict(lines(seen[0]))
    assert seen[0].startswith(b"GET /b/k HTTP/1.0\r\n")
    stamp = dt.datetime.strptime(sent["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    assert -1200 <= (stamp - before).total_seconds() <= -1195
    signed = [(name, value) for name, value in lines(seen[0]) if name != "Authorization"]
    assert sent["Authorization"] == sign("GET", "/b/k", signed, EMPTY_SHA256, KEYS, "us-east-1", stamp)


@pytest.mark.parametrize("spelled", [str.upper, str.lower])
def test_header_names_are_spelled_as_wanted_and_signed_alike(requests, client, spelled):
    url, seen = requests
    client(url).send("PutObject", "PUT", "/b/k", [("X-Amz-Meta-a", "Bc")], b"x", spelled=spelled)
    names = [name for name, _ in lines(seen[0])]
    assert names == [spelled(name) for name in names]
    assert {"host", "x-amz-meta-a", "content-length", "authorization"} < {name.lower() for name in names}
    (authorization,) = (value for name, value in lines(seen[0]) if name.lower() == "authorization")
    assert "SignedHeaders=content-length;host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-sec" in authorization
    assert dict(lines(seen[0]))[spelled("X-Amz-Meta-a")] == "Bc"


def test_what_is_for_the_next_hop_alone_is_not_signed(requests, client):
    url, seen = requests
    hop = [("Connection", "keep-alive"), ("Expect", "100-continue"), ("TE", "trailers"), ("a", "1")]
    client(url).send("GetObject", "GET", "/b/k", hop)
    assert "SignedHeaders=a;host;x-amz-content-sha256;x-amz-date;x-amz-sec" in dict(lines(seen[0]))["Authorization"]


def signed_lines(sent: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in sent if name != "Authorization"]


def test_the_payload_hash_and_the_host_can_be_left_out(requests, client):
    url, seen = requests
    client(url).send("PutObject", "PUT", "/b/k", body=b"x", signing=Signing(digest=""), host=False)
    sent = lines(seen[0])
    assert [name for name, _ in sent] == ["Content-Length", "x-amz-date", "x-amz-security-token", "Authorization"]
    assert "SignedHeaders=content-length;x-amz-date;x-amz-security-token," in dict(sent)["Authorization"]
    stamp = dt.datetime.strptime(dict(sent)["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    digest = hashlib.sha256(b"x").hexdigest()
    assert dict(sent)["Authorization"] == sign("PUT", "/b/k", signed_lines(sent), digest, KEYS, "us-east-1", stamp)


def test_the_scope_can_be_of_any_day_region_and_service(requests, client):
    url, seen = requests
    client(url).send("GetObject", "GET", "/b/k", signing=Signing(day="someday", region="mars", service="ec2"))
    assert "Credential=AKIDEXAMPLE/someday/mars/ec2/aws4_request," in dict(lines(seen[0]))["Authorization"]


def test_another_request_can_be_signed_than_is_sent(requests, client):
    url, seen = requests

    def other(head: Head) -> Head:
        assert (head.method, head.target) == ("GET", "/b/k?x=1")
        return Head("PUT", "/b/other", [*head.headers, ("x-added", "1")])

    client(url).send("GetObject", "GET", "/b/k?x=1", signing=Signing(instead=other))
    assert seen[0].startswith(b"GET /b/k?x=1 HTTP/1.1\r\n")
    sent = lines(seen[0])
    assert "x-added" not in dict(sent)
    stamp = dt.datetime.strptime(dict(sent)["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    said = [*signed_lines(sent), ("x-added", "1")]
    assert dict(sent)["Authorization"] == sign("PUT", "/b/other", said, EMPTY_SHA256, KEYS, "us-east-1", stamp)


@pytest.mark.parametrize(
    ("addressing", "base", "host", "path"),
    [("path", "", "{}", "/b/k"), ("virtual", "", "b.{}", "/k"), ("virtual", "/base", "b.{}", "/base/k")],
)
def test_a_presigned_target_is_signed_for_the_address_it_is_sent_to(requests, client, addressing, base, host, path):
    url, seen = requests
    raw = client(url + base, addressing=addressing)
    target = raw.presign("PUT", "/b/k?x=1", [("X-A", "1")], bucket="b", expires=77)
    assert target.startswith("/b/k?x=1&X-Amz-Algorithm=")
    raw.send("PutObject", "PUT", target, [("X-A", "1")], b"x", bucket="b", signing=None)
    sent = dict(parse_qsl(urlsplit(seen[0].split(b" ")[1].decode()).query))
    stamp = dt.datetime.strptime(sent["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    authority = host.format(url.removeprefix("http://"))
    made = Signer(KEYS, "us-east-1", stamp).presign(
        "PUT", f"{path}?x=1", [("Host", authority), ("X-A", "1")], "77", KEYS.session_token
    )
    assert seen[0].split(b" ")[1].decode() == made
    assert lines(seen[0])[0] == ("Host", authority)


def test_a_presigned_target_can_be_of_another_time_and_of_version_2(client):
    raw, other = client("http://h.test"), Credentials("AKOTHER", "secret")
    query = dict(parse_qsl(raw.presign("GET", "/b/k", expires="soon", signing=Signing(skew=-3600)).partition("?")[2]))
    stamp = dt.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    assert 3595 < (dt.datetime.now(dt.UTC) - stamp).total_seconds() < 3660
    assert (query["X-Amz-Expires"], query["X-Amz-Security-Token"]) == ("soon", "token")
    old = raw.presign("GET", "/b/k", expires=60, signing=Signing(credentials=other, skew=-100), version=2)
    end = int(dict(parse_qsl(old.partition("?")[2]))["Expires"])
    assert -60 < end - time.time() < -35
    assert old == sigv2.presign("GET", "/b/k", [], end, other)


def test_an_operation_that_is_in_no_model_is_answered_too(requests, client):
    url, _ = requests
    found = client(url).send("PostObject", "POST", "/b", body=b"form", signing=None)
    assert (found.ok, found.status, found.output) == (True, 200, {})
    assert client(url).fetch(f"{url}/b", "POST", body=b"form").status == 200


def patient(url: str, client: Callable[..., RawClient], body: bytes = b"body", patience: float = 3.0) -> Any:
    """A PUT whose body waits for 100 Continue."""
    return client(url).send("PutObject", "PUT", "/b/k", [("Expect", "100-continue")], body, patience=patience)


def test_a_patient_body_follows_100_continue(answering, client):
    seen: list[bytes] = []

    def note(request: bytes) -> bytes:
        seen.append(request.partition(b"\r\n\r\n")[2])
        return http()

    body = b"x" * 300_000
    found = patient(answering(note).url, client, body)
    assert (found.ok, found.status, seen, len(found.exchanges)) == (True, 200, [body], 1)
    assert found.exchanges[0].request_body.size == len(body)


def test_a_patient_body_is_not_sent_after_another_answer(serve, client):
    rest: list[bytes] = []

    def refuse(connection: socket.socket, _number: int) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        rest.append(head.partition(b"\r\n\r\n")[2])
        connection.sendall(http(error("NoSuchBucket"), "404 Not Found"))
        rest.append(connection.recv(65536))

    endpoint = serve(refuse)
    found = patient(endpoint.url, client)
    endpoint.close()
    assert (found.status, found.code) == (404, "NoSuchBucket")
    assert rest  # it was asked
    assert not any(rest)


def test_a_patient_body_does_not_wait_for_ever(serve, client):
    def silent(connection: socket.socket, _number: int) -> None:
        while connection.recv(65536):
            pass

    found = patient(serve(silent).url, client, patience=0.2)
    assert (found.ok, found.failure) == (False, "neither 100 Continue nor another answer within 0.2 s")


def test_a_patient_request_leaves_the_kept_connection_alone(answering, client):
    endpoint = answering(http())
    raw = client(endpoint.url)
    raw.call("GetObject", OBJECT)
    raw.send("PutObject", "PUT", "/b/k", [("Expect", "100-continue")], b"x", patience=3.0)
    raw.call("GetObject", OBJECT)
    assert endpoint.connections == 2


# --- listings and uploads ---


def test_pages_are_joined_as_the_endpoint_gives_them(answering, client):
    seen: list[bytes] = []

    def second(request: bytes) -> bytes:
        seen.append(request.split(b" ")[1])
        return page("c", "<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes><IsTruncated>false</IsTruncated>")

    token = "<IsTruncated>true</IsTruncated><NextContinuationToken>t+/=</NextContinuationToken>"
    found = client(answering(page("ab", token), second).url).list_all(2, {"Bucket": "b", "MaxKeys": 2})
    assert (found.ok, found.keys, found.prefixes, len(found.exchanges)) == (True, ["a", "b", "c"], ["d/"], 2)
    assert seen == [b"/b?list-type=2&max-keys=2&continuation-token=t%2B%2F%3D"]


@pytest.mark.parametrize(
    ("version", "more", "asked"),
    [
        (1, "<NextMarker>m</NextMarker>", b"/b?marker=m"),
        (1, "", b"/b?marker=b"),
        (2, "<NextContinuationToken>m</NextContinuationToken>", b"/b?list-type=2&continuation-token=m"),
    ],
)
def test_a_listing_that_never_ends_is_cut(answering, client, version, more, asked):
    """Neither the walk nor its evidence grows without bound, and it is no success."""
    last: list[bytes] = []

    def again(request: bytes) -> bytes:
        last[:] = [request.split(b" ")[1]]
        return page("ab", "<IsTruncated>true</IsTruncated>", more)

    found = client(answering(again).url).list_all(version, {"Bucket": "b"})
    assert not found.ok
    assert found.failure == f"the listing does not end: cut after {MAX_PAGES} pages"
    assert len(found.exchanges) == MAX_PAGES
    assert len(found.keys) == 2 * MAX_PAGES
    assert last == [asked]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("truncated", ["true", "True", "yes", ""])
def test_a_page_without_a_way_on_ends_the_walk(answering, client, version, truncated):
    """What is then missing is the finding."""
    endpoint = answering(page("", f"<IsTruncated>{truncated}</IsTruncated>"))
    found = client(endpoint.url).list_all(version, {"Bucket": "b"})
    assert (found.ok, found.keys, len(found.exchanges)) == (True, [], 1)


def test_a_page_that_is_refused_ends_the_walk(answering, client):
    token = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
    url = answering(page("a", token), http(error("SlowDown"), "503 Slow Down")).url
    found = client(url).list_all(2, {"Bucket": "b"})
    assert (found.ok, found.status, found.code, found.keys, len(found.exchanges)) == (False, 503, "SlowDown", ["a"], 2)


def test_an_upload_sends_its_parts_in_order(answering, client):
    seen: list[tuple[bytes, bytes]] = []

    def part(request: bytes) -> bytes:
        seen.append((request.split(b" ")[1], request.partition(b"\r\n\r\n")[2]))
        return http(b"", "200 OK", f'ETag: "{len(seen)}"')

    def complete(request: bytes) -> bytes:
        seen.append((request.split(b" ")[1], request.partition(b"\r\n\r\n")[2]))
        return http(b"<CompleteMultipartUploadResult><ETag>e-3</ETag></CompleteMultipartUploadResult>")

    created = http(b"<R><UploadId>u</UploadId></R>")
    found = client(answering(created, part, part, part, complete).url).upload(OBJECT | {"Body": b"abcde"}, 2)
    assert (found.operation, found.ok, found.etag) == ("CompleteMultipartUpload", True, "e-3")
    assert [body for _, body in seen[:3]] == [b"ab", b"cd", b"e"]
    assert [target for target, _ in seen] == [
        b"/b/k?uploadId=u&partNumber=1",
        b"/b/k?uploadId=u&partNumber=2",
        b"/b/k?uploadId=u&partNumber=3",
        b"/b/k?uploadId=u",
    ]
    for number in (1, 2, 3):
        assert f'<PartNumber>{number}</PartNumber><ETag>"{number}"</ETag>'.encode() in seen[3][1]


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_the_first_refusal_of_an_upload_is_its_answer(answering, client, fails):
    answers = [http(b"<R><UploadId>u</UploadId></R>"), http(b"", "200 OK", 'ETag: "1"'), http(b"<R/>")]
    answers[fails] = http(error("AccessDenied"), "403 Forbidden")
    found = client(answering(*answers).url).upload(OBJECT | {"Body": b"ab"}, 5)
    assert (found.ok, found.code) == (False, "AccessDenied")
    assert found.operation == ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")[fails]
