"""What a reader sees and does in the matrix: filters, links, keys; each view can be linked and gone back to."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.reports.browser.conftest import Reader, all_verdicts

Reading = Callable[..., Reader]

ALL = ["ETAG-001", "ETAG-002", "ETAG-003", "LST2-001", "LST2-002", "VER-001"]


def test_overview_stands_first_and_tells_who_fails(reading: Reading) -> None:
    """MUST first; gateways in the order of it; one page is shown at a time."""
    page = reading().page
    assert page.locator("h1:visible").inner_text() == "S3 conformance of 2 gateways"
    assert page.locator(".entry:visible h2").all_inner_texts() == ["Alpha", "Beta"]
    assert page.locator(".entry:visible .fails").first.inner_text() == "✗ 1 scenario fails, 1 of them MUST"
    assert page.locator("[data-page]:visible").count() == 1


@pytest.mark.parametrize(
    ("fragment", "rows"),
    [
        ("#page=matrix", ALL),
        ("#verdict=failing", ["ETAG-001", "ETAG-002", "LST2-001"]),
        ("#verdict=deviates", ["ETAG-003"]),
        ("#gateway=beta&verdict=failing", ["ETAG-002", "LST2-001"]),
        ("#gateway=Beta&verdict=failing", ["ETAG-002", "LST2-001"]),
        ("#client=raw&verdict=failing", []),
        ("#level=MUST", ["ETAG-001", "ETAG-002", "ETAG-003"]),
        ("#family=VER", ["VER-001"]),
        ("#op=ListObjectsV2&level=SHOULD", ["LST2-001", "LST2-002", "VER-001"]),
        ("#q=promises lst2", ["LST2-001", "LST2-002"]),
        ("#q=wanted 200, got 501", ["ETAG-001", "ETAG-002", "ETAG-003", "LST2-001"]),
        ("#view=clients", ["ETAG-001", "ETAG-002", "ETAG-003", "LST2-001"]),
        ("#view=clients&client=raw,rclone", []),
        ("#view=gateways", ["ETAG-001", "ETAG-002", "ETAG-003", "LST2-001"]),
        ("#view=alpha/1", ["ETAG-001", "ETAG-003"]),
        ("#level=odd", []),
    ],
)
def test_link_restores_the_view(fragment: str, rows: list[str], reading: Reading) -> None:
    """Rows are those that have what is asked for, in the columns that are shown."""
    reader = reading(fragment="#" + quote(fragment[1:], safe="=&,/"))
    if "q=wanted" in fragment:
        reader.page.wait_for_function("document.getElementById('shown').textContent.startsWith('4 ')")
    assert reader.rows() == rows
    assert reader.page.locator("#shown").inner_text() == f"{len(reader.rows())} of 6 scenarios"
    assert reader.page.locator("#empty").is_visible() == (not reader.rows())


def test_filters_write_the_address_and_back_undoes_them(reading: Reading) -> None:
    """A choice is an entry of the history; the form says what the address says."""
    reader = reading(fragment="#page=matrix")
    page = reader.page
    page.get_by_label("Verdict", exact=True).select_option("failing")
    assert reader.fragment == "#page=matrix&verdict=failing"
    page.get_by_label("Level", exact=True).select_option("MUST")
    assert reader.rows() == ["ETAG-001", "ETAG-002"]
    page.go_back()
    assert reader.fragment == "#page=matrix&verdict=failing"
    assert reader.rows() == ["ETAG-001", "ETAG-002", "LST2-001"]
    assert page.get_by_label("Level", exact=True).input_value() == ""
    page.go_forward()
    assert page.get_by_label("Level", exact=True).input_value() == "MUST"
    page.get_by_role("button", name="Clear").first.click()
    assert reader.rows() == ALL


def test_columns_are_chosen_by_gateway_and_client(reading: Reading) -> None:
    """Their heads go with them, and what is left has more room."""
    reader = reading(fragment="#page=matrix")
    page = reader.page
    assert reader.columns() == ["boto3", "raw", "rclone"] * 2
    page.locator("#gateways summary").click()
    page.locator("#gateways").get_by_label("Beta").check()
    assert reader.fragment == "#page=matrix&gateway=beta"
    assert reader.columns() == ["boto3", "raw", "rclone"]
    assert page.locator(".m.head .g th:visible").all_inner_texts() == ["Beta"]
    page.keyboard.press("Escape")
    reader.open("#gateway=beta&client=raw")
    assert reader.columns() == ["raw"]
    assert reader.cell("ETAG-002", 4).is_visible()
    assert not reader.cell("ETAG-002", 3).is_visible()
    assert reader.rows() == ALL


def test_search_is_typed_and_kept(reading: Reading) -> None:
    """From anywhere by `/`; messages are found as well as ids."""
    reader = reading()
    page = reader.page
    page.keyboard.press("/")
    page.keyboard.type("ver-001")
    assert reader.rows() == ["VER-001"]
    assert reader.fragment == "#page=matrix&q=ver-001"
    page.keyboard.press("Control+a")
    page.keyboard.type("got 501")
    page.wait_for_function("document.getElementById('shown').textContent.startsWith('4 ')")


def test_keys_move_through_the_matrix(reading: Reading) -> None:
    """One cell is in the order of tabs; arrows, Home, End and pages move; a cell says what it is."""
    reader = reading(fragment="#page=matrix")
    page = reader.page
    assert page.locator("td[tabindex='0']").count() == 1
    reader.cell("ETAG-001", 0).focus()

    def where() -> str:
        return str(page.evaluate("document.activeElement.ariaLabel"))

    assert where() == "ETAG-001, Alpha boto3: violates"
    for key, place in (
        ("ArrowRight", "ETAG-001, Alpha raw: conforms"),
        ("ArrowDown", "ETAG-002, Alpha raw: conforms"),
        ("End", "ETAG-002, Beta rclone: conforms"),
        ("ArrowRight", "ETAG-002, Beta rclone: conforms"),
        ("PageDown", "VER-001, Beta rclone: conforms"),
        ("Home", "VER-001, Alpha boto3: conforms"),
        ("ArrowUp", "LST2-002, Alpha boto3: conforms"),
        ("Control+Home", "ETAG-001, Alpha boto3: violates"),
    ):
        page.keyboard.press(key)
        assert where() == place
    assert page.locator("td[tabindex='0']").count() == 1
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("f")
    assert page.locator("h1:visible").inner_text() == "Figures"


def test_pages_of_gateways_and_scenarios_can_be_linked(reading: Reading) -> None:
    """By key or by name; a scenario's page has every verdict, message and the text."""
    reader = reading(fragment="#page=Beta")
    page = reader.page
    assert page.locator("h1:visible").inner_text() == "Beta 7.1"
    page.locator(".faults:visible").get_by_role("link", name="ETAG-002").click()
    assert reader.fragment == "#scenario=ETAG-002"
    page.get_by_text("What came of it").wait_for()
    scenario = page.locator("#scenario")
    assert scenario.locator("h1").inner_text() == "ETAG-002"
    assert scenario.locator("tbody tr").count() == 6
    assert "Why." in scenario.inner_text()
    assert scenario.locator("tbody tr", has_text="✗ violates").inner_text().split("\t")[0] == "Beta"
    page.go_back()
    assert page.locator("h1:visible").inner_text() == "Beta 7.1"
    reader.open("#scenario=NONE-001")
    assert "No run of this report has such a scenario." in page.locator("#scenario").inner_text()


def test_changes_are_listed_and_shown_in_the_matrix(reading: Reading) -> None:
    """What regressed stands first, as a list; its link opens the cell."""
    reader = reading(fragment="#page=changes")
    page = reader.page
    assert "▼ 1 regressed" in page.locator(".since .counts").inner_text()
    page.locator(".changes.regressed").get_by_role("link", name="ETAG-001").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("regressed since 1.0").wait_for()
    assert reader.fragment == "#page=changes&cell=ETAG-001/alpha/boto3"
    page.keyboard.press("Escape")
    page.get_by_role("link", name="In the matrix").click()
    assert reader.rows() == ["ETAG-001", "ETAG-003"]
    assert page.locator("td.on").count() == 2


def test_one_gateway_shows_words_in_its_cells(reading: Reading) -> None:
    """Few columns have room for more than a sign."""
    reader = reading(all_verdicts(), "#page=matrix")
    content = "getComputedStyle(document.querySelector('td.v'), '::after').content"
    assert reader.page.evaluate(content) == '" violates"'
    assert len(reader.rows()) == 8


def test_dark_follows_the_system(reading: Reading) -> None:
    """Another background and another ink, at once."""
    colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    light = reading(color_scheme="light").page.evaluate(colours)
    dark = reading(color_scheme="dark").page.evaluate(colours)
    assert sum(map(int, light[0][4:-1].split(","))) > 600 > sum(map(int, dark[0][4:-1].split(",")))
    assert sum(map(int, light[1][4:-1].split(","))) < 200 < sum(map(int, dark[1][4:-1].split(",")))


def test_without_javascript_everything_but_evidence_is_there(reading: Reading) -> None:
    """All pages one after another, links between them work, nothing that needs a script is offered."""
    reader = reading(java_script_enabled=False)
    page = reader.page
    assert page.locator("[data-page]:visible").count() == 6
    assert page.locator(".block tbody td.v:visible").count() == 2
    assert not page.locator("#filters").is_visible()
    assert page.get_by_text("Without JavaScript there are no filters").is_visible()
    assert "wanted 200, got 501" in page.locator("[data-page=alpha]").inner_text()
    page.get_by_role("link", name="Changes", exact=True).click()
    assert page.url.endswith("#page=changes")
