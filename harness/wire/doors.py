"""The ports at which a wiretap listens: one for its endpoint, and one for each port that the endpoint redirects to.

A client that takes the tap for its endpoint would leave it where a redirect leads to another port; so each of these
has a port of the tap that stands for it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

BACKLOG = 1024
MAX_DOORS = 16
"""Ports of an endpoint that others stand for; an endpoint that redirects to more of them is not followed there."""
_LINGER = 1.0


class _Door(NamedTuple):
    listener: socket.socket
    port: int
    thread: threading.Thread


class Doors:
    """Listening sockets on 127.0.0.1, one for each port of the endpoint that was asked for.

    Args:
        accepted: is given each new connection, and the port of the endpoint that it means.
    """

    def __init__(self, accepted: Callable[[socket.socket, int], None]) -> None:
        self._accepted = accepted
        self._lock = threading.Lock()
        self._open: dict[int, _Door] = {}
        self._closed = False

    def to(self, port: int) -> int | None:
        """The port of this machine that stands for a port of the endpoint, from now on; None where there are too many.

        Raises:
            OSError: this process can have no more sockets.
        """
        with self._lock:
            if port not in self._open:
                if self._closed or len(self._open) >= MAX_DOORS:
                    return None
                self._open[port] = self._opened(port)
            return self._open[port].port

    @property
    def ports(self) -> list[int]:
        """The ports of this machine that are listened at."""
        with self._lock:
            return [door.port for door in self._open.values()]

    def close(self) -> None:
        """Stop listening."""
        with self._lock:
            self._closed = True
            doors = list(self._open.values())
        for door in doors:
            with contextlib.suppress(OSError):  # wakes the accepting thread on every system
                socket.create_connection(("127.0.0.1", door.port), 1).close()
            door.listener.close()
            door.thread.join(_LINGER)

    def _opened(self, port: int) -> _Door:
        listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        thread = threading.Thread(target=self._listen, args=(listener, port), name="wiretap", daemon=True)
        door = _Door(listener, listener.getsockname()[1], thread)
        thread.start()
        return door

    def _listen(self, listener: socket.socket, port: int) -> None:
        while not self._closed:
            try:
                connection, _ = listener.accept()
            except OSError:
                time.sleep(0.02)  # closed, or out of file descriptors, which passes
                continue
            self._accepted(connection, port)
