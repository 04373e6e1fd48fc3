"""The AWS SDK for JavaScript v3 on Node, as an application has it: one client object that stays.

A Node process (`jssdk.mjs`) is started once and spoken to in lines of JSON; everything that it sends goes through
the wiretap. Retries are off, so that every answer is the endpoint's own; all else is at the SDK's defaults
unless a gateway tells its users otherwise.
"""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from harness.clients import jssdk_install
from harness.clients.base import MAX_PAGES, Observed
from harness.clients.jssdk_process import Conversation
from harness.clients.program import GRACE
from harness.clients.raw import observe
from harness.clients.runner import Private, scrubbed
from harness.errors import unknown
from harness.signals import ClientFault, Inexpressible
from harness.wire import model
from harness.wire.http1 import MAX_BODY, Origin
from harness.wire.route import find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from botocore.model import Shape

    from harness.config import Endpoint
    from harness.wire.tape import Recorded
    from harness.wire.wiretap import Wiretap

MIN_PART = 5 * 1024 * 1024
SETTINGS = ("requestChecksumCalculation", "responseChecksumValidation")
"""Options of the SDK's client that a gateway may tell its users to set."""
_START_SECONDS = 30.0
_SECRET = frozenset({"SSECustomerKey", "CopySourceSSECustomerKey"})
_OWN_FAULTS = frozenset({"CredentialsProviderError", "NoWiretap", "ReferenceError", "SyntaxError", "TypeError"})
"""Errors that are no refusal of a parameter where nothing was sent, unless they have a code."""
_NAMELESS = frozenset({"Unknown", "UnknownError"})
"""What the SDK calls an answer that names no error."""


class JsSdk:
    """The SDK against one endpoint.

    Args:
        endpoint: where to send, and with whose credentials.
        settings: options of the SDK's client, those of `SETTINGS`.
        tap: what records it.
        folder: a project whose node_modules has the SDK; by default where `jssdk_install` puts it.

    Raises:
        UsageError: a setting that is not known.
    """

    name: ClassVar[str] = "jssdk"

    def __init__(self, endpoint: Endpoint, settings: Mapping[str, Any], tap: Wiretap, folder: str = "") -> None:
        for setting in settings:
            if setting not in SETTINGS:
                raise unknown("setting of jssdk", setting, SETTINGS)
        self._endpoint, self._tap = endpoint, tap
        self._origin = Origin.of(endpoint.url)
        self._settings = dict(settings)
        self._packages = str(jssdk_install.project(folder))
        self._private = Private()
        self._program = Path(__file__).with_suffix(".mjs")
        self._conversation: Conversation | None = None
        self._number = 0

    @classmethod
    def available(cls, folder: str = "") -> tuple[str, str]:
        """The SDK's version and "", or "" and the reason why it cannot be used."""
        return jssdk_install.available(folder)

    # --- the client's verbs ---

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:
        """One operation by its command; what the SDK refuses to send is inexpressible."""
        return self.script("call", operation, params)

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        """Every page by the SDK's paginator, which only version 2 has."""
        if version != 2:
            raise Inexpressible("the SDK for JavaScript has no paginator for ListObjects")
        observed = self.script("list", "ListObjectsV2", params)
        observed.output = {"Contents": [], "CommonPrefixes": []} | observed.output
        return observed

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:
        """`Upload` of lib-storage in parts of `part_size` bytes; what fits in one part goes by PutObject."""
        return self.script("upload", "CompleteMultipartUpload", params, part_size=part_size)

    def script(
        self,
        name: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        settings: Mapping[str, Any] | None = None,
        part_size: int = MIN_PART,
        expires: int = 60,
    ) -> Observed:
        """One of the snippets of `jssdk.mjs`, as a user would write it.

        Args:
            name: `call`, or `stream` for a Body that is a stream; `list` for the paginator; `upload` and
                `uploadStream` for lib-storage; `presign` for a URL in the member `Url`, which sends nothing.
            operation: the command, and what the answer is told of.
            params: its parameters, under the service model's names.
            settings: options of the SDK's client for this call alone.
            part_size: bytes of a part, for uploads.
            expires: seconds that a presigned URL holds.

        Raises:
            Inexpressible: the SDK has no way to say this, or refuses to send it.
            ClientFault: Node or the SDK broke.
        """
        request = {"verb": name, "operation": operation, "params": _said(operation, name, params)}
        options = {"partSize": part_size, "expiresIn": expires, "pages": MAX_PAGES, "settings": settings or {}}
        if name in ("upload", "uploadStream") and part_size < MIN_PART:
            raise Inexpressible(f"lib-storage makes no parts below {MIN_PART} bytes")
        self._tap.start()
        answer = self._ask(request | options, (2 if name in ("call", "stream") else 3) * self._endpoint.timeout)
        recorded = [] if name == "presign" else self._tap.take()
        observed = self._observed(operation, params, answer, recorded, silent=name == "presign")
        observed.command = {self.name: _javascript(name, operation, params, part_size, expires)}
        return observed

    def close(self) -> None:
        """End Node and remove its private folder."""
        if self._conversation is not None:
            self._conversation.end()
        self._private.close()

    # --- Node ---

    def _ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """What Node answers; it ends the work itself after `seconds`, and is ended itself a while later."""
        if self._conversation is None or not self._conversation.alive:
            self._start()
        assert self._conversation is not None  # noqa: S101 - started above, for the type checker
        self._number += 1
        numbered = {"id": self._number, "milliseconds": round(1000 * seconds), **request}
        return self._conversation.ask(numbered, seconds + GRACE)

    def _start(self) -> None:
        if self._conversation is not None:
            self._conversation.end()
        environment = scrubbed(self._private.home) | {"AWS_EC2_METADATA_DISABLED": "true"}
        if self._tap.ca_bundle:
            environment["NODE_EXTRA_CA_CERTS"] = self._tap.ca_bundle
        words = [jssdk_install.node() or "node", "--no-warnings", str(self._program), self._packages]
        conversation = self._conversation = Conversation(words, self._private.folder, environment)
        conversation.ask(self._configuration(), _START_SECONDS)

    def _configuration(self) -> dict[str, Any]:
        endpoint, tap = self._endpoint, urlsplit(self._tap.url)
        credentials = {
            "accessKeyId": endpoint.credentials.access_key,
            "secretAccessKey": endpoint.credentials.secret_key,
            "sessionToken": endpoint.credentials.session_token or None,
        }
        return {
            "id": 0,
            "endpoint": endpoint.url,
            "region": endpoint.region,
            "credentials": {name: text for name, text in credentials.items() if text is not None},
            "forcePathStyle": endpoint.addressing == "path",
            "tap": {"host": tap.hostname, "port": tap.port},
            "timeout": round(1000 * endpoint.timeout),
            "maxBody": MAX_BODY,
            "maxAttempts": 1,
        } | self._settings

    # --- what it came to ---

    def _observed(
        self,
        operation: str,
        params: Mapping[str, Any],
        answer: Mapping[str, Any],
        recorded: Sequence[Recorded],
        silent: bool,
    ) -> Observed:
        error: dict[str, Any] = answer.get("error") or {}
        said = _line(error.get("message", ""))
        said = said if error.get("name") == "Endless" else f"{error.get('name', 'Error')}: {said}"
        _check_sent(error, said, bool(recorded or answer.get("sent")), silent)
        observed = Observed(operation, self.name, ok=not error, output=_members(operation, answer.get("output") or {}))
        record = self._record(operation, params, error, recorded)
        if record is not None and record.answer is not None:
            wire = observe(operation, self.name, record.answer, record.exchange)
            observed.status, observed.headers, observed.error_fields = wire.status, wire.headers, wire.error_fields
            observed.code, observed.message = wire.code, wire.message
        if "body" in answer:
            observed.body = base64.b64decode(answer["body"])
        if error:
            _refused(observed, error, said)
        else:
            observed.code = observed.message = ""
        observed.exchanges = [item.exchange for item in recorded]
        return observed

    def _record(
        self, operation: str, params: Mapping[str, Any], error: Mapping[str, Any], recorded: Sequence[Recorded]
    ) -> Recorded | None:
        """The exchange that decided: the operation's, or else the last; of an error, among those with its status."""
        refused = [one for one in recorded if error.get("status") and one.exchange.status == error["status"]]
        among = refused or recorded
        bucket, key = str(params.get("Bucket", "")), str(params.get("Key", ""))
        return find(among, self._origin, [operation], bucket, key) or (among[-1] if among else None)


def _check_sent(error: Mapping[str, Any], said: str, sent: bool, silent: bool) -> None:
    """Tell what came of the endpoint from what never reached it.

    Raises:
        Inexpressible: the SDK does not send this.
        ClientFault: it broke, or reports success without having sent anything.
    """
    if error.get("name") == "NoWiretap":
        raise ClientFault(f"the SDK did not reach the wiretap: {said}")
    if sent or (silent and not error):
        return
    if not error or error.get("status") is not None:
        raise ClientFault(f"the SDK reported {said if error else 'success'} without sending anything")
    if error.get("name") in _OWN_FAULTS and not error.get("code"):
        raise ClientFault(f"the SDK failed before it sent anything: {said}")
    raise Inexpressible(f"the SDK does not send this: {said}")


def _refused(observed: Observed, error: Mapping[str, Any], said: str) -> None:
    """An error of the service by the name that the SDK gives it; anything else is what happened instead."""
    if not error.get("fault") or error.get("status") is None:
        observed.failure = said
        return
    name = str(error.get("name", ""))
    observed.status = observed.status or error["status"]
    observed.code = observed.code or ("" if name in _NAMELESS else name)
    observed.message = observed.message or ("" if observed.headers is not None else _line(error.get("message", "")))


# --- what it is told, and tells ---


def _said(operation: str, name: str, params: Mapping[str, Any]) -> Any:
    """The parameters as JSON, checked against the service model: the SDK drops silently what it does not know.

    Raises:
        Inexpressible: a parameter that S3 does not have, or that the SDK would take for something else.
    """
    if operation not in model.operations():
        raise Inexpressible(f"the SDK for JavaScript has no {operation}")
    if params.get("Key") == "":
        raise Inexpressible("the SDK sends an object's operation with an empty key to its bucket")
    if name in ("upload", "uploadStream"):
        operation = "PutObject"
    output = model.operation(operation).output_shape
    if model.operation(operation).has_event_stream_output:
        raise Inexpressible(f"{output.name if output else operation} is a stream of events")
    shape = model.operation(operation).input_shape
    return {} if shape is None else _value(shape, params, operation)


def _value(shape: Shape, value: Any, where: str) -> Any:
    """A value as JSON, dates and bytes marked, all the way down."""
    if shape.type_name == "structure" and isinstance(value, dict):
        strange = sorted(set(value) - set(shape.members))
        if strange:
            raise Inexpressible(f"{where} has no {', '.join(strange)}")
        return {name: _value(shape.members[name], item, name) for name, item in value.items()}
    if shape.type_name == "list" and isinstance(value, list | tuple):
        return [_value(shape.member, item, where) for item in value]
    if shape.type_name == "timestamp":
        return {"$date": _instant(value, where)}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()} if shape.type_name == "blob" else value.decode("latin-1")
    return value


def _instant(value: Any, where: str) -> str:
    """ISO 8601 text of a date, or of text that is one as ISO 8601 or HTTP writes it."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    for read in (dt.datetime.fromisoformat, email.utils.parsedate_to_datetime):
        try:
            return read(str(value)).isoformat()
        except ValueError:
            continue
    raise Inexpressible(f"the SDK takes only dates for {where}")


def _members(operation: str, output: Mapping[str, Any]) -> dict[str, Any]:
    """The members of an answer, numbers as such: the SDK tells the markers of parts as text."""
    shape = model.operation(operation).output_shape
    numbers = {name for name, member in shape.members.items() if member.type_name == "integer"} if shape else set()
    return {
        name: int(item) if name in numbers and isinstance(item, str) and item.isdecimal() else item
        for name, item in output.items()
    }


def _javascript(name: str, operation: str, params: Mapping[str, Any], part_size: int, expires: int) -> str:
    """The call as a user would type it; long bodies are named, not printed."""
    shown = {member: "…" if member in _SECRET else value for member, value in params.items()}
    text = json.dumps(shown, default=_short, ensure_ascii=False)
    forms = {
        "list": f"for await (const page of paginateListObjectsV2({{ client: s3 }}, {text}))",
        "upload": f"await new Upload({{ client: s3, params: {text}, partSize: {part_size} }}).done()",
        "presign": f"await getSignedUrl(s3, new {operation}Command({text}), {{ expiresIn: {expires} }})",
    }
    forms["uploadStream"] = forms["upload"]
    return forms.get(name, f"await s3.send(new {operation}Command({text}))")


def _short(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes" if len(value) > 64 else value.decode("utf-8", "replace")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _line(text: Any) -> str:
    return " ".join(str(text).split())[:400]
