"""GEN: sequences of writes that are generated, against what a dictionary would hold."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.expect import Matcher, body, etag, if_shown, keys, ok, output, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import PART, Scene
from harness.wire.sigv4 import encode
from scenarios._conditional import STALE
from scenarios._generated import generate, quoted
from scenarios._listing import ordered
from scenarios.etag import md5_etag
from scenarios.generated_attributes import any_keys
from scenarios.get_range import LARGE
from scenarios.mpu import begin, naming

# --- conditional writes ---

CONDITIONS = ("put", "delete", "create", "swap", "stale", "remove", "remove stale")
"""Plain put and delete; put if there is none, if it is the current one, if it is another one; the same for delete."""


class Steps(NamedTuple):
    """What is done to one key."""

    steps: tuple[str, ...]

    def words(self) -> str:
        """For the report."""
        return f"one key: {', '.join(self.steps)}"


def _conditional(step: str, current: str | None) -> tuple[str, dict[str, str], int, str]:
    """Operation, condition, and the status and code to expect of a step while the key has this ETag, or is free."""
    tag = current or STALE
    missing = (404, "NoSuchKey")
    operation, condition, (status, code) = {
        "put": ("PutObject", {}, (200, "")),
        "delete": ("DeleteObject", {}, (204, "")),
        "create": ("PutObject", {"IfNoneMatch": "*"}, (412, "PreconditionFailed") if current else (200, "")),
        "swap": ("PutObject", {"IfMatch": tag}, (200, "") if current else missing),
        "stale": ("PutObject", {"IfMatch": STALE}, (412, "PreconditionFailed") if current else missing),
        "remove": ("DeleteObject", {"IfMatch": tag}, (204, "") if current else missing),
        "remove stale": ("DeleteObject", {"IfMatch": STALE}, (412, "PreconditionFailed") if current else missing),
    }[step]
    return operation, condition, status, code


@scenario(
    "GEN-008",
    SHOULD,
    "PutObject",
    "DeleteObject",
    source="LocalStack test_put_object_if_none_match and test_put_object_if_match; Moto "
    "test_delete_object_if_match (recorded on AWS); the model is one variable",
    clients=("raw", "boto3"),
)
def conditional_writes(s3: Scene) -> None:
    """In any sequence of conditional and plain writes of a key, each succeeds or fails by what the key holds then.

    S3 promises: If-None-Match: * writes only where there is nothing; If-Match writes and deletes only while the key
    has this ETag, is 412 while it has another one and 404 where there is none. A write that is refused changes
    nothing, and a key that was deleted is free again.

    Breaks: locks and commits on object storage (Terraform's state, Delta Lake, Iceberg) are such sequences. One
    condition that is judged by an older state lets two owners hold the lock, or nobody ever take it again.

    Fix: evaluate the condition inside the write, on the current state of the key, deletes and overwrites included.
    """
    count = iter(range(1_000_000))

    def check(example: Steps) -> None:
        key, held, content = s3.key(f"{next(count)}"), None, b""
        for number, step in enumerate(example.steps):
            if step.startswith("remove") and held is None:
                continue  # on a missing key that is finer than every store knows (CWR-018)
            operation, condition, status, code = _conditional(step, held)
            sent = b"content of step %d" % number
            written = {"Body": sent} if operation == "PutObject" else {}
            answer = s3.call(operation, Key=key, **written, **condition)
            s3.expect(answer, refused(status, code) if code else ok(status))
            if not code:
                held, content = (md5_etag(sent), sent) if written else (None, b"")
        if held is None:
            s3.expect(s3.look("GetObject", Key=key), refused(404, "NoSuchKey"))
        else:
            s3.expect(s3.look("GetObject", Key=key), ok(), body(content), etag(held))

    generate(
        s3,
        "GEN-008",
        lambda st: st.lists(st.sampled_from(CONDITIONS), max_size=7).map(tuple).map(Steps),
        check,
        Steps.words,
        examples=30,
    )


# --- parts of any sizes ---


class Part(NamedTuple):
    """A part that is copied from `offset` of the source, so many bytes more than the least size of a part."""

    number: int
    offset: int
    more: int


class Assembly(NamedTuple):
    """Large parts, the number and size of the last one, and whether they are sent last first."""

    parts: tuple[Part, ...]
    step: int
    last: int
    backwards: bool

    @property
    def number(self) -> int:
        """The number of the last part."""
        return max((part.number for part in self.parts), default=0) + self.step

    def words(self) -> str:
        """For the report."""
        large = [f"part {p.number} of {PART + p.more} bytes from offset {p.offset}" for p in self.parts]
        small = f"part {self.number} of {self.last} bytes"
        sent = list(reversed([*large, small])) if self.backwards else [*large, small]
        return f"sent in this order: {', '.join(sent)}"


def _assemblies(st: ModuleType) -> Any:
    part = st.builds(Part, st.integers(1, 90), st.integers(0, 100), st.integers(0, 20))
    parts = st.lists(part, max_size=2, unique_by=lambda part: part.number).map(lambda parts: tuple(sorted(parts)))
    steps = st.sampled_from((1, 2, 9, 100, 9910))
    return st.builds(Assembly, parts, steps, st.integers(1, 40), st.booleans())


@functools.cache
def _source() -> bytes:
    return (LARGE * (PART // len(LARGE) + 1))[: PART + 120]


@functools.cache
def _digest(offset: int, size: int) -> bytes:
    return hashlib.md5(_source()[offset : offset + size]).digest()


@scenario(
    "GEN-009",
    MUST,
    "UploadPart",
    "UploadPartCopy",
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_and_list_parts (recorded on AWS); AWS, Checking object integrity; the ETag is "
    "computed",
    clients=("raw",),
)
def assembled_parts(s3: Scene) -> None:
    """Parts of any sizes, numbers and order of sending are joined by number, and give the ETag of their digests.

    S3 promises: the object is its parts in the order of their numbers, whatever the gaps between these and whichever
    came first; its ETag is the MD5 of the joined MD5s of the parts that were named, "-", and how many these are.
    Parts that were copied from ranges of another object count as those that were sent.

    Breaks: parallel uploads finish in any order, and programs that resume leave gaps. Joined in the order of arrival,
    or with an ETag over another order, the file is damaged, and rclone and s3cmd report a corrupted transfer.

    Fix: sort by part number as an integer at completion, join the stored digests in this order, and count them.
    """
    source = s3.key("source")
    s3.put(source, _source())
    count = iter(range(1_000_000))
    generate(
        s3,
        "GEN-009",
        _assemblies,
        lambda example: _assemble(s3, source, s3.key(f"{next(count)}"), example),
        Assembly.words,
        examples=8,
    )


def _assemble(s3: Scene, source: str, key: str, example: Assembly) -> None:
    upload, last = begin(s3, key), LARGE[: example.last]
    sent: dict[int, str] = {}

    def send(part: Part | None) -> None:
        if part is None:
            stored = s3.expect(s3.call("UploadPart", **upload, PartNumber=example.number, Body=last), ok())
            sent[example.number] = stored.etag or ""
            return
        end = part.offset + PART + part.more - 1
        copy = {"CopySource": f"{s3.bucket}/{encode(source, safe='/')}"}
        copy["CopySourceRange"] = f"bytes={part.offset}-{end}"
        copied = s3.expect(s3.call("UploadPartCopy", **upload, PartNumber=part.number, **copy), ok())
        result = copied.output.get("CopyPartResult")
        sent[part.number] = str(result.get("ETag")) if isinstance(result, Mapping) else ""

    order: list[Part | None] = [*example.parts, None]
    for part in reversed(order) if example.backwards else order:
        send(part)
    named = [{"PartNumber": number, "ETag": tag} for number, tag in sorted(sent.items())]
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(*named)), ok())
    digests = [_digest(part.offset, PART + part.more) for part in example.parts] + [hashlib.md5(last).digest()]
    size = sum(PART + part.more for part in example.parts) + len(last)
    combined = f'"{hashlib.md5(b"".join(digests)).hexdigest()}-{len(digests)}"'
    s3.expect(s3.look("HeadObject", Key=key), ok(), etag(combined), output("ContentLength", size))
    at = 0
    for part in example.parts:  # the bytes around each boundary tell the order, and few cross the wire
        at += PART + part.more
        following = next((_source()[p.offset :] for p in example.parts if p.number > part.number), last)
        shown = _source()[: part.offset + PART + part.more][-5:] + following[:5]
        s3.expect(s3.look("GetObject", Key=key, Range=f"bytes={at - 5}-{at + len(following[:5]) - 1}"), body(shown))
    s3.expect(s3.look("GetObject", Key=key, Range=f"bytes=-{len(last)}"), body(last))


# --- deletes of many ---


class Deletes(NamedTuple):
    """Keys that are there, keys that are not, which of the first are to be deleted, and whether quietly."""

    there: tuple[str, ...]
    missing: tuple[str, ...]
    kept: int
    quiet: bool

    @property
    def asked(self) -> list[str]:
        """The keys to delete: all but the first few that are there, and those that are not."""
        return [*self.there[self.kept :], *(key for key in self.missing if key not in self.there)]

    def words(self) -> str:
        """For the report."""
        return f"keys {quoted(self.there)}; deleted {quoted(self.asked)}{' quietly' if self.quiet else ''}"


@scenario(
    "GEN-012",
    MUST,
    "DeleteObjects",
    source="LocalStack test_delete_objects_encoding and test_delete_non_existing_keys (recorded on AWS); the model is "
    "a set",
    clients=("raw", "boto3"),
)
def deletes_of_many(s3: Scene) -> None:
    """DeleteObjects deletes exactly the keys it names, reports each as deleted, there or not, and touches no other.

    S3 promises: every key of the document is read literally and reported as Deleted, also where there was no such
    object; with Quiet nothing is listed. What is not named stays: neither keys that begin with a named one, nor those
    that a named one would be after another decoding.

    Breaks: `rclone purge`, `aws s3 rm --recursive`, `s5cmd rm` and every lifecycle script delete this way. A key that
    is decoded once more, cut at a space or taken for a prefix deletes other people's files and leaves the right ones.

    Fix: take the text of the element Key as it comes out of the XML parser, and delete by equality alone.
    """
    count = iter(range(1_000_000))

    def check(example: Deletes) -> None:
        if not example.asked:
            return
        place = s3.key(f"{next(count)}/")
        for key in example.there:
            s3.put(place + key)
        named = [{"Key": place + key} for key in example.asked]
        answer = s3.call("DeleteObjects", Delete={"Objects": named, "Quiet": example.quiet})
        s3.expect(answer, ok(), _deleted([] if example.quiet else [place + key for key in example.asked]))
        left = ordered(place + key for key in example.there[: example.kept])
        s3.expect(s3.look("ListObjectsV2", Prefix=place), ok(), keys(left))

    def strategy(st: ModuleType) -> Any:
        return st.builds(Deletes, any_keys(st, 5), any_keys(st, 2), st.integers(0, 2), st.booleans())

    generate(s3, "GEN-012", strategy, check, Deletes.words, examples=25)


def _deleted(expected: list[str]) -> Matcher:
    """Exactly these keys are reported as deleted, in any order, and none as an error."""

    def test(seen: Observed) -> str:
        errors = [(entry.get("Key"), entry.get("Code")) for entry in seen.output.get("Errors", [])]
        found = [str(entry.get("Key")) for entry in seen.output.get("Deleted", [])]
        if errors:
            return f"errors were {errors}"
        return "" if sorted(found) == sorted(expected) else f"Deleted were {quoted(found)}"

    return Matcher(f"Deleted {quoted(expected)}, and no Errors", test)


# --- everything in between ---

KEYS = ("a", "b", "c/d")


class Step(NamedTuple):
    """One step of a walk: `verb` one of put, copy, delete, get, head, list; `source` for copies."""

    verb: str
    key: str
    source: str

    def words(self) -> str:
        """For the report."""
        return f"copy {self.source} to {self.key}" if self.verb == "copy" else f"{self.verb} {self.key}"


class Walk(NamedTuple):
    """Steps in order."""

    steps: tuple[Step, ...]

    def words(self) -> str:
        """For the report."""
        return ", ".join(step.words() for step in self.steps) or "nothing"


@scenario(
    "GEN-017",
    MUST,
    "PutObject",
    "CopyObject",
    "DeleteObject",
    "GetObject",
    "HeadObject",
    "ListObjectsV2",
    source="Amazon S3 User Guide, Amazon S3 data consistency model; the model is a dictionary",
    clients=("raw", "boto3"),
)
def sequences(s3: Scene) -> None:
    """Any sequence of puts, copies, deletes, reads and listings of a few keys gives what a dictionary would give.

    S3 promises: every read and listing shows the result of all writes that were answered before it, whatever the
    order in which a key was stored, copied onto, deleted and stored again.

    Breaks: programs rely on this without a thought. What goes wrong after a certain sequence only, such as a copy
    onto a key that was just deleted, shows as a file that comes back, or as one that is lost, once in a thousand runs.

    Fix: the report names the shortest sequence that fails; look for an index, a cache or a tombstone that one of its
    steps does not bring up to date.
    """
    count = iter(range(1_000_000))
    generate(
        s3,
        "GEN-017",
        _walks,
        lambda example: _take(s3, s3.key(f"{next(count)}/"), example),
        Walk.words,
        examples=20,
    )


def _walks(st: ModuleType) -> Any:
    verbs = st.sampled_from(("put", "copy", "delete", "get", "head", "list"))
    step = st.builds(Step, verbs, st.sampled_from(KEYS), st.sampled_from(KEYS))
    return st.lists(step, max_size=8).map(tuple).map(Walk)


def _take(s3: Scene, place: str, example: Walk) -> None:
    held: dict[str, bytes] = {}
    for number, step in enumerate((*example.steps, *(Step("get", key, "") for key in KEYS), Step("list", "", ""))):
        _step(s3, place, held, step, b"content of step %d" % number)


def _step(s3: Scene, place: str, held: dict[str, bytes], step: Step, content: bytes) -> None:
    key = place + step.key
    if step.verb == "put":
        s3.expect(s3.call("PutObject", Key=key, Body=content), ok(), if_shown(etag(md5_etag(content))))
        held[step.key] = content
    elif step.verb == "copy" and step.source != step.key:
        answer = s3.call("CopyObject", Key=key, CopySource=f"{s3.bucket}/{encode(place + step.source, safe='/')}")
        if step.source in held:
            s3.expect(answer, ok())
            held[step.key] = held[step.source]
        else:
            s3.expect(answer, refused(404, "NoSuchKey"))
    elif step.verb == "delete":
        s3.expect(s3.call("DeleteObject", Key=key), ok(204))
        held.pop(step.key, None)
    elif step.verb == "get":
        right = body(held[step.key]) if step.key in held else refused(404, "NoSuchKey")
        s3.expect(s3.call("GetObject", Key=key), right)
    elif step.verb == "head":
        right = etag(md5_etag(held[step.key])) if step.key in held else refused(404)
        s3.expect(s3.call("HeadObject", Key=key), right)
    elif step.verb == "list":
        shown = ordered(place + name for name in held)
        s3.expect(s3.call("ListObjectsV2", Prefix=place), ok(), keys(shown))
