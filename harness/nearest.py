"""Which known gateway an endpoint behaves like: the profile that documents best what a few scenarios saw."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness import __version__, profile, scenario
from harness.cell import CellRunner
from harness.config import Endpoint, RunConfig
from harness.profile import Profile
from harness.record import FAILING, Cell, ClientInfo
from harness.verdict import judge

TELLING = (
    "BKT-016",
    "CFG-002",
    "CFG-004",
    "CFG-005",
    "CFG-006",
    "CHNK-009",
    "CHNK-020",
    "COPY-008",
    "COPY-012",
    "COPY-019",
    "CORS-001",
    "CORS-010",
    "CWR-014",
    "CWR-019",
    "DEL-018",
    "ETAG-012",
    "LOCK-010",
    "META-004",
    "MPU-007",
    "VER-007",
)
"""Scenarios that tell every two known gateways apart, and take few requests. Chosen one after another out of those
that any endpoint can be asked: the next is the one that tells the pairs apart that are still the hardest to tell."""

_WAIT = 8.0
"""Seconds that a single wait may take."""


class Fit(NamedTuple):
    """How many of the cells fail if they are judged with a profile."""

    profile: str
    title: str
    failing: int
    judged: int


def fits(cells: Iterable[Cell], profiles: Iterable[Profile], today: dt.date) -> list[Fit]:
    """How well each of the profiles documents what cells saw, the best first; where two are even, Amazon S3 is.

    A verdict is a function of what was seen, so that one run serves for all profiles.
    """
    seen = [cell for cell in cells if cell.gates and cell.observed.outcome not in ("failure", "inexpressible")]
    found = []
    for known in profiles:
        verdicts = [judge(cell.scenario, cell.seen_through, cell.observed, known, today).verdict for cell in seen]
        found.append(Fit(known.name, known.title, sum(verdict in FAILING for verdict in verdicts), len(seen)))
    return sorted(found, key=lambda fit: (fit.failing, fit.profile != profile.STANDARD))


def look(endpoint: Endpoint, run_id: str, folder: Path, bucket: str = "", seconds: float = 60.0) -> list[Fit]:
    """Run the telling scenarios by raw HTTP, and see which profile fits.

    Args:
        endpoint: one that is known to answer.
        run_id: names what is made; it is noted in the journal of `folder`, and to remove it is left to the caller.
        folder: holds the journal.
        bucket: the only bucket that may be used, or "".
        seconds: no further scenario is begun after them; what was seen by then counts.
    """
    known = {name: profile.load(name) for name in profile.names()}
    redirects = {status for one in known.values() for status in one.follow}
    patient = msgspec.structs.replace(endpoint, timeout=min(endpoint.timeout, _WAIT), follow=tuple(redirects))
    raw = ClientInfo("raw", __version__, "inprocess")
    config = RunConfig(run_id, patient, profile.STANDARD, [raw], list(TELLING), str(folder), bucket)
    registry, end, cells = scenario.load(), time.monotonic() + seconds, list[Cell]()
    runner = CellRunner(config, known[profile.STANDARD], "nearest")
    try:
        for name in TELLING:
            if time.monotonic() < end:
                cells.append(runner.attempt(registry[name], "raw"))
    finally:
        runner.close()
    return fits(cells, known.values(), dt.datetime.now(dt.UTC).date())
