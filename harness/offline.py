"""The bundled reference server as a process of its own, for runs without an endpoint.

The harness knows its command line and the one line of JSON that it prints, nothing else of it.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex

import msgspec

from harness.errors import USAGE, EndpointError, UsageError
from harness.wire.sigv4 import Credentials

_START_SECONDS = 30.0
COMMAND = (sys.executable, "-P", "-m", "reference_server")


class Ready(msgspec.Struct, frozen=True):
    """What the server says once it answers: over TLS also what clients must trust, and its port for plain http.

    `legacy_object` is where the gateway that it plays has an object from before its ETags, see `Endpoint.legacy`.
    """

    endpoint: str
    access_key: str
    secret_key: str
    region: str
    ca_bundle: str = ""
    http_endpoint: str = ""
    legacy_object: str = ""


def invented() -> tuple[Credentials, Credentials, Credentials]:
    """Random credentials for a server: an account, another one, and temporary ones of the first."""
    pairs = [(f"AK{token_hex(9).upper()}", token_hex(20)) for _ in range(3)]
    return Credentials(*pairs[0]), Credentials(*pairs[1]), Credentials(*pairs[2], token_hex(24))


def by_name(url: str) -> tuple[str, str]:
    """The server's URL with a name for its address, and that of its websites, with `{bucket}` for a bucket's name.

    A bucket can stand before a name, so that virtual-hosted style is judged too.
    """
    url = url.replace("127.0.0.1", "localhost")
    return url, url.replace("://", "://{bucket}.s3-website.")


def accounts(*credentials: Credentials) -> list[str]:
    """The arguments that give the server these accounts; one with a session token belongs to the one before it."""
    words = ([one.access_key, one.secret_key, one.session_token] for one in credentials)
    return [word for parts in words for word in ("--credential", ":".join(part for part in parts if part))]


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
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - all are pipes, for the type checker
    assert process.stdout is not None  # noqa: S101
    assert process.stderr is not None  # noqa: S101
    passing_on = threading.Thread(target=_pass_on, args=(process.stderr.fileno(),), daemon=True)
    try:
        ready = _ready(process)
        passing_on.start()
        yield ready
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if passing_on.ident is not None:
            passing_on.join(1)
        if not passing_on.is_alive():
            process.stderr.close()


def _ready(process: subprocess.Popen[bytes]) -> Ready:
    """The line that the server prints once it answers; what it complains of instead becomes the error."""
    assert process.stdout is not None  # noqa: S101 - a pipe, for the type checker
    line = process.stdout.readline() if select.select([process.stdout], [], [], _START_SECONDS)[0] else b""
    try:
        return msgspec.json.decode(line, type=Ready)
    except msgspec.MsgspecError:
        pass
    said = _complaint(process)
    if not line and process.returncode == USAGE:
        raise UsageError(said or "the bundled reference server cannot be started like this")
    raise EndpointError(f"the bundled reference server did not start: {said or 'it says nothing'}")


def _complaint(process: subprocess.Popen[bytes]) -> str:
    """The last line that a server which did not start printed, without its name; the process has ended afterwards."""
    assert process.stderr is not None  # noqa: S101 - a pipe, for the type checker
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    lines = process.stderr.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return last.removeprefix("s3conform serve: ").removeprefix("error: ")


def _pass_on(source: int) -> None:
    """What a running server says reaches the user as it is."""
    with suppress(OSError):
        while data := os.read(source, 4096):
            os.write(2, data)
