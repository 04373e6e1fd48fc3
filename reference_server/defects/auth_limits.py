"""Defects of what is read of a request before its operation: limits and markers in the query."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.registry import Wrap, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.request import Request

Auth = Callable[["Request"], "Authenticated"]

_DAY = 86_400


def _reading(change: Callable[[Request], None]) -> Wrap:
    """The query of a request that is let in is changed in place, or refused."""

    def wrap(inner: Auth) -> Auth:
        def auth(request: Request) -> Authenticated:
            found = inner(request)
            change(request)
            return found

        return auth

    return wrap


def _one_day(request: Request) -> None:
    if int(request.parameters.get("X-Amz-Expires", 0)) > _DAY:
        raise S3Error("AuthorizationQueryParametersError", f"X-Amz-Expires must be at most {_DAY}")


def _marker_zero(request: Request) -> None:
    if not request.parameters.get("part-number-marker", "0").isdigit():
        request.parameters["part-number-marker"] = "0"


family(
    "auth",
    _reading,
    {
        "part-marker-text-is-zero": row(
            "A marker of ListParts that is no number is taken for 0 (MPU-035).",
            _marker_zero,
        ),
        "presigned-limit-one-day": row(
            "Presigned URLs are valid for at most a day instead of a week (LIM-018).",
            _one_day,
        ),
    },
)
