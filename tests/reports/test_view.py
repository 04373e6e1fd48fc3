"""What the HTML template is given: operations by what is made of them, rules by whose fault it is."""

from __future__ import annotations

from typing import Literal

import pytest

from harness.record import Lint, Observation
from reports import view
from reports.html import render
from tests.reports.conftest import make_cell, make_exchange, make_run


@pytest.mark.parametrize(
    ("verdict", "notes", "text", "support"),
    [
        ("conforms", ["support: full"], "", "full"),
        ("conforms", ["support: refused (501 NotImplemented)"], "", "refused"),
        ("conforms", ["support: answered, but nothing could be set (404)"], "", "unset"),
        ("violates", [], "dummy answer: 200, but GetBucketAcl does not show the grant", "dummy"),
        ("violates", [], "fall-through: 200, and the object is gone", "fall-through"),
        ("violates", [], "no clean refusal: 500 InternalError", "unclear"),
    ],
)
def test_operation_stands_where_its_cell_puts_it(verdict: str, notes: list[str], text: str, support: str) -> None:
    cell = make_cell(
        verdict=verdict, scenario="OPS-001", family="OPS", notes=notes, observed=Observation("mismatch", text)
    )
    (offer,) = view.offers(make_run([make_cell(), cell]))
    assert offer.support == support
    assert offer.cells == [cell]


def test_operations_that_could_not_be_judged_stand_nowhere() -> None:
    cells = [make_cell(verdict=verdict, family="OPS") for verdict in ("blocked", "error", "inapplicable")]
    assert view.offers(make_run(cells)) == []


def test_rules_are_told_by_whose_fault_it_is_the_endpoint_first() -> None:
    """One rule against two parties is two rows."""

    def finding(party: Literal["endpoint", "client", "harness"], operation: str) -> Lint:
        return Lint("LINT-005", operation, "raw", "ETAG-001", "said", make_exchange(), "failure", party)

    run = make_run()
    run.lints = [finding("harness", "PutObject"), finding("endpoint", "GetObject"), finding("endpoint", "A")]
    found = view.rules(run)
    assert [(rule.party, rule.findings, rule.operations) for rule in found] == [
        ("endpoint", 2, ["A", "GetObject"]),
        ("harness", 1, ["PutObject"]),
    ]


def test_many_operations_of_a_rule_are_counted_and_not_all_shown() -> None:
    lints = [Lint("LINT-030", f"Operation{n:02}", "raw", "ETAG-001", "said", make_exchange()) for n in range(20)]
    run = make_run()
    run.lints = lints
    page = render([run])
    assert "Operation11, … 20 in all" in page
    assert "Operation12" not in page.partition("Lint of every answer")[2].partition("</table>")[0]


def test_failures_are_told_by_scenario_with_what_was_seen_once() -> None:
    """Clients that saw the same stand together."""
    cells = [
        make_cell(3, client, "violates", message=message)
        for client, message in (("raw", "got 500"), ("boto3", "got 501"), ("rclone", "got 500"))
    ]
    (failure,) = view.page(make_run([make_cell(1), *cells]), 0).failing
    assert failure.scenario == "ETAG-003"
    assert [(message, [cell.client for cell in seen]) for message, seen in failure.messages] == [
        ("got 501", ["boto3"]),
        ("got 500", ["raw", "rclone"]),
    ]


def test_entries_of_the_profile_stand_with_their_cells_contradicted_ones_first() -> None:
    """What an entry says is taken from a verdict that rests on it."""
    cells = [
        make_cell(1, verdict="deviates", profile_entry="deviations.A", message="as documented: it is slow"),
        make_cell(2, verdict="deviates", profile_entry="deviations.A", message="as documented: it is slow"),
        make_cell(3, verdict="contradicts", profile_entry="operations.B"),
        make_cell(4),
    ]
    found = view.documented(cells)
    assert [(one.entry, one.says, len(one.cells), one.contradicted) for one in found] == [
        ("operations.B", "", 1, True),
        ("deviations.A", "it is slow", 2, False),
    ]
