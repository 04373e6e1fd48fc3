"""Figures for people, nothing is asserted: `python -m tests.bench`, or `nox -s bench`. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable

from tests.bench import crowd, large, listing, report, small, startup, suite, tap
from tests.bench.client import BenchError
from tests.bench.plan import Plan
from tests.bench.servers import PEERS, found
from tests.bench.table import Measure, table

_SERVER: dict[str, Callable[[Plan], list[Measure]]] = {
    "start": startup.measure,
    "small": small.measure,
    "large": large.throughput,
    "listing": listing.measure,
    "memory": large.memory,
    "crowd": crowd.measure,
}
_TEXTS: dict[str, Callable[[Plan], str]] = {"tap": tap.report, "suite": suite.report, "report": report.report}


def main() -> None:
    """Run the benchmarks that were asked for, and print what they measured."""
    names = [*_SERVER, *_TEXTS]
    about = "Measure the bundled server, the wiretap, a run and a report."
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=about)
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=f"one or more of {', '.join(names)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and less data")
    parser.add_argument("--no-peers", action="store_true", help="leave moto_server and rclone out")
    options = parser.parse_args()
    unknown = [name for name in options.benches if name not in names]
    if unknown:
        parser.error(f"there is no bench {unknown[0]!r}; there are {', '.join(names)}")
    # Without this the servers would outlive a bench that is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    wanted = options.benches or names
    plan = Plan(found(() if options.no_peers else PEERS), options.quick)
    print(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}; {', '.join(plan.names)}")
    print(f"load average before: {os.getloadavg()[0]:.1f}\n", flush=True)
    measures: list[Measure] = []
    try:
        for name, measured in _SERVER.items():
            if name in wanted:
                print(f"{name} …", file=sys.stderr, flush=True)
                measures += measured(plan)
    except BenchError as error:
        sys.exit(f"python -m tests.bench: the bundled server failed: {error}")
    finally:
        if measures:
            print(table(measures), *(f"\n- {note}" for note in plan.notes), sep="\n", end="\n\n")
    for name, told in _TEXTS.items():
        if name in wanted:
            print(f"{name} …", file=sys.stderr, flush=True)
            print(told(plan), end="\n\n")


if __name__ == "__main__":
    main()
