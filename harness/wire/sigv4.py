"""Signature Version 4 as a client computes it, over the exact bytes that will be sent.

Written for the harness alone, so that it shares no mistake with the server under test nor with botocore.
Source: AWS, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from urllib.parse import quote, unquote_to_bytes

import msgspec

UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class Credentials(msgspec.Struct, frozen=True):
    """What requests are signed with. `repr` shows nothing of it."""

    access_key: str
    secret_key: str
    session_token: str = ""

    def __repr__(self) -> str:
        return "Credentials(…)"


def encode(value: bytes | str, safe: str = "") -> str:
    """Percent-encode all but RFC 3986's unreserved characters and `safe`."""
    return quote(value, safe=safe + "-._~")


def canonical_query(query: str) -> str:
    """Parameters decoded, encoded once, and sorted by encoded name, then value; a bare name signs as `name=`."""
    pairs = []
    for part in query.split("&") if query else []:
        name, _, value = part.partition("=")
        pairs.append((encode(unquote_to_bytes(name)), encode(unquote_to_bytes(value))))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def canonical_path(path: str) -> str:
    """The path as S3 signs it: encoded exactly once, segments never normalised."""
    return encode(unquote_to_bytes(path), safe="/")


def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = b"AWS4" + secret.encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def sign(
    method: str,
    target: str,
    headers: list[tuple[str, str]],
    payload_hash: str,
    credentials: Credentials,
    region: str,
    now: dt.datetime,
    service: str = "s3",
) -> str:
    """The value of the Authorization header for a request.

    Args:
        method: HTTP method.
        target: raw request target, path and query.
        headers: every header line to be signed, `Host` and `X-Amz-Date` among them.
        payload_hash: value of `x-amz-content-sha256`.
        credentials: access key and secret key; a session token travels in `headers`.
        region: region of the credential scope.
        now: the time in `X-Amz-Date`, UTC.
        service: service of the credential scope.
    """
    path, _, query = target.partition("?")
    folded: dict[str, list[str]] = {}
    for name, value in headers:
        trimmed = b" ".join(value.encode().split()).decode()  # ASCII space alone: the rest are bytes like any other
        folded.setdefault(name.lower(), []).append(trimmed)
    names = ";".join(sorted(folded))
    lines = "".join(f"{name}:{','.join(folded[name])}\n" for name in sorted(folded))
    request = "\n".join((method, canonical_path(path), canonical_query(query), lines, names, payload_hash))
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = _signing_key(credentials.secret_key, stamp[:8], region, service)
    signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), hashlib.sha256)
    return (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature.hexdigest()}"
    )
