"""Defects of ETags in requests, and of those that must not tell the content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server.call import Call, Result
from reference_server.defects.registry import defect
from reference_server.views import put_changed

if TYPE_CHECKING:
    from reference_server.blobs import Blob
    from reference_server.objects import StoredObject

Operation = Callable[[Call], Result]


@defect(
    "encrypted-etag-is-md5",
    "operation",
    "The ETag of an object under a key of KMS or of the customer is the MD5 of its content (ETAG-015).",
)
def _encrypted_etag_is_md5(inner: Operation) -> Operation:
    """Small objects only, whose content is at hand."""

    def operation(call: Call) -> Result:
        if call.operation == "PutObject":
            put_changed(call, _md5_of)
        return inner(call)

    return operation


def _md5_of(new: StoredObject, blob: Blob | None) -> StoredObject:
    if blob is None or blob.data is None:
        return new
    return replace(new, etag=hashlib.md5(blob.data).hexdigest())


@defect(
    "unquoted-condition-never-holds",
    "operation",
    "An ETag without quotation marks in a condition is no ETag of any object (ETAG-016).",
)
def _unquoted_condition_never_holds(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        for name in ("IfMatch", "IfNoneMatch"):
            value = call.members.get(name)
            if value and value != "*" and '"' not in value:
                call.members[name] = f'"{value} without quotation marks"'
        return inner(call)

    return operation
