"""Killed at any moment: what was answered 200 is there and whole, nothing half is, and leftovers are swept."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import pytest

from reference_server.blobs import INLINE
from tests.reference_server.conftest import Raw
from tests.reference_server.test_command import started

_WRITERS = 3
_SIZES = (0, 1, 100, INLINE, INLINE + 1, 300_000)


@contextmanager
def serving(data: Path) -> Iterator[tuple[subprocess.Popen[str], Raw]]:
    """A server process over a folder, and signed requests to it."""
    with started("--json", "--until-eof", "--data", str(data)) as process:
        facts = json.loads(process.stdout.readline())
        yield process, Raw(facts["endpoint"], (facts["access_key"], facts["secret_key"]))


@dataclass
class Writer:
    """Writes, overwrites and deletes keys of its own until the server is gone.

    `certain`: what the last answered request left under a key. `possible`: what else may be there, because the
    request was on its way when the server died. None is "no object".
    """

    name: str
    raw: Raw
    seed: int
    certain: dict[str, bytes | None] = field(default_factory=dict)
    possible: dict[str, bytes | None] = field(default_factory=dict)

    def run(self) -> None:
        choose = random.Random(self.seed)  # noqa: S311 - not for secrets
        try:
            while True:
                key = f"{self.name}/{choose.randrange(12)}"
                body = choose.randbytes(choose.choice(_SIZES)) if choose.random() < 0.8 else None
                self.possible[key] = body
                if self.send(key, body, in_parts=choose.random() < 0.3):
                    self.certain[key] = body
                del self.possible[key]
        except (OSError, HTTPException):
            return

    def send(self, key: str, body: bytes | None, *, in_parts: bool) -> bool:
        path = f"/bucket/{key}"
        if body is None:
            return self.raw("DELETE", path).status == 204
        if not in_parts:
            return self.raw("PUT", path, body).status == 200
        upload = self.raw("POST", f"{path}?uploads").element("UploadId")
        etag = self.raw("PUT", f"{path}?partNumber=1&uploadId={upload}", body).headers["etag"]
        part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>".encode()
        return self.raw("POST", f"{path}?uploadId={upload}", document).status == 200


def killed_while_writing(data: Path, seconds: float, seed: int) -> list[Writer]:
    """Let writers work for a while, kill the server under them."""
    with serving(data) as (process, raw):
        raw("PUT", "/bucket")
        writers = [Writer(f"{seed}-{number}", raw, seed * 10 + number) for number in range(_WRITERS)]
        threads = [threading.Thread(target=writer.run) for writer in writers]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        process.kill()
        process.wait(10)
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
    return writers


def check(raw: Raw, writer: Writer) -> int:
    """Every key holds what was answered last, or what was on its way; how many objects there are."""
    found = 0
    for key in {*writer.certain, *writer.possible}:
        allowed = [writer.certain.get(key)] + ([writer.possible[key]] if key in writer.possible else [])
        reply = raw("GET", f"/bucket/{key}")
        body = reply.body if reply.status == 200 else None
        assert reply.status in (200, 404)
        assert body in allowed, (key, len(body or b""), [len(one or b"") for one in allowed])
        if body is not None:
            found += 1
            etag = reply.headers["etag"].strip('"')
            digest = hashlib.md5(body)
            composite = hashlib.md5(digest.digest()).hexdigest() + "-1"
            assert etag in (digest.hexdigest(), composite)
    return found


@pytest.mark.parametrize("seconds", [0.15, 0.4, 0.8])
def test_what_was_answered_survives_a_kill(tmp_path: Path, seconds: float) -> None:
    data = tmp_path / "data"
    seed = int(seconds * 100)
    writers = killed_while_writing(data, seconds, seed) + killed_while_writing(data, seconds, seed + 1)
    assert sum(len(writer.certain) for writer in writers) > 10
    (data / "blobs" / f".{'0' * 32}.tmp").write_bytes(b"half an object")
    (data / "blobs" / ("f" * 32)).write_bytes(b"nobody's object")
    with serving(data) as (_, raw):
        present = sum(check(raw, writer) for writer in writers)
        keys: list[str] = []
        token = ""
        while True:
            page = raw("GET", f"/bucket?list-type=2{token}")
            keys += page.elements("Key")
            if page.element("IsTruncated") == "false":
                break
            token = f"&continuation-token={page.element('NextContinuationToken')}"
        assert len(keys) == present
    with sqlite3.connect(data / "metadata.sqlite") as database:
        known = {row[0] for row in database.execute("SELECT file FROM blob WHERE file IS NOT NULL")}
    database.close()
    assert {path.name for path in (data / "blobs").iterdir()} == known
