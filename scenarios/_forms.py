"""Browser forms that upload a file (POST Object): policy, signature and encoding.

Sources: Amazon S3 API Reference, "Browser-based uploads using POST"; RFC 7578.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from harness.clients.base import Observed
from harness.clients.raw import Signing
from harness.expect import Matcher, ok, one_of, refused
from harness.scene import Scene

CONTENT = b"a file that somebody chose in a browser"
FILE = "chosen.txt"
DENIED = refused(403, "AccessDenied")
STORED = one_of(ok(204), ok(), ok(201))
"""A form that was accepted; which status it is to be is the statement of POST-001 and POST-002."""

_BOUNDARY = "----s3conform-form-boundary"
KIND = ("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}")


def exactly(fields: Mapping[str, str]) -> list[Any]:
    """A condition for each field: that it is what it is."""
    return [{name: value} for name, value in fields.items()]


def signed(
    s3: Scene,
    fields: Mapping[str, str],
    conditions: Iterable[Any] = (),
    *,
    only: Iterable[Any] | None = None,
    expires: float = 600,
    signing: Signing | None = None,
) -> dict[str, str]:
    """The fields of a form with a policy that allows them, and its signature.

    Args:
        s3: where it goes to the cell's bucket.
        fields: what the form says of the object.
        conditions: of the policy, beside one for the bucket and one for each field.
        only: conditions in place of those for the fields.
        expires: seconds until the policy's end.
        signing: with whose credentials.
    """
    signing = signing or Signing()
    signer = s3.witness.signer(signing)
    own = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": signer.credential, "x-amz-date": signer.stamp}
    token = (signing.credentials or s3.witness.endpoint.credentials).session_token
    own |= {"x-amz-security-token": token} if token else {}
    allowed = [{"bucket": s3.bucket}, *(exactly(fields) if only is None else only), *conditions, *exactly(own)]
    policy = encoded(allowed, expires)
    return {**fields, **own, "policy": policy, "x-amz-signature": signer.sign(policy)}


def encoded(conditions: list[Any], expires: float = 600) -> str:
    """A policy document that ends in so many seconds, in base64."""
    end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=expires)
    document = {"expiration": f"{end:%Y-%m-%dT%H:%M:%S.000Z}", "conditions": conditions}
    return base64.b64encode(json.dumps(document).encode()).decode()


def post(
    s3: Scene,
    fields: Mapping[str, str],
    content: bytes = CONTENT,
    *,
    file: str = FILE,
    kind: tuple[str, str] = KIND,
) -> Observed:
    """The form sent to the cell's bucket by the client under test, as a browser would: the fields, then the file."""
    parts = [_part(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts.append(_part(f'name="file"; filename="{file}"\r\nContent-Type: text/x-browser', content))
    body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
    return s3.send("PostObject", "POST", f"/{s3.bucket}", kind, bucket=s3.bucket, body=body, signing=None)


def _part(disposition: str, content: bytes) -> bytes:
    return f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"


def element(name: str, what: str, value: str | None = None) -> Matcher:
    """An element of the document in an answer: there, and with this text if one is given; `what` says so in words."""

    def test(seen: Observed) -> str:
        found = seen.document.get(name) if seen.document is not None else None
        if not found:
            return f"there is no {name}"
        return "" if value in (None, found) else f"{name} was {found[:200]!r}"

    return Matcher(f"element {name}: {what}", test)
