"""HTTP/1.1 with the caller's exact bytes: no path is normalised, no header added, moved or re-cased.

Answers are read by the standard library's parser, within limits of time and size, whatever the endpoint does.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from harness.wire.exchange import Headers

MAX_BODY = 64 * 1024 * 1024
_READ = 256 * 1024
_STRAY_WAIT = 0.002


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
        authority = parts.netloc.rpartition("@")[2]
        return cls(parts.scheme, parts.hostname or "", parts.port or default, authority, parts.path.rstrip("/"))


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

    def exchange(self, request: bytes, method: str) -> Answer:
        """Send the bytes of one request and read its answer.

        A kept connection that the endpoint closed in the meantime is replaced once: that is no failure.

        Raises:
            Unreachable: no connection could be made.
            NoAnswer: closed, timed out, over the size limit, or not HTTP.
        """
        reused = self._socket is not None and self._idle()
        try:
            return self._exchange(request, method)
        except _Stale as error:
            if reused:
                try:
                    return self._exchange(request, method)
                except _Stale as again:
                    raise NoAnswer(str(again)) from None
            raise NoAnswer(str(error)) from None

    def _exchange(self, request: bytes, method: str) -> Answer:
        connection = self._open()
        keep = False
        try:
            self._send(connection, request)
            answer, keep = self._read(connection, method)
        except TimeoutError:
            raise NoAnswer(f"no complete answer within {self.timeout:g} s") from None
        except http.client.RemoteDisconnected:
            raise _Stale("connection closed without an answer") from None
        except ConnectionError as error:
            raise _Stale(f"connection broken: {error.strerror or error}") from None
        except http.client.IncompleteRead as error:
            raise NoAnswer(f"answer cut short: {error}") from None
        except (http.client.HTTPException, ValueError, OSError) as error:
            raise NoAnswer(f"not a valid HTTP answer: {type(error).__name__}: {error}"[:300]) from None
        finally:
            if not keep:
                self.close()
        return answer

    def _send(self, connection: socket.socket, request: bytes) -> None:
        """Send, but let an endpoint that answers early and closes be heard."""
        try:
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            if not select.select([connection], [], [], 0.2)[0]:
                raise

    def _read(self, connection: socket.socket, method: str) -> tuple[Answer, bool]:
        deadline = time.monotonic() + 10 * self.timeout
        response = http.client.HTTPResponse(connection, method=method)
        try:
            response.begin()
            stray = self._stray(connection, response) if response.length == 0 else b""
            pieces: list[bytes] = []
            size = 0
            while piece := response.read1(_READ):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_BODY:
                    raise NoAnswer(f"answer is over the limit of {MAX_BODY} bytes")
                if time.monotonic() > deadline:
                    raise NoAnswer(f"answer not complete after {10 * self.timeout:g} s")
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            headers = list(response.headers.items())
            answer = Answer(response.status, response.reason, headers, b"".join(pieces), stray)
            return answer, not (response.will_close or stray)
        finally:
            response.close()

    def _stray(self, connection: socket.socket, response: http.client.HTTPResponse) -> bytes:
        """Bytes that follow an answer which must have no body, as far as they are here already."""
        select.select([connection], [], [], _STRAY_WAIT)
        connection.settimeout(0)
        try:
            return bytes(response.fp.peek(1)) if isinstance(response.fp, io.BufferedReader) else b""
        except (ssl.SSLWantReadError, ConnectionError):
            return b""
        finally:
            connection.settimeout(self.timeout)

    def _idle(self) -> bool:
        """Whether the kept connection still looks usable; drops it otherwise."""
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self.close()
        return self._socket is not None

    def _open(self) -> socket.socket:
        if self._socket is None:
            try:
                plain = socket.create_connection((self.origin.host, self.origin.port), self.timeout)
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


class _Stale(Exception):
    """Closed before the first byte of an answer."""
