"""MPU: what CompleteMultipartUpload refuses, how it says so, and what a repetition gives."""

from __future__ import annotations

import hashlib

from harness.clients import CALLERS, LIBRARIES
from harness.expect import etag, ok, refused
from harness.scenario import SHOULD, scenario
from harness.scene import PART, Scene
from scenarios.mpu import begin, composite, naming, nothing_stored, read_back, store

CONTENT = b"the only part"


def bare(content: bytes) -> str:
    """The ETag of a part as errors print it: without quotes."""
    return hashlib.md5(content).hexdigest()


@scenario(
    "MPU-009",
    SHOULD,
    "CompleteMultipartUpload",
    source="versitygw REST multipart, empty upload ID on completion (kept for AWS only)",
    clients=LIBRARIES,
)
def empty_upload_id(s3: Scene) -> None:
    """Completing with an empty uploadId is refused with 404 NoSuchUpload, and nothing is stored.

    S3 promises: `?uploadId=` names an upload like any other text, one that does not exist. The request stays a
    completion; an upload of the same key that is under way is not touched.

    Breaks: programs that lost their upload id (an unset variable in a script) read another error as a broken
    request and never start over; a router that drops empty parameters answers for another operation.

    Fix: route by the presence of uploadId, not by its value, and look the empty text up like every other.
    """
    upload = begin(s3, s3.key())
    part = naming(store(s3, upload, 1, CONTENT))
    refusal = s3.call("CompleteMultipartUpload", Key=upload["Key"], UploadId="", **part)
    s3.expect(refusal, refused(404, "NoSuchUpload"))
    nothing_stored(s3, upload["Key"])
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **part), ok())
    read_back(s3, upload["Key"], CONTENT)


@scenario(
    "MPU-010",
    SHOULD,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_complete_multipart_too_small (recorded on AWS); "
    "ceph/s3-tests test_multipart_upload_empty",
    clients=LIBRARIES,
)
def no_parts_named(s3: Scene) -> None:
    """Completing with a document that names no part is refused with 400, and nothing is stored.

    S3 promises: there is no object of no parts. The answer is 400 InvalidRequest; Ceph's suite expects MalformedXML,
    which is accepted here and noted. The upload is still there and can be completed properly.

    Breaks: streaming writers complete an upload into which nothing was written (an empty file); a gateway that says
    yes stores an object of which nobody can tell whether its data was lost.

    Fix: count the Part elements before anything else, and leave the upload as it is.
    """
    upload = begin(s3, s3.key())
    part = store(s3, upload, 1, CONTENT)
    refusal = s3.call("CompleteMultipartUpload", **upload, **naming())
    s3.expect(refusal, refused(400, "InvalidRequest", "MalformedXML"))
    s3.note(f"answered 400 {refusal.code}")
    nothing_stored(s3, upload["Key"])
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(part)), ok())
    read_back(s3, upload["Key"], CONTENT)


@scenario(
    "MPU-012",
    SHOULD,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_complete_multipart_too_small (recorded on AWS)",
    clients=LIBRARIES,
)
def too_small_part_is_named(s3: Scene) -> None:
    """EntityTooSmall names the part: PartNumber, its ETag without quotes, its size and the smallest allowed.

    S3 promises: the error document has PartNumber and ETag of the part at fault, ProposedSize with its bytes, and
    MinSizeAllowed 5242880. The same part may well be the last of a smaller list.

    Breaks: strict validation for most; programs that choose their part size from an option print these values, and
    without them nobody can tell which of thousands of parts was cut short.

    Fix: fill the four elements from the part's record where the sizes are compared.
    """
    upload = begin(s3, s3.key())
    parts = [store(s3, upload, 1, CONTENT), store(s3, upload, 2, b"the last part")]
    size = str(len(CONTENT))
    fields = {"PartNumber": "1", "ETag": bare(CONTENT), "MinSizeAllowed": str(PART), "ProposedSize": size}
    refusal = s3.call("CompleteMultipartUpload", **upload, **naming(*parts))
    s3.expect(refusal, refused(400, "EntityTooSmall", fields=fields))
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(parts[0])), ok())
    read_back(s3, upload["Key"], CONTENT)


@scenario(
    "MPU-014",
    SHOULD,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_complete_multipart_wrong_part (recorded on AWS)",
    clients=LIBRARIES,
)
def invalid_part_is_named(s3: Scene) -> None:
    """InvalidPart names the part that was asked for: UploadId, PartNumber, and the ETag without quotes.

    S3 promises: a part that was never uploaded, and one with another ETag, are named in the error document as the
    request named them.

    Breaks: uploaders that repair (send the one bad part again and complete once more) need the number; without it
    the only way is to send everything again.

    Fix: copy number and ETag of the entry at fault, and the id of the upload, into the error.
    """
    upload = begin(s3, s3.key())
    part = store(s3, upload, 1, CONTENT)
    for wrong in ({"PartNumber": 2}, {"ETag": f'"{bare(b"something else")}"'}):
        asked = part | wrong
        fields = {"UploadId": upload["UploadId"], "PartNumber": str(asked["PartNumber"])}
        fields["ETag"] = str(asked["ETag"]).strip('"')
        refusal = s3.call("CompleteMultipartUpload", **upload, **naming(asked))
        s3.expect(refusal, refused(400, "InvalidPart", fields=fields))
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(part)), ok())


@scenario(
    "MPU-016",
    SHOULD,
    "CompleteMultipartUpload",
    source="Moto test_idempotent_multipart_upload (verified on AWS)",
    clients=CALLERS,
)
def complete_again(s3: Scene) -> None:
    """Sending the same CompleteMultipartUpload again answers 200 with the same ETag.

    S3 promises: completing is idempotent. A repetition with the same list of parts, after the first one succeeded,
    is answered as the first was, and the object stays as it is.

    Breaks: joining parts takes long, and boto3, the AWS CLI and rclone repeat the request when the answer is lost
    or late; a 404 there reports a finished upload of hours as failed.

    Fix: remember finished uploads for a while, with a fingerprint of the list of parts and the result.
    """
    upload = begin(s3, s3.key())
    part, expected = store(s3, upload, 1, CONTENT), composite(CONTENT)
    for _ in ("first", "again"):
        s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(part)), ok(), etag(expected))
    s3.expect(s3.look("HeadObject", Key=upload["Key"]), ok(), etag(expected))
    read_back(s3, upload["Key"], CONTENT)
