"""The rules for every exchange as a cell runs them: what they are told, and what they leave in the run file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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


def lints(endpoint: Endpoint, folder: Path, *functions: Callable[[Scene], None]) -> list[Lint]:
    """What the rules find in cells of these scenarios, one after another."""
    found = []
    with runner(endpoint, folder) as runs:
        for function in functions:
            runs.attempt(
                Scenario("TEST-001", "MUST", ("PutObject",), "here", ("raw",), "recorded", function, __name__), "raw"
            )
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
