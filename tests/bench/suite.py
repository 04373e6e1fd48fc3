"""How long the boto3 and raw part of a run takes, with two workers and with one."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import record
from tests.bench.plan import Plan

_ROUNDS = 5
_SECONDS = 600


def report(plan: Plan) -> str:
    """Wall times, cells and requests a second, as text."""
    out = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        _once(out, "2")
        pairs = [(_once(out, "2"), _once(out, "1")) for _ in range(plan.times(_ROUNDS))]
        cells = record.read(out).cells
    finally:
        shutil.rmtree(out)
    two, one = ([pair[which] for pair in pairs] for which in (0, 1))
    requests = sum(cell.requests for cell in cells)
    wall = statistics.median(two)
    ratio = statistics.median(a / b for a, b in pairs)
    own = [1000 * (cell.seconds - cell.waited) for cell in cells if cell.requests]
    return "\n".join(
        (
            f"boto3 + raw, {len(cells)} cells, {requests} requests, Python {sys.version.split()[0]}",
            f"2 workers: {_spread(two)}, {requests / wall:.0f} requests/s",
            f"1 worker:  {_spread(one)}",
            f"requests per cell: mean {requests / len(cells):.1f}, most {max(cell.requests for cell in cells)}",
            f"harness and client per cell, one worker, without the endpoint: {_milliseconds(own)}",
            f"ratio 2 workers / 1 worker, pair by pair: median {ratio:.2f}",
        )
    )


def _milliseconds(times: list[float]) -> str:
    return f"mean {statistics.mean(times):.1f} ms, median {statistics.median(times):.1f} ms"


def _spread(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.2f} s (min {min(seconds):.2f}, max {max(seconds):.2f})"


def _once(out: Path, workers: str) -> float:
    """Seconds of wall time for one whole process."""
    command = ["s3conform", "run", "--clients", "boto3,raw", "--out", str(out), "--workers", workers]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
    return time.perf_counter() - started
