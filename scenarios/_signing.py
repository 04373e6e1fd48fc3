"""Exact requests about objects, and whose signature they bear. Shared by AUTH, PRE and POST."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from harness.clients.base import Observed
from harness.clients.raw import Signing
from harness.expect import body, ok, refused
from harness.scene import Scene
from harness.wire.sigv4 import Credentials, encode

CONTENT = b"signed, sealed and delivered"

OPERATIONS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}

MISMATCH = refused(403, "SignatureDoesNotMatch")


def path(s3: Scene, name: str = "object", query: str = "") -> str:
    """The raw target of an object of this cell, its name percent-encoded; `query` is taken as it is."""
    target = f"/{s3.bucket}/{encode(s3.key(name), safe='/')}"
    return f"{target}?{query}" if query else target


def one_key(s3: Scene) -> str:
    """The raw target of a listing that shows one key of this cell, and never anything else of the bucket.

    Its last slash is left out, since how a slash in a query is signed is a statement of its own (AUTH-025).
    """
    return f"/{s3.bucket}?list-type=2&max-keys=1&prefix={encode(s3.prefix.rstrip('/'))}"


def ask(s3: Scene, method: str, target: str, *headers: tuple[str, str], **options: Any) -> Observed:
    """One exact request about an object through the client under test; `options` are those of `RawClient.send`."""
    return s3.send(OPERATIONS[method], method, target, *headers, bucket=s3.bucket, **options)


def link(s3: Scene, method: str, target: str, *headers: tuple[str, str], **options: Any) -> str:
    """A presigned target; the headers must be sent with it, `options` are those of `RawClient.presign`."""
    return s3.witness.presign(method, target, list(headers), bucket=s3.bucket, **options)


def follow(s3: Scene, method: str, url: str, *headers: tuple[str, str], content: bytes = b"") -> Observed:
    """A presigned target sent through the client under test, without any credentials beside it."""
    return ask(s3, method, url, *headers, body=content, signing=None)


def without(url: str, name: str) -> str:
    """A target less one parameter."""
    before, _, query = url.partition("?")
    return f"{before}?{'&'.join(pair for pair in query.split('&') if pair.partition('=')[0] != name)}"


def altered(url: str, name: str, value: str) -> str:
    """A target with another value of a parameter, which is taken as it is."""
    before, _, query = url.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")]
    return f"{before}?{'&'.join(f'{key}={value if key == name else old}' for key, _, old in pairs)}"


def key_of(s3: Scene, target: str) -> str:
    """The key that a target of `path` names."""
    return unquote(target.partition("?")[0].removeprefix(f"/{s3.bucket}/"))


def is_stored(s3: Scene, target: str, content: bytes = CONTENT) -> None:
    """The witness reads exactly these bytes."""
    s3.expect(s3.look("GetObject", Key=key_of(s3, target)), ok(), body(content))


def is_missing(s3: Scene, target: str) -> None:
    """The witness finds nothing there."""
    s3.expect(s3.look("GetObject", Key=key_of(s3, target)), refused(404))


def wrong_secret(s3: Scene) -> Signing:
    """Who knows the access key of the endpoint's account, and not its secret."""
    own = s3.witness.endpoint.credentials
    return Signing(credentials=Credentials(own.access_key, f"not {own.secret_key}", own.session_token))


def other_digit(text: str) -> str:
    """A text that ends in a hex digit, with another one at its end."""
    return text[:-1] + ("1" if text.endswith("0") else "0")
