"""The bundled reference server, as the harness starts and ends it."""

from __future__ import annotations

import socket

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


def test_server_is_gone_after_an_exception() -> None:
    """Whatever ends the block, nothing keeps running."""
    with pytest.raises(KeyboardInterrupt), offline.reference_server() as ready:
        raise KeyboardInterrupt
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(ready.endpoint.rpartition(":")[2])), 5)


def test_arguments_that_the_server_does_not_take_are_the_users_mistake(capfd: pytest.CaptureFixture[str]) -> None:
    """The server's own line says which; the harness says that it could not start."""
    with pytest.raises(UsageError, match="see above"), offline.reference_server("--personality", "awz"):
        pass
    assert "did you mean 'aws'?" in capfd.readouterr().err


def test_server_that_cannot_be_started_is_an_error_of_the_endpoint(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A broken installation is told in one line, whatever the server printed before."""
    monkeypatch.setattr(offline, "COMMAND", (*offline.COMMAND[:2], "-c", "print('no json'); raise SystemExit(3)"))
    with pytest.raises(EndpointError, match="did not start"), offline.reference_server():
        pass
    capfd.readouterr()
