"""Objects of Storj's gateways that expire: the grammar of the header, and the clock of the server."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from reference_server.errors import S3Error
from reference_server.personalities._storj_ttl import deadline
from reference_server.personality import load
from tests.reference_server.conftest import Running, run
from tests.reference_server.personalities.storj import BUCKET, begun, completed, said

if TYPE_CHECKING:
    from tests.reference_server.conftest import Raw


class Clock:
    """Stands still, and is put forward by hand."""

    def __init__(self) -> None:
        self.time = time.time()

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def expiring() -> Iterator[tuple[Raw, Clock]]:
    """A server with a clock of its own, and a bucket."""
    clock = Clock()
    for running in run(personality=load("storj-st"), clock=clock):
        signed = running.raw()
        assert signed("PUT", BUCKET).status == 200
        yield signed, clock


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("+300ms", 0.3),
        ("+1.5h", 5400),
        ("+2h45m", 9900),
        ("+1h1m1s1ms1us1ns", 3661.001001001),
        ("+2µs", 2e-6),
        ("+.5s", 0.5),
        ("1970-01-01T00:33:20Z", 1000),
        ("1970-01-01T02:33:20.5+02:00", 1000.5),
    ],
)
def test_forms_of_a_ttl(text: str, after: float) -> None:
    when = deadline(text, 1000.0)
    assert when == pytest.approx(1000.0 + after)


@pytest.mark.parametrize("text", ["", "none"])
def test_no_ttl(text: str) -> None:
    assert deadline(text, 1000.0) is None


@pytest.mark.parametrize(
    "text",
    [
        *("2h", "-2h", "+", "+2", "+2d", "+2h ", "never", "2h45m", "None"),
        *("2022-05-19", "2022-05-19T00:10:55", "2022-05-19 00:10:55Z", "2022-13-19T00:10:55Z", "+2022-05-19T00:10:55Z"),
    ],
)
def test_other_ttls_are_invalid(text: str) -> None:
    with pytest.raises(S3Error, match=re.escape("The TTL you have specified is invalid.")) as refused:
        deadline(text, 1000.0)
    assert (refused.value.status, refused.value.code) == (400, "InvalidTTL")


@pytest.mark.parametrize("name", ["x-amz-meta-object-expires", "x-minio-meta-object-expires"])
def test_objects_expire_by_the_clock_of_the_server(expiring: tuple[Raw, Clock], name: str) -> None:
    raw, clock = expiring
    assert raw("PUT", f"{BUCKET}/short", b"x", {name: "+2s"}).status == 200
    assert raw("PUT", f"{BUCKET}/long", b"x", {name: "+5m"}).status == 200
    assert raw("PUT", f"{BUCKET}/kept", b"x", {name: "none"}).status == 200
    clock.time += 1
    assert raw("GET", f"{BUCKET}/short").body == b"x"
    clock.time += 1.1
    assert said(raw("GET", f"{BUCKET}/short"))[:2] == (404, "NoSuchKey")
    assert sorted(raw("GET", BUCKET).elements("Key")) == ["kept", "long"]
    clock.time += 300
    assert raw("HEAD", f"{BUCKET}/long").status == 404
    assert raw("GET", BUCKET).elements("Key") == ["kept"]


def test_a_ttl_is_shown_and_one_that_is_wrong_stores_nothing(expiring: tuple[Raw, Clock]) -> None:
    raw, _ = expiring
    raw("PUT", f"{BUCKET}/k", b"x", {"x-amz-meta-object-expires": "+2h"})
    assert raw("HEAD", f"{BUCKET}/k").headers["x-amz-meta-object-expires"] == "+2h"
    refused = raw("PUT", f"{BUCKET}/wrong", b"x", {"x-amz-meta-object-expires": "2h"})
    assert said(refused) == (400, "InvalidTTL", "The TTL you have specified is invalid.")
    assert raw("GET", f"{BUCKET}/wrong").status == 404
    assert raw("POST", f"{BUCKET}/wrong?uploads", headers={"x-amz-meta-object-expires": "2h"}).code == "InvalidTTL"


def test_the_amz_header_counts_before_the_minio_header(expiring: tuple[Raw, Clock]) -> None:
    raw, clock = expiring
    raw("PUT", f"{BUCKET}/k", b"x", {"x-amz-meta-object-expires": "none", "x-minio-meta-object-expires": "+1s"})
    raw("PUT", f"{BUCKET}/l", b"x", {"x-amz-meta-object-expires": "+1s", "x-minio-meta-object-expires": "wrong"})
    clock.time += 2
    assert raw("GET", BUCKET).elements("Key") == ["k"]


def test_writing_again_without_a_ttl_keeps_the_object(expiring: tuple[Raw, Clock]) -> None:
    raw, clock = expiring
    raw("PUT", f"{BUCKET}/k", b"old", {"x-amz-meta-object-expires": "+1s"})
    raw("PUT", f"{BUCKET}/k", b"new")
    clock.time += 2
    assert raw("GET", f"{BUCKET}/k").body == b"new"


@pytest.mark.parametrize("late", [False, True])
def test_uploads_become_objects_that_expire(expiring: tuple[Raw, Clock], late: bool) -> None:
    raw, clock = expiring
    upload = begun(raw, "large", {"x-amz-meta-object-expires": "+10s"})
    etag = raw("PUT", f"{BUCKET}/large?partNumber=1&uploadId={upload}", b"x").headers["etag"]
    if late:
        clock.time += 11
        raw("GET", BUCKET)
    assert completed(raw, "large", upload, {1: etag}).status == 200
    assert raw("GET", f"{BUCKET}/large").status == (404 if late else 200)
    clock.time += 11
    assert raw("GET", f"{BUCKET}/large").status == 404


def test_objects_expire_in_a_store_that_is_opened_again(tmp_path: Any, serve: Callable[..., Iterator[Running]]) -> None:
    clock = Clock()
    for running in serve(personality=load("storj-st"), clock=clock, data=tmp_path):
        raw = running.raw()
        raw("PUT", BUCKET)
        raw("PUT", f"{BUCKET}/k", b"x", {"x-amz-meta-object-expires": "+5s"})
    clock.time += 6
    for running in serve(personality=load("storj-st"), clock=clock, data=tmp_path):
        assert running.raw()("GET", f"{BUCKET}/k").code == "NoSuchKey"
