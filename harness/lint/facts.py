"""Recorded and documented facts that the service model does not have."""

from __future__ import annotations

import functools
from pathlib import Path

from harness.wire import model

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
XSI_TYPE = "http://www.w3.org/2001/XMLSchema-instance type"
"""Name of the attribute that says what a Grantee is, as `Node.attributes` has it."""

_CODES = Path(__file__).parents[2] / "fixtures" / "error-codes.tsv"

NOT_XML = "reference to invalid character number"
"""What the parser says of `&#1;`: AWS itself sends it for such characters in keys, where nobody asked for encoding."""

LATE_ERRORS = frozenset({"CompleteMultipartUpload", "CopyObject", "UploadPartCopy"})
"""Operations that may send 200 and an error in the body, since they answer before they are done."""

RECORDED_ROOTS = {
    "CopyObject": "CopyObjectResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketTagging": "Tagging",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
}
"""Root elements recorded on AWS (LocalStack test_response_structure, test_multipart_and_list_parts)."""

_DOCUMENTED_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "ListBucketAnalyticsConfigurations": "ListBucketAnalyticsConfigurationResult",
    "ListBucketInventoryConfigurations": "ListInventoryConfigurationsResult",
    "ListBucketMetricsConfigurations": "ListMetricsConfigurationsResult",
    "ListParts": "ListPartsResult",
}
"""Root elements that the response syntax of the Amazon S3 API Reference shows."""

ALWAYS: dict[str, frozenset[str]] = {
    name: frozenset(tags.split())
    for name, tags in {
        # operations
        "CompleteMultipartUpload": "Location Bucket Key ETag",
        "CopyObject": "ETag LastModified",
        "CreateMultipartUpload": "Bucket Key UploadId",
        "GetBucketAcl": "Owner AccessControlList",
        "GetObjectAcl": "Owner AccessControlList",
        "ListBuckets": "Owner Buckets",
        "ListMultipartUploads": "Bucket KeyMarker UploadIdMarker MaxUploads IsTruncated",
        "ListObjectVersions": "Name Prefix KeyMarker VersionIdMarker MaxKeys IsTruncated",
        "ListObjects": "Name Prefix Marker MaxKeys IsTruncated",
        "ListObjectsV2": "Name Prefix KeyCount MaxKeys IsTruncated",
        "ListParts": "Bucket Key UploadId PartNumberMarker NextPartNumberMarker MaxParts IsTruncated",
        "UploadPartCopy": "ETag LastModified",
        # shapes within them
        "Bucket": "Name CreationDate",
        "CommonPrefix": "Prefix",
        "DeleteMarkerEntry": "Key VersionId IsLatest LastModified",
        "Error": "Key Code",
        "MultipartUpload": "Key UploadId Initiated StorageClass",
        "Object": "Key LastModified ETag Size StorageClass",
        "ObjectVersion": "Key VersionId IsLatest LastModified ETag Size StorageClass",
        "Part": "PartNumber LastModified ETag Size",
    }.items()
}
"""Elements always seen on AWS, by operation for the document and by shape within it. Sources: LocalStack's records,
catalogue lines MPU-001, MPU-015, MPU-029, MPU-030, LMU-002, LST1-001, LST1-022, LST2-001, LVER-002, LBKT-001."""

SUCCESSES: dict[str, frozenset[int]] = {
    "PutBucketPolicy": frozenset({204}),
    "PutBucketTagging": frozenset({204}),
    "RestoreObject": frozenset({200, 202}),
    # Catalogue line CFG-001 takes either.
    "PutBucketAnalyticsConfiguration": frozenset({200, 204}),
    "PutBucketIntelligentTieringConfiguration": frozenset({200, 204}),
    "PutBucketInventoryConfiguration": frozenset({200, 204}),
    "PutBucketMetricsConfiguration": frozenset({200, 204}),
}
"""Statuses of successes about which the model is silent, where they are, or may be, other than 200."""

NO_DIGEST = frozenset({"PutObjectTagging"})
"""Operations recorded to need no digest, although the model says so."""

DOUBTFUL_DIGEST = frozenset(
    {
        *("PutBucketAcl", "PutBucketLogging", "PutBucketPolicy", "PutBucketRequestPayment", "PutBucketWebsite"),
        "PutObjectAcl",
    }
)
"""Operations that s3cmd sends to AWS without a digest, against the model."""

OPEN_ENUMS = frozenset({"BucketLocationConstraint", "FilterRuleName"})
"""Lists that are not closed: a gateway has regions of its own, and AWS itself varies the case of filter names."""

CLOSED_ENUMS = frozenset(
    {
        *("StorageClass", "ObjectStorageClass", "ObjectVersionStorageClass", "ServerSideEncryption"),
        *("ChecksumAlgorithm", "ChecksumType", "ObjectLockMode", "ObjectLockRetentionMode", "ObjectLockEnabled"),
        *("ObjectLockLegalHoldStatus", "BucketVersioningStatus", "EncodingType", "RequestCharged"),
    }
)
"""Lists whose values clients act on; those that the catalogue names (LINT-031) and their like."""

UNMODELLED_HEADERS = frozenset({"x-amz-request-id", "x-amz-id-2", "x-amz-bucket-region", "x-amz-version-id"})
"""Headers that AWS sends beside those that outputs list."""

EXACT_DATES = frozenset({"LastModified", "CreationDate", "Initiated"})
"""Members whose dates were recorded with three zero decimals. Others repeat what a user configured."""


@functools.cache
def root(operation: str) -> str:
    """The root element of an operation's good answer, "" where nobody says."""
    shape = model.operation(operation).output_shape if operation in model.operations() else None
    payload = shape.serialization.get("payload") if shape is not None else None
    if shape is not None and payload is not None:
        inner = shape.members[payload]
        return inner.serialization.get("name", payload) if inner.type_name == "structure" else ""
    return RECORDED_ROOTS.get(operation) or _DOCUMENTED_ROOTS.get(operation, "")


@functools.cache
def codes() -> dict[str, frozenset[int]]:
    """The statuses of every known error code; none where the documentation names none."""
    rows = [line.split("\t") for line in _CODES.read_text(encoding="utf-8").splitlines()[1:]]
    known = {code: frozenset(int(status) for status in statuses.split()) for code, statuses in rows}
    for name in model.service().shape_names:
        metadata = model.service().shape_for(name).metadata
        if metadata.get("exception") and name not in known:
            known[name] = frozenset({metadata["error"]["httpStatusCode"]})
    return known
