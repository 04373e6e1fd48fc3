"""Scenarios: one checkable statement of S3 behaviour each, and the registry that holds them.

A scenario is a function that takes a `Scene`. It returns when the statement holds; otherwise one of the
`harness.signals` leaves it. Its docstring is what the report prints: first line the statement, then paragraphs
"S3 promises: …" ("The gateway promises: …" where it is about a feature that S3 does not have), "Breaks: …" (which
clients suffer) and "Fix: …" (for a gateway author).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import proofs
from harness.clients import CLIENTS
from harness.errors import UsageError, unknown
from harness.record import Confidence, Level, ScenarioText

if TYPE_CHECKING:
    from harness.scene import Scene

Function = Callable[["Scene"], None]

MUST: Level = "MUST"
SHOULD: Level = "SHOULD"
EXTENDED: Level = "EXTENDED"

UPLOADS = frozenset({"PutObject", "UploadPart", "CompleteMultipartUpload", "DeleteObjects"})
"""Operations whose request SDKs write otherwise over https than over http: trailers with checksums, unsigned bodies."""

_ID = re.compile(r"[A-Z][A-Z0-9]*-\d{3}")


@dataclass(frozen=True, slots=True)
class Scenario:
    """A registered scenario. `feature` is what a gateway's profile must name, "" for S3 itself."""

    id: str
    level: Level
    operations: tuple[str, ...]
    source: str
    clients: tuple[str, ...]
    confidence: Confidence
    function: Function
    module: str
    feature: str = ""

    @property
    def family(self) -> str:
        """The letters of the id: `ETAG` of `ETAG-001`."""
        return self.id.rpartition("-")[0]

    @property
    def differs_by_scheme(self) -> bool:
        """Whether clients send something else over https than over http, beside the encryption."""
        return not UPLOADS.isdisjoint(self.operations)

    @property
    def title(self) -> str:
        """The statement in one line."""
        return inspect.cleandoc(self.function.__doc__ or "").partition("\n")[0]

    @property
    def text(self) -> ScenarioText:
        """What a report prints below the title."""
        body = inspect.cleandoc(self.function.__doc__ or "").partition("\n")[2].strip()
        return ScenarioText(text=body, source=self.source, catches=proofs.caught().get(self.id, []))


_registry: dict[str, Scenario] = {}


def scenario(
    id: str,  # noqa: A002 - S3's check has an id, and that is its name everywhere
    level: Level,
    *operations: str,
    source: str,
    clients: Iterable[str] = CLIENTS,
    confidence: Confidence = "recorded",
    feature: str = "",
) -> Callable[[Function], Function]:
    """Register a function as a scenario.

    Args:
        id: family and number of the catalogue line.
        level: MUST, SHOULD or EXTENDED.
        operations: the S3 operations that the statement is about.
        source: where the statement comes from.
        clients: those that can express it at all; the others have no cell.
        confidence: anything but `recorded` is reported but never gates.
        feature: what it is about, where that is no part of S3 but of gateways whose profiles name it.

    Raises:
        ValueError: a malformed or repeated id.
    """

    def register(function: Function) -> Function:
        if not _ID.fullmatch(id) or id in _registry:
            raise ValueError(f"scenario id {id!r} is malformed or taken")
        _registry[id] = Scenario(
            id, level, operations, source, tuple(clients), confidence, function, function.__module__, feature
        )
        return function

    return register


def load(package: str = "scenarios") -> dict[str, Scenario]:
    """Every scenario by id, in catalogue order, after importing all modules of `package`."""
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        importlib.import_module(found.name)
    return dict(sorted(_registry.items()))


def of_s3() -> dict[str, Scenario]:
    """Every scenario that is about S3 itself, and not about a feature of some gateways."""
    return {name: found for name, found in load().items() if not found.feature}


def select(
    registry: dict[str, Scenario],
    families: Iterable[str] = (),
    ids: Iterable[str] = (),
    level: Level | None = None,
    features: Iterable[str] = (),
) -> list[Scenario]:
    """The scenarios of the families, or of the ids, or all; down to the level (MUST is the highest).

    Those of a feature only if it is among `features`.

    Raises:
        UsageError: an unknown family or id, with the nearest valid name; the id of one whose feature is not there.
    """
    offered = {"", *features}
    known = {found.family for found in registry.values()}
    wanted_families = [_known("family", name.upper(), known) for name in families]
    wanted_ids = [_known("scenario", name.upper(), registry) for name in ids]
    foreign = next((registry[name] for name in wanted_ids if registry[name].feature not in offered), None)
    if foreign is not None:
        raise UsageError(
            f"scenario {foreign.id} is about {foreign.feature}, which is no part of S3: choose a --profile that names "
            "it among its features"
        )
    levels = (
        (MUST, SHOULD, EXTENDED)[: (MUST, SHOULD, EXTENDED).index(level) + 1] if level else (MUST, SHOULD, EXTENDED)
    )
    return [
        found
        for found in registry.values()
        if found.level in levels
        and found.feature in offered
        and (not wanted_families or found.family in wanted_families)
        and (not wanted_ids or found.id in wanted_ids)
    ]


def _known(what: str, name: str, valid: Iterable[str]) -> str:
    names = set(valid)
    if name not in names:
        raise unknown(what, name, names)
    return name
