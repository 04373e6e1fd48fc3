"""Defects of the limits of HTTP servers and proxies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.registry import defect
from reference_server.wire import Answer

if TYPE_CHECKING:
    from reference_server.wire import Body, Head

Wire = Callable[["Head", "Body"], Answer]

#: The largest header section that `header-limit-4k` lets through, in bytes.
LIMIT = 4096


@defect(
    "header-limit-4k",
    "wire",
    "A header section of more than 4 KiB is refused with 431 and without an S3 error, as small buffers of proxies "
    "make it (LIM-016).",
)
def _header_limit_4k(inner: Wire) -> Wire:
    def wire(head: Head, body: Body) -> Answer:
        if sum(len(name) + len(value) + 4 for name, value in head.headers.items()) > LIMIT:
            return Answer(431, [("Content-Length", "0"), ("Connection", "close")], close=True)
        return inner(head, body)

    return wire
