"""`s3conform compare`: what became of each cell between two runs."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from harness import record
from harness.cli.options import writing
from harness.compare import compare
from harness.errors import OK, UsageError

_EPILOG = """\
\b
Examples:
  s3conform compare runs/monday reports/latest
  s3conform compare OLD NEW --format markdown --out change.md
  s3conform compare OLD NEW --format json | jq '.regressed[].scenario'

\b
Exit codes:
  0  compared, whatever came of it; `s3conform gate` is for CI
  2  usage, or FILE cannot be written
  4  OLD or NEW is no run file
"""


@click.command("compare", short_help="Show what differs between two runs.", epilog=_EPILOG)
@click.argument("runs", metavar="OLD NEW", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["terminal", "markdown", "json"]), default="terminal",
              show_default=True, help="How to show it; JSON always has every cell.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE",
              help="Write it to a file instead.")  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Every cell of every list, not the first 20.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of --format json, and nothing else.")
def command(runs: tuple[Path, ...], form: str, out: Path | None, everything: bool, schema: bool) -> int | None:
    """List the cells that regressed, vanished, are new, were fixed or changed between OLD and NEW.

    Each is a run file, or the folder that holds run.jsonl. Every cell is in one list, and what else differs between
    the runs (gateway, endpoint, profile, suite, clients) is told above them. Ids, times, ports and the names of
    buckets are no difference.
    """
    from reports import comparison

    if schema:
        click.echo(msgspec.json.format(msgspec.json.encode(comparison.json_schema()), indent=1).decode())
        return None
    if len(runs) != 2:
        raise UsageError("name two runs: OLD and NEW")
    old, new = (record.read(path) for path in runs)
    made = compare(old, new)
    cap = None if everything else comparison.CAP
    if form == "terminal" and out is None:
        from rich.console import Console

        comparison.show(comparison.text(made, cap=cap), Console(soft_wrap=True))
        return OK
    writers = {
        "terminal": lambda: "".join(f"{line.text}\n" for line in comparison.text(made, cap=cap)),
        "markdown": lambda: comparison.markdown(made, cap),
        "json": lambda: comparison.json(made),
    }
    _deliver(writers[form](), out)
    return None if out is None else OK


def _deliver(text: str, out: Path | None) -> None:
    """Write `text` to a file, whole or not at all, or to standard output."""
    from reports.text import write_atomic

    if out is None:
        click.echo(text, nl=False)
        return
    with writing(out):
        write_atomic(out, text)
    click.echo(f"Comparison: {out}")
