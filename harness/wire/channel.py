"""One side of a connection, plain or TLS, read and written without ever waiting."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time

_READ = 64 * 1024
_LINGER = 1.0
_SETTLE = 0.05
_SPOILT = b"no record of TLS"


_CORK: int | None = getattr(socket, "TCP_CORK", None)  # Linux
"""Holds bytes back until there is more of them, or no more to come."""


class Channel:
    """A connected socket, from now on without waits.

    Attributes:
        ended: the other side sends no more.
        broken: how it ended, where that was no proper end: reset, or a TLS stream that breaks off.
        spoilt: what broke it were bytes that are no TLS.

    Args:
        connection: the socket, after the handshake where it is TLS.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.ended = False
        self.broken, self.spoilt = "", False
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
        """What is there; nothing where nothing is, or at the end, proper or not."""
        pieces, size = [], 0
        while size < _READ:
            try:
                data = self._socket.recv(_READ)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except ssl.SSLZeroReturnError:
                data = b""
            except OSError as error:
                self.broken = error.strerror or str(error)
                self.spoilt = isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError)
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

    def finish(self, rest: bytearray, seconds: float, *, reset: bool = False, spoil: bool = False) -> None:
        """Hand over what is left, say that it is the end, let it be read; `close` is still to come.

        Args:
            rest: bytes not yet sent.
            seconds: how long sending them may take.
            reset: break off instead of saying so, as the other end did.
            spoil: and with bytes that are no TLS, as it did.
        """
        with contextlib.suppress(OSError, ValueError):
            self._socket.settimeout(seconds)
            if _CORK is not None and not reset:
                # The end goes out with the last bytes: whoever has the answer sees the connection end.
                self._socket.setsockopt(socket.IPPROTO_TCP, _CORK, 1)
            self._socket.sendall(rest)
            if spoil:
                socket.socket.sendall(self._socket, _SPOILT)
            if reset:
                time.sleep(_SETTLE)  # a reset that overtakes the bytes before it would take them along
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if isinstance(self._socket, ssl.SSLSocket):
                self._socket.settimeout(0)
                with contextlib.suppress(OSError):  # the alert goes out; that of the peer is not waited for
                    self._socket.unwrap()
            socket.socket.shutdown(self._socket, socket.SHUT_WR)
            self._socket.settimeout(_LINGER)
            deadline = time.monotonic() + _LINGER
            while time.monotonic() < deadline and socket.socket.recv(self._socket, _READ):
                pass

    def close(self) -> None:
        """Close."""
        self._socket.close()
