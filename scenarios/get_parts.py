"""GET: objects read by part number."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import absent, body, etag, if_shown, no_body, ok, output, refused
from harness.scenario import SHOULD, scenario
from harness.scene import PART, Scene
from harness.signals import Prerequisite
from harness.wire import model
from scenarios.get_range import TEN
from scenarios.mpu import begin, filler, naming, store

TAIL = b"the second part, which is the last and may be short"

RECORDED = "LocalStack test_get_object_part (recorded on AWS)"


def in_parts(s3: Scene, key: str, *contents: bytes) -> str:
    """An object completed from these parts, stored to prepare the scene; its ETag as the witness is shown it."""
    upload = begin(s3, key)
    parts = [store(s3, upload, number, content) for number, content in enumerate(contents, 1)]
    s3.setup("CompleteMultipartUpload", **upload, **naming(*parts))
    head = s3.look("HeadObject", Key=key)
    if not head.etag:
        raise Prerequisite(head)
    return head.etag


@scenario(
    "GET-018",
    SHOULD,
    "GetObject",
    "HeadObject",
    source=f"{RECORDED}; versitygw REST test GetObject - part number 1 returns 206, Content-Range header",
    clients=LIBRARIES,
)
def only_part_of_a_plain_object(s3: Scene) -> None:
    """partNumber=1 on an object that was stored in one piece answers 206 with all its bytes and no count of parts.

    S3 promises: the object counts as its own first part: 206, Content-Range over all bytes, and no
    x-amz-mp-parts-count, which only objects from multipart uploads have.

    Breaks: downloaders of the SDKs for Java, .NET and Go ask for part 1 of everything to learn how many parts there
    are; a 400 makes small objects unreadable, a count where there is none sends them after part 2.

    Fix: let a part number select a range of bytes, the whole object where there are no parts, and answer as to a range.
    """
    key = s3.key()
    s3.put(key, TEN)
    whole = (ok(206), output("ContentRange", "bytes 0-9/10"), output("ContentLength", 10), absent("PartsCount"))
    s3.expect(s3.call("GetObject", Key=key, PartNumber=1), *whole, body(TEN))
    s3.expect(s3.call("HeadObject", Key=key, PartNumber=1), *whole, if_shown(no_body()))


@scenario("GET-019", SHOULD, "GetObject", source=RECORDED, clients=LIBRARIES)
def no_second_part_of_a_plain_object(s3: Scene) -> None:
    """partNumber=2 on an object that was stored in one piece is refused with 416 InvalidPartNumber.

    S3 promises: the error document has ActualPartCount 1 and PartNumberRequested 2. Nothing of the object is sent.

    Breaks: readers that go on until there are no more parts; a 200 with the whole object makes them write it a second
    time behind the first.

    Fix: count an object without parts as one part, and refuse every number above the count.
    """
    key = s3.key()
    s3.put(key, TEN)
    s3.expect(s3.call("GetObject", Key=key, PartNumber=1), ok(206), body(TEN))
    fields = {"ActualPartCount": "1", "PartNumberRequested": "2"}
    answer = s3.call("GetObject", Key=key, PartNumber=2)
    s3.expect(answer, refused(416, "InvalidPartNumber", fields=fields))


@scenario(
    "GET-020",
    SHOULD,
    "GetObject",
    "HeadObject",
    source=f"{RECORDED}; versitygw REST test GetObject - partNumber w/multipart",
    clients=LIBRARIES,
)
def one_part_of_several(s3: Scene) -> None:
    """partNumber=n on an object from a multipart upload answers 206 with exactly that part, and the count of parts.

    S3 promises: the bytes of the part as it was uploaded, their Content-Range in the whole object,
    x-amz-mp-parts-count, and the ETag of the whole. HEAD has the same headers.

    Breaks: SDK transfer managers that download along the borders of the upload (Java, .NET, Go), so as to verify each
    part's checksum; bytes from other borders fail it, a missing count ends the download after part 1.

    Fix: keep the sizes of the parts with the finished object, and turn the number into a range.
    """
    key = s3.key()
    whole = in_parts(s3, key, filler(PART), TAIL)
    size = PART + len(TAIL)
    last: dict[str, Any] = {"ContentRange": f"bytes {PART}-{size - 1}/{size}", "ContentLength": len(TAIL)}
    first: dict[str, Any] = {"ContentRange": f"bytes 0-{PART - 1}/{size}", "ContentLength": PART}
    for operation, number, shown in (("GetObject", 2, last), ("HeadObject", 2, last), ("HeadObject", 1, first)):
        answer = s3.call(operation, Key=key, PartNumber=number)
        s3.expect(answer, ok(206), etag(whole), output("PartsCount", 2))
        s3.expect(answer, *[output(name, value) for name, value in shown.items()])
        if operation == "GetObject":
            s3.expect(answer, body(TAIL))


@scenario("GET-021", SHOULD, "GetObject", source=RECORDED, clients=LIBRARIES)
def part_beyond_the_last(s3: Scene) -> None:
    """A part number above the count of an object from a multipart upload is refused with 416 InvalidPartNumber.

    S3 promises: parts that the object does not have cannot be read, neither as nothing nor as the whole.

    Breaks: readers that go from part to part until the refusal, and those that hold a count from before an overwrite;
    an empty answer keeps them going, the whole object gives them its bytes twice.

    Fix: compare the number with the count that was kept when the upload was completed.
    """
    key = s3.key()
    in_parts(s3, key, TAIL)
    s3.expect(s3.call("GetObject", Key=key, PartNumber=1), ok(206), body(TAIL))
    for number in (2, 10_000):
        s3.expect(s3.call("GetObject", Key=key, PartNumber=number), refused(416, "InvalidPartNumber"))


@scenario("GET-022", SHOULD, "GetObject", source=RECORDED, clients=LIBRARIES)
def part_or_range(s3: Scene) -> None:
    """GET with both a part number and a Range is refused with 400 InvalidRequest.

    S3 promises: each of the two selects bytes, and S3 does not choose between them.

    Breaks: strict validation; it finds the mistake in a client that would otherwise be sent bytes of either, depending
    on the gateway.

    Fix: refuse the pair before either is evaluated.
    """
    key = s3.key()
    s3.put(key, TEN)
    s3.expect(s3.call("GetObject", Key=key, PartNumber=1), ok(206), body(TEN))
    s3.expect(s3.call("GetObject", Key=key, Range="bytes=0-1"), ok(206), body(TEN[:2]))
    both = s3.call("GetObject", Key=key, PartNumber=1, Range="bytes=0-1")
    s3.expect(both, refused(400, "InvalidRequest"))


@scenario(
    "GET-023",
    SHOULD,
    "HeadObject",
    source="versitygw REST test HeadObject - letter partNumber",
    clients=("raw",),
)
def part_number_is_a_number(s3: Scene) -> None:
    """HEAD with a partNumber that is not a number is refused with 400, without a body.

    S3 promises: what is no number is an error, not part 1 and not the whole object.

    Breaks: strict validation. A client that mixes up its parameters is told so instead of being shown the headers of
    something else.

    Fix: parse the parameter strictly when it is there, on HEAD as on GET.
    """
    key = s3.key()
    s3.put(key, TEN)
    target = model.build("HeadObject", {"Bucket": s3.bucket, "Key": key}).target
    for text, wanted in (("1", ok(206)), ("a", refused(400)), ("1a", refused(400))):
        answer = s3.send("HeadObject", "HEAD", f"{target}?partNumber={text}", bucket=s3.bucket)
        s3.expect(answer, wanted, no_body())
