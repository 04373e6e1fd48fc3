"""Buckets and objects in SQLite: one connection, one lock, in memory or in a WAL file.

Keys are BLOBs so that SQLite orders them as S3 does, by UTF-8 bytes. Every change of an object happens in one
transaction together with the condition it depends on.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from reference_server.blobs import Blob, BlobStore
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS bucket (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, owner TEXT, created INTEGER
);
CREATE TABLE IF NOT EXISTS blob (id INTEGER PRIMARY KEY, size INTEGER, data BLOB, file TEXT);
CREATE TABLE IF NOT EXISTS object (
    bucket INTEGER, key BLOB, size INTEGER, etag TEXT, modified INTEGER, storage_class TEXT,
    algorithm TEXT, checksum_type TEXT, checksum TEXT, attributes TEXT, blob INTEGER, upload INTEGER,
    parts INTEGER,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, bucket INTEGER, key BLOB, initiated INTEGER,
    storage_class TEXT, algorithm TEXT, checksum_type TEXT, attributes TEXT, touched TEXT, fingerprint TEXT,
    result TEXT
);
CREATE INDEX IF NOT EXISTS open_upload ON upload (bucket, key, seq) WHERE fingerprint IS NULL;
CREATE TABLE IF NOT EXISTS part (
    upload INTEGER, number INTEGER, size INTEGER, etag TEXT, modified INTEGER, checksums TEXT, blob INTEGER,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
"""
_SELECT_OBJECT = (
    "SELECT key, size, etag, modified, storage_class, algorithm, checksum_type, checksum, attributes, blob, "
    "upload, parts FROM object WHERE bucket=? AND key=?"
)
_INSERT_OBJECT = (
    "INSERT OR REPLACE INTO object (bucket, key, size, etag, modified, storage_class, algorithm, "
    "checksum_type, checksum, attributes, blob, upload, parts) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_LISTED = "SELECT key, size, etag, modified, storage_class, algorithm, checksum_type FROM object "
_LIST_FROM = _LISTED + "WHERE bucket=? AND key >= ? ORDER BY key"
_LIST_BEHIND = _LISTED + "WHERE bucket=? AND key > ? ORDER BY key"


@dataclass(frozen=True)
class Bucket:
    """A bucket. `id` is 0 for one that exists only by implication."""

    id: int
    name: str
    owner: str
    created: int


@dataclass(frozen=True)
class StoredObject:
    """Metadata of one object; `etag` without quotes, `modified` in seconds, `attributes` by model names."""

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


Check = Callable[[StoredObject | None], None]


def now() -> int:
    """Seconds since the epoch: S3 shows whole seconds everywhere."""
    return int(time.time())


class Store:
    """All metadata. `lock` is held for every statement; hold it to make several of them one step."""

    def __init__(self, directory: Path | None = None) -> None:
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        self.blobs = BlobStore(directory / "blobs" if directory else None)
        self.lock = threading.RLock()
        path = str(directory / "metadata.sqlite") if directory else ":memory:"
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        if directory is not None:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._depth = 0
        self._doomed: list[str] = []
        if directory is not None:
            self.blobs.sweep({row[0] for row in self.rows("SELECT file FROM blob WHERE file IS NOT NULL")})

    def close(self) -> None:
        """Close the database and drop temporary files."""
        with self.lock:
            self._db.close()
        self.blobs.close()

    # Statements

    def rows(self, sql: str, *parameters: Any) -> Iterator[tuple[Any, ...]]:
        """Rows of a query, read as they are asked for: hold the lock meanwhile."""
        return self._db.execute(sql, parameters)

    def row(self, sql: str, *parameters: Any) -> tuple[Any, ...] | None:
        """The first row of a query."""
        with self.lock:
            found: tuple[Any, ...] | None = self._db.execute(sql, parameters).fetchone()
        return found

    def execute(self, sql: str, *parameters: Any) -> int:
        """Run a statement; the id of the row it inserted."""
        with self.lock:
            return self._db.execute(sql, parameters).lastrowid or 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing. Files of dropped blobs go after the commit."""
        doomed: list[str] = []
        with self.lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._db.execute("COMMIT")
                    doomed, self._doomed = self._doomed, []
            except BaseException:
                if self._depth == 1:
                    self._undo()
                raise
            finally:
                self._depth -= 1
        self.blobs.remove(doomed)

    def _undo(self) -> None:
        """Roll back. A full disk makes even a commit fail, and SQLite may have rolled back by itself then."""
        self._doomed = []
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    # Settings

    def setting(self, name: str, default: Callable[[], str]) -> str:
        """A value kept with the data, created on first use."""
        with self.transaction():
            row = self.row("SELECT value FROM setting WHERE name=?", name)
            if row is not None:
                return str(row[0])
            value = default()
            self.execute("INSERT INTO setting VALUES (?,?)", name, value)
            return value

    # Buckets

    def bucket(self, name: str) -> Bucket | None:
        """The bucket of that name."""
        row = self.row("SELECT id, name, owner, created FROM bucket WHERE name=?", name)
        return Bucket(*row) if row else None

    def buckets(self, owner: str) -> list[Bucket]:
        """Buckets of one owner by name."""
        with self.lock:
            rows = self.rows("SELECT id, name, owner, created FROM bucket WHERE owner=? ORDER BY name", owner)
            return [Bucket(*row) for row in rows]

    def create_bucket(self, name: str, owner: str) -> tuple[Bucket, bool]:
        """The bucket of that name, and whether this call created it."""
        with self.transaction():
            found = self.bucket(name)
            if found is not None:
                return found, False
            created = now()
            number = self.execute("INSERT INTO bucket (name, owner, created) VALUES (?,?,?)", name, owner, created)
            return Bucket(number, name, owner, created), True

    def delete_bucket(self, bucket: Bucket) -> None:
        """Delete an empty bucket with its unfinished uploads (catalogue MPU-027).

        Raises:
            S3Error: BucketNotEmpty, NoSuchBucket.
        """
        with self.transaction():
            if self.row("SELECT 1 FROM object WHERE bucket=? LIMIT 1", bucket.id):
                raise S3Error("BucketNotEmpty", None, {"BucketName": bucket.name})
            if self.bucket(bucket.name) is None:
                raise S3Error("NoSuchBucket", None, {"BucketName": bucket.name})
            for (number,) in list(self.rows("SELECT seq FROM upload WHERE bucket=?", bucket.id)):
                self.drop_parts(number)
            self.execute("DELETE FROM upload WHERE bucket=?", bucket.id)
            self.execute("DELETE FROM bucket WHERE id=?", bucket.id)

    # Blobs

    def add_blob(self, blob: Blob) -> int:
        """Record a body; call inside a transaction."""
        return self.execute("INSERT INTO blob (size, data, file) VALUES (?,?,?)", blob.size, blob.data, blob.file)

    def drop_blob(self, number: int) -> None:
        """Forget a body; its file goes after the commit."""
        row = self.row("DELETE FROM blob WHERE id=? RETURNING file", number)
        if row and row[0]:
            self._doomed.append(row[0])

    def drop_parts(self, upload: int) -> None:
        """Forget the parts of an upload and their bodies."""
        for (number,) in list(self.rows("SELECT blob FROM part WHERE upload=?", upload)):
            self.drop_blob(number)
        self.execute("DELETE FROM part WHERE upload=?", upload)

    # Objects

    def object(self, bucket: Bucket, key: str) -> StoredObject | None:
        """Metadata of one object."""
        row = self.row(_SELECT_OBJECT, bucket.id, key.encode())
        return stored_object(row) if row else None

    def open_object(self, bucket: Bucket, key: str) -> tuple[StoredObject, list[Blob]] | None:
        """An object with the blobs that hold its body, pinned: `blobs.unpin` them afterwards."""
        with self.lock:
            found = self.object(bucket, key)
            if found is None:
                return None
            if found.upload is None:
                query = "SELECT size, data, file FROM blob WHERE id=?"
                blobs = [Blob(*row) for row in self.rows(query, found.blob)]
            else:
                query = (
                    "SELECT b.size, b.data, b.file FROM part p JOIN blob b ON b.id=p.blob "
                    "WHERE p.upload=? ORDER BY p.number"
                )
                blobs = [Blob(*row) for row in self.rows(query, found.upload)]
            self.blobs.pin(blobs)
            return found, blobs

    def put_object(self, bucket: Bucket, new: StoredObject, blob: Blob | None, check: Check) -> StoredObject:
        """Replace an object if `check` (which may raise) accepts the present one."""
        try:
            with self.transaction():
                present = self.object(bucket, new.key)
                check(present)
                if self.bucket(bucket.name) != bucket:
                    raise S3Error("NoSuchBucket", None, {"BucketName": bucket.name})
                if present is not None:
                    self._drop_body(present)
                stored = new if blob is None else replace(new, blob=self.add_blob(blob))
                self._write(bucket, stored)
                self._touch(bucket, new.key, "written")
                return stored
        except BaseException:
            if blob is not None and blob.file is not None:
                self.blobs.remove([blob.file])
            raise

    def delete_object(self, bucket: Bucket, key: str, check: Check) -> bool:
        """Delete an object if `check` accepts it; whether there was one."""
        with self.transaction():
            present = self.object(bucket, key)
            check(present)
            if present is None:
                return False
            self._drop_body(present)
            self.execute("DELETE FROM object WHERE bucket=? AND key=?", bucket.id, key.encode())
            self._touch(bucket, key, "deleted")
            return True

    def _write(self, bucket: Bucket, new: StoredObject) -> None:
        self.execute(
            _INSERT_OBJECT,
            *(
                bucket.id,
                new.key.encode(),
                new.size,
                new.etag,
                new.modified,
                new.storage_class,
                new.algorithm,
            ),
            *(new.checksum_type, new.checksum, json.dumps(new.attributes), new.blob, new.upload, new.parts),
        )

    def _drop_body(self, present: StoredObject) -> None:
        if present.blob is not None:
            self.drop_blob(present.blob)
        if present.upload is not None:
            self.drop_parts(present.upload)

    def _touch(self, bucket: Bucket, key: str, how: str) -> None:
        """Note on unfinished uploads of the key that it changed meanwhile (catalogue CWR-010, CWR-011)."""
        self.execute(
            "UPDATE upload SET touched=? WHERE bucket=? AND key=? AND fingerprint IS NULL",
            *(how, bucket.id, key.encode()),
        )

    def object_rows(self, bucket: Bucket, lower: bytes, *, inclusive: bool) -> Iterator[tuple[Any, ...]]:
        """Listing columns of the objects from a key on, in order; hold the lock while reading."""
        return self.rows(_LIST_FROM if inclusive else _LIST_BEHIND, bucket.id, lower)


def stored_object(row: tuple[Any, ...]) -> StoredObject:
    """An object from its row."""
    key, size, etag, modified, storage_class, algorithm, checksum_type, checksum, kept, *body = row
    described = (size, etag, modified, storage_class, algorithm, checksum_type, checksum)
    return StoredObject(key.decode(), *described, json.loads(kept), *body)
