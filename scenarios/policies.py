"""POL: bucket policy, object ownership, public access block. Access control lists: `policies_acl`."""

from __future__ import annotations

import json

from harness.clients import LIBRARIES
from harness.expect import body, ok, output, output_where, refused
from harness.scenario import EXTENDED, scenario
from harness.scene import Scene
from scenarios._policies import admit_the_public, anonymously, policy, shows_policy, statement, taken

_CONTENT = b"for whom the policy allows it"
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@scenario(
    "POL-001",
    EXTENDED,
    "PutBucketPolicy",
    "GetBucketPolicy",
    "DeleteBucketPolicy",
    source="LocalStack test_bucket_policy_crud (recorded on AWS); versitygw PutBucketPolicy, success returns 204",
    clients=LIBRARIES,
)
def policy_round_trip(s3: Scene) -> None:
    """A bucket policy is put with 204, read back as JSON, deleted with 204, and then is 404 NoSuchBucketPolicy.

    S3 promises: GetBucketPolicy answers 200 with the JSON document itself, not with XML around it. Without a policy
    it is 404 NoSuchBucketPolicy, the same before the first put and after the delete. The bucket stays.

    Breaks: Terraform and CloudFormation compare the policy they read with the one they want, on every run. On
    gateways that drop ?policy the DELETE removes the bucket, and the GET is a listing.

    Fix: route on the parameter, keep the text as it came, and answer it as application/json.
    """
    bucket = s3.new_bucket()
    text = policy(statement("Deny", "s3:DeleteObject", f"{bucket}/kept/*"))
    none = refused(404, "NoSuchBucketPolicy")
    s3.expect(s3.call("GetBucketPolicy", Bucket=bucket), none)
    s3.expect(s3.call("PutBucketPolicy", Bucket=bucket, Policy=text), ok(204))
    s3.expect(s3.call("GetBucketPolicy", Bucket=bucket), ok(), shows_policy(text))
    s3.expect(s3.look("GetBucketPolicy", Bucket=bucket), ok(), shows_policy(text))
    s3.expect(s3.call("DeleteBucketPolicy", Bucket=bucket), ok(204))
    s3.expect(s3.look("GetBucketPolicy", Bucket=bucket), none)
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())


@scenario(
    "POL-002",
    EXTENDED,
    "PutBucketPolicy",
    source="LocalStack test_bucket_policy_exc (recorded on AWS)",
    clients=LIBRARIES,
)
def malformed_policy(s3: Scene) -> None:
    """A policy that is not JSON, or that lacks a required field, is refused with 400 MalformedPolicy.

    S3 promises: Statement, and in each of them Effect, Principal, Action and Resource, must be there. Everything
    else is 400 MalformedPolicy, and the policy that was in force stays.

    Breaks: whoever writes policies by hand. A gateway that stores what it cannot understand either locks everybody
    out or protects nothing, and tells neither.

    Fix: parse and check the whole document before it replaces the old one.
    """
    bucket = s3.new_bucket()
    good = statement("Deny", "s3:DeleteObject", f"{bucket}/kept/*")
    s3.expect(s3.call("PutBucketPolicy", Bucket=bucket, Policy=policy(good)), taken())
    lacking = [policy({name: value for name, value in good.items() if name != field}) for field in good]
    for text in ("no JSON", "{}", json.dumps({"Version": "2012-10-17"}), *lacking):
        s3.expect(s3.call("PutBucketPolicy", Bucket=bucket, Policy=text), refused(400, "MalformedPolicy"))
    s3.expect(s3.look("GetBucketPolicy", Bucket=bucket), shows_policy(policy(good)))


@scenario(
    "POL-003",
    EXTENDED,
    "GetObject",
    "PutBucketPolicy",
    source="Moto test_deny_delete_policy (verified on AWS); ceph/s3-tests test_bucket_policy",
    clients=LIBRARIES,
)
def policy_decides(s3: Scene) -> None:
    """A Deny statement makes GET 403 AccessDenied even for the owner, and an Allow for everybody makes it public.

    S3 promises: an explicit Deny wins over everything. An Allow for the principal "*" lets requests without a
    signature read the objects that it names, and no others, once public access is not blocked.

    Breaks: data that a policy was to protect is readable where policies are stored and not applied; public web
    assets are 403 where only signed requests are let in.

    Fix: evaluate the policy on every request, anonymous ones too: deny first, then allow, then the ACLs.
    """
    bucket = s3.new_bucket()
    for key in ("denied/a", "public/a", "private/a"):
        s3.put(key, _CONTENT, Bucket=bucket)
    s3.expect(anonymously(s3, bucket, "public/a"), refused(403, "AccessDenied"))
    admit_the_public(s3, bucket)
    text = policy(
        statement("Deny", "s3:GetObject", f"{bucket}/denied/*"),
        statement("Allow", "s3:GetObject", f"{bucket}/public/*"),
    )
    s3.expect(s3.call("PutBucketPolicy", Bucket=bucket, Policy=text), taken())
    s3.expect(anonymously(s3, bucket, "public/a"), ok(), body(_CONTENT))
    s3.expect(anonymously(s3, bucket, "private/a"), refused(403, "AccessDenied"))
    s3.expect(s3.call("GetObject", Bucket=bucket, Key="private/a"), ok(), body(_CONTENT))
    s3.expect(s3.call("GetObject", Bucket=bucket, Key="denied/a"), refused(403, "AccessDenied"))


@scenario(
    "POL-010",
    EXTENDED,
    "GetBucketOwnershipControls",
    "DeleteBucketOwnershipControls",
    source="LocalStack test_crud_bucket_ownership_controls (recorded on AWS)",
    clients=LIBRARIES,
)
def ownership_controls(s3: Scene) -> None:
    """A new bucket has the ownership BucketOwnerEnforced; without any it is 404 OwnershipControlsNotFoundError.

    S3 promises: GetBucketOwnershipControls of a new bucket shows one rule, BucketOwnerEnforced: ACLs are off.
    DeleteBucketOwnershipControls is 204 and leaves 404 OwnershipControlsNotFoundError.

    Breaks: infrastructure tools and security scanners ask every bucket whether ACLs count; without the answer they
    report a finding, or fail.

    Fix: give new buckets the rule, and let it be replaced and deleted like any other configuration.
    """
    bucket = s3.new_bucket()
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.expect(s3.call("GetBucketOwnershipControls", Bucket=bucket), ok(), output("OwnershipControls", enforced))
    s3.expect(s3.call("DeleteBucketOwnershipControls", Bucket=bucket), ok(204))
    gone = refused(404, "OwnershipControlsNotFoundError")
    s3.expect(s3.call("GetBucketOwnershipControls", Bucket=bucket), gone)
    s3.expect(s3.look("GetBucketOwnershipControls", Bucket=bucket), gone)
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())


@scenario(
    "POL-011",
    EXTENDED,
    "GetPublicAccessBlock",
    "DeletePublicAccessBlock",
    source="LocalStack test_crud_public_access_block (recorded on AWS)",
    clients=LIBRARIES,
)
def public_access_block(s3: Scene) -> None:
    """A new bucket blocks public access in all four ways; deleted, it is 404 NoSuchPublicAccessBlockConfiguration.

    S3 promises: GetPublicAccessBlock of a new bucket shows all four settings true. DeletePublicAccessBlock is 204,
    and afterwards the answer is 404 NoSuchPublicAccessBlockConfiguration.

    Breaks: security scanners report buckets whose settings they cannot read; programs that make a bucket public
    delete or change the block first, and fail where that is refused.

    Fix: store the four settings with every new bucket, and honour them in policies and ACLs.
    """
    bucket = s3.new_bucket()
    all_four = output_where(
        "PublicAccessBlockConfiguration",
        f"{', '.join(_BLOCKS)} true",
        lambda shown: all(shown.get(name) is True for name in _BLOCKS),
    )
    s3.expect(s3.call("GetPublicAccessBlock", Bucket=bucket), ok(), all_four)
    s3.expect(s3.call("DeletePublicAccessBlock", Bucket=bucket), ok(204))
    gone = refused(404, "NoSuchPublicAccessBlockConfiguration")
    s3.expect(s3.call("GetPublicAccessBlock", Bucket=bucket), gone)
    s3.expect(s3.look("GetPublicAccessBlock", Bucket=bucket), gone)
    s3.expect(s3.look("HeadBucket", Bucket=bucket), ok())
