"""Defects of answers that do not tell what is set: encryption, tags, lifecycle, lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.answers import without
from reference_server.defects.registry import Wrap, family, row

if TYPE_CHECKING:
    from reference_server.call import Call, Result
    from reference_server.errors import S3Error
    from reference_server.wire import Answer

Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]


def _untold(*headers: str) -> Wrap:
    """Answers lack the headers that begin so, in lower case."""

    def wrap(inner: Serialise) -> Serialise:
        def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
            answer = inner(call, outcome)
            without(*headers)(answer)
            return answer

        return serialise

    return wrap


family(
    "serialise",
    _untold,
    {
        "encryption-untold": row(
            "Answers do not tell how an object is encrypted, as Moto's do not (ENC-001).",
            "x-amz-server-side-encryption",
        ),
        "lifecycle-untold": row(
            "Answers do not tell when an object expires, nor from which size on objects are moved, as Moto's do not "
            "(LC-004, LC-005).",
            *("x-amz-expiration", "x-amz-transition-default-minimum-object-size"),
        ),
        "lock-untold": row(
            "HEAD and GET do not tell retention and legal hold (LOCK-008).",
            "x-amz-object-lock-",
        ),
        "tagging-count-untold": row(
            "HEAD and GET do not tell how many tags an object has (TAG-003).",
            "x-amz-tagging-count",
        ),
    },
)
