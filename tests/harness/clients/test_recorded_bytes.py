"""What is recorded of every client is what the endpoint got: request line, every header line in order, every byte."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from harness.clients import CLIENTS
from harness.config import Endpoint
from harness.wire.framing import split_head
from harness.wire.sigv4 import Credentials
from tests.harness.clients.making import opened

BODY = bytes(range(256)) * 8
ANSWER = b'HTTP/1.1 200 OK\r\nETag: "c9e"\r\nX-Odd-Case: 1\r\nContent-Length: 0\r\n\r\n'


class Catcher:
    """An endpoint that keeps each request as it came, and answers all alike."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.requests: list[bytes] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if context else "http"
        self.url = f"{scheme}://localhost:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with contextlib.suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            while request := _request(connection):
                self.requests.append(request)
                connection.sendall(ANSWER)
        connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _request(connection: socket.socket) -> bytes:
    """One request, its body as it was framed; b"" at the end."""
    data = _until(connection, b"", b"\r\n\r\n")
    head, _, body = data.partition(b"\r\n\r\n")
    fields = http.client.parse_headers(io.BytesIO(head.partition(b"\r\n")[2] + b"\r\n\r\n"))
    if fields.get("Expect"):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in fields.get("Transfer-Encoding", ""):
        body = _until(connection, body, b"\r\n0\r\n\r\n")
    while len(body) < int(fields.get("Content-Length", "0")):
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body if head else b""


def _until(connection: socket.socket, data: bytes, mark: bytes) -> bytes:
    while mark not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


@pytest.fixture(params=["http", "https"])
def caught(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Catcher, Endpoint]]:
    """An endpoint that keeps what it gets, and how clients reach it."""
    context, bundle = None, ""
    if request.param == "https":
        authority, bundle = trustme.CA(), str(tmp_path / "ca.pem")
        authority.cert_pem.write_to_path(bundle)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
    catcher = Catcher(context)
    yield catcher, Endpoint(catcher.url, Credentials("AKEXAMPLE", "s" * 40), ca_bundle=bundle, timeout=10)
    catcher.close()


@pytest.mark.parametrize("name", CLIENTS)
def test_what_is_recorded_is_what_was_sent(name: str, caught: tuple[Catcher, Endpoint]) -> None:
    """Every request of an upload, by every client, over http and https; the answer likewise."""
    catcher, endpoint = caught
    client = opened(name, endpoint)
    try:
        seen = client.call("PutObject", {"Bucket": "bucket", "Key": "a key/ä+%", "Body": BODY})
    finally:
        client.close()
    assert seen.exchanges
    assert len(seen.exchanges) == len(catcher.requests)
    assert any(exchange.method == "PUT" and exchange.request_body.size >= len(BODY) for exchange in seen.exchanges)
    for exchange, sent in zip(seen.exchanges, catcher.requests, strict=True):
        head = split_head(sent)
        assert head is not None
        parts = urlsplit(exchange.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        assert head.start == f"{exchange.method} {target or '/'} HTTP/1.1"
        assert exchange.request_headers == head.headers
        assert exchange.request_body.size == len(_content(head.get("transfer-encoding"), sent[len(head.raw) :]))
        assert exchange.status == 200
        assert [line for line in exchange.response_headers if line[0] == "X-Odd-Case"] == [("X-Odd-Case", "1")]


def _content(coding: list[str], body: bytes) -> bytes:
    """The content of a body, taken out of its chunks by the standard library."""
    if not coding:
        return body
    raw = io.BytesIO(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    response = http.client.HTTPResponse(_Socket(raw))  # type: ignore[arg-type]
    response.begin()
    return response.read()


class _Socket:
    def __init__(self, raw: io.BytesIO) -> None:
        self._raw = raw

    def makefile(self, _mode: str) -> io.BytesIO:
        return self._raw
