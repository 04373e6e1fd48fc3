"""Many transfers at once: nothing is lost, swapped or cut when rclone uses all the connections it may."""

from __future__ import annotations

from harness.expect import ok
from harness.scenario import SHOULD, scenario
from harness.scene import PART, Scene
from scenarios.workflows._rclone import IN_PARTS, OWN_BUCKET, remote
from scenarios.workflows._steps import files, found, holds, sent

MANY = {f"folder-{number % 4}/{number:02d}.txt": b"%d," % number * (number + 1) for number in range(64)}
"""64 files, all of other bytes and, but for a few, of another size."""


@scenario(
    "RCLONE-057",
    SHOULD,
    "PutObject",
    "ListObjects",
    source="rclone documentation, --transfers; measured with rclone 1.75.2",
    clients=("rclone",),
)
def many_uploads_at_once(s3: Scene) -> None:
    """`rclone copy --transfers 32` stores 64 files, all of which are listed and whole right afterwards.

    S3 promises: requests do not disturb each other, and an object is listed and can be read once its upload was
    answered (strong consistency).

    Breaks: fast uploads of many files. Stores that list late, or share a buffer, lose some of them.

    Fix: answer an upload after the object and its entry in the listing are there.
    """
    run = s3.program("copy", str(files(s3, MANY)), remote(s3), "--transfers", "32", OWN_BUCKET)
    s3.expect(run, ok())
    holds(s3, MANY)


@scenario(
    "RCLONE-111",
    SHOULD,
    "GetObject",
    source="rclone documentation, --transfers; measured with rclone 1.75.2",
    clients=("rclone",),
)
def many_downloads_at_once(s3: Scene) -> None:
    """`rclone copy --transfers 32` brings 32 objects down, each under its own name and whole.

    S3 promises: requests do not disturb each other.

    Breaks: restores; a body that goes to the wrong connection is found years later.

    Fix: keep the state of a request apart from all others.
    """
    contents = {name: MANY[name] for name in list(MANY)[::2]}
    for name, content in contents.items():
        s3.put(s3.key(name), content)
    target = s3.folder
    run = s3.program("copy", remote(s3), str(target), "--transfers", "32")
    s3.expect(run, ok())
    came = found(target)
    wrong = sorted(name for name in contents if came.get(name) != contents[name])
    s3.check(came == contents, "all files whole", f"{len(came)} of {len(contents)} came, wrong are {wrong[:5]}", run)
    holds(s3, contents)


@scenario(
    "RCLONE-058",
    SHOULD,
    "UploadPart",
    "CompleteMultipartUpload",
    source="rclone documentation, --s3-upload-concurrency; Amazon S3 multipart upload; measured with rclone 1.75.2",
    clients=("rclone",),
)
def many_parts_at_once(s3: Scene) -> None:
    """`rclone copyto --s3-upload-concurrency 8` sends parts side by side, and they end up in their order.

    S3 promises: parts may come in any order and at once; the object is made of them by their numbers.

    Breaks: every large file: a store that takes parts as they come makes another file of them.

    Fix: keep each part under its number, and join them in the order of CompleteMultipartUpload.
    """
    parts = [bytes([number]) * PART for number in range(3)] + [b"the last and short one"]
    content = b"".join(parts)
    source = files(s3, {"large.bin": content}) / "large.bin"
    run = s3.program(
        "copyto", str(source), remote(s3, "large.bin"), *IN_PARTS, "--s3-upload-concurrency", "8", OWN_BUCKET
    )
    s3.expect(run, ok())
    if run.exchanges:
        count = len(sent(s3, run, "UploadPart"))
        s3.check(count == len(parts), f"{len(parts)} times UploadPart", f"{count} times", run)
    holds(s3, {"large.bin": content})
