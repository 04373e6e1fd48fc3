"""Defects of settings: what S3 refuses is answered with success, or taken without what was wrong in it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from reference_server import access
from reference_server.call import Call, Result
from reference_server.defects.editing import Members, inputs
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error

Operation = Callable[[Call], Result]


def _forgiven(operations: Collection[str], *codes: str) -> Wrap:
    """What these operations refuse with one of these codes is answered with success; nothing is done."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            try:
                return inner(call)
            except S3Error as error:
                if call.operation in operations and error.code in codes:
                    return Result(status=200)
                raise

        return operation

    return wrap


family(
    "operation",
    _forgiven,
    {
        "acls-unchecked": row(
            "ACLs are accepted whatever they say, also where they are disabled, as by Moto (POL-005, POL-008).",
            {"PutBucketAcl", "PutObjectAcl"},
            *("AccessControlListNotSupported", "InvalidArgument", "InvalidRequest"),
            *("MalformedACLError", "UnexpectedContent"),
        ),
        "cors-rules-unchecked": row(
            "CORS rules with impossible methods or origins are accepted, as by Moto (CORS-009).",
            {"PutBucketCors"},
            *("InvalidRequest", "MalformedXML"),
        ),
        "lifecycle-unchecked": row(
            "Lifecycle rules are accepted without filter and with any date, as by Moto (LC-003).",
            {"PutBucketLifecycleConfiguration"},
            *("InvalidArgument", "InvalidRequest", "MalformedXML"),
        ),
        "policy-unchecked": row(
            "Any text is accepted as a bucket policy (POL-002).",
            {"PutBucketPolicy"},
            "MalformedPolicy",
        ),
        "settings-unchecked": row(
            "Rare settings of a bucket are accepted whatever they say, as by Moto (CFG-002, WEB-002).",
            {
                "PutBucketAccelerateConfiguration",
                "PutBucketInventoryConfiguration",
                "PutBucketLogging",
                "PutBucketNotificationConfiguration",
                "PutBucketRequestPayment",
                "PutBucketWebsite",
                "PutObjectLockConfiguration",
            },
            *("IdMismatch", "InvalidArgument", "InvalidTargetBucketForLogging", "MalformedXML"),
        ),
        "tags-of-nothing": row(
            "Tags for a missing key or a delete marker are accepted (TAG-011, TAG-012).",
            {"PutObjectTagging"},
            *("MethodNotAllowed", "NoSuchKey"),
        ),
        "tags-unchecked": row(
            "Any number of tags is accepted, whatever their characters and however often a key comes, as by Moto "
            "(TAG-004, TAG-008).",
            {"PutBucketTagging", "PutObjectTagging"},
            *("BadRequest", "InvalidTag", "MalformedXML"),
        ),
    },
)


def _dropping(operations: Collection[str], *members: str) -> Wrap:
    """These operations do not see the members of their input that begin so."""

    def edit(found: Members) -> None:
        for name in [name for name in found if name.startswith(members)]:
            del found[name]

    return inputs(operations, edit)


family(
    "operation",
    _dropping,
    {
        "customer-keys-ignored": row(
            "The headers of SSE-C are ignored, so that everybody can read what was stored with them, as in Moto "
            "(ENC-004).",
            (),
            *("SSECustomer", "CopySourceSSECustomer"),
        ),
        "grants-of-new-bucket-ignored": row(
            "CreateBucket ignores grants, as Moto does (POL-009).",
            {"CreateBucket"},
            "Grant",
        ),
        "kms-key-ignored": row(
            "The id of a KMS key is ignored and the account's key is used, also if there is no such key (ENC-007).",
            {"PutObject", "CopyObject", "CreateMultipartUpload"},
            "SSEKMSKeyId",
        ),
        "kms-taken-for-aes256": row(
            "An upload that asks for SSE-KMS is stored with SSE-S3 (ENC-008).",
            {"PutObject", "CopyObject", "CreateMultipartUpload"},
            *("SSEKMSKeyId", "ServerSideEncryption"),
        ),
        "tagging-header-ignored": row(
            "x-amz-tagging of an upload is ignored (TAG-009).",
            {"PutObject", "CreateMultipartUpload"},
            "Tagging",
        ),
    },
)


@defect(
    "new-buckets-unsettled",
    "operation",
    "A new bucket has neither default encryption nor ownership nor a public access block, as in Moto (ENC-002, "
    "POL-011).",
)
def _new_buckets_unsettled(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        bucket = call.store.bucket(call.request.bucket or "")
        if call.operation == "CreateBucket" and bucket is not None:
            call.store.configure(bucket, access.OWNERSHIP, None)
            call.store.configure(bucket, access.PUBLIC_ACCESS, None)
        if call.operation == "GetBucketEncryption" and bucket is not None and "encryption" not in bucket.settings:
            raise S3Error("ServerSideEncryptionConfigurationNotFoundError", None, status=404)
        return result

    return operation


@defect(
    "restore-forgotten",
    "operation",
    "RestoreObject is accepted and forgotten, so that clients ask HEAD for ever (CFG-008).",
)
def _restore_forgotten(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        return Result(status=202) if call.operation == "RestoreObject" else inner(call)

    return operation
