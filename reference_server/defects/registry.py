"""What a defect is, and how it gets into the server: as a wrapper around one of its seams.

A wrapper is a function from the right function of a seam to a wrong one. Where many defects have one form, they are
rows of a table and share one factory, see `family`; `editing` has the factories that several modules share.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from reference_server.seams import Seams

Seam = Literal["wire", "auth", "payload", "operation", "listing", "serialise"]
SEAMS: tuple[Seam, ...] = ("wire", "auth", "payload", "operation", "listing", "serialise")
#: The wrong function of a seam from the right one.
Wrap = Callable[[Any], Any]


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
    wrap: Wrap


class UnknownDefectError(ValueError):
    """There is no defect of that name; the message offers the nearest one."""


_found: dict[str, Defect] = {}


def defect(name: str, seam: Seam, about: str) -> Callable[[Wrap], Wrap]:
    """Register the decorated wrapper as a defect."""

    def register(wrap: Wrap) -> Wrap:
        if name in _found:
            raise ValueError(f"two defects are named {name}")
        _found[name] = Defect(name, seam, about, wrap)
        return wrap

    return register


def row(about: str, *arguments: Any) -> tuple[str, tuple[Any, ...]]:
    """One defect of a family: its sentence, and what its factory gets."""
    return about, arguments


def family(seam: Seam, factory: Callable[..., Wrap], rows: Mapping[str, tuple[str, tuple[Any, ...]]]) -> None:
    """Register defects of one form.

    Args:
        seam: of all of them.
        factory: makes a wrapper from the arguments of a row.
        rows: by name of the defect, see `row`.
    """
    for name, (about, arguments) in rows.items():
        defect(name, seam, about)(factory(*arguments))


@cache
def defects() -> dict[str, Defect]:
    """All defects by name: those of every module of the package."""
    package = importlib.import_module("reference_server.defects")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"reference_server.defects.{module.name}")
    return dict(sorted(_found.items()))


def check_names(names: Iterable[str]) -> None:
    """Hold names to those of the defects that there are.

    Raises:
        UnknownDefectError: for the first that is none.
    """
    known = defects()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.3)
            hint = f"did you mean {near[0]!r}?" if near else "see --list-defects"
            raise UnknownDefectError(f"unknown defect {name!r}; {hint}")


def install(seams: Seams, names: Iterable[str]) -> None:
    """Wrap the seams with these defects, the first one innermost.

    Raises:
        UnknownDefectError: there is none of that name; nothing is wrapped then.
    """
    asked = list(names)
    check_names(asked)
    for name in asked:
        found = defects()[name]
        setattr(seams, found.seam, found.wrap(getattr(seams, found.seam)))
