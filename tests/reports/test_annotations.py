import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.compare import compare
from harness.record import VERDICTS, Cell, Observation, Run
from reports.annotations import LIMIT, commands, write_annotations

COMMAND = re.compile(r"::(?P<kind>error|warning|notice) title=(?P<title>[^:,]*)::(?P<message>.*)")


def parsed(lines: list[str]) -> list[tuple[str, str, str]]:
    """Kind, title and message of each line, read as the runner of GitHub reads them."""
    found = []
    for line in lines:
        match = COMMAND.fullmatch(line)
        assert match, line
        found.append((match["kind"], *(_unescaped(match[name]) for name in ("title", "message"))))
    return found


def _unescaped(text: str) -> str:
    for escape, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, char)
    return text


@pytest.mark.parametrize("flaky", [False, True])
@pytest.mark.parametrize("confidence", ["recorded", "secondary"])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_cell_that_fails_the_gate_is_annotated(
    verdict: str, confidence: str, flaky: bool, cell_of: Callable[..., Cell], run_of: Callable[..., Run]
) -> None:
    """And no other; the clients are named, and that it is flaky."""
    cell = cell_of(verdict=verdict, confidence=confidence, flaky=flaky)
    found = parsed(commands(run_of([cell])))
    remark = " (flaky)" if flaky else ""
    wanted = [("error", "ETAG-001 MUST", f"{verdict} through boto3{remark}: wanted 200, got 501")]
    assert found == (wanted if cell.fails else [])


def test_one_line_a_scenario_and_the_gravest_first(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """MUST as errors, whatever the order in which cells ended, the lower levels as warnings."""
    cells = [
        cell_of(number, client, "violates", level=level)
        for number, level in ((1, "EXTENDED"), (2, "SHOULD"), (3, "MUST"))
        for client in ("raw", "boto3")
    ]
    assert [(kind, title) for kind, title, _ in parsed(commands(run_of(cells)))] == [
        ("error", "ETAG-003 MUST"),
        ("warning", "ETAG-002 SHOULD"),
        ("warning", "ETAG-001 EXTENDED"),
    ]
    assert parsed(commands(run_of(cells)))[0][2].startswith("violates through boto3, raw: ")


def test_as_many_as_github_shows_and_how_many_more(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """Ten of each kind; the last line counts the others."""
    cells = [cell_of(n, verdict="violates", level="MUST" if n < 25 else "SHOULD") for n in range(40)]
    found = parsed(commands(run_of(cells)))
    assert [kind for kind, *_ in found] == ["error"] * LIMIT + ["warning"] * LIMIT + ["notice"]
    assert found[-1][2] == "20 more like these: see the report"
    assert [kind for kind, *_ in parsed(commands(run_of(cells), limit=1))] == ["error", "warning", "notice"]


def test_clients_are_named_as_far_as_there_is_room(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """Thirty columns do not push the message out of sight."""
    cells = [cell_of(1, f"client{number:02}", "violates") for number in range(30)]
    [(_, _, message)] = parsed(commands(run_of(cells)))
    assert message.endswith("client11 and 18 more: wanted 200, got 501")


def test_an_incomplete_run_is_the_first_error(run_of: Callable[..., Run]) -> None:
    """However many cells fail."""
    assert parsed(commands(run_of(planned=30)))[0] == (
        "error",
        "S3 conformance",
        "incomplete run: 24 of 30 cells",
    )


def test_with_a_baseline_only_news_are_annotated(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """Regressed, new and vanished; what failed before is counted in the notice."""
    before = run_of([cell_of(1, verdict="violates"), cell_of(2), cell_of(4), cell_of(5)])
    now = run_of([cell_of(n, verdict="violates") for n in (1, 2, 3)] + [cell_of(4)])
    found = parsed(commands(now, comparison=compare(before, now)))
    assert [(kind, title) for kind, title, _ in found] == [
        ("error", "S3 conformance"),
        ("error", "ETAG-002 MUST"),
        ("error", "ETAG-003 MUST"),
        ("notice", "S3 conformance"),
    ]
    assert found[0][2] == "1 cell of the baseline not judged any more, first ETAG-005 boto3"
    assert found[-1][2] == "1 cell failing as in the baseline: see the report"


def test_what_the_runner_reads_as_syntax_is_escaped(cell_of: Callable[..., Cell], run_of: Callable[..., Run]) -> None:
    """Percent signs anywhere, colons and commas in the title; the text comes back as it was."""
    cell = cell_of(verdict="violates", message="100 %25, 50 %0A ::error::x", scenario="A:1,2")
    [line] = commands(run_of([cell]))
    assert line == "::error title=A%3A1%2C2 MUST::violates through boto3: 100 %2525, 50 %250A ::error::x"
    assert parsed([line]) == [("error", "A:1,2 MUST", "violates through boto3: 100 %25, 50 %0A ::error::x")]


def test_hostile_text_gives_no_command_of_its_own(
    hostile: str, cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """One line stays one line, short, of visible characters."""
    text = f"{hostile}\n::stop-commands::x\r\n##[add-mask]e\x85::error::y{'z' * 1_000_000}"
    fields = {"scenario": text, "client": text, "message": text, "observed": Observation("mismatch", text)}
    path = tmp_path / "annotations.txt"
    write_annotations(run_of([cell_of(verdict="violates", **fields), cell_of(2, verdict="violates")]), path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(parsed(lines)) == 2
    assert all(line.startswith("::error ") and len(line) < 4000 for line in lines)
    assert all(char.isprintable() for line in lines for char in line)


def test_nothing_to_say_is_an_empty_file(
    cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """Which a CI can print all the same."""
    write_annotations(run_of([cell_of()]), tmp_path / "annotations.txt")
    assert (tmp_path / "annotations.txt").read_text(encoding="utf-8") == ""
