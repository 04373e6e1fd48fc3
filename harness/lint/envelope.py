"""What surrounds the elements of a document: LINT-021 to 024; and the walk over the elements of good answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from harness.lint.documents import judge
from harness.lint.facts import NAMESPACE, NOT_XML, RECORDED_ROOTS, root
from harness.lint.view import View, shown
from harness.wire import model

if TYPE_CHECKING:
    from harness.wire.xml import Node

_DECLARATION = re.compile(
    rb"""<\?xml\s{1,9}version\s*=\s*(?:"1\.0"|'1\.0')\s{1,9}encoding\s*=\s*(?:"UTF-8"|'UTF-8')""", re.IGNORECASE
)


def document(view: View) -> None:
    """LINT-021 to 024, and what is in the document."""
    if not 200 <= view.status < 600 or not view.body or view.exchange.method == "HEAD":
        return
    if view.success and view.operation == "GetBucketPolicy":
        _policy(view)
        return
    found = view.document
    if found is not None or view.unreadable:
        _encoding(view, view.body)
    if found is None or found.tag == "Error":
        if found is None and view.success and not view.streams and not view.unreadable and root(view.operation):
            view.say("LINT-023", f"the body is no XML document; it begins {shown(view.body, 40)}", "document")
        return
    if view.success and view.operation in model.operations():
        _result(view, found)


def _encoding(view: View, body: bytes) -> None:
    """LINT-023: declared, decodable, well-formed. A refusal that is no document at all is LINT-003."""
    if view.status >= 400 and not view.error:
        return
    if not _DECLARATION.match(body[:200]):
        view.say(
            "LINT-023", f"the document begins {shown(body, 60)} instead of an XML 1.0 declaration of UTF-8", "begins"
        )
    try:
        body.decode()
    except UnicodeDecodeError as error:
        view.say("LINT-023", f"the document is not UTF-8 at byte {error.start}", "encoding")
    forgiven = NOT_XML in view.unreadable and view.query.get("encoding-type") != "url"
    if view.unreadable and not forgiven:
        view.say("LINT-023", f"the document cannot be read: {view.unreadable}", "document")


def _result(view: View, found: Node) -> None:
    """The root of a good answer, and what is in it."""
    name, expected = view.operation, root(view.operation)
    if not expected:
        return
    if found.tag != expected:
        # An odd request may be another operation than it looks like: then this is no mistake of the answer.
        if view.trusted:
            _other_root(view, found, expected)
        return
    if found.namespace != NAMESPACE:
        where = f"the namespace {shown(found.namespace)}" if found.namespace else "no namespace"
        (view.say if name in RECORDED_ROOTS else view.warn)("LINT-021", f"{found.tag} is in {where}", "root")
    for child in found.children:
        if child.namespace != found.namespace:
            view.say("LINT-021", f"{child.tag[:40]} is in another namespace than {found.tag}", "child")
            break
    judge(name, found, view)


def _other_root(view: View, found: Node, expected: str) -> None:
    within = found.find(expected)
    if within is not None and len(found.children) == 1 and _has_payload(view):
        view.say("LINT-024", f"{expected} is wrapped in {shown(found.tag)}", "wrapped")
    else:
        sure = view.operation in RECORDED_ROOTS or _has_payload(view)
        (view.say if sure else view.warn)("LINT-022", f"the root element is {shown(found.tag)} instead of {expected}")


def _has_payload(view: View) -> bool:
    return view.output is not None and "payload" in view.output.serialization


def _policy(view: View) -> None:
    """LINT-024: a policy is the text that was stored, JSON."""
    try:
        is_object = isinstance(msgspec.json.decode(view.body or b""), dict)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        is_object = False
    if not is_object:
        view.say("LINT-024", f"the policy is no JSON object; it begins {shown(view.body or b'', 40)}", "policy")


CHECKS = (document,)
