"""MPU: UploadPart and ListParts."""

from __future__ import annotations

import hashlib
from typing import Any

from harness.clients import CALLERS
from harness.clients.base import Observed
from harness.expect import (
    Matcher,
    absent,
    header,
    if_shown,
    no_body,
    no_header,
    ok,
    output,
    output_where,
    refused,
)
from harness.scenario import MUST, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios.mpu import begin, naming, read_back, store


def shown(number: int, content: bytes) -> dict[str, Any]:
    """A part as ListParts shows it, without its time."""
    return {"PartNumber": number, "ETag": f'"{hashlib.md5(content).hexdigest()}"', "Size": len(content)}


def parts_of(seen: Observed) -> list[dict[str, Any]]:
    """The parts of a ListParts answer, without their times."""
    names = ("PartNumber", "ETag", "Size")
    return [{name: part[name] for name in names if name in part} for part in seen.output.get("Parts", [])]


def lists(*expected: dict[str, Any]) -> Matcher:
    """Exactly these parts, in this order."""

    def test(seen: Observed) -> str:
        if "Parts" not in seen.output and seen.partial:
            raise Inexpressible(f"{seen.client} does not show the parts")
        found = parts_of(seen)
        return "" if found == list(expected) else f"parts were {found[:8]!r}"

    return Matcher(f"parts {list(expected)!r}", test)


def ends() -> Matcher:
    """No further page is announced; whether false is spelled out is MPU-029's business."""

    def test(seen: Observed) -> str:
        return "IsTruncated was True" if seen.output.get("IsTruncated") is True else ""

    return Matcher("a last page", test)


def dated() -> Matcher:
    """Every part has a LastModified."""

    def test(seen: Observed) -> str:
        bare = [part.get("PartNumber") for part in seen.output.get("Parts", []) if not part.get("LastModified")]
        return f"parts {bare} have none" if bare else ""

    return Matcher("LastModified in every part", test)


@scenario(
    "MPU-006",
    MUST,
    "UploadPart",
    source="LocalStack test_complete_multipart_parts_order (recorded on AWS)",
    clients=CALLERS,
)
def number_has_limits(s3: Scene) -> None:
    """A partNumber below 1 or above 10000 is refused with 400 InvalidArgument that names it; no part is stored.

    S3 promises: part numbers are integers from 1 to 10000. Any other gets 400 InvalidArgument with ArgumentName
    partNumber and in ArgumentValue the number as sent.

    Breaks: clients choose the part size from this limit (rclone, aws s3 cp, restic); a number that is taken but
    cannot be completed costs the whole upload, at its end.

    Fix: check the range when the part arrives, before reading its body.
    """
    upload = begin(s3, s3.key())
    for number in (0, 10001) if s3.costly else (0, -1, 10001):
        fields = {"ArgumentName": "partNumber", "ArgumentValue": str(number)}
        answer = s3.call("UploadPart", **upload, PartNumber=number, Body=b"part")
        s3.expect(answer, refused(400, "InvalidArgument", fields=fields))
    s3.expect(s3.look("ListParts", **upload), ok(), lists())


@scenario(
    "MPU-017", MUST, "ListParts", source="LocalStack test_multipart_and_list_parts (recorded on AWS)", clients=CALLERS
)
def upload_ends_with_complete(s3: Scene) -> None:
    """After Complete the upload is gone: ListParts on it answers 404 NoSuchUpload.

    S3 promises: an upload exists from CreateMultipartUpload to Complete or Abort. Once it is completed, its id
    names nothing, and the object alone remains.

    Breaks: uploaders that resume after a crash (Uppy, s3cmd) ask ListParts whether there is anything left to do;
    lists of unfinished uploads fill with finished ones, and clean-up tools abort what is done.

    Fix: drop the upload's record in the same step that makes the object visible.
    """
    content = b"the only part"
    upload = begin(s3, s3.key())
    part = store(s3, upload, 1, content)
    s3.expect(s3.look("ListParts", **upload), ok(), lists(shown(1, content)))
    s3.setup("CompleteMultipartUpload", **upload, **naming(part))
    s3.expect(s3.call("ListParts", **upload), refused(404, "NoSuchUpload"))
    read_back(s3, upload["Key"], content)


@scenario(
    "MPU-020",
    MUST,
    "UploadPart",
    source="ceph/s3-tests test_multipart_resend_first_finishes_last",
    confidence="secondary",
    clients=CALLERS,
)
def part_is_replaced(s3: Scene) -> None:
    """Uploading a part number again replaces the earlier part, in ListParts and in the completed object.

    S3 promises: an upload has at most one part of each number, the last one that was sent completely.

    Breaks: every client sends a part again after a timeout (rclone, SDK retries); a part kept twice or in its
    older form makes the object longer than, or different from, what was sent.

    Fix: key parts by number, and let a complete new body take the place of the old one atomically.
    """
    upload, old, new = begin(s3, s3.key()), b"the first attempt", b"the second"
    s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=old), ok())
    sent = s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=new), ok())
    s3.expect(s3.look("ListParts", **upload), ok(), lists(shown(1, new)))
    part = {"PartNumber": 1, "ETag": sent.etag or shown(1, new)["ETag"]}
    s3.expect(s3.look("CompleteMultipartUpload", **upload, **naming(part)), ok())
    read_back(s3, upload["Key"], new)


@scenario("MPU-022", MUST, "UploadPart", source="LocalStack test_response_structure (recorded on AWS)", clients=CALLERS)
def part_answer_is_bare(s3: Scene) -> None:
    """UploadPart answers 200 with an empty body, Content-Length 0 and no Content-Type.

    S3 promises: all there is to say is in the headers: 200, the part's ETag, Content-Length: 0, and no
    Content-Type, since there is no content.

    Breaks: without Content-Length a client on a kept connection waits for a body (old Go and Node HTTP stacks)
    or must reconnect for each part; strict signers and proxies stumble over a type without content.

    Fix: send `Content-Length: 0` and drop the framework's default Content-Type on empty answers.
    """
    upload, content = begin(s3, s3.key()), b"part"
    s3.expect(
        s3.call("UploadPart", **upload, PartNumber=1, Body=content),
        ok(),
        header("Content-Length", "0"),
        no_header("Content-Type"),
        if_shown(no_body()),
    )
    s3.expect(s3.look("ListParts", **upload), ok(), lists(shown(1, content)))


@scenario(
    "MPU-029", MUST, "ListParts", source="LocalStack test_list_parts_pagination (recorded on AWS)", clients=CALLERS
)
def no_parts_yet(s3: Scene) -> None:
    """ListParts on an upload without parts answers 200, with its markers 0, MaxParts 1000 and no Part.

    S3 promises: an upload that has no part yet is listed like any other: PartNumberMarker 0,
    NextPartNumberMarker 0, MaxParts 1000, IsTruncated false, and no Part element.

    Breaks: clients that resume an upload ask this first; on 404 they start a second upload, and a missing
    IsTruncated or marker is a parse error in typed SDKs (Go, Java, Rust).

    Fix: answer from the upload's record, not from its parts, and print the numbers even when they are 0.
    """
    upload = begin(s3, s3.key())
    s3.expect(
        s3.call("ListParts", **upload),
        ok(),
        absent("Parts"),
        output("IsTruncated", False),
        output("PartNumberMarker", 0),
        output("NextPartNumberMarker", 0),
        output("MaxParts", 1000),
    )


@scenario(
    "MPU-030", MUST, "ListParts", source="LocalStack test_list_parts_pagination (recorded on AWS)", clients=CALLERS
)
def parts_in_order(s3: Scene) -> None:
    """ListParts shows PartNumber, LastModified, quoted ETag and Size of each part, ascending by number.

    S3 promises: one Part element for each part, in numerical order whatever the order of arrival (2 before 10),
    with its number, time, size in bytes, and its ETag in double quotes.

    Breaks: tools that resume (s3cmd put --continue-put, Uppy) compare size and ETag with the local file and send
    what is missing; where numbers, sizes or quotes are off they send all again or complete with wrong ETags.

    Fix: sort by number as an integer, not as text; print the ETag as UploadPart gave it, quotes included.
    """
    upload = begin(s3, s3.key())
    contents = {10: b"tenth", 2: b"second part", 1: b"the very first"}
    for number, content in contents.items():
        store(s3, upload, number, content)
    expected = [shown(number, contents[number]) for number in sorted(contents)]
    answer = s3.call("ListParts", **upload)
    s3.expect(answer, ok(), lists(*expected), dated())


@scenario(
    "MPU-032", MUST, "ListParts", source="LocalStack test_list_parts_pagination (recorded on AWS)", clients=CALLERS
)
def parts_in_pages(s3: Scene) -> None:
    """ListParts with max-parts=1 is truncated, and following its marker shows every part exactly once.

    S3 promises: a page that is not the last says IsTruncated true and gives in NextPartNumberMarker the number
    after which to go on; the pages together are all parts in order, and the last one is not truncated.

    Breaks: an upload with more than 1000 parts cannot be listed in one page: clients that resume lose the rest,
    or never end when the marker is ignored.

    Fix: start after part-number-marker, stop at max-parts, and compare with what is left to set IsTruncated.
    """
    upload = begin(s3, s3.key())
    contents = {number: f"part {number}".encode() for number in ((1, 10) if s3.costly else (1, 2, 10))}
    for number, content in contents.items():
        store(s3, upload, number, content)
    marker: dict[str, Any] = {}
    for step, (number, content) in enumerate(contents.items(), 1):
        page = s3.call("ListParts", **upload, MaxParts=1, **marker)
        more = step < len(contents)
        s3.expect(page, ok(), lists(shown(number, content)), output("IsTruncated", True) if more else ends())
        if more:
            s3.expect(page, output_where("NextPartNumberMarker", "a number", lambda value: isinstance(value, int)))
            marker = {"PartNumberMarker": page.output["NextPartNumberMarker"]}
