"""The bundled reference server, as the harness starts and ends it."""

from __future__ import annotations

import socket
import time

import pytest

from harness import offline
from harness.errors import EndpointError, UsageError
from tests.support import ROOT


@pytest.fixture(autouse=True)
def _checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_server_answers_within_the_block_and_is_gone_after_it() -> None:
    """It listens on a free port of this machine alone, with credentials of its own for each start."""
    with offline.reference_server() as first, offline.reference_server() as second:
        assert first.endpoint.startswith("http://127.0.0.1:")
        assert first.secret_key != second.secret_key
        address = ("127.0.0.1", int(first.endpoint.rpartition(":")[2]))
        socket.create_connection(address, 5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, 5)


def test_server_says_where_it_has_an_object_without_etag() -> None:
    """Only a gateway that is older than its ETags has one."""
    with offline.reference_server("--personality", "auto-drive") as gateway, offline.reference_server() as standard:
        assert gateway.legacy_object == "default/stored-before-md5"
        assert standard.legacy_object == ""


def test_server_is_gone_after_an_exception() -> None:
    """Whatever ends the block, nothing keeps running."""
    with pytest.raises(KeyboardInterrupt), offline.reference_server() as ready:
        raise KeyboardInterrupt
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(ready.endpoint.rpartition(":")[2])), 5)


def test_arguments_that_the_server_does_not_take_are_the_users_mistake(capfd: pytest.CaptureFixture[str]) -> None:
    """The server's own line becomes the error; nothing else is printed."""
    wanted = r"^unknown personality 'awz'.*did you mean 'aws'\?"
    with pytest.raises(UsageError, match=wanted), offline.reference_server("--personality", "awz"):
        pass
    with pytest.raises(UsageError, match=r"^unrecognized arguments: --nope$"), offline.reference_server("--nope"):
        pass
    assert capfd.readouterr() == ("", "")


def test_server_that_cannot_be_started_is_an_error_of_the_endpoint(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A broken installation is told in one line: the last one of the traceback that the server printed."""
    monkeypatch.setattr(offline, "COMMAND", (*offline.COMMAND[:2], "-c", "print('no json'); 1 / 0"))
    wanted = "did not start: ZeroDivisionError: division by zero"
    with pytest.raises(EndpointError, match=wanted), offline.reference_server():
        pass
    assert capfd.readouterr() == ("", "")


def test_server_that_never_says_it_is_ready_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that hangs while it starts costs a bounded time, and does not stay behind."""
    monkeypatch.setattr(offline, "_START_SECONDS", 0.2)
    monkeypatch.setattr(offline, "COMMAND", (*offline.COMMAND[:2], "-c", "import time; time.sleep(60)"))
    begun = time.monotonic()
    with pytest.raises(EndpointError, match="did not start: it says nothing"), offline.reference_server():
        pass
    assert time.monotonic() - begun < 5


def test_what_a_running_server_says_reaches_the_user(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only a failed start is put in the harness's words; later complaints pass as they are."""
    script = """import sys; print('{"endpoint": "e", "access_key": "a", "secret_key": "s", "region": "r"}', flush=True)
sys.stdin.read(); print("later complaint", file=sys.stderr)"""
    monkeypatch.setattr(offline, "COMMAND", (*offline.COMMAND[:2], "-c", script))
    with offline.reference_server() as ready:
        assert ready.endpoint == "e"
    assert capfd.readouterr() == ("", "later complaint\n")
