"""The local runner: what programs get, what comes back, and that they end."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.clients import local
from harness.clients import runner as runner_module
from harness.clients.local import LocalRunner


@pytest.fixture
def runner() -> Iterator[LocalRunner]:
    """Runs Python as the program."""
    made = LocalRunner(sys.executable)
    yield made
    made.close()


def python(runner: LocalRunner, code: str, timeout: float = 20, **options: object) -> local.Result:
    """Run a piece of Python."""
    return runner.run(["-c", code], timeout=timeout, **options)  # type: ignore[arg-type]


def test_streams_and_exit_code(runner: LocalRunner) -> None:
    """Bytes in, bytes and text out, and the exit code as it is."""
    code = "import sys; d=sys.stdin.buffer.read(); sys.stdout.buffer.write(d[::-1]); sys.stderr.write('é'); sys.exit(7)"
    body = os.urandom(3_000_000)
    result = python(runner, code, stdin=body)
    assert result == local.Result(7, body[::-1], "é")


def test_nothing_of_the_callers_environment(runner: LocalRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials, configuration and proxies of the user stay out; home is private."""
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "RCLONE_CONFIG", "HTTP_PROXY", "https_proxy", "NO_PROXY", "X"):
        monkeypatch.setenv(name, "from the user")
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    found = json.loads(python(runner, code, environment={"MORE": "1"}).stdout)
    assert "from the user" not in found.values()
    assert set(found) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"} == {
        "PATH", "LANG", "TMPDIR", "HOME", "MORE",
        "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
    }  # fmt: skip
    assert Path(found["HOME"]) == runner.home


def test_private_place_goes_away() -> None:
    """Nobody else can enter it, the program works in it, and closing removes it with all it holds."""
    runner = LocalRunner(sys.executable)
    place = runner.folder.parent
    assert place.stat().st_mode & 0o777 == 0o700
    python(runner, "open('left-over', 'w').write('x')")
    assert (runner.folder / "left-over").read_text() == "x"
    runner.close()
    runner.close()
    assert not place.exists()


def test_timeout_kills_the_whole_group(runner: LocalRunner, tmp_path: Path) -> None:
    """A program and what it started are gone after its time, and reaped."""
    pids = tmp_path / "pids"
    code = (
        "import os, subprocess, sys, time; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}'); "
        "print('begun', flush=True); time.sleep(60)"
    )
    started = time.monotonic()
    result = python(runner, code, timeout=1.5)
    assert time.monotonic() - started < 5
    assert (result.timed_out, result.exit_code, result.stdout) == (True, -9, b"begun\n")
    assert result.stopped.startswith("did not end within ")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(_alive(int(pid)) for pid in pids.read_text().split()):
        time.sleep(0.02)
    assert not any(_alive(int(pid)) for pid in pids.read_text().split())


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc/self").exists()
    return state != "Z"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_floods_are_stopped(runner: LocalRunner, stream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that writes without end is killed, and what it wrote is bounded."""
    monkeypatch.setattr(local, "MAX_STDOUT", 3_000_000)
    result = python(runner, f"import sys\nwhile True: sys.{stream}.write('x' * 100000)")
    assert result.stopped.startswith("wrote more than ")
    assert not result.timed_out
    assert len(result.stdout) + len(result.stderr) < 4_000_000


def test_full_folders_are_stopped(runner: LocalRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that fills the disk is killed."""
    monkeypatch.setattr(runner_module, "MAX_FILES", 1_000_000)
    code = "import time\nf = open('big', 'wb')\nwhile True: f.write(bytes(100000)); time.sleep(0.01)"
    assert python(runner, code).stopped == "wrote more than 1000000 bytes of files"


def test_caller_can_stop_a_program(runner: LocalRunner) -> None:
    """The reason is kept."""
    result = python(runner, "import time; time.sleep(60)", stop=lambda: "enough")
    assert (result.stopped, result.timed_out, result.exit_code) == ("enough", False, -9)


def test_interruption_leaves_no_process(runner: LocalRunner) -> None:
    """An exception in the caller, such as an interrupt, ends the program first."""
    pid = runner.folder / "pid"

    def interrupt() -> str:
        if pid.exists():
            raise KeyboardInterrupt
        return ""

    code = "import os, time; open('new', 'w').write(str(os.getpid())); os.rename('new', 'pid'); time.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        python(runner, code, stop=interrupt)
    assert not _alive(int(pid.read_text()))


def test_input_that_nobody_reads(runner: LocalRunner) -> None:
    """A program that ends before it has read its input is no failure of the runner."""
    result = python(runner, "import os; os.close(0); print('done')", stdin=bytes(5_000_000))
    assert (result.exit_code, result.stdout) == (0, b"done\n")


def test_output_closed_early(runner: LocalRunner) -> None:
    """A program that closes its streams and goes on is waited for, within its time."""
    code = "import os, time; [os.close(n) for n in (0, 1, 2)]; time.sleep({})"
    assert python(runner, code.format("0.3")).exit_code == 0
    assert python(runner, code.format("60"), timeout=1).timed_out


def test_programs_are_found_and_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PATH first, then beside this Python; a program that cannot run has no version."""
    name = Path(sys.executable).name
    monkeypatch.setenv("PATH", str(tmp_path))
    (beside,) = local.find(name)
    assert Path(beside).parent == Path(sys.executable).parent
    assert local.find("no-such-program") == []
    assert local.version(sys.executable, "--version", r"Python ([\d.]+)") == sys.version.partition(" ")[0]
    broken = tmp_path / "broken"
    broken.write_text("#!/nowhere/at/all\n")
    broken.chmod(0o755)
    assert local.find("broken") == [str(broken)]
    assert local.version(str(broken), "--version", "(.*)") == ""
    (tmp_path / name).symlink_to(broken)
    assert local.find(name) == [str(tmp_path / name), beside]


def test_program_that_is_not_there() -> None:
    """Starting it is an error of its own."""
    runner = LocalRunner("/no/such/program")
    try:
        with pytest.raises(OSError, match="No such file"):
            runner.run([], timeout=1)
    finally:
        runner.close()
