"""What a bucket configuration must be beyond its schema: one function each, named as the row of `config.SETTINGS`.

Each takes the call, the bucket and the document, and raises S3Error for a document that is not acceptable. It may
complete the document. Source: catalogue VER, TAG, LOCK, LC, CFG; errors as recorded on AWS.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from reference_server import access
from reference_server.errors import S3Error, invalid_argument
from reference_server.rules import cors as cors_rules
from reference_server.rules import encryption as encryption_rules
from reference_server.rules import lifecycle as lifecycle_rules
from reference_server.rules import lock, tags
from reference_server.rules import public_access as public_access_rules
from reference_server.rules import website as website_rules

if TYPE_CHECKING:
    from reference_server.call import Call
    from reference_server.store import Bucket

_ARN_PARTS = 6
_BUCKET_ARN = "arn:aws:s3:::"
_DESTINATIONS = (
    ("TopicConfigurations", "TopicArn", "sns"),
    ("QueueConfigurations", "QueueArn", "sqs"),
    ("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambda"),
)


def anything(_call: Call, _bucket: Bucket, _document: dict[str, Any]) -> None:
    """The schema says all there is to check."""


def accelerate(_call: Call, bucket: Bucket, document: dict[str, Any]) -> None:
    """Acceleration needs a name that is one label of a host."""
    if "." in bucket.name:
        message = "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        raise S3Error("InvalidRequest", message)
    if document.get("Status") is None:
        raise S3Error("MalformedXML")


def cors(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """See `rules.cors`."""
    cors_rules.check(document)


def encryption(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """See `rules.encryption`."""
    encryption_rules.check(document)


def lifecycle(call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """See `rules.lifecycle`; rules get ids, and the smallest size to move is kept with them (LC-005)."""
    lifecycle_rules.check(document)
    document["Rules"] = lifecycle_rules.with_ids(document, _new_id)["Rules"]
    asked = call.members.get("TransitionDefaultMinimumObjectSize")
    document["TransitionDefaultMinimumObjectSize"] = lifecycle_rules.default_minimum_size(asked)


def logging(call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """The target is a bucket of the same owner; all buckets here are of one region (CFG-004)."""
    enabled = document.get("LoggingEnabled")
    if enabled is None:
        return
    target = call.store.bucket(enabled["TargetBucket"])
    if target is None or target.owner != call.account.id:
        message = "The target bucket for logging does not exist"
        raise S3Error("InvalidTargetBucketForLogging", message, {"TargetBucket": enabled["TargetBucket"]})


def notification(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """Each destination is an ARN of the right service; it gets an id, and its filters their names (CFG-007)."""
    for member, arn_name, service in _DESTINATIONS:
        for one in document.get(member, []):
            pieces = one[arn_name].split(":")
            if len(pieces) < _ARN_PARTS or pieces[0] != "arn" or pieces[2] != service:
                raise invalid_argument(arn_name, one[arn_name], "The ARN could not be parsed")
            one["Id"] = one.get("Id") or _new_id()
            for rule in one.get("Filter", {}).get("Key", {}).get("FilterRules", []):
                _name_filter(rule)


def _name_filter(rule: dict[str, Any]) -> None:
    """Prefix or Suffix, however it was spelt: this is how S3 gives it back."""
    if "Name" not in rule or "Value" not in rule:
        raise S3Error("MalformedXML")
    if rule["Name"].capitalize() not in ("Prefix", "Suffix"):
        message = "filter rule name must be either prefix or suffix"
        raise invalid_argument("FilterRule.Name", rule["Name"], message)
    rule["Name"] = rule["Name"].capitalize()


def object_lock(_call: Call, bucket: Bucket, document: dict[str, Any]) -> None:
    """See `rules.lock`; locks are for versions."""
    lock.check_configuration(document)
    if bucket.versioning != "Enabled":
        message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        raise S3Error("InvalidBucketState", message)


def ownership(_call: Call, bucket: Bucket, document: dict[str, Any]) -> None:
    """One rule, and none that would leave grants without effect."""
    if len(document["Rules"]) != 1:
        raise S3Error("MalformedXML")
    kept = access.control(bucket.settings.get(access.ACL), bucket.owner)
    public_access_rules.check_enforceable(document["Rules"][0]["ObjectOwnership"], kept)


def public_access(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """What is not asked for is not blocked, and GetPublicAccessBlock says so."""
    for name in access.NEW_BUCKET[access.PUBLIC_ACCESS]:
        document.setdefault(name, False)


def replication(call: Call, bucket: Bucket, document: dict[str, Any]) -> None:
    """Both ends have versions; rules get ids."""
    if bucket.versioning != "Enabled":
        message = "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
        raise S3Error("InvalidRequest", message)
    for rule in document["Rules"]:
        target = call.store.bucket(rule["Destination"]["Bucket"].removeprefix(_BUCKET_ARN))
        if target is None:
            raise S3Error("InvalidRequest", "Destination bucket must exist.")
        if target.versioning != "Enabled":
            raise S3Error("InvalidRequest", "Destination bucket must have versioning enabled.")
        rule["ID"] = rule.get("ID") or _new_id()


def tagging(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """See `rules.tags`; an empty set removes the tags."""
    tags.check(document["TagSet"], tags.BUCKET_LIMIT)
    if not document["TagSet"]:
        document.clear()


def versioning(_call: Call, bucket: Bucket, document: dict[str, Any]) -> None:
    """A status, and never Suspended where versions may be locked (VER-003, VER-019)."""
    status = document.get("Status")
    if status is None:
        message = "The Versioning element must be specified"
        raise S3Error("IllegalVersioningConfigurationException", message)
    if status == "Suspended" and "object-lock" in bucket.settings:
        message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        raise S3Error("InvalidBucketState", message)


def website(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """See `rules.website`."""
    website_rules.check(document)


def analytics(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """Where an analysis is exported to, if anywhere."""
    export = document["StorageClassAnalysis"].get("DataExport")
    if export is not None:
        _check_destination(export["Destination"])


def inventory(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """Where an inventory goes."""
    _check_destination(document["Destination"])


def _check_destination(destination: dict[str, Any]) -> None:
    if not destination["S3BucketDestination"]["Bucket"].startswith(_BUCKET_ARN):
        raise S3Error("InvalidS3DestinationBucket", "Invalid bucket ARN.")


def _new_id() -> str:
    return secrets.token_hex(24)
