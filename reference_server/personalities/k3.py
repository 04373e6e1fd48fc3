"""Dodil K3: how its byte plane differs from Amazon S3, beyond the operations that it does not offer.

Source: docs.dodil.io, K3, "S3 Compatibility". There is no public source; what the page leaves open and had to be
chosen says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server import access
from reference_server.answers import with_body
from reference_server.call import Call, Result
from reference_server.errors import S3Error, not_implemented_header
from reference_server.ops import versions
from reference_server.personalities._k3_auth import Modes, denied
from reference_server.request import address
from reference_server.rules.public_access import ENFORCED
from reference_server.views import view
from reference_server.xmltext import escape

if TYPE_CHECKING:
    from reference_server.app import App
    from reference_server.auth import Authenticated
    from reference_server.request import Request
    from reference_server.wire import Answer, Body, Head

Operation = Callable[[Call], Result]
Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]
Wire = Callable[["Head", "Body"], "Answer"]
Auth = Callable[["Request"], "Authenticated"]

#: Refused under one code (page, "Error response shape": the 403 and the 404).
_DENIALS = frozenset({"AccessDenied", "SignatureDoesNotMatch"})
_ABSENT = frozenset({"NoSuchBucket", "NoSuchKey"})
#: Parameters of offered operations that ask for what K3 does not support: keys of customers, object lock. How they are
#: refused is a choice of ours.
_NOT_OFFERED = {
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "ObjectLockEnabledForBucket": "x-amz-bucket-object-lock-enabled",
    "ObjectLockLegalHoldStatus": "x-amz-object-lock-legal-hold",
    "ObjectLockMode": "x-amz-object-lock-mode",
    "ObjectLockRetainUntilDate": "x-amz-object-lock-retain-until-date",
}


def wraps(app: App) -> Mapping[str, Callable[[Any], Any]]:
    """The seams that K3 has of its own."""
    # The application keeps its credentials and domains to itself.
    credentials = app.credentials
    modes = Modes(credentials, app.store.clock)

    def auth(_inner: Auth) -> Auth:
        return modes.authenticate

    def wire(inner: Wire) -> Wire:
        return _path_style(app, inner)

    return {"auth": auth, "wire": wire, "operation": _operation, "serialise": _serialise}


def _path_style(app: App, inner: Wire) -> Wire:
    """Only path-style requests are routed (page, "Credentials & endpoint"); 404 for others is a choice of ours."""

    def wire(head: Head, body: Body) -> Answer:
        try:
            _, _, virtual = address(head, app.domains)
        except S3Error as error:
            return app.refuse(error)
        return app.refuse(S3Error("NoSuchKey")) if virtual else inner(head, body)

    return wire


def _operation(inner: Operation) -> Operation:
    changed: Mapping[str, Operation] = {
        "CreateBucket": lambda call: _create_bucket(call, inner),
        "PutBucketTagging": _put_bucket_tagging,
        "PutObjectTagging": _put_object_tagging,
    }

    def operation(call: Call) -> Result:
        _check_offered(call.members)
        return changed.get(call.operation, inner)(call)

    return operation


def _check_offered(members: Mapping[str, Any]) -> None:
    """Refuse a request that asks for a part of S3 that is not there.

    Raises:
        S3Error: NotImplemented.
    """
    for member, header in _NOT_OFFERED.items():
        if members.get(member):
            raise not_implemented_header(header)
    if str(members.get("ServerSideEncryption")).startswith("aws:"):
        raise not_implemented_header("x-amz-server-side-encryption")
    if members.get("ObjectOwnership", ENFORCED) != ENFORCED:
        raise not_implemented_header("x-amz-object-ownership")


def _create_bucket(call: Call, inner: Operation) -> Result:
    """A bucket belongs to no region, since any will do; what may be public is for its policy alone to say."""
    codec = call.endpoint.codec

    def parse_document(operation: str, body: bytes) -> dict[str, Any]:
        return {**codec.parse_document(operation, body), "LocationConstraint": None}

    call.endpoint = view(call.endpoint, region="us-east-1", codec=view(codec, parse_document=parse_document))
    result = inner(call)
    bucket = call.store.bucket(call.request.bucket or "")
    if bucket is not None:
        call.store.configure(bucket, access.PUBLIC_ACCESS, None)
    return result


# Tags are forwarded and not validated (page, "Not supported"): what comes is what is kept.


def _put_bucket_tagging(call: Call) -> Result:
    call.store.configure(call.bucket(), "tagging", call.document())
    return Result(status=204)


def _put_object_tagging(call: Call) -> Result:
    bucket, asked = call.bucket(), call.document()["TagSet"]
    with call.store.transaction():
        stored = versions.found(call, bucket, None)
        call.objects.change(bucket, stored, Tags=asked or None)
    return Result()


def _serialise(inner: Serialise) -> Serialise:
    """Error documents have a code and a message, and nothing else (page, "Error response shape")."""

    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        if not isinstance(outcome, S3Error):
            return inner(call, outcome)
        error = _said(outcome)
        answer = inner(call, error)
        document = f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        with_body(answer, f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'.encode())
        return answer

    return serialise


def _said(error: S3Error) -> S3Error:
    """The error as K3 words it: one for all that is denied, one for a bucket and a key that are not there."""
    if error.code in _DENIALS:
        return denied()
    if error.code in _ABSENT:
        return S3Error("NoSuchKey", headers=error.headers)
    return error
