import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from harness.record import VERDICTS, Cell, Run
from reports.badge import verdict, write_badge, write_shields

SVG = "{http://www.w3.org/2000/svg}"


def test_the_share_of_must_is_shown(cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path) -> None:
    """Conforming and deviating MUST cells of those judged; other levels have no part in it."""
    cells = [cell_of(number) for number in range(24)] + [cell_of(30, verdict="violates")]
    cells.append(cell_of(31, verdict="violates", level="SHOULD"))
    path = tmp_path / "badge.svg"
    write_badge(run_of(cells), path)
    root = ET.parse(path).getroot()  # noqa: S314 - our own XML
    assert [text.text for text in root.iter(f"{SVG}text")] == ["S3 conformance", "96 % MUST"]
    assert "S3 conformance: 96 % MUST" == root.attrib["aria-label"] == root.findtext(f"{SVG}title")


def test_an_incomplete_run_has_no_percentage(run_of: Callable[..., Run]) -> None:
    """However good the cells that are there."""
    assert verdict(run_of(planned=99))[0] == "incomplete"
    assert verdict(run_of(finished=False))[0] == "incomplete"


def test_errors_are_not_hidden(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """What could not be judged stands beside the percentage, and the colour is no longer a promise."""
    text, shade = verdict(run_of([cell_of(1), cell_of(2, verdict="error")]))
    assert text == "100 % MUST, 1 error"
    assert shade == verdict(run_of(planned=99))[1]


def test_nothing_judged_is_no_zero(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """A run of SHOULD cells says nothing of MUST."""
    assert verdict(run_of([cell_of(level="SHOULD")]))[0] == "no MUST judged"


def test_colours_fall_with_the_share(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """Four shades, the best for perfection only."""
    shades = []
    for failing in (0, 5, 20, 60):
        cells = [cell_of(number, verdict="violates" if number < failing else "conforms") for number in range(100)]
        shades.append(verdict(run_of(cells))[1])
    assert len(set(shades)) == 4


@pytest.mark.parametrize("word", [*VERDICTS, "none", "incomplete"])
def test_the_json_badge_has_the_fields_that_shields_documents(
    word: str, cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """And says what the SVG says, whatever the run came to."""
    run = run_of([], planned=3) if word == "incomplete" else run_of([] if word == "none" else [cell_of(verdict=word)])
    write_shields(run, tmp_path / "badge.json")
    write_badge(run, tmp_path / "badge.svg")
    badge = json.loads((tmp_path / "badge.json").read_text(encoding="utf-8"))
    schema = json.loads((Path(__file__).parent / "data" / "badge.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(badge)
    texts = [text.text for text in ET.parse(tmp_path / "badge.svg").getroot().iter(f"{SVG}text")]  # noqa: S314 - ours
    assert texts == [badge["label"], badge["message"]]
