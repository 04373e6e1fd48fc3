"""Defects of the digests that requests with a document must have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.registry import defect
from reference_server.payload import Payload

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.request import Request


class _Undemanding(Payload):
    """Takes every body for one whose digest came with it."""

    has_digest = True


@defect(
    "digest-not-asked-for",
    "payload",
    "Settings of buckets and objects are accepted without Content-MD5 and without a checksum (LINT-015).",
)
def _digest_not_asked_for(inner: Callable[..., Payload]) -> Callable[..., Payload]:
    def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
        made = inner(request, authenticated, **options)
        made.__class__ = _Undemanding
        return made

    return payload
