"""Defects of deletes: what is said about them is not what was done."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.call import Call, Result
from reference_server.defects.registry import defect
from reference_server.errors import S3Error

Operation = Callable[[Call], Result]

_SMALL = 120
"""Bytes that a DeleteObjects document without keys has at most."""


@defect(
    "delete-refused-but-done",
    "operation",
    "DeleteObject is refused with 403, and the object is gone all the same (DEL-021).",
)
def _delete_refused_but_done(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "DeleteObject":
            raise S3Error("AccessDenied")
        return result

    return operation


@defect(
    "delete-objects-entry-unreported",
    "operation",
    "DeleteObjects of several keys does not report the last one it deleted (DEL-005, DEL-019).",
)
def _delete_objects_entry_unreported(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "DeleteObjects" and len(result.members["Deleted"]) > 1:
            result.members["Deleted"] = result.members["Deleted"][:-1]
        return result

    return operation


@defect(
    "delete-objects-all-or-nothing",
    "operation",
    "DeleteObjects is refused as a whole when one entry cannot be deleted (DEL-008, DEL-018).",
)
def _delete_objects_all_or_nothing(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "DeleteObjects" and result.members.get("Errors"):
            raise S3Error(result.members["Errors"][0]["Code"], status=400)
        return result

    return operation


@defect(
    "delete-objects-nothing-accepted",
    "operation",
    "DeleteObjects of no document, or of one without keys, is a success (DEL-013, DEL-014).",
)
def _delete_objects_nothing_accepted(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            unread = error.code in ("MalformedXML", "MissingRequestBodyError")
            small = int(call.request.headers.get("content-length", "0")) <= _SMALL
            if call.operation == "DeleteObjects" and unread and small:
                return Result({"Deleted": [], "Errors": []})
            raise

    return operation
