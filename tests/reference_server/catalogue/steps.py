"""Steps and values that many catalogue tests share. Nothing here takes a value from the server's code."""

from __future__ import annotations

import base64
import hashlib
import xml.etree.ElementTree as ET
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conftest import Raw, Reply

ALGORITHMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")
#: The checksum mode that makes GET and HEAD show checksums.
ENABLED = {"x-amz-checksum-mode": "ENABLED"}
#: The least size of a part that is not the last.
MIN_PART = 5 * 1024**2
#: Reflected polynomial and width in bits (Castagnoli; NVM Express).
_POLYNOMIALS = {"crc32c": (0x82F63B78, 32), "crc64nvme": (0x9A6C9329AC4BC9B5, 64)}


def md5(data: bytes) -> str:
    """Hex MD5."""
    return hashlib.md5(data).hexdigest()


def md5_header(data: bytes) -> dict[str, str]:
    """The Content-MD5 header of a body."""
    return {"Content-MD5": base64.b64encode(hashlib.md5(data).digest()).decode()}


def digest(algorithm: str, data: bytes) -> bytes:
    """The raw checksum; the two CRCs that Python lacks bit by bit, for small data only."""
    if algorithm in _POLYNOMIALS:
        polynomial, width = _POLYNOMIALS[algorithm]
        value = mask = 2**width - 1
        for byte in data:
            value ^= byte
            for _ in range(8):
                value = value >> 1 ^ (polynomial if value & 1 else 0)
        return (value ^ mask).to_bytes(width // 8, "big")
    return zlib.crc32(data).to_bytes(4, "big") if algorithm == "crc32" else hashlib.new(algorithm, data).digest()


def checksum(algorithm: str, data: bytes) -> str:
    """The checksum as S3 spells it: base64."""
    return base64.b64encode(digest(algorithm, data)).decode()


def composite(algorithm: str, parts: Iterable[bytes]) -> str:
    """The checksum of the parts' raw checksums with the number of parts."""
    digests = [digest(algorithm, part) for part in parts]
    return f"{checksum(algorithm, b''.join(digests))}-{len(digests)}"


def multipart_etag(*parts: bytes) -> str:
    """The quoted ETag of an object made of these parts."""
    joined = b"".join(hashlib.md5(part).digest() for part in parts)
    return f'"{md5(joined)}-{len(parts)}"'


def tree(reply: Reply) -> ET.Element:
    """The document of a reply, its names without namespace."""
    root = ET.fromstring(reply.body)  # noqa: S314 - from our own server
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def names(element: ET.Element) -> list[str]:
    """Names of the elements directly inside, in order."""
    return [child.tag for child in element]


def fields(element: ET.Element) -> dict[str, str]:
    """Text by name of the elements directly inside."""
    return {child.tag: child.text or "" for child in element}


def texts(element: ET.Element, path: str) -> list[str]:
    """Texts of all elements at a path such as `Contents/Key`, in order."""
    return [found.text or "" for found in element.findall(path)]


def refusal(reply: Reply, *elements: str) -> tuple[object, ...]:
    """Status, Code and the text of further elements of an error."""
    return (reply.status, reply.code, *(reply.element(name) for name in elements))


class Upload:
    """One multipart upload of a key, step by step; `path` is `/bucket/key`, percent-encoded."""

    def __init__(self, raw: Raw, path: str, headers: Mapping[str, str] | None = None) -> None:
        self.raw = raw
        self.path = path
        self.created = raw("POST", f"{path}?uploads", headers=headers)
        self.id = self.created.element("UploadId")
        self.target = f"{path}?uploadId={self.id}"

    def part(self, number: int, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """UploadPart."""
        return self.raw("PUT", f"{self.path}?partNumber={number}&uploadId={self.id}", body, headers)

    def copy(self, number: int, source: str, headers: Mapping[str, str] | None = None) -> Reply:
        """UploadPartCopy from `/bucket/key`."""
        target = f"{self.path}?partNumber={number}&uploadId={self.id}"
        return self.raw("PUT", target, headers={"x-amz-copy-source": source, **(headers or {})})

    def complete(self, parts: Iterable[tuple[int, str, str]], headers: Mapping[str, str] | None = None) -> Reply:
        """CompleteMultipartUpload of (number, ETag, further elements)."""
        return self.raw("POST", self.target, completion(parts), headers)

    def finish(self, *bodies: bytes) -> Reply:
        """Upload these bodies as parts 1, 2, … and complete."""
        etags = [self.part(number, body).headers["etag"] for number, body in enumerate(bodies, 1)]
        return self.complete((number, etag, "") for number, etag in enumerate(etags, 1))

    def listed(self, query: str = "") -> Reply:
        """ListParts."""
        return self.raw("GET", f"{self.target}{query}")


def completion(parts: Iterable[tuple[int, str, str]]) -> bytes:
    """The document of CompleteMultipartUpload from (number, ETag, further elements)."""
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{more}</Part>" for number, etag, more in parts
    )
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()


def fill(raw: Raw, bucket: str, *keys: str) -> None:
    """Put an object of one byte under each of these keys."""
    for key in keys:
        assert raw("PUT", f"/{bucket}/{quote(key)}", b"x").status == 200


def put_document(raw: Raw, target: str, document: str) -> Reply:
    """PUT a configuration with the digest that some operations demand."""
    body = document.encode()
    return raw("PUT", target, body, md5_header(body))


def customer_key(key: bytes = b"k" * 32) -> dict[str, str]:
    """The headers of encryption with a key of the client's own (SSE-C)."""
    name = "x-amz-server-side-encryption-customer-"
    digest_of_key = md5_header(key)["Content-MD5"]
    return {f"{name}algorithm": "AES256", f"{name}key": base64.b64encode(key).decode(), f"{name}key-MD5": digest_of_key}


def version(raw: Raw, bucket: str, status: str = "Enabled") -> None:
    """Switch the versioning of a bucket."""
    document = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"
    assert put_document(raw, f"/{bucket}?versioning", document).status == 200


def object_attributes(raw: Raw, path: str, asked: str, headers: Mapping[str, str] | None = None) -> ET.Element:
    """GetObjectAttributes, as a tree."""
    reply = raw("GET", f"{path}?attributes", headers={"x-amz-object-attributes": asked, **(headers or {})})
    assert reply.status == 200
    return tree(reply)
