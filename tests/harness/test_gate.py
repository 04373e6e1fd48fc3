"""The exit codes that CI relies on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness import gate
from harness.errors import INCOMPLETE, OK, VIOLATIONS
from harness.record import FAILING, VERDICTS, Cell, Footer, GatewayInfo, Header, Observation, Run, count


def cell(verdict: str, **changes: Any) -> Cell:
    made = Cell(
        scenario="ETAG-001",
        level="MUST",
        family="ETAG",
        title="t",
        operations=[],
        client="raw",
        client_version="1",
        verdict=verdict,  # type: ignore[arg-type]
        expected="",
        observed=Observation("match"),
        message="",
        seconds=0,
        requests=0,
        exchanges=[],
        repro={},
    )
    return msgspec.structs.replace(made, **changes)


def run(*cells: Cell, planned: int | None = None, footer: bool = True, interrupted: str = "") -> Run:
    header = Header("r", "t", "0", "http://h", GatewayInfo(), "aws", [], len(cells) if planned is None else planned, {})
    end = Footer("t", count(cells), [], interrupted) if footer else None
    distinct = [msgspec.structs.replace(one, scenario=f"ETAG-{number:03}") for number, one in enumerate(cells)]
    return Run(header, distinct, [], end, Path("run.jsonl"))


def test_a_repeated_cell_does_not_hide_a_missing_one():
    whole = run(cell("conforms"), cell("conforms"))
    assert gate.exit_code(whole) == OK
    assert gate.exit_code(msgspec.structs.replace(whole, cells=[whole.cells[0]] * 2)) == INCOMPLETE


@pytest.mark.parametrize("verdict", [name for name in VERDICTS if name not in FAILING and name != "inapplicable"])
def test_what_is_as_it_should_be_or_as_documented_passes(verdict):
    assert gate.exit_code(run(cell(verdict), cell("inapplicable"))) == OK


@pytest.mark.parametrize("verdict", sorted(FAILING))
def test_one_failing_cell_among_many_fails(verdict):
    cells = [cell("conforms")] * 300 + [cell(verdict)]
    assert gate.exit_code(run(*cells)) == VIOLATIONS


def test_many_failing_cells_have_the_same_code_as_one():
    """The code is no number of failures: 256 of them must not come out as 0."""
    assert gate.exit_code(run(*[cell("violates")] * 256)) == VIOLATIONS


def test_a_flaky_failure_stays_a_failure():
    assert gate.exit_code(run(cell("violates", flaky=True))) == VIOLATIONS


@pytest.mark.parametrize("confidence", ["partly unverified", "unverified", "secondary"])
def test_statements_without_a_record_never_gate(confidence):
    cells = [cell(verdict, confidence=confidence) for verdict in sorted(FAILING)]
    assert gate.exit_code(run(cell("conforms"), *cells)) == OK


def test_levels_do_not_excuse():
    assert gate.exit_code(run(cell("violates", level="EXTENDED"))) == VIOLATIONS


@pytest.mark.parametrize(
    "incomplete",
    [
        run(),
        run(planned=0),
        run(cell("inapplicable")),
        run(*[cell("inapplicable")] * 9),
        run(cell("conforms"), footer=False),
        run(cell("violates"), footer=False),
        run(cell("conforms"), planned=2),
        run(cell("conforms"), interrupted="SIGTERM"),
        run(cell("violates"), interrupted="deadline"),
    ],
    ids=[
        "none",
        "none-planned",
        "inapplicable",
        "all-inapplicable",
        "no-footer",
        "no-footer-fails",
        "missing-cells",
        "interrupted",
        "interrupted-fails",
    ],
)
def test_a_run_that_checked_nothing_or_did_not_end_is_incomplete(incomplete):
    assert gate.exit_code(incomplete) == INCOMPLETE == 4
