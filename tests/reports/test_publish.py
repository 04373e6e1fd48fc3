"""Run files small enough to be published: every verdict stays, evidence goes, what is missed least first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness import record
from harness.errors import RunFileError, UsageError
from harness.record import Cell, ClientInfo, GatewayInfo, Lint, Run
from harness.wire.exchange import Body
from reports import publish

from .conftest import make_exchange


def read(data: bytes, folder: Path) -> Run:
    path = folder / "published.jsonl"
    path.write_bytes(data)
    return record.read(path)


def told(cell: Cell) -> tuple[str, ...]:
    """What a published cell says without its evidence."""
    return cell.scenario, cell.client, cell.verdict, cell.message, cell.observed.text


@pytest.fixture
def large(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> Run:
    """A run with a megabyte of evidence, half of it of cells that pass."""
    exchanges = [make_exchange(request_body=Body(4096, "r" * 4096), response_body=Body(4096, "b" * 4096))] * 4
    verdicts = ("conforms", "violates", "deviates", "blocked")
    levels = ("MUST", "SHOULD", "EXTENDED")
    cells = [
        cell_of(number, verdict=verdicts[number % 4], level=levels[number % 3], exchanges=exchanges)
        for number in range(1, 33)
    ]
    return run_of(cells)


@pytest.mark.parametrize("cap", [900_000, 300_000, 100_000, 40_000, 25_000])
def test_verdicts_stay_whatever_has_to_go(large: Run, cap: int, tmp_path: Path) -> None:
    data = publish.trimmed(large, cap)
    assert len(data) <= cap
    small = read(data, tmp_path)
    assert small.complete
    assert small.counts == large.counts
    seen = [(cell.scenario, cell.client, cell.verdict, cell.message, cell.observed.text) for cell in small.cells]
    assert seen == [
        (cell.scenario, cell.client, cell.verdict, cell.message, cell.observed.text) for cell in large.cells
    ]


def test_evidence_of_what_passes_goes_first(large: Run, tmp_path: Path) -> None:
    """And the header says that it went."""
    small = read(publish.trimmed(large, 700_000), tmp_path)
    assert {cell.verdict for cell in small.cells if not cell.exchanges} == {"conforms", "deviates"}
    assert small.header.trimmed == "left out: exchanges and reproductions of cells that pass"


def test_must_is_the_last_to_lose_its_exchanges(large: Run, tmp_path: Path) -> None:
    small = read(publish.trimmed(large, 38_000), tmp_path)
    assert {cell.level for cell in small.cells if cell.exchanges} == {"MUST"}
    assert all(len(cell.exchanges[0].response_body.text) == 600 for cell in small.cells if cell.exchanges)
    assert all(cell.exchanges[0].response_body.truncated for cell in small.cells if cell.exchanges)


def test_what_does_not_fit_is_refused(large: Run) -> None:
    with pytest.raises(RunFileError, match="bytes without evidence; a published run has at most 5000"):
        publish.trimmed(large, 5000)


def test_a_small_run_keeps_its_evidence(run_of: Callable[..., Run], tmp_path: Path) -> None:
    run = run_of()
    small = read(publish.trimmed(run), tmp_path)
    assert small.cells == run.cells
    assert small.header.trimmed == ""


def test_programs_lose_their_paths(run_of: Callable[..., Run], tmp_path: Path) -> None:
    """Where somebody keeps programs is nobody's business; which program it was is."""
    clients = [ClientInfo("rclone", "1.75.2", "local", program="/home/someone/bin/rclone")]
    small = read(publish.trimmed(run_of(clients=clients)), tmp_path)
    assert [info.program for info in small.header.clients] == ["rclone"]


def test_findings_stay_with_one_exchange_a_rule(run_of: Callable[..., Run], tmp_path: Path) -> None:
    run = run_of()
    run.lints.append(Lint("LINT-002", "GetObject", "boto3", "ETAG-002", "odd", make_exchange()))
    small = read(publish.trimmed(run), tmp_path)
    assert [(lint.rule, lint.exchange.url != "") for lint in small.lints] == [
        ("LINT-001", True),
        ("LINT-001", False),
        ("LINT-002", True),
    ]


def test_an_unfinished_run_is_not_published(run_of: Callable[..., Run]) -> None:
    with pytest.raises(RunFileError, match="only complete runs are published"):
        publish.trimmed(run_of(finished=False))


@pytest.mark.parametrize(
    ("name", "version", "file"),
    [
        ("Example Gateway", "4.2", "example-gateway-4.2-2025-01-02.jsonl"),
        ("../../etc/passwd", "1 <b>", "etc-passwd-1-b-2025-01-02.jsonl"),
        ("ゲート", "..", "unnamed-unnamed-2025-01-02.jsonl"),
    ],
)
def test_file_names_hold_nothing_but_names(run_of: Callable[..., Run], name: str, version: str, file: str) -> None:
    assert publish.name(run_of(gateway=GatewayInfo(name, version))) == file


def test_a_run_that_does_not_say_of_what_is_not_published(run_of: Callable[..., Run]) -> None:
    with pytest.raises(UsageError, match="--gateway and --gateway-version"):
        publish.name(run_of(gateway=GatewayInfo("MinIO")))
