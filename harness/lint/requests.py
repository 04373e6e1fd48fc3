"""What was sent: REQ-001 to 005, and the request's half of LINT-015. The endpoint is never blamed for it.

What a request says, its document and members, is judged only where it was accepted: a refusal of a wrong one is right,
and what a scenario sends may be wrong for that reason.
"""

from __future__ import annotations

import re

from harness.lint.base import Party
from harness.lint.documents import judge_request, request_payload
from harness.lint.facts import DOUBTFUL_DIGEST, NO_DIGEST
from harness.lint.view import View, shown
from harness.wire import model
from harness.wire.xml import XMLError, parse

_TARGET = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*")
_LENGTH = re.compile(r"[0-9]{1,18}")
_TOLD_AS = {"LINT-016": "REQ-004", "LINT-017": "REQ-004", "LINT-018": "REQ-004", "LINT-019": "REQ-004"} | {
    "LINT-020": "REQ-005"
}
"""How what is wrong with a document is told of a request. Single values are a caller's, or an earlier answer's."""


def requests(view: View) -> None:
    """Everything about a request that was not meant to be odd."""
    if view.seen.deliberate:
        return
    before = len(view.findings)
    party: Party = "harness" if view.seen.sender == "raw" else "client"
    _target(view, party)
    _host(view, party)
    if view.success:
        _length(view, party)
        _document(view, party)
    view.faulty = len(view.findings) > before
    _digest(view, party)


def _target(view: View, party: Party) -> None:
    """REQ-001: what may stand in a request line."""
    target = view.exchange.url.partition("://")[2]
    found = _TARGET.match(target)
    if found is None or found.end() < len(target):
        at = target[found.end() if found else 0 :]
        view.say("REQ-001", f"the target has {shown(at, 20)}, which no target may have", party=party)


def _host(view: View, party: Party) -> None:
    """REQ-002: one Host, with a value."""
    hosts = [value for name, value in view.exchange.request_headers if name.lower() == "host"]
    if len(hosts) != 1 or not hosts[0]:
        view.say("REQ-002", f"{len(hosts)} Host headers: {', '.join(map(shown, hosts[:3]))}", party=party)


def _length(view: View, party: Party) -> None:
    """REQ-003: the body is as long as was said."""
    lengths = [value for name, value in view.exchange.request_headers if name.lower() == "content-length"]
    size, coded = view.exchange.request_body.size, "transfer-encoding" in view.asked
    if coded and lengths:
        view.say("REQ-003", "both Transfer-Encoding and Content-Length", party=party)
    elif size and not coded and not lengths:
        view.say("REQ-003", f"{size} bytes of body and nothing that says so", party=party)
    elif lengths and (not _LENGTH.fullmatch(lengths[0]) or int(lengths[0]) != size or len(set(lengths)) > 1):
        view.say("REQ-003", f"Content-Length {shown(', '.join(lengths))} for {size} bytes", party=party)


def _document(view: View, party: Party) -> None:
    """REQ-004 and 005: the document that the model describes."""
    payload = request_payload(view.operation) if view.operation in model.operations() else None
    if payload is None:
        return
    body, (tag, _) = view.seen.request_body, payload
    if not view.exchange.request_body.size:
        if _required(view.operation):
            view.say("REQ-005", f"{view.operation} has no {tag}", party=party, severity="warning")
        return
    if body is None or "aws-chunked" in view.asked.get("content-encoding", ""):
        return
    try:
        document = parse(body)
    except XMLError as error:
        view.say("REQ-004", f"the document cannot be read: {error}", party=party, severity="warning")
        return
    if document.tag != tag:
        told = f"the root element is {shown(document.tag)} instead of {tag}"
        view.say("REQ-004", told, party=party, severity="warning")
        return
    inner = view.apart()
    judge_request(view.operation, document, inner)
    for finding in inner.findings:
        rule = _TOLD_AS.get(finding.rule)
        if rule is None:
            continue
        view.say(rule, finding.message, finding.message, party=party, severity="warning")


def _required(operation: str) -> bool:
    """Whether an operation cannot do without its document."""
    shape = model.operation(operation).input_shape
    return shape is not None and shape.serialization["payload"] in shape.required_members


def _digest(view: View, party: Party) -> None:
    """LINT-015: a digest where the operation needs one, and an endpoint that asks for it."""
    name = view.operation
    if name not in model.operations() or not model.checksum_required(name) or name in NO_DIGEST:
        return
    asked = view.asked
    trailer = asked.get("x-amz-trailer", "").lower().startswith("x-amz-checksum-")
    if trailer or "content-md5" in asked or any(f"x-amz-checksum-{kind}" in asked for kind in _ALGORITHMS):
        return
    view.say("LINT-015", f"{name} was sent without Content-MD5 or a checksum", "sent", party=party, severity="warning")
    if view.success:
        told = f"{name} was accepted without Content-MD5 or a checksum"
        view.say("LINT-015", told, "accepted", severity="warning" if name in DOUBTFUL_DIGEST else "failure")


_ALGORITHMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256", "sha512", "md5", "xxhash64", "xxhash3", "xxhash128")
