"""Observation + profile -> verdict. A pure function of what the run file keeps, so old runs can be judged again.

Where it is decided what a cell comes to:

    program, harness, network broke            error
    the client cannot say it                   inapplicable
    statement holds                            conforms, unless the profile says that it would not: contradicts
    statement does not hold                    deviates or unsupported if exactly as documented, else violates
    a step before the statement failed         unsupported if documented so, else blocked
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from harness.profile import Deviation, OperationEntry, Profile
from harness.record import Observation, Step, VerdictName


class Judgement(NamedTuple):
    """A verdict, why, and the profile entry that it rests on."""

    verdict: VerdictName
    message: str
    entry: str | None = None


def judge(scenario: str, client: str, observation: Observation, profile: Profile, today: dt.date) -> Judgement:
    """What the observation of a cell comes to under a profile.

    Args:
        scenario: id of the scenario.
        client: name of the client.
        observation: what was seen.
        profile: what the gateway documents.
        today: the date on which documentation must not have expired.
    """
    if observation.outcome == "failure":
        return Judgement("error", observation.text)
    if observation.outcome == "inexpressible":
        return Judgement("inapplicable", observation.text)
    deviation = _deviation(scenario, client, profile, today)
    if deviation is not None and observation.outcome != "prerequisite":
        return _deviating(deviation, observation)
    dishonest = _offered_after_all(client, observation, profile)
    if dishonest is not None and observation.outcome != "prerequisite":
        return dishonest
    if observation.outcome == "match":
        return Judgement("conforms", "")
    return _failed(client, observation, profile)


def _deviation(scenario: str, client: str, profile: Profile, today: dt.date) -> Deviation | None:
    for entry in profile.deviations:
        valid = entry.expires is None or today <= entry.expires
        if entry.scenario == scenario and (not entry.clients or client in entry.clients) and valid:
            return entry
    return None


def _deviating(entry: Deviation, observation: Observation) -> Judgement:
    name = f"deviations.{entry.scenario}"
    if observation.outcome == "match":
        return Judgement("contradicts", f"documented difference not seen: {entry.reason}", name)
    step = _failing(observation)
    if step is not None and entry.signature.matches(step):
        return Judgement("deviates", f"as documented: {entry.reason}", name)
    return Judgement("violates", f"differs, but not as documented ({entry.reason}): {observation.text}", name)


def _entry(client: str, step: Step, profile: Profile) -> OperationEntry | None:
    entry = profile.operations.get(step.operation)
    return None if entry is None or (entry.clients and client not in entry.clients) else entry


def _offered_after_all(client: str, observation: Observation, profile: Profile) -> Judgement | None:
    """A judgement if an operation documented as not offered succeeded in this cell."""
    for step in observation.steps:
        entry = _entry(client, step, profile)
        if entry is not None and step.ok:
            message = f"{step.operation} is documented as not offered ({entry.reason}), but it succeeded"
            return Judgement("contradicts", message, f"operations.{step.operation}")
    return None


def _failed(client: str, observation: Observation, profile: Profile) -> Judgement:
    step = _failing(observation)
    entry = None if step is None else _entry(client, step, profile)
    blocked = observation.outcome == "prerequisite"
    if step is None or entry is None or step.ok:
        return Judgement("blocked" if blocked else "violates", observation.text)
    name = f"operations.{step.operation}"
    if any(signature.matches(step) for signature in entry.accept):
        return Judgement("unsupported", f"{step.operation} is refused as documented: {entry.reason}", name)
    text = f"{step.operation} is documented as not offered, but not refused as documented: {observation.text}"
    return Judgement("violates", text, name)


def _failing(observation: Observation) -> Step | None:
    return observation.steps[observation.failing] if 0 <= observation.failing < len(observation.steps) else None
