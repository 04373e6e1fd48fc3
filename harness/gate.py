"""Whether a run passes: the exit codes that CI relies on, alone or against a baseline.

    4   the run has no footer, was interrupted, lacks cells, or judged none; or the baseline is no whole run
    1   without a baseline: a cell fails
    1   with one: a cell regressed, or vanished, or is new and fails
    0   else; what fails as it failed before is told, and passes

A level leaves out the cells below it, of the run and of the baseline.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from harness import errors
from harness.compare import Comparison, compare, reaches
from harness.errors import RunFileError, UsageError
from harness.record import Accepted, Cell, Level, Run, anonymous

_TRIMMED = "left out: exchanges, reproductions, lint, advice, texts of scenarios, headers of steps that decided nothing"


@dataclass(frozen=True)
class Decision:
    """What a run comes to.

    Attributes:
        code: exit code.
        reason: why, in one line; it may hold text of the run file.
        failing: the cells that fail, whether they failed before or not.
        comparison: the run beside its baseline; None without one, or where one of the two is no whole run.
    """

    code: int
    reason: str
    failing: tuple[Cell, ...]
    comparison: Comparison | None = None


def exit_code(run: Run) -> int:
    """The exit code a run file deserves by itself."""
    return decide(run).code


def decide(run: Run, baseline: Run | None = None, level: Level = "EXTENDED") -> Decision:
    """Whether `run` passes, and why.

    Args:
        run: the run to judge.
        baseline: what it is compared with, if anything.
        level: the lowest level that counts.
    """
    failing = tuple(cell for cell in run.cells if cell.fails and reaches(cell, level))
    reason = unfit("run", run, level) or (unfit("baseline", baseline) if baseline is not None else "")
    if reason:
        return Decision(errors.INCOMPLETE, reason, failing)
    if baseline is None:
        reason = f"{len(failing)} failing" if failing else "everything conforms or is as documented"
        return Decision(errors.VIOLATIONS if failing else errors.OK, reason, failing)
    comparison = compare(baseline, run, level)
    against = _against(comparison)
    reason = against or (f"what fails, failed before ({len(failing)})" if failing else "nothing fails")
    return Decision(errors.VIOLATIONS if against else errors.OK, reason, failing, comparison)


def _against(comparison: Comparison) -> str:
    """What speaks against a run, in words; "" if nothing does."""
    numbers = {
        "regressed": len(comparison.regressed),
        "vanished": len(comparison.vanished),
        "new and failing": len(comparison.new_failing),
    }
    return ", ".join(f"{number} {what}" for what, number in numbers.items() if number)


def _unfinished(run: Run) -> str:
    """Why a run is not whole, in words; "" if it is."""
    if run.complete:
        return ""
    if run.footer is None:
        return "it has no footer: it was killed, or its file was cut"
    if run.footer.interrupted:
        return f"it was interrupted: {run.footer.interrupted}"
    return f"cells are missing: it has {len(run.cells)} of {run.header.planned}"


def unfit(what: str, run: Run, level: Level = "EXTENDED") -> str:
    """Why a run is no basis for a judgement, "" if it is one."""
    if reason := _unfinished(run):
        return f"the {what} is incomplete: {reason}"
    if not any(cell.verdict != "inapplicable" and reaches(cell, level) for cell in run.cells):
        return f"the {what} checked nothing" + (f" of level {level}" if level != "EXTENDED" else "")
    return ""


# --- a new baseline ---


def accept(run: Run, before: Run | None, reason: str, at: str) -> Run:
    """`run` as a baseline: without evidence that no comparison needs, and with the reason in its header.

    Args:
        run: the run whose cells are taken for good.
        before: the baseline that it takes the place of, if there is one.
        reason: why, for whoever reads it in a year.
        at: the time, as runs write it.

    Raises:
        UsageError: there is no reason.
        RunFileError: the run is not whole, or checked nothing.
    """
    reason = reason.strip()
    if not re.search(r"\w", reason) or re.match(r"\W*todo\b", reason, re.IGNORECASE):
        raise UsageError("--accept needs --reason TEXT: say why this run is what others are to be held to")
    if why := unfit("run", run):
        raise RunFileError(f"{run.path} cannot become a baseline: {why}")
    failed = decide(run).failing
    beside = compare(before, run) if before is not None else None
    accepted = Accepted(
        reason=reason,
        at=at,
        run_id_before=before.header.run_id if before is not None else "",
        regressed=len(beside.regressed) if beside else 0,
        vanished=len(beside.vanished) if beside else 0,
        new_failing=len(beside.new_failing) if beside else len(failed),
    )
    return slim(run, accepted)


def slim(run: Run, accepted: Accepted | msgspec.UnsetType = msgspec.UNSET) -> Run:
    """`run` with what a comparison and a verdict need, in an order that makes two baselines easy to compare as text."""
    cells = sorted((_slim(cell) for cell in run.cells), key=lambda cell: (cell.family, cell.scenario, cell.label))
    header = msgspec.structs.replace(anonymous(run.header), trimmed=_TRIMMED, accepted=accepted)
    return Run(header, cells, [], run.footer, run.path)


def _slim(cell: Cell) -> Cell:
    observed = cell.observed
    steps = [
        step if number == observed.failing else msgspec.structs.replace(step, headers={})
        for number, step in enumerate(observed.steps)
    ]
    return msgspec.structs.replace(
        cell, exchanges=[], repro={}, observed=msgspec.structs.replace(observed, steps=steps)
    )
