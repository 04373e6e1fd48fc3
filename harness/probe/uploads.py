"""Bodies of uploads: unsigned, with checksums in headers and trailers, announced by Expect."""

from __future__ import annotations

import hashlib
import select
import socket
from collections.abc import Iterator

from harness.clients.base import Observed
from harness.probe.context import Context, Finding, Undecided, b64, evidence, experiment, need, said, same
from harness.probe.digests import ALGORITHMS, chunked, transfer_chunked
from harness.record import NOTHING, UNKNOWN
from harness.wire.checksums import checksum
from harness.wire.exchange import Exchange, Headers
from harness.wire.http1 import Connection, NoAnswer
from harness.wire.sigv4 import UNSIGNED

_BODY = b"What was sent is what has to come back.\n" * 8
_TRAILERS = ("trailer", "trailer and no Content-Length")
_WRONG = "AAAAAA=="
"""The CRC32 of nothing."""
_PATIENCE = 1.0
"""Seconds that boto3 waits for 100 Continue. Source: botocore, `AWSConnection`."""


def _kept(ctx: Context, name: str, put: Observed) -> tuple[str, Observed]:
    """What is wrong with an upload of `_BODY`, or "", and the download that shows it."""
    if not put.ok:
        return f"is answered {said(put)}", put
    got = ctx.get(name)
    if same(got, _BODY):
        return "", got
    if got.ok and _BODY in (got.body or b""):
        return "is stored together with its framing", got
    return f"does not come back as it was sent ({said(got)})", got


@experiment("use_unsigned_payload", "payload_signing")
def unsigned_payload(ctx: Context) -> Iterator[Finding]:
    """An upload whose signature does not cover its body: rclone's default, and that of SDKs over https."""
    put = ctx.put("u", _BODY, [("x-amz-content-sha256", UNSIGNED)])
    wrong, got = _kept(ctx, "u", put)
    seen = evidence(put, got)
    if not wrong:
        text = "An upload with UNSIGNED-PAYLOAD comes back as it was sent."
        yield Finding("use_unsigned_payload", "true", text, (), seen)
        yield Finding("payload_signing", "false", text, ("false", "true"), seen)
        return
    text = f"An upload with UNSIGNED-PAYLOAD {wrong}."
    signed, _ = _kept(ctx, "u2", ctx.put("u2", _BODY))
    if signed:
        raise Undecided(f"an upload that is signed {signed}")
    yield Finding("use_unsigned_payload", "false", text, (), seen)
    yield Finding("payload_signing", "true", text, (), seen)


class _Tried:
    """Uploads with checksums: what is wrong with each, by name, and what was seen."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}
        self.exchanges: list[Exchange] = []
        self.codings: list[str] = []

    def add(self, name: str, wrong: str, *answers: Observed) -> None:
        self.wrong[name] = wrong
        self.exchanges += evidence(*answers)
        self.codings += [(answer.headers or {}).get("content-encoding", "") for answer in answers if answer.ok]

    def first(self, algorithms: tuple[str, ...], *places: str) -> str:
        """The first thing wrong with one of the algorithms in one of the places, as a sentence; or ""."""
        names = (f"{algorithm} {place}" for place in places for algorithm in algorithms)
        hits = ((name, self.wrong[name]) for name in names if self.wrong.get(name))
        return next((f"An upload with a {name} {wrong}." for name, wrong in hits), "")


def _checksums(ctx: Context) -> _Tried:
    tried = _Tried()
    for algorithm in ALGORITHMS:
        name = f"h-{algorithm}"
        put = ctx.put(name, _BODY, [(f"x-amz-checksum-{algorithm}", checksum(algorithm.upper(), _BODY))])
        tried.add(f"{algorithm.upper()} header", "" if put.ok else f"is answered {said(put)}", put)
        headers, framed = chunked(_BODY, algorithm)
        name = f"t-{algorithm}"
        put = ctx.put(name, framed, headers)
        wrong, got = _kept(ctx, name, put)
        tried.add(f"{algorithm.upper()} trailer", wrong, put, got)
    headers, framed = chunked(_BODY, "crc32")
    put = ctx.put("tc", transfer_chunked(framed), headers, [("Transfer-Encoding", "chunked")])
    wrong, got = _kept(ctx, "tc", put)
    tried.add("CRC32 trailer and no Content-Length", wrong, put, got)
    return tried


@experiment(
    "request_checksum_calculation",
    "request_checksum_calculation_cli",
    "aws_chunked_replayed",
    "checksum_verified",
    "use_data_integrity_protections",
)
def checksums(ctx: Context) -> Iterator[Finding]:
    """What SDKs send with every upload since 2025, over http and over https."""
    tried = _checksums(ctx)
    good = "Uploads with CRC32 and CRC64NVME, in headers and in trailers, come back as they were sent."
    for knob, algorithms in (
        ("request_checksum_calculation", ("CRC32",)),
        ("request_checksum_calculation_cli", ("CRC32", "CRC64NVME")),
    ):
        header, trailer = tried.first(algorithms, "header"), tried.first(algorithms, *_TRAILERS)
        if header or trailer:
            # Over plain http SDKs send headers; that trailers fail is for the day when it is https.
            harmless = ctx.origin.scheme == "http" and not header
            works = ("when_required", "when_supported") if harmless else ("when_required",)
            text = f"{trailer} SDKs send this over https." if harmless else header or trailer
        else:
            works, text = ("when_supported", "when_required"), good
        yield Finding(knob, works[0], text, works, tried.exchanges)
    yield _replayed(tried)
    verified = _verified(ctx)
    yield verified
    wrong = tried.first(("CRC32",), "header", "trailer") or ("" if verified.value == "yes" else verified.observation)
    works = ("false",) if wrong else ("true", "false")
    seen = tried.exchanges + verified.exchanges
    yield Finding("use_data_integrity_protections", works[0], wrong or good, works, seen)


def _replayed(tried: _Tried) -> Finding:
    if all(wrong for name, wrong in tried.wrong.items() if "trailer" in name):
        return Finding("aws_chunked_replayed", UNKNOWN, "Not known: no upload with a trailer is accepted.")
    replayed = any("aws-chunked" in coding for coding in tried.codings)
    text = "A download of what came in chunks has " + (
        "Content-Encoding: aws-chunked." if replayed else "no such coding."
    )
    return Finding("aws_chunked_replayed", "yes" if replayed else "no", text, (), tried.exchanges)


def _verified(ctx: Context) -> Finding:
    """Whether a checksum that is not the body's is noticed, in a header and in a trailer."""
    header = ctx.put("w", _BODY, [("x-amz-checksum-crc32", _WRONG)])
    headers, framed = chunked(_BODY, "crc32", _WRONG)
    trailer = ctx.put("w2", framed, headers)
    taken = [place for place, put in (("header", header), ("trailer", trailer)) if put.ok]
    text = f"A wrong CRC32 in a {' and in a '.join(taken)} is accepted." if taken else "A wrong CRC32 is refused."
    return Finding("checksum_verified", "no" if taken else "yes", text, (), evidence(header, trailer))


@experiment("response_checksum_validation")
def validation(ctx: Context) -> Iterator[Finding]:
    """Downloads with x-amz-checksum-mode: a checksum that is shown has to be the body's."""
    checked: Headers = [("x-amz-checksum-mode", "ENABLED")]
    put = ctx.put("v", _BODY, [("x-amz-checksum-crc32", checksum("CRC32", _BODY))])
    put = put if put.ok else need(ctx.put("v", _BODY), "an upload")
    got = ctx.get("v", checked)
    if not got.ok:
        need(ctx.get("v"), "a download")
        text = f"A download with x-amz-checksum-mode is answered {said(got)}, one without it does well."
        yield Finding("response_checksum_validation", "when_required", text, (), evidence(put, got))
        return
    whole = _composite(ctx)
    mistake = _mistake(got) or next((_mistake(answer) for answer in whole), "")
    seen = evidence(put, got, *whole)
    if mistake:
        yield Finding("response_checksum_validation", "when_required", mistake, (), seen)
        return
    both = ("when_supported", "when_required")
    same_etag = ctx.get("v", [*checked, ("If-None-Match", got.etag or '""')])
    if same_etag.status == 304 and any(name.startswith("x-amz-checksum-") for name in same_etag.headers or {}):
        text = "304 Not Modified has a checksum, which some SDKs hold against the missing body."
        yield Finding("response_checksum_validation", "when_required", text, both, evidence(same_etag))
        return
    text = "Downloads with x-amz-checksum-mode show no checksum but the body's."
    yield Finding("response_checksum_validation", "when_supported", text, both, seen)


def _mistake(got: Observed) -> str:
    """What a client that checks the CRC32 of a download would stumble over; composite values are passed over."""
    value = (got.headers or {}).get("x-amz-checksum-crc32", "")
    if not value or "-" in value or value == checksum("CRC32", got.body or b""):
        return ""
    return "A download shows a CRC32 that is not its body's, as if the body were damaged."


def _composite(ctx: Context) -> list[Observed]:
    """The download of an object made of one part with a CRC32, if it can be made; its checksum is one of parts."""
    target = {"Bucket": ctx.bucket, "Key": f"{ctx.prefix}composite"}
    made = ctx.call("CreateMultipartUpload", target | {"ChecksumAlgorithm": "CRC32"})
    upload = target | {"UploadId": str(made.output.get("UploadId", ""))}
    if not made.ok or not upload["UploadId"]:
        return []
    value = checksum("CRC32", _BODY)
    part = ctx.call("UploadPart", upload | {"PartNumber": 1, "Body": _BODY, "ChecksumCRC32": value})
    parts = [{"ETag": part.etag or "", "ChecksumCRC32": value, "PartNumber": 1}]
    done = part.ok and ctx.call("CompleteMultipartUpload", upload | {"MultipartUpload": {"Parts": parts}}).ok
    if not done:
        ctx.call("AbortMultipartUpload", upload)
        return []
    return [ctx.get("composite", [("x-amz-checksum-mode", "ENABLED")])]


@experiment("expect_continue")
def expect(ctx: Context) -> Iterator[Finding]:
    """An upload that waits for 100 Continue before it sends its body, as boto3 and AWS CLI do."""
    need(ctx.put("e100", _BODY), "an upload")
    target = f"/{ctx.bucket}/{ctx.prefix}e100"
    lines = ctx.signature("PUT", target, [("Content-Length", str(len(_BODY)))], _BODY)
    host, sent = ctx.address(target)
    head = "".join(f"{name}: {value}\r\n" for name, value in [("Host", host), *lines, ("Expect", "100-continue")])
    connection = _Waiting(ctx.origin, ctx.endpoint.timeout, ctx.endpoint.tls())
    try:
        # What TLS says by itself right after its handshake must not be taken for the interim answer.
        connection.exchange(f"HEAD {sent} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), "HEAD")
        answer = connection.exchange(f"PUT {sent} HTTP/1.1\r\n{head}\r\n".encode() + _BODY, "PUT")
    except NoAnswer as error:
        raise Undecided(f"an upload with Expect: 100-continue gets no answer ({error})") from None
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        text = f"An upload with Expect: 100-continue is answered {answer.status}, one without it does well."
        yield Finding("expect_continue", "refused", text)
    elif connection.answered:
        yield Finding("expect_continue", "yes", "Expect: 100-continue is answered at once.")
    else:
        text = f"Expect: 100-continue is not answered within {_PATIENCE:g} s: every upload of boto3 waits as long."
        yield Finding("expect_continue", "no", text)


class _Waiting(Connection):
    """A connection that holds a body back until something is answered, or for a while."""

    answered = False

    def _send(self, connection: socket.socket, request: bytes) -> bool:
        head, mark, body = request.partition(b"\r\n\r\n")
        if not body:
            return super()._send(connection, request)
        connection.settimeout(self.timeout)
        connection.sendall(head + mark)
        self.answered = bool(select.select([connection], [], [], _PATIENCE)[0])
        return super()._send(connection, body)


@experiment("delete_objects")
def delete_objects(ctx: Context) -> Iterator[Finding]:
    """DeleteObjects with a checksum and no Content-MD5, as SDKs send it; with Content-MD5 if that is refused."""
    seen = []
    for value, header in (("crc32", "x-amz-checksum-crc32"), ("content-md5", "Content-MD5")):
        need(ctx.put("gone", _BODY), "an upload")
        body = f"<Delete><Object><Key>{ctx.prefix}gone</Key></Object></Delete>".encode()
        digest = checksum("CRC32", body) if value == "crc32" else _content_md5(body)
        answer = ctx.send("DeleteObjects", "POST", f"/{ctx.bucket}", [(header, digest)], body, query="delete=")
        seen.append(answer)
        deleted = [entry.get("Key") for entry in answer.output.get("Deleted", [])]
        if answer.ok and deleted == [f"{ctx.prefix}gone"]:
            break
    else:
        text = f"DeleteObjects is answered {said(seen[0])}, with Content-MD5 {said(seen[1])}."
        yield Finding("delete_objects", NOTHING, text, (), evidence(*seen))
        return
    if value == "crc32":
        text = "DeleteObjects takes a CRC32 instead of Content-MD5."
    else:
        text = (
            f"DeleteObjects with a CRC32 is answered {said(seen[0])}, with Content-MD5 it works: current SDKs cannot."
        )
    yield Finding("delete_objects", value, text, (), evidence(*seen))


def _content_md5(body: bytes) -> str:
    return b64(hashlib.md5(body).digest())
