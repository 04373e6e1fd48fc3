"""The wiretap before an https endpoint: in a tunnel, addressed directly, with budgets and with faults."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
import trustme

from harness.config import Endpoint
from harness.wire.fault import Fault, error
from harness.wire.sigv4 import Credentials
from harness.wire.tape import Budget
from harness.wire.wiretap import Wiretap
from tests import support


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    """The reference server over TLS, by name."""
    with support.reference_server("--tls") as server:
        url = server.endpoint.replace("127.0.0.1", "localhost")
        keys = Credentials(server.access_key, server.secret_key)
        yield Endpoint(url, keys, server.region, ca_bundle=server.ca_bundle or "", timeout=10)


@contextlib.contextmanager
def tapped(endpoint: Endpoint, *faults: Fault) -> Iterator[Wiretap]:
    """A wiretap before the endpoint."""
    tap = Wiretap(endpoint, faults)
    try:
        yield tap
    finally:
        tap.close()


@contextlib.contextmanager
def tunnel(tap: Wiretap, endpoint: Endpoint) -> Iterator[Callable[[str], int]]:
    """GET of a target through the tap, as a client behind a proxy that trusts it sends it; gives the status."""
    context = ssl.create_default_context(cafile=tap.ca_bundle)
    where = urlsplit(tap.url)
    connection = http.client.HTTPSConnection(where.hostname or "", where.port, context=context, timeout=5)
    own = urlsplit(endpoint.url)
    connection.set_tunnel(own.hostname or "", own.port)

    def get(target: str) -> int:
        connection.request("GET", target, headers={"X-Case": "Kept"})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    with contextlib.closing(connection):
        yield get


@contextlib.contextmanager
def large(content: bytes) -> Iterator[Endpoint]:
    """An http endpoint that answers everything with this body."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content))
                    connection.sendall(content)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}", Credentials("AK", "SK"), timeout=5)
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def fetch(tap: Wiretap, endpoint: Endpoint) -> int:
    """The status of `GET /b` through the tap, its body read whole."""
    where = urlsplit(tap.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", f"{endpoint.url}/b")
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_a_tunnel_is_recorded(endpoint: Endpoint) -> None:
    """What a client says inside TLS is recorded, Host untouched, and answered by the endpoint."""
    with tapped(endpoint) as tap, tunnel(tap, endpoint) as get:
        assert [get("/bucket//a%2Fb?x=1"), get("/")] == [404, 403]
        first, second = tap.take()
    assert first.exchange.url == f"{endpoint.url}/bucket//a%2Fb?x=1"
    assert ("Host", urlsplit(endpoint.url).netloc) in first.exchange.request_headers
    assert ("X-Case", "Kept") in first.exchange.request_headers
    assert (first.exchange.status, second.exchange.status) == (404, 403)


def test_plain_http_inside_a_tunnel_is_recorded() -> None:
    """CONNECT and then no TLS: what a client does that has one way for both."""
    with support.reference_server() as server:
        endpoint = Endpoint(server.endpoint, Credentials(server.access_key, server.secret_key), timeout=10)
        with tapped(endpoint) as tap:
            where, own = urlsplit(tap.url), urlsplit(endpoint.url)
            connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
            connection.set_tunnel(own.hostname or "", own.port)
            connection.request("GET", "/")
            assert connection.getresponse().status == 403
            connection.close()
            (recorded,) = tap.take()
    assert recorded.exchange.url == f"{endpoint.url}/"


def test_the_tap_can_stand_for_the_endpoint(endpoint: Endpoint) -> None:
    """A client that takes no proxy talks to the tap itself; a bucket as host name works too, without DNS."""
    with tapped(endpoint) as tap:
        port = urlsplit(tap.direct).port or 0
        context = ssl.create_default_context(cafile=tap.ca_bundle)
        for name in ("localhost", "some-bucket.localhost"):
            plain = socket.create_connection(("127.0.0.1", port), 5)
            with plain, context.wrap_socket(plain, server_hostname=name) as secure:
                secure.sendall(f"GET /k HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode())
                assert secure.recv(100).startswith(b"HTTP/1.1 404 ")
        urls = [record.exchange.url for record in tap.take()]
    own = urlsplit(endpoint.url).netloc
    assert urls == [f"https://{own}/k", f"https://some-bucket.{own}/k"]


def test_an_endpoint_that_is_not_trusted_is_not_spoken_to(endpoint: Endpoint) -> None:
    """The tap verifies the endpoint as the run says; the record tells why nothing came."""
    stranger = msgspec.structs.replace(endpoint, ca_bundle="")
    with tapped(stranger) as tap, tunnel(tap, stranger) as get:
        with pytest.raises((http.client.HTTPException, OSError)):
            get("/")
        (recorded,) = tap.take()
    assert recorded.answer is None
    assert "CERTIFICATE_VERIFY_FAILED" in recorded.exchange.error
    stranger = msgspec.structs.replace(stranger, insecure=True)
    with tapped(stranger) as tap, tunnel(tap, stranger) as get:
        assert get("/") == 403


def test_a_client_that_does_not_trust_the_tap_says_nothing(endpoint: Endpoint) -> None:
    """Nothing is recorded of it, and the tap lives on."""
    with tapped(endpoint) as tap:
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection("127.0.0.1", urlsplit(tap.url).port, context=context, timeout=5)
        connection.set_tunnel("localhost", urlsplit(endpoint.url).port)
        with contextlib.closing(connection), pytest.raises(ssl.SSLError):
            connection.request("GET", "/")
        assert tap.take() == []
        with tunnel(tap, endpoint) as get:
            assert get("/") == 403


def test_tunnels_go_to_the_endpoint_alone(endpoint: Endpoint) -> None:
    """CONNECT to anything else is refused and noted."""
    with tapped(endpoint) as tap:
        for target in ("localhost:1", "example.org:443", "x", "localhost.example:443"):
            with socket.create_connection(("127.0.0.1", urlsplit(tap.url).port or 0), 5) as client:
                client.sendall(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode())
                assert client.recv(100).startswith(b"HTTP/1.1 502 ")
        errors = [record.exchange.error for record in tap.take()]
    assert len(errors) == 4
    assert all(told.startswith("refused: CONNECT ") for told in errors)


def test_the_bundle_goes_with_the_tap(endpoint: Endpoint) -> None:
    """The file with the throw-away authority is there while the tap is, and no key is in it."""
    with tapped(endpoint) as tap:
        text = Path(tap.ca_bundle).read_text()
        assert text.count("BEGIN CERTIFICATE") == 1
        assert "PRIVATE" not in text
    assert not Path(tap.ca_bundle).exists()


def test_requests_beyond_the_budget_are_cut(endpoint: Endpoint) -> None:
    """A client that loops is stopped, and the record says so; the next budget is a new one."""
    with tapped(endpoint) as tap:
        tap.start(Budget(requests=3))
        with tunnel(tap, endpoint) as get:
            assert [get("/") for _ in range(3)] == [403] * 3
            with pytest.raises((http.client.HTTPException, OSError)):
                get("/")
        assert tap.spent == "does not end: cut after 3 requests"
        records = tap.take()
        assert [record.exchange.status for record in records] == [403, 403, 403, None]
        assert records[-1].exchange.error == "does not end: cut after 3 requests"
        with tunnel(tap, endpoint) as get:
            assert get("/") == 403


def test_bytes_beyond_the_budget_are_cut() -> None:
    """A body that is too large ends with its connection."""
    with large(bytes(5_000_000)) as endpoint, tapped(endpoint) as tap:
        tap.start(Budget(received=1_000_000))
        with pytest.raises(http.client.IncompleteRead):
            fetch(tap, endpoint)
        (recorded,) = tap.take()
    assert recorded.exchange.error == "does not end: cut after 1000000 bytes"


@pytest.mark.parametrize(
    ("fault", "seen", "told"),
    [
        (Fault("GET /b", answer=error(503, "SlowDown")), 503, "a fault on purpose"),
        (Fault("GET /b", drop=True), None, "a fault on purpose"),
        (Fault("GET /b", cut=10), None, "a fault on purpose"),
        (Fault("PUT /b", drop=True), 200, ""),
    ],
)
def test_faults_are_put_between(fault: Fault, seen: int | None, told: str) -> None:
    """A request that matches gets the fault, others pass; the endpoint stays as it is."""
    with large(bytes(200_000)) as endpoint, tapped(endpoint, fault) as tap:
        status: int | None = None
        with contextlib.suppress(http.client.HTTPException, OSError):
            status = fetch(tap, endpoint)
        (recorded,) = tap.take()
    assert (status, recorded.exchange.error) == (seen, told)


def test_a_stream_that_is_no_tls_any_more_is_none_for_the_client_either(tmp_path: Path) -> None:
    """A body that ends with its connection must not look whole where what followed it could not be read."""
    authority, bundle = trustme.CA(), str(tmp_path / "ca.pem")
    authority.cert_pem.write_to_path(bundle)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf")
            socket.socket.sendall(secure, b"this is no record of TLS")
            with contextlib.suppress(OSError):
                socket.socket.recv(secure, 1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        url = f"https://localhost:{listener.getsockname()[1]}"
        endpoint = Endpoint(url, Credentials("AK", "SK"), ca_bundle=bundle, timeout=5)
        with tapped(endpoint) as tap, tunnel(tap, endpoint) as get:
            with pytest.raises(ssl.SSLError):
                get("/k")
            (recorded,) = tap.take()
    assert recorded.exchange.error.startswith("answer broken off after 4 bytes of its body: ")


def test_a_transfer_of_256_mib_needs_little_memory() -> None:
    """Up and down through TLS on both sides: less than 40 MiB more than before, in a process of its own."""
    program = Path(__file__).with_name("transfer.py")
    command = [sys.executable, "-P", str(program)]
    told = subprocess.run(command, env=support.environment(), capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stderr
    assert int(told.stdout) < 40 * 1024
