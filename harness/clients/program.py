"""What client programs have in common: a runner, the wiretap, and one way to tell how a call went.

A program's own words (exit code, output, standard error) and the exchange of the operation it was asked for
are both shown, so that a program that hides a refusal is seen through.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, ClassVar

from harness.clients.base import MAX_PAGES, STOPPED, Observed
from harness.clients.raw import observe
from harness.signals import ClientFault
from harness.wire.http1 import Origin
from harness.wire.route import find
from harness.wire.tape import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.clients.runner import Result, Runner
    from harness.config import Endpoint
    from harness.wire.exchange import Exchange
    from harness.wire.tape import Recorded
    from harness.wire.wiretap import Wiretap

_STAMP = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ")
_CRASH = re.compile(r"(?m)^Problem: .+$")
"""What broke, in s3cmd's report of its own crash; much follows that says less."""
GRACE = 15.0
"""Seconds that a program has beyond the endpoint's timeout, to start and to report."""
LISTING_REQUESTS = MAX_PAGES + 20
"""Requests after which a listing is taken to go in circles: the pages, and what is asked beside them."""
MAX_REQUESTS = 1000
"""Requests after which any command is taken not to end."""
MAX_TEXT = 64 * 1024
"""Characters of a program's output that are kept as text."""


class ProgramClient:
    """A client program with its runner, sending through the wiretap.

    Class attributes of each program:
        name: what runs and reports call the client.
        program: its file name.
        version_arg, version_pattern: how it tells its version.
        image: its official container image, "" where there is none.
        idle: how a container of it waits for the end of its input (see `DockerRunner`).
        install: how it is installed where it is missing.

    Args:
        endpoint: where to send, and with whose credentials.
        tap: what records it.
        runner: how it is run.
        version: its version.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    version_arg: ClassVar[str] = "--version"
    version_pattern: ClassVar[str]
    image: ClassVar[str] = ""
    idle: ClassVar[tuple[str, ...]] = ("cat",)
    install: ClassVar[str] = "pip install 's3-conformance[clients]'"

    def __init__(self, endpoint: Endpoint, tap: Wiretap, runner: Runner, version: str) -> None:
        self.endpoint = endpoint
        self.origin = Origin.of(endpoint.url)
        self.tap = tap
        self.runner = runner
        self.version = version
        self.environment: dict[str, str] = {}

    @property
    def folder(self) -> Path:
        """The program's working folder: private, for the files of a call or workflow, gone after `close`."""
        return self.runner.folder

    @property
    def proxy(self) -> str:
        """The URL that the program is to be told as its proxy."""
        return self.runner.reach(self.tap.url)

    def close(self) -> None:
        """End what is still running, and remove the private folder."""
        self.runner.close()

    def execute(
        self,
        args: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        seconds: float = 0.0,
        max_requests: int = MAX_REQUESTS,
        stop: Callable[[], str] | None = None,
    ) -> tuple[Result, list[Recorded]]:
        """Run the program and take what crossed the wire.

        Args:
            args: its arguments.
            stdin: its standard input.
            environment: further variables.
            seconds: how long the work itself may take; by default as long as a single wait.
            max_requests: cut what it sends beyond that, and kill it.
            stop: asked several times a second; a text that is not empty says why it is to be killed.

        Raises:
            ClientFault: the program cannot be started.
        """
        self.tap.start(Budget(max_requests))

        def check() -> str:
            return self.tap.spent or (stop() if stop else "")

        timeout = (seconds or self.endpoint.timeout) + GRACE
        variables = self.environment | dict(environment or {})
        try:
            result = self.runner.run(args, timeout=timeout, stdin=stdin, environment=variables, stop=check)
        except OSError as error:
            raise ClientFault(f"{self.program} cannot be started: {error}") from None
        return result, self.tap.take(ended=True)

    def sent(
        self, recorded: Sequence[Recorded], operations: Sequence[str], params: Mapping[str, object]
    ) -> Recorded | None:
        """The last exchange that is one of `operations` on the bucket and key of `params`."""
        bucket, key = params.get("Bucket", ""), params.get("Key", "")
        return find(recorded, self.origin, operations, str(bucket), str(key))

    def observed(
        self, operation: str, result: Result, recorded: Sequence[Recorded], record: Recorded | None
    ) -> Observed:
        """How a run of the program went; `record` is the exchange that shows the operation, if one does.

        Raises:
            ClientFault: it crashed, or failed before it sent anything.
        """
        self._check_alive(result, recorded)
        exchanges: list[Exchange] = [item.exchange for item in recorded]
        wire = Observed(operation, self.name, ok=False)
        if record is not None and record.answer is not None:
            wire = observe(operation, self.name, record.answer, record.exchange)
        served = result.stopped == STOPPED
        ok = served or (result.exit_code == 0 and not result.stopped)
        failure = f"{self.program} {result.stopped}" if result.stopped and not served else ""
        if record is not None and record.answer is None:
            failure = failure or record.exchange.error
        if not ok and record is None:
            failure = failure or last_words(result.stderr)
        return Observed(
            operation,
            self.name,
            ok=ok,
            status=wire.status,
            headers=wire.headers,
            code=wire.code,
            message=wire.message or ("" if ok or failure or wire.document is not None else last_words(result.stderr)),
            error_fields=wire.error_fields,
            document=wire.document,
            stray=wire.stray,
            failure=failure,
            exit_code=result.exit_code,
            stdout=result.stdout[: 4 * MAX_TEXT].decode("utf-8", "replace")[:MAX_TEXT],
            stderr=result.stderr[:MAX_TEXT],
            exchanges=exchanges,
        )

    def _check_alive(self, result: Result, recorded: Sequence[Recorded]) -> None:
        """An endpoint that is down is no such case: the attempt to reach it is recorded."""
        said = last_words(result.stderr)
        if result.exit_code < 0 and not result.stopped:
            raise ClientFault(f"{self.program} crashed with {_signal(-result.exit_code)}: {said}")
        if not recorded and result.stopped != STOPPED and (result.exit_code or result.stopped):
            how = result.stopped or f"ended with exit code {result.exit_code}"
            raise ClientFault(f"{self.program} {how} before it sent anything: {said}")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def last_words(stderr: str) -> str:
    """The line of a program's errors that says most: the last one with a word in it, shortened."""
    crash = _CRASH.search(stderr)
    text = crash[0] if crash else stderr
    lines = [_STAMP.sub("", line).strip() for line in text.splitlines() if re.search(r"\w", line)]
    return lines[-1][:300] if lines else "it gave no reason"


def is_argument(text: str) -> bool:
    """Whether a text can be an argument of a program: no NUL, and proper Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def is_line(text: str) -> bool:
    """Whether a text can be the value of a header line of HTTP."""
    return text.isascii() and text.isprintable()
