"""ETAG: object ETag and Content-MD5."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from harness.expect import MD5_EMPTY, body, etag, header, if_shown, ok, one_of, output_where, refused
from harness.scenario import MUST, scenario
from harness.scene import Scene
from scenarios.mpu import begin

_QUOTED_MD5 = re.compile(r'"[0-9a-f]{32}"')

VERSIONS = (b"first version, the longest one " * 2300, b"second, short", b"third version in between " * 40, b"")
"""Bodies that overwrite each other: shorter, longer and empty, so that no leftover of an earlier one can hide."""


def md5_etag(content: bytes) -> str:
    """The ETag of an object stored in one piece: its MD5 in lower-case hex, in double quotes."""
    return f'"{hashlib.md5(content).hexdigest()}"'


def content_md5(content: bytes) -> str:
    """The value of Content-MD5: the 16 bytes of the MD5 in base64 (RFC 1864)."""
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def look_at_parts(s3: Scene, upload: Mapping[str, Any], expected: Mapping[int, bytes]) -> None:
    """ListParts shows these contents by part number, or no part where none is expected.

    Not judged where ListParts is refused as a whole, and nothing else of its answer is: it is only the second look.
    Where no part is expected, an upload that is gone has none.
    """
    listed = s3.look("ListParts", **upload)
    if listed.status in (403, 405, 501) or (not expected and listed.code == "NoSuchUpload"):
        return
    s3.expect(listed, ok())
    found = _entries(listed.output.get("Parts", []))
    wanted = [(number, md5_etag(content), len(content)) for number, content in expected.items()]
    met = set(wanted) <= set(found) if wanted else not found
    s3.check(met, f"ListParts: number, ETag and size {wanted}", f"ListParts shows {found}", listed)


@scenario(
    "ETAG-001",
    MUST,
    "PutObject",
    "HeadObject",
    "GetObject",
    source="LocalStack test_etag_on_get_object_call (recorded on AWS); AWS, Checking object integrity",
)
def etag_is_md5(s3: Scene) -> None:
    """The ETag of an object stored in one piece is the quoted MD5 of its bytes, in PUT, HEAD and GET alike.

    S3 promises: an object written by a single PutObject, unencrypted or with SSE-S3, has as ETag the lower-case
    hex MD5 of its content between double quotes. PutObject, HeadObject and GetObject all show the same value.

    Breaks: rclone, s3cmd and restic compare it with a local MD5; a different value makes every transfer look
    corrupt, missing quotes make If-Match fail.

    Fix: compute MD5 while the body streams in, store it with the object, and print it with its quotes.
    """
    content = b"the quick brown fox"
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=content), ok(), if_shown(etag(md5_etag(content))))
    s3.expect(s3.look("HeadObject", Key=key), ok(), header("ETag", md5_etag(content)))
    s3.expect(s3.call("HeadObject", Key=key), ok(), etag(md5_etag(content)))
    s3.expect(s3.call("GetObject", Key=key), ok(), etag(md5_etag(content)))


@scenario(
    "ETAG-002",
    MUST,
    "PutObject",
    "HeadObject",
    source="versitygw REST chunked upload of a zero-byte file; the value is computed",
)
def etag_of_nothing(s3: Scene) -> None:
    """The ETag of an empty object is the MD5 of nothing, and its Content-Length is 0.

    S3 promises: a zero-byte object is an object like any other: ETag "d41d8cd98f00b204e9800998ecf8427e", and
    Content-Length: 0 on HEAD.

    Breaks: sync tools that store markers and empty files; a missing Content-Length makes clients wait for a body.

    Fix: treat length 0 as a length; do not drop the header or the digest when the body is empty.
    """
    key = s3.key("empty")
    s3.expect(s3.call("PutObject", Key=key, Body=b""), ok(), if_shown(etag(MD5_EMPTY)))
    s3.expect(s3.look("HeadObject", Key=key), ok(), header("ETag", MD5_EMPTY), header("Content-Length", "0"))
    s3.expect(s3.call("HeadObject", Key=key), ok(), etag(MD5_EMPTY))


@scenario(
    "ETAG-003",
    MUST,
    "GetObject",
    source="LocalStack test_get_object_range (recorded on AWS)",
)
def etag_of_range(s3: Scene) -> None:
    """The answer to a byte range carries the ETag of the entire object.

    S3 promises: the ETag names the object, whatever part of it is asked for. A slice of the bytes comes with the
    same ETag as the whole, never with a digest of the slice.

    Breaks: boto3's and the AWS CLI's parallel downloads send If-Match with the ETag they saw first, and other
    readers compare it between ranges. With an ETag per slice they see a changed object and stop.

    Fix: take the ETag of every read from the stored object; do not compute one over what is being sent.
    """
    content = b"0123456789abcdefghijklmnopqrstuvwxyz"
    key = s3.key()
    s3.put(key, content)
    found = s3.call("GetObject", Key=key, Range="bytes=10-19")
    # That the status must be 206 is GET-006's statement; here the slice shows that the range was served.
    s3.expect(found, one_of(ok(206), ok()), body(content[10:20]), etag(md5_etag(content)))


@scenario(
    "ETAG-004",
    MUST,
    "PutObject",
    "GetObject",
    source="AWS documentation, Amazon S3 data consistency model",
)
def overwrite_is_whole(s3: Scene) -> None:
    """A GET after an overwrite returns the new body with the new ETag, and nothing of the earlier object.

    S3 promises: once PutObject has answered with success, every later read returns the new object: its bytes, its
    length and its ETag belong together. No reader sees a mixture, or the tail of a longer earlier version.

    Breaks: everything that overwrites: Terraform's state, package indexes, rclone and `aws s3 sync` of changed
    files. A stale ETag beside new bytes looks like corruption; stale bytes are lost updates.

    Fix: write body and attributes aside, then switch both in one step; do not serve attributes from a cache that
    the write does not invalidate, and never write into the existing file in place.
    """
    key = s3.key()
    for number, content in enumerate(VERSIONS[:2] if s3.costly else VERSIONS):
        s3.expect(s3.call("PutObject", Key=key, Body=content), ok(), if_shown(etag(md5_etag(content))))
        s3.expect(s3.look("GetObject", Key=key), ok(), body(content), etag(md5_etag(content)))
        if number:
            s3.expect(s3.call("GetObject", Key=key), ok(), body(content), if_shown(etag(md5_etag(content))))
            s3.expect(s3.look("HeadObject", Key=key), ok(), header("Content-Length", str(len(content))))


@scenario(
    "ETAG-007",
    MUST,
    "PutObject",
    source="LocalStack test_s3_invalid_content_md5 (recorded on AWS)",
)
def right_content_md5(s3: Scene) -> None:
    """PutObject with the right Content-MD5 succeeds and stores the bytes.

    S3 promises: a Content-MD5 header that holds the base64 MD5 of the body is verified, and the object is stored.

    Breaks: rclone sends Content-MD5 with its uploads and parts, older SDKs do too. A gateway that refuses the
    header, or digests the wrong bytes (an aws-chunked frame, a decoded body), cannot be written to by them.

    Fix: compare the base64 of the 16 digest bytes, not of their hex text, and digest the bytes that get stored.
    """
    content = b"bytes with a digest\r\n\x00"
    key = s3.key()
    answer = s3.call("PutObject", Key=key, Body=content, ContentMD5=content_md5(content))
    s3.expect(answer, ok(), if_shown(etag(md5_etag(content))))
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content), etag(md5_etag(content)))


@scenario(
    "ETAG-008",
    MUST,
    "PutObject",
    "UploadPart",
    source="LocalStack test_s3_invalid_content_md5 (recorded on AWS)",
)
def malformed_content_md5(s3: Scene) -> None:
    """A Content-MD5 that is not the base64 of 16 bytes is refused with 400 InvalidDigest naming the value sent.

    S3 promises: text that is no base64, or that decodes to another length than an MD5 has, is an error of its own:
    400 InvalidDigest, with the value in the element Content-MD5. Nothing is stored. Objects and parts alike.

    Breaks: writers with a broken digest (hex instead of base64 is the usual slip in hand-made uploaders) believe
    that their upload is protected when the gateway ignores what it cannot read.

    Fix: decode strictly before reading the body, demand 16 bytes, and answer InvalidDigest rather than BadDigest.
    """
    content = b"something"
    malformed = ("MTIz",) if s3.costly else ("__invalid__", "000", "MTIz", "not base64 encoded checksum")
    key = s3.key()
    upload = begin(s3, s3.key("parts"))
    for value in malformed:
        refusal = refused(400, "InvalidDigest", fields={"Content-MD5": value})
        s3.expect(s3.call("PutObject", Key=key, Body=content, ContentMD5=value), refusal)
        s3.expect(s3.look("GetObject", Key=key), refused(404))
        s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=content, ContentMD5=value), refusal)
        look_at_parts(s3, upload, {})


@scenario(
    "ETAG-009",
    MUST,
    "PutObject",
    "UploadPart",
    source="LocalStack test_s3_invalid_content_md5 (recorded on AWS)",
)
def wrong_content_md5(s3: Scene) -> None:
    """A Content-MD5 of other data is refused with 400 BadDigest, and nothing is stored.

    S3 promises: the digest is compared with the bytes that arrived. When they differ the answer is 400 BadDigest
    and there is no object, and no part, afterwards.

    Breaks: this header is how rclone and many backup tools protect an upload against damage on the way. A gateway
    that does not compare stores damaged data and reports success.

    Fix: digest while receiving, compare before the object becomes visible, and drop what was received on a
    difference.
    """
    content, digest = b"what arrives", content_md5(b"what was meant")
    key = s3.key()
    refusal = refused(400, "BadDigest")
    s3.expect(s3.call("PutObject", Key=key, Body=content, ContentMD5=digest), refusal)
    s3.expect(s3.look("GetObject", Key=key), refused(404))
    upload = begin(s3, s3.key("parts"))
    s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=content, ContentMD5=digest), refusal)
    look_at_parts(s3, upload, {})


@scenario(
    "ETAG-013",
    MUST,
    "UploadPart",
    source="versitygw REST test UploadPart - ETag is quoted; "
    "LocalStack test_multipart_and_list_parts (recorded on AWS)",
)
def etag_of_part(s3: Scene) -> None:
    """The ETag header of an uploaded part is the quoted MD5 of that part.

    S3 promises: UploadPart answers with an ETag header that holds the lower-case hex MD5 of the bytes of this one
    part, in double quotes.

    Breaks: clients hand these values back in CompleteMultipartUpload, and rclone computes the ETag that the whole
    object should have from them. Without the header boto3's and the AWS CLI's transfers end with a KeyError: 'ETag'.

    Fix: digest each part as it streams in, keep the digest with the part, and print it with its quotes.
    """
    upload = begin(s3, s3.key())
    parts = {1: b"first part, with some more bytes", 2: b"second part"}
    for number, content in parts.items():
        answer = s3.call("UploadPart", **upload, PartNumber=number, Body=content)
        s3.expect(answer, ok(), etag(md5_etag(content)))
    look_at_parts(s3, upload, parts)


@scenario(
    "ETAG-014",
    MUST,
    "UploadPartCopy",
    source="versitygw REST test UploadPartCopy - ETag is quoted",
)
def etag_of_copied_part(s3: Scene) -> None:
    """UploadPartCopy answers with a CopyPartResult document whose ETag is in double quotes.

    S3 promises: the ETag of a copied part is not in a header but in the body, CopyPartResult/ETag, and its text
    has the quotes, just like the ETag header of an uploaded part.

    Breaks: server-side copies of large objects: `aws s3 cp` between buckets above 8 MB, rclone above its copy
    cutoff. They hand the value on to CompleteMultipartUpload; against an answer without the document rclone crashes.

    Fix: answer with the XML document, 200 and an ETag whose quotes are part of the text (&quot; or plain).
    """
    source = s3.key("source")
    s3.put(source, b"bytes to copy on the server")
    upload = begin(s3, s3.key("target"))
    answer = s3.call("UploadPartCopy", **upload, PartNumber=1, CopySource=f"{s3.bucket}/{source}")
    quoted = output_where(
        "CopyPartResult",
        "has an ETag of 32 hex digits in double quotes",
        lambda result: bool(_QUOTED_MD5.fullmatch(str(result.get("ETag")))),
    )
    s3.expect(answer, ok(), quoted)
    look_at_parts(s3, upload, {1: b"bytes to copy on the server"})


@scenario(
    "ETAG-017",
    MUST,
    "UploadPart",
    "ListParts",
    source="ceph/s3-tests test_multipart_resend_first_finishes_last",
    confidence="secondary",
)
def etag_of_part_sent_twice(s3: Scene) -> None:
    """A part number sent twice is listed once, with the ETag and size of the last body.

    S3 promises: uploading a part number again replaces what was there. ListParts has one entry for the number,
    and its ETag and Size are those of the last complete body.

    Breaks: retries. boto3, the AWS CLI and rclone send a part again after a timeout; two entries, or the digest
    of the lost attempt, make the following CompleteMultipartUpload fail or join the wrong bytes.

    Fix: key parts by upload and number, and replace bytes, size and digest together.
    """
    first, last = b"first attempt, longer than the second", b"second attempt"
    upload = begin(s3, s3.key())
    s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=first), ok())
    s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=last), ok(), if_shown(etag(md5_etag(last))))
    wanted = [(1, md5_etag(last), len(last))]
    for listed in (s3.call("ListParts", **upload), s3.look("ListParts", **upload)):
        one = output_where("Parts", f"number, ETag and size {wanted}", lambda parts: _entries(parts) == wanted)
        s3.expect(listed, ok(), one)


def _entries(parts: list[dict[str, Any]]) -> list[tuple[Any, Any, Any]]:
    return [(part.get("PartNumber"), part.get("ETag"), part.get("Size")) for part in parts]
