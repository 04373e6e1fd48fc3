"""What `aws s3api` workflows share: a command as the operation it is, what it printed, and how a refusal is told.

Exit codes: 0 after success, 254 (version 2) or 255 (version 1) where the service refused or a waiter gave up.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

from botocore import xform_name

from harness.clients.base import Observed
from harness.expect import Matcher, body, ok, refused
from harness.scene import Scene
from harness.signals import ClientFault
from harness.wire import model
from scenarios.workflows._steps import requests

REFUSED = (254, 255)
"""Exit codes of versions 2 and 1 after an error of the service."""

SOURCE = "AWS CLI reference, s3api {}; exit codes and output measured with aws 1.46.2 and 2.23.6"
"""Where the statements come from; the command goes into the braces."""


def api(s3: Scene, command: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Observed:
    """`aws s3api COMMAND ARGUMENTS`, observed as the operation that the command stands for.

    `output` holds the document that it printed, `status` what the last answer to this operation was.

    Raises:
        ClientFault: it reported success, and has sent nothing or printed something else than a document.
    """
    run = s3.program("s3api", *command.split(), *arguments, environment=environment)
    run.operation = _operation(command)
    answers = requests(s3, run, run.operation)
    if answers:
        run.status = answers[-1].status
    if run.ok:
        run.output, run.partial = _printed(run), False
    return run


def at(bucket: str, key: str = "") -> list[str]:
    """The arguments that name a bucket, or an object in it."""
    return ["--bucket", bucket, *(["--key", key] if key else [])]


def done() -> Matcher:
    """The command ended with exit code 0, whatever the status was that it took for a success."""
    return Matcher("exit code 0", lambda seen: "" if seen.exit_code == 0 else f"got {seen.summary()}")


def rejected(status: int, *codes: str) -> Matcher:
    """A refusal with this status and one of these codes, which the command reports by its exit code."""
    wanted = refused(status, *codes)

    def test(seen: Observed) -> str:
        if seen.exit_code not in REFUSED:
            return f"got {seen.summary()}"
        return wanted.test(seen)

    return Matcher(f"exit code 254 or 255 after {wanted.expected}", test)


def file(s3: Scene, content: bytes) -> str:
    """A new file with this content, as a path."""
    path = s3.folder / "content"
    path.write_bytes(content)
    return str(path)


def document(s3: Scene, value: Any) -> str:
    """A value for a structured option, as a file of JSON."""
    return f"file://{file(s3, json.dumps(value).encode())}"


def downloaded(s3: Scene, command: str, *arguments: str) -> Observed:
    """A command whose answer goes to a file, given as its last argument; `body` holds what is in the file."""
    path = s3.folder / "download"
    run = api(s3, command, *arguments, str(path))
    run.body = path.read_bytes() if path.is_file() else b""
    return run


def is_whole(s3: Scene, key: str, content: bytes, **params: Any) -> Observed:
    """The witness reads these bytes; its answer."""
    return s3.expect(s3.look("GetObject", Key=key, **params), ok(), body(content))


def is_missing(s3: Scene, key: str, **params: Any) -> None:
    """The witness finds no such object."""
    s3.expect(s3.look("GetObject", Key=key, **params), refused(404, "NoSuchKey"))


@functools.cache
def _operation(command: str) -> str:
    """S3's name of the operation that a command stands for; of a waiter, that which it repeats."""
    if command.startswith("wait "):
        return "HeadBucket" if "bucket" in command else "HeadObject"
    return next(name for name in model.operations() if xform_name(name, "-") == command)


def _printed(run: Observed) -> dict[str, Any]:
    try:
        value = json.loads(run.body or b"") if (run.body or b"").strip() else {}
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ClientFault(f"{run.operation} succeeded, but aws printed no document: {run.stdout[:200]!r}")
    return {name: item for name, item in value.items() if item is not None}
