"""What a proof must show, and which defects are tried first on what is dear to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from harness import scenario
from harness.clients import PROGRAMS
from harness.proofs import Mutants
from harness.scenario import Scenario
from reference_server.defects import defects
from tests.mutants import expected
from tests.mutants.proof import Way

UNPROVED = {"AWSCLI-015": "needs an AWS CLI of version 2 that is newer than any at hand; it never gates"}
"""Scenarios that nobody here could run, and why."""


def complaints(proved: Mutants, found: Iterable[Scenario]) -> list[str]:
    """What a proof lacks: a scenario that nothing turns red, a defect that nobody finds; or a variant that is found."""
    unproved = [one for one in found if not proved.killers(one.id) and one.id not in UNPROVED]
    lines = [f"nothing turns {one.id} red: a check that cannot fail ({one.title})" for one in unproved]
    for name in defects():
        reds = proved.defects[name].scenarios if name in proved.defects else []
        if not reds:
            lines.append(f"nobody finds the defect {name}")
        elif not expected_found(name, proved):
            lines.append(f"{name} is found by {reds[:9]}, and by none of {sorted(expected.families(name))[:9]}")
    lines += [
        f"{one} takes the harmless variant {name} for a fault" for name, ids in proved.variants.items() for one in ids
    ]
    return lines


def likely(name: str, proved: Mutants, earlier: Mutants | None) -> list[str]:
    """All defects in the order in which a scenario is tried on them.

    First those that it found before, then those that name it, then those that many scenarios on its operations find.
    """
    registry = scenario.of_s3()
    operations = set(registry[name].operations)
    weight: Counter[str] = Counter()
    for defect, found in proved.defects.items():
        for one in found.scenarios:
            shared = operations & set(registry[one].operations)
            weight[defect] += len(shared)
    before = earlier.killers(name) if earlier else []
    named = [one for one, found in proved.defects.items() if name in found.about]
    first = [one for one in dict.fromkeys([*before, *named]) if one in proved.defects]
    rest = sorted(set(proved.defects) - set(first), key=lambda defect: -weight[defect])
    return first + rest


def expecting(name: str, ways: Mapping[str, Way]) -> list[tuple[str, Way]]:
    """The scenarios of the families in which a defect is expected, without those through programs."""
    wanted = expected.families(name)
    return [(one, way) for one, way in ways.items() if one.rpartition("-")[0] in wanted and way.client not in PROGRAMS]


def expected_found(name: str, proved: Mutants) -> bool:
    """Whether a defect was found in a family in which it is expected."""
    families = {one.rpartition("-")[0] for one in proved.defects[name].scenarios}
    return bool(families & expected.families(name))
