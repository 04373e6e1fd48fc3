"""Storj's answers to what it does not offer, and to what it does in a way of its own.

Four ways of saying no: 501, an answer without anything behind it, 400, 403. Sources: storj/minio 95a3fa194e41 (cmd:
api-router.go, dummy-handlers.go, bucket-metadata-sys.go, object-handlers.go), storj/edge 3edce97d (pkg/minio), and
gateway-st 84df15b (miniogw).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reference_server.call import Call, Endpoint, Handler, Result
from reference_server.errors import S3Error
from reference_server.ops import versions
from reference_server.personalities._storj_listing import uploads_page
from reference_server.personalities._storj_requests import NO_LOCK, NOT_IMPLEMENTED, prepare
from reference_server.personalities._storj_serialise import JsonError
from reference_server.personalities._storj_ttl import asked, stamping_objects, stamping_uploads
from reference_server.rules.policy import parse_policy
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.personalities._storj_ttl import Expiry
    from reference_server.store import Bucket

_PARTS_PAGE = 10_000
_BUCKETS = 100
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_ARCHIVED = "The operation is not valid for the current state of the object."
_ACL = (
    "<AccessControlPolicy><Owner><ID></ID><DisplayName></DisplayName></Owner><AccessControlList><Grant>"
    '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">'
    "<Type>CanonicalUser</Type></Grantee><Permission>FULL_CONTROL</Permission>"
    "</Grant></AccessControlList></AccessControlPolicy>"
)
#: What a request without a route of its own is taken for, by level and method.
_PLAIN = {
    ("bucket", "DELETE"): "DeleteBucket",
    ("bucket", "GET"): "ListObjects",
    ("bucket", "PUT"): "CreateBucket",
    ("object", "GET"): "GetObject",
}


def not_implemented() -> S3Error:
    """501, as most of what is not offered is refused."""
    return S3Error("NotImplemented", NOT_IMPLEMENTED)


def empty(status: int) -> Result:
    """An answer without a document."""
    return Result(status=status, body=b"", headers=[("Content-Length", "0")])


def document(text: str) -> Result:
    """200 with this XML document."""
    body = text.encode()
    return Result(headers=[("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body=body)


# Operations without a route


def plainly(inner: Handler) -> Handler:
    """Take a request for the plain operation of its bucket or object, as if it had no sub-resource."""

    def handler(call: Call) -> Result:
        request = call.request
        call.operation = _PLAIN[request.level, request.method]
        call.members = call.endpoint.codec.parse_input(call.operation, request.parameters, request.headers)
        prepare(call)
        return inner(call)

    return handler


# Refusals that look at something first


def _refused(call: Call) -> Result:
    call.bucket()
    raise not_implemented()


def _refused_document(call: Call) -> Result:
    call.bucket()
    call.document()
    raise not_implemented()


def _refused_policy(call: Call) -> Result:
    parse_policy(call.text(), call.bucket().name)
    raise not_implemented()


def _refused_as_json(call: Call) -> Result:
    call.bucket()
    raise JsonError("NotImplemented", NOT_IMPLEMENTED)


def _without_lock(call: Call) -> Result:
    call.bucket()
    raise S3Error("InvalidRequest", NO_LOCK)


def _restored(call: Call) -> Result:
    bucket = call.bucket()
    if not call.payload().document():
        raise S3Error("EmptyRequestBody", "Request body cannot be empty.", status=400)
    versions.found(call, bucket, None)
    raise S3Error("InvalidObjectState", _ARCHIVED)


# Answers without anything behind them


def _website_deleted(_call: Call) -> Result:
    return empty(200)


def _never_public(call: Call) -> Result:
    call.bucket()
    # In capitals, as no boolean of S3's is written.
    answer = document(f'<PolicyStatus xmlns="{_NAMESPACE}"><IsPublic>FALSE</IsPublic></PolicyStatus>')
    answer.members = {"PolicyStatus": {"IsPublic": False}}
    return answer


def _bucket_acl(call: Call) -> Result:
    call.bucket()
    return document(_ACL)


def _object_acl(call: Call) -> Result:
    versions.found(call, call.bucket(), None)
    return document(_ACL)


# What is offered


def _created(inner: Handler) -> Handler:
    """CreateBucket: a bucket that exists is taken, even if it is one's own; and nobody has more than a hundred.

    How the hundred and first is refused is not documented. The gateway translates no such error, so that 500 is what
    it would come to.
    """

    def handler(call: Call) -> Result:
        store = call.store

        def create(name: str, *others: Any) -> tuple[Bucket, bool]:
            with store.transaction():
                if store.bucket(name) is not None:
                    raise S3Error("BucketAlreadyExists", None, {"BucketName": name})
                if len(store.buckets(call.account.id)) >= _BUCKETS:
                    raise S3Error("InternalError")
                return store.create_bucket(name, *others)

        call.endpoint = view(call.endpoint, store=view(store, create_bucket=create))
        return inner(call)

    return handler


def _stamped(inner: Handler, expiry: Expiry, stamp: Callable[[Call, float], Endpoint]) -> Handler:
    """An operation whose object expires, if the request says when; `stamp` gives the endpoint that notes it."""

    def handler(call: Call) -> Result:
        when = asked(call)
        if when is not None:
            call.endpoint = stamp(call, when)
        result = inner(call)
        expiry.expects(when)
        return result

    return handler


def _stored(call: Call, when: float) -> Endpoint:
    return view(call.endpoint, objects=stamping_objects(call.objects, when))


def _begun(call: Call, when: float) -> Endpoint:
    return view(call.endpoint, uploads=stamping_uploads(call.uploads, when))


def _completed(inner: Handler, expiry: Expiry) -> Handler:
    """CompleteMultipartUpload: the list must name all parts."""

    def handler(call: Call) -> Result:
        uploads = call.uploads

        def finish(bucket: Bucket, upload: Any, new: Any, finished: Any, check: Any) -> dict[str, Any]:
            if {part.number for part in uploads.parts(upload.seq)} != finished[0]:
                raise S3Error("InvalidPart", None, {"UploadId": upload.id})
            result = uploads.finish(bucket, upload, new, finished, check)
            expiry.expects(0.0)  # it may have expired while it was being uploaded
            return result

        call.endpoint = view(call.endpoint, uploads=view(uploads, finish=finish))
        return inner(call)

    return handler


def _aborted(inner: Handler) -> Handler:
    """AbortMultipartUpload: also of an upload that there is not."""

    def handler(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if error.code != "NoSuchUpload":
                raise
            return Result()

    return handler


def _parts_listed(inner: Handler) -> Handler:
    """ListParts: up to 10,000 on one page."""

    def handler(call: Call) -> Result:
        asked_for = call.members.get("MaxParts")
        limit = _PARTS_PAGE if asked_for is None else min(asked_for, _PARTS_PAGE)
        call.members["MaxParts"] = limit
        result = inner(call)
        parts = list(result.members["Parts"])
        while result.members["IsTruncated"] and len(parts) < limit:
            call.members |= {
                "MaxParts": limit - len(parts),
                "PartNumberMarker": result.members["NextPartNumberMarker"],
            }
            more = inner(call).members
            parts += more["Parts"]
            result.members |= {name: more[name] for name in ("IsTruncated", "NextPartNumberMarker")}
        result.members |= {"Parts": parts, "MaxParts": limit}
        return result

    return handler


def _uploads_listed(inner: Handler) -> Handler:
    """ListMultipartUploads: by encrypted path, folded at slashes alone, continued by key alone."""

    def handler(call: Call) -> Result:
        members = call.members
        delimiter, prefix = members.get("Delimiter") or "", members.get("Prefix") or ""
        marker, id_marker = members.get("KeyMarker") or "", members.pop("UploadIdMarker", None)
        if not marker.startswith(prefix) and marker:
            raise not_implemented()
        if delimiter not in ("", "/"):
            raise S3Error("NotImplemented", f'Unsupported delimiter: "{delimiter}"')
        call.endpoint = view(call.endpoint, seams=view(call.endpoint.seams, listing=uploads_page))
        result = inner(call)
        result.members |= {"UploadIdMarker": id_marker or "", "NextUploadIdMarker": ""}
        return result

    return handler


# All of it

_LATE = (
    *("DeleteBucketEncryption", "DeleteBucketLifecycle", "DeleteBucketPolicy", "DeleteBucketReplication"),
    *("DeleteBucketTagging", "GetBucketEncryption", "GetBucketLifecycleConfiguration", "GetBucketPolicy"),
    *("GetBucketReplication", "GetBucketTagging", "GetBucketVersioning", "GetObjectLockConfiguration"),
)
_LATE_DOCUMENT = ("PutBucketLifecycleConfiguration", "PutBucketTagging", "PutBucketVersioning")
_LOCKS = ("GetObjectLegalHold", "GetObjectRetention", "PutObjectLegalHold", "PutObjectRetention")


def handlers(inner: Handler, expiry: Expiry) -> dict[str, Handler]:
    """What is done otherwise than by `inner`, by operation; the same for both gateways.

    Args:
        inner: does what is asked for.
        expiry: knows what expires.
    """
    table: dict[str, Handler] = {
        **dict.fromkeys(_LATE, _refused),
        **dict.fromkeys(_LATE_DOCUMENT, _refused_document),
        **dict.fromkeys(_LOCKS, _without_lock),
        **dict.fromkeys(("PutBucketReplication", "PutObjectLockConfiguration"), _refused_as_json),
        "AbortMultipartUpload": _aborted(inner),
        "CompleteMultipartUpload": _completed(inner, expiry),
        "CreateBucket": _created(inner),
        "CreateMultipartUpload": _stamped(inner, expiry, _begun),
        "DeleteBucketWebsite": _website_deleted,
        "GetBucketAcl": _bucket_acl,
        "GetBucketPolicyStatus": _never_public,
        "GetObjectAcl": _object_acl,
        "ListMultipartUploads": _uploads_listed(inner),
        "ListParts": _parts_listed(inner),
        "PutBucketPolicy": _refused_policy,
        "PutObject": _stamped(inner, expiry, _stored),
        "RestoreObject": _restored,
    }

    def plain(call: Call) -> Result:
        return table.get(call.operation, inner)(call)

    # What becomes of operations that are newer than the gateways is recorded of this one alone; others are left to S3.
    return table | {"GetObjectAttributes": plainly(plain)}
