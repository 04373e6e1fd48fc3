"""Clients that break by themselves: never an answer of the endpoint's, never a success."""

from __future__ import annotations

import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from harness.clients import program
from harness.clients.awscli import AwsCli
from harness.clients.program import ProgramClient
from harness.clients.rclone import Rclone
from harness.config import Endpoint
from harness.signals import ClientFault, Inexpressible
from harness.wire.sigv4 import Credentials
from tests.harness.clients.making import opened

KEYS = Credentials("AKEXAMPLE", "secret")
OBJECT = {"Bucket": "bucket", "Key": "k"}
BOTH = pytest.mark.parametrize("kind", [Rclone, AwsCli])
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Makes a client whose program is a shell script."""
    made: list[Any] = []

    def make(kind: type[ProgramClient], script: str, url: str = "http://127.0.0.1:9") -> Any:
        path = tmp_path / kind.program
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        made.append(opened(kind.name, Endpoint(url, KEYS, timeout=2), program=str(path)))
        return made[-1]

    yield make
    for client in made:
        client.close()


def command(kind: type[ProgramClient]) -> tuple[str, ...]:
    """A command that cannot be done without asking the endpoint."""
    return ("s3", "rm", "s3://bucket/", "--recursive") if kind is AwsCli else ("delete", "remote:bucket")


def calls(client: Any) -> list[Callable[[], Any]]:
    """Every way to have something done."""
    return [
        lambda: client.call("PutObject", OBJECT | {"Body": b"x"}),
        lambda: client.call("GetObject", OBJECT),
        lambda: client.call("ListBuckets", {}),
        lambda: client.list_all(2, {"Bucket": "bucket"}),
        lambda: client.upload(OBJECT | {"Body": b"x"}, 5 << 20),
        lambda: client.command(*command(type(client))),
    ]


@BOTH
def test_crash(kind: type[ProgramClient], fake: Any) -> None:
    """A program that a signal ended."""
    client = fake(kind, "echo first >&2; echo 'it hurts' >&2; kill -SEGV $$")
    for call in calls(client):
        with pytest.raises(ClientFault, match=f"^{kind.program} crashed with SIGSEGV: it hurts$"):
            call()


@BOTH
@pytest.mark.parametrize("words", ["ImportError: no module", "An error occurred (AccessDenied) when calling the X: no"])
def test_failure_before_any_request(kind: type[ProgramClient], fake: Any, words: str) -> None:
    """Whatever it says: the endpoint was not asked."""
    client = fake(kind, f"echo '{words}' >&2; exit 3")
    for call in calls(client):
        with pytest.raises(ClientFault, match="ended with exit code 3 before it sent anything: ") as caught:
            call()
        assert words in str(caught.value)


@BOTH
def test_hanging_before_any_request(kind: type[ProgramClient], fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had all its time and sent nothing."""
    monkeypatch.setattr(program, "GRACE", -1.5)
    with pytest.raises(ClientFault, match=r"did not end within \d s before it sent anything: waiting"):
        fake(kind, "[ $1 = --version ] || { echo waiting >&2; exec sleep 60; }").call("ListBuckets", {})


@BOTH
def test_doing_nothing_is_no_success(kind: type[ProgramClient], fake: Any) -> None:
    """Exit code 0 without a request."""
    for call in calls(fake(kind, "exit 0")):
        with pytest.raises(ClientFault, match="reported success without sending "):
            call()


@BOTH
def test_what_needs_no_endpoint_may_send_nothing(kind: type[ProgramClient], fake: Any) -> None:
    """A version, a signed URL."""
    client = fake(kind, "echo done")
    assert client.command("version").ok
    if kind is AwsCli:
        assert client.command("s3", "presign", "s3://bucket/k").stdout == "done\n"


SENDS = """import http.client, os, sys, urllib.parse
if "--version" not in sys.argv:
    proxy = http.client.HTTPConnection(urllib.parse.urlsplit(os.environ["HTTP_PROXY"]).netloc)
    proxy.request("PUT", sys.argv[sys.argv.index("--endpoint-url") + 1] + "/bucket/k")
    proxy.getresponse().read()
    print(PRINTED, end="")
"""
"""An AWS CLI that puts an object and prints something."""


def test_other_words_than_json(fake: Any, answering: Any) -> None:
    """Nothing is a document without members; anything else has to be one."""

    def printing(text: str) -> Any:
        script = shlex.quote(SENDS.replace("PRINTED", repr(text)))
        client = fake(AwsCli, f'exec {sys.executable} -c {script} "$@"', answering(EMPTY).url)
        return client.call("PutObject", OBJECT | {"Body": b"x"})

    for printed, output in (("", {}), ("{}", {}), ('{"ETag": "a", "B": null}', {"ETag": "a"})):
        found = printing(printed)
        assert (found.ok, found.output) == (True, output)
    for printed in ("done!", "{", "[]", "null"):
        with pytest.raises(ClientFault, match="printed no JSON document: b"):
            printing(printed)


def test_a_program_that_cannot_be_started_is_a_fault() -> None:
    """The endpoint has no part in it."""
    client = opened("rclone", Endpoint("http://127.0.0.1:9", KEYS, timeout=2), program="/no/such/program")
    try:
        with pytest.raises(ClientFault, match=r"^rclone cannot be started: "):
            client.call("ListBuckets", {})
    finally:
        client.close()


@BOTH
def test_endpoint_that_is_down_is_no_fault_of_the_program(kind: type[ProgramClient]) -> None:
    """It failed, but it tried: whether the endpoint lives is asked elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = opened(kind.name, Endpoint(f"http://127.0.0.1:{port}", KEYS, timeout=2))
    try:
        for seen in (client.call("ListBuckets", {}), client.command(*command(kind))):
            assert (seen.ok, seen.status) == (False, None)
            assert seen.failure
            assert "cannot connect to " in seen.exchanges[0].error
    finally:
        client.close()


# --- boto3 ---


@pytest.fixture
def boto3() -> Iterator[Callable[..., Any]]:
    """Makes clients that are closed with the test."""
    made: list[Any] = []

    def make(url: str, **changes: Any) -> Any:
        made.append(opened("boto3", Endpoint(url, KEYS, timeout=2, **changes)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_boto3_that_cannot_sign(boto3: Any, answering: Any) -> None:
    """Nothing was sent, so nothing is the endpoint's."""
    endpoint = answering(EMPTY)
    client = boto3(endpoint.url)
    client._client._request_signer._credentials = None
    with pytest.raises(ClientFault, match=r"^boto3 failed before it sent anything: NoCredentialsError: "):
        client.call("ListBuckets", {})
    assert endpoint.connections == 0


def test_boto3_that_is_given_what_has_no_bytes(boto3: Any, answering: Any) -> None:
    """A key that is no Unicode cannot be sent by boto3; that is no fault."""
    with pytest.raises(Inexpressible, match="boto3 does not send this: "):
        boto3(answering(EMPTY).url).call("GetObject", OBJECT | {"Key": "a\ud800"})


def test_boto3_and_names_without_address(boto3: Any, answering: Any) -> None:
    """A bucket as a host name that nobody knows reaches the endpoint all the same, under its own name."""
    url = answering(EMPTY).url.replace("127.0.0.1", "localhost")
    found = boto3(url, addressing="virtual").call("GetObject", OBJECT)
    assert (found.ok, found.status) == (True, 200)
    assert found.exchanges[0].url == f"http://bucket.{url.removeprefix('http://')}/k"


def test_boto3_and_an_endpoint_that_is_down(boto3: Any) -> None:
    """The endpoint's doing, or the end of it; the failure says what happened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = boto3(f"http://127.0.0.1:{port}").call("GetObject", OBJECT)
    assert (found.ok, found.status) == (False, None)
    assert found.failure.startswith(f"cannot connect to 127.0.0.1:{port}: ")


def test_boto3_that_stumbles_after_a_request(boto3: Any, answering: Any) -> None:
    """What it does not send because of what the endpoint answered before is a finding, not inexpressible."""
    body = b"<R><UploadId>u</UploadId></R>"
    client = boto3(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)).url)

    def stumble(**_: Any) -> None:
        raise ParamValidationError(report="UploadId")

    client._client.meta.events.register("before-parameter-build.s3.UploadPart", stumble)
    found = client.upload(OBJECT | {"Body": b"a" * 10}, 5)
    assert not found.ok
    assert "ParamValidationError" in found.failure
