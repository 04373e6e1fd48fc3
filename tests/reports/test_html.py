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
from reports.evidence import Source
from reports.html import render, render_matrix, write_html
from reports.matrix import build


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


def unpacked(page: Page, name: str) -> Any:
    """What is packed in the element of this id."""
    packed = next(text for _, attrs, text in page.blocks if attrs.get("id") == name)
    return json.loads(gzip.decompress(base64.b64decode(packed, validate=True)))


def model(page: Page) -> Any:
    """What the script knows of the matrix."""
    return json.loads(next(text for _, attrs, text in page.blocks if attrs.get("id") == "model"))


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
    page = Page(render([run_of(text="\x1b[2J\u202e<b>\ud800")]))
    shown = "\\x1b[2J[U+202E]<b>[U+D800]"
    chunk = unpacked(page, "chunk-0")
    assert f"x-odd{shown}: 1" in chunk["strings"]
    method, url, _, body, size, cut, *_ = chunk["exchanges"][0]
    assert (chunk["strings"][method], chunk["strings"][body], size, cut) == ("PUT", f"body{shown}", 70000, 1)
    assert chunk["strings"][url].endswith(shown)
    assert f"wanted 200, got 501{shown}" in unpacked(page, "core-0")["strings"]
    assert model(page)["gateways"][0]["name"] == f"Example Gateway{shown}"


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
    """None of the ways in which a string becomes markup, code or an address, but one: a fragment of this page."""
    script = next(text for tag, attrs, text in Page(render([run_of()])).blocks if tag == "script" and not attrs)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(", script)
    assert not re.search(r"setAttribute|\.src\b|cssText|DOMParser|createContextual|fetch\(|setHTML", script)
    assert re.findall(r".*\.href.*", script) == ["  anchor.href = fragment(wanted);"]
    assert "return `#${new URLSearchParams(set)" in script


def test_the_tables_are_readable_without_script(run_of: Callable[..., Run]) -> None:
    """Verdicts as words, each scenario and message, and who was asked with what."""
    text = words(Page(render([run_of()])))
    assert all(verdict in text for verdict in VERDICTS)
    assert "wanted 200, got 501" in text
    assert "rclone 1.75.2 docker, rclone/rclone:1.75.2" in text
    assert "awscli unknown missing: not on PATH" in text
    assert "Example Gateway 4.2" in text


def test_every_cell_has_its_evidence(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """The core says what every cell of the matrix came to, in whatever order cells finished."""
    cells = [cell_of(n, client, v) for client in ("rclone", "boto3") for n, v in enumerate(reversed(VERDICTS))]
    page = Page(render([run_of(cells)]))
    rows = [row[3] for row in model(page)["rows"]]
    assert rows == [f"{letter}.{letter}" for letter in "iebxvudc"]
    core = unpacked(page, "core-0")
    assert sorted(core["cells"]) == sorted(f"{row}/{column}" for row in range(8) for column in (0, 2))
    kept = json.loads(next(text for _, attrs, text in page.blocks if attrs.get("id") == "chunks"))
    assert sorted(number for chunk in kept["cells"] for number in chunk) == sorted(
        3 * row + column for row in range(8) for column in (0, 2)
    )
    assert kept["leftOut"] == 0


def test_letters_of_the_matrix_are_those_of_the_model(run_of: Callable[..., Run]) -> None:
    """The cells of the table, which have no other attribute, stand in the order of the model's rows."""
    text = render([run_of()])
    (table,) = re.findall(r'<div class="block.*?</div>', text, re.DOTALL)
    letters = ["".join(re.findall(r'<td class="(\w)">', row)) for row in table.split("<tr>")[2:]]
    assert letters == [row[3] for row in model(Page(text))["rows"]]


def test_the_counts_add_up(run_of: Callable[..., Run]) -> None:
    """The legend counts every cell once."""
    page = render([run_of()])
    legend = re.findall(r'data-verdict="(\w+)">.*?<b>(\d+)</b>', page)
    assert dict.fromkeys(VERDICTS, "3") == dict(legend)


def test_an_incomplete_run_has_a_banner(run_of: Callable[..., Run]) -> None:
    """And a complete one has none."""
    assert "incomplete run: 24 of 30 cells" in words(Page(render([run_of(planned=30)])))
    assert 'class="banner"' not in render([run_of()])


def test_soft_and_flaky_cells_are_marked(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """Not by colour alone."""
    cells = [cell_of(1, verdict="violates", confidence="secondary"), cell_of(2, flaky=True)]
    text = render([run_of(cells)])
    assert "secondary" in words(Page(text))
    assert "1 cell with a failing verdict never gates" in words(Page(text))
    assert '<td class="v s">✗' in text
    assert '<td class="c f">✓' in text
    assert [row[3] for row in model(Page(text))["rows"]] == ["V..", "c.."]


def test_a_client_without_a_cell_has_an_empty_place(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """It is no pass; a client that is missing has no column, and the gateway's page says why."""
    page = Page(render([run_of([cell_of()])]))
    assert [row[3] for row in model(page)["rows"]] == ["c.."]
    assert model(page)["gateways"][0]["clients"] == ["boto3", "raw", "rclone"]
    assert "awscli unknown missing: not on PATH" in words(page)


def test_gateways_stand_side_by_side(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """Each with its page, its columns and its words."""
    text = render([run_of(), run_of([cell_of(7, "raw")], text=" two")])
    page = Page(text)
    assert [gateway["key"] for gateway in model(page)["gateways"]] == ["example-gateway", "example-gateway-two"]
    assert {'id="page=example-gateway"', 'id="page=example-gateway-two"'} <= set(re.findall(r'id="page=[\w-]+"', text))
    assert model(page)["rows"][7] == ["ETAG-007", 1, [1, 0], "iii.c."]
    assert list(unpacked(page, "core-1")["cells"]) == ["7/4"]


def test_links_lead_to_what_is_there(run_of: Callable[..., Run]) -> None:
    """Every link to a page names one, so that it works without JavaScript too."""
    page = Page(render([run_of(), run_of(text=" two")]))
    ids = {value for _, name, value in page.values if name == "id"}
    links = {value.partition("&")[0] for _, name, value in page.values if name == "href"}
    assert {link for link in links if link.startswith("#page=")} == {
        f"#{one}" for one in ids if one.startswith("page=")
    }
    assert {link.partition("=")[0] for link in links} == {"#page", "#cell", "#scenario"}


def test_earlier_runs_are_compared_with(run_of: Callable[..., Run], cell_of: Callable[..., Cell]) -> None:
    """The newest run is shown, and what became of its cells since stands in the page of changes."""
    old = run_of([cell_of(1), cell_of(2, verdict="violates"), cell_of(3)], started="2025-01-01T00:00:00Z")
    new = run_of([cell_of(1, verdict="violates"), cell_of(2), cell_of(4)], started="2025-02-01T00:00:00Z")
    page = Page(render([old, new]))
    assert [gateway["name"] for gateway in model(page)["gateways"]] == ["Example Gateway"]
    assert "▼ 1 regressed" in words(page)
    assert "∅ 1 vanished" in words(page)
    marks = model(page)["marks"]["example-gateway/1"]
    assert marks == {"regressed": [0], "vanished": [], "new": [6], "fixed": [3], "changed": []}
    assert unpacked(page, "core-0")["since"]["0/0"][0][1:3] == ["regressed", "✓ conforms"]


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


def test_evidence_gives_way_to_the_size_of_the_file(run_of: Callable[..., Run]) -> None:
    """The words of every cell stay; exchanges are left out, and their number is told."""
    page = Page(render_matrix(build([Source.of(run_of())]), file=1))
    assert not [attrs for _, attrs, _ in page.blocks if (attrs.get("id") or "").startswith("chunk-")]
    assert json.loads(next(text for _, attrs, text in page.blocks if attrs.get("id") == "chunks"))["leftOut"] == 24
    assert len(unpacked(page, "core-0")["cells"]) == 24
