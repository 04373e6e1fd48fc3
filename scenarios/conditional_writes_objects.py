"""CWR: conditional copies and deletes."""

from __future__ import annotations

from typing import Any

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import if_shown, no_body, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import encode
from scenarios._conditional import STALE, failed, not_implemented, put_for_etag
from scenarios.conditional_writes import FIRST, SECOND
from scenarios.get import http_date
from scenarios.mpu import nothing_stored, read_back


def copy(s3: Scene, source: str, target: str, **more: Any) -> Observed:
    """The client under test copies within the cell's bucket."""
    return s3.call("CopyObject", Key=target, CopySource=f"{s3.bucket}/{encode(source, safe='/')}", **more)


@scenario(
    "CWR-015",
    EXTENDED,
    "CopyObject",
    source="LocalStack test_copy_object_if_none_match, test_copy_object_if_match and "
    "test_copy_object_precondition_write_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def copy_under_condition(s3: Scene) -> None:
    """If-None-Match: * and If-Match on a CopyObject are about its target, and are answered as on PutObject.

    S3 promises: * on a target that exists is 412, a stale ETag of the target 412, If-Match on a missing target 404
    NoSuchKey, and the forms that PutObject does not take 501 NotImplemented. Where it holds, the copy is made.

    Breaks: renames by copy and delete, which rely on not overwriting what is at the new name; with the header ignored,
    or held against the source instead, the object there is lost.

    Fix: use PutObject's check for the target; x-amz-copy-source-if-* are the headers about the source.
    """
    source, target, free = s3.key("source"), s3.key("target"), s3.key("free")
    of_source, current = put_for_etag(s3, source, SECOND), put_for_etag(s3, target, FIRST)
    for key, condition, wanted in (
        (target, {"IfNoneMatch": "*"}, failed("If-None-Match")),
        (target, {"IfMatch": of_source}, failed("If-Match")),
        (free, {"IfMatch": current}, refused(404, "NoSuchKey")),
        (target, {"IfNoneMatch": STALE}, refused(501, "NotImplemented")),
        (target, {"IfMatch": "*"}, refused(501, "NotImplemented")),
    ):
        s3.expect(copy(s3, source, key, **condition), wanted)
    read_back(s3, target, FIRST)
    nothing_stored(s3, free)
    s3.expect(copy(s3, source, free, IfNoneMatch="*"), ok())
    s3.expect(copy(s3, source, target, IfMatch=current), ok())
    for key in (free, target):
        read_back(s3, key, SECOND)


@scenario(
    "CWR-016",
    EXTENDED,
    "CopyObject",
    source="LocalStack test_copy_object_if_none_match_in_place and test_copy_object_if_match_in_place (recorded on "
    "AWS)",
    clients=LIBRARIES,
)
def copy_in_place_under_condition(s3: Scene) -> None:
    """The conditions of a CopyObject apply as well where an object is copied onto itself to change its metadata.

    S3 promises: the target exists, so * in If-None-Match is 412; If-Match decides by its ETag whether the metadata is
    replaced. A refused copy leaves the metadata as it was.

    Breaks: programs that edit metadata under compare-and-swap; a shortcut for copies in place that skips the check
    lets one of two editors overwrite the other.

    Fix: evaluate the condition before telling a copy in place from any other.
    """
    key = s3.key()
    first = put_for_etag(s3, key, FIRST, Metadata={"state": "old"})
    new: dict[str, Any] = {"Metadata": {"state": "new"}, "MetadataDirective": "REPLACE"}
    for condition, wanted in (
        ({"IfNoneMatch": "*"}, failed("If-None-Match")),
        ({"IfMatch": STALE}, failed("If-Match")),
    ):
        s3.expect(copy(s3, key, key, **new, **condition), wanted)
        _has_state(s3, key, "old")
    s3.expect(copy(s3, key, key, **new, IfMatch=first), ok())
    _has_state(s3, key, "new")
    read_back(s3, key, FIRST)


def _has_state(s3: Scene, key: str, state: str) -> None:
    head = s3.expect(s3.look("HeadObject", Key=key), ok())
    found = (head.output.get("Metadata") or {}).get("state")
    s3.check(found == state, f"metadata state {state!r}", f"state was {found!r}", head)


@scenario(
    "CWR-017",
    SHOULD,
    "DeleteObject",
    source="Moto test_delete_object_if_match (verified on AWS); LocalStack test_delete_object_if_match_non_express "
    "(recorded on AWS); versitygw REST test DeleteObject - ETag match",
    clients=CALLERS,
)
def delete_if_unchanged(s3: Scene) -> None:
    """DeleteObject with If-Match deletes while the object has the ETag (204), and is refused with 412 otherwise.

    S3 promises: the object goes only in the state that the caller has seen. With another ETag the answer is 412
    PreconditionFailed, and it stays.

    Breaks: lock files: a holder releases the lock that is still its own. Ignored, the header lets it delete the lock
    that somebody else has taken since, and three parties work at once.

    Fix: compare and delete in one transaction; DeleteObject's usual 204 for everything does not apply here.
    """
    key = s3.key()
    first = put_for_etag(s3, key, FIRST)
    s3.expect(s3.call("DeleteObject", Key=key, IfMatch=STALE), refused(412, "PreconditionFailed"))
    read_back(s3, key, FIRST)
    s3.expect(s3.call("DeleteObject", Key=key, IfMatch=first), ok(204), if_shown(no_body()))
    nothing_stored(s3, key)


@scenario(
    "CWR-018",
    EXTENDED,
    "DeleteObject",
    source="Moto test_delete_object_if_match (verified on AWS)",
    clients=LIBRARIES,
)
def delete_with_nothing_to_match(s3: Scene) -> None:
    """DeleteObject with If-Match on a key without an object is refused with 404 NoSuchKey.

    S3 promises: a delete without a condition is silent about what was not there; one with If-Match is not: 404.

    Breaks: whoever releases a lock learns here that it was gone already, taken away by an expiry or an operator; from a
    204 it would conclude that it had held it to the end.

    Fix: look the key up when the header is there, and answer its absence with NoSuchKey.
    """
    key, missing = s3.key(), s3.key("missing")
    first = put_for_etag(s3, key, FIRST)
    s3.expect(s3.call("DeleteObject", Key=missing, IfMatch=first), refused(404, "NoSuchKey"))
    s3.expect(s3.call("DeleteObject", Key=key, IfMatch=first), ok(204))
    s3.expect(s3.call("DeleteObject", Key=key, IfMatch=first), refused(404, "NoSuchKey"))
    nothing_stored(s3, key)


@scenario(
    "CWR-019",
    EXTENDED,
    "DeleteObject",
    source="LocalStack test_delete_object_if_match_modified_non_express, test_delete_object_if_match_size_non_express "
    "and test_delete_object_if_match_all_non_express (recorded on AWS)",
    clients=LIBRARIES,
)
def conditions_of_directory_buckets(s3: Scene) -> None:
    """DeleteObject with x-amz-if-match-size or x-amz-if-match-last-modified-time is refused with 501 NotImplemented.

    S3 promises: these two conditions exist in directory buckets alone. In an ordinary bucket each is answered 501
    NotImplemented with its name in Header, and the object stays, even if size and time are right.

    Breaks: a program that asks for protection which is not there must hear so; ignored, the object is deleted whatever
    its size or age.

    Fix: refuse the headers by name where they are not offered; do not pass over what you do not know in a delete.
    """
    key = s3.key()
    first = put_for_etag(s3, key, FIRST)
    head = s3.expect(s3.look("HeadObject", Key=key), ok(), http_date("Last-Modified"))
    modified = (head.headers or {})["last-modified"]
    size, time = {"IfMatchSize": len(FIRST)}, {"IfMatchLastModifiedTime": modified}
    s3.expect(s3.call("DeleteObject", Key=key, **size), not_implemented("x-amz-if-match-size"))
    s3.expect(s3.call("DeleteObject", Key=key, **time), not_implemented("x-amz-if-match-last-modified-time"))
    read_back(s3, key, FIRST)
    s3.expect(s3.call("DeleteObject", Key=key, IfMatch=first), ok(204))
    nothing_stored(s3, key)
