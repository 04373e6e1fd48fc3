"""One HTTP request with its response, as it crossed the wire."""

from __future__ import annotations

import msgspec

BODY_CAP = 4096
"""Bytes of a body kept as evidence; the true size is always kept beside them."""

Headers = list[tuple[str, str]]
"""Header lines in the order and letter case of the wire."""


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """The beginning of a message body, and its whole size in bytes.

    `text` is the kept part decoded as UTF-8, bytes that do not decode shown as U+FFFD.
    """

    size: int = 0
    text: str = ""
    truncated: bool = False

    @classmethod
    def of(cls, data: bytes, size: int | None = None) -> Body:
        """The evidence kept of `data`; `size` is the true size where `data` is only its beginning."""
        whole = len(data) if size is None else size
        kept = data[:BODY_CAP]
        return cls(size=whole, text=kept.decode("utf-8", "replace"), truncated=whole > len(kept))


class Exchange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request and what came back.

    `url` is scheme and authority plus the raw request target, never normalised. `status` is None where no
    answer came; `error` then says what happened instead.
    """

    method: str
    url: str
    request_headers: Headers
    request_body: Body = Body()
    status: int | None = None
    reason: str = ""
    response_headers: Headers = []
    response_body: Body = Body()
    error: str = ""
    seconds: float = 0.0
