"""Nobody holds a thread, a connection or the server for as long as they like."""

from __future__ import annotations

import concurrent.futures
import itertools
import socket
import threading
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from reference_server import server as server_module
from reference_server.wire import Answer, Body, Head
from tests.reference_server.scripted import echo, read_all, read_one, serving, text

if TYPE_CHECKING:
    from conftest import Raw, Running


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


def trickle(sock: socket.socket, piece: bytes, pause: float, seconds: float) -> None:
    """Send a little again and again, until it is refused or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            sock.sendall(piece)
        except OSError:
            return
        time.sleep(pause)


@pytest.mark.parametrize("framing", [b"Content-Length: 10000", b"Transfer-Encoding: chunked"])
def test_a_body_that_only_trickles_is_given_up(framing: bytes) -> None:
    """Every byte comes well within the idle time: without a pace it would hold a thread for as long as it likes."""
    piece = b"x" if framing.startswith(b"Content") else b"1\r\nx\r\n"
    with serving(echo, progress=1000, progress_wait=0.3, idle=5, linger=0.2) as connect, closing(connect()) as sock:
        started = time.monotonic()
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\n" + framing + b"\r\n\r\n")
        sender = threading.Thread(target=trickle, args=(sock, piece, 0.02, 3))
        sender.start()
        assert read_one(sock) == (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 14\r\nConnection: close",
            b"RequestTimeout",
        )
        assert time.monotonic() - started < 2
        sender.join()


def test_a_refused_body_that_only_trickles_is_not_waited_for() -> None:
    with (
        serving(lambda *_: text(b""), progress=1000, progress_wait=0.3, idle=5, linger=0.2) as connect,
        closing(connect()) as sock,
    ):
        started = time.monotonic()
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
        sender = threading.Thread(target=trickle, args=(sock, b"x", 0.02, 3))
        sender.start()
        read_all(sock)
        assert time.monotonic() - started < 2
        sender.join()


def test_a_slow_body_that_keeps_the_pace_is_read_to_its_end() -> None:
    with serving(echo, progress=100, progress_wait=0.1, idle=5) as connect, closing(connect()) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000\r\n\r\n")
        for _ in range(20):
            sock.sendall(b"x" * 200)
            time.sleep(0.03)
        assert read_one(sock)[1] == b"x" * 4000


def test_time_that_the_server_takes_is_not_the_clients() -> None:
    def slow(head: Head, body: Body) -> Answer:
        pieces = []
        for piece in body:
            pieces.append(piece)
            time.sleep(0.3)
        return text(b"".join(pieces))

    with serving(slow, progress=100, progress_wait=0.2, idle=5) as connect, closing(connect()) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n")
        for _ in range(3):
            time.sleep(0.05)
            sock.sendall(b"ab")
        assert read_one(sock)[1] == b"ababab"


def test_a_client_that_does_not_read_is_given_up() -> None:
    ended = threading.Event()

    def endless(_: Head, __: Body) -> Answer:
        return Answer(200, body=itertools.repeat(b"x" * 65536), done=ended.set)

    with serving(endless, idle=0.3) as connect, closing(connect()) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert ended.wait(5)


def test_connections_beyond_the_limit_are_told_to_come_back() -> None:
    request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    with serving(lambda *_: text(b"ok"), connections=3, linger=0.5) as connect, ExitStack() as stack:
        socks = [stack.enter_context(closing(connect())) for _ in range(3)]
        for sock in socks:
            sock.sendall(request)
            assert read_one(sock)[1] == b"ok"
        with closing(connect()) as excess:
            excess.sendall(request)
            answer = read_all(excess)
            assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert b"\r\nConnection: close\r\n" in answer
            assert answer.endswith(b"ServiceUnavailable")
        for sock in socks:
            sock.sendall(request)
            assert read_one(sock)[1] == b"ok"
        socks[0].close()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with closing(connect()) as next_one:
                next_one.sendall(request)
                if read_one(next_one)[1] == b"ok":
                    break
            time.sleep(0.02)
        else:
            pytest.fail("no place became free")


def test_even_refusals_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_TURNED_AWAY", 1)
    with serving(lambda *_: text(b"ok"), connections=1, linger=5) as connect, ExitStack() as stack:
        first, second = (stack.enter_context(closing(connect())) for _ in range(2))
        first.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert read_one(first)[1] == b"ok"
        assert read_one(second)[1] == b"ServiceUnavailable"
        with closing(connect()) as third:
            assert third.recv(100) == b""


def test_many_idle_connections_do_not_keep_busy_ones_from_being_served(raw: Raw, bucket: str) -> None:
    raw("PUT", f"/{bucket}/k", b"x" * 1000)
    request = raw.bytes_of("GET", f"/{bucket}/k")

    def ask(_: int) -> int:
        with closing(raw.connect()) as sock:
            for _ in range(10):
                sock.sendall(request)
                head, body = read_one(sock)
                assert (head[:15], len(body)) == (b"HTTP/1.1 200 OK", 1000)
        return 10

    with ExitStack() as stack:
        idle = [stack.enter_context(closing(raw.connect())) for _ in range(200)]
        for sock in idle[::2]:  # half of them have been served before, the others have never said a word
            sock.sendall(request)
            assert read_one(sock)[0].startswith(b"HTTP/1.1 200")
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            assert sum(pool.map(ask, range(32))) == 320
        for sock in idle:
            sock.sendall(request)
            assert read_one(sock)[0].startswith(b"HTTP/1.1 200")
