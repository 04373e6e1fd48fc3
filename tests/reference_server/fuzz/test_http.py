"""Bytes on a socket, and the parser alone: every input ends in S3 answers or a close, and nothing is said about it."""

from __future__ import annotations

import itertools
import json
import os
import re
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.errors import S3Error
from reference_server.wire import Head, Limits, _Events
from tests.reference_server.fuzz.support import OWNER, Edits, bounded, edited, edits
from tests.reference_server.signing import UNSIGNED, Signer

PIECES = [
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b"/", b"?", b"%", b"%00", b"\xff", b",", b";"),
    *(b"0\r\n\r\n", b"5\r\n", b"ffffffffffffffff\r\n", b"-1", b"18446744073709551615", b"HTTP/1.0", b"HTTP/2.0"),
    *(b"\r\nContent-Length: 5", b"\r\nTransfer-Encoding: chunked", b"\r\nExpect: 100-continue", b"\r\nHost: x"),
    *(b"\r\nConnection: close", b"\r\nConnection: Upgrade\r\nUpgrade: h2c", b"HEAD", b"CONNECT ", b"OPTIONS", b"PRI"),
    *(b"\r\nConnection: keep-alive", b"\r\nContent-Length: ", b"\r\n x", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
]
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [A-Za-z ]+\r\n")


def _request(method: str, target: str, body: bytes = b"", framing: str = "", **headers: str) -> bytes:
    named = {"Host": "h", **{name.replace("_", "-"): value for name, value in headers.items()}}
    sent = Signer(*OWNER).headers(method, target, named, UNSIGNED)
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}{framing}\r\n".encode() + body


def _seeds() -> list[bytes]:
    """Valid requests of every framing; their signatures are good for a quarter of an hour."""
    document = b"<Delete><Object><Key>a</Key></Object></Delete>"
    chunked = b"%x;x=y\r\n%s\r\n0\r\nX-Trailer: y\r\n\r\n" % (len(document), document)
    digest = "SOZEQXUWxYrsMXrWJtYSmg=="
    return [
        _request("GET", "/"),
        _request("PUT", "/fuzz"),
        _request("PUT", "/fuzz/key", b"content", "Content-Length: 7\r\n"),
        _request("PUT", "/fuzz/key", b"content", "Content-Length: 7\r\nExpect: 100-continue\r\n"),
        _request("GET", "/fuzz/key", Range="bytes=1-3"),
        _request("HEAD", "/fuzz/key") + _request("GET", "/fuzz?list-type=2") + _request("DELETE", "/fuzz/key"),
        _request("POST", "/fuzz?delete=", chunked, "Transfer-Encoding: chunked\r\n", Content_MD5=digest),
        _request("PUT", "/fuzz/key", b"content", "Content-Length: 7\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"),
        b"GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n" * 2,
        b"OPTIONS * HTTP/1.1\r\nHost: h\r\nOrigin: http://o\r\n\r\n",
    ]


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A server as a process: it must live to the end and have nothing to say."""
    credential = ":".join(OWNER)
    process = subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "reference_server",
            "--json",
            "--until-eof",
            "--debug",
            "--credential",
            credential,
        ],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            host, _, port = json.loads(process.stdout.readline())["endpoint"].removeprefix("http://").partition(":")
            yield host, int(port)
            assert process.poll() is None
            assert process.communicate("", 10) == ("", "")
        finally:
            process.kill()


@bounded(400)
@given(seed=st.integers(0, 9), changes=edits(PIECES), hang_up=st.booleans())
def test_whatever_arrives_is_answered_or_closed(
    address: tuple[str, int], seed: int, changes: Edits, hang_up: bool
) -> None:
    data = edited(_seeds()[seed], changes)
    with socket.create_connection(address, timeout=10) as sock:
        answer = b""
        with suppress(ConnectionError):
            sock.sendall(data)
            if hang_up:  # a reset, with the answer under way
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            sock.shutdown(socket.SHUT_WR)
            while more := sock.recv(65536):
                answer += more
    statuses = [int(status) for status in _STATUS.findall(answer)]
    assert 500 not in statuses, answer
    if answer:
        assert _STATUS.match(answer), answer
    if statuses and statuses[-1] >= 400 and b"HEAD" not in data:
        assert answer.endswith(b"</Error>"), answer


def _events(blocks: list[bytes], limits: Limits) -> list[Any]:
    """What the parser makes of a stream up to the first error, pieces of a body joined."""
    events = _Events(limits)
    for block in blocks:
        events.feed(block)
    found: list[Any] = []
    for event in events.queue:
        if isinstance(event, S3Error):
            return [*found, event.code]
        if isinstance(event, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += event
        else:
            found.append(event)
    return found


_VALID = _seeds()


@bounded(500)
@given(seed=st.integers(0, 9), changes=edits(PIECES, 5), cuts=st.lists(st.integers(0, 2000), max_size=5))
@example(seed=7, changes=[], cuts=[260, 480])
@example(seed=8, changes=[(0, 3, b"CONNECT"), (55, 0, b"what is no request")], cuts=[60])
def test_a_stream_means_the_same_however_it_is_cut(seed: int, changes: Edits, cuts: list[int]) -> None:
    """What passes for one request in one packet and for two in two is how requests are smuggled."""
    data = edited(_VALID[seed], changes)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    blocks = [data[start:end] for start, end in itertools.pairwise(places)]
    whole = _events([data], Limits())
    assert _events(blocks, Limits()) == whole
    for head in whole:
        if isinstance(head, Head):
            assert not {"\r", "\n", "\0"} & set("".join(head.headers.values()))
            assert not {"content-length", "transfer-encoding"} <= head.headers.keys()


@bounded(500)
@given(data=st.binary(max_size=200), seed=st.integers(0, 9), cut=st.integers(0, 500), rounds=st.integers(1, 5))
def test_the_parser_takes_anything_and_has_an_end(data: bytes, seed: int, cut: int, rounds: int) -> None:
    events = _Events(Limits(head=64, header_lines=3))
    start = _VALID[seed][:cut]
    for block in (start, *[data] * rounds):
        events.feed(block)
    size = len(start) + len(data) * rounds
    assert len(events.queue) <= 4 * size + 4
