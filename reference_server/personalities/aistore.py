"""NVIDIA AIStore: a gateway that sends object requests on to a second port, and its own S3 behind both.

Requests are routed as AIStore routes them and rewritten to what this server understands, see `_aistore_requests`; the
operations are in `_aistore_operations`, the documents in `_aistore_answers`. Nothing is authenticated, as in a cluster
without AuthN. Three settings of the native API are there: `PATCH /v1/buckets/NAME` and `PUT /v1/cluster` with
`{"value": {"checksum": {"type": "md5"}}}` set the checksum of a bucket, or of all buckets made from then on, and
`PUT /v1/cluster` with `{"value": {"auth": {"enabled": true, "secret": "..."}}}` turns AuthN on, see `_aistore_authn`.

Where no second listener is, all is answered at once, as with the feature S3-Reverse-Proxy.

Source: NVIDIA/aistore at 583e7729, docs/s3compat.md and ais/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reference_server.answers import without
from reference_server.auth import UNSIGNED, Account, Authenticated
from reference_server.call import Call, Result
from reference_server.errors import S3Error
from reference_server.payload import Declared, Payload
from reference_server.personalities import _aistore_authn as authn
from reference_server.personalities import _aistore_operations as operations
from reference_server.personalities._aistore_answers import OWNER, answer, document_of, redirect, refusal
from reference_server.personalities._aistore_requests import METHODS, STREAMING, Route, generic, rewritten, route
from reference_server.request import split_target

if TYPE_CHECKING:
    from reference_server.app import App
    from reference_server.request import Request
    from reference_server.wire import Answer, Body, Head

_ACCOUNT = Account("aistore", OWNER, "000000000001")
_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_SENT_BY = "pid=p%5Bs3conform%5D"
"""Which gateway sent a request on; a target has it in the query, whatever way the client came."""
_STYLE = "ais-s3-signed-request-style"
_STYLES = ("", "path", "virtual-hosted")


class _Unchecked(Payload):
    """A body of which nothing that its headers say is held against it but its length; chunks come off unverified."""

    least_chunk = 0

    def __init__(self, request: Request, authenticated: Authenticated, **_options: bool) -> None:
        super().__init__(request, authenticated)
        name = "x-amz-decoded-content-length" if authenticated.payload == _CHUNKS else "content-length"
        text = request.headers.get(name, "")
        self.declared = Declared(None, "", None, None, int(text) if text.isdecimal() else None)

    def require_length(self, headers: dict[str, str]) -> None:
        """A body of unknown length is read to its end."""

    def _check_checksum(self, received: Any, trailers: dict[str, str]) -> None:
        """Trailers are not read."""


class _Cluster:
    """One gateway and one target.

    Attributes:
        checksum: of buckets that are made from now on.
        secret: what signs the tokens of AuthN; "" while it is off.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self.checksum = operations.DEFAULT_CHECKSUM
        self.secret = ""

    # Wire

    def wire(self, inner: Callable[[Head, Body], Answer]) -> Callable[[Head, Body], Answer]:
        """Route, redirect, and answer what is left to answer."""

        def wire(head: Head, body: Body) -> Answer:
            try:
                found = self._answered(head, body, inner)
            except S3Error as error:
                found = self._app.refuse(error)
            without("x-amz-id-2", "x-amz-request-id")(found)
            found.headers = [one for one in found.headers if one[0] != "Server" or one[1] == "AIStore"]
            return found

        return wire

    def _answered(self, head: Head, body: Body, inner: Callable[[Head, Body], Answer]) -> Answer:
        if self.secret and not authn.admitted(head.headers, self.secret, self._app.store.clock()):
            raise S3Error("AccessDenied", "token required")
        if head.method == "PATCH" or (head.method, head.target) == ("PUT", b"/v1/cluster"):
            return self._configured(head, body)
        if not head.headers.get("host"):
            raise generic("missing required Host header")
        if head.method not in METHODS:
            return _not_allowed(head)
        found = route(head)
        for bucket in _buckets(found, head):
            if self._app.store.bucket(bucket) is None:
                raise operations.no_such_bucket(bucket)
        if found.handler == "unsupported":
            return answer(501, [])
        _check_headers(head, found)
        target = urlsplit(self._target(head))
        if found.at_target and target.port is not None and not _has_come(head, target.port):
            return redirect(_location(target.scheme, target.port, head), found.bucket or "")
        return inner(rewritten(head, found), body)

    def _target(self, head: Head) -> str:
        """The second listener, over plain HTTP for those who ask so."""
        return self._app.target if head.secure or not self._app.plain_target else self._app.plain_target

    def _configured(self, head: Head, body: Body) -> Answer:
        """The native API, as far as the checksum and AuthN go."""
        path = split_target(head.target)[0].strip("/").split("/")
        try:
            value = json.loads(b"".join(body))["value"]
            if path == ["v1", "cluster"] and "auth" in value:
                self.secret = str(value["auth"]["secret"]) if value["auth"]["enabled"] else ""
                return answer(200, [])
            kind = str(value["checksum"]["type"])
        except (ValueError, LookupError, TypeError):
            raise generic("invalid action message") from None
        if path == ["v1", "cluster"]:
            self.checksum = kind
            return answer(200, [])
        bucket = self._app.store.bucket(path[-1])
        if bucket is None:
            raise operations.no_such_bucket(path[-1])
        self._app.store.configure(bucket, operations.CHECKSUM, kind)
        return answer(200, [])

    # Operations

    def operation(self, inner: operations.Operation) -> operations.Operation:
        """AIStore's own operation."""
        own: Mapping[str, operations.Operation] = {
            "AbortMultipartUpload": partial(operations.abort_upload, inner=inner),
            "CompleteMultipartUpload": operations.complete_upload,
            "CopyObject": operations.copy_object,
            "CreateBucket": lambda call: operations.create_bucket(call, self.checksum),
            "CreateMultipartUpload": operations.create_upload,
            "DeleteBucket": operations.delete_bucket,
            "DeleteObject": operations.delete_object,
            "DeleteObjects": operations.delete_objects,
            "GetBucketVersioning": operations.get_versioning,
            "GetObject": partial(operations.get_object, inner=inner),
            "HeadBucket": operations.head_bucket,
            "HeadObject": operations.head_object,
            "ListMultipartUploads": operations.list_uploads,
            "ListObjectsV2": operations.list_objects,
            "ListParts": operations.list_parts,
            "PutBucketVersioning": operations.put_versioning,
            "PutObject": operations.put_object,
            "UploadPart": partial(operations.upload_part, inner=inner),
            "UploadPartCopy": operations.upload_part_copy,
        }

        def operation(call: Call) -> Result:
            return own.get(call.operation, inner)(call)

        return operation


def _buckets(found: Route, head: Head) -> list[str]:
    """Buckets that must be there: that of the path, and that of the source of a copy."""
    if not found.needs_bucket or found.bucket is None:
        return []
    if found.handler != "CopyObject":
        return [found.bucket]
    source, slash, _ = head.headers["x-amz-copy-source"].strip("/").partition("/")
    if not slash:
        raise generic("missing or empty object name")
    return [source, found.bucket]


def _has_come(head: Head, port: int) -> bool:
    """Whether a request is where it was sent on to: by the port in Host, or by what the gateway added to the query."""
    _, query = split_target(head.target)
    return head.headers["host"].endswith(f":{port}") or query.endswith(_SENT_BY)


def _location(scheme: str, port: int, head: Head) -> str:
    """The same request at the target, by the name that the client has for this machine, with what the gateway adds."""
    path, query = split_target(head.target)
    host = re.sub(r":[0-9]+$", "", head.headers["host"])
    return f"{scheme}://{host}:{port}{path}?{query + '&' if query else ''}{_SENT_BY}"


def _check_headers(head: Head, found: Route) -> None:
    """Headers of AIStore's own that contradict each other, or say what is not known."""
    headers = head.headers
    _, query = split_target(head.target)
    style = headers.get(_STYLE, "")
    if "X-Amz-Signature=" in query and style not in _STYLES:
        raise generic(f"unrecognized request style provided: {style}")
    inventory, name = headers.get("ais-bucket-inventory", ""), headers.get("ais-inv-name", "")
    if found.handler == "ListObjectsV2" and name and inventory.lower() == "false":
        raise generic(f"conflicting headers: Ais-Inv-Name={name} and Ais-Bucket-Inventory={inventory}")


def _not_allowed(head: Head) -> Answer:
    """405 in the form of the native API."""
    path, _ = split_target(head.target)
    told = {"status": 405, "message": f"method {head.method} is not allowed", "method": head.method, "url_path": path}
    headers = [("Allow", ", ".join(METHODS)), ("Content-Type", "application/json")]
    return answer(405, [*headers, ("X-Content-Type-Options", "nosniff")], json.dumps(told).encode())


def _authenticate(_inner: Callable[[Request], Authenticated]) -> Callable[[Request], Authenticated]:
    """Whoever asks, signed or not: there is one account."""

    def authenticate(request: Request) -> Authenticated:
        chunks = request.headers.get("x-amz-content-sha256", "").startswith(STREAMING)
        return Authenticated(_ACCOUNT, _CHUNKS if chunks else UNSIGNED)

    return authenticate


def _serialise(
    inner: Callable[[Call | None, Result | S3Error], Answer],
) -> Callable[[Call | None, Result | S3Error], Answer]:
    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        if isinstance(outcome, S3Error):
            return refusal(outcome)
        return (document_of(call, outcome) if call is not None else None) or inner(call, outcome)

    return serialise


def wraps(app: App) -> Mapping[str, Callable[[Any], Any]]:
    """AIStore's functions for the seams of an application."""
    cluster = _Cluster(app)
    return {
        "wire": cluster.wire,
        "auth": _authenticate,
        "payload": lambda _inner: _Unchecked,
        "operation": cluster.operation,
        "serialise": _serialise,
    }
