"""No scenario believes a client program that lies, nor charges the endpoint with what a program never sent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness import offline, scenario
from harness.clients import PROGRAMS, driver
from harness.clients.base import Client, Observed
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.run import new_run_id
from harness.sandbox import JournalHead, Sandbox, append, cleanup
from harness.scenario import MUST, Scenario
from harness.scene import Scene
from harness.signals import ClientFault, Inexpressible, Mismatch
from harness.wire.exchange import Body, Exchange
from harness.wire.sigv4 import Credentials
from scenarios.deletes import _refusal
from scenarios.workflows import deletes
from tests.harness.clients.making import opened

SPEC = scenario.load()
WORKFLOWS = [found for found in SPEC.values() if not {"raw", "boto3"} & set(found.clients)]


def programs(found: Scenario) -> list[str]:
    """The programs to lie for: all in workflows, and the first in other MUST lines, which share its driver."""
    able = [client for client in found.clients if client in PROGRAMS]
    return able if found in WORKFLOWS else able[:1] if found.level == MUST else []


CELLS = [(found, client) for found in SPEC.values() for client in programs(found)]

VERSION = """case "$*" in
*version*) echo "aws-cli/1.99.0 rclone v1.99.0"; exit 0 ;;
esac
"""
REFUSAL = (
    "ERROR : operation error S3: DeleteObject, https response error StatusCode: 403, RequestID: 1, HostID: 1, "
    "api error AccessDenied: An error occurred (AccessDenied) when calling the DeleteObject operation: no"
)
MUTE = {
    "idle": "exit 0",
    "refused": f"echo '{REFUSAL}' >&2; exit 1",
    "crashed": "echo 'out of luck' >&2; kill -SEGV $$",
}
"""Programs that never send anything."""

SPEAKS = f"""#!{sys.executable} -SE
import http.client, os, pathlib, re, sys
words = sys.argv[1:]
if "version" in words or "--version" in words:
    sys.exit(0)
told = [*words, *os.environ.values(), *(path.read_text() for path in pathlib.Path(os.environ["HOME"]).rglob("*conf*"))]
ports = set(re.findall("127.0.0.1:([0-9]+)", " ".join(told))) | set(re.findall("proxy_port = ([0-9]+)", " ".join(told)))
(tap,) = ports - {{"PORT"}}
connection = http.client.HTTPConnection("127.0.0.1", int(tap))
connection.request("GET", "http://127.0.0.1:PORT/some-bucket/some-key")
connection.getresponse().read()
print({REFUSAL!r}, file=sys.stderr)
sys.exit(254 if "s3api" in words else 1)
"""
"""Speaks once, through the wiretap: wherever a driver tells its program of that."""
LIARS = MUTE | {"refused after a request": SPEAKS}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    """An honest server; only the programs lie."""
    keys = Credentials("AKONE", "secret-one")
    with offline.reference_server("--credential", f"{keys.access_key}:{keys.secret_key}") as ready:
        yield Endpoint(ready.endpoint, keys, ready.region, timeout=5)


@pytest.fixture(scope="module")
def place(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RawClient, Sandbox]]:
    """The witness and its sandbox, left as they were found."""
    path, run_id = tmp_path_factory.mktemp("journal") / "journal.jsonl", new_run_id()
    append(path, JournalHead(run_id, endpoint.url, endpoint.region, endpoint.addressing))
    witness = RawClient(endpoint)
    yield witness, Sandbox(run_id, "liars", witness, path)
    assert cleanup(path, witness, 60) == []
    witness.close()


@pytest.fixture(scope="module")
def lying(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], Client]]:
    """Gives a driver that found a lying program where it looked for the real one."""
    made: dict[tuple[str, str], Client] = {}

    def client(name: str, liar: str) -> Client:
        if (name, liar) not in made:
            path = tmp_path_factory.mktemp("bin") / driver(name).program
            text = LIARS[liar].replace("PORT", endpoint.url.rpartition(":")[2])
            path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{VERSION}{text}\n")
            path.chmod(0o755)
            made[name, liar] = opened(name, endpoint, program=str(path), version="1.99.0")
        return made[name, liar]

    yield client
    for one in made.values():
        one.close()


@pytest.mark.parametrize("liar", LIARS)
@pytest.mark.parametrize(("found", "name"), CELLS, ids=lambda value: getattr(value, "id", value))
def test_no_scenario_believes_a_lying_program(
    found: Scenario, name: str, liar: str, lying: Any, place: tuple[RawClient, Sandbox]
) -> None:
    """A program that never spoke is at fault itself; one that did is found out. No such cell holds."""
    witness, sandbox = place
    scene = Scene(f"{found.id}-{name}-{liar[:8]}".lower(), lying(name, liar), witness, sandbox, witness)
    allowed = [ClientFault, *([] if found in WORKFLOWS else [Inexpressible]), *([] if liar in MUTE else [Mismatch])]
    try:
        with pytest.raises(tuple(allowed)):
            found.function(scene)
    finally:
        sandbox.end_cell()


# --- what excuses a failure ---


def ended(exit_code: int, stderr: str, **more: Any) -> Observed:
    """A run of a program."""
    return Observed("aws s3 rm", "awscli", ok=exit_code == 0, exit_code=exit_code, stderr=stderr, **more)


class Kept:
    """A scene in which the one object stays."""

    def look(self, operation: str, **_: Any) -> Observed:
        return Observed(operation, "raw", ok=True, status=200, headers={}, body=b"kept")

    expect = Scene.expect
    check = Scene.check


def judged(run: Observed) -> None:
    deletes.judge(Kept(), run, {"k": b"kept"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "status", "stderr", "holds"),
    [
        ("DELETE", 403, "AccessDenied", True),
        ("DELETE", 403, "an error (403)", True),
        ("DELETE", 403, "something went wrong, request 14032", False),
        ("DELETE", 204, "AccessDenied", False),
        ("GET", 403, "AccessDenied", False),
        ("POST", 403, "AccessDenied", True),
        ("POST", 200, "AccessDenied", True),
        ("POST", 200, "it failed", False),
    ],
)
def test_only_a_refused_delete_excuses_a_failure(method: str, status: int, stderr: str, holds: bool) -> None:
    """A program that fails for another reason, or does not tell, is no sign of an honest store."""
    body = Body.of(b"<Error><Code>AccessDenied</Code></Error>" if status == 403 or method == "POST" else b"")
    url = "http://h/b?delete" if method == "POST" else "http://h/b/k"
    run = ended(1, stderr, exchanges=[Exchange(method, url, [], status=status, response_body=body)])
    if holds:
        judged(run)
    else:
        with pytest.raises(Mismatch):
            judged(run)


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"stderr": "StatusCode: 403"}, True),
        ({"code": "", "stderr": "StatusCode: 403"}, True),
        ({"status": None}, True),
        ({"status": 500}, False),
        ({"code": "", "stderr": "it did not work"}, False),
        ({"stderr": "it did not work"}, False),
        ({"message": ""}, False),
    ],
)
def test_refused_delete_is_told_to_the_user(change: dict[str, Any], holds: bool) -> None:
    """A code that is not there is in every text, and proves nothing."""
    given = {"status": 403, "code": "AccessDenied", "message": "no", "stderr": "AccessDenied", "exit_code": 1}
    seen = Observed("DeleteObject", "rclone", ok=False, **(given | change))
    assert (_refusal().test(seen) == "") is holds
