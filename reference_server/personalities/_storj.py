"""What both of Storj's gateways have in common, as wrappers of the seams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server.auth import ANONYMOUS, UNSIGNED, Authenticated
from reference_server.errors import S3Error
from reference_server.personalities._storj_answers import handlers
from reference_server.personalities._storj_listing import objects_listing
from reference_server.personalities._storj_requests import payload, prepare
from reference_server.personalities._storj_serialise import serialise
from reference_server.personalities._storj_ttl import Expiry

if TYPE_CHECKING:
    from reference_server.app import App
    from reference_server.call import Call, Handler, Result
    from reference_server.request import Request

Wraps = Mapping[str, Callable[[Any], Any]]
#: What one of the gateways does otherwise, by operation, from what is done with a call in the end.
Own = Callable[["Handler"], dict[str, "Handler"]]
Auth = Callable[["Request"], Authenticated]
#: Kinds of configurations of which a bucket has several.
IDENTIFIED = ("Analytics", "IntelligentTiering", "Inventory", "Metrics")


def wraps(app: App, own: Own) -> Wraps:
    """The seams of a gateway that does `own` beside what both do."""
    expiry = Expiry(app.store, app.objects)

    def operation(inner: Handler) -> Handler:
        common = handlers(inner, expiry)

        def plain(call: Call) -> Result:
            return common.get(call.operation, inner)(call)

        table = common | own(plain)
        for name, handler in table.items():
            app.operations.setdefault(name, handler)  # else it would be refused before it is asked here

        def run(call: Call) -> Result:
            expiry.sweep()
            prepare(call)
            return table.get(call.operation, inner)(call)

        return run

    return {
        "auth": _auth,
        "payload": payload,
        "operation": operation,
        "listing": objects_listing,
        "serialise": serialise,
    }


def _auth(inner: Auth) -> Auth:
    """DELETE of a website is answered to anybody."""

    def authenticate(request: Request) -> Authenticated:
        try:
            return inner(request)
        except S3Error:
            if request.method == "DELETE" and request.level == "bucket" and "website" in request.parameters:
                return Authenticated(ANONYMOUS, UNSIGNED)
            raise

    return authenticate
