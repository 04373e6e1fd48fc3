"""What the wiretap costs a small request: the same client over one kept connection, with it and without, in turn."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import statistics
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from harness import offline
from harness.config import Endpoint
from harness.wire.sigv4 import Credentials
from harness.wire.wiretap import Wiretap
from tests.bench.plan import Plan

_ROUNDS = 9
_REQUESTS = 400


def report(plan: Plan) -> str:
    """Microseconds a request and their difference, for http and https, as text."""
    lines = ["wiretap, GET / over one kept connection, median of rounds in turn:"]
    with offline.reference_server("--tls", "--also-http") as ready:
        keys = Credentials(ready.access_key, ready.secret_key)
        for url, bundle in ((ready.http_endpoint, ""), (ready.endpoint, ready.ca_bundle)):
            endpoint = Endpoint(url, keys, ready.region, ca_bundle=bundle)
            lines.append(_compared(endpoint, plan.times(_ROUNDS)))
    return "\n".join(lines)


def _compared(endpoint: Endpoint, rounds: int) -> str:
    tap = Wiretap(endpoint)
    try:
        with _direct(endpoint) as plain, _tapped(endpoint, tap) as tapped:
            pairs = []
            for _ in range(rounds + 1):
                pairs.append((_time(plain), _time(tapped)))
                tap.take()
            pairs = pairs[1:]
    finally:
        tap.close()
    without, with_ = (statistics.median(pair[which] for pair in pairs) for which in (0, 1))
    more = statistics.median(pair[1] - pair[0] for pair in pairs)
    scheme = urlsplit(endpoint.url).scheme
    return f"{scheme:<6} without {without:.0f} µs, with {with_:.0f} µs, difference {more:.0f} µs"


def _time(get: Callable[[], None]) -> float:
    """Microseconds a request."""
    started = time.perf_counter()
    for _ in range(_REQUESTS):
        get()
    return (time.perf_counter() - started) / _REQUESTS * 1e6


@contextlib.contextmanager
def _direct(endpoint: Endpoint) -> Iterator[Callable[[], None]]:
    own = urlsplit(endpoint.url)
    with _kept(_connection(own.hostname, own.port, endpoint.ca_bundle), "/") as get:
        yield get


@contextlib.contextmanager
def _tapped(endpoint: Endpoint, tap: Wiretap) -> Iterator[Callable[[], None]]:
    own, where = urlsplit(endpoint.url), urlsplit(tap.url)
    connection = _connection(where.hostname, where.port, tap.ca_bundle)
    target = f"{endpoint.url}/"
    if tap.ca_bundle:
        connection.set_tunnel(own.hostname or "", own.port)
        target = "/"
    with _kept(connection, target) as get:
        yield get


def _connection(host: str | None, port: int | None, bundle: str) -> http.client.HTTPConnection:
    if not bundle:
        return http.client.HTTPConnection(host or "", port, timeout=10)
    context = ssl.create_default_context(cafile=bundle)
    return http.client.HTTPSConnection(host or "", port, timeout=10, context=context)


@contextlib.contextmanager
def _kept(connection: http.client.HTTPConnection, target: str) -> Iterator[Callable[[], None]]:
    def get() -> None:
        connection.request("GET", target)
        connection.getresponse().read()

    with contextlib.closing(connection):
        yield get
