"""mc, the client of MinIO, with buckets and whole folders: `mb`, `mirror`, `diff`, `rm`."""

from __future__ import annotations

from harness.expect import ok
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._batch_deletes import answered, told, truthful
from scenarios.workflows._refusals import OBJECTS
from scenarios.workflows._steps import NAMES, exits, files, finished, holds, lines, refusing, requests, stored
from scenarios.workflows.mc_objects import mc, place

WRITES = ("PutObject", "CreateMultipartUpload", "CopyObject", "DeleteObject", "DeleteObjects")


@scenario(
    "MC-002",
    SHOULD,
    "CreateBucket",
    "ListBuckets",
    source="mc documentation, mb; wire measured with mc of 2025-03-13",
    clients=("mc",),
)
def mb(s3: Scene) -> None:
    """`mc mb` makes a bucket, and `mc ls` lists it.

    S3 promises: a bucket is there, and in the list of its owner's buckets, as soon as CreateBucket was answered.

    Breaks: scripts that make a bucket and fill it.

    Fix: take `PUT /bucket/` with a slash at its end for the bucket, not for an object without a name.
    """
    name = s3.bucket_name()
    finished(s3, s3.program("mb", f"remote/{name}"), "CreateBucket", Bucket=name)
    s3.expect(s3.look("HeadBucket", Bucket=name), ok())
    run = s3.program("ls", "remote")
    finished(s3, run, "ListBuckets")
    names = [line.split()[-1] for line in lines(run)]
    s3.check(names.count(f"{name}/") == 1, f"the bucket {name}, once", f"it listed {names}", run)


@scenario(
    "MC-004",
    MUST,
    "ListObjectsV2",
    "PutObject",
    source="mc documentation, mirror; wire measured with mc of 2025-03-13",
    clients=("mc",),
)
def mirror_twice(s3: Scene) -> None:
    """`mc mirror` stores every file of a folder; the second time it writes nothing.

    S3 promises: a listing in the order of UTF-8 bytes, with sizes and the times of the last change.

    Breaks: nightly backups; mc walks the listing beside the local tree and takes what is out of order for new.

    Fix: sort by bytes; LastModified is the time of the upload, in UTC.
    """
    folder = files(s3, NAMES)
    finished(s3, mc(s3, "mirror", str(folder), place(s3)), "ListObjectsV2", Prefix=s3.prefix)
    holds(s3, NAMES)
    again = mc(s3, "mirror", str(folder), place(s3))
    s3.expect(again, exits(0))
    writes = [f"{sent.method} {sent.url}" for sent in requests(s3, again, *WRITES)]
    s3.check(not writes, "nothing written", f"it sent {writes}", again)
    listings = len(requests(s3, again, "ListObjectsV2"))
    s3.check(listings > 0, "a ListObjectsV2", f"it sent none and said {again.stderr[-200:]!r}", again)
    holds(s3, NAMES)


@scenario(
    "MC-005",
    SHOULD,
    "ListObjectsV2",
    "PutObject",
    "DeleteObjects",
    source="mc documentation, mirror --overwrite --remove; wire measured with mc of 2025-03-13",
    clients=("mc",),
)
def mirror_remove(s3: Scene) -> None:
    """`mc mirror --overwrite --remove` replaces what changed and removes what the folder lacks, or keeps that whole.

    S3 promises: PutObject replaces an object as a whole; DeleteObjects tells for every key whether it is gone.

    Breaks: mirrors, which keep what was removed, or lose what they keep.

    Fix: offer DeleteObjects; an Error with Code and Message for each key that stays.
    """
    stored(s3, OBJECTS)
    changed = b"first, and changed since"
    run = mc(s3, "mirror", "--overwrite", "--remove", str(files(s3, {"one.txt": changed})), place(s3))
    removed = {s3.key(name): content for name, content in OBJECTS.items() if name != "one.txt"}
    answers = answered(s3, run, removed, "ListObjectsV2", Prefix=s3.prefix)
    kept = {name: content for name, content in OBJECTS.items() if s3.key(name) in answers.kept}
    holds(s3, {"one.txt": changed} | kept)
    told(s3, run, answers, 0, 1)
    truthful(s3, answers, removed)


@scenario(
    "MC-006",
    SHOULD,
    "ListObjectsV2",
    source="mc documentation, diff; output measured with mc of 2025-03-13",
    clients=("mc",),
)
def diff(s3: Scene) -> None:
    """`mc diff` names the files that only one side has, and those of another size, and no others.

    S3 promises: a listing names every object, once, with its size.

    Breaks: whoever checks a copy by it; mc compares names, sizes and times, not contents.

    Fix: Size of what was stored; keys in byte order.
    """
    stored(s3, {"same": b"equal", "size": b"longer than there", "there": b"only there"})
    folder = files(s3, {"same": b"equal", "size": b"short", "here": b"only here"})
    run = mc(s3, "diff", str(folder), place(s3))
    finished(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    marks = sorted((line.partition(" ")[0], line.rpartition("/")[2]) for line in lines(run))
    wanted = [("!", "size"), ("<", "here"), (">", "there")]
    s3.check(marks == wanted, f"{wanted}", f"it printed {marks}", run)
    holds(s3, {"same": b"equal", "size": b"longer than there", "there": b"only there"})


@scenario(
    "MC-007",
    SHOULD,
    "ListObjectsV2",
    "DeleteObjects",
    source="mc documentation, rm; exit codes measured with mc of 2025-03-13",
    clients=("mc",),
)
def rm_recursive(s3: Scene) -> None:
    """`mc rm -r --force` removes every object below a prefix, or ends with exit code 1, says why, and all stay.

    S3 promises: DeleteObjects tells for every key whether it is gone.

    Breaks: whoever empties a folder; mc deletes single keys this way too.

    Fix: offer DeleteObjects to whoever may use DeleteObject; a store that keeps its objects says so for each.
    """
    stored(s3, OBJECTS)
    objects = {s3.key(name): content for name, content in OBJECTS.items()}
    run = mc(s3, "rm", "-r", "--force", place(s3))
    answers = answered(s3, run, objects, "ListObjectsV2", Prefix=s3.prefix)
    told(s3, run, answers, 1)
    truthful(s3, answers, objects)


@scenario(
    "MC-012",
    EXTENDED,
    "DeleteObjects",
    source="mc documentation, rm; exit codes measured with mc of 2025-03-13",
    clients=("mc",),
)
def rm_with_errors(s3: Scene) -> None:
    """`mc rm` of a key that may not be deleted ends with exit code 1, gives the reason, and the object is whole.

    S3 promises: DeleteObjects is 200 as a whole; each key that was refused has an Error entry with code and message.

    Breaks: whoever protects objects by a policy: a key that is listed as deleted, and is not, is never looked at again.

    Fix: authorise every key by itself, and name those that were refused, with a message: mc shows only that.
    """
    objects = {"x-1": b"first"}
    with refusing(s3, "DeleteObject", objects) as bucket:
        run = mc(s3, "rm", f"remote/{bucket}/x-1")
        answers = answered(s3, run, objects, "HeadObject", Bucket=bucket, Key="x-1")
        truthful(s3, answers, objects, bucket)
        s3.check(set(answers.kept) == set(objects), "the key refused", f"refused were {answers.kept}", run)
        told(s3, run, answers, 1)
