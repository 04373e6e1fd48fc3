"""Factories that many tables of defects share: calls, results and answers that are changed in place.

Where operations are to be named, no name means all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from reference_server.call import Call, Result

if TYPE_CHECKING:
    from reference_server.answers import Change
    from reference_server.defects.registry import Wrap
    from reference_server.errors import S3Error
    from reference_server.wire import Answer

#: Of the input of an operation, or of its output, by the names of the service model.
Members = dict[str, Any]
_Operation = Callable[[Call], Result]
_Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]


def dropping(*names: str) -> Callable[[Members], None]:
    """An edit that removes these members."""

    def edit(members: Members) -> None:
        for name in names:
            members.pop(name, None)

    return edit


# The seam `operation`


def calls(operations: Collection[str], edit: Callable[[Call], None]) -> Wrap:
    """Calls of these operations are changed in place, or refused, before they are run."""

    def wrap(inner: _Operation) -> _Operation:
        def operation(call: Call) -> Result:
            if not operations or call.operation in operations:
                edit(call)
            return inner(call)

        return operation

    return wrap


def inputs(operations: Collection[str], edit: Callable[[Members], None]) -> Wrap:
    """The input of these operations is changed in place, or refused, before they are run."""
    return calls(operations, lambda call: edit(call.members))


# The seam `serialise`


def results(operations: Collection[str], edit: Callable[[Call, Members], None]) -> Wrap:
    """The members of these operations' results are changed in place, with an eye on the request, before writing."""

    def wrap(inner: _Serialise) -> _Serialise:
        def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
            if call is not None and isinstance(outcome, Result) and (not operations or call.operation in operations):
                edit(call, outcome.members)
            return inner(call, outcome)

        return serialise

    return wrap


def outputs(operations: Collection[str], edit: Callable[[Members], None]) -> Wrap:
    """The members of these operations' results are changed in place before they are written."""
    return results(operations, lambda _call, members: edit(members))


def answers(operations: Collection[str], change: Change) -> Wrap:
    """Good answers of these operations are changed in place after they are written."""

    def wrap(inner: _Serialise) -> _Serialise:
        def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
            answer = inner(call, outcome)
            meant = not operations or (call is not None and call.operation in operations)
            if isinstance(outcome, Result) and meant:
                change(answer)
            return answer

        return serialise

    return wrap
