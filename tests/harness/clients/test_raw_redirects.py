"""A documented redirect to another port of the endpoint is followed once, and nothing else ever is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.wire.sigv4 import Credentials
from harness.wire.tape import Recorded

KEYS = Credentials("AKIDEXAMPLE", "secret")


def http(status: str, body: bytes = b"", *lines: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in (*lines, f"Content-Length: {len(body)}"))
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


@pytest.fixture
def target(answering: Any) -> tuple[str, list[bytes]]:
    """The second port, which answers 200 to everything, and the requests it got."""
    seen: list[bytes] = []

    def answer(request: bytes) -> bytes:
        seen.append(request)
        return http("200 OK", b"stored", 'ETag: "e"')

    return answering(answer).url, seen


@pytest.fixture
def ask(answering: Any) -> Iterator[Callable[..., Any]]:
    """Makes a client of an endpoint that redirects everything to a URL."""
    with ExitStack() as stack:

        def make(location: str, status: str = "307 Temporary Redirect", **changes: Any) -> RawClient:
            url = answering(lambda _request: http(status, b"", f"Location: {location}")).url
            client = RawClient(Endpoint(url, **({"credentials": KEYS, "timeout": 5.0, "follow": (307,)} | changes)))
            stack.callback(client.close)
            return client

        yield make


def test_the_request_is_repeated_where_the_answer_says(
    target: tuple[str, list[bytes]], ask: Callable[..., Any]
) -> None:
    url, seen = target
    client = ask(f"{url}/s3/b/k%20?x=1&pid=p%5B1%5D")
    got = client.call("PutObject", {"Bucket": "b", "Key": "k ", "Body": b"bytes"})
    assert (got.status, got.etag) == (200, '"e"')
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "PUT /s3/b/k%20?x=1&pid=p%5B1%5D HTTP/1.1"
    assert f"Host: {urlsplit(url).netloc}" in lines
    assert body == b"bytes"
    first, second = got.exchanges
    assert (first.status, second.status) == (307, 200)
    assert second.url == f"{url}/s3/b/k%20?x=1&pid=p%5B1%5D"
    kept = [pair for pair in first.request_headers if pair[0] != "Host"]
    assert [pair for pair in second.request_headers if pair[0] != "Host"] == kept
    assert first.request_body == second.request_body


def test_both_exchanges_are_told(target: tuple[str, list[bytes]], ask: Callable[..., Any]) -> None:
    told: list[tuple[int | None, bool]] = []
    client = ask(f"{target[0]}/b/k")

    def taken(recorded: Recorded, deliberate: bool) -> None:
        told.append((recorded.exchange.status, deliberate))

    client.taken = taken
    client.call("GetObject", {"Bucket": "b", "Key": "k"})
    assert told == [(307, False), (200, False)]


def test_connections_to_the_other_port_are_kept(target: tuple[str, list[bytes]], ask: Callable[..., Any]) -> None:
    client = ask(f"{target[0]}/b/k")
    assert [client.call("GetObject", {"Bucket": "b", "Key": "k"}).status for _ in range(3)] == [200] * 3
    assert len(target[1]) == 3


def test_presigned_urls_and_requests_that_wait_are_followed(
    target: tuple[str, list[bytes]], ask: Callable[..., Any]
) -> None:
    client = ask(f"{target[0]}/b/k")
    assert client.fetch(f"{client.endpoint.url}/b/k").status == 200
    got = client.send("PutObject", "PUT", "/b/k", [("Expect", "100-continue")], b"x", patience=2.0)
    assert (got.status, len(got.exchanges)) == (200, 2)


def test_names_of_this_machine_are_one_host(target: tuple[str, list[bytes]], ask: Callable[..., Any]) -> None:
    client = ask(target[0].replace("127.0.0.1", "localhost") + "/b/k")
    assert client.call("GetObject", {"Bucket": "b", "Key": "k"}).status == 200


def test_a_redirect_of_a_redirect_is_the_answer(answering: Any, ask: Callable[..., Any]) -> None:
    second = answering(lambda _request: http("307 Temporary Redirect", b"", "Location: http://127.0.0.1:9/b/k")).url
    got = ask(f"{second}/b/k").call("GetObject", {"Bucket": "b", "Key": "k"})
    assert (got.status, len(got.exchanges)) == (307, 2)


@pytest.mark.parametrize(
    "location",
    [
        "http://localhost.example.test:{port}/b/k",
        "http://128.0.0.1:{port}/b/k",
        "http://example.test:{port}/b/k",
        "https://127.0.0.1:{port}/b/k",
        "http://user@127.0.0.1:{port}/b/k",
        "http://127.0.0.1:{port}/b/k#part",
        "http://127.0.0.1:{port}/b/k b",
        "http://127.0.0.1:x/b/k",
        "http://127.0.0.1:0/b/k",
        "http://[127.0.0.1/b/k",
        "//127.0.0.1:{port}/b/k",
        "/b/k",
        "",
    ],
)
def test_no_other_host_scheme_or_form_is_followed(
    target: tuple[str, list[bytes]], ask: Callable[..., Any], location: str
) -> None:
    url, seen = target
    got = ask(location.format(port=urlsplit(url).port)).call("GetObject", {"Bucket": "b", "Key": "k"})
    assert (got.status, len(got.exchanges), seen) == (307, 1, [])


@pytest.mark.parametrize(
    ("status", "follow"), [("307 Temporary Redirect", ()), ("302 Found", (307,)), ("200 OK", (307,))]
)
def test_only_documented_statuses_are_followed(
    target: tuple[str, list[bytes]], ask: Callable[..., Any], status: str, follow: tuple[int, ...]
) -> None:
    got = ask(f"{target[0]}/b/k", status, follow=follow).call("GetObject", {"Bucket": "b", "Key": "k"})
    assert (got.status, target[1]) == (int(status[:3]), [])
