"""Signature Version 4 arithmetic: canonical request, string to sign, signing key, chunk signatures.

Written for this server: reusing the client's signer would share its mistakes, and it signs other headers than
a server receives. Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
_SPACES = re.compile(" {2,}")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/\-_.~]*\Z")


def canonical_path(raw_path: str) -> str:
    """The raw path decoded and encoded once; segments are not normalised, as S3 asks."""
    if _PLAIN_PATH.match(raw_path):
        return raw_path
    return quote(unquote_to_bytes(raw_path.encode("latin-1")), safe="/-_.~")


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Encoded names and values, sorted by encoded name, then by encoded value."""
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def canonical_request(
    method: str,
    path: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    payload: str,
) -> str:
    """The canonical request.

    Args:
        method: HTTP method.
        path: canonical path.
        query: canonical query.
        headers: signed headers, lower-case names in order of `SignedHeaders`.
        payload: payload hash or keyword.
    """
    pairs = [(name, _SPACES.sub(" ", value.strip()) if "  " in value else value.strip()) for name, value in headers]
    lines = "".join(f"{name}:{value}\n" for name, value in pairs)
    names = ";".join(name for name, _ in pairs)
    return f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}"


def string_to_sign(stamp: str, scope: str, canonical: str) -> str:
    """The string to sign; header values count as the bytes that were sent."""
    digest = hashlib.sha256(canonical.encode("latin-1", "replace")).hexdigest()
    return f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}"


@lru_cache(maxsize=256)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key for one day, region and service."""
    key = f"AWS4{secret}".encode()
    for step in (date, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


def signature(key: bytes, text: str) -> str:
    """Hex signature of a string to sign."""
    return hmac.digest(key, text.encode("latin-1", "replace"), "sha256").hex()


class ChunkSigner:
    """The chain of signatures over the chunks of one upload, starting from the seed signature."""

    def __init__(self, key: bytes, stamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._stamp = stamp
        self._scope = scope
        self._previous = seed

    def chunk(self, data_sha256: str) -> str:
        """The signature of the next chunk."""
        head = f"AWS4-HMAC-SHA256-PAYLOAD\n{self._stamp}\n{self._scope}\n{self._previous}"
        self._previous = signature(self._key, f"{head}\n{EMPTY_SHA256}\n{data_sha256}")
        return self._previous

    def trailer(self, trailer: bytes) -> str:
        """The signature of the trailing headers, each as `name:value` and a line feed."""
        head = f"AWS4-HMAC-SHA256-TRAILER\n{self._stamp}\n{self._scope}\n{self._previous}"
        self._previous = signature(self._key, f"{head}\n{hashlib.sha256(trailer).hexdigest()}")
        return self._previous
