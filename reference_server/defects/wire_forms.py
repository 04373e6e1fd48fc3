"""Defects of headers and of empty bodies in their form, as servers and the proxies in front of them make them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.answers import is_download
from reference_server.defects.registry import family, row
from reference_server.defects.wire import answering

if TYPE_CHECKING:
    from reference_server.wire import Answer, Head

_CHECKSUM = "x-amz-checksum-"
_ONE_ID = "4442587FB7D0A2F9"


def _of_object(head: Head, answer: Answer) -> bool:
    """Whether it is a good answer about an object: the path has a bucket and a key."""
    return answer.status < 300 and head.target.partition(b"?")[0].count(b"/") > 1


def _has(answer: Answer, name: str) -> bool:
    return any(key.lower() == name for key, _ in answer.headers)


def _adding(name: str, value: str) -> Callable[[Head, Answer], None]:
    def change(head: Head, answer: Answer) -> None:
        if _of_object(head, answer) and not _has(answer, name):
            answer.headers.append((name, value))

    return change


def _etag_twice(_head: Head, answer: Answer) -> None:
    answer.headers += [(name, value) for name, value in answer.headers if name.lower() == "etag"]


def _typed(_head: Head, answer: Answer) -> None:
    if answer.status == 204:
        answer.headers.append(("Content-Type", "text/html; charset=utf-8"))


def _ok_in_words(head: Head, answer: Answer) -> None:
    if head.method == "PUT" and answer.status == 200 and answer.body == b"":
        answer.headers = [pair for pair in answer.headers if pair[0].lower() != "content-length"]
        answer.headers.append(("Content-Length", "2"))
        answer.body = b"OK"


def _checksums(edit: Callable[[str], str], downloads: bool) -> Callable[[Head, Answer], None]:
    """Values of checksums in headers are others; of downloads alone if so asked."""

    def change(_head: Head, answer: Answer) -> None:
        if downloads and not is_download(answer):
            return
        answer.headers = [
            (name, edit(value) if name.lower().startswith(_CHECKSUM) and value.endswith("=") else value)
            for name, value in answer.headers
        ]

    return change


def _hex(value: str) -> str:
    return base64.b64decode(value).hex()


def _reversed(value: str) -> str:
    """The bytes of a value in the other order, as a machine has them in memory."""
    return base64.b64encode(base64.b64decode(value)[::-1]).decode()


def _one_id(_head: Head, answer: Answer) -> None:
    answer.headers = [
        (name, _ONE_ID if name.lower() == "x-amz-request-id" else value) for name, value in answer.headers
    ]


family(
    "wire",
    answering,
    {
        "checksum-bytes-reversed": row(
            "Checksums of downloads have their bytes in the order of the machine, the lowest first (LINT-014).",
            _checksums(_reversed, downloads=True),
        ),
        "checksum-in-hex": row(
            "Checksums in headers are hex instead of base64 (LINT-013).", _checksums(_hex, downloads=False)
        ),
        "etag-twice": row("The ETag header comes twice, once from a proxy (LINT-006).", _etag_twice),
        "no-content-with-type": row(
            "Answers without content have a Content-Type, as a web framework adds it (LINT-005).", _typed
        ),
        "put-says-ok": row("An upload is answered with the word OK in the body (LINT-005).", _ok_in_words),
        "request-id-constant": row("Every answer has the same x-amz-request-id (LINT-030).", _one_id),
        "version-id-null-always": row(
            "Objects of a bucket without versions have x-amz-version-id: null (LINT-033).",
            _adding("x-amz-version-id", "null"),
        ),
    },
)
