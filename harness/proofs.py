"""Which defects of the reference server each scenario is known to catch: the result of `nox -s mutants`, as data."""

from __future__ import annotations

import functools
from pathlib import Path

import msgspec

FILE = Path(__file__).parent.parent / "fixtures" / "mutants.json"


class Found(msgspec.Struct):
    """A defect: what is wrong, in a sentence with its source, and the scenarios that it turns red."""

    about: str
    scenarios: list[str]


class Mutants(msgspec.Struct):
    """Every defect by name, and for each harmless variant of the server the scenarios that it turns red (none)."""

    suite_version: str
    defects: dict[str, Found]
    variants: dict[str, list[str]]

    def killers(self, scenario: str) -> list[str]:
        """The defects that a scenario catches, sorted."""
        return sorted(name for name, found in self.defects.items() if scenario in found.scenarios)


def read(path: Path = FILE) -> Mutants:
    """What the last proof found."""
    return msgspec.json.decode(path.read_bytes(), type=Mutants)


@functools.cache
def caught() -> dict[str, list[str]]:
    """The defects that each scenario catches, sorted, by scenario id."""
    by_scenario: dict[str, list[str]] = {}
    for name, found in sorted(read().defects.items()):
        for scenario in found.scenarios:
            by_scenario.setdefault(scenario, []).append(name)
    return by_scenario
