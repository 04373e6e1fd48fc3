"""Defects of uploads whose length is not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.registry import defect

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.payload import Payload
    from reference_server.request import Request

Factory = Callable[..., "Payload"]


@defect(
    "length-not-demanded",
    "payload",
    "An upload without Content-Length stores an empty object (AUTH-020).",
)
def _length_not_demanded(inner: Factory) -> Factory:
    def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
        made = inner(request, authenticated, **options)
        made.require_length = lambda headers: None  # type: ignore[method-assign]  # noqa: ARG005
        return made

    return payload
