"""A gateway is installed, started, judged and stopped by one command, and what it was stands beside the run file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.gateways import judge as judging
from tests.harness.gateways.making import HEAD, SERVE, described, python, written
from tests.support import SECONDS, alive, cells, descendants, ended, environment, lines, until

GATEWAYS = (sys.executable, "-P", "-m", "harness.gateways")
QUICK = ("--", "--clients", "raw", "--scenario", "ETAG-001,BKT-001,AUTH-027")


@contextmanager
def command(*words: object, cwd: Path, **env: str) -> Iterator[subprocess.Popen[str]]:
    """The command, with a cache of its own, gone after the block."""
    process = subprocess.Popen(
        [*GATEWAYS, *map(str, words)],
        cwd=cwd,
        env=environment(XDG_CACHE_HOME=str(cwd / "cache"), HOME=str(cwd), **env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_gateway_is_judged_with_what_its_description_says(tmp_path: Path) -> None:
    """Title and version reach the run file, both accounts are used, and a user's own credentials are not."""
    text = HEAD + SERVE + '[version]\nrun = ["echo", "v7"]\npattern = "v(.)"\n[second]\n[options]\nworkers = 1\n'
    user = {"AWS_ACCESS_KEY_ID": "of-the-user", "AWS_SESSION_TOKEN": "of-the-user", "AWS_REGION": "nowhere-1"}
    with command(written(tmp_path, text), "--out", tmp_path / "out", *QUICK, cwd=tmp_path, **user) as process:
        done = ended(process)
    assert done.code == 0, done.text
    out = tmp_path / "out" / "small"
    header = lines(out)[0]
    assert header["gateway"] == {"name": "Small", "version": "7"}
    assert cells(out) == {"ETAG-001[raw]": "conforms", "BKT-001[raw]": "conforms", "AUTH-027[raw]": "conforms"}
    about = json.loads((out / "gateway.json").read_bytes())
    assert (about["title"], about["version"], about["way"], about["restarts"]) == ("Small", "7", "package", 0)
    assert "started in" in done.err
    assert [path.name[:2] for path in sorted((out / "gateway").iterdir())] == ["01", "ve"]


def test_violations_are_no_failure_of_the_command(tmp_path: Path) -> None:
    """What a run found is in its file; one that could not take place is a failure."""
    wrong = SERVE.replace('"--port"', '"--defect", "bucket-region-ignored", "--port"')
    path = written(tmp_path, HEAD + wrong)
    with command(path, "--out", tmp_path / "out", *QUICK[:-1], "LBKT-005", cwd=tmp_path) as process:
        done = ended(process)
    assert done.code == 0, done.text
    assert cells(tmp_path / "out" / "small") == {"LBKT-005[raw]": "violates"}
    assert json.loads((tmp_path / "out/small/gateway.json").read_bytes())["exit_code"] == 1
    with command(path, "--out", tmp_path / "out", *QUICK[:-1], "NO-001", cwd=tmp_path) as process:
        done = ended(process)
    assert done.code == 2, done.text


def test_what_cannot_be_started_is_one_line_and_others_are_judged(tmp_path: Path) -> None:
    """A gateway that fails costs the others nothing; the exit code says it."""
    (tmp_path / "bad").mkdir()
    bad = written(tmp_path / "bad", HEAD + python("raise SystemExit('no disk')", 'wait = "tcp://127.0.0.1:{port}"'))
    good = written(tmp_path, HEAD + SERVE)
    with command(bad, good, "--out", tmp_path / "out", *QUICK, cwd=tmp_path) as process:
        done = ended(process)
    assert done.code == 3, done.text
    assert "gateway small, step 1 (start): python" in done.err
    assert "no disk" in done.err
    assert set(cells(tmp_path / "out" / "small").values()) == {"conforms"}


def test_gateway_that_ends_while_it_is_judged_ends_the_run(tmp_path: Path) -> None:
    """The run is not left to wait for a gateway that is gone; its file stays whole."""
    with command(
        written(tmp_path, HEAD + SERVE), "--out", tmp_path / "out", "--", "--clients", "raw", "--family", "BKT,CON,LIM",
        cwd=tmp_path,
    ) as process:  # fmt: skip
        server = until(lambda: [pid for pid in descendants(process.pid) if "reference_server" in words(pid)], SECONDS)
        until(lambda: (tmp_path / "out/small/run.jsonl").exists() and cells(tmp_path / "out/small"), SECONDS)
        os.kill(server[0], signal.SIGKILL)
        done = ended(process)
    assert done.code == 3, done.text
    assert "gateway small ended while it was judged: python" in done.err
    assert lines(tmp_path / "out" / "small")[-1]["interrupted"]


@pytest.mark.parametrize("signalled", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_leaves_a_whole_run_file_and_no_process(signalled: signal.Signals, tmp_path: Path) -> None:
    """The run cleans up while the gateway is still there; then the gateway goes."""
    with command(
        written(tmp_path, HEAD + SERVE), "--out", tmp_path / "out", "--", "--clients", "raw", "--family", "BKT,CON,LIM",
        cwd=tmp_path,
    ) as process:  # fmt: skip
        until(lambda: (tmp_path / "out/small/run.jsonl").exists() and cells(tmp_path / "out/small"), SECONDS)
        below = descendants(process.pid)
        process.send_signal(signalled)
        done = ended(process)
    assert done.code == 130, done.text
    assert alive(below) == set()
    footer = lines(tmp_path / "out" / "small")[-1]
    assert footer["interrupted"] == "interrupted by the user"
    assert footer["leftovers"] == []


def words(pid: int) -> str:
    """The command of a process."""
    with suppress(OSError):
        return (Path("/proc") / str(pid) / "cmdline").read_text()
    return ""


USAGE = {
    "nothing": ((), "no gateway is named; there are "),
    "unknown": (("motto",), "unknown gateway 'motto': did you mean 'moto'?"),
    "endpoint": (("moto", "--", "--endpoint=http://x"), "--endpoint=http://x is not for the run"),
}


@pytest.mark.parametrize("mistake", USAGE)
def test_mistake_of_the_user_is_one_line(mistake: str, tmp_path: Path) -> None:
    given, wanted = USAGE[mistake]
    with command(*given, cwd=tmp_path) as process:
        done = ended(process)
    assert (done.code, done.out) == (2, "")
    assert wanted in done.err
    assert done.err.count("\n") == 1


def test_list_says_how_each_can_be_had(tmp_path: Path) -> None:
    """Without installing anything."""
    with command("--list", cwd=tmp_path, PATH="", DOCKER_HOST="unix:///nowhere") as process:
        done = ended(process)
    assert done.code == 0, done.text
    assert next(line for line in done.out.splitlines() if line.startswith("moto ")).split()[-1] == "package"
    assert "not here: there is no npm and no node here; it has no image" in done.out
    assert not (tmp_path / "cache").exists()


def test_gateway_that_cannot_be_had_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For both ways."""
    monkeypatch.setattr("harness.gateways.container.engine", lambda: None)
    gateway = described(tmp_path, HEAD.replace(sys.executable, "no-such-program") + SERVE)
    wanted = "gateway small cannot be had here: as packages there is no no-such-program here; by image it has no image"
    with pytest.raises(UsageError, match=wanted):
        judging.way(gateway, "package")
    with pytest.raises(UsageError, match=wanted):
        judging.way(gateway, "image")


def test_way_that_is_preferred_is_taken_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = described(tmp_path, HEAD + SERVE + '[image]\nname = "x:1"\nport = 9000\n')
    monkeypatch.setattr("harness.gateways.container.engine", lambda: None)
    assert judging.way(gateway, "image") == "package"
    monkeypatch.setattr("harness.gateways.container.engine", object)
    assert judging.way(gateway, "image") == "image"
    assert judging.way(gateway, "package") == "package"
