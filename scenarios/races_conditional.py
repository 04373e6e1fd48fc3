"""CON: conditional writes by several clients at the same time: one winner, and no update that is lost."""

from __future__ import annotations

from collections.abc import Callable

from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.expect import body, ok, refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios._conditional import put_for_etag
from scenarios._races import BUSY, clean, expect_each, rounds, statuses, together
from scenarios.mpu import begin, naming, store

WRITERS = 4

BOTO = "botocore, documentation of IfNoneMatch and IfMatch; Amazon S3 User Guide, Conditional writes"

LOST = (412, *BUSY)
"""What the losers of a race are told: the condition failed, or there was a conflict and they may try again."""


def one_winner(s3: Scene, answers: list[Observed]) -> int:
    """Exactly one of the answers is a success, the others are clean refusals; gives which one won."""
    expect_each(s3, answers, clean(*LOST))
    winners = [at for at, seen in enumerate(answers) if seen.ok]
    last = s3.keep("client", answers[winners[-1] if winners else -1])
    s3.check(len(winners) == 1, "exactly one success", f"{len(winners)}: {statuses(answers)}", last)
    return winners[0]


@scenario("CON-024", SHOULD, "PutObject", source=BOTO, clients=("raw",))
def one_creator(s3: Scene) -> None:
    """Whenever several clients create a free key with If-None-Match: *, one succeeds, and its bytes are what is there.

    S3 promises: the condition is tested when the object becomes visible. Of several writers at the same time one
    finds the key free; the others are told 412, or 409 if they have to try again. It is so again after each delete.

    Breaks: locks and "who is first" elections on object storage (Terraform's lock files, leader election of
    Kubernetes tools): two winners both believe that they hold the lock.

    Fix: test and write in one transaction, or take a lock on the key around both.
    """
    key = s3.key("lock")
    with s3.crowd(WRITERS) as clients:
        for number in rounds(s3, 6):
            contents = [b"held by %d in round %d" % (writer, number) for writer in range(WRITERS)]
            works = [_creating(client, s3.bucket, key, data) for client, data in zip(clients, contents, strict=True)]
            winner = one_winner(s3, together(s3, works))
            s3.expect(s3.look("GetObject", Key=key), ok(), body(contents[winner]))
            s3.expect(s3.call("PutObject", Key=key, Body=b"late", IfNoneMatch="*"), refused(412, "PreconditionFailed"))
            s3.expect(s3.call("DeleteObject", Key=key), ok(204))
            s3.expect(s3.look("HeadObject", Key=key), refused(404))


def _creating(client: RawClient, bucket: str, key: str, data: bytes) -> Callable[[], Observed]:
    return lambda: client.call("PutObject", {"Bucket": bucket, "Key": key, "Body": data, "IfNoneMatch": "*"})


@scenario("CON-025", SHOULD, "CompleteMultipartUpload", source=BOTO, clients=("raw",))
def one_completer(s3: Scene) -> None:
    """When several uploads of a free key are completed at once with If-None-Match: *, one succeeds, and it is whole.

    S3 promises: the condition of CompleteMultipartUpload is tested when the object becomes visible, as for a PUT.

    Breaks: writers of large files that must not replace each other's (table formats, backups): the second winner
    replaces what the first one was told is stored for good.

    Fix: test the condition in the step that switches the key, not before the parts are joined.
    """
    with s3.crowd(WRITERS) as clients:
        for number in rounds(s3, 4):
            key = s3.key(f"table-{number}")
            contents = [b"written by %d in round %d" % (writer, number) for writer in range(WRITERS)]
            works = []
            for client, data in zip(clients, contents, strict=True):
                upload = begin(s3, key)
                asked = {"Bucket": s3.bucket, **upload, **naming(store(s3, upload, 1, data)), "IfNoneMatch": "*"}
                works.append(_completing(client, asked))
            winner = one_winner(s3, together(s3, works))
            s3.expect(s3.look("GetObject", Key=key), ok(), body(contents[winner]))
    late = begin(s3, key)
    part = store(s3, late, 1, b"late")
    refusal = s3.call("CompleteMultipartUpload", **late, **naming(part), IfNoneMatch="*")
    s3.expect(refusal, refused(412, "PreconditionFailed"))


def _completing(client: RawClient, asked: dict[str, object]) -> Callable[[], Observed]:
    return lambda: client.call("CompleteMultipartUpload", asked)


@scenario("CON-026", SHOULD, "PutObject", "GetObject", source=BOTO, clients=("raw",))
def no_increment_is_lost(s3: Scene) -> None:
    """A counter that several clients increment with GET and PUT If-Match counts every PUT that succeeded.

    S3 promises: If-Match makes the read and the write one step: the write succeeds only on the object that was read.

    Breaks: every compare-and-swap on object storage: commit logs of Delta Lake and Iceberg, leases, cursors. An
    update that was answered with 200 and is overwritten by another one that had read the same state is lost.

    Fix: compare the ETag inside the transaction that replaces the object.
    """
    key = s3.key("counter")
    with s3.crowd(3) as clients:
        for _ in rounds(s3, 2):
            put_for_etag(s3, key, b"0")
            answers = together(s3, [_incrementing(client, s3.bucket, key) for client in clients])
            writes = [seen for each in answers for seen in each]
            expect_each(s3, writes, clean(*LOST))
            done = sum(seen.ok and seen.operation == "PutObject" for seen in writes)
            s3.check(done > 0, "at least one increment succeeds", f"none of {len(writes)} calls", writes[-1])
            s3.expect(s3.look("GetObject", Key=key), ok(), body(b"%d" % done))
    held = put_for_etag(s3, key, b"0")
    s3.expect(s3.call("PutObject", Key=key, Body=b"1", IfMatch=held), ok())
    s3.expect(s3.call("PutObject", Key=key, Body=b"1", IfMatch=held), refused(412, "PreconditionFailed"))


def _incrementing(client: RawClient, bucket: str, key: str) -> Callable[[], list[Observed]]:
    """Ten attempts to increment, whether or not they succeed."""

    def work() -> list[Observed]:
        seen: list[Observed] = []
        for _ in range(10):
            read = client.call("GetObject", {"Bucket": bucket, "Key": key})
            text = read.body or b""
            if not read.ok or not text.isdigit() or len(text) > 9:
                return [*seen, read]
            asked = {"Bucket": bucket, "Key": key, "Body": b"%d" % (int(text) + 1), "IfMatch": read.etag or ""}
            seen.append(client.call("PutObject", asked))
        return seen

    return work
