"""What became of each gateway's cells since its earlier runs, as the page of changes and the filter show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.compare import Change, Comparison, compare
from reports import comparison, tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.record import Run
    from reports.matrix import Gateway, Matrix

EARLIER = 5
"""Earlier runs of a gateway that its newest is compared with: the newest of them."""
CAP = 200
"""Cells of a list that the page shows; the filter of the matrix shows all that still have a place there."""

SIGNS: Mapping[str, str] = {
    "regressed": "▼",
    "vanished": "∅",
    "new": "+",
    "fixed": "▲",
    "changed": "Δ",
    "old": "=",
}
"""One sign a list, each of another shape."""


@dataclass(frozen=True)
class Listed:
    """A list of a comparison: `shown` are the first of `number` cells, the highest level first."""

    name: str
    title: str
    shown: list[tuple[Change, str, str]]
    number: int


@dataclass(frozen=True)
class Since:
    """The newest run of a gateway against one of its earlier runs."""

    gateway: Gateway
    number: int
    before: Run
    facts: list[str]
    lists: list[Listed]
    comparison: Comparison

    @property
    def key(self) -> str:
        """Names it in addresses: the gateway, and which of its earlier runs, counted back from 1."""
        return f"{self.gateway.key}/{self.number + 1}"

    @property
    def title(self) -> str:
        """The earlier run, in words."""
        header = self.before.header
        version = header.gateway.version
        return f"{'' if version == 'unknown' else f'{version}, '}{header.started[:16].replace('T', ' ')}"

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How long each list is, and how many cells are as they were."""
        return [*((one.name, one.number) for one in self.lists), ("same", self.comparison.same)]


def histories(matrix: Matrix) -> list[Since]:
    """Every comparison of the report, those of one gateway together, the nearest earlier run first."""
    return [
        _since(gateway, number, source.run)
        for gateway in matrix.gateways
        for number, source in enumerate(gateway.history[:EARLIER])
    ]


def _since(gateway: Gateway, number: int, before: Run) -> Since:
    found = compare(before, gateway.run)
    lists = []
    for name, title in comparison.TITLES.items():
        changes = comparison.gravest(getattr(found, name))
        shown = [(change, comparison.verdicts(change), _why(change, name)) for change in changes[:CAP]]
        lists.append(Listed(name, title, shown, len(changes)))
    return Since(gateway, number, before, list(comparison.facts(found)), lists, found)


def _why(change: Change, name: str) -> str:
    return comparison.details(change, changed=name == "changed")


def marks(matrix: Matrix, sinces: list[Since]) -> dict[str, dict[str, list[int]]]:
    """The cells of each comparison and list, as places in the matrix: row times columns plus column."""
    rows = {row.scenario: number for number, row in enumerate(matrix.rows)}
    width = len(matrix.columns)
    found: dict[str, dict[str, list[int]]] = {}
    for since in sinces:
        at = {client: since.gateway.first + number for number, client in enumerate(since.gateway.clients)}
        found[since.key] = {
            name: [
                rows[change.key.scenario] * width + at[change.key.label]
                for change in changes
                if change.key.scenario in rows and change.key.label in at
            ]
            for name, changes in since.comparison.lists.items()
            if name != "old"
        }
    return found


def told(matrix: Matrix, gateway: int, sinces: list[Since]) -> dict[str, list[list[str]]]:
    """What the drawer says of a gateway's cells: by `row/column`, a list of (comparison, list, what, then)."""
    rows = {row.scenario: number for number, row in enumerate(matrix.rows)}
    of = matrix.gateways[gateway]
    found: dict[str, list[list[str]]] = {}
    for since in sinces:
        if since.gateway.key != of.key:
            continue
        for name, changes in since.comparison.lists.items():
            for change in changes:
                if name != "old" and change.key.scenario in rows and change.key.label in of.clients:
                    place = f"{rows[change.key.scenario]}/{of.first + of.clients.index(change.key.label)}"
                    before = tally.SYMBOLS[change.old.verdict] + " " + change.old.verdict if change.old else "absent"
                    found.setdefault(place, []).append([since.title, name, before, _why(change, "changed")])
    return found
