"""What scenarios about several clients at the same time share: rounds, threads, and a reader that is slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.expect import Matcher
from harness.scene import Scene
from harness.signals import Mismatch
from harness.wire.http1 import Answer, Connection, Origin

Result = TypeVar("Result")

SECONDS = 5.0
"""How long the rounds of one scenario may take against an endpoint that is slow; the one that is on is ended."""

BUSY = (409, 503)
"""Statuses by which S3 lets one of several requests at the same time try again: a conflict, and SlowDown."""


def rounds(s3: Scene, most: int, seconds: float = SECONDS) -> Iterator[int]:
    """The numbers of so many rounds, or of those that there was time for: at least one, and a note tells.

    Of the rounds that pass, the calls of the last one stay as evidence.
    """
    begun, until = len(s3.seen), time.monotonic() + seconds
    for number in range(most):
        if number and time.monotonic() > until:
            s3.note(f"made {number} of {most} rounds in {seconds:g} s")
            return
        s3.forget(begun)
        yield number


def together(s3: Scene, works: Sequence[Callable[[], Result]]) -> list[Result]:
    """What several pieces of work come to that begin at the same moment, each in a thread of its own.

    Raises:
        Mismatch: one is not done in the time that a client waits for answers; what one raises comes out as it is.
    """
    results: list[Result | BaseException | None] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(at: int, work: Callable[[], Result]) -> None:
        try:
            start.wait()
            results[at] = work()
        except BaseException as error:
            results[at] = error

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + s3.witness.endpoint.cell_limit / 3
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        raise Mismatch("answers to requests at the same time", "some had none when the time was over")
    done = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done  # type: ignore[return-value] # a result may itself be None, so that only the threads tell


def expect_each(s3: Scene, observed: Iterable[Observed], *matchers: Matcher) -> None:
    """Every one of many observations is as it should be; of those that are, only the last one stays as evidence."""
    last = None
    for seen in observed:
        s3.keep("client", seen)
        s3.expect(seen, *matchers)
        last = s3.seen.pop()
    if last is not None:
        s3.seen.append(last)


def statuses(seen: Iterable[Observed]) -> str:
    """Answers for a message: `200, 412 PreconditionFailed`."""
    return ", ".join(each.summary() for each in seen)


def clean(*refusals: int) -> Matcher:
    """Success, or one of these refusals; never a failure of the server, a broken connection or no answer at all."""

    def test(seen: Observed) -> str:
        return "" if seen.ok or (seen.status in refusals and not seen.failure) else f"got {seen.summary()}"

    return Matcher(f"success, or a refusal with status {' or '.join(map(str, refusals))}", test)


class SlowReader(RawClient):
    """A client that does not read an answer whose first bytes are there until something has been done.

    How much of it is on its way by then is up to the system: 3 MB on Linux, where nothing else is set. A documented
    redirect is no such answer: it is followed at once.

    Args:
        endpoint: where to send.
        meanwhile: done while the answer waits to be read.
    """

    def __init__(self, endpoint: Endpoint, meanwhile: Callable[[], Any]) -> None:
        super().__init__(endpoint)
        slow = _Slow(Origin.of(endpoint.url), endpoint.timeout, endpoint.tls())
        slow.meanwhile, slow.passed = meanwhile, [str(status).encode() for status in endpoint.follow]
        self._connection = slow

    def _at(self, url: str, connection: Connection) -> Connection:
        connection.close()
        connection.origin = Origin.of(url)._replace(path="")
        return connection


class _Slow(Connection):
    """A connection that does something else before it reads an answer, of whatever status but those that are passed."""

    meanwhile: Callable[[], Any]
    passed: Sequence[bytes]

    def _read(self, stream: Any, method: str) -> tuple[Answer, bool]:
        status_line: bytes = stream.makefile("rb").peek(1)
        if status_line[9:12] not in self.passed:
            self.meanwhile()
        return super()._read(stream, method)
