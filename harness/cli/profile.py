"""`s3conform profile`: validate a profile, or draft one from a run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click
import msgspec

from harness import profile, record, scenario
from harness.cli.options import writing
from harness.errors import OK, USAGE, UsageError
from harness.profile_check import review
from harness.profile_draft import draft


@click.group("profile", short_help="Draft a profile from a run; validate one.", subcommand_metavar="VERB …")
def command() -> None:
    """What a gateway documents about itself, as data that verdicts are held to."""


@command.command("check", short_help="Validate a profile.")
@click.argument("name", metavar="NAME|FILE")
def check(name: str) -> int:
    """Find what is wrong with a profile.

    Words that there are not; entries that match nothing, that are expired, that contradict each other, or that nobody
    has explained yet.

    Exit codes: 0 nothing is wrong, 2 something is; a line for each.
    """
    found = profile.load(name)
    wrong = [str(problem) for problem in review(found, scenario.load(), dt.datetime.now(dt.UTC).date())]
    for line in dict.fromkeys(wrong):
        click.echo(line)
    scenarios = {name for entry in found.deviations for name in entry.scenarios}
    click.echo(
        f"{found.name}: {len(found.operations)} operations, {len(found.deviations)} deviations of {len(scenarios)} "
        f"scenarios, {len(found.limits)} limits; {len(set(wrong)) or 'nothing'} wrong"
    )
    return USAGE if wrong else OK


@command.command("init", short_help="Draft a profile from a run.")
@click.option("--run", "run", required=True, type=click.Path(path_type=Path), help="Run file, or the folder of a run.")
@click.option("--name", required=True, help="Name of the gateway, as in my-gateway.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.  [default: NAME.toml]")
def init(run: Path, name: str, out: Path | None) -> int:
    """Write a profile with an entry for all that failed in a run.

    Each has the reason TODO, and `profile check` refuses it until somebody has written why the gateway differs.
    """
    path = out or Path(f"{name}.toml")
    if path.exists():
        raise UsageError(f"{path} is there already; name another file with --out")
    text = draft(record.read(run), name)
    with writing(path):
        path.write_text(text, encoding="utf-8")
    click.echo(f"{path}: {text.count('[operations.')} operations, {text.count('[[deviations]]')} deviations to explain")
    return OK


@command.command("schema", short_help="Print the JSON Schema of profiles.")
def schema() -> None:
    """Print the JSON Schema of profiles, for editors that complete and check TOML."""
    click.echo(msgspec.json.format(msgspec.json.encode(msgspec.json.schema(profile.Profile)), indent=2).decode())
