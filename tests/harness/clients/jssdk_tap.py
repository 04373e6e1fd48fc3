"""As much of a recording proxy as the tests of `jssdk` need: tunnels by CONNECT, read when they are asked about."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from harness.wire.framing import FramingError, split_head
from harness.wire.tape import Recorded, Tape, Transaction


class Tap:
    """Listens until closed; whatever a tunnel is asked for, it leads to `target`, which may change."""

    ca_bundle = ""

    def __init__(self, target: str) -> None:
        self.target = target
        self._tunnels: list[tuple[bytearray, bytearray]] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def take(self) -> list[Recorded]:
        """The exchanges of all tunnels since the last call; none of those that carry TLS."""
        tunnels, self._tunnels, tape = self._tunnels, [], Tape()
        for sent, received in tunnels:
            while sent[:1].isalpha() and (head := split_head(sent)) is not None:
                del sent[: len(head.raw)]
                _read(Transaction(tape, head, self.target + head.start.split(" ")[1]), sent, received)
        return tape.records()

    def close(self) -> None:
        """End all tunnels and stop listening."""
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head, parts = b"", urlsplit(self.target)
        with suppress(OSError):
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            assert head.startswith(b"CONNECT "), head
            server = socket.create_connection((parts.hostname or "", parts.port or 80), 5)
            self._sockets.append(server)
            tunnel = (bytearray(), bytearray())
            self._tunnels.append(tunnel)
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            threading.Thread(target=_pump, args=(server, client, tunnel[1]), daemon=True).start()
            _pump(client, server, tunnel[0])


def _read(seen: Transaction, sent: bytearray, received: bytearray) -> None:
    """One exchange, taken from the beginning of what went each way."""
    del sent[: seen.request(bytes(sent))]
    try:
        while seen.framing is None and (answer := split_head(received)) is not None:
            del received[: len(answer.raw)]
            seen.answered(answer)
        if seen.framing is not None:
            del received[: seen.response(bytes(received))]
    except FramingError as error:
        seen.garbled(str(error))
    seen.end("" if seen.framing is not None else "no answer")


def _pump(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            kept += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
