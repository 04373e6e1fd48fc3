"""MPC: checksums of parts, in UploadPart, UploadPartCopy and ListParts."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import Matcher, ok, output, output_where
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire.checksums import ALGORITHMS, checksum, member
from scenarios._checksum_uploads import (
    EXCEPTIONS,
    TYPES,
    begun,
    part,
)
from scenarios._checksums import BAD_DIGEST, CONTENT, INVALID, MALFORMED, OTHER, carries, document, sent
from scenarios.etag import look_at_parts
from scenarios.mpu import begin


@scenario("MPC-008", SHOULD, "UploadPart", source=EXCEPTIONS.format("composite"), clients=LIBRARIES)
def part_of_another_algorithm(s3: Scene) -> None:
    """A part whose checksum is of another algorithm than the upload's is refused with 400 InvalidRequest.

    S3 promises: all parts of a checksum upload have its algorithm. A right value of another one is refused, and no
    part is stored.

    Breaks: programs that change the algorithm between Create and the parts (two versions of a tool that resume each
    other's uploads) learn it at the part and not when Complete fails for gigabytes.

    Fix: compare the header's algorithm with the one kept at CreateMultipartUpload before reading the body.
    """
    for algorithm, other in (("CRC32", "SHA256"), ("SHA256", "CRC32")):
        upload = begun(s3, algorithm, algorithm)
        s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=CONTENT, **sent(other, CONTENT)), INVALID)
        look_at_parts(s3, upload, {})
        s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=CONTENT, **sent(algorithm, CONTENT)), ok())
        look_at_parts(s3, upload, {1: CONTENT})


@scenario(
    "MPC-009",
    SHOULD,
    "UploadPart",
    source="LocalStack test_multipart_upload_part_checksum_exception (recorded on AWS)",
    clients=LIBRARIES,
)
def wrong_checksum_of_part(s3: Scene) -> None:
    """A part checksum of other data is 400 BadDigest, a malformed one 400 InvalidRequest; no part is stored.

    S3 promises: parts are verified one by one, as objects are.

    Breaks: large files travel as parts only; an endpoint that verifies PutObject alone leaves exactly those without
    protection that are most likely to be damaged on the way.

    Fix: share the verification between PutObject and UploadPart.
    """
    for algorithm in ALGORITHMS:
        upload = begun(s3, algorithm, algorithm)
        wrong = s3.call("UploadPart", **upload, PartNumber=1, Body=CONTENT, **sent(algorithm, OTHER))
        s3.expect(wrong, BAD_DIGEST)
        malformed = {member(algorithm): MALFORMED[1]}
        s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=CONTENT, **malformed), INVALID)
        look_at_parts(s3, upload, {})
    right = s3.call("UploadPart", **upload, PartNumber=1, Body=CONTENT, **sent(algorithm, CONTENT))
    s3.expect(right, ok())
    look_at_parts(s3, upload, {1: CONTENT})


@scenario(
    "MPC-010",
    SHOULD,
    "UploadPart",
    source="LocalStack test_complete_multipart_parts_checksum_composite (recorded on AWS)",
    clients=LIBRARIES,
)
def checksum_of_part_is_echoed(s3: Scene) -> None:
    """A right part checksum is returned in the response header of the same name.

    S3 promises: the answer to UploadPart has the value that was verified, beside the ETag.

    Breaks: boto3's and the AWS CLI's transfers take the part's checksum from this answer and hand it to Complete; a
    composite upload without it is refused there, after all bytes were sent.

    Fix: print the value that was computed for the part.
    """
    for algorithm in ALGORITHMS:
        upload = begun(s3, algorithm, algorithm)
        answer = s3.call("UploadPart", **upload, PartNumber=1, Body=CONTENT, **sent(algorithm, CONTENT))
        s3.expect(answer, ok(), carries(algorithm, CONTENT))


@scenario(
    "MPC-011",
    SHOULD,
    "ListParts",
    source="LocalStack test_complete_multipart_parts_checksum_composite (recorded on AWS)",
    clients=LIBRARIES,
)
def parts_listed_with_checksums(s3: Scene) -> None:
    """ListParts of a checksum upload shows each part's checksum, and ChecksumAlgorithm and ChecksumType once.

    S3 promises: every Part has the element of the algorithm; the two names stand at the root of the document.

    Breaks: a program that resumes a composite upload needs the checksums of the parts that are already there to
    complete it; without them it sends everything again.

    Fix: keep the value with the part, and print it when the upload has an algorithm.
    """
    contents = {1: CONTENT, 2: OTHER}
    for algorithm in ("CRC32", "CRC64NVME", "SHA256"):
        upload = begun(s3, algorithm, algorithm)
        for number, content in contents.items():
            part(s3, upload, number, content, algorithm)
        wanted = [(number, checksum(algorithm, content)) for number, content in contents.items()]
        listed = s3.call("ListParts", **upload)
        s3.expect(listed, ok(), _parts(algorithm, wanted))
        s3.expect(listed, output("ChecksumAlgorithm", algorithm), output("ChecksumType", TYPES[algorithm]))


@scenario(
    "MPC-012",
    SHOULD,
    "UploadPart",
    "ListParts",
    source="LocalStack test_complete_multipart_parts_checksum_default (recorded on AWS)",
    clients=LIBRARIES,
)
def parts_of_a_plain_upload(s3: Scene) -> None:
    """An upload without algorithm takes parts with any checksum, but ListParts does not show those values.

    S3 promises: each part's checksum is verified on arrival and echoed; the upload keeps none of them.

    Breaks: programs that create uploads as they always did, with an SDK that adds a checksum to each part; refusing
    the part stops them. Values that are listed would be handed to Complete, which refuses them (MPC-013).

    Fix: verify whatever comes, and list checksums only for uploads that were created with an algorithm.
    """
    upload = begin(s3, s3.key())
    for number, algorithm in enumerate(ALGORITHMS, 1):
        answer = s3.call("UploadPart", **upload, PartNumber=number, Body=CONTENT, **sent(algorithm, CONTENT))
        s3.expect(answer, ok(), carries(algorithm, CONTENT))
    wrong = s3.call("UploadPart", **upload, PartNumber=6, Body=CONTENT, **sent("CRC32", OTHER))
    s3.expect(wrong, BAD_DIGEST)
    listed = s3.expect(s3.call("ListParts", **upload), ok())
    found = {entry.get("PartNumber"): _named(entry) for entry in listed.output.get("Parts", [])}
    wanted = {number: set[str]() for number in range(1, len(ALGORITHMS) + 1)}
    s3.check(found == wanted, f"parts 1 to {len(wanted)} without checksums", f"they show {found}", listed)


@scenario(
    "MPC-029",
    EXTENDED,
    "UploadPartCopy",
    source="LocalStack test_multipart_upload_part_copy_checksum (recorded on AWS)",
    clients=LIBRARIES,
)
def checksum_of_copied_part(s3: Scene) -> None:
    """In a checksum upload CopyPartResult carries the checksum of the copied part.

    S3 promises: the endpoint computes it from the bytes it copies, the range if one was given, with the upload's
    algorithm.

    Breaks: a composite upload made of copies cannot be completed without these values, since the client never had
    the bytes.

    Fix: hash while copying, keep the value with the part, print it beside the ETag.
    """
    source, digits = s3.key("source"), b"0123456789"
    s3.put(source, digits)
    for algorithm in ALGORITHMS:
        upload = begun(s3, algorithm, algorithm)
        origin = {"CopySource": f"{s3.bucket}/{source}", "CopySourceRange": "bytes=2-6"}
        answer = s3.call("UploadPartCopy", **upload, PartNumber=1, **origin)
        s3.expect(answer, ok(), document("CopyPartResult", sent(algorithm, digits[2:7])))
        look_at_parts(s3, upload, {1: digits[2:7]})


def _parts(algorithm: str, wanted: list[tuple[int, str]]) -> Matcher:
    """Number and checksum of every part listed."""

    def found(parts: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
        return [(each.get("PartNumber"), each.get(member(algorithm))) for each in parts]

    return output_where("Parts", f"numbers and {member(algorithm)} {wanted}", lambda parts: found(parts) == wanted)


def _named(entry: dict[str, Any]) -> set[str]:
    return {name for name in entry if name.startswith("Checksum")}
