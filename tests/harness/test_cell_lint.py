"""The rules for every exchange as a cell runs them: what they are told, and what they leave in the run file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from harness import profile
from harness.cell import CellRunner
from harness.config import Endpoint, RunConfig
from harness.expect import ok
from harness.record import ClientInfo, Lint
from harness.sandbox import JournalHead, append
from harness.scenario import Scenario
from harness.scene import Scene
from harness.wire.sigv4 import Credentials
from tests.support import Server


@contextmanager
def runner(endpoint: Endpoint, folder: Path) -> Iterator[CellRunner]:
    """A runner of cells by raw HTTP."""
    config = RunConfig("260101000000-abcdef", endpoint, "aws", [ClientInfo("raw", "1", "inprocess")], [], str(folder))
    append(config.journal, JournalHead(config.run_id, endpoint.url, "us-east-1", endpoint.addressing))
    runs = CellRunner(config, profile.load("aws"), "w0")
    try:
        yield runs
    finally:
        runs.close()


def scenario(function: Callable[[Scene], None]) -> Scenario:
    """A scenario that is in no registry."""
    return Scenario("TEST-001", "MUST", ("PutObject",), "here", ("raw",), "recorded", function, __name__)


def lints(endpoint: Endpoint, folder: Path, *functions: Callable[[Scene], None]) -> list[Lint]:
    """What the rules find in cells of these scenarios, one after another."""
    found = []
    with runner(endpoint, folder) as runs:
        for function in functions:
            runs.attempt(scenario(function), "raw")
            found += runs.lints()
    return found


def test_bucket_in_the_host_name_is_no_fault_of_the_endpoint(tmp_path: Path, server: Server) -> None:
    """Where no exchange is with the bare host, its name must not be taken from the exchanges."""

    def uploads(s3: Scene) -> None:
        s3.expect(s3.call("ListObjectsV2", Prefix=s3.prefix), ok())
        s3.expect(s3.call("CreateMultipartUpload", Key=s3.key()), ok())

    url = server.endpoint.replace("127.0.0.1", "localhost")
    endpoint = Endpoint(url, Credentials(server.access_key, server.secret_key), addressing="virtual", timeout=5)
    assert lints(endpoint, tmp_path, uploads, uploads) == []


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s"


def of(url: str) -> Endpoint:
    """An endpoint of the tests' own."""
    return Endpoint(url, Credentials("AKTEST", "secret-of-test"), timeout=2)


def test_fault_of_the_sender_does_not_hide_that_of_the_endpoint(tmp_path: Path, answering: Callable[..., Any]) -> None:
    """Both are told of one exchange, by one rule: who sent no digest, and who took it."""

    def deletes(s3: Scene) -> None:
        body = b"<Delete><Object><Key>a</Key></Object></Delete>"
        s3.witness.send("DeleteObjects", "POST", "/bucket?delete", [], body, deliberate=False)

    document = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>'
    )
    found = lints(of(answering(OK % (len(document), document)).url), tmp_path, deletes)
    assert {line.party for line in found if line.rule == "LINT-015"} == {"harness", "endpoint"}


def test_signature_of_another_request_is_not_in_a_finding(tmp_path: Path, answering: Callable[..., Any]) -> None:
    """An endpoint may repeat what signed the request before."""
    signatures: list[bytes] = []

    def answer(request: bytes) -> bytes:
        signatures.append(request.partition(b"Signature=")[2][:64])
        body = b"<Error><Code>X</Code><Message>%s</Message></Error>" % b" ".join(signatures)
        return b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def asks(s3: Scene) -> None:
        for key in "ab":  # there is no finding about the second, which is like the first
            s3.witness.call("GetObject", {"Bucket": "bucket", "Key": key})
        s3.witness.call("ListObjectsV2", {"Bucket": "bucket"})

    found = lints(of(answering(answer).url), tmp_path, asks)
    assert {line.operation for line in found} >= {"ListObjectsV2", "GetObject"}
    assert len(set(signatures)) > 1
    assert not any(signature.decode() in str(line) for signature in signatures for line in found)


def test_bodies_that_are_held_for_the_rules_have_a_bound(tmp_path: Path, answering: Callable[..., Any]) -> None:
    """An endpoint that answers everything with very much must not fill the memory; evidence is kept all the same."""
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + bytes(3_000_000)

    def reads(s3: Scene) -> None:
        for _ in range(14):
            s3.witness.call("GetObject", {"Bucket": "bucket", "Key": "a"})

    with runner(of(answering(large).url), tmp_path) as runs:
        runs.attempt(scenario(reads), "raw")
        held = runs._place(runs._config.endpoint).witnessed
        assert len([one for one in held if one.exchange.response_body.size == 3_000_000]) == 14
        assert 5 < len([one for one in held if one.body]) < 14


def test_message_without_end_is_cut(tmp_path: Path, answering: Callable[..., Any]) -> None:
    """What an endpoint says reaches message, expectation and notes only as far as somebody would read."""
    said = b"<Error><Code>X</Code><Message>" + b'name="Signature"\n' * 60_000 + b"</Message></Error>"
    answer = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)

    def refused(s3: Scene) -> None:
        found = s3.witness.call("GetObject", {"Bucket": "bucket", "Key": "a"})
        s3.note(found.message)
        s3.check(False, found.message, found.summary(), s3.keep("client", found))

    with runner(of(answering(answer).url), tmp_path) as runs:
        cell = runs.attempt(scenario(refused), "raw")
    assert cell.verdict == "violates"
    assert len(msgspec.json.encode(cell)) < 100_000
