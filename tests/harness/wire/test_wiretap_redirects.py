"""A client that follows a documented redirect to another port of the endpoint gets there through the tap."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from harness.config import Endpoint
from harness.wire.doors import MAX_DOORS
from harness.wire.sigv4 import Credentials
from harness.wire.wiretap import Wiretap


def with_body(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def sending_on(url: str) -> bytes:
    return f"HTTP/1.1 307 Go\r\nServer: any\r\nlocation:  {url}\r\nContent-Length: 4\r\n\r\nthen".encode()


@contextlib.contextmanager
def answering(*answers: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives these answers, and the last one for ever; its port and the request lines that it got.

    An answer that is no HTTP is the body of one.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    while data := connection.recv(65536):
                        answer = answers[min(len(seen), len(answers) - 1)]
                        seen.append(data.partition(b"\r\n")[0])
                        connection.sendall(answer if answer.startswith(b"HTTP/") else with_body(answer))

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
        client.close()


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


# --- clients that take the tap for the endpoint ---


def at(tap_url: str, path: str = "/b/k") -> bytes:
    """The answer to a request that is sent as if the tap were the endpoint."""
    parts = urlsplit(tap_url)
    with socket.create_connection(("127.0.0.1", parts.port or 0)) as client:
        client.settimeout(5)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        return client.recv(65536)


def location(answer: bytes) -> str:
    found = re.search(rb"(?m)^location:  (.*)\r$", answer)
    assert found is not None
    return found[1].decode()


def test_a_redirect_leads_to_another_door_of_the_tap(tapped: Callable[..., tuple[Wiretap, socket.socket]]) -> None:
    with answering(b"target") as (target, second):
        there = f"http://localhost:{target}/b/k?pid=1"
        with answering(sending_on(there)) as (gateway, _):
            tap, _ = tapped(gateway, 307)
            answer = at(tap.direct)
            led = location(answer)
            assert urlsplit(led)._replace(netloc="") == urlsplit(there)._replace(netloc="")
            assert urlsplit(led).hostname == "localhost"
            assert urlsplit(led).port not in (target, gateway)
            assert answer == sending_on(led)
            assert location(at(tap.direct)) == led
            assert at(led, "/b/k?pid=1").endswith(b"target")
            assert second == [b"GET /b/k?pid=1 HTTP/1.1"]
            records = tap.take()
        here = f"http://127.0.0.1:{gateway}/b/k"
        assert [record.exchange.url for record in records] == [here, here, f"http://127.0.0.1:{target}/b/k?pid=1"]
        assert dict(records[0].exchange.response_headers)["location"] == there


def test_a_redirect_back_leads_to_the_first_door(tapped: Callable[..., tuple[Wiretap, socket.socket]]) -> None:
    with answering(b"gateway") as (gateway, _), answering(sending_on(f"http://127.0.0.1:{gateway}/")) as (target, _):
        tap, _ = tapped(gateway, 307)
        other = f"http://127.0.0.1:{tap.door(target)}"
        assert location(at(other)) == f"{tap.direct}/"


@pytest.mark.parametrize(
    ("url", "follow"),
    [
        ("http://localhost:1/b", ()),
        ("https://localhost:1/b", (307,)),
        ("http://example.test:1/b", (307,)),
        ("http://someone@localhost:1/b", (307,)),
        ("http://[::1]:1/b", (307,)),
        ("http://localhost:none/b", (307,)),
        ("/b/other", (307,)),
    ],
)
def test_other_redirects_stay_as_they_are(
    tapped: Callable[..., tuple[Wiretap, socket.socket]], url: str, follow: tuple[int, ...]
) -> None:
    with answering(sending_on(url)) as (gateway, _):
        tap, _ = tapped(gateway, *follow)
        assert at(tap.direct) == sending_on(url)


def test_who_takes_a_proxy_is_told_the_target_itself(tapped: Callable[..., tuple[Wiretap, socket.socket]]) -> None:
    there = sending_on("http://127.0.0.1:1/b")
    with answering(there) as (gateway, _):
        _, client = tapped(gateway, 307)
        assert ask(client, f"http://127.0.0.1:{gateway}/b") == there
        client.close()


def test_an_endpoint_without_end_of_ports(tapped: Callable[..., tuple[Wiretap, socket.socket]]) -> None:
    with answering(*(sending_on(f"http://localhost:{1 + number}/") for number in range(MAX_DOORS + 3))) as (gateway, _):
        tap, _ = tapped(gateway, 307)
        led = [urlsplit(location(at(tap.direct))).port for _ in range(MAX_DOORS + 3)]
        assert led[MAX_DOORS - 1 :] == [MAX_DOORS, MAX_DOORS + 1, MAX_DOORS + 2, MAX_DOORS + 3]
        assert len(set(led[: MAX_DOORS - 1])) == MAX_DOORS - 1
        assert not set(led[: MAX_DOORS - 1]) & set(range(MAX_DOORS))
