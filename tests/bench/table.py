"""Measures with their goals, and the table that shows them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.bench.servers import MOTO, OURS, RCLONE

_HEADINGS = ("measure", "unit", "ours", "median", "goal", "", "moto", "ours/moto", "rclone", "ours/rclone")
_TEXTS = 2  # columns that stand left; the others are numbers


@dataclass
class Measure:
    """One figure of several servers. Each may have several samples, of which the best counts.

    What else runs on a machine, or on the host below it, only ever adds to a cost; the median tells how much it did.
    """

    name: str
    unit: str
    goal: float | None = None
    more_is_better: bool = False
    samples: dict[str, list[float]] = field(default_factory=dict)

    def add(self, server: str, sample: float) -> None:
        """One more sample."""
        self.samples.setdefault(server, []).append(sample)

    def best(self, server: str) -> float | None:
        """The best sample of a server; None without samples."""
        choose = max if self.more_is_better else min
        return choose(self.samples.get(server, ()), default=None)

    def median(self, server: str) -> float | None:
        """The median of a server's samples; None if there are not several."""
        samples = self.samples.get(server, ())
        return statistics.median(samples) if len(samples) > 1 else None

    @property
    def verdict(self) -> str:
        """Whether ours meets the goal."""
        ours = self.best(OURS)
        if self.goal is None or ours is None:
            return ""
        met = ours >= self.goal if self.more_is_better else ours <= self.goal
        return "met" if met else "MISSED"


def table(measures: Iterable[Measure]) -> str:
    """A Markdown table, padded so that a terminal shows it well."""
    rows = [_HEADINGS, *(_row(measure) for measure in measures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    rule = ["-" * width for width in widths[:_TEXTS]] + ["-" * (width - 1) + ":" for width in widths[_TEXTS:]]
    lines = [_padded(rows[0], widths), rule, *(_padded(row, widths) for row in rows[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _padded(row: tuple[str, ...], widths: list[int]) -> list[str]:
    texts = [text.ljust(width) for text, width in zip(row[:_TEXTS], widths[:_TEXTS], strict=True)]
    return texts + [text.rjust(width) for text, width in zip(row[_TEXTS:], widths[_TEXTS:], strict=True)]


def _row(measure: Measure) -> tuple[str, ...]:
    ours, moto, rclone = (measure.best(name) for name in (OURS, MOTO, RCLONE))
    goal = "" if measure.goal is None else f"{'≥' if measure.more_is_better else '≤'} {_number(measure.goal)}"
    peers = (_number(moto), _ratio(ours, moto), _number(rclone), _ratio(ours, rclone))
    return (measure.name, measure.unit, _number(ours), _number(measure.median(OURS)), goal, measure.verdict, *peers)


def _number(value: float | None) -> str:
    """Three digits, as many as are worth reading."""
    if value is None:
        return "–"
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _ratio(ours: float | None, peer: float | None) -> str:
    return "–" if ours is None or not peer else f"{ours / peer:.2f}"
