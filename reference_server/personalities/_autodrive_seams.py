"""Auto Drive at one time of its life, as wrappers of seams."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server.auth import UNSIGNED, Account, Authenticated, account_of
from reference_server.errors import S3Error
from reference_server.frame import frame
from reference_server.personalities._autodrive_answers import RefusedError, refusal
from reference_server.personalities._autodrive_requests import Era, asked, rewritten
from reference_server.wire import Answer

if TYPE_CHECKING:
    from reference_server.app import App
    from reference_server.call import Call, Handler, Result
    from reference_server.request import Request
    from reference_server.wire import Body, Head

Handlers = Callable[[Callable[["Call"], "Result"]], Mapping[str, "Handler"]]
#: Who all API keys act for while names are one space.
EVERYONE = account_of("everyone")
_API_KEY = re.compile(r"Credential=([A-Za-z0-9]*)/")
# A key may be empty, which the right server takes for an operation on the bucket.
_EMPTY_KEY = {
    "CreateBucket": "PutObject",
    "DeleteBucket": "DeleteObject",
    "HeadBucket": "HeadObject",
    "ListObjects": "GetObject",
}


def seams(app: App, era: Era, handlers: Handlers, *, shared: bool) -> dict[str, Callable[[Any], Any]]:
    """The wrappers.

    Args:
        app: the application.
        era: how requests are read.
        handlers: the operations by name, from the right function of the seam `operation`.
        shared: whether all API keys act for one account.
    """
    return {
        "wire": lambda inner: _wire(app, era, inner),
        "auth": lambda _: _auth(app, shared=shared),
        "operation": lambda inner: _operation(handlers(inner)),
        "serialise": _serialise,
    }


def _wire(app: App, era: Era, inner: Callable[[Head, Body], Answer]) -> Callable[[Head, Body], Answer]:
    """What is not served is refused before anything is looked at, also who asks; the rest goes on as understood."""

    def wire(head: Head, body: Body) -> Answer:
        try:
            wanted = asked(head, era)
            refused = app.personality.refusals.get(wanted.operation or "DeleteObjects")
            if refused is not None:
                raise S3Error(refused.code, refused.message, status=refused.status)
            return inner(rewritten(head, wanted, era), body)
        except S3Error as error:
            return app.seams.serialise(None, error)

    return wire


def _auth(app: App, *, shared: bool) -> Callable[[Request], Authenticated]:
    """The access key is the API key; the rest of the signature is not looked at, neither is the secret."""

    def auth(request: Request) -> Authenticated:
        header = request.headers.get("authorization")
        if not header:
            raise RefusedError(401, "Missing authorization header")
        found = _API_KEY.search(header)
        if found is None or not found[1]:
            raise RefusedError(401, "Missing api key or invalid format")
        account: Account | None = app.account(account_of(found[1]).id)
        if account is None:
            raise RefusedError(401, "Failed to authenticate user")
        return Authenticated(EVERYONE if shared else account, UNSIGNED)

    return auth


def _operation(handlers: Mapping[str, Handler]) -> Callable[[Call], Result]:
    def operation(call: Call) -> Result:
        call.operation = _EMPTY_KEY.get(call.operation, call.operation)
        return handlers[call.operation](call)

    return operation


def _serialise(inner: Callable[[Call | None, Result | S3Error], Answer]) -> Callable[..., Answer]:
    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        if isinstance(outcome, S3Error):
            return refusal(outcome)
        if outcome.members or outcome.body is None:
            return inner(call, outcome)
        return Answer(outcome.status or 200, frame(outcome.headers), outcome.body, outcome.length)  # a document

    return serialise
