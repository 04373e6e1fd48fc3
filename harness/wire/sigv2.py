"""Presigned URLs of Signature Version 2, which boto3 and version 1 of the AWS CLI still make unless told otherwise.

Source: Amazon S3 User Guide, "Signing and authenticating REST requests (AWS signature version 2)", section "Query
string request authentication alternative".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import unquote

from harness.wire.sigv4 import Credentials, encode

_SUBRESOURCES = frozenset(
    (
        *("acl", "cors", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy"),
        *("requestPayment", "restore", "tagging", "uploadId", "uploads", "versionId", "versioning", "versions"),
        "website",
    )
)
"""Parameters that are part of what is signed, as are those that begin with `response-`; no others are."""


def string_to_sign(method: str, target: str, headers: list[tuple[str, str]], expires: int, token: str = "") -> str:
    """What the signature of a presigned request is over; see `presign`."""
    sent = {name.lower(): value for name, value in headers}
    lines = [method, sent.get("content-md5", ""), sent.get("content-type", ""), str(expires)]
    amazons = {name: value for name, value in sent.items() if name.startswith("x-amz-")}
    amazons |= {"x-amz-security-token": token} if token else {}
    lines += [f"{name}:{value}" for name, value in sorted(amazons.items())]
    path, _, query = target.partition("?")
    signed = []
    for name, mark, value in sorted(pair.partition("=") for pair in query.split("&")):
        if name in _SUBRESOURCES or name.startswith("response-"):
            signed.append(f"{name}{mark}{unquote(value)}")
    return "\n".join([*lines, path]) + ("?" + "&".join(signed) if signed else "")


def presign(method: str, target: str, headers: list[tuple[str, str]], expires: int, credentials: Credentials) -> str:
    """A request target that carries its own signature, whatever the body.

    Args:
        method: HTTP method that it is good for.
        target: raw request target with the bucket in its path, `/bucket/key?query`.
        headers: header lines that must be sent with it; of these, Content-MD5, Content-Type and x-amz-* are signed.
        expires: when it ends, in seconds since the epoch.
        credentials: with whose it is signed.
    """
    token = credentials.session_token
    text = string_to_sign(method, target, headers, expires, token)
    digest = hmac.new(credentials.secret_key.encode(), text.encode(), hashlib.sha1).digest()
    own = {"AWSAccessKeyId": credentials.access_key, "Expires": str(expires)}
    own |= {"x-amz-security-token": token} if token else {}
    own["Signature"] = base64.b64encode(digest).decode()
    added = "&".join(f"{name}={encode(value)}" for name, value in own.items())
    return f"{target}{'&' if '?' in target else '?'}{added}"
