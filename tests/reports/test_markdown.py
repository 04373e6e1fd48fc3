import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.record import Cell, Run
from reports.markdown import CAP, escaped, write_markdown


def written(run: Run, folder: Path) -> str:
    """The summary of `run`."""
    write_markdown(run, folder / "summary.md")
    return (folder / "summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", "a\\|b"),
        ("`code`", "\\`code\\`"),
        ("<script>&", "&lt;script&gt;&amp;"),
        ("[x](y)", "\\[x\\](y)"),
        (":boom: at 03:04:05", "&#58;boom: at 03:04:05"),
        ("**b** _i_ ~s~", "\\*\\*b\\*\\* \\_i\\_ \\~s\\~"),
        ("http://evil.example", "http&#58;//evil.example"),
        ("www.evil.example", "www&#46;evil.example"),
        ("@everyone #1 $x$", "&#64;everyone &#35;1 &#36;x&#36;"),
        ("back\\slash", "back\\\\slash"),
        ("line\r\nbreak", "line\\\\x0d break"),
        ("plain, 200 OK: fine.", "plain, 200 OK: fine."),
    ],
)
def test_markdown_is_escaped(text: str, expected: str) -> None:
    """Tables, code, HTML, links, mentions: none of it comes from a message."""
    assert expected == escaped(text)


def test_tables_keep_their_shape(hostile: str, run_of: Callable[..., Run], tmp_path: Path) -> None:
    """Hostile text adds no row and no column, and no tag."""

    def shape(page: str) -> list[int]:
        return [len(re.findall(r"(?<!\\)\|", line)) for line in page.splitlines()]

    page = written(run_of(text=hostile), tmp_path)
    assert shape(written(run_of(), tmp_path)) == shape(page)
    assert not re.search(r"<\w|</", page)
    assert not any(char in page for char in "\x1b\x00\u202e")
    assert "://evil" not in page


def test_counts_add_up(run_of: Callable[..., Run], tmp_path: Path) -> None:
    """The rows of the levels sum to the row of all cells."""
    page = written(run_of(), tmp_path)
    rows = [
        line.strip("| ").split(" | ") for line in page.splitlines() if re.match(r"\| (MUST|SHOULD|EXT|\*\*all)", line)
    ]
    numbers = [[int(field) for field in row[1:-1]] for row in rows]
    assert len(rows) == 4
    assert [sum(column) for column in zip(*numbers[:3], strict=True)] == numbers[3]
    assert 24 == numbers[3][-1] == sum(numbers[3][:-1])


def test_the_list_of_failures_is_capped(
    cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """CI shows the first ones and how many more there are."""
    page = written(run_of([cell_of(number, verdict="violates") for number in range(CAP + 7)]), tmp_path)
    assert page.count("✗ violates | wanted") == CAP
    assert "… and 7 more" in page
    assert f"{CAP + 7} cells failing" in page


def test_an_incomplete_run_says_so_first(run_of: Callable[..., Run], tmp_path: Path) -> None:
    """Right under the title."""
    assert "**Incomplete run: 24 of 30 cells**" in written(run_of(planned=30), tmp_path).split("\n\n")[1]
    assert "ncomplete" not in written(run_of(), tmp_path)


def test_a_run_without_failures_says_so(
    cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """No empty list of failures."""
    page = written(run_of([cell_of()]), tmp_path)
    assert "✓ **nothing failing** of 1 cell · MUST 100 % (1 of 1 judged)" in page
    assert "### Failing" not in page
