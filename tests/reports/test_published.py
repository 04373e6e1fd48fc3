"""The published runs: whole, small, explained, and silent about the machine that made them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import record
from reports import publish

FOLDER = Path(__file__).parents[2] / "reports" / "published"
FILES = sorted(FOLDER.glob("*.jsonl"))


def test_there_are_runs_of_gateways_that_nobody_here_wrote() -> None:
    assert len({record.read(path).header.gateway.name for path in FILES}) >= 6


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_published_run_is_whole_and_small(path: Path) -> None:
    run = record.read(path)
    assert run.complete
    assert path.name == publish.name(run)
    assert path.stat().st_size <= publish.CAP
    assert run.counts["error"] == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_published_run_has_a_note(path: Path) -> None:
    """With a list of what is surprising, and how it was confirmed."""
    note = path.with_suffix(".md").read_text(encoding="utf-8")
    assert len(re.findall(r"(?m)^\d+\. ", note)) >= 3
    assert re.search(r"(?i)by hand|confirmed by", note)


@pytest.mark.parametrize(
    "path", [path for path in sorted(FOLDER.rglob("*")) if path.is_file()], ids=lambda path: path.name
)
def test_nothing_published_tells_of_the_machine(path: Path) -> None:
    """Neither folders of whoever ran it, nor where packages came from; folders of the run's own are in commands."""
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"/(?:root|home|work)/[\w.-]+", text) == []
