"""From starting the process to the first signed request answered, seconds of wall time."""

from __future__ import annotations

import time

from tests.bench.plan import Plan
from tests.bench.servers import started
from tests.bench.table import Measure

_ROUNDS = 7


def measure(plan: Plan) -> list[Measure]:
    """Start every server several times, in turn."""
    start = Measure("start to first answer", "s", 0.4)
    for _ in range(plan.times(_ROUNDS)):
        for name in plan.names:
            with plan.tolerant(name, "start"):
                begun = time.perf_counter()
                with started(name):
                    start.add(name, time.perf_counter() - begun)
    return [start]
