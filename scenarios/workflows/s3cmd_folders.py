"""s3cmd with buckets, listings and whole folders: `mb`, `rb`, `ls`, `la`, `du`, `sync`, `multipart`."""

from __future__ import annotations

import re

from harness.expect import Matcher, body, ok, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios.workflows._steps import (
    NAMES,
    exits,
    files,
    finished,
    holds,
    lines,
    listing,
    operations,
    place,
    requests,
    silent,
    stored,
    tells,
)

FOLDER = {"sub/one": b"first", "sub/two": b"second, longer", "sub2/three": b"third", "a b+é": b"fourth"}
_ENTRY = re.compile(r".{16} +(\d+|DIR)  s3://[^/]+/(.*)")


def listed(s3: Scene, sizes: dict[str, int | str]) -> Matcher:
    """A listing with exactly these names below the cell's prefix, each once; the size of a folder is DIR."""
    return listing(_ENTRY, {s3.key(name): size for name, size in sizes.items()})


@scenario(
    "S3CMD-001",
    SHOULD,
    "CreateBucket",
    "ListBuckets",
    source="s3cmd documentation, mb and ls; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def mb(s3: Scene) -> None:
    """`s3cmd mb` makes a bucket, and `s3cmd ls` lists it.

    S3 promises: a bucket is there, and in the list of its owner's buckets, as soon as CreateBucket was answered.

    Breaks: scripts that make a bucket and fill it.

    Fix: take `PUT /bucket/` with a slash at its end for the bucket, not for an object without a name.
    """
    name = s3.bucket_name()
    finished(s3, s3.program("mb", f"s3://{name}"), "CreateBucket", Bucket=name)
    s3.expect(s3.look("HeadBucket", Bucket=name), ok())
    run = s3.program("ls")
    finished(s3, run, "ListBuckets")
    names = [line.rpartition("  s3://")[2] for line in lines(run)]
    s3.check(names.count(name) == 1, f"the bucket {name}, once", f"it listed {names}", run)


@scenario(
    "S3CMD-004",
    MUST,
    "ListObjects",
    source="s3cmd documentation, ls; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def ls(s3: Scene) -> None:
    """`s3cmd ls` shows the objects and folders below a prefix, `s3cmd ls --recursive` every object, by ListObjects.

    S3 promises: version 1 of the listing, with and without a delimiter, and each folder once.

    Breaks: s3cmd, which knows no version 2: it can list nothing, nor sync, where version 1 is not offered.

    Fix: keep version 1 of the listing; without encoding-type, write keys as they are.
    """
    stored(s3, FOLDER)
    folded = s3.program("ls", place(s3))
    finished(s3, folded, "ListObjects", Prefix=s3.prefix, Delimiter="/")
    s3.expect(folded, listed(s3, {"sub/": "DIR", "sub2/": "DIR", "a b+é": len(FOLDER["a b+é"])}))
    deep = s3.program("ls", "--recursive", place(s3))
    s3.expect(deep, listed(s3, {name: len(content) for name, content in FOLDER.items()}))
    holds(s3, FOLDER)


@scenario(
    "S3CMD-005",
    EXTENDED,
    "ListBuckets",
    "ListObjects",
    source="s3cmd documentation, la; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def la(s3: Scene) -> None:
    """`s3cmd la --limit=2` shows the first objects of every bucket.

    S3 promises: ListBuckets names buckets that their owner can list.

    Breaks: whoever looks for a file in all buckets.

    Fix: max-keys limits a page; a bucket that ListBuckets names can be listed.
    """
    bucket, content = s3.new_bucket(), b"in a bucket of its own"
    _alone(s3, bucket)
    for key in ("one", "two"):
        s3.put(key, content, Bucket=bucket)
    run = s3.program("la", "--limit=2")
    stopped = [sent for sent in requests(s3, run, "ListObjects") if sent.status != 200]
    if run.exit_code and stopped and bucket not in stopped[-1].url:
        s3.expect(s3.look("ListObjects", Bucket=bucket), ok())
        raise Inexpressible(f"s3cmd la stops at another bucket of this run: {run.stderr.strip()[-200:]}")
    finished(s3, run, "ListBuckets")
    names = [line.rpartition("  s3://")[2] for line in lines(run)]
    wanted = [f"{bucket}/one", f"{bucket}/two"]
    own = [name for name in names if name.startswith(f"{bucket}/")]
    s3.check(own == wanted, f"{wanted}", f"it showed {own}", run)
    s3.expect(s3.look("GetObject", Bucket=bucket, Key="one"), ok(), body(content))


def _alone(s3: Scene, bucket: str) -> None:
    """The account has no bucket but those of this run: `la` lists each there is, and cannot be told to leave one out.

    Raises:
        Inexpressible: it has others, or more than one answer shows.
    """
    run = "-".join(bucket.split("-")[:3])
    listed = s3.expect(s3.look("ListBuckets"), ok()).output
    names = [str(entry.get("Name")) for entry in listed.get("Buckets") or []]
    if listed.get("ContinuationToken") or not all(name.startswith(f"{run}-") for name in names):
        raise Inexpressible("s3cmd la lists every bucket of the account, and there are some that are not this run's")


@scenario(
    "S3CMD-006",
    SHOULD,
    "ListObjects",
    source="s3cmd documentation, du; output measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def du(s3: Scene) -> None:
    """`s3cmd du` adds up the sizes and the number of the objects below a prefix.

    S3 promises: Size of an entry is the number of bytes that GetObject gives.

    Breaks: accounting, and whoever checks by it that a copy is complete.

    Fix: Size of what was stored, not of how it is stored; every key on one page only.
    """
    stored(s3, FOLDER)
    run = s3.program("du", place(s3))
    finished(s3, run, "ListObjects", Prefix=s3.prefix)
    told = (lines(run) or [""])[-1].split()[:3]
    wanted = [str(sum(map(len, FOLDER.values()))), str(len(FOLDER)), "objects"]
    s3.check(told == wanted, " ".join(wanted), f"it printed {run.stdout!r}", run)
    holds(s3, FOLDER)


@scenario(
    "S3CMD-009",
    MUST,
    "ListObjects",
    "PutObject",
    source="s3cmd documentation, sync; wire measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def sync_twice(s3: Scene) -> None:
    """`s3cmd sync` stores every file of a folder; the second time it sends one listing and nothing else.

    S3 promises: a listing shows the ETag of every object, which is its MD5; s3cmd compares it with the local file's.

    Breaks: nightly backups, which upload everything again; with an ETag like that of a multipart upload s3cmd has to
    ask for each object by itself.

    Fix: MD5 as ETag, in listings too.
    """
    folder = files(s3, NAMES)
    finished(s3, s3.program("sync", f"{folder}/", place(s3)), "ListObjects", Prefix=s3.prefix)
    holds(s3, NAMES)
    again = s3.program("sync", f"{folder}/", place(s3))
    s3.expect(again, exits(0), silent())
    sent = operations(s3, again)
    s3.check(sent == ["ListObjects"], "one ListObjects and nothing else", f"it sent {sent}", again)
    holds(s3, NAMES)


@scenario(
    "S3CMD-017",
    EXTENDED,
    "ListMultipartUploads",
    "ListParts",
    "AbortMultipartUpload",
    source="s3cmd documentation, multipart and abortmp; output measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def multipart(s3: Scene) -> None:
    """`s3cmd multipart` shows uploads that were never completed, and `s3cmd abortmp` removes one.

    S3 promises: ListMultipartUploads names every upload that is neither completed nor aborted.

    Breaks: whoever pays for the parts of broken uploads, and cannot find them.

    Fix: list them with key and upload id; after AbortMultipartUpload an upload is gone.
    """
    bucket, key = s3.new_bucket(), "left over"
    upload = s3.setup("CreateMultipartUpload", Bucket=bucket, Key=key).output["UploadId"]
    run = s3.program("multipart", f"s3://{bucket}")
    finished(s3, run, "ListMultipartUploads", Bucket=bucket)
    shown = [line.split("\t")[1:] for line in lines(run)[2:]]
    s3.check(shown == [[f"s3://{bucket}/{key}", upload]], f"the upload {upload} of {key!r}", f"it showed {shown}", run)
    run = s3.program("abortmp", f"s3://{bucket}/{key}", upload)
    finished(s3, run, "AbortMultipartUpload", Bucket=bucket, Key=key, UploadId=upload)
    listing = s3.expect(s3.look("ListMultipartUploads", Bucket=bucket), ok())
    left = listing.output.get("Uploads", [])
    s3.check(not left, "no upload left", f"there are {left}", listing)


@scenario(
    "S3CMD-018",
    SHOULD,
    "DeleteBucket",
    source="s3cmd documentation, rb; exit codes measured with s3cmd 2.4.0",
    clients=("s3cmd",),
)
def rb(s3: Scene) -> None:
    """`s3cmd rb` of a bucket with an object ends with exit code 13, which means 409; of an empty one it removes it.

    S3 promises: DeleteBucket of a bucket that is not empty is 409 BucketNotEmpty, and nothing is deleted.

    Breaks: everybody who relies on it, where a bucket goes with all that is in it.

    Fix: look for keys, versions included, before a bucket is removed.
    """
    bucket, content = s3.new_bucket(), b"in the way"
    s3.put("object", content, Bucket=bucket)
    full = s3.program("rb", f"s3://{bucket}")
    s3.expect(s3.look("GetObject", Bucket=bucket, Key="object"), ok(), body(content))
    if full.exit_code != 13:
        s3.expect(s3.look("DeleteBucket", Bucket=bucket), refused(409, "BucketNotEmpty"))
    s3.expect(full, exits(13), tells("BucketNotEmpty"))
    s3.setup("DeleteObject", Bucket=bucket, Key="object")
    finished(s3, s3.program("rb", f"s3://{bucket}"), "DeleteBucket", Bucket=bucket)
    s3.expect(s3.look("HeadBucket", Bucket=bucket), refused(404))
