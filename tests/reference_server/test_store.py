"""The store across restarts."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
