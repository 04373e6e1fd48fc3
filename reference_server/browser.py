"""What browsers ask for: CORS preflight requests, and CORS headers on ordinary answers. Source: catalogue CORS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error
from reference_server.request import WEBSITE, address
from reference_server.rules import cors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.request import Request
    from reference_server.store import Store
    from reference_server.wire import Head, Headers

_METHOD = "access-control-request-method"
_HEADERS = "access-control-request-headers"


def preflight(store: Store, request: Request) -> Headers:
    """The headers of the answer to OPTIONS.

    Raises:
        S3Error: BadRequest, AccessForbidden.
    """
    headers = request.headers
    return cors.preflight(
        _configuration(store, request.bucket),
        *(headers.get("origin"), headers.get(_METHOD), headers.get(_HEADERS)),
        "OBJECT" if request.key is not None else "BUCKET",
    )


def actual(store: Store, head: Head, domains: tuple[str, ...]) -> Headers:
    """The CORS headers of an ordinary answer; none without a matching rule (CORS-007)."""
    try:
        bucket, _, virtual_host = address(head, domains)
    except S3Error:
        return []
    return earned(store, head, bucket.removesuffix(WEBSITE) if bucket and virtual_host else bucket)


def earned(store: Store, head: Head, bucket_name: str | None) -> Headers:
    """The same for a request that is known to be about a bucket."""
    headers = head.headers
    if "origin" not in headers or head.method == "OPTIONS":
        return []
    asked = headers.get(_METHOD, head.method), headers.get(_HEADERS)
    return cors.actual(_configuration(store, bucket_name), headers["origin"], *asked)


def _configuration(store: Store, bucket_name: str | None) -> Mapping[str, Any] | None:
    bucket = store.bucket(bucket_name) if bucket_name else None
    return bucket.settings.get("cors") if bucket is not None else None
