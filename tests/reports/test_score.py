import re
from collections.abc import Callable
from pathlib import Path

from harness.record import VERDICTS, Cell, Run
from reports.score import PREFIX, score, write_score


def test_the_figures_of_a_run(run_of: Callable[..., Run], tmp_path: Path) -> None:
    """One line a figure, nothing that a shell or a CI could read as more; text of the endpoint has no part in it."""
    write_score(run_of(text="\n$(id)`id` x=1"), tmp_path / "score.env")
    lines = (tmp_path / "score.env").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(rf"{PREFIX}[a-z]+=(\d+|true|false|)", line) for line in lines)
    assert dict(line.removeprefix(PREFIX).split("=") for line in lines) == score(run_of())
    assert score(run_of()) == {
        "score": "50",
        "failing": "12",
        "cells": "24",
        "complete": "true",
        **dict.fromkeys(VERDICTS, "3"),
    }


def test_the_score_is_that_of_must(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """In percent, rounded down."""
    cells = [cell_of(n) for n in range(2)] + [cell_of(3, verdict="violates")]
    assert score(run_of([*cells, cell_of(4, verdict="violates", level="SHOULD")]))["score"] == "66"


def test_what_was_not_measured_has_no_score(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """Neither a run without MUST nor one that did not come to its end."""
    assert score(run_of([cell_of(level="SHOULD")]))["score"] == ""
    cut = score(run_of([cell_of()], planned=2))
    assert (cut["score"], cut["complete"]) == ("", "false")
