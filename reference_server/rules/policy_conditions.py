"""Condition of a policy statement.

Source: IAM User Guide, "Condition operators", "Single-valued vs. multivalued context keys" and "Policy variables
with no value". BinaryEquals is left out: no condition key of S3 is binary.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from reference_server.rules.policy_text import (
    Context,
    Plain,
    Wild,
    malformed,
    matches,
    names,
    parse_pattern,
    resolve,
    text_of,
)

#: Condition keys of S3, behind `s3:`, in lower case (Service Authorization Reference). Of AWS's global keys, which
#: start with `aws:`, any is accepted.
KEYS = names("""
    accessgrantsinstancearn accesspointnetworkorigin authtype dataaccesspointaccount
    dataaccesspointarn delimiter destinationregion existingjoboperation existingjobpriority if-match if-none-match
    inventoryaccessibleoptionalfields isreplicationpauserequest jobsuspendedcause locationconstraint max-keys
    object-lock-legal-hold object-lock-mode object-lock-remaining-retention-days object-lock-retain-until-date
    objectcreationoperation prefix requestjoboperation requestjobpriority requestobjecttagkeys resourceaccount
    signatureage signatureversion tlsversion versionid x-amz-acl x-amz-content-sha256 x-amz-copy-source
    x-amz-grant-full-control x-amz-grant-read x-amz-grant-read-acp x-amz-grant-write x-amz-grant-write-acp
    x-amz-metadata-directive x-amz-object-ownership x-amz-server-side-encryption
    x-amz-server-side-encryption-aws-kms-key-id x-amz-server-side-encryption-customer-algorithm x-amz-storage-class
    x-amz-website-redirect-location
""")
#: Keys that end in the name of a tag.
KEY_FAMILIES = ("s3:accesspointtag/", "s3:buckettag/", "s3:existingobjecttag/", "s3:requestobjecttag/")

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?\Z", re.ASCII)
_OPERATOR = re.compile(r"(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?\Z", re.ASCII)
_ARN_PARTS = 6


@dataclass(frozen=True)
class Kind:
    """What operators of one kind do.

    Args:
        read: makes of a value in the policy what `holds` compares with, or None if it is no such value; if there is
            no `read`, values are patterns, where variables are replaced.
        holds: whether a value of the request agrees with it.
    """

    read: Callable[[str], Any] | None
    holds: Callable[[str, Any], bool]


# Numbers, dates, booleans and addresses


def number(text: str) -> Decimal | None:
    """A decimal number; None for anything else."""
    return Decimal(text) if _NUMBER.match(text) else None


def moment(text: str) -> Decimal | None:
    """Seconds since the epoch of an ISO 8601 time, or of such a number itself; None for anything else."""
    if _NUMBER.match(text):
        return Decimal(text)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Decimal(str((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()))


def boolean(text: str) -> bool | None:
    """True or false, in any case; None for anything else."""
    return {"true": True, "false": False}.get(text.lower())


def network(text: str) -> IPv4Network | IPv6Network | None:
    """An address, or a range of them in CIDR notation; None for anything else."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _in_network(text: str, wanted: IPv4Network | IPv6Network) -> bool:
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address) in wanted


def _compared(read: Callable[[str], Any], agrees: Callable[[Any, Any], bool]) -> Kind:
    def holds(text: str, wanted: Any) -> bool:
        found = read(text)
        return found is not None and agrees(found, wanted)

    return Kind(read, holds)


# Text


def _arn_like(text: str, wanted: Plain) -> bool:
    """Each part of an ARN by itself: a wildcard does not reach over a colon, but for the last part."""
    parts: list[list[str | Wild]] = [[]]
    for token in wanted:
        if isinstance(token, Wild):
            parts[-1].append(token)
            continue
        head, *tail = token.split(":", _ARN_PARTS - len(parts))
        parts[-1].append(head)
        parts += [[piece] for piece in tail]
    found = text.split(":", _ARN_PARTS - 1)
    return len(parts) == len(found) == _ARN_PARTS and all(
        matches(tuple(part), piece) for part, piece in zip(parts, found, strict=True)
    )


_EQUALS = Kind(None, lambda text, wanted: text == text_of(wanted))
_EQUALS_IGNORING_CASE = Kind(None, lambda text, wanted: text.casefold() == text_of(wanted).casefold())
_LIKE = Kind(None, lambda text, wanted: matches(wanted, text))
_ARN = Kind(None, _arn_like)
_ADDRESS = Kind(network, _in_network)
_BOOL = _compared(boolean, operator.eq)
#: Name -> kind, and whether it asks for the opposite.
OPERATORS: dict[str, tuple[Kind, bool]] = {
    "ArnEquals": (_ARN, False),
    "ArnLike": (_ARN, False),
    "ArnNotEquals": (_ARN, True),
    "ArnNotLike": (_ARN, True),
    "Bool": (_BOOL, False),
    "IpAddress": (_ADDRESS, False),
    "NotIpAddress": (_ADDRESS, True),
    "Null": (_BOOL, False),
    "StringEquals": (_EQUALS, False),
    "StringEqualsIgnoreCase": (_EQUALS_IGNORING_CASE, False),
    "StringLike": (_LIKE, False),
    "StringNotEquals": (_EQUALS, True),
    "StringNotEqualsIgnoreCase": (_EQUALS_IGNORING_CASE, True),
    "StringNotLike": (_LIKE, True),
}
for _prefix, _read in (("Date", moment), ("Numeric", number)):
    OPERATORS[f"{_prefix}Equals"] = (_compared(_read, operator.eq), False)
    OPERATORS[f"{_prefix}NotEquals"] = (_compared(_read, operator.eq), True)
    OPERATORS[f"{_prefix}LessThan"] = (_compared(_read, operator.lt), False)
    OPERATORS[f"{_prefix}LessThanEquals"] = (_compared(_read, operator.le), False)
    OPERATORS[f"{_prefix}GreaterThan"] = (_compared(_read, operator.gt), False)
    OPERATORS[f"{_prefix}GreaterThanEquals"] = (_compared(_read, operator.ge), False)


@dataclass(frozen=True)
class Condition:
    """One operator on one key.

    Args:
        operator: a name in `OPERATORS`.
        key: in lower case.
        values: as written; any one of them is enough.
        wanted: the values as the operator compares them.
        quantifier: ForAllValues, ForAnyValue or empty.
        if_exists: a request without the key satisfies it.
    """

    operator: str
    key: str
    values: tuple[str, ...]
    wanted: tuple[Any, ...]
    quantifier: str = ""
    if_exists: bool = False

    def holds(self, context: Context) -> bool:
        """Whether a request satisfies it."""
        found = context.get(self.key, ())
        actual = (found,) if isinstance(found, str) else found
        kind, negated = OPERATORS[self.operator]
        if self.operator == "Null":
            return (not actual) in self.wanted
        if not actual:
            return self.if_exists or (self.quantifier == "ForAllValues" or (negated and not self.quantifier))
        wanted: list[Any] = list(self.wanted)
        if kind.read is None:
            wanted = [resolve(pattern, context) for pattern in self.wanted]
            if negated and None in wanted:
                return False  # a variable without a value makes the statement void, never wider
            wanted = [plain for plain in wanted if plain is not None]
        agree = (any(kind.holds(text, value) for value in wanted) != negated for text in actual)
        every = self.quantifier == "ForAllValues" or (negated and not self.quantifier)
        return all(agree) if every else any(agree)


def parse_conditions(value: object, *, variables: bool) -> tuple[Condition, ...]:
    """Read the value of Condition: operators, each an object of keys with one value or a list.

    Raises:
        S3Error: MalformedPolicy.
    """
    if not isinstance(value, dict):
        raise malformed("Condition must be an object of operators")
    conditions = []
    for name, keys in value.items():
        parts = _OPERATOR.match(name)
        known = parts is not None and parts[2] in OPERATORS and not (parts[2] == "Null" and parts[3])
        if parts is None or not known:
            raise malformed(f"Invalid Condition type : {name}")
        if not isinstance(keys, dict) or not keys:
            raise malformed(f"Condition {name} must be an object of condition keys")
        for key, values in keys.items():
            _check_key(key.lower())
            written = _written(values)
            wanted = tuple(_wanted(parts[2], text, variables=variables) for text in written)
            conditions.append(Condition(parts[2], key.lower(), written, wanted, parts[1] or "", bool(parts[3])))
    return tuple(conditions)


def _check_key(key: str) -> None:
    if key.startswith("aws:") and key != "aws:":
        return
    family = any(key.startswith(prefix) and key != prefix for prefix in KEY_FAMILIES)
    if not family and not (key.startswith("s3:") and key[3:] in KEYS):
        raise malformed("Policy has an invalid condition key")


def _written(values: object) -> tuple[str, ...]:
    """The values as text; numbers and booleans need no quotes in a policy."""
    listed = values if isinstance(values, list) else [values]
    if not listed or not all(isinstance(value, str | bool | int | float) for value in listed):
        raise malformed("A condition key needs a value, or a list of them")
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in listed)


def _wanted(name: str, text: str, *, variables: bool) -> Any:
    kind, _ = OPERATORS[name]
    if kind.read is None:
        return parse_pattern(text, variables=variables)
    wanted = kind.read(text)
    if wanted is None and kind is _ADDRESS:
        raise malformed("Invalid IP address in Conditions")
    if wanted is None:
        raise malformed(f"Invalid value in Conditions for {name}: {text}")
    return wanted
