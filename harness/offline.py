"""The bundled reference server as a process of its own, for runs without an endpoint.

The harness knows its command line and the one line of JSON that it prints, nothing else of it.
"""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from harness.errors import USAGE, EndpointError, UsageError

_START_SECONDS = 30.0
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
        UsageError: it does not take the arguments.
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
        yield _ready(process)
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(process: subprocess.Popen[bytes]) -> Ready:
    """The line that the server prints once it answers; what it complains of goes to standard error."""
    assert process.stdout is not None  # noqa: S101 - a pipe, for the type checker
    line = process.stdout.readline() if select.select([process.stdout], [], [], _START_SECONDS)[0] else b""
    try:
        return msgspec.json.decode(line, type=Ready)
    except msgspec.MsgspecError:
        pass
    if not line and _exit_code(process) == USAGE:
        raise UsageError("the bundled reference server cannot be started like this; see above")
    raise EndpointError("the bundled reference server did not start; its message is above")


def _exit_code(process: subprocess.Popen[bytes]) -> int | None:
    with suppress(subprocess.TimeoutExpired):
        return process.wait(1)
    return None
