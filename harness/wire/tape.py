"""What the wiretap keeps of each exchange, within bounds of number and size, and what may pass at all."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from msgspec import structs

from harness.wire.exchange import BODY_CAP, Body, Exchange
from harness.wire.framing import (
    Framing,
    FramingError,
    Head,
    UntilClose,
    request_body,
    response_body,
    status_of,
)
from harness.wire.http1 import Answer

MAX_BODY = 4 * 1024 * 1024
"""Bytes of one response body that are kept for reading: more than the largest page of a listing has."""
MAX_BODIES = 16 * 1024 * 1024
"""Bytes of response bodies that one tape keeps."""
ALWAYS = 64 * 1024
"""Bytes of each response body that are kept whatever else was: error documents are shorter."""
MAX_SENT = 64 * 1024
"""Bytes of one request body that are kept for reading: more than all documents but the largest have."""
MAX_SENDS = 8 * 1024 * 1024
"""Bytes of request bodies that one tape keeps."""
MAX_RECORDS = 2000
"""Exchanges that one tape keeps; beyond, those in the middle are dropped."""
_MAX_INTERIM = 32


class Recorded(NamedTuple):
    """One exchange; `answer` holds its response for reading, with at most `MAX_BODY` bytes of body.

    `interim` lists the 1xx statuses that came before it. `answer` is None where no response came. `fault`: what went
    wrong is the wiretap's own, and says nothing of the endpoint. `sent` is the whole body of the request, None if it
    was not kept whole; `whole` says that the answer came, and was kept, to its end.
    """

    exchange: Exchange
    answer: Answer | None
    interim: tuple[int, ...] = ()
    fault: bool = False
    sent: bytes | None = None
    whole: bool = False


class Budget(NamedTuple):
    """What one call of a client may cost: more is cut, so that what does not end is judged, not suffered.

    Attributes:
        requests: number of requests.
        received: bytes of answers' bodies.
    """

    requests: int = 1000
    received: int = 1024 * 1024 * 1024


class Tape:
    """The exchanges of one call; written by the threads of the wiretap, read by its owner."""

    def __init__(self, budget: Budget | None = None) -> None:
        self.seen = 0
        self._allowed = budget or Budget()
        self._received = 0
        self._records: list[Recorded] = []
        self._open = 0
        self.crowded = False
        self._budget = MAX_BODIES
        self._sends = MAX_SENDS
        self._changed = threading.Condition()

    def begin(self) -> None:
        """A request has begun."""
        with self._changed:
            self.seen += 1
            self._open += 1
            self.crowded = self.crowded or self._open > 1

    @property
    def spent(self) -> str:
        """Why nothing more may pass, "" while it may."""
        if self.seen > self._allowed.requests:
            return f"does not end: cut after {self._allowed.requests} requests"
        if self._received > self._allowed.received:
            return f"does not end: cut after {self._allowed.received} bytes"
        return ""

    def grant(self, size: int, kept: int) -> int:
        """How many of `size` bytes of a response body that came may be kept, beside the `kept` ones before them."""
        with self._changed:
            self._received += size
            free = min(size, max(0, ALWAYS - kept))
            more = min(size - free, max(0, MAX_BODY - kept - free), self._budget)
            self._budget -= more
            return free + more

    def grant_sent(self, size: int, kept: int) -> int:
        """How many of `size` bytes of a request body may be kept, beside the `kept` ones before them."""
        with self._changed:
            free = min(size, max(0, BODY_CAP - kept))
            more = min(size - free, max(0, MAX_SENT - kept - free), self._sends)
            self._sends -= more
            return free + more

    def end(self, record: Recorded) -> None:
        """A request that had begun has ended."""
        with self._changed:
            self._records.append(record)
            if len(self._records) > MAX_RECORDS:
                del self._records[MAX_RECORDS // 2]
            self._open -= 1
            self._changed.notify_all()

    def settled(self, seconds: float) -> bool:
        """Whether every request that began has ended, waiting for it that long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, seconds)

    def records(self) -> list[Recorded]:
        """What has been recorded so far, in the order the exchanges ended."""
        with self._changed:
            return list(self._records)


class Transaction:
    """One request on its way, with what is known of its response.

    Raises:
        FramingError: the request's Content-Length is none.
    """

    def __init__(self, tape: Tape, head: Head, url: str) -> None:
        self.body = request_body(head)
        self.framing: Framing | None = None
        self.ended = False
        self.size = 0
        self.cut = -1
        self._tape, self._head, self._url = tape, head, url
        self._method = head.start.partition(" ")[0]
        self._sent, self._sent_size = bytearray(), 0
        self._answer: tuple[int, str, Head] | None = None
        self._kept = bytearray()
        self._interim: list[int] = []
        self._problem = ""
        self._ending = threading.Lock()
        self._started = time.monotonic()
        tape.begin()

    @property
    def done(self) -> bool:
        """Whether request and response are both complete."""
        return self.body.done and self.framing is not None and self.framing.done

    @property
    def held_back(self) -> bool:
        """Whether the client asked to be told to send its body, was answered without that, and has sent none of it.

        It need not send it any more (RFC 9110 section 10.1.1); boto3 goes on with its next request.
        """
        waits = any(value.lower() == "100-continue" for value in self._head.get("expect"))
        return waits and 100 not in self._interim and not self._sent_size

    def request(self, data: bytes) -> int:
        """The number of bytes that belong to the request's body."""
        used, content = self.body.feed(data)
        self._sent_size += len(content)
        self._sent += content[: self._tape.grant_sent(len(content), len(self._sent))]
        return used

    def response(self, data: bytes) -> int:
        """The number of bytes that belong to the response's body."""
        if self.framing is None:
            return 0
        used, content = self.framing.feed(data)
        self.size += len(content)
        self._kept += content[: self._tape.grant(len(content), len(self._kept))]
        return used

    @property
    def over(self) -> str:
        """Why the response is to be cut now, or ""."""
        return "a fault on purpose" if 0 <= self.cut < self.size else self._tape.spent

    def answered(self, head: Head) -> None:
        """Take in the head of a response, interim or final.

        Raises:
            FramingError: it is not one, or there are too many interim ones.
        """
        status, reason = status_of(head)
        if status < 200 and status != 101:
            self._interim.append(status)
            if len(self._interim) > _MAX_INTERIM:
                raise FramingError(f"more than {_MAX_INTERIM} interim answers")
            return
        self._answer = (status, reason, head)
        self.framing = UntilClose() if status == 101 else response_body(head, self._method, status)

    def garbled(self, problem: str) -> None:
        """The response is not HTTP from here on; the rest is passed on until the connection ends."""
        self._problem = self._problem or problem[:300]
        self.framing = UntilClose()

    def end(self, error: str = "", stray: bytes = b"", *, fault: bool = False) -> None:
        """Record the exchange as it stands, once, from whichever thread comes first.

        Args:
            error: what went wrong.
            stray: bytes that came where no body may be.
            fault: it went wrong in the wiretap itself.
        """
        if not self._ending.acquire(blocking=False):
            return
        self.ended = True
        body = bytes(self._kept)
        stray = b"" if self.size else stray[:BODY_CAP]
        exchange = Exchange(
            method=self._method,
            url=self._url,
            request_headers=self._head.headers,
            request_body=Body.of(bytes(self._sent), self._sent_size),
            response_body=Body.of(body or stray, self.size or len(stray)),
            error=self._problem or error,
            seconds=time.monotonic() - self._started,
        )
        sent = bytes(self._sent) if self.body.done and len(self._sent) == self._sent_size else None
        if self._answer is None:
            self._tape.end(Recorded(exchange, None, tuple(self._interim), fault, sent))
            return
        status, reason, head = self._answer
        exchange = structs.replace(exchange, status=status, reason=reason, response_headers=head.headers)
        answer = Answer(status, reason, head.headers, body, stray)
        whole = self.framing is not None and self.framing.done and not exchange.error and len(body) == self.size
        self._tape.end(Recorded(exchange, answer, tuple(self._interim), fault, sent, whole))
