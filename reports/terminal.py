"""The summary at the end of a run, for a terminal or for a log: aligned words, no boxes, no markup read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from reports import tally
from reports.text import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from harness.record import Cell, Run, VerdictName

CAP = 20
"""Failing cells that are listed."""

_MESSAGE = 200

_STYLES: dict[VerdictName, str] = {
    "conforms": "green",
    "deviates": "cyan",
    "unsupported": "blue",
    "violates": "bold red",
    "contradicts": "bold magenta",
    "blocked": "bold yellow",
    "error": "bold red",
    "inapplicable": "dim",
}


def summary(run: Run, console: Console) -> None:
    """Print verdicts by client, shares by level, then the failing cells of `run` to `console`.

    Nothing that an endpoint sent is read as markup or reaches the terminal as a control sequence.
    """
    _say(console, f"S3 conformance of {one_line(tally.gateway_name(run))}", "bold")
    _say(console)
    _verdicts(run, console)
    _levels(run, console)
    _failing(run, console)
    _settings(run, console)
    _remarks(run, console)
    if reason := tally.incomplete(run):
        _say(console)
        _say(console, f"{reason[0].upper()}{one_line(reason[1:])}", "bold red")


def slowest(run: Run, console: Console, number: int = 10) -> None:
    """Print the cells that took longest, with the requests that they made."""
    _say(console)
    _say(console, f"Slowest {number} cells:", "bold")
    for cell in sorted(run.cells, key=lambda cell: -cell.seconds)[:number]:
        _say(
            console,
            f"  {cell.seconds:7.2f} s  {one_line(cell.scenario)} {one_line(cell.label)}"
            f"  {tally.plural(cell.requests, 'request')}",
        )


def _verdicts(run: Run, console: Console) -> None:
    """One line a client with how it was run, one column a verdict that occurs, and totals."""
    found = [verdict for verdict, total in run.counts.items() if total]
    infos = {info.label: info for info in run.header.clients}
    by_client = tally.grouped(run.cells, lambda cell: cell.label)
    rows = [(["", "version", "runner", *found, "total"], "bold")]
    for name in tally.client_names(run):
        cells, info = by_client.get(name, []), infos.get(name)
        numbers = [sum(cell.verdict == verdict for cell in cells) for verdict in found]
        failing = any(cell.fails for cell in cells)
        how = (
            [one_line(info.version), f"{info.runner} {one_line(info.image)}".rstrip()]
            if info and not info.missing
            else ["missing", ""]
        )
        rows.append(([one_line(name), *how, *map(str, numbers), str(len(cells))], "red" if failing else ""))
    rows.append((["total", "", "", *(str(run.counts[verdict]) for verdict in found), str(len(run.cells))], "bold"))
    widths = [max(cell_len(row[column]) for row, _ in rows) for column in range(len(found) + 4)]
    for row, style in rows:
        _say(console, _aligned(row, widths, 3), style)


def _aligned(row: list[str], widths: list[int], words: int) -> str:
    """`row` as one line: the first columns, which are `words`, flush left, the others right."""
    padded = [(text, " " * (width - cell_len(text))) for text, width in zip(row, widths, strict=True)]
    left = [text + pad for text, pad in padded[:words]]
    return "  ".join([*left, *(pad + text for text, pad in padded[words:])]).rstrip()


def _levels(run: Run, console: Console) -> None:
    levels = tally.grouped(run.cells, lambda cell: cell.level)
    _say(console)
    for level in tally.LEVELS:
        if cells := levels.get(level):
            _say(console, f"{level:<8}  {tally.share_words(tally.share(cells))}")


def _failing(run: Run, console: Console) -> None:
    fails = tally.failing(run)
    if not fails:
        return
    _say(console)
    _say(console, f"{tally.plural(len(fails), 'failing cell')}:", "bold")
    for cell in fails[:CAP]:
        _print(console, _failure(cell))
    if len(fails) > CAP:
        _say(console, f"… and {len(fails) - CAP} more; see the report")


def _failure(cell: Cell) -> Text:
    line = Text("  ")
    line.append(f"{tally.SYMBOLS[cell.verdict]} {cell.verdict}", _STYLES[cell.verdict])
    line.append(f"  {one_line(cell.scenario)} {one_line(cell.label)}", "bold")
    line.append(f"  {one_line(cell.message or cell.observed.text or cell.title, _MESSAGE)}")
    if cell.flaky:
        line.append("  (flaky)", "yellow")
    return line


def _settings(run: Run, console: Console) -> None:
    """The settings that clients cannot do without."""
    found = [setting for setting in run.advice.settings if setting.needed] if run.advice else []
    if found:
        _say(console)
        _say(console, f"{tally.plural(len(found), 'client setting')} needed, see the report:", "bold")
    for setting in found[:CAP]:
        _say(console, f"  {one_line(f'{setting.client} {setting.name} = {setting.value}')}")


def _remarks(run: Run, console: Console) -> None:
    lines = tally.remarks(run)
    if lines:
        _say(console)
    for line in lines:
        _say(console, one_line(line))


def _say(console: Console, line: str = "", style: str = "") -> None:
    """Print one line in one style."""
    _print(console, Text(line, style))


def _print(console: Console, line: Text) -> None:
    """Print `line` as it is: no markup, no emoji codes, no wrapping, no highlighting.

    What the encoding of the output lacks becomes `?`; the words beside each sign still say it all.
    """
    line.plain = line.plain.encode(console.encoding, "replace").decode(console.encoding)
    console.print(line, soft_wrap=True, highlight=False)
