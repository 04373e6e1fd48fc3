"""What the aws-chunked scenarios share: streams and the request that sends one."""

from __future__ import annotations

from collections.abc import Mapping

from harness.clients.base import Observed
from harness.expect import Matcher, body, etag, header, ok, refused
from harness.scene import Scene
from harness.wire.checksums import checksum
from harness.wire.checksums import header as named
from harness.wire.streaming import Stream
from scenarios._checksums import place
from scenarios.etag import md5_etag
from scenarios.mpu import nothing_stored

SWIFT = "OpenStack Swift S3 cross-compatibility test {} (written to run against AWS)"

LARGE = 8192
"""The smallest size, in bytes, of a chunk that is not the last, signed or not."""

SIGNED = Stream((b"s" * LARGE, b"and a tail"), signed=True)
"""An upload in two signed chunks."""


INCOMPLETE = refused(400, "IncompleteBody")
WRONG_SIGNATURE = refused(403, "SignatureDoesNotMatch")

UNSIGNED = Stream((b"u" * LARGE, b"and a tail"))
"""An upload in two chunks without signatures or trailer."""


def trailing(algorithm: str, *chunks: bytes, of: bytes | None = None, signed: bool = False) -> Stream:
    """Chunks with the checksum of their bytes, or of other ones, behind them."""
    value = checksum(algorithm, b"".join(chunks) if of is None else of)
    return Stream(chunks, ((named(algorithm), value),), signed=signed)


def put(s3: Scene, key: str, stream: Stream, changed: Mapping[str, str | None] | None = None) -> Observed:
    """A PUT of a stream.

    Args:
        s3: the scene.
        key: of the object.
        stream: the body.
        changed: headers that are otherwise than the stream's own; None for one that is not sent.
    """
    return send(s3, "PutObject", place(s3, key), stream, changed)


def send(
    s3: Scene, operation: str, target: str, stream: Stream, changed: Mapping[str, str | None] | None = None
) -> Observed:
    """A PUT of a stream to any target, see `put`."""
    told = stream.headers | dict(changed or {})
    headers = [(name, value) for name, value in told.items() if value is not None]
    sized = not stream.wrapped
    return s3.send(operation, "PUT", target, *headers, body=stream, bucket=s3.bucket, content_length=sized)


def refuses(
    s3: Scene, key: str, refusal: Matcher, stream: Stream, changed: Mapping[str, str | None] | None = None
) -> None:
    """A PUT of a stream, see `put`, is refused, and nothing is stored."""
    s3.expect(put(s3, key, stream, changed), refusal)
    nothing_stored(s3, key)


def stored(s3: Scene, key: str, stream: Stream) -> None:
    """The stream is accepted, and the witness reads its bytes, with their length and ETag."""
    s3.expect(put(s3, key, stream), ok(), etag(md5_etag(stream.content)))
    length = header("Content-Length", str(len(stream.content)))
    s3.expect(s3.look("GetObject", Key=key), ok(), body(stream.content), length, etag(md5_etag(stream.content)))
