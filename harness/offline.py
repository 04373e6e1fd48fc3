"""The bundled reference server as a process of its own, for runs without an endpoint.

The harness knows its command line and the one line of JSON that it prints, nothing else of it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from harness.errors import EndpointError

COMMAND = (sys.executable, "-P", "-m", "reference_server")


class Ready(msgspec.Struct, frozen=True):
    """What the server says once it answers."""

    endpoint: str
    access_key: str
    secret_key: str
    region: str


@contextmanager
def reference_server(*arguments: str) -> Iterator[Ready]:
    """A server that lives as long as the block, and no longer than this process.

    Raises:
        EndpointError: it did not start.
    """
    # It stops when its standard input ends, so not even SIGKILL of this process leaves it behind.
    process = subprocess.Popen(
        [*COMMAND, "--json", "--until-eof", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - both are pipes, for the type checker
    assert process.stdout is not None  # noqa: S101
    try:
        line = process.stdout.readline()
        try:
            ready = msgspec.json.decode(line, type=Ready)
        except msgspec.MsgspecError:
            raise EndpointError("the bundled reference server did not start; its message is above") from None
        yield ready
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
