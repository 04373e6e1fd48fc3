"""What an endpoint makes of one operation: offers it, refuses it, pretends it, or takes it for another one.

Everything is asked of a throw-away bucket with an object in it, since on some gateways `DELETE /bucket?policy` deletes
the bucket and `PUT /bucket/key?tagging` overwrites the object: both are looked at after every question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.sandbox import creation
from harness.scene import Scene
from harness.signals import Inexpressible
from harness.wire import model

KEPT = b"what must stay as it is"
_UNTRUE = frozenset({"NoSuchBucket", "NoSuchKey"})
"""Codes that are untrue of a bucket and an object that are there, and so no honest refusal."""


_LISTINGS = frozenset({"ListBucketResult", "ListAllMyBucketsResult"})
"""What a gateway answers that does not look at sub-resources."""


class Place(NamedTuple):
    """A bucket of one question, with the object `key` in it, and what a read of it gave before the question."""

    bucket: str
    key: str
    before: Observed | None = None

    @property
    def object(self) -> dict[str, Any]:
        """What addresses the object."""
        return {"Bucket": self.bucket, "Key": self.key}


Params = dict[str, Any]
Ready = Callable[[Scene, Place], Params]
Effect = Callable[[Scene, Place, Observed], str]


class Question(NamedTuple):
    """How an operation is asked, and how it shows that it was done.

    Attributes:
        operation: S3's name.
        done: what is there once it is done, in words that end "… , and".
        ready: prepares the place; the parameters of the call.
        effect: "" if it was done, else what is missing.
        own: the document of another operation that is its own as well.
        harms: whether it is its business to remove or change bucket or object.
        locked: whether the bucket has object lock.
        bare: whether the bucket is empty, since it is the operation itself that stores the object elsewhere.
    """

    operation: str
    done: str
    ready: Ready
    effect: Effect
    own: str = ""
    harms: bool = False
    locked: bool = False
    bare: bool = False


def ask(s3: Scene, question: Question) -> None:
    """Put the question, and hold the answer to one of two: done in full, or refused and nothing done."""
    if question.operation not in model.operations():
        raise Inexpressible(f"this version of botocore does not know {question.operation}")
    place = throw_away(s3, locked=question.locked, bare=question.bare, read=not question.harms)
    params = question.ready(s3, place)
    answer = s3.call(question.operation, **params)
    expected = f"{question.operation} is done in full, or refused and nothing is done"
    if not (question.harms or question.bare):
        harm = _harm(s3, place)
        s3.check(not harm, expected, f"fall-through: {answer.summary()}, and {harm}", answer)
    if not answer.ok:
        s3.check(
            _clean(question.operation, answer, untrue=_UNTRUE if "Bucket" in params else frozenset()),
            expected,
            f"no clean refusal: {answer.summary()}",
            answer,
        )
        s3.note(f"support: refused ({answer.summary()[:80]})")
        return
    other = _other(question, answer)
    s3.check(not other, expected, f"fall-through: it is answered with {other}", answer)
    missing = question.effect(s3, place, answer)
    refusal = _unset(s3, question, answer)
    if missing and refusal:
        s3.note(f"support: answered, but nothing could be set ({refusal[:80]})")
        return
    s3.check(not missing, expected, f"dummy answer: {answer.summary()}, but {missing}", answer)
    s3.note("support: full")


def _unset(s3: Scene, question: Question, answer: Observed) -> str:
    """How the document that a read should show was refused before, "" if it was not: an answer without it is true.

    With 400, that is: where 501 or 405 says that there is no such setting, a read of it is refused as well.
    """
    role, before = s3.seen[s3.index(answer) - 1]
    reads = question.operation.startswith(("Get", "List"))
    return before.summary() if reads and role == "witness" and before.status == 400 else ""


def _other(question: Question, answer: Observed) -> str:
    """What of another operation an answer is, "" if nothing."""
    root = answer.document.tag if answer.document is not None else ""
    if root in _LISTINGS and root != question.own:
        return f"the document {root}"
    return "the bytes of the object" if answer.body == KEPT and question.own != "object" else ""


def throw_away(s3: Scene, *, locked: bool, bare: bool = False, read: bool = True) -> Place:
    """A bucket of the cell's own, with object lock where there is any, and with an object unless it is `bare`.

    `read`: what is in the object is kept, to be compared with what is in it afterwards.
    """
    if locked:
        place = Place(s3.bucket_name(), "kept")
        params = creation(place.bucket, s3.witness.region)
        if not s3.look("CreateBucket", **params, ObjectLockEnabledForBucket=True).ok:
            s3.setup("CreateBucket", **params)
    else:
        place = Place(s3.new_bucket(), "kept")
    if bare:
        return place
    s3.setup("PutObject", **place.object, Body=KEPT, Metadata={"kept": "yes"})
    if not read:
        s3.setup("HeadObject", **place.object)
        return place
    return place._replace(before=s3.setup("GetObject", **place.object))


def _harm(s3: Scene, place: Place) -> str:
    """What became of bucket and object, "" if they are as they were."""
    found = s3.look("GetObject", **place.object)
    before = place.before or found
    if found.ok and found.body == before.body and found.output.get("Metadata") == before.output.get("Metadata"):
        return ""
    if found.code == "NoSuchBucket":
        return "the bucket is gone"
    return (
        f"the object is {len(found.body or b'')} other bytes" if found.ok else f"the object is gone: {found.summary()}"
    )


def _clean(operation: str, answer: Observed, untrue: frozenset[str]) -> bool:
    """Whether a refusal is one that clients understand: 4xx or 501 with S3's error document that tells no untruth."""
    status = answer.status or 0
    if not (400 <= status < 500 or status == 501):
        return False
    return operation.startswith("Head") or (bool(answer.code) and answer.code not in untrue)


# --- parts of questions ---


def at_bucket(**params: Any) -> Ready:
    """The bucket, with these parameters."""
    return lambda _, place: {"Bucket": place.bucket, **params}


def at_object(**params: Any) -> Ready:
    """The object, with these parameters."""
    return lambda _, place: {**place.object, **params}


def after(operation: str, ready: Ready, of: Ready) -> Ready:
    """The parameters of `ready`, once an operation was done; where it is refused, all the same."""

    def prepared(s3: Scene, place: Place) -> Params:
        s3.look(operation, **of(s3, place))
        return ready(s3, place)

    return prepared


def shows(what: str, test: Callable[[Params], bool]) -> Effect:
    """The answer itself shows `what`."""
    return lambda _s3, _place, answer: "" if test(answer.output) else f"the answer does not show {what}"


def then_shows(operation: str, ready: Ready, what: str, test: Callable[[Params], bool]) -> Effect:
    """Another operation shows `what` afterwards."""

    def effect(s3: Scene, place: Place, _answer: Observed) -> str:
        found = s3.look(operation, **ready(s3, place))
        if not found.ok:
            return f"{operation} answers {found.summary()}"
        return "" if test(found.output) else f"{operation} does not show {what}"

    return effect


def then_without(operation: str, ready: Ready, what: str, test: Callable[[Params], bool]) -> Effect:
    """Another operation does not show `what` any more: it answers without it, or that there is none."""

    def effect(s3: Scene, place: Place, _answer: Observed) -> str:
        found = s3.look(operation, **ready(s3, place))
        if found.ok:
            return f"{operation} still shows {what}" if test(found.output) else ""
        return "" if found.status == 404 else f"{operation} answers {found.summary()}"

    return effect


def upload(s3: Scene, place: Place, *, parts: int = 0) -> Params:
    """A multipart upload of another key, with so many parts of a few bytes."""
    target = {"Bucket": place.bucket, "Key": "uploaded"}
    begun = s3.setup("CreateMultipartUpload", **target)
    target["UploadId"] = str(begun.output.get("UploadId", ""))
    for number in range(1, parts + 1):
        s3.setup("UploadPart", **target, PartNumber=number, Body=b"part")
    return target
