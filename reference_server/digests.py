"""Digests of a body while it arrives; of a large one in a thread beside the one that receives it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

#: Bodies up to this many bytes are not worth a thread.
INLINE = 1024 * 1024
# Blocks that may wait, of at most 256 KiB each.
_AHEAD = 16


class Digests:
    """Feeds every block to all updates, in order; on leaving, all of them are done.

    MD5 of a large body takes longer than receiving and storing it: with a second core both go on at once.

    Args:
        updates: of the digests; must not raise.
    """

    def __init__(self, updates: Sequence[Callable[[bytes], object]]) -> None:
        self._updates = updates
        self._size = 0
        self._blocks: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._blocks.put(None)
            self._thread.join()

    def feed(self, data: bytes) -> None:
        """One more block."""
        self._size += len(data)
        if self._thread is None and self._size > INLINE:
            self._thread = self._started()
        if self._thread is not None:
            self._blocks.put(data)
        else:
            self._update(data)

    def _started(self) -> threading.Thread | None:
        thread = threading.Thread(target=self._work, name="digests", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads: then one after the other
            return None
        return thread

    def _work(self) -> None:
        while (data := self._blocks.get()) is not None:
            self._update(data)

    def _update(self, data: bytes) -> None:
        for update in self._updates:
            update(data)
