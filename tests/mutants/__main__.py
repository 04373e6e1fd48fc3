"""`python -m tests.mutants`: prove that scenarios can fail; see the package."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import click

from harness import __version__, scenario
from harness.clients import CLIENTS, LIBRARIES, choice
from harness.scenario import MUST, Scenario
from reference_server.defects import defects
from reference_server.variants import variants
from tests.mutants import judge, record
from tests.mutants.proof import Proof, Way, touchable

_FEW = 40
"""Defects up to which each is tried alone on everything."""
_UNSTEADY = {"keep-alive-dropped", "slow-down-429"}
"""Defects that hit some request or other: which scenario turns red is chance, and left to the full form."""
_SLOW = {"CON", "GEN", "LIM"}
"""Families that are left out where variants are looked at in short: they take long."""
_TRIES = 80
"""Defects that a scenario through a client program is tried on, the likely ones first."""


@click.command()
@click.argument("ids", default="", metavar="[ID,…]")
@click.option("--defect", "names", default="", metavar="NAME,…", help="Only these defects and variants.")
@click.option("--clients", default="", metavar="NAME,…", help="Clients to use, in order of preference.")
@click.option("--runner", type=click.Choice(choice.RUNNERS), default="local", help="How client programs run.")
@click.option("--bounded", is_flag=True, help="Only show again, once each, what the file says.")
@click.option("--merge", is_flag=True, help="Take what was asked for over into the file, and leave the rest of it.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=record.FILE, show_default=True)
@click.option("-n", "--workers", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default=True)
def main(
    ids: str, names: str, clients: str, runner: choice.RunnerName, bounded: bool, merge: bool, out: Path, workers: int
) -> None:
    """Run the suite against each defect, and against each harmless variant, of the reference server.

    With ids or families of scenarios, or with --defect: print what turns which scenarios red, and write nothing.
    """
    found = _scenarios(ids)
    asked = _known(names, {*defects(), *variants()}, "defect or variant")
    chosen = _known(clients, set(CLIENTS), "client")
    if bounded and (asked or merge):
        raise click.UsageError("--bounded shows again what the file says; it goes neither with --defect nor --merge")
    if (bounded or merge) and not out.exists():
        raise click.UsageError(f"there is no {out} yet; run without --bounded and --merge first")
    proof = Proof(workers, chosen or (LIBRARIES[:2] if ids or asked or bounded else CLIENTS), runner)
    started = time.monotonic()
    try:
        if bounded:
            complaints = _again(proof, found, record.read(out))
        else:
            tell = click.echo if not ids else lambda _: None
            proved, tried = _prove(proof, found, asked, record.read(out) if out.exists() else None, tell)
            if merge:
                proved = record.merged(record.read(out), proved, tried)
            if merge or not (ids or asked):
                record.write(proved, out)
                complaints = judge.complaints(proved, scenario.of_s3().values())
            else:
                _print(proved, found)
                complaints = []
    finally:
        proof.close()
    for line in complaints:
        click.echo(line)
    click.echo(f"{len(complaints)} complaints, {time.monotonic() - started:.0f} s")
    raise SystemExit(1 if complaints else 0)


def _known(names: str, known: set[str], what: str) -> list[str]:
    """The names in a list; one that there is not must not pass for one about which there is nothing to complain.

    Raises:
        click.UsageError: for the first of these.
    """
    asked = [one.strip() for one in names.split(",") if one.strip()]
    strange = next((one for one in asked if one not in known), None)
    if strange is not None:
        raise click.UsageError(f"unknown {what} {strange!r}")
    return asked


def _scenarios(ids: str) -> list[Scenario]:
    registry = scenario.of_s3()
    wanted = _known(ids, {*registry, *(one.family for one in registry.values())}, "scenario or family")
    return [one for one in registry.values() if not wanted or one.id in wanted or one.family in wanted]


def _honest(proof: Proof, found: list[Scenario]) -> dict[str, Way]:
    """How each scenario is proved; one that is not green on the honest server cannot be."""
    ways = {}
    for one in proof.honest(found):
        if one.way is None:
            click.echo(f"not proved: {one.scenario}: {one.why}")
        else:
            ways[one.scenario] = one.way
    return ways


def _prove(
    proof: Proof, found: list[Scenario], asked: list[str], earlier: record.Mutants | None, tell: Callable[[str], None]
) -> tuple[record.Mutants, list[str]]:
    """Every defect against all that it can touch, then what only client programs say, defect by defect."""
    ways = _honest(proof, found)
    cheap = {name: way for name, way in ways.items() if way.cheap}
    wrong = [name for name in asked if name in defects()] if asked else list(defects())
    harmless = [name for name in variants() if not asked or name in asked]
    click.echo(f"{len(ways)} scenarios ({len(ways) - len(cheap)} that are dear), {len(wrong)} defects")
    proved = record.fresh(wrong, __version__)
    for name, reds, strange in (proof.narrow if len(wrong) > _FEW else proof.against)(
        {name: touchable(name, cheap) for name in wrong}
    ):
        tell(_progress(name, reds, strange))
        proved.defects[name].scenarios = reds
    # What is dear, and what several defects at once may have hidden, is tried one defect after the other; not where
    # some defects are looked at and no scenarios.
    whole = asked and len(found) == len(scenario.of_s3())
    single = {name: way for name, way in ways.items() if not (whole or (way.cheap and (asked or proved.killers(name))))}
    tried = {
        name: (way, wrong if asked else judge.likely(name, proved, earlier)[:_TRIES]) for name, way in single.items()
    }
    for name, behaviour in proof.search(tried):
        tell(f"{name}: {behaviour or 'nothing'}")
        if behaviour:
            proved.defects[behaviour].scenarios.append(name)
    lost = {name: judge.expecting(name, ways) for name in wrong if not judge.expected_found(name, proved)}
    for name, reds, strange in proof.against(lost):
        tell(_progress(name, reds, strange))
        proved.defects[name].scenarios = sorted({*proved.defects[name].scenarios, *reds})
    for name, reds, strange in proof.against({name: list(cheap.items()) for name in harmless}):
        tell(_progress(name, reds, strange))
        proved.variants[name] = reds
    return proved, list(ways)


def _again(proof: Proof, found: list[Scenario], known: record.Mutants) -> list[str]:
    """What the file says, shown again with few cells, and variants on MUST lines; without what only programs say."""
    complaints = judge.complaints(known, found)
    able = [one.id for one in found if {"raw", "boto3"} & set(one.clients)]
    pairs = {name: ids for name, ids in record.cover(known, able).items() if ids and name not in _UNSTEADY}
    for name, reds in proof.again(pairs):
        complaints += [f"{one} does not catch {name} any more" for one in pairs[name] if one not in reds]
    raw = [one.id for one in found if "raw" in one.clients and one.level == MUST and one.family not in _SLOW]
    for name, reds in proof.again(dict.fromkeys(variants(), raw)):
        complaints += [f"{one} takes the harmless variant {name} for a fault" for one in reds]
    return complaints


def _progress(name: str, reds: list[str], strange: list[str]) -> str:
    return f"{name}: {len(reds)} red" + "".join(f"\n  {line}" for line in strange[:5])


def _print(proved: record.Mutants, found: list[Scenario]) -> None:
    for one in found if proved.defects else []:
        click.echo(f"{one.id}: {' '.join(sorted(proved.killers(one.id))) or 'NOTHING KILLS IT'}")
    for name, reds in proved.variants.items():
        if reds:
            click.echo(f"the harmless variant {name} turns red: {' '.join(reds)}")


if __name__ == "__main__":
    main()
