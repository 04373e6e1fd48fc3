"""Configurations of buckets: realistic documents, as boto3 takes and gives them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A configuration of which a bucket has several.

    Attributes:
        name: in the names of operations and members.
        query: the sub-resource.
        document: one of them, complete but for its id; `TARGET` stands for the name of another bucket.
        put_status: of a successful put.
        listed: root element of the list.
    """

    name: str
    query: str
    document: dict[str, Any]
    put_status: int
    listed: str

    def of(self, target: str, **members: Any) -> dict[str, Any]:
        """A document with these members, and without placeholders."""
        found: dict[str, Any] = placed({**self.document, **members}, target)
        return found


def placed(document: Any, target: str) -> Any:
    """A document whose placeholder is replaced."""
    if isinstance(document, dict):
        return {name: placed(value, target) for name, value in document.items()}
    if isinstance(document, list):
        return [placed(value, target) for value in document]
    return document.replace("TARGET", target) if isinstance(document, str) else document


TAGS = [{"Key": "k1", "Value": "v1"}, {"Key": "k2", "Value": ""}]
KINDS = (
    Kind(
        "Analytics",
        "analytics",
        {
            "Filter": {"And": {"Prefix": "p/", "Tags": TAGS}},
            "StorageClassAnalysis": {
                "DataExport": {
                    "OutputSchemaVersion": "V_1",
                    "Destination": {
                        "S3BucketDestination": {"Format": "CSV", "Bucket": "arn:aws:s3:::TARGET", "Prefix": "out/"}
                    },
                }
            },
        },
        204,
        "ListBucketAnalyticsConfigurationResult",
    ),
    Kind(
        "IntelligentTiering",
        "intelligent-tiering",
        {
            "Filter": {"Tag": TAGS[0]},
            "Status": "Enabled",
            "Tierings": [
                {"Days": 90, "AccessTier": "ARCHIVE_ACCESS"},
                {"Days": 180, "AccessTier": "DEEP_ARCHIVE_ACCESS"},
            ],
        },
        200,
        "ListBucketIntelligentTieringConfigurationsOutput",
    ),
    Kind(
        "Inventory",
        "inventory",
        {
            "Destination": {
                "S3BucketDestination": {
                    "AccountId": "123456789012",
                    "Bucket": "arn:aws:s3:::TARGET",
                    "Format": "ORC",
                    "Prefix": "inv",
                    "Encryption": {"SSES3": {}},
                }
            },
            "IsEnabled": False,
            "Filter": {"Prefix": "p/"},
            "IncludedObjectVersions": "All",
            "OptionalFields": ["Size", "ETag", "ObjectLockMode"],
            "Schedule": {"Frequency": "Weekly"},
        },
        204,
        "ListInventoryConfigurationsResult",
    ),
    Kind(
        "Metrics",
        "metrics",
        {"Filter": {"And": {"Prefix": "p/", "Tags": TAGS[:1]}}},
        204,
        "ListMetricsConfigurationsResult",
    ),
)


@dataclass(frozen=True)
class One:
    """A configuration of which a bucket has one.

    Attributes:
        get: operation that reads it.
        put: operation that writes it.
        member: parameter of `put` that is the document.
        document: one to put and get back; `TARGET` stands for the name of another bucket.
        unset: what `get` answers without one: an error code, or the members of the answer.
        delete: operation that removes it, if there is one.
        wrapped: whether the answer has the document as one member.
        put_status: of a successful put.
        versioned: whether the bucket needs versions for it.
    """

    get: str
    put: str
    member: str
    document: dict[str, Any]
    unset: str | dict[str, Any]
    delete: str = ""
    wrapped: bool = False
    put_status: int = 200
    versioned: bool = False


GRANTEE = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}
ONES = (
    One(
        *("GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration", "AccelerateConfiguration"),
        *({"Status": "Suspended"}, {}),
    ),
    One(
        *("GetBucketCors", "PutBucketCors", "CORSConfiguration"),
        {
            "CORSRules": [
                {
                    "ID": "first",
                    "AllowedHeaders": ["x-amz-*", "Authorization"],
                    "AllowedMethods": ["GET", "PUT"],
                    "AllowedOrigins": ["https://*.example.com", "http://localhost"],
                    "ExposeHeaders": ["ETag", "x-amz-version-id"],
                    "MaxAgeSeconds": 3000,
                },
                {"AllowedMethods": ["HEAD"], "AllowedOrigins": ["*"]},
            ]
        },
        *("NoSuchCORSConfiguration", "DeleteBucketCors"),
    ),
    One(
        *("GetBucketEncryption", "PutBucketEncryption", "ServerSideEncryptionConfiguration"),
        {
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": "arn:aws:kms:us-east-1:123456789012:key/1234",
                    },
                    "BucketKeyEnabled": True,
                }
            ]
        },
        {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]},
        *("DeleteBucketEncryption", True),
    ),
    One(
        *("GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", "LifecycleConfiguration"),
        {
            "Rules": [
                {
                    "ID": "all",
                    "Status": "Enabled",
                    "Filter": {
                        "And": {
                            "Prefix": "logs/",
                            "Tags": TAGS,
                            "ObjectSizeGreaterThan": 500,
                            "ObjectSizeLessThan": 64000,
                        }
                    },
                    "Expiration": {"Days": 365},
                    "Transitions": [
                        {"Days": 30, "StorageClass": "STANDARD_IA"},
                        {"Days": 90, "StorageClass": "GLACIER"},
                    ],
                    "NoncurrentVersionTransitions": [{"NoncurrentDays": 30, "StorageClass": "GLACIER_IR"}],
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 60, "NewerNoncurrentVersions": 2},
                },
                {
                    "ID": "cleaning",
                    "Status": "Disabled",
                    "Filter": {"Prefix": ""},
                    "Expiration": {"ExpiredObjectDeleteMarker": True},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
                },
                {
                    "ID": "dated",
                    "Status": "Enabled",
                    "Filter": {"Tag": TAGS[0]},
                    "Expiration": {"Date": datetime(2040, 1, 1, tzinfo=UTC)},
                },
            ]
        },
        *("NoSuchLifecycleConfiguration", "DeleteBucketLifecycle"),
    ),
    One(
        *("GetBucketLogging", "PutBucketLogging", "BucketLoggingStatus"),
        {
            "LoggingEnabled": {
                "TargetBucket": "TARGET",
                "TargetPrefix": "log/",
                "TargetGrants": [{"Grantee": GRANTEE, "Permission": "READ"}],
                "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
            }
        },
        {},
    ),
    One(
        *("GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration", "NotificationConfiguration"),
        {
            "TopicConfigurations": [
                {
                    "Id": "topic",
                    "TopicArn": "arn:aws:sns:us-east-1:123456789012:topic",
                    "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:DeleteMarkerCreated"],
                    "Filter": {
                        "Key": {
                            "FilterRules": [{"Name": "Prefix", "Value": "in/"}, {"Name": "Suffix", "Value": ".jpg"}]
                        }
                    },
                }
            ],
            "QueueConfigurations": [
                {
                    "Id": "queue",
                    "QueueArn": "arn:aws:sqs:us-east-1:123456789012:queue",
                    "Events": ["s3:ObjectCreated:Put"],
                }
            ],
            "LambdaFunctionConfigurations": [
                {
                    "Id": "function",
                    "LambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
                    "Events": ["s3:ObjectTagging:*"],
                }
            ],
            "EventBridgeConfiguration": {},
        },
        {},
    ),
    One(
        *("GetObjectLockConfiguration", "PutObjectLockConfiguration", "ObjectLockConfiguration"),
        {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 2}}},
        "ObjectLockConfigurationNotFoundError",
        wrapped=True,
        versioned=True,
    ),
    One(
        *("GetBucketOwnershipControls", "PutBucketOwnershipControls", "OwnershipControls"),
        {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
        {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        *("DeleteBucketOwnershipControls", True),
    ),
    One(
        *("GetPublicAccessBlock", "PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
        {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": False,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": False,
        },
        dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True),
        *("DeletePublicAccessBlock", True),
    ),
    One(
        *("GetBucketReplication", "PutBucketReplication", "ReplicationConfiguration"),
        {
            "Role": "arn:aws:iam::123456789012:role/replicator",
            "Rules": [
                {
                    "ID": "rule",
                    "Priority": 1,
                    "Filter": {"And": {"Prefix": "p/", "Tags": TAGS}},
                    "Status": "Enabled",
                    "SourceSelectionCriteria": {
                        "SseKmsEncryptedObjects": {"Status": "Enabled"},
                        "ReplicaModifications": {"Status": "Disabled"},
                    },
                    "Destination": {
                        "Bucket": "arn:aws:s3:::TARGET",
                        "Account": "123456789012",
                        "StorageClass": "STANDARD_IA",
                        "AccessControlTranslation": {"Owner": "Destination"},
                        "EncryptionConfiguration": {"ReplicaKmsKeyID": "arn:aws:kms:us-east-1:123456789012:key/1"},
                        "ReplicationTime": {"Status": "Enabled", "Time": {"Minutes": 15}},
                        "Metrics": {"Status": "Enabled", "EventThreshold": {"Minutes": 15}},
                    },
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                }
            ],
        },
        *("ReplicationConfigurationNotFoundError", "DeleteBucketReplication", True),
        versioned=True,
    ),
    One(
        *("GetBucketRequestPayment", "PutBucketRequestPayment", "RequestPaymentConfiguration"),
        *({"Payer": "Requester"}, {"Payer": "BucketOwner"}),
    ),
    One(
        *("GetBucketTagging", "PutBucketTagging", "Tagging"),
        *({"TagSet": TAGS}, "NoSuchTagSet", "DeleteBucketTagging"),
        put_status=204,
    ),
    One(
        *("GetBucketVersioning", "PutBucketVersioning", "VersioningConfiguration"),
        *({"Status": "Enabled", "MFADelete": "Disabled"}, {}),
    ),
    One(
        *("GetBucketWebsite", "PutBucketWebsite", "WebsiteConfiguration"),
        {
            "IndexDocument": {"Suffix": "index.html"},
            "ErrorDocument": {"Key": "error.html"},
            "RoutingRules": [
                {
                    "Condition": {"KeyPrefixEquals": "docs/", "HttpErrorCodeReturnedEquals": "404"},
                    "Redirect": {
                        "HostName": "example.com",
                        "Protocol": "https",
                        "ReplaceKeyPrefixWith": "documents/",
                        "HttpRedirectCode": "302",
                    },
                }
            ],
        },
        *("NoSuchWebsiteConfiguration", "DeleteBucketWebsite"),
    ),
)
