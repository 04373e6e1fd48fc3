"""The docker runner against a real engine; skipped, with the reason, where there is none or not the image."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.clients import docker
from harness.clients.docker import LABEL, DockerRunner
from harness.clients.rclone import Rclone
from harness.signals import ClientFault
from tests import support
from tests.harness.clients.making import info


@pytest.fixture(scope="module", autouse=True)
def _engine() -> None:
    """Without an engine that has the image there is nothing to test."""
    if docker.engine() is None:
        pytest.skip("no container engine answers")
    if not docker.has(Rclone.image):
        pytest.skip(f"the engine has no image {Rclone.image}")


@pytest.fixture(params=[False, True], ids=["exec", "isolated"])
def runner(request: pytest.FixtureRequest) -> Iterator[DockerRunner]:
    """Runs rclone in one container, or in one for each call."""
    made = DockerRunner(Rclone.image, Rclone.idle, isolated=request.param)
    yield made
    made.close()


def containers(owner: int) -> list[str]:
    """The names of the containers, running or not, that belong to a process or its children."""
    api = docker.engine()
    names = [each["Names"][0] for each in api.containers(all=True, filters={"label": LABEL})]
    return [name for name in names if name.startswith(f"/{LABEL}-{owner}-")]


def eventually(test: Callable[[], bool], seconds: float = 15) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not test():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_files_travel_as_the_callers(runner: DockerRunner) -> None:
    """The private place is the same inside and outside, and what the program writes belongs to the caller."""
    (runner.folder / "in.txt").write_bytes(b"from outside")
    assert runner.run(["cat", str(runner.folder / "in.txt")], timeout=30).stdout == b"from outside"
    body = os.urandom(3_000_000)
    assert runner.run(["rcat", str(runner.folder / "out.bin")], timeout=30, stdin=body).exit_code == 0
    written = runner.folder / "out.bin"
    assert written.read_bytes() == body
    assert (written.stat().st_uid, written.stat().st_gid) == (os.getuid(), os.getgid())


def test_streams_variables_and_exit_codes(runner: DockerRunner) -> None:
    """Each stream by itself, variables as given, the program's own exit code."""
    missing = runner.run(["lsf", "/no/such/folder"], timeout=30)
    assert missing.exit_code == 3
    assert "directory not found" in missing.stderr
    assert missing.stdout == b""
    shown = runner.run(["config", "dump"], timeout=30, environment={"RCLONE_CONFIG": str(runner.home / "own.conf")})
    assert shown.stdout.strip() == b"{}"
    assert "own.conf" in shown.stderr


def test_nothing_of_the_callers_environment(runner: DockerRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither credentials nor configuration of the user are inside."""
    monkeypatch.setenv("RCLONE_CONFIG_MINE_TYPE", "local")
    assert b"mine:" not in runner.run(["listremotes"], timeout=30).stdout


def test_a_program_that_hangs_is_killed_with_its_container(runner: DockerRunner) -> None:
    """It gets its time and no more; the container is gone by name, and the next call has a new one."""
    serve = ["serve", "http", str(runner.folder), "--addr", "127.0.0.1:0"]
    result = runner.run(serve, timeout=1.5)
    assert (result.timed_out, result.exit_code) == (True, -9)
    assert result.stopped == "did not end within 2 s" or result.stopped == "did not end within 1 s"
    assert eventually(lambda: containers(os.getpid()) == [])
    assert runner.run(["version"], timeout=30).exit_code == 0


def test_a_caller_can_stop_it(runner: DockerRunner) -> None:
    """The reason is kept."""
    serve = ["serve", "http", str(runner.folder), "--addr", "127.0.0.1:0"]
    result = runner.run(serve, timeout=60, stop=lambda: "enough")
    assert (result.stopped, result.timed_out) == ("enough", False)


def test_isolation_is_a_container_for_each_call() -> None:
    """One container serves all calls, or none outlives its own."""
    for isolated, left in ((False, 1), (True, 0)):
        runner = DockerRunner(Rclone.image, Rclone.idle, isolated=isolated)
        try:
            runner.run(["version"], timeout=30)
            runner.run(["version"], timeout=30)
            assert eventually(lambda left=left: len(containers(os.getpid())) == left)  # type: ignore[misc]
        finally:
            runner.close()
        assert eventually(lambda: containers(os.getpid()) == [])


@pytest.mark.parametrize(
    ("image", "idle", "told"),
    [
        ("s3conform.invalid/none:1", ("cat",), "the container engine failed: "),
        (Rclone.image, ("no-such-program",), "the container "),
    ],
)
def test_what_the_engine_cannot_start_is_a_fault_of_the_client(image: str, idle: tuple[str, ...], told: str) -> None:
    """Never a finding about the endpoint, and nothing stays."""
    runner = DockerRunner(image, idle)
    try:
        with pytest.raises(ClientFault, match=told):
            runner.run(["version"], timeout=30)
    finally:
        runner.close()
    assert eventually(lambda: containers(os.getpid()) == [])


@pytest.mark.parametrize("code", [125, 126, 127])
def test_exit_codes_of_the_engine_are_faults(code: int, runner: DockerRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """125 to 127 say that the program never ran."""
    result = docker.Result(code, b"", "OCI runtime exec failed")
    monkeypatch.setattr(docker._Container, "run", lambda *_: result)
    with pytest.raises(ClientFault, match=f"exit code {code}.*OCI runtime"):
        runner.run(["version"], timeout=30)


def test_a_program_that_is_not_in_the_container_is_a_fault(runner: DockerRunner) -> None:
    """As the engine really tells it."""
    runner.run(["version"], timeout=30)
    real = docker._Container.run
    with pytest.MonkeyPatch.context() as patch:

        def renamed(self: Any, *args: Any) -> Any:
            self._program = ["/no/such/program"]
            return real(self, *args)

        patch.setattr(docker._Container, "run", renamed)
        with pytest.raises(ClientFault, match="the container"):
            runner.run(["version"], timeout=30)


def test_no_container_survives_a_killed_process(tmp_path: Path) -> None:
    """Whatever ends the process: its containers end with it, also without a word of farewell."""
    code = f"""
import time
from harness.clients.docker import DockerRunner
runner = DockerRunner({Rclone.image!r}, {Rclone.idle!r})
runner.run(["version"], timeout=30)
print("ready", flush=True)
time.sleep(60)
"""
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            env=support.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
            text=True,
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            assert len(containers(process.pid)) == 1
            process.send_signal(number)
            process.wait(15)
        assert eventually(lambda process=process: containers(process.pid) == [])  # type: ignore[misc]


PATH = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
RUN = ("run", "--runner", "docker", "--clients", "rclone", "--workers", 2, "--out", "out")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_container_survives_a_run_that_is_cut_short(number: signal.Signals, tmp_path: Path) -> None:
    """After Ctrl-C, and after a kill of everything that the run had started."""
    with support.started(*RUN, "--family", "ETAG,GET,RCLONE", cwd=tmp_path) as process:

        def those_of_the_run() -> list[str]:
            return [name for pid in support.descendants(process.pid) for name in containers(pid)]

        support.until(lambda: len(those_of_the_run()) >= 2, 60, "containers of both workers")
        owners = support.descendants(process.pid)
        if number == signal.SIGINT:
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)
        process.communicate(timeout=60)

    def left() -> list[str]:
        docker.sweep(-1)  # as a later run does with those that were made and never started
        return [name for pid in owners for name in containers(pid)]

    assert eventually(lambda: left() == [])


def test_containers_that_never_started_are_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of processes that are gone; those of the living, and young ones, are left alone."""
    runner, name = DockerRunner(Rclone.image, Rclone.idle), f"{LABEL}-{os.getpid()}-created"
    try:
        runner.create(name)
        docker.sweep(-1)
        assert containers_named(name)
        monkeypatch.setattr(docker, "_lives", lambda pid: pid != os.getpid())
        docker.sweep()
        assert containers_named(name), "too young"
        docker.sweep(-1)
        assert not containers_named(name)
    finally:
        runner.close()


def containers_named(name: str) -> list[Any]:
    return list(docker.engine().containers(all=True, filters={"name": name}))


def test_verdicts_are_the_same_in_and_out_of_containers(tmp_path: Path) -> None:
    """Two columns of one client in one run, each with its own exchanges; their verdicts agree."""
    scenarios = "ETAG-001,GET-001,GET-006,LST2-004,DEL-001,RCLONE-007,RCLONE-012,RCLONE-017,RCLONE-021,RCLONE-032"
    columns = ("--clients", "rclone", "--client", "rclone=docker", "--client", "rclone=local", "--scenario", scenarios)
    info("rclone")  # or the test is skipped
    end = support.s3conform("run", *columns, "--workers", 2, "--out", "out", cwd=tmp_path, env=PATH, seconds=120)
    assert end.code == 0, end.text
    found = [line for line in support.lines(tmp_path / "out") if line["kind"] == "cell"]
    by_column: dict[str, dict[str, str]] = {}
    for cell in found:
        by_column.setdefault(cell["column"], {})[cell["scenario"]] = cell["verdict"]
        assert cell["exchanges"] or cell["verdict"] == "inapplicable"
    header = support.lines(tmp_path / "out")[0]
    runners = {client["column"]: client["runner"] for client in header["clients"] if "scheme" not in client}
    assert sorted(runners.values()) == ["docker", "local"]
    assert set(by_column) == set(runners) | {f"{column}-https" for column in runners}
    one, other = sorted(runners)
    assert by_column[one] == by_column[other]
    assert len(by_column[one]) == len(scenarios.split(","))
    assert "conforms" in by_column[one].values()
