"""A report in a real browser: one Chromium a worker, a fresh page a test, and nothing that a page does goes unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.record import VERDICTS, Cell, GatewayInfo, Run
from reports.html import render
from reports.text import write_atomic
from tests.reports.browser.chrome import NAMES, QUIET, chromium
from tests.reports.conftest import make_cell, make_exchange, make_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@dataclass
class Reader:
    """Someone who opens a report: `page` is the browser's, `trouble` what it complained about or asked for."""

    page: Page
    file: Path
    trouble: list[str] = field(default_factory=list)

    def open(self, fragment: str = "") -> None:
        """Open the report at a view, and wait until it is ready."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.file.as_uri()}{fragment}")
        self.page.wait_for_load_state("load")

    @property
    def fragment(self) -> str:
        """What the address says of the view."""
        return str(self.page.evaluate("location.hash"))

    def rows(self) -> list[str]:
        """The ids of the scenarios that the matrix shows."""
        shown = "[...document.querySelectorAll('.block tbody tr')].filter(row => row.checkVisibility())"
        found: list[str] = self.page.evaluate(f"{shown}.map(row => row.querySelector('a').textContent)")
        return found

    def columns(self) -> list[str]:
        """The clients whose columns the matrix shows."""
        heads = "[...document.querySelectorAll('.m.head tr:last-child th span')]"
        found: list[str] = self.page.evaluate(
            f"{heads}.filter(head => head.checkVisibility()).map(head => head.textContent)"
        )
        return found

    def cell(self, scenario: str, column: int) -> Any:
        """The cell of a scenario in a column, counted from 0."""
        row = self.page.locator(".block tbody tr", has=self.page.get_by_role("link", name=scenario, exact=True))
        return row.locator("td").nth(column)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this worker."""
    path = chromium()
    if not path:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} on PATH, and S3CONFORM_CHROMIUM does not name one")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Run]], Path]:
    """Writes a report of runs, each list of them once."""
    folder = tmp_path_factory.mktemp("reports")
    written: dict[str, Path] = {}

    def write(runs: list[Run]) -> Path:
        text = render(runs)
        if text not in written:
            written[text] = folder / f"{len(written)}.html"
            write_atomic(written[text], text)
        return written[text]

    return write


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def grave(page: Page, axe: str) -> list[Any]:
    """What axe finds that is serious or critical on a page as it stands."""
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate("axe.run().then(result => result.violations)")
    return [
        (one["id"], one["help"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.fixture
def reading(browser: Browser, reports: Callable[[list[Run]], Path]) -> Iterator[Callable[..., Reader]]:
    """Opens reports of runs; at the end no page may have complained, or asked for anything but its own file."""
    readers: list[Reader] = []
    contexts = []

    def read(runs: list[Run] | None = None, fragment: str = "", **options: Any) -> Reader:
        viewport = options.pop("viewport", {"width": 1280, "height": 800})
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        reader = Reader(page, reports(runs if runs is not None else several()))
        page.on("console", lambda message: reader.trouble.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: reader.trouble.append(f"error: {error}"))
        page.on("dialog", lambda dialog: reader.trouble.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: _note(reader, request.url))
        readers.append(reader)
        reader.open(fragment)
        return reader

    yield read
    for context in contexts:
        context.close()
    assert [reader.trouble for reader in readers] == [[] for _ in readers]


def _note(reader: Reader, url: str) -> None:
    if url.partition("#")[0] != reader.file.as_uri():
        reader.trouble.append(f"request: {url}")


def several() -> list[Run]:
    """Alpha with an earlier run in which ETAG-001 conformed, and Beta, which fails elsewhere."""
    old = _run("Alpha", "1.0", "2025-01-01T00:00:00Z", {"ETAG-001": "conforms"})
    new = _run("Alpha", "2.0", "2025-02-01T00:00:00Z", {"ETAG-001": "violates", "ETAG-003": "deviates"})
    beta = _run("Beta", "7.1", "2025-02-02T00:00:00Z", {"ETAG-002": "violates", "LST2-001": "error"})
    return [old, new, beta]


def _run(name: str, version: str, started: str, verdicts: dict[str, str]) -> Run:
    """Six scenarios through three clients; `verdicts` are those of boto3 where they are not conforming."""
    cells = [
        _cell(scenario, client, verdicts.get(scenario, "conforms") if client == "boto3" else "conforms")
        for scenario in ("ETAG-001", "ETAG-002", "ETAG-003", "LST2-001", "LST2-002", "VER-001")
        for client in ("boto3", "raw", "rclone")
    ]
    return make_run(cells, gateway=GatewayInfo(name, version), started=started, run_id=f"{name}-{version}")


def _cell(scenario: str, client: str, verdict: str) -> Cell:
    family, _, number = scenario.partition("-")
    wrong = verdict not in ("conforms", "deviates")
    answered = {"status": 501, "reason": "Not Implemented"} if wrong else {"status": 200, "reason": "OK"}
    return make_cell(
        int(number),
        client,
        verdict,
        scenario=scenario,
        family=family,
        level="MUST" if family == "ETAG" else "SHOULD",
        operations=["PutObject"] if family == "ETAG" else ["ListObjectsV2"],
        title=f"What {scenario} promises",
        exchanges=[make_exchange(**answered)],
    )


def all_verdicts(text: str = "") -> list[Run]:
    """One run with every verdict through three clients; `text` wherever an endpoint has a say."""
    cells = [
        make_cell(number, client, verdict, text, level=("MUST", "SHOULD", "EXTENDED")[number % 3])
        for number, verdict in enumerate(VERDICTS)
        for client in ("boto3", "raw", "rclone")
    ]
    return [make_run(cells, text)]
