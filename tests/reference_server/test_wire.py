"""HTTP on the wire: what only a plain socket can see."""

from __future__ import annotations

import hashlib
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Raw, Running


def read_all(sock: socket.socket) -> bytes:
    """Everything up to the end of the stream."""
    data = b""
    while True:
        more = sock.recv(65536)
        if not more:
            return data
        data += more


def read_one(sock: socket.socket, *, head_only: bool = False) -> tuple[bytes, bytes]:
    """One response, head and body, and not a byte of the next one."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = sock.recv(1)
        assert more, head
        head += more
    head = head.removesuffix(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:") and not head_only:
            length = int(line.partition(b":")[2])
    body = b""
    while len(body) < length:
        more = sock.recv(length - len(body))
        assert more, body
        body += more
    return head, body


def test_pipelined_requests_are_answered_in_order(raw: Raw, bucket: str) -> None:
    requests = b"".join(
        raw.bytes_of("PUT", f"/{bucket}/k{n}", b"x" * n) + raw.bytes_of("GET", f"/{bucket}/k{n}") for n in range(1, 6)
    )
    with closing(raw.connect()) as sock:
        sock.sendall(requests + raw.bytes_of("HEAD", f"/{bucket}/none", headers={"Connection": "close"}))
        answer = read_all(sock)
    assert answer.count(b"HTTP/1.1 200 OK") == 10
    assert answer.index(b"\r\n\r\nx" + b"HTTP") < answer.index(b"\r\n\r\nxxxx" + b"HTTP")
    assert answer.endswith(b"Server: s3conform\r\nConnection: close\r\n\r\n")


def test_body_is_asked_for_only_when_the_request_is_acceptable(raw: Raw, bucket: str) -> None:
    with closing(raw.connect()) as sock:
        whole = raw.bytes_of("PUT", f"/{bucket}/expected", b"body", {"Expect": "100-continue"})
        head = whole[: -len(b"body")]
        sock.sendall(head)
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"body")
        assert read_one(sock)[0].startswith(b"HTTP/1.1 200 OK")
        sock.sendall(raw.bytes_of("GET", f"/{bucket}/expected"))
        assert read_one(sock)[1] == b"body"


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/no-such-bucket-here/key", {}, b"404"),
        ("/{bucket}/key", {"Content-MD5": "short"}, b"400"),
        ("/{bucket}/taken", {"If-None-Match": "*"}, b"412"),
    ],
)
def test_refusal_comes_without_100_continue_and_closes(
    raw: Raw, bucket: str, target: str, headers: dict[str, str], status: bytes
) -> None:
    raw("PUT", f"/{bucket}/taken", b"old")
    head = raw.bytes_of("PUT", target.format(bucket=bucket), b"x", {"Expect": "100-continue", **headers})[:-1]
    with closing(raw.connect()) as sock:
        sock.sendall(head)
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in answer
    assert b"100 Continue" not in answer


def test_answer_to_a_large_refused_body_arrives_whole(raw: Raw) -> None:
    size = 3 * 1024**2
    request = raw.bytes_of("PUT", "/no-such-bucket-here/key", b"x" * size)
    with closing(raw.connect()) as sock:
        sock.sendall(request)
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 404")
    assert answer.endswith(b"</Error>")


def test_connection_goes_on_after_a_small_refused_body(raw: Raw, bucket: str) -> None:
    with closing(raw.connect()) as sock:
        sock.sendall(raw.bytes_of("PUT", "/no-such-bucket-here/key", b"x" * 1000))
        assert read_one(sock)[0].startswith(b"HTTP/1.1 404")
        sock.sendall(raw.bytes_of("PUT", f"/{bucket}/key", b"y"))
        assert read_one(sock)[0].startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"GETS / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/3.7\r\nHost: h\r\n\r\n",
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
        b"GET /a\x00b HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
)
def test_bytes_that_are_no_request_get_400_in_xml(raw: Raw, request_bytes: bytes) -> None:
    with closing(raw.connect()) as sock:
        sock.sendall(request_bytes)
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"x-amz-request-id: " in answer
    assert b"Date: " in answer
    assert answer.endswith(b"</Error>")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 250 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX-Endless: " + b"x" * 70_000, b"400"),
    ],
)
def test_heads_are_bounded(raw: Raw, request_bytes: bytes, status: bytes) -> None:
    with closing(raw.connect()) as sock:
        sock.sendall(request_bytes)
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"<Code>RequestHeaderSectionTooLarge</Code>" in answer


def test_chunked_transfer_coding_is_read(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/gone", b"x")
    document = b"<Delete><Object><Key>gone</Key></Object></Delete>"
    headers = {"Content-MD5": "", "Transfer-Encoding": "chunked"}
    import base64

    headers["Content-MD5"] = base64.b64encode(hashlib.md5(document).digest()).decode()
    signed = raw.sign("POST", f"/{bucket}?delete", headers, hashlib.sha256(document).hexdigest())
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    pieces = [document[:7], document[7:]]
    body = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces) + b"0\r\nX: y\r\n\r\n"
    with closing(raw.connect()) as sock:
        sock.sendall(f"POST /{bucket}?delete HTTP/1.1\r\n{lines}\r\n".encode())
        for byte in range(0, len(body), 9):
            sock.sendall(body[byte : byte + 9])
        assert b"<Deleted><Key>gone</Key></Deleted>" in read_one(sock)[1]


def test_head_204_and_304_have_no_body(raw: Raw, bucket: str) -> None:
    etag = raw("PUT", f"/{bucket}/key", b"body").headers["etag"]
    with closing(raw.connect()) as sock:
        sock.sendall(raw.bytes_of("HEAD", f"/{bucket}/key"))
        head, _ = read_one(sock, head_only=True)
        assert b"Content-Length: 4" in head
        sock.sendall(raw.bytes_of("HEAD", f"/{bucket}/missing"))
        assert read_one(sock, head_only=True)[0].startswith(b"HTTP/1.1 404")
        sock.sendall(raw.bytes_of("GET", f"/{bucket}/key", headers={"If-None-Match": etag}))
        head, _ = read_one(sock)
        assert head.startswith(b"HTTP/1.1 304")
        assert b"Content-Type" not in head
        sock.sendall(raw.bytes_of("DELETE", f"/{bucket}/key"))
        head, _ = read_one(sock)
        assert head.startswith(b"HTTP/1.1 204")
        assert b"Content-Length" not in head
        assert b"Content-Type" not in head


def test_body_that_ends_early_is_incomplete_and_stores_nothing(raw: Raw, bucket: str) -> None:
    request = raw.bytes_of("PUT", f"/{bucket}/cut", b"0123456789")
    with closing(raw.connect()) as sock:
        sock.sendall(request[:-4])
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock)
    assert b"<Code>IncompleteBody</Code>" in answer
    assert raw("GET", f"/{bucket}/cut").status == 404


def test_http_1_0_closes(raw: Raw) -> None:
    with closing(raw.connect()) as sock:
        sock.sendall(f"GET / HTTP/1.0\r\nHost: {raw.host}\r\n\r\n".encode())
        assert b"Connection: close" in read_all(sock)


def test_a_slow_head_is_cut_off(hasty: Running) -> None:
    with closing(hasty.raw().connect()) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n")
        answer = b""
        for _ in range(20):
            time.sleep(0.05)
            try:
                sock.sendall(b"X: y\r\n")
            except OSError:
                break
        answer = read_all(sock)
    assert b"<Code>RequestTimeout</Code>" in answer


def test_an_idle_connection_is_closed(hasty: Running) -> None:
    with closing(hasty.raw().connect()) as sock:
        started = time.monotonic()
        assert read_all(sock) == b""
        assert time.monotonic() - started < 3


def test_a_body_that_stalls_is_a_timeout(hasty: Running) -> None:
    raw = hasty.raw()
    assert raw("PUT", "/stalled").status == 200
    request = raw.bytes_of("PUT", "/stalled/key", b"0123456789")
    with closing(raw.connect()) as sock:
        sock.sendall(request[:-4])
        assert b"<Code>RequestTimeout</Code>" in read_all(sock)


def test_every_answer_names_itself(raw: Raw, bucket: str) -> None:
    answers = [raw("GET", f"/{bucket}"), raw("GET", f"/{bucket}/none"), raw("GET", "/", sign=False)]
    answers += [raw("DELETE", f"/{bucket}/none"), raw("OPTIONS", f"/{bucket}", sign=False)]
    for reply in answers:
        assert {"x-amz-request-id", "x-amz-id-2", "date", "server"} <= reply.headers.keys()
        if reply.status >= 400:
            assert reply.headers["content-type"] == "application/xml"
            assert reply.element("RequestId") == reply.headers["x-amz-request-id"]
            assert reply.element("HostId") == reply.headers["x-amz-id-2"]
    assert len({reply.headers["x-amz-request-id"] for reply in answers}) == len(answers)


def test_an_offered_upgrade_is_ignored_and_its_body_read(raw: Raw, bucket: str) -> None:
    """Java's HTTP client asks for HTTP/2 in its first request, also when that is an upload."""
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    request = raw.bytes_of("PUT", f"/{bucket}/java", b"whole body", upgrade)
    with closing(raw.connect()) as sock:
        sock.sendall(request[:-6])
        time.sleep(0.05)
        sock.sendall(request[-6:] + raw.bytes_of("GET", f"/{bucket}/java", headers=upgrade))
        assert read_one(sock)[0].startswith(b"HTTP/1.1 200")
        assert read_one(sock)[1] == b"whole body"


@pytest.mark.parametrize("start", [b"0\r\nX-Trailer: ", b"1;", b"0\r\n"])
def test_what_follows_a_chunked_body_is_bounded(raw: Raw, bucket: str, start: bytes) -> None:
    headers = {"Transfer-Encoding": "chunked", "Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    signed = raw.sign("POST", f"/{bucket}?delete", headers, "UNSIGNED-PAYLOAD")
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    piece = b"X: y\r\n" * 100 if start == b"0\r\n" else b"x" * 600
    with closing(raw.connect()) as sock:
        sock.sendall(f"POST /{bucket}?delete HTTP/1.1\r\n{lines}\r\n".encode() + start)
        for _ in range(100):
            try:
                sock.sendall(piece)
            except OSError:
                break
            time.sleep(0.001)
        assert b"<Code>RequestHeaderSectionTooLarge</Code>" in read_all(sock)
