"""Every scenario of a feature holds on the gateways whose profiles name the feature, and fails on one without it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from harness import profile, scenario
from harness.cell import CellRunner
from harness.clients import choice
from harness.config import Endpoint, RunConfig
from harness.record import Cell
from harness.run import new_run_id
from harness.sandbox import JournalHead, append
from harness.scenario import Scenario
from harness.wire.sigv4 import Credentials
from reference_server.app import App
from reference_server.personality import load
from reference_server.server import Server
from reference_server.store import Store
from scenarios import _cids
from tests.mutants.stage import told

OF_FEATURES = [found for found in scenario.load().values() if found.feature]
OFFERED = {name: profile.load(name).features for name in profile.names()}
REGION = "us-east-1"
HOLDS = ("conforms", "deviates", "unsupported")
"""Verdicts of what is as the profile says."""
NOBODY = "aws"
"""The profile without any feature; on its server each of these scenarios has to fail."""

CELLS = [(found, name) for found in OF_FEATURES for name, features in OFFERED.items() if found.feature in features]


@contextmanager
def standing(name: str, folder: Path) -> Iterator[CellRunner]:
    """Cells against the bundled server, in this process, as the gateway of a profile."""
    personality, known = load(name), Credentials("AKFEATURES", "secret-of-features")
    with ExitStack() as stack:
        store = Store()
        stack.callback(store.close)
        app = App(store, {known.access_key: known.secret_key}, region=REGION, personality=personality)
        server = Server(app)
        for one in (server, Server(app)) if personality.redirects else (server,):
            one.start()
            stack.callback(one.stop)
            app.target = one.endpoint if one is not server else ""
        documented = profile.load(name)
        follow = documented.follow
        url = f"http://127.0.0.1:{server.port}"
        endpoint = Endpoint(url, known, REGION, timeout=10.0, follow=follow)
        names = {
            client for found in OF_FEATURES for client in found.clients if client == "raw" or "raw" not in found.clients
        }
        config = RunConfig(
            run_id=new_run_id(),
            endpoint=endpoint,
            profile=name,
            clients=choice.choose(sorted(names), [], "local", lambda _: None),
            scenarios=[found.id for found in OF_FEATURES],
            out=str(folder),
            seed=1,
        )
        append(
            config.journal, JournalHead(config.run_id, url, REGION, "path", documented.buckets.creation == "implicit")
        )
        runner = CellRunner(config, documented, "features", revival=0)
        stack.callback(runner.close)
        yield runner


@pytest.fixture(scope="module")
def runners() -> Iterator[Callable[[str], CellRunner]]:
    """The runner of a profile, made when it is first asked for."""
    with ExitStack() as stack:
        made: dict[str, CellRunner] = {}

        def runner(name: str) -> CellRunner:
            if name not in made:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                made[name] = stack.enter_context(standing(name, Path(folder)))
            return made[name]

        yield runner


def through(found: Scenario) -> str:
    """The client that a scenario is shown with: `raw` where that can say it, else the program that it is about."""
    return "raw" if "raw" in found.clients else found.clients[0]


def attempt(runner: CellRunner, found: Scenario) -> Cell:
    """One cell; a program that this machine does not have shows nothing."""
    cell = runner.attempt(found, through(found))
    if cell.verdict == "inapplicable" and through(found) != "raw":
        pytest.skip(cell.message)
    return cell


def test_every_feature_is_some_gateways_own() -> None:
    """A feature that no profile names would never be run."""
    named = {feature for features in OFFERED.values() for feature in features}
    assert {found.feature for found in OF_FEATURES} == named


def test_the_plain_profile_has_none() -> None:
    assert OFFERED[NOBODY] == []


@pytest.mark.parametrize(("found", "name"), CELLS, ids=lambda value: getattr(value, "id", value))
def test_holds_where_it_is_offered(found: Scenario, name: str, runners: Callable[[str], CellRunner]) -> None:
    cell = attempt(runners(name), found)
    assert cell.verdict in HOLDS, told(cell)


@pytest.mark.parametrize("found", OF_FEATURES, ids=lambda found: found.id)
def test_fails_where_it_is_not(found: Scenario, runners: Callable[[str], CellRunner]) -> None:
    """A scenario that holds on a plain server would show nothing of the feature."""
    cell = attempt(runners(NOBODY), found)
    assert cell.verdict == "violates", told(cell)


# --- identifiers computed anew ---


@pytest.mark.parametrize(
    ("content", "digest"),
    [
        (b"", "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (b"IETF", "83a2de1ee6f4e6ab686889248f4ec0cf4cc5709446a682ffd1cbb4d6165181e2"),
    ],
)
def test_blake3(content: bytes, digest: str) -> None:
    """Known answers: of nothing, from the authors' test vectors; of four bytes, from draft-aumasson-blake3."""
    assert _cids.blake3(content).hex() == digest


@pytest.mark.parametrize("text", ["", "b", "zb2rhe5P4gXftAwvA4eXQ5HJw", "bAFKR6", "b1", "bafkr"])
def test_what_is_no_identifier(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever of several things is wrong
        _cids.parse(text)


def test_identifier_is_read_as_it_was_written() -> None:
    found = _cids.parse(_cids.of(b"content"))
    assert tuple(found)[:4] == _cids.AUTO_DRIVE
    assert len(found.digest) == found.length
