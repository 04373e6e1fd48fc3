"""The runs that a proof is made of, spread over processes: each defect against all scenarios that it can touch."""

from __future__ import annotations

import atexit
import hashlib
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from typing import Any, NamedTuple

from harness import scenario
from harness.clients import CLIENTS, PROGRAMS, choice
from harness.record import Cell, ClientInfo
from harness.scenario import Scenario
from reference_server.defects import defects
from reference_server.variants import variants
from tests.mutants.stage import REGION, Stage, clients, red, stage, told

ELSEWHERE = "eu-west-1"
"""A region where the statements apply that do not in the first."""


_DEAR = 0.1
"""Seconds of a scenario from which on it is not tried on every defect."""
_PATIENCE = 30.0
"""Seconds of cells for one defect: one that makes every client wait is shown by a few of them."""
_GROUP_PATIENCE, _USUAL = 5.0, 0.03
"""Seconds of cells for several defects at once, and beside them for each cell: with more, one of them makes wait."""


_GROUP = 16
"""Defects that are tried at once."""


class Way(NamedTuple):
    """How a scenario is proved: through which client, in which region, and which seams of the server it uses."""

    client: str
    region: str
    seams: frozenset[str]
    seconds: float

    @property
    def cheap(self) -> bool:
        """Whether every defect can be tried on it: it starts no process, and makes up no examples."""
        return self.client not in PROGRAMS and self.seconds < _DEAR


class Honest(NamedTuple):
    """What a scenario came to on the honest server: a way to prove it, or why there is none."""

    scenario: str
    way: Way | None
    why: str


_stack = ExitStack()
_stages: dict[str, Stage] = {}
_infos: list[ClientInfo] = []


def _begin(names: tuple[str, ...], runner: choice.RunnerName) -> None:
    """Make a worker process ready."""
    _infos[:] = clients(names, runner)
    atexit.register(_stack.close)


def _stage(region: str) -> Stage:
    if region not in _stages:
        _stages[region] = _stack.enter_context(stage(_infos, region))
    return _stages[region]


def _honest(name: str) -> Honest:
    """The first client through which the statement can be made, and in which region."""
    found, why = scenario.of_s3()[name], "no client of this machine can express it"
    for region in (REGION, ELSEWHERE):
        for info in _infos:
            if info.name in found.clients:
                cell, used = _stage(region).trace(found, info.name)
                if cell.verdict == "conforms":
                    return Honest(name, Way(info.name, region, frozenset(used), cell.seconds), "")
                if cell.verdict != "inapplicable":
                    return Honest(name, None, told(cell))
                why = told(cell)
    return Honest(name, None, why)


def _shows(cell: Cell, behaviour: str) -> bool:
    """Whether a cell is red under a behaviour; under a harmless variant that is one that gets no further, too."""
    stuck = cell.verdict not in ("conforms", "inapplicable") and not cell.flaky
    return red(cell) or (behaviour in variants() and stuck)


def _against(behaviour: str, ways: list[tuple[str, Way]], stop: bool) -> tuple[str, list[str], list[str]]:
    """The scenarios that are red under a behaviour, and what cannot be judged; `stop` at the first red."""
    registry, reds, strange = scenario.of_s3(), list[str](), list[str]()
    harmless = behaviour in variants()  # which all of them must stand, however long it takes
    begun = time.monotonic()
    for region in sorted({way.region for _, way in ways}):
        place = _stage(region)
        place.behave([behaviour])
        for name, way in ways:
            if way.region != region or (time.monotonic() - begun > _PATIENCE and not harmless):
                continue
            cell = place.run(registry[name], way.client, twice=True)
            if _shows(cell, behaviour):
                reds.append(name)
                if stop:
                    return behaviour, reds, strange
            elif cell.verdict == "error" or cell.flaky:
                strange.append(told(cell))
    return behaviour, reds, strange


def _again(behaviour: str, names: list[str]) -> tuple[str, list[str]]:
    """Which of these scenarios a behaviour turns red, through the first client that can express each."""
    registry, reds = scenario.of_s3(), list[str]()
    for region in (REGION, ELSEWHERE):
        place, left = _stage(region), list[str]()
        place.behave([behaviour])
        for name in names:
            for info in (info for info in _infos if info.name in registry[name].clients):
                cell = place.run(registry[name], info.name, twice=True)
                if cell.verdict != "inapplicable":
                    break
            else:
                left.append(name)
                continue
            if _shows(cell, behaviour):
                reds.append(name)
        names = left
        if not names:
            break
    return behaviour, reds


def _narrow(behaviours: list[str], ways: list[tuple[str, Way]]) -> list[tuple[str, list[str], list[str]]]:
    """What `_against` gives for each of several defects, in fewer runs.

    All of them at once, then either half on the scenarios that were not green, and so on. Defects can hide each other:
    a half that looks green may hold one that alone is red. What nobody finds where it should is therefore tried alone.
    """
    if len(behaviours) == 1:
        return [_against(behaviours[0], ways, False)]
    registry, begun, left = scenario.of_s3(), time.monotonic(), list[tuple[str, Way]]()
    for region in sorted({way.region for _, way in ways}):
        place = _stage(region)
        place.behave(behaviours)
        for name, way in ways:
            late = time.monotonic() - begun > _GROUP_PATIENCE + _USUAL * len(ways)
            if way.region == region and (late or place.run(registry[name], way.client).verdict != "conforms"):
                left.append((name, way))
    middle = len(behaviours) // 2
    if not left:
        return [(name, [], []) for name in behaviours]
    return _narrow(behaviours[:middle], left) + _narrow(behaviours[middle:], left)


def _search(name: str, way: Way, behaviours: list[str]) -> tuple[str, str]:
    """The first of several behaviours that turns a scenario red."""
    place = _stage(way.region)
    for behaviour in behaviours:
        place.behave([behaviour])
        if red(place.run(scenario.of_s3()[name], way.client, twice=True)):
            return name, behaviour
    return name, ""


class Proof:
    """Runs over all processes.

    Args:
        workers: processes to use.
        names: the clients to use, in order of preference.
        runner: how programs among them are run.
    """

    def __init__(self, workers: int, names: Iterable[str] = CLIENTS, runner: choice.RunnerName = "local") -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(workers, context, _begin, (tuple(names), runner))

    def close(self) -> None:
        """End all processes."""
        self._pool.shutdown(cancel_futures=True)

    def honest(self, found: Iterable[Scenario]) -> list[Honest]:
        """Every scenario on the honest server."""
        return list(self._pool.map(_honest, [one.id for one in found], chunksize=4))

    def against(
        self, behaviours: Mapping[str, list[tuple[str, Way]]], *, stop: bool = False
    ) -> Iterator[tuple[str, list[str], list[str]]]:
        """Behaviour, scenarios that it turns red, and what could not be judged, as they finish."""
        yield from self._finished(_against, [(name, ways, stop) for name, ways in behaviours.items()])

    def again(self, behaviours: Mapping[str, list[str]]) -> Iterator[tuple[str, list[str]]]:
        """Behaviour, and which of these scenarios it turns red, as they finish."""
        yield from self._finished(_again, list(behaviours.items()))

    def narrow(self, behaviours: Mapping[str, list[tuple[str, Way]]]) -> Iterator[tuple[str, list[str], list[str]]]:
        """What `against` yields, in fewer runs; see `_narrow`. Defects of one group touch the same scenarios."""
        by_touch: dict[tuple[str, ...], list[str]] = {}
        for name in sorted(behaviours, key=_far_from_kin):
            by_touch.setdefault(tuple(one for one, _ in behaviours[name]), []).append(name)
        groups = [names[at : at + _GROUP] for names in by_touch.values() for at in range(0, len(names), _GROUP)]
        for results in self._finished(_narrow, [(group, behaviours[group[0]]) for group in groups]):
            for name, reds, strange in results:
                yield name, reds, strange

    def search(self, wanted: Mapping[str, tuple[Way, list[str]]]) -> Iterator[tuple[str, str]]:
        """For each scenario the first of its behaviours that turns it red, "" if none does."""
        yield from self._finished(_search, [(name, way, tried) for name, (way, tried) in wanted.items()])

    def _finished(self, work: Callable[..., Any], tasks: list[tuple[Any, ...]]) -> Iterator[Any]:
        for future in as_completed([self._pool.submit(work, *task) for task in tasks]):
            yield future.result()


def _far_from_kin(name: str) -> str:
    """An order in which defects with like names, which would hide each other, come into different groups."""
    return hashlib.sha256(name.encode()).hexdigest()


def touchable(name: str, ways: Mapping[str, Way]) -> list[tuple[str, Way]]:
    """The scenarios that use the seam of a defect."""
    return [(one, way) for one, way in ways.items() if defects()[name].seam in way.seams]
