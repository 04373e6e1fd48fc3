"""HTTP on the wire: what only a plain socket can see."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from reference_server.wire import Answer, Body, Head
from tests.reference_server.scripted import echo, read_all, read_one, serving, text

if TYPE_CHECKING:
    from conftest import Raw


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


HOST = b"PUT /b/k HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(bad, id=name)
        for name, bad in {
            "length and chunked": HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "chunked and length": HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
            "length and a list of codings": HOST + b"Content-Length: 3\r\nTransfer-Encoding: x, chunked\r\n\r\nabc",
            "two lengths": HOST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
            "list of lengths": HOST + b"Content-Length: 3, 4\r\n\r\nabc",
            "negative length": HOST + b"Content-Length: -1\r\n\r\n",
            "signed length": HOST + b"Content-Length: +1\r\n\r\nx",
            "length over 64 bits": HOST + b"Content-Length: 99999999999999999999\r\n\r\n",
            "hexadecimal length": HOST + b"Content-Length: 0x3\r\n\r\nabc",
            "length with a space inside": HOST + b"Content-Length: 3 3\r\n\r\nabc",
            "empty length": HOST + b"Content-Length:\r\n\r\n",
            "chunked twice": HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            "chunked not last": HOST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
            "chunked in HTTP/1.0": b"PUT /b/k HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "folded header": HOST + b"X: a\r\n b\r\n\r\n",
            "folded header, tab": HOST + b"X: a\r\n\tb\r\n\r\n",
            "folded before any header": b"GET / HTTP/1.1\r\n Host: h\r\n\r\n",
            "only line feeds": b"GET / HTTP/1.1\nHost: h\n\n",
            "line feed alone between headers": b"GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
            "carriage return alone between headers": b"GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n",
            "carriage return in a value": HOST + b"X: a\rb\r\n\r\n",
            "NUL in a value": HOST + b"X: a\0b\r\n\r\n",
            "NUL in a name": HOST + b"X\0: y\r\n\r\n",
            "other control in a value": HOST + b"X: a\x01b\r\n\r\n",
            "NUL in the target": b"GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n",
            "space before the colon": b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
            "no name": HOST + b": y\r\n\r\n",
            "no colon": HOST + b"XY\r\n\r\n",
            "unknown method": b"GETS / HTTP/1.1\r\nHost: h\r\n\r\n",
            "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "unknown version": b"GET / HTTP/3.7\r\nHost: h\r\n\r\n",
            "no version": b"GET /\r\n\r\n",
            "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
        }.items()
    ],
)
def test_bytes_that_are_no_request_get_400_in_xml_and_a_close(raw: Raw, request_bytes: bytes) -> None:
    with closing(raw.connect()) as sock:
        sock.sendall(request_bytes)
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nx-amz-request-id: " in answer
    assert b"\r\nDate: " in answer
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"</Error>")


def test_a_request_without_a_host_gets_400(raw: Raw) -> None:
    with closing(raw.connect()) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert read_one(sock)[0].startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "coding", [b"gzip, chunked", b"gzip\r\nTransfer-Encoding: chunked", b"gzip", b"identity", b"x"]
)
def test_other_transfer_codings_are_not_implemented(raw: Raw, coding: bytes) -> None:
    """Else the bytes of a compressed transfer would be taken for the object's (RFC 9112 §6.1)."""
    with closing(raw.connect()) as sock:
        sock.sendall(HOST + b"Transfer-Encoding: " + coding + b"\r\n\r\n1\r\nx\r\n0\r\n\r\n")
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert b"<Header>Transfer-Encoding</Header>" in answer


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


def test_names_and_values_of_headers_travel_as_they_are() -> None:
    """Of a request: names in lower case, each byte of a value but the spaces around it. Of an answer: all as given."""
    seen: list[Head] = []

    def answer(head: Head, _: Body) -> Answer:
        seen.append(head)
        return Answer(200, [("x-AmZ-Odd", "\xe9 two  spaces"), ("CONTENT-length", "0"), ("x-amz-odd", "again")])

    with serving(answer) as connect, closing(connect()) as sock:
        sock.sendall(
            b"GET /%2f//a/../b?x#y HTTP/1.1\r\nhOST: h\r\nX-Bytes: \t\xa0\xff  in  side\x85 \t \r\nX-Empty:\r\n\r\n"
        )
        head, _ = read_one(sock, head_only=True)
    assert head.split(b"\r\n")[1:] == [b"x-AmZ-Odd: \xe9 two  spaces", b"CONTENT-length: 0", b"x-amz-odd: again"]
    assert seen[0].headers == {"host": "h", "x-bytes": "\xa0\xff  in  side\x85", "x-empty": ""}
    assert seen[0].target == b"/%2f//a/../b?x#y"


def test_repeated_headers_are_joined_in_order() -> None:
    seen: list[Head] = []

    def answer(head: Head, _: Body) -> Answer:
        seen.append(head)
        return text(b"")

    with serving(answer) as connect, closing(connect()) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nX-Two: b\r\nOther: o\r\nx-two:  a, c\r\nX-TWO: \r\n\r\n")
        read_one(sock)
    assert seen[0].headers["x-two"] == "b,a, c,"


def test_a_line_end_in_a_value_cannot_become_another_header() -> None:
    def answer(_: Head, __: Body) -> Answer:
        return Answer(200, [("x-amz-meta-a", "1\r\nInjected: yes\r\n\r\nbody"), ("Content-Length", "0")])

    with serving(answer) as connect, closing(connect()) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        head, _ = read_one(sock)
    assert head.split(b"\r\n")[1:] == [b"x-amz-meta-a: 1  Injected: yes    body", b"Content-Length: 0"]


@pytest.mark.parametrize("step", [1, 7])
def test_it_does_not_matter_how_a_request_is_cut_into_packets(step: int) -> None:
    head = b"PUT /k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = head + b"4;x=y\r\nfour\r\n3\r\n 34\r\n0\r\nT: t\r\n\r\n"
    with serving(echo) as connect, closing(connect()) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(whole), step):
            sock.sendall(whole[start : start + step])
        assert read_one(sock)[1] == b"four 34"


def test_an_answer_reaches_a_client_that_has_closed_its_side(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/half", b"whole")
    with closing(raw.connect()) as sock:
        sock.sendall(raw.bytes_of("GET", f"/{bucket}/half") + raw.bytes_of("HEAD", f"/{bucket}/half"))
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"\r\n\r\nwholeHTTP/1.1" in answer


def test_http_1_0_stays_open_when_asked_to_and_says_so() -> None:
    request = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    with serving(lambda *_: text(b"ok")) as connect, closing(connect()) as sock:
        for _ in range(2):
            sock.sendall(request)
            head, body = read_one(sock)
            assert b"\r\nConnection: keep-alive" in head
            assert body == b"ok"
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"\r\nConnection: close\r\n" in read_all(sock)


def test_http_1_0_gets_no_100_continue() -> None:
    with serving(echo) as connect, closing(connect()) as sock:
        sock.sendall(b"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(5)
        sock.sendall(b"body")
        assert read_all(sock).endswith(b"\r\n\r\nbody")


def test_no_100_continue_for_a_body_that_is_already_there() -> None:
    with serving(echo) as connect, closing(connect()) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody")
        head, body = read_one(sock)
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b"body"


def test_an_empty_body_is_asked_for_as_well() -> None:
    """The AWS SDK for Python waits for `100 Continue` before it too, and sends no more after any other answer."""
    request = b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"
    with serving(echo) as connect, closing(connect()) as sock:
        for _ in range(2):
            sock.sendall(request)
            assert read_one(sock)[0] == b"HTTP/1.1 100 Continue"
            assert read_one(sock)[0].startswith(b"HTTP/1.1 200 OK")
    with serving(lambda *_: text(b"refused")) as connect, closing(connect()) as sock:
        sock.sendall(request)
        answer = read_all(sock)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer


# What a server that is wrong on purpose may do


def ask(connect: Callable[[], socket.socket], request: bytes = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n") -> bytes:
    """Everything that comes back until the server closes, or for a fifth of a second."""
    with closing(connect()) as sock:
        sock.sendall(request)
        sock.settimeout(0.2)
        data = b""
        try:
            while more := sock.recv(65536):
                data += more
        except TimeoutError:
            data += b"<still open>"
        return data


def test_a_head_can_be_given_as_bytes() -> None:
    odd = b"HTTP/1.1 200\r\ncontent-LENGTH:2\n\r\n"
    with serving(lambda *_: Answer(200, [("ignored", "x")], b"ok", raw=odd)) as connect:
        assert ask(connect) == odd + b"ok<still open>"
    with serving(lambda *_: Answer(200, body=iter([b"o", b"k"]), raw=odd, close=True)) as connect:
        assert ask(connect) == odd + b"ok"


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
def test_a_body_can_be_forced_where_http_has_none(method: bytes, status: int) -> None:
    request = method + b" / HTTP/1.1\r\nHost: h\r\n\r\n"
    for forced in (False, True):
        with serving(lambda *_, now=forced: Answer(status, body=b"body", force_body=now)) as connect:
            assert ask(connect, request).endswith(b"\r\n\r\nbody<still open>" if forced else b"\r\n\r\n<still open>")


def test_an_answer_can_be_left_out_and_is_still_done_with() -> None:
    done = threading.Event()
    with serving(lambda *_: text(b"never", drop=True, done=done.set)) as connect:
        assert ask(connect) == b""
        assert done.wait(1)


def test_a_body_can_come_late_or_end_early() -> None:
    def late() -> Iterator[bytes]:
        yield b"one "
        time.sleep(0.1)
        yield b"two"

    sized = [("Content-Length", "7")]
    with serving(lambda *_: Answer(200, sized, late(), 7)) as connect:
        assert ask(connect).endswith(b"\r\n\r\none two<still open>")
    with serving(lambda *_: Answer(200, sized, iter([b"one "]), 7)) as connect:
        assert ask(connect).endswith(b"\r\n\r\none ")


def test_100_continue_can_be_sent_at_once() -> None:
    def eager(_: Head, body: Body) -> Answer:
        body.send_continue()
        return text(b"".join(body))

    for expect in (b"Expect: 100-continue\r\n", b""):
        with serving(eager) as connect, closing(connect()) as sock:
            sock.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\n" + expect + b"Content-Length: 4\r\n\r\n")
            assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            sock.sendall(b"body")
            assert read_one(sock)[1] == b"body"
