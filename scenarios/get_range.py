"""GET: byte ranges of GetObject and HeadObject."""

from __future__ import annotations

import hashlib

from harness.clients import CALLERS, LIBRARIES
from harness.expect import body, if_shown, no_body, ok, one_of, output, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene

TEN = b"0123456789"
"""The object of ten bytes on which S3's answers to ranges were recorded."""

LARGE = hashlib.shake_256(b"s3conform").digest(300_000)
"""Bytes without any period, so that a range from the wrong place cannot pass."""


def ten(s3: Scene) -> str:
    """TEN, stored to prepare the scene; its key."""
    s3.put(s3.key(), TEN)
    return s3.key()


def expect_range(s3: Scene, key: str, asked: str, first: int, last: int) -> None:
    """GET of a range of TEN answers 206 with the bytes from `first` to `last` and says which they are."""
    expected = TEN[first : last + 1]
    length = if_shown(output("ContentLength", len(expected)))
    where = if_shown(output("ContentRange", f"bytes {first}-{last}/10"))
    s3.expect(s3.call("GetObject", Key=key, Range=asked), ok(206), body(expected), length, where)


@scenario(
    "GET-006",
    MUST,
    "GetObject",
    source="LocalStack test_get_object_range (recorded on AWS)",
)
def range_of_bytes(s3: Scene) -> None:
    """A range of bytes answers 206 with those bytes, their Content-Range and their Content-Length.

    S3 promises: bytes=0-8 of ten bytes is 206, Content-Range "bytes 0-8/10" and Content-Length 9: both ends count.

    Breaks: parallel and resumed downloads of boto3, the AWS CLI, rclone and restic; video seeking. A 200 with the
    whole object, or one byte too many or too few, gives a corrupt file.

    Fix: both ends are inclusive; Content-Length is the length of the slice, and the number after the slash the
    length of the object.
    """
    key = ten(s3)
    expect_range(s3, key, "bytes=0-8", 0, 8)


@scenario(
    "GET-007",
    MUST,
    "GetObject",
    source="LocalStack test_get_object_range (recorded on AWS)",
    clients=CALLERS,
)
def open_and_suffix_ranges(s3: Scene) -> None:
    """A range without end reads to the end of the object; one without start reads its last bytes.

    S3 promises: bytes=1- is everything from the second byte on, bytes=-9 the last nine bytes; both answer 206.

    Breaks: resumed downloads ask with an open end; readers of ZIP, Parquet and ORC ask for the end of a file first.
    Taken for bytes=0-9, the suffix form yields wrong data.

    Fix: parse the three forms apart: first-last, first-, and -length.
    """
    key = ten(s3)
    expect_range(s3, key, "bytes=1-", 1, 9)
    expect_range(s3, key, "bytes=-9", 1, 9)
    if not s3.costly:
        expect_range(s3, key, "bytes=-1", 9, 9)


@scenario(
    "GET-008",
    MUST,
    "GetObject",
    source="LocalStack test_get_object_range (recorded on AWS)",
)
def range_of_one_byte(s3: Scene) -> None:
    """A range whose two ends are equal answers 206 with one byte.

    S3 promises: bytes=1-1 is the second byte alone: 206, Content-Range "bytes 1-1/10", Content-Length 1.

    Breaks: clients that probe for range support with one byte, and readers of indexes and headers; an exclusive
    end gives them nothing, or a 416.

    Fix: both ends are inclusive, so the length is last minus first plus one; first equal to last is valid.
    """
    key = ten(s3)
    expect_range(s3, key, "bytes=1-1", 1, 1)


@scenario(
    "GET-009",
    MUST,
    "GetObject",
    source="LocalStack test_get_object_range (recorded on AWS)",
    clients=CALLERS,
)
def range_beyond_the_end(s3: Scene) -> None:
    """A range that ends beyond the object, or a suffix longer than it, is cut to the object and answers 206.

    S3 promises: bytes=0-100 and bytes=-15 of ten bytes both return the entire object as 206, with Content-Range
    "bytes 0-9/10".

    Breaks: clients that read fixed blocks without knowing the size: block caches, mounted file systems, readers that
    begin with the first megabyte. Small objects and last blocks end before the range does; a 416 hides them.

    Fix: cut the end to the last byte and the start of a suffix to zero; only a start beyond the object is an error.
    """
    key = ten(s3)
    expect_range(s3, key, "bytes=0-100", 0, 9)
    expect_range(s3, key, "bytes=-15", 0, 9)
    if not s3.costly:
        expect_range(s3, key, "bytes=9-10", 9, 9)


@scenario(
    "GET-010",
    MUST,
    "GetObject",
    source="LocalStack test_get_object_range and test_invalid_range_error (recorded on AWS)",
    clients=CALLERS,
)
def range_after_the_end(s3: Scene) -> None:
    """A range that starts at or beyond the end of the object is refused with 416 InvalidRange.

    S3 promises: no byte of the object is in the range, so the answer is 416 with code InvalidRange, not 200 with
    the object and not 206 with nothing.

    Breaks: resuming clients learn from 416 that a file is complete or has become shorter. A 200 makes them append
    the whole object to what they have; an empty 206 makes readers loop.

    Fix: compare the start with the length: start >= length is unsatisfiable.
    """
    key = ten(s3)
    for asked in ("bytes=100-200", "bytes=10-") if s3.costly else ("bytes=100-200", "bytes=10-20", "bytes=10-"):
        s3.expect(s3.call("GetObject", Key=key, Range=asked), refused(416, "InvalidRange"))


@scenario(
    "GET-011",
    SHOULD,
    "GetObject",
    source="LocalStack test_get_object_range (recorded on AWS)",
    clients=LIBRARIES,
)
def refused_range_tells_the_size(s3: Scene) -> None:
    """InvalidRange has ActualObjectSize and RangeRequested in its error document.

    S3 promises: the refusal says how long the object is and repeats the Range header that was sent.

    Breaks: readers that resume learn from ActualObjectSize where the object ends now, without asking again by HEAD;
    without it they cannot tell a finished download from a file that became shorter.

    Fix: put length and header into the error where the range is compared with the length.
    """
    key = ten(s3)
    for asked in ("bytes=100-200", "bytes=10-"):
        fields = {"ActualObjectSize": "10", "RangeRequested": asked}
        s3.expect(s3.call("GetObject", Key=key, Range=asked), refused(416, "InvalidRange", fields=fields))
    expect_range(s3, key, "bytes=9-", 9, 9)


@scenario(
    "GET-013",
    SHOULD,
    "GetObject",
    source="LocalStack test_get_object_range (recorded on AWS)",
    clients=LIBRARIES,
)
def malformed_range_is_ignored(s3: Scene) -> None:
    """A Range that is none, such as one whose end comes before its start, is ignored: 200 with the whole object.

    S3 promises: bytes=1-0, a range without its unit ("0-1"), "bytes=-" and one with a minus sign too many are no
    ranges. The object is answered as if the header were absent (RFC 9110 §14.2 allows it).

    Breaks: hand-written download code with an off-by-one on empty blocks; it works on S3, and a 416 or 400 ends it.
    A parser that makes something of such text sends bytes that nobody asked for.

    Fix: match the header against the three forms of a single range, and drop what does not match.
    """
    key = ten(s3)
    for asked in ("bytes=1-0", "0-1", "bytes=-", "bytes=0--1", "bytes=-1-"):
        s3.expect(s3.call("GetObject", Key=key, Range=asked), ok(), body(TEN))


@scenario(
    "GET-017",
    SHOULD,
    "GetObject",
    source="ceph/s3-tests test_ranged_request_empty_object",
    clients=LIBRARIES,
    confidence="secondary",
)
def range_of_nothing(s3: Scene) -> None:
    """A range that names a first byte is refused with 416 InvalidRange on an empty object.

    S3 promises: an empty object has no byte 0, so that every such range lies beyond its end.

    Breaks: block readers and mounted file systems that begin each file with a range; they take 416 for "empty". A 206
    without bytes has a Content-Range that cannot be written, and makes them read on for ever.

    Fix: treat length 0 like any other length: a start that is not below it is unsatisfiable.
    """
    key = s3.key("empty")
    s3.put(key, b"")
    s3.expect(s3.call("GetObject", Key=key), ok(), body(b""))
    for asked in ("bytes=0-0", "bytes=0-9", "bytes=0-"):
        s3.expect(s3.call("GetObject", Key=key, Range=asked), refused(416, "InvalidRange"))


@scenario(
    "GET-015",
    MUST,
    "HeadObject",
    source="Moto test_head_object_with_range_header (verified on AWS)",
)
def range_on_head(s3: Scene) -> None:
    """HEAD with a range answers 206 with Content-Range and the length of the range; beyond the end 416 without body.

    S3 promises: Range means the same on HEAD as on GET; the bytes are left out, the headers are not.

    Breaks: readers that probe by HEAD with a range to learn the size of an object, and whether ranges are served
    at all, before they read parts of it.

    Fix: let HEAD run through the code of GET up to the point where bytes would be sent.
    """
    key = ten(s3)
    answer = s3.call("HeadObject", Key=key, Range="bytes=2-5")
    s3.expect(answer, ok(206), output("ContentRange", "bytes 2-5/10"), output("ContentLength", 4), if_shown(no_body()))
    s3.expect(s3.call("HeadObject", Key=key, Range="bytes=100-200"), refused(416), if_shown(no_body()))


@scenario(
    "GET-016",
    MUST,
    "GetObject",
    source="LocalStack test_range_key_not_exists (recorded on AWS)",
    clients=CALLERS,
)
def range_of_a_missing_key(s3: Scene) -> None:
    """A range of a key that does not exist answers 404 NoSuchKey, not 416.

    S3 promises: whether the object exists is decided before the range is looked at.

    Breaks: clients that begin with a ranged GET instead of a HEAD, as the AWS CLI does in some settings. Told 416,
    they take a missing object for an empty or shorter one instead of reporting that it is gone.

    Fix: look the object up first; never treat a missing object as one of length zero.
    """
    answer = s3.call("GetObject", Key=s3.key("missing"), Range="bytes=0-8")
    s3.expect(answer, refused(404, "NoSuchKey"))


@scenario(
    "GET-038",
    MUST,
    "GetObject",
    source="LocalStack test_download_fileobj_multiple_range_requests (recorded on AWS)",
)
def ranges_reassemble(s3: Scene) -> None:
    """Ranges of one object, read in any order and repeatedly, join to exactly the object.

    S3 promises: every range is cut from the same bytes at the same offsets, whatever was read before it.

    Breaks: boto3, the AWS CLI and rclone download large objects as many ranges and join them by offset; one range
    from the wrong place, or cut short, is a corrupt file of the right length.

    Fix: seek for every request anew; keep no position between requests, and check offsets against block borders of
    the storage below.
    """
    key = s3.key()
    s3.put(key, LARGE)
    step = 120_001 if s3.costly else 40_961
    starts = list(range(0, len(LARGE), step))
    pieces: dict[int, bytes] = {}
    for start in [*reversed(starts), *([] if s3.costly else starts)]:
        asked = f"bytes={start}-{min(start + step, len(LARGE)) - 1}"
        answer = s3.call("GetObject", Key=key, Range=asked)
        # That the status must be 206 is GET-006's statement; here only the bytes count.
        s3.expect(answer, one_of(ok(206), ok()), body(LARGE[start : start + step]))
        pieces[start] = answer.body or b""
    whole = b"".join(pieces[start] for start in starts)
    s3.check(whole == LARGE, "all ranges joined are the object", f"they are {len(whole)} other bytes")
