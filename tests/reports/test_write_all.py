import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from harness.record import Cell, Run
from reports import write_all


def test_all_reports_are_written(run_of: Callable[..., Run], tmp_path: Path) -> None:
    """Into a folder that need not exist; nothing but the reports stays there."""
    paths = write_all(run_of(), tmp_path / "out")
    assert {kind: path.name for kind, path in paths.items()} == {
        "html": "index.html",
        "junit": "junit.xml",
        "markdown": "summary.md",
        "badge": "badge.svg",
        "shields": "badge.json",
        "annotations": "annotations.txt",
        "score": "score.env",
    }
    assert sorted(paths.values()) == sorted((tmp_path / "out").iterdir())


def test_reports_of_an_unfinished_run_are_written_too(run_of: Callable[..., Run], tmp_path: Path) -> None:
    """A killed run without a single cell still says that it was killed."""
    paths = write_all(run_of([], planned=4, finished=False), tmp_path)
    for kind in ("html", "junit", "markdown", "badge", "shields", "annotations"):
        assert "ncomplete" in paths[kind].read_text(encoding="utf-8")


def test_with_a_baseline_news_come_first(
    cell_of: Callable[..., Cell], run_of: Callable[..., Run], tmp_path: Path
) -> None:
    """What failed before is no news: it is listed, below what regressed, and has no annotation of its own."""
    before = run_of([cell_of(1, verdict="violates"), cell_of(2)])
    paths = write_all(run_of([cell_of(number, verdict="violates") for number in (1, 2)]), tmp_path, before)
    page = paths["markdown"].read_text(encoding="utf-8")
    assert page.index("### Regressed") < page.index("ETAG-002") < page.index("### Failing") < page.index("ETAG-001")
    lines = paths["annotations"].read_text(encoding="utf-8").splitlines()
    assert [line.partition("::violates")[0] for line in lines[:-1]] == ["::error title=ETAG-002 MUST"]
    assert lines[-1].startswith("::notice ")


def test_the_terminal_summary_loads_no_template_engine() -> None:
    """Start-up time is part of every user's wait."""
    code = "import sys, reports.terminal; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0
