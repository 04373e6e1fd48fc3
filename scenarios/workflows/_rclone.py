"""Steps that rclone workflows share: its remotes and flags, what it printed, and what it must not have sent."""

from __future__ import annotations

import json
from typing import Any

from harness.clients.base import Observed
from harness.expect import ok
from harness.scene import Scene
from harness.signals import Mismatch
from scenarios.workflows._refusals import error_code
from scenarios.workflows._steps import lines, sent

OWN_BUCKET = "--s3-no-check-bucket"
"""Without it rclone begins many uploads with CreateBucket, which may change the settings of a bucket that is there."""
IN_PARTS = ("--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M")
"""Uploads of 5 MiB and more go in parts of 5 MiB, the smallest that rclone makes."""
MTIME = "1600000000.123456789"
"""The same as rclone keeps it in x-amz-meta-mtime."""

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
