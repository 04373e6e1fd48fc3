"""A first profile from what a run saw, for a person to finish: every entry lacks the reason that only people know."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from harness.profile_check import TODO
from harness.record import Cell, Run, Step

_REFUSALS = frozenset({"NotImplemented", "MethodNotAllowed"})
_FAILED = frozenset({"mismatch", "prerequisite"})
_FOUND = 120
"""Characters kept of what was found; an endpoint's words have no bound of their own."""


class _Difference(NamedTuple):
    """How a cell differed: what recognises the answer, and what the cell says was found."""

    status: int | None
    code: str
    found: str


def draft(run: Run, name: str) -> str:
    """A profile in TOML that would excuse all that failed in a run, once every TODO is replaced by a reason.

    Args:
        run: a run, judged with whatever profile: what was seen counts.
        name: for the gateway.
    """
    header = run.header
    title = json.dumps(header.gateway.name, ensure_ascii=False)
    lines = [
        f"# Drafted from run {header.run_id}. An entry excuses what the gateway itself documents:",
        "# for each one write why it differs and where it says so, or remove it and mend the gateway.",
        f"name = {_quoted(name)}",
        f"title = {title}",
        f"version = {_quoted(header.gateway.version)}",
        "",
        "[sources]",
        f'{TODO.lower()} = "{TODO}: title or address of the gateway\'s documentation"',
    ]
    failed = [one for one in run.cells if one.observed.outcome in _FAILED and one.confidence == "recorded"]
    refused = dict(_refused(run.cells, failed))
    for operation, answers in sorted(refused.items()):
        lines += ["", f"[operations.{operation}]", 'support = "no"', *_accept(answers), *_unexplained()]
    rest = [cell for cell in failed if not _excused(cell, refused)]
    for difference, scenarios, clients in _grouped(run.cells, rest):
        lines += ["", "[[deviations]]", f"scenarios = {_list(scenarios)}"]
        lines += [f"clients = {_list(clients)}"] if clients else []
        lines += [*_accept([difference]), *_unexplained()]
    return "\n".join(lines) + "\n"


def _failing(cell: Cell) -> Step | None:
    seen = cell.observed
    return seen.steps[seen.failing] if 0 <= seen.failing < len(seen.steps) else None


def _refused(cells: Sequence[Cell], failed: Sequence[Cell]) -> Iterator[tuple[str, list[_Difference]]]:
    """Operations that were refused as not there, and never done in the whole run, with the ways of refusing."""
    done = {step.operation for cell in cells for step in cell.observed.steps if step.ok and (step.status or 200) < 400}
    ways: dict[str, list[_Difference]] = {}
    for cell in failed:
        step = _failing(cell)
        if step is None or step.operation in done or not (step.code in _REFUSALS or step.status in (405, 501)):
            continue
        found = _Difference(step.status, step.code, "")
        if found not in ways.setdefault(step.operation, []):
            ways[step.operation].append(found)
    yield from ways.items()


def _excused(cell: Cell, refused: dict[str, list[_Difference]]) -> bool:
    step = _failing(cell)
    return step is not None and _Difference(step.status, step.code, "") in refused.get(step.operation, [])


def _grouped(cells: Sequence[Cell], failed: Sequence[Cell]) -> Iterator[tuple[_Difference, list[str], list[str]]]:
    """What differs in one way: the difference, its scenarios, and its clients where others do not differ so."""
    every: dict[str, set[str]] = {}
    for cell in cells:
        if cell.verdict != "inapplicable":
            every.setdefault(cell.scenario, set()).add(cell.client)
    clients: dict[tuple[str, _Difference], set[str]] = {}
    for cell in failed:
        step = _failing(cell)
        answer = (step.status, step.code) if step is not None else (None, "")
        difference = _Difference(*answer, cell.observed.text.split("\n")[0][:_FOUND])
        clients.setdefault((cell.scenario, difference), set()).add(cell.client)
    groups: dict[tuple[_Difference, tuple[str, ...]], list[str]] = {}
    for (scenario, difference), through in clients.items():
        only = tuple(sorted(through)) if through != every[scenario] else ()
        groups.setdefault((difference, only), []).append(scenario)
    for (difference, only), scenarios in groups.items():
        yield difference, sorted(scenarios), list(only)


def _accept(differences: Iterable[_Difference]) -> list[str]:
    signatures = []
    for one in differences:
        parts = [f"status = {one.status}"] if one.status is not None else []
        parts += [f"code = {_quoted(one.code)}"] if one.code else []
        parts += [f"found = {_quoted(one.found)}"] if one.found else []
        signatures.append(f"{{ {', '.join(parts)} }}")
    return [f"accept = [{', '.join(signatures)}]"]


def _unexplained() -> list[str]:
    return [f'reason = "{TODO}"', f'source = "{TODO.lower()}"']


def _list(words: Iterable[str]) -> str:
    return f"[{', '.join(map(_quoted, words))}]"


def _quoted(text: str) -> str:
    """A basic string of TOML: those of JSON are, but for DEL and lone surrogates."""
    whole = text.encode("utf-8", "replace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")
