"""What a gateway documents about itself: operations it does not offer, and deliberate differences.

Profiles are TOML files, those of known gateways in `fixtures/profiles/`. Every entry says why and where it is
documented, so that a verdict can be traced to a sentence of the gateway's own.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from harness.errors import UsageError, unknown
from harness.record import Step
from harness.wire import model

FOLDER = Path(__file__).parent.parent / "fixtures" / "profiles"


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an answer is recognised; what is not given is not looked at.

    `message` is a part of the error message; `headers` are lower-case names with exact values.
    """

    status: int | None = None
    code: str | None = None
    message: str | None = None
    headers: dict[str, str] = {}

    def matches(self, step: Step) -> bool:
        """Whether the answer of `step` is this one. What a client does not show is not held against it."""
        shown = step.status is not None
        return (
            (self.status is None or not shown or step.status == self.status)
            and (self.code is None or step.code == self.code or (not step.code and step.status in (None, self.status)))
            and (self.message is None or self.message in step.message or not step.message)
            and all(step.headers.get(name) == value for name, value in self.headers.items())
        )


class OperationEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operation that is not offered, and the ways of saying so that the gateway documents."""

    support: Literal["no", "forbidden"]
    accept: list[Signature]
    reason: str
    source: str
    clients: list[str] = []


class Deviation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A documented difference from one scenario. `since` and `expires` are dates; after `expires` it is void."""

    scenario: str
    signature: Signature
    reason: str
    source: str
    clients: list[str] = []
    since: dt.date | None = None
    expires: dt.date | None = None


class Buckets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How buckets come into being: by CreateBucket, or with their first object."""

    creation: Literal["explicit", "implicit"] = "explicit"


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway's documentation as data. `sources` are addresses or titles by the short name entries use."""

    name: str
    title: str
    version: str = ""
    sources: dict[str, str] = {}
    buckets: Buckets = Buckets()
    operations: dict[str, OperationEntry] = {}
    deviations: list[Deviation] = []


def names() -> list[str]:
    """The profiles that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Profile:
    """The profile of a known gateway, or of a TOML file.

    Raises:
        UsageError: no such profile, or a file that is not one.
    """
    path = Path(name) if name.endswith(".toml") or "/" in name else FOLDER / f"{name}.toml"
    if path.parent == FOLDER and not path.is_file():
        raise unknown("profile", name, names())
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Profile)
    except OSError as error:
        raise UsageError(f"cannot read profile {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"profile {path}: {error}") from None


def check(profile: Profile, scenario_ids: Iterable[str]) -> None:
    """Every entry names something that exists; an entry that could match nothing is an error of the profile.

    Raises:
        UsageError: an unknown operation, scenario or source.
    """
    ids = set(scenario_ids)
    for name, entry in profile.operations.items():
        if name not in model.operations():
            raise unknown(f"operation in profile {profile.name}:", name, model.operations())
        _check_entry(profile, name, entry.source, entry.accept)
    for deviation in profile.deviations:
        if deviation.scenario not in ids:
            raise unknown(f"scenario in profile {profile.name}:", deviation.scenario, ids)
        _check_entry(profile, deviation.scenario, deviation.source, [deviation.signature])


def _check_entry(profile: Profile, entry: str, source: str, signatures: list[Signature]) -> None:
    if source not in profile.sources:
        raise unknown(f"source in profile {profile.name}, entry {entry}:", source, profile.sources)
    if not signatures or Signature() in signatures:
        raise UsageError(f"profile {profile.name}, entry {entry}: a signature that says nothing matches anything")
