"""What rclone leaves behind: uploads that were broken off, and things that it says are gone."""

from __future__ import annotations

from typing import Any

from harness.expect import body, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import PART, Scene
from scenarios.mpu import begin, store
from scenarios.workflows._rclone import IN_PARTS, OWN_BUCKET, document, refusal_told, remote
from scenarios.workflows._steps import deny, files, finished, holds, refusing, sent, stored

ABORT = "AbortMultipartUpload"
FULL = {"full/": b"", "full/file.txt": b"keeps its folder"}
MARKERS = {"empty/": b"", "empty/deeper/": b""} | FULL
"""Folders as objects of no bytes whose keys end in a slash."""


def uploads(s3: Scene, **params: Any) -> list[tuple[str, str]]:
    """The key and id of each upload that is under way, by the witness."""
    listed = s3.expect(s3.look("ListMultipartUploads", **params), ok())
    return [(each.get("Key", ""), each.get("UploadId", "")) for each in listed.output.get("Uploads", [])]


def two_uploads(s3: Scene, bucket: str) -> list[tuple[str, str]]:
    """Two uploads begun, one of them with a part; key and id of each."""
    begun = [begin(s3, key, Bucket=bucket) for key in ("folder/one.bin", "two.bin")]
    store(s3, begun[0] | {"Bucket": bucket}, 1, b"a part that nobody needs")
    return [(each["Key"], each["UploadId"]) for each in begun]


@scenario(
    "RCLONE-043",
    SHOULD,
    "ListMultipartUploads",
    "AbortMultipartUpload",
    source="rclone documentation, S3 backend command cleanup; measured with rclone 1.75.2",
    clients=("rclone",),
)
def cleanup_of_uploads(s3: Scene) -> None:
    """`rclone backend cleanup -o max-age=0s` ends every upload of a bucket; exit code 0 alone is no proof of it.

    S3 promises: ListMultipartUploads names each upload with the time it was begun; AbortMultipartUpload ends it.

    Breaks: bills. Parts of uploads that were broken off are in no listing of objects, and are paid for. rclone ends
    with exit code 0 also where it found nothing, or was refused.

    Fix: list uploads with Key, UploadId and Initiated, and forget an upload with its parts when it is aborted.
    """
    bucket = s3.new_bucket()
    s3.put("folder/stays.txt", b"no upload", Bucket=bucket)
    begun = two_uploads(s3, bucket)
    run = s3.program("backend", "list-multipart-uploads", f"remote:{bucket}")
    finished(s3, run, "ListMultipartUploads", Bucket=bucket)
    shown = document(s3, run)
    listed = shown.get(bucket) if isinstance(shown, dict) else None
    named = {(each.get("Key"), each.get("UploadId")) for each in listed or []}
    s3.check(named == set(begun), f"rclone lists the uploads {begun}", f"it printed {run.stdout[:600]!r}", run)
    s3.expect(s3.program("backend", "cleanup", f"remote:{bucket}", "-o", "max-age=0s"), ok())
    left = uploads(s3, Bucket=bucket)
    s3.check(not left, "no upload is left", f"left are {left}")
    for key, upload_id in begun:
        s3.expect(s3.look("ListParts", Bucket=bucket, Key=key, UploadId=upload_id), refused(404, "NoSuchUpload"))
    s3.expect(s3.look("GetObject", Bucket=bucket, Key="folder/stays.txt"), ok())


@scenario(
    "RCLONE-105",
    SHOULD,
    "ListMultipartUploads",
    source="rclone documentation, cleanup; measured with rclone 1.75.2",
    clients=("rclone",),
)
def cleanup_spares_young_uploads(s3: Scene) -> None:
    """`rclone cleanup` ends no upload that was begun within the last day.

    S3 promises: ListMultipartUploads says truly when each upload was begun.

    Breaks: uploads under way. With a wrong or missing Initiated a nightly clean-up ends them half way.

    Fix: give Initiated as the time of CreateMultipartUpload, in UTC, as ISO 8601.
    """
    bucket = s3.new_bucket()
    begun = two_uploads(s3, bucket)
    finished(s3, s3.program("cleanup", f"remote:{bucket}"), "ListMultipartUploads", Bucket=bucket)
    left = uploads(s3, Bucket=bucket)
    s3.check(sorted(left) == sorted(begun), f"the uploads {begun} go on", f"left are {left}")


@scenario(
    "RCLONE-059",
    SHOULD,
    "AbortMultipartUpload",
    "UploadPart",
    source="rclone documentation, --max-transfer and --cutoff-mode; exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def broken_off_upload(s3: Scene) -> None:
    """`rclone copy --max-transfer 8M --cutoff-mode hard` breaks off an upload and leaves neither parts nor object.

    S3 promises: AbortMultipartUpload ends an upload; nothing of it is ever an object.

    Breaks: bills, and every bucket with a quota: parts of uploads that were broken off pile up unseen.

    Fix: delete the parts of an aborted upload, and answer 204.
    """
    source = files(s3, {"large.bin": bytes(2 * PART)})
    limits = ("--max-transfer", "8M", "--cutoff-mode", "hard", "--s3-upload-concurrency", "1")
    run = s3.program("copy", str(source), remote(s3), *IN_PARTS, *limits, OWN_BUCKET)
    s3.check(run.exit_code == 8, "exit code 8, the limit is reached", f"got {run.summary()}", run)
    if run.exchanges:
        begun = sent(s3, run, "CreateMultipartUpload")
        s3.check(len(begun) == 1, "one upload is begun", f"{len(begun)} were", run)
    left = [each for each in uploads(s3, Prefix=s3.prefix) if each[0] == s3.key("large.bin")]
    s3.check(not left, "no upload is left", f"left are {left}", run)
    holds(s3, {})


@scenario(
    "RCLONE-106",
    SHOULD,
    "DeleteObject",
    "ListObjects",
    source="rclone documentation, rmdirs and --s3-directory-markers; measured with rclone 1.75.2",
    clients=("rclone",),
)
def rmdirs_of_markers(s3: Scene) -> None:
    """`rclone rmdirs --s3-directory-markers` removes folders without files, and leaves those that hold any.

    S3 promises: a key that ends in a slash is an object like any other; it is listed, and can be deleted by itself.

    Breaks: tidying up after `rclone move`. If a listing hides what is below a marker, the wrong folders go.

    Fix: list markers as objects, and delete an object by its exact key, the slash included.
    """
    stored(s3, MARKERS)
    run = s3.program("rmdirs", remote(s3), "--leave-root", "--s3-directory-markers")
    finished(s3, run, "DeleteObject", Key=s3.key("empty/deeper/"))
    holds(s3, FULL)


@scenario(
    "RCLONE-107",
    SHOULD,
    "DeleteObject",
    source="rclone documentation, rmdirs and exit codes; measured with rclone 1.75.2",
    clients=("rclone",),
)
def rmdirs_refused(s3: Scene) -> None:
    """`rclone rmdirs` ends with exit code 1, says why, and leaves every folder, where deletes are refused.

    S3 promises: a refused DeleteObject is answered with an error and changes nothing.

    Breaks: whoever reports folders as gone that are not.

    Fix: answer 403 AccessDenied to each delete that is refused.
    """
    with refusing(s3, "DeleteObject", MARKERS) as bucket:
        run = s3.program("rmdirs", f"remote:{bucket}", "--leave-root", "--s3-directory-markers")
        refusal_told(s3, run, "DeleteObject")
        for key, content in MARKERS.items():
            s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(content))


@scenario(
    "RCLONE-108",
    EXTENDED,
    "AbortMultipartUpload",
    source="rclone documentation, S3 backend command cleanup; measured with rclone 1.75.2: exit code 0",
    clients=("rclone",),
)
def cleanup_refused(s3: Scene) -> None:
    """`rclone backend cleanup` ends with exit code 0 where ending an upload is refused, and the upload is listed still.

    S3 promises: a refused AbortMultipartUpload is answered with an error and changes nothing. rclone tells of it on
    standard error alone, so that ListMultipartUploads is all that a user can go by.

    Breaks: whoever believes the exit code of a clean-up, and pays for the parts. A store that answers 204 and keeps
    them, or one that hides the upload, leaves nobody a way to know.

    Fix: answer 403 AccessDenied to an abort that is refused, and go on listing the upload.
    """
    bucket = s3.new_bucket()
    begun = two_uploads(s3, bucket)
    deny(s3, bucket, "s3:AbortMultipartUpload")
    try:
        run = s3.program("backend", "cleanup", f"remote:{bucket}", "-o", "max-age=0s")
        left = uploads(s3, Bucket=bucket)
    finally:
        s3.look("DeleteBucketPolicy", Bucket=bucket)
    s3.check(sorted(left) == sorted(begun), f"the uploads {begun} are listed still", f"left are {left}", run)
    told = f"S3: {ABORT}," in run.stderr and ("AccessDenied" in run.stderr or "StatusCode: 403," in run.stderr)
    s3.check(told, f"standard error tells of a refused {ABORT}", f"it said {run.stderr[-300:]!r}", run)
    if run.exchanges:
        statuses = [exchange.status or 0 for _, exchange in sent(s3, run, ABORT)]
        refused_all = len(statuses) == len(begun) and all(status == 403 for status in statuses)
        s3.check(refused_all, f"{len(begun)} times {ABORT}, answered 403", f"status was {statuses}", run)
