"""What a runner is: how a client program is run, where its files are, and what bounds it.

A program inherits nothing of the caller's environment: no credentials, proxies or configuration of the user reach
it, and it finds none in its private home. Secrets travel in its environment or in files of its private place, never
on the command line, which every user of the machine can read.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_STDOUT = 64 * 1024 * 1024
MAX_STDERR = 1024 * 1024
MAX_FILES = 1024 * 1024 * 1024
"""Bytes of files that a program may have at once."""
VERSION_SECONDS = 20.0
"""Seconds that a program may take to tell its version."""


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


class Runner(Protocol):
    """How a client program is run, and where.

    Attributes:
        folder: its working folder, for the files of a call; the program sees it under the same path.
        home: its home, for configuration, likewise.
    """

    folder: Path
    home: Path

    def reach(self, url: str) -> str:
        """The URL under which the program reaches what listens at `url` on this machine."""
        ...

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
            ClientFault: what runs it failed.
        """
        ...

    def close(self) -> None:
        """End what is still running, and remove the private place."""
        ...


class Private:
    """A private place on the disk (mode 0700), gone after `close` or with this object.

    Attributes:
        root: all of it.
        folder: the working folder of a program, for the files of a call.
        home: its home, for configuration.
    """

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="s3conform-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self.root, ignore_errors=True)
        self.folder, self.home = self.root / "work", self.root / "home"
        self.folder.mkdir()
        self.home.mkdir()

    def full(self) -> str:
        """Why a program that fills the disk is to be killed, or ""."""
        size = 0
        for place, _, names in os.walk(self.root):
            for name in names:
                with contextlib.suppress(OSError):
                    size += (Path(place) / name).lstat().st_size
        return f"wrote more than {MAX_FILES} bytes of files" if size > MAX_FILES else ""

    def close(self) -> None:
        """Remove it."""
        self._finalizer()


def told_version(result: Result, pattern: str) -> str:
    """The first group of `pattern` in what a program said, or ""."""
    match = re.search(pattern, result.stdout.decode("utf-8", "replace") + result.stderr)
    return match[1] if match else ""


def scrubbed(home: Path) -> dict[str, str]:
    """An environment with nothing of the caller's, and `home` as every place to keep things in."""
    variables = {"LANG": "C.UTF-8", "TMPDIR": str(home)}
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    return variables | dict.fromkeys(homes, str(home))
