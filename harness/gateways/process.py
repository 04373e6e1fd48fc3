"""Processes of a gateway, and of its installation: each in a group of its own, with its output in a file, bounded."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.clients.local import kill
from harness.errors import EndpointError

STOP_SECONDS = 10.0
"""How long a process may take to end when it is told to; then it is killed."""
_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(\x07|\x1b\\)|[ -/]*[0-~])")
"""Escape sequences of terminals. Source: ECMA-48, 5.3 to 5.6."""
_TAIL = 8192
_SHOWN = 300
_TICK = 0.1


class Process:
    """A process that runs until it is stopped.

    Args:
        words: its command.
        log: the file that its output is appended to.
        folder: its working folder.
        environment: all of its environment.

    Raises:
        EndpointError: it cannot be started.
    """

    def __init__(self, words: Sequence[str], log: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = Path(words[0]).name
        self.log = log
        program = found(words[0], environment)
        with log.open("ab") as output:
            try:
                self._process = subprocess.Popen(
                    [program, *words[1:]],
                    cwd=folder,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise EndpointError(f"cannot start {program}: {error.strerror}") from None

    def ended(self) -> int | None:
        """Its exit code, negative for a signal, or None while it runs; whoever it started may still be there.

        It stays to be waited for until it is stopped, so that its number stays its group's.
        """
        if self._process.returncode is not None:
            return self._process.returncode
        state = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if state is None:
            return None
        return state.si_status if state.si_code == os.CLD_EXITED else -state.si_status

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None if it does not end within this time."""
        deadline = time.monotonic() + seconds
        while self.ended() is None and time.monotonic() < deadline:
            time.sleep(min(_TICK, seconds))
        return self.ended()

    def stop(self) -> None:
        """End its group: TERM, and KILL for what is left after a while, or at once when that is interrupted."""
        try:
            if self.ended() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGTERM)
                self.wait(STOP_SECONDS)
        finally:
            kill(self._process)

    def complaint(self) -> str:
        """How it ended, with the last line that it wrote."""
        said = last_line(self.log)
        return f"{self.name} ended with exit code {self.ended()}: {said or 'it wrote nothing'} (log: {self.log})"


def stop_all(processes: Iterable[Process]) -> None:
    """Stop processes in this order; an interrupt makes it quicker, and leaves none of them behind."""
    interrupted = None
    for process in processes:
        try:
            process.stop()
        except KeyboardInterrupt as signalled:
            interrupted = signalled
            process.stop()
    if interrupted is not None:
        raise interrupted


def complete(words: Sequence[str], log: Path, folder: Path, environment: Mapping[str, str], seconds: float) -> str:
    """Run a command to its end.

    Returns:
        What it wrote.

    Raises:
        EndpointError: it cannot be started, fails, or does not end in time.
    """
    log.write_bytes(b"")
    process = Process(words, log, folder, environment)
    try:
        code = process.wait(seconds)
    finally:
        process.stop()
    if code is None:
        raise EndpointError(f"{process.name} did not end within {seconds:g} s (log: {log})")
    if code:
        raise EndpointError(process.complaint())
    return log.read_text(encoding="utf-8", errors="replace")


def found(program: str, environment: Mapping[str, str]) -> str:
    """The path of a program.

    Raises:
        EndpointError: there is none.
    """
    path = shutil.which(program, path=environment.get("PATH", os.defpath))
    if path is None:
        raise EndpointError(f"there is no program {program}")
    return path


def last_line(log: Path) -> str:
    """The last line of a log that says something, without anything that a terminal would obey."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        for line in reversed(file.read().decode("utf-8", "replace").splitlines()):
            if text := safe(line):
                return text
    return ""


def safe(line: str) -> str:
    """A line of bounded length without escape sequences and other characters that cannot be seen."""
    plain = _ESCAPE.sub("", line)
    return " ".join("".join(char if char.isprintable() else " " for char in plain).split())[:_SHOWN]
