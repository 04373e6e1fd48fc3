"""DIG: requests whose document needs a digest, and a number with limits. The active halves of LINT-015 and LINT-034.

botocore's model demands Content-MD5 or an x-amz-checksum-* header of 27 operations. Asked here are those that gateways
offer and that are not known to do without on Amazon S3: a request that is whole but for the digest must be refused and
change nothing, and with the digest it must be done.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from harness.expect import ok, one_of, refused
from harness.record import Confidence, Level
from harness.scenario import EXTENDED, MUST, SHOULD, Function, scenario
from harness.scene import Scene
from harness.wire import model
from scenarios._operations import Question, throw_away
from scenarios.operations import questions

_TEXT = """{operation} without Content-MD5 and without a checksum is refused with 400, and nothing is done.

S3 promises: the body of this request must come with a digest: Content-MD5, or one x-amz-checksum-* header. Without one
it is answered 400 and changes nothing, however right it is otherwise. With Content-MD5 the same request is done:
{done}.

Breaks: SDKs always send one, so that nothing breaks at once. What is lost is the guard: {risk}

Fix: before the document is read, ask for Content-MD5 or a header x-amz-checksum-*, answer 400 InvalidRequest where
there is none, and compare the digest with the bytes that came.
"""


class _Probe(NamedTuple):
    """An operation to be asked without a digest, and what a damaged document of it may do."""

    id: str
    level: Level
    operation: str
    risk: str
    confidence: Confidence = "partly unverified"


_PROBES = (
    _Probe(
        *("DIG-001", MUST, "DeleteObjects"),
        "a list of keys that was damaged on its way deletes other objects than were named.",
        "recorded",
    ),
    _Probe(*("DIG-002", EXTENDED, "PutBucketCors"), "damaged rules let other origins in than were meant."),
    _Probe(*("DIG-003", EXTENDED, "PutBucketEncryption"), "a damaged rule stores objects under another key."),
    _Probe(
        *("DIG-004", EXTENDED, "PutBucketLifecycleConfiguration"),
        "a rule whose prefix or days were damaged expires other objects than were meant.",
    ),
    _Probe(*("DIG-005", EXTENDED, "PutBucketOwnershipControls"), "a damaged rule turns access lists on or off."),
    _Probe(*("DIG-006", EXTENDED, "PutBucketReplication"), "a damaged rule copies to another bucket, or nothing."),
    _Probe(
        *("DIG-007", SHOULD, "PutBucketTagging"),
        "damaged tags are what costs and permissions are computed from.",
        "recorded",
    ),
    _Probe(*("DIG-008", EXTENDED, "PutBucketVersioning"), "a damaged document ends the keeping of versions."),
    _Probe(*("DIG-009", EXTENDED, "PutObjectLegalHold"), "a damaged document lifts a hold."),
    _Probe(*("DIG-010", EXTENDED, "PutObjectLockConfiguration"), "a damaged rule retains for the wrong time."),
    _Probe(*("DIG-011", EXTENDED, "PutObjectRetention"), "a damaged date retains for ever, or not at all."),
    _Probe(*("DIG-012", EXTENDED, "PutPublicAccessBlock"), "a damaged document opens a bucket to everybody."),
)
_SOURCES = {
    "DeleteObjects": "; Swift test_no_md5_no_sha_no_crc_header_multi_delete; versitygw REST on AWS",
    "PutBucketTagging": "; versitygw REST - PutBucketTagging - missing Content-MD5",
}


def _asked_without(s3: Scene, question: Question) -> None:
    """The same request twice: without a digest, which does nothing, and with one."""
    place = throw_away(s3, locked=question.locked)
    params = question.ready(s3, place)
    request = model.build(question.operation, params)
    refusal = s3.send(
        question.operation,
        request.method,
        request.target,
        *request.headers,
        body=request.body,
        bucket=place.bucket,
    )
    s3.expect(refusal, refused(400))
    s3.note(f"answered 400 {refusal.code}")
    missing = question.effect(s3, place, refusal)
    s3.check(bool(missing), "nothing is done without a digest", "it was refused, and done all the same", refusal)
    answer = s3.call(question.operation, **params)
    s3.expect(answer, one_of(ok(), ok(204)))
    missing = question.effect(s3, place, answer)
    s3.check(not missing, f"with Content-MD5 {question.operation} is done", missing, answer)


def _register(probe: _Probe) -> None:
    question = questions()[probe.operation]

    def stated(s3: Scene) -> None:
        _asked_without(s3, question)

    stated.__doc__ = _TEXT.format(operation=probe.operation, done=question.done, risk=probe.risk)
    source = f"botocore, httpChecksum.requestChecksumRequired{_SOURCES.get(probe.operation, '')}"
    register = scenario(
        probe.id, probe.level, probe.operation, source=source, clients=("raw",), confidence=probe.confidence
    )
    register(cast("Function", stated))


for _probe in _PROBES:
    _register(_probe)


@scenario(
    "LBKT-011",
    EXTENDED,
    "ListBuckets",
    source="botocore, MaxBuckets min 1 max 10000; AWS, Amazon S3 API Reference, ListBuckets",
    clients=("raw",),
    confidence="partly unverified",
)
def page_of_buckets(s3: Scene) -> None:
    """ListBuckets takes max-buckets from 1 to 10000, and refuses 0 and 10001 with 400 InvalidArgument.

    S3 promises: a page of buckets has from 1 to 10000 entries, as many as max-buckets says. Both ends work, and a
    number beyond either is refused; it is neither ignored nor cut.

    Breaks: programs that page through many buckets. Where a number out of range is ignored, the list comes whole and
    without a token, and a loop that asks for 0 to mean "all" works here and fails on Amazon S3.

    Fix: read max-buckets before anything else of the request, and answer 400 InvalidArgument outside 1 to 10000.
    """
    s3.setup("HeadBucket", Bucket=s3.bucket)
    for taken in (1, 10000):
        listed = s3.expect(s3.call("ListBuckets", MaxBuckets=taken), ok())
        found = len(listed.output.get("Buckets", []))
        s3.check(1 <= found <= taken, f"from 1 to {taken} buckets", f"there were {found}", listed)
    for refusal in (0, 10001):
        s3.expect(s3.call("ListBuckets", MaxBuckets=refusal), refused(400, "InvalidArgument"))
