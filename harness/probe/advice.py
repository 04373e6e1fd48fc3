"""From findings to settings: what each client does by default, and whether that works here."""

from __future__ import annotations

from harness.config import Endpoint
from harness.probe.context import Finding
from harness.probe.knobs import AWS, BOTO3, BY_NAME, JS, RCLONE, Knob, Option
from harness.probe.texts import Choice, texts
from harness.record import FACT, NOTHING, SETTING_KINDS, UNKNOWN, Advice, Setting

_DRIVERS = {RCLONE: "rclone", AWS: "awscli", BOTO3: "boto3", JS: "jssdk"}
_ADDRESSING = ("force_path_style", "addressing_style", "forcePathStyle")


def advise(endpoint: Endpoint, findings: list[Finding]) -> Advice:
    """Settings, those that are needed first, and texts to paste.

    Args:
        endpoint: what was probed.
        findings: one for every knob, see `harness.probe.survey`.
    """
    choices = _merged([choice for finding in findings for choice in _choices(finding)])
    settings = [choice.setting for choice in choices] + [
        _fact(one) for one in findings if not BY_NAME[one.knob].options
    ]
    kinds = list(SETTING_KINDS)
    return Advice(sorted(settings, key=lambda one: kinds.index(one.kind)), texts(endpoint, choices, findings))


def _choices(finding: Finding) -> list[Choice]:
    return [_choice(finding, option) for option in BY_NAME[finding.knob].options]


def _choice(finding: Finding, option: Option) -> Choice:
    working = {option.said(value) for value in finding.working}
    needed = bool(working) and option.default not in working
    value = finding.value if finding.value in (UNKNOWN, NOTHING) else option.said(finding.value)
    if not needed and working and not option.better:
        # What works by default needs no advice to do otherwise; the observation tells what else there is.
        value = option.default
    setting = Setting(option.client, option.name, value, option.default, finding.observation, needed)
    return Choice(setting, option.place)


def _merged(choices: list[Choice]) -> list[Choice]:
    """One choice for each setting: of two findings about the same one, that which needs it."""
    chosen: dict[tuple[str, str], Choice] = {}
    for choice in choices:
        key = (choice.setting.client, choice.setting.name)
        if key not in chosen or (choice.setting.needed and not chosen[key].setting.needed):
            chosen[key] = choice
    return list(chosen.values())


def _fact(finding: Finding) -> Setting:
    knob: Knob = BY_NAME[finding.knob]
    return Setting(FACT, knob.name, finding.value, knob.standard, finding.observation, needed=False)


def needed(advice: Advice) -> dict[str, dict[str, str]]:
    """The settings that the endpoint needs and a driver can be given, by name of the driver.

    How buckets are addressed is not among them: that is a matter of the run.
    """
    places = {(option.client, option.name): option.place for knob in BY_NAME.values() for option in knob.options}
    found: dict[str, dict[str, str]] = {}
    for one in advice.settings:
        driver = _DRIVERS.get(one.client)
        given = places.get((one.client, one.name)) in ("", "s3") and one.name not in _ADDRESSING
        if driver and given and one.kind == "needed":
            found.setdefault(driver, {})[one.name] = one.value
    return found
