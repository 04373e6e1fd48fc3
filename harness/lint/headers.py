"""Headers of answers, by the output shapes: LINT-006 to 008, 011 to 013, 019, 031 and 033."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.lint import values
from harness.lint.facts import CLOSED_ENUMS, OPEN_ENUMS, UNMODELLED_HEADERS
from harness.lint.view import View, shown
from harness.wire import model

if TYPE_CHECKING:
    from botocore.model import Shape

Check = Callable[[View, str, str], None]
"""Judges the value of a header of that name."""

METADATA = "x-amz-meta-"
_HOLDERS = frozenset({"GetObject", "HeadObject"})
_CHECKSUMS = {f"x-amz-checksum-{name.lower()}": name for name in values.SIZES}


def modelled(view: View) -> None:
    """Every header that the output has, and those that no output has."""
    if "etag" in view.headers:
        quoted_etag(view, "the ETag header", view.headers["etag"])
    if not (200 <= view.status < 300 or view.status == 304):
        return
    checks = _checks(view.operation)
    for name, value in view.headers.items():
        check = checks.get(name)
        if check is not None:
            check(view, name, value)
        elif name.startswith("x-amz-") and name not in checks:
            _unmodelled(view, name)
    for name in view.repeated:
        if name in checks:
            view.say("LINT-006", f"{name} comes more than once", name)


def _unmodelled(view: View, name: str) -> None:
    if name.startswith(METADATA):
        if view.trusted and view.operation not in _HOLDERS and view.operation in model.operations():
            view.say("LINT-007", f"{view.operation} has the metadata header {shown(name)}")
    elif name not in UNMODELLED_HEADERS and view.success and view.trusted and view.operation in model.operations():
        view.warn("LINT-019", f"the model knows no header {shown(name)} of {view.operation}", name)


def metadata_names(view: View) -> None:
    """LINT-007: names of user metadata come in lower case."""
    for name, _ in view.exchange.response_headers:
        if name[: len(METADATA)].lower() == METADATA and name[len(METADATA) :] != name[len(METADATA) :].lower():
            view.say("LINT-007", f"the metadata header {shown(name)} has capital letters", "case")


def delete_marker(view: View) -> None:
    """LINT-033: true or absent, also on errors."""
    value = view.headers.get("x-amz-delete-marker", "true")
    if value != "true":
        view.say("LINT-033", f"x-amz-delete-marker is {shown(value)}; S3 sends true or nothing", "marker")


def checksums(view: View) -> None:
    """LINT-013 for headers: the value of one algorithm, and what a suffix means."""
    found = {_CHECKSUMS[name]: value for name, value in view.headers.items() if name in _CHECKSUMS}
    if found and 200 <= view.status < 300:
        checksum_values(view, found, view.headers.get("x-amz-checksum-type", ""))


def checksum_values(view: View, found: Mapping[str, str], kind: str) -> None:
    """LINT-013: checksums of one object or part, by algorithm, with their ChecksumType ("" for none)."""
    if len(found) > 1:
        view.say("LINT-013", f"checksums of several algorithms at once: {', '.join(sorted(found))}", "several")
    for algorithm, value in found.items():
        wrong = values.checksum(algorithm, value)
        if wrong:
            view.say("LINT-013", f"Checksum{algorithm} {shown(value)} {wrong}", algorithm)
        elif "-" in value and (kind != "COMPOSITE" or view.operation == "GetObjectAttributes"):
            at = view.operation == "GetObjectAttributes"
            why = "is never so in GetObjectAttributes" if at else f"has ChecksumType {shown(kind) if kind else 'none'}"
            view.say("LINT-013", f"Checksum{algorithm} {shown(value)} with a number of parts {why}", "suffix")


@functools.cache
def _checks(operation: str) -> dict[str, Check | None]:
    """What to ask of each header that an operation's output has, by lower-case name."""
    shape = model.operation(operation).output_shape if operation in model.operations() else None
    checks: dict[str, Check | None] = {}
    for member, inner in shape.members.items() if shape else ():
        if inner.serialization.get("location") == "header":
            checks[inner.serialization["name"].lower()] = _check(member, inner)
    return checks


def _check(member: str, shape: Shape) -> Check | None:
    if member in ("ETag", "Expires", "DeleteMarker") or member.removeprefix("Checksum") in values.SIZES:
        return None  # judged for themselves, in this module or, for Expires, over several exchanges
    if shape.type_name in ("integer", "long"):
        return _formed("LINT-006", values.number)
    if shape.type_name == "boolean":
        return _formed("LINT-006", values.boolean)
    if shape.type_name == "timestamp":
        return _formed("LINT-008", values.iso_date if shape.serialization.get("timestampFormat") else values.http_date)
    listed = getattr(shape, "enum", None)
    return _listed(shape.name, frozenset(listed)) if listed and shape.name not in OPEN_ENUMS else None


def _formed(rule: str, test: Callable[[str], str]) -> Check:
    def check(view: View, name: str, value: str) -> None:
        wrong = test(value)
        if wrong:
            view.say(rule, f"{name} {shown(value)} {wrong}", name)

    return check


def _listed(shape: str, listed: frozenset[str]) -> Check:
    def check(view: View, name: str, value: str) -> None:
        if value not in listed:
            unlisted(view, shape, name, value)

    return check


def unlisted(view: View, shape: str, name: str, value: str) -> None:
    """LINT-031: a value that the model does not list."""
    severity = view.say if shape in CLOSED_ENUMS else view.warn
    severity("LINT-031", f"{name} {shown(value)} is none of the values that the model lists", name)


def quoted_etag(view: View, name: str, value: str) -> None:
    """LINT-011 and 012: in double quotes, and of a form that S3 gives."""
    wrong = values.quotes(value)
    if wrong:
        view.say("LINT-011", f"{name} {shown(value)} {wrong}", name)
    wrong = values.etag(value.removeprefix("W/").strip('"'))
    if wrong:
        view.say("LINT-012", f"{name} {shown(value)} {wrong}", name)


CHECKS = (modelled, metadata_names, delete_marker, checksums)
