"""Storj's Gateway-MT: requests that it has no route for are taken for others; attribution; dummy ACLs and CORS.

Source: storj/edge 3edce97d, pkg/minio (api-router.go, api-handlers.go, bucket-handlers.go).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server.answers import with_body
from reference_server.call import Call, Handler, Result
from reference_server.errors import S3Error
from reference_server.ops import versions
from reference_server.personalities import _storj
from reference_server.personalities._storj_answers import document, empty, not_implemented, plainly

if TYPE_CHECKING:
    from reference_server.app import App
    from reference_server.wire import Answer

_NO_ROUTE = (
    *(f"{verb}Bucket{kind}Configuration" for verb in ("Delete", "Get", "Put") for kind in _storj.IDENTIFIED),
    *(f"ListBucket{kind}Configurations" for kind in _storj.IDENTIFIED),
    *("DeleteBucketOwnershipControls", "GetBucketOwnershipControls", "PutBucketOwnershipControls"),
    *("DeletePublicAccessBlock", "GetPublicAccessBlock", "PutPublicAccessBlock"),
    *("GetBucketPolicyStatus", "GetObjectTorrent"),
    *("PutBucketAccelerateConfiguration", "PutBucketLogging", "PutBucketRequestPayment", "PutBucketWebsite"),
)
_METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE", "OPTIONS", "PATCH")
_CORS = (
    "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>"
    + "".join(f"<AllowedMethod>{method}</AllowedMethod>" for method in _METHODS)
    + "<AllowedHeader>*</AllowedHeader><ExposeHeader>*</ExposeHeader></CORSRule></CORSConfiguration>"
)


def wraps(app: App) -> Mapping[str, Callable[[Any], Any]]:
    """The seams that Gateway-MT has of its own."""
    common = _storj.wraps(app, _handlers)

    def serialise(inner: _Serialise) -> _Serialise:
        return _attributed(common["serialise"](inner))

    return {**common, "serialise": serialise}


_Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]


def _handlers(plain: Handler) -> dict[str, Handler]:
    return {
        **dict.fromkeys(_NO_ROUTE, plainly(plain)),
        "GetBucketCors": lambda _: document(_CORS),
        "PutBucketAcl": _bucket_acl,
        "PutObjectAcl": _object_acl,
    }


def _bucket_acl(call: Call) -> Result:
    call.bucket()
    return _private(call)


def _object_acl(call: Call) -> Result:
    versions.found(call, call.bucket(), None)
    return _private(call)


def _private(call: Call) -> Result:
    """Only what holds anyway can be set: `private`, or full control.

    Raises:
        S3Error: NotImplemented for anything else, MissingSecurityHeader for nothing.
    """
    canned = call.members.get("ACL")
    if canned is None:
        body = call.payload().document()
        if not body:
            raise S3Error("MissingSecurityHeader")
        grants = call.endpoint.codec.parse_document(call.operation, body).get("Grants") or [{}]
        if grants[0].get("Permission") != "FULL_CONTROL":
            raise not_implemented()
    elif canned != "private":
        raise not_implemented()
    return empty(200)


def _attributed(inner: _Serialise) -> _Serialise:
    """`GET /?attribution`: ListBuckets, with an element more for every bucket; none here has any."""

    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        answer = inner(call, outcome)
        asked = call is not None and call.operation == "ListBuckets" and "attribution" in call.request.parameters
        if asked and answer.status == 200 and isinstance(answer.body, bytes):
            with_body(answer, answer.body.replace(b"<Bucket>", b"<Bucket><Attribution></Attribution>"))
        return answer

    return serialise
