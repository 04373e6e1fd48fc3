"""What a listing must show, by brute force, and the steps that listing scenarios share.

The model is as short as the rule: take the keys that start with the prefix, order them by their UTF-8 bytes, fold
those that have the delimiter behind the prefix. It shares no code with the reference server.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.expect import Matcher, keys, ok, prefixes
from harness.scene import Scene
from harness.signals import Inexpressible

TREE = ("A", "a", "b-1", "b/1", "b/2", "b/3", "b0", "c/x/1", "c/x/2", "c/y", "d/1", "e/1", "e/2", "f", "g/1", "g/2")
"""Page boundaries of every kind under "/": inside a common prefix, between prefixes and keys, between consecutive
prefixes, behind a last prefix that hides more keys than it shows; "-" sorts before "/", and "0" after it. No key is
also a directory, which stores on a file system could not keep."""

ALPHABET = (
    *("test_1", "test_10", "test_2", "Test", "B", "a", "d-1", "d.1", "d/1", "d0", "d_1", "~", "é", "中"),
    *("\uffee", "\U0001f600"),
)
"""Byte order against its rivals: numbers by value, letters regardless of case, "/" before all else (a walk through
directories), locales, and UTF-16 (which puts U+1F600 before U+FFEE)."""


class Entry(NamedTuple):
    """One line of a listing: a key, or a common prefix that stands for many."""

    name: str
    folded: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """Entries in order."""

    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def keys(self) -> list[str]:
        """The keys shown one by one."""
        return [name for name, folded in self.entries if not folded]

    @property
    def prefixes(self) -> list[str]:
        """The common prefixes."""
        return [name for name, folded in self.entries if folded]

    def first(self, count: int) -> Listing:
        """The first `count` entries, which is what a page of that size holds."""
        return Listing(self.entries[:count])

    def shown(self) -> tuple[Matcher, Matcher]:
        """Matchers: exactly these keys and common prefixes, each once, in order."""
        return keys(self.keys), prefixes(self.prefixes)


def ordered(names: Iterable[str]) -> list[str]:
    """Names by their UTF-8 bytes."""
    return sorted(names, key=str.encode)


def listing(names: Iterable[str], prefix: str = "", delimiter: str = "", after: str = "") -> Listing:
    """What of `names` a listing shows.

    `after` drops the keys up to and including it. It must lie outside every group that folds: a marker inside a
    group is a question of its own (LST1-012).
    """
    entries: dict[Entry, None] = {}
    for name in ordered(names):
        if name.startswith(prefix) and name.encode() > after.encode():
            entries[_fold(name, len(prefix), delimiter)] = None
    return Listing(tuple(entries))


def _fold(name: str, start: int, delimiter: str) -> Entry:
    at = name.find(delimiter, start) if delimiter else -1
    return Entry(name, folded=False) if at < 0 else Entry(name[: at + len(delimiter)], folded=True)


def plant(s3: Scene, names: Iterable[str]) -> list[str]:
    """An object for each name, stored last first, so that no order comes about by itself; gives the full keys."""
    planted = [s3.key(name) for name in names]
    for key in reversed(planted):
        s3.put(key, key.encode())
    return planted


def sizes(s3: Scene, count: int) -> Iterable[int]:
    """Page sizes worth trying for `count` entries: 1 to one more than all; two of them where calls are dear."""
    return (2, count) if s3.costly else range(1, count + 2)


class Step(NamedTuple):
    """One page of a walk: the token that asked for it ("" for the first) and the answer."""

    token: str
    page: Observed


def walk(s3: Scene, total: int, **params: Any) -> list[Step]:
    """The pages of ListObjectsV2, token by token, as far as they lead: at most one more than there are entries.

    Whether the pages are right, and the way on is there, is for the scenario to say.
    """
    steps: list[Step] = []
    token = ""
    for _ in range(total + 1):
        more = {"ContinuationToken": token} if token else {}
        page = s3.expect(s3.call("ListObjectsV2", **params, **more), ok())
        steps.append(Step(token, page))
        token = page.output.get("NextContinuationToken") or ""
        if page.output.get("IsTruncated") is not True or not token:
            break
    return steps


def every_entry(member: str, what: str, test: Callable[[Any], bool]) -> Matcher:
    """In every one of the Contents, of which there is at least one, `member` (None where absent) passes `test`."""

    def look(seen: Observed) -> str:
        entries = _contents(seen, member)
        wrong = next((entry for entry in entries if not test(entry.get(member))), None)
        if wrong is not None:
            return f"{member} of {wrong.get('Key')!r} was {wrong.get(member)!r}"
        return "" if entries else "there are no Contents"

    return Matcher(f"{member} of every entry: {what}", look)


def members(member: str, values: Iterable[Any]) -> Matcher:
    """`member` of the Contents, entry by entry, exactly."""
    wanted = list(values)

    def look(seen: Observed) -> str:
        entries = _contents(seen, member)
        found = [entry.get(member) for entry in entries]
        return "" if found == wanted and _types(found) == _types(wanted) else f"they were {found!r}"

    return Matcher(f"{member} of the entries {wanted!r}", look)


def _contents(seen: Observed, member: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = seen.output.get("Contents", [])
    if seen.partial and not any(member in entry for entry in entries):
        raise Inexpressible(f"{seen.client} does not show the {member} of an entry")
    return entries


def _types(values: Iterable[Any]) -> list[type]:
    return [type(value) for value in values]
