"""Both programs: secrets stay secret, hostile endpoints are survived, absence is told."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.clients import local
from harness.clients.awscli import AwsCli
from harness.clients.base import Observed
from harness.clients.program import ProgramClient
from harness.clients.rclone import Rclone
from harness.config import Endpoint
from harness.signals import Inexpressible
from harness.wire.sigv4 import Credentials
from tests import support
from tests.harness.clients import making

SECRET, TOKEN = 's%(e)c"r`e t/+=é', "tok%(e)n/+=" + "x" * 300
BOTH = pytest.mark.parametrize("kind", [Rclone, AwsCli])


def opened(kind: type[ProgramClient], url: str, timeout: float = 4) -> Any:
    """A client of an endpoint that is no server of S3."""
    return making.opened(kind.name, Endpoint(url, Credentials("AKEXAMPLE", SECRET, TOKEN), timeout=timeout))


@BOTH
def test_secrets_reach_only_the_environment(
    kind: type[ProgramClient], answering: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither secret key nor session token is in arguments, shown commands, or files; they do sign the request."""
    argv: list[str] = []
    popen = local.subprocess.Popen

    def watched(command: list[str], **options: Any) -> Any:
        argv.extend(command)
        return popen(command, **options)

    monkeypatch.setattr(local.subprocess, "Popen", watched)
    client = opened(kind, answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").url)
    place = client.folder.parent
    try:
        put = client.call("PutObject", {"Bucket": "bucket", "Key": "k", "Body": b"x"})
        listed = client.command(*(("s3", "ls", "s3://bucket") if kind is AwsCli else ("lsf", "remote:bucket")))
        kept = "".join(p.read_text("latin-1") for p in place.rglob("*") if p.is_file())
    finally:
        client.close()
    sent = {name.lower(): value for name, value in put.exchanges[0].request_headers}
    assert sent["x-amz-security-token"] == TOKEN
    assert argv
    for shown in ("\n".join(argv), json.dumps([put.command, listed.command]), put.stdout, put.stderr, kept):
        assert SECRET not in shown
        assert TOKEN not in shown
    assert not place.exists()


@BOTH
def test_odd_secrets_sign_correctly(kind: type[ProgramClient]) -> None:
    """A secret with quotes, percent signs and letters beyond ASCII arrives at the program as it is."""
    secret = "s%(e)c\"r`'et$HOME\\/+="
    with support.reference_server("--credential", f"AKEXAMPLE:{secret}") as server:
        endpoint = Endpoint(server.endpoint, Credentials("AKEXAMPLE", secret), server.region, timeout=10)
        client = making.opened(kind.name, endpoint)
        try:
            assert client.call("ListBuckets", {}).status == 200
        finally:
            client.close()


_PAGE = (
    "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
    "<NextMarker>{key}</NextMarker><Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    "<Size>1</Size><ETag>x</ETag></Contents></ListBucketResult>"
)


def endless() -> Callable[[bytes], bytes]:
    """Pages of listings without end, each with a new key and a new token."""
    numbers = itertools.count()

    def page(request: bytes) -> bytes:
        number = next(numbers)
        body = _PAGE.format(token=number, key=f"k{number:09}")
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    return page


@BOTH
def test_listing_without_end_is_cut(kind: type[ProgramClient], answering: Callable[..., Any]) -> None:
    """Long before the timeout, and the failure says so."""
    client = opened(kind, answering(endless()).url, timeout=30)
    started = time.monotonic()
    try:
        walked: Observed = client.list_all(2, {"Bucket": "bucket", "MaxKeys": 1})
    finally:
        client.close()
    assert time.monotonic() - started < 15
    assert not walked.ok
    assert re.search(r"does not end: cut after \d+ requests", walked.failure)


@BOTH
def test_silent_endpoint_costs_its_timeout(kind: type[ProgramClient], serve: Callable[..., Any]) -> None:
    """The program's own bound ends it; there was no answer, and that is what is told."""

    def silent(connection: Any, _number: int) -> None:
        while connection.recv(65536):
            pass

    client = opened(kind, serve(silent).url, timeout=1)
    started = time.monotonic()
    try:
        seen = client.call("GetObject", {"Bucket": "bucket", "Key": "k"})
    finally:
        client.close()
    assert time.monotonic() - started < 15
    assert (seen.ok, seen.status) == (False, None)
    assert seen.failure


@BOTH
@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n<x>", b"\xff" * 99]
)
def test_garbage_is_a_failure_and_no_crash(kind: type[ProgramClient], answer: bytes, serve: Callable[..., Any]) -> None:
    """Whatever comes back, the call is answered."""

    def garbage(connection: Any, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    client = opened(kind, serve(garbage).url)
    try:
        seen = client.call("ListObjectsV2", {"Bucket": "bucket"})
    finally:
        client.close()
    assert not seen.ok
    assert seen.exchanges[0].error


def test_hostile_words_cannot_excuse_a_refusal(answering: Callable[..., Any]) -> None:
    """An endpoint that answers in the CLI's own words for bad usage is not taken for the CLI."""
    body = "<Error><Code>Odd</Code><Message>\nParameter validation failed:\nusage: </Message></Error>"
    client = opened(AwsCli, answering(f"HTTP/1.1 400 B\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()).url)
    try:
        seen = client.call("ListObjectsV2", {"Bucket": "bucket"})
    except Inexpressible:
        pytest.fail("the endpoint's refusal was taken for the client's")
    finally:
        client.close()
    assert (seen.status, seen.code) == (400, "Odd")


@BOTH
def test_redirects_lead_nowhere_else(kind: type[ProgramClient], answering: Callable[..., Any]) -> None:
    """An endpoint that sends clients to another host: nothing of it arrives there, and the attempt is noted."""
    other = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    there = f"HTTP/1.1 307 Go\r\nLocation: {other.url}/bucket/k\r\nContent-Length: 0\r\n\r\n"
    client = opened(kind, answering(there.encode()).url)
    try:
        seen = client.call("GetObject", {"Bucket": "bucket", "Key": "k"})
    finally:
        client.close()
    assert not seen.ok
    assert other.connections == 0
    elsewhere = [e for e in seen.exchanges if e.url.startswith(other.url)]
    assert all(e.status is None and e.error.startswith("refused: ") for e in elsewhere)


@BOTH
def test_buckets_as_host_names(kind: type[ProgramClient], answering: Callable[..., Any]) -> None:
    """Virtual-hosted addressing works without any name resolution, and is recognised."""
    url = answering(b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 0\r\n\r\n').url.replace("127.0.0.1", "localhost")
    keys = Credentials("AKEXAMPLE", SECRET)
    client = making.opened(kind.name, Endpoint(url, keys, addressing="virtual", timeout=4))
    try:
        seen = client.call("PutObject", {"Bucket": "bucket", "Key": "k", "Body": b"x"})
    finally:
        client.close()
    assert seen.exchanges[0].url.startswith(f"http://bucket.{url.removeprefix('http://')}/k")
    assert (seen.status, seen.etag) == (200, '"a"')
