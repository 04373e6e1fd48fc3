"""MPC: the checksum that CreateMultipartUpload asks for. Parts: `mpc_parts`; Complete: `mpc_complete`."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import ok, output
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire.checksums import ALGORITHMS
from scenarios._checksum_uploads import EXCEPTIONS, TYPES
from scenarios._checksums import INVALID


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
