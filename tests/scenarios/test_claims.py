"""Every claim of a gateway is traced to what shows it, or says why nothing does."""

from __future__ import annotations

from collections import Counter

import pytest

from harness import profile, scenario
from harness.claims import Claim, systems
from tests.scenarios.claims_table import COMMAND, DOCUMENT, document, named

REGISTRY = scenario.load()
SYSTEMS = systems()
CLAIMS = [claim for claims in SYSTEMS.values() for claim in claims]
ENTRIES = named()
every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=[claim.id for claim in CLAIMS])


def test_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), f"run {COMMAND}"


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(claim.id for claim in CLAIMS).items() if count > 1] == []


def test_no_entry_of_a_profile_names_a_claim_that_is_none() -> None:
    known = {claim.id for claim in CLAIMS}
    assert {name: entries for name, entries in ENTRIES.items() if name not in known} == {}


@pytest.mark.parametrize("system", SYSTEMS)
def test_system_has_claims(system: str) -> None:
    assert SYSTEMS[system]


@every_claim
def test_claim_names_what_exists(claim: Claim) -> None:
    assert [name for name in claim.scenarios if name not in REGISTRY] == []
    assert [name for name in claim.profiles if name not in profile.names()] == []
    assert len(set(claim.scenarios)) == len(claim.scenarios)


@every_claim
def test_claim_is_traced(claim: Claim) -> None:
    """Scenarios or a reason why there are none, never both; an entry of a profile may do in place of either."""
    assert not (claim.scenarios and claim.unshown)
    assert claim.scenarios or claim.unshown or claim.id in ENTRIES
    assert claim.profiles
    assert not claim.unshown or len(claim.unshown) > 20


@every_claim
def test_claim_says_something_and_where_it_stands(claim: Claim) -> None:
    assert len(claim.says) > 15
    assert claim.source


def test_all_claims_of_the_four_systems_are_there() -> None:
    """As many as were read from their documents and sources."""
    assert {system: len(claims) for system, claims in SYSTEMS.items()} == {
        "aistore": 93,
        "auto-drive": 108,
        "k3": 77,
        "storj": 145,
    }
