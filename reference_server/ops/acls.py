"""ACLs and policies of buckets and objects. Source: catalogue POL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_server import access
from reference_server.call import Call, Handler, Result
from reference_server.errors import S3Error
from reference_server.ops import versions
from reference_server.rules import acl, public_access
from reference_server.rules.policy import parse_policy

if TYPE_CHECKING:
    from reference_server.rules.acl import AccessControl
    from reference_server.store import Bucket


def get_bucket_acl(call: Call) -> Result:
    """GetBucketAcl."""
    bucket = call.bucket()
    kept = access.control(bucket.settings.get(access.ACL), bucket.owner)
    return Result(access.block(bucket).effective(kept).to_members())


def put_bucket_acl(call: Call) -> Result:
    """PutBucketAcl."""
    bucket = call.bucket()
    asked = _asked(call, bucket, None)
    call.store.configure(bucket, access.ACL, asked.to_json())
    return Result()


def get_object_acl(call: Call) -> Result:
    """GetObjectAcl."""
    bucket = call.bucket()
    stored = versions.found(call, bucket, versions.version_id(call))
    kept = access.control(stored.attributes.get("ACL"), bucket.owner)
    return Result({**access.block(bucket).effective(kept).to_members(), **versions.shown(bucket, stored)})


def put_object_acl(call: Call) -> Result:
    """PutObjectAcl."""
    bucket = call.bucket()
    stored = versions.found(call, bucket, versions.version_id(call))
    asked = _asked(call, bucket, bucket.owner)
    call.objects.change(bucket, stored, ACL=asked.to_json())
    return Result(versions.shown(bucket, stored))


def _asked(call: Call, bucket: Bucket, bucket_owner: str | None) -> AccessControl:
    """The ACL of a request, from its headers or its body."""
    payload = call.payload()
    body = payload.document() if payload.declared.length == 0 else call.text(payload)
    try:
        document = call.endpoint.codec.parse_document(call.operation, body) if body else None
    except S3Error:
        raise S3Error("MalformedACLError") from None

    def known(account_id: str) -> bool:
        return call.endpoint.account(account_id) is not None

    asked = acl.read_request(call.members, document, bucket.owner, bucket_owner, known)
    public_access.check_acl_operation(access.ownership(bucket))
    access.block(bucket).check_acl(asked)
    return asked


def get_bucket_policy(call: Call) -> Result:
    """GetBucketPolicy: the text as it was put (POL-001)."""
    bucket = call.bucket()
    text = _policy(bucket).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
    return Result(headers=headers, body=text, length=len(text))


def _policy(bucket: Bucket) -> str:
    text = bucket.settings.get(access.POLICY)
    if text is None:
        raise S3Error("NoSuchBucketPolicy", None, {"BucketName": bucket.name})
    return str(text)


def put_bucket_policy(call: Call) -> Result:
    """PutBucketPolicy: 204; a public one is refused while public policies are blocked."""
    bucket = call.bucket()
    text = call.text()
    policy = parse_policy(text, bucket.name)
    access.block(bucket).check_policy(public=policy.public)
    call.store.configure(bucket, access.POLICY, text.decode())
    return Result(status=204)


def delete_bucket_policy(call: Call) -> Result:
    """DeleteBucketPolicy: 204, also when there is none."""
    call.store.configure(call.bucket(), access.POLICY, None)
    return Result()


def get_bucket_policy_status(call: Call) -> Result:
    """GetBucketPolicyStatus."""
    bucket = call.bucket()
    return Result({"PolicyStatus": {"IsPublic": access.policy(_policy(bucket), bucket.name).public}})


HANDLERS: dict[str, Handler] = {
    "DeleteBucketPolicy": delete_bucket_policy,
    "GetBucketAcl": get_bucket_acl,
    "GetBucketPolicy": get_bucket_policy,
    "GetBucketPolicyStatus": get_bucket_policy_status,
    "GetObjectAcl": get_object_acl,
    "PutBucketAcl": put_bucket_acl,
    "PutBucketPolicy": put_bucket_policy,
    "PutObjectAcl": put_object_acl,
}
