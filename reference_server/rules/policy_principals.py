"""Principal and NotPrincipal of a policy statement.

Source: IAM User Guide, "AWS JSON policy elements: Principal". AWS also refuses users and roles that do not exist;
here whatever is well-formed is accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_server.rules.policy_text import malformed, strings

if TYPE_CHECKING:
    from reference_server.errors import S3Error

_ROOT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root\Z", re.ASCII)
_NUMBER = re.compile(r"[0-9]{12}\Z", re.ASCII)
# An origin access identity of CloudFront is a user of an account of that name.
_IDENTITY = re.compile(
    r"arn:aws[a-z-]*:(?:iam|sts)::(?:[0-9]{12}|cloudfront):(?:user|role|assumed-role|federated-user)/[^*?]+\Z", re.ASCII
)
_CANONICAL = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


@dataclass(frozen=True)
class Principals:
    """Whom a statement names, or with `negated` whom it leaves out.

    Args:
        negated: NotPrincipal.
        everyone: `*`, which includes requests without a signature.
        federated: users of an identity provider; no request here is one of them.
        accounts: 12-digit numbers, each for all of an account.
        arns: users and roles.
        canonical_ids: canonical user ids.
    """

    negated: bool
    everyone: bool
    federated: bool
    accounts: frozenset[str]
    arns: frozenset[str]
    canonical_ids: frozenset[str]

    def include(self, account: str | None, arn: str | None, canonical_id: str | None) -> bool:
        """Whether a request is meant; all three are None for one without a signature."""
        named = self.everyone or account in self.accounts or arn in self.arns or canonical_id in self.canonical_ids
        return named != self.negated

    @property
    def open(self) -> bool:
        """Whether anybody may be meant, so that only conditions can keep the public out."""
        return self.everyone or self.federated


def parse_principals(value: object, *, negated: bool) -> Principals:
    """Read the value of Principal or NotPrincipal: `"*"`, or an object of AWS, CanonicalUser, Service, Federated.

    Raises:
        S3Error: MalformedPolicy.
    """
    if value == "*":
        value = {"AWS": "*"}
    if not isinstance(value, dict) or not value:
        raise _invalid()
    named: dict[str, tuple[str, ...]] = {}
    for kind, names in value.items():
        listed = strings(names)
        if kind not in ("AWS", "CanonicalUser", "Service", "Federated") or listed is None or "" in listed:
            raise _invalid()
        named[kind] = listed
    if "*" in named.get("Service", ()) or not all(map(_CANONICAL.match, named.get("CanonicalUser", ()))):
        raise _invalid()
    return _principals(named, negated=negated)


def _principals(named: dict[str, tuple[str, ...]], *, negated: bool) -> Principals:
    accounts, arns = set(), set()
    everyone = False
    for name in named.get("AWS", ()):
        root = _ROOT.match(name)
        if name == "*":
            everyone = True
        elif root or _NUMBER.match(name):
            accounts.add(root[1] if root else name)
        elif _IDENTITY.match(name):
            arns.add(name)
        else:
            raise _invalid()
    return Principals(
        negated=negated,
        everyone=everyone,
        federated="Federated" in named,
        accounts=frozenset(accounts),
        arns=frozenset(arns),
        canonical_ids=frozenset(named.get("CanonicalUser", ())),
    )


def _invalid() -> S3Error:
    return malformed("Invalid principal in policy")
