"""Standard output and error that outlast their readers: what cannot be shown never decides how a program ends."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class Stream(io.FileIO):
    """A standard stream; once a write has failed, whatever follows is dropped.

    Args:
        fd: its file descriptor, which stays open.

    Attributes:
        lost: why something could not be written, None as long as all was.
    """

    def __init__(self, fd: int) -> None:
        super().__init__(fd, "w", closefd=False)
        self.lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write `data`, or take it as written."""
        try:
            while self.lost is None:
                written = super().write(data)
                if written is not None:
                    return written
                select.select([], [self], [])  # a terminal that some other program made non-blocking
        except OSError as error:
            self.lost = error
        return len(data)


@contextmanager
def lasting() -> Iterator[Stream]:
    """Within the block no write to `sys.stdout` or `sys.stderr` fails; yields what is below `sys.stdout`.

    click and rich end the program with 1 when a pipe is closed, and the interpreter with 120 when the last buffer
    cannot be written: neither is what a run came to.
    """
    _open_closed()
    before = sys.stdout, sys.stderr
    streams = Stream(1), Stream(2)
    sys.stdout, sys.stderr = (_text(stream, old) for stream, old in zip(streams, before, strict=True))
    try:
        yield streams[0]
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


def _text(stream: Stream, old: TextIO | None) -> TextIO:
    encoding, errors = (old.encoding, old.errors) if old is not None else ("utf-8", "replace")
    return io.TextIOWrapper(io.BufferedWriter(stream), encoding, errors, line_buffering=True)


def _open_closed() -> None:
    """A standard descriptor that was closed (`>&-`) is /dev/null: else the next file that is opened would be it."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, which is this one
