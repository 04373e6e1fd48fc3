"""Whether a run passes: the exit codes that CI relies on."""

from __future__ import annotations

from harness import errors
from harness.record import Run


def exit_code(run: Run) -> int:
    """The exit code a run file deserves.

    4 when the file is incomplete or not one cell could be judged, 1 when a cell fails that gates, else 0.
    """
    judged = [cell for cell in run.cells if cell.verdict != "inapplicable"]
    if not run.complete or not judged:
        return errors.INCOMPLETE
    return errors.VIOLATIONS if any(cell.fails for cell in judged) else errors.OK
