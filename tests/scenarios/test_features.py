"""Every scenario of a feature holds on the gateways whose profiles name the feature, and fails on one without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from harness import profile, scenario
from harness.clients.raw import RawClient
from harness.record import Cell
from harness.scenario import Scenario
from scenarios import _cids
from tests.mutants.stage import Stage, clients, stage, told

OF_FEATURES = [found for found in scenario.load().values() if found.feature]
OFFERED = {name: profile.load(name).features for name in profile.names()}
HOLDS = ("conforms", "deviates", "unsupported")
"""Verdicts of what is as the profile says."""
NOBODY = profile.STANDARD
"""The profile without any feature; on its server each of these scenarios has to fail."""
ORDINARY = "default/ordinary-object"
"""An object with an ETag, which is named as one without where there are none."""

CELLS = [(found, name) for found in OF_FEATURES for name, features in OFFERED.items() if found.feature in features]


@pytest.fixture(scope="module")
def stages() -> Iterator[Callable[[str], Stage]]:
    """The bundled server, in this process, as the gateway of a profile; made when it is first asked for."""
    clients_asked = clients(sorted({through(found) for found in OF_FEATURES}))
    with ExitStack() as stack:
        made: dict[str, Stage] = {}

        def standing(name: str) -> Stage:
            if name not in made:
                made[name] = stack.enter_context(stage(clients_asked, gateway=name, legacy=ORDINARY))
                if made[name].endpoint.legacy == ORDINARY:
                    store_ordinary(made[name])
            return made[name]

        yield standing


def store_ordinary(place: Stage) -> None:
    """Store `ORDINARY`, with an ETag of its own."""
    bucket, _, key = ORDINARY.partition("/")
    client = RawClient(place.endpoint)
    try:
        assert client.call("CreateBucket", {"Bucket": bucket}).ok
        assert client.call("PutObject", {"Bucket": bucket, "Key": key, "Body": b"stored just now"}).ok
    finally:
        client.close()


def through(found: Scenario) -> str:
    """The client that a scenario is shown with: `raw` where that can say it, else the program that it is about."""
    return "raw" if "raw" in found.clients else found.clients[0]


def attempt(place: Stage, found: Scenario) -> Cell:
    """One cell; a program that this machine does not have shows nothing."""
    client = through(found)
    if client not in place.infos:
        pytest.skip(f"{client} is not on this machine")
    return place.run(found, client)


def test_every_feature_is_some_gateways_own() -> None:
    """A feature that no profile names would never be run."""
    named = {feature for features in OFFERED.values() for feature in features}
    assert {found.feature for found in OF_FEATURES} == named


def test_the_plain_profile_has_none() -> None:
    assert OFFERED[NOBODY] == []


@pytest.mark.parametrize(("found", "name"), CELLS, ids=lambda value: getattr(value, "id", value))
def test_holds_where_it_is_offered(found: Scenario, name: str, stages: Callable[[str], Stage]) -> None:
    cell = attempt(stages(name), found)
    assert cell.verdict in HOLDS, told(cell)


@pytest.mark.parametrize("found", OF_FEATURES, ids=lambda found: found.id)
def test_fails_where_it_is_not(found: Scenario, stages: Callable[[str], Stage]) -> None:
    """A scenario that holds on a plain server would show nothing of the feature."""
    cell = attempt(stages(NOBODY), found)
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
