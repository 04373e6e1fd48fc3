"""GEN: reads with byte ranges and conditions that are generated, against slices and a short model of RFC 9110."""

from __future__ import annotations

import datetime as dt
import email.utils
import functools
from types import ModuleType
from typing import Any, NamedTuple

from harness.expect import Matcher, body, if_shown, no_body, ok, one_of, output, refused
from harness.scenario import MUST, scenario
from harness.scene import PART, Scene
from scenarios._conditional import STALE, put_for_etag
from scenarios._generated import generate
from scenarios._generated_trees import Forest
from scenarios.get import http_date
from scenarios.get_range import LARGE
from scenarios.mpu import begin, naming, store

SIZES = (1, 2, 10, 1000, 33_000, 131_073)
"""Bytes of the objects: tiny ones, and some above the sizes at which servers change how they keep or send a body."""

POSITIONS = ("0", "1", "2", "middle-1", "middle", "end-2", "end-1", "end", "end+1", "end+1000")
"""Places in an object whose length is `end`."""


BOUNDARY = ("middle-1", "middle", "middle-2", "middle+1", "end-1", "end", "end+1", "middle-1000", "middle+500", "1")
"""Places in an object of two parts, the second of which begins at `middle`."""


def at(position: str, middle: int, end: int) -> int:
    """The offset, in bytes, that a position is, and never one below 0."""
    name, sign, distance = position.partition("+") if "+" in position else position.partition("-")
    base = {"middle": middle, "end": end}.get(name, int(name) if name.isdigit() else 0)
    return max(0, base + (int(distance) if sign == "+" else -int(distance or 0)))


class Range(NamedTuple):
    """A Range header in terms of positions: `first-last`, `first-` where last is "", `-length` where first is ""."""

    first: str
    last: str
    head: bool


class Reads(NamedTuple):
    """An object of so many bytes, and the ranges that are read of it."""

    size: int
    middle: int
    ranges: tuple[Range, ...]

    def numbers(self, asked: Range) -> tuple[int | None, int | None]:
        """First and last number of the header, None where it has none; the last is not before the first."""
        first = at(asked.first, self.middle, self.size) if asked.first else None
        last = at(asked.last, self.middle, self.size) if asked.last else None
        if first is None:
            return None, max(1, last or 0)
        return first, None if last is None else max(first, last)

    def header(self, asked: Range) -> str:
        """The header's value."""
        first, last = self.numbers(asked)
        return f"bytes={'' if first is None else first}-{'' if last is None else last}"

    def words(self) -> str:
        """For the report."""
        asked = (f"{'HEAD' if each.head else 'GET'} {self.header(each)}" for each in self.ranges)
        return f"an object of {self.size} bytes; {', '.join(asked)}"


def _reads(st: ModuleType, sizes: Any, positions: tuple[str, ...] = POSITIONS) -> Any:
    """A strategy of up to six ranges on an object with one of these pairs of size and middle."""
    position = st.sampled_from(positions)
    both = st.builds(Range, position, position, st.booleans())
    open_end = st.builds(Range, position, st.just(""), st.booleans())
    suffix = st.builds(Range, st.just(""), position, st.booleans())
    ranges = st.lists(st.one_of(both, open_end, suffix), min_size=1, max_size=6).map(tuple)
    return st.builds(lambda size, ranges: Reads(size[0], size[1], ranges), st.sampled_from(sizes), ranges)


def _expected(asked: Range, numbers: tuple[int | None, int | None], content: bytes) -> tuple[Matcher, ...]:
    """What a slice of the content says that the answer is."""
    first, last = numbers
    size = len(content)
    start = max(0, size - (last or 0)) if first is None else first
    end = size if first is None or last is None else min(size, last + 1)
    if start >= size:
        return (refused(416),) if asked.head else (refused(416, "InvalidRange"),)
    shown = content[start:end]
    where = output("ContentRange", f"bytes {start}-{end - 1}/{size}")
    whole = no_body() if asked.head else body(shown)
    return ok(206), if_shown(where), if_shown(output("ContentLength", len(shown))), if_shown(whole)


def _read(s3: Scene, key: str, content: bytes, example: Reads) -> None:
    for asked in example.ranges:
        answer = s3.call("HeadObject" if asked.head else "GetObject", Key=key, Range=example.header(asked))
        s3.expect(answer, *_expected(asked, example.numbers(asked), content))


@scenario(
    "GEN-006",
    MUST,
    "GetObject",
    "HeadObject",
    source="RFC 9110 §14; LocalStack test_get_object_range (recorded on AWS); the model is a slice",
    clients=("raw", "boto3"),
)
def ranges(s3: Scene) -> None:
    """Any range of any object is the slice of its bytes with 206, or 416 where it begins behind the end; on HEAD too.

    S3 promises: both ends count, a last byte beyond the object is cut to it, a suffix longer than the object is all
    of it; Content-Range and Content-Length say which bytes these are. Only a start at or behind the length is refused.

    Breaks: readers that jump about in a file (Parquet, ZIP, video, mounted buckets) and parallel downloads get bytes
    of the wrong place, one too many or one too few, for some sizes and places only, so that it goes unseen for long.

    Fix: turn every form into a first and an exclusive end before reading, and derive all headers from these two.
    """
    forest = Forest(s3)

    def check(example: Reads) -> None:
        content = LARGE[: example.size]
        key = forest.plant(example.size, lambda place: s3.put(place + "object", content) and place + "object")
        _read(s3, key, content, example)

    sizes = [(size, size // 2) for size in SIZES]
    generate(s3, "GEN-006", lambda st: _reads(st, sizes), check, Reads.words, examples=70)


@functools.cache
def _first_part() -> bytes:
    return (LARGE * (PART // len(LARGE) + 1))[:PART]


@scenario(
    "GEN-019",
    MUST,
    "GetObject",
    "HeadObject",
    source="RFC 9110 §14; LocalStack test_get_object_range (recorded on AWS); the model is a slice",
    clients=("raw",),
)
def ranges_across_parts(s3: Scene) -> None:
    """Any range of an object that was uploaded in parts is the slice of the joined parts, also across their boundary.

    S3 promises: once completed, an object is one sequence of bytes; how it was uploaded does not show in its ranges.

    Breaks: parallel downloads and readers of large files, which have nearly all been uploaded in parts: a range that
    begins in one part and ends in the next loses or repeats bytes where each part is read by itself.

    Fix: look up the part in which the first byte lies by the sum of the sizes before it, and read on into the next
    ones until the range is full.
    """
    last = LARGE[1000:2000]
    content = _first_part() + last

    def planting(place: str) -> str:
        upload = begin(s3, place + "object")
        parts = [store(s3, upload, number, part) for number, part in ((1, _first_part()), (7, last))]
        s3.setup("CompleteMultipartUpload", **upload, **naming(*parts))
        return place + "object"

    key = Forest(s3).plant("object", planting)
    generate(
        s3,
        "GEN-019",
        lambda st: _reads(st, [(len(content), PART)], BOUNDARY).filter(
            lambda example: _is_short(example, len(content))
        ),
        lambda example: _read(s3, key, content, example),
        Reads.words,
        examples=60,
    )


def _is_short(example: Reads, size: int) -> bool:
    """Whether no range moves more than a few bytes over the wire, but for those that HEAD only asks about."""
    for asked in example.ranges:
        first, last = example.numbers(asked)
        length = last if first is None else (size if last is None else min(last, size)) - first
        if not asked.head and (length or 0) > PART // 2:
            return False
    return True


class Conditions(NamedTuple):
    """The headers of one read: an ETag is "current" or "other", a date "equal" or seconds from it; "" for none."""

    match: str
    none_match: str
    modified_since: str
    unmodified_since: str
    head: bool

    def words(self) -> str:
        """For the report."""
        named = zip(("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"), self, strict=False)
        shown = [f"{name}: {value} {'ETag' if 'Match' in name else 'Last-Modified'}" for name, value in named if value]
        return f"{'HEAD' if self.head else 'GET'} with {', '.join(shown) or 'no condition'}"

    @property
    def statuses(self) -> tuple[int, ...]:
        """The status that S3's rules give, from the first header that decides on.

        Sources that are recorded do not say what If-None-Match with another ETag makes of an If-Modified-Since that
        alone would be 304; RFC 9110 §13.2.2 says that it is not looked at. Both are accepted.
        """
        if self.match == "other":
            return (412,)
        if not self.match and self.unmodified_since == "earlier than":
            return (412,)
        if self.none_match == "current":
            return (304,)
        if self.modified_since == "equal to":
            return (200, 304) if self.none_match else (304,)
        return (200,)


@scenario(
    "GEN-007",
    MUST,
    "GetObject",
    "HeadObject",
    source="RFC 9110 §13.2.2; LocalStack test_s3_get_object_preconditions (recorded on AWS); "
    "AWS API reference, GetObject, Conditional requests",
    clients=("raw", "boto3"),
)
def conditional_reads(s3: Scene) -> None:
    """Any combination of the four conditional headers gives the status that S3's order of precedence says.

    S3 promises: If-Match outweighs If-Unmodified-Since, If-None-Match outweighs If-Modified-Since, and what fails for
    the writer's sake (412) comes before what spares the reader a body (304). HEAD answers as GET does.

    Breaks: caches and proxies send ETag and date together, on every request. With the wrong precedence they keep
    what has changed, or read everything again; resumed downloads join two versions of a file.

    Fix: evaluate in the order of RFC 9110 §13.2.2, and look at a date only where the ETag header beside it is absent.
    """
    content = b"what a cache holds already"
    key = s3.key()
    current = put_for_etag(s3, key, content)
    stored = s3.expect(s3.look("HeadObject", Key=key), ok(), http_date("Last-Modified"))
    modified = email.utils.parsedate_to_datetime((stored.headers or {})["last-modified"])
    etags = {"current": current, "other": STALE}
    dates = {"earlier than": modified - dt.timedelta(hours=1), "equal to": modified}
    dates["later than"] = modified + dt.timedelta(hours=1)

    def check(asked: Conditions) -> None:
        named: dict[str, Any] = {"IfMatch": etags.get(asked.match), "IfNoneMatch": etags.get(asked.none_match)}
        named |= {
            member: email.utils.format_datetime(dates[value], usegmt=True)
            for member, value in (
                ("IfModifiedSince", asked.modified_since),
                ("IfUnmodifiedSince", asked.unmodified_since),
            )
            if value
        }
        given = {member: value for member, value in named.items() if value}
        answer = s3.call("HeadObject" if asked.head else "GetObject", Key=key, **given)
        s3.expect(answer, one_of(*(_status(status, asked.head, content) for status in asked.statuses)))

    generate(s3, "GEN-007", _conditions, check, Conditions.words, examples=90)


def _conditions(st: ModuleType) -> Any:
    etag = st.sampled_from(("", "current", "other"))
    # A date that is later than now counts as none (CRD-005), which is less than every store knows.
    earlier = st.sampled_from(("", "earlier than", "equal to"))
    any_date = st.sampled_from(("", "earlier than", "equal to", "later than"))
    return st.builds(Conditions, etag, etag, earlier, any_date, st.booleans())


def _status(status: int, head: bool, content: bytes) -> Matcher:
    if status != 200:
        return refused(status) if head or status == 304 else refused(status, "PreconditionFailed")
    return ok() if head else body(content)
