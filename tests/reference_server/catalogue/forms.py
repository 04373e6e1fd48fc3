"""Browser forms that upload a file: their policies, signatures and encoding, written from the specifications.

Sources: Amazon S3 API Reference, "Authenticating requests in browser-based uploads using POST"; RFC 7578.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING

from tests.reference_server.signing import Signer, stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conftest import Raw, Reply

BOUNDARY = "----a boundary"
KIND = {"Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'}
#: Which part of a form holds the file; None leaves it out.
FILE = 'name="file"; filename="name.txt"'


def part(disposition: str, content: bytes, more: str = "") -> bytes:
    """One part of a form; `more` are further lines of its head."""
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n".encode() + content + b"\r\n"


def encode(
    fields: Mapping[str, str] | Iterable[tuple[str, str]], content: bytes = b"content", file: str | None = FILE
) -> bytes:
    """The body of a form: its fields in order, then the file."""
    pairs = fields.items() if hasattr(fields, "items") else fields
    parts = [part(f'name="{name}"', value.encode()) for name, value in pairs]
    if file is not None:
        parts.append(part(file, content, "Content-Type: text/from-the-browser\r\n"))
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def post(
    raw: Raw, bucket: str, fields: Mapping[str, str] | Iterable[tuple[str, str]], content: bytes = b"content"
) -> Reply:
    """Send a form with a file to the path of a bucket."""
    return raw("POST", f"/{bucket}", encode(fields, content), KIND, sign=False)


def policy(conditions: Iterable[object], expires: float = 60, at: float | None = None) -> str:
    """A policy with these conditions that holds for so many seconds."""
    end = time.gmtime((time.time() if at is None else at) + expires)
    document = {"expiration": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", end), "conditions": list(conditions)}
    return base64.b64encode(json.dumps(document).encode()).decode()


def signed(
    bucket: str,
    fields: Mapping[str, str],
    *more: object,
    conditions: Iterable[object] | None = None,
    version: str = "v4",
    signer: Signer | None = None,
    expires: float = 60,
) -> dict[str, str]:
    """These fields and those of a policy and its signature.

    Args:
        bucket: where to.
        fields: what the form has beside the signature.
        more: conditions beside those below.
        conditions: by default that the bucket and each field is what it is.
        version: of the signature, `v4` or `v2`.
        signer: who signs, and when.
        expires: seconds until the end of the policy.
    """
    signer = signer or Signer()
    own = {}
    if version == "v4":
        own = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": f"{signer.access_key}/{signer.scope}"}
        own["x-amz-date"] = stamp(signer.at)
    if conditions is None:
        conditions = [{"bucket": bucket}, *({name: value} for name, value in fields.items())]
    text = policy([*conditions, *more, *({name: value} for name, value in own.items())], expires)
    if version == "v4":
        return {**fields, **own, "policy": text, "x-amz-signature": signer.signature(text)}
    signature = base64.b64encode(hmac.new(signer.secret.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return {**fields, "AWSAccessKeyId": signer.access_key, "policy": text, "signature": signature}
