"""Operations are recognised from requests alone."""

from __future__ import annotations

from typing import Any

import pytest

from harness.wire import model
from harness.wire.exchange import Exchange
from harness.wire.http1 import Origin
from harness.wire.route import Sent, find, recognise
from harness.wire.tape import Recorded

ORIGIN = Origin.of("http://127.0.0.1:9000")
AMBIGUOUS = {"WriteGetObjectResponse", "ListDirectoryBuckets"}
"""Not sent to an endpoint's bucket; or told apart by host alone."""


def exchange(method: str, target: str, *headers: str, host: str = "127.0.0.1:9000") -> Exchange:
    """A request without an answer."""
    return Exchange(method=method, url=f"http://{host}{target}", request_headers=[(name, "x") for name in headers])


def example(name: str) -> dict[str, Any]:
    """Values for the members that an operation needs in its address and headers."""
    shape = model.operation(name).input_shape
    if shape is None:
        return {}
    values: dict[str, Any] = {"integer": 1, "string": "x", "list": ["x"]}
    located = [m for m in shape.required_members if shape.members[m].serialization.get("location")]
    return {member: values[shape.members[member].type_name] for member in located}


@pytest.mark.parametrize(
    "name", [n for n in sorted(model.operations() - AMBIGUOUS) if not model.operation(n).deprecated]
)
def test_every_operation_is_recognised(name: str) -> None:
    """What the harness builds for an operation is recognised as that operation again."""
    request = model.build(name, {m: v for m, v in example(name).items() if not isinstance(v, list)})
    headers = [header for header, _ in request.headers]
    headers += ["X-Amz-Object-Attributes"] if name == "GetObjectAttributes" else []
    sent = recognise(exchange(request.method, request.target, *headers), ORIGIN)
    assert sent.operation == name


@pytest.mark.parametrize(
    ("method", "target", "host", "expected"),
    [
        ("GET", "/?x-id=ListBuckets", "127.0.0.1:9000", Sent("ListBuckets")),
        ("GET", "/b/?list-type=2&prefix=", "127.0.0.1:9000", Sent("ListObjectsV2", "b")),
        ("GET", "/b?list-type=1", "127.0.0.1:9000", Sent("ListObjects", "b")),
        ("GET", "/b//a/%2e/+%20%C3%A9?x-id=GetObject", "127.0.0.1:9000", Sent("GetObject", "b", "/a/./+ é")),
        ("PUT", "/k/l", "b.127.0.0.1:9000", Sent("PutObject", "b", "k/l")),
        ("PUT", "/", "b.127.0.0.1:9000", Sent("CreateBucket", "b")),
        ("POST", "/b/k", "127.0.0.1:9000", Sent("", "b", "k")),
        ("BREW", "/b", "127.0.0.1:9000", Sent("", "b")),
    ],
)
def test_bucket_and_key_in_both_styles(method: str, target: str, host: str, expected: Sent) -> None:
    """Path-style and bucket as host; the key decoded once, nothing normalised."""
    assert recognise(exchange(method, target, host=host), ORIGIN) == expected


def test_uploads_by_a_form() -> None:
    """A form in a browser posts to the bucket; the service model has no name for it."""
    form = Exchange("POST", "http://127.0.0.1:9000/b", [("content-TYPE", "multipart/form-data; boundary=x")])
    assert recognise(form, ORIGIN) == Sent("PostObject", "b")
    assert recognise(exchange("POST", "/b", "Content-Type"), ORIGIN) == Sent("", "b")
    for url in ("http://127.0.0.1:9000/b?x", "http://127.0.0.1:9000/", "http://127.0.0.1:9000/b/k"):
        assert recognise(Exchange("POST", url, form.request_headers), ORIGIN).operation == ""


def test_endpoints_below_a_path() -> None:
    """The path that an endpoint is mounted under is not the bucket."""
    origin = Origin.of("http://h:1/s3/api")
    assert recognise(exchange("GET", "/s3/api/b/k", host="h:1"), origin) == Sent("GetObject", "b", "k")


def test_the_last_exchange_of_an_operation_is_found() -> None:
    """Requests before and after it, and on other keys, are passed over."""
    sent = [exchange("HEAD", "/b/k"), exchange("PUT", "/b/k"), exchange("PUT", "/b/k"), exchange("PUT", "/b/l")]
    recorded = [Recorded(item, None) for item in sent]
    assert find(recorded, ORIGIN, ["PutObject"], "b", "k") is recorded[2]
    assert find(recorded, ORIGIN, ["PutObject"], "b") is recorded[3]
    assert find(recorded, ORIGIN, ["GetObject", "HeadObject"]) is recorded[0]
    assert find(recorded, ORIGIN, ["GetObject"]) is None


def test_broken_addresses_are_nothing() -> None:
    """A program may send what no URL parser takes."""
    assert recognise(exchange("GET", "/x", host="[::1"), ORIGIN) == Sent("")
