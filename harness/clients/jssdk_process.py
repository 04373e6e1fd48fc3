"""A program that stays, spoken to in lines of JSON: one line asks, one line answers.

It can neither hang, flood nor outlive its owner: every wait and every line is bounded, its standard input ends
with this process, and whatever goes wrong ends it with its whole group.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING, Any

from harness.clients.local import kill
from harness.clients.program import last_words
from harness.signals import ClientFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MAX_LINE = 32 * 1024 * 1024
"""Bytes of one answer: a body of `http1.MAX_BODY` as base64, and much room."""
MAX_ERRORS = 64 * 1024
"""Bytes of standard error that are kept, the last ones."""
_READ = 256 * 1024
_WRITE = 64 * 1024
_LINGER = 1.0


class Conversation:
    """A running program, in a session of its own.

    Args:
        command: the program and its arguments; no secrets.
        folder: its working folder.
        environment: all of its variables.

    Raises:
        ClientFault: it cannot be started.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._name = os.path.basename(command[0])  # noqa: PTH119 - a name, not a place
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise ClientFault(f"{self._name} cannot be started: {error.strerror or error}") from None
        self._pending, self._said, self._errors = memoryview(b""), bytearray(), bytearray()
        for stream in self._streams:
            os.set_blocking(stream.fileno(), False)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def errors(self) -> str:
        """The end of what it wrote to standard error."""
        return self._errors.decode("utf-8", "replace")

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """What it answers to a request; an answer has the request's `id`.

        Raises:
            ClientFault: it ended, did not answer within `seconds`, or said something else; it is gone then.
        """
        try:
            line = self._line((json.dumps(request) + "\n").encode(), time.monotonic() + seconds, seconds)
            return self._answer(line, request.get("id"))
        except BaseException:  # an answer that comes late must not be taken for that to the next request
            self.end()
            raise

    def end(self) -> None:
        """Kill it, with all that it started; nothing happens where that has been done."""
        if self._process.stdin is not None and self._process.stdin.closed:
            return
        if self._process.returncode is None:  # not waited for yet: the group's number is still its own
            kill(self._process)
        for stream in self._streams:
            with contextlib.suppress(OSError):
                stream.close()

    @property
    def _streams(self) -> list[IO[bytes]]:
        process = self._process
        return [stream for stream in (process.stdin, process.stdout, process.stderr) if stream is not None]

    def _line(self, request: bytes, deadline: float, seconds: float) -> bytes:
        stdin, stdout, stderr = self._streams
        self._pending = memoryview(request)
        with selectors.DefaultSelector() as selector:
            selector.register(stdin, selectors.EVENT_WRITE)
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stderr, selectors.EVENT_READ)
            while b"\n" not in self._said[-_READ:]:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise self._fault(f"did not answer within {seconds:g} s")
                for key, _ in ready:
                    if key.fileobj is stdin:
                        self._write(stdin, selector)
                    elif key.fileobj is stderr:
                        self._hear(stderr, selector)
                    elif not self._read(stdout):
                        raise self._fault(self._ended(stderr))
        line, _, rest = self._said.partition(b"\n")
        if rest:
            raise self._fault(f"said more than one line: {bytes(rest[:100])!r}")
        self._said = bytearray()
        return bytes(line)

    def _write(self, stdin: IO[bytes], selector: selectors.BaseSelector) -> None:
        try:
            self._pending = self._pending[os.write(stdin.fileno(), self._pending[:_WRITE]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # it has ended; what it said last is still to be read
            self._pending = self._pending[:0]
        if not self._pending:
            selector.unregister(stdin)

    def _read(self, stdout: IO[bytes]) -> bool:
        data = os.read(stdout.fileno(), _READ)
        self._said += data
        if len(self._said) > MAX_LINE:
            raise self._fault(f"answered with more than {MAX_LINE} bytes")
        return bool(data)

    def _hear(self, stderr: IO[bytes], selector: selectors.BaseSelector | None = None) -> None:
        data = os.read(stderr.fileno(), _READ)
        self._errors = (self._errors + data)[-MAX_ERRORS:]
        if not data and selector is not None:
            selector.unregister(stderr)

    def _ended(self, stderr: IO[bytes]) -> str:
        """How it ended, after its standard output did."""
        try:
            code = self._process.wait(_LINGER)
        except subprocess.TimeoutExpired:
            return "closed its standard output"
        with contextlib.suppress(BlockingIOError):
            self._hear(stderr)
        return f"crashed: {signal.strsignal(-code)}" if code < 0 else f"ended with exit code {code}"

    def _answer(self, line: bytes, number: Any) -> dict[str, Any]:
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or answer.get("id") != number:
            raise self._fault(f"said what is no answer: {line[:100]!r}")
        return answer

    def _fault(self, what: str) -> ClientFault:
        said = f": {last_words(self.errors)}" if self._errors else ""
        return ClientFault(f"{self._name} {what}{said}")
