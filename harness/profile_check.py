"""Holds a profile to what there is: an entry that can match nothing excuses nothing, and is a mistake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from harness.clients import CLIENTS
from harness.errors import UsageError, unknown
from harness.profile import CONFIGURABLE, EMPTY, REFUSING, Deviation, OperationEntry, Profile, Signature
from harness.scenario import Scenario
from harness.wire import model

TODO = "TODO"
"""What stands for a reason that nobody has written yet."""


def check(profile: Profile, scenarios: Mapping[str, Scenario]) -> None:
    """Every entry names something that exists, and could match it.

    Raises:
        UsageError: the first entry of which that is not so.
    """
    for problem in problems(profile, scenarios):
        raise problem


def problems(profile: Profile, scenarios: Mapping[str, Scenario]) -> Iterator[UsageError]:
    """All that a run would refuse: unknown names, signatures that say nothing, entries for cells that there are not."""
    where = f"profile {profile.name}"
    for client in profile.settings:
        if client not in CONFIGURABLE:
            yield unknown(f"client in {where}, settings:", client, CONFIGURABLE)
    for name, entry in profile.operations.items():
        if name not in model.operations():
            yield unknown(f"operation in {where}:", name, model.operations())
        yield from _entry(profile, f"{where}, operations.{name}:", entry)
        yield from _support(f"{where}, operations.{name}:", entry)
    for deviation in profile.deviations:
        named = f"{where}, deviation {' '.join(deviation.scenarios)[:60]}:"
        if not deviation.scenarios or not deviation.accept:
            yield UsageError(f"{named} needs scenarios, and what is accepted instead")
        yield from _entry(profile, named, deviation)
        yield from _scenarios(named, deviation, scenarios, profile.features)
    yield from (
        unknown(f"scenario in {where}, conforms:", one, scenarios) for one in set(profile.conforms) - {*scenarios}
    )
    known = {one.feature for one in scenarios.values()} - {""}
    yield from (unknown(f"feature in {where}:", one, known) for one in profile.features if one not in known)
    parts = {name: getattr(profile, name) for name in ("addressing", "authentication", "redirects")}
    for name, part in (parts | {f"limits.{name}": limit for name, limit in profile.limits.items()}).items():
        if part is not None:
            yield from _source(profile, f"{where}, {name}:", part.source)


def review(profile: Profile, scenarios: Mapping[str, Scenario], today: dt.date) -> Iterator[UsageError]:
    """All of `problems`, and what a run passes over: expired entries, reasons not yet written, entries in conflict."""
    yield from problems(profile, scenarios)
    where = f"profile {profile.name}"
    entries: list[tuple[str, OperationEntry | Deviation]] = [
        *((f"operations.{name}", entry) for name, entry in profile.operations.items()),
        *((f"deviation {' '.join(one.scenarios)[:60]}", one) for one in profile.deviations),
    ]
    for name, entry in entries:
        if not entry.reason.strip() or entry.reason.strip().upper().startswith(TODO):
            yield UsageError(f"{where}, {name}: has no reason yet; write why the gateway differs, and where it says so")
    for deviation in profile.deviations:
        named = f"{where}, deviation {' '.join(deviation.scenarios)[:60]}:"
        if deviation.expires is not None and deviation.expires < today:
            yield UsageError(f"{named} expired on {deviation.expires}; look whether it still holds, or remove it")
        if deviation.since and deviation.expires and deviation.expires < deviation.since:
            yield UsageError(f"{named} expires on {deviation.expires}, before it begins on {deviation.since}")
    yield from _conflicts(where, profile)


def _conflicts(where: str, profile: Profile) -> Iterator[UsageError]:
    """Scenarios that one entry lets differ and another one says, for the same client, to be otherwise or the same."""
    said: dict[tuple[str, str], list[Signature]] = {}
    for deviation in profile.deviations:
        for name in deviation.scenarios:
            if name in profile.conforms:
                yield UsageError(f"{where}: {name} has a deviation, and stands in conforms")
            for client in deviation.clients or CLIENTS:
                before = said.setdefault((name, client), [])
                if any(signature in before for signature in deviation.accept):
                    yield UsageError(f"{where}: two deviations say the same of {name} through {client}")
                    return
                before += deviation.accept


def _support(where: str, entry: OperationEntry) -> Iterator[UsageError]:
    if entry.support in ("full", "partial"):
        if entry.accept:
            yield UsageError(f"{where} support = {entry.support!r} is judged as it is; what differs are deviations")
        return
    if not entry.accept:
        yield UsageError(f"{where} support = {entry.support!r} needs accept: how such an answer is recognised")
    good = next((one.status for one in entry.accept if one.status is not None and one.status < 300), None)
    if entry.support in REFUSING and good is not None:
        yield UsageError(
            f"{where} status {good} is no refusal; an answer without effect has support {' or '.join(EMPTY)}"
        )


def _entry(profile: Profile, where: str, entry: OperationEntry | Deviation) -> Iterator[UsageError]:
    yield from _source(profile, where, entry.source)
    for client in entry.clients:
        name, versioned, version = client.partition("@")
        if name not in CLIENTS:
            yield unknown(f"client in {where}", name, CLIENTS)
        if versioned and not version.strip("."):
            yield UsageError(f"{where} client {client!r} names no version; write {name} for all of them")
    for signature in entry.accept:
        if signature.says_nothing:
            yield UsageError(f"{where} a signature that says nothing can match nothing; give status, code or message")
        for header in signature.headers:
            if header != header.lower():
                yield UsageError(f"{where} header {header!r} must be written in lower case")


def _source(profile: Profile, where: str, source: str) -> Iterator[UsageError]:
    if source not in profile.sources:
        yield unknown(f"source in {where}", source, profile.sources)


def _scenarios(
    where: str, deviation: Deviation, scenarios: Mapping[str, Scenario], features: Iterable[str]
) -> Iterator[UsageError]:
    for name in deviation.scenarios:
        if name not in scenarios:
            yield unknown(f"scenario in {where}", name, scenarios)
        elif scenarios[name].feature not in ("", *features):
            yield UsageError(f"{where} {name} is about {scenarios[name].feature}, which is not among the features")
        elif deviation.clients and {one.partition("@")[0] for one in deviation.clients}.isdisjoint(
            scenarios[name].clients
        ):
            yield UsageError(
                f"{where} {name} has no cell for {_names(deviation.clients)}, only for "
                f"{_names(scenarios[name].clients)}"
            )


def _names(words: Iterable[str]) -> str:
    return ", ".join(words)
