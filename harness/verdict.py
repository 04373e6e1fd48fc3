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

from harness.profile import REFUSING, Deviation, OperationEntry, Profile, concerns
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
        client: name of the client, with its version as `awscli@2.23.6` where entries may be about versions.
        observation: what was seen.
        profile: what the gateway documents.
        today: the date on which documentation must not have expired.
    """
    if observation.outcome == "failure":
        return Judgement("error", observation.text)
    if observation.outcome == "inexpressible":
        return Judgement("inapplicable", observation.text)
    deviations = _deviations(scenario, client, profile, today)
    if observation.outcome == "prerequisite":
        return _set_up(scenario, deviations, client, observation, profile)
    if deviations:
        return _deviating(scenario, deviations, client, observation, profile)
    dishonest = _offered_after_all(client, observation, profile)
    if dishonest is not None:
        return dishonest
    if observation.outcome == "match":
        return Judgement("conforms", "")
    return _as_operation(client, observation, profile) or Judgement("violates", observation.text)


def _deviations(scenario: str, client: str, profile: Profile, today: dt.date) -> list[Deviation]:
    return [
        entry
        for entry in profile.deviations
        if scenario in entry.scenarios
        and concerns(entry.clients, client)
        and (entry.expires is None or today <= entry.expires)
    ]


def _documented(entries: list[Deviation], observation: Observation) -> Deviation | None:
    """The entry that says what was seen; several for one scenario are several accepted ways to differ."""
    step = _failing(observation)
    return next((entry for entry in entries if any(s.matches(step, observation.text) for s in entry.accept)), None)


def _deviating(
    scenario: str, entries: list[Deviation], client: str, observation: Observation, profile: Profile
) -> Judgement:
    name, reason = f"deviations.{scenario}", entries[0].reason
    if observation.outcome == "match":
        if any(entry.sometimes for entry in entries):
            return Judgement("conforms", "")
        return Judgement("contradicts", f"documented difference not seen: {reason}", name)
    entry = _documented(entries, observation)
    if entry is not None:
        return Judgement("deviates", f"as documented: {entry.reason}", name)
    by_operation = _as_operation(client, observation, profile)
    if by_operation is not None and by_operation.verdict == "unsupported":
        return by_operation
    return Judgement("violates", f"differs, but not as documented ({reason}): {observation.text}", name)


def _set_up(
    scenario: str, entries: list[Deviation], client: str, observation: Observation, profile: Profile
) -> Judgement:
    """The statement was never reached: no difference was seen, but perhaps why it cannot be."""
    entry = _documented(entries, observation)
    if entry is not None:
        return Judgement("unsupported", f"cannot be set up, as documented: {entry.reason}", f"deviations.{scenario}")
    return _as_operation(client, observation, profile) or Judgement("blocked", observation.text)


def _entry(client: str, step: Step, profile: Profile) -> OperationEntry | None:
    """What the profile tells the client that made a step of its operation; set-up and witness are raw HTTP."""
    entry = profile.operations.get(step.operation)
    actor = client if step.role == "client" else "raw"
    return entry if entry is not None and concerns(entry.clients, actor) else None


def _succeeded(step: Step) -> bool:
    """Whether the operation was done: a program may call a refusal a success, but not hide its status."""
    return step.ok and (step.status is None or step.status < 400)


def _offered_after_all(client: str, observation: Observation, profile: Profile) -> Judgement | None:
    """A judgement if an operation documented as not offered succeeded in this cell."""
    for step in observation.steps:
        entry = _entry(client, step, profile)
        if entry is not None and entry.support in REFUSING and _succeeded(step):
            message = f"{step.operation} is documented as not offered ({entry.reason}), but it succeeded"
            return Judgement("contradicts", message, f"operations.{step.operation}")
    return None


def _as_operation(client: str, observation: Observation, profile: Profile) -> Judgement | None:
    """A judgement if the operation that failed is documented as one that does not work, None if it is not."""
    step = _failing(observation)
    entry = None if step is None else _entry(client, step, profile)
    if step is None or entry is None or entry.support in ("full", "partial"):
        return None
    refusing = entry.support in REFUSING
    if refusing and _succeeded(step):
        return None
    name = f"operations.{step.operation}"
    if any(signature.matches(step, observation.text) for signature in entry.accept):
        how = "refused" if refusing else "answered without effect"
        return Judgement("unsupported", f"{step.operation} is {how} as documented: {entry.reason}", name)
    what = "not offered, but not refused" if refusing else f"{entry.support}, but not answered"
    return Judgement("violates", f"{step.operation} is documented as {what} as documented: {observation.text}", name)


def _failing(observation: Observation) -> Step | None:
    return observation.steps[observation.failing] if 0 <= observation.failing < len(observation.steps) else None
