"""First contact, the plan, the run file's end, and the last line of defence against a run that hangs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import run
from harness.config import Endpoint, RunConfig
from harness.errors import EndpointError, NothingChecked
from harness.record import read
from harness.scenario import load
from harness.wire.sigv4 import Credentials
from tests.support import Handler, Server, environment, listener, stub

CREDENTIALS = Credentials("AKIACONTACT", "s3cr3t-contact", "t0ken-of-the-session")

STUCK = """
import sys, time
from pathlib import Path
from harness import run
from harness.record import GatewayInfo, Header
header = Header("r", "now", "0", "http://x", GatewayInfo(), "aws", [], 1, {})
file = run.RunFile(Path(sys.argv[1]), header, lambda cell: None)
run._Watch(file, 0.2, lambda: print("stalled", flush=True))
time.sleep(60)
"""


def endpoint(url: str, timeout: float = 30.0) -> Endpoint:
    """An endpoint that nobody checked."""
    return Endpoint(url, CREDENTIALS, timeout=timeout)


def test_contact_tells_what_the_endpoint_calls_itself() -> None:
    """Any HTTP answer but a refusal of the credentials is contact; its Server header names the product."""
    with stub(lambda request: request.say(501, b"<Error><Code>NotImplemented</Code></Error>")) as url:
        assert run.contact(endpoint(url)).startswith("BaseHTTP/")


def test_contact_names_no_secret() -> None:
    """A product name made of the request's own credentials and signature is emptied of them."""

    def echo(request: Handler) -> None:
        request.send_response_only(200)
        request.send_header("Server", f"{request.headers['x-amz-security-token']} {request.headers['Authorization']}")
        request.send_header("Content-Length", "0")
        request.end_headers()

    with stub(echo) as url:
        name = run.contact(endpoint(url))
    assert "[redacted]" in name
    assert "t0ken" not in name
    assert "AKIACONTACT" not in name
    assert len(name) <= 400


@pytest.mark.parametrize("code", sorted(run._REFUSALS))
def test_contact_takes_every_way_of_refusing_credentials_for_one(code: str) -> None:
    """The codes that S3 knows for credentials it does not take end a run before it begins."""
    body = f"<Error><Code>{code}</Code></Error>".encode()
    with stub(lambda request: request.say(403, body)) as url, pytest.raises(EndpointError, match=code):
        run.contact(endpoint(url))


def test_contact_is_bounded_when_the_name_does_not_resolve_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket timeout covers name resolution or several dead addresses; the limit on contact does."""
    monkeypatch.setattr(run, "_CONTACT_SECONDS", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2.5) or [])
    begun = time.monotonic()
    with pytest.raises(EndpointError, match="no complete answer within"):
        run.contact(endpoint("http://slow.invalid"))
    assert time.monotonic() - begun < 2


def test_contact_waits_no_longer_than_the_users_own_timeout() -> None:
    """A shorter --timeout holds for first contact too."""
    begun = time.monotonic()
    with listener() as url, pytest.raises(EndpointError, match=r"within 0\.3 s"):
        run.contact(endpoint(url, 0.3))
    assert time.monotonic() - begun < 3


def test_plan_without_cells_is_an_error(server: Server) -> None:
    """A scenario that none of the chosen clients can express leaves nothing to check."""
    found = load()["DEL-010"]
    config = RunConfig("r", endpoint(server.endpoint), "aws", {"rclone": "1"}, {}, [found.id], "out")
    assert "rclone" not in found.clients
    with pytest.raises(NothingChecked, match="selection"):
        run.plan([found], config)


def test_run_in_which_nothing_finishes_is_ended_from_within(tmp_path: Path) -> None:
    """Whatever hangs, and however: the file gets its footer, and the process ends with the code for incomplete."""
    path = tmp_path / "run.jsonl"
    end = subprocess.run(
        [sys.executable, "-P", "-c", STUCK, path], env=environment(), capture_output=True, timeout=20, check=False
    )
    assert end.returncode == 4, end.stderr
    assert end.stdout == b"stalled\n"
    footer = read(path).footer
    assert footer is not None
    assert footer.interrupted == "nothing finished for 1 s"


def test_footer_is_written_once(tmp_path: Path) -> None:
    """The watch and the run may both want to close the file; the first one does."""
    from harness.record import GatewayInfo, Header

    header = Header("r", "now", "0", "http://x", GatewayInfo(), "aws", [], 0, {})
    file = run.RunFile(tmp_path / "run.jsonl", header, lambda _: None)
    assert [file.finish([], ""), file.finish(["late"], "late")] == [True, False]
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert kinds == ["header", "footer"]


def test_run_ids_of_runs_that_start_at_once_differ() -> None:
    """They name buckets: two runs must never share one."""
    assert len({run.new_run_id() for _ in range(100)}) == 100
