"""CON: uploads, buckets and listings while others change them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.expect import Matcher, body, etag, keys, ok, one_of, refused
from harness.sandbox import creation
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._listing import ordered
from scenarios._races import BUSY, clean, expect_each, rounds, statuses, together
from scenarios.consistency import MODEL
from scenarios.etag import md5_etag
from scenarios.mpu import begin, composite, naming, nothing_stored, shows_upload, store

CLIENTS = 4


def calling(client: RawClient, operation: str, **params: Any) -> Callable[[], Observed]:
    """One call, to be made later."""
    return lambda: client.call(operation, params)


@scenario(
    "CON-027",
    SHOULD,
    "CompleteMultipartUpload",
    source="AWS API reference, CompleteMultipartUpload; Moto test_idempotent_multipart_upload (recorded on AWS)",
    clients=("raw",),
)
def one_object_of_many_completions(s3: Scene) -> None:
    """An upload that several clients complete at the same moment becomes one whole object; none is told of an error.

    S3 promises: completing is idempotent: who repeats it gets the same answer, or, once the upload is forgotten,
    NoSuchUpload; the object is the one that the parts make.

    Breaks: SDKs and rclone repeat a completion that took long while the first one still runs. A 500, or an object of
    twice the parts, turns a retry into a failed or a damaged upload.

    Fix: let the second completion wait for the first and answer like it; never join the parts twice.
    """
    with s3.crowd(CLIENTS) as clients:
        for number in rounds(s3, 4):
            key, data = s3.key(f"large-{number}"), b"the only part of upload %d" % number
            upload = begin(s3, key)
            asked = {"Bucket": s3.bucket, **upload, **naming(store(s3, upload, 1, data))}
            answers = together(s3, [calling(client, "CompleteMultipartUpload", **asked) for client in clients])
            expect_each(s3, answers, clean(404, *BUSY))
            done = [seen for seen in answers if seen.ok]
            s3.check(bool(done), "at least one success", statuses(answers), s3.keep("client", answers[-1]))
            expect_each(s3, done, etag(composite(data)))
            s3.expect(s3.look("GetObject", Key=key), ok(), body(data), etag(composite(data)))
    upload = begin(s3, s3.key("alone"))
    part = store(s3, upload, 1, b"alone")
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(part)), ok())
    s3.expect(s3.look("GetObject", Key=s3.key("alone")), ok(), body(b"alone"))


@scenario(
    "CON-028",
    MUST,
    "AbortMultipartUpload",
    "UploadPart",
    "ListParts",
    source="AWS API reference, AbortMultipartUpload: part uploads in progress might or might not succeed, and it may "
    "be necessary to abort again",
    clients=("raw",),
)
def abort_against_parts(s3: Scene) -> None:
    """An upload that is aborted while parts arrive ends: each part is taken or NoSuchUpload, and then nothing is left.

    S3 promises: parts in progress may succeed or fail; aborting again once they are answered frees all of them. No
    object comes about, and the upload and its parts are in no list any more.

    Breaks: every interrupted transfer ends like this: the user presses Ctrl-C while four parts are on their way. Parts
    that nobody lists are paid for and cannot be deleted; a 500 makes the program try again what it was to give up.

    Fix: store a part only if its upload is still open, in one step; drop what arrives later.
    """
    with s3.crowd(CLIENTS) as clients:
        for number in rounds(s3, 6):
            key = s3.key(f"aborted-{number}")
            upload = begin(s3, key)
            where = {"Bucket": s3.bucket, **upload}
            works = [
                calling(client, "UploadPart", **where, PartNumber=at, Body=b"%d" % at * 20_000)
                for at, client in enumerate(clients[1:], 1)
            ]
            answers = together(s3, [calling(clients[0], "AbortMultipartUpload", **where), *works])
            expect_each(s3, answers[:1], ok(204))
            expect_each(s3, answers[1:], one_of(ok(), refused(404, "NoSuchUpload")))
            s3.expect(s3.call("AbortMultipartUpload", **upload), one_of(ok(204), refused(404, "NoSuchUpload")))
            s3.expect(s3.look("ListParts", **upload), refused(404, "NoSuchUpload"))
            s3.expect(s3.look("ListMultipartUploads", Prefix=key), ok(), shows_upload(upload, shown=False))
            nothing_stored(s3, key)


@scenario(
    "CON-029",
    MUST,
    "CreateBucket",
    source="AWS API reference, CreateBucket; AWS error responses, OperationAborted",
    clients=("raw",),
)
def one_bucket_of_many_creations(s3: Scene) -> None:
    """A bucket that several clients of one account create at the same moment comes into being once, and works.

    S3 promises: at least one of them is told 200; the others 200, or 409 that it is theirs already or that a creation
    is under way.

    Breaks: programs that create their bucket on start (rclone, Velero, Loki, test suites) start on several machines
    together. A 500 for the loser, or a second creation that takes the place of the first, loses what was written.

    Fix: make the name unique in the place where buckets are recorded, and take the conflict for "exists already".
    """
    with s3.crowd(CLIENTS) as clients:
        for _ in rounds(s3, 3):
            name = s3.bucket_name()
            asked = creation(name, s3.witness.region)
            answers = together(s3, [calling(client, "CreateBucket", **asked) for client in clients])
            expect_each(s3, answers, clean(409))
            last = s3.keep("client", answers[-1])
            s3.check(any(seen.ok for seen in answers), "at least one success", statuses(answers), last)
            s3.expect(s3.call("PutObject", Bucket=name, Key="object", Body=b"content"), ok())
            again = s3.look("CreateBucket", **asked)
            s3.expect(again, clean(409))
            s3.expect(s3.look("GetObject", Bucket=name, Key="object"), ok(), body(b"content"))


@scenario("CON-031", MUST, "ListObjectsV2", "ListObjects", source=MODEL, clients=("raw",))
def listing_during_writes(s3: Scene) -> None:
    """A walk through a listing shows every key that was there all the time exactly once, while others come and go.

    S3 promises: pages are joined by position in the order of keys, not by number; what is written or deleted between
    two pages does not move the rest.

    Breaks: backups and migrations of buckets in use. With pages that are counted ("the next 1000"), each file that
    is deleted during the walk makes another one be skipped, which is then missing in the backup.

    Fix: continue behind the last key of the page before; never by offset, nor on a snapshot that expires.
    """
    stable = [s3.key(f"{number:02}-stable") for number in range(0, 16, 2)]
    churned = [s3.key(f"{number:02}-churned") for number in range(1, 16, 2)]
    for key in stable:
        s3.put(key)
    with s3.crowd(3) as clients:
        for _ in rounds(s3, 4):
            works = [
                _churning(clients[0], s3.bucket, churned),
                *(_listing(c, s3.bucket, s3.prefix) for c in clients[1:]),
            ]
            changes, *walks = together(s3, works)
            expect_each(s3, changes, clean())
            walks.append(_listing(clients[1], s3.bucket, s3.prefix, _between(clients[0], s3.bucket, churned[0]))())
            for pages in walks:
                _expect_walk(s3, pages, stable)
    s3.expect(s3.list_all(2, Prefix=s3.prefix), ok(), _contains(stable))


def _churning(client: RawClient, bucket: str, names: Sequence[str]) -> Callable[[], list[Observed]]:
    def work() -> list[Observed]:
        seen = []
        for name in [*reversed(names), *names]:
            seen.append(client.call("PutObject", {"Bucket": bucket, "Key": name, "Body": b"x"}))
            seen.append(client.call("DeleteObject", {"Bucket": bucket, "Key": name}))
        return seen

    return work


def _between(client: RawClient, bucket: str, name: str) -> Callable[[int], object]:
    """What happens between two pages where nothing is left to chance: a key before them is stored, or deleted again."""
    where = {"Bucket": bucket, "Key": name}
    return lambda page: client.call("DeleteObject" if page % 2 else "PutObject", where)


def _nothing(_page: int) -> None:
    """Others are changing keys at the same time."""


def _listing(
    client: RawClient, bucket: str, prefix: str, between: Callable[[int], object] = _nothing
) -> Callable[[], list[Observed]]:
    """Two walks in pages of three, one after the other; the pages of the first end with one that is not truncated."""

    def work() -> list[Observed]:
        pages: list[Observed] = []
        for _ in range(2):
            asked: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": 3}
            for number in range(30):
                page = client.call("ListObjectsV2", asked)
                pages.append(page)
                between(number)
                token = page.output.get("NextContinuationToken")
                if page.output.get("IsTruncated") is not True or not token:
                    break
                asked |= {"ContinuationToken": token}
        return pages

    return work


def _expect_walk(s3: Scene, pages: list[Observed], stable: list[str]) -> None:
    """Each of the walks shows every stable key once, in order."""
    shown: list[str] = []
    for page in pages:
        expect_each(s3, [page], ok())
        shown += [key for key in page.keys if key in stable]
        if page.output.get("IsTruncated") is not True:
            found = f"keys were {[key.rpartition('/')[2] for key in shown]}"
            s3.check(shown == stable, f"each of {len(stable)} keys once, in order", found, s3.keep("client", page))
            s3.seen.pop()
            shown = []
    s3.check(not shown, "a walk that comes to an end", "it does not", pages[-1])


def _contains(stable: list[str]) -> Matcher:
    def test(seen: Observed) -> str:
        found = [key for key in seen.keys if key in stable]
        return "" if found == stable else f"of them {len(found)} came"

    return Matcher(f"{len(stable)} keys that were there all the time", test)


@scenario(
    "CON-032",
    MUST,
    "UploadPart",
    "ListParts",
    source="Amazon S3 User Guide, Uploading and copying objects using multipart upload: parts in any order",
    clients=("raw",),
)
def parts_at_once(s3: Scene) -> None:
    """Parts that are uploaded at the same time, in any order, are all there afterwards, each with its own bytes.

    S3 promises: parts are independent of each other; the upload holds every part that was answered.

    Breaks: all transfer programs send four to ten parts at a time. A list of parts that is read, extended and written
    back loses those that came in between: InvalidPart after hours of uploading.

    Fix: store each part under its own number, not as an entry of a list that all parts share.
    """
    order = random.Random(s3.seed)  # noqa: S311 - an order to try, not a secret
    with s3.crowd(CLIENTS) as clients:
        for number in rounds(s3, 4):
            upload = begin(s3, s3.key(f"parallel-{number}"))
            numbers = list(range(1, 3 * CLIENTS + 1))
            order.shuffle(numbers)
            works = [
                _sending(client, {"Bucket": s3.bucket, **upload}, numbers[at::CLIENTS])
                for at, client in enumerate(clients)
            ]
            expect_each(s3, [seen for each in together(s3, works) for seen in each], ok())
            wanted = [(at, md5_etag(_part(at)), len(_part(at))) for at in sorted(numbers)]
            s3.expect(s3.call("ListParts", **upload), ok(), _parts(wanted))


def _part(number: int) -> bytes:
    return b"part %d " % number * (number * 40)


def _sending(client: RawClient, where: dict[str, Any], numbers: Sequence[int]) -> Callable[[], list[Observed]]:
    def work() -> list[Observed]:
        return [client.call("UploadPart", {**where, "PartNumber": at, "Body": _part(at)}) for at in numbers]

    return work


def _parts(wanted: list[tuple[int, str, int]]) -> Matcher:
    def test(seen: Observed) -> str:
        parts = seen.output.get("Parts", [])
        found = [(part.get("PartNumber"), part.get("ETag"), part.get("Size")) for part in parts]
        missing = [number for number, *_ in wanted if number not in [shown[0] for shown in found]]
        wrong = [shown for shown in found if shown not in wanted]
        return "" if found == wanted else f"missing {missing}, wrong {wrong[:3]}, {len(found)} in all"

    return Matcher(f"parts {[number for number, *_ in wanted]} with their ETags and sizes", test)


@scenario(
    "CON-033",
    SHOULD,
    "UploadPart",
    "ListParts",
    "CompleteMultipartUpload",
    source="AWS API reference, UploadPart: a part number that is used again overwrites the earlier part",
    clients=("raw",),
)
def one_part_of_many_sendings(s3: Scene) -> None:
    """A part that is sent several times at once is one of the sent ones, whole: ETag, size and bytes of the same.

    S3 promises: the part that was stored last takes the place of the others; its ETag is that of its bytes.

    Breaks: a part that is sent again while the first attempt is still on its way, which is what every client does
    after a timeout. With the ETag of one and the bytes of the other the object is damaged, and its checksum is wrong.

    Fix: store bytes and digest of a part under one name, and switch both at once.
    """
    with s3.crowd(CLIENTS) as clients:
        for number in rounds(s3, 4):
            key = s3.key(f"again-{number}")
            upload = begin(s3, key)
            contents = [b"sent by %d " % client * (3000 * client + 3) for client in range(CLIENTS)]
            where = {"Bucket": s3.bucket, **upload, "PartNumber": 1}
            works = [
                calling(client, "UploadPart", **where, Body=data)
                for client, data in zip(clients, contents, strict=True)
            ]
            expect_each(s3, together(s3, works), ok())
            listing = s3.look("ListParts", **upload)
            s3.expect(listing, ok(), one_of(*(_parts([(1, md5_etag(data), len(data))]) for data in contents)))
            tag = listing.output["Parts"][0]["ETag"]
            s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming({"PartNumber": 1, "ETag": tag})), ok())
            stored = next(data for data in contents if md5_etag(data) == tag)
            s3.expect(s3.look("GetObject", Key=key), ok(), body(stored), etag(composite(stored)))


@scenario("CON-037", MUST, "PutObject", "ListObjectsV2", source=MODEL, clients=("raw",))
def neighbours_at_once(s3: Scene) -> None:
    """Objects that several clients store under different keys at the same time are all there, readable and listed.

    S3 promises: writes of different keys do not touch each other, however close the names are.

    Breaks: every parallel upload of a folder. An index that is read, extended and written back for a whole folder
    loses files that were answered with 200.

    Fix: change the index key by key, in transactions, not folder by folder.
    """
    with s3.crowd(CLIENTS) as clients:
        for number in rounds(s3, 3):
            names = {at: [s3.key(f"{number}/folder/{step}-{at}") for step in range(6)] for at in range(CLIENTS)}
            works = [_storing(client, s3.bucket, names[at]) for at, client in enumerate(clients)]
            expect_each(s3, [seen for each in together(s3, works) for seen in each], ok())
            everything = ordered(key for each in names.values() for key in each)
            s3.expect(s3.list_all(2, Prefix=s3.key(f"{number}/")), ok(), keys(everything))
            reads = [clients[0].call("GetObject", {"Bucket": s3.bucket, "Key": key}) for key in everything]
            for key, read in zip(everything, reads, strict=True):
                expect_each(s3, [read], ok(), body(key.encode()))


def _storing(client: RawClient, bucket: str, names: Sequence[str]) -> Callable[[], list[Observed]]:
    def work() -> list[Observed]:
        return [client.call("PutObject", {"Bucket": bucket, "Key": key, "Body": key.encode()}) for key in names]

    return work
