"""`python -m tests.mutants`: prove that scenarios can fail; see the package."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from harness import scenario
from harness.clients import CLIENTS, LIBRARIES
from reference_server.defects import defects
from tests.mutants.proof import Proof, touchable


@click.command()
@click.argument("ids", default="", metavar="[ID,…]")
@click.option("--defect", "names", default="", metavar="NAME,…", help="Only these defects.")
@click.option("--clients", default=",".join(LIBRARIES[:2]), show_default=True, metavar="NAME,…")
@click.option("-n", "--workers", type=int, default=os.cpu_count() or 1, show_default=True)
def main(ids: str, names: str, clients: str, workers: int) -> None:
    """Which defects turn these scenarios (ids or families) red."""
    wanted = [one.strip() for one in ids.split(",") if one.strip()]
    registry = scenario.load()
    found = [one for one in registry.values() if not wanted or one.id in wanted or one.family in wanted]
    tried = [name for name in defects() if not names or name in names.split(",")]
    proof, started = Proof(workers, clients.split(",")), time.monotonic()
    try:
        ways = {}
        for one in proof.honest(found):
            if one.way is None:
                click.echo(f"NOT PROVED ON THE HONEST SERVER {one.scenario}: {one.why}")
            else:
                ways[one.scenario] = one.way
        click.echo(f"{len(ways)} scenarios, {len(tried)} defects, {time.monotonic() - started:.1f} s so far")
        killers: dict[str, list[str]] = {name: [] for name in ways}
        for name, reds, strange in proof.against({name: touchable(name, ways) for name in tried}):
            for line in strange:
                click.echo(f"  {name}: {line}")
            for one in reds:
                killers[one].append(name)
            if names:
                click.echo(f"{name}: {' '.join(reds) or 'NOTHING'}")
        for one, by in killers.items():
            click.echo(f"{one}: {' '.join(sorted(by)) or 'NOTHING KILLS IT'}")
        click.echo(f"{time.monotonic() - started:.1f} s")
    finally:
        proof.close()


if __name__ == "__main__":
    main()
