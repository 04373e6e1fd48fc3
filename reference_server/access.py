"""Whether an account may do something with a bucket: its owner, its policy, its ACLs, in this order.

Source: Amazon S3 User Guide, "How Amazon S3 authorizes a request"; catalogue POL.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from reference_server import condition_keys
from reference_server.errors import S3Error
from reference_server.rules import acl, public_access
from reference_server.rules.actions import actions_for
from reference_server.rules.policy import Access, Policy, parse_policy, resource_arn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.auth import Account
    from reference_server.call import Call
    from reference_server.objects import StoredObject
    from reference_server.rules.policy_text import Context
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
# Who may not list the keys of a bucket does not learn from these either which there are.
_TELLING = {"GetObject", "GetObjectAttributes", "HeadObject"}


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
    own = bucket.owner == call.account.id and not call.account.anonymous
    if own and POLICY not in bucket.settings and ownership(bucket) == public_access.ENFORCED:
        return
    if operation is None:
        operation, key = call.operation, call.request.key
    if operation in _CHECKED_INSIDE or (own and operation in _OWNERS_ALWAYS):
        return
    # What a request says as a whole counts for each of its parts, such as the bypass of DeleteObjects.
    asked = _Asked(call, bucket, own, key, {**call.members, **(members or {})})
    allowed = all(asked.may(action) for action in actions_for(operation, asked.members))
    if allowed and operation in _TELLING and asked.stored is None:
        allowed = replace(asked, key=None).may("s3:ListBucket")
    if not allowed:
        raise S3Error("AccessDenied")


@lru_cache(maxsize=128)
def policy(text: str, bucket: str) -> Policy:
    """A stored policy, parsed."""
    return parse_policy(text.encode(), bucket)


def ownership(bucket: Bucket) -> str:
    """Object ownership of a bucket; without controls writers own what they write, as it was before there were any."""
    rules = bucket.settings.get(OWNERSHIP, {}).get("Rules")
    return str(rules[0]["ObjectOwnership"]) if rules else public_access.WRITER


def owner_of(bucket: Bucket, writer: str) -> str:
    """Who owns what an account writes."""
    return bucket.owner if ownership(bucket) == public_access.ENFORCED else writer


def block(bucket: Bucket) -> public_access.PublicAccessBlock:
    """The public access block of a bucket."""
    return public_access.public_access(bucket.settings.get(PUBLIC_ACCESS))


def control(stored: Mapping[str, Any] | None, owner: str) -> acl.AccessControl:
    """A stored ACL; by default the owner has full control (POL-007)."""
    return acl.canned("private", owner) if stored is None else acl.from_json(stored)


@dataclass(frozen=True)
class _Asked:
    """One thing that a request asks to do with a bucket, or with a key in it; `own`: the bucket's owner asks."""

    call: Call
    bucket: Bucket
    own: bool
    key: str | None
    members: Mapping[str, Any]

    def may(self, action: str) -> bool:
        """Whether the owner's right, the policy or an ACL allows it, and the policy does not deny it."""
        decision = self._decision(action)
        if decision is False:
            return False
        granted = acl.GRANTED_BY.get(action)
        of_another = granted is not None and granted[0] == "object" and self._of_another
        if (self.own or decision) and not of_another:
            return True
        return granted is not None and self._granted(*granted)

    @cached_property
    def stored(self) -> StoredObject | None:
        """The object or version that is meant."""
        if self.key is None:
            return None
        return self.call.objects.get(self.bucket, self.key, self.members.get("VersionId"))

    @cached_property
    def _context(self) -> Context:
        return condition_keys.context(self.call, self.bucket, self.members, self.stored)

    @property
    def _account_id(self) -> str | None:
        return None if self.call.account.anonymous else self.call.account.id

    @property
    def _of_another(self) -> bool:
        """Whether the object belongs to another account, of whose ACL alone it then depends who reads it."""
        if self.stored is None or ownership(self.bucket) == public_access.ENFORCED:
            return False
        return control(self.stored.attributes.get("ACL"), self.bucket.owner).owner != self.bucket.owner

    def _decision(self, action: str) -> bool | None:
        """What the policy says; what a public one allows may count for the bucket's own account only."""
        text = self.bucket.settings.get(POLICY)
        if text is None:
            return None
        found, account = policy(text, self.bucket.name), self.call.account
        number, arn = (None, None) if account.anonymous else (account.number, _arn(account))
        resource = resource_arn(self.bucket.name, self.key)
        decision = found.decide(Access(number, arn, self._account_id, action, resource, self._context))
        shown = block(self.bucket)
        if decision and not shown.admits(self._account_id, self.bucket.owner, public_policy=found.public):
            return None
        return decision

    def _granted(self, of_whom: str, permission: str) -> bool:
        """Whether an ACL that counts grants a permission."""
        if ownership(self.bucket) == public_access.ENFORCED:
            return False
        kept: Mapping[str, Any] | None = self.bucket.settings.get(ACL)
        if of_whom == "object" and self.stored is not None:  # else whoever may list may know that it is missing
            kept = self.stored.attributes.get("ACL")
        counting = block(self.bucket).effective(control(kept, self.bucket.owner))
        return acl.allows(counting, permission, self._account_id)


def _arn(account: Account) -> str:
    return f"arn:aws:iam::{account.number}:user/{account.access_key}"
