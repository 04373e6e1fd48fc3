"""The recording tap against endpoints and clients that behave, and against such that do not."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from harness.config import Endpoint
from harness.signals import ClientFault
from harness.wire import link as link_module
from harness.wire import tape as tape_module
from harness.wire import wiretap as wiretap_module
from harness.wire.sigv4 import Credentials
from harness.wire.wiretap import Wiretap

Serve = Callable[[socket.socket], None]


class Server:
    """A raw socket server: `serve` gets every accepted connection, one after the other."""

    def __init__(self, serve: Serve) -> None:
        self.received = bytearray()
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                self._serve(connection)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@contextlib.contextmanager
def between(serve: Serve, timeout: float = 5.0) -> Iterator[tuple[Wiretap, socket.socket, str]]:
    """A tap before a server, a client connected to it, and the authority of the server."""
    server = Server(serve)
    authority = f"127.0.0.1:{server.port}"
    tap = Wiretap(Endpoint(f"http://{authority}", Credentials("AK", "SK"), timeout=timeout))
    client = socket.create_connection(("127.0.0.1", int(tap.url.rpartition(":")[2])))
    client.settimeout(5)
    try:
        yield tap, client, authority
    finally:
        client.close()
        tap.close()
        server.close()


def head_of(connection: socket.socket) -> bytes:
    """Bytes up to the end of a head, and what came with it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def rest_of(connection: socket.socket) -> bytes:
    """Bytes until the other side closes."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            data += piece
    return data


def answering(*pieces: bytes) -> Serve:
    """Reads one head, sends the pieces, closes."""

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.01)

    return serve


def test_request_reaches_the_endpoint_byte_for_byte() -> None:
    """Only the request line changes; order, case, spacing and repeats of header lines stay, the raw path too."""
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(head_of(connection))
        connection.sendall(b'HTTP/1.1 200 Fine Thing\r\nETag: "a"\r\nX-a:1\r\nx-A: 2\r\nContent-Length: 2\r\n\r\nhi')

    with between(serve) as (tap, client, authority):
        lines = f"hOsT: {authority}\r\nX-B:  two  spaces\r\nx-a: 1\r\nX-A: 2\r\nAuthorization: AWS4 s\r\n\r\n"
        client.sendall(f"GET http://{authority}/b//a/../%2e%2F+?x=%20&y HTTP/1.1\r\n{lines}".encode())
        answer = rest_of(client)
        (recorded,) = tap.take()
    assert seen == [f"GET /b//a/../%2e%2F+?x=%20&y HTTP/1.1\r\n{lines}".encode()]
    assert answer.endswith(b"X-a:1\r\nx-A: 2\r\nContent-Length: 2\r\n\r\nhi")
    exchange = recorded.exchange
    assert (exchange.method, exchange.url) == ("GET", f"http://{authority}/b//a/../%2e%2F+?x=%20&y")
    assert [name for name, _ in exchange.request_headers] == ["hOsT", "X-B", "x-a", "X-A", "Authorization"]
    assert (exchange.status, exchange.reason, exchange.error) == (200, "Fine Thing", "")
    assert exchange.response_headers == [("ETag", '"a"'), ("X-a", "1"), ("x-A", "2"), ("Content-Length", "2")]
    assert recorded.answer is not None
    assert recorded.answer.body == b"hi"


def test_connections_are_kept_alive() -> None:
    """Several requests share one connection on both sides."""
    connections: list[int] = []

    def serve(connection: socket.socket) -> None:
        connections.append(1)
        for _ in range(3):
            head_of(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")

    with between(serve) as (tap, client, authority):
        for number in range(3):
            client.sendall(f"GET http://{authority}/{number} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
            assert head_of(client).endswith(b"x")
        assert tap.seen == 3
        assert [r.exchange.url[-1] for r in tap.take()] == ["0", "1", "2"]
        assert tap.take() == []
    assert connections == [1]


def test_continue_is_relayed_before_the_body_is_sent() -> None:
    """The client's body goes out only after the endpoint's own 100 Continue came through."""

    def serve(connection: socket.socket) -> None:
        assert b"Expect: 100-continue" in head_of(connection)
        time.sleep(0.05)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert connection.recv(100) == b"body!"
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with between(serve) as (tap, client, authority):
        client.sendall(
            f"PUT http://{authority}/b/k HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n".encode()
        )
        assert head_of(client) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body!")
        assert head_of(client).startswith(b"HTTP/1.1 200 OK")
        (recorded,) = tap.take()
    assert recorded.interim == (100,)
    assert (recorded.exchange.status, recorded.exchange.request_body.text) == (200, "body!")


@pytest.mark.parametrize("kept", [True, False])
def test_body_that_was_not_asked_for_is_not_waited_for(kept: bool) -> None:
    """Refused without 100 Continue, a client keeps its body; its next request has a connection of its own."""

    def serve(connection: socket.socket) -> None:
        head = head_of(connection)
        body = b"none" if b"Expect: 100-continue" in head else b"next"
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n" + body)
        if kept:
            connection.recv(1)

    with between(serve) as (tap, client, authority):
        head = f"Host: {authority}\r\nExpect: 100-continue\r\nContent-Length: 13\r\n\r\n"
        client.sendall(f"PUT http://{authority}/b/k HTTP/1.1\r\n{head}".encode())
        assert rest_of(client).endswith(b"none")
        with socket.create_connection(client.getpeername()) as other:
            other.settimeout(5)
            other.sendall(f"GET http://{authority}/next HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
            assert head_of(other).endswith(b"next")
        put, get = tap.take()
    assert (put.exchange.status, put.exchange.error, put.exchange.request_body.size) == (404, "", 0)
    assert (get.exchange.method, get.exchange.status, get.exchange.error) == ("GET", 404, "")


def test_body_that_is_sent_all_the_same_is_passed_on() -> None:
    """A client that did not wait for 100 Continue had begun to send when the refusal came."""
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        data = head_of(connection)
        while not data.endswith(b"early"):
            data += connection.recv(100)
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone")
        received.append(connection.recv(100))

    with between(serve) as (tap, client, authority):
        head = f"Host: {authority}\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\nearly"
        client.sendall(f"PUT http://{authority}/b/k HTTP/1.1\r\n{head}".encode())
        assert head_of(client).endswith(b"none")
        client.sendall(b" late")
        rest_of(client)
        (recorded,) = tap.take()
    assert received == [b" late"]
    assert recorded.exchange.status == 404


def test_early_refusal_is_heard() -> None:
    """An endpoint that refuses before the body and closes: the client reads the whole answer."""
    refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope"
    with between(answering(refusal)) as (tap, client, authority):
        client.sendall(f"PUT http://{authority}/b/k HTTP/1.1\r\nContent-Length: 50000000\r\n\r\n".encode())
        client.sendall(bytes(100_000))
        assert rest_of(client) == refusal
        (recorded,) = tap.take()
    assert (recorded.exchange.status, recorded.exchange.response_body.text) == (403, "nope")
    assert recorded.exchange.error == ""


def test_chunked_bodies_pass_in_both_directions() -> None:
    """The coding stays on the wire; the record holds the content, trailers and extensions aside."""
    sent = b"3;ext=1\r\nabc\r\n0\r\nx-trailer: 1\r\n\r\n"
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        data = head_of(connection)
        while not data.endswith(b"x-trailer: 1\r\n\r\n"):
            data += connection.recv(1000)
        seen.append(data.partition(b"\r\n\r\n")[2])
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"5\r", b"\nhel", b"lo\r\n", b"1\r\n!\r\n0\r\n", b"\r\n"):
            connection.sendall(piece)
            time.sleep(0.01)
        connection.recv(1)

    with between(serve) as (tap, client, authority):
        client.sendall(f"PUT http://{authority}/b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for index in range(len(sent)):
            client.sendall(sent[index : index + 1])
        answer = head_of(client)
        while not answer.endswith(b"0\r\n\r\n"):
            answer += client.recv(100)
        (recorded,) = tap.take()
    assert seen == [sent]
    assert answer.endswith(b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")
    assert (recorded.exchange.request_body.text, recorded.exchange.response_body.text) == ("abc", "hello!")


def test_head_answers_have_no_body_and_stray_bytes_are_kept() -> None:
    """Content-Length of a HEAD answer announces nothing; bytes that come all the same are reported."""
    with between(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nstray")) as (tap, client, authority):
        client.sendall(f"HEAD http://{authority}/b/k HTTP/1.1\r\n\r\n".encode())
        assert rest_of(client).endswith(b"stray")
        (recorded,) = tap.take()
    assert recorded.answer is not None
    assert (recorded.answer.body, recorded.answer.stray) == (b"", b"stray")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"garbage\r\n\r\nmore", "not a valid HTTP answer: not a status line: 'garbage'"),
        (b"", "connection closed without an answer"),
        (b"HTTP/1.1 200 O", "connection closed within the head of the answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "answer cut short after 5 bytes of its body"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\nx", "not a valid HTTP answer: not one Content-Length: '-9'"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "not a valid HTTP answer: not a chunk size: b'zz'",
        ),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "not a valid HTTP answer: not a header line: 'no colon'"),
        (b"HTTP/1.1 099 Hm\r\n\r\n", "not a valid HTTP answer: not a status line: 'HTTP/1.1 099 Hm'"),
        (b"HTTP/1.1 100 C\r\n\r\n" * 50, "not a valid HTTP answer: more than 32 interim answers"),
        (b"A: " + b"x" * 300_000, "not a valid HTTP answer: the head is longer than 262144 bytes"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil close", ""),
    ],
)
def test_strange_answers_reach_the_client_as_they_are(answer: bytes, error: str) -> None:
    """Nothing is repaired or hidden; the record says what was wrong."""
    with between(answering(answer)) as (tap, client, authority):
        client.sendall(f"GET http://{authority}/b/k HTTP/1.1\r\n\r\n".encode())
        assert rest_of(client) == answer
        (recorded,) = tap.take()
    assert recorded.exchange.error == error


def test_other_hosts_are_refused_and_never_contacted() -> None:
    """Traffic that is not for the endpoint gets 502, is noted, and goes nowhere."""
    touched: list[int] = []
    with between(lambda _: touched.append(1)) as (tap, client, authority):
        other = Server(lambda _: touched.append(2))
        try:
            targets = [
                f"GET http://127.0.0.1:{other.port}/x",
                f"GET http://127.0.0.1.example:{authority.rpartition(':')[2]}/x",
                f"GET http://user@{authority}/x",
                f"GET https://{authority}/x",
                f"CONNECT 127.0.0.1:{other.port}",
            ]
            for start in targets:
                with socket.create_connection(("127.0.0.1", int(tap.url.rpartition(":")[2]))) as connection:
                    connection.sendall(f"{start} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
                    connection.settimeout(5)
                    assert rest_of(connection).startswith(b"HTTP/1.1 502 ")
            recorded = tap.take()
        finally:
            other.close()
        assert client.fileno() > 0
    assert touched == []
    assert len(recorded) == len(targets)
    assert all(r.exchange.error.startswith("refused: ") and r.exchange.status is None for r in recorded)


def test_a_bucket_as_host_name_goes_to_the_endpoint() -> None:
    """`bucket.host` needs no name resolution: the endpoint's own address is used, the Host header kept."""
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(head_of(connection))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with between(serve) as (tap, client, authority):
        client.sendall(f"DELETE http://bucket.{authority}?x HTTP/1.1\r\nHost: bucket.{authority}\r\n\r\n".encode())
        assert head_of(client) == b"HTTP/1.1 204 No Content\r\n\r\n"
        assert tap.take()[0].exchange.url == f"http://bucket.{authority}?x"
    assert seen == [f"DELETE /?x HTTP/1.1\r\nHost: bucket.{authority}\r\n\r\n".encode()]


def test_unreachable_endpoint_ends_the_connection() -> None:
    """The client sees a closed connection, as without a tap; the record says why."""
    free = socket.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    tap = Wiretap(Endpoint(f"http://127.0.0.1:{port}", Credentials("AK", "SK"), timeout=2))
    try:
        with socket.create_connection(("127.0.0.1", int(tap.url.rpartition(":")[2]))) as client:
            client.settimeout(5)
            client.sendall(f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\n\r\n".encode())
            assert rest_of(client) == b""
        (recorded,) = tap.take()
    finally:
        tap.close()
    assert recorded.answer is None
    assert recorded.exchange.error.startswith(f"cannot connect to 127.0.0.1:{port}")


def test_silent_endpoint_is_cut_when_the_program_has_gone() -> None:
    """`take` after a killed program is quick and tells of the unanswered request."""
    silence = threading.Event()

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        silence.wait(5)

    with between(serve) as (tap, client, authority):
        client.sendall(f"GET http://{authority}/b/k HTTP/1.1\r\n\r\n".encode())
        while not tap.seen:
            time.sleep(0.01)
        client.close()
        started = time.monotonic()
        (recorded,) = tap.take()
        assert time.monotonic() - started < 1
        silence.set()
    assert recorded.exchange.error == "the client closed the connection before the answer ended"


def test_connections_left_open_are_cut() -> None:
    """A program that left its connection to another process does not keep `take` waiting."""
    silence = threading.Event()

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        silence.wait(8)

    with between(serve) as (tap, client, authority):
        client.sendall(f"GET http://{authority}/b/k HTTP/1.1\r\n\r\n".encode())
        while not tap.seen:
            time.sleep(0.01)
        started = time.monotonic()
        assert [r.exchange.status for r in tap.take()] == [None]
        assert time.monotonic() - started < 3
        silence.set()


def test_silence_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that never answers ends by itself, even when the client waits for ever."""
    silence = threading.Event()

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        silence.wait(8)

    monkeypatch.setattr(link_module, "_SLACK", 0.1)
    with between(serve, timeout=0.2) as (tap, client, authority):
        client.sendall(f"GET http://{authority}/b/k HTTP/1.1\r\n\r\n".encode())
        assert rest_of(client) == b""
        (recorded,) = tap.take()
        silence.set()
    assert recorded.exchange.error == "nothing moved for 0.5 s"


def test_large_bodies_stream_with_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """All bytes pass; what is kept of them is bounded, and the true size is known."""
    monkeypatch.setattr(tape_module, "MAX_BODY", 1000)
    monkeypatch.setattr(tape_module, "ALWAYS", 1000)
    size = 20_000_000

    def serve(connection: socket.socket) -> None:
        received = len(head_of(connection).partition(b"\r\n\r\n")[2])
        while received < size:
            received += len(connection.recv(1 << 20))
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        connection.sendall(bytes(size))

    with between(serve) as (tap, client, authority):
        client.sendall(f"PUT http://{authority}/b/k HTTP/1.1\r\nContent-Length: {size}\r\n\r\n".encode())
        client.sendall(bytes(size))
        data = len(head_of(client).partition(b"\r\n\r\n")[2])
        while data < size:
            data += len(client.recv(1 << 20))
        (recorded,) = tap.take()
    exchange = recorded.exchange
    assert (exchange.request_body.size, exchange.response_body.size) == (size, size)
    assert recorded.answer is not None
    assert len(recorded.answer.body) == 1000


def test_slow_reader_holds_the_endpoint_back() -> None:
    """An endpoint that sends without end meets back-pressure: the tap's buffers do not grow."""
    sent: list[int] = []

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        connection.settimeout(0.3)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(TimeoutError):
            while True:
                sent.append(connection.send(bytes(1 << 16)))

    with between(serve) as (tap, client, authority):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.sendall(f"GET http://{authority}/b/k HTTP/1.1\r\n\r\n".encode())
        time.sleep(1)
        stalled = sum(sent)
        client.close()
        (recorded,) = tap.take()
    assert stalled < 64 << 20
    assert recorded.exchange.response_body.size < 64 << 20


def test_number_of_records_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first and the last exchanges of a loop are kept, and the count is true."""
    monkeypatch.setattr(tape_module, "MAX_RECORDS", 10)

    def serve(connection: socket.socket) -> None:
        while head_of(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with between(serve) as (tap, client, authority):
        for number in range(40):
            client.sendall(f"GET http://{authority}/{number} HTTP/1.1\r\n\r\n".encode())
            head_of(client)
        assert tap.seen == 40
        kept = [r.exchange.url.rpartition("/")[2] for r in tap.take()]
    assert len(kept) == 10
    assert (kept[0], kept[-1]) == ("0", "39")


def test_proxy_headers_stay_with_the_proxy_and_others_pass() -> None:
    """Lines meant for the tap are not the endpoint's business."""
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(head_of(connection))

    with between(serve) as (tap, client, authority):
        client.sendall(f"GET http://{authority} HTTP/1.0\r\nProxy-Connection: x\r\nConnection: close\r\n\r\n".encode())
        rest_of(client)
        tap.take()
    assert seen == [b"GET / HTTP/1.0\r\nConnection: close\r\n\r\n"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\xff" * 100 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"PUT http://%s/b HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"\r\n\r\n",
    ],
)
def test_garbage_from_a_client_is_survived(request_bytes: bytes) -> None:
    """The connection ends; the tap goes on."""
    with between(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as (tap, client, authority):
        client.sendall(request_bytes.replace(b"%s", authority.encode()))
        rest_of(client)
        with socket.create_connection(("127.0.0.1", int(tap.url.rpartition(":")[2]))) as again:
            again.settimeout(5)
            again.sendall(f"GET http://{authority}/ HTTP/1.1\r\n\r\n".encode())
            assert head_of(again).startswith(b"HTTP/1.1 200 OK")


def test_too_many_connections_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of threads is bounded, and nobody takes it for the endpoint's doing."""
    monkeypatch.setattr(wiretap_module, "MAX_CONNECTIONS", 1)
    with between(answering(b"")) as (tap, client, _):
        client.sendall(b"GET ")
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", int(tap.url.rpartition(":")[2]))) as more:
            more.settimeout(5)
            assert rest_of(more) == b""
        with pytest.raises(ClientFault, match="turned away: more than 1 connections at once"):
            tap.take()


def test_close_is_quick_and_final() -> None:
    """No thread stays, nothing listens, a second close does nothing."""
    with between(answering(b"")) as (tap, _, _):
        started = time.monotonic()
        tap.close()
        tap.close()
        assert time.monotonic() - started < 2
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the system has it
            socket.create_connection(("127.0.0.1", int(tap.url.rpartition(":")[2])), 1).close()


def test_an_error_after_large_bodies_is_kept() -> None:
    """However much was kept before: the beginning of every answer can be read."""
    document = b"<Error><Code>NoSuchKey</Code></Error>"
    answers = iter([bytes(5 << 20)] * 5 + [document])

    def serve(connection: socket.socket) -> None:
        for body in answers:
            head_of(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with between(serve) as (tap, client, authority):
        for _ in range(6):
            client.sendall(f"GET http://{authority}/k HTTP/1.1\r\n\r\n".encode())
            head = head_of(client)
            length, left = head.partition(b"Length: ")[2].split(b"\r\n")[0], len(head.partition(b"\r\n\r\n")[2])
            while left < int(length):
                left += len(client.recv(1 << 20))
        records = tap.take()
    assert [record.answer.body for record in records if record.answer][-1] == document


def test_a_broken_connection_stays_broken() -> None:
    """A reset is passed on as one: a body that ends with its connection must not look whole."""
    reset = struct.pack("ii", 1, 0)

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        time.sleep(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)

    with between(serve) as (tap, client, authority):
        client.sendall(f"GET http://{authority}/k HTTP/1.1\r\n\r\n".encode())
        assert head_of(client).endswith(b"half")
        with pytest.raises(ConnectionResetError):
            client.recv(100)
        (recorded,) = tap.take()
    assert recorded.exchange.error == "answer broken off after 4 bytes of its body: Connection reset by peer"


def test_a_request_on_a_connection_that_the_endpoint_closed_is_told() -> None:
    """The endpoint closed a kept connection without saying so; the request that met this is the endpoint's loss."""

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with between(serve) as (tap, client, authority):
        for _ in range(2):
            client.sendall(f"GET http://{authority}/k HTTP/1.1\r\n\r\n".encode())
            if not head_of(client):
                break
        first, second = tap.take(ended=True)
    assert first.exchange.status == 200
    assert second.exchange.error == "connection closed without an answer"


def test_a_connection_that_is_still_being_made_can_be_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that gave up does not leave a request behind that reaches the endpoint later."""
    dialled = threading.Event()
    real = socket.create_connection

    def slow(address: tuple[str, int], *args: object) -> socket.socket:
        made = real(address, *args)  # type: ignore[arg-type]
        if threading.current_thread() is not threading.main_thread():
            dialled.set()
            time.sleep(1.5)
        return made

    requests: list[bytes] = []
    with between(lambda connection: requests.append(head_of(connection))) as (tap, client, authority):
        monkeypatch.setattr(link_module.socket, "create_connection", slow)
        client.sendall(f"DELETE http://{authority}/k HTTP/1.1\r\n\r\n".encode())
        assert dialled.wait(5)
        client.close()
        (recorded,) = tap.take()
        assert recorded.exchange.error
        time.sleep(1)
        assert tap.take() == []
    assert requests in ([], [b""])


def test_what_a_killed_process_sent_belongs_to_its_own_call() -> None:
    """Bytes that are on their way when a process ends are waited for."""

    def serve(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with between(serve) as (tap, _, authority):
        for _ in range(20):
            tap.start()
            with socket.create_connection(("127.0.0.1", int(tap.url.rpartition(":")[2]))) as late:
                late.sendall(f"GET http://{authority}/k HTTP/1.1\r\n\r\n".encode())
            assert len(tap.take(ended=True)) == 1


def test_a_head_of_countless_lines_is_no_answer() -> None:
    """Its bytes pass, but are not taken apart."""
    answer = b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 2000 + b"\r\n"
    with between(answering(answer)) as (tap, client, authority):
        client.sendall(f"GET http://{authority}/k HTTP/1.1\r\n\r\n".encode())
        assert rest_of(client) == answer
        (recorded,) = tap.take()
    assert recorded.exchange.error == "not a valid HTTP answer: the head has more than 1000 lines"


@pytest.mark.parametrize("target", ["/bucket/http://x/y", "/b?u=http://x"])
def test_a_url_within_a_path_is_part_of_it(target: str) -> None:
    """Only a target that begins with a scheme is in absolute form."""
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(head_of(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with between(serve) as (tap, client, authority):
        client.sendall(f"CONNECT {authority} HTTP/1.1\r\n\r\n".encode())
        assert head_of(client).startswith(b"HTTP/1.1 200")
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        assert head_of(client).startswith(b"HTTP/1.1 200 OK")
        assert tap.take()[0].exchange.url == f"http://{authority}{target}"
    assert seen[0].startswith(f"GET {target} ".encode())


def test_a_small_request_costs_less_than_a_millisecond() -> None:
    """Of processor time, which a busy machine does not change: the tap's share is what this process needs more."""

    def serve(connection: socket.socket) -> None:
        while head_of(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    def spent(client: socket.socket, target: str, number: int = 300) -> float:
        before = time.process_time()
        for _ in range(number):
            client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert head_of(client).endswith(b"hi")
        return (time.process_time() - before) / number

    with between(serve) as (tap, client, authority):
        with_tap = min(spent(client, f"http://{authority}/k") for _ in range(3))
        assert len(tap.take()) == 900
    server = Server(serve)
    with socket.create_connection(("127.0.0.1", server.port), 5) as client:
        without = min(spent(client, "/k") for _ in range(3))
    server.close()
    assert with_tap - without < 0.001
