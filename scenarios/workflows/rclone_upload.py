"""rclone commands that store and fetch: what arrives is what was sent, once."""

from __future__ import annotations

import base64
import hashlib

from harness.clients.base import Observed
from harness.expect import body, etag, ok, output
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import PART, Scene
from scenarios.meta import has_metadata
from scenarios.mpu import composite
from scenarios.workflows._rclone import IN_PARTS, MTIME, OWN_BUCKET, changed_nothing, refusal_told, remote
from scenarios.workflows._steps import LARGE, files, finished, found, holds, sent, stored

TREE = {"a.txt": b"first", "sub/b & c+d.txt": b"second", "sub/deep/ü.bin": bytes(range(256)), "empty": b""}
"""Names and bodies of a small tree, with what URLs and signatures treat specially."""
EVERY_BYTE = bytes(range(256)) * 8


def in_parts(s3: Scene, run: Observed, key: str) -> None:
    """A command stored `LARGE` in two parts, and finished the upload.

    Where it failed, the witness tries to begin an upload; what that leaves is removed with the cell.
    """
    finished(s3, run, "CreateMultipartUpload", Key=key)
    wanted = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject")
    steps = sorted(what.operation for what, _ in sent(s3, run, *wanted))
    expected = ["CompleteMultipartUpload", "CreateMultipartUpload", "UploadPart", "UploadPart"]
    s3.check(steps == expected, "one upload in two parts", f"it sent {', '.join(steps) or 'nothing'}", run)


def copied_into(s3: Scene, bucket: str, *flags: str) -> None:
    """A file copied into a bucket that is there, and that rclone asks for all the same."""
    source = str(files(s3, {"a.txt": b"some text"}) / "a.txt")
    run = s3.program("copyto", source, f"remote:{bucket}/a.txt", "--s3-no-check-bucket=false", *flags)
    if not run.ok:
        told = s3.look("CreateBucket", Bucket=bucket)
        s3.check(told.ok or told.code == "BucketAlreadyOwnedByYou", "BucketAlreadyOwnedByYou", told.summary(), told)
    finished(s3, run)
    s3.check(bool(sent(s3, run, "CreateBucket")), "a CreateBucket before the upload", "it sent none", run)
    s3.expect(s3.look("GetObject", Bucket=bucket, Key="a.txt"), ok(), body(b"some text"))


@scenario(
    "RCLONE-012",
    MUST,
    "PutObject",
    "HeadObject",
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, copy; measured with rclone 1.75.2",
    clients=("rclone",),
)
def copy_of_a_folder(s3: Scene) -> None:
    """`rclone copy FOLDER remote:…` stores every file below a folder, and nothing else.

    S3 promises: PutObject stores exactly the bytes sent, under exactly the key; HEAD right after shows the object.

    Breaks: every backup with rclone.

    Fix: store the body under the decoded path of the request; accept UNSIGNED-PAYLOAD with Content-MD5, x-id in the
    query and x-amz-meta-mtime; answer HEAD of the folder itself with 404.
    """
    run = s3.program("copy", str(files(s3, TREE)), remote(s3, "x"), OWN_BUCKET)
    finished(s3, run)
    holds(s3, {f"x/{name}": content for name, content in TREE.items()})


@scenario(
    "RCLONE-013",
    SHOULD,
    "HeadObject",
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, --error-on-no-transfer; exit code and requests measured with rclone 1.75.2",
    clients=("rclone",),
)
def copy_again(s3: Scene) -> None:
    """A second `rclone copy --error-on-no-transfer` of the same folder ends with exit code 9 and writes nothing.

    S3 promises: sizes in a listing, and the metadata of HEAD, are those of the upload.

    Breaks: nightly backups, which send everything again every night when a size or x-amz-meta-mtime differs.

    Fix: keep user metadata as it came, to the last digit; list the sizes of what was stored, each key once.
    """
    command = ("copy", str(files(s3, TREE)), remote(s3, "x"), OWN_BUCKET)
    finished(s3, s3.program(*command))
    again = s3.program(*command, "--error-on-no-transfer")
    s3.check(again.exit_code == 9, "exit code 9, no files transferred", f"got {again.summary()}", again)
    changed_nothing(s3, again)
    holds(s3, {f"x/{name}": content for name, content in TREE.items()})


@scenario(
    "RCLONE-078",
    MUST,
    "GetObject",
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, copy; measured with rclone 1.75.2",
    clients=("rclone",),
)
def copy_to_a_folder(s3: Scene) -> None:
    """`rclone copy remote:… FOLDER` fetches every object below a folder, with its bytes.

    S3 promises: GetObject gives exactly the bytes that were stored.

    Breaks: every restore with rclone.

    Fix: send the stored bytes with their Content-Length; leave out any coding that the object was not stored with.
    """
    stored(s3, TREE)
    folder = s3.folder
    run = s3.program("copy", remote(s3), str(folder))
    finished(s3, run)
    got = found(folder)
    s3.check(sorted(got) == sorted(TREE), f"files {sorted(TREE)!r}", f"there are {sorted(got)!r}", run)
    wrong = [name for name, content in TREE.items() if got[name] != content]
    s3.check(not wrong, "the bytes that were stored", f"others in {wrong!r}", run)


@scenario(
    "RCLONE-014",
    MUST,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "HeadObject",
    source="rclone documentation, multipart uploads; measured with rclone 1.75.2",
    clients=("rclone",),
)
def copy_in_parts(s3: Scene) -> None:
    """`rclone copy` of a large file stores it in parts, with its time and its MD5 in the metadata.

    S3 promises: an upload in parts is the parts joined in order, with the metadata of CreateMultipartUpload.

    Breaks: every file over 200 MiB. Without x-amz-meta-md5chksum rclone has no hash of it, and check can tell no
    difference between two of a size.

    Fix: take parts in any order and at the same time; keep the metadata of the beginning for the whole object.
    """
    key, digest = s3.key("big/large.bin"), base64.b64encode(hashlib.md5(LARGE).digest()).decode()
    run = s3.program("copy", str(files(s3, {"large.bin": LARGE})), remote(s3, "big"), *IN_PARTS, OWN_BUCKET)
    in_parts(s3, run, key)
    head = s3.look("HeadObject", Key=key)
    s3.expect(head, ok(), output("ContentLength", len(LARGE)), has_metadata({"mtime": MTIME, "md5chksum": digest}))
    holds(s3, {"big/large.bin": LARGE})


@scenario(
    "RCLONE-015",
    SHOULD,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    "HeadObject",
    source="rclone documentation, --s3-use-multipart-etag; measured with rclone 1.75.2",
    clients=("rclone",),
)
def etag_of_parts(s3: Scene) -> None:
    """`rclone copy --s3-use-multipart-etag=true` of a large file finds the ETag that it computed from the parts.

    S3 promises: the ETag is the MD5 of the parts' MD5 digests, with a dash and the number of parts.

    Breaks: rclone with a provider whose ETags it trusts ends with "corrupted on transfer: Etag differ" and exit
    code 1, although all bytes arrived.

    Fix: make the ETag as Amazon S3 does; otherwise tell users of rclone to set use_multipart_etag = false.
    """
    key = s3.key("large.bin")
    source = str(files(s3, {"large.bin": LARGE}))
    run = s3.program("copy", source, remote(s3), "--s3-use-multipart-etag=true", *IN_PARTS, OWN_BUCKET)
    in_parts(s3, run, key)
    s3.expect(s3.look("HeadObject", Key=key), ok(), etag(composite(LARGE[:PART], LARGE[PART:])))
    holds(s3, {"large.bin": LARGE})


@scenario(
    "RCLONE-016",
    MUST,
    "PutObject",
    "HeadObject",
    source="rclone documentation, copyto; measured with rclone 1.75.2",
    clients=("rclone",),
)
def copyto_a_name(s3: Scene) -> None:
    """`rclone copyto FILE remote:…/NAME` stores one file under another name.

    S3 promises: PutObject stores the body under the key, whatever the file was called.

    Breaks: scripts that keep one file, and all that rclone copies to a name that it chose.

    Fix: as for `rclone copy`; HEAD of the key is 404 before and 200 right after.
    """
    folder = files(s3, {"local.txt": b"some text"})
    finished(s3, s3.program("copyto", str(folder / "local.txt"), remote(s3, "stored.txt"), OWN_BUCKET))
    holds(s3, {"stored.txt": b"some text"})


@scenario(
    "RCLONE-079",
    SHOULD,
    "PutObject",
    source="rclone documentation, copyto; exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def copyto_over_an_object(s3: Scene) -> None:
    """`rclone copyto` over an object replaces it, or ends with exit code 1, says why, and leaves it as it was.

    S3 promises: PutObject replaces an object as a whole, or not at all.

    Breaks: every copy of a file that changed. A store that keeps the old one and says nothing holds a backup of
    another day than its owner believes.

    Fix: replace body, metadata and ETag together; a store that keeps what it has refuses with 403 and a reason.
    """
    before, after = b"the first, which is longer", b"the second"
    stored(s3, {"stored.txt": before}, Metadata={"mtime": MTIME})
    folder = files(s3, {"local.txt": after})
    run = s3.program("copyto", str(folder / "local.txt"), remote(s3, "stored.txt"), OWN_BUCKET)
    if not run.ok:
        refusal_told(s3, run, "PutObject")
        answers = [exchange.status for _, exchange in sent(s3, run, "PutObject")]
        s3.check(answers == [403], "success, or status 403", f"it was answered {answers!r}", run)
    holds(s3, {"stored.txt": after if run.ok else before})


@scenario(
    "RCLONE-077",
    SHOULD,
    "CreateBucket",
    "PutObject",
    source="rclone documentation, --s3-no-check-bucket; measured with rclone 1.75.2",
    clients=("rclone",),
)
def copyto_makes_sure_of_the_bucket(s3: Scene) -> None:
    """`rclone copyto` begins with CreateBucket for the bucket that is there already, and goes on to store the file.

    S3 promises: CreateBucket of one's own bucket is 409 BucketAlreadyOwnedByYou, or 200 in us-east-1.

    Breaks: rclone with its defaults. A refusal ends the upload of a single file before it has begun, while uploads of
    folders work, since they list first.

    Fix: know one's own bucket again. Where users may not create buckets, tell those of rclone to set
    no_check_bucket = true.
    """
    copied_into(s3, s3.new_bucket())


@scenario(
    "RCLONE-085",
    EXTENDED,
    "CreateBucket",
    source="rclone documentation, --s3-use-already-exists; measured with rclone 1.75.2",
    clients=("rclone",),
)
def own_bucket_is_known(s3: Scene) -> None:
    """`rclone copyto --s3-use-already-exists=true` finds its own bucket to be its own.

    S3 promises: BucketAlreadyExists is for a bucket of somebody else.

    Breaks: rclone with a provider that it trusts in this: it takes the bucket for another's and stores nothing.

    Fix: 409 BucketAlreadyOwnedByYou, or 200 in us-east-1; otherwise tell users of rclone to set
    use_already_exists = false.
    """
    copied_into(s3, s3.new_bucket(), "--s3-use-already-exists=true")


@scenario(
    "RCLONE-017",
    SHOULD,
    "PutObject",
    source="rclone documentation, rcat; measured with rclone 1.75.2",
    clients=("rclone",),
)
def rcat_of_a_little(s3: Scene) -> None:
    """`rclone rcat remote:…/NAME` stores its standard input, every byte value included.

    S3 promises: PutObject stores the body as it is.

    Breaks: backups that are piped, as `mysqldump | rclone rcat`.

    Fix: treat bodies as bytes, whatever Content-Type says.
    """
    finished(s3, s3.program("rcat", remote(s3, "piped.bin"), OWN_BUCKET, stdin=EVERY_BYTE))
    holds(s3, {"piped.bin": EVERY_BYTE})


@scenario(
    "RCLONE-073",
    EXTENDED,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    source="rclone documentation, rcat and --s3-chunk-size; measured with rclone 1.75.2",
    clients=("rclone",),
)
def rcat_of_unknown_length(s3: Scene) -> None:
    """`rclone rcat` of more than fits into one part stores a stream whose length nobody knew, in parts.

    S3 promises: the number and sizes of parts need not be known when an upload begins.

    Breaks: piped backups of databases and file systems, which are large and have no length.

    Fix: settle the size of an object with CompleteMultipartUpload, not before.
    """
    run = s3.program("rcat", remote(s3, "stream.bin"), *IN_PARTS, OWN_BUCKET, stdin=LARGE)
    in_parts(s3, run, s3.key("stream.bin"))
    holds(s3, {"stream.bin": LARGE})
