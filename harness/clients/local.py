"""The `local` runner: a program of this machine, run so that it can neither hang, flood nor leak."""

from __future__ import annotations

import contextlib
import functools
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from harness.clients.runner import MAX_STDERR, MAX_STDOUT, VERSION_SECONDS, Private, Result, scrubbed, told_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_READ = 256 * 1024
_WRITE = 32 * 1024
_TICK = 0.1
_AFTERWARDS = 0.5


class LocalRunner:
    """Runs one program in a private place (mode 0700) until closed.

    Attributes:
        folder: its working folder, for the files of a call.
        home: its home, for configuration; nothing of the user's is in it.

    Args:
        program: path of the program.
    """

    def __init__(self, program: str) -> None:
        self._private = Private()
        self.folder, self.home = self._private.folder, self._private.home
        self._program = program
        self._tied = _tied() if os.access(program, os.X_OK) else ()
        self._environment = {"PATH": os.environ.get("PATH", os.defpath)} | scrubbed(self.home)

    def reach(self, url: str) -> str:
        """How the program reaches what listens on this machine: at the same address."""
        return url

    def run(
        self,
        args: Sequence[str],
        *,
        timeout: float,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        stop: Callable[[], str] | None = None,
    ) -> Result:
        """As `Runner.run`.

        Raises:
            OSError: it cannot be started.
        """
        started = time.monotonic()
        process = subprocess.Popen(
            [*self._tied, self._program, *args],
            cwd=self.folder,
            env=self._environment | dict(environment or {}),
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

        def check() -> str:
            return (stop() if stop else "") or self._private.full()

        result = _attend(process, stdin, started + timeout, check)
        if self._tied and result.exit_code in (126, 127) and result.stderr.startswith("setpriv: "):
            raise OSError(result.stderr.strip())
        return result

    def close(self) -> None:
        """Remove the private folder."""
        self._private.close()


@functools.cache
def _tied() -> tuple[str, ...]:
    """How a program is started so that it ends with the process that started it, however that ends; Linux has a way."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return ()
    words = (setpriv, "--pdeathsig", "KILL", "--")
    probe = subprocess.run([*words, setpriv, "--version"], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return words if probe.returncode == 0 else ()


def find(name: str) -> list[str]:
    """The paths of a program: from PATH, and beside this Python, where extras install it."""
    beside = str(Path(sys.executable).parent)
    found = (shutil.which(name), shutil.which(name, path=beside))
    return list(dict.fromkeys(path for path in found if path))


@functools.cache
def version(program: str, arg: str, pattern: str) -> str:
    """What a program says its version is: the first group of `pattern` in its output, or ""."""
    runner = LocalRunner(program)
    try:
        result = runner.run([arg], timeout=VERSION_SECONDS)
    except OSError:
        return ""
    finally:
        runner.close()
    return told_version(result, pattern)


def _attend(process: subprocess.Popen[bytes], stdin: bytes, deadline: float, check: Callable[[], str]) -> Result:
    """Talk with a program until it ends, and see to it that it does."""
    started = time.monotonic()
    talk = _Talk(process, stdin)
    stopped = "killed"
    try:
        stopped = talk.until(deadline, check) or _ended(process, deadline, check)
    finally:
        kill(process)
        talk.close()
    timed_out = stopped == _TIMED_OUT
    reason = f"did not end within {time.monotonic() - started:.0f} s" if timed_out else stopped
    return Result(process.returncode, bytes(talk.stdout), talk.errors(), timed_out, reason)


_TIMED_OUT = "timed out"


def _ended(process: subprocess.Popen[bytes], deadline: float, check: Callable[[], str]) -> str:
    """Wait for a program that has closed its output; otherwise the reason to kill it."""
    wait = 0.001
    while not _over(process):
        if time.monotonic() >= deadline:
            return _TIMED_OUT
        if reason := check():
            return reason
        time.sleep(wait)
        wait = min(2 * wait, _TICK)
    return ""


def _over(process: subprocess.Popen[bytes]) -> bool:
    """Whether a program has ended; it stays to be waited for, so that its number stays its group's."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a program's group, and wait for the program."""
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
        checked, ended = time.monotonic(), 0.0
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
            # A child may hold the streams of a program that has ended; what it still says is given a moment.
            ended = ended or (now if _over(self._process) else 0.0)
            if ended and now > ended + _AFTERWARDS:
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
