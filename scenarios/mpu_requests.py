"""MPU: parameters that belong together, limits of parts, unusual keys, and buckets with unfinished uploads."""

from __future__ import annotations

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import etag, header, ok, output, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import PART, Scene
from harness.wire.sigv4 import encode
from scenarios.etag import md5_etag
from scenarios.mpu import begin, composite, filler, naming, nothing_stored, read_back
from scenarios.mpu_parts import lists, shown


def _put(s3: Scene, operation: str, key: str, query: str, *headers: tuple[str, str], body: bytes = b"") -> Observed:
    """A PUT of an object with exactly this query."""
    target = f"/{s3.bucket}/{encode(key, safe='/')}?{query}"
    return s3.send(operation, "PUT", target, *headers, body=body, bucket=s3.bucket)


@scenario(
    "MPU-023",
    SHOULD,
    "UploadPart",
    source="versitygw REST UploadPart w/o upload ID",
    clients=("raw",),
)
def part_without_upload(s3: Scene) -> None:
    """A PUT with partNumber and without uploadId is refused with 400 InvalidArgument; nothing is stored.

    S3 promises: partNumber makes no sense without the upload it belongs to, and the request is not taken for the
    upload of an object.

    Breaks: an uploader that lost its upload id overwrites the object with its first part where the parameter is
    overlooked: a silent loss of everything behind it.

    Fix: before falling back to PutObject, refuse queries that hold partNumber or uploadId alone.
    """
    upload, content = begin(s3, s3.key()), b"a part of something"
    refusal = _put(s3, "UploadPart", upload["Key"], "partNumber=1", body=content)
    s3.expect(refusal, refused(400, "InvalidArgument"))
    nothing_stored(s3, upload["Key"])
    both = f"partNumber=1&uploadId={encode(upload['UploadId'])}"
    s3.expect(_put(s3, "UploadPart", upload["Key"], both, body=content), ok())


@scenario(
    "MPU-024",
    EXTENDED,
    "UploadPartCopy",
    source="versitygw REST UploadPartCopy w/o part number",
    clients=("raw",),
)
def copied_part_without_number(s3: Scene) -> None:
    """A PUT with uploadId and a copy source, without partNumber, is refused with 405 MethodNotAllowed.

    S3 promises: uploadId alone is a resource that knows no PUT. Neither an object nor a part comes of it.

    Breaks: strict validation; where the request is taken for CopyObject a program that forgot the number believes
    its part stored, and has overwritten the object.

    Fix: make the pair partNumber and uploadId the condition of the route; a PUT with uploadId alone is 405.
    """
    source, upload = s3.key("source"), begin(s3, s3.key("target"))
    s3.put(source, b"bytes to copy")
    copy, query = ("x-amz-copy-source", f"{s3.bucket}/{source}"), f"uploadId={encode(upload['UploadId'])}"
    s3.expect(_put(s3, "UploadPartCopy", upload["Key"], query, copy), refused(405, "MethodNotAllowed"))
    nothing_stored(s3, upload["Key"])
    s3.expect(s3.look("ListParts", **upload), ok(), lists())
    s3.expect(_put(s3, "UploadPartCopy", upload["Key"], f"partNumber=1&{query}", copy), ok())


@scenario(
    "MPU-027",
    SHOULD,
    "DeleteBucket",
    source="versitygw REST DeleteBucket, can delete with partial multipart upload",
)
def bucket_with_uploads(s3: Scene) -> None:
    """A bucket that holds nothing but unfinished uploads can be deleted.

    S3 promises: parts are no objects. DeleteBucket answers 204 although there are uploads, and they are gone with
    the bucket.

    Breaks: `terraform destroy`, test suites and clean-up scripts empty a bucket by listing its objects; where an
    interrupted upload, which no listing shows, keeps the bucket alive, they fail with nothing to delete.

    Fix: look for objects and versions only when deciding whether a bucket is empty, and drop its uploads with it.
    """
    bucket = s3.new_bucket()
    created = s3.setup("CreateMultipartUpload", Bucket=bucket, Key="unfinished")
    upload = {"Bucket": bucket, "Key": "unfinished", "UploadId": created.output.get("UploadId", "")}
    s3.setup("UploadPart", **upload, PartNumber=1, Body=b"part")
    s3.expect(s3.call("DeleteBucket", Bucket=bucket), ok(204))
    s3.expect(s3.look("HeadBucket", Bucket=bucket), refused(404))


@scenario(
    "MPU-028",
    SHOULD,
    "UploadPart",
    "UploadPartCopy",
    source="AWS documentation, Amazon S3 multipart upload limits",
    clients=LIBRARIES,
)
def limits_of_parts(s3: Scene) -> None:
    """Parts may have numbers from 1 to 10000 and exactly 5 MiB; the last one may be smaller.

    S3 promises: both ends of the range are allowed, for uploaded and for copied parts, 5242880 bytes are enough for
    any part, and the last one may have a single byte.

    Breaks: rclone, `aws s3 cp` and restic choose part sizes so that 10000 parts hold the file, and rclone starts at
    5 MiB; a lower limit on the number turns up hours into the upload of a large file.

    Fix: compare with "below 5242880" and with "above 10000", and treat the part with the highest number as last.
    """
    source, upload = s3.key("source"), begin(s3, s3.key("target"))
    s3.put(source, b"z")
    first = s3.call("UploadPart", **upload, PartNumber=1, Body=filler(PART))
    s3.expect(first, ok(), etag(md5_etag(filler(PART))))
    last = s3.call("UploadPartCopy", **upload, PartNumber=10_000, CopySource=f"{s3.bucket}/{source}")
    s3.expect(last, ok())
    s3.expect(s3.look("ListParts", **upload), ok(), lists(shown(1, filler(PART)), shown(10_000, b"z")))
    beyond = s3.call("UploadPartCopy", **upload, PartNumber=10_001, CopySource=f"{s3.bucket}/{source}")
    s3.expect(beyond, refused(400, "InvalidArgument"))
    parts = [{"PartNumber": 1, "ETag": md5_etag(filler(PART))}, {"PartNumber": 10_000, "ETag": md5_etag(b"z")}]
    done = s3.call("CompleteMultipartUpload", **upload, **naming(*parts))
    s3.expect(done, ok(), etag(composite(filler(PART), b"z")))
    s3.expect(s3.look("HeadObject", Key=upload["Key"]), ok(), header("Content-Length", str(PART + 1)))


@scenario(
    "MPU-037",
    SHOULD,
    "CreateMultipartUpload",
    "UploadPart",
    "ListParts",
    source="LocalStack test_multipart_with_unicode_character_location (recorded on AWS)",
    clients=CALLERS,
)
def keys_with_special_characters(s3: Scene) -> None:
    """A key with spaces, a plus sign and letters beyond ASCII works in every step and is echoed as it is.

    S3 promises: the key means the same in CreateMultipartUpload, UploadPart, ListParts and
    CompleteMultipartUpload, and the XML answers print it literally, escaped for XML and nothing else.

    Breaks: large files have such names as often as small ones. Where one of the steps decodes differently, the
    upload started by the first cannot be found by the second, and only large files fail.

    Fix: take the key from the one place that decodes the path, in every operation, and do not encode it again.
    """
    key, content = s3.key("a b+c/Grüße 文件 100%25 & more"), b"the only part"
    created = s3.expect(s3.call("CreateMultipartUpload", Key=key), ok(), output("Key", key))
    upload = {"Key": key, "UploadId": str(created.output.get("UploadId", ""))}
    s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=content), ok())
    s3.expect(s3.call("ListParts", **upload), ok(), output("Key", key), lists(shown(1, content)))
    part = {"PartNumber": 1, "ETag": md5_etag(content)}
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(part)), ok(), output("Key", key))
    read_back(s3, key, content)
