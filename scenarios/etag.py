"""ETAG: object ETag and Content-MD5."""

from __future__ import annotations

import hashlib

from harness.expect import MD5_EMPTY, etag, header, if_shown, ok
from harness.scenario import MUST, scenario
from harness.scene import Scene


def md5_etag(body: bytes) -> str:
    """The ETag of an object stored in one piece: its MD5 in lower-case hex, in double quotes."""
    return f'"{hashlib.md5(body).hexdigest()}"'


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
    body = b"the quick brown fox"
    key = s3.key()
    s3.expect(s3.call("PutObject", Key=key, Body=body), ok(), if_shown(etag(md5_etag(body))))
    s3.expect(s3.look("HeadObject", Key=key), ok(), header("ETag", md5_etag(body)))
    s3.expect(s3.call("HeadObject", Key=key), ok(), etag(md5_etag(body)))
    s3.expect(s3.call("GetObject", Key=key), ok(), etag(md5_etag(body)))


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
