"""Digests beside the receiving thread: every byte, in order, all done at the end."""

from __future__ import annotations

import hashlib
import random
import threading

import pytest

from reference_server.digests import INLINE, Digests


@pytest.mark.parametrize("size", [0, 1, INLINE, INLINE + 1, 5 * INLINE])
def test_every_byte_counts_once_and_in_order(size: int) -> None:
    """Small bodies here, large ones in a thread: the digest is that of the whole."""
    body = random.Random(size).randbytes(size)  # noqa: S311 - bytes, not secrets
    md5, sha256 = hashlib.md5(), hashlib.sha256()
    with Digests([md5.update, sha256.update]) as digests:
        for at in range(0, size, 60_001):
            digests.feed(body[at : at + 60_001])
    assert (md5.digest(), sha256.digest()) == (hashlib.md5(body).digest(), hashlib.sha256(body).digest())


def test_a_body_that_breaks_off_leaves_no_thread() -> None:
    before = threading.active_count()

    def cut() -> None:
        with Digests([hashlib.md5().update]) as digests:
            digests.feed(bytes(INLINE + 1))
            raise ConnectionError

    with pytest.raises(ConnectionError):
        cut()
    assert threading.active_count() == before


def test_without_threads_it_goes_on_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    md5 = hashlib.md5()
    with Digests([md5.update]) as digests:
        for _ in range(3):
            digests.feed(bytes(INLINE))
    assert md5.digest() == hashlib.md5(bytes(3 * INLINE)).digest()
