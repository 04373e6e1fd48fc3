"""Steps that workflows of all programs share: files and objects, what a command printed and sent, how it ended."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from harness.clients.base import Observed
from harness.clients.program import ProgramClient, last_words
from harness.expect import Matcher, body, ok, refused
from harness.scene import PART, Scene
from harness.signals import Inexpressible
from harness.wire.exchange import Exchange
from harness.wire.route import Sent, recognise

MODIFIED = 1_600_000_000_123_456_789
"""A time in nanoseconds since 1970, none of whose digits may get lost: 2020-09-13T12:26:40.123456789Z."""
LARGE = struct.pack(f">{(PART + 1000) // 4}I", *range((PART + 1000) // 4))
"""A body of one whole part and a short one, no two stretches of which are alike."""

NAMES = {"a b+c.txt": b"first", "sub/é%41.txt": b"second, longer", "sub/empty": b""}
"""Names that are percent-encoded in a request, one of which looks as if it already were; and an empty object."""


def stored(s3: Scene, objects: Mapping[str, bytes], **params: Any) -> None:
    """These objects, by name below the cell's prefix, stored to prepare the scene."""
    for name, content in objects.items():
        s3.put(s3.key(name), content, **params)


def files(s3: Scene, contents: Mapping[str, bytes], modified: int = MODIFIED) -> Path:
    """A local folder with these files, by relative path, all modified at the same time (nanoseconds since 1970)."""
    return write(s3.folder, contents, modified)


def write(folder: Path, contents: Mapping[str, bytes], modified: int) -> Path:
    """Files in a folder, by relative path, all modified at the same time (nanoseconds since 1970); the folder."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, ns=(modified, modified))
    return folder


def found(folder: Path) -> dict[str, bytes]:
    """The files of a local folder and all below it, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def holds(s3: Scene, objects: Mapping[str, bytes]) -> None:
    """Exactly these objects, by name, are below the cell's prefix: their bytes, and a listing in whatever order."""
    for name, content in objects.items():
        s3.expect(s3.look("GetObject", Key=s3.key(name)), ok(), body(content))
    listed = s3.look("ListObjectsV2", Prefix=s3.prefix)
    if not listed.ok:
        listed = s3.look("ListObjects", Prefix=s3.prefix)
    s3.expect(listed, ok())
    wanted, shown = sorted(map(s3.key, objects)), sorted(listed.keys)
    s3.check(shown == wanted, f"objects {wanted!r}", f"there are {shown!r}", listed)


def lines(run: Observed) -> list[str]:
    """The lines that a command printed."""
    return (run.body or b"").decode("utf-8", "replace").splitlines()


def finished(s3: Scene, run: Observed, operation: str = "", **params: Any) -> None:
    """A command succeeded.

    Where it did not, and a workflow rests on one operation, the witness tries that with `params`: its refusal then
    is the finding, which a gateway may have documented.
    """
    if operation and not run.ok:
        s3.expect(s3.look(operation, **params), ok())
    s3.expect(run, ok())


def sent(s3: Scene, run: Observed, *operations: str) -> list[tuple[Sent, Exchange]]:
    """What a command sent of these operations, in order.

    Raises:
        Inexpressible: nothing shows what it sent.
    """
    if not isinstance(s3.client, ProgramClient) or not run.exchanges:
        raise Inexpressible(f"nothing shows what {run.client} sent")
    told = [(recognise(exchange, s3.client.origin), exchange) for exchange in run.exchanges]
    return [(what, exchange) for what, exchange in told if what.operation in operations]


@contextmanager
def refusing(s3: Scene, operation: Literal["DeleteObject", "PutObject"], objects: Mapping[str, bytes]) -> Iterator[str]:
    """A new bucket with these objects, and no others, that refuses an operation on objects while the block runs.

    A store that refuses to delete, or to overwrite, by itself is taken as it is; all others get a policy for it.

    Raises:
        Prerequisite: there are no bucket policies.
        Mismatch: the policy is accepted and has no effect.
    """
    bucket = s3.new_bucket()
    for key, content in objects.items():
        s3.put(key, content, Bucket=bucket)
    key = next(iter(objects))
    again = {"Bucket": bucket, "Key": key} | ({"Body": objects[key]} if operation == "PutObject" else {})
    if not s3.look(operation, **again).ok:
        yield bucket
        return
    s3.put(key, objects[key], Bucket=bucket)
    deny(s3, bucket, f"s3:{operation}")
    try:
        s3.expect(s3.look(operation, **again), refused(403))
        yield bucket
    finally:
        s3.look("DeleteBucketPolicy", Bucket=bucket)


def deny(s3: Scene, bucket: str, action: str) -> None:
    """A policy that denies one action on all objects to everybody."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.setup("PutBucketPolicy", Bucket=bucket, Policy=policy)


def operations(s3: Scene, run: Observed) -> list[str]:
    """The operations that a command sent, in the order they ended."""
    origin = program(s3).origin
    return [recognise(exchange, origin).operation for exchange in run.exchanges]


def requests(s3: Scene, run: Observed, *operations: str) -> list[Exchange]:
    """What a command sent of these operations, in the order they ended."""
    origin = program(s3).origin
    return [exchange for exchange in run.exchanges if recognise(exchange, origin).operation in operations]


def listing(entry: re.Pattern[str], sizes: Mapping[str, int | str]) -> Matcher:
    """A listing of exactly these names with these sizes, each once.

    Args:
        entry: what a line of it is: the size in its first group, the name in its second.
        sizes: sizes, or what stands in their place for a folder, by name.
    """
    wanted = sorted((name, str(size)) for name, size in sizes.items())

    def test(seen: Observed) -> str:
        matches = [entry.fullmatch(line) for line in lines(seen)]
        shown = sorted((match[2], match[1]) for match in matches if match)
        return "" if seen.ok and shown == wanted and all(matches) else f"got {seen.summary()}: {seen.stdout[-500:]!r}"

    return Matcher(f"a listing of {wanted}", test)


def exits(*codes: int) -> Matcher:
    """One of these exit codes."""

    def test(seen: Observed) -> str:
        if seen.exit_code in codes:
            return ""
        return f"exit code was {seen.exit_code}" + (f": {last_words(seen.stderr)}" if seen.exit_code else "")

    return Matcher(f"exit code {' or '.join(map(str, codes))}", test)


def prints(text: str) -> Matcher:
    """A text somewhere in standard output."""
    return Matcher(
        f"standard output with {text!r}", lambda seen: "" if text in seen.stdout else f"it printed {seen.stdout!r}"
    )


def tells(text: str) -> Matcher:
    """A text somewhere in standard error."""
    return Matcher(
        f"standard error with {text!r}", lambda seen: "" if text in seen.stderr else f"it said {seen.stderr!r}"
    )


def silent() -> Matcher:
    """Nothing on standard output: nothing was transferred."""
    return Matcher("no output", lambda seen: f"it printed {seen.stdout!r}" if seen.stdout.strip() else "")


def place(s3: Scene, name: str = "") -> str:
    """The cell's place, or something below it, as the commands of s5cmd and s3cmd take it."""
    return f"s3://{s3.bucket}/{s3.prefix}{name}"


def program(s3: Scene) -> ProgramClient:
    """The client under test, which is a program."""
    if not isinstance(s3.client, ProgramClient):
        raise Inexpressible(f"{s3.client.name} is not a program")
    return s3.client
