"""MPC: what CompleteMultipartUpload checks about checksums and sizes, and what it refuses."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import ok
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire import model
from harness.wire.checksums import COMPOSITE, JOINABLE, checksum, composite
from scenarios._checksum_uploads import (
    EXCEPTIONS,
    INVALID_PART,
    RECORDED,
    Part,
    Upload,
    begun,
    complete,
    finishes,
    part,
    reads,
    refuses,
    value_of,
    without,
)
from scenarios._checksums import BAD_DIGEST, CONTENT, INVALID, OTHER, sent
from scenarios.mpu import begin


@scenario("MPC-013", EXTENDED, "CompleteMultipartUpload", source=RECORDED.format("default"), clients=LIBRARIES)
def checksums_nobody_asked_for(s3: Scene) -> None:
    """Naming part checksums in Complete of an upload without algorithm is refused with 400 InvalidPart.

    S3 promises: such an upload keeps no part checksums, so none can match; even the right value is an invalid part.
    Nothing is stored, and the same Complete without the checksum succeeds.

    Breaks: strict validation. A program that names checksums believes them compared; the refusal tells it to name
    the algorithm when it creates the upload.

    Fix: when the upload has no algorithm, treat any Checksum element of a part as one that does not match.
    """
    upload = begin(s3, s3.key())
    named = part(s3, upload, 1, CONTENT, "CRC32")
    refuses(s3, upload, INVALID_PART, named)
    finishes(s3, upload, without(named))


@scenario(
    "MPC-014",
    SHOULD,
    "CompleteMultipartUpload",
    source=f"{EXCEPTIONS.format('composite')}; versitygw REST test multipart - composite - crc32",
    clients=LIBRARIES,
)
def composite_needs_checksums(s3: Scene) -> None:
    """A COMPOSITE upload completed without the part checksums in the XML is refused with 400 InvalidRequest.

    S3 promises: with this type Complete names number, ETag and checksum of every part. One that lacks the last is
    refused, and nothing is stored.

    Breaks: the checksums in Complete are the client's proof that the parts are its own; a program that forgets them
    works elsewhere and fails on AWS after the last byte.

    Fix: when the upload is COMPOSITE, demand the element of its algorithm in each Part.
    """
    for algorithm in COMPOSITE:
        upload = begun(s3, algorithm, algorithm, "COMPOSITE")
        named = part(s3, upload, 1, CONTENT, algorithm)
        refuses(s3, upload, INVALID, without(named))
        finishes(s3, upload, named)


@scenario(
    "MPC-015",
    SHOULD,
    "CompleteMultipartUpload",
    source=f"{RECORDED.format('composite')}; {RECORDED.format('full_object')}",
    clients=LIBRARIES,
)
def wrong_checksum_in_complete(s3: Scene) -> None:
    """A part checksum in Complete that is not the part's is refused with 400 InvalidPart, for both checksum types.

    S3 promises: what Complete says of a part must be what is stored. A checksum of other data is the same as a
    wrong ETag, and nothing is stored.

    Breaks: two uploaders that write the same part number (a retry that overtakes the first attempt) are told apart
    here; where the value is not compared the object has bytes that the completing client never saw.

    Fix: compare the element with the value kept for the part, beside the ETag.
    """
    for algorithm, kind in (("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE"), ("CRC32", "FULL_OBJECT")):
        upload = begun(s3, f"{algorithm}/{kind}", algorithm, kind)
        named = part(s3, upload, 1, CONTENT, algorithm)
        refuses(s3, upload, INVALID_PART, named | sent(algorithm, OTHER))
        finishes(s3, upload, named)


@scenario("MPC-016", EXTENDED, "CompleteMultipartUpload", source=EXCEPTIONS.format("composite"), clients=LIBRARIES)
def other_checksum_in_complete(s3: Scene) -> None:
    """A part checksum in Complete of another algorithm than the upload's is refused with 400 BadDigest.

    S3 promises: the value may be right for the bytes; it is not what the upload keeps, and counts as a digest that
    does not match. Nothing is stored.

    Breaks: strict validation; it shows a program that it mixes two algorithms within one upload.

    Fix: look for elements of other algorithms before looking at the upload's own.
    """
    upload = begun(s3, "object", "CRC32", "COMPOSITE")
    named = part(s3, upload, 1, CONTENT, "CRC32")
    refuses(s3, upload, BAD_DIGEST, without(named) | sent("SHA256", CONTENT))
    finishes(s3, upload, named)


@scenario(
    "MPC-017",
    SHOULD,
    "CompleteMultipartUpload",
    source=EXCEPTIONS.format("composite and …_full_object"),
    clients=LIBRARIES,
)
def type_cannot_change(s3: Scene) -> None:
    """x-amz-checksum-type in Complete that differs from the upload's is refused with 400 InvalidRequest.

    S3 promises: the type is chosen when the upload is created. Complete may repeat it, and is refused when it says
    another; nothing is stored.

    Breaks: the client goes on to compare a checksum of the type it named with one of the other, and takes the
    object for damaged.

    Fix: compare the header, if it is there, with the type kept for the upload.
    """
    for kind, other in (("COMPOSITE", "FULL_OBJECT"), ("FULL_OBJECT", "COMPOSITE")):
        upload = begun(s3, kind, "CRC32", kind)
        named = part(s3, upload, 1, CONTENT, "CRC32")
        refuses(s3, upload, INVALID, named, ChecksumType=other)
        finishes(s3, upload, named, ChecksumType=kind)


@scenario(
    "MPC-018",
    SHOULD,
    "CompleteMultipartUpload",
    source=f"{EXCEPTIONS.format('full_object')}; versitygw REST test multipart - full object - incorrect crc32",
    clients=LIBRARIES,
)
def wrong_checksum_of_whole(s3: Scene) -> None:
    """A FULL_OBJECT upload completed with a wrong checksum of the whole in the header is refused: 400 BadDigest.

    S3 promises: x-amz-checksum-* in Complete is the checksum of the object to be. When the parts do not add up to
    it nothing is stored; with the right value the upload completes.

    Breaks: it is the only check of the order and completeness of parts from end to end. Clients built on the AWS
    Common Runtime send it, and programs that know the checksum of the whole file beforehand.

    Fix: combine the CRCs of the parts at Complete, compare, and refuse before the object becomes visible.
    """
    for algorithm in JOINABLE:
        upload = begun(s3, algorithm, algorithm, "FULL_OBJECT")
        named = part(s3, upload, 1, CONTENT, algorithm)
        refuses(s3, upload, BAD_DIGEST, named, **sent(algorithm, OTHER))
        finishes(s3, upload, named, **sent(algorithm, CONTENT))


@scenario(
    "MPC-019",
    SHOULD,
    "CompleteMultipartUpload",
    source="versitygw REST test multipart - full object checksum type doesn't require UploadPart checksums; "
    + RECORDED.format("full_object_default"),
    clients=("raw",),
)
def full_object_needs_no_parts(s3: Scene) -> None:
    """A FULL_OBJECT upload needs no part checksums, neither in UploadPart nor in Complete.

    S3 promises: the endpoint computes the checksum itself, part by part, and joins them; the object has the
    checksum of its bytes.

    Breaks: clients that know only the checksum of the whole file, from a manifest for instance, have none for the
    parts.

    Fix: compute the upload's algorithm for each part that comes without a value; demand the values only for
    COMPOSITE.
    """
    for algorithm in JOINABLE:
        upload = begun(s3, algorithm, algorithm, "FULL_OBJECT")
        value = checksum(algorithm, CONTENT)
        answer = s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=CONTENT), ok())
        named = {"PartNumber": 1, "ETag": answer.etag or ""}
        s3.expect(complete(s3, upload, named), ok(), *value_of(algorithm, value, "FULL_OBJECT"))
        reads(s3, upload["Key"], CONTENT, algorithm, value, "FULL_OBJECT")


@scenario(
    "MPC-030",
    SHOULD,
    "CompleteMultipartUpload",
    source="LocalStack test_multipart_size_validation (recorded on AWS)",
    clients=LIBRARIES,
)
def size_of_the_object(s3: Scene) -> None:
    """x-amz-mp-object-size that is not the sum of the parts is refused with 400 InvalidRequest; the sum is accepted.

    S3 promises: a client may say how large the finished object must be. One byte too few or too many refuses the
    upload, and nothing is stored.

    Breaks: it is what protects against a part that was left out of Complete; ignored, the shorter object passes as
    complete.

    Fix: add up the sizes of the parts named, compare, and refuse before assembling.
    """
    upload = begin(s3, s3.key())
    named, size = part(s3, upload, 1, CONTENT), len(CONTENT)
    for wrong in (size - 1, size + 1):
        refuses(s3, upload, INVALID, named, MpuObjectSize=wrong)
    finishes(s3, upload, named, MpuObjectSize=size)


@scenario(
    "MPC-031",
    EXTENDED,
    "CompleteMultipartUpload",
    source="versitygw REST test multipart - x-amz-mp-object-size - invalid string",
    clients=("raw",),
)
def size_is_a_number(s3: Scene) -> None:
    """x-amz-mp-object-size that is not a number is refused with 400 InvalidRequest.

    S3 promises: what cannot be a size is refused like a wrong one, not read over; nothing is stored.

    Breaks: strict validation. A client that formats the number ("5 MB", "5,242,880") believes the size checked.

    Fix: demand decimal digits.
    """
    upload = begin(s3, s3.key())
    named = part(s3, upload, 1, CONTENT)
    for wrong in ("many", "27 bytes"):
        refuses(s3, upload, INVALID, named, MpuObjectSize=wrong)
    finishes(s3, upload, named, MpuObjectSize=len(CONTENT))


@scenario(
    "MPC-032",
    EXTENDED,
    "CompleteMultipartUpload",
    source="versitygw REST test multipart - x-amz-checksum-algorithm is ignored in CompleteMultipartUpload",
    clients=("raw",),
)
def algorithm_in_complete(s3: Scene) -> None:
    """x-amz-checksum-algorithm in Complete is ignored: the object keeps the algorithm of the upload.

    S3 promises: the header belongs to CreateMultipartUpload. In Complete it changes nothing, whatever it names.

    Breaks: wrappers that send the same headers with every request of an upload work on AWS.

    Fix: do not read the header in this operation.
    """
    for name in ("SHA256", "NONSENSE"):
        upload = begun(s3, name, "CRC32")
        named = part(s3, upload, 1, CONTENT, "CRC32")
        asked = model.build("CompleteMultipartUpload", _parameters(s3, upload, named))
        answer = s3.send(
            "CompleteMultipartUpload",
            asked.method,
            asked.target,
            *asked.headers,
            ("x-amz-checksum-algorithm", name),
            body=asked.body,
            bucket=s3.bucket,
        )
        value = composite("CRC32", CONTENT)
        s3.expect(answer, ok(), *value_of("CRC32", value, "COMPOSITE"))
        reads(s3, upload["Key"], CONTENT, "CRC32", value, "COMPOSITE")


def _parameters(s3: Scene, upload: Upload, *parts: Part) -> dict[str, Any]:
    return {"Bucket": s3.bucket, **upload, "MultipartUpload": {"Parts": list(parts)}}
