"""`s3conform cleanup`: remove what a killed run left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harness.cli.options import endpoint_options, make_endpoint
from harness.clients.raw import RawClient
from harness.errors import OK, VIOLATIONS
from harness.run import contact, shown
from harness.sandbox import cleanup, read_journal


@click.command("cleanup")
@click.argument("journal", type=click.Path(path_type=Path))
@click.option("--endpoint", default="", help="URL, if it is no longer the one in the journal.")
@endpoint_options
def command(journal: Path, endpoint: str, **options: Any) -> int:
    """Remove what a killed run left behind, as its JOURNAL (journal.jsonl) names it. Exit 1 if anything stayed."""
    path = journal / "journal.jsonl" if journal.is_dir() else journal
    head, owned = read_journal(path)
    from reports.text import one_line

    place = make_endpoint(endpoint or head.endpoint, options | {"addressing": head.addressing})
    contact(place)
    witness = RawClient(place)
    try:
        leftovers = cleanup(path, witness, seconds=600)
    finally:
        witness.close()
    for line in leftovers:
        click.echo(f"left behind: {one_line(shown(line, place))}")
    click.echo(f"{len(owned)} places cleaned" if not leftovers else f"{len(leftovers)} things stayed")
    return VIOLATIONS if leftovers else OK
