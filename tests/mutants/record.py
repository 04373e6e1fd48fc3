"""What is known: which defect turns which scenario red. Kept in `fixtures/mutants.json`, which reports read too."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

FILE = Path(__file__).parents[2] / "fixtures" / "mutants.json"


class Mutants(msgspec.Struct):
    """`defects` lists the scenarios that each turns red, `variants` those that each turns red and should not."""

    suite_version: str
    defects: dict[str, list[str]]
    variants: dict[str, list[str]]

    def killers(self, scenario: str) -> list[str]:
        """The defects that a scenario catches."""
        return [name for name, reds in self.defects.items() if scenario in reds]


def read(path: Path = FILE) -> Mutants:
    """What an earlier proof found."""
    return msgspec.json.decode(path.read_bytes(), type=Mutants)


def write(found: Mutants, path: Path = FILE) -> None:
    """Keep a proof, one defect a line, so that changes can be read."""
    lines = msgspec.json.format(msgspec.json.encode(found), indent=1).decode()
    rows = msgspec.json.decode(lines, type=dict[str, object])
    text = ["{", f' "suite_version": {_json(rows["suite_version"])},']
    for part in ("defects", "variants"):
        entries = getattr(found, part)
        body = ",\n".join(f"  {_json(name)}: {_json(sorted(reds))}" for name, reds in sorted(entries.items()))
        text.append(f' "{part}": {{\n{body}\n }}' + ("," if part == "defects" else ""))
    path.write_text("\n".join([*text, "}", ""]), encoding="utf-8")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def cover(found: Mutants, scenarios: Iterable[str]) -> dict[str, list[str]]:
    """Few cells that show all of it again: scenarios by defect, each scenario and each defect at least once."""
    wanted = set(scenarios)
    chosen: dict[str, list[str]] = {name: [] for name in found.defects}
    by_fewest = sorted(found.defects, key=lambda name: len(found.defects[name]))
    shown: set[str] = set()
    for name in by_fewest:
        reds = [one for one in found.defects[name] if one in wanted]
        fresh = next((one for one in reds if one not in shown), reds[0] if reds else None)
        if fresh is not None:
            chosen[name].append(fresh)
            shown.add(fresh)
    for one in sorted(wanted - shown):
        name = next((name for name in by_fewest if one in found.defects[name]), None)
        if name is not None:
            chosen[name].append(one)
    return chosen
