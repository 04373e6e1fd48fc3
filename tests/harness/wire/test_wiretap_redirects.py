"""A client that follows a documented redirect to another port of the endpoint gets there through the tap."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from harness.config import Endpoint
from harness.wire.sigv4 import Credentials
from harness.wire.wiretap import Wiretap


@contextlib.contextmanager
def answering(name: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives its name to every request; its port and the request lines that it got."""
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    while data := connection.recv(65536):
                        seen.append(data.partition(b"\r\n")[0])
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], seen
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def ask(client: socket.socket, url: str) -> bytes:
    client.sendall(f"GET {url} HTTP/1.1\r\nHost: any\r\n\r\n".encode())
    return client.recv(65536)


@pytest.fixture
def tapped() -> Iterator[Callable[..., tuple[Wiretap, socket.socket]]]:
    """Makes a tap before the endpoint on a port, and a client connected to it."""
    with contextlib.ExitStack() as stack:

        def make(port: int, *follow: int) -> tuple[Wiretap, socket.socket]:
            tap = Wiretap(Endpoint(f"http://127.0.0.1:{port}", Credentials("AK", "SK"), timeout=5.0, follow=follow))
            stack.callback(tap.close)
            client = stack.enter_context(socket.create_connection(("127.0.0.1", int(tap.url.rpartition(":")[2]))))
            client.settimeout(5)
            return tap, client

        yield make


def test_one_connection_of_the_client_leads_to_both_ports(tapped: Callable[..., tuple[Wiretap, socket.socket]]) -> None:
    with answering(b"gateway") as (gateway, first), answering(b"target") as (target, second):
        tap, client = tapped(gateway, 307)
        urls = [
            f"http://127.0.0.1:{gateway}/b/k",
            f"http://localhost:{target}/b/k?pid=1",
            f"http://127.0.0.1:{gateway}/",
        ]
        told = [ask(client, url).rpartition(b"\r\n")[2] for url in urls]
        assert told == [b"gateway", b"target", b"gateway"]
        assert (first, second) == ([b"GET /b/k HTTP/1.1", b"GET / HTTP/1.1"], [b"GET /b/k?pid=1 HTTP/1.1"])
        assert [record.exchange.url for record in tap.take()] == urls


@pytest.mark.parametrize(
    ("url", "follow"),
    [("http://127.0.0.1:{}/b", ()), ("https://127.0.0.1:{}/b", (307,)), ("http://example.test:{}/b", (307,))],
)
def test_nothing_else_is_contacted(
    tapped: Callable[..., tuple[Wiretap, socket.socket]], url: str, follow: tuple[int, ...]
) -> None:
    with answering(b"gateway") as (gateway, _), answering(b"other") as (other, seen):
        _, client = tapped(gateway, *follow)
        assert ask(client, url.format(other)).startswith(b"HTTP/1.1 502 ")
        assert seen == []
