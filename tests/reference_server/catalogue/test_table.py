"""Every line of the behaviour catalogue is proved by a test of the reference server, or is missing for a reason.

The LINT lines are not in the table: they are rules on every exchange, which the wiretap of the harness applies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue import table

if TYPE_CHECKING:
    from pathlib import Path

# EXTENDED lines without a test, and why.
UNPROVEN: dict[str, str] = {}


def test_no_test_claims_a_line_that_is_not_in_the_catalogue() -> None:
    assert set(table.collect()) - {line.id for line in table.lines()} == set()


@pytest.mark.parametrize("level", ["MUST", "SHOULD"])
def test_every_line_with_a_source_has_a_test(level: str) -> None:
    proofs = table.collect()
    wanted = [line.id for line in table.lines() if line.level == level and line.standing != "unverified"]
    missing = [line for line in wanted if line not in proofs]
    assert missing == [], " ".join(missing)


def test_extended_lines_without_a_test_are_few_and_have_a_reason() -> None:
    proofs = table.collect()
    extended = [line.id for line in table.lines() if line.level == "EXTENDED"]
    missing = {line for line in extended if line not in proofs}
    assert missing == set(UNPROVEN)
    assert all(UNPROVEN.values())
    assert len(missing) <= len(extended) // 10


def test_the_document_is_up_to_date() -> None:
    written = table.DOCUMENT.read_text(encoding="utf-8") if table.DOCUMENT.exists() else ""
    assert written == table.render(), f"write it anew: {table.COMMAND}"


def test_markers_are_found_wherever_pytest_finds_them(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "import pytest\n"
        "pytestmark = [pytest.mark.catalogue('A-1')]\n"
        "CASES = [pytest.param(1, marks=pytest.mark.catalogue('A-2', 'A-3'))]\n"
        "@pytest.mark.parametrize('case', CASES)\n"
        "def test_one(case): ...\n"
        "@pytest.mark.catalogue('A-4')\n"
        "class TestGroup:\n"
        "    @pytest.mark.parametrize('case', [pytest.param(1, marks=[pytest.mark.catalogue('A-5')])])\n"
        "    def test_two(self, case): ...\n"
    )
    one, two = "test_a.py::test_one", "test_a.py::TestGroup::test_two"
    assert table.collect(tmp_path) == {"A-1": [one, two], "A-2": [one], "A-3": [one], "A-4": [two], "A-5": [two]}


@pytest.mark.parametrize(
    "source",
    [
        "@pytest.mark.catalogue('A-1')\ndef helper(): ...\n",
        "@pytest.mark.catalogue(*IDS)\ndef test_one(): ...\n",
        "@pytest.mark.catalogue()\ndef test_one(): ...\n",
    ],
)
def test_a_marker_that_would_be_lost_is_an_error(tmp_path: Path, source: str) -> None:
    (tmp_path / "test_a.py").write_text(source)
    with pytest.raises(ValueError, match=r"test_a\.py:1: "):
        table.collect(tmp_path)
