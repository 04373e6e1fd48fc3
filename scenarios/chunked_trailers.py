"""CHNK: checksums and signatures that trail an aws-chunked upload."""

from __future__ import annotations

from dataclasses import replace

from harness.expect import body, ok, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.checksums import ALGORITHMS, DEFAULT, header
from harness.wire.streaming import Stream
from scenarios._checksums import BAD_DIGEST, CONTENT, INVALID, MALFORMED, OTHER, carries, keeps, line
from scenarios._streaming import LARGE, SWIFT, UNSIGNED, put, refuses, trailing
from scenarios.mpu import nothing_stored


@scenario(
    "CHNK-011",
    MUST,
    "PutObject",
    source=f"{SWIFT.format('test_strm_unsgnd_pyld_trl_with_trailer_ok')}; versitygw REST test PutObject - "
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER - success (crc32)",
    clients=("raw",),
)
def trailing_checksum(s3: Scene) -> None:
    """An unsigned stream with a right trailing checksum is stored; the value is echoed and kept.

    S3 promises: STREAMING-UNSIGNED-PAYLOAD-TRAILER carries the data in chunks and the checksum behind it, for every
    algorithm. The answer has the x-amz-checksum-* header, and a read in checksum mode shows the value.

    Breaks: this is how boto3, the AWS CLI and the SDKs for Java, Go and JavaScript upload over https since January
    2025. An endpoint that does not know it refuses every upload of theirs, or stores framing and trailer inside the
    objects (boto3#4435).

    Fix: decode the chunks, read the trailers behind the empty one, verify, and treat the value as one from a header.
    """
    for algorithm in ALGORITHMS:
        key, stream = s3.key(algorithm), trailing(algorithm, *UNSIGNED.chunks)
        s3.expect(put(s3, key, stream), ok(), carries(algorithm, stream.content))
        keeps(s3, key, algorithm, stream.content)


@scenario(
    "CHNK-012",
    SHOULD,
    "PutObject",
    source=f"{SWIFT.format('test_strm_unsgnd_pyld_trl_no_trailer_ok')}; versitygw REST test PutObject - "
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER - default crc64nvme",
    clients=("raw",),
)
def no_trailer(s3: Scene) -> None:
    """An unsigned stream without any trailer is stored, with the default CRC64NVME of its bytes.

    S3 promises: the mode allows a trailer and demands none. Without one the endpoint computes the checksum as for
    any upload that brings none.

    Breaks: writers that only want to stream without knowing a digest use the mode for that; an endpoint that waits
    for a trailer refuses them or hangs.

    Fix: take the empty line behind the last chunk for the end when x-amz-trailer was not sent.
    """
    key = s3.key()
    s3.expect(put(s3, key, Stream((CONTENT,))), ok())
    keeps(s3, key, DEFAULT, CONTENT)


@scenario(
    "CHNK-013",
    MUST,
    "PutObject",
    source=SWIFT.format(
        "test_strm_unsgnd_pyld_trl_with_trailer_checksum_mismatch and "
        "test_strm_unsgnd_pyld_trl_with_trailer_checksum_invalid"
    ),
    clients=("raw",),
)
def wrong_trailing_checksum(s3: Scene) -> None:
    """A trailing checksum of other data is 400 BadDigest, a malformed one 400 InvalidRequest; nothing is stored.

    S3 promises: the trailer is held against the bytes exactly as a header would be.

    Breaks: over https it is all that protects an SDK's upload from end to end. An endpoint that only skips the
    trailer stores damaged data and says 200.

    Fix: verify after the last chunk and before the object becomes visible.
    """
    for algorithm in ("CRC32", "CRC64NVME", "SHA256"):
        key = s3.key(algorithm)
        s3.expect(put(s3, key, trailing(algorithm, CONTENT, of=OTHER)), BAD_DIGEST)
        for value in MALFORMED:
            s3.expect(put(s3, key, Stream((CONTENT,), ((header(algorithm), value),))), INVALID)
        nothing_stored(s3, key)
        s3.expect(put(s3, key, trailing(algorithm, CONTENT)), ok())
        s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "CHNK-014",
    SHOULD,
    "PutObject",
    source=SWIFT.format(
        "test_strm_unsgnd_pyld_trl_declared_no_trailer_sent and test_strm_unsgnd_pyld_trl_mismatch_trailer"
    ),
    clients=("raw",),
)
def other_trailer_than_announced(s3: Scene) -> None:
    """A checksum announced in x-amz-trailer and not sent, or another sent instead: 400 MalformedTrailerError.

    S3 promises: the trailers are those that were announced. None, or a right checksum of another algorithm, is an
    error of its own, and nothing is stored.

    Breaks: a proxy that drops trailers, which HTTP allows, would otherwise turn every verified upload into an
    unverified one without anybody noticing.

    Fix: compare the names that arrived with those of x-amz-trailer before looking at values.
    """
    key, right = s3.key(), trailing("CRC32", CONTENT)
    announced = replace(right, announced=header("CRC32"))
    for stream in (replace(announced, trailers=()), replace(right, announced=header("SHA1"))):
        s3.expect(put(s3, key, stream), refused(400, "MalformedTrailerError"))
        nothing_stored(s3, key)
    s3.expect(put(s3, key, announced), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "CHNK-015",
    SHOULD,
    "PutObject",
    source=f"{SWIFT.format('test_strm_unsgnd_pyld_trl_unsupported_trailer_declared')}; versitygw test REST chunked "
    "upload - invalid trailer",
    clients=("raw",),
)
def trailer_that_is_no_checksum(s3: Scene) -> None:
    """x-amz-trailer that names something else than a checksum is refused with 400 InvalidRequest.

    S3 promises: only x-amz-checksum-* of a known algorithm may trail. Metadata, Content-MD5 and unknown algorithms
    may not, and nothing is stored.

    Breaks: strict validation. A trailer that is accepted and dropped is metadata or a digest that its sender
    believes to be stored or checked.

    Fix: check the name in x-amz-trailer while the headers are read.
    """
    key = s3.key()
    for name in ("x-amz-meta-colour", "content-md5", "x-amz-checksum-crc16"):
        s3.expect(put(s3, key, Stream((CONTENT,), ((name, "AAAA"),))), INVALID)
        nothing_stored(s3, key)
    s3.expect(put(s3, key, trailing("CRC32", CONTENT)), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "CHNK-016",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_strm_unsgnd_pyld_trl_multiple_checksum_trailers"),
    clients=("raw",),
)
def two_trailing_checksums(s3: Scene) -> None:
    """Two checksum trailers in one upload are refused with 400 InvalidRequest, even when both are right.

    S3 promises: as in headers, one checksum is all that a request may carry; nothing is stored.

    Breaks: strict validation. An endpoint that verifies one of the two leaves the sender believing in both.

    Fix: count the names in x-amz-trailer.
    """
    key = s3.key()
    lines = tuple(line(algorithm, CONTENT) for algorithm in ("CRC32", "SHA1"))
    both = Stream((CONTENT,), lines, announced=",".join(name for name, _ in lines))
    refuses(s3, key, INVALID, both)
    s3.expect(put(s3, key, trailing("SHA1", CONTENT)), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "CHNK-017",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_no_md5_good_sha_same_crc_in_trailer_and_header"),
    clients=("raw",),
)
def header_and_trailer(s3: Scene) -> None:
    """The same checksum in a header and in the trailer is refused with 400 InvalidRequest.

    S3 promises: a checksum leads or trails, not both, even when the two values agree; nothing is stored.

    Breaks: strict validation. When they differ, an endpoint that takes one of them has verified something that the
    sender contradicts.

    Fix: refuse when x-amz-trailer names a checksum and an x-amz-checksum-* header is there as well.
    """
    key, stream = s3.key(), trailing("CRC32", CONTENT)
    refuses(s3, key, INVALID, stream, dict([line("CRC32", CONTENT)]))
    s3.expect(put(s3, key, stream), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "CHNK-018",
    EXTENDED,
    "PutObject",
    source=SWIFT.format("test_strm_unsgnd_pyld_trl_bad_then_good_trailer_ok"),
    clients=("raw",),
)
def repeated_trailer(s3: Scene) -> None:
    """Of a trailer that is sent twice the last one counts: wrong then right is stored, right then wrong is refused.

    S3 promises: the trailers are read in order and a later one of the same name replaces the earlier; the upload
    is judged by what remains.

    Breaks: strict validation; no known client repeats a trailer. It decides what is verified when something on the
    way adds a line.

    Fix: keep the trailers in a mapping that is overwritten line by line.
    """
    right, wrong = line("CRC32", CONTENT), line("CRC32", OTHER)
    key = s3.key("right-then-wrong")
    refuses(s3, key, BAD_DIGEST, Stream((CONTENT,), (right, wrong)))
    key = s3.key("wrong-then-right")
    s3.expect(put(s3, key, Stream((CONTENT,), (wrong, right))), ok())
    keeps(s3, key, "CRC32", CONTENT)


@scenario(
    "CHNK-020",
    SHOULD,
    "PutObject",
    source=SWIFT.format(
        "test_strm_sgnd_pyld_trl_ok, test_strm_sgnd_pyld_trl_bad_trl_sig and test_strm_sgnd_pyld_trl_missing_trl_sig"
    ),
    clients=("raw",),
)
def signed_trailer(s3: Scene) -> None:
    """The trailer of signed chunks is signed: a wrong signature is 403 SignatureDoesNotMatch, none 400 IncompleteBody.

    S3 promises: in STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER the line x-amz-trailer-signature continues the chain
    over the trailing headers. With the right one the object and its checksum are stored.

    Breaks: the SDK for Java sends this over http, and minio-go where trailing headers are enabled. An endpoint that
    does not know the extra line takes it for a second trailer and refuses; one that does not verify it lets the
    checksum be replaced on the way.

    Fix: hash the trailing lines as "name:value" with line feeds, sign with AWS4-HMAC-SHA256-TRAILER, and compare.
    """
    right = trailing("SHA256", b"s" * LARGE, CONTENT, signed=True)
    faults = {"wrong": refused(403, "SignatureDoesNotMatch"), "missing": refused(400, "IncompleteBody")}
    for fault, refusal in faults.items():
        key = s3.key(fault)
        refuses(s3, key, refusal, replace(right, trailer_signature=fault))
    key = s3.key("right")
    s3.expect(put(s3, key, right), ok(), carries("SHA256", right.content))
    keeps(s3, key, "SHA256", right.content)
