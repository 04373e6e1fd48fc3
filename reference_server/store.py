"""The database under everything: one connection, one lock, in memory or in a WAL file; and the buckets in it.

Keys are BLOBs so that SQLite orders them as S3 does, by UTF-8 bytes. Objects and uploads are in `objects` and
`uploads`; every change happens in one transaction together with the condition it depends on.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reference_server.blobs import Blob, BlobStore
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NOT_EMPTY = "The bucket you tried to delete is not empty"
#: Raised whenever the tables change: a folder of another format is refused, not misread.
_FORMAT = 2
#: Columns that the present object of a key and its older versions share.
OBJECT_COLUMNS = (
    "bucket, key, rank, version, size, etag, modified, storage_class, algorithm, checksum_type, checksum, "
    "attributes, blob, upload, parts"
)
# `object` holds what a read without version id sees, `version` all else: older versions and delete markers. Plain
# reads, writes and listings so never meet a version that is not current.
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS bucket (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, owner TEXT, created INTEGER, settings TEXT
);
CREATE TABLE IF NOT EXISTS blob (id INTEGER PRIMARY KEY, size INTEGER, data BLOB, file TEXT);
CREATE TABLE IF NOT EXISTS object ({OBJECT_COLUMNS}, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS version (
    {OBJECT_COLUMNS}, marker INTEGER, PRIMARY KEY (bucket, key, rank)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS null_version ON version (bucket, key) WHERE version IS NULL;
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


@dataclass(frozen=True)
class Bucket:
    """A bucket. `id` is 0 for one that exists only by implication; `settings` by name, see `ops/config`."""

    id: int
    name: str
    owner: str
    created: int
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def versioning(self) -> str:
        """`Enabled`, `Suspended`, or empty if versioning was never set."""
        return str(self.settings.get("versioning", {}).get("Status", ""))


def _check_folder(directory: Path) -> None:
    """Bodies without the database that knows them are not ours to sweep away.

    Raises:
        OSError: there are some.
    """
    blobs = directory / "blobs"
    if not (directory / "metadata.sqlite").exists() and blobs.is_dir() and any(blobs.iterdir()):
        raise OSError("its folder 'blobs' is not empty, and there is no metadata.sqlite for it")


class Store:
    """All metadata. `lock` is held for every statement; hold it to make several of them one step.

    Args:
        directory: where to keep everything; None keeps it in memory.
        clock: seconds since the epoch.
    """

    def __init__(self, directory: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        if directory is not None:
            _check_folder(directory)
        self.blobs = BlobStore(directory / "blobs" if directory else None)
        self.lock = threading.RLock()
        self.clock = clock
        path = str(directory / "metadata.sqlite") if directory else ":memory:"
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        if directory is not None:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
        self._create_tables()
        self._depth = 0
        self._doomed: list[str] = []
        self._buckets: dict[str, Bucket] = {}
        if directory is not None:
            self.blobs.sweep({row[0] for row in self.rows("SELECT file FROM blob WHERE file IS NOT NULL")})

    def _create_tables(self) -> None:
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if found != _FORMAT and self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            self._db.close()
            raise OSError(f"it was written in format {found}, this version of s3conform reads format {_FORMAT}")
        self._db.executescript(f"{_SCHEMA}; PRAGMA user_version={_FORMAT}")

    def now(self) -> int:
        """Seconds since the epoch: S3 shows whole seconds everywhere."""
        return int(self.clock())

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
        self._buckets.clear()
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
        """The bucket of that name, with its settings; from memory after the first time."""
        found = self._buckets.get(name)
        if found is None:
            with self.lock:
                row = self.row("SELECT id, name, owner, created, settings FROM bucket WHERE name=?", name)
                if row is None:
                    return None
                found = self._buckets[name] = self._bucket(row)
        return found

    @staticmethod
    def _bucket(row: tuple[Any, ...]) -> Bucket:
        number, name, owner, created, settings = row
        return Bucket(number, name, owner, created, json.loads(settings))

    def still(self, bucket: Bucket) -> Bucket:
        """The bucket as it is now; call inside a transaction.

        Raises:
            S3Error: NoSuchBucket if it was deleted meanwhile, or deleted and created again.
        """
        found = self.bucket(bucket.name)
        if found is None or found.id != bucket.id:
            raise S3Error("NoSuchBucket", None, {"BucketName": bucket.name})
        return found

    def buckets(self, owner: str) -> list[Bucket]:
        """Buckets of one owner by name, without settings."""
        with self.lock:
            rows = self.rows("SELECT id, name, owner, created FROM bucket WHERE owner=? ORDER BY name", owner)
            return [Bucket(*row) for row in rows]

    def create_bucket(self, name: str, owner: str, settings: Mapping[str, Any] | None = None) -> tuple[Bucket, bool]:
        """The bucket of that name, and whether this call created it."""
        with self.transaction():
            found = self.bucket(name)
            if found is not None:
                return found, False
            created, kept = self.now(), dict(settings or {})
            number = self.execute(
                "INSERT INTO bucket (name, owner, created, settings) VALUES (?,?,?,?)",
                *(name, owner, created, json.dumps(kept)),
            )
            return Bucket(number, name, owner, created, kept), True

    def configure(self, bucket: Bucket, name: str, value: Any) -> None:
        """Set one setting of a bucket; None removes it."""
        with self.transaction():
            settings = dict(self.still(bucket).settings)
            settings[name] = value
            kept = {name: value for name, value in settings.items() if value is not None}
            self.execute("UPDATE bucket SET settings=? WHERE id=?", json.dumps(kept), bucket.id)
            del self._buckets[bucket.name]

    def delete_bucket(self, bucket: Bucket) -> None:
        """Delete an empty bucket with its unfinished uploads (catalogue MPU-027).

        Raises:
            S3Error: BucketNotEmpty, also for old versions and delete markers (BKT-015); NoSuchBucket.
        """
        with self.transaction():
            versioning = self.still(bucket).versioning
            for table in ("object", "version"):
                if self.row(f"SELECT 1 FROM {table} WHERE bucket=? LIMIT 1", bucket.id):  # noqa: S608 - two constants
                    message = f"{_NOT_EMPTY}. You must delete all versions in the bucket." if versioning else _NOT_EMPTY
                    raise S3Error("BucketNotEmpty", message, {"BucketName": bucket.name})
            for (number,) in list(self.rows("SELECT seq FROM upload WHERE bucket=?", bucket.id)):
                self.drop_parts(number)
            self.execute("DELETE FROM upload WHERE bucket=?", bucket.id)
            self.execute("DELETE FROM bucket WHERE id=?", bucket.id)
            del self._buckets[bucket.name]

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
