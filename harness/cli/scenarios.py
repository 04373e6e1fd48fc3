"""`s3conform scenarios`: list what can be checked."""

from __future__ import annotations

import click
import msgspec

from harness import scenario


@click.command("scenarios", short_help="List what can be checked.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, with texts and sources.")
def command(as_json: bool) -> None:
    """List what can be checked: id, level and statement of each scenario.

    The letters of an id are its family; `s3conform run` takes either: --scenario ETAG-001, --family ETAG. Those about a
    feature, in brackets, run with profiles that name it.
    """
    found = scenario.load().values()
    if as_json:
        rows = [
            {
                "id": one.id,
                "family": one.family,
                "level": one.level,
                "title": one.title,
                "operations": one.operations,
                "clients": one.clients,
                "confidence": one.confidence,
                "source": one.source,
                "feature": one.feature,
                "text": one.text.text,
            }
            for one in found
        ]
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=1).decode())
        return
    for one in found:
        beyond = f" [{one.feature}]" if one.feature else ""
        click.echo(f"{one.id:10} {one.level:8} {one.title}{beyond}")
    click.echo(f"{len(found)} scenarios")
