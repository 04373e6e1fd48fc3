"""Where messages end, however they are cut on their way."""

from __future__ import annotations

import pytest

from harness.wire.framing import Chunked, Fixed, FramingError, UntilClose, request_body, response_body, split_head


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_chunked_bodies_end_where_they_end(size: int) -> None:
    """In pieces of any size: the content, and not one byte of what follows."""
    coded = b"5\r\nhello\r\n00A;x=y\r\n0123456789\r\n0\r\nt: v\r\n\r\n"
    framing, content, rest = Chunked(), b"", coded + b"HTTP/1.1 next"
    while not framing.done:
        used, piece = framing.feed(rest[:size])
        content, rest = content + piece, rest[used:]
    assert content == b"hello0123456789"
    assert rest == b"HTTP/1.1 next"


@pytest.mark.parametrize(
    "coded",
    [
        b"\r\n",
        b"-5\r\n",
        b"5 5\r\n",
        b"g\r\n",
        b"1\r\nab\r\n",
        b"f" * 16 + b"\r\n",
        b"1" * 20_000,
        b"0\r\n" + b"a: b\r\n" * 200,
    ],
)
def test_broken_chunks_are_told(coded: bytes) -> None:
    """No number, wrong length, lines and trailers without end."""
    with pytest.raises(FramingError):
        Chunked().feed(coded)


def test_head_keeps_order_case_and_repeats() -> None:
    """Folded lines join the one before; bare line feeds are understood."""
    head = split_head(b"HTTP/1.1 200 \nB: 1\r\nb:2\r\nLong: a\r\n  b\r\n\r\nbody")
    assert head is not None
    assert head.start == "HTTP/1.1 200 "
    assert head.headers == [("B", "1"), ("b", "2"), ("Long", "a b")]
    assert head.raw.endswith(b"b\r\n\r\n")
    assert split_head(b"HTTP/1.1 200 OK\r\nA: b\r\n") is None


@pytest.mark.parametrize(
    ("lines", "method", "status", "kind"),
    [
        (b"Content-Length: 3", "HEAD", 200, Fixed),
        (b"Content-Length: 3", "GET", 304, Fixed),
        (b"Content-Length: 3, 3", "GET", 200, Fixed),
        (b"Transfer-Encoding: gzip, Chunked\r\nContent-Length: 3", "GET", 200, Chunked),
        (b"Server: x", "GET", 200, UntilClose),
    ],
)
def test_length_of_answers(lines: bytes, method: str, status: int, kind: type) -> None:
    """RFC 9112 section 6.3."""
    head = split_head(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n\r\n")
    assert head is not None
    assert isinstance(response_body(head, method, status), kind)


def test_requests_without_length_have_no_body() -> None:
    """RFC 9112 section 6.3, rule 7; contradicting lengths are an error."""
    head = split_head(b"PUT / HTTP/1.1\r\nA: b\r\n\r\n")
    assert head is not None
    assert request_body(head).done
    head = split_head(b"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
    assert head is not None
    with pytest.raises(FramingError, match="not one Content-Length: '1, 2'"):
        request_body(head)
