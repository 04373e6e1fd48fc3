"""Node and what runs on it may break in any way: never an answer of the endpoint's, and the next call has a new one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import offline, scenario
from harness.clients import jssdk as driver
from harness.clients import jssdk_install, local
from harness.clients.jssdk import JsSdk
from harness.clients.jssdk_process import Conversation
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.limit import OutOfTime, limit
from harness.run import new_run_id
from harness.sandbox import JournalHead, Sandbox, append, cleanup
from harness.scenario import Scenario
from harness.scene import Scene
from harness.signals import ClientFault, Mismatch
from harness.wire.sigv4 import Credentials
from harness.wire.wiretap import Wiretap
from tests import support
from tests.harness.clients.conftest import endpoint_of

KEYS = Credentials("AKIDEXAMPLE", "secret-of-the-test")
OBJECT = {"Bucket": "bucket", "Key": "k"}
NOWHERE = "http://127.0.0.1:9"
WORKFLOWS = [found for found in scenario.load().values() if found.family == "JSSDK"]


def available() -> None:
    """Skip the test when Node or the SDK is not there."""
    _, missing = JsSdk.available()
    if missing:
        pytest.skip(missing)


# --- the conversation, with programs that stand for Node ---

ECHO = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "said": line}), flush=True)
"""
PARENT = """
import subprocess
child = subprocess.Popen(["sleep", "60"])
print('{"id": 1, "child": %d}' % child.pid, flush=True)
input(), input()
"""


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Callable[[str], Conversation]]:
    """Starts a conversation with a Python program."""
    made: list[Conversation] = []

    def start(code: str) -> Conversation:
        command = [sys.executable, "-SE", "-c", code]
        made.append(Conversation(command, tmp_path, {"PATH": os.environ["PATH"]}))
        return made[-1]

    yield start
    for one in made:
        one.end()


def test_lines_of_any_length_go_there_and_back(talk: Any) -> None:
    """Longer than a pipe holds, both ways."""
    echo = talk(ECHO)
    for number, size in enumerate((1, 100, 3_000_000, 1)):
        assert json.loads(echo.ask({"id": number, "body": "x" * size}, 20)["said"])["body"] == "x" * size
    assert echo.alive


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os; os.abort()", "crashed: Aborted"),
        ("import sys; sys.exit('first\\nit hurts')", "ended with exit code 1: it hurts"),
        ("import sys; input(); sys.exit(7)", "ended with exit code 7"),
        ("import os, time; os.close(1); time.sleep(30)", "closed its standard output"),
        ("import time; time.sleep(30)", "did not answer within 0.5 s"),
        (
            "import sys; sys.stderr.write('stuck\\n'); sys.stderr.flush(); input(); input()",
            "did not answer within 0.5 s: stuck",
        ),
        ("print('hello', flush=True); input(); input()", "said what is no answer: b'hello'"),
        ("print('[1]', flush=True); input(); input()", "said what is no answer: b'[1]'"),
        ("print('{\"id\": 2}', flush=True); input(); input()", "said what is no answer: b'{\"id\": 2}'"),
        ("import os; os.write(1, b'{\"id\": 1}\\n{}\\n'); input(); input()", "said more than one line: b'{}"),
        ("while True: print('x' * 65536, end='')", "answered with more than 1000000 bytes"),
        ("import os\nwhile True: os.write(2, b'x' * 65536)", "did not answer within 0.5 s"),
    ],
)
def test_whatever_it_does_is_its_own_fault(talk: Any, monkeypatch: pytest.MonkeyPatch, code: str, says: str) -> None:
    """It is told, and gone at once."""
    monkeypatch.setattr("harness.clients.jssdk_process.MAX_LINE", 1_000_000)
    bad, started = talk(code), time.monotonic()
    with pytest.raises(ClientFault, match=r"^python") as caught:
        bad.ask({"id": 1}, 0.5 if "0.5" in says else 20)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 500
    assert not bad.alive
    assert time.monotonic() - started < 10


def test_what_it_started_goes_with_it(talk: Any) -> None:
    parent = talk(PARENT)
    child = {parent.ask({"id": 1}, 20)["child"]}
    assert support.alive(child) == child
    parent.end()
    parent.end()
    support.until(lambda: not support.alive(child))


def test_an_interrupted_call_leaves_no_answer_for_the_next(talk: Any) -> None:
    slow = talk("import time\nwhile True: input(); time.sleep(3); print('{\"id\": 1}', flush=True)")
    with pytest.raises(OutOfTime), limit(0.3):
        slow.ask({"id": 1}, 20)
    assert not slow.alive


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ClientFault, match=r"^node-x cannot be started: No such file or directory$"):
        Conversation(["node-x"], tmp_path, {"PATH": str(tmp_path)})


# --- Node itself ---


@pytest.fixture
def client() -> Iterator[Callable[..., JsSdk]]:
    """Makes clients, each with a tap, that are closed with the test."""
    available()
    made: list[Any] = []

    def make(url: str = NOWHERE, folder: str = "", **changes: Any) -> JsSdk:
        endpoint = Endpoint(url, **({"credentials": KEYS, "timeout": 2.0} | changes))
        tap = Wiretap(endpoint)
        sdk = JsSdk(endpoint, {}, tap, folder)
        made.extend([sdk, tap])
        return sdk

    yield make
    for one in made:
        one.close()


def pid(sdk: Any) -> int:
    return int(sdk._conversation._process.pid)


def test_a_new_node_after_one_that_died(client: Any, answering: Any) -> None:
    sdk = client(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").url)
    for _ in range(2):
        assert sdk.call("GetObject", OBJECT).body == b"hi"
        os.kill(pid(sdk), signal.SIGKILL)
        support.until(lambda: not sdk._conversation.alive)


def test_node_that_dies_within_a_call(client: Any, answering: Any) -> None:
    def kill(_request: bytes) -> bytes:
        os.kill(pid(sdk), signal.SIGKILL)
        return b""

    sdk = client(answering(kill, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").url)
    with pytest.raises(ClientFault, match=r"^node crashed: Killed"):
        sdk.call("GetObject", OBJECT)
    assert sdk.call("GetObject", OBJECT).body == b"hi"


def test_node_that_hangs(client: Any, answering: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it answers, its own clock neither."""
    monkeypatch.setattr(driver, "GRACE", -1.5)
    sdk = client(answering(lambda _: os.kill(pid(sdk), signal.SIGSTOP) or b"").url, timeout=1.0)
    with pytest.raises(ClientFault, match=r"^node did not answer within 0\.5 s"):
        sdk.call("GetObject", OBJECT)


def test_a_body_that_never_ends_is_given_up(client: Any, serve: Any) -> None:
    """Though a byte comes every now and then, which no timeout of a single wait would notice."""

    def trickle(connection: socket.socket, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            connection.sendall(b"x")
            time.sleep(0.1)

    started = time.monotonic()
    sdk = client(serve(trickle).url, timeout=0.5)
    found = sdk.call("GetObject", OBJECT)
    assert (found.ok, found.status, found.failure) == (False, 200, "TimeoutError: no end within 1000 ms")
    assert found.body
    assert time.monotonic() - started < 10


def test_node_ends_with_its_owner(client: Any, server: support.Server, tmp_path: Path) -> None:
    """Not even SIGKILL of this program leaves it behind."""
    client()
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(support.ROOT)!r})
from harness.clients.jssdk import JsSdk
from harness.config import Endpoint
from harness.wire.sigv4 import Credentials
from harness.wire.wiretap import Wiretap
from harness.wire.wiretap import Wiretap
endpoint = Endpoint({server.endpoint!r}, Credentials("A", "B"), timeout=5)
sdk = JsSdk(endpoint, {{}}, Wiretap(endpoint))
sdk.call("ListBuckets", {{}})
print(sdk._conversation._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    node = {int(done.stdout)}
    support.until(lambda: not support.alive(node))


def test_secrets_are_neither_arguments_nor_variables(
    client: Any, answering: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And nothing of the user's settings gets there."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nendpoint_url = http://127.0.0.1:1\nmax_attempts = 9\n")
    given = {"HOME": str(tmp_path), "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": "OTHER"}
    given |= {"HTTP_PROXY": "http://127.0.0.1:1", "NODE_OPTIONS": "--require /nowhere.js"}
    monkeypatch.setenv("XDG_CACHE_HOME", str(jssdk_install.project().parents[1]))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    sdk = client(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<R/>").url)
    found = sdk.call("ListBuckets", {})
    assert found.ok
    assert "Credential=AKIDEXAMPLE/" in dict(found.exchanges[0].request_headers)["authorization"]
    for name in ("cmdline", "environ"):
        text = Path(f"/proc/{pid(sdk)}/{name}").read_bytes()
        assert KEYS.secret_key.encode() not in text
        assert b"127.0.0.1:1\0" not in text


def test_packages_that_are_not_there(client: Any, tmp_path: Path) -> None:
    """Such as ones that were removed since somebody looked."""
    with pytest.raises(ClientFault, match=r"^node ended with exit code 1: cannot load @aws-sdk/client-s3: "):
        client(folder=str(tmp_path)).call("ListBuckets", {})


def test_no_wiretap(client: Any) -> None:
    """Whether the endpoint lives cannot be told then."""
    sdk = client()
    sdk._tap.close()
    with pytest.raises(ClientFault, match="did not reach the wiretap: NoWiretap: "):
        sdk.call("ListBuckets", {})


def test_endpoint_that_is_down_is_no_fault_of_the_sdk(client: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = client(f"http://127.0.0.1:{port}").call("ListBuckets", {})
    assert (found.ok, found.status) == (False, None)
    assert found.failure


def test_https_is_recorded_and_certificates_are_checked(client: Any) -> None:
    """The tap's authority is trusted, and nobody else."""
    with offline.reference_server("--tls") as ready:
        given = {"credentials": Credentials(ready.access_key, ready.secret_key), "ca_bundle": ready.ca_bundle}
        found = client(ready.endpoint, **given).call("ListBuckets", {})
        assert (found.ok, found.status, found.failure, len(found.exchanges)) == (True, 200, "", 1)
        assert found.exchanges[0].url.startswith(ready.endpoint)
        stranger = client(ready.endpoint, **given)
        stranger._tap.ca_bundle = ""
        assert "certificate" in stranger.call("ListBuckets", {}).failure


# --- where it is looked for ---


def project(folder: Path, **versions: str) -> str:
    """A folder with packages of these versions."""
    for name, version in versions.items():
        place = folder / "node_modules" / "@aws-sdk" / name.replace("_", "-")
        place.mkdir(parents=True)
        (place / "package.json").write_text(json.dumps({"version": version}))
    return str(folder)


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Puts a script in the place of Node, or nothing."""

    def put(script: str) -> None:
        path = tmp_path / f"node-{abs(hash(script))}"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(local, "find", lambda name: [str(path)] if script and name == "node" else [])

    return put


def test_the_version_is_that_of_the_client(node: Any, tmp_path: Path) -> None:
    node("echo v20.1.0")
    folder = project(tmp_path / "p", client_s3="3.5.0", lib_storage="3.4.0", s3_request_presigner="3.3.0")
    assert JsSdk.available(folder) == ("3.5.0", "")


@pytest.mark.parametrize(
    ("script", "packages", "says"),
    [
        ("", {}, "there is no Node 20 or newer"),
        ("exit 1", {}, "there is no Node 20 or newer"),
        ("echo v18.20.0", {}, "there is no Node 20 or newer"),
        ("echo v20.1.0", {}, "@aws-sdk/client-s3 is not in "),
        ("echo v20.1.0", {"client_s3": "3.5.0"}, "@aws-sdk/lib-storage is not in "),
        ("echo v20.1.0", {"client_s3": "3.5.0", "lib_storage": "3.5.0"}, "(npm install --prefix "),
    ],
)
def test_the_reason_why_it_is_missing(
    node: Any, tmp_path: Path, script: str, packages: dict[str, str], says: str
) -> None:
    node(script)
    version, reason = JsSdk.available(project(tmp_path / "p", **packages))
    assert version == ""
    assert says in reason
    assert "\n" not in reason


def test_the_place_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert jssdk_install.project() == tmp_path / "s3conform" / "jssdk"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert jssdk_install.project() == tmp_path / ".cache" / "s3conform" / "jssdk"
    assert jssdk_install.project(str(tmp_path / "mine")) == tmp_path / "mine"


def test_installing_runs_no_scripts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.append(command))
    jssdk_install.install(str(tmp_path / "new"))
    wanted = json.loads(jssdk_install.PACKAGE_JSON.read_text())["dependencies"]
    assert asked[0][:4] == ["npm", "install", "--prefix", str(tmp_path / "new")]
    assert "--ignore-scripts" in asked[0]
    assert asked[0][-3:] == [f"{name}@{version}" for name, version in wanted.items()]
    assert json.loads((tmp_path / "new" / "package.json").read_text())["dependencies"] == wanted


# --- no scenario believes it ---

LIAR = """
import http from "node:http"; import readline from "node:readline";
const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\\n");
const lines = readline.createInterface({ input: process.stdin });
let tap;
lines.on("line", (text) => {
  const request = JSON.parse(text);
  if (request.id === 0) { tap = request; say({ id: 0 }); return; }
  const lie = () => say({ id: request.id, ...ANSWER });
  if (!SPEAKS) { lie(); return; }
  const { host } = new URL(tap.endpoint);
  const tunnel = http.request({ ...tap.tap, method: "CONNECT", path: host, agent: false });
  tunnel.on("connect", (_, socket) => {
    socket.once("data", () => { socket.destroy(); lie(); });
    socket.write(`GET /some-bucket/some-key HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n`);
  });
  tunnel.end();
});
"""
YES = '{ output: {}, body: "" }'
NO = '{ error: { name: "AccessDenied", message: "no", fault: "client", status: 403 } }'
LIARS = {
    "yes": LIAR.replace("ANSWER", YES).replace("SPEAKS", "false"),
    "no": LIAR.replace("ANSWER", NO).replace("SPEAKS", "false"),
    "yes after a request": LIAR.replace("ANSWER", YES).replace("SPEAKS", "true"),
    "no after a request": LIAR.replace("ANSWER", NO).replace("SPEAKS", "true"),
    "broken": LIAR.replace("ANSWER", '{ error: { name: "TypeError", message: "no" } }').replace("SPEAKS", "false"),
    "crash": LIAR.replace("const lie", "process.abort(); const lie"),
}


@pytest.fixture(scope="module")
def lying(server: support.Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], JsSdk]]:
    """Gives a driver with a program that lies in the place of its own, against an honest server."""
    made: dict[str, JsSdk] = {}
    taps: list[Wiretap] = []

    def get(liar: str) -> JsSdk:
        if liar not in made:
            program = tmp_path_factory.mktemp("liar") / "jssdk.mjs"
            program.write_text(LIARS[liar].replace("ANSWER", YES).replace("SPEAKS", "false"))
            taps.append(Wiretap(endpoint_of(server)))
            made[liar] = JsSdk(endpoint_of(server), {}, taps[-1])
            made[liar]._program = program
        return made[liar]

    yield get
    for one in (*made.values(), *taps):
        one.close()


@pytest.fixture(scope="module")
def place(server: support.Server, witness: RawClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox, left as it was found."""
    path, run_id, endpoint = tmp_path_factory.mktemp("journal") / "journal.jsonl", new_run_id(), endpoint_of(server)
    append(path, JournalHead(run_id, endpoint.url, endpoint.region, endpoint.addressing))
    yield Sandbox(run_id, "liars", witness, path)
    assert cleanup(path, witness, 60) == []


@pytest.mark.parametrize("liar", LIARS)
@pytest.mark.parametrize("found", WORKFLOWS, ids=lambda found: found.id)
def test_no_scenario_believes_a_lying_sdk(
    found: Scenario, liar: str, lying: Any, witness: RawClient, place: Sandbox
) -> None:
    """What was never sent is the client's fault; what was, and is told wrong, is found out."""
    available()
    scene = Scene(f"{found.id}-{liar.replace(' ', '-')}".lower(), lying(liar), witness, place)
    try:
        with pytest.raises((ClientFault, Mismatch)):
            found.function(scene)
    finally:
        place.end_cell()
