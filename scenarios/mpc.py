"""MPC: checksums in CreateMultipartUpload, UploadPart and ListParts. Complete: `mpc_complete`."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import Matcher, ok, output, output_where
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire.checksums import ALGORITHMS, COMPOSITE, DEFAULT, checksum, member
from scenarios._checksum_uploads import (
    BAD_DIGEST,
    INVALID,
    begun,
    complete,
    completed,
    part,
    value_of,
)
from scenarios._checksums import CONTENT, MALFORMED, OTHER, carries, sent
from scenarios.etag import look_at_parts
from scenarios.mpu import begin

TYPES = {algorithm: "COMPOSITE" if algorithm in COMPOSITE else "FULL_OBJECT" for algorithm in ALGORITHMS}
"""What S3 chooses where the client names no type."""

EXCEPTIONS = "LocalStack test_multipart_parts_checksum_exceptions_{} (recorded on AWS)"


@scenario(
    "MPC-001",
    SHOULD,
    "CreateMultipartUpload",
    source="LocalStack test_multipart_checksum_type_default_for_checksum (recorded on AWS)",
    clients=LIBRARIES,
)
def default_type(s3: Scene) -> None:
    """An upload with an algorithm and no type is COMPOSITE for CRC32, CRC32C, SHA1, SHA256, FULL_OBJECT for CRC64NVME.

    S3 promises: the answer names the algorithm and the type chosen. Only CRC64NVME has no composite form; the
    others are composite unless FULL_OBJECT is asked for.

    Breaks: boto3 and the AWS CLI create uploads with an algorithm alone and send each part's checksum in Complete; a
    client that expects "value-3" and gets a checksum of the whole reports damage.

    Fix: choose the type when the upload is created, keep it, and print both headers.
    """
    for algorithm in ALGORITHMS:
        created = s3.call("CreateMultipartUpload", Key=s3.key(algorithm), ChecksumAlgorithm=algorithm)
        s3.expect(created, ok(), output("ChecksumAlgorithm", algorithm), output("ChecksumType", TYPES[algorithm]))


@scenario(
    "MPC-002",
    SHOULD,
    "CreateMultipartUpload",
    source="LocalStack test_multipart_checksum_type_compatibility (recorded on AWS); versitygw REST test multipart "
    "checksum w/crc64nvme, composite",
    clients=LIBRARIES,
)
def no_composite_crc64nvme(s3: Scene) -> None:
    """COMPOSITE with CRC64NVME is refused with 400 InvalidRequest, and no upload begins.

    S3 promises: CRC64NVME exists as the checksum of the whole object only.

    Breaks: strict validation; a program that asks for it fails on AWS at the first step, and elsewhere only when
    somebody tries to verify the object.

    Fix: hold the pair of algorithm and type against a table when the upload is created.
    """
    _refused(s3, ChecksumAlgorithm="CRC64NVME", ChecksumType="COMPOSITE")
    _begins(s3, "CRC64NVME", "FULL_OBJECT")


@scenario(
    "MPC-003",
    SHOULD,
    "CreateMultipartUpload",
    source="LocalStack test_multipart_checksum_type_compatibility (recorded on AWS); versitygw REST test multipart "
    "checksum w/sha1, full object",
    clients=LIBRARIES,
)
def no_full_object_sha(s3: Scene) -> None:
    """FULL_OBJECT with SHA1 or SHA256 is refused with 400 InvalidRequest, and no upload begins.

    S3 promises: the checksum of a whole can be put together from those of its parts for CRCs alone; S3 offers no
    other way.

    Breaks: a program that asks for the SHA256 of the whole object and is not refused believes to have it, and
    compares a composite value with sha256sum.

    Fix: refuse the pair; do not fall back to COMPOSITE silently.
    """
    for algorithm in ("SHA1", "SHA256"):
        _refused(s3, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
        _begins(s3, algorithm, "COMPOSITE")


@scenario(
    "MPC-004",
    SHOULD,
    "CreateMultipartUpload",
    source=EXCEPTIONS.format("composite and …_full_object"),
    clients=("raw",),
)
def type_needs_algorithm(s3: Scene) -> None:
    """x-amz-checksum-type without x-amz-checksum-algorithm is refused with 400 InvalidRequest.

    S3 promises: a type says how the checksum of an algorithm is formed; alone it is a mistake, and no upload
    begins.

    Breaks: strict validation. A program that lost the algorithm on the way gets an upload without the checksum it
    wants.

    Fix: check the two headers together before creating anything.
    """
    for kind in ("COMPOSITE", "FULL_OBJECT"):
        _refused(s3, ChecksumType=kind)
        _begins(s3, "CRC32", kind)


@scenario(
    "MPC-005",
    SHOULD,
    "CreateMultipartUpload",
    source="versitygw REST test multipart w/invalid checksum algorithm",
    clients=LIBRARIES,
)
def unknown_algorithm_of_upload(s3: Scene) -> None:
    """An upload with an unknown checksum algorithm is refused with 400 InvalidRequest.

    S3 promises: the name must be one that S3 knows; its message lists them. No upload begins.

    Breaks: with newer algorithms in the SDKs, an endpoint that accepts the name and keeps no checksum lets whole
    backups be written without the protection that was configured.

    Fix: look the name up in the table of what you compute, and refuse the rest.
    """
    _refused(s3, ChecksumAlgorithm="CRC16")
    _begins(s3, "CRC32", "COMPOSITE")


@scenario(
    "MPC-006",
    SHOULD,
    "CreateMultipartUpload",
    source="versitygw REST test multipart w/invalid checksum type",
    clients=LIBRARIES,
)
def unknown_type_of_upload(s3: Scene) -> None:
    """An upload with an unknown x-amz-checksum-type is refused with 400 InvalidRequest.

    S3 promises: the type is COMPOSITE or FULL_OBJECT, and nothing else begins an upload.

    Breaks: strict validation; a misspelt type that is taken for the default surprises whoever reads the checksum
    later.

    Fix: compare with the two names, without regard to letter case.
    """
    _refused(s3, ChecksumAlgorithm="CRC32", ChecksumType="PARTIAL")
    _begins(s3, "CRC32", "FULL_OBJECT")


@scenario(
    "MPC-007",
    EXTENDED,
    "CreateMultipartUpload",
    source="versitygw REST test multipart - lowercase checksum type and algorithm",
    clients=LIBRARIES,
)
def lower_case_names(s3: Scene) -> None:
    """Algorithm and type of an upload are accepted in lower case, and answered in upper case.

    S3 promises: "crc32" with "composite" is what "CRC32" with "COMPOSITE" is; the answer has the capitals.

    Breaks: programs that take the algorithm from a configuration file or from a header's name send it in lower
    case.

    Fix: fold the case before looking the names up, and store the folded form.
    """
    for algorithm, kind in (("CRC32", "COMPOSITE"), ("CRC64NVME", "FULL_OBJECT")):
        lower = {"ChecksumAlgorithm": algorithm.lower(), "ChecksumType": kind.lower()}
        created = s3.call("CreateMultipartUpload", Key=s3.key(algorithm), **lower)
        s3.expect(created, ok(), output("ChecksumAlgorithm", algorithm), output("ChecksumType", kind))


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
    "MPC-024",
    SHOULD,
    "CompleteMultipartUpload",
    source="LocalStack test_complete_multipart_parts_checksum_default (recorded on AWS)",
    clients=LIBRARIES,
)
def plain_upload_gets_the_default(s3: Scene) -> None:
    """An upload without algorithm ends with a CRC64NVME of the whole object, type FULL_OBJECT.

    S3 promises: as for PutObject, the endpoint computes CRC64NVME where the client chose nothing. Complete's answer
    shows it, and so do reads in checksum mode.

    Breaks: objects written by rclone, restic and older SDKs have no checksum that a later check could use.

    Fix: compute CRC64NVME of each part as it arrives, and combine the values with the part sizes at Complete.
    """
    upload = begin(s3, s3.key())
    named = part(s3, upload, 1, CONTENT)
    expected = value_of(DEFAULT, checksum(DEFAULT, CONTENT), "FULL_OBJECT")
    s3.expect(complete(s3, upload, named), ok(), *expected)
    s3.expect(s3.look("HeadObject", Key=upload["Key"], ChecksumMode="ENABLED"), ok(), *expected)


@scenario(
    "MPC-028",
    EXTENDED,
    "CopyObject",
    source="LocalStack test_complete_multipart_parts_checksum_composite (recorded on AWS)",
    clients=LIBRARIES,
)
def copy_of_composite(s3: Scene) -> None:
    """The copy of an object with a COMPOSITE checksum has a FULL_OBJECT checksum of the same algorithm.

    S3 promises: a copy is one piece. Its checksum is of its bytes, without a part count, in CopyObjectResult and on
    HEAD.

    Breaks: a composite value cannot be checked without knowing the parts, which the copy no longer has: verifying
    tools report every copied object as damaged.

    Fix: compute the checksum anew while copying; do not carry the stored text over.
    """
    for algorithm in ("CRC32", "SHA256"):
        upload = begun(s3, f"{algorithm}/source", algorithm, "COMPOSITE")
        completed(s3, upload, part(s3, upload, 1, CONTENT, algorithm))
        copy = s3.key(f"{algorithm}/copy")
        answer = s3.call("CopyObject", Key=copy, CopySource=f"{s3.bucket}/{upload['Key']}")
        s3.expect(answer, ok(), _result("CopyObjectResult", sent(algorithm, CONTENT) | {"ChecksumType": "FULL_OBJECT"}))
        expected = value_of(algorithm, checksum(algorithm, CONTENT), "FULL_OBJECT")
        s3.expect(s3.look("HeadObject", Key=copy, ChecksumMode="ENABLED"), ok(), *expected)


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
        s3.expect(answer, ok(), _result("CopyPartResult", sent(algorithm, digits[2:7])))
        look_at_parts(s3, upload, {1: digits[2:7]})


def _refused(s3: Scene, **asked: Any) -> None:
    """CreateMultipartUpload with these parameters is an invalid request and begins nothing."""
    key = s3.key("refused")
    s3.expect(s3.call("CreateMultipartUpload", Key=key, **asked), INVALID)
    listed = s3.look("ListMultipartUploads", Prefix=key)
    found = [each for each in listed.output.get("Uploads", []) if each.get("Key") == key]
    s3.check(not found, "no upload begins", f"ListMultipartUploads shows {found}", listed)


def _begins(s3: Scene, algorithm: str, kind: str) -> None:
    """A valid pair begins an upload."""
    asked = {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}
    s3.expect(s3.call("CreateMultipartUpload", Key=s3.key("accepted"), **asked), ok(), output("ChecksumType", kind))


def _parts(algorithm: str, wanted: list[tuple[int, str]]) -> Matcher:
    """Number and checksum of every part listed."""

    def found(parts: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
        return [(each.get("PartNumber"), each.get(member(algorithm))) for each in parts]

    return output_where("Parts", f"numbers and {member(algorithm)} {wanted}", lambda parts: found(parts) == wanted)


def _named(entry: dict[str, Any]) -> set[str]:
    return {name for name in entry if name.startswith("Checksum")}


def _result(name: str, wanted: dict[str, str]) -> Matcher:
    """The result document has these members."""

    def test(result: Any) -> bool:
        return isinstance(result, dict) and all(result.get(each) == value for each, value in wanted.items())

    return output_where(name, f"with {wanted}", test)
