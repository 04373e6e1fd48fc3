"""rclone's times and metadata: x-amz-meta-* headers, and CopyObject onto itself where they change later."""

from __future__ import annotations

import os
from pathlib import Path

from harness.clients.base import Observed
from harness.expect import body, ok, output
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios.meta import has_metadata
from scenarios.workflows._rclone import MTIME, OWN_BUCKET, entries, printed, refusal_told, remote
from scenarios.workflows._steps import files, finished, holds, refusing, sent, stored

TOUCHED = ("2021-02-03T04:05:06.789", "1612325106.789")
"""A time as `touch -t` takes it (UTC), and as rclone then keeps it in x-amz-meta-mtime."""
TIMES = {"now.txt": 1_600_000_000_123_456_789, "early.txt": 1, "late.txt": 4_102_444_800_000_000_001}
"""Nanoseconds since 1970 by file: all nine digits in use, the first nanosecond of 1970, and one of the year 2100."""


def modified(folder: Path) -> dict[str, int]:
    """When the files of a folder were modified, in nanoseconds since 1970, as their file system keeps it."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def touch(s3: Scene, *arguments: str) -> Observed:
    """`rclone touch -t` with the time above."""
    return s3.program("touch", "-t", TOUCHED[0], *arguments, OWN_BUCKET)


@scenario(
    "RCLONE-029",
    SHOULD,
    "CopyObject",
    source="rclone documentation, touch; requests and exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def touch_an_object(s3: Scene) -> None:
    """`rclone touch` changes the time of an object and neither its bytes, its type nor its other metadata.

    S3 promises: CopyObject of an object onto itself with the directive REPLACE exchanges the metadata only. A store
    that overwrites nothing refuses it; rclone then ends with exit code 1, and the object is as it was.

    Breaks: sync of files whose time alone has changed, which does the same instead of sending them again.

    Fix: allow a copy onto itself when metadata is replaced; take the body from the source, never from the request.
    """
    objects = {"a & b+.txt": b"some text"}
    stored(s3, objects, ContentType="text/x-s3conform", Metadata={"mtime": MTIME, "note": "kept"})
    key = s3.key("a & b+.txt")
    run = touch(s3, remote(s3, "a & b+.txt"))
    holds(s3, objects)
    head = s3.look("HeadObject", Key=key)
    refusals = [exchange.status for _, exchange in sent(s3, run, "CopyObject") if exchange.status == 403]
    if not run.ok and refusals:
        refusal_told(s3, run, "CopyObject")
        s3.expect(head, ok(), has_metadata({"mtime": MTIME, "note": "kept"}))
        return
    if not run.ok:
        probe = {"CopySource": f"{s3.bucket}/{s3.prefix}a%20%26%20b%2B.txt", "MetadataDirective": "REPLACE"}
        s3.expect(s3.look("CopyObject", Key=key, Metadata={"mtime": TOUCHED[1]}, **probe), ok())
    finished(s3, run)
    s3.expect(
        head, ok(), has_metadata({"mtime": TOUCHED[1], "note": "kept"}), output("ContentType", "text/x-s3conform")
    )


@scenario(
    "RCLONE-082",
    EXTENDED,
    "CopyObject",
    source="rclone documentation, touch; exit code and text measured with rclone 1.75.2",
    clients=("rclone",),
)
def touch_where_overwriting_is_refused(s3: Scene) -> None:
    """`rclone touch` of an object that may not be overwritten ends with exit code 1, and its time is as it was.

    S3 promises: whoever may not write a key may not copy onto it either, and gets 403 AccessDenied.

    Breaks: sync with an archive: new times are told by nothing but this exit code. A store that accepts the copy has
    overwritten what it promised to keep.

    Fix: ask for the same permission for CopyObject as for PutObject on the target.
    """
    with refusing(s3, "PutObject", {"a.txt": b"to be kept"}) as bucket:
        before = s3.expect(s3.look("HeadObject", Bucket=bucket, Key="a.txt"), ok())
        run = touch(s3, f"remote:{bucket}/a.txt")
        refusal_told(s3, run, "CopyObject")
        s3.expect(s3.look("GetObject", Bucket=bucket, Key="a.txt"), ok(), body(b"to be kept"))
        after = s3.expect(s3.look("HeadObject", Bucket=bucket, Key="a.txt"), ok())
        same = all(before.output.get(name) == after.output.get(name) for name in ("LastModified", "ETag", "Metadata"))
        s3.check(same, "time, ETag and metadata as before", f"HEAD shows {after.output!r}", after)


@scenario(
    "RCLONE-083",
    SHOULD,
    "PutObject",
    source="rclone documentation, touch; measured with rclone 1.75.2",
    clients=("rclone",),
)
def touch_what_is_missing(s3: Scene) -> None:
    """`rclone touch` makes an empty object where there is none, with the time that was asked for; with -C it does not.

    S3 promises: PutObject with Content-Length: 0 stores an object of no bytes.

    Breaks: lock files and marks of success, which are empty objects.

    Fix: an empty body is a body; answer HEAD of such an object with 200 and Content-Length: 0.
    """
    run = touch(s3, "-C", remote(s3, "not made"))
    finished(s3, run)
    finished(s3, touch(s3, remote(s3, "made")))
    s3.expect(s3.look("HeadObject", Key=s3.key("made")), ok(), has_metadata({"mtime": TOUCHED[1]}))
    holds(s3, {"made": b""})


@scenario(
    "RCLONE-030",
    SHOULD,
    "PutObject",
    "HeadObject",
    "GetObject",
    source="rclone documentation, modification times of the S3 backend; measured with rclone 1.75.2",
    clients=("rclone",),
)
def times_to_the_nanosecond(s3: Scene) -> None:
    """`rclone copy` up and down again keeps the time of each file, to the nanosecond.

    S3 promises: user metadata comes back as it was sent.

    Breaks: every sync after one whose times were cut or lost: all files look changed, and are sent again.

    Fix: treat the values of x-amz-meta-* as text; never parse, round or reformat them. Send them with GET and HEAD.
    """
    up = s3.folder
    for name, time in TIMES.items():
        (up / name).write_text(name)
        os.utime(up / name, ns=(time, time))
    times = modified(up)
    finished(s3, s3.program("copy", str(up), remote(s3), OWN_BUCKET))
    for name, time in times.items():
        head = s3.look("HeadObject", Key=s3.key(name))
        s3.expect(head, ok())
        kept = _nanoseconds(head.output.get("Metadata", {}).get("mtime", ""))
        s3.check(kept == time, f"x-amz-meta-mtime of {time} ns", f"it is {head.output.get('Metadata')!r}", head)
    shown = s3.program("lsf", "--format", "tp", "--time-format", "unixnano", remote(s3))
    printed(s3, shown, *(f"{time};{name}" for name, time in times.items()))
    down = s3.folder
    run = s3.program("copy", remote(s3), str(down))
    finished(s3, run)
    s3.check(modified(down) == times, f"times {times!r}", f"they are {modified(down)!r}", run)


def _nanoseconds(text: str) -> int | None:
    """The nanoseconds of a time as rclone writes it: seconds since 1970, and up to nine digits behind a point."""
    seconds, _, rest = text.partition(".")
    return int(seconds + f"{rest:0<9}") if (seconds + rest).isdecimal() and len(rest) <= 9 else None


@scenario(
    "RCLONE-031",
    SHOULD,
    "PutObject",
    "HeadObject",
    source="rclone documentation, metadata of the S3 backend; measured with rclone 1.75.2",
    clients=("rclone",),
)
def metadata_of_a_copy(s3: Scene) -> None:
    """`rclone copy -M --metadata-set k=v` stores metadata and headers of one's own, and `lsjson -M` shows them.

    S3 promises: x-amz-meta-* headers and Content-Type, Cache-Control, Content-Disposition and Content-Language are
    stored with an object and sent with it.

    Breaks: web pages that are published with rclone, and backups that keep owners and modes of files.

    Fix: store these headers with the object, in PutObject and CreateMultipartUpload alike.
    """
    wanted = {
        "content-type": "text/x-s3conform",
        "cache-control": "max-age=60",
        "content-disposition": 'attachment; filename="a.txt"',
        "content-language": "eo",
        "s3conform": "some value: x=1",
    }
    flags = [word for name, value in wanted.items() for word in ("--metadata-set", f"{name}={value}")]
    source = str(files(s3, {"a.txt": b"some text"}))
    finished(s3, s3.program("copy", "-M", *flags, source, remote(s3), OWN_BUCKET))
    members = ("ContentType", "CacheControl", "ContentDisposition", "ContentLanguage")
    stored_headers = [output(member, value) for member, value in zip(members, wanted.values(), strict=False)]
    head = s3.look("HeadObject", Key=s3.key("a.txt"))
    s3.expect(head, ok(), *stored_headers, has_metadata({"s3conform": wanted["s3conform"], "mtime": MTIME}))
    run = s3.program("lsjson", "-M", remote(s3))
    shown = entries(s3, run).get("a.txt", {}).get("Metadata") or {}
    lost = {name: shown.get(name) for name, value in wanted.items() if shown.get(name) != value}
    s3.check(not lost, f"metadata with {wanted!r}", f"there is {lost!r} instead", run)
    holds(s3, {"a.txt": b"some text"})
