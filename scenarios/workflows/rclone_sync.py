"""rclone commands that remove what should not be there: exactly that, and only if the store lets them."""

from __future__ import annotations

from harness.expect import body, ok
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows._rclone import OWN_BUCKET, refusal_told, remote
from scenarios.workflows._refusals import error_code, judge
from scenarios.workflows._steps import files, finished, holds, refusing, sent, stored

MIRROR = {"one.txt": b"first", "two & a half+.txt": b"second", "sub/ü 3%41.txt": b"third"}
"""What is mirrored, by name below the mirror's folder; the names need care in the path of a DELETE."""
NEIGHBOURS = {"mirror.old/one.txt": b"of last year", "mirror.txt": b"about the mirror", "mirrored": b"another"}
"""What begins like the mirror's folder and is not in it."""


def kept(s3: Scene, bucket: str, objects: dict[str, bytes]) -> None:
    """These objects, by key, are in the bucket as they were."""
    for key, content in objects.items():
        s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(content))


@scenario(
    "RCLONE-019",
    SHOULD,
    "DeleteObject",
    "ListObjects",
    "ListObjectsV2",
    source="rclone documentation, sync; requests and exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def sync_of_one_file(s3: Scene) -> None:
    """`rclone sync` of a folder with one of the files sends one DELETE for each of the others, and for nothing else.

    S3 promises: a listing by prefix shows what begins with it and nothing beside; a delete removes one key.

    Breaks: mirrors whose names begin alike. A prefix that is matched by folder name alone, or a key that is decoded
    twice in the path of a DELETE, costs files that nobody spoke of.

    Fix: take the key of a DELETE from the raw path, decoded once; match prefixes byte by byte.
    """
    inside = {f"mirror/{name}": content for name, content in MIRROR.items()}
    stored(s3, inside | NEIGHBOURS)
    stays = {"mirror/one.txt": MIRROR["one.txt"]}
    folder = files(s3, {"one.txt": MIRROR["one.txt"]})
    run = s3.program("sync", str(folder), remote(s3, "mirror"), "--size-only", OWN_BUCKET)
    goes = {s3.key(name): content for name, content in inside.items() if name not in stays}
    judge(s3, run, goes)
    asked = sorted(what.key for what, _ in sent(s3, run, "DeleteObject", "DeleteObjects"))
    s3.check(asked == sorted(goes), f"one DELETE for each of {sorted(goes)!r}", f"it sent {asked!r}", run)
    holds(s3, stays | NEIGHBOURS | ({} if run.ok else inside))


@scenario(
    "RCLONE-084",
    MUST,
    "DeleteObject",
    source="rclone documentation, deletefile; requests and exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def deletefile(s3: Scene) -> None:
    """`rclone deletefile` removes one object and no other, or ends with exit code 1, says why, and leaves it whole.

    S3 promises: DeleteObject removes exactly the key that it names.

    Breaks: whoever removes a file. A refusal that is not told, or a neighbour that goes too, is noticed too late.

    Fix: 204 when the key is gone; 403 AccessDenied with a reason when it stays.
    """
    goes, stays = {"a & b+.txt": b"to go"}, {"a & b+.txt.bak": b"kept", "a & b+": b"kept too", "a": b"and this"}
    stored(s3, goes | stays)
    run = s3.program("deletefile", remote(s3, "a & b+.txt"))
    judge(s3, run, {s3.key(name): content for name, content in goes.items()})
    asked = [what.key for what, _ in sent(s3, run, "DeleteObject", "DeleteObjects")]
    s3.check(asked == [s3.key("a & b+.txt")], "one DELETE, of this key", f"it sent {asked!r}", run)
    holds(s3, stays if run.ok else goes | stays)


@scenario(
    "RCLONE-020",
    EXTENDED,
    "DeleteObject",
    "PutObject",
    source="rclone documentation, sync; exit code and text measured with rclone 1.75.2",
    clients=("rclone",),
)
def sync_where_deletes_are_refused(s3: Scene) -> None:
    """`rclone sync` into a store that refuses deletes stores what is new, keeps the rest, and ends with exit code 1.

    S3 promises: what a policy denies is 403 AccessDenied, and not done; all else is.

    Breaks: whoever mirrors into an archive: the files that sync may not remove stay, and its exit code is all that
    tells them from a mirror that is done.

    Fix: refuse each delete for itself with 403 AccessDenied; go on to answer the other requests.
    """
    old = {"gone.txt": b"not in the source", "sub/gone.txt": b"nor this"}
    with refusing(s3, "DeleteObject", old) as bucket:
        source = str(files(s3, {"new.txt": b"in the source"}))
        run = s3.program("sync", source, f"remote:{bucket}", OWN_BUCKET)
        refusal_told(s3, run, "DeleteObject")
        told = [key for key in old if f"{key}: Couldn't delete" in run.stderr]
        wanted = f'"Couldn\'t delete" for each of {sorted(old)!r}'
        s3.check(sorted(told) == sorted(old), wanted, f"it said {run.stderr[-300:]!r}", run)
        kept(s3, bucket, old | {"new.txt": b"in the source"})


@scenario(
    "RCLONE-080",
    EXTENDED,
    "DeleteObject",
    "DeleteBucket",
    source="rclone documentation, purge; exit code and requests measured with rclone 1.75.2",
    clients=("rclone",),
)
def purge_where_deletes_are_refused(s3: Scene) -> None:
    """`rclone purge` of a bucket that refuses deletes ends with exit code 1, and bucket and objects are still there.

    S3 promises: DeleteBucket of a bucket with objects is 409 BucketNotEmpty.

    Breaks: archives. purge asks for the bucket's removal even though it could not remove a single object; a store
    that deletes buckets with all that is in them then loses what it has just refused to delete.

    Fix: refuse DeleteBucket while there are objects, whoever asks.
    """
    old = {"a.txt": b"to be kept", "sub/b.txt": b"this too"}
    with refusing(s3, "DeleteObject", old) as bucket:
        run = s3.program("purge", f"remote:{bucket}")
        refusal_told(s3, run, "DeleteObject")
        kept(s3, bucket, old)
        asked = [exchange.status for _, exchange in sent(s3, run, "DeleteBucket")]
        s3.check(200 not in asked and 204 not in asked, "no DeleteBucket that succeeds", f"answers: {asked!r}", run)


@scenario(
    "RCLONE-023",
    SHOULD,
    "DeleteBucket",
    source="rclone documentation, rmdir; exit code and text measured with rclone 1.75.2",
    clients=("rclone",),
)
def rmdir_of_a_full_bucket(s3: Scene) -> None:
    """`rclone rmdir` of a bucket with an object in it ends with exit code 1, says why, and removes nothing.

    S3 promises: DeleteBucket of a bucket with objects is 409 BucketNotEmpty.

    Breaks: rmdir is the command for those who want to remove what is empty; a store without this check takes all.

    Fix: 409 BucketNotEmpty while there is one object, or one version of an object.
    """
    bucket = s3.new_bucket()
    s3.put("deep/down/a.txt", b"to be kept", Bucket=bucket)
    run = s3.program("rmdir", f"remote:{bucket}")
    kept(s3, bucket, {"deep/down/a.txt": b"to be kept"})
    refusal_told(s3, run, "DeleteBucket")
    answers = [(exchange.status, error_code(exchange)) for _, exchange in sent(s3, run, "DeleteBucket")]
    honest = all(status == 409 or code == "AccessDenied" for status, code in answers)
    s3.check(honest, "status 409, or AccessDenied where no bucket may be removed", f"answers: {answers!r}", run)


@scenario(
    "RCLONE-024",
    SHOULD,
    "ListObjects",
    "ListObjectsV2",
    "DeleteObject",
    source="rclone documentation, rmdirs and --s3-directory-markers; exit codes measured with rclone 1.75.2",
    clients=("rclone",),
)
def rmdirs_of_empty_folders(s3: Scene) -> None:
    """`rclone rmdirs --s3-directory-markers` removes the markers of empty folders, and no other object.

    S3 promises: a key that ends with a slash is a key like any other: listed, also below itself, and deleted alone.

    Breaks: tidying up. rclone takes a folder for empty if the listing below it shows nothing but its marker.
    It ends with exit code 0 even where all its deletes were refused, so only the store can tell.

    Fix: keep the trailing slash of a key, list such keys, and delete no more than the one key that is named.
    """
    kept_always = {"full/": b"", "full/a.txt": b"kept", "other.txt": b"kept too"}
    empty = {"empty/": b"", "full/empty too/": b""}
    stored(s3, kept_always | empty)
    run = s3.program("rmdirs", "--leave-root", "--s3-directory-markers", remote(s3))
    deletes = sent(s3, run, "DeleteObject", "DeleteObjects", "DeleteBucket")
    asked = sorted(what.key for what, _ in deletes)
    wanted = sorted(map(s3.key, empty))
    s3.check(
        asked == wanted, f"a DELETE for each of {wanted!r}", f"it sent {asked!r} and said {run.stderr[-200:]!r}", run
    )
    refusals = {what.key for what, exchange in deletes if (exchange.status or 0) >= 400}
    if not refusals:
        finished(s3, run)
    holds(s3, kept_always | {name: content for name, content in empty.items() if s3.key(name) in refusals})
