"""Which S3 operation a request is, told from its method, target and headers by botocore's service model.

A program may send other requests before and after the one it was asked for; this finds that one.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from harness.wire import model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.wire.exchange import Exchange
    from harness.wire.http1 import Origin
    from harness.wire.tape import Recorded


class Sent(NamedTuple):
    """What a request asks for; `operation` is "" where the service model knows none like it."""

    operation: str
    bucket: str = ""
    key: str = ""


BROWSER_FORM = "PostObject"
"""An upload by a form in a browser: POST Object of S3's documentation, for which the service model has no name."""


class _Route(NamedTuple):
    """What marks an operation: query parameters (all names; values where they matter) and headers it needs."""

    operation: str
    names: frozenset[str]
    values: tuple[tuple[str, str], ...]
    headers: frozenset[str]


@functools.cache
def _routes(method: str, depth: int) -> tuple[_Route, ...]:
    """The operations of a method on the service (depth 0), a bucket (1) or an object (2), specific ones first."""
    found = []
    for name in sorted(model.operations()):
        operation = model.operation(name)
        path, _, fixed = operation.http["requestUri"].partition("?")
        levels = {"/": 0, "/{Bucket}": 1, "/{Bucket}/{Key+}": 2}
        if operation.http["method"] != method or levels.get(path) != depth or operation.deprecated:
            continue
        query = dict(part.partition("=")[::2] for part in fixed.split("&") if part)
        shape = operation.input_shape
        required = [shape.members[member].serialization for member in shape.required_members] if shape else []
        query |= {at["name"]: "" for at in required if at.get("location") == "querystring"}
        headers = frozenset(at["name"].lower() for at in required if at.get("location") == "header")
        values = tuple((name, value) for name, value in query.items() if value)
        found.append(_Route(name, frozenset(query), values, headers))
    return tuple(sorted(found, key=lambda route: (-len(route.names) - len(route.headers), route.operation)))


def recognise(exchange: Exchange, origin: Origin) -> Sent:
    """The operation, bucket and key that a request to `origin` asks for, in either style of addressing."""
    try:
        parts = urlsplit(exchange.url)
    except ValueError:
        return Sent("")
    path = parts.path.removeprefix(origin.path) if origin.path else parts.path
    default = ":443" if parts.scheme == "https" else ":80"
    netloc = parts.netloc.lower().removesuffix(default)
    bucket = netloc.removesuffix("." + origin.authority.lower())
    if bucket == netloc:
        bucket, _, path = path.removeprefix("/").partition("/")
    else:
        path = path.removeprefix("/")
    bucket, key = _decoded(bucket), _decoded(path)
    query = dict(part.partition("=")[::2] for part in parts.query.split("&") if part)
    names = frozenset(query)
    headers = frozenset([name.lower() for name, _ in exchange.request_headers])
    for route in _routes(exchange.method, 2 if key else 1 if bucket else 0):
        if route.names <= names and route.headers <= headers and all(query[k] == v for k, v in route.values):
            return Sent(route.operation, bucket, key)
    form = bucket and not key and not query and exchange.method == "POST" and _is_form(exchange)
    return Sent(BROWSER_FORM if form else "", bucket, key)


def _is_form(exchange: Exchange) -> bool:
    """Whether a request carries a form with a file."""
    kinds = [value for name, value in exchange.request_headers if name.lower() == "content-type"]
    return any(kind.lower().startswith("multipart/form-data") for kind in kinds)


def find(
    recorded: Iterable[Recorded], origin: Origin, operations: Iterable[str], bucket: str = "", key: str = ""
) -> Recorded | None:
    """The last exchange that is one of `operations`, on this bucket and key where they are given."""
    wanted = frozenset(operations)
    for record in reversed(list(recorded)):
        sent = recognise(record.exchange, origin)
        if sent.operation in wanted and bucket in ("", sent.bucket) and key in ("", sent.key):
            return record
    return None


def _decoded(text: str) -> str:
    """Percent-decoded UTF-8; bytes that are none become lone surrogates, which match no key."""
    return unquote_to_bytes(text.encode("latin-1", "replace")).decode("utf-8", "surrogateescape")
