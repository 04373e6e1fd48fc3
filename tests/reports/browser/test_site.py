"""The site of published runs in a real browser: every page, its links, its search."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.record import GatewayInfo, ScenarioText
from reports import publish, site
from tests.reports.browser.conftest import grave
from tests.reports.conftest import make_cell, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGES = ("index.html", "gateways/good-s3.html", "specification.html", "add.html", "matrix.html")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two gateways, one with a note, and a specification of two families."""
    top = tmp_path_factory.mktemp("site")
    good = make_run([make_cell(1, "raw"), make_cell(2, "raw")], gateway=GatewayInfo("Good S3", "2"))
    bad = make_run([make_cell(1, "raw", "violates"), make_cell(2, "raw", "error")], gateway=GatewayInfo("Bad S3", "1"))
    paths = [publish.publish(run, top / "published") for run in (good, bad)]
    paths[0].with_suffix(".md").write_text("1. It is **fine**.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", encoding="utf-8")
    statements = [
        site.Statement(
            name, name[:-4], "MUST", "recorded", f"Title of {name}.", ("PutObject",), "", ScenarioText(why, "AWS")
        )
        for name, why in (("ETAG-001", "An MD5."), ("ETAG-002", "Quotes."), ("LST2-001", "Pages."))
    ]
    site.write_site(paths, statements, top / "site")
    return top / "site"


@pytest.fixture
def visit(browser: Browser, folder: Path) -> Iterator[Page]:
    """A page of the browser; at the end nothing may have complained, or have been asked for outside the site."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, trouble = context.new_page(), []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(folder.as_uri()) else trouble.append(request.url))
    yield page
    context.close()
    assert trouble == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(visit: Page, folder: Path, axe: str, name: str, theme: str) -> None:
    visit.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    visit.goto((folder / name).as_uri())
    assert grave(visit, axe) == []


@pytest.mark.parametrize("name", PAGES)
def test_pages_fit_a_telephone(visit: Page, folder: Path, name: str) -> None:
    """Wide tables scroll within the page."""
    visit.set_viewport_size({"width": 390, "height": 800})
    visit.goto((folder / name).as_uri())
    assert visit.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_links_into_the_matrix_lead_there(visit: Page, folder: Path) -> None:
    """From a number of failing cells to these cells, and from a verdict of the specification to its scenario."""
    visit.goto((folder / "index.html").as_uri())
    visit.get_by_role("link", name="2", exact=True).click()
    assert visit.url.endswith("matrix.html#page=matrix&gateway=bad-s3&verdict=failing")
    visit.get_by_text("2 of 2 scenarios").wait_for()
    visit.goto((folder / "specification.html").as_uri())
    visit.get_by_role("link", name="✗ Bad S3").click()
    visit.get_by_role("heading", name="What came of it").wait_for()


def test_the_specification_can_be_searched(visit: Page, folder: Path) -> None:
    """Every word must be there; the search is in the address, and comes back from it."""
    visit.goto((folder / "specification.html").as_uri())
    shown = "[...document.querySelectorAll('.statement')].filter(one => one.checkVisibility()).map(one => one.id)"
    visit.get_by_role("searchbox").fill("etag md5")
    assert visit.evaluate(shown) == ["ETAG-001"]
    assert visit.url.endswith("specification.html#q=etag+md5")
    visit.get_by_text("1 of 3").wait_for()
    visit.reload()
    assert visit.evaluate(shown) == ["ETAG-001"]
    visit.get_by_role("searchbox").fill("")
    assert len(visit.evaluate(shown)) == 3
