"""`s3conform cleanup`: remove what a killed run left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from harness.cli.options import endpoint_options, make_endpoint
from harness.clients.raw import RawClient
from harness.errors import OK, VIOLATIONS
from harness.run import contact, reach, shown
from harness.sandbox import cleanup, read_journal

_EPILOG = """\
\b
Examples:
  s3conform cleanup reports/latest
  s3conform cleanup journal.jsonl --endpoint http://127.0.0.1:9000
"""


@click.command("cleanup", short_help="Remove what a killed run left behind.", epilog=_EPILOG)
@click.argument("journal", type=click.Path(path_type=Path))
@click.option("--endpoint", default="", metavar="URL", help="Where to look, if no longer where the journal says.")
@endpoint_options
def command(journal: Path, endpoint: str, **options: Any) -> int:
    """Remove what a killed run left behind, as its JOURNAL names it.

    JOURNAL is the file journal.jsonl, or the folder that holds it. Region and addressing are those of the run unless
    given. Exit code 1 if anything stayed.
    """
    path = journal / "journal.jsonl" if journal.is_dir() else journal
    head, owned = read_journal(path)
    from reports.text import one_line

    source = click.get_current_context().get_parameter_source
    of_run = {"region": head.region, "addressing": head.addressing}
    options |= {name: value for name, value in of_run.items() if source(name) is ParameterSource.DEFAULT}
    place = make_endpoint(endpoint or head.endpoint, options)
    # A run that was given a bucket may have used an endpoint that shows nothing of S3 outside of it.
    (reach if any(entry.prefix for entry in owned) else contact)(place)
    witness = RawClient(place)
    try:
        leftovers = cleanup(path, witness, seconds=600)
    finally:
        witness.close()
    for line in leftovers:
        click.echo(f"left behind: {one_line(shown(line, place))}")
    click.echo(f"{len(owned)} places cleaned" if not leftovers else f"{len(leftovers)} things stayed")
    return VIOLATIONS if leftovers else OK
