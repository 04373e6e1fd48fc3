"""What a scenario is given."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import scene
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.sandbox import Sandbox
from harness.scene import Scene
from harness.signals import ClientFault, Mismatch
from harness.wire.sigv4 import Credentials

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def test_thread_that_outlives_its_crowd_sends_nothing_more(tmp_path: Path, answering: Callable[..., Any]) -> None:
    """One request that hangs must not be followed by others when the cell is over and its objects are removed."""
    arrived, go_on = threading.Event(), threading.Event()
    requests: list[bytes] = []

    def answer(request: bytes) -> bytes:
        requests.append(request)
        arrived.set()
        go_on.wait(10)
        return EMPTY

    witness = RawClient(Endpoint(answering(answer).url, Credentials("AK", "SK"), timeout=10))
    scene = Scene("cell", witness, witness, Sandbox("260101000000-abcdef", "w0", witness, tmp_path / "journal"))

    def write(client: RawClient) -> None:
        with contextlib.suppress(RuntimeError):
            for key in "abc":
                client.call("PutObject", {"Bucket": "bucket", "Key": key})

    with scene.crowd(1) as clients:
        thread = threading.Thread(target=write, args=clients, daemon=True)
        thread.start()
        assert arrived.wait(10)
    go_on.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(requests) == 1


def test_website_that_is_nowhere_is_no_fault_of_the_endpoint(tmp_path: Path) -> None:
    """Its address is what the user said."""
    endpoint = Endpoint("http://127.0.0.1:2", Credentials("AK", "SK"), website="http://127.0.0.1:1/{bucket}")
    witness = RawClient(endpoint)
    scene = Scene("cell", witness, witness, Sandbox("260101000000-abcdef", "w0", witness, tmp_path / "journal"))
    with pytest.raises(ClientFault, match="website endpoint is not there"):
        scene.visit("bucket", "/")


def test_answers_of_a_cell_are_bounded_together(
    tmp_path: Path, answering: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may be as large as an answer can be; very many of them would fill the memory."""
    monkeypatch.setattr(scene, "_HELD", 10_000)
    body = b"x" * 4000
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    witness = RawClient(Endpoint(answering(lambda _: reply).url, Credentials("AK", "SK"), timeout=10))
    stage = Scene("cell", witness, witness, Sandbox("260101000000-abcdef", "w0", witness, tmp_path / "journal"))
    for _ in range(2):
        stage.look("GetObject", Bucket="bucket", Key="key")
    stage.forget(0)
    for _ in range(2):
        stage.look("GetObject", Bucket="bucket", Key="key")
    with pytest.raises(Mismatch, match="not huge"):
        stage.look("GetObject", Bucket="bucket", Key="key")
    witness.close()
