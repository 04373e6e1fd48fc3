"""CWR: conditional writes with PutObject; those of other operations are in `conditional_writes_*`."""

from __future__ import annotations

import threading
from typing import Any

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.expect import Matcher, body, ok, refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios._conditional import STALE, failed, not_implemented, put_for_etag
from scenarios._versioned import versioned_bucket, with_and_without_versions
from scenarios.mpu import nothing_stored, read_back

FIRST, SECOND = b"what the first writer wrote", b"what the second writer would write"

WRITERS = 8
"""Writers at the same time: enough to overlap, few enough for a small endpoint."""


@scenario(
    "CWR-001",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_if_none_match (recorded on AWS); Moto test_put_object_if_none_match (verified "
    "on AWS); versitygw REST test PutObject - If-None-Match - block copy",
    clients=CALLERS,
)
def create_only(s3: Scene) -> None:
    """PutObject with If-None-Match: * stores a free key, and is refused with 412 where there is an object already.

    S3 promises: the write happens only if the key has no object. Otherwise the answer is 412 PreconditionFailed with
    Condition If-None-Match, and the object that is there stays, bytes and ETag.

    Breaks: locks and logs that rest on "who writes first, wins": Terraform's lock file in S3, the commits of Delta Lake
    and Iceberg tables. Where the header is ignored, two writers both believe that they won, and one commit is lost.

    Fix: test for the key in the transaction that makes the new object visible, not when the request arrives.
    """
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=FIRST, IfNoneMatch="*"), ok())
    s3.expect(s3.call("PutObject", Key=key, Body=SECOND, IfNoneMatch="*"), failed("If-None-Match"))
    read_back(s3, key, FIRST)


@scenario(
    "CWR-002",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_if_none_match and test_put_object_if_none_match_versioned_bucket (recorded on "
    "AWS)",
    clients=LIBRARIES,
)
def create_after_delete(s3: Scene) -> None:
    """If-None-Match: * lets a deleted key be written again, also where a delete marker is its newest version.

    S3 promises: what counts is whether the key has an object now. A key that was deleted is free, in a bucket with
    versions as well, where older versions lie under the marker.

    Breaks: locks that are taken, released and taken again. A store that finds the old versions, or its own tombstone,
    refuses every writer after the first release, and the lock is held for ever by nobody.

    Fix: ask the same question as GET does: is there a present object? A delete marker is the answer "no".
    """
    key = s3.key()
    for bucket in with_and_without_versions(s3):
        s3.put(key, FIRST, Bucket=bucket)
        s3.setup("DeleteObject", Bucket=bucket, Key=key)
        s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=SECOND, IfNoneMatch="*"), ok())
        s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), ok(), body(SECOND))


@scenario(
    "CWR-003",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_if_none_match_validation (recorded on AWS); versitygw REST test PutObject - "
    "If-None-Match - no asterisk",
    clients=LIBRARIES,
)
def if_none_match_takes_a_star(s3: Scene) -> None:
    """PutObject with an ETag in If-None-Match is refused with 501 NotImplemented, which names the header.

    S3 promises: on writes the header has one meaning, "*". Any ETag, matching or not, is 501 NotImplemented with Header
    If-None-Match, and nothing is written.

    Breaks: strict validation for most; a program that sends an ETag wants "write unless it is this one", and a
    gateway that takes it for the star, or for nothing, answers another question with 200.

    Fix: accept "*" alone, and say for everything else that you do not do it.
    """
    key, free = s3.key(), s3.key("free")
    first = put_for_etag(s3, key, FIRST)
    for tag in (first, STALE):
        s3.expect(s3.call("PutObject", Key=key, Body=SECOND, IfNoneMatch=tag), not_implemented("If-None-Match"))
        read_back(s3, key, FIRST)
    s3.expect(s3.call("PutObject", Key=free, Body=SECOND, IfNoneMatch=STALE), not_implemented("If-None-Match"))
    nothing_stored(s3, free)
    s3.expect(s3.call("PutObject", Key=free, Body=SECOND, IfNoneMatch="*"), ok())
    read_back(s3, free, SECOND)


@scenario(
    "CWR-004",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_if_match (recorded on AWS); versitygw REST test PutObject - If-Match - "
    "incorrect etag",
    clients=CALLERS,
)
def replace_if_unchanged(s3: Scene) -> None:
    """PutObject with If-Match replaces the object while it has the ETag, and is refused with 412 once it has another.

    S3 promises: compare and swap. With the current ETag the write happens; with a stale one the answer is 412
    PreconditionFailed with Condition If-Match, and the object stays as it is.

    Breaks: state files that several programs update (Terraform, table catalogues, leader election). Ignored, the header
    protects nothing: the later writer wipes out what the earlier one added, and both saw success.

    Fix: compare within the transaction that replaces the object, with the ETag as it is stored.
    """
    key = s3.key()
    first = put_for_etag(s3, key, FIRST)
    s3.expect(s3.call("PutObject", Key=key, Body=SECOND, IfMatch=STALE), failed("If-Match"))
    read_back(s3, key, FIRST)
    s3.expect(s3.call("PutObject", Key=key, Body=SECOND, IfMatch=first), ok())
    read_back(s3, key, SECOND)
    s3.expect(s3.call("PutObject", Key=key, Body=FIRST, IfMatch=first), failed("If-Match"))
    read_back(s3, key, SECOND)


@scenario(
    "CWR-005",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_if_match (recorded on AWS); versitygw REST test PutObject - If-Match - file "
    "doesn't exist on server",
    clients=LIBRARIES,
)
def nothing_to_match(s3: Scene) -> None:
    """PutObject with If-Match on a key without an object is refused with 404 NoSuchKey, and stores nothing.

    S3 promises: there is no ETag to compare with, and S3 says so by 404 rather than 412. The key stays free.

    Breaks: updaters tell "somebody removed it" from "somebody changed it" by these two answers: the first they treat as
    lost and start anew, the second they merge and try again.

    Fix: look the key up before comparing, and answer its absence with NoSuchKey.
    """
    key, missing = s3.key(), s3.key("missing")
    first = put_for_etag(s3, key, FIRST)
    s3.expect(s3.call("PutObject", Key=key, Body=SECOND, IfMatch=first), ok())
    s3.expect(s3.call("PutObject", Key=missing, Body=SECOND, IfMatch=first), refused(404, "NoSuchKey"))
    nothing_stored(s3, missing)
    read_back(s3, key, SECOND)


@scenario(
    "CWR-006",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_if_match_versioned_bucket (recorded on AWS)",
    clients=LIBRARIES,
)
def deleted_does_not_match(s3: Scene) -> None:
    """PutObject with If-Match is refused with 404 NoSuchKey where a delete marker is the newest version.

    S3 promises: the marker hides the versions below it from conditions too. Even the ETag of the version right under it
    does not match.

    Breaks: a writer that read the object before it was deleted would bring it back to life with its stale copy, in a
    bucket whose owner keeps versions to be safe from that.

    Fix: evaluate the condition on the present object; do not search the versions for one that matches.
    """
    key = s3.key()
    with versioned_bucket(s3) as bucket:
        first = put_for_etag(s3, key, FIRST, Bucket=bucket)
        present = s3.call("PutObject", Bucket=bucket, Key=key, Body=SECOND, IfMatch=first)
        s3.expect(present, ok())
        newer = s3.look("HeadObject", Bucket=bucket, Key=key).etag or ""
        s3.setup("DeleteObject", Bucket=bucket, Key=key)
        for tag in (newer, first):
            hidden = s3.call("PutObject", Bucket=bucket, Key=key, Body=b"back again", IfMatch=tag)
            s3.expect(hidden, refused(404, "NoSuchKey"))
        s3.expect(s3.look("GetObject", Bucket=bucket, Key=key), refused(404))


@scenario(
    "CWR-007",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_if_match_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def if_match_takes_an_etag(s3: Scene) -> None:
    """PutObject with If-Match: * is refused with 501 NotImplemented, and the object stays.

    S3 promises: "only if there is an object, whichever" is not offered; the answer is 501 rather than a write or a 412.

    Breaks: strict validation. A program that means "never create" and is answered 200 on a free key has created one.

    Fix: refuse the star in If-Match before anything is looked up.
    """
    key = s3.key()
    first = put_for_etag(s3, key, FIRST)
    s3.expect(s3.call("PutObject", Key=key, Body=SECOND, IfMatch="*"), refused(501, "NotImplemented"))
    read_back(s3, key, FIRST)
    s3.expect(s3.call("PutObject", Key=key, Body=SECOND, IfMatch=first), ok())
    read_back(s3, key, SECOND)


@scenario(
    "CWR-008",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_if_match_and_if_none_match_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def one_condition_at_a_time(s3: Scene) -> None:
    """PutObject with both If-Match and If-None-Match is refused with 501 NotImplemented that names both headers.

    S3 promises: the two contradict each other on a write. The answer is 501 with Header "If-Match,If-None-Match", and
    nothing is written.

    Breaks: strict validation. It catches writers that set both by mistake, which otherwise run with the protection
    that the gateway happens to look at first.

    Fix: count the conditions before evaluating any of them.
    """
    key, free = s3.key(), s3.key("free")
    both: dict[str, Any] = {"IfMatch": put_for_etag(s3, key, FIRST), "IfNoneMatch": "*"}
    for at in (key, free):
        answer = s3.call("PutObject", Key=at, Body=SECOND, **both)
        s3.expect(answer, not_implemented("If-Match,If-None-Match"))
    read_back(s3, key, FIRST)
    nothing_stored(s3, free)
    s3.expect(s3.call("PutObject", Key=free, Body=SECOND, IfNoneMatch="*"), ok())
    read_back(s3, free, SECOND)


@scenario(
    "CWR-020",
    SHOULD,
    "PutObject",
    source="botocore service model, PutObject IfNoneMatch",
    clients=("raw",),
)
def one_winner(s3: Scene) -> None:
    """Of several PutObject requests with If-None-Match: * at the same time exactly one succeeds, the others get 412.

    S3 promises: the test and the write are one step. One request is answered 200 and its bytes are the object; every
    other is answered 412 PreconditionFailed, or 409 ConditionalRequestConflict where it met the first one on its way.

    Breaks: leader election, lock files and table commits: with two winners both go on to write, and one of them
    overwrites what the other believes to be safe. It happens under load only, when nobody watches.

    Fix: let the index decide, by a unique key or a compare-and-swap on the entry; never look first and write later.
    """
    key = s3.key()
    with s3.crowd(WRITERS) as clients:
        answers = _all_at_once(s3, clients, key)
    won = [number for number, answer in enumerate(answers) if answer.ok]
    s3.check(len(won) == 1, "one writer out of 8 succeeds", f"{len(won)} succeeded")
    for answer in answers:
        if not answer.ok:
            s3.expect(answer, _lost())
    s3.note(f"the losers got {', '.join(sorted({answer.summary() for answer in answers if not answer.ok}))}")
    winner = _content(won[0])
    read_back(s3, key, winner)
    s3.expect(s3.call("PutObject", Key=key, Body=FIRST, IfNoneMatch="*"), failed("If-None-Match"))
    read_back(s3, key, winner)


def _content(writer: int) -> bytes:
    """What a writer writes: some packets long, so that writes overlap, and of no other writer."""
    return f"writer {writer} ".encode() * 800


def _lost() -> Matcher:
    """A writer that came too late: 412, or 409 where it met the winner."""

    def test(seen: Observed) -> str:
        late = (seen.status, seen.code) in ((412, "PreconditionFailed"), (409, "ConditionalRequestConflict"))
        return "" if late else f"got {seen.summary()}"

    return Matcher("412 PreconditionFailed or 409 ConditionalRequestConflict", test)


def _all_at_once(s3: Scene, clients: list[RawClient], key: str) -> list[Observed]:
    """What each of the clients is answered that create the key together, in the order of the clients."""
    start = threading.Barrier(len(clients))
    found: dict[int, Observed] = {}

    def write(number: int, client: RawClient) -> None:
        start.wait(client.endpoint.timeout)
        params = {"Bucket": bucket, "Key": key, "Body": _content(number), "IfNoneMatch": "*"}
        found[number] = client.call("PutObject", params)

    bucket = s3.bucket
    threads = [threading.Thread(target=write, args=pair, daemon=True) for pair in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(s3.witness.endpoint.timeout + 5)
    s3.check(len(found) == len(clients), f"{len(clients)} answers", f"{len(found)} came in time")
    return [s3.keep("client", found[number]) for number in range(len(clients))]
