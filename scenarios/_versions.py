"""What a listing of versions must show, by brute force, and how versions are written for it.

The model is as short as the rule: keys by their UTF-8 bytes, within a key the newest first, the first of a key is
its latest. It shares no code with the reference server.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.expect import Matcher, ok
from harness.scene import Scene
from harness.signals import Inexpressible, Prerequisite


class Version(NamedTuple):
    """A version of an object, or a delete marker, as a listing shows it."""

    key: str
    id: str
    marker: bool = False
    latest: bool = False


def write(s3: Scene, bucket: str, steps: Iterable[str]) -> list[Version]:
    """Write versions to prepare the scene, in this order: a key stores one, "-" and a key deletes it.

    Gives what a listing without parameters shows afterwards.
    """
    made = [_written(s3, bucket, step) for step in steps]
    return in_order(made)


def _written(s3: Scene, bucket: str, step: str) -> Version:
    key, marker = step.removeprefix("-"), step.startswith("-")
    answer = (
        s3.setup("DeleteObject", Bucket=bucket, Key=key)
        if marker
        else s3.setup("PutObject", Bucket=bucket, Key=key, Body=step.encode())
    )
    version_id = answer.output.get("VersionId")
    if not version_id:  # which it must have, says VER-005 and VER-009
        raise Prerequisite(dataclasses.replace(answer, failure="the answer names no version, with versioning enabled"))
    return Version(key, str(version_id), marker)


def in_order(made: Sequence[Version]) -> list[Version]:
    """Versions, given from the oldest to the newest, in the order of a listing, and which of them are the latest."""
    newest = {version.key: version.id for version in made}
    newest_first = [version._replace(latest=newest[version.key] == version.id) for version in made]
    newest_first.reverse()
    return sorted(newest_first, key=lambda version: version.key.encode())


def folded(entries: Iterable[Version], prefix: str, delimiter: str) -> tuple[list[Version], list[str]]:
    """The versions and the common prefixes of a listing with prefix and delimiter."""
    shown: list[Version] = []
    groups: dict[str, None] = {}
    for entry in entries:
        at = entry.key.find(delimiter, len(prefix))
        if entry.key.startswith(prefix) and at >= 0:
            groups[entry.key[: at + len(delimiter)]] = None
        elif entry.key.startswith(prefix):
            shown.append(entry)
    return shown, list(groups)


def found(seen: Observed) -> list[Version]:
    """What an answer shows: its versions, then its delete markers, each in the order shown."""
    lists = ((False, seen.output.get("Versions")), (True, seen.output.get("DeleteMarkers")))
    return [
        Version(str(entry.get("Key")), str(entry.get("VersionId")), marker, entry.get("IsLatest") is True)
        for marker, entries in lists
        for entry in entries or []
    ]


def versions(wanted: Sequence[Version]) -> Matcher:
    """Exactly these versions and these delete markers, each once, the ones and the others in order.

    How the two kinds stand among each other is another statement, see `mixed`.
    """
    expected = sorted(wanted, key=lambda version: version.marker)

    def test(seen: Observed) -> str:
        if not seen.ok:
            return f"got {seen.summary()}"
        return "" if found(seen) == expected else f"the entries were {_words(found(seen))}"

    return Matcher(f"the entries {_words(expected)}", test)


def mixed(wanted: Sequence[Version]) -> Matcher:
    """The versions and delete markers of a document come in this one order."""

    def test(seen: Observed) -> str:
        if seen.document is None:
            raise Inexpressible(f"{seen.client} does not show the document")
        tags = [child for child in seen.document if child.tag in ("Version", "DeleteMarker")]
        shown = [(child.get("Key"), child.get("VersionId")) for child in tags]
        return "" if shown == [version[:2] for version in wanted] else f"they came as {[one.tag for one in tags]}"

    return Matcher("versions and delete markers in one order, each key's from the newest to the oldest", test)


def _words(entries: Sequence[Version]) -> str:
    """Entries for a message: key, id, and what else they are."""
    words = [
        f"{entry.key!r} {entry.id[:12]}{' marker' if entry.marker else ''}{' latest' if entry.latest else ''}"
        for entry in entries[:12]
    ]
    return f"[{', '.join(words)}{f', … {len(entries)} in all' if len(entries) > 12 else ''}]"


class Step(NamedTuple):
    """One page of a walk, and the markers that asked for it."""

    markers: dict[str, str]
    page: Observed


def walk(s3: Scene, total: int, **params: Any) -> list[Step]:
    """The pages of ListObjectVersions, marker by marker, as far as they lead: at most one more than entries."""
    steps: list[Step] = []
    markers: dict[str, str] = {}
    for _ in range(total + 1):
        page = s3.expect(s3.call("ListObjectVersions", **params, **markers), ok())
        steps.append(Step(markers, page))
        following = {
            "KeyMarker": page.output.get("NextKeyMarker"),
            "VersionIdMarker": page.output.get("NextVersionIdMarker"),
        }
        markers = {name: value for name, value in following.items() if value}
        if page.output.get("IsTruncated") is not True or not markers:
            break
    return steps
