"""The `local` runner: a program of this machine, run so that it can neither hang, flood nor leak.

It inherits nothing from the caller's environment but PATH: no credentials, proxies or configuration of the
user reach it, and it finds none in its private home. Secrets travel in its environment or in files of its
private place, never on the command line, which every user of the machine can read.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_STDOUT = 64 * 1024 * 1024
MAX_STDERR = 1024 * 1024
MAX_FILES = 1024 * 1024 * 1024
"""Bytes of files that a program may have at once."""
_READ = 256 * 1024
_WRITE = 32 * 1024
_TICK = 0.1
_VERSION_SECONDS = 20.0


class Result(NamedTuple):
    """How a program ended.

    Attributes:
        exit_code: its exit code; minus the signal's number where a signal ended it.
        stdout: what it wrote, at most `MAX_STDOUT` bytes.
        stderr: what it wrote, at most `MAX_STDERR` bytes, as text.
        timed_out: it did not end in time and was killed.
        stopped: why it was killed before it ended by itself; "" otherwise.
    """

    exit_code: int
    stdout: bytes
    stderr: str
    timed_out: bool = False
    stopped: str = ""


class LocalRunner:
    """Runs one program in a private place (mode 0700) until closed.

    Attributes:
        folder: its working folder, for the files of a call.
        home: its home, for configuration; nothing of the user's is in it.

    Args:
        program: path of the program.
        environment: further variables for every run.
    """

    def __init__(self, program: str, environment: Mapping[str, str]) -> None:
        root = Path(tempfile.mkdtemp(prefix="s3conform-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
        self._root, self.folder, self.home = root, root / "work", root / "home"
        self.folder.mkdir()
        self.home.mkdir()
        self._program = program
        self._environment = scrubbed(self.home) | dict(environment)

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        stop: Callable[[], str] | None = None,
    ) -> Result:
        """One run of the program.

        Args:
            args: its arguments; no secrets.
            timeout: seconds after which it is killed, with all it started.
            stdin: bytes of its standard input.
            environment: further variables for this run.
            stop: asked several times a second; a text that is not empty says why the program is to be killed.

        Raises:
            OSError: it cannot be started.
        """
        started = time.monotonic()
        process = subprocess.Popen(
            [self._program, *args],
            cwd=self.folder,
            env=self._environment | dict(environment or {}),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

        def check() -> str:
            return (stop() if stop else "") or _full(self._root)

        return _attend(process, stdin, started + timeout, check)

    def close(self) -> None:
        """Remove the private folder."""
        self._finalizer()


def find(name: str) -> str:
    """The path of a program: beside this Python, where extras install it, else from PATH; "" if none."""
    beside = str(Path(sys.executable).parent)
    return shutil.which(name, path=beside) or shutil.which(name) or ""


@functools.cache
def version(program: str, arg: str, pattern: str) -> str:
    """What a program says its version is: the first group of `pattern` in its output, or ""."""
    runner = LocalRunner(program, {})
    try:
        result = runner.run([arg], timeout=_VERSION_SECONDS)
    except OSError:
        return ""
    finally:
        runner.close()
    match = re.search(pattern, result.stdout.decode("utf-8", "replace") + result.stderr)
    return match[1] if match else ""


def scrubbed(home: Path) -> dict[str, str]:
    """An environment with nothing of the caller's but PATH, and `home` as every place to keep things in."""
    variables = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TMPDIR": str(home)}
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    return variables | dict.fromkeys(homes, str(home))


def _attend(process: subprocess.Popen[bytes], stdin: bytes, deadline: float, check: Callable[[], str]) -> Result:
    """Talk with a program until it ends, and see to it that it does."""
    started = time.monotonic()
    talk = _Talk(process, stdin)
    stopped = "killed"
    try:
        stopped = talk.until(deadline, check) or _ended(process, deadline)
    finally:
        if stopped:
            _kill(process)
        talk.close()
    timed_out = stopped == _TIMED_OUT
    reason = f"did not end within {time.monotonic() - started:.0f} s" if timed_out else stopped
    return Result(process.returncode, bytes(talk.stdout), talk.errors(), timed_out, reason)


def _full(folder: Path) -> str:
    """Why a program that fills the disk is to be killed, or ""."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += (Path(place) / name).lstat().st_size
    return f"wrote more than {MAX_FILES} bytes of files" if size > MAX_FILES else ""


_TIMED_OUT = "timed out"


def _ended(process: subprocess.Popen[bytes], deadline: float) -> str:
    """Wait for a program that has closed its output."""
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return _TIMED_OUT
    return ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program not yet waited for, with its whole group, and wait for it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        process.kill()
    process.wait()


class _Talk:
    """Standard streams of a running program, read and written without waiting on any one of them."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes) -> None:
        self.stdout, self._stderr = bytearray(), bytearray()
        self._stdin = memoryview(stdin)
        self._selector = selectors.DefaultSelector()
        self._streams: list[IO[bytes]] = [s for s in (process.stdin, process.stdout, process.stderr) if s]
        for stream, events in (
            (process.stdin, selectors.EVENT_WRITE),
            (process.stdout, selectors.EVENT_READ),
            (process.stderr, selectors.EVENT_READ),
        ):
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                self._selector.register(stream, events)
        self._process = process

    def until(self, deadline: float, check: Callable[[], str]) -> str:
        """Talk until the program has closed its output; otherwise the reason to kill it."""
        checked = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= deadline:
                return _TIMED_OUT
            for key, _ in self._selector.select(min(deadline - now, _TICK)):
                stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
                if stream is self._process.stdin:
                    self._write(stream)
                else:
                    self._read(stream)
            reason = self._flood()
            if now >= checked + _TICK:
                reason, checked = reason or check(), now
            if reason:
                return reason
            if all(key.fileobj is self._process.stdin for key in self._selector.get_map().values()):
                return ""

    def _write(self, stream: IO[bytes]) -> None:
        try:
            self._stdin = self._stdin[os.write(stream.fileno(), self._stdin[:_WRITE]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._stdin = self._stdin[:0]
        if not self._stdin:
            self._selector.unregister(stream)
            stream.close()

    def _read(self, stream: IO[bytes]) -> None:
        data = os.read(stream.fileno(), _READ)
        if stream is self._process.stdout:
            self.stdout += data
        else:
            self._stderr += data
        if not data:
            self._selector.unregister(stream)
            stream.close()

    def _flood(self) -> str:
        if len(self.stdout) > MAX_STDOUT:
            return f"wrote more than {MAX_STDOUT} bytes to standard output"
        if len(self._stderr) > MAX_STDERR:
            return f"wrote more than {MAX_STDERR} bytes to standard error"
        return ""

    def errors(self) -> str:
        """Standard error as text."""
        return self._stderr[:MAX_STDERR].decode("utf-8", "replace")

    def close(self) -> None:
        """Close what is still open."""
        self._selector.close()
        for stream in self._streams:
            stream.close()
