"""What the scenarios about checksums in multipart uploads share: uploads, parts, and what Complete names."""

from __future__ import annotations

from typing import Any

from harness.clients.base import Observed
from harness.expect import Matcher, body, ok, output, refused
from harness.scene import Scene
from harness.wire.checksums import ALGORITHMS, COMPOSITE, member
from scenarios._checksums import CONTENT, ENABLED, sent
from scenarios.mpu import begin, nothing_stored, read_back

TYPES = {algorithm: "COMPOSITE" if algorithm in COMPOSITE else "FULL_OBJECT" for algorithm in ALGORITHMS}
"""What S3 chooses where the client names no type."""

EXCEPTIONS = "LocalStack test_multipart_parts_checksum_exceptions_{} (recorded on AWS)"
RECORDED = "LocalStack test_complete_multipart_parts_checksum_{} (recorded on AWS)"

INVALID_PART = refused(400, "InvalidPart")

Upload = dict[str, Any]
"""Key and UploadId, as every call on an upload takes them."""

Part = dict[str, Any]
"""A part as CompleteMultipartUpload names it."""


def begun(s3: Scene, name: str, algorithm: str, kind: str = "") -> Upload:
    """An upload with a checksum algorithm, and a type if one is named, started to prepare the scene."""
    typed = {"ChecksumType": kind} if kind else {}
    return begin(s3, s3.key(name), ChecksumAlgorithm=algorithm, **typed)


def part(s3: Scene, upload: Upload, number: int, content: bytes, algorithm: str = "") -> Part:
    """A part uploaded to prepare the scene, with its checksum if an algorithm is named."""
    value = sent(algorithm, content) if algorithm else {}
    stored = s3.setup("UploadPart", **upload, PartNumber=number, Body=content, **value)
    return {"PartNumber": number, "ETag": stored.etag or "", **value}


def without(named: Part) -> Part:
    """A part named without its checksum."""
    return {name: value for name, value in named.items() if not name.startswith("Checksum")}


def complete(s3: Scene, upload: Upload, *parts: Part, **params: Any) -> Observed:
    """CompleteMultipartUpload by the client under test."""
    return s3.call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": list(parts)}, **params)


def refuses(s3: Scene, upload: Upload, refusal: Matcher, named: Part, **params: Any) -> None:
    """CompleteMultipartUpload with one part, named so, is refused, and nothing is stored."""
    s3.expect(complete(s3, upload, named, **params), refusal)
    nothing_stored(s3, upload["Key"])


def finishes(s3: Scene, upload: Upload, named: Part, **params: Any) -> None:
    """CompleteMultipartUpload with one part of CONTENT, named so, stores it."""
    s3.expect(complete(s3, upload, named, **params), ok())
    read_back(s3, upload["Key"], CONTENT)


def completed(s3: Scene, upload: Upload, *parts: Part) -> None:
    """The upload completed to prepare the scene."""
    s3.setup("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": list(parts)})


def value_of(algorithm: str, value: str, kind: str) -> tuple[Matcher, Matcher]:
    """The answer has this checksum, of this type."""
    return output(member(algorithm), value), output("ChecksumType", kind)


def reads(s3: Scene, key: str, content: bytes, algorithm: str, value: str, kind: str) -> None:
    """The witness reads the bytes, and HEAD in checksum mode shows this checksum, of this type."""
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content))
    s3.expect(s3.look("HeadObject", Key=key, **ENABLED), ok(), *value_of(algorithm, value, kind))
