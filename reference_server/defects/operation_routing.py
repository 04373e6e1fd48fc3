"""Defects of operations that are not there: they are refused, or taken for others, some of them dangerous."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import unquote_plus

from reference_server.call import Call, Result
from reference_server.defects.registry import Wrap, family, row
from reference_server.errors import S3Error

Operation = Callable[[Call], Result]


# Requests that become another operation's


def _routed(meant: Callable[[Call], bool], operation: str, unread: str = "") -> Wrap:
    """Calls of one operation are taken for calls of another, with the same body and headers, less one parameter."""

    def wrap(inner: Operation) -> Operation:
        def routed(call: Call) -> Result:
            if meant(call):
                request = call.request
                request.parameters.pop(unread, None)
                call.operation = operation
                call.members = call.endpoint.codec.parse_input(operation, request.parameters, request.headers)
            return inner(call)

        return routed

    return wrap


def _one_of(*operations: str) -> Callable[[Call], bool]:
    return lambda call: call.operation in operations


def _settings(verb: str, *, but: Collection[str] = ()) -> Callable[[Call], bool]:
    starts = tuple(f"{verb}{thing}" for thing in ("Bucket", "PublicAccessBlock", "ObjectLockConfiguration"))
    return lambda call: call.operation.startswith(starts) and call.operation not in but


def _copies_onto_itself(call: Call) -> bool:
    if call.operation != "CopyObject":
        return False
    source = unquote_plus(call.members["CopySource"].partition("?")[0]).removeprefix("/")
    return source == f"{call.request.bucket}/{call.key}"


family(
    "operation",
    _routed,
    {
        "copy-self-empties": row(
            "A copy of an object onto itself leaves it empty, as in Adobe's S3Mock once (adobe/S3Mock#468).",
            _copies_onto_itself,
            "PutObject",
        ),
        "copy-stores-nothing": row(
            "CopyObject stores an empty object, since it is taken for PutObject, as by Source Cooperative's proxy "
            "once (source-cooperative/data.source.coop#42).",
            _one_of("CopyObject"),
            "PutObject",
        ),
        "list-v2-answered-as-v1": row(
            "ListObjectsV2 is answered as version 1, so that tokens lead nowhere, as by providers that rclone lists "
            "with version 1 (rclone/rclone@64ab1ac3).",
            _one_of("ListObjectsV2"),
            "ListObjects",
            "start-after",
        ),
        "subresource-delete-deletes-bucket": row(
            "DELETE of a bucket's policy, tags or other settings deletes the bucket, as in Moto once, in AIStore and "
            "in Storj's Gateway-MT (getmoto/moto#396, NVIDIA/aistore@583e7729, storj/edge@3edce97d).",
            _settings("Delete", but={"DeleteBucket"}),
            "DeleteBucket",
        ),
        "subresource-delete-deletes-object": row(
            "DELETE of an object's tags deletes the object, as in S3 Orchestrator once and in AIStore "
            "(afreidah/s3-orchestrator#1234, NVIDIA/aistore@583e7729).",
            _one_of("DeleteObjectTagging"),
            "DeleteObject",
        ),
        "subresource-get-lists": row(
            "GET of a bucket's settings lists the bucket, as in AIStore and in Storj's Gateway-MT "
            "(NVIDIA/aistore@583e7729, storj/edge@3edce97d).",
            _settings("Get"),
            "ListObjects",
        ),
        "subresource-get-reads-object": row(
            "GET of an object's tags, ACL or attributes answers the object, as in Auto Drive, and for attributes in "
            "Storj (autonomys/auto-drive@c29e3d5b, storj/edge@3edce97d).",
            _one_of("GetObjectTagging", "GetObjectAcl", "GetObjectAttributes"),
            "GetObject",
        ),
        "subresource-put-overwrites-object": row(
            "PUT of an object's tags or ACL overwrites the object with the document, as in S3 Orchestrator once and "
            "in AIStore (afreidah/s3-orchestrator#1234, NVIDIA/aistore@583e7729).",
            _one_of("PutObjectTagging", "PutObjectAcl", "PutObjectRetention", "PutObjectLegalHold"),
            "PutObject",
        ),
        "upload-part-copy-stores-nothing": row(
            "UploadPartCopy stores an empty part and has no CopyPartResult, since it is taken for UploadPart, as in "
            "Auto Drive once (autonomys/auto-drive@c29e3d5b).",
            _one_of("UploadPartCopy"),
            "UploadPart",
        ),
    },
)


# Operations that are not there


def _refused(meant: Callable[[Call], bool], code: str, message: str, status: int) -> Wrap:
    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            if meant(call):
                raise S3Error(code, message, status=status)
            return inner(call)

        return operation

    return wrap


_NOT_THERE = ("NotImplemented", "A header you provided implies functionality that is not implemented", 501)

family(
    "operation",
    _refused,
    {
        "get-tagging-501": row(
            "Object tags are not implemented, which breaks a copy of a large object with the AWS CLI, as it was met "
            "(aws/aws-cli#5375).",
            _one_of("GetObjectTagging"),
            *_NOT_THERE,
        ),
        "list-v1-404": row(
            "ListObjects is answered 404, since only version 2 is known, as in Auto Drive "
            "(autonomys/auto-drive@c29e3d5b).",
            _one_of("ListObjects"),
            "NoSuchKey",
            "Not found.",
            404,
        ),
        "multipart-501": row(
            "There are no multipart uploads, as rclone knows of Fastly (rclone/rclone@64ab1ac3).",
            _one_of("CreateMultipartUpload"),
            *_NOT_THERE,
        ),
        "subresource-put-409": row(
            "PUT of a bucket's settings is taken for CreateBucket and answered 409, as in AIStore "
            "(NVIDIA/aistore@583e7729).",
            _settings("Put", but={"PutBucketVersioning"}),
            "BucketAlreadyExists",
            "name already in use",
            409,
        ),
        "upload-part-copy-501": row(
            "UploadPartCopy is not implemented, as in AIStore and Storj (NVIDIA/aistore@583e7729, rclone/rclone#8139).",
            _one_of("UploadPartCopy"),
            *_NOT_THERE,
        ),
        "versions-501": row(
            "Versions of objects cannot be listed, as in Storj once (storj/minio@95a3fa19).",
            _one_of("ListObjectVersions"),
            *_NOT_THERE,
        ),
    },
)
