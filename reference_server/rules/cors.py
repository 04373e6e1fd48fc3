"""Cross-origin rules of a bucket: which documents are valid, and which headers a request earns.

Configurations are dictionaries by model name: `{"CORSRules": [{"AllowedMethods": [...], ...}]}`.
Sources: Amazon S3 API Reference, "PutBucketCors" and "OPTIONS object"; catalogue CORS.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Mapping

METHODS = ("GET", "PUT", "HEAD", "POST", "DELETE")
_MAX_RULES = 100
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
_NOT_ENABLED = "CORSResponse: CORS is not enabled for this bucket."
# The misspelling is that of AWS.
_NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "
    "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
    "resource's CORS spec."
)

Headers = list[tuple[str, str]]


def check(configuration: Mapping[str, Any]) -> None:
    """Refuse a document that PutBucketCors refuses (catalogue CORS-009).

    Raises:
        S3Error: MalformedXML for no rules, more than 100, or a rule without origin or method; InvalidRequest
            for an unknown method or a wildcard where none may stand.
    """
    rules = configuration.get("CORSRules") or []
    if not rules or len(rules) > _MAX_RULES:
        raise S3Error("MalformedXML")
    for rule in rules:
        if not rule.get("AllowedMethods") or not rule.get("AllowedOrigins"):
            raise S3Error("MalformedXML")
        for method in rule["AllowedMethods"]:
            if method not in METHODS:
                message = f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                raise S3Error("InvalidRequest", message)
        _check_wildcards(rule)


def _check_wildcards(rule: Mapping[str, Any]) -> None:
    for element, member in (("AllowedOrigin", "AllowedOrigins"), ("AllowedHeader", "AllowedHeaders")):
        for pattern in rule.get(member, ()):
            if pattern.count("*") > 1:
                raise S3Error("InvalidRequest", f'{element} "{pattern}" can not have more than one wildcard.')
    for header in rule.get("ExposeHeaders", ()):
        if "*" in header:
            message = (
                f'ExposeHeader "{header}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
            )
            raise S3Error("InvalidRequest", message)


def preflight(
    configuration: Mapping[str, Any] | None,
    origin: str | None,
    method: str | None,
    headers: str | None,
    resource: str = "OBJECT",
) -> Headers:
    """The headers that answer an OPTIONS request (catalogue CORS-002 to CORS-006, CORS-008).

    Args:
        configuration: of the bucket; None if it has none.
        origin: the Origin header.
        method: Access-Control-Request-Method.
        headers: Access-Control-Request-Headers, as sent.
        resource: what the URL names, OBJECT or BUCKET.

    Raises:
        S3Error: BadRequest without an origin, or with a method or header name that cannot be; AccessForbidden
            if no rule allows the request.
    """
    if not origin:
        raise S3Error("BadRequest", "Insufficient information. Origin request header needed.")
    if configuration is None:
        # BUCKET whatever the URL names: without rules no object is looked at.
        raise S3Error("AccessForbidden", _NOT_ENABLED, {"Method": method or "OPTIONS", "ResourceType": "BUCKET"})
    if method not in METHODS:
        raise S3Error("BadRequest", f"Invalid Access-Control-Request-Method: {method or 'null'}")
    names = _names(headers)
    for name in names:
        if not _TOKEN.fullmatch(name):
            message = f'Access-Control-Request-Headers "{name}" contains invalid character.'
            raise S3Error("BadRequest", message)
    rule = _matching(configuration, origin, method, names)
    if rule is None:
        raise S3Error("AccessForbidden", _NOT_ALLOWED, {"Method": method, "ResourceType": resource})
    return _granted(rule, origin, names)


def actual(
    configuration: Mapping[str, Any] | None, origin: str | None, method: str, headers: str | None = None
) -> Headers:
    """The headers to add to the answer of an actual request: none without a match (catalogue CORS-007, CORS-011).

    Args:
        configuration: of the bucket; None if it has none.
        origin: the Origin header.
        method: Access-Control-Request-Method if the request has that header, else its own method. A recorded
            GET that asked for PUT was answered by the rules for PUT.
        headers: Access-Control-Request-Headers, as sent; other headers of the request are not looked at.
    """
    if not origin or configuration is None:
        return []
    names = _names(headers)
    rule = _matching(configuration, origin, method, names)
    return [] if rule is None else _granted(rule, origin, names)


def _names(headers: str | None) -> list[str]:
    """Requested header names in lower case, as they are answered."""
    return [name.strip().lower() for name in (headers or "").split(",") if name.strip()]


def _matching(configuration: Mapping[str, Any], origin: str, method: str, names: list[str]) -> Mapping[str, Any] | None:
    """The first rule that allows origin, method and every header."""
    rules: list[Mapping[str, Any]] = configuration["CORSRules"]
    return next((rule for rule in rules if _allows(rule, origin, method, names)), None)


def _allows(rule: Mapping[str, Any], origin: str, method: str, names: list[str]) -> bool:
    allowed_headers = [pattern.lower() for pattern in rule.get("AllowedHeaders", ())]
    return (
        method in rule["AllowedMethods"]
        and any(_matches(pattern, origin) for pattern in rule["AllowedOrigins"])
        and all(any(_matches(pattern, name) for pattern in allowed_headers) for name in names)
    )


def _matches(pattern: str, text: str) -> bool:
    """Whether a pattern with at most one `*` covers a text; the star also stands for nothing."""
    head, star, tail = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(head) + len(tail) and text.startswith(head) and text.endswith(tail)


def _granted(rule: Mapping[str, Any], origin: str, names: list[str]) -> Headers:
    anyone = "*" in rule["AllowedOrigins"]
    headers = [
        ("Access-Control-Allow-Origin", "*" if anyone else origin),
        ("Access-Control-Allow-Methods", ", ".join(rule["AllowedMethods"])),
    ]
    if names:
        headers.append(("Access-Control-Allow-Headers", ", ".join(names)))
    if rule.get("ExposeHeaders"):
        headers.append(("Access-Control-Expose-Headers", ", ".join(rule["ExposeHeaders"])))
    if rule.get("MaxAgeSeconds") is not None:
        headers.append(("Access-Control-Max-Age", str(rule["MaxAgeSeconds"])))
    if not anyone:
        headers.append(("Access-Control-Allow-Credentials", "true"))
    headers.append(("Vary", _VARY))
    return headers
