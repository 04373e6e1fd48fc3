"""Documents, by the shapes of the service model: LINT-009, 011 to 013, 016 to 020 and 031.

A shape is compiled once into a function that walks an element of it; a page of a thousand keys costs a few
milliseconds then.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.lint import values
from harness.lint.facts import ALWAYS, EXACT_DATES, OPEN_ENUMS, XSI_TYPE
from harness.lint.headers import checksum_values, quoted_etag, unlisted
from harness.lint.view import View, shown
from harness.wire import model
from harness.wire.xml import Node

if TYPE_CHECKING:
    from botocore.model import ListShape, Shape, StructureShape

Check = Callable[[Node, View], None]
"""Judges one element."""


def judge(operation: str, document: Node, view: View) -> None:
    """The elements of a good answer's document."""
    walk = _output(operation)
    if walk is not None:
        walk(document, view)


def judge_request(operation: str, document: Node, view: View) -> None:
    """The elements of a request's document."""
    found = request_payload(operation)
    if found is not None:
        _structure(found[1], frozenset(), flattened="")(document, view)


def request_payload(operation: str) -> tuple[str, StructureShape] | None:
    """The root element and shape of the document that an operation is sent with."""
    shape = model.operation(operation).input_shape
    payload = shape.serialization.get("payload") if shape else None
    inner = shape.members[payload] if payload else None
    if inner is None or inner.type_name != "structure":
        return None
    return inner.serialization.get("name", payload), inner


@functools.cache
def _output(operation: str) -> Check | None:
    if operation == "GetBucketLocation":  # its root is itself the value
        return _text
    shape = model.operation(operation).output_shape
    payload = shape.serialization.get("payload") if shape else None
    inner = shape.members[payload] if payload else shape
    if inner is None or inner.type_name != "structure":
        return None
    return _structure(inner, ALWAYS.get(operation, frozenset()), flattened="")


@functools.cache
def _structure(shape: StructureShape, always: frozenset[str], *, flattened: str) -> Check:
    """Walks an element of a structure.

    Args:
        shape: the structure.
        always: elements that were always seen on AWS in this place.
        flattened: the tag, where it is an entry of a flattened list.
    """
    plan = _plan(shape, always, flattened)
    checks, wanted, digests, lists = plan.checks, plan.wanted, plan.digests, plan.lists
    typed = any(inner.serialization.get("xmlAttribute") for inner in shape.members.values())

    def walk(node: Node, view: View) -> None:
        seen = set()
        children = node.children
        for child in children:
            tag = child.tag
            seen.add(tag)
            check = checks.get(tag, _missing)
            if check is None:
                if child.children:
                    _ill_typed(view, child, "has elements in it; the model has a text")
            else:
                check(child, view)
                if check is _missing:
                    plan.unknown(node, child, view)
        if not wanted <= seen:
            _lacking(view, node, wanted - seen)
        if len(seen) != len(children):
            plan.repeated(node, view, lists)
        if node.text and not node.text.isspace():
            _ill_typed(view, node, f"is {shown(node.text.strip())}; the model has elements in it")
        if digests and not digests.isdisjoint(seen):
            plan.checksums(node, view)
        if typed and XSI_TYPE not in node.attributes:
            view.say("LINT-021", f"{node.tag} has no xsi:type", node.tag)

    return walk


def _missing(_node: Node, _view: View) -> None:
    """Stands for tags that a shape does not have."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a structure's element may hold.

    Attributes:
        checks: by tag; None for a plain text.
        wanted: tags that must be there.
        lists: tags that may come more than once.
        names: tags by the name of the member, where the two differ.
        wrappers: by the tag of a wrapped list's entries, the tag of their wrapper.
        digests: tags of checksums.
        flattened: the tag, where the structure is an entry of a flattened list.
    """

    checks: dict[str, Check | None]
    wanted: frozenset[str]
    lists: frozenset[str]
    names: dict[str, str]
    wrappers: dict[str, str]
    digests: frozenset[str]
    flattened: str

    def unknown(self, node: Node, child: Node, view: View) -> None:
        """An element that the shape does not have: a known mistake, or something new."""
        tag = child.tag
        if self.flattened and tag in (self.flattened, "member"):
            view.say("LINT-016", f"{node.tag} has {tag} in it; its list has no wrapper", node.tag)
        elif tag in self.wrappers:
            view.say("LINT-017", f"{tag} in {node.tag} lacks its wrapper {self.wrappers[tag]}", tag)
        elif tag not in self.names:
            view.warn("LINT-019", f"the model knows no element {shown(tag)} in {node.tag}", tag)
        elif self.names[tag] in self.lists and child.find(self.names[tag]) is not None:
            view.say("LINT-016", f"{tag} is wrapped around {self.names[tag]}; its list has no wrapper", tag)
        else:
            view.say("LINT-018", f"{node.tag} has {tag} where S3 has {self.names[tag]}", tag)

    def repeated(self, node: Node, view: View, lists: frozenset[str]) -> None:
        """An element that comes more than once and is in no list."""
        before = set()
        for child in node.children:
            tag = child.tag
            if tag in before and tag not in lists and tag in self.checks:
                # Two in one entry are two entries that share one element.
                rule = "LINT-017" if tag in self.wrappers.values() else "LINT-016" if self.flattened else "LINT-019"
                view.say(rule, f"{node.tag} has more than one {tag}", f"{tag} twice")
            before.add(tag)

    def checksums(self, node: Node, view: View) -> None:
        """The checksums of one object or part."""
        found = {child.tag.removeprefix("Checksum"): child.text for child in node if child.tag in self.digests}
        checksum_values(view, found, node.get("ChecksumType") or "")


def _plan(shape: StructureShape, always: frozenset[str], flattened: str) -> _Plan:
    checks: dict[str, Check | None] = {}
    lists, names, wrappers = set(), {}, {}
    wanted = set(always | ALWAYS.get(shape.name, frozenset()))
    for member, inner in shape.members.items():
        if "location" in inner.serialization or inner.serialization.get("xmlAttribute"):
            continue
        tag = inner.serialization.get("name", member)
        checks[tag] = _check(member, tag, inner)
        if tag != member:
            names[member] = tag
        if member in shape.required_members:
            wanted.add(tag)
        if inner.type_name == "list" and inner.serialization.get("flattened"):
            lists.add(tag)
        elif inner.type_name == "list":
            wrappers[inner.member.serialization.get("name", "member")] = tag
    return _Plan(
        checks,
        frozenset(wanted),
        frozenset(lists),
        {member: tag for member, tag in names.items() if member not in checks},
        {entry: tag for entry, tag in wrappers.items() if entry not in checks},
        frozenset(tag for tag in checks if tag.removeprefix("Checksum") in values.SIZES and tag != "MD5"),
        flattened,
    )


def _check(member: str, tag: str, shape: Shape) -> Check | None:
    """What to ask of an element; None for a plain text."""
    if shape.type_name == "structure":
        return _structure(shape, frozenset(), flattened="")
    if shape.type_name == "list":
        return _flattened(shape, tag) if shape.serialization.get("flattened") else _wrapped(shape)
    if member == "ETag":
        return _etag
    if shape.type_name in ("integer", "long"):
        return _scalar(values.number)
    if shape.type_name == "boolean":
        return _scalar(values.boolean)
    if shape.type_name == "timestamp":
        return _exact_date if member in EXACT_DATES else _date
    listed = getattr(shape, "enum", None)
    return _listed(shape.name, frozenset(listed)) if listed and shape.name not in OPEN_ENUMS else None


def _flattened(shape: ListShape, tag: str) -> Check:
    """One entry of a list without wrapper."""
    if shape.member.type_name == "structure":
        return _structure(shape.member, frozenset(), flattened=tag)
    inner = _check("", tag, shape.member) or _text

    def check(node: Node, view: View) -> None:
        if node.children:
            view.say("LINT-016", f"{tag} has {node.children[0].tag[:40]} in it; its list has no wrapper", tag)
        else:
            inner(node, view)

    return check


def _wrapped(shape: ListShape) -> Check:
    """The wrapper of a list, with its entries."""
    entry = shape.member.serialization.get("name", "member")
    inner = _check("", entry, shape.member) or _text

    def check(node: Node, view: View) -> None:
        for child in node.children:
            if child.tag == entry:
                inner(child, view)
            else:
                view.say("LINT-017", f"{node.tag} has {shown(child.tag)} in it instead of {entry}", node.tag)
        if node.text and not node.text.isspace():
            _ill_typed(view, node, f"is {shown(node.text.strip())}; the model has a list in it")

    return check


def _scalar(test: Callable[[str], str]) -> Check:
    def check(node: Node, view: View) -> None:
        wrong = test(node.text)
        if wrong or node.children:
            _ill_typed(view, node, f"{shown(node.text)} {wrong or 'has elements in it'}")

    return check


def _listed(shape: str, listed: frozenset[str]) -> Check:
    def check(node: Node, view: View) -> None:
        if node.text not in listed:
            unlisted(view, shape, node.tag, node.text)

    return check


def _text(node: Node, view: View) -> None:
    if node.children:
        _ill_typed(view, node, "has elements in it; the model has a text")


def _date(node: Node, view: View) -> None:
    wrong = values.iso_date(node.text)
    if wrong:
        view.say("LINT-009", f"{node.tag} {shown(node.text)} {wrong}", node.tag)


def _exact_date(node: Node, view: View) -> None:
    wrong = values.iso_date(node.text)
    if wrong:
        view.say("LINT-009", f"{node.tag} {shown(node.text)} {wrong}", node.tag)
    elif not values.is_exact(node.text):
        view.warn("LINT-009", f"{node.tag} {shown(node.text)} is not as S3 writes it: …T00:00:00.000Z", node.tag)


def _etag(node: Node, view: View) -> None:
    if view.operation != "GetObjectAttributes":
        quoted_etag(view, "the ETag element", node.text)
        return
    if '"' in node.text:
        view.say("LINT-011", f"ETag {shown(node.text)} is in double quotes, and bare in S3", "quoted")
    wrong = values.etag(node.text.strip('"'))
    if wrong:
        view.say("LINT-012", f"ETag {shown(node.text)} {wrong}", "form")


def _ill_typed(view: View, node: Node, what: str) -> None:
    view.say("LINT-019", f"{node.tag[:40]} {what}", node.tag)


def _lacking(view: View, node: Node, tags: frozenset[str]) -> None:
    view.say("LINT-020", f"{node.tag} has no {', '.join(sorted(tags))}", node.tag)
