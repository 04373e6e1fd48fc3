"""What a run owns: buckets it made, or a prefix in the one bucket it was given.

All of it is journaled before it exists, so that nothing a killed run left behind is forgotten, and nothing else is
ever written or deleted.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from harness.clients.base import MAX_PAGES, Observed
from harness.clients.raw import RawClient
from harness.errors import RunFileError
from harness.limit import OutOfTime, limit

NAME = "s3conform"
DEFAULT_REGION = "us-east-1"
"""The one region with rules of its own: no LocationConstraint, and a relative Location."""
_STEM = re.compile(rf"{NAME}-[0-9]{{12}}-[0-9a-f]{{6}}")
_OWNED = re.compile(rf"{_STEM.pattern}(-[a-z0-9]+)*(\.[a-z0-9]+)*(_x|-X)?")
"""Names that a run can have made; the endings are those that no bucket should have, tried all the same."""
_VERSIONS = 20_000
"""Versions that are deleted in one place: no scenario makes a tenth of it, and a listing may have no end."""
_REFUSALS = 3
"""Deletes in a row that may fail alike before a store is taken to refuse them all."""


class JournalHead(msgspec.Struct, frozen=True, tag_field="kind", tag="run"):
    """First line of a journal: how to reach what it names, without credentials.

    With `implicit` buckets there are none to delete: one without objects does not exist.
    """

    run_id: str
    endpoint: str
    region: str
    addressing: str
    implicit: bool = False


class Owned(msgspec.Struct, frozen=True, tag_field="kind", tag="owned"):
    """A bucket about to be made, or the keys under `prefix` in a bucket that is not the run's own."""

    bucket: str
    prefix: str = ""


class Removed(msgspec.Struct, frozen=True, tag_field="kind", tag="removed"):
    """A bucket of the run that is known to be gone."""

    bucket: str


Entry = JournalHead | Owned | Removed


def append(journal: Path, entry: Entry) -> None:
    """Add a line in one write; several workers share the file."""
    fd = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(fd, msgspec.json.encode(entry) + b"\n")
    finally:
        os.close(fd)


def read_journal(journal: Path) -> tuple[JournalHead, list[Owned]]:
    """The head of a journal and what it names that is not known to be gone.

    Raises:
        RunFileError: no such file, or not a journal.
    """
    try:
        rows = journal.read_bytes().split(b"\n")
    except OSError as error:
        raise RunFileError(f"cannot read journal {journal}: {error.strerror}") from None
    decoder = msgspec.json.Decoder(Entry)
    entries: list[Entry] = []
    for number, row in enumerate(rows[:-1], 1):  # after the last newline: what a kill left of a line
        try:
            entries.append(decoder.decode(row))
        except msgspec.MsgspecError as error:
            raise RunFileError(f"{journal}, line {number}: {error}") from None
    if not entries or not isinstance(entries[0], JournalHead):
        raise RunFileError(f"{journal} is not a journal: its first line does not name a run")
    gone = {entry.bucket for entry in entries if isinstance(entry, Removed)}
    return entries[0], [entry for entry in entries if isinstance(entry, Owned) and entry.bucket not in gone]


def creation(bucket: str, region: str) -> dict[str, Any]:
    """The parameters of CreateBucket in a region; us-east-1 is the one that takes no LocationConstraint."""
    if region == DEFAULT_REGION:
        return {"Bucket": bucket}
    return {"Bucket": bucket, "CreateBucketConfiguration": {"LocationConstraint": region}}


class Sandbox:
    """The part of the endpoint that one worker may use.

    Args:
        run_id: id of the run, part of every name.
        worker: name of the worker, unique within the run.
        witness: client for creation and removal.
        journal: the run's journal.
        bucket: the only bucket that may be used, or "".
        implicit: buckets come into being with their first object, as the profile says.
    """

    def __init__(
        self,
        run_id: str,
        worker: str,
        witness: RawClient,
        journal: Path,
        bucket: str = "",
        implicit: bool = False,
    ) -> None:
        self.confined = bool(bucket)
        self._stem = f"{NAME}-{run_id}-{worker}"
        self._witness = witness
        self._journal = journal
        self._implicit = implicit
        self._count = 0
        self._main: str | None = None
        self._refused: Observed | None = None
        self._given = bucket
        self._prefix = f"{NAME}-{run_id}/" if bucket else ""
        self._fresh: list[str] = []

    def prefix(self, cell: str) -> str:
        """The prefix that belongs to one cell."""
        return f"{self._prefix}{cell}/"

    def bucket(self) -> tuple[str, Observed | None]:
        """The worker's shared bucket, made at first use, and the answer if it could not be made."""
        if self._given:
            if self._main is None:
                self._main = self._given
                append(self._journal, Owned(self._given, self._prefix))
        elif self._main is None or (self._refused is not None and not self._refused.code):
            self._main, self._refused = self._make()  # again, if nothing but a failure was answered
        return self._main, self._refused

    def name(self, ending: str = "") -> str:
        """A bucket name of the run's own that nobody has used; journaled, since a scenario may create it."""
        self._count += 1
        bucket = f"{self._stem}-{self._count}{ending}"
        append(self._journal, Owned(bucket))
        self._fresh.append(bucket)
        return bucket

    def fresh(self) -> tuple[str, Observed | None]:
        """A new empty bucket for one cell, and the answer if it could not be made."""
        return self._make()

    def _make(self) -> tuple[str, Observed | None]:
        bucket = self.name()
        if self._implicit:
            return bucket, None
        made = self._witness.call("CreateBucket", creation(bucket, self._witness.region))
        return bucket, None if made.ok else made

    def end_cell(self) -> None:
        """Remove what the cell made, so that buckets never pile up; what stays is left to the final cleanup."""
        keep = {self._main}
        for bucket in self._fresh:
            if bucket not in keep and not remove(self._witness, Owned(bucket), self._implicit):
                append(self._journal, Removed(bucket))
        self._fresh = [bucket for bucket in self._fresh if bucket in keep]


def cleanup(journal: Path, witness: RawClient, seconds: float) -> list[str]:
    """Remove all that a journal names, within a time.

    Needs no DeleteObjects, asks for versions only where a bucket stays without them or is not the run's, and survives
    every refusal.

    Returns:
        A line for each thing that had to stay, and why.

    Raises:
        RunFileError: no such file, or not a journal.
    """
    head, owned = read_journal(journal)
    leftovers: list[str] = []
    waiting = deque(owned)
    try:
        with limit(seconds):
            while waiting:
                leftovers += _clean(journal, witness, waiting[0], head)
                waiting.popleft()
    except OutOfTime:
        witness.close()
        leftovers += [f"{entry.bucket}/{entry.prefix}: no time left; see the journal" for entry in waiting]
    return leftovers


def _clean(journal: Path, witness: RawClient, entry: Owned, head: JournalHead) -> list[str]:
    if not _is_owned(entry, head.run_id):
        return [f"{entry.bucket}: not a name that this run could have made; left alone"]
    stayed = remove(witness, entry, head.implicit)
    if not stayed and not entry.prefix:
        append(journal, Removed(entry.bucket))
    return stayed


def _is_owned(entry: Owned, run_id: str) -> bool:
    name = entry.prefix.partition("/")[0] if entry.prefix else entry.bucket
    stem = f"{NAME}-{run_id}"
    return bool(_STEM.fullmatch(stem) and _OWNED.fullmatch(name)) and f"{name}-".startswith(f"{stem}-")


def remove(witness: RawClient, owned: Owned, implicit: bool = False) -> list[str]:
    """Delete the objects and uploads of `owned`, then the bucket if it is the run's; says what stayed."""
    params = {"Bucket": owned.bucket} | ({"Prefix": owned.prefix} if owned.prefix else {})
    listing = witness.list_all(2, params | {"EncodingType": "url"})
    if not listing.ok and listing.code != "NoSuchBucket":
        listing = witness.list_all(1, params)
    if not listing.ok and witness.call("HeadBucket", {"Bucket": owned.bucket}).status in (400, 404):
        return []
    stayed = _delete_keys(witness, owned, listing) + _abort_uploads(witness, owned)
    if owned.prefix:
        return stayed + _delete_versions(witness, owned)  # whose bucket it is may keep versions of what was deleted
    if implicit:
        return stayed
    answer = witness.call("DeleteBucket", {"Bucket": owned.bucket})
    if answer.status == 409:
        stayed += _delete_versions(witness, owned)
        answer = witness.call("DeleteBucket", {"Bucket": owned.bucket})
    if not answer.ok and answer.status != 404 and not stayed:
        stayed.append(f"{owned.bucket}: the bucket could not be deleted: {answer.summary()}")
    return stayed


def _delete_keys(witness: RawClient, owned: Owned, listing: Observed) -> list[str]:
    # An endpoint that ignores the prefix must not make us delete what is not ours.
    shown = listing.keys
    if listing.output.get("EncodingType") == "url":  # asked for, since XML cannot carry every key
        shown = [unquote_plus(key) for key in shown]
    found = [key for key in dict.fromkeys(shown) if key.startswith(owned.prefix)]
    targets = ({"Bucket": owned.bucket, "Key": key} for key in found)
    stayed, why = _each(targets, len(found), "DeleteObject", witness)
    lines = [f"{owned.bucket}/{owned.prefix}: {stayed} objects stayed: {why}"] if stayed else []
    if not listing.ok:
        lines.append(f"{owned.bucket}/{owned.prefix}: cannot be listed, contents unknown: {listing.summary()}")
    return lines


def _delete_versions(witness: RawClient, owned: Owned) -> list[str]:
    """Delete what keeps a place of the run's own from being empty: old versions and delete markers."""
    found = list(islice(_versions(witness, owned), _VERSIONS))
    stayed, why = _each(found, len(found), "DeleteObject", witness)
    if stayed:  # a retention that its owner may lift
        found = list(islice(_versions(witness, owned), _VERSIONS))
        lifted = ({**target, "BypassGovernanceRetention": True} for target in found)
        stayed, why = _each(lifted, len(found), "DeleteObject", witness)
    return [f"{owned.bucket}/{owned.prefix}: {stayed} versions stayed: {why}"] if stayed else []


def _versions(witness: RawClient, owned: Owned) -> Iterator[dict[str, Any]]:
    """What addresses each version and delete marker; an endpoint that cannot list them is not asked twice."""
    params: dict[str, Any] = {"Bucket": owned.bucket, "EncodingType": "url"}
    params |= {"Prefix": owned.prefix} if owned.prefix else {}
    for _ in range(MAX_PAGES):
        page = witness.call("ListObjectVersions", params)
        decoded = unquote_plus if page.output.get("EncodingType") == "url" else str
        for entry in [*page.output.get("Versions", []), *page.output.get("DeleteMarkers", [])]:
            key, version = decoded(str(entry.get("Key", ""))), str(entry.get("VersionId", ""))
            if key.startswith(owned.prefix):  # whatever is listed: nothing else is ours
                yield {"Bucket": owned.bucket, "Key": key, "VersionId": version}
        marker = page.output.get("NextKeyMarker")
        if page.output.get("IsTruncated") is not True or not marker:
            return
        params |= {"KeyMarker": decoded(str(marker)), "VersionIdMarker": page.output.get("NextVersionIdMarker", "")}


def _abort_uploads(witness: RawClient, owned: Owned) -> list[str]:
    uploads = [u for u in _uploads(witness, owned) if str(u.get("Key", "")).startswith(owned.prefix)]
    targets = ({"Bucket": owned.bucket, "Key": u.get("Key", ""), "UploadId": u.get("UploadId", "")} for u in uploads)
    stayed, why = _each(targets, len(uploads), "AbortMultipartUpload", witness)
    return [f"{owned.bucket}/{owned.prefix}: {stayed} unfinished uploads stayed: {why}"] if stayed else []


def _uploads(witness: RawClient, owned: Owned) -> Iterator[dict[str, Any]]:
    """Unfinished uploads under the prefix; an endpoint that cannot list them is not asked twice."""
    params: dict[str, Any] = {"Bucket": owned.bucket} | ({"Prefix": owned.prefix} if owned.prefix else {})
    for _ in range(MAX_PAGES):
        page = witness.call("ListMultipartUploads", params)
        yield from page.output.get("Uploads", [])
        marker = page.output.get("NextKeyMarker")
        if page.output.get("IsTruncated") is not True or not marker:
            return
        params |= {"KeyMarker": marker, "UploadIdMarker": page.output.get("NextUploadIdMarker", "")}


def _each(targets: Iterable[dict[str, Any]], total: int, operation: str, witness: RawClient) -> tuple[int, str]:
    """How many of the targets stayed, and the last reason."""
    done, refusals, why = 0, 0, ""
    for target in targets:
        if refusals >= _REFUSALS:
            break
        answer = witness.call(operation, target)
        if answer.ok or answer.status == 404:
            done, refusals = done + 1, 0
        else:
            refusals, why = refusals + 1, answer.summary()
    return total - done, why
