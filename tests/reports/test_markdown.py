import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.compare import compare
from harness.record import Advice, Cell, Footer, GatewayInfo, Observation, Run, Setting
from reports import markdown
from reports.markdown import CAP, LIMIT, escaped, write_markdown


def written(run: Run, folder: Path, before: Run | None = None) -> str:
    """The summary of `run`, after that of the baseline `before`."""
    write_markdown(run, folder / "summary.md", compare(before, run) if before is not None else None)
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


def test_what_regressed_comes_right_after_the_headline(
    cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """Then what is new and fails, then what vanished; each with what it was. MUST first within each."""
    before = run_of([cell_of(1, level="SHOULD"), cell_of(2), cell_of(4, verdict="violates"), cell_of(5)])
    now = run_of(
        [
            cell_of(1, verdict="violates", level="SHOULD"),
            cell_of(2, verdict="error"),
            cell_of(3, verdict="blocked"),
            cell_of(4, verdict="violates"),
        ]
    )
    page = written(now, tmp_path, before)
    assert "1 new, 0 fixed, 0 changed, 1 old, 0 the same" in page
    sections = dict(re.findall(r"### ([^\n]+)\n\n(.*?)(?=\n\n|\Z)", page, re.DOTALL))
    assert list(sections) == ["Regressed", "New, and failing", "Vanished", "Failing"]
    assert sections["Regressed"].splitlines()[2:] == [
        "| ✓ conforms | ETAG-002 | MUST | boto3 | ! error | wanted 200, got 501 |",
        "| ✓ conforms | ETAG-001 | SHOULD | boto3 | ✗ violates | wanted 200, got 501 |",
    ]
    assert sections["New, and failing"].splitlines()[2].startswith("| – | ETAG-003 | MUST | boto3 | ⊘ blocked |")
    assert sections["Vanished"].splitlines()[2] == "| ✓ conforms | ETAG-005 | MUST | boto3 | – | not in this run |"
    assert page.index("### Vanished") < page.index("- endpoint:")


def test_a_run_like_its_baseline_says_so(run_of: Callable[..., Run], tmp_path: Path) -> None:
    """No empty lists."""
    page = written(run_of(), tmp_path, run_of())
    assert "0 regressed, 0 vanished, 0 new, 0 fixed, 0 changed, 12 old, 12 the same" in page
    assert "### Regressed" not in page
    assert "### Vanished" not in page


def test_the_lists_of_changes_are_capped(
    cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """As that of failures is."""
    numbers = range(CAP + 3)
    before = run_of([cell_of(number) for number in numbers])
    page = written(run_of([cell_of(number, verdict="violates") for number in numbers]), tmp_path, before)
    assert page.count("… and 3 more") == 2


def test_lines_of_a_megabyte_are_cut(cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path) -> None:
    """However many of their characters become escapes: the summary stays far below what GitHub takes."""
    text = "\x1b<|" * 2000 + "x" * 1_000_000
    cells = [cell_of(1, verdict="violates", text=text), cell_of(2)]
    run = run_of(cells, gateway=GatewayInfo(text, text), profile=text, endpoint=text, started=text, planned=9)
    run.advice = Advice([Setting(text, text, text, text, text, needed=True)], {})
    run.footer = Footer("", {}, [text, text])
    assert len(written(run, tmp_path).encode()) < LIMIT / 10


def test_blocks_that_do_not_fit_are_left_out(
    run_of: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes first stays, and the summary says that it is not whole; no table is cut within."""
    whole = written(run_of(), tmp_path)
    assert len(whole.encode()) < LIMIT < 1024 * 1024
    for limit in range(600, len(whole), 100):
        monkeypatch.setattr(markdown, "LIMIT", limit)
        page = written(run_of(), tmp_path)
        kept, note = page.rsplit("\n\n", 1)
        assert len(page.encode()) <= limit
        assert whole.startswith(kept + "\n\n")
        assert note == "The rest does not fit here; it is in the report.\n"


def test_hostile_text_in_a_comparison_stays_text(
    hostile: str, cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """Neither the run nor the baseline can add a row, a column or a tag."""

    def page(text: str) -> str:
        fields = {"scenario": f"ETAG{text}", "observed": Observation("mismatch", text), "client": f"mine{text}"}
        before = run_of([cell_of(1, text=text, **fields)], text=text, started=f"2025{text}")
        return written(run_of([cell_of(1, verdict="violates", text=text, **fields)], text=text), tmp_path, before)

    def shape(text: str) -> list[int]:
        return [len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines()]

    assert shape(page("")) == shape(page(hostile))
    assert not re.search(r"<\w|</", page(hostile))
    assert not any(char in page(hostile) for char in "\x1b\x00\u202e")
