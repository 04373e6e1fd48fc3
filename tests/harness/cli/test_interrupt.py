"""Runs that are cut short: what they leave on disk, on the endpoint and among the processes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import gate, record
from tests.support import (
    OF_CELLS,
    Relay,
    Server,
    alive,
    descendants,
    ended,
    lines,
    reference_server,
    s3conform,
    started,
    until,
)

SELECTION = (
    "--scenario",
    "ETAG-001,ETAG-002,LST2-004,DEL-001,DEL-002,DEL-003",
    "--clients",
    "raw,boto3",
    "--out",
    "out",
)
PASSING = 12
"""Requests that pass before the endpoint holds all others: some cells are done, some are on their way."""


@contextmanager
def held_run(server: Server, folder: Path, workers: int) -> Iterator[tuple[subprocess.Popen[str], Relay]]:
    """A run in the middle: its endpoint holds its answers back until released."""
    with (
        Relay(server.address, hold_after=PASSING, counting=OF_CELLS) as relay,
        started(
            "run", "--endpoint", relay.endpoint, *server.keys, *SELECTION, "--workers", workers, cwd=folder
        ) as process,
    ):
        until(lambda: relay.held.is_set() or process.poll() is not None, 30, "a request is held")
        assert process.poll() is None
        assert server.buckets()
        yield process, relay


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that nobody else uses, so that every bucket on it is the run's."""
    with reference_server() as server:
        yield server


@pytest.mark.parametrize(("name", "workers"), [("SIGINT", 1), ("SIGINT", 2), ("SIGTERM", 2)])
def test_interrupted_run_ends_with_130_a_footer_and_nothing_left_behind(
    tmp_path: Path, own_server: Server, name: str, workers: int
) -> None:
    """Ctrl-C (SIGINT to the whole process group) and SIGTERM to the program clean up and close the run file."""
    with held_run(own_server, tmp_path, workers) as (process, relay):
        below = descendants(process.pid)
        if name == "SIGINT":
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGTERM)
        relay.release()
        end = ended(process, 30)
    assert end.code == 130, end.text
    header, *cells, footer = lines(tmp_path / "out")
    assert footer["interrupted"] == "interrupted by the user"
    assert footer["leftovers"] == []
    assert len(cells) < header["planned"]
    assert own_server.buckets() == []
    until(lambda: not alive(below), 5, "no process survives")
    assert gate.exit_code(record.read(tmp_path / "out")) == 4
    assert (tmp_path / "out" / "index.html").stat().st_size > 10_000


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_run_leaves_a_readable_file_no_process_and_a_journal_that_cleans_up(
    tmp_path: Path, own_server: Server, workers: int
) -> None:
    """After SIGKILL nothing can be done any more: what is on disk must be enough to report and to clean up."""
    with held_run(own_server, tmp_path, workers) as (process, relay):
        below = descendants(process.pid)
        process.kill()
        process.wait(5)
        relay.release()
        until(lambda: not alive(below), 15, "no worker survives")
        endpoint = relay.endpoint
    assert lines(tmp_path / "out")[-1]["kind"] != "footer"
    assert s3conform("report", "out", "--out", "report", cwd=tmp_path).code == 0
    assert "incomplete" in (tmp_path / "report" / "index.html").read_text().lower()
    assert gate.exit_code(record.read(tmp_path / "out")) == 4
    journal = "out/journal.jsonl"
    gone = s3conform("cleanup", journal, *own_server.keys, cwd=tmp_path)
    assert (gone.code, endpoint in gone.err) == (3, True), "the relay, which the journal names, is closed"
    end = s3conform("cleanup", journal, *own_server.options, cwd=tmp_path)
    assert end.code == 0, end.text
    assert own_server.buckets() == []
    again = s3conform("cleanup", "out", *own_server.options, cwd=tmp_path)
    assert (again.code, again.out) == (0, "0 places cleaned\n")


def test_killed_offline_run_takes_its_server_with_it(tmp_path: Path) -> None:
    """The bundled server and the workers end with the program, even by SIGKILL."""
    with started("run", *SELECTION, "--workers", 2, cwd=tmp_path) as process:
        until(lambda: len(descendants(process.pid)) >= 3 or process.poll() is not None, 30, "server and workers run")
        below = descendants(process.pid)
        process.kill()
        process.wait(5)
        until(lambda: not alive(below), 15, "nothing survives")


def test_second_interrupt_during_cleanup_still_closes_the_file(tmp_path: Path, own_server: Server) -> None:
    """An impatient user gets their prompt back; the file says that cleanup was interrupted."""
    with held_run(own_server, tmp_path, 1) as (process, relay):
        os.killpg(process.pid, signal.SIGINT)
        before = len(relay.requests)
        until(lambda: len(relay.requests) > before, 10, "cleanup has begun, and is held")
        os.killpg(process.pid, signal.SIGINT)
        end = ended(process, 10)
    assert end.code == 130, end.text
    footer = lines(tmp_path / "out")[-1]
    assert footer["leftovers"] == ["cleanup was interrupted; see the journal"]
    assert s3conform("cleanup", "out", *own_server.options, cwd=tmp_path).code == 0
    assert own_server.buckets() == []


def test_interrupt_before_the_first_answer_ends_with_130(tmp_path: Path, server: Server) -> None:
    """Ctrl-C while the endpoint is being contacted needs no run file, and shows no traceback."""
    with (
        Relay(server.address, hold_after=0) as relay,
        started("run", "--endpoint", relay.endpoint, *server.keys, *SELECTION, cwd=tmp_path) as process,
    ):
        until(relay.held.is_set, 20, "contact is held")
        os.killpg(process.pid, signal.SIGINT)
        end = ended(process, 10)
    assert end.code == 130, end.text
    assert "interrupted" in end.err
