"""Object bodies: small ones as bytes, larger ones as files that appear by an atomic rename.

A file may be replaced or deleted while others still read it: readers pin it, and it is removed with the last
pin. A body therefore never changes or ends early under a reader.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Bodies up to this many bytes are kept in the metadata store.
INLINE = 32 * 1024
_BLOCK = 256 * 1024
_TEMPORARY = "s3conform-"
_MARK = ".in-use"
_OWN_NAME = re.compile(r"[0-9a-f]{32}\Z|\.[0-9a-f]{32}\.tmp\Z")


@dataclass(frozen=True)
class Blob:
    """A stored body: either `data`, or the name of a `file`."""

    size: int
    data: bytes | None = None
    file: str | None = None


class BlobStore:
    """Files below one directory; a temporary one, removed on close, if none is given."""

    def __init__(self, directory: Path | None = None) -> None:
        self._in_use: IO[bytes] | None = None
        if directory is None:
            _remove_abandoned()
            directory, self._in_use = temporary_folder()
        self._directory = directory
        self._directory.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._pins: Counter[str] = Counter()
        self._doomed: set[str] = set()

    def close(self) -> None:
        """Remove the directory if it was temporary."""
        if self._in_use is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._in_use.close()

    def writer(self) -> BlobWriter:
        """A sink for a new body."""
        return BlobWriter(self._directory)

    def sweep(self, known: set[str]) -> None:
        """Remove bodies that nothing refers to, left by a server that was killed; no other files."""
        for path in self._directory.iterdir():
            if path.name not in known and _OWN_NAME.match(path.name):
                path.unlink()

    def pin(self, blobs: Iterable[Blob]) -> None:
        """Keep the files of these blobs until `unpin`."""
        with self._lock:
            self._pins.update(blob.file for blob in blobs if blob.file is not None)

    def unpin(self, blobs: Iterable[Blob]) -> None:
        """Undo one `pin`."""
        for blob in blobs:
            if blob.file is not None:
                with self._lock:
                    self._pins[blob.file] -= 1
                    last = self._pins[blob.file] == 0
                    if last:
                        del self._pins[blob.file]
                    remove = last and blob.file in self._doomed
                    self._doomed.discard(blob.file) if remove else None
                if remove:
                    self._unlink(blob.file)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, now or when their last reader is done."""
        for name in names:
            with self._lock:
                pinned = self._pins[name] > 0
                if pinned:
                    self._doomed.add(name)
                else:
                    del self._pins[name]
            if not pinned:
                self._unlink(name)

    def read(self, blobs: list[Blob], start: int, length: int) -> Iterator[bytes]:
        """`length` bytes from `start` of the blobs joined, in blocks. The blobs must be pinned."""
        for blob in blobs:
            if length <= 0:
                return
            if start >= blob.size:
                start -= blob.size
                continue
            take = min(length, blob.size - start)
            if blob.data is not None:
                yield blob.data[start : start + take]
            elif blob.file is not None:
                yield from self._read_file(blob.file, start, take)
            start, length = 0, length - take

    def _read_file(self, name: str, start: int, length: int) -> Iterator[bytes]:
        with (self._directory / name).open("rb", buffering=0) as file:
            file.seek(start)
            while length > 0:
                data = file.read(min(_BLOCK, length))
                if not data:
                    raise OSError(f"{name} ended {length} bytes early")
                length -= len(data)
                yield data

    def _unlink(self, name: str) -> None:
        # Nothing refers to the file any more: what cannot be removed now is swept at the next start.
        with contextlib.suppress(OSError):
            (self._directory / name).unlink()


def temporary_folder() -> tuple[Path, IO[bytes]]:
    """A temporary directory and its mark: a file that stays locked for as long as this process lives."""
    directory = Path(tempfile.mkdtemp(prefix=_TEMPORARY))
    mark = (directory / "mark").open("wb")
    fcntl.flock(mark, fcntl.LOCK_EX)
    (directory / "mark").rename(directory / _MARK)  # never to be seen unlocked while in use
    return directory, mark


def _remove_abandoned() -> None:
    """Remove our user's temporary directories of servers that were killed: nobody holds their marks."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if directory.lstat().st_uid != os.getuid():
                continue
            with (directory / _MARK).open("rb") as mark:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)


class BlobWriter:
    """Collects one body; turns to a temporary file once it is more than `INLINE` bytes."""

    def __init__(self, directory: Path) -> None:
        self.size = 0
        self._directory = directory
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._name = ""

    def write(self, data: bytes) -> None:
        """Append."""
        self.size += len(data)
        if self._file is not None:
            self._file.write(data)
        elif self.size <= INLINE:
            self._memory += data
        else:
            self._name = secrets.token_hex(16)
            self._file = (self._directory / f".{self._name}.tmp").open("wb")
            self._file.write(self._memory)
            self._file.write(data)
            self._memory.clear()

    def finish(self) -> Blob:
        """The finished blob; a file gets its final name only now."""
        if self._file is None:
            return Blob(self.size, data=bytes(self._memory))
        self._file.close()
        (self._directory / f".{self._name}.tmp").replace(self._directory / self._name)
        self._file = None
        return Blob(self.size, file=self._name)

    def abort(self) -> None:
        """Drop what was written; does nothing after `finish`."""
        if self._file is not None:
            # On a full disk closing fails like writing did; what matters is that the file goes.
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                (self._directory / f".{self._name}.tmp").unlink()
