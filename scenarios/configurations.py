"""CFG: configurations of buckets that most gateways only have to know, or to refuse. Fall-through: `fall_through`."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import Matcher, absent, header_where, ok, one_of, output, output_where, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios._policies import policy, statement

_ID = "s3conform"
_CONTENT = b"archived"

_KINDS: dict[str, dict[str, Any]] = {
    "Analytics": {"StorageClassAnalysis": {}},
    "IntelligentTiering": {"Status": "Enabled", "Tierings": [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}]},
    "Inventory": {
        "IsEnabled": True,
        "IncludedObjectVersions": "Current",
        "Schedule": {"Frequency": "Daily"},
    },
    "Metrics": {},
}
"""The kinds of configurations with ids, and the least that a document of each has beside the id."""


def _identified(kind: str, bucket: str, name: str = _ID) -> dict[str, Any]:
    """The parameter with a document of this kind; an inventory goes into the bucket itself."""
    document: dict[str, Any] = {"Id": name} | _KINDS[kind]
    if kind == "Inventory":
        destination = {"Bucket": f"arn:aws:s3:::{bucket}", "Format": "CSV"}
        document["Destination"] = {"S3BucketDestination": destination}
    return {f"{kind}Configuration": document}


def _done() -> Matcher:
    """Success: AWS answers such a PUT with 200 or 204, each kind in its own way."""
    return one_of(ok(204), ok(200))


def _names(kind: str) -> Matcher:
    """The answer holds the configuration with the id."""
    return output_where(f"{kind}Configuration", f"with Id {_ID!r}", lambda shown: shown.get("Id") == _ID)


@scenario(
    "CFG-001",
    EXTENDED,
    *(f"{verb}Bucket{kind}Configuration" for kind in _KINDS for verb in ("Get", "Put", "Delete")),
    source="LocalStack test_s3_analytics_configurations, test_get_bucket_metrics_configuration_not_exist and "
    "test_s3_inventory_report_crud (recorded on AWS)",
    clients=LIBRARIES,
)
def identified_configurations(s3: Scene) -> None:
    """Configurations for analytics, metrics, inventory and tiering have ids; an unknown one is 404 NoSuchConfiguration.

    S3 promises: a bucket may have several of each kind. PUT is 200 or 204, GET gives the one with the id, DELETE is
    204 and afterwards GET of that id is 404 NoSuchConfiguration, as of any id that never was.

    Breaks: infrastructure tools that manage these settings; others never ask. A gateway that does not read the
    parameter answers the GET with a listing, and on DELETE removes the bucket.

    Fix: keep documents by kind and id, or refuse every one of these operations with 501 NotImplemented.
    """
    bucket = s3.new_bucket()
    missing = refused(404, "NoSuchConfiguration")
    for kind in _KINDS:
        target = {"Bucket": bucket, "Id": _ID}
        get, put, delete = (f"{verb}Bucket{kind}Configuration" for verb in ("Get", "Put", "Delete"))
        s3.expect(s3.call(get, **target), missing)
        s3.expect(s3.call(put, **target, **_identified(kind, bucket)), _done())
        s3.expect(s3.call(get, **target), ok(), _names(kind))
        s3.expect(s3.call(delete, **target), ok(204))
        s3.expect(s3.look(get, **target), missing)
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())


@scenario(
    "CFG-002",
    EXTENDED,
    "PutBucketInventoryConfiguration",
    source="LocalStack test_s3_put_inventory_report_exceptions (recorded on AWS)",
    clients=LIBRARIES,
)
def inventory_ids_differ(s3: Scene) -> None:
    """An inventory configuration whose id differs between query and document is refused with 400 IdMismatch.

    S3 promises: the id stands twice, in the query and in the document. Where they differ nothing is stored.

    Breaks: only strict validation; stored under the wrong one of the two, a configuration cannot be found again.

    Fix: compare both before storing.
    """
    bucket = s3.new_bucket()
    put, get = "PutBucketInventoryConfiguration", "GetBucketInventoryConfiguration"
    for asked, named in ((_ID, "another"), ("another", _ID)):
        answer = s3.call(put, Bucket=bucket, Id=asked, **_identified("Inventory", bucket, named))
        s3.expect(answer, refused(400, "IdMismatch"))
        s3.expect(s3.look(get, Bucket=bucket, Id=asked), refused(404, "NoSuchConfiguration"))
    s3.expect(s3.call(put, Bucket=bucket, Id=_ID, **_identified("Inventory", bucket)), _done())
    s3.expect(s3.look(get, Bucket=bucket, Id=_ID), ok(), _names("Inventory"))


@scenario(
    "CFG-003",
    EXTENDED,
    "GetBucketReplication",
    source="LocalStack test_replication_config (recorded on AWS)",
    clients=LIBRARIES,
)
def no_replication(s3: Scene) -> None:
    """GetBucketReplication of a bucket without replication is 404 ReplicationConfigurationNotFoundError.

    S3 promises: the error has a code of its own. Setting replication up needs a role and a
    second bucket that the user provides; that is not asked here.

    Breaks: Terraform reads the replication of every bucket it manages and takes this code alone for "none"; an empty
    200 makes it crash on missing members.

    Fix: answer the error where nothing is stored, also if replication is not offered at all.
    """
    bucket = s3.new_bucket()
    none = refused(404, "ReplicationConfigurationNotFoundError")
    s3.expect(s3.call("GetBucketReplication", Bucket=bucket), none)
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())


@scenario(
    "CFG-004",
    EXTENDED,
    "PutBucketLogging",
    source="LocalStack test_put_bucket_logging_cross_locations and test_put_bucket_logging_wrong_target (recorded on "
    "AWS)",
    clients=LIBRARIES,
)
def logging_target(s3: Scene) -> None:
    """Access logs cannot go to a bucket that does not exist: 400 InvalidTargetBucketForLogging.

    S3 promises: the target must be a bucket of the same account and region. One that does not exist is 400
    InvalidTargetBucketForLogging; one in another region is 403 CrossLocationLoggingProhibitted, which is not asked
    here, since an endpoint shows only its own region.

    Breaks: whoever must keep access logs by law: where any target is accepted, logs go nowhere.

    Fix: look the target up when the configuration is put.
    """
    bucket, target, missing = s3.new_bucket(), s3.new_bucket(), s3.bucket_name()
    deliver = statement("Allow", "s3:PutObject", f"{target}/*", principal={"Service": "logging.s3.amazonaws.com"})
    # AWS asks for it; an endpoint that knows no policies may deliver without.
    s3.look("PutBucketPolicy", Bucket=target, Policy=policy(deliver))
    s3.expect(_log(s3, bucket, target), ok())
    s3.expect(_log(s3, bucket, missing), refused(400, "InvalidTargetBucketForLogging"))
    kept = output("LoggingEnabled", {"TargetBucket": target, "TargetPrefix": "logs/"})
    s3.expect(s3.look("GetBucketLogging", Bucket=bucket), ok(), kept)


def _log(s3: Scene, bucket: str, target: str) -> Any:
    status = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "logs/"}}
    return s3.call("PutBucketLogging", Bucket=bucket, BucketLoggingStatus=status)


@scenario(
    "CFG-005",
    EXTENDED,
    "GetBucketRequestPayment",
    "PutBucketRequestPayment",
    source="LocalStack test_s3_request_payer and test_s3_request_payer_exceptions (recorded on AWS)",
    clients=LIBRARIES,
)
def request_payment(s3: Scene) -> None:
    """The owner of a bucket pays by default (BucketOwner); another word than the two known is 400 MalformedXML.

    S3 promises: GetBucketRequestPayment of any bucket answers 200 with Payer BucketOwner until Requester is set.
    Other words do not meet the schema.

    Breaks: Terraform reads it for every bucket; a missing answer is a change on every plan.

    Fix: answer the default where nothing is stored, and accept BucketOwner and Requester alone.
    """
    bucket = s3.new_bucket()
    s3.expect(s3.call("GetBucketRequestPayment", Bucket=bucket), ok(), output("Payer", "BucketOwner"))
    requester = {"Payer": "Requester"}
    s3.expect(s3.call("PutBucketRequestPayment", Bucket=bucket, RequestPaymentConfiguration=requester), ok())
    answer = s3.call("PutBucketRequestPayment", Bucket=bucket, RequestPaymentConfiguration={"Payer": "Nobody"})
    s3.expect(answer, refused(400, "MalformedXML"))
    s3.expect(s3.look("GetBucketRequestPayment", Bucket=bucket), ok(), output("Payer", "Requester"))


@scenario(
    "CFG-006",
    EXTENDED,
    "GetBucketAccelerateConfiguration",
    "PutBucketAccelerateConfiguration",
    source="LocalStack test_bucket_acceleration_configuration_crud and test_bucket_acceleration_configuration_exc "
    "(recorded on AWS)",
    clients=LIBRARIES,
)
def acceleration(s3: Scene) -> None:
    """A bucket without acceleration answers an empty document, and an unknown status is 400 MalformedXML.

    S3 promises: before acceleration was ever set, GetBucketAccelerateConfiguration is 200 without a Status, no error.
    The status is Enabled or Suspended; another word does not meet the schema.

    Breaks: Terraform reads it for every bucket, and stops at an error other than "not offered in this region".

    Fix: answer AccelerateConfiguration without children where nothing is stored, and check the word.
    """
    bucket = s3.new_bucket()
    s3.expect(s3.call("GetBucketAccelerateConfiguration", Bucket=bucket), ok(), absent("Status"))
    put = "PutBucketAccelerateConfiguration"
    s3.expect(s3.call(put, Bucket=bucket, AccelerateConfiguration={"Status": "Enabled"}), ok())
    s3.expect(s3.call(put, Bucket=bucket, AccelerateConfiguration={"Status": "Fast"}), refused(400, "MalformedXML"))
    s3.expect(s3.look("GetBucketAccelerateConfiguration", Bucket=bucket), ok(), output("Status", "Enabled"))


@scenario(
    "CFG-007",
    EXTENDED,
    "PutBucketNotificationConfiguration",
    source="LocalStack test_invalid_sqs_arn and test_invalid_topic_arn (recorded on AWS)",
    clients=LIBRARIES,
)
def notification_arn(s3: Scene) -> None:
    """A notification whose destination is no ARN is refused with 400 InvalidArgument.

    S3 promises: queue and topic are named by ARNs; text that cannot be parsed as one is InvalidArgument. A
    configuration without destinations is accepted and switches notifications off.

    Breaks: whoever sets up events: with a mistyped destination that is accepted, no event ever arrives.

    Fix: parse every ARN of the document before storing it.
    """
    bucket, put = s3.new_bucket(), "PutBucketNotificationConfiguration"
    events = {"Events": ["s3:ObjectCreated:*"]}
    s3.expect(s3.call(put, Bucket=bucket, NotificationConfiguration={}), ok())
    for member, arn in (("QueueConfigurations", "QueueArn"), ("TopicConfigurations", "TopicArn")):
        wrong = {member: [{arn: "no-arn-at-all"} | events]}
        s3.expect(s3.call(put, Bucket=bucket, NotificationConfiguration=wrong), refused(400, "InvalidArgument"))
        s3.expect(s3.look("GetBucketNotificationConfiguration", Bucket=bucket), ok(), absent(member))


@scenario(
    "CFG-008",
    EXTENDED,
    "RestoreObject",
    "HeadObject",
    source="LocalStack test_s3_get_deep_archive_object_restore (recorded on AWS)",
    clients=LIBRARIES,
)
def restore(s3: Scene) -> None:
    """Restoring an archived object is accepted with 202, and HEAD then tells x-amz-restore.

    S3 promises: an object of the class DEEP_ARCHIVE is not read but restored first; RestoreObject answers 202, and
    HEAD shows ongoing-request="true" until the copy is there, "false" with an expiry-date then. Before the request
    there is no such header, and GET is 403 InvalidObjectState.

    Breaks: backup programs with cold storage ask HEAD again and again for this header; without it they wait for ever.

    Fix: note the request with the object. Where every class is kept online, refuse the archive classes on upload
    rather than accept a class that means nothing.
    """
    key = s3.key()
    s3.put(key, _CONTENT, StorageClass="DEEP_ARCHIVE")
    s3.expect(s3.look("GetObject", Key=key), refused(403, "InvalidObjectState"))
    asked = {"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}}
    s3.expect(s3.call("RestoreObject", Key=key, RestoreRequest=asked), ok(202))
    going = header_where("x-amz-restore", "has ongoing-request", lambda value: "ongoing-request=" in value)
    s3.expect(s3.call("HeadObject", Key=key), ok(), going)
    s3.expect(s3.look("HeadObject", Key=key), ok(), going)
