"""LOCK: uploads that ask to be kept."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import Matcher, body, header, ok, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios._locked import CONTENT, after, governance, locked_bucket, with_digest

_INVALID = refused(400, "InvalidArgument")


def _refuses(s3: Scene, cases: list[tuple[dict[str, Any], Matcher]]) -> None:
    """An upload without fault is kept; each of these is refused, and stores nothing."""
    with locked_bucket(s3) as bucket:
        target = {"Bucket": bucket, "Key": s3.key("kept")}
        s3.expect(s3.call("PutObject", **target, **with_digest(), **governance()), ok())
        mode = header("x-amz-object-lock-mode", "GOVERNANCE")
        s3.expect(s3.look("GetObject", **target), ok(), body(CONTENT), mode)
        for asked, refusal in cases:
            target = {"Bucket": bucket, "Key": s3.key("refused")}
            s3.expect(s3.call("PutObject", **target, **asked), refusal)
            s3.expect(s3.look("HeadObject", **target), refused(404))


@scenario(
    "LOCK-006",
    EXTENDED,
    "PutObject",
    source="LocalStack test_bucket_config_default_retention and test_s3_object_lock_mode_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def half_a_lock(s3: Scene) -> None:
    """x-amz-object-lock-mode without a retain-until-date, or the reverse, is refused with 400 InvalidArgument.

    S3 promises: a retention has a mode and a date. One alone is refused, and nothing is stored.

    Breaks: backup programs that lose one of the two on the way; the upload succeeds, and the copy that should be
    immutable is not.

    Fix: check the two headers together before the body is read.
    """
    whole = governance()
    _refuses(s3, [({name: value, **with_digest()}, _INVALID) for name, value in whole.items()])


@scenario(
    "LOCK-007",
    EXTENDED,
    "PutObject",
    source="versitygw REST PutObject, x-amz-object-lock-retain-until-date, earlier date",
    clients=LIBRARIES,
)
def lock_in_the_past(s3: Scene) -> None:
    """A retain-until-date that has passed is refused with 400 InvalidArgument.

    S3 promises: the date must lie in the future when the request is handled; otherwise nothing is stored.

    Breaks: programs with a wrong clock or a wrong time zone: their objects would be protected until yesterday, and
    nobody would know.

    Fix: compare with the server's own clock, with the time zone of the value read rather than assumed.
    """
    past = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": after(-86400)}
    _refuses(s3, [(past | with_digest(), _INVALID)])


@scenario(
    "LOCK-011",
    EXTENDED,
    "PutObject",
    source="versitygw REST PutObject, not allowed without content-MD5 with lock configuration",
    clients=("raw",),
)
def lock_needs_digest(s3: Scene) -> None:
    """An upload with object-lock headers needs Content-MD5 or a checksum: without one it is 400 InvalidRequest.

    S3 promises: what cannot be deleted later must arrive undamaged, so a digest is required beside the lock headers.
    Without one the upload is refused and nothing is stored.

    Breaks: only strict validation; SDKs send a checksum by default. Immutable damage cannot be repaired.

    Fix: ask for a digest as soon as one of the three lock headers is there; the hash of the signature does not count.
    """
    hold = {"ObjectLockLegalHoldStatus": "ON"}
    needs_digest = refused(400, "InvalidRequest")
    _refuses(s3, [(asked | {"Body": CONTENT}, needs_digest) for asked in (governance(), hold)])
