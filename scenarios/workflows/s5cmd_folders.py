"""s5cmd with buckets, listings and whole folders: `mb`, `ls`, `du`, `sync`, `rm`."""

from __future__ import annotations

import re

from harness.expect import Matcher, keys, ok, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._batch_deletes import answered, told, truthful
from scenarios.workflows._refusals import OBJECTS
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
    prints,
    refusing,
    silent,
    stored,
    tells,
)

_ENTRY = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d +(\d+)  (.*)")


def listed(entries: dict[str, bytes]) -> Matcher:
    """A listing with exactly these names and their sizes, each once."""
    return listing(_ENTRY, {name: len(content) for name, content in entries.items()})


@scenario(
    "S5CMD-001",
    SHOULD,
    "CreateBucket",
    "ListBuckets",
    source="s5cmd documentation, mb and ls; wire measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def mb(s3: Scene) -> None:
    """`s5cmd mb` makes a bucket, and `s5cmd ls` lists it.

    S3 promises: a bucket is there, and in the list of its owner's buckets, as soon as CreateBucket was answered.

    Breaks: scripts that make a bucket and fill it.

    Fix: CreateBucket without a body makes the bucket in the region that the request was signed for.
    """
    name = s3.bucket_name()
    finished(s3, s3.program("mb", f"s3://{name}"), "CreateBucket", Bucket=name)
    s3.expect(s3.look("HeadBucket", Bucket=name), ok())
    run = s3.program("ls")
    finished(s3, run, "ListBuckets")
    names = [line.rpartition("  s3://")[2] for line in lines(run)]
    s3.check(names.count(name) == 1, f"the bucket {name}, once", f"it listed {names}", run)


@scenario(
    "S5CMD-002",
    MUST,
    "ListObjectsV2",
    source="s5cmd documentation, list objects with wildcards; wire measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def ls_by_wildcard(s3: Scene) -> None:
    """`s5cmd ls 's3://…/*'` shows every key below a prefix, with its size, by ListObjectsV2 without encoding-type.

    S3 promises: without encoding-type, keys stand in the document as they are, escaped as XML demands only.

    Breaks: s5cmd, which expands every wildcard from such a listing: what is not shown is not copied or deleted.

    Fix: percent-encode keys only if encoding-type=url asks for it.
    """
    stored(s3, NAMES | {"x&y <z>": b"fourth"})
    run = s3.program("ls", place(s3, "*"))
    finished(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    s3.expect(run, listed(NAMES | {"x&y <z>": b"fourth"}))
    holds(s3, NAMES | {"x&y <z>": b"fourth"})


@scenario(
    "S5CMD-003",
    SHOULD,
    "ListObjectsV2",
    source="s5cmd documentation, exit codes; measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def ls_of_nothing(s3: Scene) -> None:
    """`s5cmd ls` of a prefix without keys ends with exit code 1 and "no object found".

    S3 promises: a listing of nothing is 200 and empty.

    Breaks: scripts that ask whether there is anything; a 404 for an empty prefix reads as a bucket that is lost.

    Fix: an empty ListBucketResult for a prefix without keys; look at the prefix, not only at the bucket.
    """
    s3.put(s3.key("object"))
    run = s3.program("ls", place(s3, "none/"))
    s3.expect(s3.look("ListObjectsV2", Prefix=s3.key("none/")), ok(), keys([]))
    s3.expect(run, exits(1), tells("no object found"))


@scenario(
    "S5CMD-017",
    SHOULD,
    "ListObjectsV2",
    source="s5cmd documentation, exit codes; measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def ls_of_a_missing_bucket(s3: Scene) -> None:
    """`s5cmd ls` of a bucket that does not exist ends with exit code 1 and names NoSuchBucket.

    S3 promises: every operation on a bucket that does not exist is 404 NoSuchBucket.

    Breaks: whoever mistypes a name: with exit code 0 and no output the bucket looks empty.

    Fix: look for the bucket before its keys.
    """
    name = s3.bucket_name()
    run = s3.program("ls", f"s3://{name}/")
    s3.expect(s3.look("ListObjectsV2", Bucket=name), refused(404, "NoSuchBucket"))
    s3.expect(run, exits(1), tells("NoSuchBucket"))


@scenario(
    "S5CMD-009",
    SHOULD,
    "ListObjectsV2",
    source="s5cmd documentation, du; output measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def du(s3: Scene) -> None:
    """`s5cmd du` adds up the sizes and the number of the objects below a prefix.

    S3 promises: Size of an entry is the number of bytes that GetObject gives.

    Breaks: accounting, and whoever checks by it that a copy is complete.

    Fix: Size of what was stored, not of how it is stored; every key on one page only.
    """
    stored(s3, NAMES)
    run = s3.program("du", place(s3, "*"))
    finished(s3, run, "ListObjectsV2", Prefix=s3.prefix)
    s3.expect(run, prints(f"{sum(map(len, NAMES.values()))} bytes in {len(NAMES)} objects"))
    holds(s3, NAMES)


@scenario(
    "S5CMD-010",
    MUST,
    "ListObjectsV2",
    "PutObject",
    source="s5cmd documentation, sync; wire measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def sync_twice(s3: Scene) -> None:
    """`s5cmd sync` stores every file of a folder; the second time it sends one listing and nothing else.

    S3 promises: a listing in the order of UTF-8 bytes, with sizes and the times of the last change.

    Breaks: nightly backups, which upload everything again.

    Fix: sort by bytes; LastModified is the time of the upload, in UTC.
    """
    folder = files(s3, NAMES)
    finished(s3, s3.program("sync", f"{folder}/", place(s3)), "ListObjectsV2", Prefix=s3.prefix)
    holds(s3, NAMES)
    again = s3.program("sync", f"{folder}/", place(s3))
    s3.expect(again, exits(0), silent())
    sent = operations(s3, again)
    s3.check(sent == ["ListObjectsV2"], "one ListObjectsV2 and nothing else", f"it sent {sent}", again)
    holds(s3, NAMES)


@scenario(
    "S5CMD-011",
    SHOULD,
    "ListObjectsV2",
    "DeleteObjects",
    source="s5cmd documentation, sync --delete; wire measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def sync_delete(s3: Scene) -> None:
    """`s5cmd sync --delete` removes what the folder lacks, or ends with exit code 1, says why, and leaves it whole.

    S3 promises: DeleteObjects answers for every key of its document.

    Breaks: mirrors: s5cmd has no other way to delete.

    Fix: offer DeleteObjects; an Error with Code and Message for each key that stays.
    """
    stored(s3, OBJECTS)
    folder = files(s3, {"one.txt": OBJECTS["one.txt"]})
    run = s3.program("sync", "--delete", "--size-only", f"{folder}/", place(s3))
    removed = {s3.key(name): content for name, content in OBJECTS.items() if name != "one.txt"}
    answers = answered(s3, run, removed, "ListObjectsV2", Prefix=s3.prefix)
    told(s3, run, answers, 1)
    kept = {name: content for name, content in OBJECTS.items() if s3.key(name) in answers.kept}
    holds(s3, {"one.txt": OBJECTS["one.txt"]} | kept)
    truthful(s3, answers, removed)


@scenario(
    "S5CMD-012",
    EXTENDED,
    "DeleteObjects",
    source="s5cmd documentation, rm; exit codes measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def rm_with_errors(s3: Scene) -> None:
    """`s5cmd rm` of keys that may not be deleted ends with exit code 1, names the code of each, and all are whole.

    S3 promises: DeleteObjects is 200 as a whole; each key that was refused has an Error entry with its code.

    Breaks: whoever protects objects by a policy and empties the rest: a key that is listed as deleted, and is not,
    is never looked at again.

    Fix: authorise every key by itself, and name those that were refused.
    """
    objects = {"x-1": b"first", "x-2": b"second"}
    with refusing(s3, "DeleteObject", objects) as bucket:
        run = s3.program("rm", f"s3://{bucket}/x-*")
        answers = answered(s3, run, objects, "ListObjectsV2", Bucket=bucket)
        truthful(s3, answers, objects, bucket)
        s3.check(set(answers.kept) == set(objects), "both keys refused", f"refused were {answers.kept}", run)
        told(s3, run, answers, 1)


@scenario(
    "S5CMD-015",
    SHOULD,
    "ListObjects",
    source="s5cmd documentation, --use-list-objects-v1; wire measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def ls_version_1(s3: Scene) -> None:
    """`s5cmd --use-list-objects-v1 ls` shows by ListObjects what it shows by ListObjectsV2.

    S3 promises: both versions list the same keys.

    Breaks: whoever was told to use this option, since version 2 did not work.

    Fix: keep version 1; take no list-type for version 1.
    """
    stored(s3, NAMES)
    run = s3.program("--use-list-objects-v1", "ls", place(s3, "*"))
    finished(s3, run, "ListObjects", Prefix=s3.prefix)
    s3.expect(run, listed(NAMES))
    sent = operations(s3, run)
    s3.check(sent == ["ListObjects"], "one ListObjects", f"it sent {sent}", run)
    holds(s3, NAMES)


@scenario(
    "S5CMD-016",
    SHOULD,
    "ListObjectsV2",
    "DeleteObjects",
    source="s5cmd documentation, rm; exit codes measured with s5cmd 2.3.0",
    clients=("s5cmd",),
)
def rm_by_wildcard(s3: Scene) -> None:
    """`s5cmd rm 's3://…/*'` removes every object below a prefix, or ends with exit code 1, says why, and all stay.

    S3 promises: DeleteObjects tells for every key whether it is gone.

    Breaks: whoever empties a folder; s5cmd deletes single keys this way too.

    Fix: offer DeleteObjects to whoever may use DeleteObject; a store that keeps its objects says so for each.
    """
    stored(s3, OBJECTS)
    objects = {s3.key(name): content for name, content in OBJECTS.items()}
    run = s3.program("rm", place(s3, "*"))
    answers = answered(s3, run, objects, "ListObjectsV2", Prefix=s3.prefix)
    told(s3, run, answers, 1)
    truthful(s3, answers, objects)
