"""From a request to an answer: take apart, route, authenticate, run the operation, write it out.

`App.authenticate`, `App.operations` and `App.serialise` are attributes of the instance: that is where behaviour
may be wrapped at start-up, and no handler knows.
"""

from __future__ import annotations

import base64
import os
import sys
import time
import traceback
from typing import TYPE_CHECKING

from reference_server.auth import STREAMING, Authenticated, Authenticator
from reference_server.call import Call, Handler, Result
from reference_server.codec import Codec, http_time
from reference_server.errors import NotModifiedError, S3Error
from reference_server.model import service_model
from reference_server.ops import buckets, config, copies, listings, multipart, objects, reads
from reference_server.personality import Personality
from reference_server.request import Request, parse
from reference_server.routing import Router
from reference_server.uploads import Uploads
from reference_server.wire import Answer, Body, DisconnectedError, Head, Headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reference_server.store import Store

SERVER = "s3conform"
_XML = ("Content-Type", "application/xml")
# Only these take aws-chunked bodies (catalogue AUTH-019).
_UPLOADS = {"PutObject", "UploadPart"}


class App:
    """An S3 endpoint over a store.

    Args:
        store: where everything is kept.
        credentials: secret keys by access key.
        region: of every bucket.
        domains: domain names for virtual-hosted-style requests.
        personality: which gateway to behave as.
        debug: print tracebacks of unexpected errors.
    """

    def __init__(
        self,
        store: Store,
        credentials: Mapping[str, str],
        *,
        region: str = "us-east-1",
        domains: tuple[str, ...] = (),
        personality: Personality | None = None,
        debug: bool = False,
    ) -> None:
        model = service_model()
        self.store = store
        self.uploads = Uploads(store)
        self.region = region
        self.personality = personality or Personality("aws")
        self.codec = Codec(model.service)
        self.operations: dict[str, Handler] = {}
        for module in (buckets, config, copies, listings, multipart, objects, reads):
            self.operations.update(module.HANDLERS)
        self.authenticate: Callable[[Request], Authenticated] = Authenticator(credentials, region).authenticate
        self.serialise: Callable[[Call, Result], Answer] = self._serialise
        self._router = Router(model.document)
        self._domains = ("localhost", *domains)
        self._debug = debug

    def __call__(self, head: Head, body: Body) -> Answer:
        """Answer one request."""
        try:
            request = parse(head, body, self._domains)
            if request.method == "OPTIONS":
                raise _preflight(request)
            call = self._prepare(request)
            return self.serialise(call, self.operations[call.operation](call))
        except S3Error as error:
            return self._error(error)
        except NotModifiedError as unchanged:
            return Answer(304, self._frame(unchanged.headers))
        except DisconnectedError:
            raise
        except Exception as error:
            return self._unexpected(error)

    def refuse(self, error: S3Error) -> Answer:
        """Answer bytes that are no request."""
        return self._error(error)

    def _prepare(self, request: Request) -> Call:
        operation = self._router.route(request)
        authenticated = self.authenticate(request)
        if authenticated.payload in STREAMING and operation not in _UPLOADS:
            raise S3Error("InvalidRequest", "The value of x-amz-content-sha256 header is invalid.")
        refusal = self.personality.refusals.get(operation)
        if refusal is not None:
            raise S3Error(refusal.code, refusal.message, status=refusal.status)
        if operation not in self.operations:
            raise S3Error("NotImplemented", f"The operation {operation} is not implemented by this server.")
        members = self.codec.parse_input(operation, request.parameters, request.headers)
        return Call(self, request, authenticated, operation, members)

    def _serialise(self, call: Call, result: Result) -> Answer:
        encoded = self.codec.write(call.operation, result.members)
        status = result.status or encoded.status
        headers = encoded.headers + result.headers
        if result.body is not None:
            return Answer(status, self._frame(headers), result.body, result.length, done=result.done)
        if encoded.body:
            headers += [_XML, ("Content-Length", str(len(encoded.body)))]
        elif status != 204 and call.request.method != "HEAD":
            headers.append(("Content-Length", "0"))
        return Answer(status, self._frame(headers), encoded.body)

    def _error(self, error: S3Error) -> Answer:
        request_id, host_id = _request_ids()
        document = error.document(request_id, host_id)
        headers = [*error.headers.items(), _XML, ("Content-Length", str(len(document)))]
        return Answer(error.status, self._frame(headers, (request_id, host_id)), document)

    def _unexpected(self, error: Exception) -> Answer:
        sys.stderr.write(f"internal error: {type(error).__name__}: {error}\n".replace("\n", " ").strip() + "\n")
        if self._debug:
            traceback.print_exc()
        return self._error(S3Error("InternalError"))

    def _frame(self, headers: Headers, ids: tuple[str, str] | None = None) -> Headers:
        """The headers with those that every answer has (catalogue GET-036, LINT-030)."""
        request_id, host_id = ids or _request_ids()
        return [
            ("x-amz-id-2", host_id),
            ("x-amz-request-id", request_id),
            ("Date", http_time(int(time.time()))),
            *headers,
            ("Server", SERVER),
        ]


def _request_ids() -> tuple[str, str]:
    raw = os.urandom(56)
    return raw[:8].hex().upper(), base64.b64encode(raw).decode()


def _preflight(request: Request) -> S3Error:
    """CORS preflight: no bucket here has a CORS configuration (catalogue CORS-002, CORS-003)."""
    if "origin" not in request.headers:
        return S3Error("BadRequest", "Insufficient information. Origin request header needed.")
    asked = request.headers.get("access-control-request-method", "")
    return S3Error("AccessForbidden", None, {"Method": asked, "ResourceType": request.level.upper()})
