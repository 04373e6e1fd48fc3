"""Static websites: which configurations are valid, and what the website endpoint answers instead of an object.

Configurations are dictionaries by model name: `{"IndexDocument": {"Suffix": "index.html"}, ...}`. The endpoint
asks `redirect_before`, then reads `index_key`, then on a miss asks `redirect_after` and `error_key`.
Sources: Amazon S3 User Guide, "Hosting a static website using Amazon S3"; catalogue WEB.
"""

from __future__ import annotations

import html
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reference_server.errors import REASONS, S3Error, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_RULES = 50
_MAX_LOCATION = 2048
_PROTOCOLS = ("http", "https")
_REDIRECT_CODES = frozenset({301, 302, 303, 304, 305, 307, 308})
_ERROR_CODES = frozenset({*range(400, 418), *range(500, 506)})
#: What a key may keep in a URL: everything that RFC 3986 allows in a path.
_PATH_SAFE = "/~!$&'()*+,;=:@"
#: What the owner of a bucket may put into a Location: all but spaces and what a header cannot carry.
_OWNER_SAFE = string.punctuation


@dataclass(frozen=True)
class Visit:
    """A request to the website endpoint: scheme, Host header, decoded key, raw query without its `?`."""

    scheme: str
    host: str
    key: str
    query: str = ""


@dataclass(frozen=True)
class Redirect:
    """An answer without a body: status and the value of Location."""

    status: int
    location: str


# Documents


def check(configuration: Mapping[str, Any]) -> None:
    """Refuse a document that PutBucketWebsite refuses (catalogue WEB-002).

    Raises:
        S3Error: InvalidArgument without a usable index document, MalformedXML or InvalidRequest for other faults.
    """
    if "RedirectAllRequestsTo" in configuration:
        if len(configuration) > 1:
            message = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules."
            raise invalid_argument("RedirectAllRequestsTo", "not null", message)
        if not configuration["RedirectAllRequestsTo"].get("HostName"):
            raise S3Error("MalformedXML")
        _check_protocol(configuration["RedirectAllRequestsTo"])
        return
    if "IndexDocument" not in configuration:
        message = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty"
        raise invalid_argument("IndexDocument", "null", message)
    suffix = configuration["IndexDocument"].get("Suffix") or ""
    if not suffix or "/" in suffix:
        raise invalid_argument("IndexDocument", suffix, "The IndexDocument Suffix is not well formed")
    if "ErrorDocument" in configuration and not configuration["ErrorDocument"].get("Key"):
        raise invalid_argument("ErrorDocument", "", "The ErrorDocument Key is not well formed")
    if "RoutingRules" in configuration:
        _check_rules(configuration["RoutingRules"])


def check_location(location: str) -> None:
    """Refuse a value that x-amz-website-redirect-location cannot have.

    Raises:
        S3Error: InvalidRedirectLocation.
    """
    if not location.startswith(("/", "http://", "https://")):
        message = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."
        raise S3Error("InvalidRedirectLocation", message)
    if len(location) > _MAX_LOCATION:
        message = f"The length of website redirect location cannot exceed {_MAX_LOCATION:,} characters."
        raise S3Error("InvalidRedirectLocation", message)


def _check_rules(rules: list[Mapping[str, Any]]) -> None:
    if not rules:
        raise S3Error("MalformedXML")
    if len(rules) > _MAX_RULES:
        message = f"{len(rules)} routing rules provided, the number of routing rules in a website configuration is"
        raise S3Error("InvalidRequest", f"{message} limited to {_MAX_RULES}.")
    for rule in rules:
        redirect, condition = rule.get("Redirect"), rule.get("Condition")
        if not redirect:
            raise S3Error("MalformedXML")
        _check_protocol(redirect)
        if "ReplaceKeyPrefixWith" in redirect and "ReplaceKeyWith" in redirect:
            raise S3Error("InvalidRequest", "You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
        _check_code(redirect.get("HttpRedirectCode"), _REDIRECT_CODES, "redirect", "3XX except 300")
        if condition is None:
            continue
        if not condition:
            message = "Condition cannot be empty. To redirect all requests without a condition, the condition element"
            raise S3Error("InvalidRequest", f"{message} shouldn't be present.")
        _check_code(condition.get("HttpErrorCodeReturnedEquals"), _ERROR_CODES, "error", "4XX or 5XX")


def _check_protocol(target: Mapping[str, Any]) -> None:
    if "Protocol" in target and target["Protocol"] not in _PROTOCOLS:
        message = "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected"
        raise S3Error("InvalidRequest", f"{message} automatically.")


def _check_code(text: str | None, valid: frozenset[int], kind: str, described: str) -> None:
    if text is None:
        return
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise S3Error("MalformedXML")
    if int(text) not in valid:
        message = f"The provided HTTP {kind} code ({text}) is not valid. Valid codes are {described}."
        raise S3Error("InvalidRequest", message)


# Decisions


def redirect_before(configuration: Mapping[str, Any], visit: Visit) -> Redirect | None:
    """Where to send a visit before any object is read (catalogue WEB-007).

    Rules that wait for an error are left to `redirect_after`.
    """
    everything = configuration.get("RedirectAllRequestsTo")
    if everything:
        return Redirect(301, _location(everything, visit, _path(visit.key)))
    for rule in configuration.get("RoutingRules", ()):
        condition = rule.get("Condition") or {}
        if "HttpErrorCodeReturnedEquals" not in condition and _has_prefix(condition, visit):
            return _routed(rule, visit)
    return None


def redirect_after(configuration: Mapping[str, Any], visit: Visit, status: int) -> Redirect | None:
    """Where to send a visit whose object could not be read with that status (catalogue WEB-007)."""
    for rule in configuration.get("RoutingRules", ()):
        condition = rule.get("Condition") or {}
        if int(condition.get("HttpErrorCodeReturnedEquals", 0)) == status and _has_prefix(condition, visit):
            return _routed(rule, visit)
    return None


def index_key(configuration: Mapping[str, Any], key: str) -> str:
    """The object to read: in a directory, or at the root, its index document."""
    return key + str(configuration["IndexDocument"]["Suffix"]) if not key or key.endswith("/") else key


def directory_index(configuration: Mapping[str, Any], key: str) -> str | None:
    """The object whose presence makes a missing key a directory; None if the key cannot be one."""
    return None if not key or key.endswith("/") else index_key(configuration, f"{key}/")


def to_directory(key: str) -> Redirect:
    """The answer to a directory named without its slash (catalogue WEB-003)."""
    path = _path(key)
    # "//name/" would lead to another host.
    return Redirect(302, f"/%2F{path[1:]}/" if path.startswith("/") else f"/{path}/")


def to_location(location: str) -> Redirect:
    """The answer of an object with x-amz-website-redirect-location (catalogue WEB-006)."""
    return Redirect(301, _owned(location))


def error_key(configuration: Mapping[str, Any], status: int) -> str | None:
    """The object to answer with instead of an error; a method that is not allowed has none (catalogue WEB-004)."""
    document = configuration.get("ErrorDocument")
    return str(document["Key"]) if document and 400 <= status < 500 and status != 405 else None


def error_page(error: S3Error, request_id: str, host_id: str, nested: S3Error | None = None) -> bytes:
    """The HTML body of an error (catalogue WEB-004, WEB-005). Key names are hostile: all text is escaped.

    Args:
        error: what happened; its elements are listed.
        request_id: of the answer.
        host_id: of the answer.
        nested: why the error document could not be read.
    """
    title = f"{error.status} {REASONS.get(error.status, '')}".rstrip()
    facts = [*_facts(error), ("RequestId", request_id), ("HostId", host_id)]
    extra = ""
    if nested is not None:
        heading = "An Error Occurred While Attempting to Retrieve a Custom Error Document"
        extra = f"<h3>{heading}</h3>\n{_listed(_facts(nested))}"
    page = (
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n"
        f"{_listed(facts)}{extra}<hr/>\n</body>\n</html>\n"
    )
    return page.encode(errors="replace")


def _facts(error: S3Error) -> list[tuple[str, object]]:
    return [("Code", error.code), ("Message", error.message), *error.elements.items()]


def _listed(facts: list[tuple[str, object]]) -> str:
    items = "".join(f"<li>{html.escape(name)}: {html.escape(str(value))}</li>\n" for name, value in facts)
    return f"<ul>\n{items}</ul>\n"


def _has_prefix(condition: Mapping[str, Any], visit: Visit) -> bool:
    return visit.key.startswith(condition.get("KeyPrefixEquals", ""))


def _routed(rule: Mapping[str, Any], visit: Visit) -> Redirect:
    redirect = rule["Redirect"]
    if "ReplaceKeyWith" in redirect:
        path = _owned(redirect["ReplaceKeyWith"])
    elif "ReplaceKeyPrefixWith" in redirect:
        prefix = (rule.get("Condition") or {}).get("KeyPrefixEquals", "")
        path = _owned(redirect["ReplaceKeyPrefixWith"]) + _path(visit.key.removeprefix(prefix))
    else:
        path = _path(visit.key)
    return Redirect(int(redirect.get("HttpRedirectCode", 301)), _location(redirect, visit, path))


def _location(target: Mapping[str, Any], visit: Visit, path: str) -> str:
    scheme, host = target.get("Protocol", visit.scheme), target.get("HostName", visit.host)
    query = f"?{_owned(visit.query)}" if visit.query else ""
    return f"{scheme}://{_owned(host)}/{path}{query}"


def _path(key: str) -> str:
    return quote(key, safe=_PATH_SAFE, errors="replace")


def _owned(text: str) -> str:
    return quote(text, safe=_OWNER_SAFE, errors="replace")
