"""rclone and what is not there: it takes 404 for an empty place, so that only the endpoint's answers tell."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._rclone import OWN_BUCKET, changed_nothing, document, remote
from scenarios.workflows._steps import found, holds, lines, sent, stored

KEPT = {"here.txt": b"this one is there", "missing": b"its name begins alike", "missing.txt.bak": b"so does this one"}
"""What a look for missing.txt must not find."""
NOT_FOUND = (3, 4)
"""Exit codes "directory not found" and "file not found" (rclone, "Exit code")."""


def nothing_found(s3: Scene, run: Observed, key: str) -> None:
    """A command asked for the key, was told that there is nothing, and changed nothing.

    The exit code for a missing object is 0 in most of rclone's commands; one that says so ("not found") is as good.
    """
    wanted = f"exit code 0, {' or '.join(map(str, NOT_FOUND))}"
    s3.check(run.exit_code in (0, *NOT_FOUND), wanted, f"got {run.summary()}", run)
    asked = [exchange.status for what, exchange in sent(s3, run, "HeadObject") if what.key == key]
    listed = [exchange.status for _, exchange in sent(s3, run, "ListObjects", "ListObjectsV2")]
    s3.check(404 in asked, f"HEAD of {key} is answered 404", f"it was answered {asked or 'nothing'}", run)
    s3.check(
        run.exit_code != 0 or 200 in listed,
        "a listing below it is answered 200",
        f"it was answered {listed or 'nothing'}",
        run,
    )
    changed_nothing(s3, run)
    holds(s3, KEPT)


@scenario(
    "RCLONE-007",
    SHOULD,
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, exit code; measured with rclone 1.75.2",
    clients=("rclone",),
)
def missing_bucket(s3: Scene) -> None:
    """`rclone lsf` of a bucket that does not exist ends with exit code 3, directory not found.

    S3 promises: a listing of a bucket that does not exist is 404 NoSuchBucket.

    Breaks: whoever mistypes the name of a bucket: a restore finds nothing to restore and says that all went well.

    Fix: answer 404 with NoSuchBucket, never with an empty listing.
    """
    bucket = s3.bucket_name()
    run = s3.program("lsf", f"remote:{bucket}")
    s3.expect(s3.look("ListObjectsV2", Bucket=bucket), refused(404, "NoSuchBucket"))
    told = run.exit_code == 3 and "directory not found" in run.stderr
    s3.check(told, 'exit code 3 and "directory not found"', f"got {run.summary()}", run)
    s3.check(not lines(run), "no line printed", f"it printed {lines(run)[:5]!r}", run)
    asked = [exchange.status for what, exchange in sent(s3, run, "ListObjects", "ListObjectsV2")]
    s3.check(404 in asked, "a listing that is answered 404", f"it was answered {asked or 'nothing'}", run)


@scenario(
    "RCLONE-008",
    SHOULD,
    "HeadObject",
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, lsf; exit code measured with rclone 1.75.2",
    clients=("rclone",),
)
def missing_folder(s3: Scene) -> None:
    """`rclone lsf` of a folder that does not exist shows nothing, since the endpoint has nothing there.

    S3 promises: HEAD of a key that does not exist is 404; a listing below a prefix without keys is empty, and 200.

    Breaks: rclone calls this a success, as there are no folders in S3. So nothing but these two answers stands
    between a mistyped path and a listing of something else.

    Fix: match a prefix as a whole: "missing/" is not "missing", nor "missing.txt.bak".
    """
    stored(s3, KEPT)
    run = s3.program("lsf", remote(s3, "missing.txt"))
    s3.check(not lines(run), "no line printed", f"it printed {lines(run)[:5]!r}", run)
    nothing_found(s3, run, s3.key("missing.txt"))


@scenario(
    "RCLONE-074",
    SHOULD,
    "HeadObject",
    source="rclone documentation, cat; exit code measured with rclone 1.75.2",
    clients=("rclone",),
)
def cat_of_a_missing_object(s3: Scene) -> None:
    """`rclone cat` of a missing object prints not one byte, since the endpoint answers HEAD with 404.

    S3 promises: HEAD of a key that does not exist is 404, however alike the names of others are.

    Breaks: pipes such as `rclone cat … | mysql`. rclone ends with exit code 0; an endpoint that answers with an
    error page and 200 puts that page into the pipe.

    Fix: 404 for HEAD and GET of a missing key; 403 only for those who may not list the bucket.
    """
    stored(s3, KEPT)
    run = s3.program("cat", remote(s3, "missing.txt"))
    s3.check(not run.body, "no byte printed", f"it printed {(run.body or b'')[:60]!r}", run)
    nothing_found(s3, run, s3.key("missing.txt"))


@scenario(
    "RCLONE-075",
    SHOULD,
    "HeadObject",
    source="rclone documentation, lsjson; exit code measured with rclone 1.75.2",
    clients=("rclone",),
)
def stat_of_a_missing_object(s3: Scene) -> None:
    """`rclone lsjson --stat` of a missing object shows no object, since the endpoint answers HEAD with 404.

    S3 promises: HEAD of a key that does not exist is 404.

    Breaks: scripts that look whether a file is there. rclone makes up a folder for whatever is missing, with exit
    code 0; IsDir is all that tells them.

    Fix: 404 for HEAD of a missing key, without a body.
    """
    stored(s3, KEPT)
    run = s3.program("lsjson", "--stat", remote(s3, "missing.txt"))
    shown = document(s3, run) if run.ok else None
    is_file = isinstance(shown, dict) and shown.get("IsDir") is not True
    s3.check(not is_file, "no object, or a folder", f"it shows {shown!r}", run)
    nothing_found(s3, run, s3.key("missing.txt"))


@scenario(
    "RCLONE-076",
    SHOULD,
    "HeadObject",
    source="rclone documentation, copyto; exit code measured with rclone 1.75.2",
    clients=("rclone",),
)
def copy_of_a_missing_object(s3: Scene) -> None:
    """`rclone copyto` of a missing object makes nothing, neither a file nor another object.

    S3 promises: HEAD of a key that does not exist is 404; CopyObject is never asked for then.

    Breaks: restores. rclone ends with exit code 0 whether there was something to restore or not; an endpoint that
    answers for a key that is not there puts an empty file in place of the lost one.

    Fix: 404 for HEAD of a missing key.
    """
    stored(s3, KEPT)
    folder, key = s3.folder, s3.key("missing.txt")
    down = s3.program("copyto", remote(s3, "missing.txt"), str(folder / "restored"))
    s3.check(not found(folder), "no file", f"there are {sorted(found(folder))!r}", down)
    nothing_found(s3, down, key)
    nothing_found(s3, s3.program("copyto", remote(s3, "missing.txt"), remote(s3, "copy"), OWN_BUCKET), key)
