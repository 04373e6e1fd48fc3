"""Signature Version 4 for tests, written from its specification: no code of the server and none of botocore.

Targets must be in canonical form already, percent-encoded as they are sent. Sources: Amazon S3 API Reference,
"Signature Calculations for the Authorization Header", "Transferring Payload in Multiple Chunks", "Trailing Headers"
and "Authenticating Requests: Using Query Parameters".
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
UNSIGNED = "UNSIGNED-PAYLOAD"
#: Head of a signed chunk.
CHUNK = "{size:x};chunk-signature={signature}"
_ALGORITHM = "AWS4-HMAC-SHA256"


def stamp(at: float) -> str:
    """Seconds since the epoch as `yyyymmddThhmmssZ`."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))


def canonical_query(target: str) -> str:
    """The query of a target in order of name, then value; a name without a value gets its `=`."""
    pairs = [piece.partition("=") for piece in target.partition("?")[2].split("&") if piece]
    return "&".join(f"{name}={value}" for name, _, value in sorted(pairs))


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), "sha256").digest()


@dataclass(frozen=True)
class Signer:
    """One account's signatures at one moment.

    Args:
        access_key: names the account.
        secret: its secret key.
        region: of the scope.
        service: of the scope.
        at: the moment, in seconds since the epoch.
        date: of the scope; the day of `at` unless given.
    """

    access_key: str = "OWNERKEY"
    secret: str = "owner-secret"
    region: str = "us-east-1"
    service: str = "s3"
    at: float = field(default_factory=time.time)
    date: str | None = None

    @property
    def scope(self) -> str:
        """Date, region, service and terminator."""
        date = stamp(self.at)[:8] if self.date is None else self.date
        return f"{date}/{self.region}/{self.service}/aws4_request"

    def signature(self, text: str) -> str:
        """The signature of a string to sign."""
        key = f"AWS4{self.secret}".encode()
        for step in self.scope.split("/"):
            key = _hmac(key, step)
        return _hmac(key, text).hex()

    @staticmethod
    def canonical_request(method: str, target: str, headers: Mapping[str, str], payload: str) -> str:
        """What of a request is signed: everything but its body, with all of the headers given."""
        kept = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        lines = [f"{name}:{kept[name]}" for name in sorted(kept)]
        path = target.partition("?")[0]
        return "\n".join([method, path, canonical_query(target), *lines, "", ";".join(sorted(kept)), payload])

    def string_to_sign(self, canonical: str) -> str:
        """The string to sign of a canonical request."""
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return "\n".join([_ALGORITHM, stamp(self.at), self.scope, digest])

    def headers(self, method: str, target: str, headers: Mapping[str, str], payload: str) -> dict[str, str]:
        """The headers, Host among them, with the time, the payload hash or keyword, and Authorization."""
        sent = {**headers, "x-amz-date": stamp(self.at), "x-amz-content-sha256": payload}
        names = ";".join(sorted(name.lower() for name in sent))
        credential = f"Credential={self.access_key}/{self.scope},SignedHeaders={names}"
        signature = self.signature(self.string_to_sign(self.canonical_request(method, target, sent, payload)))
        return {**sent, "Authorization": f"{_ALGORITHM} {credential},Signature={signature}"}

    def presigned(self, method: str, target: str, headers: Mapping[str, str], expires: str = "60") -> str:
        """The target with a signature over it and the headers, Host among them, in its query."""
        settings = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self.access_key}/{self.scope}",
            "X-Amz-Date": stamp(self.at),
            "X-Amz-Expires": expires,
            "X-Amz-SignedHeaders": ";".join(sorted(name.lower() for name in headers)),
        }
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in settings.items())
        whole = f"{target}{'&' if '?' in target else '?'}{query}"
        canonical = self.canonical_request(method, whole, headers, UNSIGNED)
        return f"{whole}&X-Amz-Signature={self.signature(self.string_to_sign(canonical))}"


class Chain:
    """The signatures of the chunks of one upload: each follows from the one before, the first from the request's."""

    def __init__(self, signer: Signer, headers: Mapping[str, str]) -> None:
        self._signer = signer
        self._previous = headers["Authorization"].rpartition("Signature=")[2]

    def chunk(self, data: bytes) -> str:
        """The signature of the next chunk."""
        return self._next("PAYLOAD", hashlib.sha256(b"").hexdigest(), hashlib.sha256(data).hexdigest())

    def trailer(self, trailer: str) -> str:
        """The signature of one trailing header, `name:value`."""
        return self._next("TRAILER", hashlib.sha256(f"{trailer}\n".encode()).hexdigest())

    def _next(self, kind: str, *digests: str) -> str:
        head = (f"{_ALGORITHM}-{kind}", stamp(self._signer.at), self._signer.scope)
        self._previous = self._signer.signature("\n".join([*head, self._previous, *digests]))
        return self._previous


def unsigned_body(*chunks: bytes, trailers: Iterable[str] = ()) -> bytes:
    """These chunks without signatures, the last chunk, and trailing headers."""
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return framed + b"0\r\n" + "".join(f"{trailer}\r\n" for trailer in trailers).encode() + b"\r\n"


def signed_body(chain: Chain, *chunks: bytes, head: str = CHUNK, wrong: int | None = None, trailer: str = "") -> bytes:
    """These chunks and the last one with their signatures, and a trailing header with its own.

    Args:
        chain: computes the signatures.
        chunks: the data.
        head: how the head of a chunk is written.
        wrong: the chunk whose signature is replaced, counted from 0.
        trailer: `name:value`; its signature follows it.
    """
    body = b""
    for number, chunk in enumerate((*chunks, b"")):
        signature = chain.chunk(chunk)
        line = head.format(size=len(chunk), signature="0" * 64 if number == wrong else signature)
        body += line.encode() + b"\r\n" + (chunk + b"\r\n" if chunk else b"")
    if trailer:
        body += f"{trailer}\r\nx-amz-trailer-signature:{chain.trailer(trailer)}\r\n".encode()
    return body + b"\r\n"
