"""`s3conform gate`: exit code for CI, alone or against a baseline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from harness import gate, record
from harness.errors import INCOMPLETE, OK, VIOLATIONS, UsageError
from harness.gate import Decision
from harness.record import Level, Run

if TYPE_CHECKING:
    from rich.console import Console

    from reports.comparison import Line, ListName

_EPILOG = """\
\b
Examples:
  s3conform gate reports/latest
      no cell may fail
  s3conform gate reports/latest --baseline conformance.jsonl
      no cell may regress, vanish, or be new and fail
  s3conform gate reports/latest --baseline conformance.jsonl \\
      --accept --reason "versioning is planned for 2.0"
      from now on, this run is what others are held to

\b
Exit codes:
  0  everything conforms or is as documented; with a baseline: nothing
     regressed, vanished, or is new and fails
  1  violations; with a baseline: something did
  2  usage or configuration
  4  the run or its baseline is incomplete, checked nothing, or is no run
"""
_WORDS = {OK: "passes", VIOLATIONS: "fails", INCOMPLETE: "cannot be judged"}
_STYLES = {OK: "bold green", VIOLATIONS: "bold red", INCOMPLETE: "bold red"}
_SHOWN: tuple[ListName, ...] = ("regressed", "vanished", "changed", "old")
"""Lists that are shown beside the failing ones of `new`; what was fixed is counted, and `compare` lists it."""


@click.command("gate", short_help="Turn a run into an exit code for CI.", epilog=_EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--baseline", type=click.Path(path_type=Path), default=None, metavar="RUN",
              help="Earlier run, or accepted baseline, to compare with.")  # fmt: skip
@click.option("--level", type=click.Choice(["must", "should", "extended"]), default="extended", show_default=True,
              help="Lowest level that counts; must is the highest.")  # fmt: skip
@click.option("--accept", is_flag=True, help="Write this run, without its evidence, as the new baseline.")
@click.option("--reason", default="", metavar="TEXT", help="Why it is accepted; kept in the baseline.")
@click.option("--all", "everything", is_flag=True, help="Every cell of every list, not the first 20.")
def command(run: Path, baseline: Path | None, level: str, accept: bool, reason: str, everything: bool) -> int:
    """Say whether RUN passes, from its run file alone. RUN is that file, or the folder that holds it.

    With --baseline, what failed there and still fails is listed and passes; what regressed, vanished, or is new and
    fails does not.
    """
    if reason and not accept:
        raise UsageError("--reason goes with --accept")
    if accept and baseline is None:
        raise UsageError("--accept needs --baseline FILE: where the new baseline is to be")
    if accept and level != "extended":
        raise UsageError("--accept takes the whole run: it does not go with --level")
    read = record.read(run)
    target = _target(baseline, read) if baseline is not None else None
    if accept and target is not None:
        return _accept(read, target, reason, everything=everything)
    decision = gate.decide(read, record.read(target) if target is not None else None, as_level(level))
    _print(_told(decision, read, everything=everything))
    return decision.code


def as_level(option: str) -> Level:
    """The level that an option names."""
    level: Level = msgspec.convert(option.upper(), Level)
    return level


def show(decision: Decision, run: Run, console: Console) -> None:
    """Print what `run` comes to against its baseline, after its summary."""
    from reports import comparison

    comparison.show([comparison.Line(""), *_told(decision, run, everything=False)], console)


def _told(decision: Decision, run: Run, *, everything: bool) -> Iterator[Line]:
    """What the gate says: verdict and reason, the runs, the lists."""
    from reports.comparison import Line
    from reports.text import one_line

    numbers = ", ".join(f"{number} {name}" for name, number in run.counts.items() if number) or "no cells"
    words = f"{run.path} {_WORDS[decision.code]}: {decision.reason} ({numbers})"
    yield Line(one_line(words), _STYLES[decision.code])
    yield from _cells(decision, everything=everything)


def _cells(decision: Decision, *, everything: bool) -> Iterator[Line]:
    """The cells that a decision rests on."""
    from reports import comparison

    cap = None if everything else comparison.CAP
    if decision.comparison is None:
        yield from comparison.failing(decision.failing, cap)
        return
    made = decision.comparison
    yield from comparison.text(made, (), cap)
    for name in _SHOWN:
        yield from comparison.listed(name, getattr(made, name), cap)
        if name == "vanished":
            yield from comparison.listed("new", made.new_failing, cap, "New, and fails")


def _target(baseline: Path, run: Run) -> Path:
    """The file of a baseline, which may not be there yet.

    Raises:
        UsageError: it is the run itself, beside which nothing ever regresses.
    """
    target = baseline / "run.jsonl" if baseline.is_dir() else baseline
    if target.resolve() == run.path.resolve():
        raise UsageError(f"--baseline {baseline} is the run itself: name the file of an earlier one")
    return target


def _accept(run: Run, target: Path, reason: str, *, everything: bool) -> int:
    """Make `run` the baseline.

    Raises:
        UsageError: no reason, or a place where nothing can be written.
        RunFileError: the run is not whole, or what stands at that place is no run file.
    """
    from reports.text import write_atomic

    before = record.read(target) if target.exists() else None  # whatever else stands there is not overwritten
    accepted = gate.accept(run, before, reason, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
    lines = [accepted.header, *accepted.cells, *([accepted.footer] if accepted.footer else [])]
    try:
        write_atomic(target.resolve(), "".join(f"{msgspec.json.encode(line).decode()}\n" for line in lines))
    except OSError as error:
        raise UsageError(f"--baseline {target}: cannot write there: {error.strerror}") from None
    _print(_cells(gate.decide(run, before), everything=everything))
    click.echo(f"Accepted as baseline: {target}")
    return OK


def _print(lines: Iterator[Line]) -> None:
    from rich.console import Console

    from reports import comparison

    comparison.show(lines, Console(soft_wrap=True))
