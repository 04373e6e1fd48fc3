"""Changes to an answer that wrappers of seams share, whatever they are for; each is made in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference_server.wire import Answer

Change = Callable[["Answer"], None]


def without(*prefixes: str) -> Change:
    """Drops the headers whose lower-case names begin so."""

    def change(answer: Answer) -> None:
        answer.headers = [pair for pair in answer.headers if not pair[0].lower().startswith(prefixes)]

    return change


def header(name: str, edit: Callable[[str], str]) -> Change:
    """Edits the value of the header with this lower-case name."""

    def change(answer: Answer) -> None:
        answer.headers = [(key, edit(value) if key.lower() == name else value) for key, value in answer.headers]

    return change


def with_body(answer: Answer, body: bytes, content_type: str = "application/xml") -> None:
    """Another document, with its length and type."""
    without("content-length", "content-type")(answer)
    answer.headers += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
    answer.body = body


def is_download(answer: Answer) -> bool:
    """Whether an answer carries object data: nothing else has Accept-Ranges."""
    return answer.status in (200, 206) and any(name.lower() == "accept-ranges" for name, _ in answer.headers)
