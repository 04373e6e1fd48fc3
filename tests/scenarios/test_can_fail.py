"""Every scenario can fail: none believes a client that lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from harness import offline, scenario
from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.run import new_run_id
from harness.sandbox import JournalHead, Sandbox, append, cleanup
from harness.scenario import Scenario
from harness.scene import Scene
from harness.signals import Mismatch, Prerequisite
from harness.wire.sigv4 import Credentials

SPEC = [found for found in scenario.load().values() if "raw" in found.clients]

HONEST_REFUSAL = {
    "DEL-021": "states that a refusal which changes nothing is the truth",
    **{
        found.id: "states that an operation may be refused, if it is refused cleanly"
        for found in SPEC
        if found.family == "OPS"
    },
}


class YesMan(RawClient):
    """Reports success with status 200 for everything, does nothing, shows nothing."""

    def lie(self, operation: str) -> Observed:
        return Observed(operation, "raw", ok=True, status=200, headers={}, body=b"")

    def call(self, operation: str, params: Mapping[str, Any]) -> Observed:  # noqa: ARG002
        return self.lie(operation)

    def list_all(self, version: int, params: Mapping[str, Any]) -> Observed:
        return self.call(f"ListObjectsV{version}", params)

    def upload(self, params: Mapping[str, Any], part_size: int) -> Observed:  # noqa: ARG002
        return self.call("CompleteMultipartUpload", params)

    def send(self, operation: str, *_: Any, **__: Any) -> Observed:
        return self.lie(operation)


class NoMan(YesMan):
    """Reports everything as forbidden, and does nothing."""

    def lie(self, operation: str) -> Observed:
        return Observed(operation, "raw", ok=False, status=403, code="AccessDenied", message="no", headers={}, body=b"")


ELSEWHERE = {"BKT-003": "us-east-1", "BKT-022": "us-east-1"}
"""Statements about that one region; all others are asked in one where nothing is inapplicable."""


class Stand(NamedTuple):
    """An honest server, and the journal of what is made on it."""

    endpoint: Endpoint
    journal: Path
    run_id: str


@contextmanager
def standing(region: str, folder: Path) -> Iterator[Stand]:
    """An honest server in a region; only the client under test lies. What is made is removed at the end."""
    one, two = Credentials("AKONE", "secret-one"), Credentials("AKTWO", "secret-two")
    short = Credentials("AKSHORT", "secret-short", "token-short")
    # By name, so that a bucket can stand before it.
    with offline.reference_server("--region", region, *offline.accounts(one, short, two)) as ready:
        url = ready.endpoint.replace("127.0.0.1", "localhost")
        website = url.replace("://", "://{bucket}.s3-website.")
        endpoint = Endpoint(url, one, ready.region, second=two, temporary=short, website=website, legacy="default/old")
        path, run_id = folder / f"{region}.jsonl", new_run_id()
        append(path, JournalHead(run_id, endpoint.url, endpoint.region, endpoint.addressing))
        yield Stand(endpoint, path, run_id)
        witness = RawClient(endpoint)
        assert cleanup(path, witness, 60) == []
        witness.close()


@pytest.fixture(scope="module")
def stands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Stand]]:
    """The server of a region, started when the first scenario needs it."""
    folder = tmp_path_factory.mktemp("journals")
    with ExitStack() as stack:
        found: dict[str, Stand] = {}

        def stand(region: str) -> Stand:
            if region not in found:
                found[region] = stack.enter_context(standing(region, folder))
            return found[region]

        yield stand


@pytest.mark.parametrize("liar", [YesMan, NoMan])
@pytest.mark.parametrize("found", SPEC, ids=lambda found: found.id)
def test_no_scenario_believes_a_liar(found: Scenario, liar: type[YesMan], stands: Callable[[str], Stand]) -> None:
    """Against an honest server, a client that lies about every answer ends in a mismatch."""
    if liar is NoMan and found.id in HONEST_REFUSAL:
        pytest.skip(HONEST_REFUSAL[found.id])
    endpoint, path, run_id = stands(ELSEWHERE.get(found.id, "eu-west-1"))
    assert endpoint.second is not None
    witness, client = RawClient(endpoint), liar(endpoint)
    stranger = RawClient(msgspec.structs.replace(endpoint, credentials=endpoint.second))
    sandbox = Sandbox(run_id, f"t{found.id.lower()}{liar.__name__.lower()}", witness, path)
    try:
        with pytest.raises(Mismatch):
            found.function(Scene(f"{found.id}-{liar.__name__}".lower(), client, witness, sandbox, stranger))
    except Prerequisite as blocked:  # an honest server fails no set-up
        pytest.fail(str(blocked))
    finally:
        witness.close()
        stranger.close()
        client.close()
