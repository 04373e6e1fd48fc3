"""Gateways that the server can behave as: data in `personalities/NAME.toml`, read once at start-up.

A personality says which operations are refused and how, and a few traits. Handlers ask for traits, never for
the name of a personality. What no trait can say is code: a module `personalities/NAME.py` (with `_` for `-` and `.`),
whose function `wraps(app)` gives wrappers for the seams of that application, as defects are.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reference_server.app import App


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
        redirects: it has a second address, `App.target`, where requests may be sent on to.
        refusals: by operation name.
    """

    name: str
    title: str = ""
    implicit_buckets: bool = False
    redirects: bool = False
    refusals: dict[str, Refusal] = field(default_factory=dict)

    def wraps(self, app: App) -> Mapping[str, Callable[[Any], Any]]:
        """What it changes beyond its traits: by the name of a seam, the gateway's function from the right one."""
        module = f"reference_server.personalities.{re.sub('[-.]', '_', self.name)}"
        if importlib.util.find_spec(module) is None:
            return {}
        found: Mapping[str, Callable[[Any], Any]] = importlib.import_module(module).wraps(app)
        return found


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
    return Personality(
        name, data.get("title", name), data.get("implicit_buckets", False), data.get("redirects", False), refusals
    )
