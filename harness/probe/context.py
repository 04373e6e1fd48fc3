"""What an experiment is given and what it gives: requests that cannot go on for ever, and findings."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.record import NOTHING, UNKNOWN
from harness.sandbox import Sandbox
from harness.wire.exchange import Exchange, Headers
from harness.wire.http1 import Origin
from harness.wire.sigv4 import EMPTY_SHA256, encode, sign

_PAUSE = 0.05
_TRIES = 4
_THROTTLED = 200
_DEAD = 5
"""Requests in a row without any answer after which the endpoint is taken to be gone."""
_CODE = 60
_FAILURE = 400


@dataclass(frozen=True)
class Finding:
    """What an experiment found out about one knob.

    Attributes:
        knob: name of the knob, see `harness.probe.knobs`.
        value: the best value here; UNKNOWN or NOTHING if there is none.
        observation: what led to it, one sentence without the endpoint's control characters.
        works: all values that clients can work with here; by default `value` alone.
        exchanges: the requests that it rests on.
    """

    knob: str
    value: str
    observation: str
    works: tuple[str, ...] = ()
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def working(self) -> tuple[str, ...]:
        """All values that clients can work with here; none if nothing is known."""
        return () if self.value in (UNKNOWN, NOTHING) else self.works or (self.value,)


class Undecided(Exception):
    """An experiment cannot come to a finding; the text says why."""


class Stop(Exception):
    """No further request makes sense; the text says why."""


Experiment = Callable[["Context"], Iterator[Finding]]


class Registered(NamedTuple):
    """An experiment, and the knobs that it owes a finding for; `bucket`: it needs one to work in."""

    knobs: tuple[str, ...]
    run: Experiment
    bucket: bool


def experiment(*knobs: str, bucket: bool = True) -> Callable[[Experiment], Registered]:
    """Turn a generator of findings into an experiment about `knobs`."""
    return lambda function: Registered(knobs, function, bucket)


class Context:
    """The endpoint as experiments see it: signed requests below one prefix of one bucket.

    Args:
        endpoint: where to send them.
        client: what sends them.
        sandbox: where the bucket comes from; further ones may be made in it.
        deadline: when `time.monotonic()` shows this, no further request is sent.
    """

    def __init__(self, endpoint: Endpoint, client: RawClient, sandbox: Sandbox, deadline: float) -> None:
        self.endpoint = endpoint
        self.sandbox = sandbox
        self.throttled: list[Observed] = []
        self.bucket, self.refused = sandbox.bucket()
        self.prefix = sandbox.prefix("probe")
        self._client = client
        self._deadline = deadline
        self._failures = 0

    @functools.cached_property
    def obstacle(self) -> str:
        """Why no experiment that needs a bucket can work, or "": they tell nothing where nothing can be stored."""
        if self.refused is not None:
            return f"no bucket could be made ({said(self.refused)}); name one with --bucket"
        put = self.put("first", b"first")
        if not put.ok:
            return f"a plain upload is answered {said(put)}"
        got = self.get("first")
        return "" if same(got, b"first") else f"a plain download is answered {read(got)}"

    def fresh(self) -> tuple[str, Observed | None]:
        """A bucket more, and the answer if it could not be made."""
        bucket, refused = self.sandbox.fresh()
        while refused is not None and refused.status == 429 and len(self.throttled) < _THROTTLED:
            self.throttled.append(refused)
            time.sleep(_PAUSE)
            bucket, refused = self.sandbox.fresh()
        return bucket, refused

    @property
    def origin(self) -> Origin:
        """Where the endpoint listens."""
        return Origin.of(self.endpoint.url)

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:
        """One operation as the service model writes it."""
        return self._paced(lambda: self._client.call(operation, params))

    def put(self, name: str, body: bytes, headers: Headers = [], unsigned: Headers = []) -> Observed:  # noqa: B006
        """PutObject below the prefix; `unsigned` header lines are not covered by the signature."""
        return self.object("PutObject", "PUT", name, headers, body, unsigned=unsigned)

    def get(
        self,
        name: str,
        headers: Headers = [],  # noqa: B006 - never changed
        query: str = "",
        unsigned: Headers = [],  # noqa: B006 - never changed
        addressing: str = "",
    ) -> Observed:
        """GetObject below the prefix."""
        return self.object("GetObject", "GET", name, headers, query=query, unsigned=unsigned, addressing=addressing)

    def object(
        self,
        operation: str,
        method: str,
        name: str,
        headers: Headers = [],  # noqa: B006 - never changed
        body: bytes = b"",
        *,
        query: str = "",
        unsigned: Headers = [],  # noqa: B006 - never changed
        addressing: str = "",
    ) -> Observed:
        """A request for one object below the prefix."""
        path = f"/{self.bucket}/{encode(self.prefix + name, safe='/')}"
        return self.send(operation, method, path, headers, body, query=query, unsigned=unsigned, addressing=addressing)

    def send(
        self,
        operation: str,
        method: str,
        path: str,
        headers: Headers = [],  # noqa: B006 - never changed
        body: bytes = b"",
        *,
        query: str = "",
        unsigned: Headers = [],  # noqa: B006 - never changed
        addressing: str = "",
    ) -> Observed:
        """A request for the bucket or something in it, signed but for the `unsigned` header lines.

        Raises:
            Stop: the time is over, or the endpoint has gone.
        """
        target = path + (f"?{query}" if query else "")
        style = addressing or self.endpoint.addressing
        if not unsigned:
            return self._paced(
                lambda: self._client.send(
                    operation, method, target, headers, body, bucket=self.bucket, addressing=style
                )
            )
        framed = any(name.lower() == "transfer-encoding" for name, _ in unsigned)
        return self._paced(
            lambda: self._client.send(
                operation,
                method,
                target,
                [*self.signature(method, target, headers, body, style), *unsigned],
                body,
                bucket=self.bucket,
                addressing=style,
                signing=None,
                content_length=not framed,
            )
        )

    def fetch(self, url: str) -> Observed:
        """What a presigned URL gives."""
        return self._paced(lambda: self._client.fetch(url))

    def address(self, target: str, style: str = "") -> tuple[str, str]:
        """The Host value, and the request target as it is sent, of a path-style target in the bucket."""
        origin = self.origin
        if (style or self.endpoint.addressing) == "virtual":
            rest = target[len(self.bucket) + 1 :]
            return f"{self.bucket}.{origin.authority}", origin.path + (rest if rest.startswith("/") else f"/{rest}")
        return origin.authority, origin.path + target

    def signature(self, method: str, target: str, headers: Headers, body: bytes, style: str = "") -> Headers:
        """`headers` with those that sign them."""
        host, target = self.address(target, style)
        now, credentials = dt.datetime.now(dt.UTC), self.endpoint.credentials
        given = {name.lower(): value for name, value in headers}
        digest = given.get("x-amz-content-sha256") or (hashlib.sha256(body).hexdigest() if body else EMPTY_SHA256)
        lines = [*headers, ("x-amz-date", now.strftime("%Y%m%dT%H%M%SZ"))]
        if "x-amz-content-sha256" not in given:
            lines.append(("x-amz-content-sha256", digest))
        if credentials.session_token:
            lines.append(("x-amz-security-token", credentials.session_token))
        value = sign(method, target, [("Host", host), *lines], digest, credentials, self.endpoint.region, now)
        return [*lines, ("Authorization", value)]

    def _paced(self, ask: Callable[[], Observed]) -> Observed:
        """One answer; where the endpoint asks to slow down, the next one, since every client tries again."""
        answer = self._once(ask)
        for _ in range(_TRIES - 1):
            if answer.status != 429 and answer.code != "SlowDown":
                break
            self.throttled.append(answer)
            time.sleep(_PAUSE)
            answer = self._once(ask)
        return answer

    def _once(self, ask: Callable[[], Observed]) -> Observed:
        """One answer. A request that gets none is sent once more: what then fails too is no accident."""
        answer = self._sent(ask)
        return self._sent(ask) if answer.failure else answer

    def _sent(self, ask: Callable[[], Observed]) -> Observed:
        if time.monotonic() > self._deadline:
            raise Stop("there was no time left")
        answer = ask()
        self._failures = self._failures + 1 if answer.failure else 0
        if self._failures >= _DEAD:
            raise Stop(f"the endpoint stopped answering ({plain(answer.failure, _FAILURE)})")
        return answer


def plain(text: str, cap: int) -> str:
    """`text` as part of one line of what can be seen, whoever wrote it.

    What is longer than `cap` characters is left out whole: of a secret, its beginning would not be recognised.
    """
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return f"[{len(line)} characters]" if len(line) > cap else line


def said(answer: Observed) -> str:
    """An answer in a few words that fit into a sentence: status and code, or what happened instead."""
    if answer.failure:
        return f"not at all ({plain(answer.failure, _FAILURE)})"
    code = plain(answer.code, _CODE)
    return f"{answer.status} {code}" if code and code != str(answer.status) else str(answer.status)


def read(answer: Observed) -> str:
    """A download that was to bring certain bytes, and did not, in a few words."""
    return f"{said(answer)} with other bytes" if answer.ok else said(answer)


def evidence(*answers: Observed) -> list[Exchange]:
    """The exchanges of answers, in their order."""
    return [exchange for answer in answers for exchange in answer.exchanges]


def need(answer: Observed, what: str) -> Observed:
    """`answer` if it is a success.

    Raises:
        Undecided: it is none, so that nothing that rests on it can be found out.
    """
    if not answer.ok:
        raise Undecided(f"{what} is answered {said(answer)}")
    return answer


def same(answer: Observed, body: bytes) -> bool:
    """Whether a download succeeded with these bytes."""
    return answer.ok and answer.body == body


def bare(etag: str | None) -> str:
    """An ETag as clients compare it: without quotation marks, in lower case."""
    return (etag or "").strip('"').lower()


def md5(data: bytes) -> str:
    """MD5 in hexadecimal digits, as ETags have it."""
    return hashlib.md5(data).hexdigest()


def b64(digest: bytes) -> str:
    """A digest as headers carry it."""
    return base64.b64encode(digest).decode()


def listed(names: Iterable[str], most: int = 3) -> str:
    """Names in a sentence, the first few of them."""
    found = [plain(repr(name), _CODE) for name in names]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


MD5_SHAPE = re.compile(r"[0-9a-f]{32}")
"""What clients take for the MD5 of an object. Source: rclone, backend/s3 (`matchMd5`)."""
