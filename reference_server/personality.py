"""Gateways that the server can behave as: data in `personalities/NAME.toml`, read once at start-up.

A personality says which operations are refused and how, and a few traits. Handlers ask for traits, never for
the name of a personality.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from importlib.resources import files


@dataclass(frozen=True)
class Refusal:
    """How an operation is refused."""

    status: int
    code: str
    message: str


@dataclass(frozen=True)
class Personality:
    """One gateway's documented behaviour.

    Attributes:
        name: as given on the command line.
        title: for people.
        implicit_buckets: buckets appear on the first write and need not exist for a listing.
        refusals: by operation name.
    """

    name: str
    title: str = ""
    implicit_buckets: bool = False
    refusals: dict[str, Refusal] = field(default_factory=dict)


class UnknownPersonalityError(ValueError):
    """There is no personality of that name; the message offers the nearest one."""


def names() -> list[str]:
    """All personalities."""
    folder = files("reference_server") / "personalities"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name: str) -> Personality:
    """The personality of that name.

    Raises:
        UnknownPersonalityError: there is none.
    """
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1, 0.3)
        hint = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
        raise UnknownPersonalityError(f"unknown personality {name!r}; {hint}")
    text = (files("reference_server") / "personalities" / f"{name}.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    refusals = {
        operation: Refusal(group["status"], group["code"], group["message"])
        for group in data.get("refusals", [])
        for operation in group["operations"]
    }
    return Personality(name, data.get("title", name), data.get("implicit_buckets", False), refusals)
