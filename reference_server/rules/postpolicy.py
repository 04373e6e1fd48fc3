"""Browser form uploads (POST Object): the policy document, the fields it covers, and where success leads.

Sources: Amazon S3 API Reference, "POST Object" and "POST policy"; catalogue POST.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from reference_server.errors import S3Error, invalid_argument
from reference_server.rules.lock import parse_time
from reference_server.sigv4 import ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILENAME = "${filename}"
_SIZE = re.compile(r"[0-9]{1,18}")
_RANGE = "content-length-range"
#: Fields that need no condition, as they carry the policy itself or come after it.
_EXEMPT = frozenset({"awsaccesskeyid", "file", "policy", "signature", "x-amz-signature"})
_SIGV2_FIELDS = {"signature": "Signature", "awsaccesskeyid": "AWSAccessKeyId"}
_SIGV4_FIELDS = {
    "x-amz-signature": "X-Amz-Signature",
    "x-amz-algorithm": "X-Amz-Algorithm",
    "x-amz-credential": "X-Amz-Credential",
    "x-amz-date": "X-Amz-Date",
}


@dataclass(frozen=True)
class Condition:
    """One condition: operator, field in lower case (None if it names none), operand, its text for messages."""

    operator: str
    field: str | None
    operand: str
    text: str

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether the fields meet it; an absent field meets none, not even an empty prefix."""
        value = None if self.field is None else fields.get(self.field)
        if value is None:
            return False
        if self.operator == "eq":
            return value == self.operand
        # A content type may be a list, each of whose types must have the prefix.
        listed = self.field == "content-type" and "," in value
        values = [item.strip() for item in value.split(",")] if listed else [value]
        return all(item.startswith(self.operand) for item in values)


@dataclass(frozen=True)
class PostPolicy:
    """A policy: until when it holds (seconds), what fields must be, how long the file may be."""

    expiration: int
    conditions: tuple[Condition, ...]
    length_range: tuple[int, int] | None

    def check(self, fields: Mapping[str, str], now: float) -> None:
        """Refuse a form that the policy does not allow (catalogue POST-005, POST-008, POST-011).

        Args:
            fields: values by field name in lower case, with `bucket` from the request and `key` as the
                object will be named.
            now: the time of the request.

        Raises:
            S3Error: AccessDenied naming what failed.
        """
        if now >= self.expiration:
            raise _denied("Policy expired.")
        for condition in self.conditions:
            if not condition.holds(fields):
                raise _denied(f"Policy Condition failed: {condition.text}")
        covered = {condition.field for condition in self.conditions} | _EXEMPT
        extra = [name for name in fields if name not in covered and not name.startswith("x-ignore-")]
        if extra:
            raise _denied(f"Extra input fields: {', '.join(extra)}")

    def check_length(self, size: int) -> None:
        """Refuse a file of a size that the policy does not allow (catalogue POST-009).

        Raises:
            S3Error: EntityTooLarge or EntityTooSmall.
        """
        if self.length_range is None:
            return
        least, most = self.length_range
        if size > most:
            raise S3Error("EntityTooLarge", None, {"ProposedSize": size, "MaxSizeAllowed": most})
        if size < least:
            raise S3Error("EntityTooSmall", None, {"ProposedSize": size, "MinSizeAllowed": least})


def parse(policy_base64: str) -> PostPolicy:
    """Read the policy field.

    Raises:
        S3Error: InvalidPolicyDocument (catalogue POST-010).
    """
    document = _document(policy_base64)
    if "expiration" not in document:
        raise _invalid("Policy missing expiration.")
    if "conditions" not in document:
        raise _invalid("Policy missing conditions.")
    expiration = document["expiration"]
    seconds = parse_time(expiration) if isinstance(expiration, str) else None
    if seconds is None:
        raise _invalid(f"Invalid 'expiration' value: '{expiration}'")
    if not isinstance(document["conditions"], list):
        raise _invalid("Invalid 'conditions' value: must be a List.")
    conditions: list[Condition] = []
    ranges: list[tuple[int, int]] = []
    for raw in document["conditions"]:
        sizes = _sizes(raw)
        if sizes is None:
            conditions.append(_condition(raw))
        else:
            ranges.append(sizes)
    length_range = (max(least for least, _ in ranges), min(most for _, most in ranges)) if ranges else None
    return PostPolicy(seconds, tuple(conditions), length_range)


def _document(policy_base64: str) -> dict[str, Any]:
    if not policy_base64.strip():
        raise _invalid("Expecting '{' but found End-of-Input")
    try:
        raw = base64.b64decode(policy_base64.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("invalid Base64 encoding.") from None
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    return document


def _sizes(raw: object) -> tuple[int, int] | None:
    """Both ends of a content-length-range, numbers or digits; None for any other condition."""
    if not isinstance(raw, list) or len(raw) != 3 or raw[0] != _RANGE:
        return None
    ends = [str(end) for end in raw[1:]]
    return (int(ends[0]), int(ends[1])) if all(_SIZE.fullmatch(end) for end in ends) else None


def _condition(raw: object) -> Condition:
    if isinstance(raw, dict):
        return _simple_condition(raw)
    if not isinstance(raw, list):
        raise _invalid("Invalid condition test: must be a List or Object.")
    if not raw:
        raise _invalid("Invalid Condition: missing operation identifier.")
    operator = raw[0]
    if operator not in ("eq", "starts-with", _RANGE):
        raise _invalid(f"Invalid Condition: unknown operation '{operator}'.")
    if len(raw) != 3:
        raise _invalid(f"Invalid {operator}: wrong number of arguments.")
    _, field, operand = raw
    if operator == _RANGE:
        # Ends that are no numbers: AWS takes the document and then fails the condition.
        return Condition(operator, None, "", _json(raw))
    if not isinstance(field, str) or isinstance(operand, bool) or not isinstance(operand, str | int):
        raise _invalid("Invalid JSON.")
    # Without "$" nothing is named, so that the condition can only fail.
    name = field[1:].lower() if field.startswith("$") else None
    return Condition(operator, name, str(operand), _json(raw))


def _simple_condition(raw: dict[str, Any]) -> Condition:
    """`{"acl": "private"}`, short for `["eq", "$acl", "private"]`."""
    if len(raw) != 1:
        raise _invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
    [(name, value)] = raw.items()
    if not isinstance(value, str):
        raise _invalid("Invalid Simple-Condition: value must be a string.")
    return Condition("eq", name.lower(), value, _json(["eq", f"${name}", value]))


def check_fields(fields: Mapping[str, str]) -> str | None:
    """Which signature a form has, by the fields it must then have (catalogue POST-007).

    Args:
        fields: values by field name in lower case.

    Returns:
        "v2", "v4", or None for a form without policy and signature, which only a public bucket takes.

    Raises:
        S3Error: InvalidArgument naming the missing field or an unknown algorithm, AccessDenied for a policy
            without any signature field.
    """
    if not fields.get("key"):
        raise _missing("key")
    for version, names in (("v4", _SIGV4_FIELDS), ("v2", _SIGV2_FIELDS)):
        if any(name in fields for name in names):
            for name, title in {"policy": "Policy", **names}.items():
                if name not in fields:
                    raise _missing(title)
            algorithm = fields.get("x-amz-algorithm", ALGORITHM)
            if algorithm != ALGORITHM:
                raise invalid_argument("X-Amz-Algorithm", algorithm, f"X-Amz-Algorithm only supports {ALGORITHM}")
            return version
    if "policy" in fields:
        raise S3Error("AccessDenied")
    return None


def _missing(title: str) -> S3Error:
    message = f"Bucket POST must contain a field named '{title}'.  If it is specified, please check the order of the"
    return invalid_argument(title, "", f"{message} fields.")


def substitute_filename(value: str, filename: str | None) -> str:
    """The value of a field with the name of the uploaded file in it, without any folders (catalogue POST-004).

    Args:
        value: as sent.
        filename: None for a file without any name, where the variable stays as it is.
    """
    if filename is None:
        return value
    return value.replace(_FILENAME, re.split(r"[/\\]", filename)[-1])


def redirect_location(url: str, bucket: str, key: str, etag: str) -> str | None:
    """The URL of success_action_redirect with the object in its query; None for what is no URL (catalogue POST-003).

    Args:
        url: the field, as sent.
        bucket: of the object.
        key: of the object.
        etag: of the object, with its quotation marks.
    """
    if any(character <= " " or character == "\x7f" for character in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    added = urlencode({"bucket": bucket, "key": key, "etag": etag}, quote_via=quote, errors="replace")
    query = f"{parts.query}&{added}" if parts.query else added
    return quote(parts._replace(query=query).geturl(), safe=string.punctuation, errors="replace")


def _denied(reason: str) -> S3Error:
    return S3Error("AccessDenied", _safe(f"Invalid according to Policy: {reason}"))


def _invalid(reason: str) -> S3Error:
    return S3Error("InvalidPolicyDocument", _safe(f"Invalid Policy: {reason}"))


def _json(raw: list[Any]) -> str:
    return json.dumps(raw, ensure_ascii=False)


def _safe(text: str) -> str:
    """Text without the lone surrogates that JSON can name and no document can carry."""
    return text.encode(errors="replace").decode()
