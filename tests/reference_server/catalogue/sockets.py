"""What a plain socket sees and an HTTP library hides: answers byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reference_server.scripted import read_all

if TYPE_CHECKING:
    from conftest import Raw


def exchange(raw: Raw, data: bytes) -> tuple[bytes, bytes]:
    """Send bytes; the head of the answer, and all that follows it until the server closes."""
    with raw.connect() as sock:
        sock.sendall(data)
        head, _, rest = read_all(sock).partition(b"\r\n\r\n")
    return head, rest


def answer(raw: Raw, method: str, target: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Status of a signed request without a body, and all that follows the head of its answer."""
    head, rest = exchange(raw, raw.bytes_of(method, target, headers={**(headers or {}), "Connection": "close"}))
    return int(head.split(b" ", 2)[1]), rest
