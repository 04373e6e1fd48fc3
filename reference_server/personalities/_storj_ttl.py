"""Storj's objects that expire: X-Amz-Meta-Object-Expires and X-Minio-Meta-Object-Expires (storj/docs 47615f65)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error
from reference_server.views import view

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_server.blobs import Blob
    from reference_server.call import Call
    from reference_server.objects import Objects, StoredObject
    from reference_server.store import Bucket, Store
    from reference_server.uploads import Uploads

#: Among the attributes of an object or upload: when it expires, in seconds since the epoch.
EXPIRES = "ExpiresAt"

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_UNIT = "ns|us|µs|μs|ms|s|m|h"
_STEP = re.compile(rf"(\d+\.?\d*|\.\d+)({_UNIT})")
_DURATION = re.compile(rf"\+(?:(?:\d+\.?\d*|\.\d+)(?:{_UNIT}))+\Z")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)\Z")


def deadline(text: str, now: float) -> float | None:
    """When an object with this TTL expires; None for never.

    Raises:
        S3Error: InvalidTTL.
    """
    if text in ("", "none"):
        return None
    if _DURATION.match(text):
        return now + sum(float(number) * _UNITS[unit] for number, unit in _STEP.findall(text))
    if _RFC3339.match(text):
        try:
            return dt.datetime.fromisoformat(text).timestamp()
        except ValueError:
            pass  # the form of a date, but no such day or hour
    raise S3Error("InvalidTTL", "The TTL you have specified is invalid.")


def asked(call: Call) -> float | None:
    """When what a request stores expires; X-Amz-Meta-Object-Expires counts before X-Minio-Meta-Object-Expires.

    Raises:
        S3Error: InvalidTTL.
    """
    metadata: dict[str, str] = call.members.get("Metadata") or {}
    text = metadata.get("object-expires", call.request.headers.get("x-minio-meta-object-expires", ""))
    # Header bytes are read as latin-1, a micro sign in them is UTF-8.
    return deadline(text.encode("latin-1", "replace").decode("utf-8", "replace"), call.store.clock())


def stamping_objects(objects: Objects, when: float) -> Objects:
    """The same objects, but what is put there expires."""

    def put(bucket: Bucket, new: StoredObject, blob: Blob | None, check: Callable[..., Any]) -> StoredObject:
        return objects.put(bucket, replace(new, attributes={**new.attributes, EXPIRES: when}), blob, check)

    return view(objects, put=put)


def stamping_uploads(uploads: Uploads, when: float) -> Uploads:
    """The same uploads, but what is begun there becomes an object that expires."""

    def create(bucket: Bucket, key: str, attributes: dict[str, Any], *others: Any) -> str:
        return uploads.create(bucket, key, {**attributes, EXPIRES: when}, *others)

    return view(uploads, create=create)


class Expiry:
    """Removes what has expired, as soon as anybody asks for anything.

    Args:
        store: where everything is kept.
        objects: the objects in it.
    """

    def __init__(self, store: Store, objects: Objects) -> None:
        self._store = store
        self._objects = objects
        self._soonest = 0.0  # not known: a store may come with objects that expire

    def expects(self, when: float | None) -> None:
        """Something expires then."""
        if when is not None:
            self._soonest = min(self._soonest, when)

    def sweep(self) -> None:
        """Remove everything whose time has come, by the clock of the server."""
        now = self._store.clock()
        if now < self._soonest:
            return
        with self._store.transaction():
            expired = list(
                self._store.rows(
                    "SELECT b.name, o.key FROM object o JOIN bucket b ON b.id=o.bucket "
                    "WHERE json_extract(o.attributes, ?) <= ?",
                    *(f"$.{EXPIRES}", now),
                )
            )
            for name, key in expired:
                bucket = self._store.bucket(name)
                if bucket is not None:
                    self._objects.delete(bucket, key.decode(), lambda _: None)
            row = self._store.row("SELECT min(json_extract(attributes, ?)) FROM object", f"$.{EXPIRES}")
            self._soonest = row[0] if row is not None and row[0] is not None else float("inf")
