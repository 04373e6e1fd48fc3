"""What gateways claim about themselves, sentence by sentence, and how each sentence is held to what was seen.

Claims are TOML files in `fixtures/claims/`, one for each system. Entries of profiles name the claims that they rest on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from harness.errors import UsageError
from harness.profile import Profile

FOLDER = Path(__file__).parent.parent / "fixtures" / "claims"

Standing = Literal["confirmed", "imprecise", "contradicted", "source-only", "documented", "unverifiable"]


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One statement of a gateway about itself.

    `id` is unique among all systems; `profiles` are those of the gateways that it is about; `says` is the statement in
    one sentence, `source` where it stands, `standing` how it compares with the gateway's own source code. `scenarios`
    would show it; `unshown` says why nothing can.
    """

    id: str
    profiles: list[str]
    operation: str
    says: str
    source: str
    standing: Standing
    scenarios: list[str] = []
    unshown: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The claims of one system."""

    claims: list[Claim]


def systems() -> dict[str, list[Claim]]:
    """The claims of every system, by the name of its file.

    Raises:
        UsageError: a file that is not of this form.
    """
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.toml"))}


def of_profile(name: str) -> list[Claim]:
    """The claims about the gateway that a profile is of, in the order of their file."""
    return [claim for claims in systems().values() for claim in claims if name in claim.profiles]


def entries(documented: Profile) -> Iterator[tuple[str, list[str]]]:
    """Every entry of a profile, named as verdicts name it, with the claims that it rests on."""
    for part in ("addressing", "authentication", "redirects"):
        entry = getattr(documented, part)
        if entry is not None:
            yield part, entry.claims
    yield from ((f"limits.{name}", limit.claims) for name, limit in documented.limits.items())
    yield from ((f"operations.{name}", entry.claims) for name, entry in documented.operations.items())
    for deviation in documented.deviations:
        yield from ((f"deviations.{name}", deviation.claims) for name in deviation.scenarios)


def _read(path: Path) -> list[Claim]:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).claims
    except ValueError as error:
        raise UsageError(f"claims {path.name}: {error}") from None
