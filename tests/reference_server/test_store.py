"""The store across restarts."""

from __future__ import annotations

import errno
import io
import sqlite3
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from reference_server.blobs import INLINE, BlobStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Running

    Serve = Callable[..., Iterator[Running]]


def test_everything_survives_a_restart(serve: Serve, tmp_path: Path) -> None:
    for first in (True, False):
        for running in serve(data=tmp_path / "data"):
            raw = running.raw()
            if first:
                raw("PUT", "/kept")
                raw("PUT", "/kept/small", b"s", {"x-amz-meta-m": "v"})
                raw("PUT", "/kept/big", b"b" * 100_000)
                upload = raw("POST", "/kept/parts?uploads").element("UploadId")
                raw("PUT", f"/kept/parts?partNumber=1&uploadId={upload}", b"p" * 100_000)
                for name in ("0" * 32, f".{'1' * 32}.tmp", "not-ours"):
                    (tmp_path / "data" / "blobs" / name).write_bytes(b"x")
            else:
                assert raw("GET", "/kept/small").headers["x-amz-meta-m"] == "v"
                assert raw("GET", "/kept/big").body == b"b" * 100_000
                assert raw("GET", f"/kept/parts?uploadId={upload}").elements("Size") == ["100000"]
                assert (tmp_path / "data" / "blobs" / "not-ours").exists()
                assert len(list((tmp_path / "data" / "blobs").iterdir())) == 3


def test_memory_mode_leaves_nothing_behind(serve: Serve) -> None:
    for running in serve():
        folder = running.store.blobs._directory
        raw = running.raw()
        raw("PUT", "/gone")
        raw("PUT", "/gone/big", b"b" * 100_000)
        assert len(list(folder.glob("?" * 32))) == 1
    assert not folder.exists()


class _FullDisk:
    """A database whose commits fail, as they do on a full disk."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real
        self.full = True

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        if self.full and sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return self._real.execute(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_a_failed_commit_changes_nothing(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for running in serve():
        raw = running.raw()
        raw("PUT", "/full")
        raw("PUT", "/full/old", b"o" * 100_000)
        disk = _FullDisk(running.store._db)
        monkeypatch.setattr(running.store, "_db", disk)
        assert raw("DELETE", "/full/old").status == 500
        assert raw("PUT", "/full/old", b"n" * 100_000).status == 500
        disk.full = False
        assert raw("PUT", "/full/other", b"x").status == 200
        assert raw("GET", "/full/old").body == b"o" * 100_000
        assert len(list(running.store.blobs._directory.glob("?" * 32))) == 1


class _FullFile(io.BytesIO):
    """A file whose buffer finds no room on the disk."""

    full = True

    def close(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().close()


def test_a_body_that_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    writer = BlobStore(tmp_path).writer()
    writer.write(b"x" * (INLINE + 1))
    assert writer._file is not None
    writer._file.close()
    writer._file = file = _FullFile()
    with pytest.raises(OSError, match="No space left"):
        writer.finish()
    writer.abort()
    file.full = False  # what is left of it closes quietly when it is collected
    assert list(tmp_path.iterdir()) == []


def test_temporary_folders_of_killed_servers_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("s3conform-killed", "s3conform-other-program"):
        (tmp_path / name).mkdir()
    (tmp_path / "s3conform-killed" / ".in-use").touch()
    living, later = BlobStore(), BlobStore()
    assert living._directory.exists()
    assert len(list(tmp_path.iterdir())) == 3
    living.close()
    later.close()
    assert [path.name for path in tmp_path.iterdir()] == ["s3conform-other-program"]
