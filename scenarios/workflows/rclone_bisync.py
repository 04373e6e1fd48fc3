"""`rclone bisync`: two sides that both change."""

from __future__ import annotations

from pathlib import Path

from harness.expect import ok
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios.workflows._rclone import OWN_BUCKET, remote
from scenarios.workflows._steps import files, finished, found, holds, stored

LOCAL = {"both.txt": b"on both sides", "local.txt": b"only here"}
STORED = {"sub/stored.txt": b"only there"}


def first_run(s3: Scene) -> tuple[str, Path, tuple[str, ...]]:
    """The cell's place and a local folder, brought together; both, and the flags of every further run."""
    stored(s3, STORED)
    local = files(s3, LOCAL)
    flags = ("--workdir", str(s3.folder), OWN_BUCKET)
    s3.expect(s3.program("bisync", remote(s3), str(local), "--resync", *flags), ok())
    holds(s3, LOCAL | STORED)
    both = found(local)
    s3.check(both == LOCAL | STORED, "both sides hold all files", f"locally there are {sorted(both)}")
    return remote(s3), local, flags


@scenario(
    "RCLONE-045",
    EXTENDED,
    "ListObjects",
    "HeadObject",
    "PutObject",
    "DeleteObject",
    source="rclone documentation, bisync; measured with rclone 1.75.2",
    clients=("rclone",),
)
def bisync(s3: Scene) -> None:
    """`rclone bisync` carries what was added, changed and deleted on either side to the other.

    S3 promises: a listing right after a change shows it, with the object's time; metadata keeps the time of the file.

    Breaks: folders shared by two machines. A listing that lags behind makes changes come back, or files vanish.

    Fix: list what is stored at once, and keep x-amz-meta-mtime.
    """
    place, local, flags = first_run(s3)
    s3.put(s3.key("added there.txt"), b"new there")
    s3.put(s3.key("both.txt"), b"changed there, and longer")
    (local / "added here.txt").write_bytes(b"new here")
    (local / "local.txt").unlink()
    finished(s3, s3.program("bisync", place, str(local), *flags), "DeleteObject", Key=s3.key("local.txt"))
    expected = {
        "added here.txt": b"new here",
        "added there.txt": b"new there",
        "both.txt": b"changed there, and longer",
        "sub/stored.txt": STORED["sub/stored.txt"],
    }
    holds(s3, expected)
    came = found(local)
    s3.check(came == expected, f"the local files {sorted(expected)}", f"there are {sorted(came)}, or other bytes")


@scenario(
    "RCLONE-116",
    EXTENDED,
    "ListObjects",
    source="rclone documentation, bisync, exit codes; measured with rclone 1.75.2",
    clients=("rclone",),
)
def bisync_stops(s3: Scene) -> None:
    """`rclone bisync` ends with exit code 7, and deletes nothing, where one side is empty all of a sudden.

    S3 promises: a listing of a place without objects is empty and an answer like any other, no error.

    Breaks: local files, if emptiness is taken for a wish to delete.

    Fix: list a prefix without objects as 200 with no Contents.
    """
    place, local, flags = first_run(s3)
    for name in LOCAL | STORED:
        s3.setup("DeleteObject", Key=s3.key(name))
    run = s3.program("bisync", place, str(local), *flags)
    s3.check(run.exit_code == 7, "exit code 7, bisync is broken off", f"got {run.summary()}", run)
    s3.check("empty" in run.stderr.lower(), "it says that a listing is empty", f"it said {run.stderr[-300:]!r}", run)
    left = found(local)
    s3.check(left == LOCAL | STORED, "every local file is left", f"there are {sorted(left)}", run)
    holds(s3, {})
