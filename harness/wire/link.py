"""One connection of a client through the wiretap, and the connection to the endpoint that belongs to it."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import time
from typing import TYPE_CHECKING, Protocol

from harness.wire.aim import Aims, Known
from harness.wire.channel import Channel
from harness.wire.framing import FramingError, Head, UntilClose, split_head
from harness.wire.tape import Tape, Transaction

if TYPE_CHECKING:
    import ssl

    from harness.wire.authority import Authority
    from harness.wire.fault import Fault

CLIENT_LEFT = "the client closed the connection before the answer ended"
"""What is noted where a client did not wait; why, it knows better."""
MARK = b"\x00"
"""What the tap sends to itself; no request and no handshake begins with it."""
_BUFFER = 256 * 1024
_SLACK = 5.0
_LATE = 0.02
_OWN_ERRORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""What this process lacks, and no endpoint is to blame for."""
_REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR
_TLS = b"\x16"
"""First byte of a TLS handshake (RFC 8446 section 5.1); no request begins with it."""


class Tap(Known, Protocol):
    """What a link needs to know of the wiretap that it belongs to."""

    timeout: float
    tape: Tape
    faults: tuple[Fault, ...]
    authority: Authority | None
    outward: ssl.SSLContext | None


class _ClosingError(Exception):
    """The connection is to be closed; the text says why, "" where nothing is wrong."""


class Link:
    """A connection of the client and its own connection to the endpoint; each ends when the other does.

    Args:
        tap: the wiretap.
        client: the connection that it accepted.
        port: the port of the endpoint that the client means where it takes the tap for the endpoint.
    """

    def __init__(self, tap: Tap, client: socket.socket, port: int) -> None:
        self._tap = tap
        self._patience = 2 * tap.timeout + _SLACK
        self._accepted = client
        self._client = Channel(client)
        self._server: Channel | None = None
        self._aims = Aims(tap, client.getsockname()[1], port)
        self._port = port
        self._scheme = "http"
        self._tunnelled = self._direct = self._given_up = False
        self._dialling: socket.socket | None = None
        self._from_client, self._to_client = bytearray(), bytearray()
        self._from_server, self._to_server = bytearray(), bytearray()
        self._current: Transaction | None = None

    def run(self) -> None:
        """Serve until the end; whatever happens, nothing stays open."""
        reason, fault = "the wiretap failed", True
        try:
            self._greet()
            while True:
                self._pump()
                self._responses()
                self._requests()
        except _ClosingError as end:
            reason, fault = str(end), False
        except FramingError as error:
            reason, fault = f"not a valid HTTP request: {error}", False
        except OSError as error:
            reason, fault = f"connection broken: {error.strerror or error}", error.errno in _OWN_ERRORS
        finally:
            if self._current is not None:
                self._current.end(reason, fault=fault)
            self._end()

    def _end(self) -> None:
        """Close both sides, that of the client as the endpoint closed its own."""
        server = self._server
        if server is not None and server.ended and self._current is None:
            self._unanswered()
        if not self._client.ended:
            reset, spoil = (bool(server.broken), server.spoilt) if server is not None else (False, False)
            self._client.finish(self._to_client, self._tap.timeout, reset=reset, spoil=spoil)
        self._client.close()
        if server is not None:
            server.close()

    def _unanswered(self) -> None:
        """Note a request that came when the endpoint had closed its connection already."""
        poll = select.poll()
        poll.register(self._client, select.POLLIN)
        if not self._from_client and (self._client.ready or poll.poll(_LATE * 1000)):
            self._from_client += self._client.receive()
        with contextlib.suppress(FramingError):
            head = split_head(self._from_client)
            if head is not None:
                target = head.start.split(" ")[1] if " " in head.start else ""
                Transaction(self._tap.tape, head, self._url(head, target)).end("connection closed without an answer")

    @property
    def unread(self) -> bool:
        """Whether the client has sent what is not read yet."""
        try:
            return bool(select.select([self._client], [], [], 0)[0]) and not self._client.ended
        except (OSError, ValueError):  # closed meanwhile
            return False

    def cut(self) -> None:
        """End from another thread, also while it is still connecting."""
        self._given_up = True
        if self._current is not None:
            self._current.end(f"no connection within {self._tap.timeout:g} s" if self._dialling else CLIENT_LEFT)
        if self._dialling is not None:
            with contextlib.suppress(OSError):
                self._dialling.shutdown(socket.SHUT_RDWR)
        for channel in (self._client, self._server):
            if channel is not None:
                channel.cut()

    def _greet(self) -> None:
        """Wait for the first byte, and speak TLS with a client that does."""
        poll = select.poll()
        poll.register(self._client, select.POLLIN)
        authority = self._tap.authority
        if not poll.poll(self._patience * 1000):
            raise _ClosingError("")
        first = self._accepted.recv(1, socket.MSG_PEEK)
        if first == MARK:
            raise _ClosingError("")
        if authority is not None and first == _TLS:
            self._accepted.settimeout(self._tap.timeout)
            secure = authority.context.wrap_socket(self._accepted, server_side=True)
            self._client, self._scheme = Channel(secure), "https"

    # --- moving bytes ---

    def _pump(self) -> None:
        """Wait until something can move, and move it."""
        poll = select.poll()
        room = len(self._from_client) + len(self._to_server) < _BUFFER
        poll.register(self._client, _events(read=room, write=bool(self._to_client)))
        server = None if self._server is None or self._server.ended else self._server
        waiting = self._client.ready and room
        if server is not None:
            open_ = len(self._to_client) < _BUFFER
            poll.register(server, _events(read=open_, write=bool(self._to_server)))
            waiting = waiting or (server.ready and open_)
        events = dict(poll.poll(0 if waiting else self._patience * 1000))
        if not events and not waiting:
            raise _ClosingError(f"nothing moved for {self._patience:g} s" if self._busy() else "")
        if server is not None:
            self._pump_server(server, events.get(server.fileno(), 0))
        event = events.get(self._client.fileno(), 0)
        if event & select.POLLOUT:
            self._client.send(self._to_client)
        if event & _READABLE or (self._client.ready and room):
            self._from_client += self._client.receive()
            if self._client.ended:
                raise _ClosingError(CLIENT_LEFT if self._busy() else "")

    def _pump_server(self, server: Channel, event: int) -> None:
        if event & select.POLLOUT:
            with contextlib.suppress(OSError):  # its answer may still be readable
                server.send(self._to_server)
        if event & _READABLE or server.ready:
            self._from_server += server.receive()

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
                if head.start.startswith("CONNECT "):
                    self._tunnel(head.start.split(" ")[1])
                    continue
                self._current = self._begin(head)
            if self._current.body.done:
                return
            used = self._current.request(bytes(self._from_client))
            self._to_server += self._from_client[:used]
            del self._from_client[:used]
            if self._current.done:  # answered early, and sent to its end all the same
                self._current = None

    def _tunnel(self, target: str) -> None:
        """Agree to CONNECT to the endpoint; what the client speaks in it, plain HTTP or TLS, ends here."""
        host, _, port = target.rpartition(":")  # some leave the brackets of an IPv6 address out
        bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
        aim = self._aims.of(f"{self._tap.origin.scheme}://{bracketed}:{port}")
        if aim is None or self._tunnelled or self._from_client:
            self._to_client += _REFUSAL
            # Noted as an exchange, so that a client which goes elsewhere does not seem idle.
            self._current = Transaction(self._tap.tape, Head(f"CONNECT {target} HTTP/1.1", [], b""), target)
            raise _ClosingError("refused: CONNECT that is not for the endpoint; nothing was forwarded")
        self._tunnelled = True
        self._client.send(answer := bytearray(_TUNNEL))
        if answer:
            raise _ClosingError("the client does not read")
        self._greet()

    def _begin(self, head: Head) -> Transaction:
        method, _, rest = head.start.partition(" ")
        target, _, version = rest.rpartition(" ")
        self._direct = target.startswith("/") and not self._tunnelled
        aim = self._aims.of(self._url(head, target))
        current = self._current = Transaction(self._tap.tape, head, aim.url if aim else target)
        if aim is None:
            self._to_client += _REFUSAL
            raise _ClosingError(f"refused: {method[:20]} that is not for the endpoint; nothing was forwarded")
        if spent := self._tap.tape.spent:
            raise _ClosingError(spent)
        self._apply_faults(current, method, aim.target)
        if self._server is not None and aim.port != self._port:  # the client was redirected, and keeps its connection
            self._server.close()
            self._server = None
        self._port = aim.port
        if self._server is None:
            self._server = self._connect(aim.host)
        lines = [line for line in head.raw.split(b"\n")[1:] if not line.lower().startswith(b"proxy-")]
        self._to_server += f"{method} {aim.target} {version}\r\n".encode("latin-1") + b"\n".join(lines)
        return current

    def _url(self, head: Head, target: str) -> str:
        return self._aims.url(head, target, self._scheme, tunnelled=self._tunnelled)

    def _apply_faults(self, current: Transaction, method: str, target: str) -> None:
        for fault in self._tap.faults:
            if fault.matches(method, target):
                time.sleep(fault.delay)
                self._to_client += fault.answer
                if fault.answer or fault.drop:
                    raise _ClosingError("a fault on purpose")
                current.cut = fault.cut

    def _connect(self, host: str) -> Channel:
        """A connection to the endpoint, TLS included, within one timeout for all of it.

        Raises:
            _ClosingError: there is none.
        """
        origin, deadline = self._tap.origin, time.monotonic() + self._tap.timeout
        try:
            server = self._dialling = socket.create_connection((origin.host, self._port), self._tap.timeout)
            if self._tap.outward is not None:
                server.settimeout(max(0.1, deadline - time.monotonic()))
                server = self._tap.outward.wrap_socket(server, server_hostname=host, suppress_ragged_eofs=False)
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) in _OWN_ERRORS:
                raise
            where = origin.authority if self._port == origin.port else f"{origin.host}:{self._port}"
            raise _ClosingError(f"cannot connect to {where}: {error}") from None
        self._dialling = None
        if self._given_up:
            server.close()
            raise _ClosingError(CLIENT_LEFT)
        return Channel(server)

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
        if self._server is not None and self._server.ended:
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
            used = current.response(bytes(self._from_server))
            if spent := current.over:
                self._to_client += self._from_server[:used]
                raise _ClosingError(spent)
            return used
        head = split_head(self._from_server)
        if head is None:
            return 0
        current.answered(head)
        told = self._aims.led_here(head) if self._direct else head.raw
        self._from_server[: len(head.raw)] = told
        return len(told)

    def _settle(self, current: Transaction) -> None:
        """Record a complete response before its last byte can reach the client."""
        if current.framing is not None and current.framing.done:
            current.end(stray=bytes(self._from_server))
            if current.body.done:
                self._current = None
            elif current.held_back and not self._from_client:
                # The client may send the body now, or its next request, and many endpoints close over it without a
                # word. What comes on a fresh connection is told apart.
                raise _ClosingError("")

    def _shortfall(self, current: Transaction) -> str:
        """What is missing when the endpoint closes now; "" where closing is how the answer ends."""
        if current.framing is None:
            where = "within the head of the answer" if self._from_server else "without an answer"
            return f"connection closed {where}"
        broken = self._server.broken if self._server is not None else ""
        if isinstance(current.framing, UntilClose):
            return f"answer broken off after {current.size} bytes of its body: {broken}" if broken else ""
        return f"answer cut short after {current.size} bytes of its body"


def _events(*, read: bool, write: bool) -> int:
    return (select.POLLIN if read else 0) | (select.POLLOUT if write else 0)
