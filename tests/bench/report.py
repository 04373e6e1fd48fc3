"""How large, how slow and how hungry the report of a large matrix is, and how fast a browser opens and filters it.

The matrix is that of `tests.reports.big`: 8 gateways, 6 clients, 530 scenarios. Of several samples the best counts, as
what else runs on the machine only ever adds.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.plan import Plan
from tests.reports import big
from tests.reports.browser.chrome import QUIET, chromium

SIZE, PAINT, FILTER, SECONDS, MEMORY = 6.0, 1.5, 0.1, 10.0, 500.0
"""Goals: megabytes of the file, seconds to the first paint and to filter, seconds and megabytes of `report`."""

_ROUNDS = 6
_FILTERS = (
    ("verdict", "failing"),
    ("level", "MUST"),
    ("family", "ETAG"),
    ("op", "PutObject"),
    ("view", "clients"),
    ("view", "gateways"),
)
_FRAME = "await new Promise(done => requestAnimationFrame(() => setTimeout(done)));"
_CHOOSE = f"""async ([name, value]) => {{
  const field = document.querySelector(`#filters [name=${{name}}]`);
  field.value = value;
  const start = performance.now();
  field.dispatchEvent(new Event("input", {{ bubbles: true }}));
  {_FRAME}
  return performance.now() - start;
}}"""
"""Choose a value of a filter; milliseconds until the frame after it was drawn."""


def report(plan: Plan) -> str:
    """The figures as text, each with its goal."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        paths = big.write(Path(folder))
        seconds, busy, memory = _made(paths, Path(folder), plan.times(3))
        page = Path(folder) / "out" / "index.html"
        read = sum(path.stat().st_size for path in paths) / 1e6
        lines = [
            f"report of 8 gateways, 6 clients, 530 scenarios ({read:.0f} MB of run files)",
            _line("size of the file", page.stat().st_size / 1e6, "MB", SIZE),
            f"{_line('s3conform report', seconds, 's', SECONDS)} ({busy:.2f} s of CPU)",
            _line("memory of it", memory, "MB", MEMORY),
            *_browsed(page, plan.times(_ROUNDS)),
        ]
    return "\n".join(lines)


def _line(name: str, value: float, unit: str, goal: float) -> str:
    return f"{name + ':':<28} {value:6.2f} {unit}, goal < {goal:g} {unit}: {'met' if value < goal else 'MISSED'}"


def _made(paths: list[Path], folder: Path, rounds: int) -> tuple[float, float, float]:
    """Seconds of wall time and of CPU, and megabytes of `s3conform report`: the best of some rounds."""
    samples = []
    for _ in range(rounds):
        started = time.perf_counter()
        command = ["s3conform", "report", *map(str, paths), "--out", str(folder / "out")]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        samples.append((time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000))
    wall, busy, memory = zip(*samples, strict=True)
    return min(wall), min(busy), max(memory)


def _browsed(page: Path, rounds: int) -> list[str]:
    """First paint and filtering in Chromium."""
    path = chromium()
    if not path:
        return ["no Chromium here: first paint and filters are not measured"]
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return ["no Playwright here (the extra `dev` has it): first paint and filters are not measured"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        overview = min(_paint(browser, page.as_uri()) for _ in range(rounds))
        matrix = min(_paint(browser, f"{page.as_uri()}#page=matrix") for _ in range(rounds))
        filters = _filtered(browser, f"{page.as_uri()}#page=matrix", rounds)
        browser.close()
    return [
        _line("first paint", overview, "s", PAINT),
        _line("first paint of the matrix", matrix, "s", PAINT),
        *(_line(f"filter {name}", seconds, "s", FILTER) for name, seconds in filters.items()),
    ]


def _paint(browser: Any, address: str) -> float:
    """Seconds from the beginning of a load to the first paint with content."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(address)
    tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    painted: float = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    tab.close()
    return painted / 1000


def _filtered(browser: Any, address: str, rounds: int) -> dict[str, float]:
    """Seconds that each filter takes, set and cleared again: the best of some rounds."""
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.goto(address)
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, value in _FILTERS:
            for wanted, title in ((value, f"{name}={value}"), ("", f"{name}={value} cleared")):
                found.setdefault(title, []).append(tab.evaluate(_CHOOSE, [name, wanted]) / 1000)
    tab.close()
    return {title: min(samples) for title, samples in found.items()}
