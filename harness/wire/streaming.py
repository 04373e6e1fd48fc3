"""aws-chunked request bodies: chunks with and without signatures, trailers, and every way to get them wrong.

A `Stream` is a `Framed` body for `RawClient.send`. What is wrong with it is said by its attributes, never by code of
its own. Source: Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload
in Multiple Chunks" and "… Including Trailing Headers".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from harness.wire.sigv4 import EMPTY_SHA256, Signed

UNSIGNED_HEAD = "{size:x}"
SIGNED_HEAD = "{size:x};chunk-signature={signature}"
"""Heads of chunks; `size` is the number of bytes, `signature` that of the chunk."""

_ZEROS = "0" * 64
"""Stands for a signature: where there is none to compute, and where one is to be wrong."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An aws-chunked body. The defaults are those of an honest client.

    Attributes:
        chunks: bytes of each chunk; the empty one at the end is not among them.
        trailers: trailing headers, name and value, in the order sent.
        signed: whether chunks, and trailers if there are any, carry signatures.
        announced: value of x-amz-trailer; None for the name of the first trailer, "" for no such header.
        head: how the first line of every chunk is written; "" for the usual one.
        forged: chunks with a wrong signature, by index; `len(chunks)` is the empty one at the end.
        trailer_signature: "right", "wrong" or "missing"; only where chunks are signed.
        newline: what ends the lines of the framing.
        ended: whether the empty chunk, and all behind it, is sent.
        cut: bytes that are left out at the very end.
        wrapped: size of the chunks of HTTP's own chunked transfer coding around it all; 0 for none.
    """

    chunks: tuple[bytes, ...] = ()
    trailers: tuple[tuple[str, str], ...] = ()
    signed: bool = False
    announced: str | None = None
    head: str = ""
    forged: frozenset[int] = frozenset()
    trailer_signature: str = "right"
    newline: bytes = b"\r\n"
    ended: bool = True
    cut: int = 0
    wrapped: int = 0

    @property
    def content(self) -> bytes:
        """The bytes that the stream carries."""
        return b"".join(self.chunks)

    @property
    def mode(self) -> str:
        """The value of x-amz-content-sha256."""
        if not self.signed:
            return "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
        return "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if self._announces else "")

    @property
    def headers(self) -> dict[str, str]:
        """What a client says of the body before it: mode, coding, decoded length, and the name of the trailer."""
        found = {
            "x-amz-content-sha256": self.mode,
            "Content-Encoding": "aws-chunked",
            "x-amz-decoded-content-length": str(len(self.content)),
        }
        if self._announces:
            found["x-amz-trailer"] = self._announces
        if self.wrapped:
            found["Transfer-Encoding"] = "chunked"
        return found

    @property
    def size(self) -> int:
        """Bytes that `framed` gives; signatures are of one length, whatever they sign."""
        return len(self.framed(None))

    def framed(self, signed: Signed | None) -> bytes:
        """The bytes to send; without a signature to continue, those of chunks are zeros."""
        chain = _Chain(signed)
        lines = [self._chunk(chain, index, chunk) for index, chunk in enumerate(self.chunks)]
        if self.ended:
            lines += [self._head(chain, len(self.chunks), b""), *self._trailing(chain), self.newline]
        body = b"".join(lines)
        body = body[: len(body) - self.cut]
        return _wrapped(body, self.wrapped) if self.wrapped else body

    @property
    def _announces(self) -> str:
        if self.announced is not None:
            return self.announced
        return self.trailers[0][0] if self.trailers else ""

    def _chunk(self, chain: _Chain, index: int, chunk: bytes) -> bytes:
        return self._head(chain, index, chunk) + chunk + self.newline

    def _head(self, chain: _Chain, index: int, chunk: bytes) -> bytes:
        signature = chain.chunk(chunk) if self.signed else ""
        if index in self.forged:
            signature = _ZEROS
        head = self.head or (SIGNED_HEAD if self.signed else UNSIGNED_HEAD)
        return head.format(size=len(chunk), signature=signature).encode() + self.newline

    def _trailing(self, chain: _Chain) -> list[bytes]:
        lines = [f"{name}:{value}".encode() + self.newline for name, value in self.trailers]
        if self.signed and self._announces and self.trailer_signature != "missing":
            signature = _ZEROS if self.trailer_signature == "wrong" else chain.trailer(self.trailers)
            lines.append(f"x-amz-trailer-signature:{signature}".encode() + self.newline)
        return lines


class _Chain:
    """The signatures of one body, each continuing the one before; zeros where there is nothing to continue."""

    def __init__(self, signed: Signed | None) -> None:
        self._signer = signed.signer if signed else None
        self._previous = signed.signature if signed else ""

    def chunk(self, data: bytes) -> str:
        """The signature of the next chunk."""
        return self._next("PAYLOAD", f"{EMPTY_SHA256}\n{hashlib.sha256(data).hexdigest()}")

    def trailer(self, trailers: tuple[tuple[str, str], ...]) -> str:
        """The signature of the trailing headers, each as name, colon, value and a line feed."""
        lines = "".join(f"{name}:{value}\n" for name, value in trailers)
        return self._next("TRAILER", hashlib.sha256(lines.encode()).hexdigest())

    def _next(self, what: str, rest: str) -> str:
        if self._signer is None:
            return _ZEROS
        kind = f"AWS4-HMAC-SHA256-{what}"
        self._previous = self._signer.sign(
            f"{kind}\n{self._signer.stamp}\n{self._signer.scope}\n{self._previous}\n{rest}"
        )
        return self._previous


def _wrapped(body: bytes, size: int) -> bytes:
    """Bytes in HTTP's chunked transfer coding, in pieces of `size`."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
