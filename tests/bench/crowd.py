"""Many connections at once: 200 that are open and silent, 32 that put and get 1 KiB without a pause."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import ExitStack, suppress
from itertools import cycle

from tests.bench.client import Address, Answer, BenchError, head, request
from tests.bench.plan import Plan
from tests.bench.servers import Server
from tests.bench.table import Measure

_IDLE = 200
_BUSY = 32
_SECONDS = 6
_LAST_ANSWERS = 20.0
_BODY = bytes(range(256)) * 4
_RECEIVE = 256 * 1024
_MICRO = 1e6


def measure(plan: Plan) -> list[Measure]:
    """One server after the other; all three measures are of the same seconds."""
    errors = Measure(f"errors, {_IDLE} idle and {_BUSY} busy connections", "", 0)
    rate = Measure("requests a second meanwhile", "1/s", more_is_better=True)
    cost = Measure("CPU for each of them", "µs CPU")
    with plan.serving(plan.names, durable=True) as servers:
        for server in servers:
            with plan.tolerant(server.name, "many connections"):
                figures = _crowd(server, plan.times(_SECONDS))
                for one, figure in zip((errors, rate, cost), figures, strict=True):
                    one.add(server.name, figure)
    return [errors, rate, cost]


def _crowd(server: Server, seconds: int) -> tuple[float, float, float]:
    """How many requests failed, answers a second, and µs of CPU for each.

    The failed ones include a last request on each of the idle connections.
    """
    with ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(server.address, timeout=10)) for _ in range(_IDLE)]
        busy = [_Busy(server.address, number) for number in range(_BUSY)]
        for one in busy:
            stack.callback(one.close)
        started, before = time.perf_counter(), server.cpu()
        _run(busy, started + seconds)
        took, spent = time.perf_counter() - started, server.cpu() - before
        answered = max(1, sum(one.answered for one in busy))
        failed = sum(one.failed for one in busy) + sum(not _awake(one, server.address) for one in idle)
        return failed, answered / took, spent / answered * _MICRO


def _run(busy: list[_Busy], end: float) -> None:
    """Keep all busy until `end`, then wait for the last answers."""
    with selectors.DefaultSelector() as selector:
        for one in busy:
            one.ask(selector)
        while selector.get_map() and time.perf_counter() < end + _LAST_ANSWERS:
            for key, _ in selector.select(1.0):
                key.data.read(selector, more=time.perf_counter() < end)
        for key in list(selector.get_map().values()):  # never answered
            key.data.failed += 1


class _Busy:
    """One connection that puts and gets an object of its own in turn."""

    def __init__(self, address: Address, number: int) -> None:
        target = f"/bench/busy-{number}"
        self.answered = 0
        self.failed = 0
        self._address = address
        self._requests = cycle([request(address, "PUT", target, _BODY), head(address, "GET", target)])
        self._socket = self._connect()
        self._answer = Answer()

    def ask(self, selector: selectors.BaseSelector) -> None:
        """Send the next request; it is small enough to go out at once."""
        self._answer = Answer()
        with suppress(OSError):  # reading will find out
            self._socket.sendall(next(self._requests))
        selector.register(self._socket, selectors.EVENT_READ, self)

    def read(self, selector: selectors.BaseSelector, *, more: bool) -> None:
        """Take what has arrived, and after a whole answer go on if `more`."""
        try:
            data = self._socket.recv(_RECEIVE)
        except OSError:
            data = b""
        if data and not self._answer.feed(data):
            return
        selector.unregister(self._socket)
        if self._answer.complete and self._answer.status == 200:
            self.answered += 1
        else:
            self.failed += 1
        if not data or self._answer.closing:
            self._socket.close()
            self._socket = self._connect()
        if more:
            self.ask(selector)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _connect(self) -> socket.socket:
        try:
            return socket.create_connection(self._address, timeout=10)
        except OSError as error:
            raise BenchError(f"{type(error).__name__} instead of a connection") from error


def _awake(connection: socket.socket, address: Address) -> bool:
    """Whether a connection that was silent so far is answered now."""
    answer = Answer()
    with suppress(OSError):
        connection.sendall(head(address, "GET", "/bench/busy-0"))
        while not answer.complete and (data := connection.recv(_RECEIVE)):
            answer.feed(data)
    return answer.complete and answer.status == 200
