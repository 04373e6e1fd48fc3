"""Signature Version 4 as a client computes it, over the exact bytes that will be sent.

Written for the harness alone, so that it shares no mistake with the server under test nor with botocore.
Source: AWS, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import NamedTuple
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


class Signed(NamedTuple):
    """A signature with what the signatures of chunks continue: the key, `YYYYMMDDThhmmssZ`, and the scope."""

    authorization: str
    signature: str
    signer: Signer


class Signer:
    """Somebody who signs at one moment: the arithmetic of Signature Version 4 for headers, queries, chunks and forms.

    Args:
        credentials: access key and secret key; a session token travels in the request.
        region: region of the credential scope.
        now: the time of the signature, UTC.
        service: service of the credential scope.
        day: of the credential scope, where it is not that of `now`.
    """

    def __init__(
        self, credentials: Credentials, region: str, now: dt.datetime, service: str = "s3", day: str = ""
    ) -> None:
        self.stamp = now.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{day or self.stamp[:8]}/{region}/{service}/aws4_request"
        self.credential = f"{credentials.access_key}/{self.scope}"
        self._key = b"AWS4" + credentials.secret_key.encode()
        for part in self.scope.split("/"):
            self._key = hmac.new(self._key, part.encode(), hashlib.sha256).digest()

    def sign(self, text: str) -> str:
        """The signature, in lower-case hex, of a string to sign or of a policy in base64."""
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def request(self, method: str, target: str, headers: list[tuple[str, str]], payload_hash: str) -> tuple[str, str]:
        """The names of the signed headers, `;` between them, and the signature of a request.

        Args:
            method: HTTP method.
            target: raw request target, path and query; a presigned one without its X-Amz-Signature.
            headers: every header line to be signed, `Host` among them.
            payload_hash: value of `x-amz-content-sha256`, or `UNSIGNED-PAYLOAD`.
        """
        path, _, query = target.partition("?")
        folded: dict[str, list[str]] = {}
        for name, value in headers:
            trimmed = b" ".join(value.encode().split()).decode()  # ASCII space alone: the rest are bytes like any other
            folded.setdefault(name.lower(), []).append(trimmed)
        names = ";".join(sorted(folded))
        lines = "".join(f"{name}:{','.join(folded[name])}\n" for name in sorted(folded))
        request = "\n".join((method, canonical_path(path), canonical_query(query), lines, names, payload_hash))
        digest = hashlib.sha256(request.encode()).hexdigest()
        return names, self.sign(f"AWS4-HMAC-SHA256\n{self.stamp}\n{self.scope}\n{digest}")

    def authorize(self, method: str, target: str, headers: list[tuple[str, str]], payload_hash: str) -> Signed:
        """The value of the Authorization header for a request; `headers` need `X-Amz-Date`."""
        names, signature = self.request(method, target, headers, payload_hash)
        value = f"AWS4-HMAC-SHA256 Credential={self.credential}, SignedHeaders={names}, Signature={signature}"
        return Signed(value, signature, self)

    def presign(self, method: str, target: str, headers: list[tuple[str, str]], expires: str, token: str = "") -> str:
        """A request target that carries its own signature, whatever the body.

        Args:
            method: HTTP method that it is good for.
            target: raw request target, path and query.
            headers: header lines that must be sent with it, `Host` among them.
            expires: value of `X-Amz-Expires`: seconds from now on.
            token: session token of temporary credentials.
        """
        own = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": self.credential,
            "X-Amz-Date": self.stamp,
            "X-Amz-Expires": expires,
            "X-Amz-SignedHeaders": ";".join(sorted({name.lower() for name, _ in headers})),
        }
        own |= {"X-Amz-Security-Token": token} if token else {}
        added = "&".join(f"{name}={encode(value)}" for name, value in own.items())
        target = f"{target}{'&' if '?' in target else '?'}{added}"
        return f"{target}&X-Amz-Signature={self.request(method, target, headers, UNSIGNED)[1]}"


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
    """The value of the Authorization header for a request; see `Signer`."""
    return Signer(credentials, region, now, service).authorize(method, target, headers, payload_hash).authorization
