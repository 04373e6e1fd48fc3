"""Clients that break by themselves: never an answer of the endpoint's, never a success."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from harness.clients import local, program
from harness.clients.awscli import AwsCli
from harness.clients.boto3 import Boto3Client
from harness.clients.program import ProgramClient
from harness.clients.rclone import Rclone
from harness.config import Endpoint
from harness.signals import ClientFault, Inexpressible
from harness.wire.sigv4 import Credentials
from tests.harness.clients.conftest import installed

KEYS = Credentials("AKEXAMPLE", "secret")
OBJECT = {"Bucket": "bucket", "Key": "k"}
BOTH = pytest.mark.parametrize("kind", [Rclone, AwsCli])
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Makes a client whose program is a shell script."""
    made: list[Any] = []

    def make(kind: type[ProgramClient], script: str, url: str = "http://127.0.0.1:9", recorded: bool = True) -> Any:
        path = tmp_path / kind.program
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(local, "find", lambda _: str(path))
        client: Any = kind(Endpoint(url, KEYS, timeout=2))  # type: ignore[call-arg, arg-type]
        made.append(client)
        if not recorded:
            client.proxy.close()
            client.proxy = None
        return client

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
@pytest.mark.parametrize("recorded", [True, False])
def test_crash(kind: type[ProgramClient], fake: Any, recorded: bool) -> None:
    """A program that a signal ended; also where nothing shows what it sent before."""
    client = fake(kind, "echo first >&2; echo 'it hurts' >&2; kill -SEGV $$", recorded=recorded)
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


@BOTH
def test_success_is_not_doubted_where_nothing_is_recorded(kind: type[ProgramClient], fake: Any) -> None:
    """As with https: the witness has to tell."""
    client = fake(kind, "exit 0", recorded=False)
    assert client.command(*command(kind)).ok
    assert client.call("PutObject", OBJECT | {"Body": b"x"}).ok


def test_other_words_than_json(fake: Any) -> None:
    """Nothing is a document without members; anything else has to be one."""
    for printed, output in (("", {}), ("{}", {}), ('{"ETag": "a", "B": null}', {"ETag": "a"})):
        found = fake(AwsCli, f"printf %s '{printed}'", recorded=False).call("PutObject", OBJECT | {"Body": b"x"})
        assert (found.ok, found.output) == (True, output)
    for printed in ("done!", "{", "[]", "null"):
        with pytest.raises(ClientFault, match="printed no JSON document: b"):
            fake(AwsCli, f"printf %s '{printed}'", recorded=False).call("PutObject", OBJECT | {"Body": b"x"})


@BOTH
def test_endpoint_that_is_down_is_no_fault_of_the_program(kind: type[ProgramClient]) -> None:
    """It failed, but it tried: whether the endpoint lives is asked elsewhere."""
    installed(kind)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client: Any = kind(Endpoint(f"http://127.0.0.1:{port}", KEYS, timeout=2))  # type: ignore[call-arg, arg-type]
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
    made: list[Boto3Client] = []

    def make(url: str, **changes: Any) -> Any:
        made.append(Boto3Client(Endpoint(url, KEYS, timeout=2, **changes)))
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


@pytest.mark.parametrize("own", [False, True])
def test_boto3_and_names_without_address(boto3: Any, monkeypatch: pytest.MonkeyPatch, own: bool) -> None:
    """A bucket as a host name that nobody knows is not the endpoint's fault; its own name may be a sign of its end."""
    known = socket.getaddrinfo

    def lookup(host: str, *args: Any, **options: Any) -> Any:
        if host.endswith("s3.invalid"):
            raise socket.gaierror(-2, "Name or service not known")
        return known(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    client = boto3("http://s3.invalid:1", addressing="virtual")
    if own:
        assert "EndpointConnectionError" in client.call("ListBuckets", {}).failure
    else:
        with pytest.raises(ClientFault, match=r"^boto3 found no address for bucket\.s3\.invalid: EndpointConn"):
            client.call("GetObject", OBJECT)


def test_boto3_refused_at_a_name_that_has_an_address(boto3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint's doing, or the end of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    known = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _, *args, **options: known("127.0.0.1", *args, **options))
    found = boto3(f"http://s3.invalid:{port}", addressing="virtual").call("GetObject", OBJECT)
    assert (found.ok, found.status) == (False, None)
    assert "EndpointConnectionError" in found.failure


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
