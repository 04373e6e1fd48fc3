"""Many objects in a data folder, past HTTP: the one place here that knows how the server keeps them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from reference_server.objects import Objects, StoredObject
from reference_server.store import Store

_MD5 = "d41d8cd98f00b204e9800998ecf8427e"
_EMPTY = StoredObject("", 0, _MD5, 0, "STANDARD", "CRC64NVME", "FULL_OBJECT", "AAAAAAAAAAA=")


def fill(folder: Path, bucket: str, keys: Iterable[str]) -> None:
    """Put empty objects into a bucket that is there.

    Args:
        folder: a data folder that no server uses now.
        bucket: its name.
        keys: quickest in order.
    """
    store = Store(folder)
    objects, modified = Objects(store), store.now()
    try:
        with store.transaction():
            found = store.bucket(bucket)
            assert found is not None
            for key in keys:
                objects.put(found, replace(_EMPTY, key=key, modified=modified), None, lambda _: None)
    finally:
        store.close()
