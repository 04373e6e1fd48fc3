"""What a gateway documents about itself: what it offers and does not offer, its limits, its deliberate differences.

Profiles are TOML files, those of known gateways in `fixtures/profiles/`. Every entry says why and where it is
documented, so that a verdict can be traced to a sentence of the gateway's own. `harness.profile_check` holds a profile
to the scenarios that there are.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

from harness.errors import UsageError, unknown
from harness.profile_text import explained
from harness.record import Step

CONFIGURABLE = ("rclone", "awscli", "boto3", "jssdk")
"""Clients that take settings from a profile: those whose users must set some for a gateway."""

STANDARD = "aws"
"""The profile of Amazon S3 itself, which excuses nothing."""

FOLDER = Path(__file__).parent.parent / "fixtures" / "profiles"

Support = Literal["full", "partial", "no", "forbidden", "dummy", "noop"]
REFUSING: tuple[Support, ...] = ("no", "forbidden")
"""Kinds of support that show as a refusal; such an operation must not succeed."""
EMPTY: tuple[Support, ...] = ("dummy", "noop")
"""Kinds of support that show as an answer without anything behind it."""


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an answer is recognised; what is not given is not looked at.

    `message` is a part of the error message; `headers` are lower-case names with exact values. `found` is a part of
    what a cell says was seen, for differences that neither status nor code shows.
    """

    status: int | None = None
    code: str | None = None
    message: str | None = None
    headers: dict[str, str] = {}
    found: str | None = None

    def matches(self, step: Step | None, text: str = "") -> bool:
        """Whether the answer of `step`, of which `text` says what was seen, is this one.

        What a client does not show is not held against it, but something must be seen: no answer at all, and a
        failure without any detail, are nobody's documented behaviour. Where headers are shown the error document is
        shown too, so that an explanation that is documented must be there; answers to HEAD have none.
        """
        found = [] if self.found is None else [self.found in text]
        if step is not None:
            found += self._answers(step)
        return bool(found) and all(found)

    def _answers(self, step: Step) -> list[bool]:
        shown = bool(step.headers) and not step.operation.startswith("Head")
        found = [step.headers.get(name) == value for name, value in self.headers.items()] if step.headers else []
        if self.status is not None and step.status is not None:
            found.append(step.status == self.status)
        if self.code is not None and (step.code or shown):
            found.append(step.code == self.code)
        if self.message is not None and (step.message or shown):
            found.append(self.message in step.message)
        return found

    @property
    def says_nothing(self) -> bool:
        """Whether it would match nothing."""
        return not (self.status or self.code or self.message or self.headers or self.found)


def concerns(clients: list[str], client: str) -> bool:
    """Whether an entry for some clients (none named: all) is about `client`, a name or `name@version`.

    An entry names a client, or a client of versions that begin so: `awscli@1` is about `awscli@1.44.84`.
    """
    return not clients or any(client == one or client.startswith((f"{one}@", f"{one}.")) for one in clients)


class OperationEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is documented of one operation.

    `full` and `partial` are judged like everything else (what is missing from `partial` are deviations). `no` and
    `forbidden` must be refused in one of the ways in `accept`; `dummy` (a fixed answer) and `noop` (taken, and nothing
    done) must answer in one of them. `clients` are those that it is about, see `concerns`.
    """

    support: Support
    reason: str
    source: str
    accept: list[Signature] = []
    claims: list[str] = []
    clients: list[str] = []


class Deviation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A documented difference from some scenarios. `since` and `expires` are dates; after `expires` it is void.

    `sometimes` is for what not every run sees, since it hangs on examples made by chance, or on time: only then is it
    no contradiction where the difference does not show.
    """

    scenarios: list[str]
    accept: list[Signature]
    reason: str
    source: str
    claims: list[str] = []
    clients: list[str] = []
    sometimes: bool = False
    since: dt.date | None = None
    expires: dt.date | None = None


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A documented limit, such as the smallest part: a number and what it counts."""

    value: int
    unit: Literal["bytes", "characters", "entries", "seconds"]
    source: str
    claims: list[str] = []


class Addressing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How buckets are addressed, and which regions requests may be signed for (none named: any)."""

    styles: list[Literal["path", "virtual"]]
    source: str
    regions: list[str] = []
    claims: list[str] = []


class Authentication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How requests may prove who sends them."""

    methods: list[Literal["sigv4-header", "sigv4-query", "sigv2-header", "sigv2-query", "bearer", "token", "anonymous"]]
    source: str
    claims: list[str] = []


class Buckets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How buckets come into being: by CreateBucket, or with their first object."""

    creation: Literal["explicit", "implicit"] = "explicit"


class Redirects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Statuses with which the gateway sends requests on to another port of its own, where they must be repeated."""

    follow: list[Literal[301, 302, 307, 308]]
    source: str
    claims: list[str] = []


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway's documentation as data.

    `sources` are addresses or titles by the short name that entries use; `settings` are what users are told to
    configure in a client, by client and by the client's own name for it. A profile that inherits has all entries of
    another one, but for those of the same name, for the deviations of scenarios that it has entries of its own for,
    and of those in `conforms`. `features` are what it has beyond S3, which scenarios are about.
    """

    name: str
    title: str
    version: str = ""
    inherits: str = ""
    sources: dict[str, str] = {}
    addressing: Addressing | None = None
    authentication: Authentication | None = None
    buckets: Buckets = Buckets()
    redirects: Redirects | None = None
    settings: dict[str, dict[str, str]] = {}
    limits: dict[str, Limit] = {}
    operations: dict[str, OperationEntry] = {}
    deviations: list[Deviation] = []
    conforms: list[str] = []
    features: list[str] = []

    @property
    def implicit(self) -> bool:
        """Whether buckets come into being with their first object."""
        return self.buckets.creation == "implicit"

    @property
    def follow(self) -> tuple[int, ...]:
        """The statuses of redirects that are to be followed."""
        return tuple(self.redirects.follow) if self.redirects else ()


def names() -> list[str]:
    """The profiles that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Profile:
    """The profile of a known gateway, or of a TOML file, with all that it inherits.

    Raises:
        UsageError: no such profile, or a file that is not one.
    """
    return _inherited(name, ())


def read(name: str) -> Profile:
    """The profile as its file has it, without what it inherits.

    Raises:
        UsageError: as `load`.
    """
    path = Path(name) if name.endswith(".toml") or "/" in name else FOLDER / f"{name}.toml"
    if path.parent == FOLDER and name not in names():
        raise unknown("profile", name, names())
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
        return msgspec.convert(data, Profile)
    except OSError as error:
        raise UsageError(f"cannot read profile {path}: {error.strerror}") from None
    except RecursionError:
        raise UsageError(f"profile {path}: nested too deeply") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"profile {path}: {error}") from None
    except msgspec.ValidationError as error:
        raise UsageError(f"profile {path}{explained(str(error), text, data, Profile)}") from None


def _inherited(name: str, below: tuple[str, ...]) -> Profile:
    own = read(name)
    if not own.inherits:
        return own
    if own.inherits in below:
        raise UsageError(f"profile {own.inherits} inherits itself: {' from '.join((*below, own.inherits))}")
    base = _inherited(own.inherits, (*below, own.inherits))
    return _merged(base, own)


def _merged(base: Profile, own: Profile) -> Profile:
    """`own` with what it does not say itself taken from `base`."""
    said = {name for entry in own.deviations for name in entry.scenarios} | set(own.conforms)
    kept = [
        msgspec.structs.replace(entry, scenarios=left)
        for entry in base.deviations
        if (left := [name for name in entry.scenarios if name not in said])
    ]
    settings = {
        client: base.settings.get(client, {}) | own.settings.get(client, {}) for client in base.settings | own.settings
    }
    merged: dict[str, Any] = {
        "sources": base.sources | own.sources,
        "settings": settings,
        "limits": base.limits | own.limits,
        "operations": base.operations | own.operations,
        "deviations": kept + own.deviations,
        "features": list(dict.fromkeys(base.features + own.features)),
        "addressing": own.addressing or base.addressing,
        "authentication": own.authentication or base.authentication,
        "redirects": own.redirects or base.redirects,
        "buckets": base.buckets if own.buckets == Buckets() else own.buckets,
    }
    return msgspec.structs.replace(own, **merged)
