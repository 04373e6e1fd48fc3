"""META: how much a write may bring, and names that would lead out of a folder."""

from __future__ import annotations

import msgspec

from harness.clients import LIBRARIES
from harness.clients.raw import RawClient
from harness.expect import body, keys, ok, refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from harness.wire import model
from harness.wire.sigv4 import UNSIGNED
from scenarios.meta import has_metadata
from scenarios.mpu import nothing_stored, read_back

CONTENT = b"within the limits"

MAX_METADATA = 2048
"""Bytes of all names and values of user metadata together. Source: Amazon S3, Working with object metadata."""

MAX_KEY = 1024
"""Bytes of a key in UTF-8. Source: Amazon S3, Naming Amazon S3 objects."""

MAX_PUT = 5 * 1024**3
"""Bytes of one PUT. Source: Amazon S3, Uploading objects."""

PATIENCE = 5.0
"""Seconds for an answer to headers alone, which costs the endpoint no reading and no writing."""


def filled(size: int) -> dict[str, str]:
    """Three entries of user metadata whose names and values have this many bytes together."""
    entries = {"a": "x" * 500, "longer-name": "y" * 700}
    rest = size - sum(len(name) + len(value) for name, value in entries.items())
    return entries | {"rest": "z" * (rest - len("rest"))}


@scenario(
    "META-004",
    SHOULD,
    "PutObject",
    source="AWS documentation, Working with object metadata; cloudserver's test of object put",
    clients=LIBRARIES,
)
def metadata_has_a_limit(s3: Scene) -> None:
    """User metadata of exactly 2048 bytes is stored; one byte more is refused with 400 MetadataTooLarge.

    S3 promises: the bytes of all names, without x-amz-meta-, and of all values count. Above 2048 the error document has
    Size and MaxSizeAllowed 2048, and nothing is stored.

    Breaks: tools that pack attributes into metadata (s3cmd, backup and encryption clients) use it to the full. A lower
    limit, or one on single lines, fails their uploads; none at all stores objects that cannot be moved to another S3.

    Fix: add up names and values before the body is read; allow headers of 8 KB in proxies in front.
    """
    key, over = s3.key(), s3.key("over")
    most = filled(MAX_METADATA)
    s3.expect(s3.call("PutObject", Key=key, Body=CONTENT, Metadata=most), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok(), has_metadata(most))
    fields = {"Size": str(MAX_METADATA + 1), "MaxSizeAllowed": str(MAX_METADATA)}
    answer = s3.call("PutObject", Key=over, Body=CONTENT, Metadata=filled(MAX_METADATA + 1))
    s3.expect(answer, refused(400, "MetadataTooLarge", fields=fields))
    nothing_stored(s3, over)


@scenario(
    "META-016",
    SHOULD,
    "PutObject",
    source="AWS documentation, Naming Amazon S3 objects",
    clients=("raw",),
    confidence="partly unverified",
)
def dots_lead_nowhere(s3: Scene) -> None:
    """Keys with "." or ".." between slashes are stored as they are or refused; they never lead to another name.

    S3 promises: there are no folders, so "a/../b" is no other way to write "b". A gateway may refuse such keys, but it
    must not resolve them, least of all into another bucket.

    Breaks: everybody on a shared gateway: a key like "../other/secret" reads or overwrites what belongs to somebody
    else. Where dots are resolved within the bucket, two keys overwrite each other.

    Fix: never join keys to paths of a file system; switch off normalisation of paths in routers and proxies.
    """
    plain = s3.key("plain")
    s3.expect(s3.call("PutObject", Key=plain, Body=CONTENT), ok())
    read_back(s3, plain, CONTENT)
    literal = [plain]
    for name, resolved in (("a/../up", "up"), ("b/./same", "b/same"), ("c/..", "")):
        key = s3.key(name)
        if _stored_or_refused(s3, s3.bucket, key):
            literal.append(key)
        if resolved:
            nothing_stored(s3, s3.key(resolved))
    s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok(), keys(sorted(literal, key=str.encode)))
    own, other = s3.new_bucket(), s3.new_bucket()
    _stored_or_refused(s3, own, f"../{other}/escaped")
    s3.expect(s3.look("ListObjectsV2", Bucket=other), ok(), keys([]))


def _stored_or_refused(s3: Scene, bucket: str, key: str) -> bool:
    """Whether a key was stored under its literal name; if not, it was refused by a 4xx, and nothing has the name."""
    answer = s3.call("PutObject", Bucket=bucket, Key=key, Body=CONTENT)
    there = s3.look("GetObject", Bucket=bucket, Key=key)
    if answer.ok:
        s3.expect(there, ok(), body(CONTENT))
    else:
        refusal = 400 <= (answer.status or 0) < 500
        s3.check(refusal, "success, or a refusal with a status of 4xx", f"got {answer.summary()}", answer)
        s3.check(not there.ok, f"no object {key} after the refusal", f"got {there.summary()}", there)
        s3.note(f"{key[-12:]!r} answered {answer.summary()}")
    return answer.ok


@scenario(
    "META-018",
    SHOULD,
    "PutObject",
    source="no record found; the limit is in AWS documentation, Naming Amazon S3 objects",
    clients=LIBRARIES,
    confidence="unverified",
)
def key_has_a_limit(s3: Scene) -> None:
    """A key of 1024 bytes is stored; one of 1025 is refused with 400 KeyTooLongError, which has Size and the limit.

    S3 promises: the limit counts bytes of UTF-8, not characters. The error document has Size and MaxSizeAllowed 1024.

    Breaks: sync tools that mirror deep folders skip a file on this code and go on; on a 500 they try it again.
    A lower limit, such as 255 bytes for what is between two slashes, loses files that S3 keeps.

    Fix: measure the encoded key before anything is stored, and do not hand its segments to a file system as names.
    """
    longest = s3.key("é" * 200 + "/")
    longest += "k" * (MAX_KEY - len(longest.encode()))
    over = f"{longest}k"
    s3.expect(s3.call("PutObject", Key=longest, Body=CONTENT), ok())
    read_back(s3, longest, CONTENT)
    fields = {"Size": str(MAX_KEY + 1), "MaxSizeAllowed": str(MAX_KEY)}
    s3.expect(s3.call("PutObject", Key=over, Body=CONTENT), refused(400, "KeyTooLongError", fields=fields))
    s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok(), keys([longest]))


@scenario(
    "META-022",
    SHOULD,
    "PutObject",
    source="AWS documentation, Error responses, and Amazon S3 multipart upload limits",
    clients=("raw",),
)
def put_has_a_limit(s3: Scene) -> None:
    """A PUT that announces more than 5 GiB is refused with 400 EntityTooLarge, and nothing is stored.

    S3 promises: one PUT brings at most 5 GiB. Who announces more in Content-Length and waits for 100 Continue is
    answered EntityTooLarge instead of being asked for the body.

    Breaks: uploaders that choose a single PUT by mistake find out before they have sent gigabytes; a gateway that takes
    them stores an object that cannot be copied to S3 in one piece.

    Fix: compare Content-Length with the limit when the headers are there, before 100 Continue is sent.
    """
    small, huge = s3.key("small"), s3.key("huge")
    lines = [("Expect", "100-continue"), ("x-amz-content-sha256", UNSIGNED)]
    # Whoever is told to continue waits for 5 GiB that never come: a client of its own that does not wait for long.
    hasty = RawClient(msgspec.structs.replace(s3.witness.endpoint, timeout=PATIENCE))
    try:
        more = [*lines, ("Content-Length", str(MAX_PUT + 1))]
        announced = hasty.send(
            "PutObject", "PUT", _target(s3, huge), more, bucket=s3.bucket, content_length=False, patience=PATIENCE
        )
    finally:
        hasty.close()
    s3.expect(s3.keep("client", announced), refused(400, "EntityTooLarge"))
    nothing_stored(s3, huge)
    stored = s3.send("PutObject", "PUT", _target(s3, small), *lines, bucket=s3.bucket, body=CONTENT, patience=PATIENCE)
    s3.expect(stored, ok())
    read_back(s3, small, CONTENT)


def _target(s3: Scene, key: str) -> str:
    return model.build("PutObject", {"Bucket": s3.bucket, "Key": key}).target
