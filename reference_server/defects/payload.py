"""Defects of request bodies: digests that nobody checks, framing that is stored, uploads that are refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server import checksums
from reference_server.auth import STREAMING, UNSIGNED
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error
from reference_server.payload import Received

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.payload import Payload
    from reference_server.request import Request

Factory = Callable[..., "Payload"]
Sink = Callable[[bytes], None]

# What says of a body that it is framed, and how.
_FRAMING = {"x-amz-trailer", "x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm"}
_VALUES = tuple(f"x-amz-checksum-{name}" for name in checksums.ALGORITHMS)


# Checks left out


def _before_reading(change: Callable[[Payload], None]) -> Wrap:
    """The payload is changed once its headers were checked, right before its body is read."""

    def wrap(inner: Factory) -> Factory:
        def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
            made = inner(request, authenticated, **options)
            receive = made.receive

            def changed(sink: Sink, algorithms: Iterable[str] = ()) -> Received:
                declared = {made.algorithm} - {None}
                change(made)
                return receive(sink, {*algorithms, *declared})  # type: ignore[arg-type]

            made.receive = changed  # type: ignore[method-assign]
            return made

        return payload

    return wrap


def _without_md5(made: Payload) -> None:
    made.declared = replace(made.declared, md5=None)


def _without_checksum(made: Payload) -> None:
    made.declared = replace(made.declared, checksum=None)


def _without_length(made: Payload) -> None:
    if made.mode in STREAMING:
        made.declared = replace(made.declared, length=None)


def _without_hash(made: Payload) -> None:
    made.mode = made.mode if made.mode in STREAMING else UNSIGNED


family(
    "payload",
    _before_reading,
    {
        "checksum-header-ignored": row(
            "An x-amz-checksum-* header that is not the body's is accepted, as in MiniStack and Chimera "
            "(ministackorg/ministack#1497, chimera-nas/chimera#1385).",
            _without_checksum,
        ),
        "content-md5-ignored": row(
            "A Content-MD5 that is not the body's is accepted, as in MinIO once and in Chimera (minio/minio#1603, "
            "chimera-nas/chimera#474).",
            _without_md5,
        ),
        "decoded-length-ignored": row(
            "x-amz-decoded-content-length is not held against the body, as in Chimera (chimera-nas/chimera#1056).",
            _without_length,
        ),
        "payload-hash-ignored": row(
            "A body that is not what x-amz-content-sha256 says is stored, as in Chimera and fakecloud "
            "(chimera-nas/chimera#491, faiscadev/fakecloud#2294).",
            _without_hash,
        ),
    },
)


class _Tally:
    """Passes bytes on and keeps what is known of them: the answer if the honest one is an error."""

    def __init__(self, sink: Sink, algorithms: Iterable[str]) -> None:
        self._sink = sink
        self._size, self._md5 = 0, hashlib.md5()
        self._running = {name: checksums.start(name) for name in algorithms}

    def __call__(self, data: bytes) -> None:
        self._size += len(data)
        for running in (self._md5, *self._running.values()):
            running.update(data)
        self._sink(data)

    def received(self) -> Received:
        values = {name: checksums.encode(running.digest()) for name, running in self._running.items()}
        return Received(self._size, self._md5.hexdigest(), values)


def _forgiving(forgiven: Callable[[Payload, S3Error], bool]) -> Wrap:
    """What was found wrong while the body was read is no error."""

    def wrap(inner: Factory) -> Factory:
        def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
            made = inner(request, authenticated, **options)
            receive = made.receive

            def lenient(sink: Sink, algorithms: Iterable[str] = ()) -> Received:
                wanted = {*algorithms, made.algorithm} - {None}
                tally = _Tally(sink, wanted)  # type: ignore[arg-type]
                try:
                    return receive(tally, algorithms)
                except S3Error as error:
                    if not forgiven(made, error):
                        raise
                    return tally.received()

            made.receive = lenient  # type: ignore[method-assign]
            return made

        return payload

    return wrap


family(
    "payload",
    _forgiving,
    {
        "trailer-checksum-ignored": row(
            "A trailing checksum that is not the body's is accepted, as in MiniStack (ministackorg/ministack#1497).",
            lambda made, error: error.code == "BadDigest" and made.declared.trailer and not error.elements,
        ),
    },
)


@defect(
    "chunk-signature-ignored",
    "payload",
    "The signatures of chunks are read over, so that a signed upload can be altered on its way, as in S3Proxy "
    "(gaul/s3proxy#205).",
)
def _chunk_signature_ignored(inner: Factory) -> Factory:
    return lambda request, authenticated, **options: inner(request, replace(authenticated, signer=None), **options)


@defect(
    "chunk-framing-stored",
    "payload",
    "The framing of an aws-chunked body is stored as part of the object, as gateways did that boto3 met "
    "(boto/boto3#4435, mulgadc/predastore#114).",
)
def _chunk_framing_stored(inner: Factory) -> Factory:
    def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
        if authenticated.payload in STREAMING:
            headers = {name: value for name, value in request.headers.items() if name not in _FRAMING}
            request, authenticated = replace(request, headers=headers), replace(authenticated, payload=UNSIGNED)
        return inner(request, authenticated, **options)

    return payload


# Refused


def _refusing(refuse: Callable[[Request, Authenticated], S3Error | None]) -> Wrap:
    """Bodies are refused for no good reason, before they are read."""

    def wrap(inner: Factory) -> Factory:
        def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
            error = refuse(request, authenticated)
            if error is not None:
                raise error
            return inner(request, authenticated, **options)

        return payload

    return wrap


def _has_checksum(request: Request, _authenticated: Authenticated) -> S3Error | None:
    sent = [name for name in request.headers if name in _VALUES]
    if not sent:
        return None
    return S3Error("NotImplemented", f"Header '{sent[0]}' with value '{request.headers[sent[0]]}' not implemented")


def _has_crc64nvme(request: Request, _authenticated: Authenticated) -> S3Error | None:
    name = "x-amz-checksum-crc64nvme"
    used = name in request.headers or name in request.headers.get("x-amz-trailer", "").lower()
    return S3Error("InvalidRequest", "The checksum algorithm CRC64NVME is not supported.") if used else None


def _is_chunked(request: Request, _authenticated: Authenticated) -> S3Error | None:
    coded = "aws-chunked" in request.headers.get("content-encoding", "").lower()
    return S3Error("UnsupportedMediaType", 'unsupported content encoding "aws-chunked"', status=415) if coded else None


def _has_trailer(_request: Request, authenticated: Authenticated) -> S3Error | None:
    return S3Error("MissingContentLength") if authenticated.payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER" else None


def _lacks_md5(request: Request, _authenticated: Authenticated) -> S3Error | None:
    if "delete" not in request.parameters or "content-md5" in request.headers:
        return None
    return S3Error("MissingContentMD5", "Missing required header for this request: Content-Md5.")


family(
    "payload",
    _refusing,
    {
        "aws-chunked-415": row(
            "A body that is announced as aws-chunked is refused with 415, as in Auto Drive "
            "(autonomys/auto-drive@c29e3d5b).",
            _is_chunked,
        ),
        "checksum-header-501": row(
            "A body with an x-amz-checksum-* header is refused with 501, as R2 did when SDKs began to send it "
            "(aws/aws-sdk-js-v3#6810, f2face/cloudflare-r2#12).",
            _has_checksum,
        ),
        "content-md5-demanded": row(
            "DeleteObjects is refused without Content-MD5, which SDKs no longer send, as by Storj and MinIO "
            "(storj/minio@95a3fa19, minio/minio#20845).",
            _lacks_md5,
        ),
        "crc64nvme-refused": row(
            "The checksum CRC64NVME, which AWS CLI v2 sends by default, is refused, as by MiniStack and R2 "
            "(ministackorg/ministack#1389, skypilot-org/skypilot#5282).",
            _has_crc64nvme,
        ),
        "trailer-411": row(
            "An upload with an unsigned trailing checksum is refused for want of a length, as by Storj "
            "(storj/gateway-st#89).",
            _has_trailer,
        ),
    },
)
