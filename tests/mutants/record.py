"""Writing what a proof found, and choosing few cells that show all of it again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from harness import scenario
from harness.proofs import FILE, Found, Mutants, read
from reference_server.defects import defects
from reference_server.variants import variants
from tests.mutants import expected

__all__ = ["FILE", "Mutants", "cover", "fresh", "read", "write"]


def fresh(names: Iterable[str], suite_version: str) -> Mutants:
    """A proof of these defects before anything was found."""
    return Mutants(suite_version, {name: Found(defects()[name].about, []) for name in sorted(names)}, {})


def write(found: Mutants, path: Path = FILE) -> None:
    """Keep a proof, one defect a line, so that a change can be read."""
    for one in found.defects.values():
        one.scenarios.sort()
    lines = ["{", f' "suite_version": {_json(found.suite_version)},', ' "defects": {']
    lines.append(",\n".join(f"  {_json(name)}: {_json(one)}" for name, one in sorted(found.defects.items())))
    lines += [" },", ' "variants": {']
    lines.append(",\n".join(f"  {_json(name)}: {_json(sorted(ids))}" for name, ids in sorted(found.variants.items())))
    path.write_text("\n".join([*lines, " }", "}", ""]), encoding="utf-8")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def merged(earlier: Mutants, later: Mutants, scenarios: Iterable[str]) -> Mutants:
    """An earlier proof with what a later one says of these scenarios, and without what there is no more."""
    tried, there = set(scenarios), set(scenario.of_s3())
    result = fresh(defects(), later.suite_version)
    for name, found in result.defects.items():
        before = earlier.defects[name].scenarios if name in earlier.defects else []
        now = later.defects[name].scenarios if name in later.defects else None
        kept = [one for one in before if one in there and (now is None or one not in tried)]
        found.scenarios = sorted({*kept, *(now or [])})
    for name in variants():
        before = earlier.variants.get(name, [])
        now = later.variants.get(name)
        kept = [one for one in before if one in there and (now is None or one not in tried)]
        result.variants[name] = sorted({*kept, *(now or [])})
    return result


def cover(found: Mutants, scenarios: Iterable[str]) -> dict[str, list[str]]:
    """Few cells that show all of it again: scenarios by defect, each scenario and each defect at least once."""
    wanted = set(scenarios)
    chosen: dict[str, list[str]] = {name: [] for name in found.defects}
    by_fewest = sorted(found.defects, key=lambda name: len(found.defects[name].scenarios))
    shown: set[str] = set()
    for name in by_fewest:
        kin = expected.families(name) if name in defects() else frozenset()
        # Those of its families first: what is red elsewhere is often so by chance.
        reds = sorted(
            (one for one in found.defects[name].scenarios if one in wanted),
            key=lambda one: one.rpartition("-")[0] not in kin,
        )
        first = next((one for one in reds if one not in shown), reds[0] if reds else None)
        if first is not None:
            chosen[name].append(first)
            shown.add(first)
    for one in sorted(wanted - shown):
        name = next((name for name in by_fewest if one in found.defects[name].scenarios), "")
        if name:
            chosen[name].append(one)
    return chosen
