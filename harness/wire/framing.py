"""Where an HTTP/1.1 message ends, found while its bytes pass by unchanged.

For the wiretap: heads are split into lines without touching order or letter case, and bodies are
measured, never rewritten. Source: RFC 9112 sections 2 to 7.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from harness.wire.exchange import Headers

MAX_HEAD = 256 * 1024
MAX_LINES = 1000
_MAX_LINE = 16 * 1024
_MAX_TRAILERS = 128
_HEAD_END = re.compile(rb"\r?\n\r?\n")


class FramingError(ValueError):
    """The bytes are not an HTTP/1.1 message; the text says where they stop to be one."""


class Head(NamedTuple):
    """Start line and header lines of a message, as text by latin-1, and the bytes they are made from."""

    start: str
    headers: Headers
    raw: bytes

    def get(self, name: str) -> list[str]:
        """The values of all lines called `name` (lower case)."""
        return [value for line, value in self.headers if line.lower() == name]


class Framing(Protocol):
    """Measures one body: how many of the next bytes belong to it, and what content they carry."""

    done: bool

    def feed(self, data: bytes) -> tuple[int, bytes]:
        """The number of bytes of `data` that belong to the body, and the content among them.

        Raises:
            FramingError: the transfer coding is broken.
        """
        ...


class Fixed:
    """A body of `length` bytes; 0 stands for a message without body."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> tuple[int, bytes]:
        """Up to the announced length."""
        content = data[: self._left]
        self._left -= len(content)
        self.done = self._left == 0
        return len(content), content


class UntilClose:
    """A body that ends with its connection."""

    done = False

    def feed(self, data: bytes) -> tuple[int, bytes]:
        """Everything."""
        return len(data), data


class Chunked:
    """A body in the chunked transfer coding, trailer section included (RFC 9112 section 7.1)."""

    def __init__(self) -> None:
        self.done = False
        self._line = b""
        self._left = 0
        self._trailers = -1

    def feed(self, data: bytes) -> tuple[int, bytes]:
        """Up to the empty line after the last chunk."""
        content: list[bytes] = []
        position = 0
        while position < len(data) and not self.done:
            if self._left > 2:
                piece = data[position : position + self._left - 2]
                content.append(piece)
                position += len(piece)
                self._left -= len(piece)
                continue
            newline = data.find(b"\n", position)
            end = len(data) if newline < 0 else newline + 1
            self._line += data[position:end]
            position = end
            if len(self._line) > _MAX_LINE:
                raise FramingError(f"a line of the chunked body is longer than {_MAX_LINE} bytes")
            if newline >= 0:
                line, self._line = self._line.rstrip(b"\r\n"), b""
                self._end_of_line(line)
        return position, b"".join(content)

    def _end_of_line(self, line: bytes) -> None:
        """After a chunk's data, after a chunk's size, or within the trailers: what the line means here."""
        if self._trailers >= 0:
            self.done = not line
            self._trailers += 1
            if self._trailers > _MAX_TRAILERS:
                raise FramingError(f"the chunked body has more than {_MAX_TRAILERS} trailers")
        elif self._left:
            if line:
                raise FramingError("a chunk is longer than its size says")
            self._left = 0
        else:
            digits = line.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", digits):
                raise FramingError(f"not a chunk size: {line[:40]!r}")
            size = int(digits, 16)
            self._left = size + 2 if size else 0
            self._trailers = -1 if size else 0


def split_head(data: bytes | bytearray) -> Head | None:
    """The head at the beginning of `data`, or None while it is not complete.

    Raises:
        FramingError: too long, or not made of header lines.
    """
    end = _HEAD_END.search(data)
    if end is None or end.end() > MAX_HEAD:
        if len(data) > MAX_HEAD:
            raise FramingError(f"the head is longer than {MAX_HEAD} bytes")
        return None
    raw = bytes(data[: end.end()])
    start, *lines = [line.rstrip("\r") for line in raw.decode("latin-1").split("\n")[:-2]]
    headers: Headers = []
    if len(lines) > MAX_LINES:
        raise FramingError(f"the head has more than {MAX_LINES} lines")
    for line in lines:
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and headers:
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
        elif not colon or not name:
            raise FramingError(f"not a header line: {line[:80]!r}")
        else:
            headers.append((name, value.strip(" \t")))
    return Head(start, headers, raw)


def request_body(head: Head) -> Framing:
    """How the body of a request is delimited (RFC 9112 section 6.3).

    Raises:
        FramingError: Content-Length is not a number, or several numbers.
    """
    if _is_chunked(head):
        return Chunked()
    return Fixed(_length(head) or 0)


def response_body(head: Head, method: str, status: int) -> Framing:
    """How the body of a response to `method` is delimited (RFC 9112 section 6.3).

    Raises:
        FramingError: Content-Length is not a number, or several numbers.
    """
    if method == "HEAD" or status < 200 or status in (204, 304):
        return Fixed(0)
    if _is_chunked(head):
        return Chunked()
    length = _length(head)
    return UntilClose() if length is None else Fixed(length)


def status_of(head: Head) -> tuple[int, str]:
    """Status code and reason phrase of a response's start line.

    Raises:
        FramingError: it is no status line of HTTP/1.x.
    """
    match = re.fullmatch(r"HTTP/1\.\d (\d{3})(?: (.*))?", head.start)
    if match is None or match[1] < "100":
        raise FramingError(f"not a status line: {head.start[:80]!r}")
    return int(match[1]), match[2] or ""


def _is_chunked(head: Head) -> bool:
    codings = ",".join(head.get("transfer-encoding")).lower().split(",")
    return codings[-1].strip() == "chunked"


def _length(head: Head) -> int | None:
    values = {item.strip() for value in head.get("content-length") for item in value.split(",")}
    if not values:
        return None
    value = values.pop()
    if values or not re.fullmatch(r"[0-9]{1,18}", value):
        raise FramingError(f"not one Content-Length: {', '.join(sorted({value, *values}))[:80]!r}")
    return int(value)
