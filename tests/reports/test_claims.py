"""What a gateway says of itself stands beside what a run saw of it."""

from __future__ import annotations

import pytest

from harness import claims, profile
from harness.record import Cell, Run
from reports.claims import Sentence, sentences
from reports.html import render
from tests.reports.conftest import make_cell, make_run

K3 = profile.load("k3")
CLAIM = next(claim for claim in claims.of_profile("k3") if claim.scenarios)
ENTRY, NAMED = next((entry, ids) for entry, ids in claims.entries(K3) if entry.startswith("operations.") and ids)


def found(*cells: Cell) -> dict[str, Sentence]:
    return {one.claim.id: one for one in sentences(judged(*cells))}


def judged(*cells: Cell) -> Run:
    return make_run(list(cells), profile="k3")


@pytest.mark.parametrize(
    ("verdicts", "seen"),
    [
        ((), "not seen"),
        (("inapplicable",), "not seen"),
        (("error",), "not seen"),
        (("conforms",), "holds"),
        (("conforms", "unsupported"), "holds"),
        (("deviates", "error"), "holds"),
        (("conforms", "violates"), "violates"),
        (("blocked",), "violates"),
        (("violates", "contradicts", "conforms"), "contradicts"),
    ],
)
def test_claim_is_told_by_the_worst_that_was_seen_of_it(verdicts: tuple[str, ...], seen: str) -> None:
    cells = [
        make_cell(verdict=verdict, scenario=CLAIM.scenarios[0], client=f"c{n}") for n, verdict in enumerate(verdicts)
    ]
    sentence = found(make_cell(verdict="contradicts", scenario="NONE-001"), *cells)[CLAIM.id]
    assert sentence.seen == seen
    assert [cell.verdict for _, cell in sentence.cells] != ["inapplicable"]


def test_cell_that_rests_on_an_entry_shows_the_claims_of_the_entry() -> None:
    by_id = found(make_cell(verdict="unsupported", scenario="NONE-001", profile_entry=ENTRY))
    assert {by_id[name].seen for name in NAMED} == {"holds"}
    assert all(ENTRY in by_id[name].entries for name in NAMED)


def test_what_never_gates_makes_no_claim_wrong() -> None:
    cell = make_cell(verdict="violates", scenario=CLAIM.scenarios[0], confidence="unverified")
    assert found(cell)[CLAIM.id].seen == "not seen"


def test_contradicted_claims_come_first() -> None:
    cells = [make_cell(verdict="contradicts", scenario=CLAIM.scenarios[0])]
    assert sentences(judged(*cells))[0].seen == "contradicts"
    page = render([judged(*cells)])
    assert page.index("Contradicted by what was seen") < page.index("Not seen in this run")
    assert CLAIM.says in page


def test_profile_of_ones_own_has_no_claims() -> None:
    run = make_run([make_cell()], profile="mine.toml")
    assert sentences(run) == []
    assert "Documented against observed" not in render([run])
