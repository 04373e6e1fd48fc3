"""aws-chunked bodies: framing, chunk signatures, trailers.

Source: Amazon S3 API Reference, "Signature Calculations: Transferring Payload in Multiple Chunks" and
"Trailing Headers"; refusals as in catalogue CHNK.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from reference_server.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reference_server.sigv4 import ChunkSigner

_MAX_LINE = 16 * 1024
#: Of all trailing headers together; without it a body of nothing else could fill the memory.
_MAX_TRAILER = 16 * 1024
MIN_CHUNK = 8192
"""Bytes of a chunk that is not the last, at least."""
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}\Z")
_SIGNATURE = b"chunk-signature"
_TRAILER_SIGNATURE = "x-amz-trailer-signature"


class _Input:
    """Lines and bytes from an iterable of blocks."""

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source = iter(source)
        self._buffer = b""
        self._at = 0  # how much of the buffer is used up: cutting it for each small chunk would be quadratic

    def _more(self) -> None:
        block = next(self._source, None)
        if block is None:
            raise S3Error("IncompleteBody")
        self._buffer = self._buffer[self._at :] + block
        self._at = 0

    def line(self, *, optional: bool = False) -> bytes:
        """The next line without its CRLF; a line feed alone does not end it (CHNK-019).

        Args:
            optional: the end of the input counts as an empty line.
        """
        while True:
            end = self._buffer.find(b"\n", self._at)
            if end >= 0:
                line, self._at = self._buffer[self._at : end], end + 1
                if not line.endswith(b"\r"):
                    raise S3Error("IncompleteBody")
                return line[:-1]
            if len(self._buffer) - self._at > _MAX_LINE:
                raise S3Error("IncompleteBody")
            if not optional or self._at < len(self._buffer):
                self._more()
            elif self.at_end():
                return b""

    def take(self, count: int) -> Iterator[bytes]:
        """Exactly `count` bytes, in blocks as they come."""
        while count > 0:
            if self._at == len(self._buffer):
                self._more()
            data = self._buffer[self._at : self._at + count]
            self._at += len(data)
            count -= len(data)
            yield data

    def at_end(self) -> bool:
        """Whether nothing is left."""
        while self._at == len(self._buffer):
            block = next(self._source, None)
            if block is None:
                return True
            self._buffer, self._at = block, 0
        return False


class ChunkedReader:
    """Iterates over the decoded bytes; afterwards `trailers` holds the trailing headers.

    Args:
        source: the body as sent.
        signer: verifies chunk signatures; None for unsigned chunks.
        trailer: whether trailing headers may follow.
        least: bytes of a chunk that is not the last, at least.
    """

    def __init__(
        self, source: Iterable[bytes], signer: ChunkSigner | None, *, trailer: bool, least: int = MIN_CHUNK
    ) -> None:
        self._input = _Input(source)
        self._least = least
        self._signer = signer
        self._trailer = trailer
        self.trailers: dict[str, str] = {}

    def __iter__(self) -> Iterator[bytes]:
        number, previous = 0, self._least
        while True:
            size, signature = self._header()
            if size and previous < self._least:
                raise S3Error("InvalidChunkSizeError", None, {"Chunk": number + 1, "BadChunkSize": previous})
            digest = hashlib.sha256() if self._signer is not None else None
            for data in self._input.take(size):
                if digest is not None:
                    digest.update(data)
                yield data
            if digest is not None and self._signer is not None:
                _compare(self._signer.chunk(digest.hexdigest()), signature)
            if size == 0:
                break
            if self._input.line():
                raise S3Error("IncompleteBody")
            number, previous = number + 1, size
        self._end()

    def _header(self) -> tuple[int, str]:
        """Size and signature of the next chunk; spaces around `;` and `=` are tolerated (CHNK-007)."""
        size, _, extension = self._input.line().partition(b";")
        if not _SIZE.match(size.strip()):
            raise S3Error("IncompleteBody")
        name, _, value = extension.partition(b"=")
        signature = value.strip().decode("latin-1") if name.strip() == _SIGNATURE else ""
        if self._signer is not None and not signature:
            raise S3Error("IncompleteBody")
        return int(size, 16), signature

    def _end(self) -> None:
        """Read the trailers; S3 needs no empty line behind them, and does not look at what follows it."""
        signed = b""
        signature = None
        size = 0
        while line := self._input.line(optional=True):
            size += len(line)
            name, colon, value = line.decode("latin-1").partition(":")
            name, value = name.strip().lower(), value.strip()
            if not colon or not self._trailer or size > _MAX_TRAILER:
                raise S3Error("MalformedTrailerError")
            if name == _TRAILER_SIGNATURE:
                signature = value
                continue
            self.trailers[name] = value
            signed += f"{name}:{value}\n".encode("latin-1")
        if self._trailer and self._signer is not None:
            if signature is None or not self.trailers:
                raise S3Error("IncompleteBody")
            _compare(self._signer.trailer(signed), signature)


def _compare(expected: str, sent: str) -> None:
    if not hmac.compare_digest(expected.encode(), sent.encode("latin-1", "replace")):
        raise S3Error("SignatureDoesNotMatch")
