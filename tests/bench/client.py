"""A client that costs little: requests are signed ahead, and an answer is looked at just enough to find its end."""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
from collections.abc import Iterable

from harness.wire.sigv4 import UNSIGNED, Credentials, sign

REGION = "us-east-1"
CREDENTIALS = Credentials("BENCHACCESSKEY01", "bench-secret-key-000001")
WAIT = 120.0
"""Seconds after which a server that says nothing has failed."""
_RECEIVE = 1024 * 1024

Address = tuple[str, int]


class BenchError(Exception):
    """A server did not do what a figure is about; the message says what it did."""


def head(address: Address, method: str, target: str, length: int = 0, payload: str = UNSIGNED) -> bytes:
    """A signed request head; valid for 15 minutes.

    Args:
        address: host and port of the server.
        method: HTTP method.
        target: path and query, percent-encoded.
        length: size of the body in bytes.
        payload: hex SHA-256 of the body, or UNSIGNED-PAYLOAD.
    """
    now = dt.datetime.now(dt.UTC)
    headers = [
        ("Host", f"{address[0]}:{address[1]}"),
        ("X-Amz-Content-Sha256", payload),
        ("X-Amz-Date", now.strftime("%Y%m%dT%H%M%SZ")),
    ]
    authorization = sign(method, target, headers, payload, CREDENTIALS, REGION, now)
    headers += [("Authorization", authorization), ("Content-Length", str(length))]
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()


def request(address: Address, method: str, target: str, body: bytes = b"") -> bytes:
    """A whole request whose signature covers the body."""
    return head(address, method, target, len(body), hashlib.sha256(body).hexdigest()) + body


class Answer:
    """One answer, put together from what arrives.

    Args:
        keep: whether `body` is wanted; `size` counts it anyway.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self.status = 0
        self.size = 0
        self.body = bytearray()
        self.closing = False
        self.complete = False
        self._keep = keep
        self._raw = bytearray()
        self._length = 0
        self._chunked = False

    def feed(self, data: bytes | memoryview) -> bool:
        """Take what arrived; whether the answer is complete."""
        if self.status == 0:
            self._raw += data
            lines, found, rest = self._raw.partition(b"\r\n\r\n")
            if not found:
                return False
            self._read_head(lines.decode("latin-1").lower().split("\r\n"))
            self._raw.clear()
            data = bytes(rest)
        if self._chunked:
            self._raw += data
            self._take_chunks()
        else:
            self._take(data)
            self.complete = self.size >= self._length
        return self.complete

    def _read_head(self, lines: list[str]) -> None:
        self.status = int(lines[0].split()[1])
        fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        self.closing = fields.get("connection") == "close"
        self._chunked = fields.get("transfer-encoding") == "chunked"
        self._length = int(fields.get("content-length", 0))

    def _take(self, data: bytes | bytearray | memoryview) -> None:
        self.size += len(data)
        if self._keep:
            self.body += data

    def _take_chunks(self) -> None:
        raw = self._raw
        while not self.complete and (end := raw.find(b"\r\n")) > 0:
            length = int(raw[:end], 16)
            if len(raw) < end + length + 4:
                return
            self._take(raw[end + 2 : end + 2 + length])
            del raw[: end + length + 4]
            self.complete = length == 0


class Connection:
    """A connection that is used again for as long as the server keeps it."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._socket = _connect(address)
        self._buffer = memoryview(bytearray(_RECEIVE))

    def ask(self, *pieces: bytes | memoryview, keep: bool = True) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            BenchError: the answer is another than 200, or there is none.
        """
        answer = Answer(keep=keep)
        try:
            for piece in pieces:
                self._socket.sendall(piece)
            while not answer.complete:
                count = self._socket.recv_into(self._buffer)
                if count == 0:
                    raise BenchError("closed the connection instead of answering")
                answer.feed(self._buffer[:count])
        except OSError as error:
            raise BenchError(f"{type(error).__name__} instead of an answer") from error
        if answer.closing:
            self.close()
            self._socket = _connect(self.address)
        if answer.status != 200:
            raise BenchError(f"status {answer.status}: {bytes(answer.body[:300]).decode('utf-8', 'replace')}")
        return answer

    def ask_all(self, requests: Iterable[bytes]) -> None:
        """Send requests one after the other."""
        for one in requests:
            self.ask(one)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def _connect(address: Address) -> socket.socket:
    connection = socket.create_connection(address, timeout=WAIT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
