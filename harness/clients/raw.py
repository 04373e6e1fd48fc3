"""Raw HTTP: the client that says exactly what it is told, and hides nothing of the answer.

It is also the witness of every other client: set-up and independent second looks go through it.
"""

from __future__ import annotations

import base64
import codecs
import datetime as dt
import hashlib
import select
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec

from harness.clients.base import MAX_PAGES, Observed, joined
from harness.clients.raw_redirects import onward, repeated
from harness.config import Endpoint
from harness.signals import Mismatch
from harness.wire import model, sigv2
from harness.wire.exchange import Body, Exchange, Headers
from harness.wire.http1 import MAX_BODY, Answer, Connection, NoAnswer, Origin
from harness.wire.sigv4 import EMPTY_SHA256, Credentials, Signed, Signer
from harness.wire.tape import Recorded
from harness.wire.xml import Node, XMLError, parse

_OF_THE_CONNECTION = frozenset({"connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
"""Headers for the next hop alone, which proxies take away: no client signs them. Source: RFC 9110 §7.6.1."""


class Head(NamedTuple):
    """The part of a request that is signed: method, raw target, header lines."""

    method: str
    target: str
    headers: Headers


def _same(head: Head) -> Head:
    return head


@dataclass(frozen=True, slots=True)
class Signing:
    """How a request is signed, for statements about signatures. The defaults are those of an honest client.

    Attributes:
        credentials: with whose; by default the endpoint's.
        region: of the credential scope; by default the endpoint's.
        service: of the credential scope.
        skew: seconds by which the clock that signs is ahead of this machine's; below zero it is behind.
        unsigned: names, in lower case, of headers that are sent and not signed.
        date: the header that carries the time; "" for none.
        digest: the header that carries the hash of the body; "" for none.
        day: of the credential scope, as text; by default that of the clock.
        instead: makes the request that is signed from the one that is sent.
        edited: makes the Authorization that is sent from the right one.
    """

    credentials: Credentials | None = None
    region: str = ""
    service: str = "s3"
    skew: float = 0.0
    unsigned: frozenset[str] = frozenset()
    date: str = "x-amz-date"
    digest: str = "x-amz-content-sha256"
    day: str = ""
    instead: Callable[[Head], Head] = _same
    edited: Callable[[str], str] = str


HONEST = Signing()


class Framed(Protocol):
    """A body whose bytes continue the signature of the headers (aws-chunked); its size in bytes is known before."""

    @property
    def size(self) -> int:
        """Bytes that `framed` gives."""
        ...

    def framed(self, signed: Signed | None) -> bytes:
        """The bytes to send, given what the headers were signed with, None if they were not."""
        ...


class RawClient:
    """Signed HTTP/1.1 requests over one kept connection.

    Args:
        endpoint: where to send them, and with whose credentials.

    Attributes:
        taken: told of each exchange, and whether its request was said exactly so by a scenario, right or wrong.
    """

    name = "raw"

    def __init__(self, endpoint: Endpoint) -> None:
        self.taken: Callable[[Recorded, bool], None] | None = None
        self._endpoint = endpoint
        self._origin = Origin.of(endpoint.url)
        self._connection = Connection(self._origin, endpoint.timeout, endpoint.tls())
        self._elsewhere: dict[Origin, Connection] = {}

    @property
    def endpoint(self) -> Endpoint:
        """Where requests are sent, and with whose credentials."""
        return self._endpoint

    @property
    def region(self) -> str:
        """The region that requests are signed for."""
        return self._endpoint.region

    # --- the client's verbs ---

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:
        """One operation as the service model writes it, with Content-MD5 only where S3 demands a digest."""
        request = model.build(operation, params)
        headers = list(request.headers)
        if model.checksum_required(operation) and not _has_digest(headers):
            digest = base64.b64encode(hashlib.md5(request.body).digest()).decode()
            headers.append(("Content-MD5", digest))
        bucket = params.get("Bucket", "")
        return self.send(
            operation, request.method, request.target, headers, request.body, bucket=bucket, deliberate=False
        )

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        """Every page, following what the endpoint gives, to a bound of pages and of bytes."""
        operation = "ListObjectsV2" if version == 2 else "ListObjects"
        contents: list[Any] = []
        prefixes: list[Any] = []
        exchanges: list[Exchange] = []
        ask = dict(params)
        received = 0
        for count in range(1, MAX_PAGES + 1):
            page = self.call(operation, ask)
            exchanges += page.exchanges
            if not page.ok:
                break
            contents += page.output.get("Contents", [])
            prefixes += page.output.get("CommonPrefixes", [])
            following = _following(page.output, version)
            if following is None:
                break
            ask |= following
            received += len(page.body or b"")
            if count == MAX_PAGES or received > MAX_BODY:
                page.ok, page.failure = False, f"the listing does not end: cut after {count} pages"
                break
        page.exchanges = exchanges
        page.output = page.output | {"Contents": contents, "CommonPrefixes": prefixes}
        return page

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:
        """CreateMultipartUpload, UploadPart in order, CompleteMultipartUpload; the first refusal is returned."""
        target = {"Bucket": params["Bucket"], "Key": params["Key"]}
        body: bytes = params["Body"]
        created = self.call("CreateMultipartUpload", target)
        if not created.ok:
            return created
        target |= {"UploadId": created.output.get("UploadId", "")}
        parts = []
        for number, start in enumerate(range(0, len(body), part_size), 1):
            part = self.call("UploadPart", target | {"PartNumber": number, "Body": body[start : start + part_size]})
            if not part.ok:
                return part
            parts.append({"PartNumber": number, "ETag": part.etag or ""})
        return self.call("CompleteMultipartUpload", target | {"MultipartUpload": {"Parts": parts}})

    def close(self) -> None:
        """Drop the connections."""
        for connection in (self._connection, *self._elsewhere.values()):
            connection.close()

    # --- exact requests ---

    def send(
        self,
        operation: str,
        method: str,
        target: str,
        headers: Headers = [],  # noqa: B006 - never changed
        body: bytes | Framed = b"",
        *,
        bucket: str = "",
        addressing: str = "",
        signing: Signing | None = HONEST,
        content_length: bool = True,
        host: bool = True,
        version: str = "HTTP/1.1",
        spelled: Callable[[str], str] = str,
        patience: float = 0.0,
        deliberate: bool = True,
    ) -> Observed:
        """One request with exactly this method, target, header lines and body.

        Args:
            operation: the operation it is meant as, for reading the answer.
            method: HTTP method.
            target: raw path-style target below the endpoint's own path, from `/` on.
            headers: further header lines, in order and letter case.
            body: bytes of the body, or what makes them of the signature.
            bucket: the bucket in `target`, so that it can move to the host name.
            addressing: `path` or `virtual`; by default the endpoint's.
            signing: how SigV4 headers are made; None adds none.
            content_length: add Content-Length where there is a body or the method usually has one.
            host: add Host.
            version: version of HTTP in the request line.
            spelled: how the name of every header is written, those that are added here too.
            patience: send the body only after 100 Continue, for which so many seconds are waited; not at all after
                another answer. 0 for no such wait. `headers` need an Expect.
            deliberate: the request is as a scenario wants it, right or wrong, so that nobody is to be blamed for it.
        """
        authority, target = self._address(target, bucket, addressing or self._endpoint.addressing)
        lines: Headers = [*([("Host", authority)] if host else []), *headers]
        size = len(body) if isinstance(body, bytes) else body.size
        if content_length and (size or method in ("PUT", "POST")):
            lines.append(("Content-Length", str(size)))
        proof = None
        if signing is not None:
            added, proof = self._signature(method, target, lines, body, signing)
            lines += added
        body = body if isinstance(body, bytes) else body.framed(proof)
        lines = [(spelled(name), value) for name, value in lines]
        head = f"{method} {target} {version}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
        request = head.encode() + b"\r\n" + body
        asked = Exchange(method, f"{self._origin.scheme}://{authority}{target}", lines, Body.of(body))
        if not patience:
            return self._exchange(operation, asked, request, deliberate=deliberate)
        patient = _Patient(self._origin, self._endpoint.timeout, self._endpoint.tls())
        patient.patience = patience
        try:
            return self._exchange(operation, asked, request, patient, deliberate=deliberate)
        finally:
            patient.close()

    def presign(
        self,
        method: str,
        target: str,
        headers: Headers = [],  # noqa: B006 - never changed
        *,
        bucket: str = "",
        expires: float | str = 60,
        signing: Signing = HONEST,
        version: int = 4,
    ) -> str:
        """A target with its signature in the query, to be sent with `signing=None`.

        Args:
            method: HTTP method that it is good for.
            target: as for `send`.
            headers: header lines that must then be sent, beside Host.
            bucket: as for `send`.
            expires: seconds that it holds from the moment of its signature, or the text that says so.
            signing: how it differs from an honest client's: credentials, region, service, skew and day.
            version: of the signature, 4 or 2.
        """
        if version == 2:
            end = int(time.time() + signing.skew + float(expires))
            return sigv2.presign(method, target, headers, end, signing.credentials or self._endpoint.credentials)
        authority, sent = self._address(target, bucket, self._endpoint.addressing)
        token = (signing.credentials or self._endpoint.credentials).session_token
        made = self.signer(signing).presign(method, sent, [("Host", authority), *headers], str(expires), token)
        return target + made[len(sent) :]

    def fetch(
        self,
        url: str,
        method: str = "GET",
        headers: Headers = [],  # noqa: B006 - never changed
        body: bytes = b"",
    ) -> Observed:
        """What a URL gives to somebody without credentials, as a browser or `curl` would ask for it.

        Args:
            url: one that a client made, presigned or not.
            method: HTTP method.
            headers: further header lines.
            body: bytes of the body.

        Raises:
            Mismatch: it is not a URL of the endpoint; nothing is sent.
        """
        parts = urlsplit(url)
        own = self._origin.authority.lower()
        near = parts.netloc.lower() == own or parts.netloc.lower().endswith("." + own)
        if not near and self._endpoint.is_website(url):
            site = RawClient(
                msgspec.structs.replace(self._endpoint, url=f"{parts.scheme}://{parts.netloc}", website="")
            )
            try:
                return site.fetch(url, method, headers, body)
            finally:
                site.close()
        if (
            not near
            or parts.scheme != self._origin.scheme
            or not (url.isascii() and url.isprintable() and " " not in url)
        ):
            raise Mismatch(f"a URL of {self._origin.scheme}://{own}", f"it was {url[:200]!r}")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines: Headers = [("Host", parts.netloc), *headers]
        lines += [("Content-Length", str(len(body)))] if body or method in ("PUT", "POST") else []
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
        operation = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject"}.get(method, method)
        asked = Exchange(method, f"{self._origin.scheme}://{parts.netloc}{target}", lines, Body.of(body))
        return self._exchange(operation, asked, head.encode() + b"\r\n" + body)

    def _address(self, target: str, bucket: str, addressing: str) -> tuple[str, str]:
        if addressing == "virtual" and bucket:
            rest = target[len(bucket) + 1 :]
            target = rest if rest.startswith("/") else "/" + rest
            return f"{bucket}.{self._origin.authority}", self._origin.path + target
        return self._origin.authority, self._origin.path + target

    def signer(self, signing: Signing = HONEST) -> Signer:
        """What signs in the name of the endpoint's account, now, unless `signing` says otherwise."""
        now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=signing.skew)
        credentials = signing.credentials or self._endpoint.credentials
        return Signer(credentials, signing.region or self._endpoint.region, now, signing.service, signing.day)

    def _signature(
        self, method: str, target: str, lines: Headers, body: bytes | Framed, signing: Signing
    ) -> tuple[Headers, Signed]:
        """The headers that sign a request, and what bodies in chunks continue."""
        signer = self.signer(signing)
        given = joined(lines)
        digest = given.get("x-amz-content-sha256", EMPTY_SHA256)
        added: Headers = []
        if "x-amz-content-sha256" not in given:
            digest = hashlib.sha256(body).hexdigest() if isinstance(body, bytes) and body else EMPTY_SHA256
            added += [(signing.digest, digest)] if signing.digest else []
        if signing.date and signing.date not in given:
            added.append((signing.date, signer.stamp))
        token = (signing.credentials or self._endpoint.credentials).session_token
        if token and "x-amz-security-token" not in given:
            added.append(("x-amz-security-token", token))
        left_out = _OF_THE_CONNECTION | signing.unsigned
        kept = [(name, value) for name, value in lines + added if name.lower() not in left_out]
        proof = signer.authorize(*signing.instead(Head(method, target, kept)), digest)
        return [*added, ("Authorization", signing.edited(proof.authorization))], proof

    def _exchange(
        self,
        operation: str,
        exchange: Exchange,
        request: bytes,
        connection: Connection | None = None,
        *,
        deliberate: bool = True,
    ) -> Observed:
        """What the bytes of a request come to; `exchange` is what is known of it so far.

        A redirect to another port of the endpoint that is documented is followed once; both exchanges are kept.
        """
        connection = connection or self._connection
        observed = self._asked(operation, exchange, request, connection, deliberate=deliberate)
        first = observed.exchanges[0]
        url = onward(first, self._origin, self._endpoint.follow)
        if url is None:
            return observed
        again, sent = repeated(exchange, request, url)
        observed = self._asked(operation, again, sent, self._at(url, connection), deliberate=deliberate)
        observed.exchanges.insert(0, first)
        return observed

    def _at(self, url: str, connection: Connection) -> Connection:
        """A connection to where a URL leads: as patient as the one that led there, or kept for the next requests."""
        origin = Origin.of(url)._replace(path="")
        if isinstance(connection, _Patient):
            connection.close()
            connection.origin = origin
            return connection
        if origin not in self._elsewhere:
            self._elsewhere[origin] = Connection(origin, self._endpoint.timeout, self._endpoint.tls())
        return self._elsewhere[origin]

    def _asked(
        self, operation: str, exchange: Exchange, request: bytes, connection: Connection, *, deliberate: bool
    ) -> Observed:
        """What one exchange comes to."""
        started = time.monotonic()
        try:
            answer = connection.exchange(request, exchange.method)
        except NoAnswer as error:
            seconds = time.monotonic() - started
            exchange = msgspec.structs.replace(exchange, error=str(error), seconds=seconds)
            self._tell(exchange, None, request, deliberate=deliberate)
            return Observed(operation, self.name, ok=False, failure=str(error), exchanges=[exchange])
        exchange = msgspec.structs.replace(
            exchange,
            status=answer.status,
            reason=answer.reason,
            response_headers=answer.headers,
            response_body=Body.of(answer.body or answer.stray),
            seconds=time.monotonic() - started,
        )
        self._tell(exchange, answer, request, deliberate=deliberate)
        return observe(operation, self.name, answer, exchange)

    def _tell(self, exchange: Exchange, answer: Answer | None, request: bytes, *, deliberate: bool) -> None:
        if self.taken is not None:
            sent = request.partition(b"\r\n\r\n")[2]
            self.taken(Recorded(exchange, answer, sent=sent, whole=answer is not None), deliberate)


class _Patient(Connection):
    """A connection for one request, whose body is sent when 100 Continue asks for it, and only then."""

    patience = 0.0
    _body = b""

    def _send(self, connection: socket.socket, request: bytes) -> bool:
        head, end, self._body = request.partition(b"\r\n\r\n")
        return super()._send(connection, head + end)

    def _read(self, stream: Any, method: str) -> tuple[Answer, bool]:
        connection = self._open()
        if not select.select([connection], [], [], self.patience)[0]:
            raise NoAnswer(f"neither 100 Continue nor another answer within {self.patience:g} s")
        if stream.makefile("rb").peek(1).startswith(b"HTTP/1.1 100"):
            super()._send(connection, self._body)
        return super()._read(stream, method)


def observe(operation: str, client: str, answer: Answer, exchange: Exchange) -> Observed:
    """What an HTTP answer says, read by the harness itself."""
    headers = joined(answer.headers)
    document = _document(operation, answer)
    observed = Observed(
        operation,
        client,
        ok=200 <= answer.status < 300,
        status=answer.status,
        headers=headers,
        body=answer.body,
        document=document,
        stray=answer.stray,
        exchanges=[exchange],
    )
    if document is not None and document.tag == "Error":
        # CopyObject and CompleteMultipartUpload may fail after 200 was sent; the body then tells.
        observed.ok = False
        observed.code, observed.message = document.get("Code") or "", document.get("Message") or ""
        observed.error_fields = {child.tag: child.text for child in document if not child.children}
    elif observed.ok and operation in model.operations():  # PostObject is in no model
        observed.output = model.read(operation, headers, document)
    return observed


def _document(operation: str, answer: Answer) -> Node | None:
    """The XML of an answer that may be XML; object bytes are never taken for it."""
    if operation == "GetObject" and answer.status < 300:
        return None
    try:
        text = answer.body.removeprefix(codecs.BOM_UTF8).lstrip()
        return parse(text) if text[:1] == b"<" else None
    except XMLError:
        return None


def _following(output: Mapping[str, Any], version: int) -> dict[str, Any] | None:
    """The parameters that ask for the page after this one, or None at the end.

    A truncated page without a way on is the endpoint's fault; the walk ends and the missing keys show it.
    """
    if output.get("IsTruncated") is not True:
        return None
    if version == 2:
        token = output.get("NextContinuationToken")
        return {"ContinuationToken": token} if token else None
    marker = output.get("NextMarker") or next((e.get("Key") for e in output.get("Contents", [])[-1:]), None)
    return {"Marker": marker} if marker else None


def _has_digest(headers: Headers) -> bool:
    return any(name.lower() == "content-md5" or name.lower().startswith("x-amz-checksum-") for name, _ in headers)
