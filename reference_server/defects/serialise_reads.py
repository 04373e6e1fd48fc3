"""Defects of answers about objects as they are written out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.answers import with_body
from reference_server.defects.registry import defect

if TYPE_CHECKING:
    from reference_server.call import Call, Result
    from reference_server.errors import S3Error
    from reference_server.wire import Answer

Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]

_SIZE = re.compile(rb"<ObjectSize>\d+</ObjectSize>")


@defect(
    "attributes-size-first",
    "serialise",
    "GetObjectAttributes writes its elements in another order than the schema has (GET-039).",
)
def _attributes_size_first(inner: Serialise) -> Serialise:
    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        answer = inner(call, outcome)
        body = answer.body
        if call is not None and call.operation == "GetObjectAttributes" and isinstance(body, bytes):
            size = _SIZE.search(body)
            if size:
                rest = body.replace(size[0], b"", 1)
                start = rest.index(b">", rest.index(b"<GetObjectAttributes")) + 1
                with_body(answer, rest[:start] + size[0] + rest[start:])
        return answer

    return serialise


@defect(
    "put-with-content-type",
    "serialise",
    "PutObject's empty answer has a Content-Type, which web frameworks add (META-021).",
)
def _put_with_content_type(inner: Serialise) -> Serialise:
    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        answer = inner(call, outcome)
        if call is not None and call.operation == "PutObject" and answer.status == 200:
            answer.headers.append(("Content-Type", "text/html; charset=utf-8"))
        return answer

    return serialise
