"""The first page of the HTML report: who conforms how far, what fails and where, family by family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.record import VERDICTS, Cell, Level, VerdictName, count
from reports import families, tally, view

if TYPE_CHECKING:
    from reports.matrix import Gateway, Matrix, Row
    from reports.view import Bar, Page

CAP = 40
"""Failing scenarios on the overview; the page of each gateway has all of its own."""


@dataclass(frozen=True)
class Entry:
    """A gateway as a line of the board."""

    gateway: Gateway
    page: Page
    must: int

    @property
    def words(self) -> str:
        """What fails, in a sentence without its end."""
        if not self.page.run.cells:
            return "nothing was checked"
        if not self.page.failing_cells:
            return "nothing fails"
        number = len(self.page.failing)
        must = f", {self.must} of them MUST" if self.must else ", none of them MUST"
        return f"{tally.plural(number, 'scenario')} {'fails' if number == 1 else 'fail'}{must}"


@dataclass(frozen=True)
class Fault:
    """A scenario that fails somewhere: the gateways, each with its failing cells."""

    row: Row
    gateways: list[tuple[Gateway, list[Cell]]]

    @property
    def message(self) -> str:
        """What the first cell says."""
        cell = self.gateways[0][1][0]
        return cell.message or cell.observed.text


@dataclass(frozen=True)
class Family:
    """A family with the bar of each gateway, in the order of the matrix."""

    name: str
    words: str
    scenarios: int
    bars: list[Bar]


@dataclass(frozen=True)
class Overview:
    """All that the first page shows."""

    entries: list[Entry]
    faults: list[Fault]
    more: int
    families: list[Family]
    counts: dict[VerdictName, int]
    clients: list[str]
    headline: str
    days: str


def overview(matrix: Matrix, pages: list[Page]) -> Overview:
    """The first page of a matrix, whose gateways have these pages."""
    entries = [
        Entry(gateway, page, sum(failure.level == "MUST" for failure in page.failing))
        for gateway, page in zip(matrix.gateways, pages, strict=True)
    ]
    entries.sort(key=_rank)
    faults = _faults(matrix)
    cells = [place.cell for place in matrix.cells.values()]
    return Overview(
        entries=entries,
        faults=faults[:CAP],
        more=max(0, len(faults) - CAP),
        families=[
            Family(
                name,
                families.words(name),
                len(rows),
                [view.bar(matrix.of(rows, matrix.columns_of(gateway))) for gateway in matrix.gateways],
            )
            for name, rows in matrix.families.items()
        ],
        counts={verdict: number for verdict, number in count(cells).items() if verdict in VERDICTS},
        clients=list(dict.fromkeys(column.client for column in matrix.columns)),
        headline=_headline(entries),
        days=_days(matrix),
    )


def _rank(entry: Entry) -> list[float]:
    """Best first: by the share of MUST, then of the other levels; one that is not complete last."""
    bars: dict[Level, Bar] = dict(entry.page.levels)
    shares = [bars[level].share if level in bars else None for level in tally.LEVELS]
    return [
        float(bool(entry.page.incomplete)),
        *(-share.good / share.judged if share and share.judged else 0.0 for share in shares),
    ]


def _faults(matrix: Matrix) -> list[Fault]:
    """Scenarios that fail: the gravest level first, then those that fail with most gateways."""
    found = []
    for number, row in enumerate(matrix.rows):
        gateways = [
            (gateway, [cell for cell in matrix.of([number], matrix.columns_of(gateway)) if cell.fails])
            for gateway in matrix.gateways
        ]
        failing = [(gateway, cells) for gateway, cells in gateways if cells]
        if failing:
            found.append(Fault(row, failing))
    return sorted(found, key=lambda one: (tally.LEVELS.index(one.row.level), -len(one.gateways)))


def _headline(entries: list[Entry]) -> str:
    """One sentence: what a reader takes away."""
    if not entries:
        return "No runs."
    if len(entries) == 1:
        words = entries[0].words
        return f"{words[0].upper()}{words[1:]}."
    clean = [entry for entry in entries if not entry.page.failing_cells and entry.page.run.cells]
    if len(clean) == len(entries):
        return "Nothing fails: all that differs from S3 is documented."
    best = entries[0]
    most = next((bar.share.percent for level, bar in best.page.levels if level == "MUST"), None)
    nearest = f"; {best.gateway.name} comes nearest with {most} % of MUST" if most is not None else ""
    if not clean:
        return f"Each of the {len(entries)} gateways fails somewhere{nearest}."
    return f"{len(clean)} of {len(entries)} gateways fail nowhere{nearest}."


def _days(matrix: Matrix) -> str:
    """When the runs were made: a day, or the first and the last."""
    days = sorted({gateway.run.header.started[:10] for gateway in matrix.gateways})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else ""
