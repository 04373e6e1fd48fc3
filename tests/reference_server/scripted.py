"""Servers around a function instead of S3, and sockets read to the byte."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from reference_server.errors import S3Error
from reference_server.server import Server
from reference_server.wire import Answer, Body, Head, Limits


class Scripted:
    """An application that answers by a function."""

    def __init__(self, answer: Callable[[Head, Body], Answer]) -> None:
        self._answer = answer

    def __call__(self, head: Head, body: Body) -> Answer:
        return self._answer(head, body)

    def refuse(self, error: S3Error) -> Answer:
        text = error.code.encode()
        return Answer(error.status, [("Content-Length", str(len(text)))], text)


@contextmanager
def serving(answer: Callable[[Head, Body], Answer], **limits: Any) -> Iterator[Callable[[], socket.socket]]:
    """A server around a function; what it yields connects to it."""
    server = Server(Scripted(answer), limits=Limits(**limits), debug=True)
    server.start()
    try:
        yield lambda: socket.create_connection((server.host, server.port), timeout=5)
    finally:
        server.stop()


def text(body: bytes, **more: Any) -> Answer:
    """An ordinary answer."""
    return Answer(200, [("Content-Length", str(len(body)))], body, **more)


def echo(_: Head, body: Body) -> Answer:
    """Answers with what was sent."""
    try:
        return text(b"".join(body))
    except S3Error as error:
        return Answer(error.status, [("Content-Length", str(len(error.code)))], error.code.encode())


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
