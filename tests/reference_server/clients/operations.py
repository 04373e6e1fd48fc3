"""Every operation of S3 once or more, as boto3 takes it; each group leaves nothing that another depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.reference_server.clients.model_check import Asker

_MIB = 1024 * 1024
_ROLE = "arn:aws:iam::123456789012:role/replication"
_QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"
_TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"


@dataclass(frozen=True)
class Setting:
    """A configuration of a bucket: how it is put, read and removed, and what is put.

    Attributes:
        put: operation.
        get: operation.
        document: input of `put` beside the bucket.
        inside: the member of `document` whose members `get` shows as its own; none where `get` shows `document`.
        delete: operation, if there is one.
    """

    put: str
    get: str
    document: Mapping[str, Any]
    inside: str = ""
    delete: str = ""

    @property
    def shown(self) -> Mapping[str, Any]:
        """What `get` must show."""
        inner: Mapping[str, Any] = self.document[self.inside] if self.inside else self.document
        return inner


def settings(bucket: str, target: str) -> list[Setting]:
    """All configurations of which a bucket has one; `target` is another bucket with versions, as `bucket` is."""
    expiry = {"ID": "r", "Status": "Enabled", "Expiration": {"Days": 3}}
    grants = [{"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/s3/LogDelivery"}}]
    logging = {"TargetBucket": target, "TargetPrefix": "log/", "TargetGrants": [{**grants[0], "Permission": "READ"}]}
    destination = {"Bucket": f"arn:aws:s3:::{target}", "StorageClass": "STANDARD_IA"}
    replication = {
        "ID": "r",
        "Priority": 1,
        "Status": "Enabled",
        "Filter": {"Prefix": "a/"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": destination,
    }
    encryption = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    name_filter = {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "in/"}]}}
    queue = {"Id": "q", "QueueArn": _QUEUE, "Events": ["s3:ObjectCreated:*"], "Filter": name_filter}
    topic = {"Id": "t", "Topic": _TOPIC, "Events": ["s3:ObjectCreated:*"]}
    routing = {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}
    website = {
        "IndexDocument": {"Suffix": "index.html"},
        "ErrorDocument": {"Key": "error.html"},
        "RoutingRules": [routing],
    }
    cors = {"ID": "c", "AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"]}
    retention = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    return [
        Setting(
            "PutBucketAccelerateConfiguration",
            "GetBucketAccelerateConfiguration",
            {"AccelerateConfiguration": {"Status": "Suspended"}},
            "AccelerateConfiguration",
        ),
        Setting(
            *("PutBucketCors", "GetBucketCors"),
            {"CORSConfiguration": {"CORSRules": [{**cors, "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 60}]}},
            *("CORSConfiguration", "DeleteBucketCors"),
        ),
        Setting(
            *("PutBucketEncryption", "GetBucketEncryption"),
            {"ServerSideEncryptionConfiguration": {"Rules": [encryption]}},
            delete="DeleteBucketEncryption",
        ),
        Setting(
            *("PutBucketLifecycleConfiguration", "GetBucketLifecycleConfiguration"),
            {"LifecycleConfiguration": {"Rules": [{**expiry, "Filter": {"And": {"Prefix": "a/", "Tags": _tags()}}}]}},
            *("LifecycleConfiguration", "DeleteBucketLifecycle"),
        ),
        Setting(
            *("PutBucketLifecycle", "GetBucketLifecycle"),
            {"LifecycleConfiguration": {"Rules": [{**expiry, "Prefix": "a/"}]}},
            *("LifecycleConfiguration", "DeleteBucketLifecycle"),
        ),
        Setting(
            *("PutBucketLogging", "GetBucketLogging"),
            {"BucketLoggingStatus": {"LoggingEnabled": logging}},
            "BucketLoggingStatus",
        ),
        Setting(
            *("PutBucketNotificationConfiguration", "GetBucketNotificationConfiguration"),
            {"NotificationConfiguration": {"QueueConfigurations": [queue]}},
            "NotificationConfiguration",
        ),
        Setting(
            *("PutBucketNotification", "GetBucketNotification"),
            {"NotificationConfiguration": {"TopicConfiguration": topic}},
            "NotificationConfiguration",
        ),
        Setting(
            *("PutBucketOwnershipControls", "GetBucketOwnershipControls"),
            {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}},
            delete="DeleteBucketOwnershipControls",
        ),
        Setting(
            *("PutPublicAccessBlock", "GetPublicAccessBlock"),
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "RestrictPublicBuckets": False}},
            delete="DeletePublicAccessBlock",
        ),
        Setting(
            *("PutBucketReplication", "GetBucketReplication"),
            {"ReplicationConfiguration": {"Role": _ROLE, "Rules": [replication]}},
            delete="DeleteBucketReplication",
        ),
        Setting(
            *("PutBucketRequestPayment", "GetBucketRequestPayment"),
            {"RequestPaymentConfiguration": {"Payer": "Requester"}},
            "RequestPaymentConfiguration",
        ),
        Setting(
            "PutBucketTagging", "GetBucketTagging", {"Tagging": {"TagSet": _tags()}}, "Tagging", "DeleteBucketTagging"
        ),
        Setting(
            *("PutBucketVersioning", "GetBucketVersioning"),
            {"VersioningConfiguration": {"Status": "Enabled"}},
            "VersioningConfiguration",
        ),
        Setting(
            *("PutObjectLockConfiguration", "GetObjectLockConfiguration"),
            {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": retention}},
        ),
        Setting(
            *("PutBucketWebsite", "GetBucketWebsite"),
            {"WebsiteConfiguration": website},
            *("WebsiteConfiguration", "DeleteBucketWebsite"),
        ),
        Setting("PutBucketPolicy", "GetBucketPolicy", {"Policy": _policy(bucket)}, delete="DeleteBucketPolicy"),
    ]


def _tags() -> list[dict[str, str]]:
    return [{"Key": "a", "Value": "1"}, {"Key": "b é", "Value": ""}]


def _policy(bucket: str) -> str:
    statement = f'"Effect":"Deny","Principal":"*","Action":"s3:GetObjectTorrent","Resource":"arn:aws:s3:::{bucket}/*"'
    return f'{{"Version":"2012-10-17","Statement":[{{{statement}}}]}}'


def identified(target: str) -> dict[str, dict[str, Any]]:
    """The configurations of which a bucket has several: kind, and one document with the id `one`."""
    export = {"Bucket": f"arn:aws:s3:::{target}", "Format": "CSV"}
    analysis = {"OutputSchemaVersion": "V_1", "Destination": {"S3BucketDestination": export}}
    return {
        "Analytics": {"Id": "one", "StorageClassAnalysis": {"DataExport": analysis}},
        "IntelligentTiering": {
            "Id": "one",
            "Status": "Enabled",
            "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}],
        },
        "Inventory": {
            "Id": "one",
            "IsEnabled": True,
            "IncludedObjectVersions": "All",
            "OptionalFields": ["Size", "ETag"],
            "Destination": {"S3BucketDestination": export},
            "Schedule": {"Frequency": "Weekly"},
        },
        "Metrics": {"Id": "one", "Filter": {"Prefix": "a/"}},
    }


def ask_settings(ask: Asker, bucket: str, target: str) -> None:
    """Put, read and remove each configuration; what was put is shown."""
    where = {"Bucket": bucket}
    for setting in settings(bucket, target):
        ask(setting.put, **where, **setting.document)
        assert_shows(ask(setting.get, **where), setting.shown, setting.get)
        if setting.put == "PutBucketPolicy":
            assert ask("GetBucketPolicyStatus", **where)["PolicyStatus"] == {"IsPublic": False}
        if setting.delete:
            ask(setting.delete, **where)
    for kind, document in identified(target).items():
        name = f"Bucket{kind}Configuration"
        ask(f"Put{name}", **where, Id="one", **{f"{kind}Configuration": document})
        assert_shows(ask(f"Get{name}", **where, Id="one"), {f"{kind}Configuration": document}, name)
        assert_shows(ask(f"List{name}s", **where), {f"{kind}ConfigurationList": [document]}, name)
        ask(f"Delete{name}", **where, Id="one")
        assert f"{kind}ConfigurationList" not in ask(f"List{name}s", **where)


def assert_shows(answer: Any, wanted: Any, where: str) -> None:
    """Everything that is wanted is in the answer; mappings may have more."""
    if isinstance(wanted, Mapping):
        for name, value in wanted.items():
            assert name in answer, f"{where}: no {name}"
            assert_shows(answer[name], value, f"{where}.{name}")
    elif isinstance(wanted, list):
        assert len(answer) == len(wanted), where
        for number, value in enumerate(wanted):
            assert_shows(answer[number], value, f"{where}[{number}]")
    else:
        assert answer == wanted, where


def ask_acls(ask: Asker, bucket: str) -> None:
    """ACLs of a bucket and an object, where they are not disabled."""
    ask("PutBucketOwnershipControls", Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    ask("DeletePublicAccessBlock", Bucket=bucket)
    ask("PutObject", Bucket=bucket, Key="k", Body=b"body")
    ask("PutBucketAcl", Bucket=bucket, ACL="public-read")
    kept = ask("GetBucketAcl", Bucket=bucket)
    assert [grant["Permission"] for grant in kept["Grants"]] == ["FULL_CONTROL", "READ"]
    ask("PutObjectAcl", Bucket=bucket, Key="k", AccessControlPolicy={"Owner": kept["Owner"], "Grants": kept["Grants"]})
    assert ask("GetObjectAcl", Bucket=bucket, Key="k")["Grants"] == kept["Grants"]


def ask_objects(ask: Asker, bucket: str) -> None:
    """An object's life in a bucket with Object Lock."""
    where, until = {"Bucket": bucket, "Key": "k é"}, datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    facts = {"Metadata": {"a": "1"}, "ContentType": "text/plain", "CacheControl": "no-cache"}
    put = ask("PutObject", **where, Body=b"0123456789", Tagging="a=1", StorageClass="GLACIER", **facts)
    ask("RestoreObject", **where, RestoreRequest={"Days": 1})
    head = ask("HeadObject", **where, ChecksumMode="ENABLED")
    assert_shows(head, {**facts, "ContentLength": 10, "VersionId": put["VersionId"], "TagCount": 1}, "HeadObject")
    got = ask("GetObject", **where, Range="bytes=2-4")
    assert_shows(got, {**facts, "Body": b"234", "ContentRange": "bytes 2-4/10", "ETag": put["ETag"]}, "GetObject")
    wanted = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    attributes = ask("GetObjectAttributes", **where, ObjectAttributes=wanted)
    assert_shows(
        attributes, {"ETag": put["ETag"].strip('"'), "ObjectSize": 10, "StorageClass": "GLACIER"}, "attributes"
    )
    ask("PutObjectTagging", **where, Tagging={"TagSet": _tags()})
    assert ask("GetObjectTagging", **where)["TagSet"] == _tags()
    ask("DeleteObjectTagging", **where)
    ask("PutObjectRetention", **where, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    assert ask("GetObjectRetention", **where)["Retention"] == {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    ask("PutObjectLegalHold", **where, LegalHold={"Status": "ON"})
    assert ask("GetObjectLegalHold", **where)["LegalHold"] == {"Status": "ON"}
    ask("CopyObject", Bucket=bucket, Key="copy", CopySource=where, StorageClass="STANDARD")
    keys = {"Contents": [{"Key": "copy", "Size": 10}, {"Key": "k é", "ETag": put["ETag"]}]}
    assert_shows(ask("ListObjects", Bucket=bucket), keys, "ListObjects")
    assert_shows(ask("ListObjectsV2", Bucket=bucket, FetchOwner=True), {**keys, "KeyCount": 2}, "ListObjectsV2")
    ask("DeleteObject", Bucket=bucket, Key="copy")
    versions = ask("ListObjectVersions", Bucket=bucket)
    assert_shows(
        versions, {"DeleteMarkers": [{"Key": "copy"}], "Versions": [{"Key": "copy"}, {"Key": "k é"}]}, "versions"
    )
    ids = [
        {"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions["Versions"] + versions["DeleteMarkers"]
    ]
    answer = ask("DeleteObjects", Bucket=bucket, Delete={"Objects": ids})
    assert_shows(answer, {"Errors": [{"Key": "k é", "Code": "AccessDenied"}]}, "DeleteObjects")
    assert sorted(one["Key"] for one in answer["Deleted"]) == ["copy", "copy"]


def ask_uploads(ask: Asker, bucket: str) -> None:
    """A multipart upload that ends, and one that does not."""
    where = {"Bucket": bucket, "Key": "k"}
    made = ask("CreateMultipartUpload", **where, ChecksumAlgorithm="CRC32", Metadata={"a": "1"})
    part = {**where, "UploadId": made["UploadId"]}
    first = ask("UploadPart", **part, PartNumber=1, Body=b"a" * 5 * _MIB)
    ask("PutObject", Bucket=bucket, Key="source", Body=b"b" * 10)
    second = ask("UploadPartCopy", **part, PartNumber=2, CopySource={"Bucket": bucket, "Key": "source"})[
        "CopyPartResult"
    ]
    listed = ask("ListParts", **part)["Parts"]
    assert_shows(listed, [{"ETag": first["ETag"], "Size": 5 * _MIB}, {"ETag": second["ETag"], "Size": 10}], "ListParts")
    assert_shows(ask("ListMultipartUploads", Bucket=bucket), {"Uploads": [part_of(part)]}, "ListMultipartUploads")
    parts = [{name: one[name] for name in ("PartNumber", "ETag", "ChecksumCRC32")} for one in listed]
    done = ask("CompleteMultipartUpload", **part, MultipartUpload={"Parts": parts})
    assert ask("GetObject", **where)["Body"] == b"a" * 5 * _MIB + b"b" * 10
    assert_shows(ask("HeadObject", **where, PartNumber=2), {"PartsCount": 2, "ETag": done["ETag"]}, "HeadObject")
    shown = ask("GetObjectAttributes", **where, ObjectAttributes=["ObjectParts"])["ObjectParts"]
    assert_shows(shown, {"TotalPartsCount": 2, "Parts": [{"Size": 5 * _MIB}, {"Size": 10}]}, "GetObjectAttributes")
    left = ask("CreateMultipartUpload", **where)["UploadId"]
    ask("AbortMultipartUpload", **where, UploadId=left)
    assert "Uploads" not in ask("ListMultipartUploads", Bucket=bucket)


def part_of(part: Mapping[str, str]) -> dict[str, str]:
    """Key and id of an upload, as listings show them."""
    return {"Key": part["Key"], "UploadId": part["UploadId"]}
