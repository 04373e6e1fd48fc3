"""The servers under measurement: processes that are started, looked at from outside, and ended by their id.

Linux only: figures come from /proc and from the CPU clock of a process.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench.client import CREDENTIALS, REGION, Address, BenchError, Connection, head
from tests.support import environment

OURS, MOTO, RCLONE = "ours", "moto", "rclone"
PEERS = (MOTO, RCLONE)
_START_SECONDS = 30.0
_ENDPOINT = re.compile(r"http://127\.0\.0\.1:([0-9]+)")
_KIB = 1024


def found(names: tuple[str, ...]) -> list[str]:
    """Ours, and those peers whose program is on PATH."""
    programs = {MOTO: "moto_server", RCLONE: "rclone"}
    return [OURS, *(name for name in names if shutil.which(programs[name]))]


def _command(name: str, folder: Path | None) -> list[str]:
    """How to start a server on a free port of 127.0.0.1, in memory or with its data in a folder."""
    access_key, secret_key = CREDENTIALS.access_key, CREDENTIALS.secret_key
    if name == OURS:
        kept = ["--data", str(folder)] if folder else []
        credential = ["--credential", f"{access_key}:{secret_key}", "--region", REGION]
        return [sys.executable, "-P", "-m", "reference_server", "--json", "--until-eof", *credential, *kept]
    if name == RCLONE:
        options = ["--config", "/dev/null", "--addr", "127.0.0.1:0", "--auth-key", f"{access_key},{secret_key}"]
        return ["rclone", "serve", "s3", *options, str(folder or ":memory:")]
    return ["moto_server", "-H", "127.0.0.1", "-p", "0"]


@dataclass
class Server:
    """A running server."""

    name: str
    process: subprocess.Popen[bytes]
    address: Address

    def connect(self) -> Connection:
        """A connection of one's own."""
        return Connection(self.address)

    def ask(self, request: bytes) -> None:
        """One request on a connection of its own."""
        connection = self.connect()
        connection.ask(request)
        connection.close()

    def cpu(self) -> float:
        """Seconds of CPU, user and system, that the process, its ended threads and its children have used."""
        # What clock_getcpuclockid(3) gives: nanoseconds, where /proc/PID/stat counts ticks of 10 ms.
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self._family())

    def resident(self) -> float:
        """Resident memory now, in MiB."""
        return self._memory("VmRSS")

    def peak(self) -> float:
        """The most resident memory since `reset_peak`, in MiB."""
        return self._memory("VmHWM")

    def reset_peak(self) -> None:
        """Begin to look for the peak anew."""
        for pid in self._family():
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")

    def _memory(self, field: str) -> float:
        total = 0
        for pid in self._family():
            status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            total += int(status.partition(f"{field}:")[2].split()[0])
        return total / _KIB

    def _family(self) -> list[int]:
        """The process and all below it."""
        family = [self.process.pid]
        for pid in family:  # grows while it is walked
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(OSError):  # that thread has ended meanwhile
                    family += map(int, children.read_text(encoding="ascii").split())
        return family


@contextmanager
def started(name: str, folder: Path | None = None) -> Iterator[Server]:
    """A server that has answered once; it ends with the block.

    Raises:
        BenchError: it did not start.
    """
    with tempfile.TemporaryFile() as log:
        # Ours ends with its standard input, also when nobody lives to end it.
        process = subprocess.Popen(
            _command(name, folder), env=environment(), stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            server = Server(name, process, ("127.0.0.1", _port(name, process, Path(f"/proc/self/fd/{log.fileno()}"))))
            server.ask(head(server.address, "GET", "/"))
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _port(name: str, process: subprocess.Popen[bytes], log: Path) -> int:
    """The port that a server says it listens on."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        said = _ENDPOINT.search(log.read_text(encoding="utf-8", errors="replace"))
        if said:
            return int(said[1])
        time.sleep(0.002)
    raise BenchError(f"{name} did not start: {log.read_text(encoding='utf-8', errors='replace')[-300:]}")
