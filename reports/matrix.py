"""Several runs as one matrix: gateways with their clients across, scenarios down, a cell where one met the other.

The newest run of a gateway is what the matrix shows; its earlier runs are its history.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.record import FAILING, VERDICTS, Cell, Confidence, Level, Run, ScenarioText, VerdictName
from reports import tally
from reports.evidence import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CODES: Mapping[VerdictName, str] = {
    "conforms": "c",
    "deviates": "d",
    "unsupported": "u",
    "violates": "v",
    "contradicts": "x",
    "blocked": "b",
    "error": "e",
    "inapplicable": "i",
}
"""One letter a verdict: the class of a cell in the page, and its place in a row's string."""

EMPTY = "."
"""The letter of a place where no cell is: the scenario was not run through that client."""

RESERVED = frozenset({"overview", "matrix", "changes", "figures"})
"""Pages of the report; no gateway may have such a key."""

GRAVITY: tuple[VerdictName, ...] = (
    "violates",
    "contradicts",
    "error",
    "blocked",
    "deviates",
    "unsupported",
    "conforms",
    "inapplicable",
)
"""The verdicts, the gravest first."""


@dataclass(frozen=True)
class Row:
    """A scenario as the matrix names it; `soft` that it never gates, for want of a record of real S3."""

    scenario: str
    family: str
    level: Level
    confidence: Confidence
    title: str
    operations: list[str]

    @property
    def soft(self) -> bool:
        """Whether nothing that happens here makes a run fail."""
        return self.confidence != "recorded"


@dataclass(frozen=True)
class Place:
    """A cell with its number in its run, by which its evidence is found."""

    cell: Cell
    number: int


@dataclass(frozen=True)
class Gateway:
    """A product under test: its newest run, its earlier ones (newest first), and where its columns begin.

    `key` names it in addresses: lower case letters, digits, dots and hyphens, unique in the matrix.
    """

    key: str
    name: str
    source: Source
    history: list[Source]
    clients: list[str]
    first: int

    @property
    def run(self) -> Run:
        """The run that the matrix shows."""
        return self.source.run

    @property
    def version(self) -> str:
        """As the run has it; empty when it is not known."""
        version = self.run.header.gateway.version
        return "" if version == "unknown" else version


@dataclass(frozen=True)
class Column:
    """A client of a gateway."""

    number: int
    gateway: Gateway
    client: str


@dataclass
class Matrix:
    """Rows, columns, and the cells by (row, column) where there is one."""

    gateways: list[Gateway]
    columns: list[Column]
    rows: list[Row]
    cells: dict[tuple[int, int], Place]
    texts: dict[str, ScenarioText] = field(default_factory=dict)

    @property
    def families(self) -> dict[str, list[int]]:
        """The numbers of the rows of each family."""
        found: dict[str, list[int]] = {}
        for number, row in enumerate(self.rows):
            found.setdefault(row.family, []).append(number)
        return found

    def codes(self, row: int) -> str:
        """A letter a column: what came of a scenario everywhere; a capital where the cell never gates."""
        places = (self.cells.get((row, column)) for column in range(len(self.columns)))
        return "".join(_code(place.cell) if place else EMPTY for place in places)

    def of(self, rows: Iterable[int], columns: Iterable[int]) -> list[Cell]:
        """The cells where these rows and columns meet."""
        columns = list(columns)
        places = (self.cells.get((row, column)) for row in rows for column in columns)
        return [place.cell for place in places if place]

    def columns_of(self, gateway: Gateway) -> range:
        """The numbers of the columns of a gateway."""
        return range(gateway.first, gateway.first + len(gateway.clients))


def build(sources: Sequence[Source], *, each: bool = False, baseline: Source | None = None) -> Matrix:
    """The matrix of some runs.

    Args:
        sources: the runs, in any order; gateways stand in the order of their first run.
        each: every run is a gateway of its own, none is the history of another.
        baseline: an earlier run of one of the gateways, which comparisons begin with.

    Raises:
        UsageError: the baseline is of none of the gateways.
    """
    groups = [[source] for source in sources] if each else list(_by_name(sources))
    for group in groups:
        group.sort(key=lambda source: source.run.header.started, reverse=True)
    names = _titles(groups) if each else [_name(group[0].run) for group in groups]
    if baseline is not None:
        _adopt(groups, baseline)
    gateways: list[Gateway] = []
    for group, name in zip(groups, names, strict=True):
        newest, *history = group
        key = _key(name, {gateway.key for gateway in gateways} | RESERVED)
        first = sum(len(gateway.clients) for gateway in gateways)
        gateways.append(Gateway(key, name, newest, history, _clients(newest.run), first))
    columns = [
        Column(gateway.first + number, gateway, client)
        for gateway in gateways
        for number, client in enumerate(gateway.clients)
    ]
    return _filled(gateways, columns)


def _filled(gateways: list[Gateway], columns: list[Column]) -> Matrix:
    known: dict[str, Row] = {}
    texts: dict[str, ScenarioText] = {}
    for gateway in gateways:
        texts = gateway.run.header.scenarios | texts
        for cell in gateway.run.cells:
            if cell.scenario not in known:
                known[cell.scenario] = _row(cell)
    rows = sorted(known.values(), key=lambda row: (row.family, row.scenario))
    numbers = {row.scenario: number for number, row in enumerate(rows)}
    at = {(column.gateway.key, column.client): column.number for column in columns}
    cells: dict[tuple[int, int], Place] = {}
    for gateway in gateways:
        for number, cell in enumerate(gateway.run.cells):
            place = numbers[cell.scenario], at[gateway.key, cell.label]
            if place not in cells or _gravity(cell) < _gravity(cells[place].cell):
                cells[place] = Place(cell, number)
    return Matrix(gateways, columns, rows, cells, texts)


def _row(cell: Cell) -> Row:
    return Row(cell.scenario, cell.family, cell.level, cell.confidence, cell.title, list(cell.operations))


def _gravity(cell: Cell) -> int:
    return GRAVITY.index(cell.verdict)


def worst(cells: Iterable[Cell]) -> VerdictName | None:
    """The gravest verdict of some cells; None of no cells."""
    found = {cell.verdict for cell in cells}
    return next((verdict for verdict in GRAVITY if verdict in found), None)


def _code(cell: Cell) -> str:
    code = CODES[cell.verdict]
    return code if cell.gates else code.upper()


FAILING_CODES = "".join(CODES[verdict] for verdict in VERDICTS if verdict in FAILING)
"""The letters of the verdicts that fail."""


def _name(run: Run) -> str:
    """What the gateway of a run is called: the product, or its endpoint where no one named it."""
    name = run.header.gateway.name
    return run.header.endpoint if name == "unknown" else name


def _by_name(sources: Iterable[Source]) -> Iterable[list[Source]]:
    found: dict[str, list[Source]] = {}
    for source in sources:
        found.setdefault(_name(source.run), []).append(source)
    return found.values()


def _titles(groups: list[list[Source]]) -> list[str]:
    """A name for every run: that of its gateway, with the version or the time where it alone does not tell."""
    runs = [group[0].run for group in groups]
    for titles in (
        [_name(run) for run in runs],
        [tally.gateway_name(run) for run in runs],
        [f"{tally.gateway_name(run)}, {run.header.started}" for run in runs],
    ):
        if len(set(titles)) == len(titles):
            return titles
    return [f"{tally.gateway_name(run)}, run {run.header.run_id}" for run in runs]


def _adopt(groups: list[list[Source]], baseline: Source) -> None:
    """Put the baseline behind the newest run of its gateway; of the only one, whatever it is called."""
    name = _name(baseline.run)
    group = next((group for group in groups if _name(group[0].run) == name), None)
    if group is None and len(groups) == 1:
        group = groups[0]
    if group is None:
        raise UsageError(f"the baseline is a run of {name}, of which there is no other run here")
    group.insert(1, baseline)


def _key(name: str, taken: Iterable[str]) -> str:
    """A short name for addresses that is not among `taken`."""
    base = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")[:40] or "gateway"
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    return key


def _clients(run: Run) -> list[str]:
    """The clients that took part: a missing one has no column, the page of the gateway names it."""
    missing = {info.label for info in run.header.clients if info.missing}
    judged = {cell.label for cell in run.cells}
    return [name for name in tally.client_names(run) if name in judged or name not in missing]
