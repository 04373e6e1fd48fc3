"""The first page of a large bucket: 1000 keys, and 1000 common prefixes. Milliseconds of server CPU."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench import bulk
from tests.bench.client import BenchError, head, request
from tests.bench.plan import Plan
from tests.bench.servers import OURS, Server, started
from tests.bench.table import Measure

_FEW = 10_000
_MANY = 1_000_000
_MANY_QUICK = 100_000
_GROUPS = 2000  # twice the size of a page, so that a page of common prefixes is a full one with more to come
_ROUNDS = 9
_PAGES = 20
_MILLI = 1e3
_KEYS = ("/bench?list-type=2", b"<Key>")
_PREFIXES = ("/bench?delimiter=%2F&list-type=2", b"<Prefix>group-")


def measure(plan: Plan) -> list[Measure]:
    """Peers take part with few keys only: they would take minutes to be loaded."""
    many = _MANY_QUICK if plan.quick else _MANY
    few_keys = Measure(f"1000 keys of {_FEW:,}", "ms CPU", 4)
    few_prefixes = Measure(f"1000 prefixes of {_FEW:,} keys", "ms CPU")
    many_keys = Measure(f"1000 keys of {many:,}", "ms CPU", 4)
    many_prefixes = Measure(f"1000 prefixes of {many:,} keys", "ms CPU", 12)
    peers = plan.names[1:]
    with ExitStack() as stack:
        servers = [_loaded(stack, _FEW)]
        for peer in stack.enter_context(plan.serving(peers, durable=True)):
            with plan.tolerant(peer.name, f"PUT of {_FEW:,} objects"):
                _load(peer, _FEW)
                servers.append(peer)
        _rounds(plan, servers, few_keys, *_KEYS)
        _rounds(plan, servers, few_prefixes, *_PREFIXES)
    with ExitStack() as stack:
        server = _loaded(stack, many)
        _rounds(plan, [server], many_keys, *_KEYS)
        _rounds(plan, [server], many_prefixes, *_PREFIXES)
    return [few_keys, few_prefixes, many_keys, many_prefixes]


def keys(number: int) -> list[str]:
    """So many keys in `_GROUPS` groups."""
    return [f"group-{index % _GROUPS:04}/object-{index // _GROUPS:06}" for index in range(number)]


def _loaded(stack: ExitStack, number: int) -> Server:
    """Ours over a folder with so many objects."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    with started(OURS, folder) as server:
        server.ask(head(server.address, "PUT", "/bench"))
    bulk.fill(folder, "bench", sorted(keys(number)))
    return stack.enter_context(started(OURS, folder))


def _load(server: Server, number: int) -> None:
    connection = server.connect()
    for key in keys(number):
        connection.ask(request(server.address, "PUT", f"/bench/{key}", b"x"))
    connection.close()


def _rounds(plan: Plan, servers: list[Server], page: Measure, target: str, entry: bytes) -> None:
    for number in range(plan.times(_ROUNDS) + 1):
        for server in servers:
            with plan.tolerant(server.name, page.name):
                sample = _page(server, target, entry)
                if number > 0:  # the first one warms up
                    page.add(server.name, sample)


def _page(server: Server, target: str, entry: bytes) -> float:
    """Milliseconds of CPU for one page."""
    connection = server.connect()
    asked = head(server.address, "GET", target)
    before = server.cpu()
    for _ in range(_PAGES):
        answer = connection.ask(asked)
    spent = server.cpu() - before
    connection.close()
    if answer.body.count(entry) != 1000:
        raise BenchError(f"a page has {answer.body.count(entry)} entries instead of 1000")
    return spent / _PAGES * _MILLI
