"""A run as `score.env`: lines of `name=value` for programs, every value a number or a plain word.

Made for what CI systems read: `cat score.env >> "$GITHUB_OUTPUT"`, a `dotenv` report of GitLab, `. ./score.env` in a
shell. Nothing in it comes from the endpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports import tally
from reports.text import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from harness.record import Run

PREFIX = "s3conform_"


def write_score(run: Run, path: Path) -> None:
    """Write the figures of `run` to `path`."""
    write_atomic(path, "".join(f"{PREFIX}{name}={value}\n" for name, value in score(run).items()))


def score(run: Run) -> dict[str, str]:
    """The figures of a run by name.

    `score` is the percentage of MUST, empty when none was judged or the run is incomplete; `failing` the cells that
    make the gate fail; `cells` all of them; `complete` true or false; then the number of cells of each verdict.
    """
    percent = tally.share(cell for cell in run.cells if cell.level == "MUST").percent
    return {
        "score": str(percent) if percent is not None and run.complete else "",
        "failing": str(len(tally.failing(run))),
        "cells": str(len(run.cells)),
        "complete": "true" if run.complete else "false",
        **{verdict: str(number) for verdict, number in run.counts.items()},
    }
