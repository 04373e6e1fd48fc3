"""Bucket policies: reading one, deciding by it, and whether it is public.

Source: IAM User Guide, "Grammar of the IAM JSON policy language" and "Policy evaluation logic"; Amazon S3 User Guide,
"Bucket policies" and "The meaning of public"; catalogue POL-001 to POL-003.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from reference_server.rules.actions import kinds_named
from reference_server.rules.policy_conditions import Condition, network, parse_conditions
from reference_server.rules.policy_principals import Principals, parse_principals
from reference_server.rules.policy_text import (
    Context,
    Pattern,
    Plain,
    malformed,
    matches,
    parse_pattern,
    resolve,
    strings,
    widest,
    wildcards,
)

__all__ = ["MAX_SIZE", "Access", "Policy", "Statement", "parse_policy", "resource_arn"]

#: Of a policy without white space, in bytes.
MAX_SIZE = 20_480

_ARN = "arn:aws:s3:::"
_VERSIONS = {"2008-10-17": False, "2012-10-17": True}  # -> has variables
_FIELDS = {
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"),
}
_BUCKET_PART = re.compile(r"(?:\$\{[^}]*\}|[^/])*")
#: What may keep the public out if a policy fixes its value.
_CONFINING = {
    *("aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:sourceaccount", "aws:sourcearn"),
    *("aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "s3:dataaccesspointaccount"),
    *("s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
}
_FIXING = {"ArnEquals", "ArnLike", "StringEquals", "StringEqualsIgnoreCase", "StringLike"}
#: Keys that only requests for lists have.
_LISTING_KEYS = {"s3:delimiter", "s3:max-keys", "s3:prefix"}
_LISTING = {"s3:listbucket", "s3:listbucketversions"}
# Broader ranges of addresses count as the public.
_BROADEST = {4: 8, 6: 32}
_ACCESS_POINT = re.compile(r"arn:aws[a-z-]*:s3:[^:]*:[0-9]{12}:accesspoint/[^$]*\Z", re.ASCII)


def resource_arn(bucket: str, key: str | None = None) -> str:
    """The ARN of a bucket, or of an object in it."""
    return f"{_ARN}{bucket}" if key is None else f"{_ARN}{bucket}/{key}"


@dataclass(frozen=True)
class Access:
    """What a request asks to do.

    Args:
        account: the 12-digit number of who asks; None without a signature, as are the next two.
        arn: of the user or role, or the root of the account.
        canonical_id: of the account.
        action: for example `s3:GetObject`.
        resource: see `resource_arn`.
        context: condition keys in lower case. `aws:principalaccount` and `aws:principalarn` need not be given.
    """

    account: str | None
    arn: str | None
    canonical_id: str | None
    action: str
    resource: str
    context: Context = field(default_factory=dict)

    @property
    def full_context(self) -> Context:
        """The context with the keys that follow from who asks."""
        if self.account is None or self.arn is None:
            return self.context
        return {"aws:principalaccount": self.account, "aws:principalarn": self.arn, **self.context}


@dataclass(frozen=True)
class Statement:
    """One statement; `not_action` and `not_resource` say that everything but those is meant."""

    allow: bool
    principals: Principals
    actions: tuple[Plain, ...]
    not_action: bool
    resources: tuple[Pattern, ...]
    not_resource: bool
    conditions: tuple[Condition, ...]

    def applies(self, access: Access, context: Context) -> bool:
        """Whether principal, action, resource and all conditions fit."""
        action = access.action.lower()
        return (
            self.principals.include(access.account, access.arn, access.canonical_id)
            and any(matches(pattern, action) for pattern in self.actions) != self.not_action
            and self._covers(access.resource, context)
            and all(condition.holds(context) for condition in self.conditions)
        )

    def _covers(self, resource: str, context: Context) -> bool:
        patterns = [resolve(pattern, context) for pattern in self.resources]
        if self.not_resource and None in patterns:
            return False  # a variable without a value makes the statement void, never wider
        return any(matches(plain, resource) for plain in patterns if plain is not None) != self.not_resource

    @property
    def public(self) -> bool:
        """Whether it lets in somebody unknown: anybody, and no condition ties them to a fixed value."""
        return self.allow and self.principals.open and not any(map(_confines, self.conditions))


@dataclass(frozen=True)
class Policy:
    """A bucket policy that was checked."""

    statements: tuple[Statement, ...]

    def decide(self, request: Access) -> bool | None:
        """False for an explicit deny, true if allowed, None if no statement applies."""
        context = request.full_context
        effects = {statement.allow for statement in self.statements if statement.applies(request, context)}
        return None if not effects else False not in effects

    @property
    def public(self) -> bool:
        """Whether S3 counts the policy as public, for GetBucketPolicyStatus and Block Public Access.

        It is unless every statement that allows names its principals, or has a condition that ties them to a fixed
        address range, account, ARN, organisation, network, user id or KMS key. Simplified: what deny statements take
        away again is not looked at, as they could only take part of it.
        """
        return any(statement.public for statement in self.statements)


def _confines(condition: Condition) -> bool:
    if condition.if_exists or condition.quantifier == "ForAllValues":
        return False  # both hold for requests without the key
    if condition.key == "aws:sourceip":
        ranges = [network(value) for value in condition.values]
        return condition.operator == "IpAddress" and all(
            found is not None and found.prefixlen >= _BROADEST[found.version] for found in ranges
        )
    fixed = all(not set("*?$") & set(value) for value in condition.values)
    if condition.key == "s3:dataaccesspointarn":  # the name of the access point may be anything
        fixed = all(map(_ACCESS_POINT.match, condition.values))
    return condition.key in _CONFINING and condition.operator in _FIXING and fixed


# Reading


def parse_policy(text: bytes, bucket: str) -> Policy:
    """Read and check the policy of a bucket.

    Raises:
        S3Error: MalformedPolicy (catalogue POL-002).
    """
    if text[:1] != b"{":
        raise malformed("Policies must be valid JSON and the first byte must be '{'")
    try:
        document = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_no_number)
        size = len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())
    except (ValueError, RecursionError):
        raise malformed("This policy contains invalid Json") from None
    if size > MAX_SIZE:
        raise malformed(f"Normalized policy document exceeds the maximum allowed size of {MAX_SIZE} bytes")
    for name in document:
        if name not in ("Version", "Id", "Statement"):
            raise malformed(f"Unknown field {name}")
    version = document.get("Version", "2008-10-17")
    if not isinstance(version, str) or version not in _VERSIONS:
        raise malformed("The policy must contain a valid version string")
    listed = _required(document, "Statement")
    listed = [listed] if isinstance(listed, dict) else listed
    if not isinstance(listed, list) or not all(isinstance(statement, dict) for statement in listed):
        raise malformed("Statement must be an object or a list of objects")
    if not listed:
        raise malformed("Could not parse the policy: Statement is empty!")
    return Policy(tuple(_statement(statement, bucket, variables=_VERSIONS[version]) for statement in listed))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name that is given twice is an error, it would mean different things to different readers."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _required(members: dict[str, Any], name: str) -> Any:
    if name not in members:
        raise malformed(f"Missing required field {name}")
    return members[name]


def _one_of(members: dict[str, Any], name: str) -> tuple[Any, bool]:
    """The value of an element or of its `Not` form, and whether it is the latter."""
    if f"Not{name}" not in members:
        return _required(members, name), False
    if name in members:
        raise malformed(f"A statement has either {name} or Not{name}")
    return members[f"Not{name}"], True


def _statement(members: dict[str, Any], bucket: str, *, variables: bool) -> Statement:
    for name in members:
        if name not in _FIELDS:
            raise malformed(f"Unknown field {name}")
    effect = _required(members, "Effect")
    if effect not in ("Allow", "Deny"):
        raise malformed(f"Invalid effect : {effect}")
    principal, not_principal = _one_of(members, "Principal")
    principals = parse_principals(principal, negated=not_principal)
    if not_principal and effect == "Allow":
        raise malformed("Allow with NotPrincipal is not supported")
    action, not_action = _one_of(members, "Action")
    resource, not_resource = _one_of(members, "Resource")
    actions, resources = strings(action), strings(resource)
    if actions is None or not all(map(_is_action, actions)):
        raise malformed("Policy has invalid action")
    if resources is None or not all(_is_of(bucket, text, variables=variables) for text in resources):
        raise malformed("Policy has invalid resource")
    conditions = parse_conditions(members.get("Condition", {}), variables=variables)
    if not not_action and not not_resource:
        _check_match(actions, resources)
    if not not_action and any(condition.key in _LISTING_KEYS for condition in conditions):
        _check_listing(actions)
    return Statement(
        allow=effect == "Allow",
        principals=principals,
        actions=tuple(wildcards(text.lower()) for text in actions),
        not_action=not_action,
        resources=tuple(parse_pattern(text, variables=variables) for text in resources),
        not_resource=not_resource,
        conditions=conditions,
    )


def _is_action(text: str) -> bool:
    return text == "*" or (text.lower().startswith("s3:") and bool(kinds_named(text)))


def _is_of(bucket: str, text: str, *, variables: bool) -> bool:
    """Whether a resource can be this bucket or something in it."""
    if not text.startswith(_ARN):
        return False
    part = _BUCKET_PART.match(text, len(_ARN))
    return part is not None and matches(widest(parse_pattern(part[0], variables=variables)), bucket)


def _check_match(actions: tuple[str, ...], resources: tuple[str, ...]) -> None:
    """Every action must be able to act on one of the resources: `/` makes an object, without it `*` may reach one."""
    kinds = {"object" if "/" in text else "bucket" for text in resources}
    if any("*" in text for text in resources):
        kinds.add("object")
    if not all(kinds & kinds_named(action) for action in actions):
        raise malformed("Action does not apply to any resource(s) in statement")


def _check_listing(actions: tuple[str, ...]) -> None:
    """A condition on a listing must go with listings alone; a wildcard among the actions is let through, as by S3."""
    if not all(text.lower() in _LISTING or set("*?") & set(text) for text in actions):
        raise malformed("Conditions do not apply to combination of actions and resources in statement")
