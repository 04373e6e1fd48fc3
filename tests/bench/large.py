"""Large bodies over one connection: MB a second of wall time, and how much memory 1 GiB takes on its way.

All servers that can have their data in a folder here: large bodies are files in any case.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable

from harness.wire.sigv4 import UNSIGNED
from tests.bench.client import BenchError, head
from tests.bench.plan import Plan
from tests.bench.servers import Server
from tests.bench.table import Measure

_MIB = 1024 * 1024
_MEGA = 1e6
_SIZE = 64 * _MIB
_ROUNDS = 15
_BLOCK = bytes(range(256)) * 4096  # 1 MiB


def throughput(plan: Plan) -> list[Measure]:
    """64 MiB up and down."""
    put = Measure("PUT 64 MiB, UNSIGNED-PAYLOAD", "MB/s", 500, more_is_better=True)
    signed = Measure("PUT 64 MiB, SHA-256 signed", "MB/s", more_is_better=True)
    get = Measure("GET 64 MiB", "MB/s", 1500, more_is_better=True)
    body = _BLOCK * (_SIZE // _MIB)
    digest = hashlib.sha256(body).hexdigest()
    with plan.serving(plan.names, durable=True) as servers:
        for number in range(plan.times(_ROUNDS) + 1):
            for server in servers:
                with plan.tolerant(server.name, "64 MiB"):
                    rates = (_put(server, body, UNSIGNED), _put(server, body, digest), _get(server, _SIZE))
                    if number > 0:  # the first one warms up
                        for one, rate in zip((put, signed, get), rates, strict=True):
                            one.add(server.name, rate)
    return [put, signed, get]


def memory(plan: Plan) -> list[Measure]:
    """Growth of the peak resident memory during one upload and one download of 1 GiB."""
    size = 1024 * _MIB if not plan.quick else 256 * _MIB
    shown = "1 GiB" if not plan.quick else "256 MiB"
    upload = Measure(f"memory growth, upload of {shown}", "MiB", 40)
    download = Measure(f"memory growth, download of {shown}", "MiB", 40)
    with plan.serving(plan.names, durable=True) as servers:
        for server in servers:
            with plan.tolerant(server.name, shown):
                _put(server, _BLOCK, UNSIGNED)  # what a first request allocates for good does not count
                _get(server, _MIB)
                upload.add(server.name, _growth(server, lambda one: _put_blocks(one, size)))
                download.add(server.name, _growth(server, lambda one: _get(one, size)))
    return [upload, download]


def _growth(server: Server, work: Callable[[Server], object]) -> float:
    before = server.resident()
    server.reset_peak()
    work(server)
    return server.peak() - before


def _put(server: Server, body: bytes, payload: str) -> float:
    return _upload(server, len(body), [memoryview(body)], payload)


def _put_blocks(server: Server, size: int) -> float:
    return _upload(server, size, [memoryview(_BLOCK)] * (size // _MIB), UNSIGNED)


def _upload(server: Server, size: int, body: Iterable[memoryview], payload: str) -> float:
    """MB a second from the first byte sent to the end of the answer."""
    connection = server.connect()
    begin = head(server.address, "PUT", "/bench/large", size, payload)
    started = time.perf_counter()
    connection.ask(begin, *body)
    seconds = time.perf_counter() - started
    connection.close()
    return size / seconds / _MEGA


def _get(server: Server, size: int) -> float:
    """MB a second from the request sent to the last byte of the answer."""
    connection = server.connect()
    asked = head(server.address, "GET", "/bench/large")
    started = time.perf_counter()
    answer = connection.ask(asked, keep=False)
    seconds = time.perf_counter() - started
    connection.close()
    if answer.size != size:
        raise BenchError(f"{answer.size} bytes came back instead of {size}")
    return size / seconds / _MEGA
