"""Configurations of buckets as questions: what is put, and how it shows that it was kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from scenarios._operations import Question, after, at_bucket, shows, then_shows, then_without

Shown = Callable[[dict[str, Any]], bool]
_NOWHERE = "arn:aws:s3:::s3conform-nowhere"


class Setting(NamedTuple):
    """A configuration of a bucket.

    Attributes:
        what: what is configured, in words.
        put, get, delete: its operations, "" for one that there is not.
        document: the parameters of `put`.
        shown: whether the output of `get` shows it.
        id: of a configuration of which a bucket has several.
        list: the operation that lists these.
    """

    what: str
    put: str
    get: str
    delete: str
    document: dict[str, Any]
    shown: Shown
    id: str = ""
    list: str = ""


def _has(*path: Any) -> Shown:
    """The output has a value at this path; the last step is what it must be."""
    *steps, wanted = path

    def shown(output: Any) -> bool:
        for step in steps:
            try:
                output = output[step]
            except (KeyError, IndexError, TypeError):
                return False
        return bool(output == wanted)

    return shown


def _configuration(kind: str, word: str, document: dict[str, Any]) -> Setting:
    name = f"{kind}Configuration"
    return Setting(
        f"a configuration of {word}",
        f"PutBucket{name}",
        f"GetBucket{name}",
        f"DeleteBucket{name}",
        {"Id": "s3conform", name: {"Id": "s3conform", **document}},
        _has(name, "Id", "s3conform"),
        "s3conform",
        f"ListBucket{name}s",
    )


_RULE = {"ID": "s3conform", "Status": "Enabled", "Filter": {"Prefix": "none/"}, "Expiration": {"Days": 30}}
_EXPIRY = {"Rules": [_RULE]}
_OLD_RULE = {"ID": "s3conform", "Status": "Enabled", "Prefix": "none/", "Expiration": {"Days": 30}}
_BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": False, "BlockPublicPolicy": True, "RestrictPublicBuckets": False}
_INVENTORY = {
    "Destination": {"S3BucketDestination": {"Bucket": _NOWHERE, "Format": "CSV"}},
    "IsEnabled": False,
    "IncludedObjectVersions": "All",
    "Schedule": {"Frequency": "Daily"},
}

SETTINGS = (
    Setting(
        *("the acceleration", "PutBucketAccelerateConfiguration", "GetBucketAccelerateConfiguration", ""),
        {"AccelerateConfiguration": {"Status": "Enabled"}},
        _has("Status", "Enabled"),
    ),
    _configuration("Analytics", "analytics", {"StorageClassAnalysis": {}}),
    Setting(
        *("the CORS rule", "PutBucketCors", "GetBucketCors", "DeleteBucketCors"),
        {"CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"]}]}},
        _has("CORSRules", 0, "AllowedOrigins", ["https://example.com"]),
    ),
    Setting(
        *("the default encryption", "PutBucketEncryption", "GetBucketEncryption", "DeleteBucketEncryption"),
        {
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]
            }
        },
        _has(
            *("ServerSideEncryptionConfiguration", "Rules", 0),
            *("ApplyServerSideEncryptionByDefault", "SSEAlgorithm", "aws:kms"),
        ),
    ),
    _configuration(
        "IntelligentTiering",
        "intelligent tiering",
        {"Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]},
    ),
    _configuration("Inventory", "inventories", _INVENTORY),
    Setting(
        *("the expiry rule", "PutBucketLifecycleConfiguration", "GetBucketLifecycleConfiguration"),
        "DeleteBucketLifecycle",
        {"LifecycleConfiguration": _EXPIRY},
        _has("Rules", 0, "ID", "s3conform"),
    ),
    Setting(
        *("the expiry rule in its older form", "PutBucketLifecycle", "GetBucketLifecycle", ""),
        {"LifecycleConfiguration": {"Rules": [_OLD_RULE]}},
        _has("Rules", 0, "ID", "s3conform"),
    ),
    Setting(
        *("the request metrics", "PutBucketMetricsConfiguration", "GetBucketMetricsConfiguration"),
        "DeleteBucketMetricsConfiguration",
        {"Id": "s3conform", "MetricsConfiguration": {"Id": "s3conform"}},
        _has("MetricsConfiguration", "Id", "s3conform"),
        "s3conform",
        "ListBucketMetricsConfigurations",
    ),
    Setting(
        *("the events for EventBridge", "PutBucketNotificationConfiguration", "GetBucketNotificationConfiguration", ""),
        {"NotificationConfiguration": {"EventBridgeConfiguration": {}}},
        lambda output: "EventBridgeConfiguration" in output,
    ),
    Setting(
        *("the object ownership", "PutBucketOwnershipControls", "GetBucketOwnershipControls"),
        "DeleteBucketOwnershipControls",
        {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
        _has("OwnershipControls", "Rules", 0, "ObjectOwnership", "ObjectWriter"),
    ),
    Setting(
        *("who pays for requests", "PutBucketRequestPayment", "GetBucketRequestPayment", ""),
        {"RequestPaymentConfiguration": {"Payer": "Requester"}},
        _has("Payer", "Requester"),
    ),
    Setting(
        *("the tags", "PutBucketTagging", "GetBucketTagging", "DeleteBucketTagging"),
        {"Tagging": {"TagSet": [{"Key": "color", "Value": "blue"}]}},
        _has("TagSet", [{"Key": "color", "Value": "blue"}]),
    ),
    Setting(
        *("that versions are kept", "PutBucketVersioning", "GetBucketVersioning", ""),
        {"VersioningConfiguration": {"Status": "Suspended"}},
        _has("Status", "Suspended"),
    ),
    Setting(
        *("the website", "PutBucketWebsite", "GetBucketWebsite", "DeleteBucketWebsite"),
        {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}},
        _has("IndexDocument", "Suffix", "index.html"),
    ),
    Setting(
        *("the block of public access", "PutPublicAccessBlock", "GetPublicAccessBlock", "DeletePublicAccessBlock"),
        {"PublicAccessBlockConfiguration": _BLOCK},
        _has("PublicAccessBlockConfiguration", _BLOCK),
    ),
    Setting(
        *("that access follows tags", "PutBucketAbac", "GetBucketAbac", ""),
        {"AbacStatus": {"Status": "Enabled"}},
        _has("AbacStatus", "Status", "Enabled"),
    ),
)


def questions() -> Iterator[Question]:
    """Put, get, list and delete of each."""
    for one in SETTINGS:
        put, get = at_bucket(**one.document), at_bucket(**({"Id": one.id} if one.id else {}))
        shown = then_shows(one.get, get, one.what, one.shown)
        yield Question(one.put, f"{one.get} shows {one.what}", put, shown)
        prepared = after(one.put, get, put)
        yield Question(one.get, f"it shows {one.what}", prepared, shows(one.what, one.shown))
        if one.delete:
            gone = then_without(one.get, get, one.what, one.shown)
            yield Question(one.delete, f"{one.get} shows {one.what} no more", prepared, gone)
        if one.list:
            yield Question(
                one.list,
                f"it lists {one.what}",
                after(one.put, at_bucket(), put),
                shows(one.what, lambda output: any("s3conform" in str(value) for value in output.values())),
            )
