"""CHNK: what becomes of aws-chunked uploads: their coding, parts, empty ones, failed ones."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import Any

from harness.clients.base import Observed
from harness.expect import MD5_EMPTY, Matcher, body, etag, header, no_header, ok, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire import model
from harness.wire.streaming import Stream
from scenarios._checksums import OLD, still_old
from scenarios._streaming import INCOMPLETE, SIGNED, SWIFT, UNSIGNED, WRONG_SIGNATURE, put, send, stored, trailing
from scenarios.etag import look_at_parts, md5_etag
from scenarios.mpu import begin


@scenario(
    "CHNK-021",
    MUST,
    "PutObject",
    "HeadObject",
    source=SWIFT.format(
        "test_strm_unsgnd_pyld_trl_gzipped_declared_ok and test_strm_unsgnd_pyld_trl_custom_encoding_ok"
    ),
    clients=("raw",),
)
def coding_is_not_kept(s3: Scene) -> None:
    """aws-chunked is removed from the stored Content-Encoding, and all other codings are kept.

    S3 promises: aws-chunked says how the upload travelled. "gzip, aws-chunked" is stored as "gzip", and aws-chunked
    alone as no coding at all.

    Breaks: browsers, curl --compressed and Node's fetch fail on an object whose Content-Encoding they do not know;
    with the coding lost, they show compressed bytes as text. LocalStack, moto and versitygw each had this
    (localstack#12167, moto#9008, versitygw#2398).

    Fix: split the header at commas, drop aws-chunked in any letter case, store the rest.
    """
    stream = Stream((gzip.compress(b"text that a browser unpacks", mtime=0),))
    kept_of = {"aws-chunked": "", "gzip, aws-chunked": "gzip", "aws-chunked,gzip": "gzip", "x-own,aws-chunked": "x-own"}
    for number, (told, kept) in enumerate(kept_of.items()):
        key = s3.key(str(number))
        s3.expect(put(s3, key, stream, {"Content-Encoding": told}), ok())
        s3.expect(s3.look("GetObject", Key=key), ok(), body(stream.content), _coding(kept))
        s3.expect(s3.look("HeadObject", Key=key), ok(), _coding(kept))


@scenario(
    "CHNK-022",
    SHOULD,
    "PutObject",
    source=SWIFT.format("test_strm_unsgnd_pyld_trl_no_encoding_ok"),
    clients=("raw",),
)
def no_coding_named(s3: Scene) -> None:
    """An aws-chunked body without a Content-Encoding header is decoded all the same.

    S3 promises: x-amz-content-sha256 alone says that the body is framed; Content-Encoding: aws-chunked may be left
    out.

    Breaks: clients that sign in chunks and have no coding of their own to tell leave the header out; an endpoint
    that goes by Content-Encoding stores the framing inside their objects.

    Fix: switch the decoder on by the keyword in x-amz-content-sha256.
    """
    for name, stream in (("signed", SIGNED), ("unsigned", UNSIGNED)):
        key = s3.key(name)
        s3.expect(put(s3, key, stream, {"Content-Encoding": None}), ok())
        s3.expect(s3.look("GetObject", Key=key), ok(), body(stream.content), no_header("Content-Encoding"))


@scenario(
    "CHNK-023",
    EXTENDED,
    "PutObject",
    source=SWIFT.format("test_strm_unsgnd_pyld_trl_te_chunked_ok"),
    clients=("raw",),
)
def chunks_within_chunks(s3: Scene) -> None:
    """HTTP's Transfer-Encoding: chunked around aws-chunked is accepted when the decoded length is told.

    S3 promises: the two framings are independent. HTTP's is taken off first, wherever it cuts; that there is no
    Content-Length does no harm, since x-amz-decoded-content-length is there.

    Breaks: boto3, the AWS CLI and JavaScript send uploads of streams over https exactly like this, and proxies
    rewrite requests into it; an endpoint that insists on Content-Length answers 411 to all of them.

    Fix: let the HTTP layer undo its own framing, and ask for Content-Length only where the body is not streamed.
    """
    stored(s3, s3.key("plain"), replace(UNSIGNED, wrapped=1000))
    stored(s3, s3.key("trailer"), replace(trailing("CRC32", b"bytes with a checksum"), wrapped=7))


@scenario(
    "CHNK-024",
    MUST,
    "UploadPart",
    source="AWS documentation, Signature calculations: transferring payload in multiple chunks",
    confidence="partly unverified",
    clients=("raw",),
)
def parts_in_chunks(s3: Scene) -> None:
    """Parts can be uploaded in chunks as objects can; the ETag of the part is that of the decoded bytes.

    S3 promises: signed chunks, unsigned ones with a trailing checksum, and the refusals of both are the same for
    UploadPart as for PutObject.

    Breaks: every multipart upload of a current SDK over https; framing that ends up inside parts is framing in the
    middle of the file.

    Fix: put the decoder before both operations, not into PutObject.
    """
    upload = begin(s3, s3.key())
    signed, checked = SIGNED, trailing("CRC32", b"a part with a checksum")
    refusals = ((replace(signed, forged=frozenset({1})), WRONG_SIGNATURE), (replace(signed, ended=False), INCOMPLETE))
    for stream, refusal in refusals:
        s3.expect(_part(s3, upload, 1, stream), refusal)
        look_at_parts(s3, upload, {})
    for number, stream in enumerate((signed, checked), 1):
        s3.expect(_part(s3, upload, number, stream), ok(), etag(md5_etag(stream.content)))
    look_at_parts(s3, upload, {1: signed.content, 2: checked.content})


@scenario(
    "CHNK-025",
    MUST,
    "PutObject",
    source="versitygw REST chunked upload, success (zero-byte file)",
    clients=("raw",),
)
def empty_stream(s3: Scene) -> None:
    """A stream of nothing but the final chunk stores an empty object: 200, and Content-Length 0 on HEAD.

    S3 promises: an empty file can be streamed like any other; its length is 0 and its ETag the MD5 of nothing.

    Breaks: clients that stream everything stream empty files and folder markers too; an endpoint that waits for a
    first chunk hangs, one that takes 0 for "no length" answers 411.

    Fix: let the loop over chunks run zero times, and tell a length of 0 from a missing one.
    """
    for name, stream in (("signed", Stream(signed=True)), ("unsigned", Stream())):
        key = s3.key(name)
        s3.expect(put(s3, key, stream), ok(), etag(MD5_EMPTY))
        s3.expect(s3.look("HeadObject", Key=key), ok(), header("Content-Length", "0"), etag(MD5_EMPTY))


@scenario(
    "CHNK-026",
    SHOULD,
    "PutObject",
    source="none recorded; follows from the atomicity of PutObject (Amazon S3 data consistency model)",
    confidence="unverified",
    clients=("raw",),
)
def failure_at_the_end(s3: Scene) -> None:
    """A stream that fails only at its end, by its last signature or its checksum, leaves the old object.

    S3 promises: the upload is one step. Until the last byte is verified readers see the earlier object, and after a
    refusal they still do.

    Breaks: by the time the fault shows all bytes have arrived; an endpoint that writes them in place has destroyed
    the good copy of a backup or a state file.

    Fix: receive into a temporary object and rename it after the last check.
    """
    key = s3.key()
    s3.put(key, OLD)
    streams = {
        "signature": replace(SIGNED, forged=frozenset({len(SIGNED.chunks)})),
        "checksum": trailing("CRC32", *UNSIGNED.chunks, of=OLD),
        "end": replace(UNSIGNED, ended=False),
    }
    answers: dict[str, Matcher] = {
        "signature": WRONG_SIGNATURE,
        "checksum": refused(400, "BadDigest"),
        "end": INCOMPLETE,
    }
    for fault, stream in streams.items():
        s3.expect(put(s3, key, stream), answers[fault])
        still_old(s3, key)
    stored(s3, key, SIGNED)


def _coding(kept: str) -> Matcher:
    """The stored Content-Encoding; "" for none."""
    return header("Content-Encoding", kept) if kept else no_header("Content-Encoding")


def _part(s3: Scene, upload: dict[str, Any], number: int, stream: Stream) -> Observed:
    target = model.build("UploadPart", {"Bucket": s3.bucket, **upload, "PartNumber": number}).target
    return send(s3, "UploadPart", target, stream)
