"""What is kept of a proof, and which cells are chosen to show it again."""

from __future__ import annotations

from pathlib import Path

from harness import scenario
from harness.proofs import Found, Mutants
from reference_server.defects import defects
from reference_server.variants import variants
from tests.mutants import expected, judge
from tests.mutants.record import cover, read, write

SMALL = Mutants(
    "1",
    {
        "one": Found("about one", ["A-001", "A-002", "B-001"]),
        "two": Found("about two", ["A-001"]),
        "three": Found("about three", ["B-001", "B-002"]),
    },
    {"harmless": []},
)


def test_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(SMALL, tmp_path / "mutants.json")
    assert read(tmp_path / "mutants.json") == SMALL


def test_cover_has_each_defect_and_each_scenario_and_few_cells() -> None:
    chosen = cover(SMALL, ["A-001", "A-002", "B-001", "B-002"])
    cells = [(name, one) for name, ids in chosen.items() for one in ids]
    assert {name for name, _ in cells} == SMALL.defects.keys()
    assert {one for _, one in cells} == {"A-001", "A-002", "B-001", "B-002"}
    assert len(cells) == 4
    assert all(one in SMALL.defects[name].scenarios for name, one in cells)


def test_cover_leaves_out_what_is_not_asked_for() -> None:
    assert cover(SMALL, ["B-002"]) == {"one": [], "two": [], "three": ["B-002"]}


def test_the_file_knows_every_defect_variant_and_scenario() -> None:
    """The bounded form in CI shows that they still hold; that nothing is missing is cheap to see here."""
    known = read()
    assert known.defects.keys() == defects().keys()
    assert known.variants.keys() == variants().keys()
    assert {one for found in known.defects.values() for one in found.scenarios} <= scenario.of_s3().keys()
    assert judge.complaints(known, scenario.of_s3().values()) == []


def test_every_defect_is_expected_somewhere() -> None:
    families = {found.family for found in scenario.of_s3().values()}
    for name in defects():
        assert expected.families(name)
        assert expected.families(name) <= families
