"""Access control lists: canned ones, those in headers and documents, and what they allow.

Source: Amazon S3 User Guide, "Access control list (ACL) overview"; catalogue POL-004 to POL-007, AUTH-027.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reference_server.errors import S3Error, invalid_argument

#: Everyone, with a signature or without.
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
#: Everyone with a signature.
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
#: The service that writes access logs.
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GROUPS = {ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY}
PERMISSIONS = {"FULL_CONTROL", "READ", "READ_ACP", "WRITE", "WRITE_ACP"}
#: Actions that an ACL can grant: whose ACL, and which permission in it.
GRANTED_BY: dict[str, tuple[Literal["bucket", "object"], str]] = {
    "s3:GetBucketAcl": ("bucket", "READ_ACP"),
    "s3:GetObject": ("object", "READ"),
    "s3:GetObjectAcl": ("object", "READ_ACP"),
    "s3:GetObjectVersion": ("object", "READ"),
    "s3:GetObjectVersionAcl": ("object", "READ_ACP"),
    "s3:ListBucket": ("bucket", "READ"),
    "s3:ListBucketMultipartUploads": ("bucket", "READ"),
    "s3:ListBucketVersions": ("bucket", "READ"),
    "s3:PutBucketAcl": ("bucket", "WRITE_ACP"),
    "s3:PutObject": ("bucket", "WRITE"),
    "s3:PutObjectAcl": ("object", "WRITE_ACP"),
    "s3:PutObjectVersionAcl": ("object", "WRITE_ACP"),
}
#: Canonical id of the account that aws-exec-read grants READ to: Amazon EC2, for reading machine images.
EC2 = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"

_USER: Literal["CanonicalUser"] = "CanonicalUser"
_GROUP: Literal["Group"] = "Group"
_BUCKET_OWNER = "the bucket owner"
#: Name -> grants beside the owner's FULL_CONTROL.
_CANNED: dict[str, tuple[tuple[Literal["CanonicalUser", "Group"], str, str], ...]] = {
    "authenticated-read": ((_GROUP, AUTHENTICATED_USERS, "READ"),),
    "aws-exec-read": ((_USER, EC2, "READ"),),
    "bucket-owner-full-control": ((_USER, _BUCKET_OWNER, "FULL_CONTROL"),),
    "bucket-owner-read": ((_USER, _BUCKET_OWNER, "READ"),),
    "log-delivery-write": ((_GROUP, LOG_DELIVERY, "WRITE"), (_GROUP, LOG_DELIVERY, "READ_ACP")),
    "private": (),
    "public-read": ((_GROUP, ALL_USERS, "READ"),),
    "public-read-write": ((_GROUP, ALL_USERS, "READ"), (_GROUP, ALL_USERS, "WRITE")),
}
#: Those named after the bucket owner are accepted for a bucket, and add nothing there.
BUCKET_CANNED = frozenset(_CANNED)
OBJECT_CANNED = frozenset(_CANNED) - {"log-delivery-write"}
#: Member -> header and permission.
GRANT_HEADERS = {
    "GrantFullControl": ("x-amz-grant-full-control", "FULL_CONTROL"),
    "GrantRead": ("x-amz-grant-read", "READ"),
    "GrantReadACP": ("x-amz-grant-read-acp", "READ_ACP"),
    "GrantWrite": ("x-amz-grant-write", "WRITE"),
    "GrantWriteACP": ("x-amz-grant-write-acp", "WRITE_ACP"),
}
_GRANTEE = re.compile(r'\s*+([A-Za-z]+)\s*+=\s*+(?:"([^"]*)"|([^",\s]*))\s*+(?:,|\Z)')
#: Whether a canonical user id is known; `{...}.__contains__` will do.
Known = Callable[[str], bool]


@dataclass(frozen=True)
class Grant:
    """One permission for one grantee.

    Args:
        kind: of the grantee. A grantee given by e-mail address never gets here, see `_no_email`.
        grantee: canonical user id or URI of a group.
        permission: one of `PERMISSIONS`.
    """

    kind: Literal["CanonicalUser", "Group"]
    grantee: str
    permission: str

    @property
    def public(self) -> bool:
        """Whether strangers are meant (User Guide, "The meaning of public")."""
        return self.grantee in (ALL_USERS, AUTHENTICATED_USERS)

    def includes(self, account_id: str | None) -> bool:
        """Whether an account is meant; None is a request without a signature."""
        if self.kind == _USER:
            return self.grantee == account_id
        return self.grantee == ALL_USERS or (self.grantee == AUTHENTICATED_USERS and account_id is not None)


@dataclass(frozen=True)
class AccessControl:
    """The ACL of a bucket or an object; `owner` is a canonical user id."""

    owner: str
    grants: tuple[Grant, ...]

    @property
    def public(self) -> bool:
        """Whether it grants anything to strangers."""
        return any(grant.public for grant in self.grants)

    @property
    def owner_only(self) -> bool:
        """Whether nobody but the owner is granted anything."""
        return all(grant.grantee == self.owner for grant in self.grants)

    def without_public(self) -> AccessControl:
        """The same without what it grants to strangers."""
        return AccessControl(self.owner, tuple(grant for grant in self.grants if not grant.public))

    def to_members(self) -> dict[str, Any]:
        """Owner and Grants by model names, as GetBucketAcl and GetObjectAcl answer."""
        grants = [
            {
                "Grantee": {"ID" if grant.kind == _USER else "URI": grant.grantee, "Type": grant.kind},
                "Permission": grant.permission,
            }
            for grant in self.grants
        ]
        return {"Owner": {"ID": self.owner}, "Grants": grants}

    def to_json(self) -> dict[str, Any]:
        """Plain data to store; `from_json` reads it."""
        return {
            "owner": self.owner,
            "grants": [[grant.kind, grant.grantee, grant.permission] for grant in self.grants],
        }


def from_json(stored: Mapping[str, Any]) -> AccessControl:
    """What `AccessControl.to_json` gave."""
    return AccessControl(stored["owner"], tuple(Grant(*grant) for grant in stored["grants"]))


def allows(acl: AccessControl, permission: str, account_id: str | None) -> bool:
    """Whether an ACL gives an account a permission; the owner may always read and write the ACL itself.

    Args:
        acl: of the bucket or the object, see `GRANTED_BY`.
        permission: READ, WRITE, READ_ACP or WRITE_ACP.
        account_id: canonical user id; None for a request without a signature.
    """
    if account_id == acl.owner and permission in ("READ_ACP", "WRITE_ACP"):
        return True
    return any(grant.permission in (permission, "FULL_CONTROL") and grant.includes(account_id) for grant in acl.grants)


def canned(name: str, owner: str, bucket_owner: str | None = None) -> AccessControl:
    """The ACL of a canned name.

    Args:
        name: as in x-amz-acl.
        owner: who will own the bucket or object.
        bucket_owner: who owns the bucket around an object; None for the ACL of a bucket.

    Raises:
        S3Error: InvalidArgument (catalogue POL-004).
    """
    if name not in (BUCKET_CANNED if bucket_owner is None else OBJECT_CANNED):
        raise invalid_argument("x-amz-acl", name, "The canned ACL is not one that can be set here")
    grants = [Grant(_USER, owner, "FULL_CONTROL")]
    for kind, grantee, permission in _CANNED[name]:
        if grantee != _BUCKET_OWNER:
            grants.append(Grant(kind, grantee, permission))
        elif bucket_owner not in (None, owner):
            grants.append(Grant(_USER, str(bucket_owner), permission))
    return AccessControl(owner, tuple(grants))


# Requests


def from_headers(members: Mapping[str, Any], known: Known) -> tuple[Grant, ...]:
    """The grants in x-amz-grant-* headers, each `id="..."` or `uri="..."`, separated by commas.

    Raises:
        S3Error: InvalidArgument (catalogue POL-006), MethodNotAllowed for an e-mail address.
    """
    grants = []
    for member, (header, permission) in GRANT_HEADERS.items():
        if members.get(member) is not None:
            grants += [_grant(kind, value, permission, known) for kind, value in _grantees(header, members[member])]
    return tuple(grants)


def _grantees(header: str, text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text) or not found:
        match = _GRANTEE.match(text, at)
        if match is None or match[1] not in ("id", "uri", "emailAddress"):
            raise invalid_argument(header, text[at:].strip(), "Argument format not recognized")
        found.append((match[1], match[2] or match[3] or ""))
        at = match.end()
    return found


def _grant(kind: str, value: str, permission: str, known: Known) -> Grant:
    if kind == "emailAddress":
        raise _no_email()
    if kind == "uri":
        return Grant(_GROUP, _group(kind, value), permission)
    return Grant(_USER, _user(kind, value, known), permission)


def _group(argument: str, uri: str) -> str:
    if uri not in GROUPS:
        raise invalid_argument(argument, uri, "Invalid group uri")
    return uri


def _user(argument: str, user_id: str, known: Known) -> str:
    if user_id != EC2 and not known(user_id):
        raise invalid_argument(argument, user_id, "Invalid id")
    return user_id


def _no_email() -> S3Error:
    """S3 stopped taking e-mail addresses in October 2025 (API Reference, PutBucketAcl, "End of support notice")."""
    return S3Error("MethodNotAllowed", "Grantees can no longer be given by e-mail address")


def from_document(members: Mapping[str, Any], owner: str, known: Known) -> AccessControl:
    """The ACL in an AccessControlPolicy document.

    Args:
        members: the document by model names: Owner, Grants[Grantee{Type, ID, URI, EmailAddress}, Permission].
        owner: who owns the bucket or object; a document cannot change that.
        known: see `Known`.

    Raises:
        S3Error: MalformedACLError, InvalidArgument (catalogue POL-006), AccessDenied for another owner,
            MethodNotAllowed for an e-mail address.
    """
    named = (members.get("Owner") or {}).get("ID")
    grants = members.get("Grants")
    if not named or grants is None:
        raise S3Error("MalformedACLError")
    if _user("CanonicalUser/ID", named, known) != owner:
        raise S3Error("AccessDenied")
    return AccessControl(owner, tuple(_document_grant(grant, known) for grant in grants))


def _document_grant(members: Mapping[str, Any], known: Known) -> Grant:
    permission, grantee = members.get("Permission"), members.get("Grantee") or {}
    kind, user_id, uri = grantee.get("Type"), grantee.get("ID"), grantee.get("URI")
    if permission not in PERMISSIONS:
        raise S3Error("MalformedACLError")
    if kind == _USER and user_id:
        return Grant(_USER, _user("CanonicalUser/ID", user_id, known), permission)
    if kind == _GROUP and uri:
        return Grant(_GROUP, _group("Group/URI", uri), permission)
    raise _no_email() if kind == "AmazonCustomerByEmail" else S3Error("MalformedACLError")


def has_grants(members: Mapping[str, Any]) -> bool:
    """Whether a request has an x-amz-grant-* header."""
    return any(members.get(member) is not None for member in GRANT_HEADERS)


def asked_for(members: Mapping[str, Any], owner: str, bucket_owner: str | None, known: Known) -> AccessControl | None:
    """The ACL that the headers of a request ask for; None if they do not.

    Args:
        members: the input of any operation that takes x-amz-acl or x-amz-grant-*, by model names.
        owner: see `canned`, as is the next.
        bucket_owner: None for the ACL of a bucket.
        known: see `Known`.

    Raises:
        S3Error: InvalidRequest for both kinds of headers (catalogue POL-005), InvalidArgument, MethodNotAllowed.
    """
    name = members.get("ACL")
    if name is None:
        return AccessControl(owner, from_headers(members, known)) if has_grants(members) else None
    if has_grants(members):
        raise S3Error("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    return canned(name, owner, bucket_owner)


def read_request(
    members: Mapping[str, Any],
    document: Mapping[str, Any] | None,
    owner: str,
    bucket_owner: str | None,
    known: Known,
) -> AccessControl:
    """The ACL that PutBucketAcl or PutObjectAcl sets.

    Args:
        members: input from headers, by model names.
        document: the parsed body; None if there was none, which is not the same as an empty document.
        owner: who owns the bucket or object.
        bucket_owner: None for PutBucketAcl.
        known: see `Known`.

    Raises:
        S3Error: MissingSecurityHeader (catalogue AUTH-027), UnexpectedContent (POL-005), and as `asked_for` and
            `from_document`.
    """
    if document is not None:
        if members.get("ACL") is not None or has_grants(members):
            raise S3Error("UnexpectedContent")
        return from_document(document, owner, known)
    asked = asked_for(members, owner, bucket_owner, known)
    if asked is None:
        raise S3Error("MissingSecurityHeader", None, {"MissingHeaderName": "x-amz-acl"})
    return asked
