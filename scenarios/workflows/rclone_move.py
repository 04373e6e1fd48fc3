"""rclone commands that copy and move on the server: the bytes never come by, so that only the endpoint has them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from harness.clients.base import Observed
from harness.expect import body, ok, output
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.meta import has_metadata
from scenarios.workflows._rclone import MTIME, OWN_BUCKET, refusal_told, remote
from scenarios.workflows._refusals import judge
from scenarios.workflows._steps import LARGE, finished, holds, refusing, sent, stored

TREE = {"a & b+c.txt": b"first", "sub/ü %41.txt": b"second, longer"}
"""Names that need care in x-amz-copy-source, which is percent-encoded once more than a header usually is."""
TYPE = "text/x-s3conform"


def copies(s3: Scene, run: Observed, source: str, target: str) -> None:
    """A command copied with CopyObject.

    Where it sent one that was refused, the witness tries the same; the refusal then is the finding.
    """
    asked = [exchange.status for _, exchange in sent(s3, run, "CopyObject")]
    if not any(status == 200 for status in asked):
        params = {"Key": s3.key(target), "CopySource": quote(f"{s3.bucket}/{s3.key(source)}")}
        s3.expect(s3.look("CopyObject", **params), ok())
    s3.check(bool(asked), "a CopyObject", f"it sent none and said {run.stderr[-200:]!r}", run)


def moved(s3: Scene, run: Observed, names: Mapping[str, str], objects: Mapping[str, bytes]) -> None:
    """Objects went to their new names; the old ones are gone, or kept by a store that says so."""
    old, new = next(iter(names.items()))
    copies(s3, run, old, new)
    for name, target in names.items():
        s3.expect(s3.look("GetObject", Key=s3.key(target)), ok(), body(objects[name]), has_metadata({"mtime": MTIME}))
    judge(s3, run, {s3.key(name): objects[name] for name in names})
    stays = dict(objects) if run.exit_code else {}
    holds(s3, stays | {target: objects[name] for name, target in names.items()})


@scenario(
    "RCLONE-025",
    SHOULD,
    "CopyObject",
    "DeleteObject",
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, move; requests and exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def move_of_a_folder(s3: Scene) -> None:
    """`rclone move` puts a folder elsewhere on the server; the old objects go, or a refusal is told and they stay.

    S3 promises: CopyObject copies bytes and metadata; DeleteObject then removes the source, and nothing else.

    Breaks: archiving by moving. An endpoint that copies nothing and answers 200 loses the files with the delete.

    Fix: decode x-amz-copy-source once, blanks, plus signs and percent signs included; copy before answering 200.
    """
    objects = {f"old/{name}": content for name, content in TREE.items()}
    stored(s3, objects, Metadata={"mtime": MTIME})
    run = s3.program("move", remote(s3, "old"), remote(s3, "new"), OWN_BUCKET)
    moved(s3, run, {name: name.replace("old/", "new/") for name in objects}, objects)


@scenario(
    "RCLONE-081",
    SHOULD,
    "CopyObject",
    "DeleteObject",
    source="rclone documentation, moveto; requests and exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def moveto_another_name(s3: Scene) -> None:
    """`rclone moveto` gives one object another name; the old one goes, or a refusal is told and it stays.

    S3 promises: CopyObject and DeleteObject, one after the other; there is no rename.

    Breaks: rotation of logs and dumps by renaming.

    Fix: copy within a bucket also to a key that begins like the source, or that the source begins like.
    """
    objects = {"dump.sql": b"of today"}
    stored(s3, objects, Metadata={"mtime": MTIME})
    run = s3.program("moveto", remote(s3, "dump.sql"), remote(s3, "dump.sql.1"), OWN_BUCKET)
    moved(s3, run, {"dump.sql": "dump.sql.1"}, objects)


@scenario(
    "RCLONE-026",
    EXTENDED,
    "CopyObject",
    "DeleteObject",
    source="rclone documentation, move; exit code and text measured with rclone 1.75.2",
    clients=("rclone",),
)
def move_where_deletes_are_refused(s3: Scene) -> None:
    """`rclone moveto` in a store that refuses deletes ends with exit code 1, and both objects are there.

    S3 promises: what a policy denies is 403 AccessDenied, and not done.

    Breaks: nobody, if it is told: the copy landed and the source stayed. A delete that is refused and answered 204
    leaves two copies, of which one is thought to be gone.

    Fix: refuse the delete with 403 AccessDenied and a reason.
    """
    with refusing(s3, "DeleteObject", {"a.txt": b"to be moved"}) as bucket:
        run = s3.program("moveto", f"remote:{bucket}/a.txt", f"remote:{bucket}/b.txt", OWN_BUCKET)
        if not any(exchange.status == 200 for _, exchange in sent(s3, run, "CopyObject")):
            s3.expect(s3.look("CopyObject", Bucket=bucket, Key="b.txt", CopySource=f"{bucket}/a.txt"), ok())
        refusal_told(s3, run, "DeleteObject")
        for key in ("a.txt", "b.txt"):
            s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(b"to be moved"))


@scenario(
    "RCLONE-027",
    MUST,
    "CopyObject",
    source="rclone documentation, copyto; requests measured with rclone 1.75.2",
    clients=("rclone",),
)
def copyto_on_the_server(s3: Scene) -> None:
    """`rclone copyto` from one key to another copies bytes, time, type and metadata without fetching the object.

    S3 promises: CopyObject with the directive COPY takes over the metadata of the source.

    Breaks: copies between folders of one bucket. A copy that lost its x-amz-meta-mtime is copied again by each sync.

    Fix: copy user metadata and the headers Content-Type, Cache-Control and the like with the bytes.
    """
    kept = {"mtime": MTIME, "note": "kept"}
    objects = {"from & to+.txt": b"some text"}
    stored(s3, objects, ContentType=TYPE, Metadata=kept)
    run = s3.program("copyto", remote(s3, "from & to+.txt"), remote(s3, "copy.txt"), OWN_BUCKET)
    copies(s3, run, "from & to+.txt", "copy.txt")
    finished(s3, run)
    fetched = sent(s3, run, "GetObject", "PutObject")
    s3.check(not fetched, "neither GetObject nor PutObject", f"it sent {[what for what, _ in fetched]!r}", run)
    s3.expect(s3.look("HeadObject", Key=s3.key("copy.txt")), ok(), output("ContentType", TYPE), has_metadata(kept))
    holds(s3, objects | {"copy.txt": b"some text"})


@scenario(
    "RCLONE-028",
    SHOULD,
    "UploadPartCopy",
    "CreateMultipartUpload",
    "CompleteMultipartUpload",
    source="rclone documentation, --s3-copy-cutoff; measured with rclone 1.75.2; rclone/rclone#8139",
    clients=("rclone",),
)
def copy_in_parts_on_the_server(s3: Scene) -> None:
    """`rclone copyto --s3-copy-cutoff 5M` copies a large object part by part on the server.

    S3 promises: UploadPartCopy copies the range that was asked for, and answers with a CopyPartResult.

    Breaks: copies of all objects over 5 GB, which can be copied in no other way. rclone 1.75.2 crashes where the
    answer is 200 without a CopyPartResult, since it reads the ETag from it.

    Fix: tell UploadPartCopy from UploadPart by its x-amz-copy-source header; refuse it with 501 NotImplemented if it
    is not offered, and tell users of rclone to set a copy_cutoff that is never reached.
    """
    stored(s3, {"large.bin": LARGE}, Metadata={"mtime": MTIME})
    run = s3.program("copyto", remote(s3, "large.bin"), remote(s3, "copy.bin"), "--s3-copy-cutoff", "5M", OWN_BUCKET)
    parts = [exchange for _, exchange in sent(s3, run, "UploadPartCopy")]
    empty = [part.status for part in parts if part.status == 200 and "<ETag>" not in part.response_body.text]
    s3.check(not empty, "UploadPartCopy is answered with a CopyPartResult", f"answers without: {empty!r}", run)
    if not run.ok:
        _try_part(s3)
    finished(s3, run)
    s3.check(len(parts) == 2, "two parts copied", f"it sent {len(parts)} UploadPartCopy", run)
    s3.expect(s3.look("HeadObject", Key=s3.key("copy.bin")), ok(), has_metadata({"mtime": MTIME}))
    holds(s3, {"large.bin": LARGE, "copy.bin": LARGE})


def _try_part(s3: Scene) -> None:
    """One UploadPartCopy by the witness, whose refusal is a finding of its own."""
    key, source = s3.key("copy.bin"), f"{s3.bucket}/{s3.key('large.bin')}"
    begun = s3.expect(s3.look("CreateMultipartUpload", Key=key), ok())
    upload = begun.output.get("UploadId", "")
    s3.expect(s3.look("UploadPartCopy", Key=key, UploadId=upload, PartNumber=1, CopySource=source), ok())
