"""Defects of answers about objects as they are written out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reference_server.answers import with_body
from reference_server.defects.editing import answers
from reference_server.defects.registry import family, row

if TYPE_CHECKING:
    from reference_server.wire import Answer

_SIZE = re.compile(rb"<ObjectSize>\d+</ObjectSize>")


def _size_first(answer: Answer) -> None:
    size = _SIZE.search(answer.body) if isinstance(answer.body, bytes) else None
    if size is not None and isinstance(answer.body, bytes):
        rest = answer.body.replace(size[0], b"", 1)
        start = rest.index(b">", rest.index(b"<GetObjectAttributes")) + 1
        with_body(answer, rest[:start] + size[0] + rest[start:])


def _with_type(answer: Answer) -> None:
    if answer.status == 200:
        answer.headers.append(("Content-Type", "text/html; charset=utf-8"))


family(
    "serialise",
    answers,
    {
        "attributes-size-first": row(
            "GetObjectAttributes writes its elements in another order than the schema has (GET-039).",
            {"GetObjectAttributes"},
            _size_first,
        ),
        "put-with-content-type": row(
            "PutObject's empty answer has a Content-Type, which web frameworks add (META-021).",
            {"PutObject"},
            _with_type,
        ),
    },
)
