"""Whether an account may do something with a bucket: its owner, its policy, its ACLs, in this order.

Source: Amazon S3 User Guide, "How Amazon S3 authorizes a request"; catalogue POL.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error
from reference_server.rules import acl, public_access
from reference_server.rules.actions import actions_for
from reference_server.rules.policy import Access, Policy, parse_policy, resource_arn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.auth import Account
    from reference_server.call import Call
    from reference_server.store import Bucket

#: Names among the settings of a bucket.
ACL, OWNERSHIP, POLICY, PUBLIC_ACCESS = "acl", "ownership", "policy", "public-access"
#: What a new bucket has: ACLs are disabled, and nothing can be made public.
NEW_BUCKET: Mapping[str, Any] = {
    OWNERSHIP: {"Rules": [{"ObjectOwnership": public_access.ENFORCED}]},
    PUBLIC_ACCESS: dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    ),
}
# The owner can always get out of a policy that denies everything.
_OWNERS_ALWAYS = {"DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy"}
# Operations whose parts are checked one by one.
_CHECKED_INSIDE = {"DeleteObjects"}


def require(
    call: Call,
    bucket: Bucket,
    operation: str | None = None,
    key: str | None = None,
    members: Mapping[str, Any] | None = None,
) -> None:
    """Let pass or raise; by default for the operation and key of the call itself.

    Raises:
        S3Error: AccessDenied.
    """
    own = bucket.owner == call.account.id
    text = bucket.settings.get(POLICY)
    if own and text is None:
        return
    if operation is None:
        operation, key, members = call.operation, call.request.key, call.members
    if operation in _CHECKED_INSIDE or (own and operation in _OWNERS_ALWAYS):
        return
    for action in actions_for(operation, members or {}):
        decision = None if text is None else _decide(call, bucket, policy(text, bucket.name), action, key)
        if decision is False or not (own or decision or _granted(call, bucket, action, key)):
            raise S3Error("AccessDenied")


@lru_cache(maxsize=128)
def policy(text: str, bucket: str) -> Policy:
    """A stored policy, parsed."""
    return parse_policy(text.encode(), bucket)


def ownership(bucket: Bucket) -> str:
    """Object ownership of a bucket; without controls writers own what they write, as it was before there were any."""
    rules = bucket.settings.get(OWNERSHIP, {}).get("Rules")
    return str(rules[0]["ObjectOwnership"]) if rules else public_access.WRITER


def block(bucket: Bucket) -> public_access.PublicAccessBlock:
    """The public access block of a bucket."""
    return public_access.public_access(bucket.settings.get(PUBLIC_ACCESS))


def control(stored: Mapping[str, Any] | None, owner: str) -> acl.AccessControl:
    """A stored ACL; by default the owner has full control (POL-007)."""
    return acl.canned("private", owner) if stored is None else acl.from_json(stored)


def _arn(account: Account) -> str:
    return f"arn:aws:iam::{account.number}:user/{account.access_key}"


def _decide(call: Call, bucket: Bucket, found: Policy, action: str, key: str | None) -> bool | None:
    account = call.account
    resource = resource_arn(bucket.name, key)
    number, account_id = (None, None) if account.anonymous else (account.number, account.id)
    arn = None if account.anonymous else _arn(account)
    decision = found.decide(Access(number, arn, account_id, action, resource, _context(call, bucket, key)))
    if decision and not block(bucket).admits(account_id, bucket.owner, public_policy=found.public):
        return None
    return decision


def _context(call: Call, bucket: Bucket, key: str | None) -> dict[str, str]:
    """Condition keys by lower-case name."""
    request = call.request
    context = {
        "aws:securetransport": "true" if request.head.secure else "false",
        "aws:sourceip": request.head.peer,
        "aws:useragent": request.headers.get("user-agent", ""),
        "aws:username": call.account.access_key,
        "aws:currenttime": str(int(call.store.clock())),
    }
    if "referer" in request.headers:
        context["aws:referer"] = request.headers["referer"]
    context |= {f"s3:{name}": request.parameters[name] for name in _PARAMETERS if name in request.parameters}
    context |= {f"s3:{name}": value for name, value in request.headers.items() if name.startswith("x-amz-")}
    stored = call.objects.get(bucket, key) if key is not None else None
    for tag in stored.attributes.get("Tags", []) if stored is not None else []:
        context[f"s3:existingobjecttag/{tag['Key'].lower()}"] = tag["Value"]
    return {name.lower(): value for name, value in context.items()}


_PARAMETERS = ("prefix", "delimiter", "max-keys", "versionId")


def _granted(call: Call, bucket: Bucket, action: str, key: str | None) -> bool:
    """Whether an ACL grants the action."""
    account_id = None if call.account.anonymous else call.account.id
    if action not in acl.GRANTED_BY or ownership(bucket) == public_access.ENFORCED:
        return False
    of_whom, permission = acl.GRANTED_BY[action]
    shown = block(bucket)
    own_acl = shown.effective(control(bucket.settings.get(ACL), bucket.owner))
    if of_whom == "bucket":
        return acl.allows(own_acl, permission, account_id)
    stored = call.objects.get(bucket, key or "", call.members.get("VersionId"))
    if stored is None:  # whoever may list may know that there is no such key
        return acl.allows(own_acl, "READ", account_id)
    return acl.allows(shown.effective(control(stored.attributes.get("ACL"), bucket.owner)), permission, account_id)
