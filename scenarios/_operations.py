"""What an endpoint makes of one operation: offers it, refuses it, pretends it, or takes it for another one.

Everything is asked of a throw-away bucket with an object in it, since on some gateways `DELETE /bucket?policy` deletes
the bucket and `PUT /bucket/key?tagging` overwrites the object: both are looked at after every question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.sandbox import creation
from harness.scene import Role, Scene
from harness.signals import Inexpressible, Prerequisite
from harness.wire import model

KEPT = b"what must stay as it is"
_UNTRUE = frozenset({"NoSuchBucket", "NoSuchKey"})
"""Codes that are untrue of a bucket and an object that are there, and so no honest refusal."""


_LISTINGS = frozenset({"ListBucketResult", "ListAllMyBucketsResult"})
"""What a gateway answers that does not look at sub-resources."""


class Place(NamedTuple):
    """A bucket of one question, with the object `key` in it."""

    bucket: str
    key: str

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
    sure = "HeadObject" if question.harms else "GetObject"  # GetObject itself is among those that are asked so
    place = throw_away(s3, locked=question.locked, bare=question.bare, sure=sure)
    params = question.ready(s3, place)
    prepared = s3.seen[-1:]
    before, harmed = (None, False) if question.harms or question.bare else _whole(s3, place)
    answer = s3.call(question.operation, **params)
    expected = f"{question.operation} is done in full, or refused and nothing is done"
    if before is not None:
        harm = _harm(s3, place, before)
        s3.check(not harm, expected, f"fall-through: {answer.summary()}, and {harm}", answer)
    if not answer.ok:
        tried = answer.code == "BucketNotEmpty" and not question.harms
        s3.check(not tried, expected, f"fall-through: {answer.summary()}, as only DeleteBucket is answered", answer)
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
    why = _unset(question, prepared, harmed=harmed)
    if missing and why:
        s3.note(f"support: answered, but nothing could be set ({why[:80]})")
        return
    s3.check(not missing, expected, f"dummy answer: {answer.summary()}, but {missing}", answer)
    s3.note("support: full")


def _unset(question: Question, prepared: list[tuple[Role, Observed]], *, harmed: bool) -> str:
    """Why the document that a read should show was not set before, "" if it was: an answer without it is true.

    It was refused with 400 (where 501 or 405 says that there is no such setting, a read of it is refused as well), or
    it was taken for the object itself.

    Args:
        question: what was asked.
        prepared: the last call that prepared it, if any: the witness's where it put a document.
        harmed: whether that harmed the object.
    """
    if not question.operation.startswith(("Get", "List")):
        return ""
    if harmed:
        return "what was to set it harmed the object"
    return next((put.summary() for role, put in prepared if role == "witness" and put.status == 400), "")


def _other(question: Question, answer: Observed) -> str:
    """What of another operation an answer is, "" if nothing."""
    root = answer.document.tag if answer.document is not None else ""
    if root in _LISTINGS and root != question.own:
        return f"the document {root}"
    return "the bytes of the object" if answer.body == KEPT and question.own != "object" else ""


def throw_away(s3: Scene, *, locked: bool, bare: bool = False, sure: str = "GetObject") -> Place:
    """A bucket of the cell's own, with object lock where there is any, and with an object unless it is `bare`.

    `sure` is the operation that must find the object: a store that only pretends to keep it can be asked nothing.
    """
    if locked:
        place = Place(s3.bucket_name(), "kept")
        params = creation(place.bucket, s3.witness.region)
        if not s3.look("CreateBucket", **params, ObjectLockEnabledForBucket=True).ok:
            s3.setup("CreateBucket", **params)
    else:
        place = Place(s3.new_bucket(), "kept")
    if not bare:
        _fill(s3, place)
        s3.setup(sure, **place.object)
    return place


def _fill(s3: Scene, place: Place) -> None:
    s3.setup("PutObject", **place.object, Body=KEPT, Metadata={"kept": "yes"})


def _whole(s3: Scene, place: Place) -> tuple[Observed, bool]:
    """What a read of the object gives before the question, and whether what prepared the question had harmed it.

    Then it is stored again: that harm is a finding about the operation that did it, which has a question of its own.
    """
    found = _read(s3, place)
    if found.ok and found.body == KEPT:
        return found, False
    s3.note("what was to prepare the question harmed the object, which was stored again")
    _fill(s3, place)
    return s3.setup("GetObject", **place.object), True


def _read(s3: Scene, place: Place) -> Observed:
    """What the witness is answered that reads the object.

    Raises:
        Prerequisite: nothing that tells: no answer, or that of a server that is not well.
    """
    found = s3.look("GetObject", **place.object)
    if found.failure or (found.status or 0) >= 500:
        raise Prerequisite(found)
    return found


def _harm(s3: Scene, place: Place, before: Observed) -> str:
    """What became of bucket and object, "" if they are as they were."""
    found = _read(s3, place)
    if not found.ok:
        return _refused_read(found)
    if found.body != before.body:
        return f"the object is {len(found.body or b'')} other bytes"
    told, known = found.output.get("Metadata"), before.output.get("Metadata")
    return "" if told == known else f"the object has other metadata: {told} instead of {known}"


def _refused_read(found: Observed) -> str:
    if found.code == "NoSuchBucket":
        return "the bucket is gone"
    return f"the object is gone: {found.summary()}" if found.status == 404 else f"GetObject answers {found.summary()}"


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
