"""`s3conform site`: published runs as a static site."""

from __future__ import annotations

from pathlib import Path

import click

from harness import record, scenario
from harness.cli.options import writing
from harness.errors import OK, UsageError

PUBLISHED = Path("reports/published")

_EPILOG = """\
\b
Examples:
  s3conform site --out page             the site of reports/published
  s3conform site --add reports/latest   publish a run there, made small
"""


@click.command("site", short_help="Publish runs, and make a static site of them.", epilog=_EPILOG)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=None, metavar="DIR",
              help="Folder for the site.")  # fmt: skip
@click.option("--published", type=click.Path(path_type=Path, file_okay=False), default=PUBLISHED, show_default=True,
              metavar="DIR", help="Folder of the published run files, with a note about each beside it.")  # fmt: skip
@click.option("--add", "added", multiple=True, type=click.Path(path_type=Path), metavar="RUN",
              help="Publish this run: store it small, without the evidence of what passes.")  # fmt: skip
def command(out: Path | None, published: Path, added: tuple[Path, ...]) -> int:
    """Publish runs, and make a static site of all published ones.

    A published run is a complete run that names its gateway and its version (`s3conform run --gateway NAME
    --gateway-version VERSION`). A note about it, in Markdown, stands beside it under the same name with .md.
    """
    if not added and out is None:
        raise UsageError("name --out DIR for the site, or --add RUN to publish one")
    from reports import publish, site

    with writing(published):
        for path in added:
            click.echo(f"Published: {publish.publish(record.read(path), published)}")
    if out is None:
        return OK
    files = sorted(published.glob("*.jsonl"))
    if not files:
        raise UsageError(f"no published runs in {published}: publish one with --add RUN, or name --published DIR")
    statements = [
        site.Statement(one.id, one.family, one.level, one.confidence, one.title, one.operations, one.feature, one.text)
        for one in scenario.load().values()
    ]
    with writing(out):
        site.write_site(files, statements, out)
    click.echo(f"Site: {out / 'index.html'}")
    return OK
