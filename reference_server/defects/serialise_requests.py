"""Defects of the answer to what is no request at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.registry import defect
from reference_server.errors import S3Error
from reference_server.wire import Answer

if TYPE_CHECKING:
    from reference_server.call import Call, Result

Serialise = Callable[["Call | None", "Result | S3Error"], Answer]


@defect(
    "bad-request-unanswered",
    "serialise",
    "Bytes that are no HTTP request, and requests without Host, get no answer: the connection closes (AUTH-021).",
)
def _bad_request_unanswered(inner: Serialise) -> Serialise:
    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        if call is None and isinstance(outcome, S3Error) and outcome.code == "BadRequest":
            return Answer(400, drop=True)
        return inner(call, outcome)

    return serialise
