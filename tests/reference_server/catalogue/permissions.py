"""Policies, ACLs and the settings around them, as many tests put them on a bucket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.reference_server.catalogue.steps import put_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Raw, Reply

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
SCHEMA = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def statement(
    bucket: str,
    *actions: str,
    effect: str = "Allow",
    principal: object = "*",
    resource: str | None = None,
    conditions: Mapping[str, Mapping[str, object]] | None = None,
) -> dict[str, Any]:
    """A statement of a policy about a bucket and all its objects; `resource` follows the bucket's ARN."""
    arn = f"arn:aws:s3:::{bucket}"
    found: dict[str, Any] = {"Effect": effect, "Principal": principal, "Action": list(actions)}
    found["Resource"] = [arn, f"{arn}/*"] if resource is None else arn + resource
    return {**found, "Condition": conditions} if conditions else found


def policy(*statements: Mapping[str, Any]) -> str:
    """The text of a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def put_policy(raw: Raw, bucket: str, *statements: Mapping[str, Any]) -> Reply:
    """PutBucketPolicy."""
    return put_document(raw, f"/{bucket}?policy", policy(*statements))


def set_policy(raw: Raw, bucket: str, *statements: Mapping[str, Any]) -> None:
    """PutBucketPolicy, also of a public one: the public access block is removed."""
    unblock(raw, bucket)
    reply = put_policy(raw, bucket, *statements)
    assert reply.status == 204, reply.body


def unblock(raw: Raw, bucket: str) -> None:
    """Let a bucket be made public."""
    assert raw("DELETE", f"/{bucket}?publicAccessBlock").status == 204


def own(raw: Raw, bucket: str, ownership: str) -> Reply:
    """PutBucketOwnershipControls."""
    rule = f"<Rule><ObjectOwnership>{ownership}</ObjectOwnership></Rule>"
    return put_document(raw, f"/{bucket}?ownershipControls", f"<OwnershipControls>{rule}</OwnershipControls>")


def with_acls(raw: Raw, bucket: str, ownership: str = "ObjectWriter") -> str:
    """Make ACLs of a bucket count, public ones too."""
    unblock(raw, bucket)
    assert own(raw, bucket, ownership).status == 200
    return bucket


def canonical_id(raw: Raw) -> str:
    """The canonical user id of an account."""
    return raw("GET", "/").element("ID")


def grant(kind: str, grantee: str, permission: str) -> str:
    """One Grant element: kind `CanonicalUser` or `Group`."""
    name = "URI" if kind == "Group" else "ID"
    inside = f'<Grantee {SCHEMA} xsi:type="{kind}"><{name}>{grantee}</{name}></Grantee>'
    return f"<Grant>{inside}<Permission>{permission}</Permission></Grant>"


def acl(owner: str, *grants: str) -> str:
    """The document of PutBucketAcl and PutObjectAcl."""
    listed = "".join(grants)
    return (
        f"<AccessControlPolicy><Owner><ID>{owner}</ID></Owner><AccessControlList>{listed}</AccessControlList>"
        "</AccessControlPolicy>"
    )
