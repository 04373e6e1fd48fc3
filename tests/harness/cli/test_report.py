"""`s3conform report`: one run in all formats, several as one matrix, and what changed since an earlier one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.report import command
from harness.errors import UsageError
from harness.record import GatewayInfo, Run, RunWriter
from tests.reports.conftest import make_cell, make_run


def written(folder: Path, name: str, version: str, verdict: str = "conforms") -> str:
    run: Run = make_run([make_cell(1, verdict=verdict)], gateway=GatewayInfo(name, version), started=f"2025-0{version}")
    path = folder / f"{name}-{version}.jsonl"
    writer = RunWriter(path)
    for line in (run.header, *run.cells, run.footer):
        assert line is not None
        writer.write(line)
    writer.close()
    return str(path)


def page(tmp_path: Path, *arguments: str) -> str:
    result = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path / "out")], standalone_mode=False)
    assert result.exception is None, result.exception
    assert result.output == f"Report: {tmp_path / 'out' / 'index.html'}\n"
    return (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_one_run_becomes_every_format(tmp_path: Path) -> None:
    assert "<h1>A 1</h1>" in page(tmp_path, written(tmp_path, "A", "1"))
    assert {"junit.xml", "summary.md", "badge.svg"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_several_runs_become_one_matrix(tmp_path: Path) -> None:
    """Those of one gateway are its history, unless each is to stand alone."""
    runs = [written(tmp_path, "A", "1"), written(tmp_path, "A", "2", "violates"), written(tmp_path, "B", "1")]
    together = page(tmp_path, *runs)
    assert "S3 conformance of 2 gateways" in together
    assert "▼ 1 regressed" in together
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["index.html"]
    assert "S3 conformance of 3 gateways" in page(tmp_path, *runs, "--each")


def test_baseline_shows_what_changed_since(tmp_path: Path) -> None:
    """With all formats of the one run; a baseline of something else is refused."""
    old, new = written(tmp_path, "A", "1"), written(tmp_path, "A", "2", "violates")
    assert "▼ 1 regressed" in page(tmp_path, new, "--baseline", old)
    assert (tmp_path / "out" / "junit.xml").exists()
    others = [written(tmp_path, name, "1") for name in ("C", "D")]
    result = CliRunner().invoke(command, [*others, "--baseline", old, "--out", str(tmp_path)], standalone_mode=False)
    assert isinstance(result.exception, UsageError)


@pytest.mark.parametrize("arguments", [[], ["run.jsonl"], ["--out", "x"]])
def test_runs_and_folder_must_be_named(arguments: list[str]) -> None:
    result = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert isinstance(result.exception, UsageError)
