"""Multipart uploads in the store: open ones, their parts, and the memory of finished ones."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error
from reference_server.store import Bucket, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_server.blobs import Blob
    from reference_server.objects import Check, Objects, StoredObject

_SELECT_UPLOAD = (
    "SELECT seq, id, initiated, storage_class, algorithm, checksum_type, attributes, touched, fingerprint, "
    "result FROM upload WHERE id=? AND bucket=? AND key=?"
)


@dataclass(frozen=True)
class Upload:
    """One upload. `touched`: how its key changed since; `fingerprint` and `result`: set once finished."""

    seq: int
    id: str
    key: str
    initiated: int
    storage_class: str
    algorithm: str | None
    checksum_type: str | None
    attributes: dict[str, Any]
    touched: str | None
    fingerprint: str | None
    result: dict[str, Any] | None


@dataclass(frozen=True)
class Part:
    """One part; `etag` without quotes, `checksums` base64 by algorithm."""

    number: int
    size: int
    etag: str
    modified: int
    checksums: dict[str, str]
    blob: int


class Uploads:
    """Multipart uploads of a store."""

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects

    def create(
        self,
        bucket: Bucket,
        key: str,
        attributes: dict[str, Any],
        storage_class: str,
        checksum: tuple[str | None, str | None],
    ) -> str:
        """Begin an upload; `checksum` is algorithm and type. Returns its id."""
        upload_id = secrets.token_hex(48)  # not base64, of which one in 64 begins like an option of a command line
        with self._store.transaction():
            self._store.still(bucket)
            self._store.execute(
                "INSERT INTO upload "
                "(id, bucket, key, initiated, storage_class, algorithm, checksum_type, attributes) "
                "VALUES (?,?,?,?,?,?,?,?)",
                *(
                    upload_id,
                    bucket.id,
                    key.encode(),
                    self._store.now(),
                    storage_class,
                    *checksum,
                    json.dumps(attributes),
                ),
            )
        return upload_id

    def find(self, bucket: Bucket, key: str, upload_id: str, *, finished: bool = False) -> Upload:
        """The upload with this id and key.

        Raises:
            S3Error: NoSuchUpload if there is none, or it is finished and `finished` is false.
        """
        row = self._store.row(_SELECT_UPLOAD, upload_id, bucket.id, key.encode())
        if row is None or (row[8] is not None and not finished):
            raise S3Error("NoSuchUpload", None, {"UploadId": upload_id})
        seq, found_id, initiated, kept_class, algorithm, kind, kept, touched, fingerprint, result = row
        described = (kept_class, algorithm, kind, json.loads(kept), touched, fingerprint)
        return Upload(seq, found_id, key, initiated, *described, json.loads(result) if result else None)

    def put_part(self, bucket: Bucket, upload: Upload, part: Part, blob: Blob) -> None:
        """Store a part, in place of an earlier one of that number."""
        store = self._store
        try:
            with store.transaction():
                self.find(bucket, upload.key, upload.id)
                row = store.row("SELECT blob FROM part WHERE upload=? AND number=?", upload.seq, part.number)
                if row is not None:
                    store.drop_blob(row[0])
                store.execute(
                    "INSERT OR REPLACE INTO part VALUES (?,?,?,?,?,?,?)",
                    *(upload.seq, part.number, part.size, part.etag, part.modified),
                    *(json.dumps(part.checksums), store.add_blob(blob)),
                )
        except BaseException:
            if blob.file is not None:
                store.blobs.remove([blob.file])
            raise

    def parts(self, upload: int, after: int = 0, limit: int = -1) -> list[Part]:
        """Parts of the upload with this number, ascending, from part number `after` on (exclusive)."""
        with self._store.lock:
            rows = self._store.rows(
                "SELECT number, size, etag, modified, checksums, blob FROM part WHERE upload=? AND number>? "
                "ORDER BY number LIMIT ?",
                *(upload, after, limit),
            )
            return [
                Part(number, size, etag, modified, json.loads(values), blob)
                for number, size, etag, modified, values, blob in rows
            ]

    def finish(
        self,
        bucket: Bucket,
        upload: Upload,
        new: StoredObject,
        finished: tuple[set[int], str, dict[str, Any]],
        check: Check,
    ) -> dict[str, Any]:
        """Turn an upload into an object; the result, with the version id if the bucket has versions.

        Args:
            bucket: where.
            upload: which.
            new: metadata of the object.
            finished: part numbers in use, fingerprint of the request, its result for a repetition.
            check: condition on the present object; may raise.
        """
        store = self._store
        used, fingerprint, result = finished
        with store.transaction():
            self.find(bucket, upload.key, upload.id)
            for part in self.parts(upload.seq):
                if part.number not in used:
                    store.drop_blob(part.blob)
                    store.execute("DELETE FROM part WHERE upload=? AND number=?", upload.seq, part.number)
            stored = self._objects.put(bucket, new, None, check)
            if stored.version is not None:
                result = {**result, "VersionId": stored.version}
            store.execute(
                "UPDATE upload SET fingerprint=?, result=? WHERE seq=?",
                fingerprint,
                json.dumps(result),
                upload.seq,
            )
        return result

    def abort(self, bucket: Bucket, key: str, upload_id: str) -> None:
        """Forget an unfinished upload and its parts."""
        with self._store.transaction():
            upload = self.find(bucket, key, upload_id)
            self._store.drop_parts(upload.seq)
            self._store.execute("DELETE FROM upload WHERE seq=?", upload.seq)

    def rows(self, bucket: Bucket, lower: bytes, after: int) -> Iterator[tuple[Any, ...]]:
        """Unfinished uploads behind (key, seq), in order; hold the lock while reading."""
        return self._store.rows(
            "SELECT key, seq, id, initiated, storage_class, algorithm, checksum_type, "
            "json_extract(attributes, '$.Initiator') FROM upload "
            "WHERE bucket=? AND fingerprint IS NULL AND (key, seq) > (?, ?) ORDER BY key, seq",
            *(bucket.id, lower, after),
        )
