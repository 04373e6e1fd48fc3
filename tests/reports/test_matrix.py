"""Several runs become one matrix: who is a gateway, who is history, and which cell stands where."""

from __future__ import annotations

import pytest

from harness.errors import UsageError
from harness.record import VERDICTS, ClientInfo, GatewayInfo, Run
from reports import matrix
from reports.evidence import Source
from tests.reports.conftest import make_cell, make_run


def run(name: str, started: str = "2025-01-01T00:00:00Z", version: str = "1.0", **changes: object) -> Run:
    cells = changes.pop("cells", None) or [make_cell()]
    return make_run(cells, gateway=GatewayInfo(name, version), started=started, **changes)


def built(*runs: Run, **options: object) -> matrix.Matrix:
    return matrix.build([Source.of(one) for one in runs], **options)


def test_newest_run_of_a_gateway_is_shown_and_the_others_are_its_history() -> None:
    """Newest first, in whatever order they are given."""
    days = ["2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z", "2025-01-01T00:00:00Z"]
    found = built(run("A", days[0]), run("B"), run("A", days[1]), run("A", days[2]))
    assert [gateway.name for gateway in found.gateways] == ["A", "B"]
    assert found.gateways[0].run.header.started == days[1]
    assert [source.run.header.started for source in found.gateways[0].history] == [days[0], days[2]]
    assert found.gateways[1].history == []


def test_unknown_gateways_are_told_apart_by_their_endpoints() -> None:
    """Two endpoints that nobody named are two gateways."""
    found = built(run("unknown", endpoint="http://a"), run("unknown", endpoint="http://b"))
    assert [gateway.name for gateway in found.gateways] == ["http://a", "http://b"]


def test_each_run_can_be_a_gateway_of_its_own() -> None:
    """Named by what tells them apart: name, else version, else time, else id."""
    assert [one.name for one in built(run("A"), run("B"), each=True).gateways] == ["A", "B"]
    versions = built(run("A", version="1"), run("A", version="2"), each=True)
    assert [one.name for one in versions.gateways] == ["A 1", "A 2"]
    times = built(run("A"), run("A", "2025-02-01T00:00:00Z"), each=True)
    assert [one.name for one in times.gateways] == ["A 1.0, 2025-01-01T00:00:00Z", "A 1.0, 2025-02-01T00:00:00Z"]
    ids = built(run("A", run_id="x"), run("A", run_id="y"), each=True)
    assert [one.name for one in ids.gateways] == ["A 1.0, run x", "A 1.0, run y"]
    assert all(one.history == [] for one in ids.gateways)


def test_baseline_is_the_nearest_earlier_run_whatever_its_time() -> None:
    """Of the only gateway it need not even have the name."""
    days = ["2025-03-01T00:00:00Z", "2025-02-01T00:00:00Z"]
    baseline = Source.of(run("A", "2025-01-01T00:00:00Z", run_id="base"))
    found = built(run("A", days[0]), run("A", days[1]), run("B"), baseline=baseline)
    assert [source.run.header.run_id for source in found.gateways[0].history] == ["base", "20250102-abc"]
    assert built(run("Z"), baseline=baseline).gateways[0].history == [baseline]
    with pytest.raises(UsageError, match="the baseline is a run of A"):
        built(run("Y"), run("Z"), baseline=baseline)


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["Ceph RGW"], ["ceph-rgw"]),
        (["a b", "a-b", "A_B"], ["a-b", "a-b-2", "a-b-3"]),
        (["<script>", "\u202e", "日本"], ["script", "gateway", "gateway-2"]),
        (["Matrix", "overview"], ["matrix-2", "overview-2"]),
        (["x" * 500], ["x" * 40]),
    ],
)
def test_keys_fit_in_addresses_and_are_unique(names: list[str], keys: list[str]) -> None:
    """Letters, digits, dots and hyphens; never that of another page."""
    assert [gateway.key for gateway in built(*(run(name) for name in names)).gateways] == keys


def test_cells_stand_where_scenario_and_client_meet() -> None:
    """Rows by family and id; the columns of a gateway together; empty where no cell is."""
    first = run("A", cells=[make_cell(2, "raw"), make_cell(1, "boto3", "violates")])
    second = run("B", cells=[make_cell(2, "boto3", "error"), make_cell(9, "raw", family="DEL", scenario="DEL-009")])
    found = built(first, second)
    assert [row.scenario for row in found.rows] == ["DEL-009", "ETAG-001", "ETAG-002"]
    assert [(column.gateway.name, column.client) for column in found.columns] == [
        ("A", "boto3"),
        ("A", "raw"),
        ("A", "rclone"),
        ("B", "boto3"),
        ("B", "raw"),
        ("B", "rclone"),
    ]
    assert [found.codes(row) for row in range(3)] == ["....c.", "v.....", ".c.e.."]
    assert found.families == {"DEL": [0], "ETAG": [1, 2]}
    assert [cell.verdict for cell in found.of([1, 2], found.columns_of(found.gateways[0]))] == ["violates", "conforms"]


def test_of_two_cells_in_one_place_the_graver_is_shown() -> None:
    """Whichever was written last."""
    for verdicts in (("conforms", "violates"), ("violates", "conforms")):
        found = built(run("A", cells=[make_cell(1, verdict=verdict) for verdict in verdicts]))
        assert found.codes(0) == "v.."


def test_what_never_gates_is_a_capital() -> None:
    """So that the page knows it without another list."""
    cells = [make_cell(n, verdict=verdict, confidence="secondary") for n, verdict in enumerate(VERDICTS)]
    found = built(run("A", cells=cells))
    assert [found.codes(row)[0] for row in range(8)] == list("CDUVXBEI")


def test_missing_client_has_no_column_unless_it_has_cells() -> None:
    """An older run that says inapplicable of it is shown with it."""
    clients = [ClientInfo("raw", "1", "inprocess"), ClientInfo("awscli", "unknown", "local", missing="not here")]
    assert built(run("A", clients=clients, cells=[make_cell(1, "raw")])).gateways[0].clients == ["raw"]
    judged = run("A", clients=clients, cells=[make_cell(1, "awscli", "inapplicable")])
    assert built(judged).gateways[0].clients == ["raw", "awscli"]


def test_no_runs_and_no_cells_are_a_matrix_too() -> None:
    """An interrupted run may have nothing."""
    assert built().rows == []
    found = built(make_run([], planned=3, finished=False))
    assert (found.rows, found.cells, len(found.columns)) == ([], {}, 3)
