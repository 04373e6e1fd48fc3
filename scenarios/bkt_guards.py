"""BKT: what keeps a bucket from being deleted, what is left of one that was, and who is meant to own it."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import if_shown, no_body, ok, refused
from harness.sandbox import creation
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from harness.signals import Prerequisite
from scenarios._versioned import purge, versioned_bucket
from scenarios.bkt import is_missing, is_there

NOBODY = "000000000042"
"""Number of an account that the run does not use."""

NO_NUMBERS = ("0000", "not-a-number", "1234567890123")
"""What is not the twelve digits of an account."""

RULE = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 1}}


@scenario(
    "BKT-015",
    SHOULD,
    "DeleteBucket",
    source="LocalStack test_delete_versioned_bucket_with_objects (recorded on AWS)",
    clients=LIBRARIES,
)
def versions_keep_the_bucket(s3: Scene) -> None:
    """A bucket that lists as empty but still has old versions or delete markers is not deleted: 409 BucketNotEmpty.

    S3 promises: versions are data. While there is one of them, or a delete marker alone, DeleteBucket is refused; once
    they are gone too it succeeds.

    Breaks: who keeps versions does so to get something back. An endpoint that looks at the listing only throws the
    whole history away on a harmless command.

    Fix: look for any version or marker in the transaction that deletes the bucket, not for present objects.
    """
    key = s3.key()
    with versioned_bucket(s3) as bucket:
        version = s3.put(key, b"history", Bucket=bucket).output.get("VersionId", "")
        s3.setup("DeleteObject", Bucket=bucket, Key=key)
        s3.expect(s3.call("DeleteBucket", Bucket=bucket), refused(409, "BucketNotEmpty"))
        s3.expect(s3.look("GetObject", Bucket=bucket, Key=key, VersionId=version), ok())
        s3.setup("DeleteObject", Bucket=bucket, Key=key, VersionId=version)
        s3.expect(s3.call("DeleteBucket", Bucket=bucket), refused(409, "BucketNotEmpty"))
        purge(s3, bucket)
        s3.expect(s3.call("DeleteBucket", Bucket=bucket), ok(204))
        is_missing(s3, bucket)


@scenario(
    "BKT-016",
    SHOULD,
    "CreateBucket",
    "DeleteBucket",
    source="LocalStack test_delete_lifecycle_configuration_on_bucket_deletion (recorded on AWS)",
    clients=LIBRARIES,
)
def nothing_is_inherited(s3: Scene) -> None:
    """A bucket that is made again after its deletion has none of the configuration of the old one.

    S3 promises: settings go with the bucket. A new one of the same name has neither its lifecycle rules nor its
    versioning.

    Breaks: test suites and deployments that tear down and build up again: an old lifecycle rule deletes new data
    without a word, days later.

    Fix: key settings by an id of the bucket, not by its name, or delete them in the same transaction.
    """
    bucket = s3.new_bucket()
    rules: dict[str, Any] = {"LifecycleConfiguration": {"Rules": [RULE]}}
    ruled = s3.look("PutBucketLifecycleConfiguration", Bucket=bucket, **rules)
    versioned = s3.look("PutBucketVersioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    if not (ruled.ok or versioned.ok):
        raise Prerequisite(ruled)
    s3.expect(s3.call("DeleteBucket", Bucket=bucket), ok(204))
    is_missing(s3, bucket)
    s3.expect(s3.call("CreateBucket", **creation(bucket, s3.witness.region)), ok())
    is_there(s3, bucket)
    if ruled.ok:
        found = s3.look("GetBucketLifecycleConfiguration", Bucket=bucket)
        s3.expect(found, refused(404, "NoSuchLifecycleConfiguration"))
    if versioned.ok:
        found = s3.expect(s3.look("GetBucketVersioning", Bucket=bucket), ok())
        status = found.output.get("Status")
        s3.check(not status, "no versioning Status in the new bucket", f"it was {status!r}", found)


@scenario(
    "BKT-017",
    SHOULD,
    "HeadBucket",
    source="versitygw REST tests HeadBucket - mismatched owner and HeadBucket - invalid owner",
    clients=LIBRARIES,
)
def expected_owner_of_a_bucket(s3: Scene) -> None:
    """HeadBucket with x-amz-expected-bucket-owner of another account is 403, with what is no account number 400.

    S3 promises: the header makes sure whose bucket is meant. The number of another account is refused with 403, and
    anything but twelve digits with 400; neither has a body, as with every HEAD.

    Breaks: programs that guard against a bucket name that somebody else has taken since; with the header ignored they
    hand their data to a stranger, which is what they asked to be kept from.

    Fix: compare the header with the owner in the one place that looks buckets up, for all operations.
    """
    s3.expect(s3.call("HeadBucket", Bucket=s3.bucket), ok())
    other = s3.call("HeadBucket", Bucket=s3.bucket, ExpectedBucketOwner=NOBODY)
    s3.expect(other, refused(403), if_shown(no_body()))
    for text in NO_NUMBERS:
        answer = s3.call("HeadBucket", Bucket=s3.bucket, ExpectedBucketOwner=text)
        s3.expect(answer, refused(400), if_shown(no_body()))


@scenario(
    "BKT-018",
    SHOULD,
    "GetBucketPolicy",
    source="LocalStack test_get_bucket_policy_invalid_account_id (recorded on AWS); versitygw REST test DeleteBucket - "
    "incorrect x-amz-expected-bucket-owner",
    clients=LIBRARIES,
)
def expected_owner_of_a_policy(s3: Scene) -> None:
    """GetBucketPolicy with a wrong x-amz-expected-bucket-owner is 403 AccessDenied; with no account number 400.

    S3 promises: another account's number is refused with AccessDenied, anything but twelve digits with 400
    InvalidBucketOwnerAWSAccountID, before anything is said about the bucket. Without the header the same bucket
    answers that it has no policy.

    Breaks: audits and infrastructure tools that read policies under this guard take a stranger's answer for their own.

    Fix: check the header for every operation on a bucket, subresources too, before the setting is looked up.
    """
    bucket = s3.new_bucket()
    s3.expect(s3.call("GetBucketPolicy", Bucket=bucket), refused(404, "NoSuchBucketPolicy"))
    wrong = s3.call("GetBucketPolicy", Bucket=bucket, ExpectedBucketOwner=NOBODY)
    s3.expect(wrong, refused(403, "AccessDenied"))
    for text in NO_NUMBERS:
        answer = s3.call("GetBucketPolicy", Bucket=bucket, ExpectedBucketOwner=text)
        s3.expect(answer, refused(400, "InvalidBucketOwnerAWSAccountID"))
