"""Endpoints to probe: the bundled server with any defect, in this process and new for each test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.probe import Finding, survey
from harness.run import new_run_id
from harness.sandbox import JournalHead, Sandbox, append, cleanup
from harness.wire.sigv4 import Credentials
from reference_server.app import App
from reference_server.server import Server
from reference_server.store import Store

KEYS = Credentials("PROBEKEY", "probe-secret")
Found = dict[str, Finding]


@contextmanager
def sandboxed(endpoint: Endpoint, folder: Path, bucket: str = "", *, leaves: bool | None = False) -> Iterator[Sandbox]:
    """A sandbox of one's own, emptied after the block; whether anything may stay, None if nobody can know."""
    run_id = new_run_id()
    journal = folder / f"{run_id}.jsonl"
    append(journal, JournalHead(run_id, endpoint.url, endpoint.region, endpoint.addressing))
    witness = RawClient(endpoint)
    try:
        yield Sandbox(run_id, "probe", witness, journal, bucket)
        leftovers = cleanup(journal, witness, 30)
        assert leaves is None or bool(leftovers) is leaves, leftovers
    finally:
        witness.close()


@contextmanager
def serving(defects: Iterable[str] = ()) -> Iterator[tuple[App, Endpoint]]:
    """A reference server with these defects."""
    store = Store()
    try:
        app = App(store, {KEYS.access_key: KEYS.secret_key}, defects=defects)
        server = Server(app)
        server.start()
        try:
            yield app, Endpoint(server.endpoint, KEYS, timeout=5)
        finally:
            server.stop()
    finally:
        store.close()


def examine(folder: Path, *defects: str) -> Found:
    """The findings about a reference server with these defects, by knob; it is honest again for the cleanup."""
    with serving() as (app, endpoint), sandboxed(endpoint, folder) as sandbox:
        app.behave(defects)
        findings = survey(endpoint, sandbox)
        app.behave(())
    return {finding.knob: finding for finding in findings}


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The findings about the server without any defect."""
    return examine(tmp_path_factory.mktemp("honest"))
