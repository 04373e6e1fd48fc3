"""What a bucket's public access block and its object ownership do to ACLs and policies.

Source: Amazon S3 User Guide, "Blocking public access to your Amazon S3 storage" and "Controlling ownership of objects
and disabling ACLs for your bucket"; catalogue POL-008 to POL-011.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error
from reference_server.rules.acl import AccessControl, has_grants

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Object ownership of new buckets: ACLs are disabled.
ENFORCED = "BucketOwnerEnforced"
PREFERRED = "BucketOwnerPreferred"
WRITER = "ObjectWriter"


# Public access block


@dataclass(frozen=True)
class PublicAccessBlock:
    """The four settings, by model names; see `public_access`."""

    BlockPublicAcls: bool
    IgnorePublicAcls: bool
    BlockPublicPolicy: bool
    RestrictPublicBuckets: bool

    def check_acl(self, acl: AccessControl) -> None:
        """Refuse a public ACL that a request would set.

        Raises:
            S3Error: AccessDenied.
        """
        if self.BlockPublicAcls and acl.public:
            raise S3Error("AccessDenied", "Public ACLs are prevented by the BlockPublicAcls setting of the bucket")

    def effective(self, acl: AccessControl) -> AccessControl:
        """An ACL as it counts, and as GetBucketAcl and GetObjectAcl show it."""
        return acl.without_public() if self.IgnorePublicAcls else acl

    def check_policy(self, *, public: bool) -> None:
        """Refuse a policy that a request would set.

        Raises:
            S3Error: AccessDenied.
        """
        if self.BlockPublicPolicy and public:
            message = "Public policies are prevented by the BlockPublicPolicy setting of the bucket"
            raise S3Error("AccessDenied", message)

    def admits(self, account: str | None, bucket_owner: str, *, public_policy: bool) -> bool:
        """Whether what the policy allows still counts: in a bucket with a public policy, only for its own account.

        Args:
            account: who asks; None without a signature.
            bucket_owner: in the same form as `account`.
            public_policy: whether the bucket has a policy that is public.
        """
        return not (self.RestrictPublicBuckets and public_policy) or account == bucket_owner


def public_access(config: Mapping[str, Any] | None) -> PublicAccessBlock:
    """The settings of a PublicAccessBlockConfiguration by model names; without one (None) all are off."""
    known = [setting.name for setting in fields(PublicAccessBlock)]
    return PublicAccessBlock(**{name: bool((config or {}).get(name)) for name in known})


# Object ownership


def check_acl_operation(ownership: str) -> None:
    """PutBucketAcl and PutObjectAcl fail where ACLs are disabled, whatever they would set (catalogue POL-008).

    Raises:
        S3Error: AccessControlListNotSupported.
    """
    if ownership == ENFORCED:
        raise S3Error("AccessControlListNotSupported")


def check_upload(ownership: str, members: Mapping[str, Any]) -> None:
    """Where ACLs are disabled an upload or copy may only ask for one that gives the bucket owner full control.

    Raises:
        S3Error: AccessControlListNotSupported.
    """
    harmless = members.get("ACL") in (None, "private", "bucket-owner-full-control") and not has_grants(members)
    if ownership == ENFORCED and not harmless:
        raise S3Error("AccessControlListNotSupported")


def check_new_bucket(members: Mapping[str, Any]) -> None:
    """CreateBucket takes no ACL but the owner's own together with BucketOwnerEnforced (catalogue POL-009).

    Args:
        members: input of CreateBucket; without ObjectOwnership it is BucketOwnerEnforced.

    Raises:
        S3Error: InvalidBucketAclWithObjectOwnership.
    """
    has_acl = members.get("ACL") not in (None, "private") or has_grants(members)
    if has_acl and members.get("ObjectOwnership", ENFORCED) == ENFORCED:
        raise S3Error("InvalidBucketAclWithObjectOwnership")


def check_enforceable(ownership: str, acl: AccessControl) -> None:
    """PutBucketOwnershipControls disables ACLs only once the bucket's own grants nothing to others.

    Raises:
        S3Error: InvalidBucketAclWithObjectOwnership.
    """
    if ownership == ENFORCED and not acl.owner_only:
        raise S3Error("InvalidBucketAclWithObjectOwnership")


def object_owner(ownership: str, members: Mapping[str, Any], writer: str, bucket_owner: str) -> str:
    """Who owns an object that is written, by canonical user ids."""
    given = ownership == PREFERRED and members.get("ACL") == "bucket-owner-full-control"
    return bucket_owner if ownership == ENFORCED or given else writer
