"""Figures draw what the numbers say, and say it in words too."""

from __future__ import annotations

import re

from harness.record import GatewayInfo, Run
from reports import matrix, plots
from reports.evidence import Source
from reports.html import render
from tests.reports.conftest import make_cell, make_run


def figures(*runs: Run) -> plots.Figures:
    return plots.figures(matrix.build([Source.of(run) for run in runs]))


def named(name: str, cells: list[object], started: str = "2025-01-01T00:00:00Z") -> Run:
    return make_run(cells, gateway=GatewayInfo(name, "1.0"), started=started)  # type: ignore[arg-type]


def test_one_gateway_has_a_bar_a_client_and_several_a_bar_each() -> None:
    """Shares of good cells, as long as the share, with the counts beside them."""
    cells = [make_cell(1, "raw"), make_cell(2, "raw", "violates"), make_cell(1, "boto3")]
    (family,) = figures(named("A", cells)).multiples
    assert [(line.name, line.length, line.words, line.kind) for line in family.lines] == [
        ("boto3", 100.0, "1/1", "full"),
        ("raw", 50.0, "1/2", "part"),
    ]
    (family,) = figures(named("A", cells), named("B", [make_cell(1)])).multiples
    assert [(line.name, line.words) for line in family.lines] == [("A", "2/3"), ("B", "1/1")]
    assert family.told == "A 2/3; B 1/1"


def test_family_in_which_nothing_was_judged_has_no_figure() -> None:
    """A bar of length zero would say that all failed."""
    assert figures(named("A", [make_cell(verdict="inapplicable")])).multiples == []


def test_trend_goes_from_the_oldest_run_to_the_newest() -> None:
    """At equal distances, high where the share is; none of one run alone."""
    days = [f"2025-0{month}-01T00:00:00Z" for month in (1, 2, 3)]
    shares = [0, 2, 4]
    runs = [
        named("A", [make_cell(n, verdict="conforms" if n < good else "violates") for n in range(4)], day)
        for day, good in zip(days, shares, strict=True)
    ]
    ((gateway, (trend,)),) = figures(*runs).trends
    assert gateway.name == "A"
    assert trend.path == "0,84 120,42 240,0"
    assert trend.told == "2025-01-01 0 %, 2025-02-01 50 %, 2025-03-01 100 %"
    assert figures(runs[0]).trends == []


def test_slowest_scenarios_are_told_with_where_that_was() -> None:
    """The slowest cell of each, the longest first, no more than fifteen."""
    cells = [
        make_cell(number, client, seconds=number / 10 + (client == "raw"))
        for number in range(1, 21)
        for client in ("raw", "boto3")
    ]
    found = figures(named("A", cells)).slowest
    assert [(line.name, line.length, line.words) for line in found[:2]] == [
        ("ETAG-020", 100.0, "3.00 s, raw"),
        ("ETAG-019", 96.7, "2.90 s, raw"),
    ]
    assert len(found) == plots.SLOWEST
    assert figures(named("A", [make_cell(seconds=0.0)])).slowest == []


def test_requests_are_means_of_cells_that_sent_any() -> None:
    """Clients run different scenarios."""
    cells = [make_cell(1, "raw", requests=2), make_cell(2, "raw", requests=4), make_cell(3, "raw", requests=0)]
    (line,) = figures(named("A", cells)).requests
    assert (line.name, line.words) == ("raw", "3.0 a cell (6 in 2 cells)")


def test_figures_are_described_for_those_who_do_not_see_them() -> None:
    """Every drawing is an image with a name and stands beside its numbers, or is left out beside them."""
    days = ("2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z")
    page = render([named("A", [make_cell()], day) for day in days])
    told = re.sub(r'<td aria-hidden="true">.*?</td>', "", page.partition("<script")[0])
    drawings = re.findall(r"<svg[^>]*>", told)
    assert drawings
    assert all(' role="img" aria-label="' in drawing for drawing in drawings)
    assert "MUST 2025-01-01 100 %, 2025-02-01 100 %" in page
    hidden = re.findall(r'<td aria-hidden="true"><svg.*?</svg></td><td>([^<]+)</td>', page)
    assert "1/1" in hidden
