"""Documented against observed: what the gateway of a run claims about itself, and what was seen of each claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness import claims, profile
from harness.record import FAILING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.claims import Claim
    from harness.record import Cell, Run

Seen = Literal["contradicts", "violates", "holds", "not seen"]

WORDS: Mapping[Seen, str] = {
    "contradicts": "contradicted by what was seen",
    "violates": "something differs that is not documented",
    "holds": "as documented",
    "not seen": "not seen in this run",
}
"""What can come of a claim, the worst first."""

_DIFFERENT = ("violates", "blocked")
_SHOWN = 12
"""Cells shown of a claim: those that tell most."""


@dataclass(frozen=True)
class Sentence:
    """A claim, what was seen of it, and the cells that show it, by their numbers in the run file."""

    claim: Claim
    seen: Seen
    cells: list[tuple[int, Cell]]
    entries: list[str]

    @property
    def words(self) -> str:
        """What was seen, in words."""
        return WORDS[self.seen]


def sentences(run: Run) -> list[Sentence]:
    """The claims of the gateway that the run's profile is of, contradicted ones first; none for a profile of one's own.

    A cell shows a claim if its scenario is one that the claim names, or if its verdict rests on an entry that does.
    """
    if run.header.profile not in profile.names():
        return []
    documented = profile.load(run.header.profile)
    resting: dict[str, list[str]] = {}
    for entry, ids in claims.entries(documented):
        for name in ids:
            resting.setdefault(name, []).append(entry)
    found = [_sentence(run, claim, resting.get(claim.id, [])) for claim in claims.of_profile(documented.name)]
    order = list(WORDS)
    return sorted(found, key=lambda one: order.index(one.seen))


def _sentence(run: Run, claim: Claim, entries: list[str]) -> Sentence:
    shown = [
        (number, cell)
        for number, cell in enumerate(run.cells)
        if cell.verdict != "inapplicable" and (cell.scenario in claim.scenarios or cell.profile_entry in entries)
    ]
    shown.sort(key=lambda one: (not one[1].fails, one[1].verdict == "conforms"))
    return Sentence(claim, _seen([cell for _, cell in shown]), shown[:_SHOWN], entries)


def _seen(cells: list[Cell]) -> Seen:
    verdicts = {cell.verdict for cell in cells if cell.gates or cell.verdict not in FAILING}
    if "contradicts" in verdicts:
        return "contradicts"
    if verdicts.intersection(_DIFFERENT):
        return "violates"
    return "holds" if verdicts - {"error"} else "not seen"


def entry_sources(run: Run) -> dict[str, str]:
    """Where the entries of the run's profile have it from, by entry as verdicts name it; none for one of one's own."""
    if run.header.profile not in profile.names():
        return {}
    documented = profile.load(run.header.profile)
    parts = {name: getattr(documented, name) for name in ("addressing", "authentication", "redirects")}
    found = {name: part.source for name, part in parts.items() if part is not None}
    found |= {f"limits.{name}": limit.source for name, limit in documented.limits.items()}
    found |= {f"operations.{name}": entry.source for name, entry in documented.operations.items()}
    found |= {f"deviations.{name}": one.source for one in documented.deviations for name in one.scenarios}
    return {entry: documented.sources.get(source, source) for entry, source in found.items()}
