"""Bucket configurations as a table: what is stored is the document as it was sent. Source: catalogue CFG and others.

A configuration with get, put and delete is one row; only its checks are code.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reference_server import access
from reference_server.call import Call, Handler, Result
from reference_server.errors import S3Error, invalid_argument
from reference_server.listing import make_token, read_token
from reference_server.rules import cors, encryption, lifecycle, lock, public_access, tags, website

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.store import Bucket

_PAGE = 100
_ARN_PARTS = 6

CheckDocument = Callable[[Call, "Bucket", dict[str, Any]], None]


def _accept(_call: Call, _bucket: Bucket, _document: dict[str, Any]) -> None:
    """The model says all there is to check."""


@dataclass(frozen=True)
class Setting:
    """One configuration of a bucket.

    Attributes:
        name: among the settings of a bucket.
        get: operation that reads it.
        put: operation that writes it.
        delete: operation that removes it, if there is one.
        missing: error code of `get` where it is not set; if empty, `default` is answered.
        default: what `get` answers where it is not set.
        check: raises S3Error for a document that is not acceptable; may complete the document.
        put_status: status of a successful `put`.
    """

    name: str
    get: str
    put: str
    delete: str = ""
    missing: str = ""
    default: Mapping[str, Any] = field(default_factory=dict)
    check: CheckDocument = _accept
    put_status: int = 200


def _get(setting: Setting, call: Call) -> Result:
    bucket = call.bucket()
    value = bucket.settings.get(setting.name)
    if value is None and setting.missing:
        raise S3Error(setting.missing, None, {"BucketName": bucket.name})
    found = dict(setting.default if value is None else value)
    payload = call.endpoint.codec.output_payload(setting.get)
    return Result({payload: found} if payload else found)


def _put(setting: Setting, call: Call) -> Result:
    bucket = call.bucket()
    document = call.document()
    setting.check(call, bucket, document)
    call.store.configure(bucket, setting.name, document)
    return Result(status=setting.put_status)


def _delete(setting: Setting, call: Call) -> Result:
    call.store.configure(call.bucket(), setting.name, None)
    return Result(status=204)


# Checks


def _check_versioning(_call: Call, bucket: Bucket, document: dict[str, Any]) -> None:
    status = document.get("Status")
    if status is None:
        message = "The Versioning element must be specified"
        raise S3Error("IllegalVersioningConfigurationException", message)
    if status == "Suspended" and "object-lock" in bucket.settings:
        message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
        raise S3Error("InvalidBucketState", message)


def _check_tags(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    tags.check(document["TagSet"], tags.BUCKET_LIMIT)


def _check_cors(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    cors.check(document)


def _check_website(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    website.check(document)


def _check_lifecycle(call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    lifecycle.check(document)
    document["Rules"] = lifecycle.with_ids(document, lambda: secrets.token_hex(24))["Rules"]
    asked = call.members.get("TransitionDefaultMinimumObjectSize")
    document["TransitionDefaultMinimumObjectSize"] = lifecycle.default_minimum_size(asked)


def _check_encryption(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    encryption.check(document)


def _check_lock(_call: Call, bucket: Bucket, document: dict[str, Any]) -> None:
    lock.check_configuration(document)
    if bucket.versioning != "Enabled":
        message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        raise S3Error("InvalidBucketState", message)


def _check_replication(_call: Call, bucket: Bucket, _document: dict[str, Any]) -> None:
    if bucket.versioning != "Enabled":
        message = "Versioning must be 'Enabled' on the bucket to apply a replication configuration"
        raise S3Error("InvalidRequest", message)


def _check_logging(call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    """The target is a bucket of the same owner; all buckets here are of one region."""
    enabled = document.get("LoggingEnabled")
    if enabled is None:
        return
    target = call.store.bucket(enabled["TargetBucket"])
    if target is None or target.owner != call.account.id:
        message = "The target bucket for logging does not exist"
        raise S3Error("InvalidTargetBucketForLogging", message, {"TargetBucket": enabled["TargetBucket"]})


def _check_notification(_call: Call, _bucket: Bucket, document: dict[str, Any]) -> None:
    for member, arn_name, service in (
        ("TopicConfigurations", "TopicArn", "sns"),
        ("QueueConfigurations", "QueueArn", "sqs"),
        ("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambda"),
    ):
        for one in document.get(member, []):
            pieces = one[arn_name].split(":")
            if len(pieces) < _ARN_PARTS or pieces[0] != "arn" or pieces[2] != service:
                raise invalid_argument(arn_name, one[arn_name], "The ARN could not be parsed")


def _check_ownership(_call: Call, bucket: Bucket, document: dict[str, Any]) -> None:
    if len(document["Rules"]) != 1:
        raise S3Error("MalformedXML")
    kept = access.control(bucket.settings.get(access.ACL), bucket.owner)
    public_access.check_enforceable(document["Rules"][0]["ObjectOwnership"], kept)


SETTINGS = (
    Setting("accelerate", "GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration"),
    Setting(
        *("cors", "GetBucketCors", "PutBucketCors", "DeleteBucketCors"),
        missing="NoSuchCORSConfiguration",
        check=_check_cors,
    ),
    Setting(
        *("encryption", "GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"),
        default=encryption.DEFAULT_CONFIGURATION,
        check=_check_encryption,
    ),
    Setting(
        *("lifecycle", "GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"),
        missing="NoSuchLifecycleConfiguration",
        check=_check_lifecycle,
    ),
    Setting("logging", "GetBucketLogging", "PutBucketLogging", check=_check_logging),
    Setting(
        *("notification", "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration"),
        check=_check_notification,
    ),
    Setting(
        *("object-lock", "GetObjectLockConfiguration", "PutObjectLockConfiguration"),
        missing="ObjectLockConfigurationNotFoundError",
        check=_check_lock,
    ),
    Setting(
        *(
            access.OWNERSHIP,
            "GetBucketOwnershipControls",
            "PutBucketOwnershipControls",
            "DeleteBucketOwnershipControls",
        ),
        missing="OwnershipControlsNotFoundError",
        check=_check_ownership,
    ),
    Setting(
        *(access.PUBLIC_ACCESS, "GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"),
        missing="NoSuchPublicAccessBlockConfiguration",
    ),
    Setting(
        *("replication", "GetBucketReplication", "PutBucketReplication", "DeleteBucketReplication"),
        missing="ReplicationConfigurationNotFoundError",
        check=_check_replication,
    ),
    Setting(
        *("request-payment", "GetBucketRequestPayment", "PutBucketRequestPayment"),
        default={"Payer": "BucketOwner"},
    ),
    Setting(
        *("tagging", "GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"),
        missing="NoSuchTagSet",
        check=_check_tags,
        put_status=204,
    ),
    Setting("versioning", "GetBucketVersioning", "PutBucketVersioning", check=_check_versioning),
    Setting(
        *("website", "GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
        missing="NoSuchWebsiteConfiguration",
        check=_check_website,
    ),
)


# Configurations of which a bucket has several, each with an id


@dataclass(frozen=True)
class Identified:
    """A kind of configuration with ids, as the service model names it."""

    kind: str
    put_status: int = 200

    @property
    def name(self) -> str:
        """Among the settings of a bucket."""
        return self.kind.lower()


IDENTIFIED = (
    Identified("Analytics", 204),
    Identified("IntelligentTiering"),
    Identified("Inventory", 204),
    Identified("Metrics", 204),
)


def _all(kind: Identified, bucket: Bucket) -> dict[str, Any]:
    return dict(bucket.settings.get(kind.name, {}))


def _get_one(kind: Identified, call: Call) -> Result:
    bucket = call.bucket()
    found = _all(kind, bucket).get(call.members.get("Id", ""))
    if found is None:
        raise S3Error("NoSuchConfiguration", None, {"BucketName": bucket.name})
    return Result({f"{kind.kind}Configuration": found})


def _put_one(kind: Identified, call: Call) -> Result:
    bucket = call.bucket()
    document, asked = call.document(), call.members.get("Id", "")
    if document["Id"] != asked:
        raise S3Error("IdMismatch")
    with call.store.transaction():
        everything = _all(kind, call.store.still(bucket)) | {asked: document}
        call.store.configure(bucket, kind.name, everything)
    return Result(status=kind.put_status)


def _delete_one(kind: Identified, call: Call) -> Result:
    bucket, asked = call.bucket(), call.members.get("Id", "")
    with call.store.transaction():
        everything = _all(kind, call.store.still(bucket))
        if everything.pop(asked, None) is None:
            raise S3Error("NoSuchConfiguration", None, {"BucketName": bucket.name})
        call.store.configure(bucket, kind.name, everything or None)
    return Result(status=204)


def _list_all(kind: Identified, call: Call) -> Result:
    everything, token = _all(kind, call.bucket()), call.members.get("ContinuationToken")
    after = read_token(token).decode() if token else ""
    ids = sorted(found for found in everything if found > after)
    page = ids[:_PAGE]
    output: dict[str, Any] = {"IsTruncated": len(ids) > len(page), "ContinuationToken": token}
    output[f"{kind.kind}ConfigurationList"] = [everything[found] for found in page]
    if len(ids) > len(page):
        output["NextContinuationToken"] = make_token(page[-1].encode())
    return Result(output)


def _handlers() -> dict[str, Handler]:
    found: dict[str, Handler] = {}
    for setting in SETTINGS:
        found[setting.get] = functools.partial(_get, setting)
        found[setting.put] = functools.partial(_put, setting)
        if setting.delete:
            found[setting.delete] = functools.partial(_delete, setting)
    for kind in IDENTIFIED:
        suffix = f"Bucket{kind.kind}Configuration"
        found[f"Get{suffix}"] = functools.partial(_get_one, kind)
        found[f"Put{suffix}"] = functools.partial(_put_one, kind)
        found[f"Delete{suffix}"] = functools.partial(_delete_one, kind)
        found[f"List{suffix}s"] = functools.partial(_list_all, kind)
    return found


HANDLERS = _handlers()
