"""A run as `summary.md`, for the step summary of a CI: headline, counts, families by client, what fails.

With a baseline, what regressed comes right after the headline. GitHub takes summaries of 1 MiB for each step: every
text is cut, every list is capped, and blocks that would not fit are left out and said to be.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reports import tally
from reports.text import one_line, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.compare import Change, Comparison
    from harness.record import Cell, Run

CAP = 50
"""Failing cells that are listed; the rest are in the HTML report."""

LIMIT = 1_000_000
"""Bytes of a summary: 1 MiB, less what the same step may write beside it."""

_MESSAGE = 240
_FACT = 1000
"""Characters of any one text."""

_ENTITIES = {char: f"&#{ord(char)};" for char in "#$@:"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile(r"[\\`*_~\[\]|!]|[#$@&<>]|:(?=//|[a-z_+-][\w+-]*:)|(?<=www)\.", re.IGNORECASE)
"""Punctuation that Markdown may read; a colon only where a link or an emoji code could begin."""


def write_markdown(run: Run, path: Path, comparison: Comparison | None = None) -> None:
    """Write the summary of `run` to `path` as GitHub flavoured Markdown, `comparison` being that with its baseline."""
    changes = _changes(comparison) if comparison else ""
    blocks = [_headline(run), changes, _facts(run), _levels(run), _families(run), _failing(run), _settings(run)]
    write_atomic(path, _fitting([*blocks, _remarks(run)]))


def escaped(text: str) -> str:
    """`text` as one line that Markdown shows literally: no markup, HTML, link, mention or new table cell."""
    return _SPECIAL.sub(_replacement, one_line(text, _FACT))


def _fitting(blocks: list[str]) -> str:
    """The blocks that fit into LIMIT bytes, and a line for those that do not."""
    note = "\n\nThe rest does not fit here; it is in the report.\n"
    page = ""
    for block in filter(None, blocks):
        longer = f"{page}\n\n{block}" if page else block
        if len((longer + note).encode()) > LIMIT:
            return page + note
        page = longer
    return page + "\n"


def _replacement(match: re.Match[str]) -> str:
    char = match[0]
    return "&#46;" if char == "." else _ENTITIES.get(char, "\\" + char)


def _headline(run: Run) -> str:
    fails = tally.failing(run)
    lines = [f"## S3 conformance of {escaped(tally.gateway_name(run))}"]
    if reason := tally.incomplete(run):
        lines.append(f"> ⚠️ **{escaped(reason[0].upper() + reason[1:])}**")
    must = tally.share(cell for cell in run.cells if cell.level == "MUST")
    verdict = f"✗ **{tally.plural(len(fails), 'cell')} failing**" if fails else "✓ **nothing failing**"
    lines.append(f"{verdict} of {tally.plural(len(run.cells), 'cell')} · MUST {tally.share_words(must)}")
    return "\n\n".join(lines)


def _facts(run: Run) -> str:
    header = run.header
    clients = ", ".join(
        f"{c.label} {c.version} ({f'missing: {c.missing}' if c.missing else c.runner})" for c in header.clients
    )
    return "\n".join(
        f"- {name}: {escaped(value)}"
        for name, value in (
            ("endpoint", header.endpoint),
            ("profile", header.profile or "none"),
            ("clients", clients),
            ("suite", f"{header.suite_version}, started {header.started}"),
        )
    )


def _levels(run: Run) -> str:
    """Verdict counts, one row a level."""
    counts = run.counts
    verdicts = [verdict for verdict in tally.SYMBOLS if counts[verdict]]
    levels = tally.grouped(run.cells, lambda cell: cell.level)
    rows = [
        [level, *(str(_having(cells, verdict)) for verdict in verdicts), str(len(cells)), _percent(cells)]
        for level in tally.LEVELS
        if (cells := levels.get(level))
    ]
    total = [
        "**all**",
        *(str(counts[verdict]) for verdict in verdicts),
        str(len(run.cells)),
        _percent(run.cells),
    ]
    titles = [f"{tally.SYMBOLS[verdict]} {verdict}" for verdict in verdicts]
    return _table(["level", *titles, "cells", "good"], [*rows, total])


def _families(run: Run) -> str:
    """Good cells of those judged, family by client, as `14/16`, with the failures that gate."""
    clients = tally.client_names(run)
    rows = []
    for family, cells in tally.grouped(tally.ordered(run), lambda cell: cell.family).items():
        by_client = tally.grouped(cells, lambda cell: cell.label)
        rows.append([escaped(family), *(_score(by_client.get(client, [])) for client in clients)])
    return _table(["family", *map(escaped, clients)], rows) if rows else ""


def _score(cells: list[Cell]) -> str:
    part = tally.share(cells)
    fails = sum(cell.fails for cell in cells)
    score = f"{part.good}/{part.judged}" if part.judged else "–"
    return f"{score} ✗{fails}" if fails else score


def _changes(comparison: Comparison) -> str:
    """What became of the baseline's cells: regressed, newly failing and vanished ones by name, the others by number."""
    lists = {
        "Regressed": comparison.regressed,
        "New, and failing": comparison.new_failing,
        "Vanished": comparison.vanished,
    }
    counts = ", ".join(f"{len(changes)} {name}" for name, changes in comparison.lists.items())
    blocks = [
        f"Since the baseline ({escaped(comparison.before.header.started)}): {counts}, {comparison.same} the same."
    ]
    for title, changes in lists.items():
        if changes:
            gravest = sorted(changes, key=lambda change: tally.LEVELS.index(change.cell.level))
            blocks.append(f"### {title}\n\n{_capped(['was', *_CELL], [_change(change) for change in gravest])}")
    return "\n\n".join(blocks)


def _change(change: Change) -> list[str]:
    """A row of a cell that is not what it was; of one that vanished, that it did."""
    was = _verdict(change.old) if change.old is not None else "–"
    row = _row(change.cell)
    if change.new is None:
        row[3:] = ["–", "not in this run"]
    return [was, *row]


_CELL = ["scenario", "level", "client", "verdict", "message"]


def _row(cell: Cell) -> list[str]:
    return [escaped(cell.scenario), cell.level, escaped(cell.label), _verdict(cell), _message(cell)]


def _verdict(cell: Cell) -> str:
    return f"{tally.SYMBOLS[cell.verdict]} {cell.verdict}"


def _failing(run: Run) -> str:
    fails = tally.failing(run)
    return f"### Failing\n\n{_capped(_CELL, [_row(cell) for cell in fails])}" if fails else ""


def _capped(titles: list[str], rows: list[list[str]]) -> str:
    """A table of the first rows, and how many more there are."""
    more = f"\n\n… and {len(rows) - CAP} more" if len(rows) > CAP else ""
    return _table(titles, rows[:CAP]) + more


def _settings(run: Run) -> str:
    """What clients need to be told; what is better or merely different is in the HTML report."""
    if run.advice is None:
        return ""
    found = [setting for setting in run.advice.settings if setting.kind in ("needed", "hopeless")]
    rows = [
        [
            escaped(s.client),
            escaped(s.name),
            escaped(s.value),
            escaped(s.default),
            escaped(one_line(s.observation, _MESSAGE)),
        ]
        for s in found[:CAP]
    ]
    table = _table(["client", "setting", "value", "default", "observed"], rows) if rows else "No setting is needed."
    return f"### Client settings\n\n{table}"


def _message(cell: Cell) -> str:
    return escaped(one_line(cell.message or cell.observed.text, _MESSAGE))


def _remarks(run: Run) -> str:
    return "\n".join(f"- {escaped(line)}" for line in tally.remarks(run))


def _having(cells: Iterable[Cell], verdict: str) -> int:
    return sum(cell.verdict == verdict for cell in cells)


def _percent(cells: Iterable[Cell]) -> str:
    percent = tally.share(cells).percent
    return "–" if percent is None else f"{percent} %"


def _table(titles: list[str], rows: list[list[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
