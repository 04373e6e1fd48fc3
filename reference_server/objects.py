"""Objects and their versions in the store.

The present object of a key is a row of the table `object`; older versions and all delete markers are rows of
`version`, newest first by `rank`. A key whose newest version is a delete marker so has no row in `object`.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from reference_server.blobs import Blob
from reference_server.store import OBJECT_COLUMNS, Bucket, Store

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIELDS = OBJECT_COLUMNS.removeprefix("bucket, ")
# The statements are put together from the constants above, never from a request.
_SELECT = f"SELECT {_FIELDS} FROM object WHERE bucket=? AND key=?"  # noqa: S608
_OPEN = (
    f"SELECT {', '.join(f'o.{name}' for name in _FIELDS.split(', '))}, b.data, b.file "  # noqa: S608
    "FROM object o LEFT JOIN blob b ON b.id=o.blob WHERE o.bucket=? AND o.key=?"
)
_PART_BLOBS = "SELECT b.size, b.data, b.file FROM part p JOIN blob b ON b.id=p.blob WHERE p.upload=? ORDER BY p.number"
_SELECT_OLDER = f"SELECT {_FIELDS}, marker FROM version WHERE bucket=? AND key=?"  # noqa: S608
_INSERT = f"INSERT OR REPLACE INTO object ({OBJECT_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608
_INSERT_OLDER = f"INSERT INTO version ({OBJECT_COLUMNS}, marker) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608
_LISTED = "SELECT key, size, etag, modified, storage_class, algorithm, checksum_type FROM object "
_LIST_FROM = _LISTED + "WHERE bucket=? AND key >= ? ORDER BY key"
_LIST_BEHIND = _LISTED + "WHERE bucket=? AND key > ? ORDER BY key"
_LIST_VERSIONS = (
    "SELECT key, rank, version, size, etag, modified, storage_class, algorithm, checksum_type, 0 AS marker "
    "FROM object WHERE bucket=?1 AND key >= ?2 AND (key, rank) > (?2, ?3) UNION ALL "
    "SELECT key, rank, version, size, etag, modified, storage_class, algorithm, checksum_type, marker "
    "FROM version WHERE bucket=?1 AND (key, rank) > (?2, ?3) ORDER BY key, rank"
)
_COLUMNS = len(_FIELDS.split(", "))
_ID_LETTERS = string.ascii_letters + string.digits + "._"
_VERSION_ID = re.compile(r"([0-7][0-9a-f]{15})[A-Za-z0-9._]{8}[0-9a-f]{8}\Z")
_SEAL = 8


@dataclass(slots=True)
class StoredObject:
    """One version of an object, or a delete marker. Never changed: not frozen only because that makes it slower.

    `etag` is without quotes, `modified` in seconds, `attributes` by names of the service model. `version` is None
    for the null version; of two versions the one with the lower `rank` is newer.
    """

    key: str
    size: int
    etag: str
    modified: int
    storage_class: str = "STANDARD"
    algorithm: str | None = None
    checksum_type: str | None = None
    checksum: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    blob: int | None = None
    upload: int | None = None
    parts: int | None = None
    version: str | None = None
    rank: int = 0
    marker: bool = False

    @property
    def version_id(self) -> str:
        """The version id as clients see it."""
        return self.version or "null"


Check = Callable[[StoredObject | None], None]


@dataclass(frozen=True)
class Deleted:
    """What a delete did: the marker it made, or the version it removed; None for nothing."""

    marker: StoredObject | None = None
    removed: StoredObject | None = None


def version_rank(version_id: str) -> int | None:
    """The rank inside a version id made here, also of one that is deleted (catalogue LVER-009); None for others."""
    found = _VERSION_ID.match(version_id)
    if found is None or _sealed(version_id[:-_SEAL]) != version_id:
        return None
    return -int(found[1], 16)


class Objects:
    """The objects of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # Reading

    def get(self, bucket: Bucket, key: str, version_id: str | None = None) -> StoredObject | None:
        """The present object, or the version (or delete marker) with this id."""
        store = self._store
        if version_id is None:
            row = store.row(_SELECT, bucket.id, key.encode())
            return _object(row) if row else None
        with store.lock:
            present = self.get(bucket, key)
            if present is not None and present.version_id == version_id:
                return present
            if version_id == "null":
                row = store.row(f"{_SELECT_OLDER} AND version IS NULL", bucket.id, key.encode())
            else:
                rank = version_rank(version_id)
                row = store.row(f"{_SELECT_OLDER} AND rank=? AND version=?", bucket.id, key.encode(), rank, version_id)
            return _object(row) if row else None

    def newest(self, bucket: Bucket, key: str) -> StoredObject | None:
        """The newest version, which may be a delete marker."""
        with self._store.lock:
            return self.get(bucket, key) or self._newest_older(bucket, key)

    def open(self, bucket: Bucket, key: str, version_id: str | None = None) -> tuple[StoredObject, list[Blob]] | None:
        """An object with the blobs that hold its body, pinned: `blobs.unpin` them afterwards."""
        with self._store.lock:
            if version_id is None:
                return self._open_present(bucket, key)
            found = self.get(bucket, key, version_id)
            return None if found is None else self._with_blobs(found)

    def _open_present(self, bucket: Bucket, key: str) -> tuple[StoredObject, list[Blob]] | None:
        """The everyday read, in one statement."""
        row = self._store.row(_OPEN, bucket.id, key.encode())
        if row is None:
            return None
        found = _object(row[:_COLUMNS])
        if found.upload is not None:
            return self._with_blobs(found)
        blobs = [Blob(found.size, *row[_COLUMNS:])]
        self._store.blobs.pin(blobs)
        return found, blobs

    def _with_blobs(self, found: StoredObject) -> tuple[StoredObject, list[Blob]]:
        if found.upload is None:
            query, number = "SELECT size, data, file FROM blob WHERE id=?", found.blob
        else:
            query, number = _PART_BLOBS, found.upload
        blobs = [Blob(*row) for row in self._store.rows(query, number)]
        self._store.blobs.pin(blobs)
        return found, blobs

    def rows(self, bucket: Bucket, lower: bytes, *, inclusive: bool) -> Iterator[tuple[Any, ...]]:
        """Listing columns of the present objects from a key on, in order; hold the lock while reading."""
        return self._store.rows(_LIST_FROM if inclusive else _LIST_BEHIND, bucket.id, lower)

    def version_rows(self, bucket: Bucket, lower: bytes, rank: int) -> Iterator[tuple[Any, ...]]:
        """Listing columns of all versions behind (key, rank), by key, newest first; hold the lock while reading."""
        return self._store.rows(_LIST_VERSIONS, bucket.id, lower, rank)

    # Writing

    def put(self, bucket: Bucket, new: StoredObject, blob: Blob | None, check: Check) -> StoredObject:
        """Make an object the present one if `check` (which may raise) accepts the one before."""
        store = self._store
        try:
            with store.transaction():
                versioning = store.still(bucket).versioning
                present = self.get(bucket, new.key)
                check(present)
                stored = new if blob is None else replace(new, blob=store.add_blob(blob))
                if versioning:
                    stored = self._make_room(bucket, stored, present, versioning)
                elif present is not None:
                    self._drop_body(present)
                store.execute(_INSERT, *_columns(bucket, stored))
                self._touch(bucket, new.key, "written")
                return stored
        except BaseException:
            if blob is not None and blob.file is not None:
                store.blobs.remove([blob.file])
            raise

    def delete(self, bucket: Bucket, key: str, check: Check) -> Deleted:
        """Delete without a version id: for good, or with versioning by a delete marker (VER-009 to VER-011)."""
        store = self._store
        with store.transaction():
            versioning = store.still(bucket).versioning
            present = self.get(bucket, key)
            check(present)
            if present is not None:
                self._touch(bucket, key, "deleted")
            if versioning:
                marker = StoredObject(key, 0, "", store.now(), marker=True)
                marker = self._make_room(bucket, marker, present, versioning)
                self._remove_row(bucket, key)
                store.execute(_INSERT_OLDER, *_columns(bucket, marker), 1)
                return Deleted(marker=marker)
            if present is None:
                return Deleted()
            self._drop_body(present)
            self._remove_row(bucket, key)
            return Deleted(removed=present)

    def delete_version(self, bucket: Bucket, key: str, version_id: str, check: Check) -> Deleted:
        """Remove one version for good; the one before it becomes the present one."""
        store = self._store
        with store.transaction():
            store.still(bucket)
            found = self.get(bucket, key, version_id)
            check(found)
            if found is None:
                return Deleted()
            if found == self.get(bucket, key):
                self._touch(bucket, key, "deleted")
            self._drop_body(found)
            self._drop_row(bucket, found)
            self._promote(bucket, key)
            return Deleted(removed=found)

    def change(self, bucket: Bucket, stored: StoredObject, **attributes: Any) -> None:
        """Set attributes of a version, None removes one; its ETag, time and body stay."""
        store = self._store
        with store.transaction():
            fresh = self.get(bucket, stored.key, stored.version_id)
            if fresh is None:
                return
            kept = {name: v for name, v in {**fresh.attributes, **attributes}.items() if v is not None}
            for table in ("object", "version"):
                store.execute(
                    f"UPDATE {table} SET attributes=? WHERE bucket=? AND key=? AND rank=?",  # noqa: S608 - two constants
                    *(json.dumps(kept), bucket.id, stored.key.encode(), fresh.rank),
                )

    # Versions

    def _make_room(
        self, bucket: Bucket, new: StoredObject, present: StoredObject | None, versioning: str
    ) -> StoredObject:
        """Put the present version among the older ones; `new` with its version and rank."""
        newest = present or self._newest_older(bucket, new.key)
        rank = -int(self._store.clock() * 1e9)
        if newest is not None:
            rank = min(rank, newest.rank - 1)  # the clock may go backwards, the order of versions may not
        if versioning == "Enabled":
            if present is not None:
                self._keep(bucket, present)
            return replace(new, version=_new_version_id(rank), rank=rank)
        older_null = self.get(bucket, new.key, "null")
        if older_null is not None:
            self._drop_body(older_null)
            self._drop_row(bucket, older_null)
        if present is not None and present.version is not None:
            self._keep(bucket, present)
        return replace(new, version=None, rank=rank)

    def _newest_older(self, bucket: Bucket, key: str) -> StoredObject | None:
        row = self._store.row(f"{_SELECT_OLDER} ORDER BY rank LIMIT 1", bucket.id, key.encode())
        return _object(row) if row else None

    def _keep(self, bucket: Bucket, present: StoredObject) -> None:
        self._store.execute(_INSERT_OLDER, *_columns(bucket, present), 0)

    def _promote(self, bucket: Bucket, key: str) -> None:
        """If the present object is gone, the newest version takes its place unless it is a delete marker."""
        if self.get(bucket, key) is not None:
            return
        newest = self._newest_older(bucket, key)
        if newest is not None and not newest.marker:
            self._drop_row(bucket, newest)
            self._store.execute(_INSERT, *_columns(bucket, newest))

    def _remove_row(self, bucket: Bucket, key: str) -> None:
        self._store.execute("DELETE FROM object WHERE bucket=? AND key=?", bucket.id, key.encode())

    def _drop_row(self, bucket: Bucket, gone: StoredObject) -> None:
        for table in ("object", "version"):
            self._store.execute(
                f"DELETE FROM {table} WHERE bucket=? AND key=? AND rank=?",  # noqa: S608 - two constants
                *(bucket.id, gone.key.encode(), gone.rank),
            )

    def _drop_body(self, gone: StoredObject) -> None:
        if gone.blob is not None:
            self._store.drop_blob(gone.blob)
        if gone.upload is not None:
            self._store.drop_parts(gone.upload)
            self._store.execute("DELETE FROM upload WHERE seq=?", gone.upload)

    def _touch(self, bucket: Bucket, key: str, how: str) -> None:
        """Note on unfinished uploads of the key that it changed meanwhile (catalogue CWR-010, CWR-011)."""
        self._store.execute(
            "UPDATE upload SET touched=? WHERE bucket=? AND key=? AND fingerprint IS NULL",
            *(how, bucket.id, key.encode()),
        )


def _new_version_id(rank: int) -> str:
    """32 letters, digits, dots and underscores (catalogue VER-006): the rank, what nobody can guess, and a seal."""
    return _sealed(f"{-rank:016x}" + "".join(secrets.choice(_ID_LETTERS) for _ in range(8)))


def _sealed(body: str) -> str:
    """The id with a check sum: like S3, the server tells an id that it never made from one that is gone."""
    return body + hashlib.blake2s(body.encode(), digest_size=_SEAL // 2).hexdigest()


def _columns(bucket: Bucket, stored: StoredObject) -> Sequence[Any]:
    return (
        *(bucket.id, stored.key.encode(), stored.rank, stored.version, stored.size, stored.etag, stored.modified),
        *(stored.storage_class, stored.algorithm, stored.checksum_type, stored.checksum),
        *(json.dumps(stored.attributes) if stored.attributes else "{}", stored.blob, stored.upload, stored.parts),
    )


def _object(row: tuple[Any, ...]) -> StoredObject:
    key, rank, version, size, etag, modified, storage_class, algorithm, kind, checksum, kept, *body = row
    blob, upload, parts, *more = body
    attributes = {} if kept == "{}" else json.loads(kept)
    described = (size, etag, modified, storage_class, algorithm, kind, checksum, attributes)
    return StoredObject(key.decode(), *described, blob, upload, parts, version, rank, bool(more and more[0]))
