"""The static site of published runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.record import Cell, GatewayInfo, Run, ScenarioText
from reports import publish, site

from .conftest import HOSTILE

STATEMENTS = [
    site.Statement(
        "ETAG-001",
        "ETAG",
        "MUST",
        "recorded",
        "An ETag is an MD5.",
        ("PutObject",),
        "",
        ScenarioText("S3 promises: so it is.\n\nBreaks: rclone.", "AWS docs"),
    ),
    site.Statement("CID-001", "CID", "MUST", "unverified", "A CID.", ("PutObject",), "cid", ScenarioText("x", "guide")),
]


NOTE = "It is **fine**, see [issue](https://example.org/1).\n\n| a |\n|---|\n| 1 |\n\n![i](https://example.org/i.png)\n"


class Page(HTMLParser):
    """What a page refers to, what it defines, and the scripts and event handlers that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.scripts = 0
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src"):
                self.links.append(value or "")
            if name == "id":
                self.ids.add(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
        self.scripts += tag == "script"


@pytest.fixture
def published(run_of: Callable[..., Run], cell_of: Callable[..., Cell], tmp_path: Path) -> list[Path]:
    """Two runs of one gateway, and one of another, which fails; a note about the newest of the first."""
    folder = tmp_path / "published"
    good = [cell_of(1, "raw"), cell_of(2, "raw", level="SHOULD")]
    bad = [cell_of(1, "raw", "violates"), cell_of(2, "raw", "blocked", level="SHOULD")]
    runs = [
        run_of(good, gateway=GatewayInfo("Good S3", "2")),
        run_of(bad, gateway=GatewayInfo("Good S3", "1"), started="2024-01-02T03:04:05Z"),
        run_of(bad, gateway=GatewayInfo("Bad S3", "1")),
    ]
    paths = [publish.publish(run, folder) for run in runs]
    paths[0].with_suffix(".md").write_text(
        "It is **fine**, see [issue](https://example.org/1).\n\n| a |\n|---|\n| 1 |\n"
    )
    return paths


@pytest.fixture
def out(published: list[Path], tmp_path: Path) -> Path:
    site.write_site(published, STATEMENTS, tmp_path / "site")
    return tmp_path / "site"


def test_files_of_the_site(out: Path) -> None:
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert found == {
        "index.html",
        "matrix.html",
        "specification.html",
        "add.html",
        "gateways/good-s3.html",
        "gateways/bad-s3.html",
        "badges/good-s3.svg",
        "badges/good-s3.json",
        "badges/bad-s3.svg",
        "badges/bad-s3.json",
        "runs/good-s3-2-2025-01-02.jsonl",
        "runs/good-s3-1-2024-01-02.jsonl",
        "runs/bad-s3-1-2025-01-02.jsonl",
    }


def test_every_address_leads_to_a_file_of_the_site(out: Path) -> None:
    """And fragments to what stands there; those of the matrix are its own script's."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in out.rglob("*.html") if path.name != "matrix.html"}
    checked = 0
    for path, page in pages.items():
        for link in page.links:
            if link.startswith("https://"):
                continue
            name, _, fragment = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.is_file(), (path, link)
            if fragment and target in pages:
                assert fragment in pages[target].ids, (path, link)
            checked += 1
    assert checked > 30


def test_a_site_among_the_run_files_points_to_them(published: list[Path]) -> None:
    """Nothing is there twice."""
    out = published[0].parent / "site"
    site.write_site(published, STATEMENTS, out)
    assert not (out / "runs").exists()
    links = Page((out / "gateways/good-s3.html").read_text(encoding="utf-8")).links
    leading = {(out / "gateways" / link).resolve() for link in links if link.endswith(".jsonl")}
    assert leading == {path.resolve() for path in published if "good" in path.name}


def test_the_better_gateway_stands_first(out: Path) -> None:
    """With the newest run of each; the earlier one is on its page."""
    index = (out / "index.html").read_text(encoding="utf-8")
    assert 0 < index.index("Good S3") < index.index("Bad S3")
    assert index.count('<th scope="row">') == 2
    history = (out / "gateways/good-s3.html").read_text(encoding="utf-8")
    assert "2025-01-02" in history
    assert "2024-01-02" in history


def test_a_note_is_shown_as_it_is_marked_up(out: Path) -> None:
    page = (out / "gateways/good-s3.html").read_text(encoding="utf-8")
    assert '<strong>fine</strong>, see <a href="https://example.org/1">issue</a>' in page
    assert "<td>1</td>" in page
    assert page.count("<img ") == 1  # the badge: pictures from elsewhere are links
    assert 'aria-label="Note"' not in (out / "gateways/bad-s3.html").read_text(encoding="utf-8")


def test_the_specification_has_every_statement_and_what_was_seen_of_it(out: Path) -> None:
    """S3's own before what only some gateways have."""
    page = (out / "specification.html").read_text(encoding="utf-8")
    assert page.index('id="ETAG-001"') < page.index('id="CID-001"')
    assert "<p>S3 promises: so it is.</p>\n<p>Breaks: rclone.</p>" in page
    etag = page[page.index('id="ETAG-001"') : page.index('id="CID-001"')]
    assert re.findall(r'title="(\w+): (\w+)"', etag) == [("conforms", "raw"), ("violates", "raw")]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_nothing_else(
    run_of: Callable[..., Run], cell_of: Callable[..., Cell], tmp_path: Path, text: str
) -> None:
    """In names, versions, verdicts' messages, notes and texts of scenarios; only links to the web are made."""
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    shapes = []
    for folder, words in ((calm, ""), (wild, text.encode("utf-8", "replace").decode())):
        run = run_of([cell_of(1, "raw", "violates", words)], words, gateway=GatewayInfo(f"G{words}", f"1{words}"))
        path = publish.publish(run, folder / "published")
        path.with_suffix(".md").write_text(f"word {words}\n", encoding="utf-8")
        site.write_site([path], STATEMENTS, folder / "site")
        pages = sorted(path for path in (folder / "site").rglob("*.html") if path.name != "matrix.html")
        parsed = [Page(page.read_text(encoding="utf-8")) for page in pages]
        shapes.append([(page.scripts, page.handlers) for page in parsed])
        assert not [link for page in parsed for link in page.links if link.lower().startswith(("javascript:", "data:"))]
        for page in pages:
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e\u2066]", page.read_text(encoding="utf-8"))
    assert shapes[0] == shapes[1]


def test_only_style_and_script_of_the_page_are_let_in(out: Path) -> None:
    """By a policy that names them by hash, and images of the site itself."""
    for path in out.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
        assert policy is not None
        assert policy[1].startswith("default-src &#39;none&#39;")
        assert "unsafe" not in policy[1]
        assert 'style="' not in page
