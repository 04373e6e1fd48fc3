"""What the checksum scenarios share: contents with their values, and second looks at what was stored."""

from __future__ import annotations

from typing import Any

from harness.clients.base import Observed
from harness.expect import Matcher, body, ok, output, output_where, refused
from harness.scene import Scene
from harness.signals import Inexpressible
from harness.wire import model
from harness.wire.checksums import checksum, header, member

CONTENT = b"bytes that have a checksum\r\n\x00\xff"
OTHER = b"other bytes than these"
OLD = b"the object that was there before"

ENABLED = {"ChecksumMode": "ENABLED"}
"""The parameter that asks a read for checksums."""

INVALID = refused(400, "InvalidRequest")
BAD_DIGEST = refused(400, "BadDigest")

MALFORMED = ("not base64", "AAA=")
"""Text that is no base64, and base64 of two bytes, which no algorithm gives."""


def sent(algorithm: str, content: bytes) -> dict[str, str]:
    """The parameter that sends the checksum of a content."""
    return {member(algorithm): checksum(algorithm, content)}


def carries(algorithm: str, content: bytes) -> Matcher:
    """The answer has the checksum of a content."""
    return output(member(algorithm), checksum(algorithm, content))


def full_object() -> Matcher:
    """The answer says that its checksum is of the whole object."""
    return output("ChecksumType", "FULL_OBJECT")


def document(name: str, wanted: dict[str, str]) -> Matcher:
    """The result document has these members, whatever others it has."""

    def test(result: Any) -> bool:
        return isinstance(result, dict) and all(result.get(each) == value for each, value in wanted.items())

    return output_where(name, f"with {wanted}", test)


def bare() -> Matcher:
    """No header of the answer speaks of a checksum."""

    def test(seen: Observed) -> str:
        if seen.headers is None:
            raise Inexpressible(f"{seen.client} does not show response headers")
        found = [name for name in seen.headers if name.startswith("x-amz-checksum-")]
        return f"there is {', '.join(sorted(found))}" if found else ""

    return Matcher("no x-amz-checksum-* header", test)


def keeps(s3: Scene, key: str, algorithm: str, content: bytes) -> None:
    """The witness reads the content, and HEAD in checksum mode shows its checksum as that of the whole object."""
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content))
    s3.expect(s3.look("HeadObject", Key=key, **ENABLED), ok(), carries(algorithm, content), full_object())


def still_old(s3: Scene, key: str) -> None:
    """The witness reads the object that was there before."""
    s3.expect(s3.look("GetObject", Key=key), ok(), body(OLD))


def attributes(s3: Scene, key: str, *names: str, **params: Any) -> Observed:
    """GetObjectAttributes of an object by the client under test, asking for these names."""
    return s3.call("GetObjectAttributes", Key=key, ObjectAttributes=list(names), **params)


def exact(s3: Scene, key: str, content: bytes, *headers: tuple[str, str]) -> Observed:
    """A PUT of a content with exactly these further headers."""
    return s3.send("PutObject", "PUT", place(s3, key), *headers, body=content, bucket=s3.bucket)


def place(s3: Scene, key: str) -> str:
    """The path-style target of an object."""
    return model.build("PutObject", {"Bucket": s3.bucket, "Key": key}).target


def line(algorithm: str, content: bytes) -> tuple[str, str]:
    """The header line with the checksum of a content."""
    return header(algorithm), checksum(algorithm, content)
