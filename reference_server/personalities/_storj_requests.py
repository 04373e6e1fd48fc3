"""What Storj's gateways do not read of a request, and what they demand of it.

They are built on a MinIO of 2021, before S3 had checksums in headers and conditions on writes, and without ACLs,
versions and encryption of its own (storj/minio 95a3fa194e41, cmd/object-handlers.go; gateway-st 84df15b, miniogw).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error
from reference_server.views import view

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.call import Call
    from reference_server.codec import Codec
    from reference_server.payload import Payload
    from reference_server.request import Request

NOT_IMPLEMENTED = "A header you provided implies functionality that is not implemented"
NO_LOCK = "Bucket is missing ObjectLockConfiguration"

_READS = frozenset({"GetObject", "HeadObject"})
_WRITES = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload"})
_CONDITIONAL = frozenset({*_WRITES, "CompleteMultipartUpload", "DeleteObject"})
_ACCESS = ("ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_CONDITIONS = ("IfMatch", "IfNoneMatch", "IfMatchSize", "IfMatchLastModifiedTime")
_CHECKSUM_HEADERS = ("x-amz-checksum-", "x-amz-sdk-checksum-algorithm", "x-amz-trailer", "x-amz-mp-object-size")

#: Operations, and members of their input that are not read.
_UNREAD: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (_READS, ("PartNumber", "VersionId")),
    (_WRITES | {"CreateBucket"}, _ACCESS),
    (_CONDITIONAL, _CONDITIONS),
    (frozenset({"CreateBucket"}), ("ObjectOwnership", "ObjectLockEnabledForBucket")),
)
#: Entries of documents whose newer members are not read.
_ENTRIES = {"Parts": ("Checksum",), "Objects": ("ETag", "LastModifiedTime", "Size")}
#: Refused without Content-MD5, whatever other digest there is.
_NEED_MD5 = frozenset({"DeleteObjects", "PutBucketLifecycleConfiguration", "PutObjectLegalHold", "PutObjectRetention"})


def prepare(call: Call) -> None:
    """Take from a call what the gateways do not read.

    Raises:
        S3Error: NotImplemented for storage classes and encryption, InvalidRequest for locks, MissingContentMD5.
    """
    if call.operation in _NEED_MD5 and "content-md5" not in call.request.headers:
        raise S3Error("MissingContentMD5", "Missing required header for this request: Content-Md5.", status=400)
    for operations, names in _UNREAD:
        if call.operation in operations:
            for name in names:
                call.members.pop(name, None)
    for name in [name for name in call.members if name.startswith("Checksum")]:
        del call.members[name]
    _refuse_settings(call)
    headers = {name: value for name, value in call.request.headers.items() if not name.startswith(_CHECKSUM_HEADERS)}
    call.request = replace(call.request, headers=headers)
    codec = call.endpoint.codec
    call.endpoint = view(
        call.endpoint,
        codec=view(codec, needs_digest=lambda _: False, parse_document=partial(_parse_document, codec)),
    )


def _refuse_settings(call: Call) -> None:
    """Storage classes other than STANDARD, all encryption that a client asks for, and locks."""
    encrypts = any(name.startswith(("ServerSideEncryption", "SSE", "CopySourceSSE")) for name in call.members)
    if call.operation in _READS and encrypts:
        raise S3Error("BadRequest", "400 BadRequest")
    other_class = call.members.get("StorageClass", "STANDARD") != "STANDARD"
    if call.operation in _WRITES and (other_class or encrypts):
        raise S3Error("NotImplemented", NOT_IMPLEMENTED)
    if call.operation in _WRITES and any(name.startswith("ObjectLock") for name in call.members):
        raise S3Error("InvalidRequest", NO_LOCK)


def _parse_document(codec: Codec, operation: str, body: bytes) -> dict[str, Any]:
    document = codec.parse_document(operation, body)
    for member, unread in _ENTRIES.items():
        entries = document.get(member)
        if isinstance(entries, list):
            document[member] = [
                {name: value for name, value in entry.items() if not name.startswith(unread)} for entry in entries
            ]
    return document


def payload(inner: Callable[..., Payload]) -> Callable[..., Payload]:
    """Wrap the seam `payload`: bodies with a trailer are not known (storj/gateway-st#89).

    Without Content-Length they have no length; with it, the keyword in place of their digest is none.
    """

    def checked(request: Request, authenticated: Authenticated, **options: Any) -> Payload:
        if authenticated.payload.endswith("-TRAILER"):
            if "content-length" not in request.headers:
                raise S3Error("MissingContentLength")
            raise S3Error("XAmzContentSHA256Mismatch")
        return inner(request, authenticated, **options)

    return checked
