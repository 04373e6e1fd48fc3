"""A thing with some of its parts replaced, for one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from reference_server.blobs import Blob
    from reference_server.call import Call
    from reference_server.objects import Check, StoredObject
    from reference_server.store import Bucket

_Thing = TypeVar("_Thing")


class _View:
    def __init__(self, thing: Any, replaced: dict[str, Any]) -> None:
        self._thing = thing
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced[name] if name in self._replaced else getattr(self._thing, name)


def view(thing: _Thing, **replaced: Any) -> _Thing:
    """The same thing to whoever uses it, but for these attributes."""
    return cast("_Thing", _View(thing, replaced))


def put_changed(call: Call, change: Callable[[StoredObject, Blob | None], StoredObject]) -> None:
    """What this call puts is another object, with the same bytes."""
    objects = call.objects

    def put(bucket: Bucket, new: StoredObject, blob: Blob | None, check: Check) -> StoredObject:
        return objects.put(bucket, change(new, blob), blob, check)

    call.endpoint = view(call.endpoint, objects=view(objects, put=put))
