"""Steps that rclone workflows share: trees of files and objects, what rclone sent, and stores that refuse."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from harness.clients.base import Observed
from harness.clients.program import ProgramClient
from harness.expect import body, ok, refused
from harness.scene import PART, Scene
from harness.signals import Inexpressible, Mismatch
from harness.wire.exchange import Exchange
from harness.wire.route import Sent, recognise
from scenarios.workflows.deletes import error_code

OWN_BUCKET = "--s3-no-check-bucket"
"""Without it rclone begins many uploads with CreateBucket, which may change the settings of a bucket that is there."""
IN_PARTS = ("--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M")
"""Uploads of 5 MiB and more go in parts of 5 MiB, the smallest that rclone makes."""
MODIFIED = 1_600_000_000_123_456_789
"""A time in nanoseconds since 1970, none of whose digits may get lost: 2020-09-13T12:26:40.123456789Z."""
MTIME = "1600000000.123456789"
"""The same as rclone keeps it in x-amz-meta-mtime."""
LARGE = b"".join(number.to_bytes(4, "big") for number in range((PART + 1000) // 4))
"""A body of one whole part and a short one, no two stretches of which are alike."""

WRITES = frozenset(
    {
        *("CreateBucket", "DeleteBucket", "PutObject", "DeleteObject", "DeleteObjects", "CopyObject"),
        *("CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"),
    }
)
"""The operations that change something, of those that rclone uses."""


def remote(s3: Scene, name: str = "") -> str:
    """The cell's place, or something below it, as rclone's commands take it."""
    return f"remote:{s3.bucket}/{s3.prefix}{name}"


def stored(s3: Scene, objects: Mapping[str, bytes], **params: Any) -> None:
    """These objects, by name below the cell's prefix, stored to prepare the scene."""
    for name, content in objects.items():
        s3.put(s3.key(name), content, **params)


def files(s3: Scene, contents: Mapping[str, bytes], modified: int = MODIFIED) -> Path:
    """A local folder with these files, by relative path, all modified at the same time (nanoseconds since 1970)."""
    folder = s3.folder
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


def printed(s3: Scene, run: Observed, *expected: str) -> None:
    """A command succeeded and printed exactly these lines, in any order, each once."""
    s3.expect(run, ok())
    shown = lines(run)
    text = f"{run.operation} prints {len(expected)} lines {sorted(expected)!r}"
    s3.check(sorted(shown) == sorted(expected), text, f"it printed {sorted(shown)!r}", run)


def document(s3: Scene, run: Observed) -> Any:
    """The JSON that a successful command printed."""
    s3.expect(run, ok())
    try:
        return json.loads(run.body or b"")
    except ValueError:
        raise Mismatch(f"{run.operation} prints JSON", f"it printed {run.stdout[:200]!r}", run) from None


def entries(s3: Scene, run: Observed) -> dict[str, dict[str, Any]]:
    """The entries of `lsjson`, or the one of `lsjson --stat`, that are no folders, by path."""
    shown = document(s3, run)
    listed = shown if isinstance(shown, list) else [shown]
    objects = [entry for entry in listed if isinstance(entry, dict) and entry.get("IsDir") is False]
    return {str(entry.get("Path")): entry for entry in objects}


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


def changed_nothing(s3: Scene, run: Observed) -> None:
    """A command sent no operation that changes something."""
    writes = sent(s3, run, *WRITES)
    text = f"{run.operation} sends nothing but reads"
    s3.check(not writes, text, f"it sent {', '.join(f'{what.operation} {what.key}' for what, _ in writes)}", run)


def refusal_told(s3: Scene, run: Observed, operation: str) -> None:
    """A command ended with exit code 1, an operation of it was refused, and its user is told the reason."""
    s3.check(run.exit_code == 1, "exit code 1 after a refusal", f"got {run.summary()}", run)
    refusals = [exchange for _, exchange in sent(s3, run, operation) if (exchange.status or 0) >= 400]
    shown = run.stderr.strip()[-300:]
    s3.check(bool(refusals), f"a refused {operation}", f"none was refused; it said {shown!r}", run)
    codes = sorted({error_code(exchange) or str(exchange.status) for exchange in refusals})
    told = any(code in run.stderr for code in codes)
    s3.check(told, f"standard error names the reason ({', '.join(codes)})", f"it said {shown!r}", run)


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
