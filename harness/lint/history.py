"""Rules over the exchanges of one cell: LINT-004 and 029 (GET and HEAD), 010, 025, 030 and 033.

What was seen of an object or a bucket holds until something is written there; where requests overlap, nothing holds.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import NamedTuple

from harness.lint.headers import METADATA
from harness.lint.pages import Walk, echoes, page
from harness.lint.view import View, shown
from harness.wire import model

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_CHANGING = frozenset({"x-amz-restore", "x-amz-replication-status", "x-amz-request-charged", "content-length"})
"""Headers that change by themselves or with the request; Content-Length is LINT-004."""
_ASKED = ("x-amz-checksum-mode", "x-amz-server-side-encryption-customer-key-md5")
"""Request headers that change what an answer shows."""
_VERSIONING = frozenset({"PutBucketVersioning", "PutObjectLockConfiguration", "PutBucketReplication"})


class _Read(NamedTuple):
    """The headers of a read, and which state of the object they are of."""

    state: tuple[int, int]
    headers: dict[str, str]


class History:
    """What the exchanges of a cell have shown so far."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._written: Counter[str] = Counter()
        """Writes anywhere in a bucket."""
        self._wide: Counter[str] = Counter()
        """Writes to a bucket that may be to any object."""
        self._objects: Counter[tuple[str, str]] = Counter()
        """Writes to an object."""
        self._reads: dict[tuple[str, ...], _Read] = {}
        self._expires: dict[tuple[str, str], tuple[tuple[int, int], str]] = {}
        self._unversioned: dict[str, bool] = {}
        self._walk = Walk()

    def take(self, view: View) -> None:
        """The next exchange in order."""
        if view.status:
            self._request_id(view)
            echoes(view)
            self._versions(view)
        found = page(view) if view.status else None
        if view.exchange.method not in _READS or view.seen.crowded:
            self._write(view)
        elif view.trusted and view.status == 200 and view.operation in ("GetObject", "HeadObject"):
            self._read(view)
        elif found is not None and view.trusted and view.seen.final:
            self._walk.take(view, found, self._written[view.bucket])

    def _request_id(self, view: View) -> None:
        """LINT-030: no two requests have one id."""
        for name in ("x-amz-request-id", "x-amz-id-2"):
            value = view.headers.get(name)
            if value and self._ids.setdefault(f"{name} {value}", view.index) != view.index:
                told = view.say if name == "x-amz-request-id" else view.warn
                told("LINT-030", f"{name} {shown(value)} was that of an earlier answer too", f"{name} again")

    def _state(self, view: View) -> tuple[int, int]:
        return self._wide[view.bucket], self._objects[view.bucket, view.key]

    def _write(self, view: View) -> None:
        self._written[view.bucket] += 1
        if view.key:
            self._objects[view.bucket, view.key] += 1
        else:
            self._wide[view.bucket] += 1
        if view.operation == "PutObject" and view.success and not view.seen.crowded:
            self._expires[view.bucket, view.key] = self._state(view), view.asked.get("expires", "").strip()

    def _read(self, view: View) -> None:
        if "range" in view.asked or any(name.startswith(("response-", "partNumber")) for name in view.query):
            return
        state, version = self._state(view), view.query.get("versionId", "")
        self._compared(view, state, version)
        stored = self._expires.get((view.bucket, view.key))
        found = view.headers.get("expires", "")
        if stored and stored[0] == state and not version and stored[1].isascii() and stored[1] != found:
            view.say("LINT-010", f"Expires is {shown(found)}; {shown(stored[1])} was stored")

    def _compared(self, view: View, state: tuple[int, int], version: str) -> None:
        """LINT-029, and the length of LINT-004: GET and HEAD say the same."""
        asked = [view.asked.get(name, "").lower() for name in _ASKED]
        place = (view.bucket, view.key, version, *asked)
        self._reads[(*place, view.exchange.method)] = _Read(state, view.headers)
        other = self._reads.get((*place, "HEAD" if view.exchange.method == "GET" else "GET"))
        if other is None or other.state != state:
            return
        names = {name for name in (*view.headers, *other.headers) if name in _shared() or name.startswith(METADATA)}
        for name in sorted(names):
            one, two = view.headers.get(name), other.headers.get(name)
            if one != two:
                told = f"{name} is {_named(one)} here and {_named(two)} in the other of GET and HEAD"
                view.say("LINT-029", told, name)
        one, two = view.headers.get("content-length"), other.headers.get("content-length")
        if one is not None and two is not None and one != two:
            view.say("LINT-004", f"Content-Length is {one} here and {two} in the other of GET and HEAD", "same")

    def _versions(self, view: View) -> None:
        """LINT-033: versions have ids only where versioning was set."""
        bucket = view.bucket
        if view.operation in _VERSIONING or view.operation == "DeleteBucket":
            self._unversioned[bucket] = False
        elif view.operation == "CreateBucket" and view.success:
            locked = "x-amz-bucket-object-lock-enabled" in view.asked
            self._unversioned[bucket] = not locked and self._unversioned.get(bucket, True)
        elif view.operation == "GetBucketVersioning" and view.success and _is_versioning(view):
            self._unversioned[bucket] = view.document is not None and not view.document.get("Status")
        elif view.key and view.success and self._unversioned.get(bucket) and "x-amz-version-id" in view.headers:
            told = f"x-amz-version-id {shown(view.headers['x-amz-version-id'])} from a bucket without versioning"
            view.say("LINT-033", told, "version")


@functools.cache
def _shared() -> frozenset[str]:
    """The headers of GetObject that HeadObject has too, in lower case."""
    names = []
    for operation in ("GetObject", "HeadObject"):
        shape = model.operation(operation).output_shape
        members = shape.members.values() if shape else ()
        names.append({m.serialization["name"].lower() for m in members if m.serialization.get("location") == "header"})
    return frozenset(names[0] & names[1]) - _CHANGING


def _named(value: str | None) -> str:
    return "missing" if value is None else shown(value)


def _is_versioning(view: View) -> bool:
    """Whether an answer is about versioning at all, and not a listing that every sub-resource gets."""
    return view.document is not None and "Versioning" in view.document.tag
