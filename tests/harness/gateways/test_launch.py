"""A gateway is started step by step, waited for within bounds, and always gone afterwards."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import EndpointError
from harness.gateways.launch import Launch, launched
from harness.gateways.placeholders import first_values
from harness.gateways.process import Process, safe, stop_all
from tests.harness.gateways.making import HEAD, HERE, SERVE, described, python
from tests.support import alive, descendants, until

STEPS = f"""
[[steps]]
write = "etc/deep/small.conf"
text = "[{{port}}] {{{{port}}}}"

[[steps]]
run = ["{sys.executable}", "-c", "import os; print('id: ' + str(os.getpid()) + ' in', os.getcwd())"]
keep = "pid"
pattern = "id: ([0-9]+)"

[[steps]]
run = ["{sys.executable}", "-c", "import sys; open('made', 'w').write(sys.argv[1])", "{{pid}}"]

[[steps]]
wait = "file://{{folder}}/made"
"""


@pytest.fixture
def own() -> Callable[[], set[int]]:
    """Tells the processes below this one that the test started: others of this worker may have servers of theirs."""
    before = descendants(os.getpid())
    return lambda: descendants(os.getpid()) - before


Own = Callable[[], set[int]]


def listens(launch: Launch) -> bool:
    """Whether the gateway's port takes connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(launch.values["port"]))) == 0


def test_steps_are_taken_in_order_and_nothing_stays(own: Own, tmp_path: Path) -> None:
    """Files, commands with what they tell, processes, waits; then no process, no folder."""
    gateway = described(tmp_path, HEAD + STEPS + SERVE + '[version]\nrun = ["echo", "v7"]\npattern = "v(.)"\n')
    with launched(gateway, HERE, tmp_path / "logs") as launch:
        folder = Path(launch.values["folder"])
        assert (folder / "etc/deep/small.conf").read_text() == f"[{launch.values['port']}] {{port}}"
        assert (folder / "made").read_text() == launch.values["pid"]
        assert listens(launch)
        assert launch.tend() == ""
        assert launch.version() == "7"
        below = own()
        assert below
    assert alive(below) == set()
    assert not folder.exists()
    assert not listens(launch)
    assert min(path.name for path in (tmp_path / "logs").iterdir()).startswith("02-python")


def test_commands_see_nothing_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, proxies or home of whoever runs them."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-user")
    step = f'[[steps]]\nrun = ["{sys.executable}", "-c", "import os; print(sorted(os.environ))"]\nkeep = "names"\n'
    with launched(described(tmp_path, HEAD + step + SERVE), HERE, tmp_path / "logs") as launch:
        assert launch.values["names"] in (
            "['HOME', 'LC_ALL', 'PATH', 'TMPDIR']",
            "['HOME', 'LC_ALL', 'LC_CTYPE', 'PATH', 'TMPDIR']",
        )


def test_keys_are_invented_unless_they_are_described(tmp_path: Path) -> None:
    gateway = described(tmp_path, HEAD + SERVE + '[credentials]\naccess_key = "FIXED"\n[second]\nsecret_key = "TOO"\n')
    one, two = first_values(gateway), first_values(gateway)
    assert one["access_key"] == two["access_key"] == "FIXED"
    assert one["second_secret_key"] == "TOO"
    assert one["secret_key"] != two["secret_key"]


def test_ports_are_free_and_different(tmp_path: Path) -> None:
    values = first_values(described(tmp_path, 'ports = ["a", "b"]' + HEAD + SERVE))
    assert len({values[name] for name in ("port", "a", "b")}) == 3


WAIT = 'wait = "tcp://127.0.0.1:{port}"'
LOUD = "\\x1b[31mno\\x1b[0m \\x1b]0;title\\x07disk\\u202e\\x08"
FAILURES = {
    "dies": (
        python(f"import sys; print('{LOUD}'); sys.exit(3)", WAIT),
        r"step 1 \(start\): python\S* ended with exit code 3: no disk \(log: .*01-python.*\)",
    ),
    "dies silently": (
        python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", WAIT),
        "exit code -9: it wrote",
    ),
    "never ready": (
        python("import time; time.sleep(60)", WAIT + "\nseconds = 0.5"),
        r"tcp://127\.0\.0\.1:\d+ is not there after 0\.5 s: ConnectionRefusedError",
    ),
    "ready with errors": (
        python(
            "import http.server, sys\n"
            "class H(http.server.BaseHTTPRequestHandler):\n"
            "    def do_GET(self): self.send_error(503)\n"
            'http.server.HTTPServer(("127.0.0.1", {port}), H).serve_forever()',
            'wait = "http://127.0.0.1:{port}/"\nseconds = 2',
        ),
        "is not there after 2 s: status 503",
    ),
    "trickles": (
        python(
            "import socket, time\n"
            's = socket.create_server(("127.0.0.1", {port})); c = s.accept()[0]\n'
            'while True: c.send(b"H"); time.sleep(0.1)',
            'wait = "http://127.0.0.1:{port}/"\nseconds = 1.5',
        ),
        "is not there after 1.5 s",
    ),
    "no program": ('[[steps]]\nstart = ["no-such-gateway"]', "there is no program no-such-gateway"),
    "command fails": (
        f'[[steps]]\nrun = ["{sys.executable}", "-c", "import sys; sys.exit(\'no quorum\')"]\n' + python("0"),
        r"step 1 \(run\): python\S* ended with exit code 1: no quorum",
    ),
    "command hangs": (
        f'[[steps]]\nrun = ["{sys.executable}", "-c", "import time; time.sleep(60)"]\nseconds = 0.3\n' + python("0"),
        r"step 1 \(run\): python\S* did not end within 0\.3 s",
    ),
    "tells nothing": (
        '[[steps]]\nrun = ["echo", "x"]\nkeep = "k"\npattern = "y(.)"\n' + python("0"),
        r"'y\(\.\)' does not match what the command tells",
    ),
    "ends again and again": (
        python("0", WAIT + "\nagain = true"),
        "a process ended 4 times before the gateway answered",
    ),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_gateway_that_does_not_start_is_told_in_one_line(failure: str, own: Own, tmp_path: Path) -> None:
    """Within the bound, with its last word, and nothing of it stays."""
    steps, wanted = FAILURES[failure]
    gateway = described(tmp_path, HEAD + steps)
    begun = time.monotonic()
    told = pytest.raises(EndpointError, match=f"^gateway small, .*{wanted}")
    with told as caught, launched(gateway, HERE, tmp_path / "logs"):
        pass
    assert time.monotonic() - begun < 15
    assert str(caught.value).isprintable()
    assert alive(own()) == set()


def test_process_that_may_end_is_started_again(own: Own, tmp_path: Path) -> None:
    """As often as it ends, and it is counted; one that must not end is told."""
    again = SERVE.rstrip() + "\nagain = true\n"
    with launched(described(tmp_path, HEAD + again), HERE, tmp_path / "logs") as launch:
        (server,) = own()
        os.kill(server, 9)
        until(lambda: launch.tend() == "" and launch.restarts == 1 and listens(launch))
    with launched(described(tmp_path, HEAD + SERVE), HERE, tmp_path / "logs") as launch:
        (server,) = own()
        os.kill(server, 9)
        assert "ended with exit code -9" in until(launch.tend)


STUBBORN = """import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"])
open(sys.argv[1], "w").close()
time.sleep(60)"""


def test_what_does_not_obey_is_killed_with_its_children(
    own: Own, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TERM, a bounded while, KILL to the group; the same when the waiting is interrupted."""
    monkeypatch.setattr("harness.gateways.process.STOP_SECONDS", 0.5)
    process = Process([sys.executable, "-c", STUBBORN, str(tmp_path / "up")], tmp_path / "log", tmp_path, os.environ)
    until((tmp_path / "up").exists)
    until(lambda: len(own()) == 2)
    below = own()
    stop_all([process])
    assert alive(below) == set()
    assert process.ended() == -9


def test_lines_of_logs_are_made_safe() -> None:
    """Escape sequences, control characters and bidi overrides go, and what is too long."""
    assert (
        safe("\x1b[1;31mred\x1b[0m\ttab \x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \u202eover\x00") == "red tab link over"
    )
    assert len(safe("x" * 1000)) == 300
