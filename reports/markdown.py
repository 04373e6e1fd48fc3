"""A run as `summary.md`, for the step summary of a CI: headline, counts, families by client, what fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reports import tally
from reports.text import one_line, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.record import Cell, Run

CAP = 50
"""Failing cells that are listed; the rest are in the HTML report."""

_MESSAGE = 240

_ENTITIES = {char: f"&#{ord(char)};" for char in "#$@:"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile(r"[\\`*_~\[\]|!]|[#$@&<>]|:(?=//|[a-z_+-][\w+-]*:)|(?<=www)\.", re.IGNORECASE)
"""Punctuation that Markdown may read; a colon only where a link or an emoji code could begin."""


def write_markdown(run: Run, path: Path) -> None:
    """Write the summary of `run` to `path` as GitHub flavoured Markdown."""
    blocks = [_headline(run), _facts(run), _levels(run), _families(run), _failing(run), _settings(run), _remarks(run)]
    write_atomic(path, "\n\n".join(block for block in blocks if block) + "\n")


def escaped(text: str) -> str:
    """`text` as one line that Markdown shows literally: no markup, HTML, link, mention or new table cell."""
    return _SPECIAL.sub(_replacement, one_line(text))


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


def _failing(run: Run) -> str:
    fails = tally.failing(run)
    if not fails:
        return ""
    rows = [
        [
            escaped(c.scenario),
            c.level,
            escaped(c.label),
            f"{tally.SYMBOLS[c.verdict]} {c.verdict}",
            _message(c),
        ]
        for c in fails[:CAP]
    ]
    table = _table(["scenario", "level", "client", "verdict", "message"], rows)
    more = f"\n\n… and {len(fails) - CAP} more" if len(fails) > CAP else ""
    return f"### Failing\n\n{table}{more}"


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
