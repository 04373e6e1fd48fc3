"""`aws s3api` on a bucket's settings: kept and read back as they were set, or refused with 501; never a dummy answer.

On some gateways a DELETE of a setting deletes the bucket, so each workflow has a bucket of its own, and looks for it
and for the object in it after every step.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.expect import ok, one_of, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios.workflows._s3api import SOURCE, api, at, document, done, is_whole, rejected

CONTENT = b"not a setting"


class Setting(NamedTuple):
    """One kind of setting: its commands, what is set, and how S3 says that there is none.

    Attributes:
        put: the command that sets it; `get` and `delete` are those that read and remove it.
        option: the option that carries it.
        value: what is set; it changes nothing for any object there is.
        shown: what the document that `get` prints has of it.
        missing: the error code where there is none.
    """

    put: str
    get: str
    delete: str
    option: str
    value: dict[str, Any]
    shown: Callable[[dict[str, Any]], Any]
    missing: str


def _of(member: str) -> Callable[[dict[str, Any]], Any]:
    return lambda output: {member: output.get(member)}


def _policy(output: dict[str, Any]) -> Any:
    try:
        return json.loads(output.get("Policy", ""))
    except ValueError:
        return output.get("Policy")


def _survives(s3: Scene, bucket: str, key: str) -> None:
    """The bucket is there, with its object."""
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())
    is_whole(s3, key, CONTENT, Bucket=bucket)


def _kept_or_refused(s3: Scene, setting: Setting, bucket: str) -> None:
    """What was set is read back and can be removed, or all three commands say 501; the bucket survives each."""
    key = s3.key()
    s3.put(key, CONTENT, Bucket=bucket)
    runs: list[Observed] = []
    for command, options in ((setting.put, [setting.option, document(s3, setting.value)]), (setting.get, [])):
        runs.append(api(s3, command, *at(bucket), *options))
        _survives(s3, bucket, key)
    put, get = runs
    if put.ok:
        shown = setting.shown(s3.expect(get, done()).output)
        s3.check(shown == setting.value, f"what was set: {setting.value}", f"{setting.get} printed {shown}", get)
    else:
        absent = one_of(rejected(501, "NotImplemented"), rejected(404, setting.missing))
        s3.expect(put, rejected(501, "NotImplemented"))
        s3.expect(get, absent)
    delete = api(s3, setting.delete, *at(bucket))
    _survives(s3, bucket, key)
    s3.expect(delete, done() if put.ok else one_of(done(), rejected(501, "NotImplemented")))
    if put.ok:
        s3.expect(s3.look(get.operation, Bucket=bucket), refused(404, setting.missing))


@scenario(
    "S3API-026",
    EXTENDED,
    "PutBucketWebsite",
    "GetBucketWebsite",
    "DeleteBucketWebsite",
    source=SOURCE.format("put-bucket-website, get-bucket-website and delete-bucket-website"),
    clients=("awscli",),
)
def website(s3: Scene) -> None:
    """`aws s3api put-bucket-website` is read back by `get-bucket-website` and removed, or all of it says 501.

    S3 promises: a bucket's website configuration is what was put last, and NoSuchWebsiteConfiguration where none is.

    Breaks: deployment of static sites, which configures, checks and reports success for a site that never appears.

    Fix: keep the document, or answer 501 NotImplemented for ?website whatever the method. Never let PUT or DELETE
    of it reach the code that makes or deletes buckets.
    """
    value = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
    words = ("put-bucket-website", "get-bucket-website", "delete-bucket-website", "--website-configuration")
    setting = Setting(*words, value, lambda output: output, "NoSuchWebsiteConfiguration")
    _kept_or_refused(s3, setting, s3.new_bucket())


@scenario(
    "S3API-030",
    EXTENDED,
    "PutBucketCors",
    "GetBucketCors",
    "DeleteBucketCors",
    source=SOURCE.format("put-bucket-cors, get-bucket-cors and delete-bucket-cors"),
    clients=("awscli",),
)
def cors(s3: Scene) -> None:
    """`aws s3api put-bucket-cors` is read back by `get-bucket-cors` and removed, or all of it says 501.

    S3 promises: the rules come back as they were put, and NoSuchCORSConfiguration where there are none.

    Breaks: web pages that read or upload across origins; a rule that is accepted and forgotten fails in browsers
    only, where nobody looks for the gateway.

    Fix: keep and apply the rules, or answer 501 NotImplemented for ?cors whatever the method.
    """
    rule = {
        "ID": "pages",
        "AllowedMethods": ["GET", "PUT"],
        "AllowedOrigins": ["https://pages.example"],
        "AllowedHeaders": ["content-type"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 60,
    }
    words = ("put-bucket-cors", "get-bucket-cors", "delete-bucket-cors", "--cors-configuration")
    setting = Setting(*words, {"CORSRules": [rule]}, _of("CORSRules"), "NoSuchCORSConfiguration")
    _kept_or_refused(s3, setting, s3.new_bucket())


@scenario(
    "S3API-031",
    EXTENDED,
    "PutBucketLifecycleConfiguration",
    "GetBucketLifecycleConfiguration",
    "DeleteBucketLifecycle",
    source=SOURCE.format("put-bucket-lifecycle-configuration and its companions"),
    clients=("awscli",),
)
def lifecycle(s3: Scene) -> None:
    """`aws s3api put-bucket-lifecycle-configuration` is read back by its `get` and removed, or all of it says 501.

    S3 promises: the rules come back as they were put, and NoSuchLifecycleConfiguration where there are none.

    Breaks: retention and cost. Rules that are accepted and forgotten keep what the law wants gone.

    Fix: keep and carry out the rules, or answer 501 NotImplemented for ?lifecycle whatever the method.
    """
    rule = {"ID": "far", "Filter": {"Prefix": "never/"}, "Status": "Enabled", "Expiration": {"Days": 3650}}
    words = ("put-bucket-lifecycle-configuration", "get-bucket-lifecycle-configuration", "delete-bucket-lifecycle")
    value = {"Rules": [rule]}
    setting = Setting(*words, "--lifecycle-configuration", value, _of("Rules"), "NoSuchLifecycleConfiguration")
    _kept_or_refused(s3, setting, s3.new_bucket())


@scenario(
    "S3API-032",
    EXTENDED,
    "PutBucketPolicy",
    "GetBucketPolicy",
    "DeleteBucketPolicy",
    source=SOURCE.format("put-bucket-policy, get-bucket-policy and delete-bucket-policy"),
    clients=("awscli",),
)
def policy(s3: Scene) -> None:
    """`aws s3api put-bucket-policy` is read back by `get-bucket-policy` and removed, or all of it says 501.

    S3 promises: the policy comes back as the document that was put, and NoSuchBucketPolicy where there is none.

    Breaks: access control. A policy that is accepted and forgotten leaves open what its author believes is closed;
    some gateways take DELETE ?policy for DELETE of the bucket.

    Fix: keep and enforce policies, or answer 501 NotImplemented for ?policy whatever the method.
    """
    bucket = s3.new_bucket()
    statement = {
        "Sid": "Never",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/never/*",
    }
    words = ("put-bucket-policy", "get-bucket-policy", "delete-bucket-policy", "--policy")
    value = {"Version": "2012-10-17", "Statement": [statement]}
    _kept_or_refused(s3, Setting(*words, value, _policy, "NoSuchBucketPolicy"), bucket)


@scenario(
    "S3API-033",
    EXTENDED,
    "PutBucketTagging",
    "GetBucketTagging",
    "DeleteBucketTagging",
    source=SOURCE.format("put-bucket-tagging, get-bucket-tagging and delete-bucket-tagging"),
    clients=("awscli",),
)
def bucket_tagging(s3: Scene) -> None:
    """`aws s3api put-bucket-tagging` is read back by `get-bucket-tagging` and removed, or all of it says 501.

    S3 promises: the tags come back as they were put, and NoSuchTagSet where there are none.

    Breaks: Terraform and Pulumi, which tag what they make, read the tags back and plan again for ever if they differ.

    Fix: keep the tags, or answer 501 NotImplemented for ?tagging on buckets whatever the method.
    """
    words = ("put-bucket-tagging", "get-bucket-tagging", "delete-bucket-tagging", "--tagging")
    value = {"TagSet": [{"Key": "team", "Value": "blue + green"}]}
    _kept_or_refused(s3, Setting(*words, value, _of("TagSet"), "NoSuchTagSet"), s3.new_bucket())
