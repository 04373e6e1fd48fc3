"""A recording forward proxy for plain http: shows what client programs put on the wire, byte for byte.

A program that is told of the proxy sends `GET http://host:port/path HTTP/1.1`; the endpoint gets
`GET /path HTTP/1.1` with every header line, its order, letter case and signature untouched, over one
connection for each of the program's. Only the endpoint is ever contacted. Both sides are hostile: memory and
every wait are bounded, and bytes that are no HTTP are passed on and reported, never interpreted.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.wire.framing import FramingError, Head, UntilClose, split_head
from harness.wire.http1 import Origin
from harness.wire.tape import Recorded, Tape, Transaction

if TYPE_CHECKING:
    from harness.config import Endpoint

MAX_CONNECTIONS = 128
_READ = 64 * 1024
_BUFFER = 256 * 1024
_SETTLE = 1.0
_SLACK = 5.0
_LINGER = 1.0
_REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


class RecordingProxy:
    """Listens on a port of 127.0.0.1 until closed; its methods are for one thread.

    Args:
        endpoint: the http endpoint; nothing else is ever contacted.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.origin = Origin.of(endpoint.url)
        self.timeout = endpoint.timeout
        self.tape = Tape()
        self._lock = threading.Lock()
        self._links: dict[_Link, threading.Thread] = {}
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=MAX_CONNECTIONS)
        self._address = self._listener.getsockname()
        self.url = f"http://127.0.0.1:{self._address[1]}"
        self._thread = threading.Thread(target=self._listen, name="recording-proxy", daemon=True)
        self._thread.start()

    @property
    def seen(self) -> int:
        """Requests since the last `take`."""
        return self.tape.seen

    def take(self) -> list[Recorded]:
        """What was recorded since the last call, in the order the exchanges ended.

        To be called when the program has ended: connections that it left behind are given a moment, then cut.
        """
        tape = self.tape
        if not tape.settled(_SETTLE):
            self._cut()
            tape.settled(_SETTLE)
        self.tape = Tape()
        return tape.records()

    def close(self) -> None:
        """End all connections and stop listening."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):  # wakes the accepting thread on every system
            socket.create_connection(self._address, 1).close()
        self._listener.close()
        self._thread.join(_LINGER)
        for thread in self._cut():
            thread.join(_LINGER)

    def _cut(self) -> list[threading.Thread]:
        with self._lock:
            links = dict(self._links)
        for link in links:
            link.cut()
        return list(links.values())

    def _listen(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                time.sleep(0.02)  # closed, or out of file descriptors, which passes
                continue
            with self._lock:
                if self._closed or len(self._links) >= MAX_CONNECTIONS:
                    connection.close()
                    continue
                link = _Link(self, connection)
                self._links[link] = threading.Thread(target=self._serve, args=(link,), daemon=True)
                self._links[link].start()

    def _serve(self, link: _Link) -> None:
        try:
            link.run()
        finally:
            with self._lock:
                del self._links[link]


class _ClosingError(Exception):
    """The connection is to be closed; the text says why, "" where nothing is wrong."""


class _Link:
    """A connection of the client and its own connection to the endpoint; each ends when the other does."""

    def __init__(self, proxy: RecordingProxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._patience = 2 * proxy.timeout + _SLACK
        self._client = client
        self._server: socket.socket | None = None
        self._server_ended = False
        self._from_client, self._to_client = bytearray(), bytearray()
        self._from_server, self._to_server = bytearray(), bytearray()
        self._current: Transaction | None = None

    def run(self) -> None:
        """Serve until the end; whatever happens, nothing stays open."""
        reason = "the proxy failed"
        try:
            self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._client.setblocking(False)
            while True:
                self._pump()
                self._responses()
                self._requests()
        except _ClosingError as end:
            reason = str(end)
        except FramingError as error:
            reason = f"not a valid HTTP request: {error}"
        except OSError as error:
            reason = f"connection broken: {error.strerror or error}"
        finally:
            if self._current is not None:
                self._current.end(reason)
            self._finish()

    def cut(self) -> None:
        """End from another thread."""
        for connection in (self._client, self._server):
            if connection is not None:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    # --- moving bytes ---

    def _pump(self) -> None:
        """Wait until something can move, and move it."""
        poll = select.poll()
        room = len(self._from_client) + len(self._to_server) < _BUFFER
        poll.register(self._client, _events(read=room, write=bool(self._to_client)))
        server = None if self._server_ended else self._server
        if server is not None:
            poll.register(server, _events(read=len(self._to_client) < _BUFFER, write=bool(self._to_server)))
        events = dict(poll.poll(self._patience * 1000))
        if not events:
            raise _ClosingError(f"nothing moved for {self._patience:g} s" if self._busy() else "")
        if server is not None:
            self._pump_server(server, events.get(server.fileno(), 0))
        event = events.get(self._client.fileno(), 0)
        if event & select.POLLOUT:
            del self._to_client[: self._client.send(self._to_client)]
        if event & _READABLE:
            self._read_client()

    def _pump_server(self, server: socket.socket, event: int) -> None:
        if event & select.POLLOUT:
            with contextlib.suppress(ConnectionError):  # its answer may still be readable
                del self._to_server[: server.send(self._to_server)]
        if event & _READABLE:
            try:
                data = server.recv(_READ)
            except ConnectionError:
                data = b""
            self._from_server += data
            self._server_ended = not data

    def _read_client(self) -> None:
        data = self._client.recv(_READ)
        if not data:
            raise _ClosingError("the client closed the connection before the answer ended" if self._busy() else "")
        self._from_client += data

    def _busy(self) -> bool:
        return self._current is not None and not self._current.ended

    # --- the client's side ---

    def _requests(self) -> None:
        """Pass on what the client sent, as far as it belongs to the current request."""
        while self._from_client:
            if self._current is None:
                head = split_head(self._from_client)
                if head is None:
                    return
                del self._from_client[: len(head.raw)]
                self._current = self._begin(head)
            if self._current.body.done:
                return
            used = self._current.request(bytes(self._from_client))
            self._to_server += self._from_client[:used]
            del self._from_client[:used]
            if self._current.done:  # answered early, and sent to its end all the same
                self._current = None

    def _begin(self, head: Head) -> Transaction:
        method, _, rest = head.start.partition(" ")
        target, _, version = rest.rpartition(" ")
        self._current = Transaction(self._proxy.tape, head, target)
        if not self._is_endpoint(target):
            self._to_client += _REFUSAL
            raise _ClosingError(f"refused: {method} {target[:200]} is not for the endpoint; nothing was forwarded")
        if self._server is None:
            self._server = self._connect()
        local = re.sub(r"^[^:/]*://[^/?#]*", "", target)
        local = local if local.startswith("/") else f"/{local}"
        lines = [line for line in head.raw.split(b"\n")[1:] if not line.lower().startswith(b"proxy-")]
        self._to_server += f"{method} {local} {version}\r\n".encode("latin-1") + b"\n".join(lines)
        return self._current

    def _is_endpoint(self, target: str) -> bool:
        """Whether a request target names the endpoint, or a bucket as a host below it."""
        try:
            parts = urlsplit(target)
            port, host = parts.port or 80, parts.hostname or ""
        except ValueError:
            return False
        origin = self._proxy.origin
        named = host == origin.host or host.endswith("." + origin.host)
        return parts.scheme == "http" and named and port == origin.port and "@" not in parts.netloc

    def _connect(self) -> socket.socket:
        origin = self._proxy.origin
        try:
            server = socket.create_connection((origin.host, origin.port), self._proxy.timeout)
        except (OSError, UnicodeError) as error:
            raise _ClosingError(f"cannot connect to {origin.authority}: {error}") from None
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.setblocking(False)
        return server

    # --- the endpoint's side ---

    def _responses(self) -> None:
        """Pass on what the endpoint sent, and record what it means."""
        while self._from_server and self._busy():
            assert self._current is not None  # noqa: S101 - said by _busy, for the type checker
            try:
                used = self._response(self._current)
            except FramingError as error:
                self._current.garbled(f"not a valid HTTP answer: {error}")
                continue
            if not used:
                break
            self._to_client += self._from_server[:used]
            del self._from_server[:used]
            self._settle(self._current)
        if self._server_ended:
            if self._current is not None:
                self._current.end(self._shortfall(self._current))
            self._to_client += self._from_server
            raise _ClosingError("")
        if self._from_server and not self._busy():
            self._to_client += self._from_server
            raise _ClosingError("")  # after the end of an answer: passed on, but the connection cannot serve another

    def _response(self, current: Transaction) -> int:
        """How many bytes from the endpoint are understood now: a head, or a piece of a body."""
        if current.framing is not None:
            return current.response(bytes(self._from_server))
        head = split_head(self._from_server)
        if head is None:
            return 0
        current.answered(head)
        return len(head.raw)

    def _settle(self, current: Transaction) -> None:
        """Record a complete response before its last byte can reach the client."""
        if current.framing is not None and current.framing.done:
            current.end(stray=bytes(self._from_server))
            if current.body.done:
                self._current = None

    def _shortfall(self, current: Transaction) -> str:
        """What is missing when the endpoint closes now; "" where closing is how the answer ends."""
        if current.framing is None:
            where = "within the head of the answer" if self._from_server else "without an answer"
            return f"connection closed {where}"
        if isinstance(current.framing, UntilClose):
            return ""
        return f"answer cut short after {current.size} bytes of its body"

    # --- the end ---

    def _finish(self) -> None:
        """Hand over what is left for the client, let it be read, and close."""
        with contextlib.suppress(OSError):
            self._client.settimeout(self._proxy.timeout)
            self._client.sendall(self._to_client)
            self._client.shutdown(socket.SHUT_WR)
            self._client.settimeout(_LINGER)
            deadline = time.monotonic() + _LINGER
            while time.monotonic() < deadline and self._client.recv(_READ):
                pass
        self._client.close()
        if self._server is not None:
            self._server.close()


def _events(*, read: bool, write: bool) -> int:
    return (select.POLLIN if read else 0) | (select.POLLOUT if write else 0)
