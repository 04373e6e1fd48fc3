"""PUT and GET of 1 KiB: what a request costs the server in CPU time, client excluded."""

from __future__ import annotations

from tests.bench.client import head, request
from tests.bench.plan import Plan
from tests.bench.servers import Server
from tests.bench.table import Measure

_BODY = bytes(range(256)) * 4
_REQUESTS = 400
_ROUNDS = 13
_MICRO = 1e6


def measure(plan: Plan) -> list[Measure]:
    """All servers in memory, then those that can with data in a folder."""
    in_memory = [Measure("PUT 1 KiB, in memory", "µs CPU", 250), Measure("GET 1 KiB, in memory", "µs CPU", 120)]
    in_folder = [Measure("PUT 1 KiB, --data", "µs CPU", 400), Measure("GET 1 KiB, --data", "µs CPU", 120)]
    _rounds(plan, plan.names, in_memory, durable=False)
    _rounds(plan, plan.durable, in_folder, durable=True)
    return in_memory + in_folder


def _rounds(plan: Plan, names: list[str], measures: list[Measure], *, durable: bool) -> None:
    with plan.serving(names, durable=durable) as servers:
        for number in range(plan.times(_ROUNDS) + 1):
            for server in servers:
                with plan.tolerant(server.name, "PUT and GET of 1 KiB"):
                    samples = _round(server, number)
                    if number > 0:  # the first one warms up
                        for one, sample in zip(measures, samples, strict=True):
                            one.add(server.name, sample)


def _round(server: Server, number: int) -> tuple[float, float]:
    """µs of CPU for one PUT of a new key, and for one GET of it."""
    targets = [f"/bench/round-{number}/object-{index:06}" for index in range(_REQUESTS)]
    puts = [request(server.address, "PUT", target, _BODY) for target in targets]
    gets = [head(server.address, "GET", target) for target in targets]
    return _cost(server, puts), _cost(server, gets)


def _cost(server: Server, requests: list[bytes]) -> float:
    connection = server.connect()
    before = server.cpu()
    connection.ask_all(requests)
    spent = server.cpu() - before
    connection.close()
    return spent / len(requests) * _MICRO
