"""boto3, in process: what an SDK user sees. Retries are off, so that every answer is the endpoint's own."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import boto3
import boto3.session
import botocore.exceptions as failures
from boto3.s3.transfer import TransferConfig
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config

from harness.clients.base import MAX_PAGES, Observed, joined
from harness.config import Endpoint
from harness.signals import ClientFault, Inexpressible
from harness.wire.exchange import BODY_CAP, Body, Exchange
from harness.wire.http1 import MAX_BODY

_READ = 256 * 1024
_UNSENT = (failures.ParamValidationError, failures.UnknownServiceError, UnicodeError)
"""What boto3 raises for parameters that it cannot send."""


class Boto3Client:
    """One boto3 S3 client for a whole worker.

    Args:
        endpoint: where to send, and with whose credentials.
    """

    name = "boto3"

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            s3={"addressing_style": endpoint.addressing},
            connect_timeout=endpoint.timeout,
            read_timeout=endpoint.timeout,
            signature_version="s3v4",
            proxies={},
            ignore_configured_endpoint_urls=True,
            use_dualstack_endpoint=False,
            use_fips_endpoint=False,
        )
        credentials = endpoint.credentials
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint.url,
            region_name=endpoint.region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.session_token or None,
            verify=False if endpoint.insecure else (endpoint.ca_bundle or None),
            config=config,
        )
        self._tap = _Tap(self._client._endpoint.http_session)  # noqa: SLF001 - the one seam that sees bytes
        self._client._endpoint.http_session = self._tap  # noqa: SLF001

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:
        """One operation; what boto3 refuses to send is inexpressible."""
        method = getattr(self._client, xform_name(operation), None)
        if method is None:
            raise Inexpressible(f"this boto3 has no {operation}")
        if "CopySource" in params:  # percent-encoded as the header has it; boto3 encodes it once more
            params = {**params, "CopySource": unquote(params["CopySource"])}
        return self._observe(operation, lambda: method(**params), _python(operation, params))

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        """Every page by boto3's paginator."""
        operation = "ListObjectsV2" if version == 2 else "ListObjects"
        paginator = self._client.get_paginator(xform_name(operation))
        joined_output: dict[str, Any] = {"Contents": [], "CommonPrefixes": []}

        def walk() -> dict[str, Any]:
            for number, page in enumerate(paginator.paginate(**params)):
                if number >= MAX_PAGES:
                    raise _Endless
                for name, entries in joined_output.items():
                    entries += page.get(name, [])
            return joined_output

        return self._observe(operation, walk, _python(operation, params))

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:
        """boto3's managed transfer, `upload_fileobj`, on one thread."""
        config = TransferConfig(multipart_threshold=part_size, multipart_chunksize=part_size, use_threads=False)
        body, bucket, key = io.BytesIO(params["Body"]), params["Bucket"], params["Key"]

        def transfer() -> dict[str, Any]:
            self._client.upload_fileobj(body, bucket, key, Config=config)
            return {}

        code = f"s3.upload_fileobj(body, {bucket!r}, {key!r}, Config=TransferConfig(multipart_threshold={part_size}))"
        return self._observe("CompleteMultipartUpload", transfer, code)

    def close(self) -> None:
        """Close boto3's connections."""
        self._client.close()

    def _observe(self, operation: str, send: Any, code: str) -> Observed:
        self._tap.clear()
        observed = Observed(operation, self.name, ok=True, command={"boto3": code})
        try:
            output = send()
        except failures.ClientError as error:
            _refused(observed, error)
        except _Endless:
            observed.ok, observed.failure = False, f"the listing does not end: cut after {MAX_PAGES} pages"
        except Exception as error:  # whatever the SDK makes of a strange answer is the finding
            self._check_sent(error)
            cause = error.__cause__ if isinstance(error.__cause__, failures.ClientError) else None
            if cause is not None:
                _refused(observed, cause)
            observed.ok = False
            observed.failure = observed.failure or f"{type(error).__name__}: {_line(error)}"
        else:
            self._answered(observed, output)
        observed.status = self._tap.status or observed.status
        observed.exchanges = self._tap.exchanges(observed.body)
        return observed

    def _check_sent(self, error: Exception) -> None:
        """Tell what came of an answer, or of the endpoint giving none, from what never was a request.

        Raises:
            Inexpressible: boto3 does not send this.
            ClientFault: it broke before it sent anything, or found no address for a name that is not the endpoint's
                own (a bucket as a host name).
        """
        said = f"{type(error).__name__}: {_line(error)}"
        if not self._tap.used:
            if isinstance(error, _UNSENT):
                raise Inexpressible(f"boto3 does not send this: {_line(error)}") from None
            raise ClientFault(f"boto3 failed before it sent anything: {said}") from None
        own = urlsplit(self._endpoint.url).hostname
        if not self._tap.answered and self._tap.host != own and _nameless(error):
            raise ClientFault(f"boto3 found no address for {self._tap.host}: {said}") from None

    def _answered(self, observed: Observed, output: dict[str, Any]) -> None:
        meta = output.pop("ResponseMetadata", {})
        observed.headers = meta.get("HTTPHeaders") or self._tap.headers
        stream = output.pop("Body", None)
        if stream is not None:
            content = bytearray()
            try:  # to the very end: only there does the SDK check length and checksum, as it does for its users
                while (piece := stream.read(_READ)) and len(content) <= MAX_BODY:
                    content += piece
            except Exception as error:  # as above
                observed.ok, observed.failure = False, f"{type(error).__name__}: {_line(error)}"
            finally:
                stream.close()
            observed.body = bytes(content)
        observed.output = output


def _read_bounded(response: AWSResponse) -> None:
    """Read an answer that botocore would read whole, whatever its size, and leave it where botocore looks for it.

    Raises:
        ValueError: it is over the limit.
    """
    pieces, size = [], 0
    for piece in response.raw.stream(1 << 16):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BODY:
            response.raw.close()
            raise ValueError(f"answer is over the limit of {MAX_BODY} bytes")
    response._content = b"".join(pieces)  # noqa: SLF001 - what `content` keeps


class _Endless(Exception):
    """The paginator went past the bound."""


class _Seen(NamedTuple):
    """A request with the beginning of its body, and its answer or what happened instead."""

    request: AWSPreparedRequest
    sent: Body
    status: int | None
    response: AWSResponse | None
    error: str
    seconds: float


class _Tap:
    """Stands before botocore's HTTP session and keeps what passes; changes nothing but how much is read."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._seen: list[_Seen] = []

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        started = time.monotonic()
        streamed, request.stream_output = request.stream_output, True
        try:
            response: AWSResponse = self._session.send(request)
            if not streamed:
                _read_bounded(response)
        except Exception as error:
            self._keep(request, None, f"{type(error).__name__}: {_line(error)}", started)
            raise
        self._keep(request, response, "", started)
        return response

    def _keep(self, request: AWSPreparedRequest, response: AWSResponse | None, error: str, started: float) -> None:
        # Now, while a body that is a file is still open, and before botocore turns some 200 into 500.
        status = None if response is None else response.status_code
        body = _request_body(request.body)
        self._seen.append(_Seen(request, body, status, response, error, time.monotonic() - started))

    def close(self) -> None:
        self._session.close()

    def clear(self) -> None:
        self._seen.clear()

    @property
    def used(self) -> bool:
        return bool(self._seen)

    @property
    def answered(self) -> bool:
        return any(seen.status is not None for seen in self._seen)

    @property
    def host(self) -> str | None:
        url: str = self._seen[-1].request.url
        return urlsplit(url).hostname

    @property
    def status(self) -> int | None:
        return self._seen[-1].status if self._seen else None

    @property
    def headers(self) -> dict[str, str] | None:
        response = self._seen[-1].response if self._seen else None
        return None if response is None else joined(list(response.headers.items()))

    def exchanges(self, streamed: bytes | None) -> list[Exchange]:
        """What passed since `clear`; `streamed` is the body of the last answer where it was streamed."""
        return [_exchange(seen, streamed) for seen in self._seen]


def _exchange(seen: _Seen, streamed: bytes | None) -> Exchange:
    answer = seen.response
    body = answer._content if answer is not None else None  # noqa: SLF001 - reading it would block
    return Exchange(
        method=seen.request.method,
        url=seen.request.url,
        request_headers=[(str(name), _text(value)) for name, value in seen.request.headers.items()],
        request_body=seen.sent,
        status=seen.status,
        response_headers=[] if answer is None else list(answer.headers.items()),
        response_body=Body.of((streamed if body is None else body) or b""),
        error=seen.error,
        seconds=seen.seconds,
    )


def _request_body(body: Any) -> Body:
    """Evidence of a request body: bytes, or a file that has been sent and is read again from its start."""
    if body is None or isinstance(body, bytes | bytearray | str):
        return Body.of(body.encode() if isinstance(body, str) else bytes(body or b""))
    raw = getattr(body, "_raw", body)
    if not (hasattr(raw, "seek") and hasattr(raw, "tell")) or getattr(raw, "closed", False):
        return Body()
    at = raw.tell()
    raw.seek(0, io.SEEK_END)  # s3transfer's files do not return where they are
    size = raw.tell()
    raw.seek(0)
    kept = Body.of(raw.read(BODY_CAP), size)
    raw.seek(at)
    return kept


def _refused(observed: Observed, error: failures.ClientError) -> None:
    answer = error.response
    fields = {name: str(value) for name, value in answer.get("Error", {}).items()}
    observed.ok = False
    observed.code, observed.message = fields.pop("Code", ""), fields.pop("Message", "")
    observed.error_fields = fields
    meta = answer.get("ResponseMetadata", {})
    observed.status, observed.headers = meta.get("HTTPStatusCode"), meta.get("HTTPHeaders")


def _nameless(error: BaseException | None) -> bool:
    """Whether a connection failed because its host name has no address, or cannot have one."""
    while error is not None:
        if isinstance(error, socket.gaierror | UnicodeError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _python(operation: str, params: Mapping[str, Any]) -> str:
    """The call as a user would type it; long bodies are named, not printed."""
    shown = {name: _short(value) for name, value in params.items()}
    return f"s3.{xform_name(operation)}({', '.join(f'{name}={value}' for name, value in shown.items())})"


def _short(value: Any) -> str:
    return f"bytes({len(value)})" if isinstance(value, bytes) and len(value) > 64 else repr(value)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:400] or type(error).__name__
