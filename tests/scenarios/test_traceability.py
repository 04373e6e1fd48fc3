"""Every line of the behaviour catalogue is a scenario, or has a reason why not."""

from __future__ import annotations

import pytest

from harness import scenario
from tests.reference_server.catalogue.table import Line, lines
from tests.scenarios.traceability import COMMAND, DOCUMENT, STANDING, document, untested

REGISTRY = scenario.load()


def test_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(REGISTRY), f"run {COMMAND}"


def test_no_line_is_lost() -> None:
    """A line is stated or explained, never both."""
    ids, reasons = {line.id for line in lines()}, untested()
    assert ids - REGISTRY.keys() == reasons.keys()
    assert all(len(reason) > 20 for reason in reasons.values())


@pytest.mark.parametrize("line", [line for line in lines() if line.id in REGISTRY], ids=lambda line: line.id)
def test_scenario_has_level_and_standing_of_its_line(line: Line) -> None:
    """What is not recorded never gates, and what is recorded does."""
    found = REGISTRY[line.id]
    assert found.level == line.level
    assert found.confidence == STANDING.get(line.standing, line.standing)


def test_there_are_as_many_as_promised() -> None:
    assert len(REGISTRY) >= 520
