"""CON: every read and listing shows the writes that were answered before it. Races of several at once: `races`."""

from __future__ import annotations

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, body, etag, header, if_shown, keys, metadata, ok, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._tags import tag_set, tags
from scenarios._versioned import versioned_bucket
from scenarios._versions import Version, in_order, versions
from scenarios.copies import source_of
from scenarios.etag import md5_etag
from scenarios.mpu import begin, naming, shows_upload, store

MODEL = "Amazon S3 User Guide, Amazon S3 data consistency model"

OLD = b"the earlier content, which is the longer one of the two"
NEW = b"the later content"


def entry(key: str, content: bytes) -> Matcher:
    """The listing has the key with the size and the ETag of this content; that it has quotes is LST1-022's matter."""
    wanted = (len(content), md5_etag(content).strip('"'))

    def test(seen: Observed) -> str:
        entries = [one for one in seen.output.get("Contents", []) if one.get("Key") == key]
        found = [(one.get("Size"), str(one.get("ETag")).strip('"')) for one in entries]
        return "" if found == [wanted] else f"size and ETag of its entries were {found}"

    return Matcher(f"{key!r} listed once with size {wanted[0]} and ETag {wanted[1]}", test)


def listed(s3: Scene) -> Observed:
    """What the witness sees below the cell's prefix."""
    return s3.look("ListObjectsV2", Prefix=s3.prefix)


@scenario("CON-001", MUST, "PutObject", "GetObject", "HeadObject", source=MODEL)
def read_after_write(s3: Scene) -> None:
    """An object can be read as soon as its PUT was answered.

    S3 promises: after a successful PUT of a new object, any GET or HEAD that follows, from whomever, finds it, with
    the bytes that were stored.

    Breaks: pipelines hand the name of a file to the next program the moment it is stored. Where the next program
    reads from a replica or an index that lags, its first read is a 404, and the job fails at random.

    Fix: answer the PUT once every place that reads are served from has the object, or knows that it has not.
    """
    for number in range(1 if s3.costly else 5):
        key = s3.key(f"new-{number}")
        s3.expect(s3.call("PutObject", Key=key, Body=NEW), ok())
        s3.expect(s3.look("GetObject", Key=key), ok(), body(NEW), etag(md5_etag(NEW)))
        s3.expect(s3.look("HeadObject", Key=key), ok(), header("Content-Length", str(len(NEW))))


@scenario("CON-002", MUST, "PutObject", "GetObject", source=MODEL)
def read_of_others_write(s3: Scene) -> None:
    """A client reads at once what another one has just stored.

    S3 promises: there is one state, and it is the same for all: a program sees what a different one, with other
    connections and caches, was told is stored.

    Breaks: workers that pass files to each other through a bucket; a client with its own view of the bucket, or a
    gateway node with its own cache, misses the file that the message is about.

    Fix: no node may answer from what it knows itself, unless the others tell it what they change.
    """
    for number in range(1 if s3.costly else 5):
        key = s3.key(f"new-{number}")
        s3.put(key, NEW)
        s3.expect(s3.call("GetObject", Key=key), ok(), body(NEW))


@scenario("CON-003", MUST, "GetObject", "HeadObject", "PutObject", source=MODEL)
def read_after_miss(s3: Scene) -> None:
    """An object is found as soon as it is stored, also where it was looked for just before.

    S3 promises: since December 2020 a HEAD or GET that found nothing changes nothing about the first read after the
    PUT; that caveat of the earlier model is gone.

    Breaks: `aws s3 sync`, rclone and every "upload if missing" ask first and store then. Where the 404 is remembered,
    what was stored seems to be missing, and is stored again or reported as lost.

    Fix: do not cache answers about missing keys, or drop them when the key is written.
    """
    key = s3.key("missed")
    s3.expect(s3.look("HeadObject", Key=key), refused(404))
    s3.expect(s3.look("GetObject", Key=key), refused(404))
    s3.expect(s3.call("PutObject", Key=key, Body=NEW), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(NEW))
    s3.expect(s3.call("GetObject", Key=key), ok(), body(NEW))


@scenario("CON-004", MUST, "PutObject", "GetObject", "HeadObject", source=MODEL)
def read_after_overwrite(s3: Scene) -> None:
    """After an overwrite was answered every read gives the new object, also for somebody who has just read the old one.

    S3 promises: overwriting PUTs are strongly consistent: the old bytes, the old length and the old ETag are gone
    for all readers with the answer to the PUT.

    Breaks: state files, manifests and "latest" pointers (Terraform, package repositories, table formats). A reader
    that is served the old one builds on a state that no longer exists.

    Fix: let the write invalidate every cache before it is answered, those of the HEAD path included.
    """
    key = s3.key("overwritten")
    s3.put(key, OLD)
    s3.expect(s3.look("GetObject", Key=key), ok(), body(OLD))
    s3.expect(s3.look("HeadObject", Key=key), ok(), etag(md5_etag(OLD)))
    s3.expect(s3.call("PutObject", Key=key, Body=NEW), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok(), etag(md5_etag(NEW)), header("Content-Length", str(len(NEW))))
    s3.expect(s3.look("GetObject", Key=key), ok(), body(NEW), etag(md5_etag(NEW)))


@scenario("CON-005", MUST, "PutObject", "GetObject", source=MODEL)
def others_overwrite(s3: Scene) -> None:
    """A client that has read an object reads the new one as soon as somebody else has overwritten it.

    S3 promises: whoever reads after the answer to an overwrite, however often it read before, gets the new object.

    Breaks: programs that poll a file for changes wait for ever where their connection sticks to a node with a cache,
    and configuration that was rolled back stays in force on some machines.

    Fix: check what a cache holds against the current ETag on every read.
    """
    key = s3.key("polled")
    s3.put(key, OLD)
    s3.expect(s3.call("GetObject", Key=key), ok(), body(OLD))
    s3.put(key, NEW)
    s3.expect(s3.call("GetObject", Key=key), ok(), body(NEW), if_shown(etag(md5_etag(NEW))))


@scenario("CON-006", MUST, "DeleteObject", "GetObject", "HeadObject", source=MODEL)
def read_after_delete(s3: Scene) -> None:
    """After a DELETE was answered, the object is not found by anybody, also by who has just read it.

    S3 promises: a GET or HEAD after a successful DELETE is 404; deletes are as consistent as writes.

    Breaks: deletion that has to be complete (personal data, revoked keys, expired locks) is reported as done while
    the object can still be read; a lock that was released still seems to be held.

    Fix: let a delete invalidate what a write invalidates.
    """
    key = s3.key("deleted")
    s3.put(key, OLD)
    s3.expect(s3.look("GetObject", Key=key), ok(), body(OLD))
    s3.expect(s3.look("HeadObject", Key=key), ok())
    s3.expect(s3.call("DeleteObject", Key=key), ok(204))
    s3.expect(s3.look("HeadObject", Key=key), refused(404))
    s3.expect(s3.look("GetObject", Key=key), refused(404, "NoSuchKey"))


@scenario("CON-007", MUST, "DeleteObject", "GetObject", source=MODEL)
def others_delete(s3: Scene) -> None:
    """A client that has read an object gets 404 as soon as somebody else has deleted it.

    S3 promises: the deletion counts for all clients from its answer on.

    Breaks: two programs that share a work queue in a bucket: one takes and deletes an item, the other one, served
    from a cache, does the work again.

    Fix: serve no read from a copy without asking whether the object is still there.
    """
    key = s3.key("taken")
    s3.put(key, OLD)
    s3.expect(s3.call("GetObject", Key=key), ok(), body(OLD))
    s3.setup("DeleteObject", Key=key)
    s3.expect(s3.call("GetObject", Key=key), refused(404, "NoSuchKey"))


@scenario("CON-008", MUST, "PutObject", "ListObjectsV2", source=MODEL)
def list_after_write(s3: Scene) -> None:
    """A listing shows an object as soon as its PUT was answered, also to somebody who has just listed without it.

    S3 promises: LIST is strongly consistent since December 2020: it shows every object that was stored before it
    was asked, with the size and the ETag of that object.

    Breaks: jobs that list what earlier ones produced (Hadoop, Spark, Athena) silently leave out the newest files, and
    results are wrong without an error; sync tools copy again what they have just copied.

    Fix: update the index that listings are read from before the PUT is answered.
    """
    first, second = s3.key("first"), s3.key("second")
    s3.put(first, OLD)
    s3.expect(listed(s3), ok(), keys([first]))
    s3.expect(s3.call("PutObject", Key=second, Body=NEW), ok())
    s3.expect(listed(s3), ok(), keys([first, second]), entry(second, NEW))


@scenario("CON-009", MUST, "PutObject", "DeleteObject", "ListObjectsV2", source=MODEL)
def list_of_others_writes(s3: Scene) -> None:
    """A client's listing shows at once what others have stored, and no longer what they have deleted.

    S3 promises: the listing is that of the present state, whoever made it and whatever the client listed before.

    Breaks: mirrors and mounted buckets that look for changes: files appear late and out of order, and deleted ones
    are downloaded as 404s.

    Fix: keep no listing longer than the request that it answers.
    """
    first, second = s3.key("first"), s3.key("second")
    s3.put(first, OLD)
    s3.expect(s3.list_all(2, Prefix=s3.prefix), ok(), keys([first]))
    s3.put(second, NEW)
    s3.expect(s3.list_all(2, Prefix=s3.prefix), ok(), keys([first, second]))
    s3.setup("DeleteObject", Key=first)
    s3.expect(s3.list_all(2, Prefix=s3.prefix), ok(), keys([second]))


@scenario("CON-010", MUST, "DeleteObject", "ListObjectsV2", source=MODEL)
def list_after_delete(s3: Scene) -> None:
    """A listing no longer shows an object once its DELETE was answered.

    S3 promises: what was deleted before a listing was asked for is not in it.

    Breaks: "delete all, then delete the bucket" loops, and tools that list again to see whether they are done; sync
    tools try to copy ghosts, and stop at the 404.

    Fix: take the key out of the index in the step that takes away the object.
    """
    first, second = s3.key("first"), s3.key("second")
    s3.put(first, OLD)
    s3.put(second, NEW)
    s3.expect(listed(s3), ok(), keys([first, second]))
    s3.expect(s3.call("DeleteObject", Key=first), ok(204))
    s3.expect(listed(s3), ok(), keys([second]))


@scenario("CON-011", MUST, "PutObject", "ListObjectsV2", source=MODEL)
def list_after_overwrite(s3: Scene) -> None:
    """A listing shows the size and the ETag of the new object once an overwrite was answered.

    S3 promises: an entry of a listing describes the object that a GET would give at that moment.

    Breaks: rclone, s3cmd and `aws s3 sync` compare sizes and ETags from listings. With those of the earlier object
    they copy again what is there, or take an outdated copy for a good one.

    Fix: write the entry of the index and the object in one step.
    """
    key = s3.key("overwritten")
    s3.put(key, OLD)
    s3.expect(listed(s3), ok(), entry(key, OLD))
    s3.expect(s3.call("PutObject", Key=key, Body=NEW), ok())
    s3.expect(listed(s3), ok(), entry(key, NEW))


@scenario("CON-012", MUST, "PutObject", "DeleteObject", "GetObject", "ListObjectsV2", source=MODEL)
def stored_again(s3: Scene) -> None:
    """A key that was deleted and stored again is there again: readable and listed, with its new content alone.

    S3 promises: a delete leaves nothing behind that a later PUT would have to overcome.

    Breaks: lock files, and tools that replace a file by deleting and storing it. Where a tombstone outlives the PUT,
    or wins because of a clock, the new file vanishes.

    Fix: order writes and deletes of a key by their arrival at one place, not by the clocks of several.
    """
    key = s3.key("again")
    for content in (NEW,) if s3.costly else (NEW, OLD, b"third"):
        s3.put(key, b"before")
        s3.expect(s3.call("DeleteObject", Key=key), ok(204))
        s3.expect(s3.call("PutObject", Key=key, Body=content), ok())
        s3.expect(s3.look("GetObject", Key=key), ok(), body(content))
        s3.expect(listed(s3), ok(), keys([key]), entry(key, content))


@scenario("CON-013", MUST, "CopyObject", "GetObject", source=MODEL, clients=CALLERS)
def copy_of_newest(s3: Scene) -> None:
    """A copy is made of the object as it was overwritten last, and can be read as soon as it was answered.

    S3 promises: CopyObject reads its source as any GET does, and its target counts from the answer on.

    Breaks: "write, then rename" (copy and delete), the way Hadoop commits and rclone moves files: a copy of the
    earlier content, followed by the delete of the source, loses the newest version for good.

    Fix: resolve the source at the moment of the copy, past all caches.
    """
    source, target = s3.key("source"), s3.key("target")
    s3.put(source, OLD)
    s3.expect(s3.look("GetObject", Key=source), ok(), body(OLD))
    s3.put(source, NEW)
    s3.expect(s3.call("CopyObject", Key=target, CopySource=source_of(s3, source)), ok())
    s3.expect(s3.look("GetObject", Key=target), ok(), body(NEW), etag(md5_etag(NEW)))
    s3.expect(listed(s3), ok(), entry(target, NEW))


@scenario(
    "CON-014",
    MUST,
    "CompleteMultipartUpload",
    "GetObject",
    "ListObjectsV2",
    source=f"{MODEL}; AWS API reference, CompleteMultipartUpload",
    clients=CALLERS,
)
def read_after_complete(s3: Scene) -> None:
    """A completed upload replaces what was at its key at once: for GET, for HEAD and in listings; before, it does not.

    S3 promises: until the completion is answered the old object is there, from the answer on the new one.

    Breaks: all large files are stored this way. Readers that are told too early find half a file, those that come
    right after the answer find the old one, or nothing.

    Fix: join the parts aside and switch the key in one step, as for a plain PUT.
    """
    key = s3.key("assembled")
    s3.put(key, OLD)
    upload = begin(s3, key)
    part = store(s3, upload, 1, NEW)
    s3.expect(s3.look("GetObject", Key=key), ok(), body(OLD))
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(part)), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(NEW))
    s3.expect(s3.look("HeadObject", Key=key), ok(), header("Content-Length", str(len(NEW))))
    listing = s3.expect(listed(s3), ok(), keys([key]))
    sizes = [each.get("Size") for each in listing.output.get("Contents", [])]
    s3.check(sizes == [len(NEW)], f"size {len(NEW)} in the listing", f"it was {sizes}", listing)


@scenario(
    "CON-015",
    MUST,
    "UploadPart",
    "ListParts",
    "ListMultipartUploads",
    "AbortMultipartUpload",
    source=f"{MODEL}; AWS API reference, ListParts",
    clients=CALLERS,
)
def parts_after_upload(s3: Scene) -> None:
    """Lists of parts and of uploads show each part and each upload once it was answered, and none that was aborted.

    S3 promises: ListParts shows every part whose upload was answered, with its latest content, and an upload that
    was aborted is gone from all lists.

    Breaks: programs that resume ask for the parts that are there right after they sent some. Those that do not show
    are sent again; an aborted upload that still shows keeps cleaners busy for ever.

    Fix: record the part before answering, in the place that ListParts reads.
    """
    upload = begin(s3, s3.key("parts"))
    s3.expect(s3.look("ListMultipartUploads", Prefix=s3.prefix), ok(), shows_upload(upload, shown=True))
    s3.expect(s3.look("ListParts", **upload), ok(), _parts())
    for content in (OLD, NEW):
        s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=content), ok())
        s3.expect(s3.look("ListParts", **upload), ok(), _parts(content))
    s3.expect(s3.call("AbortMultipartUpload", **upload), ok(204))
    s3.expect(s3.look("ListParts", **upload), refused(404, "NoSuchUpload"))
    s3.expect(s3.look("ListMultipartUploads", Prefix=s3.prefix), ok(), shows_upload(upload, shown=False))


def _parts(*contents: bytes) -> Matcher:
    wanted = [(number, md5_etag(content)) for number, content in enumerate(contents, 1)]

    def test(seen: Observed) -> str:
        found = [(part.get("PartNumber"), part.get("ETag")) for part in seen.output.get("Parts", [])]
        return "" if found == wanted else f"they were {found}"

    return Matcher(f"parts {wanted}", test)


@scenario("CON-016", MUST, "PutObject", "HeadObject", source=MODEL, clients=LIBRARIES)
def metadata_after_overwrite(s3: Scene) -> None:
    """Metadata is overwritten together with the object: the next HEAD shows the new one alone.

    S3 promises: strong consistency holds for the metadata of objects as for their bytes.

    Breaks: rclone reads modification times, backup programs read checksums from HEAD. Those of the earlier object
    beside the new one make them restore or skip the wrong file.

    Fix: keep metadata with the object it describes, in no cache of its own.
    """
    key = s3.key("described")
    for number in range(4):
        described = {"number": str(number), f"only-{number}": "here"}
        s3.expect(s3.call("PutObject", Key=key, Body=b"x" * number, Metadata=described), ok())
        s3.expect(s3.look("HeadObject", Key=key), ok(), metadata(described), header("Content-Length", str(number)))
        s3.expect(s3.call("HeadObject", Key=key), ok(), metadata(described))


@scenario("CON-017", SHOULD, "PutObjectTagging", "GetObjectTagging", source=MODEL, clients=LIBRARIES)
def tags_after_change(s3: Scene) -> None:
    """Tags are those that were set last, as soon as the change was answered.

    S3 promises: operations on object tags are strongly consistent too.

    Breaks: scanners that tag what they have checked, and readers that only take what is tagged "clean", one call
    after the other.

    Fix: change tags in the record of the object, in no index that follows later.
    """
    key = s3.key("tagged")
    s3.put(key)
    s3.expect(s3.look("GetObjectTagging", Key=key), tags([]))
    for value in ("first", "second"):
        s3.expect(s3.call("PutObjectTagging", Key=key, Tagging={"TagSet": tag_set(("state", value))}), ok())
        s3.expect(s3.look("GetObjectTagging", Key=key), tags(tag_set(("state", value))))
    s3.expect(s3.call("DeleteObjectTagging", Key=key), ok(204))
    s3.expect(s3.look("GetObjectTagging", Key=key), tags([]))


@scenario(
    "CON-018",
    SHOULD,
    "PutObject",
    "DeleteObject",
    "ListObjectVersions",
    source=f"{MODEL}; Amazon S3 User Guide, How S3 Versioning works",
    clients=LIBRARIES,
)
def versions_after_each(s3: Scene) -> None:
    """Each new version and each delete marker is listed, and is what a plain GET goes by, once it was answered.

    S3 promises: ListObjectVersions and GET are as consistent in a bucket that keeps versions as in any other.

    Breaks: backup programs list the versions they have just made, to keep their ids; a delete marker that comes into
    force late lets deleted files be read on.

    Fix: make the new version the latest in the step that stores it.
    """
    with versioned_bucket(s3) as bucket:
        key, made = "file", list[Version]()
        for step in ("put", "put", "delete", "put"):
            marker = step == "delete"
            answer = (
                s3.call("DeleteObject", Bucket=bucket, Key=key)
                if marker
                else s3.call("PutObject", Bucket=bucket, Key=key, Body=b"%d" % len(made))
            )
            s3.expect(answer, ok(204 if marker else 200))
            made.append(Version(key, str(answer.output.get("VersionId")), marker))
            s3.expect(s3.look("ListObjectVersions", Bucket=bucket), versions(in_order(made)))
            read = refused(404, "NoSuchKey") if marker else body(b"%d" % (len(made) - 1))
            s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), read)


@scenario("CON-019", MUST, "DeleteObjects", "GetObject", "ListObjectsV2", source=MODEL, clients=CALLERS)
def read_after_deletes(s3: Scene) -> None:
    """Of the keys that DeleteObjects reports as deleted, none can be read or is listed once it was answered.

    S3 promises: what holds for the delete of one object holds for the delete of many.

    Breaks: `aws s3 rm --recursive`, `rclone purge` and Terraform's force_destroy delete in batches and then delete
    the bucket, or list to see that it is empty. Work that goes on behind the answer makes that fail.

    Fix: answer when the deletes are done, not when they are queued.
    """
    gone, kept = [s3.key(f"gone-{number}") for number in range(6)], s3.key("kept")
    for key in (*gone, kept):
        s3.put(key, OLD)
    s3.expect(listed(s3), ok(), keys([*gone, kept]))
    s3.expect(s3.call("DeleteObjects", Delete={"Objects": [{"Key": key} for key in gone]}), ok())
    s3.expect(listed(s3), ok(), keys([kept]))
    for key in gone:
        s3.expect(s3.look("GetObject", Key=key), refused(404, "NoSuchKey"))
    s3.expect(s3.look("GetObject", Key=kept), ok(), body(OLD))
