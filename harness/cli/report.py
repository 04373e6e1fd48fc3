"""`s3conform report`: HTML and the other reports from run files."""

from __future__ import annotations

import gc
from pathlib import Path

import click
import msgspec

from harness import record
from harness.cli.options import writing
from harness.errors import OK, UsageError

_EPILOG = """\
\b
Examples:
  s3conform report reports/latest --out page      all formats of one run
  s3conform report runs/a runs/b --out matrix     two gateways side by side
  s3conform report new --baseline old --out page  what changed since
  s3conform report --schema > schema.json         for programs that read runs
"""


@click.command("report", short_help="Write HTML and other reports of one or more runs.", epilog=_EPILOG)
@click.argument("runs", metavar="RUN…", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=None, metavar="DIR",
              help="Folder for the reports.")  # fmt: skip
@click.option("--baseline", type=click.Path(path_type=Path), default=None, metavar="RUN",
              help="An earlier run of one of the gateways: what changed since is shown.")  # fmt: skip
@click.option("--each", is_flag=True, help="Show every run as a gateway of its own, none as the history of another.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a run file's lines, and nothing else.")
def command(runs: tuple[Path, ...], out: Path | None, baseline: Path | None, each: bool, schema: bool) -> int | None:
    """Write reports of runs: each RUN is a run file, or a folder that holds run.jsonl.

    One run becomes HTML, JUnit, Markdown and a badge; several become one HTML matrix: gateways, clients and scenarios.
    Of several runs of one gateway the newest is shown; the earlier ones are its history. An incomplete run is reported
    as such, with what it has.
    """
    if schema:
        click.echo(msgspec.json.format(msgspec.json.encode(record.json_schema()), indent=1).decode())
        return None
    if not runs or out is None:
        raise UsageError("name one or more run files, and --out DIR")
    # All that is read lives to the end; to look through it for garbage, again and again, would double the time.
    gc.disable()
    import reports
    from reports.evidence import Source
    from reports.html import write_matrix

    page = out / "index.html"
    single = record.read(runs[0]) if len(runs) == 1 else None
    sources = [] if single else [Source.load(path) for path in runs]
    earlier = Source.load(baseline) if baseline else None
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        if single:
            page = reports.write_all(single, out)["html"]
        if sources or earlier:
            write_matrix(sources or [Source.load(runs[0])], page, each=each, baseline=earlier)
    click.echo(f"Report: {page}")
    return OK
