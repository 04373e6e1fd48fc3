"""CKS: which checksum headers a PutObject may have, and which it may not."""

from __future__ import annotations

from harness.clients import LIBRARIES
from harness.expect import body, ok
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._checksums import CONTENT, INVALID, exact, keeps, line, sent
from scenarios._streaming import SWIFT
from scenarios.mpu import nothing_stored


@scenario(
    "CKS-006",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_no_md5_good_sha_multiple_crc_in_headers"),
    clients=LIBRARIES,
)
def two_checksums(s3: Scene) -> None:
    """Two x-amz-checksum-* headers in one PutObject are refused with 400 InvalidRequest, even when both are right.

    S3 promises: a request carries a single checksum. A second one of another algorithm is a mistake of the client,
    and nothing is stored.

    Breaks: strict validation; no client sends two on purpose. A gateway that verifies the first and drops the
    second lets a program believe that both were checked.

    Fix: count the headers of this form before looking at any value.
    """
    key = s3.key()
    both = sent("CRC32", CONTENT) | sent("SHA256", CONTENT)
    s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, **both), INVALID)
    nothing_stored(s3, key)
    s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, **sent("SHA256", CONTENT)), ok())


@scenario(
    "CKS-007",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_no_md5_good_sha_unsupported_crc_header"),
    clients=("raw",),
)
def unknown_algorithm(s3: Scene) -> None:
    """A header x-amz-checksum- with an unknown algorithm name is refused with 400 InvalidRequest.

    S3 promises: a checksum that the endpoint cannot verify is refused, never ignored, and nothing is stored.

    Breaks: when an algorithm is added to the SDKs (CRC64NVME was, and xxHash is), an endpoint that reads over it
    takes uploads as verified that nobody verified.

    Fix: refuse every x-amz-checksum-* header that is neither an algorithm nor one of mode, type and algorithm.
    """
    key = s3.key()
    s3.expect(exact(s3, key, CONTENT, ("x-amz-checksum-crc16", "AAA=")), INVALID)
    nothing_stored(s3, key)
    s3.expect(exact(s3, key, CONTENT, line("CRC32", CONTENT)), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "CKS-008",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_good_md5_good_sha_no_crc_but_declared")
    + "; LocalStack test_s3_checksum_no_algorithm (recorded on AWS)",
    clients=("raw",),
)
def declared_but_not_sent(s3: Scene) -> None:
    """x-amz-sdk-checksum-algorithm without any checksum header or trailer is refused with 400 InvalidRequest.

    S3 promises: an SDK that announces an algorithm also sends a value. Where the value is missing the request lost
    something on the way, and nothing is stored.

    Breaks: a proxy that strips x-amz-checksum-* headers goes unnoticed: uploads of every current SDK are stored
    without the check that the SDK believes to have asked for.

    Fix: when the header is there, look for x-amz-checksum-* or x-amz-trailer and refuse if there is neither.
    """
    _declared(s3, "CRC32")


def _declared(s3: Scene, algorithm: str, *sent_with: tuple[str, str]) -> None:
    """An upload that declares an algorithm and has these headers is refused; with its own header it is stored."""
    key, declared = s3.key(), ("x-amz-sdk-checksum-algorithm", algorithm)
    s3.expect(exact(s3, key, CONTENT, declared, *sent_with), INVALID)
    nothing_stored(s3, key)
    s3.expect(exact(s3, key, CONTENT, declared, line(algorithm, CONTENT)), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "CKS-009",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_good_md5_good_sha_good_crc_algo_mismatch"),
    clients=("raw",),
)
def declared_is_another(s3: Scene) -> None:
    """x-amz-sdk-checksum-algorithm that names another algorithm than the checksum header: 400 InvalidRequest.

    S3 promises: the announced algorithm and the one of the header agree, or the request is refused and nothing is
    stored.

    Breaks: strict validation. Programs that set both by hand (ChecksumAlgorithm and a precomputed value) find out
    from this error that the value is not of the algorithm they named.

    Fix: compare the announced name, in any letter case, with that of the one checksum header.
    """
    _declared(s3, "SHA256", line("CRC32", CONTENT))


@scenario(
    "CKS-010",
    EXTENDED,
    "PutObject",
    "HeadObject",
    source="versitygw REST test PutObject w/x-amz-checksum-algorithm",
    clients=("raw",),
)
def lone_algorithm_header(s3: Scene) -> None:
    """x-amz-checksum-algorithm in a PUT of an object means nothing, whatever it names: CRC64NVME is stored.

    S3 promises: this header belongs to CreateMultipartUpload and CopyObject. In PutObject it is read over, a
    nonsense value too, and the object gets the default checksum.

    Breaks: hand-written uploaders that send the header of the wrong operation work on AWS and fail with 400 on an
    endpoint that takes it for x-amz-checksum-<name>.

    Fix: leave it out when looking for checksum headers, as x-amz-checksum-mode and x-amz-checksum-type.
    """
    for number, value in enumerate(("SHA256", "NONSENSE")):
        key = s3.key(str(number))
        s3.expect(exact(s3, key, CONTENT, ("x-amz-checksum-algorithm", value)), ok())
        keeps(s3, key, "CRC64NVME", CONTENT)
