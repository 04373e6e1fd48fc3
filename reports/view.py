"""What the HTML report shows of a run on the page of its gateway, counted and ordered, with nothing left to compute.

The overview of several gateways is `reports.overview`; the matrix itself `reports.matrix`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.record import (
    SETTING_KINDS,
    VERDICTS,
    Advice,
    Cell,
    Level,
    Lint,
    Run,
    Setting,
    SettingKind,
    VerdictName,
    count,
)
from reports import claims, tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.claims import Sentence
    from reports.tally import Share


@dataclass(frozen=True)
class Bar:
    """A stacked bar: `parts` are (verdict, cells, x, width), the last two in hundredths of the bar."""

    parts: list[tuple[VerdictName, int, float, float]]
    cells: int
    share: Share
    fails: int

    @property
    def words(self) -> str:
        """The bar for those who do not see it."""
        return ", ".join(f"{number} {verdict}" for verdict, number, _, _ in self.parts) or "no cells"


@dataclass(frozen=True)
class Failure:
    """A scenario that fails, with the cells that do."""

    scenario: str
    title: str
    level: Level
    cells: list[Cell]

    @property
    def messages(self) -> list[tuple[str, list[Cell]]]:
        """What was observed, each once, with the cells that observed it."""
        return list(tally.grouped(self.cells, lambda cell: cell.message or cell.observed.text).items())


@dataclass(frozen=True)
class Documented:
    """An entry of the profile with the cells whose verdict rests on it; `says` is what it says of itself."""

    entry: str
    says: str
    cells: list[Cell]
    contradicted: bool

    @property
    def scenarios(self) -> list[Cell]:
        """One cell of each scenario, the gravest."""
        return [members[0] for members in tally.grouped(self.cells, lambda cell: cell.scenario).values()]


@dataclass(frozen=True)
class Rule:
    """All findings of one lint rule against one party, with one of them as the example."""

    rule: str
    party: str
    severity: str
    findings: int
    operations: list[str]
    clients: list[str]
    example: Lint


@dataclass(frozen=True)
class Offer:
    """What the endpoint makes of some operations: `support` in a word, in words, and a cell of each."""

    support: str
    words: str
    cells: list[Cell]


@dataclass(frozen=True)
class Settings:
    """Settings of one kind: `rows` are those that rest on the same observation, and the observation."""

    kind: SettingKind
    words: str
    rows: list[tuple[list[Setting], str]]

    @property
    def number(self) -> int:
        """How many settings there are."""
        return sum(len(settings) for settings, _ in self.rows)


@dataclass(frozen=True)
class Page:
    """The page of one gateway: what its run came to."""

    run: Run
    number: int
    gateway: str
    incomplete: str
    clients: list[str]
    counts: dict[VerdictName, int]
    all: Bar
    levels: list[tuple[Level, Bar]]
    by_client: dict[str, Bar]
    families: list[tuple[str, dict[str, Bar], Bar]]
    failing: list[Failure]
    failing_cells: int
    not_gating: int
    flaky: int
    offers: list[Offer]
    documented: list[Documented]
    sentences: list[tuple[str, list[Sentence]]]
    rules: list[Rule]
    settings: list[Settings]
    texts: dict[str, str]

    @property
    def needed(self) -> int:
        """How many client settings are needed, or would be if there were one that helps."""
        return sum(group.number for group in self.settings if group.kind in ("needed", "hopeless"))


def page(run: Run, number: int) -> Page:
    """`run` as the page of the gateway `number` of a report."""
    cells = tally.ordered(run)
    clients = tally.client_names(run)
    families = tally.grouped(cells, lambda cell: cell.family)
    levels = tally.grouped(cells, lambda cell: cell.level)
    fails = tally.failing(run)
    return Page(
        run=run,
        number=number,
        gateway=tally.gateway_name(run),
        incomplete=tally.incomplete(run),
        clients=clients,
        counts={verdict: run.counts[verdict] for verdict in VERDICTS},
        all=bar(cells),
        levels=[(level, bar(levels[level])) for level in tally.LEVELS if level in levels],
        by_client=_by_client(cells, clients),
        families=[(name, _by_client(members, clients), bar(members)) for name, members in families.items()],
        failing=failures(fails),
        failing_cells=len(fails),
        not_gating=tally.not_gating(run),
        flaky=sum(cell.flaky for cell in cells),
        offers=offers(run),
        documented=documented(cells),
        sentences=list(tally.grouped(claims.sentences(run), lambda one: one.words).items()),
        rules=rules(run),
        settings=advised(run.advice),
        texts=run.advice.texts if run.advice else {},
    )


def failures(cells: Iterable[Cell]) -> list[Failure]:
    """Failing cells by scenario, in their order."""
    return [
        Failure(scenario, members[0].title, members[0].level, members)
        for scenario, members in tally.grouped(cells, lambda cell: cell.scenario).items()
    ]


def documented(cells: Iterable[Cell]) -> list[Documented]:
    """What the profile foretold, entry by entry: contradicted ones first, then those that explain most."""
    resting = tally.grouped((cell for cell in cells if cell.profile_entry), lambda cell: cell.profile_entry or "")
    found = []
    for entry, members in resting.items():
        members.sort(key=lambda cell: cell.verdict != "contradicts")
        said = next((cell.message for cell in members if cell.verdict in ("deviates", "unsupported")), "")
        says = said.partition("as documented: ")[2] or said
        found.append(Documented(entry, says, members, members[0].verdict == "contradicts"))
    return sorted(found, key=lambda one: (not one.contradicted, -len(one.cells), one.entry))


def advised(advice: Advice | None) -> list[Settings]:
    """The settings of `advice` by kind, needed ones first; empty kinds are left out."""
    settings = advice.settings if advice else []
    groups = []
    for kind, words in SETTING_KINDS.items():
        members = [setting for setting in settings if setting.kind == kind]
        if members:
            rows = tally.grouped(members, lambda setting: setting.observation)
            groups.append(Settings(kind, words, [(together, why) for why, together in rows.items()]))
    return groups


def bar(cells: Iterable[Cell]) -> Bar:
    """`cells` as a stacked bar in the order of the verdicts."""
    cells = list(cells)
    parts: list[tuple[VerdictName, int, float, float]] = []
    counts, before = count(cells), 0
    for verdict in VERDICTS:
        if number := counts[verdict]:
            parts.append((verdict, number, _hundredths(before, cells), _hundredths(number, cells)))
            before += number
    return Bar(parts, len(cells), tally.share(cells), sum(cell.fails for cell in cells))


_SUPPORT = {
    "fall-through": "taken for another operation",
    "dummy": "pretended: success, and nothing done",
    "unclear": "neither done nor refused cleanly",
    "refused": "refused, and nothing done",
    "unset": "answered, but nothing could be set to show whether rightly",
    "full": "done in full",
}


def offers(run: Run) -> list[Offer]:
    """What the operations are that the endpoint was asked for (family OPS), each in one way."""
    found: dict[str, list[Cell]] = {}
    for cell in run.cells:
        if cell.family == "OPS" and cell.verdict in ("conforms", "violates"):
            found.setdefault(_support(cell), []).append(cell)
    return [
        Offer(kind, words, sorted(found[kind], key=lambda cell: cell.operations))
        for kind, words in _SUPPORT.items()
        if kind in found
    ]


def _support(cell: Cell) -> str:
    if cell.verdict == "conforms":
        told = next((note for note in cell.notes if note.startswith("support: ")), "")
        return "full" if told == "support: full" else "unset" if told.startswith("support: answered") else "refused"
    return next((kind for kind in ("dummy", "fall-through") if cell.observed.text.startswith(kind)), "unclear")


def rules(run: Run) -> list[Rule]:
    """The lint findings of `run` by rule, whose fault and severity: the endpoint's first, the most frequent first."""
    found: dict[tuple[str, str, str], list[Lint]] = {}
    for lint in run.lints:
        found.setdefault((lint.rule, lint.party, lint.severity), []).append(lint)
    return [
        Rule(
            rule=rule,
            party=party,
            severity=severity,
            findings=len(lints),
            operations=sorted({lint.operation for lint in lints}),
            clients=sorted({lint.client for lint in lints}),
            example=lints[0],
        )
        for (rule, party, severity), lints in sorted(
            found.items(), key=lambda item: (item[0][1] != "endpoint", -len(item[1]), item[0])
        )
    ]


def _by_client(cells: list[Cell], clients: list[str]) -> dict[str, Bar]:
    members = tally.grouped(cells, lambda cell: cell.label)
    return {client: bar(members.get(client, [])) for client in clients}


def _hundredths(number: int, cells: list[Cell]) -> float:
    return round(100 * number / len(cells), 2)
