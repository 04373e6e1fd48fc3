"""The AWS SDK for JavaScript as applications have it: whatever an endpoint answers is a finding, nothing is hidden."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.clients.base import MAX_PAGES
from harness.clients.jssdk import MIN_PART, JsSdk
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.errors import UsageError
from harness.signals import Inexpressible
from harness.wire.sigv4 import Credentials
from harness.wire.wiretap import Wiretap
from tests import support
from tests.harness.clients.conftest import endpoint_of
from tests.harness.conftest import Endpoint as Listener
from tests.harness.conftest import read_request

OBJECT = {"Bucket": "bucket", "Key": "k"}
ERROR = b"<?xml version='1.0'?>\n<Error><Code>NoSuchKey</Code><Message>because</Message><Key>k</Key></Error>"
REFUSED = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
COMPLETE = OBJECT | {"UploadId": "u", "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "e"}]}}


def available() -> None:
    """Skip the test when Node or the SDK is not there."""
    _, missing = JsSdk.available()
    if missing:
        pytest.skip(missing)


def http(body: bytes = b"", status: str = "200 OK", *lines: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (*lines, f"Content-Length: {len(body)}"))
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


def page(keys: str, *more: str) -> bytes:
    contents = "".join(f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys)
    return http(f"<ListBucketResult>{contents}{''.join(more)}</ListBucketResult>".encode())


class Stage:
    """An endpoint that gives the answers of one test after the other, each test's last one for ever."""

    def __init__(self) -> None:
        self._answers: list[Any] = []
        self.requests: list[bytes] = []
        self.listener = Listener(self._serve)

    def set(self, *answers: bytes) -> None:
        self._answers, self.requests = list(answers), []

    def _serve(self, connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            self.requests.append(request)
            connection.sendall(self._answers[min(len(self.requests), len(self._answers)) - 1])


@pytest.fixture(scope="module")
def node() -> Iterator[tuple[JsSdk, Stage]]:
    """One client for the module, and where it sends."""
    available()
    stage = Stage()
    endpoint = Endpoint(stage.listener.url, Credentials("AKIDEXAMPLE", "secret"), timeout=1.5)
    tap = Wiretap(endpoint)
    client = JsSdk(endpoint, {}, tap)
    yield client, stage
    client.close()
    tap.close()
    stage.listener.close()


@pytest.fixture
def stage(node: tuple[JsSdk, Stage]) -> Stage:
    """What the client's endpoint answers."""
    return node[1]


@pytest.fixture
def sdk(node: tuple[JsSdk, Stage]) -> Callable[..., JsSdk]:
    """The client, with an endpoint that gives these answers."""

    def against(*answers: bytes) -> JsSdk:
        node[1].set(*answers)
        return node[0]

    return against


@pytest.fixture(scope="module")
def real(server: support.Server) -> Iterator[JsSdk]:
    """The client against the reference server."""
    available()
    tap = Wiretap(endpoint_of(server))
    client = JsSdk(endpoint_of(server), {}, tap)
    yield client
    client.close()
    tap.close()


# --- against a server ---


def test_objects_come_back_as_they_were_sent(real: JsSdk, witness: RawClient, bucket: str) -> None:
    at = {"Bucket": bucket, "Key": "a b/é+&.bin"}
    put = real.call("PutObject", at | {"Body": bytes(range(256)), "Metadata": {"x": "1"}, "ContentType": "a/b"})
    assert (put.ok, put.status, put.failure) == (True, 200, "")
    assert witness.call("GetObject", at).body == bytes(range(256))
    got = real.call("GetObject", at)
    assert (got.ok, got.body, got.output["Metadata"], got.output["ContentLength"]) == (
        True,
        bytes(range(256)),
        {"x": "1"},
        256,
    )
    assert got.etag == put.etag
    assert dt.datetime.fromisoformat(got.output["LastModified"]).tzinfo is not None
    copied = real.call("CopyObject", {"Bucket": bucket, "Key": "c", "CopySource": f"{bucket}/a%20b/%C3%A9%2B%26.bin"})
    assert copied.ok
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "c"}).body == bytes(range(256))


def test_listing_by_pages(real: JsSdk, witness: RawClient, bucket: str) -> None:
    for key in ("a", "b&c", "d/1", "d/2"):
        witness.call("PutObject", {"Bucket": bucket, "Key": key, "Body": b""})
    found = real.list_all(2, {"Bucket": bucket, "MaxKeys": 1})
    assert (found.ok, found.keys, len(found.exchanges)) == (True, ["a", "b&c", "d/1", "d/2"], 4)
    folded = real.list_all(2, {"Bucket": bucket, "MaxKeys": 2, "Delimiter": "/"})
    assert (folded.keys, folded.prefixes) == (["a", "b&c"], ["d/"])
    with pytest.raises(Inexpressible, match="no paginator for ListObjects"):
        real.list_all(1, {"Bucket": bucket})


@pytest.mark.parametrize("name", ["upload", "uploadStream"])
def test_uploads_in_parts(real: JsSdk, witness: RawClient, bucket: str, name: str) -> None:
    at, content = {"Bucket": bucket, "Key": name}, bytes(range(256)) * (MIN_PART // 256) + b"tail"
    found = real.script(name, "CompleteMultipartUpload", at | {"Body": content})
    assert (found.ok, found.status, str(found.etag)[-3:]) == (True, 200, '-2"')
    assert sorted(exchange.method for exchange in found.exchanges) == ["POST", "POST", "PUT", "PUT"]
    assert witness.call("GetObject", at).body == content


def test_stream_goes_with_a_trailer(real: JsSdk, witness: RawClient, bucket: str) -> None:
    at, content = {"Bucket": bucket, "Key": "s"}, b"0123456789" * 20_000
    found = real.script("stream", "PutObject", at | {"Body": content, "ContentLength": len(content)})
    assert found.ok
    assert "STREAMING-UNSIGNED-PAYLOAD-TRAILER" in dict(found.exchanges[0].request_headers).values()
    assert witness.call("GetObject", at).body == content


@pytest.mark.parametrize(("operation", "method"), [("GetObject", "GET"), ("PutObject", "PUT")])
def test_presigned_urls_send_nothing_and_work(
    real: JsSdk, witness: RawClient, bucket: str, operation: str, method: str
) -> None:
    at = {"Bucket": bucket, "Key": "a b/é"}
    witness.call("PutObject", at | {"Body": b"x"})
    made = real.script("presign", operation, at, expires=30)
    assert (made.ok, made.exchanges) == (True, [])
    assert "X-Amz-Expires=30" in made.output["Url"]
    assert witness.fetch(made.output["Url"], method).ok


def test_markers_of_parts_are_numbers(real: JsSdk, witness: RawClient, bucket: str) -> None:
    """As every other client has them."""
    at = {"Bucket": bucket, "Key": "p"}
    at |= {"UploadId": witness.call("CreateMultipartUpload", at).output["UploadId"]}
    for number in (1, 2):
        witness.call("UploadPart", at | {"PartNumber": number, "Body": b"x"})
    found = real.call("ListParts", at | {"MaxParts": 1})
    assert (found.output["PartNumberMarker"], found.output["NextPartNumberMarker"]) == (0, 1)


def test_settings_hold_for_one_call(real: JsSdk, bucket: str) -> None:
    at = {"Bucket": bucket, "Key": "k", "Body": b"x"}
    without = real.script("call", "PutObject", at, settings={"requestChecksumCalculation": "WHEN_REQUIRED"})
    after = real.call("PutObject", at)
    found = [[name for name, _ in seen.exchanges[0].request_headers if "checksum" in name] for seen in (without, after)]
    assert found == [[], ["x-amz-sdk-checksum-algorithm", "x-amz-checksum-crc32"]]


# --- plain answers ---


def test_a_success_is_what_the_sdk_made_of_it(sdk: Any) -> None:
    found = sdk(http(b"hello", "200 OK", 'ETag: "e"', "x-amz-meta-A: 1", "Content-Type: a/b")).call("GetObject", OBJECT)
    assert (found.ok, found.status, found.body, found.failure) == (True, 200, b"hello", "")
    assert (found.etag, found.output["Metadata"], found.output["ContentLength"]) == ('"e"', {"a": "1"}, 5)
    assert found.headers["content-type"] == "a/b"
    assert not {"$metadata", "Body"} & set(found.output)


@pytest.mark.parametrize(
    ("operation", "params", "answer", "status", "code"),
    [
        ("GetObject", OBJECT, http(ERROR, "404 Not Found"), 404, "NoSuchKey"),
        ("HeadObject", OBJECT, b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", 404, "NotFound"),
        ("HeadObject", OBJECT, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n", 403, ""),
        ("GetObject", OBJECT, http(b"<html><body>no</body></html>", "503 No"), 503, ""),
        ("CopyObject", OBJECT | {"CopySource": "bucket/s"}, http(ERROR), 200, "NoSuchKey"),
        ("CompleteMultipartUpload", COMPLETE, http(ERROR), 200, "NoSuchKey"),
        ("GetObject", OBJECT, http(REFUSED, "301 Moved", "Location: http://127.0.0.1/"), 301, "AccessDenied"),
    ],
)
def test_a_refusal_has_status_and_name(
    sdk: Any, operation: str, params: dict[str, Any], answer: bytes, status: int, code: str
) -> None:
    """Where there is no document, the name that the SDK gives the status, if it gives one."""
    found = sdk(answer).call(operation, params)
    assert (found.ok, found.failure, found.status, found.code) == (False, "", status, code)
    assert len(found.exchanges) == 1


def test_an_error_document_is_kept(sdk: Any) -> None:
    found = sdk(http(ERROR, "404 Not Found", "X-A: 1")).call("GetObject", OBJECT)
    assert (found.message, found.error_fields["Key"], found.headers["x-a"]) == ("because", "k", "1")
    assert found.exchanges[0].response_body.text == ERROR.decode()


@pytest.mark.parametrize(("settings", "requests"), [({}, 1), ({"maxAttempts": 3}, 3)])
def test_retries_are_off_unless_asked_for(sdk: Any, settings: dict[str, int], requests: int) -> None:
    busy = http(b"<Error><Code>SlowDown</Code></Error>", "503 Slow Down")
    found = sdk(busy).script("call", "ListBuckets", {}, settings=settings)
    assert (found.ok, found.status, found.code, len(found.exchanges)) == (False, 503, "SlowDown", requests)


# --- strange answers ---


@pytest.mark.parametrize(
    ("operation", "answer", "says"),
    [
        ("ListObjectsV2", http(b"not xml"), "XML parse error"),
        ("ListObjectsV2", http(b"<ListBucketResult>"), "XML parse error"),
        ("ListObjectsV2", http(b"\xff\xfe\x00"), "XML parse error"),
        ("ListObjectsV2", page("", "<Contents><LastModified>yesterday</LastModified></Contents>"), "yesterday"),
        ("GetObject", http(b'{"error": 1}', "400 Bad"), "XML parse error"),
        ("HeadObject", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "Content-Length"),
        ("HeadObject", b"HTTP/1.1 200 OK\r\nLast-Modified: never\r\nContent-Length: 0\r\n\r\n", "never"),
        ("HeadObject", b"SSH-2.0-OpenSSH\r\n\r\n", "Expected HTTP/"),
        ("HeadObject", b"HTTP/1.1 abc\r\n\r\n", "Invalid status code"),
        ("CompleteMultipartUpload", http(), "InternalError: S3 aborted request"),
        ("GetObject", http(b"hello", "200 OK", "x-amz-checksum-crc32: AAAAAA=="), "Checksum mismatch"),
        ("GetObject", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "TimeoutError: "),
        ("GetObject", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "aborted"),
        ("GetObject", b"", "TimeoutError: "),
    ],
)
def test_an_answer_the_sdk_cannot_take_is_a_finding(sdk: Any, operation: str, answer: bytes, says: str) -> None:
    """What it throws is told in one line, and the exchange is kept; nothing is waited for longer than the timeout."""
    params = {"ListObjectsV2": {"Bucket": "bucket"}, "CompleteMultipartUpload": COMPLETE}.get(operation, OBJECT)
    started = time.monotonic()
    found = sdk(answer).call(operation, params)
    assert time.monotonic() - started < 10
    assert (found.ok, found.code, len(found.exchanges)) == (False, "", 1)
    assert says in found.failure
    assert "\n" not in found.summary()
    assert len(found.summary()) < 600


def test_half_a_body_is_shown(sdk: Any) -> None:
    found = sdk(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").call("GetObject", OBJECT)
    assert (found.ok, found.status, found.body) == (False, 200, b"half")


def test_numbers_that_are_none_are_left_out(sdk: Any) -> None:
    found = sdk(page("", "<Contents><Key>a</Key><Size>big</Size></Contents>")).call("ListObjectsV2", {"Bucket": "b-b"})
    assert found.output["Contents"] == [{"Key": "a"}]


def test_a_connection_that_went_wrong_does_not_serve_the_next_call(sdk: Any) -> None:
    """A HEAD with a body: its bytes would be taken for the beginning of the next answer."""
    stray = sdk(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray", http(b"hello"))
    assert stray.call("HeadObject", OBJECT).ok
    assert stray.call("GetObject", OBJECT).body == b"hello"


@pytest.mark.parametrize("line", ["X: y", "x-amz-checksum-crc32: AAAAAA=="])
def test_a_body_that_was_left_unread_breaks_nothing_later(sdk: Any, line: str) -> None:
    """The SDK gives up at a header; the body behind it comes to its end with the connection."""
    client = sdk(http(b"x" * 100_000, "200 OK", "Last-Modified: never", line), http(b"hello"))
    assert "never" in client.call("GetObject", OBJECT).failure
    before = client._conversation
    for _ in range(3):
        assert client.call("GetObject", OBJECT).body == b"hello"
    assert client._conversation is before


# --- listings and uploads ---


def test_a_listing_that_never_ends_is_cut(sdk: Any) -> None:
    """The SDK follows a token that comes again for ever."""
    again = page("a", "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")
    found = sdk(again).list_all(2, {"Bucket": "bucket"})
    assert (found.ok, found.failure) == (False, f"the listing does not end: cut after {MAX_PAGES} pages")
    assert len(found.exchanges) == MAX_PAGES + 1


def test_a_page_that_is_refused_ends_the_walk(sdk: Any) -> None:
    first = page("a", "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")
    found = sdk(first, http(REFUSED, "403 Forbidden")).list_all(2, {"Bucket": "bucket"})
    assert (found.ok, found.status, found.code, found.keys) == (False, 403, "AccessDenied", ["a"])


@pytest.mark.parametrize("step", [0, 1, 3])
def test_a_refusal_within_an_upload_is_its_answer(sdk: Any, step: int) -> None:
    """Whichever step it was, and though the SDK aborts the upload behind it."""
    created, part = http(b"<R><UploadId>u</UploadId></R>"), http(b"", "200 OK", 'ETag: "1"')
    answers = [
        created,
        part,
        part,
        http(b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"),
    ]
    answers[step] = http(REFUSED, "403 Forbidden")
    found = sdk(*answers, http(b"", "204 No Content")).upload(OBJECT | {"Body": b"a" * (MIN_PART + 1)}, MIN_PART)
    assert (found.ok, found.status, found.code) == (False, 403, "AccessDenied")


# --- what cannot be said ---


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetObject", {"Bucket": "bucket"}),
        ("GetObject", OBJECT | {"Key": ""}),
        ("DeleteObject", OBJECT | {"Key": ""}),
        ("GetObject", OBJECT | {"Perfix": "x"}),
        ("GetObject", OBJECT | {"Bucket": "no/slash allowed"}),
        ("GetObject", OBJECT | {"Key": "a\ud800"}),
        ("GetObject", OBJECT | {"IfModifiedSince": "yesterday"}),
        ("PutObject", OBJECT | {"Body": b"", "ContentType": "a\nb"}),
        ("PutObject", OBJECT | {"Body": b"", "Metadata": {"a b": "c"}}),
        ("PutObject", OBJECT | {"Body": b"", "ChecksumAlgorithm": "MD4"}),
        ("DeleteObjects", {"Bucket": "bucket", "Delete": {"Objects": [{"Kex": "k"}]}}),
        ("SelectObjectContent", OBJECT),
        ("NoSuchOperation", {}),
    ],
)
def test_what_the_sdk_does_not_send_is_inexpressible(
    sdk: Any, stage: Stage, operation: str, params: dict[str, Any]
) -> None:
    client = sdk(http())
    with pytest.raises(Inexpressible) as caught:
        client.call(operation, params)
    assert "\n" not in str(caught.value)
    assert stage.requests == []


def test_parts_below_the_smallest_are_inexpressible(sdk: Any) -> None:
    with pytest.raises(Inexpressible, match="no parts below 5242880 bytes"):
        sdk(http()).upload(OBJECT | {"Body": b"x"}, MIN_PART - 1)


def test_a_stream_of_unknown_length_cannot_be_put(sdk: Any) -> None:
    with pytest.raises(Inexpressible, match="x-amz-decoded-content-length"):
        sdk(http()).script("stream", "PutObject", OBJECT | {"Body": b"x"})


@pytest.mark.parametrize(
    "date", ["2026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05 GMT", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)]
)
def test_dates_may_be_written_in_three_ways(sdk: Any, date: Any) -> None:
    found = sdk(http(b"x")).call("GetObject", OBJECT | {"IfModifiedSince": date})
    assert dict(found.exchanges[0].request_headers)["if-modified-since"] == "Fri, 02 Jan 2026 03:04:05 GMT"


def test_unknown_settings_are_a_users_mistake() -> None:
    endpoint = Endpoint("http://127.0.0.1:9", Credentials("A", "B"))
    with contextlib.closing(Wiretap(endpoint)) as tap, pytest.raises(UsageError, match="did you mean 'requestChecksum"):
        JsSdk(endpoint, {"requestChecksums": "off"}, tap)


@pytest.mark.parametrize(
    ("name", "operation", "text"),
    [
        (
            "call",
            "PutObject",
            'await s3.send(new PutObjectCommand({"Bucket": "bucket", "Key": "k", "Body": "100 bytes"}))',
        ),
        ("upload", "CompleteMultipartUpload", "await new Upload({ client: s3, params: {"),
    ],
)
def test_the_call_is_shown_as_a_user_would_type_it(sdk: Any, name: str, operation: str, text: str) -> None:
    found = sdk(http()).script(name, operation, OBJECT | {"Body": b"a" * 100})
    assert found.command["jssdk"].startswith(text)


def test_keys_of_customers_are_not_shown(sdk: Any) -> None:
    found = sdk(http()).call("GetObject", OBJECT | {"SSECustomerKey": "s" * 32, "SSECustomerAlgorithm": "AES256"})
    assert "sss" not in found.command["jssdk"]
