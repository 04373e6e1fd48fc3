"""The listening socket, one thread per connection up to a limit, and a stop that waits for nobody who is idle."""

from __future__ import annotations

import contextlib
import functools
import selectors
import socket
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING

from reference_server.wire import Application, Connection, Limits, Transport

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_STOP_WAIT = 0.8
_CUT_WAIT = 0.5
_TURNED_AWAY = 64
"""How many connections beyond the limit are told so at once; the system closes what comes on top of these."""


class Server:
    """Accepts connections on one address until stopped.

    Args:
        application: answers the requests.
        host: address to bind; names are resolved.
        port: 0 lets the system choose.
        limits: bounds of connections.
        debug: print tracebacks of connection threads.
        ssl_context: makes it speak TLS; a server's, with its certificate loaded.

    Raises:
        OSError: the address cannot be bound.
    """

    def __init__(
        self,
        application: Application,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        limits: Limits | None = None,
        debug: bool = False,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._application = application
        self._ssl_context = ssl_context
        self._limits = limits or Limits()
        self._debug = debug
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=512)
        self._listener.setblocking(False)
        self.host: str = host
        self.port: int = self._listener.getsockname()[1]
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._lock = threading.Lock()
        self._connections: dict[Connection, threading.Thread] = {}
        self._acceptor = threading.Thread(target=self._accept, name="accept", daemon=True)

    @property
    def endpoint(self) -> str:
        """The URL clients use; a wildcard address becomes loopback."""
        # S104 takes the comparison for a bind.
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"{'http' if self._ssl_context is None else 'https'}://{host}:{self.port}"

    def start(self) -> None:
        """Begin to accept, in a thread of its own."""
        self._acceptor.start()

    def stop(self) -> None:
        """Stop accepting, let requests in progress finish (for under a second), close everything."""
        self._wake_writer.send(b"x")
        self._acceptor.join()
        with self._lock:
            open_now = dict(self._connections)
        for connection in open_now:
            connection.stopping = True
            if connection.idle:
                _shutdown(connection.socket, socket.SHUT_RD)
        deadline = time.monotonic() + _STOP_WAIT
        for thread in open_now.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        late = {connection: thread for connection, thread in open_now.items() if thread.is_alive()}
        for connection in late:
            _shutdown(connection.socket, socket.SHUT_RDWR)
        deadline = time.monotonic() + _CUT_WAIT
        for thread in late.values():
            thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector, self._listener, self._wake_reader, self._wake_writer:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while all(key.fileobj is self._listener for key, _ in selector.select()):
                self._accept_one()

    def _accept_one(self) -> None:
        try:
            client, address = self._listener.accept()
        except OSError:  # the client was gone already, or file descriptors ran out
            time.sleep(0.01)
            return
        with self._lock:
            excess = len(self._connections) - self._limits.connections
        if excess >= _TURNED_AWAY:
            client.close()
            return
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = self._connection(client, address[0])
        except OSError:  # some systems refuse options of a socket that was reset meanwhile
            client.close()
            return
        serve = connection.serve if excess < 0 else connection.turn_away
        thread = threading.Thread(target=self._run, args=(connection, serve), name="connection", daemon=True)
        with self._lock:
            self._connections[connection] = thread
        try:
            thread.start()
        except RuntimeError:  # no more threads: refuse this one client, keep the others
            self._forget(connection)

    def _connection(self, client: socket.socket, peer: str) -> Connection:
        if self._ssl_context is None:
            return Connection(client, self._application, self._limits, peer=peer)
        from reference_server.tls import TlsSocket  # noqa: PLC0415 - only servers that speak TLS need it

        secured = TlsSocket(client, self._ssl_context)
        handshake = functools.partial(secured.handshake, self._limits.handshake)
        return Connection(secured, self._application, self._limits, handshake, peer)

    def _run(self, connection: Connection, serve: Callable[[], None]) -> None:
        try:
            serve()
        except Exception as error:
            sys.stderr.write(f"connection failed: {type(error).__name__}: {error}\n")
            if self._debug:
                traceback.print_exc()
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        connection.socket.close()
        with self._lock:
            self._connections.pop(connection, None)


def _shutdown(sock: Transport, how: int) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(how)
