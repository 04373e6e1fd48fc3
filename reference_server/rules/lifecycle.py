"""Lifecycle rules of a bucket: which documents are valid, and when an object will expire.

Configurations are dictionaries by model name: `{"Rules": [{"ID": ..., "Status": "Enabled", ...}]}`.
Sources: Amazon S3 API Reference, "PutBucketLifecycleConfiguration"; User Guide, "Lifecycle configuration
elements"; catalogue LC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reference_server.codec import http_time
from reference_server.errors import S3Error, invalid_argument
from reference_server.rules.lock import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_MAX_RULES = 1000
_MAX_ID = 255
_MAX_FILTER_SIZE = 1099511627776000
_DAY = 86400
_ACTIONS = (
    "Expiration",
    "Transitions",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransitions",
    "AbortIncompleteMultipartUpload",
)
_CLASSES = ("STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE")
_SLOW_CLASSES = {"STANDARD_IA": 30, "ONEZONE_IA": 30}
_MINIMUM_SIZES = ("all_storage_classes_128K", "varies_by_storage_class")
# Printable ASCII but for the quotation mark that ends the value: recorded ids come back as they are.
_PLAIN_ID = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != '"')


def check(configuration: Mapping[str, Any]) -> None:
    """Refuse a document that PutBucketLifecycleConfiguration refuses (catalogue LC-002, LC-003).

    Raises:
        S3Error: MalformedXML where the schema is not met, InvalidArgument for a value out of range,
            InvalidRequest for values that exclude each other.
    """
    rules = configuration.get("Rules") or []
    if not rules or len(rules) > _MAX_RULES:
        raise S3Error("MalformedXML")
    _check_ids(rule["ID"] for rule in rules if rule.get("ID"))
    for rule in rules:
        if rule.get("Status") not in ("Enabled", "Disabled") or ("Filter" in rule) == ("Prefix" in rule):
            raise S3Error("MalformedXML")
        _check_filter(rule.get("Filter") or {})
        _check_actions(rule)
    _check_forms(rules)


def default_minimum_size(text: str | None) -> str:
    """The value of x-amz-transition-default-minimum-object-size (catalogue LC-005).

    Raises:
        S3Error: InvalidRequest.
    """
    if text is None:
        return _MINIMUM_SIZES[0]
    if text not in _MINIMUM_SIZES:
        raise S3Error("InvalidRequest", f"Invalid TransitionDefaultMinimumObjectSize found: {text}")
    return text


def with_ids(configuration: Mapping[str, Any], new_id: Callable[[], str]) -> dict[str, Any]:
    """The configuration to store: a rule sent without an ID has a new one."""
    rules = [rule if rule.get("ID") else {**rule, "ID": new_id()} for rule in configuration["Rules"]]
    return {**configuration, "Rules": rules}


def expiration_header(
    configuration: Mapping[str, Any] | None,
    key: str,
    size: int,
    tags: Sequence[Mapping[str, str]],
    modified_seconds: int,
) -> str | None:
    """The value of x-amz-expiration for a current version; None if no rule will expire it (catalogue LC-004).

    Where several rules apply, the earliest date counts, then the order of the document.

    Args:
        configuration: of the bucket, with ids; None if it has none.
        key: of the object.
        size: of the object, in bytes.
        tags: its tag set.
        modified_seconds: when it was written, from which days are counted.
    """
    due = [
        (_expiry(rule["Expiration"], modified_seconds), rule["ID"])
        for rule in (configuration or {}).get("Rules", ())
        if rule["Status"] == "Enabled" and _expires(rule) and _applies(rule, key, size, tags)
    ]
    if not due:
        return None
    date, rule_id = min(due, key=lambda item: item[0])
    return f'expiry-date="{http_time(date)}", rule-id="{quote(rule_id, safe=_PLAIN_ID)}"'


def _expires(rule: Mapping[str, Any]) -> bool:
    """Whether the rule expires current versions: not if it only removes lone delete markers."""
    expiration = rule.get("Expiration") or {}
    return "Days" in expiration or "Date" in expiration


def _expiry(expiration: Mapping[str, Any], modified: int) -> int:
    """The date, or the first midnight after the days have passed."""
    if "Date" in expiration:
        return parse_time(expiration["Date"]) or 0
    return (modified // _DAY + int(expiration["Days"]) + 1) * _DAY


def _applies(rule: Mapping[str, Any], key: str, size: int, tags: Sequence[Mapping[str, str]]) -> bool:
    """Whether every predicate of the rule holds; a filter without predicates holds for every object."""
    present = {tag["Key"]: tag["Value"] for tag in tags}
    for name, value in _predicates(rule.get("Filter") or {"Prefix": rule.get("Prefix", "")}):
        if name == "Prefix":
            holds = key.startswith(value)
        elif name == "Tag":
            holds = present.get(value["Key"]) == value["Value"]
        else:
            holds = size > value if name == "ObjectSizeGreaterThan" else size < value
        if not holds:
            return False
    return True


def _predicates(chosen: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Name and value of each predicate of a filter or of the And in it."""
    members = chosen.get("And", chosen)
    found = [(name, value) for name, value in members.items() if name != "Tags"]
    return found + [("Tag", tag) for tag in members.get("Tags", ())]


# Checks of a document


def _check_ids(ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for rule_id in ids:
        if len(rule_id) > _MAX_ID:
            raise invalid_argument("ID", rule_id, f"ID length should not exceed allowed limit of {_MAX_ID}")
        if rule_id in seen:
            raise invalid_argument("ID", rule_id, "Rule ID must be unique. Found same ID for more than one rule")
        seen.add(rule_id)


def _check_forms(rules: Sequence[Mapping[str, Any]]) -> None:
    """The form of the first rule, prefix or filter, binds all."""
    old = "Prefix" in rules[0]
    if old and any("Filter" in rule for rule in rules):
        raise S3Error("InvalidRequest", "Filter element can only be used in Lifecycle V2.")
    if not old and any("Prefix" in rule for rule in rules):
        message = "Base level prefix cannot be used in Lifecycle V2, prefixes are only supported in the Filter."
        raise S3Error("InvalidRequest", message)
    if old and any("NewerNoncurrentVersions" in (rule.get("NoncurrentVersionExpiration") or {}) for rule in rules):
        raise S3Error("InvalidRequest", "NewerNoncurrentVersions element can only be used in Lifecycle V2.")


def _check_filter(chosen: Mapping[str, Any]) -> None:
    predicates = _predicates(chosen)
    if len(chosen) > 1 or ("And" in chosen and len(predicates) < 2):
        raise S3Error("MalformedXML")
    keys = [value["Key"] for name, value in predicates if name == "Tag"]
    if len(keys) != len(set(keys)):
        raise S3Error("InvalidRequest", "Duplicate Tag Keys are not allowed.")
    sizes = {name: value for name, value in predicates if name.startswith("ObjectSize")}
    for name, least in (("ObjectSizeGreaterThan", 0), ("ObjectSizeLessThan", 1)):
        if not least <= sizes.get(name, least) <= _MAX_FILTER_SIZE:
            raise S3Error("InvalidRequest", f"'{name}' should be between {least} and {_MAX_FILTER_SIZE}.")
    if len(sizes) == 2 and sizes["ObjectSizeLessThan"] <= sizes["ObjectSizeGreaterThan"]:
        message = "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."
        raise S3Error("InvalidRequest", message)


def _check_actions(rule: Mapping[str, Any]) -> None:
    if not any(action in rule for action in _ACTIONS):
        raise S3Error("InvalidRequest", "At least one action needs to be specified in a rule")
    if "Expiration" in rule:
        _check_expiration(rule["Expiration"])
    if "NoncurrentVersionExpiration" in rule:
        noncurrent = rule["NoncurrentVersionExpiration"]
        _check_days(noncurrent, "NoncurrentDays", "NoncurrentVersionExpiration")
        if "NewerNoncurrentVersions" in noncurrent:
            _check_days(noncurrent, "NewerNoncurrentVersions", "NoncurrentVersionExpiration")
    if "AbortIncompleteMultipartUpload" in rule:
        abort = rule["AbortIncompleteMultipartUpload"]
        _check_days(abort, "DaysAfterInitiation", "AbortIncompleteMultipartUpload")
    _check_unfiltered(rule)
    _check_transitions(rule)


def _check_expiration(expiration: Mapping[str, Any]) -> None:
    if len(expiration) != 1:
        raise S3Error("MalformedXML")
    if "Days" in expiration:
        _check_days(expiration, "Days", "Expiration")
    if "Date" in expiration:
        _check_date(expiration["Date"])


def _check_days(action: Mapping[str, Any], name: str, title: str) -> None:
    if name not in action:
        raise S3Error("MalformedXML")
    if action[name] < 1:
        raise invalid_argument(name, str(action[name]), f"'{name}' for {title} action must be a positive integer")


def _check_date(text: str) -> None:
    date = parse_time(text)
    if date is None:
        raise S3Error("MalformedXML")
    if date % _DAY:
        raise invalid_argument("Date", text, "'Date' must be at midnight GMT")


def _check_unfiltered(rule: Mapping[str, Any]) -> None:
    """Two actions look at no objects, so that their rule may not filter by tag or size."""
    names = {name for name, _ in _predicates(rule.get("Filter") or {})}
    for action in ("AbortIncompleteMultipartUpload", "ExpiredObjectDeleteMarker"):
        if action in rule or action in rule.get("Expiration", {}):
            if "Tag" in names:
                raise S3Error("InvalidRequest", f"{action} cannot be specified with Tags.")
            if names & {"ObjectSizeGreaterThan", "ObjectSizeLessThan"}:
                raise S3Error("InvalidRequest", f"{action} cannot be specified with Object Size.")


def _check_transitions(rule: Mapping[str, Any]) -> None:
    transitions = rule.get("Transitions", ())
    for title, actions, units in (
        ("Transition", transitions, ("Days", "Date")),
        ("NoncurrentVersionTransition", rule.get("NoncurrentVersionTransitions", ()), ("NoncurrentDays",)),
    ):
        for action in actions:
            _check_transition(action, title, units)
        classes = [action["StorageClass"] for action in actions]
        if len(classes) != len(set(classes)):
            message = f"'StorageClass' must be different for '{title}' actions in same 'Rule'"
            raise S3Error("InvalidRequest", f"{message} with {_described(rule)}")
    expiration = rule.get("Expiration") or {}
    timed = [action for action in (expiration, *transitions) if "Days" in action or "Date" in action]
    if len({"Days" in action for action in timed}) > 1:
        message = "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for"
        raise S3Error("InvalidRequest", f"{message} {_described(rule)}")
    latest = max((action["Days"] for action in transitions if "Days" in action), default=-1)
    if "Days" in expiration and expiration["Days"] <= latest:
        message = (
            f"'Days' in the Expiration action for {_described(rule)} must be greater than 'Days' in the Transition"
        )
        raise invalid_argument("Days", str(expiration["Days"]), f"{message} action")


def _check_transition(action: Mapping[str, Any], title: str, units: tuple[str, ...]) -> None:
    given = [unit for unit in units if unit in action]
    if len(given) != 1 or action.get("StorageClass") not in _CLASSES:
        raise S3Error("MalformedXML")
    unit, storage_class = given[0], action["StorageClass"]
    if unit == "Date":
        _check_date(action["Date"])
        return
    least = _SLOW_CLASSES.get(storage_class, 0)
    if action[unit] < least:
        message = f"'{unit}' in {title} action must be greater than or equal to {least} for storageClass"
        raise invalid_argument(unit, str(action[unit]), f"{message} '{storage_class}'")


def _described(rule: Mapping[str, Any]) -> str:
    """The filter of a rule as messages name it."""
    if "Prefix" in rule:
        return f"prefix '{rule['Prefix']}'"
    prefix = next((value for name, value in _predicates(rule["Filter"]) if name == "Prefix"), "")
    return f"filter '(prefix={prefix})'"
