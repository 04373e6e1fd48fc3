import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from harness.record import VERDICTS, Cell, Run
from reports.html import render, write_html


class Page(HTMLParser):
    """A document taken apart: its tags with the names of their attributes, its inline blocks, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.values: list[tuple[str, str, str]] = []
        self.blocks: list[tuple[str, dict[str, str | None], str]] = []
        self.text = ""
        self._open: tuple[str, dict[str, str | None]] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.values += [(tag, name, value or "") for name, value in attrs]
        if tag in {"script", "style"}:
            self._open = (tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """Leave an inline block."""
        if tag in {"script", "style"}:
            self._open = None

    def handle_data(self, data: str) -> None:
        """Note text and the contents of inline blocks."""
        if self._open:
            self.blocks.append((*self._open, data))
        else:
            self.text += data


def evidence(page: Page, run: int = 0) -> Any:
    """What the panels of the `run`-th run show."""
    packed = next(text for _, attrs, text in page.blocks if attrs.get("id") == f"evidence-{run}")
    return json.loads(gzip.decompress(base64.b64decode(packed, validate=True)))


def words(page: Page) -> str:
    """The text of the page with white space folded."""
    return " ".join(page.text.split())


def test_hostile_text_never_becomes_markup(hostile: str, run_of: Callable[..., Run]) -> None:
    """Tags and attributes of the document are the same whatever endpoint and client sent."""
    text = render([run_of(text=hostile)])
    assert Page(render([run_of()])).tags == Page(text).tags
    assert not re.search(r"</script><script>|<img|<svg/|\x1b|\x00|\u202e|\u2066|\u2028|\uffff", text)


def test_hostile_text_is_visible_in_the_evidence(run_of: Callable[..., Run]) -> None:
    """Control and bidi characters are written out there too; the rest is verbatim."""
    cell = evidence(Page(render([run_of(text="\x1b[2J\u202e<b>\ud800")])))["cells"][-1]
    assert cell["title"].endswith("\\x1b[2J[U+202E]<b>[U+D800]")
    assert cell["exchanges"][0]["response_headers"][1] == ["x-odd\\x1b[2J[U+202E]<b>[U+D800]", "1"]
    assert cell["exchanges"][0]["request_body"]["truncated"]
    assert cell["exchanges"][0]["request_body"]["size"] == 70000


def test_the_policy_lets_in_the_inline_blocks_only(run_of: Callable[..., Run]) -> None:
    """The hashes are those of the style and the script that stand in the file; all else is refused."""
    page = Page(render([run_of()]))
    policy = next(v for tag, name, v in page.values if (tag, name) == ("meta", "content") and "default-src" in v)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert "'none'" == rules["default-src"] == rules["base-uri"] == rules["form-action"]

    def sha(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert [rules["style-src"]] == [sha(text) for tag, _, text in page.blocks if tag == "style"]
    assert [rules["script-src"]] == [sha(t) for tag, attrs, t in page.blocks if tag == "script" and not attrs]


def test_nothing_is_loaded_and_nothing_leads_away(run_of: Callable[..., Run]) -> None:
    """No src, no outside link, no inline style, no event attribute, no import in the style."""
    page = Page(render([run_of()]))
    assert not [value for value in page.values if value[1] in {"src", "srcset", "style", "action", "data"}]
    assert not [value for value in page.values if value[1].startswith("on")]
    assert all(value.startswith("#") for _, name, value in page.values if name == "href")
    assert not re.search(r"@import|url\(", next(text for tag, _, text in page.blocks if tag == "style"))


def test_the_script_builds_text_nodes_only(run_of: Callable[..., Run]) -> None:
    """None of the ways in which a string becomes markup, code or an address."""
    script = next(text for tag, attrs, text in Page(render([run_of()])).blocks if tag == "script" and not attrs)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", script)
    assert not re.search(r"setAttribute|\.href|\.src\b|cssText|DOMParser|createContextual|fetch\(", script)


def test_the_tables_are_readable_without_script(run_of: Callable[..., Run]) -> None:
    """Verdicts as words, each scenario and message, and who was asked with what."""
    text = words(Page(render([run_of()])))
    assert all(verdict in text for verdict in VERDICTS)
    assert "wanted 200, got 501" in text
    assert "rclone 1.75.2 docker, rclone/rclone:1.75.2" in text
    assert "awscli unknown missing: not on PATH" in text
    assert "Example Gateway 4.2" in text


def test_every_cell_has_its_evidence(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """A button of the matrix names the cell's place in the evidence, in whatever order cells finished."""
    cells = [cell_of(n, client, v) for client in ("rclone", "boto3") for n, v in enumerate(reversed(VERDICTS))]
    text = render([run_of(cells)])
    shown = evidence(Page(text))["cells"]
    buttons = re.findall(r'data-cell="(\d+)" data-verdict="(\w+)"', text)
    assert len(cells) == len(buttons)
    assert all(shown[int(number)]["verdict"] == verdict for number, verdict in buttons)


def test_the_counts_add_up(run_of: Callable[..., Run]) -> None:
    """The legend counts every cell once."""
    page = render([run_of()])
    legend = re.findall(r'href="#verdict=(\w+)">.*?<b>(\d+)</b>', page)
    assert dict.fromkeys(VERDICTS, "3") == dict(legend)


def test_an_incomplete_run_has_a_banner(run_of: Callable[..., Run]) -> None:
    """And a complete one has none."""
    assert "incomplete run: 24 of 30 cells" in words(Page(render([run_of(planned=30)])))
    assert 'class="banner"' not in render([run_of()])


def test_soft_and_flaky_cells_are_marked(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """Not by colour alone."""
    cells = [cell_of(1, verdict="violates", confidence="secondary"), cell_of(2, flaky=True)]
    text = words(Page(render([run_of(cells)])))
    assert "secondary" in text
    assert "1 cell with a failing verdict never gates" in text
    assert "✓ conforms ↻ flaky" in text


def test_a_client_without_a_cell_says_not_run(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """An empty place in the matrix is no pass."""
    assert "not run" in words(Page(render([run_of([cell_of()])])))


def test_runs_follow_one_another(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """Each with its own matrix and evidence."""
    text = render([run_of(), run_of([cell_of(7, "raw")], text=" two")])
    page = Page(text)
    assert text.count("<article") == 2
    assert [cell["scenario"] for cell in evidence(page, 1)["cells"]] == ["ETAG-007"]
    assert text.count('id="matrix"') == 1


@pytest.mark.parametrize("cells", [[], None])
def test_ids_are_unique(cells: list[Cell] | None, run_of: Callable[..., Run]) -> None:
    """Also in a run without cells, and with several runs."""
    page = Page(render([run_of(cells), run_of(cells)]))
    ids = [value for _, name, value in page.values if name == "id"]
    assert len(ids) == len(set(ids))


def test_the_file_stays_small(run_of: Callable[..., Run], cell_of: Callable[..., Cell], tmp_path: Path) -> None:
    """420 cells with three exchanges of full bodies: a fraction of the evidence, and the same each time."""
    cells = [
        cell_of(number, client, exchanges=cell_of(text=f" {number}" * 400).exchanges * 3)
        for number in range(105)
        for client in ("boto3", "raw", "awscli", "rclone")
    ]
    write_html([run_of(cells)], tmp_path / "index.html")
    assert (tmp_path / "index.html").stat().st_size < 600_000
    assert render([run_of(cells)]) == (tmp_path / "index.html").read_text(encoding="utf-8")
