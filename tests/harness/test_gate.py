"""The exit codes that CI relies on."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness import gate, record
from harness.compare import LEVELS
from harness.errors import INCOMPLETE, OK, VIOLATIONS, RunFileError, UsageError
from harness.record import (
    FAILING,
    VERDICTS,
    Cell,
    ClientInfo,
    Footer,
    GatewayInfo,
    Header,
    Observation,
    Run,
    RunWriter,
    ScenarioText,
    Step,
    count,
)
from harness.wire.exchange import Exchange


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


def written(path: Path, made: Run) -> Path:
    """The file of a run."""
    writer = RunWriter(path)
    lines: list[record.Line | None] = [made.header, *made.cells, made.footer]
    for line in lines:
        if line is not None:
            writer.write(line)
    writer.close()
    return path


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


# --- against a baseline ---

ABSENT = "absent"
GATING = """
               conforms deviates unsupported violates contradicts blocked error inapplicable absent
conforms       ok       ok       ok          FAIL     FAIL        FAIL    FAIL  FAIL         FAIL
deviates       ok       ok       ok          FAIL     FAIL        FAIL    FAIL  FAIL         FAIL
unsupported    ok       ok       ok          FAIL     FAIL        FAIL    FAIL  FAIL         FAIL
violates       ok       ok       ok          ok       ok          ok      ok    FAIL         FAIL
contradicts    ok       ok       ok          ok       ok          ok      ok    FAIL         FAIL
blocked        ok       ok       ok          ok       ok          ok      ok    FAIL         FAIL
error          ok       ok       ok          ok       ok          ok      ok    FAIL         FAIL
inapplicable   ok       ok       ok          FAIL     FAIL        FAIL    FAIL  ok           FAIL
absent         ok       ok       ok          FAIL     FAIL        FAIL    FAIL  ok           ok
"""
"""What the gate makes of a cell: a row for what it was in the baseline, a column for what it is in the run."""


def table(text: str) -> dict[tuple[str, str], str]:
    """The cells of a truth table by row and column."""
    titles, *rows = (line.split() for line in text.strip().splitlines())
    return {(row[0], title): found for row in rows for title, found in zip(titles, row[1:], strict=True)}


TRUTH = table(GATING)


def beside(verdict: str, **changes: Any) -> Run:
    """A run of one cell that conforms, and of one with this verdict unless it is absent."""
    other = [] if verdict == ABSENT else [cell(verdict, **changes)]
    return run(cell("conforms"), *other)


def test_the_truth_table_has_every_verdict():
    assert len(TRUTH) == (len(VERDICTS) + 1) ** 2
    assert {row for row, _ in TRUTH} == {*VERDICTS, ABSENT}


@pytest.mark.parametrize(("before", "after"), TRUTH)
def test_truth_table(before, after):
    """Every verdict before, every verdict after, every level of the cell and of the gate."""
    for own, level in product(LEVELS, LEVELS):
        found = gate.decide(beside(after, level=own), beside(before, level=own), level)
        counts = LEVELS.index(own) <= LEVELS.index(level)
        assert found.code == (VIOLATIONS if counts and TRUTH[before, after] == "FAIL" else OK), (own, level)


@pytest.mark.parametrize(("before", "after"), TRUTH)
def test_truth_table_without_a_record(before, after):
    """What does not gate cannot fail by its verdict; but it cannot vanish unseen either."""
    gone = (after == ABSENT and before != ABSENT) or (after == "inapplicable" and before not in (after, ABSENT))
    for confidence in ("partly unverified", "unverified", "secondary"):
        found = gate.decide(beside(after, confidence=confidence), beside(before, confidence=confidence))
        assert found.code == (VIOLATIONS if gone else OK), confidence


def test_a_statement_that_came_to_be_recorded_regresses():
    """It failed before, but that did not count."""
    assert gate.decide(beside("violates"), beside("violates", confidence="secondary")).code == VIOLATIONS
    assert gate.decide(beside("violates", confidence="secondary"), beside("violates")).code == OK


def test_what_was_fixed_makes_up_for_nothing():
    """One fixed, one regressed: the same number fails, and the gate is not content."""
    before = run(cell("conforms"), cell("violates"), cell("conforms"))
    after = run(cell("conforms"), cell("conforms"), cell("violates"))
    found = gate.decide(after, before)
    assert (found.code, found.reason) == (VIOLATIONS, "1 regressed")
    assert found.comparison is not None
    assert [change.key.scenario for change in found.comparison.regressed] == ["ETAG-002"]


def test_old_failures_pass_and_are_named_also_with_other_evidence():
    before = run(cell("conforms"), cell("violates"), cell("violates"))
    other = cell("violates", observed=Observation("mismatch", "got 500"))
    found = gate.decide(run(cell("conforms"), cell("violates"), other), before)
    assert (found.code, found.reason, len(found.failing)) == (OK, "what fails, failed before (2)", 2)
    assert found.comparison is not None
    assert [change.key.scenario for change in found.comparison.old] == ["ETAG-001"]
    assert [change.key.scenario for change in found.comparison.changed] == ["ETAG-002"]


def test_the_level_is_what_the_run_says_now():
    """A scenario that came down from MUST does not fail a gate on MUST; one that was raised does."""
    lowered = beside("violates", level="SHOULD"), beside("conforms", level="MUST")
    assert gate.decide(*lowered, "MUST").code == OK
    assert gate.decide(*lowered, "SHOULD").code == VIOLATIONS
    assert gate.decide(beside("violates", level="MUST"), beside("conforms", level="SHOULD"), "MUST").code == VIOLATIONS


def test_a_level_excuses_what_is_below_it_also_without_a_baseline():
    found = gate.decide(beside("violates", level="SHOULD"), None, "MUST")
    assert (found.code, found.failing) == (OK, ())
    assert gate.decide(beside("violates", level="SHOULD"), None, "SHOULD").code == VIOLATIONS


def test_a_level_of_which_nothing_was_judged_is_no_pass():
    optional = run(cell("conforms", level="EXTENDED"), cell("inapplicable", level="MUST"))
    assert gate.decide(optional).code == OK
    found = gate.decide(optional, None, "MUST")
    assert (found.code, found.reason) == (INCOMPLETE, "the run checked nothing of level MUST")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (run(cell("conforms"), footer=False), "it has no footer"),
        (run(cell("conforms"), interrupted="SIGTERM"), "it was interrupted: SIGTERM"),
        (run(cell("conforms"), planned=2), "cells are missing: it has 1 of 2"),
        (run(cell("inapplicable")), "checked nothing"),
        (run(), "checked nothing"),
    ],
)
def test_neither_side_may_be_incomplete(broken, reason):
    """Whatever the other one is; and it is said which of the two it is."""
    whole = beside("conforms")
    for name, found in (("run", gate.decide(broken, whole)), ("baseline", gate.decide(whole, broken))):
        assert found.code == INCOMPLETE
        assert found.reason.startswith(f"the {name} ")
        assert reason in found.reason
        assert found.comparison is None


@pytest.mark.parametrize("repeats", [(0, 1), (1, 0)])
def test_a_cell_that_is_there_twice_counts_as_it_fails(repeats):
    """Workers that were lost may leave two lines for one cell: no order of them makes it pass."""
    twice = beside("conforms")
    lines = [twice.cells[1], msgspec.structs.replace(twice.cells[1], verdict="violates")]
    twice.cells = [twice.cells[0], *(lines[number] for number in repeats)]
    assert gate.decide(twice, beside("conforms")).code == VIOLATIONS


# --- accepting ---

REASON, AT = "versioning comes with 2.0", "2026-01-01T00:00:00+00:00"


def rich() -> Run:
    """A run whose cells carry everything that a baseline does without."""
    steps = [
        Step("PutObject", "setup", ok=True, status=200, headers={"etag": "x"}),
        Step("GetObject", "client", ok=False, status=500, code="InternalError", headers={"server": "y"}),
    ]
    evidence: dict[str, Any] = {
        "exchanges": [Exchange("GET", "http://h/b", [])],
        "repro": {"curl": "curl"},
        "observed": Observation("mismatch", "got 500", steps, 1),
    }
    made = run(cell("violates", **evidence), cell("conforms", **evidence))
    client = ClientInfo("rclone", "1.70", "local", program="/home/somebody/bin/rclone")
    texts = {"ETAG-000": ScenarioText("why", "AWS")}
    made.header = msgspec.structs.replace(made.header, clients=[client], scenarios=texts)
    made.cells.reverse()
    return made


def test_an_accepted_run_gates_as_the_run_itself_would():
    whole = rich()
    baseline = gate.accept(whole, None, REASON, AT)
    found = gate.decide(whole, baseline)
    assert found.code == OK
    assert found.comparison is not None
    assert (found.comparison.changed, found.comparison.same, len(found.comparison.old)) == ((), 1, 1)
    assert gate.decide(baseline, whole).code == OK


def test_an_accepted_run_keeps_what_verdicts_rest_on_and_no_more():
    whole = rich()
    baseline = gate.accept(whole, None, f"  {REASON} ", AT)
    header = baseline.header
    assert (header.run_id, header.planned, header.scenarios) == ("r", 2, {})
    assert header.trimmed.startswith("left out: exchanges")
    assert [client.program for client in header.clients] == ["rclone"]
    assert [one.scenario for one in baseline.cells] == ["ETAG-000", "ETAG-001"]
    failing = baseline.cells[0]
    assert (failing.exchanges, failing.repro, failing.observed.text) == ([], {}, "got 500")
    assert [step.headers for step in failing.observed.steps] == [{}, {"server": "y"}]
    assert whole.cells[0].exchanges


def test_an_acceptance_says_why_when_and_what_it_covers():
    before = run(cell("conforms"), cell("conforms"), cell("conforms"), cell("violates"))
    before.header = msgspec.structs.replace(before.header, run_id="earlier")
    before.cells[0] = msgspec.structs.replace(before.cells[0], scenario="ETAG-777")
    after = run(cell("violates"), cell("violates"), cell("conforms"), cell("conforms"))
    assert gate.accept(after, before, REASON, AT).header.accepted == record.Accepted(REASON, AT, "earlier", 1, 1, 1)
    assert gate.accept(after, None, REASON, AT).header.accepted == record.Accepted(REASON, AT, "", 0, 0, 2)


@pytest.mark.parametrize("reason", ["", "  ", "...", "-", "TODO", "todo: say why", " (TODO)", "\n"])
def test_no_baseline_without_a_reason(reason):
    with pytest.raises(UsageError, match="--reason"):
        gate.accept(beside("conforms"), None, reason, AT)


@pytest.mark.parametrize("reason", ["Todos of sprint 3", "see issue 12", "größer", "mastodon"])
def test_words_that_only_look_like_no_reason(reason):
    assert gate.accept(beside("conforms"), None, reason, AT).header.accepted


@pytest.mark.parametrize(
    "broken",
    [run(), run(cell("inapplicable")), run(cell("conforms"), footer=False), run(cell("conforms"), interrupted="x")],
)
def test_an_incomplete_run_cannot_be_accepted(broken):
    with pytest.raises(RunFileError, match="cannot become a baseline"):
        gate.accept(broken, None, REASON, AT)


def test_an_incomplete_baseline_can_be_replaced():
    assert gate.accept(beside("conforms"), run(cell("conforms"), footer=False), REASON, AT).header.accepted


def test_accepted_is_in_the_file_of_a_baseline_and_in_no_other(tmp_path):
    """Old files have no such field, and files of runs do not get one."""
    whole = rich()
    written(tmp_path / "run", whole)
    written(tmp_path / "baseline", gate.accept(whole, None, REASON, AT))
    assert b"accepted" not in (tmp_path / "run").read_bytes()
    assert record.read(tmp_path / "run").header.accepted is msgspec.UNSET
    kept = record.read(tmp_path / "baseline")
    assert kept.header.accepted == record.Accepted(REASON, AT, "", 0, 0, 1)
    assert gate.decide(record.read(tmp_path / "run"), kept).code == OK
