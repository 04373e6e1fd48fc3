"""Request bodies: what the headers declare about them, reading them, and holding them to it.

Everything that can be refused from the headers alone is refused before the first byte is read, hence before
`100 Continue`. Source: catalogue ETAG, CKS, CHNK, AUTH; Amazon S3 User Guide, "Checking object integrity".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reference_server import checksums
from reference_server.auth import STREAMING, UNSIGNED, Authenticated
from reference_server.chunked import MIN_CHUNK, ChunkedReader
from reference_server.digests import Digests
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reference_server.request import Request

#: Largest body of one PUT or part (Amazon S3 User Guide, "Multipart upload limits").
MAX_BODY = 5 * 1024**3
#: Largest document: 1000 keys of 1024 bytes, escaped.
MAX_DOCUMENT = 8 * 1024**2

_PREFIX = "x-amz-checksum-"
_NOT_VALUES = {"x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-checksum-algorithm"}


@dataclass(frozen=True)
class Declared:
    """What the headers say about a body."""

    md5: bytes | None
    md5_text: str
    checksum: tuple[str, str] | None
    trailer: str | None
    length: int | None


@dataclass
class Received:
    """What a body turned out to be: size, hex MD5, base64 checksums by algorithm."""

    size: int
    md5: str
    checksums: dict[str, str] = field(default_factory=dict)


class Payload:
    """The body of one request.

    Args:
        request: the request.
        authenticated: how it is signed.
        hex_md5: print ExpectedDigest of a wrong Content-MD5 as hex, as PutObject does (ETAG-010, ETAG-011).
        object_checksum: x-amz-checksum-* headers speak of an object, not of this body.

    Raises:
        S3Error: the headers alone are wrong.
    """

    least_chunk = MIN_CHUNK
    """Bytes of an aws-chunked body's chunk that is not the last, at least."""

    def __init__(
        self,
        request: Request,
        authenticated: Authenticated,
        *,
        hex_md5: bool = False,
        object_checksum: bool = False,
    ) -> None:
        self._body = request.body
        self._authenticated = authenticated
        self._hex_md5 = hex_md5
        self.mode = authenticated.payload
        headers = request.headers
        if object_checksum:
            headers = {name: value for name, value in headers.items() if not name.startswith(_PREFIX)}
        self.declared = _declared(headers, self.mode)

    @property
    def algorithm(self) -> str | None:
        """The checksum algorithm the client uses, if any."""
        if self.declared.checksum is not None:
            return self.declared.checksum[0]
        return self.declared.trailer

    @property
    def has_digest(self) -> bool:
        """Whether the client sent a digest of the body: Content-MD5, or a checksum in a header or trailer."""
        return self.declared.md5 is not None or self.algorithm is not None

    def require_length(self, headers: dict[str, str]) -> None:
        """Refuse an upload of unknown size (catalogue AUTH-020) or of more than 5 GiB.

        Plain chunked transfer coding is what AWS does not implement either.
        """
        if self.mode not in STREAMING and "content-length" not in headers:
            if "transfer-encoding" in headers:
                raise S3Error("NotImplemented", None, {"Header": "Transfer-Encoding"})
            raise S3Error("MissingContentLength")
        length = self.declared.length
        if length is not None and length > MAX_BODY:
            raise S3Error("EntityTooLarge", None, {"ProposedSize": length, "MaxSizeAllowed": MAX_BODY})

    def document(self) -> bytes:
        """The whole body of an XML operation, verified.

        Raises:
            S3Error: too long, incomplete, or not what was declared.
        """
        document = bytearray()  # not a list of pieces: those may be of two bytes each

        def keep(data: bytes) -> None:
            if len(document) + len(data) > MAX_DOCUMENT:
                raise S3Error("MaxMessageLengthExceeded", None, {"MaxMessageLengthBytes": MAX_DOCUMENT})
            document.extend(data)

        self.receive(keep)
        return bytes(document)

    def receive(self, sink: Callable[[bytes], None], algorithms: Iterable[str] = ()) -> Received:
        """Read the body into `sink`, compute MD5 and checksums on the way, verify what was declared.

        Args:
            sink: takes the decoded bytes.
            algorithms: checksums to compute beside the declared one.
        """
        wanted = set(algorithms) | ({self.algorithm} if self.algorithm else set())
        running = {name: checksums.start(name) for name in wanted}
        md5 = hashlib.md5()
        digests = [md5.update, *(one.update for one in running.values())]
        sha256 = None
        if self.mode != UNSIGNED and self.mode not in STREAMING:
            sha256 = hashlib.sha256()
            digests.append(sha256.update)
        size = 0
        chunked = None
        source: Iterable[bytes] = self._body
        if self.mode in STREAMING:
            trailer = self.mode.endswith("-TRAILER")
            chunked = ChunkedReader(self._body, self._authenticated.signer, trailer=trailer, least=self.least_chunk)
            source = chunked
        expected = self.declared.length
        with Digests(digests) as beside:
            for data in source:
                size += len(data)
                beside.feed(data)
                if expected is None or size <= expected:  # more will be refused: it need not be kept
                    sink(data)
        received = Received(size, md5.hexdigest(), {n: checksums.encode(r.digest()) for n, r in running.items()})
        self._check_size(size)
        # Order of verification: the payload hash first (catalogue CKS-025).
        if sha256 is not None and sha256.hexdigest() != self.mode.lower():
            elements = {
                "ClientComputedContentSHA256": self.mode,
                "S3ComputedContentSHA256": sha256.hexdigest(),
            }
            raise S3Error("XAmzContentSHA256Mismatch", None, dict(elements))
        self._check_md5(md5.digest())
        self._check_checksum(received, chunked.trailers if chunked else {})
        return received

    def _check_size(self, size: int) -> None:
        expected = self.declared.length
        if expected is not None and size != expected:
            elements = {"NumberBytesExpected": expected, "NumberBytesProvided": size}
            raise S3Error("IncompleteBody", None, dict(elements))

    def _check_md5(self, actual: bytes) -> None:
        expected = self.declared.md5
        if expected is not None and expected != actual:
            shown = expected.hex() if self._hex_md5 else self.declared.md5_text
            elements = {"ExpectedDigest": shown, "CalculatedDigest": checksums.encode(actual)}
            raise S3Error("BadDigest", None, dict(elements))

    def _check_checksum(self, received: Received, trailers: dict[str, str]) -> None:
        declared = self.declared
        expected = declared.checksum
        names = [f"{_PREFIX}{declared.trailer.lower()}"] if declared.trailer is not None else []
        if list(trailers) != names:
            raise S3Error("MalformedTrailerError")
        if declared.trailer is not None:
            expected = declared.trailer, trailers[names[0]]
            if checksums.decode(*expected) is None:
                raise S3Error("InvalidRequest", f"Value for {names[0]} trailing header is invalid.")
        if expected is not None and received.checksums[expected[0]] != expected[1]:
            message = f"The {expected[0]} you specified did not match the calculated checksum."
            raise S3Error("BadDigest", message)


def _declared(headers: dict[str, str], mode: str) -> Declared:
    md5, md5_text = None, headers.get("content-md5", "")
    if "content-md5" in headers:
        md5 = _md5(md5_text)
    checksum = _header_checksum(headers)
    trailer = _trailer(headers, mode, checksum)
    _check_sdk_algorithm(headers, checksum, trailer)
    return Declared(md5, md5_text, checksum, trailer, _length(headers, mode))


def _md5(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 16:
        raise S3Error("InvalidDigest", None, {"Content-MD5": text})
    return raw


def _header_checksum(headers: dict[str, str]) -> tuple[str, str] | None:
    """Algorithm and value of the one x-amz-checksum-* header, if there is one."""
    names = [name for name in headers if name.startswith(_PREFIX) and name not in _NOT_VALUES]
    if not names:
        return None
    if len(names) > 1:
        message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise S3Error("InvalidRequest", message)
    algorithm = checksums.ALGORITHMS.get(names[0][len(_PREFIX) :])
    if algorithm is None:
        raise S3Error("InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")
    value = headers[names[0]]
    if checksums.decode(algorithm, value) is None:
        raise S3Error("InvalidRequest", f"Value for {names[0]} header is invalid.")
    return algorithm, value


def _trailer(headers: dict[str, str], mode: str, checksum: tuple[str, str] | None) -> str | None:
    """The algorithm whose value x-amz-trailer announces."""
    announced = headers.get("x-amz-trailer")
    if announced is None:
        return None
    names = [name.strip().lower() for name in announced.rstrip(",").split(",")]
    if len(names) != 1:
        message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise S3Error("InvalidRequest", message)
    algorithm = checksums.ALGORITHMS.get(names[0].removeprefix(_PREFIX)) if names[0].startswith(_PREFIX) else None
    if algorithm is None:
        raise S3Error("InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
    if checksum is not None:
        message = "Expecting a single x-amz-checksum- header"
        raise S3Error("InvalidRequest", message)
    if not mode.endswith("-TRAILER"):  # announced, but this body can have none
        raise S3Error("MalformedTrailerError")
    return algorithm


def _check_sdk_algorithm(headers: dict[str, str], checksum: tuple[str, str] | None, trailer: str | None) -> None:
    named = headers.get("x-amz-sdk-checksum-algorithm")
    if named is None:
        return
    used = checksum[0] if checksum is not None else trailer
    if used is None:
        message = (
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer "
            "headers were found."
        )
        raise S3Error("InvalidRequest", message)
    if named.upper() != used:
        message = "Value for x-amz-sdk-checksum-algorithm header is invalid."
        raise S3Error("InvalidRequest", message)


def _length(headers: dict[str, str], mode: str) -> int | None:
    """How many bytes the decoded body must have, if that is known."""
    name = "x-amz-decoded-content-length" if mode in STREAMING else "content-length"
    text = headers.get(name)
    if text is not None and text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    if mode in STREAMING:
        raise S3Error("MissingContentLength")
    return None
