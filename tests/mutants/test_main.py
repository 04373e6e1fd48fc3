"""What the proof must not pass over in silence."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from harness.record import Cell, Observation, VerdictName
from reference_server.defects import defects
from reference_server.variants import variants
from tests.mutants.__main__ import main
from tests.mutants.proof import _shows


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["XYZ-999"], "unknown scenario or family 'XYZ-999'"),
        (["--bounded", "ETAG-001,XYZ"], "unknown scenario or family 'XYZ'"),
        (["--defect", "etag-not-md5,misspelt"], "unknown defect or variant 'misspelt'"),
        (["--clients", "raw,nobody"], "unknown client 'nobody'"),
        (["--bounded", "--defect", "etag-not-md5"], "--bounded"),
        (["-n", "0"], "--workers"),
    ],
)
def test_what_there_is_not_is_no_reason_to_pass(arguments: list[str], told: str) -> None:
    """A misspelt name selects nothing, and nothing has no complaints."""
    ended = CliRunner().invoke(main, arguments)
    assert ended.exit_code == 2
    assert told in ended.output


def test_bounded_proof_of_nothing_is_refused(tmp_path: Path) -> None:
    """There is a file to show again, or there is no proof."""
    ended = CliRunner().invoke(main, ["--bounded", "--out", str(tmp_path / "none.json")])
    assert ended.exit_code == 2
    assert "none.json" in ended.output


def cell(verdict: str, *, flaky: bool = False) -> Cell:
    """A cell that came to this."""
    observed = Observation("match")
    return Cell(
        *("ETAG-001", "MUST", "ETAG", "a title", ["PutObject"], "raw", "1", cast("VerdictName", verdict)),
        *("", observed, "", 0.1, 1, [], {}),
        flaky=flaky,
    )


def test_harmless_variant_that_keeps_a_scenario_from_being_judged_is_none() -> None:
    """Under a variant every scenario is to conform; under a defect only a violation shows that it was found."""
    harmless, wrong = next(iter(variants())), next(iter(defects()))
    for verdict in ("violates", "blocked", "error"):
        assert _shows(cell(verdict), harmless)
        assert _shows(cell(verdict), wrong) == (verdict == "violates")
    assert not _shows(cell("conforms"), harmless)
    assert not _shows(cell("inapplicable"), harmless)
    assert not _shows(cell("violates", flaky=True), harmless)
