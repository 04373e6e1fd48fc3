"""`s3conform gate`: exit code for CI."""

from __future__ import annotations

from pathlib import Path

import click

from harness import errors, gate, record


@click.command("gate")
@click.argument("run", type=click.Path(path_type=Path))
def command(run: Path) -> int:
    """Exit 0 if RUN passes, 1 if it has violations, 4 if it is incomplete or nothing was checked."""
    read = record.read(run)
    code = gate.exit_code(read)
    failing = sum(cell.fails for cell in read.cells)
    word = {errors.OK: "passes", errors.VIOLATIONS: f"fails: {failing} cells"}.get(
        code, "is incomplete or checked nothing"
    )
    click.echo(f"{read.path} {word} ({', '.join(f'{n} {name}' for name, n in read.counts.items() if n)})")
    return code
