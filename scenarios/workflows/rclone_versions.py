"""rclone on buckets with versions: what was overwritten or deleted can be found, read and cleaned up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from harness.expect import body, ok, output, output_where, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from harness.signals import Mismatch
from scenarios.workflows._rclone import printed
from scenarios.workflows._steps import finished

KEY = "folder/file.txt"
OLD, NEW = b"the first content", b"the second"
APART = 1.1
"""Seconds between two versions whose times must differ: LastModified may have whole seconds."""


@contextmanager
def versioned(s3: Scene) -> Iterator[str]:
    """A new bucket with versioning enabled by rclone, and without versions again after the block; its name."""
    bucket = s3.new_bucket()
    try:
        run = s3.program("backend", "versioning", f"remote:{bucket}", "Enabled")
        setting = {"Bucket": bucket, "VersioningConfiguration": {"Status": "Enabled"}}
        finished(s3, run, "PutBucketVersioning", **setting)
        told = s3.look("GetBucketVersioning", Bucket=bucket)
        s3.expect(told, ok(), output("Status", "Enabled"))
        yield bucket
    finally:
        found = s3.look("ListObjectVersions", Bucket=bucket).output
        for each in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
            s3.look("DeleteObject", Bucket=bucket, Key=each.get("Key", ""), VersionId=each.get("VersionId", ""))


def kept(s3: Scene, bucket: str, member: Literal["Versions", "DeleteMarkers"] = "Versions") -> list[dict[str, Any]]:
    """All versions, or delete markers, in the order that the witness is shown."""
    listed = s3.expect(s3.look("ListObjectVersions", Bucket=bucket), ok())
    return list(listed.output.get(member, []))


def time_of(entry: dict[str, Any]) -> dt.datetime:
    """LastModified of a version."""
    try:
        return dt.datetime.fromisoformat(str(entry.get("LastModified", "")))
    except ValueError:
        raise Mismatch("a version with LastModified as ISO 8601", f"it was {entry!r}") from None


def old_name(version: dict[str, Any]) -> str:
    """The name that rclone gives to a version of `KEY` that is not the present one: with its time, to milliseconds."""
    moment = time_of(version)
    return f"file-v{moment:%Y-%m-%d-%H%M%S}-{moment.microsecond // 1000:03}.txt"


@scenario(
    "RCLONE-041",
    EXTENDED,
    "PutBucketVersioning",
    "ListObjectVersions",
    source="rclone documentation, S3 'Versions' and backend command versioning; measured with rclone 1.75.2",
    clients=("rclone",),
)
def lists_versions(s3: Scene) -> None:
    """`rclone backend versioning Enabled` keeps what is overwritten; `--s3-versions` lists and reads it.

    S3 promises: once versioning is enabled, an upload to a key keeps what was there, under its own version id.

    Breaks: the way back from a mistake, or from ransomware.

    Fix: give every version its own id and LastModified, list them with ListObjectVersions, read them by versionId.
    """
    with versioned(s3) as bucket:
        for content in (OLD, NEW):
            s3.put(KEY, content, Bucket=bucket)
        first = [each for each in kept(s3, bucket) if each.get("IsLatest") is False]
        s3.check(len(first) == 1, "one version that is not the latest", f"there are {len(first)}")
        name = old_name(first[0])
        printed(s3, s3.program("lsf", f"remote:{bucket}/folder", "--s3-versions"), "file.txt", name)
        for shown, content in (("file.txt", NEW), (name, OLD)):
            read = s3.program("cat", f"remote:{bucket}/folder/{shown}", "--s3-versions")
            s3.expect(read, ok(), body(content))
        s3.expect(s3.look("GetObject", Bucket=bucket, Key=KEY, VersionId=first[0].get("VersionId")), ok(), body(OLD))


@scenario(
    "RCLONE-042",
    EXTENDED,
    "ListObjectVersions",
    "GetObject",
    source="rclone documentation, --s3-version-at; measured with rclone 1.75.2",
    clients=("rclone",),
)
def version_at_a_time(s3: Scene) -> None:
    """`rclone lsf` and `cat` with `--s3-version-at` show what was stored at that time, also what is deleted since.

    S3 promises: LastModified of a version is when it was stored, and a delete hides versions without removing them.

    Breaks: restores of "the state of yesterday evening".

    Fix: keep LastModified of every version, and list versions behind a delete marker.
    """
    with versioned(s3) as bucket:
        s3.put(KEY, OLD, Bucket=bucket)
        s3.wait(APART)
        s3.put(KEY, NEW, Bucket=bucket)
        s3.put("folder/later.txt", NEW, Bucket=bucket)
        s3.setup("DeleteObject", Bucket=bucket, Key=KEY)
        listed = s3.expect(
            s3.look("ListObjectVersions", Bucket=bucket), ok(), output_where("Versions", "not empty", bool)
        )
        then = min(time_of(each) for each in listed.output["Versions"])
        flags = ("--s3-version-at", then.isoformat().replace("+00:00", "Z"))
        printed(s3, s3.program("lsf", f"remote:{bucket}/folder"), "later.txt")
        printed(s3, s3.program("lsf", f"remote:{bucket}/folder", *flags), "file.txt")
        s3.expect(s3.program("cat", f"remote:{bucket}/{KEY}", *flags), ok(), body(OLD))
        s3.expect(s3.look("GetObject", Bucket=bucket, Key=KEY), refused(404, "NoSuchKey"))


@scenario(
    "RCLONE-112",
    EXTENDED,
    "ListObjectVersions",
    "DeleteObject",
    source="rclone documentation, --s3-version-deleted; measured with rclone 1.75.2",
    clients=("rclone",),
)
def deleted_versions(s3: Scene) -> None:
    """`rclone lsf --s3-versions --s3-version-deleted` shows a deleted object's version and its delete marker.

    S3 promises: a delete in a bucket with versions leaves a delete marker, with a time and an id of its own.

    Breaks: finding out when something was deleted, and getting it back.

    Fix: list DeleteMarker beside Version in ListObjectVersions.
    """
    with versioned(s3) as bucket:
        s3.put(KEY, OLD, Bucket=bucket)
        s3.wait(APART)
        s3.expect(s3.program("deletefile", f"remote:{bucket}/{KEY}"), ok())
        both = [*kept(s3, bucket), *kept(s3, bucket, "DeleteMarkers")]
        s3.check(len(both) == 2, "one version and one delete marker", f"there are {len(both)}")
        version, marker = (old_name(each) for each in both)
        flags = ("--s3-versions", "--s3-version-deleted")
        printed(s3, s3.program("lsf", f"remote:{bucket}/folder", "--s3-versions"), version)
        printed(s3, s3.program("lsf", f"remote:{bucket}/folder", *flags), version, marker)
        s3.expect(s3.program("cat", f"remote:{bucket}/folder/{version}", "--s3-versions"), ok(), body(OLD))


@scenario(
    "RCLONE-113",
    EXTENDED,
    "ListObjectVersions",
    "DeleteObject",
    source="rclone documentation, S3 backend command cleanup-hidden; measured with rclone 1.75.2",
    clients=("rclone",),
)
def cleanup_of_versions(s3: Scene) -> None:
    """`rclone backend cleanup-hidden` removes old versions and what is deleted, and leaves what is present.

    S3 promises: DeleteObject with a version id removes that version alone, for good.

    Breaks: bills for old versions. A gateway that ignores the id hides the present object instead.

    Fix: honour versionId in DeleteObject, for versions and delete markers.
    """
    with versioned(s3) as bucket:
        for key, content in ((KEY, OLD), (KEY, NEW), ("deleted.txt", OLD)):
            s3.put(key, content, Bucket=bucket)
        s3.setup("DeleteObject", Bucket=bucket, Key="deleted.txt")
        s3.expect(s3.program("backend", "cleanup-hidden", f"remote:{bucket}"), ok())
        left = [str(each.get("Key")) for each in [*kept(s3, bucket), *kept(s3, bucket, "DeleteMarkers")]]
        s3.check(left == [KEY], "one version of one key, and no delete marker", f"there are {left}")
        s3.expect(s3.look("GetObject", Bucket=bucket, Key=KEY), ok(), body(NEW))
