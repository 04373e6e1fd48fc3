"""A hard bound on the time that anything may take in the main thread, whatever it waits for."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class OutOfTime(BaseException):
    """The time is over. Not an Exception, so that no client takes it for an answer."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in this thread after `seconds`, whatever it waits for. Not to be nested."""
    if seconds <= 0:
        raise OutOfTime

    def ring(_signal: int, _frame: object) -> None:
        raise OutOfTime

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
