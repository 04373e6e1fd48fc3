"""boto3, in process: what an SDK user sees. Retries are off, so that every answer is the endpoint's own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import boto3
import boto3.session
import botocore.exceptions as failures
from boto3.s3.transfer import TransferConfig
from botocore import xform_name
from botocore.config import Config

from harness.clients.base import MAX_PAGES, Observed, joined
from harness.config import Endpoint
from harness.signals import ClientFault, Inexpressible
from harness.wire.http1 import MAX_BODY
from harness.wire.link import CLIENT_LEFT
from harness.wire.tape import Budget, Recorded
from harness.wire.wiretap import Wiretap

_READ = 256 * 1024
_BUDGET = Budget(received=MAX_BODY)
"""What one call may take in: botocore reads most answers whole, whatever their size."""
_TOP_LEVEL = ("request_checksum_calculation", "response_checksum_validation", "signature_version")
"""Settings of `Config` itself; the others belong to the `s3` in it."""
_BOOLEAN = {"true": True, "false": False}
_UNSENT = (failures.ParamValidationError, failures.UnknownServiceError, UnicodeError)
"""What boto3 raises for parameters that it cannot send."""


class Boto3Client:
    """One boto3 S3 client for a whole worker.

    Args:
        endpoint: where to send, and with whose credentials.
        settings: further values of its `Config`, or of the `s3` in it.
        tap: what records it.
    """

    name = "boto3"

    def __init__(self, endpoint: Endpoint, settings: Mapping[str, str], tap: Wiretap) -> None:
        self._tap = tap
        s3: dict[str, Any] = {"addressing_style": endpoint.addressing}
        s3 |= {name: _BOOLEAN.get(value, value) for name, value in settings.items() if name not in _TOP_LEVEL}
        config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"},
            s3=s3,
            connect_timeout=endpoint.timeout,
            read_timeout=endpoint.timeout,
            proxies={"http": tap.url, "https": tap.url},
            ignore_configured_endpoint_urls=True,
            use_dualstack_endpoint=False,
            use_fips_endpoint=False,
            **{"signature_version": "s3v4"} | {name: settings[name] for name in _TOP_LEVEL if name in settings},
        )
        credentials = endpoint.credentials
        self._client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint.url,
            region_name=endpoint.region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.session_token or None,
            verify=tap.ca_bundle or None,
            config=config,
        )

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
            for page in paginator.paginate(**params):
                for name, entries in joined_output.items():
                    entries += page.get(name, [])
            return joined_output

        return self._observe(operation, walk, _python(operation, params), Budget(MAX_PAGES, MAX_BODY))

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

    def _observe(self, operation: str, send: Any, code: str, budget: Budget = _BUDGET) -> Observed:
        """What a call comes to.

        Raises:
            Inexpressible: boto3 does not send this.
            ClientFault: it broke before it sent anything.
        """
        self._tap.start(budget)
        observed = Observed(operation, self.name, ok=True, command={"boto3": code})
        failed: Exception | None = None
        try:
            self._answered(observed, send())
        except failures.ClientError as error:
            _refused(observed, error)
        except Exception as error:  # whatever the SDK makes of a strange answer is the finding
            failed = error
            observed.ok = False
            observed.failure = f"{type(error).__name__}: {_line(error)}"
            if isinstance(error.__cause__, failures.ClientError):
                _refused(observed, error.__cause__)
        spent, records = self._tap.spent, self._tap.take()
        if failed is not None and not records:
            if isinstance(failed, _UNSENT):
                raise Inexpressible(f"boto3 does not send this: {_line(failed)}") from None
            raise ClientFault(f"boto3 failed before it sent anything: {observed.failure}") from None
        observed.exchanges = [record.exchange for record in records]
        self._seen(observed, records[-1] if records else None)
        observed.failure = spent or observed.failure
        return observed

    def _seen(self, observed: Observed, last: Recorded | None) -> None:
        """The answer as it came: botocore turns some 200 answers into 500, and tells less of what came instead."""
        if last is not None and last.answer is not None:
            observed.status, observed.headers = last.answer.status, joined(last.answer.headers)
        elif last is not None and not observed.ok and last.exchange.error != CLIENT_LEFT:
            observed.failure = last.exchange.error or observed.failure

    def _answered(self, observed: Observed, output: dict[str, Any]) -> None:
        output.pop("ResponseMetadata", None)
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


def _refused(observed: Observed, error: failures.ClientError) -> None:
    answer = error.response
    fields = {name: str(value) for name, value in answer.get("Error", {}).items()}
    observed.ok = False
    observed.code, observed.message = fields.pop("Code", ""), fields.pop("Message", "")
    observed.error_fields = fields


def _python(operation: str, params: Mapping[str, Any]) -> str:
    """The call as a user would type it; long bodies are named, not printed."""
    shown = {name: _short(value) for name, value in params.items()}
    return f"s3.{xform_name(operation)}({', '.join(f'{name}={value}' for name, value in shown.items())})"


def _short(value: Any) -> str:
    return f"bytes({len(value)})" if isinstance(value, bytes) and len(value) > 64 else repr(value)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:400] or type(error).__name__
