"""Whole commands that delete: what they report is what happened, also on a store that refuses."""

from __future__ import annotations

from harness.expect import body, ok
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._refusals import CHANGED, changed, judge, stored


@scenario(
    "RCLONE-018",
    SHOULD,
    "DeleteObject",
    "ListObjectsV2",
    source="rclone documentation, sync; exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def sync_deletes(s3: Scene) -> None:
    """`rclone sync` removes what the source lacks, or ends with exit code 1 and leaves all of it whole.

    S3 promises: a listing names every object, and deletes are answered truthfully; sync is built on the two.

    Breaks: mirrors. A delete that is refused but reported as done leaves files that nobody knows of; one that is
    done but reported as refused makes rclone keep its local side for nothing.

    Fix: refuse with 403 AccessDenied and a reason; list what is there.
    """
    objects = stored(s3)
    source = changed(s3.folder)
    run = s3.program("sync", source, f"remote:{s3.bucket}/{s3.prefix}", "--ignore-times", "--s3-no-check-bucket")
    stays = s3.key("one.txt")
    s3.expect(s3.look("GetObject", Key=stays), ok(), body(CHANGED))
    judge(s3, run, {key: content for key, content in objects.items() if key != stays})


@scenario(
    "RCLONE-021",
    SHOULD,
    "DeleteObject",
    source="rclone documentation, delete; exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def delete_of_a_folder(s3: Scene) -> None:
    """`rclone delete` empties a folder, or ends with exit code 1, says why, and leaves every object whole.

    S3 promises: each DeleteObject is answered for itself; rclone sends one for every key and never DeleteObjects.

    Breaks: scheduled expiry with `rclone delete --min-age`; what it reports is all that an operator sees.

    Fix: a store that keeps its objects answers each delete with 403 AccessDenied and a sentence that says so.
    """
    objects = stored(s3)
    judge(s3, s3.program("delete", f"remote:{s3.bucket}/{s3.prefix}"), objects)


@scenario(
    "RCLONE-022",
    SHOULD,
    "DeleteObject",
    source="rclone documentation, purge; exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def purge_of_a_folder(s3: Scene) -> None:
    """`rclone purge` removes a folder with all below it, or ends with exit code 1 and leaves every object whole.

    S3 promises: nothing more than for single deletes; but purge goes on after the first refusal.

    Breaks: clean-up scripts; a purge that stops half way without saying so leaves a folder that looks gone.

    Fix: answer every delete of a kept object alike.
    """
    objects = stored(s3)
    judge(s3, s3.program("purge", f"remote:{s3.bucket}/{s3.prefix}"), objects)


@scenario(
    "AWSCLI-020",
    SHOULD,
    "DeleteObject",
    "ListObjectsV2",
    source="AWS CLI reference, s3 sync; exit codes measured with aws 1.46.2 and 2.36.7",
    clients=("awscli",),
)
def sync_delete(s3: Scene) -> None:
    """`aws s3 sync --delete` removes what the source lacks, or ends with exit code 1 and leaves all of it whole.

    S3 promises: a listing in byte order names every object; sync walks it beside the local tree.

    Breaks: static sites and backups kept by sync; with a listing in another order it deletes what it should keep.

    Fix: list in UTF-8 byte order; refuse deletes with 403 AccessDenied and a reason.
    """
    objects = stored(s3)
    source = changed(s3.folder)
    run = s3.program("s3", "sync", source, f"s3://{s3.bucket}/{s3.prefix}", "--delete", "--size-only")
    stays = s3.key("one.txt")
    s3.expect(s3.look("GetObject", Key=stays), ok(), body(CHANGED))
    judge(s3, run, {key: content for key, content in objects.items() if key != stays})


@scenario(
    "AWSCLI-027",
    SHOULD,
    "DeleteObject",
    "ListObjectsV2",
    source="AWS CLI reference, s3 rm; exit codes measured with aws 1.46.2 and 2.36.7",
    clients=("awscli",),
)
def rm_recursive(s3: Scene) -> None:
    """`aws s3 rm --recursive` removes every object below a prefix, or ends with exit code 1 and leaves all whole.

    S3 promises: each DeleteObject is answered for itself; the AWS CLI sends one for every key.

    Breaks: whoever empties a bucket before removing it: `aws s3 rb --force` does the same and gives up on exit code 1.

    Fix: 204 only for what is gone, 403 AccessDenied with a reason for what stays.
    """
    objects = stored(s3)
    judge(s3, s3.program("s3", "rm", f"s3://{s3.bucket}/{s3.prefix}", "--recursive"), objects)
