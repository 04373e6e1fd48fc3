"""Advice for clients in the reports: complete, in order of need, and harmless whatever the endpoint said."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from harness.record import SETTING_KINDS, Advice, Cell, Observation, Run, RunWriter, Setting, read
from reports.html import render
from reports.markdown import write_markdown
from reports.terminal import summary
from reports.view import advised
from tests.reports.test_html import Page, words


def advice(text: str = "") -> Advice:
    """One setting of each kind, `text` wherever an endpoint may have had a say; two rest on one observation."""
    settings = [
        Setting("rclone", "copy_cutoff", "1Pi", "4.656Gi", f"Refused copies.{text}", needed=True),
        Setting("boto3", "signature_version", "s3v4", "s3", f"Refused copies.{text}", needed=True),
        Setting("rclone", "use_already_exists", "none", "false", f"Nothing helps.{text}", needed=False),
        Setting("rclone", "list_version", "2", "1", f"Both work.{text}", needed=False),
        Setting("endpoint", "list_order", "unsorted", "sorted", f"Not sorted.{text}", needed=False),
        Setting("rclone", "disable_http2", "unknown", "false", f"Not known.{text}", needed=False),
        Setting("rclone", "no_head", "false", "false", f"As usual.{text}", needed=False),
    ]
    return Advice(settings, {"rclone.conf": f"[s3]\n# {text}\ncopy_cutoff = 1Pi\n", "boto3.py": "import boto3\n"})


def test_every_kind_has_its_words() -> None:
    """The made-up settings are of all kinds, in the order of the reader's interest."""
    assert [group.kind for group in advised(advice())] == list(SETTING_KINDS)
    assert [group.words for group in advised(advice())] == list(SETTING_KINDS.values())
    assert [group.number for group in advised(advice())] == [2, 1, 1, 1, 1, 1]
    assert advised(None) == []


def test_html_shows_settings_with_what_led_to_them(run_of: Callable[..., Run]) -> None:
    """Each once, with its observation, and every text whole."""
    run = run_of()
    run.advice = advice()
    page = Page(render([run]))
    text = words(page)
    for setting in advice().settings:
        assert setting.name in text
    for phrase in ("Refused copies.", "Both work.", "Not sorted.", "As usual.", "rclone.conf", "import boto3"):
        assert text.count(phrase) == 1, phrase
    assert text.index("copy_cutoff") < text.index("list_version") < text.index("no_head")
    assert "copy_cutoff = 1Pi" in page.text


def test_html_without_advice_has_no_such_section(run_of: Callable[..., Run]) -> None:
    """Old runs, and runs that were not probed."""
    assert "Client settings" not in words(Page(render([run_of()])))


def test_hostile_advice_never_becomes_markup(hostile: str, run_of: Callable[..., Run]) -> None:
    """Tags and attributes are the same whatever the endpoint said."""
    tame, wild = run_of(), run_of()
    tame.advice, wild.advice = advice(), advice(hostile)
    text = render([wild])
    assert Page(render([tame])).tags == Page(text).tags
    assert not re.search(r"</script><script>|<img|<svg/|\x1b|\x00|\u202e|\u2066|\u2028|\uffff", text)


def test_markdown_lists_what_is_needed(hostile: str, run_of: Callable[..., Run], tmp_path: Path) -> None:
    """Needed settings and those that nothing helps, a row each, whatever the endpoint said."""

    def rows(text: str) -> list[str]:
        run = run_of()
        run.advice = advice(text)
        write_markdown(run, tmp_path / "summary.md")
        section = (tmp_path / "summary.md").read_text(encoding="utf-8").partition("### Client settings\n\n")[2]
        return section.partition("\n\n")[0].splitlines()

    assert [row.split(" | ")[1] for row in rows("")[2:]] == [
        "copy\\_cutoff",
        "signature\\_version",
        "use\\_already\\_exists",
    ]
    shapes = [[len(re.findall(r"(?<!\\)\|", row)) for row in rows(text)] for text in ("", hostile)]
    assert shapes[0] == shapes[1]


def test_markdown_says_that_nothing_is_needed(run_of: Callable[..., Run], tmp_path: Path) -> None:
    """A probe without a finding is not the same as no probe."""
    run = run_of()
    write_markdown(run, tmp_path / "summary.md")
    assert "Client settings" not in (tmp_path / "summary.md").read_text(encoding="utf-8")
    run.advice = Advice([], {})
    write_markdown(run, tmp_path / "summary.md")
    assert "### Client settings\n\nNo setting is needed." in (tmp_path / "summary.md").read_text(encoding="utf-8")


def test_terminal_names_what_is_needed(hostile: str, run_of: Callable[..., Run]) -> None:
    """A line for each, and none where nothing is."""

    def shown(run: Run) -> str:
        console = Console(file=io.StringIO(), width=80)
        summary(run, console)
        return console.file.getvalue()  # type: ignore[attr-defined]

    run = run_of()
    assert "client setting" not in shown(run)
    run.advice = advice(hostile)
    lines = shown(run).splitlines()
    first = lines.index("2 client settings needed, see the report:")
    assert lines[first + 1 : first + 3] == ["  rclone copy_cutoff = 1Pi", "  boto3 signature_version = s3v4"]


def test_advice_in_a_run_file_reads_back(
    run_of: Callable[..., Run], cell_of: Callable[..., Cell], tmp_path: Path
) -> None:
    """One line of its own, wherever it stands before the footer."""
    run = run_of([cell_of(number, observed=Observation("match")) for number in range(3)])
    for place in (0, 1, 3):
        writer = RunWriter(tmp_path / "run.jsonl")
        writer.write(run.header)
        for cell in [*run.cells[:place], advice("é\u2028\x00"), *run.cells[place:]]:
            writer.write(cell)
        assert run.footer is not None
        writer.write(run.footer)
        writer.close()
        again = read(tmp_path / "run.jsonl")
        assert again.advice == advice("é\u2028\x00")
        assert again.cells == run.cells
        assert again.complete
