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

from harness.clients import CLIENTS
from harness.errors import UsageError, unknown
from harness.record import Step
from harness.wire import model

CONFIGURABLE = ("rclone", "awscli", "boto3", "jssdk")
"""Clients that take settings from a profile: those whose users must set some for a gateway."""

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
        """Whether the answer of `step` is this one.

        What a client does not show is not held against it, but something must be seen: no answer at all, and a
        failure without any detail, are nobody's documented behaviour. Where headers are shown the error document is
        shown too, so that an explanation that is documented must be there; answers to HEAD have none.
        """
        shown = bool(step.headers) and not step.operation.startswith("Head")
        found = [step.headers.get(name) == value for name, value in self.headers.items()] if step.headers else []
        if self.status is not None and step.status is not None:
            found.append(step.status == self.status)
        if self.code is not None and (step.code or shown):
            found.append(step.code == self.code)
        if self.message is not None and (step.message or shown):
            found.append(self.message in step.message)
        return bool(found) and all(found)


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
    """A gateway's documentation as data.

    `sources` are addresses or titles by the short name that entries use; `settings` are what users are told to
    configure in a client, by client and by the client's own name for it.
    """

    name: str
    title: str
    version: str = ""
    sources: dict[str, str] = {}
    buckets: Buckets = Buckets()
    settings: dict[str, dict[str, str]] = {}
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
    if path.parent == FOLDER and name not in names():
        raise unknown("profile", name, names())
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Profile)
    except OSError as error:
        raise UsageError(f"cannot read profile {path}: {error.strerror}") from None
    except RecursionError:
        raise UsageError(f"profile {path}: nested too deeply") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"profile {path}: {error}") from None


def check(profile: Profile, scenario_ids: Iterable[str]) -> None:
    """Every entry names something that exists; an entry that could match nothing is an error of the profile.

    Raises:
        UsageError: an unknown operation, scenario, client or source, or an empty signature.
    """
    ids = set(scenario_ids)
    for client in profile.settings:
        if client not in CONFIGURABLE:
            raise unknown(f"client in profile {profile.name}, settings:", client, CONFIGURABLE)
    for name, entry in profile.operations.items():
        if name not in model.operations():
            raise unknown(f"operation in profile {profile.name}:", name, model.operations())
        _check_entry(profile, name, entry, entry.accept)
    for deviation in profile.deviations:
        if deviation.scenario not in ids:
            raise unknown(f"scenario in profile {profile.name}:", deviation.scenario, ids)
        _check_entry(profile, deviation.scenario, deviation, [deviation.signature])


def _check_entry(profile: Profile, name: str, entry: OperationEntry | Deviation, signatures: list[Signature]) -> None:
    where = f"profile {profile.name}, entry {name}:"
    if entry.source not in profile.sources:
        raise unknown(f"source in {where}", entry.source, profile.sources)
    for client in entry.clients:
        if client not in CLIENTS:
            raise unknown(f"client in {where}", client, CLIENTS)
    if not signatures or not all(s.status or s.code or s.message or s.headers for s in signatures):
        raise UsageError(f"{where} a signature that says nothing can match nothing; give status, code or message")
    for header in (header for signature in signatures for header in signature.headers):
        if header != header.lower():
            raise UsageError(f"{where} header {header!r} must be written in lower case")
