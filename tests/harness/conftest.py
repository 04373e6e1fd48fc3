"""A place for endpoints that misbehave: real sockets, one thread a connection, all ended with the test."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

Handler = Callable[[socket.socket, int], None]
"""Serves one connection; the number counts connections from 0. The socket is closed when it returns."""


class Endpoint:
    """A listening socket on 127.0.0.1 whose connections a function serves."""

    def __init__(self, handler: Handler) -> None:
        self.connections = 0
        self._handler = handler
        self._closing = False
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Close every socket and wait for the threads."""
        self._closing = True
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True)
            self.connections += 1
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            self._handler(connection, number)


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], Endpoint]]:
    """Starts an endpoint whose connections a function serves."""
    started: list[Endpoint] = []

    def start(handler: Handler) -> Endpoint:
        started.append(Endpoint(handler))
        return started[-1]

    yield start
    for endpoint in started:
        endpoint.close()


def read_request(connection: socket.socket) -> bytes:
    """One request with its body by Content-Length, or b"" when the client has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")),
        0,
    )
    if b"expect: 100-continue" in head.lower():
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


@pytest.fixture
def answering(serve: Callable[[Handler], Endpoint]) -> Callable[..., Endpoint]:
    """Starts an endpoint that gives these answers in turn, the last one for ever, each to one whole request.

    An answer is bytes, or a function from the request's bytes to bytes.
    """

    def start(*answers: bytes | Callable[[bytes], bytes]) -> Endpoint:
        turn = iter(range(10**6))

        def handler(connection: socket.socket, _number: int) -> None:
            while request := read_request(connection):
                answer = answers[min(next(turn), len(answers) - 1)]
                connection.sendall(answer if isinstance(answer, bytes) else answer(request))

        return serve(handler)

    return start
