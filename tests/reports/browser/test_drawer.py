"""The drawer: all there is about a cell, step by step through the shown ones, with texts to copy."""

from __future__ import annotations

from collections.abc import Callable

from tests.reports.browser.conftest import Reader, several
from tests.reports.conftest import make_cell, make_run

Reading = Callable[..., Reader]


def test_cell_opens_with_all_there_is_about_it(reading: Reading) -> None:
    """Expected and observed, why, where else, reproduction, difference, steps, exchange, lint; and the address."""
    reader = reading(fragment="#page=matrix")
    page = reader.page
    reader.cell("ETAG-001", 0).click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("Why it matters").wait_for()
    text = drawer.inner_text()
    for phrase in ("What ETAG-001 promises", "200 and an ETag", "501 NotImplemented", "Why.", "Source: DOC page"):
        assert phrase in text
    for phrase in ("curl -X PUT", "x-amz-meta-note: n", "regressed since 1.0", "→ ✗ PutObject"):
        assert phrase in text
    assert reader.fragment == "#page=matrix&cell=ETAG-001/alpha/boto3"
    assert drawer.locator(".others .chip").count() == 6
    assert "Only the beginning of this body is kept: it is 70,000 bytes long." in text
    drawer.locator(".others").get_by_role("link", name="✓ raw").first.click()
    drawer.get_by_text("LINT-001").first.wait_for()


def test_exchange_that_failed_is_compared_with_one_that_conforms(reading: Reading) -> None:
    """Its own lines and those of the other are told apart by sign and colour; others can be chosen."""
    reader = reading(fragment="#cell=ETAG-001/alpha/boto3")
    drawer = reader.page.get_by_role("dialog")
    difference = drawer.locator(".diff")
    difference.wait_for()
    assert difference.locator(".removed").all_inner_texts() == ["- 501 Not Implemented"]
    assert difference.locator(".added").all_inner_texts() == ["+ 200 OK"]
    assert drawer.locator(".tabs button[aria-pressed=true]").all_inner_texts() == ["curl", "✓ Alpha raw"]
    drawer.get_by_role("button", name="✗ Beta").or_(drawer.get_by_role("button", name="✓ Beta boto3")).click()
    assert drawer.locator(".tabs button[aria-pressed=true]").last.inner_text() == "✓ Beta boto3"


def test_what_the_message_names_is_marked(reading: Reading) -> None:
    """Codes of the message are found in the exchange."""
    reader = reading(fragment="#cell=ETAG-001/alpha/boto3")
    drawer = reader.page.get_by_role("dialog")
    drawer.get_by_text("Why it matters").wait_for()
    assert set(drawer.locator(".exchange mark").all_inner_texts()) == {"NotImplemented"}


def test_steps_go_through_the_shown_cells_only(reading: Reading) -> None:
    """The keys j and k, and the buttons; Escape closes and gives the focus back."""
    reader = reading(fragment="#page=matrix&verdict=failing")
    page = reader.page
    reader.cell("ETAG-001", 0).click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("1 of 3 shown").wait_for()
    page.keyboard.press("k")
    page.keyboard.press("j")
    drawer.get_by_text("2 of 3 shown").wait_for()
    assert reader.fragment == "#page=matrix&verdict=failing&cell=ETAG-002/beta/boto3"
    drawer.get_by_role("button", name="Next").click()
    drawer.get_by_text("3 of 3 shown").wait_for()
    assert drawer.get_by_role("button", name="Next").is_disabled()
    page.keyboard.press("Escape")
    assert not drawer.is_visible()
    assert reader.fragment == "#page=matrix&verdict=failing"
    assert page.evaluate("document.activeElement.ariaLabel") == "ETAG-001, Alpha boto3: violates"
    page.keyboard.press("Enter")
    assert drawer.is_visible()


def test_link_opens_the_cell_and_back_closes_it(reading: Reading) -> None:
    """On a fresh page too, before which there is nothing."""
    reader = reading(fragment="#gateway=beta&cell=LST2-001/beta/boto3")
    page = reader.page
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("What LST2-001 promises").wait_for()
    drawer.locator(".others").get_by_role("link", name="✓ raw").first.click()
    drawer.get_by_text("What LST2-001 promises").wait_for()
    assert reader.fragment == "#gateway=beta&cell=LST2-001/alpha/raw"
    page.go_back()
    assert reader.fragment == "#gateway=beta&cell=LST2-001/beta/boto3"
    page.keyboard.press("Escape")
    assert reader.fragment == "#page=matrix&gateway=beta"
    reader.open("#cell=NONE-001/alpha/boto3")
    assert not drawer.is_visible()


def test_reproductions_are_copied(reading: Reading) -> None:
    """As they are, by a button that says so."""
    reader = reading(fragment="#cell=ETAG-001/alpha/boto3")
    page = reader.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="boto3", exact=True).click()
    drawer.get_by_role("button", name="Copy boto3").click()
    drawer.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "s3.put_object()"


def test_lint_opens_the_exchange_of_its_example(reading: Reading) -> None:
    """From the gateway's page, and by its address."""
    reader = reading(fragment="#page=beta")
    page = reader.page
    page.locator("[data-page=beta]").get_by_role("link", name="LINT-001").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_text("no Date header").wait_for()
    assert "x-amz-meta-note: n" in drawer.inner_text()
    page.keyboard.press("Escape")
    assert reader.fragment == "#page=beta"


def test_evidence_that_was_left_out_is_told_with_where_it_is(reading: Reading) -> None:
    """A report of a run that was published without exchanges."""
    import msgspec

    runs = several()[1:2]
    runs[0].cells = [msgspec.structs.replace(cell, exchanges=[], repro={}) for cell in runs[0].cells]
    drawer = reading(runs, "#cell=ETAG-001/alpha/boto3").page.get_by_role("dialog")
    drawer.get_by_text("Why it matters").wait_for()
    assert (
        "The 3 exchanges are not in this file, to keep it small. They are in the run file run.jsonl."
        in drawer.inner_text()
    )


def test_what_was_left_out_of_a_published_run_is_told(reading: Reading) -> None:
    """Neither is the reader sent to a file that has it no more, nor told where somebody kept it."""
    left = "left out: exchanges and reproductions of cells that pass"
    run = make_run([make_cell(1, "raw", exchanges=[], repro={})], trimmed=left, scenarios={})
    drawer = reading([run], "#cell=ETAG-001/example-gateway/raw").page.get_by_role("dialog")
    drawer.get_by_text(f"They were left out of the run file when it was published ({left}).").wait_for()
    assert "run.jsonl" not in drawer.inner_text()
    assert "Known to catch" not in drawer.inner_text()
