"""How long the boto3 and raw part of a run takes; figures for people, nothing is asserted.

Run by `nox -s bench`. The peer in the same run is the same suite with one worker, so that the ratio tells what the
workers bring on this machine.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import record

ROUNDS = 5


def once(out: Path, workers: str) -> float:
    """Seconds of wall time for one whole process."""
    command = ["s3conform", "run", "--clients", "boto3,raw", "--out", str(out), "--workers", workers]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Print wall times, cells and requests a second."""
    out = Path(tempfile.mkdtemp())
    try:
        once(out, "2")
        pairs = [(once(out, "2"), once(out, "1")) for _ in range(ROUNDS)]
        cells = record.read(out).cells
    finally:
        shutil.rmtree(out)
    two, one = ([pair[which] for pair in pairs] for which in (0, 1))
    requests = sum(cell.requests for cell in cells)
    wall = statistics.median(two)
    print(f"boto3 + raw, {len(cells)} cells, {requests} requests, Python {sys.version.split()[0]}")
    print(f"2 workers: median {wall:.2f} s (min {min(two):.2f}, max {max(two):.2f}), {requests / wall:.0f} requests/s")
    print(f"1 worker:  median {statistics.median(one):.2f} s (min {min(one):.2f}, max {max(one):.2f})")
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"ratio 2 workers / 1 worker, pair by pair: median {ratio:.2f}")


if __name__ == "__main__":
    main()
