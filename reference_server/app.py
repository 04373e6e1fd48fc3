"""From a request to an answer: take apart, route, authenticate, run the operation, write it out.

What may behave differently, for a personality or a defect, goes through `App.seams`.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

from reference_server import browser, listing, website
from reference_server.auth import STREAMING, Account, Authenticator, Credential
from reference_server.call import Call, Handler, Result
from reference_server.codec import Codec
from reference_server.errors import NotModifiedError, S3Error
from reference_server.frame import frame, request_ids
from reference_server.model import service_model
from reference_server.objects import Objects
from reference_server.ops import (
    acls,
    attributes,
    buckets,
    config,
    copies,
    forms,
    listings,
    locks,
    multipart,
    objects,
    reads,
    tagging,
)
from reference_server.payload import Payload
from reference_server.personality import Personality
from reference_server.request import Request, parse
from reference_server.routing import POST_OBJECT, Router
from reference_server.rules.encryption import KeyRing
from reference_server.seams import Seams
from reference_server.uploads import Uploads
from reference_server.wire import Answer, Body, DisconnectedError, Head

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reference_server.store import Store

_XML = ("Content-Type", "application/xml")
# Only these take aws-chunked bodies (catalogue AUTH-019).
_UPLOADS = {"PutObject", "UploadPart"}
_GROUPS = (*(acls, attributes, buckets, config, copies, forms, listings, locks, multipart, objects, reads, tagging),)


class App:
    """An S3 endpoint over a store.

    Args:
        store: where everything is kept; its clock is the one of the server.
        credentials: secret keys, or credentials, by access key.
        region: of every bucket.
        domains: domain names for virtual-hosted-style requests.
        personality: which gateway to behave as.
        keys: the KMS keys that exist.
        defects: names of defects to behave with, see `reference_server.defects`.
        variants: names of harmless variants to behave with, see `reference_server.variants`.
        debug: print tracebacks of unexpected errors.

    Attributes:
        domains: domain names for virtual-hosted-style requests, in lower case.
        target: URL of a second listener of this application, which it may redirect to; empty until there is one.
        plain_target: that of one over plain http, where the application is served over http and https.
    """

    def __init__(
        self,
        store: Store,
        credentials: Mapping[str, str | Credential],
        *,
        region: str = "us-east-1",
        domains: tuple[str, ...] = (),
        personality: Personality | None = None,
        keys: KeyRing | None = None,
        defects: Iterable[str] = (),
        variants: Iterable[str] = (),
        debug: bool = False,
    ) -> None:
        model = service_model()
        self.store = store
        self.objects = Objects(store)
        self.uploads = Uploads(store, self.objects)
        self.region = region
        self.personality = personality or Personality("aws")
        self.keys = keys or KeyRing()
        self.codec = Codec(model.service)
        self._authenticator = Authenticator(credentials, region, store.clock)
        self.operations: dict[str, Handler] = {}
        for group in _GROUPS:
            self.operations.update(group.HANDLERS)
        self._router = Router(model.document)
        self.domains = ("localhost", *domains)
        self._debug = debug
        self.target = ""
        self.plain_target = ""
        self._wraps = self.personality.wraps(self)
        self.behave(defects, variants)

    def behave(self, defects: Iterable[str], variants: Iterable[str] = ()) -> None:
        """Behave as the personality, with exactly these defects and harmless variants, from the next request on.

        Raises:
            UnknownDefectError: there is no defect of that name.
            UnknownVariantError: there is no variant of that name.
        """
        seams = self._honest()
        names, chosen = list(defects), list(variants)
        if chosen:
            from reference_server import variants as harmless  # noqa: PLC0415 - costs nothing where nobody asks

            harmless.install(seams, chosen)
        if names:
            # Costs nothing where nobody asks for a defect.
            from reference_server.defects import install  # noqa: PLC0415

            install(seams, names)
        self.seams = seams

    @property
    def credentials(self) -> Mapping[str, Credential]:
        """Who may sign, by access key."""
        return self._authenticator.credentials

    def account(self, account_id: str) -> Account | None:
        """The account with this canonical id, if it has credentials here."""
        return self._authenticator.account(account_id)

    def authenticate_form(self, fields: Mapping[str, str]) -> Account:
        """The account that signed a form."""
        return self._authenticator.authenticate_form(fields)

    def __call__(self, head: Head, body: Body) -> Answer:
        """Answer one request."""
        return self.seams.wire(head, body)

    def refuse(self, error: S3Error) -> Answer:
        """Answer bytes that are no request."""
        return self.seams.serialise(None, error)

    def _honest(self) -> Seams:
        seams = Seams(
            wire=self._answer,
            auth=self._authenticator.authenticate,
            payload=Payload,
            operation=self._operate,
            listing=listing.page,
            serialise=self._serialise,
        )
        for seam, wrap in self._wraps.items():
            setattr(seams, seam, wrap(getattr(seams, seam)))
        return seams

    def _answer(self, head: Head, body: Body) -> Answer:
        call = None
        try:
            request = parse(head, body, self.domains)
            if request.website:
                return website.answer(self, request)
            if request.method == "OPTIONS":
                return Answer(200, frame([*browser.preflight(self.store, request), ("Content-Length", "0")]))
            call = self._prepare(request)
            answer = self.seams.serialise(call, self.seams.operation(call))
        except S3Error as error:
            answer = self.seams.serialise(call, error)
        except NotModifiedError as unchanged:
            answer = Answer(304, frame(unchanged.headers))
        except DisconnectedError:
            raise
        except Exception as error:
            answer = self._unexpected(error)
        if "origin" in head.headers:
            answer.headers += browser.actual(self.store, head, self.domains)
        return answer

    def _prepare(self, request: Request) -> Call:
        operation = self._router.route(request)
        authenticated = self.seams.auth(request)
        refusal = self.personality.refusals.get(operation)
        if refusal is not None:
            raise S3Error(refusal.code, refusal.message, status=refusal.status)
        if operation not in self.operations:
            raise S3Error("NotImplemented", f"The operation {operation} is not implemented by this server.")
        if authenticated.payload in STREAMING and operation not in _UPLOADS:
            raise S3Error("InvalidRequest", "The value of x-amz-content-sha256 header is invalid.")
        if operation == POST_OBJECT:
            return Call(self, request, authenticated, operation, {})
        members = self.codec.parse_input(operation, request.parameters, request.headers)
        return Call(self, request, authenticated, operation, members)

    def _operate(self, call: Call) -> Result:
        return self.operations[call.operation](call)

    def _serialise(self, call: Call | None, outcome: Result | S3Error) -> Answer:
        if isinstance(outcome, S3Error) or call is None:
            return self._error(outcome if isinstance(outcome, S3Error) else S3Error("InternalError"))
        encoded = self.codec.write(call.operation, outcome.members)
        status = outcome.status or encoded.status
        headers = encoded.headers + outcome.headers
        if outcome.body is not None:
            return Answer(status, frame(headers), outcome.body, outcome.length, done=outcome.done)
        if encoded.body:
            headers += [_XML, ("Content-Length", str(len(encoded.body)))]
        elif status != 204 and call.request.method != "HEAD":
            headers.append(("Content-Length", "0"))
        return Answer(status, frame(headers), encoded.body)

    def _error(self, error: S3Error) -> Answer:
        request_id, host_id = request_ids()
        document = error.document(request_id, host_id)
        headers = [*error.headers.items(), _XML, ("Content-Length", str(len(document)))]
        return Answer(error.status, frame(headers, (request_id, host_id)), document)

    def _unexpected(self, error: Exception) -> Answer:
        sys.stderr.write(f"internal error: {type(error).__name__}: {error}\n".replace("\n", " ").strip() + "\n")
        if self._debug:
            traceback.print_exc()
        return self._error(S3Error("InternalError"))
