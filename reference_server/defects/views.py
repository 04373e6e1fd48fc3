"""A thing with some of its parts replaced, for one call."""

from __future__ import annotations

from typing import Any, TypeVar, cast

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
