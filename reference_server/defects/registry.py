"""What a defect is, and how it gets into the server: as a wrapper around one of its seams."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from reference_server.seams import Seams

Seam = Literal["wire", "auth", "payload", "operation", "listing", "serialise"]
SEAMS: tuple[Seam, ...] = ("wire", "auth", "payload", "operation", "listing", "serialise")


@dataclass(frozen=True)
class Defect:
    """One way to be wrong.

    Attributes:
        name: as given on the command line, in words of what is wrong.
        seam: which function of `Seams` it wraps.
        about: one sentence: what is wrong, and who shows it.
        wrap: the wrong function from the right one.
    """

    name: str
    seam: Seam
    about: str
    wrap: Callable[[Any], Any]


class UnknownDefectError(ValueError):
    """There is no defect of that name; the message offers the nearest one."""


_found: dict[str, Defect] = {}


def defect(name: str, seam: Seam, about: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Register the decorated wrapper as a defect."""

    def register(wrap: Callable[[Any], Any]) -> Callable[[Any], Any]:
        if name in _found:
            raise ValueError(f"two defects are named {name}")
        _found[name] = Defect(name, seam, about, wrap)
        return wrap

    return register


@cache
def defects() -> dict[str, Defect]:
    """All defects by name; one module for each seam."""
    for seam in SEAMS:
        importlib.import_module(f"reference_server.defects.{seam}")
    return dict(sorted(_found.items()))


def install(seams: Seams, names: Iterable[str]) -> None:
    """Wrap the seams with these defects, the first one innermost.

    Raises:
        UnknownDefectError: there is none of that name.
    """
    known = defects()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.3)
            hint = f"did you mean {near[0]!r}?" if near else "see --list-defects"
            raise UnknownDefectError(f"unknown defect {name!r}; {hint}")
        found = known[name]
        setattr(seams, found.seam, found.wrap(getattr(seams, found.seam)))
