"""HTTP/1.1 on one connection: heads and bodies in, answers out, exactly as S3 clients see them.

The parser is llhttp (httptools). What frameworks hide is decided here: the raw request target is kept,
`100 Continue` is sent only when the body is first read, an early refusal closes the connection and lingers,
head and body leave in one write.

Source: RFC 9112 (HTTP/1.1), RFC 9110 §10.1.1 (Expect), §15 (status codes without a body).
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import httptools

from reference_server.errors import REASONS, S3Error, not_implemented_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_RECEIVE = 256 * 1024
# For heads: a buffer of more than 128 KiB is mapped and unmapped each time, which costs more than parsing the head.
_RECEIVE_HEAD = 64 * 1024
_FRAMING = (b"content-length", b"transfer-encoding")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Limits:
    """Bounds of a server and of each of its connections; sizes in bytes, times in seconds.

    Args:
        head: size of a request head; also of what follows a chunked body, and of chunk extensions.
        header_lines: headers of one request.
        head_wait: from the first byte of a head to its last.
        idle: without any byte, in either direction.
        progress: what a body must bring in every `progress_wait` that is spent waiting for it.
        progress_wait: see `progress`; together they end uploads that only trickle.
        drain: unread rest of a refused body that is read so that the connection can go on.
        linger: for the client to read an answer before the connection is gone.
        handshake: of TLS.
        connections: open at once; those beyond it are told to come back later.
    """

    head: int = 32 * 1024
    header_lines: int = 200
    head_wait: float = 20.0
    idle: float = 60.0
    progress: int = 16 * 1024
    progress_wait: float = 60.0
    drain: int = 256 * 1024
    linger: float = 2.0
    handshake: float = 10.0
    connections: int = 1000


@dataclass(slots=True)
class Head:
    """One request head. Header names are lower case; repeated headers are joined with a comma."""

    method: str
    target: bytes
    keep_alive: bool
    headers: dict[str, str]
    version: str = "1.1"
    peer: str = ""
    secure: bool = False


@dataclass(slots=True)
class Answer:
    """What goes back. `body` is bytes, or an iterable of chunks whose total is `length`.

    The last three are for servers that are wrong on purpose. `raw` is sent in place of status line and headers,
    `force_body` sends the body even where HTTP has none, `drop` closes the connection and sends nothing. An
    iterable that ends before `length` cuts the connection.
    """

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes | Iterable[bytes] = b""
    length: int | None = None
    close: bool = False
    done: Callable[[], None] | None = None
    raw: bytes | None = None
    force_body: bool = False
    drop: bool = False


class Transport(Protocol):
    """The part of a socket that a connection uses; a TLS one gives every method the same meaning."""

    def recv(self, size: int, /) -> bytes:
        """Some bytes; none at the end of the stream."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of it within the timeout."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Bound each of the above."""

    def shutdown(self, how: int, /) -> None:
        """End one direction or both; from `SHUT_WR` on the peer sees the end of the stream."""

    def close(self) -> None:
        """Give the connection up."""


class DisconnectedError(Exception):
    """The client went away, or stayed silent for too long."""


class _Events:
    """Parser callbacks, written down as a queue, because one read may hold several requests."""

    def __init__(self, limits: Limits) -> None:
        self.queue: deque[Head | bytes | S3Error | None] = deque()
        self.parser = httptools.HttpRequestParser(self)
        self._in_head = True
        self._head_known = False
        self._ended = False
        self._unproductive = 0
        self._limits = limits
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        # After the head these are chunked trailers: S3 has its own inside aws-chunked, so they are dropped.
        if self._in_head:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._head_known:
            self._head_known = False
            return
        if len(self._headers) > self._limits.header_lines:
            self.queue.append(S3Error("RequestHeaderSectionTooLarge", status=431))
            return
        version = self.parser.get_http_version()
        headers: dict[str, str] = {}
        size = len(self._target) + 4 * len(self._headers)
        for raw_name, raw_value in self._headers:
            size += len(raw_name) + len(raw_value)
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip(" \t")
            if name in headers:
                if name == "host":
                    self.queue.append(S3Error("BadRequest"))
                    return
                value = f"{headers[name]},{value}"
            headers[name] = value
        if size > self._limits.head:
            self.queue.append(S3Error("RequestHeaderSectionTooLarge"))
        elif version not in ("1.0", "1.1"):
            self.queue.append(S3Error("BadRequest"))
        elif "transfer-encoding" in headers and (coding := _unread_coding(headers["transfer-encoding"], version)):
            self.queue.append(coding)
        else:
            method = self.parser.get_method().decode("latin-1")
            keep_alive = self.parser.should_keep_alive() and method != "CONNECT"
            self.queue.append(Head(method, self._target, keep_alive, headers, version))

    def on_body(self, data: bytes) -> None:
        self.queue.append(data)

    def on_message_complete(self) -> None:
        self.queue.append(None)
        self._in_head = True

    def feed(self, data: bytes) -> None:
        """Parse what was read; a protocol error becomes the last event, and what follows CONNECT means nothing."""
        if self._ended:
            return
        before = len(self.queue)
        self._parse(data)
        # Heads, trailers and chunk extensions are bounded alike: they are what gives no event for long.
        self._unproductive = 0 if len(self.queue) > before else self._unproductive + len(data)
        if self._unproductive > self._limits.head:
            self.queue.append(S3Error("RequestHeaderSectionTooLarge"))

    def _parse(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if self.parser.get_method() != b"CONNECT":
                    data = self._without_upgrade(data[upgrade.args[0] :])
                    continue
                self._ended = True
            except httptools.HttpParserError:
                self.queue.append(S3Error("BadRequest"))
                self._ended = True
            return

    def _without_upgrade(self, rest: bytes) -> bytes:
        """What to parse on with: no upgrade is offered, and the parser took the body for another protocol.

        Some clients, Java's among them, ask for HTTP/2 in their first request, also when that is an upload.
        """
        self.queue.pop()  # the end of the message, reported before its body
        framing = b"".join(b"%s: %s\r\n" % pair for pair in self._headers if pair[0].lower() in _FRAMING)
        self.parser = httptools.HttpRequestParser(self)
        self._head_known = True
        return b"PUT / HTTP/1.1\r\n%s\r\n%s" % (framing, rest)


def _unread_coding(coding: str, version: str) -> S3Error | None:
    """Why a body of this transfer coding is not read: only chunked is, and HTTP/1.0 has none (RFC 9112 §6.1)."""
    if version == "1.0":
        return S3Error("BadRequest")
    return None if coding.lower() == "chunked" else not_implemented_header("Transfer-Encoding")


class Body:
    """The body of one request, read on demand. Reading it is what sends `100 Continue`.

    HTTP/1.0 has no such answer: the expectation is ignored there (RFC 9110 §10.1.1).
    """

    def __init__(self, connection: Connection, headers: dict[str, str], version: str = "1.1") -> None:
        self._connection = connection
        self._expects_continue = headers.get("expect", "").lower() == "100-continue" and version != "1.0"
        self._left = -1 if "transfer-encoding" in headers else int(headers.get("content-length", "0"))
        self._waited, self._arrived = 0.0, 0  # since the pace was looked at last
        self._failed = False  # its rest will not come, or not in time
        self.complete = False

    def __iter__(self) -> Iterator[bytes]:
        while not self.complete:
            event = self._next()
            if event is not None:
                yield event

    def _next(self) -> bytes | None:
        connection = self._connection
        queue = connection.events.queue
        while not queue:
            if self._expects_continue:
                self.send_continue()
            self._wait()
        event = queue.popleft()
        if event is None:
            if self._expects_continue:  # an empty body: some clients wait all the same, and get out of step without
                self.send_continue()
            self.complete = True
            return None
        if isinstance(event, bytes):
            self._expects_continue = False  # it did not wait
            self._left -= len(event)
            return event
        queue.appendleft(event)
        raise event if isinstance(event, S3Error) else S3Error("IncompleteBody")

    def _wait(self) -> None:
        """Receive once; a body that keeps no pace is given up, else a trickle could hold a thread for ever."""
        self._failed = True
        started = time.monotonic()
        try:
            received = self._connection.receive()
        except TimeoutError:
            raise S3Error("RequestTimeout") from None
        if not received:
            raise S3Error("IncompleteBody")
        self._waited += time.monotonic() - started
        self._arrived += received
        limits = self._connection.limits
        if self._waited > limits.progress_wait:
            if self._arrived < limits.progress:
                raise S3Error("RequestTimeout")
            self._waited, self._arrived = 0.0, 0
        self._failed = False

    def send_continue(self) -> None:
        """Send `100 Continue` now, whether the client asked for it or not; reading will not send another."""
        self._expects_continue = False
        self._connection.send(_CONTINUE)

    def settle(self, limit: int) -> bool:
        """Whether the connection can go on after the answer: nothing is left, or at most `limit` bytes.

        Never blocks. A client that waits for `100 Continue` may or may not send its body after a refusal:
        only closing is unambiguous then. So it is with an empty body: botocore sends nothing more on a connection
        on which it got an answer instead.
        """
        queue = self._connection.events.queue
        if self._expects_continue and queue and queue[0] is None:
            return False
        while not self.complete and queue and not isinstance(queue[0], S3Error | Head):
            self._next()
        to_come = not self._failed and not self._expects_continue
        return self.complete or (to_come and 0 <= self._left <= limit)

    def discard(self) -> bool:
        """Read and drop what is left; whether the end was found."""
        with contextlib.suppress(S3Error):
            for _ in self:
                pass
        return self.complete


class Application(Protocol):
    """What a connection serves."""

    def __call__(self, head: Head, body: Body) -> Answer:
        """The answer to one request; must not raise."""

    def refuse(self, error: S3Error) -> Answer:
        """The answer to bytes that never became a request."""


class Connection:
    """Serves the requests of one client connection, one after the other, in the calling thread.

    Args:
        sock: the connection; closing it is left to the caller.
        application: what answers.
        limits: bounds of everything here.
        handshake: comes before the first byte; raises OSError if there is none to come.
        peer: address of the client.
    """

    def __init__(
        self,
        sock: Transport,
        application: Application,
        limits: Limits,
        handshake: Callable[[], None] | None = None,
        peer: str = "",
    ) -> None:
        self.socket = sock
        self.limits = limits
        self.events = _Events(limits)
        self.idle = True
        self.stopping = False
        self._application = application
        self._handshake = handshake
        self._peer = peer
        sock.settimeout(limits.idle)

    def receive(self, most: int = _RECEIVE) -> int:
        """Feed the parser once more; the number of bytes, at most so many, and 0 at the end of the stream.

        Raises:
            TimeoutError: the client was silent for too long.
            DisconnectedError: the connection broke.
        """
        try:
            data = self.socket.recv(most)
        except TimeoutError:
            raise
        except OSError as error:
            raise DisconnectedError from error
        if data:
            self.events.feed(data)
        return len(data)

    def send(self, data: bytes) -> None:
        """Send all of it, or raise `DisconnectedError`."""
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise DisconnectedError from error

    def serve(self) -> None:
        """Answer requests until either side closes."""
        with contextlib.suppress(DisconnectedError):
            self._begin()
            while not self.stopping:
                head = self._next_head()
                if head is None or not self._exchange(head):
                    break
                # Before `stopping` is looked at: whoever stops the server sets that first and then asks this.
                self.idle = not self.events.queue
            self._end()

    def turn_away(self) -> None:
        """Answer 503 to whatever is asked, once."""
        with contextlib.suppress(DisconnectedError):
            self._begin()
            self._refuse(S3Error("ServiceUnavailable"))

    def _begin(self) -> None:
        if self._handshake is not None:
            try:
                self._handshake()
            except OSError as error:
                raise DisconnectedError from error

    def _next_head(self) -> Head | None:
        """The next request head; None if there is none to come. A malformed one is answered here."""
        events = self.events
        started = 0.0
        while not events.queue:
            try:
                if not self.receive(_RECEIVE_HEAD):
                    return None
            except TimeoutError:
                return None
            self.idle = False
            now = time.monotonic()
            started = started or now
            if not events.queue and now - started > self.limits.head_wait:
                events.queue.append(S3Error("RequestTimeout"))
        event = events.queue.popleft()
        if isinstance(event, Head):
            event.peer, event.secure = self._peer, self._handshake is not None
            return event
        if isinstance(event, S3Error):
            self._refuse(event)
        return None

    def _refuse(self, error: S3Error) -> None:
        answer = self._application.refuse(error)
        answer.close = True
        self._write("GET", answer)
        self._linger()

    def _exchange(self, head: Head) -> bool:
        """One request and its answer; whether the connection stays open."""
        body = Body(self, head.headers, head.version)
        answer = self._application(head, body)
        reusable = body.settle(self.limits.drain)
        answer.close = answer.close or not reusable or not head.keep_alive or self.stopping
        try:
            self._write(head.method, answer, head.version)
        finally:
            if answer.done is not None:
                answer.done()
        if not reusable or (not body.complete and not body.discard()):
            self._linger()
            return False
        return not answer.close

    def _write(self, method: str, answer: Answer, version: str = "1.1") -> None:
        if answer.drop:
            raise DisconnectedError
        data = _head(answer, version) if answer.raw is None else answer.raw
        if (method == "HEAD" or answer.status in (204, 304)) and not answer.force_body:
            self.send(data)
        elif isinstance(answer.body, bytes):
            self.send(data + answer.body)
        else:
            self._stream(data, answer.body, answer.length)

    def _stream(self, data: bytes, chunks: Iterable[bytes], left: int | None) -> None:
        for chunk in chunks:
            self.send(data + chunk if data else chunk)
            data = b""
            if left is not None:
                left -= len(chunk)
        if data:
            self.send(data)
        if left:
            raise DisconnectedError  # the promised length cannot be kept: cutting is the only honest end

    def _end(self) -> None:
        """Close our side. Not done for what is cut: with TLS that would vouch for the answer being whole."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def _linger(self) -> None:
        """Close our side, then read on for a while: else a reset could destroy the answer in flight."""
        deadline = time.monotonic() + self.limits.linger
        self._end()
        with contextlib.suppress(OSError):
            self.socket.settimeout(self.limits.linger)
            while time.monotonic() < deadline and self.socket.recv(_RECEIVE):
                pass


def _head(answer: Answer, version: str) -> bytes:
    """Status line and headers, ready to be sent; header names exactly as the application gave them."""
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Unknown')}\r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in answer.headers]
    if answer.close:
        lines.append("Connection: close\r\n")
    elif version == "1.0":
        lines.append("Connection: keep-alive\r\n")  # which clients of that version wait for
    lines.append("\r\n")
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines):
        # A stored value with a line end must not become another header.
        text = "".join(line[:-2].replace("\r", " ").replace("\n", " ") + "\r\n" for line in lines)
    return text.encode("latin-1", "replace")
