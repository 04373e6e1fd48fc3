"""The wiretap: shows what every client puts on the wire, byte for byte, whether it speaks http or https.

It is a forward proxy on 127.0.0.1. A client that is told of it sends `GET http://host:port/path HTTP/1.1`, or
`CONNECT host:port` and then speaks plain HTTP or TLS, which ends here: the client trusts the throw-away authority of
the tap, and the tap speaks TLS of its own with the endpoint, whose certificate it verifies as the run says. A client
that takes no proxy for a loopback address is given the tap itself for an endpoint (`direct`); where a redirect of the
endpoint leads to another port of its own, that client is told of a port of the tap that stands for it.

The endpoint gets `GET /path HTTP/1.1` with every header line, its order, letter case and signature untouched, over
one connection for each of the client's. Only the endpoint is ever contacted, also for names below its own (a bucket
as host name), which therefore need no name resolution. Both sides are hostile: memory and every wait are bounded,
and bytes that are no HTTP are passed on and reported, never interpreted.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

from harness.signals import ClientFault
from harness.wire.aim import OWN_NAMES
from harness.wire.doors import BACKLOG, Doors
from harness.wire.framing import Head
from harness.wire.http1 import Origin, same_host
from harness.wire.link import MARK, Link
from harness.wire.tape import Budget, Recorded, Tape, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.config import Endpoint
    from harness.wire.authority import Authority
    from harness.wire.fault import Fault

MAX_CONNECTIONS = BACKLOG
_SETTLE = 1.0
_LINGER = 1.0


class Wiretap:
    """Listens on a port of 127.0.0.1 until closed; its methods are for one thread.

    Attributes:
        url: what clients are told as their proxy.
        direct: what clients are given for an endpoint that take no proxy for a loopback address. The endpoint then
            sees this port in `Host`.
        taken: told of the exchanges of each call, and whether several were under way at once.
        ca_bundle: path of the PEM file that clients must trust; "" where the endpoint speaks plain http.

    Args:
        endpoint: the endpoint; nothing else is ever contacted.
        faults: what to put between client and endpoint on purpose.
    """

    def __init__(self, endpoint: Endpoint, faults: Sequence[Fault] = ()) -> None:
        self.origin = Origin.of(endpoint.url)
        self._redirects = bool(endpoint.follow)
        self.timeout = endpoint.timeout
        self.faults = tuple(faults)
        self.tape = Tape()
        self.authority: Authority | None = None
        if self.origin.scheme == "https":
            from harness.wire.authority import Authority  # its packages cost start-up time that http need not spend

            self.authority = Authority(self.origin.host)
        self.ca_bundle = self.authority.bundle if self.authority else ""
        self.outward = endpoint.tls()
        if self.outward is not None:
            self.outward.set_alpn_protocols(["http/1.1"])
        self.taken: Callable[[list[Recorded], bool], None] | None = None
        self._lock = threading.Lock()
        self._links: dict[Link, threading.Thread] = {}
        self._closed = False
        self._doors = Doors(self._accepted)
        port = self._doors.to(self.origin.port)
        self.url = f"http://127.0.0.1:{port}"
        host = self.origin.host if self.origin.host in OWN_NAMES else "127.0.0.1"
        self.direct = f"{self.origin.scheme}://{host}:{port}{self.origin.path}"

    @property
    def seen(self) -> int:
        """Requests since the last `take`."""
        return self.tape.seen

    @property
    def spent(self) -> str:
        """Why the budget of the last `take` is spent, or ""."""
        return self.tape.spent

    def start(self, budget: Budget | None = None) -> None:
        """A new call begins; what came since the last `take` belongs to nobody.

        Args:
            budget: what may pass until `take`; by default `Budget()`.
        """
        if not self.tape.settled(0):
            self._cut()
        self.tape = Tape(budget or Budget())

    def take(self, *, ended: bool = False) -> list[Recorded]:
        """What was recorded since `start`, in the order the exchanges ended.

        To be called when the call has ended: connections that the client left in the middle of an exchange are given
        a moment, then cut.

        Args:
            ended: the client is a process that has ended, so that what it sent may still be on its way.

        Raises:
            ClientFault: the wiretap itself failed in one of them; nothing of that is the endpoint's.
        """
        tape = self.tape
        if ended:
            self._arrived()
        if not tape.settled(_SETTLE):
            self._cut()
            tape.settled(_SETTLE)
        self.tape = Tape()
        records = tape.records()
        if self.taken is not None:
            self.taken(records, tape.crowded)
        fault = next((record.exchange.error for record in records if record.fault), "")
        if fault:
            raise ClientFault(f"the wiretap failed: {fault}")
        return records

    def _arrived(self) -> None:
        """Wait, not for long, until every connection made so far is accepted and what it brought is read."""
        deadline = time.monotonic() + _SETTLE
        for port in self._doors.ports:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), _SETTLE) as marker:
                marker.settimeout(_SETTLE)
                marker.sendall(MARK)
                marker.recv(1)  # accepted one after the other, so that those before it have their links by now
        while time.monotonic() < deadline:
            with self._lock:
                links = list(self._links)
            if not any(link.unread for link in links):
                return
            time.sleep(0.002)

    def close(self) -> None:
        """End all connections and stop listening."""
        if self._closed:
            return
        self._closed = True
        self._doors.close()
        for thread in self._cut():
            thread.join(_LINGER)
        if self.authority is not None:
            self.authority.close()

    def is_endpoint(self, host: str, port: int, scheme: str) -> bool:
        """Whether that is the endpoint, or a bucket as a host below it; any port of it, if it is known to redirect."""
        own = self.origin
        if self._redirects and port != own.port:
            return scheme == own.scheme and same_host(host, own.host)
        named = host == own.host or host.endswith("." + own.host)
        return scheme == own.scheme and named and port == own.port

    def door(self, port: int) -> int | None:
        """The tap's own port that stands for a port of the endpoint, None if it can have none."""
        return self._doors.to(port)

    def _cut(self) -> list[threading.Thread]:
        with self._lock:
            links = dict(self._links)
        for link in links:
            link.cut()
        return list(links.values())

    def _accepted(self, connection: socket.socket, port: int) -> None:
        """A client connected, at the port that stands for this one of the endpoint."""
        with self._lock:
            if self._closed:
                connection.close()
                return
            if len(self._links) >= MAX_CONNECTIONS:
                lost = Transaction(self.tape, Head("", [], b""), "")
                lost.end(f"turned away: more than {MAX_CONNECTIONS} connections at once", fault=True)
                connection.close()
                return
            link = Link(self, connection, port)
            self._links[link] = threading.Thread(target=self._serve, args=(link,), daemon=True)
            self._links[link].start()

    def _serve(self, link: Link) -> None:
        try:
            link.run()
        finally:
            with self._lock:
                del self._links[link]
