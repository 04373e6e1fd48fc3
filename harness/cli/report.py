"""`s3conform report`: HTML and the other reports from run files."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from harness import record
from harness.errors import UsageError


@click.command("report")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=None, help="Folder for the reports.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a run file's lines, and nothing else.")
def command(runs: tuple[Path, ...], out: Path | None, schema: bool) -> None:
    """Write reports of one or more RUNS (run files, or folders that hold run.jsonl).

    An incomplete run is reported as such, with what it has.
    """
    if schema:
        click.echo(msgspec.json.format(msgspec.json.encode(record.json_schema()), indent=1).decode())
        return
    if not runs or out is None:
        raise UsageError("name one or more run files, and --out DIR")
    import reports
    from reports.html import write_html

    read = [record.read(path) for path in runs]
    out.mkdir(parents=True, exist_ok=True)
    if len(read) == 1:
        files = reports.write_all(read[0], out)
        click.echo(f"Report: {files['html']}")
        return
    write_html(read, out / "index.html")
    click.echo(f"Report: {out / 'index.html'}")
