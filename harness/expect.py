"""What is expected of an answer, as small objects that explain themselves when they are not met.

A matcher on something that the client does not show raises `Inexpressible`: the cell is then inapplicable, never
silently green. `if_shown` marks the details that are judged only where they can be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.clients.base import Observed
from harness.signals import Inexpressible
from harness.wire import model

MD5_EMPTY = '"d41d8cd98f00b204e9800998ecf8427e"'


@dataclass(frozen=True, slots=True)
class Matcher:
    """`expected` in words; `test` gives what was found instead, or "" when the expectation is met."""

    expected: str
    test: Callable[[Observed], str]


def ok(status: int = 200) -> Matcher:
    """Success, with this status where the client shows one."""

    def test(seen: Observed) -> str:
        if not seen.ok:
            return f"got {seen.summary()}"
        return f"status was {seen.status}" if seen.status not in (None, status) else ""

    return Matcher(f"success with status {status}", test)


def refused(status: int, *codes: str, fields: Mapping[str, str] | None = None) -> Matcher:
    """A refusal with this status, one of these codes, and these elements in the error document.

    Status, code and elements count where the client shows them. What counts is the endpoint's answer: a client that
    calls a refusal a success (`rclone cat` of a missing key ends with exit code 0) is judged only where no status
    is shown. No code is expected where none is named (answers to HEAD have no body).
    """
    wanted = dict(fields or {})
    text = f"status {status}" + (f" {' or '.join(codes)}" if codes else "")
    if wanted:
        text += " with " + ", ".join(f"{name} {value!r}" for name, value in wanted.items())

    def test(seen: Observed) -> str:
        if seen.failure or (seen.ok if seen.status is None else seen.status != status):
            return f"got {seen.summary()}"
        _shown(seen, seen.status is not None or bool(codes and seen.code), "which refusal it was")
        if codes and seen.code not in codes and (seen.code or seen.headers is not None):
            return f"code was {seen.code!r}" if seen.code else "the answer names no error code"
        if seen.headers is not None:
            for name, value in wanted.items():
                if seen.error_fields.get(name) != value:
                    return f"{name} was {seen.error_fields.get(name)!r}"
        return ""

    return Matcher(text, test)


def one_of(*matchers: Matcher) -> Matcher:
    """Any of several accepted answers."""

    def test(seen: Observed) -> str:
        found, hidden = [], None
        for matcher in matchers:
            try:
                found.append(matcher.test(seen))
            except Inexpressible as error:
                hidden = error
        if "" not in found and hidden is not None:
            raise hidden
        return "" if "" in found else found[0]

    return Matcher(" or ".join(matcher.expected for matcher in matchers), test)


def if_shown(matcher: Matcher) -> Matcher:
    """`matcher`, judged only for clients that show what it looks at."""

    def test(seen: Observed) -> str:
        try:
            return matcher.test(seen)
        except Inexpressible:
            return ""

    return Matcher(matcher.expected, test)


def etag(value: str) -> Matcher:
    """The ETag, quotes included, byte for byte."""

    def test(seen: Observed) -> str:
        _shown(seen, seen.etag is not None or not seen.partial, "the ETag")
        return "" if seen.etag == value else f"ETag was {seen.etag}"

    return Matcher(f"ETag {value}", test)


def header(name: str, value: str) -> Matcher:
    """A response header with exactly this value."""
    return header_where(name, repr(value), lambda found: found == value)


def header_where(name: str, what: str, test: Callable[[str], bool]) -> Matcher:
    """A response header that is there and passes `test`; `what` says in words which values do."""

    def look(seen: Observed) -> str:
        found = _headers(seen).get(name.lower())
        if found is None:
            return f"there is no {name} header"
        return "" if test(found) else f"{name} was {found!r}"

    return Matcher(f"header {name}: {what}", look)


def no_header(name: str) -> Matcher:
    """No response header of this name."""

    def test(seen: Observed) -> str:
        found = _headers(seen).get(name.lower())
        if seen.failure and found is None:
            return f"got {seen.summary()}"
        return "" if found is None else f"{name} was {found!r}"

    return Matcher(f"no {name} header", test)


def root(tag: str) -> Matcher:
    """The root element of an XML answer."""

    def test(seen: Observed) -> str:
        _shown(seen, seen.client == "raw", "the XML document")
        found = None if seen.document is None else seen.document.tag
        return "" if found == tag else f"root element was {found!r}"

    return Matcher(f"root element {tag}", test)


def no_body() -> Matcher:
    """Not one byte of body, also where HTTP would hide it (HEAD, 204, 304)."""

    def test(seen: Observed) -> str:
        _shown(seen, seen.client == "raw", "the bytes of an answer without a body")
        if seen.failure:
            return f"got {seen.summary()}"
        size = len(seen.body or b"") + len(seen.stray)
        return f"{size} bytes of body came: {(seen.body or seen.stray)[:60]!r}" if size else ""

    return Matcher("no body", test)


def body(content: bytes) -> Matcher:
    """The object's bytes."""

    def test(seen: Observed) -> str:
        if not seen.ok:
            return f"got {seen.summary()}"
        if seen.body is None:
            raise Inexpressible(f"{seen.client} does not show the object's bytes")
        return "" if seen.body == content else _difference(content, seen.body)

    return Matcher(f"{len(content)} bytes {content[:40]!r}{'…' if len(content) > 40 else ''}", test)


def output(member: str, value: Any) -> Matcher:
    """A member of the answer, under the service model's name, with exactly this value."""

    def test(seen: Observed) -> str:
        found = _member(seen, member)
        if found is None:
            return f"there is no {member}" if seen.ok else f"got {seen.summary()}"
        return "" if found == value and type(found) is type(value) else f"{member} was {found!r}"

    return Matcher(f"{member} {value!r}", test)


def output_where(member: str, what: str, test: Callable[[Any], bool]) -> Matcher:
    """A member of the answer that is there and passes `test`; `what` says in words which values do."""

    def look(seen: Observed) -> str:
        found = _member(seen, member)
        if found is None:
            return f"there is no {member}" if seen.ok else f"got {seen.summary()}"
        return "" if test(found) else f"{member} was {found!r}"

    return Matcher(f"{member}: {what}", look)


def absent(member: str) -> Matcher:
    """A member that the answer must not have."""

    def test(seen: Observed) -> str:
        _shown(seen, not seen.partial, member)
        if not seen.ok:
            return f"got {seen.summary()}"
        return "" if member not in seen.output else f"{member} was {seen.output[member]!r}"

    return Matcher(f"no {member}", test)


def keys(expected: Iterable[str]) -> Matcher:
    """The keys of a listing, each once, in this order."""
    return _listing("keys", list(expected), lambda seen: seen.keys)


def prefixes(expected: Iterable[str]) -> Matcher:
    """The common prefixes of a listing, each once, in this order."""
    return _listing("common prefixes", list(expected), lambda seen: seen.prefixes)


def metadata(expected: Mapping[str, str]) -> Matcher:
    """The user metadata: exactly these names, in lower case, with exactly these values."""

    def test(seen: Observed) -> str:
        found = seen.output.get("Metadata")
        if not seen.ok:
            return f"got {seen.summary()}"
        _shown(seen, found is not None or not seen.partial, "user metadata")
        return "" if (found or {}) == expected else f"metadata was {found or {}!r}"

    return Matcher(f"metadata {dict(expected)!r}", test)


def _listing(what: str, expected: list[str], get: Callable[[Observed], list[str]]) -> Matcher:
    def test(seen: Observed) -> str:
        found = get(seen)
        if not seen.ok:
            return f"got {seen.summary()}"
        if found == expected:
            return ""
        if len(set(found)) < len(found):
            twice = next(name for index, name in enumerate(found) if name in found[:index])
            return f"{what} were {_some(found)}: {twice!r} comes more than once"
        if set(found) == set(expected):
            return f"{what} were {_some(found)}: all there, in another order"
        missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
        return f"{what} were {_some(found)}: missing {_some(missing)}, unexpected {_some(extra)}"

    return Matcher(f"{what} {_some(expected)}", test)


def _some(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return f"[{shown}{f', … {len(names)} in all' if len(names) > 8 else ''}]"


def _shown(seen: Observed, condition: bool, what: str) -> None:
    if not condition:
        raise Inexpressible(f"{seen.client} does not show {what}")


def _headers(seen: Observed) -> dict[str, str]:
    if seen.headers is None:
        if seen.failure:  # nothing was answered; the absence of headers is not the client's doing
            return {}
        raise Inexpressible(f"{seen.client} does not show response headers")
    return seen.headers


def _member(seen: Observed, member: str) -> Any:
    shown = member in seen.output or not (seen.partial or _came(seen, member))
    _shown(seen, shown, member)
    return seen.output.get(member)


def _came(seen: Observed, member: str) -> bool:
    """Whether the answer has a member in a header: a client that does not show it is older than the member."""
    shape = model.operation(seen.operation).output_shape if seen.operation in model.operations() else None
    found = shape.members.get(member) if shape else None
    return found is not None and found.serialization.get("name", "").lower() in (seen.headers or {})


def _difference(expected: bytes, found: bytes) -> str:
    if len(expected) != len(found):
        return f"got {len(found)} bytes {found[:40]!r}"
    at = next(index for index, pair in enumerate(zip(expected, found, strict=True)) if pair[0] != pair[1])
    return f"bytes differ from offset {at} on: {found[at : at + 20]!r} for {expected[at : at + 20]!r}"
