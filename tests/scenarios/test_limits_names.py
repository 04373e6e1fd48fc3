"""A name that is too short to be a run's own is tried where nobody has it, and nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness import scenario
from tests.mutants.stage import Stage, clients, stage, told

FOUND = scenario.load()["LIM-021"]
WRONG = "any-bucket-name"


@pytest.fixture(scope="module")
def place() -> Iterator[Stage]:
    with stage(clients(["raw"])) as found:
        yield found


def test_what_should_not_have_been_made_is_deleted(place: Stage) -> None:
    place.behave([WRONG])
    cell = place.run(FOUND, "raw")
    assert cell.verdict == "violates", told(cell)
    steps = [(step.operation, step.status) for step in cell.observed.steps]
    assert steps[-3:] == [("CreateBucket", 200), ("HeadBucket", 200), ("DeleteBucket", 204)]
    again = place.run(FOUND, "raw")  # had it stayed, another name would have been drawn
    assert [(step.operation, step.status) for step in again.observed.steps] == steps


def test_nothing_is_made_where_names_have_rules(place: Stage) -> None:
    place.behave([])
    cell = place.run(FOUND, "raw")
    assert cell.verdict == "conforms", told(cell)
    assert [step.operation for step in cell.observed.steps] == [
        *("HeadBucket", "ListBuckets", "CreateBucket", "HeadBucket"),
    ]
