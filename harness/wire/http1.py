"""HTTP/1.1 with the caller's exact bytes: no path is normalised, no header added, moved or re-cased.

Answers are read by the standard library's parser, within limits of time and size, whatever the endpoint does.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import select
import socket
import ssl
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from harness.wire.exchange import Headers

MAX_BODY = 16 * 1024 * 1024
"""Bytes of the body of an answer: more than the three parts of 5 MiB that the largest object of a scenario has."""
MAX_HEAD = 256 * 1024
"""Bytes that may come before the body of an answer, interim answers (1xx) among them."""
_WRITE = 64 * 1024
_READ = 256 * 1024
_STRAY_WAIT = 0.0005
_IDLE = 2.0


class NoAnswer(Exception):
    """The request got no HTTP answer; the text says what happened instead."""


class Unreachable(NoAnswer):
    """No connection could be made at all."""


class Answer(NamedTuple):
    """An HTTP answer: header lines in wire order and case, and the whole body.

    `stray` holds bytes that came where HTTP allows no body (HEAD, 204, 304).
    """

    status: int
    reason: str
    headers: Headers
    body: bytes
    stray: bytes


class Origin(NamedTuple):
    """Where an endpoint listens: scheme, host, port, the `Host` value, and the path it is mounted under."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str

    @classmethod
    def of(cls, url: str) -> Origin:
        """The origin of an http or https URL (already validated)."""
        parts = urlsplit(url)
        default = 443 if parts.scheme == "https" else 80
        # Without a default port, as clients write `Host`: to some endpoints the two are not the same.
        authority = parts.netloc.rpartition("@")[2].removesuffix(f":{default}")
        return cls(parts.scheme, parts.hostname or "", parts.port or default, authority, parts.path.rstrip("/"))


def same_host(one: str, other: str) -> bool:
    """Whether two names or addresses are one host; all that lead back to this machine are."""
    return one == other or (_loopback(one) and _loopback(other))


def _loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _resolvable(name: str) -> str:
    """A name below localhost is this machine (RFC 6761 section 6.3), also where the resolver does not know it."""
    return "localhost" if name.lower().endswith(".localhost") else name


class Connection:
    """One connection to an endpoint, kept alive between requests; not thread-safe.

    Args:
        origin: where to connect.
        timeout: seconds that any single wait, and ten times this that a whole answer, may take.
        context: TLS settings for https.
    """

    def __init__(self, origin: Origin, timeout: float, context: ssl.SSLContext | None = None) -> None:
        self.origin = origin
        self.timeout = timeout
        self._context = context
        self._socket: socket.socket | None = None
        self._used = 0.0

    def exchange(self, request: bytes, method: str) -> Answer:
        """Send the bytes of one request and read its answer.

        A kept connection that the endpoint closed in the meantime is replaced: that is no failure. A request that
        went out whole is never sent again, so that one that was lost shows, and none is carried out twice.

        Raises:
            Unreachable: no connection could be made.
            NoAnswer: closed, timed out, over the size limit, or not HTTP.
        """
        reused = self._idle()
        try:
            return self._exchange(request, method)
        except _Unsent as error:
            if not reused:
                raise NoAnswer(str(error)) from None
        try:
            return self._exchange(request, method)
        except _Unsent as error:
            raise NoAnswer(str(error)) from None

    def _exchange(self, request: bytes, method: str) -> Answer:
        connection = self._open()
        stream = _Stream(connection, self.timeout)
        keep = whole = False
        try:
            whole = self._send(connection, request)
            answer, keep = self._read(stream, method)
            keep = keep and whole
        except TimeoutError:
            raise NoAnswer(f"no complete answer within {stream.waited:g} s") from None
        except ConnectionError as error:
            if stream.begun:
                raise NoAnswer(f"in the middle of an answer: {_why(error)}") from None
            raise (NoAnswer if whole else _Unsent)(_why(error)) from None
        except http.client.IncompleteRead as error:
            raise NoAnswer(f"answer cut short: {error}") from None
        except (http.client.HTTPException, ValueError, OverflowError, OSError) as error:
            raise NoAnswer(f"not a valid HTTP answer: {type(error).__name__}: {error}"[:300]) from None
        finally:
            if not keep:
                self.close()
        self._used = time.monotonic()
        return answer

    def _send(self, connection: socket.socket, request: bytes) -> bool:
        """Send, but let an endpoint that answers early and reads no more be heard. Whether all was sent."""
        rest = memoryview(request)
        connection.settimeout(self.timeout)
        try:
            while rest and _takes_more(connection, self.timeout):
                rest = rest[connection.send(rest[:_WRITE]) :]
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            if not select.select([connection], [], [], 0.2)[0]:
                raise
        return not rest

    def _read(self, stream: _Stream, method: str) -> tuple[Answer, bool]:
        response = _final(stream, method)
        try:
            bodyless = method == "HEAD" or response.status in (http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED)
            stray = stream.stray() if bodyless else b""
            body = _body(response)
            headers = list(response.headers.items())
            answer = Answer(response.status, response.reason, headers, body, stray)
            return answer, not (response.will_close or stray)
        finally:
            response.close()

    def _idle(self) -> bool:
        """Whether the kept connection still looks usable; drops it otherwise.

        One that was long idle may be closed at this very moment, and is not trusted.
        """
        if self._socket is not None:
            stale = time.monotonic() - self._used > _IDLE
            if stale or select.select([self._socket], [], [], 0)[0]:
                self.close()
        return self._socket is not None

    def _open(self) -> socket.socket:
        if self._socket is None:
            try:
                plain = socket.create_connection((_resolvable(self.origin.host), self.origin.port), self.timeout)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket = self._wrap(plain)
            except (OSError, UnicodeError) as error:
                raise Unreachable(f"cannot connect to {self.origin.authority}: {error}") from None
        return self._socket

    def _wrap(self, plain: socket.socket) -> socket.socket:
        if self._context is None:
            return plain
        try:
            return self._context.wrap_socket(plain, server_hostname=self.origin.host)
        except BaseException:
            plain.close()
            raise

    def close(self) -> None:
        """Drop the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Unsent(Exception):
    """The connection broke before the whole request was sent, and nothing was answered."""


def _why(error: ConnectionError) -> str:
    if isinstance(error, http.client.RemoteDisconnected):
        return "connection closed without an answer"
    return f"connection broken: {error.strerror or error}"


def _takes_more(connection: socket.socket, timeout: float) -> bool:
    """Whether the endpoint reads on, or at least has not answered instead. TLS does not tell; there, send waits."""
    if isinstance(connection, ssl.SSLSocket):
        return True
    answered, writable, _ = select.select([connection], [connection], [], timeout)
    return bool(writable or not answered) or connection.recv(10, socket.MSG_PEEK).startswith(b"HTTP/1.1 1")


def _final(stream: _Stream, method: str) -> http.client.HTTPResponse:
    """The answer proper, its head read; interim answers (1xx) before it are passed over."""
    while True:
        response = http.client.HTTPResponse(stream, method=method)  # type: ignore[arg-type]
        try:
            response.begin()
        except BaseException:
            response.fp = None  # type: ignore[assignment]  # else it is flushed, closed, when it is collected
            raise
        if response.status == http.HTTPStatus.SWITCHING_PROTOCOLS or not 100 <= response.status < 200:
            stream.headed = True
            return response
        response.fp = None  # type: ignore[assignment]  # else the stream is closed with this response


def _body(response: http.client.HTTPResponse) -> bytes:
    """The whole body, in one buffer: of an endpoint that sends chunks of one byte, a list of them would be huge.

    Raises:
        NoAnswer: it is over the limit, or says so; the rest is not waited for.
        IncompleteRead: it ends before its length.
    """
    body = bytearray()
    while len(body) + (response.length or 0) <= MAX_BODY:
        piece = response.read1(_READ)
        if not piece:
            if response.length:
                raise http.client.IncompleteRead(bytes(body), response.length)
            return bytes(body)
        body += piece
    raise NoAnswer(f"answer is over the limit of {MAX_BODY} bytes")


class _Stream(io.RawIOBase):
    """What one answer is read from: every wait is bounded by `timeout`, all of them by ten times as much.

    Attributes:
        headed: whether the head of the final answer has been read.
        waited: seconds that ran out, after TimeoutError.
    """

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self.headed = False
        self.waited = timeout
        self._size = 0
        self._patient = True
        self._connection = connection
        self._timeout = timeout
        self._deadline = time.monotonic() + 10 * timeout
        self._reader = io.BufferedReader(self)

    def makefile(self, _mode: str) -> io.BufferedReader[_Stream]:
        """The one buffered reader, for HTTPResponse: what an interim answer leaves in it is not lost."""
        return self._reader

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Bytes from the socket; None where `stray` finds none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            self.waited = 10 * self._timeout
            raise TimeoutError
        self._connection.settimeout(min(self._timeout, left) if self._patient else 0)
        try:
            size = self._connection.recv_into(buffer)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        self._size += size
        if self._size > MAX_HEAD and not self.headed:
            raise NoAnswer(f"the head of the answer is over the limit of {MAX_HEAD} bytes")
        return size

    @property
    def begun(self) -> bool:
        """Whether anything at all has come."""
        return self._size > 0

    def stray(self) -> bytes:
        """Bytes that follow an answer which must have no body, as far as they are here already."""
        select.select([self._connection], [], [], _STRAY_WAIT)
        self._patient = False
        try:
            return bytes(self._reader.peek(1))
        except ConnectionError:
            return b""
        finally:
            self._patient = True
