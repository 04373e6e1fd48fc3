"""Each profile is green against its own personality, and red against every other one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from harness import profile, record
from harness.record import FAILING, Cell
from harness.verdict import judge
from reference_server import personality
from tests.support import s3conform

NAMES = profile.names()
FAMILIES = "BKT,CFG,COPY,DEL,DIG,LST2,META,MPU,OPS"
"""Enough to tell the gateways apart; whole runs take minutes."""


def failing(cells: list[Cell], name: str) -> list[str]:
    """The cells of a run that fail when they are judged with a profile: a verdict is a function of what was seen."""
    documented, today = profile.load(name), dt.datetime.now(dt.UTC).date()
    return [
        f"{cell.scenario} {cell.client}"
        for cell in cells
        if cell.gates and judge(cell.scenario, cell.seen_through, cell.observed, documented, today).verdict in FAILING
    ]


def test_every_profile_has_a_personality_and_every_personality_a_profile() -> None:
    assert personality.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_profile_fits_its_own_personality_alone(name: str, tmp_path: Path) -> None:
    options = ("--profile", name, "--clients", "raw", "--family", FAMILIES, "--workers", 1, "--out", "out")
    end = s3conform("run", *options, cwd=tmp_path)
    assert end.code == 0, end.text
    cells = record.read(tmp_path / "out").cells
    table = {other: len(failing(cells, other)) for other in NAMES}
    assert table.pop(name) == 0
    assert {other: count for other, count in table.items() if count == 0} == {}
