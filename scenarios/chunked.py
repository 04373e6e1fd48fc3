"""CHNK: the framing of aws-chunked uploads and the signatures of their chunks."""

from __future__ import annotations

from dataclasses import replace

from harness.expect import refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.streaming import Stream
from scenarios._streaming import INCOMPLETE, LARGE, SIGNED, SWIFT, UNSIGNED, WRONG_SIGNATURE, put, refuses, stored
from scenarios.mpu import nothing_stored


@scenario(
    "CHNK-001",
    MUST,
    "PutObject",
    source=f"{SWIFT.format('test_strm_sgnd_pyld_good_signatures_ok')}; versitygw REST chunked upload, success",
    clients=("raw",),
)
def signed_chunks(s3: Scene) -> None:
    """A body in signed chunks (STREAMING-AWS4-HMAC-SHA256-PAYLOAD) is stored without its framing.

    S3 promises: the chunks are verified one by one against a chain that begins with the signature of the headers,
    and only their bytes are stored, counted and hashed.

    Breaks: mc and other programs built on minio-go, and the SDK for Java, upload over http this way. An endpoint
    that does not know the framing stores sizes and signatures inside every file; the damage shows when somebody
    opens one.

    Fix: decide by x-amz-content-sha256, decode before anything else sees the body, and verify each signature.
    """
    stored(s3, s3.key(), SIGNED)


@scenario(
    "CHNK-003",
    MUST,
    "PutObject",
    source=f"{SWIFT.format('test_strm_sgnd_pyld_bad_signatures and test_strm_sgnd_pyld_bad_final_signature')}; "
    "versitygw REST chunked upload, signature error",
    clients=("raw",),
)
def forged_chunk(s3: Scene) -> None:
    """A wrong chunk signature, that of the final empty chunk included, is 403 SignatureDoesNotMatch; nothing is stored.

    S3 promises: every chunk is held to its own signature, the last one too, which proves that the upload was not
    cut short.

    Breaks: the signature of the headers says nothing about the bytes in this mode. Where chunks are not verified
    anybody on the way can change an upload over http, or end it early, and nobody learns of it.

    Fix: keep the chain of signatures going to the empty chunk; store nothing before that one was verified.
    """
    for index in range(len(SIGNED.chunks) + 1):
        key = s3.key(str(index))
        refuses(s3, key, WRONG_SIGNATURE, replace(SIGNED, forged=frozenset({index})))
    stored(s3, s3.key("right"), SIGNED)


@scenario(
    "CHNK-004",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_strm_sgnd_pyld_no_signatures and test_strm_sgnd_pyld_blank_signatures"),
    clients=("raw",),
)
def chunk_without_signature(s3: Scene) -> None:
    """A signed upload whose chunks have no chunk-signature, or a blank one, is refused with 400 IncompleteBody.

    S3 promises: in this mode the signature is part of the framing; a chunk head without it is a framing error, and
    nothing is stored.

    Breaks: an attacker on the way would only have to leave the signatures out if their absence were accepted.

    Fix: parse the extension of every chunk head, and demand a value in the signed modes.
    """
    for name, head in (("missing", "{size:x}"), ("blank", "{size:x};chunk-signature=")):
        s3.expect(put(s3, s3.key(name), replace(SIGNED, head=head)), INCOMPLETE)
        nothing_stored(s3, s3.key(name))
    stored(s3, s3.key("right"), SIGNED)


@scenario(
    "CHNK-005",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_strm_sgnd_pyld_too_small_chunks")
    + "; versitygw REST chunked upload - smaller chunk size",
    clients=("raw",),
)
def small_chunk(s3: Scene) -> None:
    """A signed chunk under 8192 bytes that is not the last: 403 InvalidChunkSizeError with Chunk and BadChunkSize.

    S3 promises: all signed chunks but the last have at least 8 KiB. The error names the chunk by number and the
    size that is too small, and nothing is stored.

    Breaks: a writer tested against an endpoint without the rule, such as one that sends each line of a log as a
    chunk, fails on its first day on AWS.

    Fix: when a chunk follows, check the size of the one before it.
    """
    key = s3.key()
    small = Stream((b"s" * 1024, b"t" * LARGE), signed=True)
    answer = put(s3, key, small)
    s3.expect(answer, refused(403, "InvalidChunkSizeError", fields={"BadChunkSize": "1024"}))
    number = answer.error_fields.get("Chunk", "")
    s3.check(number.isdigit(), "Chunk is a number", f"it was {number!r}", answer)
    nothing_stored(s3, key)
    stored(s3, key, replace(small, chunks=small.chunks[::-1]))


@scenario(
    "CHNK-006",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_strm_sgnd_pyld_ragged_chunk_lengths_ok"),
    clients=("raw",),
)
def uneven_chunks(s3: Scene) -> None:
    """Signed chunks of unequal length are accepted as long as each has 8192 bytes or more.

    S3 promises: the size of a chunk is its own affair; the first one sets nothing for the others.

    Breaks: proxies and writers that pass on data as it arrives cut it unevenly; an endpoint that takes the size of
    the first chunk for that of all loses their uploads.

    Fix: read the size from each chunk head.
    """
    stored(s3, s3.key(), Stream((b"a" * 3 * LARGE, b"b" * LARGE, b"c" * 2 * LARGE, b"d"), signed=True))


@scenario(
    "CHNK-007",
    EXTENDED,
    "PutObject",
    source=SWIFT.format("test_strm_sgnd_pyld_spaced_out_chunk_param_ok"),
    clients=("raw",),
)
def spaced_chunk_head(s3: Scene) -> None:
    """Spaces around ";" and "=" in the head of a chunk are tolerated.

    S3 promises: what HTTP allows in chunk extensions is allowed here: size, semicolon, name, equals sign and value
    may stand apart.

    Breaks: hand-written signers for embedded devices that format the head generously; they work on AWS.

    Fix: strip size, name and value after splitting at ";" and "=".
    """
    for number, head in enumerate(("{size:x} ; chunk-signature={signature}", "{size:x};chunk-signature = {signature}")):
        stored(s3, s3.key(str(number)), replace(SIGNED, head=head))


@scenario(
    "CHNK-008",
    MUST,
    "PutObject",
    source=SWIFT.format("test_strm_sgnd_pyld_no_zero_chunk and test_strm_unsgnd_pyld_trl_truncated_mid_chunk"),
    clients=("raw",),
)
def broken_off(s3: Scene) -> None:
    """A stream without its final zero chunk, or cut within a chunk, is refused with 400 IncompleteBody.

    S3 promises: only the empty chunk says that the upload is whole. Without it, signed or not, nothing is stored,
    although Content-Length was met.

    Breaks: a proxy or a client that gives up half way leaves a shorter file under the right name: restic, database
    dumps and every sync tool take it for complete.

    Fix: treat the end of the body before the empty chunk as an error, whatever was received so far.
    """
    for name, stream in (("signed", SIGNED), ("unsigned", UNSIGNED)):
        for cut in (0, 6):
            key = s3.key(f"{name}/{cut}")
            refuses(s3, key, INCOMPLETE, replace(stream, ended=False, cut=cut))
        stored(s3, s3.key(f"{name}/whole"), stream)


@scenario(
    "CHNK-009",
    MUST,
    "PutObject",
    source=SWIFT.format("test_strm_unsgnd_pyld_trl_too_many_bytes"),
    clients=("raw",),
)
def wrong_decoded_length(s3: Scene) -> None:
    """Another x-amz-decoded-content-length than the decoded bytes have: 400 IncompleteBody with both figures.

    S3 promises: the announced length is held against what arrived, too few bytes and too many alike. The error has
    NumberBytesExpected and NumberBytesProvided, and nothing is stored.

    Breaks: the length of the object is not that of the HTTP body here, so this header is the only check that
    nothing got lost. Where it is ignored, short uploads of any SDK pass as complete.

    Fix: count decoded bytes, compare at the end, and refuse before the object becomes visible.
    """
    size = len(UNSIGNED.content)
    for told in (size - 1, size + 1):
        key = s3.key(str(told))
        answer = put(s3, key, UNSIGNED, {"x-amz-decoded-content-length": str(told)})
        s3.expect(answer, refused(400, "IncompleteBody", fields={"NumberBytesExpected": str(told)}))
        provided = answer.error_fields.get("NumberBytesProvided", "")
        s3.check(provided.isdigit(), "NumberBytesProvided is a number", f"it was {provided!r}", answer)
        nothing_stored(s3, key)
    stored(s3, s3.key("right"), UNSIGNED)


@scenario(
    "CHNK-010",
    MUST,
    "PutObject",
    source=f"{SWIFT.format('test_no_md5_streaming_unsigned_bad_decoded_content_length')}; versitygw REST test "
    "PutObject - STREAMING-AWS4-HMAC-SHA256-PAYLOAD - missing content length",
    clients=("raw",),
)
def no_decoded_length(s3: Scene) -> None:
    """A stream whose x-amz-decoded-content-length is missing or not a number is refused: 411 MissingContentLength.

    S3 promises: the length of the data is required in every streaming mode; Content-Length, which counts the framing
    too, does not stand in for it.

    Breaks: clients that forget the header are told so on AWS; an endpoint that reads Content-Length instead makes
    objects that are too long or waits for bytes that never come.

    Fix: demand the header, as a decimal number, whenever x-amz-content-sha256 begins with STREAMING-.
    """
    for name, stream in (("signed", SIGNED), ("unsigned", UNSIGNED)):
        for told in (None, "many"):
            key = s3.key(f"{name}/{told}")
            refuses(s3, key, refused(411, "MissingContentLength"), stream, {"x-amz-decoded-content-length": told})
        stored(s3, s3.key(f"{name}/right"), stream)


@scenario(
    "CHNK-019",
    EXTENDED,
    "PutObject",
    source=SWIFT.format("test_strm_unsgnd_pyld_trl_no_cr"),
    clients=("raw",),
)
def lines_without_cr(s3: Scene) -> None:
    """Framing whose lines end with a line feed alone is refused with 400 IncompleteBody.

    S3 promises: chunk heads, chunks and trailers end with CR LF, and with nothing else.

    Breaks: strict validation. Two parsers on the way that disagree about where a line ends disagree about where the
    object ends, which is how requests are smuggled.

    Fix: look for CR LF, not for LF with an optional CR before it.
    """
    key = s3.key()
    refuses(s3, key, INCOMPLETE, replace(UNSIGNED, newline=b"\n"))
    stored(s3, key, UNSIGNED)
