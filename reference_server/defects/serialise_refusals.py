"""Defects of refusals: a neighbouring code or status that clients and users take for something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.registry import Wrap, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.call import Call, Result
    from reference_server.wire import Answer

Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]


def _said(code: str, instead: str, status: int) -> Wrap:
    """An error has another code and status, and keeps its other elements and headers."""

    def wrap(inner: Serialise) -> Serialise:
        def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
            if isinstance(outcome, S3Error) and outcome.code == code:
                outcome = S3Error(instead, None, outcome.elements, status=status, headers=outcome.headers)
            return inner(call, outcome)

        return serialise

    return wrap


family(
    "serialise",
    _said,
    {
        "bad-request-says-not-allowed": row(
            "What is no request of HTTP is 405 as if it were only not allowed (LBKT-009).",
            *("BadRequest", "MethodNotAllowed", 405),
        ),
        "invalid-argument-says-invalid-request": row(
            "A wrong argument is InvalidRequest like any other mistake (LST2-009, LST1-018).",
            *("InvalidArgument", "InvalidRequest", 400),
        ),
        "invalid-request-says-invalid-argument": row(
            "A request that cannot be is InvalidArgument like any wrong value (LVER-012, DEL-010).",
            *("InvalidRequest", "InvalidArgument", 400),
        ),
        "method-not-allowed-501": row(
            "A method that a resource does not have is 501 NotImplemented instead of 405 (LBKT-008).",
            *("MethodNotAllowed", "NotImplemented", 501),
        ),
        "missing-body-says-malformed": row(
            "A document that did not come is MalformedXML like one that cannot be read (DEL-013, VER-004).",
            *("MissingRequestBodyError", "MalformedXML", 400),
        ),
        "no-such-version-says-no-such-key": row(
            "A version that is gone is NoSuchKey, as if the key were gone (VER-015).",
            *("NoSuchVersion", "NoSuchKey", 404),
        ),
    },
)
