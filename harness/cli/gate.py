"""`s3conform gate`: exit code for CI."""

from __future__ import annotations

from pathlib import Path

import click

from harness import errors, gate, record

_EPILOG = """\
\b
Exit codes:
  0  everything conforms or is as documented
  1  violations
  4  the run is incomplete, checked nothing, or is no run
"""


@click.command("gate", short_help="Turn a run into an exit code for CI.", epilog=_EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
def command(run: Path) -> int:
    """Say whether RUN passes, from its run file alone. RUN is that file, or the folder that holds it."""
    read = record.read(run)
    code = gate.exit_code(read)
    failing = sum(cell.fails for cell in read.cells)
    word = {errors.OK: "passes", errors.VIOLATIONS: f"fails: {failing} cells"}.get(
        code, "is incomplete or checked nothing"
    )
    click.echo(f"{read.path} {word} ({', '.join(f'{n} {name}' for name, n in read.counts.items() if n)})")
    return code
