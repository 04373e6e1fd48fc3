"""Client programs, run so that they know nothing of this machine's user and cannot run for ever."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

SECONDS = 90
"""How long a program may run: far more than it needs, far less than a stuck test run."""


class Ended(NamedTuple):
    """What a program wrote."""

    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        """Standard output, line by line."""
        return self.out.decode().splitlines()


class Program:
    """A program with an environment that is its only one.

    Args:
        command: what stands before the arguments.
        folder: its working folder, home, and place for temporary files.
        environment: all its further variables.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._command = command
        self.folder = folder
        self.environment = {"PATH": os.defpath, "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
        self.environment.update(environment)

    def __call__(self, *arguments: str | Path, stdin: bytes = b"", code: int = 0, **environment: str) -> Ended:
        """Run it to its end; it must end with this exit code.

        Args:
            arguments: its arguments; relative paths are below `folder`.
            stdin: bytes of its standard input.
            code: the exit code that is right.
            environment: further variables for this run.
        """
        done = subprocess.run(
            [*self.command(environment), *map(str, arguments)],
            cwd=self.folder,
            env=self.environment | environment,
            input=stdin,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        ended = Ended(done.stdout, done.stderr.decode(errors="replace"))
        assert done.returncode == code, f"{arguments}: exit code {done.returncode}\n{ended.err}"
        return ended

    def command(self, _environment: Mapping[str, str]) -> Sequence[str]:
        """What stands before the arguments of a run."""
        return self._command


class ContainerProgram(Program):
    """A program of a running container, which sees `folder` under the same path.

    Args:
        container: its name.
        command: the program within.
        folder: see `Program`.
        environment: see `Program`.
    """

    def __init__(self, container: str, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(command, folder, environment)
        self._container = container

    def command(self, environment: Mapping[str, str]) -> Sequence[str]:
        """`docker exec`: variables travel by name, so that no value is on a command line; PATH stays the image's."""
        names = [name for name in (*self.environment, *environment) if name != "PATH"]
        options = [option for name in names for option in ("--env", name)]
        return ["docker", "exec", "-i", "--workdir", str(self.folder), *options, self._container, *self._command]


def installed(name: str) -> str:
    """The path of a program: beside this Python, where extras install it, or anywhere; skips the test if none."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=beside) or shutil.which(name)
    return found or pytest.skip(f"{name} is not installed")


@contextmanager
def container(image: str, folder: Path) -> Iterator[str]:
    """A container for `docker exec`, on this machine's network and with `folder`; gone after the block.

    It copies its standard input to its output, and so ends with this process, however that ends.
    """
    name = f"s3conform-clients-{os.getpid()}"
    options = ["--network", "host", "--user", f"{os.getuid()}:{os.getgid()}", "--volume", f"{folder}:{folder}"]
    once = ["--rm", "--interactive", "--pull", "never", "--name", name]
    command = ["docker", "run", *once, *options, "--entrypoint", "cat", image]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"started")
            process.stdin.flush()
            assert select.select([process.stdout], [], [], SECONDS)[0], f"{image} does not start"
            assert process.stdout.read(7) == b"started"
            yield name
        finally:
            _docker("rm", "--force", name)


def require_image(image: str) -> None:
    """Skip the test where this machine has no such image, or no container engine."""
    try:
        _docker("image", "inspect", image)
    except (OSError, subprocess.SubprocessError):
        pytest.skip(f"there is no image {image} on this machine")


def _docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], check=True, capture_output=True, timeout=SECONDS)  # noqa: S607 - PATH is wanted


def write_tree(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by their relative paths; the folder.

    They are an hour old: times in listings are whole seconds, and what has just been written would seem newer there
    than the object made of it.
    """
    then = time.time() - 3600
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        os.utime(path, (then, then))
    return folder


def read_tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder by their relative paths."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
