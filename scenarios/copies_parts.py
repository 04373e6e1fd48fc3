"""COPY: UploadPartCopy, whole sources and ranges."""

from __future__ import annotations

from typing import Any

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, ok, one_of, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.copies import planted, result_with_etag
from scenarios.mpu import begin, naming, read_back
from scenarios.mpu_parts import lists, shown

CONTENT = b"0123456789"
"""Ten bytes, each at the offset that it names."""


def _copy_part(s3: Scene, upload: dict[str, Any], source: str, number: int = 1, **params: Any) -> Observed:
    return s3.call("UploadPartCopy", **upload, PartNumber=number, CopySource=source, **params)


@scenario(
    "COPY-023",
    MUST,
    "UploadPartCopy",
    source="LocalStack test_upload_part_copy_no_copy_source_range (recorded on AWS); "
    "versitygw REST upload part copy (UploadPartCopy)",
    clients=CALLERS,
)
def whole_source_as_part(s3: Scene) -> None:
    """UploadPartCopy without a range makes the whole source a part, and CopyPartResult has its ETag and LastModified.

    S3 promises: no range means all of it. The document holds the quoted MD5 of the part and the time at which it was
    made, and the part can be completed like one that was uploaded.

    Breaks: joining files on the server (`aws s3api upload-part-copy`, Hadoop's concat, log compaction); a client
    that gets no ETag in the document has nothing to complete with.

    Fix: treat the absent header as 0 to size - 1, and answer with CopyPartResult, not with an ETag header.
    """
    source, upload = planted(s3, CONTENT), begin(s3, s3.key("target"))
    s3.expect(_copy_part(s3, upload, source), ok(), result_with_etag("CopyPartResult", CONTENT))
    s3.expect(s3.look("ListParts", **upload), ok(), lists(shown(1, CONTENT)))
    part = {"PartNumber": 1, "ETag": shown(1, CONTENT)["ETag"]}
    s3.expect(s3.look("CompleteMultipartUpload", **upload, **naming(part)), ok())
    read_back(s3, upload["Key"], CONTENT)


@scenario(
    "COPY-024",
    MUST,
    "UploadPartCopy",
    source="LocalStack test_upload_part_copy_range (recorded on AWS)",
    clients=CALLERS,
)
def range_as_part(s3: Scene) -> None:
    """x-amz-copy-source-range bytes=a-b copies exactly the bytes from offset a to offset b, both included.

    S3 promises: the first byte has offset 0, and the last one named belongs to the part.

    Breaks: every server-side copy of a large object is made of such ranges (boto3 and the AWS CLI above 8 MiB,
    rclone above its cutoff): one byte too many or too few at each seam damages the copy, and its size gives it away
    only sometimes.

    Fix: length is b - a + 1; share the arithmetic with ranged reads.
    """
    source, upload = planted(s3, CONTENT), begin(s3, s3.key("target"))
    spans = ((2, 5), (9, 9)) if s3.costly else ((0, 9), (0, 0), (2, 5), (9, 9), (1, 9))
    expected = []
    for number, (first, last) in enumerate(spans, 1):
        wanted = CONTENT[first : last + 1]
        copied = _copy_part(s3, upload, source, number, CopySourceRange=f"bytes={first}-{last}")
        s3.expect(copied, ok(), result_with_etag("CopyPartResult", wanted))
        expected.append(shown(number, wanted))
    s3.expect(s3.look("ListParts", **upload), ok(), lists(*expected))


@scenario(
    "COPY-025",
    SHOULD,
    "UploadPartCopy",
    source="LocalStack test_upload_part_copy_range (recorded on AWS)",
    clients=LIBRARIES,
)
def malformed_range(s3: Scene) -> None:
    """An open-ended, suffix, reversed or unit-less copy range is refused with 400 InvalidArgument that names it.

    S3 promises: unlike Range of a read, which is ignored when it cannot be understood, this header must be
    bytes=first-last. Anything else is InvalidArgument with ArgumentName x-amz-copy-source-range, and no part.

    Breaks: a gateway that falls back to the whole source, or that reads "bytes=-3" its own way, puts the wrong bytes
    into the middle of a large object, and every status is 200.

    Fix: match the exact form, and do not reuse the lenient parser of Range.
    """
    source, upload = planted(s3, CONTENT), begin(s3, s3.key("target"))
    fields = {"ArgumentName": "x-amz-copy-source-range"}
    for span in ("bytes=2-", "bytes=-3", "bytes=5-2", "0-3"):
        refusal = _copy_part(s3, upload, source, CopySourceRange=span)
        s3.expect(refusal, refused(400, "InvalidArgument", fields=fields))
    s3.expect(s3.look("ListParts", **upload), ok(), lists())
    s3.expect(_copy_part(s3, upload, source, CopySourceRange="bytes=0-3"), ok())


@scenario(
    "COPY-026",
    SHOULD,
    "UploadPartCopy",
    source="LocalStack test_upload_part_copy_range (recorded on AWS); "
    "ceph/s3-tests test_multipart_copy_invalid_range accepts InvalidRange",
    clients=LIBRARIES,
)
def range_outside_source(s3: Scene) -> None:
    """A copy range that ends past the source is 400 InvalidArgument, one that starts past it 400 InvalidRequest.

    S3 promises: nothing is cut to what is there. Ceph's suite takes 416 InvalidRange for both, which is accepted
    here and noted.

    Breaks: a program that copies in parts and took the size from a stale listing believes its copy complete; cut
    silently, the last part is short and the object too.

    Fix: compare both offsets with the size of the source before copying, and never clamp.
    """
    source, upload = planted(s3, CONTENT), begin(s3, s3.key("target"))
    for span, code in (("bytes=5-10", "InvalidArgument"), ("bytes=10-12", "InvalidRequest")):
        refusal = _copy_part(s3, upload, source, CopySourceRange=span)
        s3.expect(refusal, _outside(code))
        s3.note(f"{span} of 10 bytes answered {refusal.status} {refusal.code}")
    s3.expect(s3.look("ListParts", **upload), ok(), lists())
    s3.expect(_copy_part(s3, upload, source, CopySourceRange="bytes=5-9"), ok())


def _outside(code: str) -> Matcher:
    """The refusal recorded on AWS, or the one that Ceph gives."""
    return one_of(refused(400, code), refused(416, "InvalidRange"))
