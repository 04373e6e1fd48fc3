"""Output that nobody takes: a closed pipe, a full disk, a closed stream. None of it changes an exit code."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from harness import gate, record
from tests.support import S3CONFORM, SECONDS, Server, environment

SMALL = ("run", "--scenario", "DEL-001", "--clients", "raw", "--workers", "1", "--out", "out")


@contextmanager
def broken_pipe() -> Iterator[int]:
    """The end to write to of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


@contextmanager
def full_disk() -> Iterator[int]:
    """A file on which there is no space."""
    with Path("/dev/full").open("w") as file:
        yield file.fileno()


@contextmanager
def closed() -> Iterator[int]:
    """No file at all."""
    yield -1


Kind = Callable[[], AbstractContextManager[int]]


def called(cwd: Path, *arguments: str, out: int | None, err: int | None = None) -> tuple[int, str]:
    """Exit code and standard error of the program; a stream that is -1 is closed, standard error else a pipe."""
    closing = " ".join(f"{number}>&-" for number, stream in ((1, out), (2, err)) if stream == -1)
    end = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closing}', "sh", *S3CONFORM, *arguments],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=None if out in (None, -1) else out,
        stderr=subprocess.PIPE if err in (None, -1) else err,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "Traceback" not in (end.stderr or "")
    assert "Exception ignored" not in (end.stderr or "")
    return end.returncode, end.stderr or ""


PASSES, FAILS = ("aws", 0), ("auto-drive", 1)
"""Profiles, and what a run of the reference server comes to by them."""


@pytest.mark.parametrize(
    ("kind", "expected", "both"),
    [
        (broken_pipe, PASSES, False),
        (broken_pipe, FAILS, True),
        (full_disk, PASSES, False),
        (full_disk, FAILS, True),
        (closed, FAILS, False),
        (closed, PASSES, True),
    ],
)
def test_run_exits_with_what_it_found_whoever_reads(
    tmp_path: Path, server: Server, kind: Kind, expected: tuple[str, int], both: bool
) -> None:
    """`s3conform run | true`, `> /dev/full`, `>&-`, also with `2>&1`: the code is that of the run, its files whole."""
    profile, code = expected
    with kind() as stream:
        options = (*SMALL, *server.options, "--profile", profile)
        assert called(tmp_path, *options, out=stream, err=stream if both else None)[0] == code
    assert (tmp_path / "out" / "index.html").stat().st_size > 10_000
    assert gate.exit_code(record.read(tmp_path / "out")) == code


def test_list_into_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    """`s3conform scenarios | head -1`: the reader has what it wanted."""
    with broken_pipe() as pipe:
        for arguments in (("scenarios",), ("report", "--schema"), ("--help",), ("--version",)):
            assert called(tmp_path, *arguments, out=pipe) == (0, ""), arguments


def test_list_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Where the output is all that comes of a verb, losing it is no success."""
    with full_disk() as disk:
        code, said = called(tmp_path, "scenarios", "--json", out=disk)
    assert code == 4
    assert said == "s3conform: cannot write to standard output: No space left on device\n"


def test_usage_error_is_a_usage_error_whoever_reads(tmp_path: Path) -> None:
    """A message that nobody reads does not change its exit code."""
    with broken_pipe() as pipe, full_disk() as disk:
        assert called(tmp_path, "run", "--clients", "botto3", out=pipe, err=disk)[0] == 2
        assert called(tmp_path, "gate", "nowhere", out=pipe, err=pipe)[0] == 4
