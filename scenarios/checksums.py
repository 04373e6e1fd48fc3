"""CKS: checksums sent with PutObject: accepted, verified, refused. Their headers: `checksums_headers`."""

from __future__ import annotations

import hashlib

from harness.clients import CALLERS, LIBRARIES
from harness.expect import body, etag, if_shown, ok, output, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire.checksums import ALGORITHMS, header, member
from scenarios._checksums import (
    CONTENT,
    INVALID,
    MALFORMED,
    OLD,
    OTHER,
    carries,
    exact,
    full_object,
    line,
    sent,
    still_old,
)
from scenarios._streaming import SWIFT
from scenarios.etag import content_md5, md5_etag
from scenarios.mpu import nothing_stored

KNOWN = b"test data.."
KNOWN_VALUES = {
    "CRC32": "cZWHwQ==",
    "CRC32C": "Pf4upw==",
    "CRC64NVME": "qUVrWYOrIAM=",
    "SHA1": "B++3uSfJMSHWToQMQ1g6lIJY5Eo=",
    "SHA256": "2l26x0trnT0r2AvakoFk2MB7eKVKzYESLMxSAKAzoik=",
}
"""Checksums of `KNOWN`, recorded on AWS."""


@scenario(
    "CKS-001",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_checksum (recorded on AWS); versitygw REST test crc32 checksum - correct",
    clients=CALLERS,
)
def right_checksum_is_echoed(s3: Scene) -> None:
    """PutObject with a right CRC32, CRC32C, CRC64NVME, SHA1 or SHA256 succeeds and returns the same value.

    S3 promises: each of the five x-amz-checksum-* headers is understood. When the value is that of the body the
    object is stored, and the answer has the same header with the same value.

    Breaks: boto3, the AWS CLI, and the SDKs for Java, Go and JavaScript add CRC32 to every upload since January
    2025, AWS CLI v2 adds CRC64NVME. A gateway that answers 501 or 400 to the header cannot be written to by them
    without a setting (aws-sdk-js-v3#6810); one that does not echo it gives no proof of what it received.

    Fix: compute the named algorithm while the body streams in, compare, keep the value with the object, print it.
    """
    for algorithm in ("SHA256",) if s3.costly else ALGORITHMS:
        key = s3.key(algorithm)
        answer = s3.call("PutObject", Key=key, Body=CONTENT, **sent(algorithm, CONTENT))
        s3.expect(answer, ok(), carries(algorithm, CONTENT))
        s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "CKS-002",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_checksum (recorded on AWS); versitygw REST test PutObject - "
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER - 200 header returns correct checksum type",
    clients=LIBRARIES,
)
def type_of_checksum(s3: Scene) -> None:
    """The answer to PutObject says x-amz-checksum-type: FULL_OBJECT beside the checksum.

    S3 promises: an object stored in one piece has the checksum of all its bytes, and the answer says so, for every
    algorithm.

    Breaks: the type tells a program whether it may compare the value with one of the whole file, or has to combine
    those of parts first; SDKs show it as ChecksumType, and without it a caller can only guess.

    Fix: print the type wherever a checksum is printed; after a plain PUT it is always FULL_OBJECT.
    """
    for algorithm in ALGORITHMS:
        answer = s3.call("PutObject", Key=s3.key(algorithm), Body=CONTENT, **sent(algorithm, CONTENT))
        s3.expect(answer, ok(), carries(algorithm, CONTENT), full_object())


@scenario(
    "CKS-003",
    SHOULD,
    "PutObject",
    source="LocalStack test_s3_get_object_checksum and test_put_object_checksum (recorded on AWS)",
    clients=LIBRARIES,
)
def known_checksums(s3: Scene) -> None:
    """The 11 bytes "test data.." have the five checksums and the ETag that were recorded on AWS.

    S3 promises: CRC32 is that of zlib, CRC32C has Castagnoli's polynomial, CRC64NVME that of the NVMe
    specification; each value is written most significant byte first, in base64.

    Breaks: a gateway with another polynomial, bit order or byte order (the CRC64 of most libraries is that of XZ or
    ISO) refuses every upload of a client that sends this algorithm as damaged.

    Fix: test with the published check values of "123456789": cbf43926, e3069283 and ae8b14860a799888.
    """
    for algorithm, value in KNOWN_VALUES.items():
        key = s3.key(algorithm)
        answer = s3.call("PutObject", Key=key, Body=KNOWN, **{member(algorithm): value})
        s3.expect(answer, ok(), output(member(algorithm), value), if_shown(etag(md5_etag(KNOWN))))
        s3.expect(s3.look("HeadObject", Key=key), ok(), etag('"e6d9226c2a86b7232933663c13467527"'))


@scenario(
    "CKS-004",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_checksum (recorded on AWS); versitygw REST test crc32 checksum - incorrect",
    clients=CALLERS,
)
def wrong_checksum(s3: Scene) -> None:
    """A checksum of other data is refused with 400 BadDigest, and nothing is stored.

    S3 promises: a value of the right form that is not that of the bytes which arrived is 400 BadDigest, whatever
    the algorithm.

    Breaks: the checksum is the only thing that protects an upload against damage between the program and the disk:
    SDK users, backup tools and anything behind a faulty proxy. Where it is not compared, damage is stored and
    reported as success.

    Fix: compare before the object becomes visible, and drop what was received when the values differ.
    """
    for algorithm in ("SHA256",) if s3.costly else ALGORITHMS:
        key = s3.key(algorithm)
        wrong = s3.call("PutObject", Key=key, Body=CONTENT, **sent(algorithm, OTHER))
        s3.expect(wrong, refused(400, "BadDigest"))
        nothing_stored(s3, key)
        s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, **sent(algorithm, CONTENT)), ok())
        s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "CKS-005",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_checksum (recorded on AWS); versitygw REST test crc32 checksum - invalid",
    clients=LIBRARIES,
)
def malformed_checksum(s3: Scene) -> None:
    """A checksum that is not base64, or of a wrong length, is refused with 400 InvalidRequest; nothing is stored.

    S3 promises: what cannot be a value of the algorithm is told from a value that does not match: InvalidRequest,
    not BadDigest.

    Breaks: programs that send hex, or the right value under another algorithm's name: with BadDigest their authors
    look for damage on the way that never happened.

    Fix: decode strictly and check the number of bytes (4, 4, 8, 20, 32) before reading the body.
    """
    for algorithm in ALGORITHMS:
        key = s3.key(algorithm)
        for value in MALFORMED:
            s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, **{member(algorithm): value}), INVALID)
        nothing_stored(s3, key)
        s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, **sent(algorithm, CONTENT)), ok())


@scenario(
    "CKS-025",
    EXTENDED,
    "PutObject",
    source=SWIFT.format("test_good_md5_bad_sha_bad_crc_header and test_invalid_md5_bad_sha"),
    clients=("raw",),
)
def order_of_verification(s3: Scene) -> None:
    """Of several wrong digests one is reported: a malformed Content-MD5 first, then x-amz-content-sha256.

    S3 promises: the form of Content-MD5 is judged before the body is read (400 InvalidDigest); then the hash that
    was signed (400 XAmzContentSHA256Mismatch); a Content-MD5 or checksum of other data only after both.

    Breaks: strict validation. The order tells a body that was changed after signing from a client that computes
    its digests wrongly.

    Fix: check all headers first, then the payload hash, which belongs to the signature, then the digests.
    """
    key = s3.key()
    signed = ("x-amz-content-sha256", hashlib.sha256(OTHER).hexdigest())
    mismatch = refused(400, "XAmzContentSHA256Mismatch")
    wrong_md5, malformed = ("Content-MD5", content_md5(OTHER)), ("Content-MD5", "MTIz")
    s3.expect(exact(s3, key, CONTENT, signed, wrong_md5), mismatch)
    s3.expect(exact(s3, key, CONTENT, signed, line("CRC32", OTHER)), mismatch)
    s3.expect(exact(s3, key, CONTENT, signed, malformed), refused(400, "InvalidDigest"))
    s3.expect(exact(s3, key, CONTENT, line("CRC32", OTHER), malformed), refused(400, "InvalidDigest"))
    nothing_stored(s3, key)
    s3.expect(exact(s3, key, CONTENT, line("CRC32", CONTENT), ("Content-MD5", content_md5(CONTENT))), ok())


@scenario(
    "CKS-026",
    SHOULD,
    "PutObject",
    source="none recorded; follows from the atomicity of PutObject (Amazon S3 data consistency model)",
    confidence="unverified",
    clients=("raw",),
)
def refusal_keeps_the_old(s3: Scene) -> None:
    """A PUT refused for its digest, wrong or malformed, leaves the earlier object of that key untouched.

    S3 promises: an upload either replaces the object as a whole or does nothing. That holds for Content-MD5,
    x-amz-checksum-* and x-amz-content-sha256 alike.

    Breaks: a damaged retry of Terraform's state, a package index or a backup catalogue destroys the good copy: the
    client sees an error and reads half an object, the new bytes, or 404.

    Fix: write to a temporary place, verify, then switch; never truncate the object when the request arrives.
    """
    key = s3.key()
    s3.put(key, OLD)
    faults = {
        ("Content-MD5", content_md5(OTHER)): "BadDigest",
        ("Content-MD5", "MTIz"): "InvalidDigest",
        line("CRC32", OTHER): "BadDigest",
        line("SHA256", OTHER): "BadDigest",
        (header("CRC32"), "AAA="): "InvalidRequest",
        ("x-amz-content-sha256", hashlib.sha256(OTHER).hexdigest()): "XAmzContentSHA256Mismatch",
    }
    for fault, code in faults.items():
        s3.expect(exact(s3, key, CONTENT, fault), refused(400, code))
        still_old(s3, key)
    s3.expect(exact(s3, key, CONTENT, line("CRC32", CONTENT)), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))
