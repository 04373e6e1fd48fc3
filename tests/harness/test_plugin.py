"""pytest under the hood: nothing of the user's reaches it, and a worker that dies is a verdict."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support import OF_CELLS, Relay, Server, alive, cells, descendants, ended, lines, s3conform, started, until

SELECTION = ("--scenario", "ETAG-001,ETAG-002,DEL-001,DEL-002,DEL-003,LST2-004", "--out", "out")


def test_users_own_settings_and_modules_do_not_disturb_a_run(tmp_path: Path) -> None:
    """Files in the current folder and variables that would stop pytest, Python, boto3 or the server have no effect."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "setup.cfg").write_text("[tool:pytest]\naddopts = --no-such-option\n")
    (tmp_path / "aws").write_text("this is no configuration")
    for name in ("conftest", "json", "pytest", "xdist", "execnet", "harness", "scenarios", "reference_server", "boto3"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('a module of the user')\n")
    env = {
        "PYTEST_ADDOPTS": "--no-such-option",
        "PYTEST_PLUGINS": "no_such_plugin",
        "AWS_PROFILE": "no-such-profile",
        "AWS_CONFIG_FILE": str(tmp_path / "aws"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "aws"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "nonsense",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "HOME": str(tmp_path / "missing"),
    }
    end = s3conform("run", *SELECTION, "--clients", "raw,boto3", "--workers", 2, cwd=tmp_path, env=env)
    assert end.code == 0, end.text
    assert set(cells(tmp_path / "out").values()) == {"conforms"}


def test_number_of_workers_does_not_change_verdicts(tmp_path: Path) -> None:
    """One process or two: the same cells with the same verdicts, also where they fail."""
    found = []
    for workers in (1, 2):
        options = ("--profile", "auto-drive", "--workers", workers)
        end = s3conform("run", *SELECTION, *options, "--clients", "raw,boto3", cwd=tmp_path)
        assert end.code == 0, end.text
        found.append(cells(tmp_path / "out"))
    assert found[0] == found[1]
    assert {"conforms", "unsupported"} <= set(found[0].values())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "SIGINT"])
def test_worker_that_ends_in_mid_run(tmp_path: Path, server: Server, number: signal.Signals) -> None:
    """A killed worker costs the cell that it ran and no other; one that is interrupted ends the run, not as Ctrl-C."""
    options = ("--clients", "raw,boto3", "--workers", 2)
    with (
        Relay(server.address, hold_after=10, counting=OF_CELLS) as relay,
        started("run", "--endpoint", relay.endpoint, *server.keys, *SELECTION, *options, cwd=tmp_path) as process,
    ):
        until(lambda: relay.waiting == 2, 30, "each of the two workers is in the middle of a cell")
        workers = descendants(process.pid)
        assert workers
        os.kill(min(workers), number)
        relay.release()
        end = ended(process)
        until(lambda: not alive(workers), 5, "no worker survives")
    header, *_, footer = lines(tmp_path / "out")
    assert footer["kind"] == "footer"
    assert footer["leftovers"] == []
    if number == signal.SIGINT:
        assert end.code == 4, end.text
        assert "keyboard-interrupt" in footer["interrupted"]
        return
    assert end.code == 1, end.text
    assert footer["interrupted"] == ""
    verdicts = list(cells(tmp_path / "out").values())
    assert len(verdicts) == header["planned"]
    assert sorted(set(verdicts)) == ["conforms", "error"]
    assert verdicts.count("error") == 1
    lost = next(line for line in lines(tmp_path / "out") if line.get("verdict") == "error")
    assert "worker" in lost["message"]
    assert lost["scenario"] in lost["message"]
