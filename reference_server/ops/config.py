"""Bucket configurations as a table: what is stored is the document as it was sent. Source: catalogue CFG and others.

A configuration with get, put and delete is one row; only its checks are code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reference_server import access
from reference_server.call import Call, Handler, Result
from reference_server.errors import S3Error
from reference_server.listing import make_token, read_token
from reference_server.ops import config_checks
from reference_server.rules import encryption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.store import Bucket

_PAGE = 100

CheckDocument = Callable[[Call, "Bucket", dict[str, Any]], None]


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
        check: raises S3Error for a document that is not acceptable; may complete the document, or empty one that
            means to remove the configuration.
        put_status: status of a successful `put`.
    """

    name: str
    get: str
    put: str
    delete: str = ""
    missing: str = ""
    default: Mapping[str, Any] = field(default_factory=dict)
    check: CheckDocument = config_checks.anything
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
    # One step: the other configurations that a check looks at are those beside which this one is kept.
    with call.store.transaction():
        setting.check(call, call.store.still(bucket), document)
        call.store.configure(bucket, setting.name, document or None)
    # Of the document the answer shows what is a header: the least size of lifecycle transitions (LC-005).
    return Result(document, setting.put_status)


def _delete(setting: Setting, call: Call) -> Result:
    call.store.configure(call.bucket(), setting.name, None)
    return Result(status=204)


# The table

SETTINGS = (
    Setting(
        *("accelerate", "GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration"),
        check=config_checks.accelerate,
    ),
    Setting(
        *("cors", "GetBucketCors", "PutBucketCors", "DeleteBucketCors"),
        missing="NoSuchCORSConfiguration",
        check=config_checks.cors,
    ),
    Setting(
        *("encryption", "GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"),
        default=encryption.DEFAULT_CONFIGURATION,
        check=config_checks.encryption,
    ),
    Setting(
        *("lifecycle", "GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"),
        missing="NoSuchLifecycleConfiguration",
        check=config_checks.lifecycle,
    ),
    Setting("logging", "GetBucketLogging", "PutBucketLogging", check=config_checks.logging),
    Setting(
        *("notification", "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration"),
        check=config_checks.notification,
    ),
    Setting(
        *("object-lock", "GetObjectLockConfiguration", "PutObjectLockConfiguration"),
        missing="ObjectLockConfigurationNotFoundError",
        check=config_checks.object_lock,
    ),
    Setting(
        *(
            access.OWNERSHIP,
            "GetBucketOwnershipControls",
            "PutBucketOwnershipControls",
            "DeleteBucketOwnershipControls",
        ),
        missing="OwnershipControlsNotFoundError",
        check=config_checks.ownership,
    ),
    Setting(
        *(access.PUBLIC_ACCESS, "GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"),
        missing="NoSuchPublicAccessBlockConfiguration",
        check=config_checks.public_access,
    ),
    Setting(
        *("replication", "GetBucketReplication", "PutBucketReplication", "DeleteBucketReplication"),
        missing="ReplicationConfigurationNotFoundError",
        check=config_checks.replication,
    ),
    Setting(
        *("request-payment", "GetBucketRequestPayment", "PutBucketRequestPayment"),
        default={"Payer": "BucketOwner"},
    ),
    Setting(
        *("tagging", "GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"),
        missing="NoSuchTagSet",
        check=config_checks.tagging,
        put_status=204,
    ),
    Setting("versioning", "GetBucketVersioning", "PutBucketVersioning", check=config_checks.versioning),
    Setting(
        *("website", "GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
        missing="NoSuchWebsiteConfiguration",
        check=config_checks.website,
    ),
)


# Configurations of which a bucket has several, each with an id


@dataclass(frozen=True)
class Identified:
    """A kind of configuration with ids, as the service model names it."""

    kind: str
    put_status: int = 200
    check: CheckDocument = config_checks.anything

    @property
    def name(self) -> str:
        """Among the settings of a bucket."""
        return self.kind.lower()


IDENTIFIED = (
    Identified("Analytics", 204, config_checks.analytics),
    Identified("IntelligentTiering"),
    Identified("Inventory", 204, config_checks.inventory),
    Identified("Metrics", 204),
)


def _all(kind: Identified, bucket: Bucket) -> dict[str, Any]:
    return dict(bucket.settings.get(kind.name, {}))


def _get_one(kind: Identified, call: Call) -> Result:
    bucket = call.bucket()
    found = _all(kind, bucket).get(call.members.get("Id", ""))
    if found is None:
        raise S3Error("NoSuchConfiguration")
    return Result({f"{kind.kind}Configuration": found})


def _put_one(kind: Identified, call: Call) -> Result:
    bucket = call.bucket()
    document, asked = call.document(), call.members.get("Id", "")
    if document["Id"] != asked:
        raise S3Error("IdMismatch")
    kind.check(call, bucket, document)
    with call.store.transaction():
        everything = _all(kind, call.store.still(bucket)) | {asked: document}
        call.store.configure(bucket, kind.name, everything)
    return Result(status=kind.put_status)


def _delete_one(kind: Identified, call: Call) -> Result:
    bucket, asked = call.bucket(), call.members.get("Id", "")
    with call.store.transaction():
        everything = _all(kind, call.store.still(bucket))
        if everything.pop(asked, None) is None:
            raise S3Error("NoSuchConfiguration")
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
