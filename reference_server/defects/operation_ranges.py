"""Defects of operations that take numbers outside their limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.registry import defect

if TYPE_CHECKING:
    from reference_server.call import Call, Result

Operation = Callable[["Call"], "Result"]


@defect(
    "max-buckets-unchecked",
    "operation",
    "ListBuckets takes any max-buckets, and those below 1 or above 10000 for none (LINT-034).",
)
def _max_buckets_unchecked(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        asked = call.members.get("MaxBuckets")
        if call.operation == "ListBuckets" and asked is not None and not 1 <= asked <= 10000:
            call.members.pop("MaxBuckets")
        return inner(call)

    return operation
