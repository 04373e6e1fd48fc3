"""A run as annotations of GitHub Actions: lines that its runner turns into marks beside a commit.

    ::error title=ETAG-001 MUST::violates through boto3, rclone: wanted 200, got 501

One line a scenario, however many clients it fails through: errors for MUST, warnings for the levels below. With a
baseline only what regressed or is new has a line of its own. GitHub shows ten of a kind for each step, so the gravest
come first, and a notice at the end counts the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports import tally
from reports.text import one_line, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from harness.compare import Comparison
    from harness.record import Cell, Run

LIMIT = 10
"""Annotations of a kind that GitHub shows for a step."""

_TITLE = "S3 conformance"
_MESSAGE = 400
_CLIENTS = 12
"""Clients that an annotation names."""


def write_annotations(run: Run, path: Path, comparison: Comparison | None = None) -> None:
    """Write the annotations of `run` to `path`, one a line; an empty file where there is nothing to say."""
    write_atomic(path, "".join(f"{line}\n" for line in commands(run, comparison=comparison)))


def commands(run: Run, limit: int = LIMIT, comparison: Comparison | None = None) -> list[str]:
    """What to print for GitHub: at most `limit` errors, as many warnings, and a notice with what was left out.

    `comparison` is that of `run` with its baseline. Every line begins with `::` and holds nothing but visible text:
    what an endpoint sent cannot become a command of its own.
    """
    general = [reason] if (reason := tally.incomplete(run)) else []
    general += [_vanished(comparison)] if comparison and comparison.vanished else []
    errors = [_command("error", _TITLE, line) for line in general]
    warnings: list[str] = []
    fresh = _fresh(run, comparison)
    for cells in tally.grouped(fresh, lambda cell: cell.scenario).values():
        kind, lines = ("error", errors) if cells[0].level == "MUST" else ("warning", warnings)
        lines.append(_command(kind, f"{cells[0].scenario} {cells[0].level}", _message(cells)))
    shown = [*errors[:limit], *warnings[:limit]]
    hidden = len(errors) + len(warnings) - len(shown)
    return [*shown, *_rest(hidden, len(tally.failing(run)) - len(fresh))]


def _fresh(run: Run, comparison: Comparison | None) -> list[Cell]:
    """The failing cells that are news: all of them, or those that the baseline has no failure for."""
    if comparison is None:
        return tally.failing(run)
    news = {change.key for change in (*comparison.regressed, *comparison.new_failing)}
    return [cell for cell in tally.failing(run) if (cell.scenario, cell.label) in news]


def _message(cells: list[Cell]) -> str:
    """What one scenario came to, through which clients."""
    first = cells[0]
    labels = [cell.label for cell in cells]
    names = ", ".join(labels[:_CLIENTS]) + (f" and {len(labels) - _CLIENTS} more" if len(labels) > _CLIENTS else "")
    flaky = " (flaky)" if any(cell.flaky for cell in cells) else ""
    return f"{first.verdict} through {names}{flaky}: {first.message or first.observed.text or first.title}"


def _vanished(comparison: Comparison) -> str:
    gone = comparison.vanished
    first = gone[0].key
    return (
        f"{tally.plural(len(gone), 'cell')} of the baseline not judged any more, first {first.scenario} {first.label}"
    )


def _rest(hidden: int, known: int) -> list[str]:
    """A notice of what has no line of its own."""
    parts = [f"{hidden} more like these"] if hidden else []
    parts += [f"{tally.plural(known, 'cell')} failing as in the baseline"] if known else []
    return [_command("notice", _TITLE, f"{'; '.join(parts)}: see the report")] if parts else []


def _command(kind: str, title: str, message: str) -> str:
    """One command of the runner, with what it would read as its own syntax escaped by percent signs."""
    data = _escaped(one_line(message, _MESSAGE))
    name = _escaped(one_line(title, _MESSAGE)).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{data}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
