"""ACLs and policies of buckets and objects. Source: catalogue POL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_server import access
from reference_server.call import Call, Handler, Result
from reference_server.errors import S3Error
from reference_server.ops import versions
from reference_server.rules import acl, public_access
from reference_server.rules.policy import parse_policy

if TYPE_CHECKING:
    from reference_server.rules.acl import AccessControl
    from reference_server.store import Bucket


_MAX_POLICY = 64 * 1024


def get_bucket_acl(call: Call) -> Result:
    """GetBucketAcl."""
    bucket = call.bucket()
    return Result(_counting(bucket, access.control(bucket.settings.get(access.ACL), bucket.owner)).to_members())


def _counting(bucket: Bucket, kept: AccessControl) -> AccessControl:
    """An ACL as it counts, which is how it is shown: none but the owner's where ACLs are disabled."""
    if access.ownership(bucket) == public_access.ENFORCED:
        return access.control(None, bucket.owner)
    return access.block(bucket).effective(kept)


def put_bucket_acl(call: Call) -> Result:
    """PutBucketAcl."""
    call.bucket()
    document = _document(call)
    with call.store.transaction():  # what allows it must still hold once the body is there
        bucket = call.bucket()
        asked = _asked(call, bucket, (bucket.owner, None), document)
        call.store.configure(bucket, access.ACL, asked.to_json())
    return Result()


def get_object_acl(call: Call) -> Result:
    """GetObjectAcl."""
    bucket = call.bucket()
    stored = versions.found(call, bucket, versions.version_id(call))
    kept = access.control(stored.attributes.get("ACL"), bucket.owner)
    return Result({**_counting(bucket, kept).to_members(), **versions.shown(bucket, stored)})


def put_object_acl(call: Call) -> Result:
    """PutObjectAcl."""
    bucket, wanted = call.bucket(), versions.version_id(call)
    versions.found(call, bucket, wanted)
    document = _document(call)
    with call.store.transaction():  # another object may be under the key by now, of another owner
        bucket = call.bucket()
        stored = versions.found(call, bucket, wanted)
        owner = access.control(stored.attributes.get("ACL"), bucket.owner).owner
        asked = _asked(call, bucket, (owner, bucket.owner), document)
        call.objects.change(bucket, stored, ACL=asked.to_json())
    return Result(versions.shown(bucket, stored))


def _document(call: Call) -> dict[str, Any] | None:
    """The body; None if there is none."""
    body = call.payload().document()
    try:
        return call.endpoint.codec.parse_document(call.operation, body) if body else None
    except S3Error:
        raise S3Error("MalformedACLError") from None


def _asked(
    call: Call, bucket: Bucket, owners: tuple[str, str | None], document: dict[str, Any] | None
) -> AccessControl:
    """The ACL of a request, from its headers or its body, for what the first of `owners` owns."""
    asked = acl.read_request(call.members, document, *owners, call.knows)
    public_access.check_acl_operation(access.ownership(bucket))
    access.block(bucket).check_acl(asked)
    return asked


def get_bucket_policy(call: Call) -> Result:
    """GetBucketPolicy: the text as it was put (POL-001)."""
    text = _policy(_own_bucket(call)).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
    return Result(headers=headers, body=text, length=len(text))


def _own_bucket(call: Call) -> Bucket:
    """The bucket, whose policy is for its own account alone: others get 405 even if a policy lets them in."""
    bucket = call.bucket()
    if bucket.owner != call.account.id:
        raise S3Error("MethodNotAllowed", None, {"Method": call.request.method, "ResourceType": "BUCKETPOLICY"})
    return bucket


def _policy(bucket: Bucket) -> str:
    text = bucket.settings.get(access.POLICY)
    if text is None:
        raise S3Error("NoSuchBucketPolicy", None, {"BucketName": bucket.name})
    return str(text)


def put_bucket_policy(call: Call) -> Result:
    """PutBucketPolicy: 204; a public one is refused while public policies are blocked."""
    bucket = _own_bucket(call)
    text = call.text()
    if len(text) > _MAX_POLICY:  # with its white space; without it may have 20 KB
        raise S3Error("MalformedPolicy", f"Policy exceeds the maximum allowed size of {_MAX_POLICY} bytes")
    policy = parse_policy(text, bucket.name)
    with call.store.transaction():
        bucket = _own_bucket(call)
        access.block(bucket).check_policy(public=policy.public)
        call.store.configure(bucket, access.POLICY, text.decode())
    return Result(status=204)


def delete_bucket_policy(call: Call) -> Result:
    """DeleteBucketPolicy: 204, also when there is none."""
    call.store.configure(_own_bucket(call), access.POLICY, None)
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
