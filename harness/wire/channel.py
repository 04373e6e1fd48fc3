"""One side of a connection, plain or TLS, read and written without ever waiting."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

_READ = 64 * 1024
_LINGER = 1.0


class Channel:
    """A connected socket, from now on without waits.

    Attributes:
        ended: the other side sends no more.
        ragged: it ended a TLS stream without saying so.

    Args:
        connection: the socket, after the handshake where it is TLS.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.ended = self.ragged = False
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)

    def fileno(self) -> int:
        """For `poll`."""
        return self._socket.fileno()

    @property
    def ready(self) -> bool:
        """Whether there are bytes to receive that `poll` does not see, since TLS has read them already."""
        return isinstance(self._socket, ssl.SSLSocket) and not self.ended and self._socket.pending() > 0

    def receive(self) -> bytes:
        """What is there; nothing where nothing is, or at the end.

        Raises:
            OSError: the connection broke.
        """
        pieces, size = [], 0
        while size < _READ:
            try:
                data = self._socket.recv(_READ)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as end:
                self.ragged = isinstance(end, ssl.SSLEOFError)
                data = b""
            pieces.append(data)
            size += len(data)
            if not data:
                self.ended = True
            if not data or not self.ready:
                break
        return b"".join(pieces)

    def send(self, data: bytearray) -> None:
        """Send of `data` what goes out now, and remove it there.

        Raises:
            OSError: the connection broke.
        """
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            del data[: self._socket.send(data)]

    def cut(self) -> None:
        """End at once; from any thread."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def finish(self, rest: bytearray, seconds: float, *, goodbye: bool = True) -> None:
        """Hand over what is left, say that it is the end (unless the other end did not), let it be read, close.

        Args:
            rest: bytes not yet sent.
            seconds: how long sending them may take.
            goodbye: end a TLS stream properly.
        """
        with contextlib.suppress(OSError, ValueError):
            self._socket.settimeout(seconds)
            self._socket.sendall(rest)
            if isinstance(self._socket, ssl.SSLSocket) and goodbye:
                self._socket.settimeout(0)
                with contextlib.suppress(OSError):  # the alert goes out; that of the peer is not waited for
                    self._socket.unwrap()
            socket.socket.shutdown(self._socket, socket.SHUT_WR)
            self._socket.settimeout(_LINGER)
            deadline = time.monotonic() + _LINGER
            while time.monotonic() < deadline and socket.socket.recv(self._socket, _READ):
                pass
        self._socket.close()

    def close(self) -> None:
        """Close."""
        self._socket.close()
