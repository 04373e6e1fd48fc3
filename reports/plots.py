"""Figures as inline SVG: no script, no colour of their own (classes follow the theme), each with its text beside it.

A figure is described by `role="img"` with title and description; the numbers it draws stand in a table as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports import families, tally

if TYPE_CHECKING:
    from harness.record import Level, Run
    from reports.matrix import Column, Gateway, Matrix
    from reports.tally import Share

SLOWEST = 15
"""Scenarios that are named."""
WIDTH, HEIGHT = 240.0, 84.0
"""Of a trend, in units of its view box."""


@dataclass(frozen=True)
class Line:
    """A bar that lies: `length` in hundredths of the longest, `words` the figure beside it."""

    name: str
    length: float
    words: str
    kind: str = "plain"


@dataclass(frozen=True)
class Multiple:
    """One of the small multiples: a family, a bar a gateway (a client where there is one gateway)."""

    family: str
    words: str
    lines: list[Line]

    @property
    def told(self) -> str:
        """The figure in words."""
        return "; ".join(f"{line.name} {line.words}" for line in self.lines)


@dataclass(frozen=True)
class Point:
    """A run in a trend, at `x`, `y` of the view box."""

    x: float
    y: float
    when: str
    version: str
    percent: int


@dataclass(frozen=True)
class Trend:
    """How a gateway's share of one level went over its runs, the oldest first."""

    level: Level
    points: list[Point]

    @property
    def path(self) -> str:
        """As the points of a polyline."""
        return " ".join(f"{point.x:g},{point.y:g}" for point in self.points)

    @property
    def told(self) -> str:
        """The figure in words."""
        return ", ".join(f"{point.when[:10]} {point.percent} %" for point in self.points)


@dataclass(frozen=True)
class Figures:
    """All figures of a report; lists that are empty have no figure."""

    multiples: list[Multiple]
    of: str
    trends: list[tuple[Gateway, list[Trend]]]
    slowest: list[Line]
    requests: list[Line]


def figures(matrix: Matrix) -> Figures:
    """The figures of a matrix."""
    return Figures(
        multiples=_multiples(matrix),
        of="client" if len(matrix.gateways) == 1 else "gateway",
        trends=[(gateway, trends(gateway)) for gateway in matrix.gateways if gateway.history],
        slowest=_slowest(matrix),
        requests=_requests(matrix),
    )


def _multiples(matrix: Matrix) -> list[Multiple]:
    single = len(matrix.gateways) == 1
    if single:
        groups = [(column.client, range(column.number, column.number + 1)) for column in matrix.columns]
    else:
        groups = [(gateway.name, matrix.columns_of(gateway)) for gateway in matrix.gateways]
    found = []
    for name, rows in matrix.families.items():
        lines = [_share_line(group, tally.share(matrix.of(rows, columns))) for group, columns in groups]
        found.append(Multiple(name, families.words(name), [line for line in lines if line]))
    return [multiple for multiple in found if multiple.lines]


def _share_line(name: str, share: Share) -> Line | None:
    if share.percent is None:
        return None
    kind = "full" if share.good == share.judged else "part"
    return Line(name, round(100 * share.good / share.judged, 1), f"{share.good}/{share.judged}", kind)


def trends(gateway: Gateway) -> list[Trend]:
    """The shares of a gateway's runs by level, for levels that two runs or more have judged."""
    runs = [source.run for source in (gateway.source, *gateway.history)][::-1]
    runs.sort(key=lambda run: run.header.started)
    found = []
    for level in tally.LEVELS:
        shares = [(run, tally.share(cell for cell in run.cells if cell.level == level)) for run in runs]
        judged = [(run, share) for run, share in shares if share.judged]
        if len(judged) > 1:
            found.append(Trend(level, _points(judged)))
    return found


def _points(shares: list[tuple[Run, Share]]) -> list[Point]:
    """The runs at equal distances: what counts is which came after which."""
    step = WIDTH / (len(shares) - 1)
    return [
        Point(
            round(number * step, 1),
            round(HEIGHT * (1 - share.good / share.judged), 1),
            run.header.started,
            run.header.gateway.version,
            share.percent or 0,
        )
        for number, (run, share) in enumerate(shares)
    ]


def _slowest(matrix: Matrix) -> list[Line]:
    """The scenarios whose slowest cell took longest, with where that was."""
    slowest: dict[int, tuple[float, Column]] = {}
    for (row, column), place in matrix.cells.items():
        if row not in slowest or place.cell.seconds > slowest[row][0]:
            slowest[row] = (place.cell.seconds, matrix.columns[column])
    ranked = sorted(slowest.items(), key=lambda item: -item[1][0])[:SLOWEST]
    longest = max((seconds for _, (seconds, _) in ranked), default=0.0)
    if not longest:
        return []
    return [
        Line(
            matrix.rows[row].scenario,
            round(100 * seconds / longest, 1),
            f"{seconds:.2f} s, {column.client}" + (f", {column.gateway.name}" if len(matrix.gateways) > 1 else ""),
        )
        for row, (seconds, column) in ranked
    ]


def _requests(matrix: Matrix) -> list[Line]:
    """Requests a cell on average by client: clients run different scenarios, so that sums would compare nothing."""
    by_client = tally.grouped((place.cell for place in matrix.cells.values()), lambda cell: cell.label)
    order = list(dict.fromkeys(column.client for column in matrix.columns))
    means = []
    for client in order:
        asked = [cell.requests for cell in by_client.get(client, []) if cell.requests]
        if asked:
            means.append((client, sum(asked) / len(asked), sum(asked), len(asked)))
    longest = max((mean for _, mean, _, _ in means), default=0.0)
    return [
        Line(client, round(100 * mean / longest, 1), f"{mean:.1f} a cell ({total:,} in {tally.plural(cells, 'cell')})")
        for client, mean, total, cells in means
    ]
