"""Statuses, errors, empty bodies, ranges and request ids: LINT-001 to 005, 028, 030 (of one exchange), 032 and 034."""

from __future__ import annotations

import re

from harness.lint.facts import LATE_ERRORS, NOT_XML, SUCCESSES, codes
from harness.lint.view import View, shown
from harness.wire import model

_EXISTENCE = {
    "HeadBucket": frozenset({200, 301, 307, 400, 403, 404}),
    "HeadObject": frozenset({200, 206, 301, 304, 307, 400, 403, 404, 405, 412, 416}),
}
"""Statuses that say whether it exists, or which condition, range, key or region was wrong. Errors of the server, from
500 on, say nothing and are right for both."""
_NOT_HTTP = frozenset({400, 414, 417, 431, 505})
"""Statuses with which a request is refused that is no HTTP, before anything knows of S3."""
_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})")
_INTEGER = re.compile(r"-?[0-9]{1,19}")


def success_status(view: View) -> None:
    """LINT-001: the status that the model or a record gives."""
    name = view.operation
    if not view.success or not view.trusted or name not in model.operations() or name in _EXISTENCE:
        return
    allowed = SUCCESSES.get(name) or {model.operation(name).http.get("responseCode", 200)}
    if name == "GetObject" and ("range" in view.asked or "partNumber" in view.query):
        allowed = {200, 206}
    if view.status not in allowed:
        view.say("LINT-001", f"{name} was answered {view.status} instead of {' or '.join(map(str, sorted(allowed)))}")


def existence(view: View) -> None:
    """LINT-032: HEAD says that something is there, or that it is not."""
    allowed = _EXISTENCE.get(view.operation)
    if allowed and view.trusted and view.status < 500 and view.status not in allowed:
        view.say(
            "LINT-032", f"{view.operation} was answered {view.status}, which no client takes for there or not there"
        )


def error_status(view: View) -> None:
    """LINT-002 and the code of LINT-003: each code has its status."""
    document = view.document
    if document is None or document.tag != "Error":
        return
    code = document.get("Code") or ""
    statuses = codes().get(code)
    if statuses is None:
        if code:
            view.warn("LINT-003", f"Code {shown(code)} is none that Amazon S3 is known to send", "code")
        return
    late = view.status == 200 and view.operation in LATE_ERRORS
    if statuses and view.status not in statuses and not late:
        usual = " or ".join(map(str, sorted(statuses)))
        view.say("LINT-002", f"{code} was answered with status {view.status} instead of {usual}", code)


def error_document(view: View) -> None:
    """LINT-003: what a refusal looks like."""
    if view.status < 400 or view.exchange.method == "HEAD":
        return
    if view.seen.deliberate and view.status in _NOT_HTTP and view.document is None:
        return
    kind = view.headers.get("content-type", "")
    if view.size and kind.partition(";")[0].strip().lower() != "application/xml":
        view.say("LINT-003", f"an error is announced as {shown(kind) if kind else 'nothing at all'}", "type")
    if not view.size and view.seen.final:
        view.say("LINT-003", f"status {view.status} came without an error document", "document")
    elif view.body is not None:
        _error_elements(view)


def _error_elements(view: View) -> None:
    document = view.document
    if document is None:
        if NOT_XML in view.unreadable:
            return
        why = view.unreadable or f"it begins {shown(view.body or b'', 40)}"
        view.say("LINT-003", f"the body of status {view.status} is no XML document: {why}", "document")
        return
    if document.tag != "Error":
        view.say("LINT-003", f"the root of an error document is {shown(document.tag)} instead of Error", "root")
        return
    if document.namespace:
        view.say("LINT-003", f"Error is in the namespace {shown(document.namespace)}; S3's is in none", "namespace")
    tags = [child.tag for child in document]
    for tag in ("Code", "Message", "RequestId", "HostId"):
        if tags.count(tag) != 1:
            view.say("LINT-003", f"an error document has {tags.count(tag) or 'no'} {tag}", tag)
    if "Code" in tags and not document.get("Code"):
        view.say("LINT-003", "Code is empty", "Code")


def head_body(view: View) -> None:
    """LINT-004: nothing but headers; the length of what GET would send."""
    if view.exchange.method != "HEAD":
        return
    if view.size:
        view.say("LINT-004", f"HEAD was answered with {view.size} bytes of body", "body")
    if view.operation == "HeadObject" and view.status in (200, 206) and "content-length" not in view.headers:
        view.say("LINT-004", "HeadObject has no Content-Length", "length")


def empty_body(view: View) -> None:
    """LINT-005: no body where there is nothing to say."""
    if view.status in (204, 304):
        if view.size and view.exchange.method != "HEAD":
            view.say("LINT-005", f"status {view.status} came with {view.size} bytes of body", "body")
        if "content-type" in view.headers:
            view.say("LINT-005", f"status {view.status} has Content-Type {shown(view.headers['content-type'])}", "type")
    elif view.status in range(200, 300) and view.size and view.trusted and _says_nothing(view):
        view.say("LINT-005", f"{view.operation} has no output, and was answered with {view.size} bytes of body", "body")


def _says_nothing(view: View) -> bool:
    """Whether the model gives the operation no output, or headers alone."""
    if view.operation not in model.operations() or view.exchange.method == "HEAD":
        return False
    members = view.output.members.values() if view.output is not None else ()
    return all("location" in member.serialization for member in members)


def ranges(view: View) -> None:
    """LINT-028: what a part of an object says of itself."""
    if view.operation not in ("GetObject", "HeadObject"):
        return
    given = view.headers.get("content-range")
    if view.status == 200 and given is not None:
        view.say("LINT-028", f"status 200 has Content-Range {shown(given)}")
    if view.status != 206:
        return
    found = _RANGE.fullmatch(given or "")
    first, last, whole = map(int, found.groups()) if found else (1, 0, 0)
    if not first <= last < whole:
        view.say("LINT-028", f"status 206 has {f'Content-Range {shown(given)}' if given else 'no Content-Range'}")
        return
    length = view.headers.get("content-length", str(last - first + 1))
    if length != str(last - first + 1):
        view.say("LINT-028", f"Content-Range {given} has Content-Length {shown(length)}", "length")
    elif view.seen.final and view.exchange.method == "GET" and view.size != last - first + 1:
        view.say("LINT-028", f"Content-Range {given} came with {view.size} bytes", "size")


def request_ids(view: View) -> None:
    """LINT-030 as far as one exchange shows it."""
    if view.seen.deliberate and view.status in _NOT_HTTP and not view.error:
        return
    request_id = view.headers.get("x-amz-request-id")
    if not request_id:
        view.say("LINT-030", "the answer has no x-amz-request-id", "missing")
    elif not view.headers.get("x-amz-id-2"):
        view.warn("LINT-030", "the answer has no x-amz-id-2", "second")
    named = view.document.get("RequestId") if view.error and view.document is not None else None
    if named and request_id and named != request_id:
        view.say("LINT-030", f"RequestId is {shown(named)}, x-amz-request-id {shown(request_id)}", "differs")


def limits(view: View) -> None:
    """LINT-034: numbers that must not be accepted."""
    if view.operation == "ListBuckets" and view.success and view.trusted:
        asked = _INTEGER.fullmatch(view.query.get("max-buckets", ""))
        if asked and not 1 <= int(asked[0]) <= 10000:
            view.say("LINT-034", f"max-buckets={asked[0]} was accepted; S3 takes 1 to 10000", "max-buckets")


CHECKS = (
    success_status,
    existence,
    error_status,
    error_document,
    head_body,
    empty_body,
    ranges,
    request_ids,
    limits,
)
