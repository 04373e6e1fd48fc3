"""Nothing that an endpoint sends becomes more than text, and everybody can read it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reports.browser.conftest import Reader, all_verdicts, grave
from tests.reports.conftest import HOSTILE

Reading = Callable[..., Reader]

VIEWS = {
    "overview": "#page=overview",
    "matrix": "#page=matrix&verdict=failing",
    "gateway": "#page=alpha",
    "changes": "#page=changes",
    "figures": "#page=figures",
    "scenario": "#scenario=ETAG-001",
    "drawer": "#cell=ETAG-001/alpha/boto3",
}
ELEMENTS = "[...document.body.querySelectorAll('*:not(mark)')].map(one => one.tagName).sort().join(' ')"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious(view: str, theme: str, axe: str, reading: Reading) -> None:
    """In every view, in both themes: contrast, names, roles, order."""
    reader = reading(fragment=VIEWS[view], color_scheme=theme)
    settle(reader, view)
    assert grave(reader.page, axe) == []


def settle(reader: Reader, view: str) -> None:
    """Wait for what is shown only when it was unpacked."""
    if view == "scenario":
        reader.page.get_by_text("Known to catch").first.wait_for()
    if view == "drawer":
        reader.page.get_by_role("dialog").get_by_text("Why it matters").wait_for()


def test_hostile_text_stays_text(reading: Reading) -> None:
    """Everything hostile at once, everywhere: the same elements as of a tame report, and the page no wider."""
    hostile = " ".join(HOSTILE) + " " + "wide" * 3000
    tame, wild = (reading(all_verdicts(text), "#page=overview") for text in ("", hostile))
    for fragment in ("#page=overview", "#page=matrix", "#page=figures", "#page=changes"):
        for reader in (tame, wild):
            reader.open(fragment)
        assert wild.page.evaluate(ELEMENTS) == tame.page.evaluate(ELEMENTS)
        width = "document.documentElement.scrollWidth - innerWidth"
        assert wild.page.evaluate(width) <= 0


def test_hostile_text_in_the_drawer_stays_text(reading: Reading) -> None:
    """Every field of a cell and of its exchanges; long lines are broken."""
    hostile = " ".join(HOSTILE) + " " + "wide" * 3000
    elements = []
    for text in ("", hostile):
        reader = reading(all_verdicts(text), "#page=matrix")
        reader.page.locator("td.v").first.click()
        drawer = reader.page.get_by_role("dialog")
        drawer.get_by_text("Why it matters").wait_for()
        elements.append(reader.page.evaluate(ELEMENTS))
        drawer_width = "document.getElementById('drawer').scrollWidth - document.getElementById('drawer').clientWidth"
        assert reader.page.evaluate(drawer_width) <= 0
        assert "<svg/onload=alert(3)>" in drawer.inner_text() or not text
    assert elements[0] == elements[1]


def test_narrow_screens_scroll_only_within_tables(reading: Reading) -> None:
    """On a telephone no page is wider than the screen."""
    reader = reading(viewport={"width": 390, "height": 844})
    for view, fragment in VIEWS.items():
        reader.open(fragment)
        settle(reader, view)
        assert reader.page.evaluate("document.documentElement.scrollWidth") <= 390, view
