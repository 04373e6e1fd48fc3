from collections.abc import Callable

from harness.record import VERDICTS, Cell, Footer, Run
from reports import tally


def test_share_counts_what_could_be_judged(cell_of: Callable[..., Cell]) -> None:
    """Deviations are good; unsupported and blocked are not; inapplicable is left out, errors are named."""
    cells = [cell_of(verdict=verdict) for verdict in VERDICTS]
    assert tally.Share(good=2, judged=6, errors=1) == tally.share(cells)


def test_lines_without_record_count_in_no_share(cell_of: Callable[..., Cell]) -> None:
    """Unverified and secondary lines never gate, so they raise and lower nothing."""
    cells = [cell_of(verdict=verdict, confidence="secondary") for verdict in VERDICTS]
    assert tally.Share(0, 0, 0) == tally.share(cells)


def test_percent_rounds_down() -> None:
    """Only perfection reads 100; nothing judged reads as nothing."""
    assert tally.Share(999, 1000, 0).percent == 99
    assert tally.Share(1000, 1000, 0).percent == 100
    assert tally.Share(0, 0, 3).percent is None


def test_order_is_that_of_ids_and_of_the_header(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """Cells are written as they finish; reports sort by family, scenario and the header's clients."""
    cells = [
        cell_of(2, "raw"),
        cell_of(1, "rclone"),
        cell_of(1, "unlisted"),
        cell_of(1, "boto3"),
        cell_of(9, "boto3", family="DEL", scenario="DEL-009"),
    ]
    order = [(cell.scenario, cell.client) for cell in tally.ordered(run_of(cells))]
    assert order == [
        ("DEL-009", "boto3"),
        ("ETAG-001", "boto3"),
        ("ETAG-001", "rclone"),
        ("ETAG-001", "unlisted"),
        ("ETAG-002", "raw"),
    ]


def test_failing_lists_must_first_and_only_what_gates(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """A SHOULD that fails comes after a MUST; what never gates is counted apart."""
    cells = [
        cell_of(1, verdict="violates", level="SHOULD"),
        cell_of(2, verdict="blocked"),
        cell_of(3, verdict="violates", confidence="unverified"),
        cell_of(4),
    ]
    run = run_of(cells)
    assert [cell.scenario for cell in tally.failing(run)] == ["ETAG-002", "ETAG-001"]
    assert tally.not_gating(run) == 1


def test_incomplete_says_what_is_missing(run_of: Callable[..., Run]) -> None:
    """No footer, an interruption, or cells that never came."""
    assert tally.incomplete(run_of()) == ""
    assert tally.incomplete(run_of(finished=False)).startswith("incomplete run: 24 of 24 cells (the run was killed")
    assert tally.incomplete(run_of(planned=30)) == "incomplete run: 24 of 30 cells"
    run = run_of()
    run.footer = Footer("", {}, [], interrupted="SIGINT")
    assert tally.incomplete(run) == "incomplete run: 24 of 24 cells (interrupted: SIGINT)"
