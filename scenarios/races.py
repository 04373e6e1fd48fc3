"""CON: several clients at the same time, reading and writing whole objects. Conditions and uploads: `races_*`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.expect import Matcher, body, etag, keys, ok, one_of, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import encode
from scenarios._races import SlowReader, expect_each, rounds, together
from scenarios._versioned import versioned_bucket
from scenarios.consistency import MODEL
from scenarios.etag import md5_etag
from scenarios.meta import has_metadata

LARGE = 4 << 20
"""Bytes of an object that is not sent at once: more than sockets hold between two programs."""


def content(writer: int, number: int, size: int = 0) -> bytes:
    """The bytes of one write, which tell who wrote them; of so many bytes, or of sizes that differ, up to 50 KB."""
    line = f"written by {writer} as number {number}\n".encode()
    size = size or (writer * 17_000 + number * 997) % 50_000 + 60
    return (line * (size // len(line) + 1))[:size]


def described(data: bytes) -> dict[str, str]:
    """Metadata that belongs to some bytes and to no others."""
    return {"digest": hashlib.sha256(data).hexdigest()}


def whole(written: Sequence[bytes]) -> Matcher:
    """A read gives the bytes of one of the writes, with the ETag and the metadata of the same one.

    Entries of its own that a gateway adds to the metadata, as `rclone serve s3` adds a time, mix nothing up.
    """
    known = set(written)

    def test(seen: Observed) -> str:
        data = seen.body or b""
        if not seen.ok:
            return f"got {seen.summary()}"
        if data not in known:
            writers = sorted({line.decode("ascii", "replace") for line in data.splitlines()[:-1]})
            return f"{len(data)} bytes came, of {writers[:3]}"
        return etag(md5_etag(data)).test(seen) or has_metadata(described(data)).test(seen)

    return Matcher("the bytes of one write, with the ETag and the metadata of the same one", test)


@scenario("CON-020", MUST, "PutObject", "GetObject", "HeadObject", "ListObjectsV2", source=MODEL, clients=("raw",))
def never_an_old_one(s3: Scene) -> None:
    """A key that is overwritten many times in a row shows the last object each time, on every connection.

    S3 promises: each read that begins after a PUT was answered shows this object or a later one, wherever the read
    arrives.

    Breaks: counters, cursors and "latest" pointers: one connection in four that leads to a node with an older copy
    makes a program go back in time, and do again what is done.

    Fix: no copy may answer until it knows that it is the newest.
    """
    key = s3.key("pointer")
    with s3.crowd(3) as clients:
        for number in rounds(s3, 25):
            written = content(0, number)
            s3.expect(s3.call("PutObject", Key=key, Body=written), ok())
            reads = [client.call("GetObject", {"Bucket": s3.bucket, "Key": key}) for client in clients]
            expect_each(s3, reads, ok(), body(written), etag(md5_etag(written)))
            head = clients[number % 3].call("HeadObject", {"Bucket": s3.bucket, "Key": key})
            expect_each(s3, [head], ok(), etag(md5_etag(written)))
    s3.expect(s3.call("GetObject", Key=key), ok(), body(written))


@scenario("CON-021", MUST, "PutObject", "GetObject", source=MODEL, clients=("raw",))
def writers_never_mix(s3: Scene) -> None:
    """Of several writers of one key each write stays whole: bytes, length, ETag and metadata are always those of one.

    S3 promises: concurrent PUTs of a key do not lock each other; the last one wins as a whole, and any reader sees one
    of them complete.

    Breaks: programs that write the same file from several machines expect one of the versions, not a file that begins
    like one and ends like another, nor bytes beside the ETag of others, which every checking client calls corrupt.

    Fix: write each body to a place of its own, and switch the record of the key, with all its attributes, in one step.
    """
    key = s3.key("contested")
    first = content(9, 0)
    s3.put(key, first, Metadata=described(first))
    last: bytes = first
    with s3.crowd(5) as clients:
        for number in rounds(s3, 4):
            plans = [[content(writer, number * 4 + step) for step in range(4)] for writer in range(3)]
            works = [_writing(client, s3.bucket, key, plan) for client, plan in zip(clients, plans, strict=False)]
            works += [_reading(client, s3.bucket, key, 8) for client in clients[3:]]
            answers = together(s3, works)
            expect_each(s3, [seen for each in answers[:3] for seen in each], ok())
            possible = [last, *(data for plan in plans for data in plan)]
            expect_each(s3, [seen for each in answers[3:] for seen in each], whole(possible))
            final = s3.expect(s3.call("GetObject", Key=key), *_final([plan[-1] for plan in plans]))
            last = final.body or b""


def _final(lasts: list[bytes]) -> tuple[Matcher, ...]:
    """What is left is the last write of one of the writers, whose writes follow each other."""
    return (
        one_of(*(body(data) for data in lasts)),
        one_of(*(etag(md5_etag(data)) for data in lasts)),
        one_of(*(has_metadata(described(data)) for data in lasts)),
    )


def _writing(client: RawClient, bucket: str, key: str, plan: Sequence[bytes]) -> Callable[[], list[Observed]]:
    def work() -> list[Observed]:
        return [
            client.call("PutObject", {"Bucket": bucket, "Key": key, "Body": data, "Metadata": described(data)})
            for data in plan
        ]

    return work


def _reading(client: RawClient, bucket: str, key: str, times: int) -> Callable[[], list[Observed]]:
    def work() -> list[Observed]:
        return [client.call("GetObject", {"Bucket": bucket, "Key": key}) for _ in range(times)]

    return work


@scenario("CON-022", MUST, "GetObject", "PutObject", source=MODEL, clients=("raw",))
def reader_during_overwrite(s3: Scene) -> None:
    """A download during which the object is overwritten or deleted goes on to its end, and gives one whole object.

    S3 promises: a GET returns the object as it was at one moment; what happens to the key while the bytes are on
    their way changes nothing about them.

    Breaks: long downloads of what others replace: mirrors, container images, nightly dumps. The file has the right
    length and the right ETag in its headers, and the second half of another version.

    Fix: open the body when the headers are written and keep it until the last byte is sent; overwrite by replacing,
    never in place.
    """
    key, (first, second) = s3.key("download"), (content(writer, 0, LARGE) for writer in (1, 2))
    # The same length, then a shorter one, then none: what is read in place mixes, or ends early.
    turns = ((first, second), (second, b"short"), (first, b""))
    for number in rounds(s3, len(turns)):
        old, new = turns[number]
        s3.put(key, old, Metadata=described(old))
        changed: list[Observed] = []
        slow = SlowReader(s3.witness.endpoint, _changing(s3, key, new, changed))
        try:
            read = slow.call("GetObject", {"Bucket": s3.bucket, "Key": key})
        finally:
            slow.close()
        expect_each(s3, changed, ok(200 if new else 204))
        expect_each(s3, [read], whole([old]))
        s3.expect(s3.call("GetObject", Key=key), body(new) if new else refused(404, "NoSuchKey"))


def _changing(s3: Scene, key: str, new: bytes, changed: list[Observed]) -> Callable[[], None]:
    """The overwrite with some bytes, or the delete where there are none; what it came to is added to `changed`."""
    where = {"Bucket": s3.bucket, "Key": key}

    def change() -> None:
        one = ("PutObject", where | {"Body": new}) if new else ("DeleteObject", where)
        changed.append(s3.witness.call(*one))

    return change


@scenario(
    "CON-023",
    MUST,
    "GetObject",
    "PutObject",
    source=f"{MODEL}; RFC 9110 §13.1.1",
    clients=("raw",),
)
def ranges_never_mix(s3: Scene) -> None:
    """Ranges that are read with If-Match during overwrites are all of the object with this ETag, or are 412.

    S3 promises: If-Match and the bytes are taken from the same object, at the same moment. (That a range is 206, and
    no more than the range, is GET-006's statement; here the bytes count, and whether they belong to the ETag.)

    Breaks: boto3's and the AWS CLI's downloads fetch large files in ranges with If-Match, so as to notice a change. If
    the condition is checked on one version and the bytes come from the next, the joined file is damaged unnoticed.

    Fix: look the object up once for a request; check the condition, and open the body, on what was found.
    """
    key, size, step = s3.key("ranged"), 120_000, 40_000
    versions = [content(writer, 0, size) for writer in (1, 2)]
    s3.put(key, versions[0], Metadata=described(versions[0]))
    with s3.crowd(3) as clients:
        for number in rounds(s3, 6):
            plan = [versions[(number + turn) % 2] for turn in range(6)]
            answers = together(
                s3,
                [
                    _writing(clients[0], s3.bucket, key, plan),
                    *(_in_ranges(client, s3.bucket, key, size, step) for client in clients[1:]),
                ],
            )
            expect_each(s3, answers[0], ok())
            for reads in answers[1:]:
                expect_each(s3, reads, one_of(_of_one(versions, step), refused(412)))
    s3.expect(s3.call("GetObject", Key=key), one_of(*(body(version) for version in versions)))


def _of_one(versions: Sequence[bytes], step: int) -> Matcher:
    """A stretch of `step` bytes, or the whole object where the range is passed over, with the ETag of the same one."""
    whole_ones = {(version, md5_etag(version)) for version in versions}
    stretches = {(data[at : at + step], tag) for data, tag in whole_ones for at in range(0, len(data), step)}

    def test(seen: Observed) -> str:
        if not seen.ok:
            return f"got {seen.summary()}"
        matches = (seen.body, seen.etag) in stretches | whole_ones
        return "" if matches else f"ETag {seen.etag} beside {(seen.body or b'')[:40]!r}…"

    return Matcher("bytes of the object that has this ETag", test)


def _in_ranges(client: RawClient, bucket: str, key: str, size: int, step: int) -> Callable[[], list[Observed]]:
    def work() -> list[Observed]:
        reads: list[Observed] = []
        for _ in range(3):
            held = client.call("HeadObject", {"Bucket": bucket, "Key": key}).etag or ""
            for at in range(0, size, step):
                asked = {"Bucket": bucket, "Key": key, "Range": f"bytes={at}-{at + step - 1}", "IfMatch": held}
                reads.append(client.call("GetObject", asked))
        return reads

    return work


@scenario("CON-030", MUST, "DeleteObject", source=MODEL, clients=("raw",))
def deletes_at_once(s3: Scene) -> None:
    """Several clients that delete the same object at the same moment are all told that it is gone.

    S3 promises: DeleteObject is 204 whether or not there is an object, so that who comes second is not at fault.

    Breaks: cleaners that run on several machines, and retries after a timeout: an error for the loser of the race
    ends a job that had nothing left to do.

    Fix: take "it is gone already" for success at every level below the answer.
    """
    key = s3.key("deleted")
    with s3.crowd(4) as clients:
        for _ in rounds(s3, 8):
            s3.put(key, b"to be deleted")
            works = [_deleting(client, s3.bucket, key) for client in clients]
            expect_each(s3, [seen for each in together(s3, works) for seen in each], ok(204))
            s3.expect(s3.look("GetObject", Key=key), refused(404, "NoSuchKey"))
    s3.put(key, b"to be deleted")
    s3.expect(s3.call("DeleteObject", Key=key), ok(204))
    s3.expect(s3.look("GetObject", Key=key), refused(404, "NoSuchKey"))


def _deleting(client: RawClient, bucket: str, key: str) -> Callable[[], list[Observed]]:
    return lambda: [client.call("DeleteObject", {"Bucket": bucket, "Key": key})]


@scenario("CON-034", MUST, "PutObject", "DeleteObject", "GetObject", "ListObjectsV2", source=MODEL, clients=("raw",))
def put_against_delete(s3: Scene) -> None:
    """Of a PUT and a DELETE at the same moment one comes last: the object is whole and listed, or it is gone and not.

    S3 promises: both succeed; the state afterwards is what one of the two orders leaves, the same for GET and LIST.

    Breaks: a key that is listed and cannot be read (or is read and not listed) makes sync tools fail on every run,
    and cannot be repaired by deleting it again.

    Fix: change the object and its entry in the index in one step, so that both have the same last writer.
    """
    key = s3.key("contested")
    with s3.crowd(4) as clients:
        for number in rounds(s3, 8):
            old, new = content(0, number), content(1, number, 40_000)
            s3.put(key, old, Metadata=described(old))
            works = [_writing(clients[0], s3.bucket, key, [new]), _deleting(clients[1], s3.bucket, key)]
            works += [_reading(client, s3.bucket, key, 2) for client in clients[2:]]
            put, deleted, *others = together(s3, works)
            reads = [read for each in others for read in each]
            expect_each(s3, put, ok())
            expect_each(s3, deleted, ok(204))
            expect_each(s3, reads, one_of(whole([old, new]), refused(404, "NoSuchKey")))
            final = s3.look("GetObject", Key=key)
            s3.expect(final, one_of(body(new), refused(404, "NoSuchKey")))
            listing = s3.look("ListObjectsV2", Prefix=s3.prefix)
            s3.expect(listing, ok(), keys([key] if final.ok else []))
    s3.expect(s3.call("PutObject", Key=key, Body=b"at last"), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(b"at last"))


@scenario("CON-035", MUST, "CopyObject", "PutObject", source=MODEL, clients=("raw",))
def copy_during_overwrite(s3: Scene) -> None:
    """A copy of an object that is being overwritten is one whole version of it: bytes, ETag and metadata of the same.

    S3 promises: CopyObject reads its source as a GET does: at one moment.

    Breaks: snapshots and moves of files that are in use. A copy with the bytes of one version and the ETag or the
    metadata of another cannot be told from a damaged one later.

    Fix: take attributes and body of the source from one lookup.
    """
    source, size = s3.key("source"), 50_000
    versions = [content(writer, 0, size + writer * 5000) for writer in (1, 2)]
    s3.put(source, versions[0], Metadata=described(versions[0]))
    targets = [s3.key(f"copy-{number}") for number in range(3)]
    header = f"{s3.bucket}/{encode(source, safe='/')}"
    with s3.crowd(2) as clients:
        for number in rounds(s3, 8):
            plan = [versions[(number + turn + 1) % 2] for turn in range(4)]
            answers = together(
                s3, [_writing(clients[0], s3.bucket, source, plan), _copying(clients[1], s3.bucket, header, targets)]
            )
            expect_each(s3, [seen for each in answers for seen in each], ok())
            expect_each(s3, [s3.look("GetObject", Key=target) for target in targets], whole(versions))
    s3.expect(s3.call("CopyObject", Key=s3.key("last"), CopySource=header), ok())
    s3.expect(s3.look("GetObject", Key=s3.key("last")), whole(versions))


def _copying(client: RawClient, bucket: str, source: str, targets: Sequence[str]) -> Callable[[], list[Observed]]:
    def work() -> list[Observed]:
        return [client.call("CopyObject", {"Bucket": bucket, "Key": key, "CopySource": source}) for key in targets]

    return work


@scenario(
    "CON-036",
    SHOULD,
    "PutObject",
    "ListObjectVersions",
    source=f"{MODEL}; Amazon S3 User Guide, How S3 Versioning works",
    clients=("raw",),
)
def versions_at_once(s3: Scene) -> None:
    """Several writers of one key in a bucket that keeps versions lose none: each PUT is a version, one is the latest.

    S3 promises: with versioning every PUT that was answered has an id of its own, under which its bytes stay readable.

    Breaks: versioning is switched on so that concurrent writers cannot destroy each other's work. A version that is
    overwritten by its neighbour is lost although its writer was told that it is safe.

    Fix: make ids unique by more than the clock, and insert versions; never write "the next one" as read before.
    """
    with versioned_bucket(s3) as bucket, s3.crowd(4) as clients:
        for number in rounds(s3, 3):
            key = f"contested-{number}"
            plans = [[content(writer, step, 300) for step in range(3)] for writer in range(4)]
            works = [_writing(client, bucket, key, plan) for client, plan in zip(clients, plans, strict=True)]
            answers = [seen for each in together(s3, works) for seen in each]
            expect_each(s3, answers, ok())
            ids = [str(seen.output.get("VersionId")) for seen in answers]
            wanted = dict(zip(ids, [md5_etag(data) for plan in plans for data in plan], strict=True))
            s3.check(len(wanted) == len(ids), f"{len(ids)} different version ids", f"{len(wanted)} came", answers[-1])
            listing = s3.expect(s3.look("ListObjectVersions", Bucket=bucket, Prefix=key), ok())
            entries = listing.output.get("Versions", [])
            found = {str(entry.get("VersionId")): entry.get("ETag") for entry in entries}
            missing = [version for version in wanted if found.get(version) != wanted[version]]
            s3.check(not missing, "every version listed with its ETag", f"{len(missing)} are not", listing)
            latest = [entry.get("VersionId") for entry in entries if entry.get("IsLatest") is True]
            s3.check(len(latest) == 1, "one version is the latest", f"{len(latest)} are", listing)
        s3.expect(s3.call("PutObject", Bucket=bucket, Key="contested-0", Body=b"at last"), ok())
        s3.expect(s3.look("GetObject", Bucket=bucket, Key="contested-0"), ok(), body(b"at last"))
