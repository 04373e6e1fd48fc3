"""Whatever the profile of a gateway excuses is a claim that the gateway made.

So a run that holds a gateway to the standard fails in nothing but what is documented and what its own profile fails in,
too; that it has no such cells, beside its own personality, is shown by the runs with each profile.
"""

from __future__ import annotations

import pytest

from harness import profile
from harness.claims import systems
from harness.profile import Profile

GATEWAYS = [name for name in profile.names() if name != profile.STANDARD]
every_gateway = pytest.mark.parametrize("name", GATEWAYS)


def claimed(name: str) -> set[str]:
    """The claims of the system that a profile is of, which may be those of several of its profiles."""
    own = [claims for claims in systems().values() if any(name in claim.profiles for claim in claims)]
    return {claim.id for claims in own for claim in claims}


def excused(documented: Profile) -> list[tuple[str, list[str]]]:
    """What a profile says to be otherwise than in the standard: each entry in words, with its claims."""
    operations = [
        (f"operations.{name}: {entry.reason}", entry.claims)
        for name, entry in documented.operations.items()
        if entry.support != "full"
    ]
    deviations = [
        (f"deviations of {', '.join(entry.scenarios)}: {entry.reason}", entry.claims) for entry in documented.deviations
    ]
    return operations + deviations


@every_gateway
def test_gateway_has_claims_and_excuses(name: str) -> None:
    """Else the next test would show nothing."""
    assert claimed(name)
    assert excused(profile.load(name))


@every_gateway
def test_every_excuse_rests_on_a_claim_of_the_gateway(name: str) -> None:
    known = claimed(name)
    assert [entry for entry, claims in excused(profile.load(name)) if known.isdisjoint(claims)] == []


def test_the_standard_excuses_nothing() -> None:
    assert excused(profile.load(profile.STANDARD)) == []
