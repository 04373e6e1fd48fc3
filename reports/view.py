"""A run as the HTML template wants it: plain records, counted and ordered, with nothing left to compute."""

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
class Slot:
    """A cell in its place in the matrix; `number` is its index in the run file, and in the evidence."""

    number: int
    cell: Cell


@dataclass(frozen=True)
class Row:
    """A scenario: what the matrix says of it, and its cells by client (none: not run)."""

    scenario: str
    title: str
    level: Level
    confidence: str
    operations: list[str]
    slots: dict[str, list[Slot]]


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
    """What the endpoint makes of some operations: `support` in a word, in words, and their cells by operation."""

    support: str
    words: str
    slots: list[Slot]


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
    """One run of the report."""

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
    groups: list[tuple[str, list[Row]]]
    failing: list[Slot]
    not_gating: int
    flaky: int
    offers: list[Offer]
    sentences: list[tuple[str, list[Sentence]]]
    rules: list[Rule]
    settings: list[Settings]
    texts: dict[str, str]


def page(run: Run, number: int) -> Page:
    """`run` as the section `number` of a report."""
    numbers = {id(cell): index for index, cell in enumerate(run.cells)}
    cells = tally.ordered(run)
    clients = tally.client_names(run)
    families = tally.grouped(cells, lambda cell: cell.family)
    levels = tally.grouped(cells, lambda cell: cell.level)
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
        groups=[(name, _rows(members, clients, numbers)) for name, members in families.items()],
        failing=[Slot(numbers[id(cell)], cell) for cell in tally.failing(run)],
        not_gating=tally.not_gating(run),
        flaky=sum(cell.flaky for cell in cells),
        offers=offers(run),
        sentences=list(tally.grouped(claims.sentences(run), lambda one: one.words).items()),
        rules=rules(run),
        settings=advised(run.advice),
        texts=run.advice.texts if run.advice else {},
    )


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
    numbers = {id(cell): index for index, cell in enumerate(run.cells)}
    found: dict[str, list[Slot]] = {}
    for cell in run.cells:
        if cell.family == "OPS" and cell.verdict in ("conforms", "violates"):
            found.setdefault(_support(cell), []).append(Slot(numbers[id(cell)], cell))
    return [
        Offer(kind, words, sorted(found[kind], key=lambda slot: slot.cell.operations))
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


def _rows(cells: list[Cell], clients: list[str], numbers: dict[int, int]) -> list[Row]:
    return [
        Row(
            scenario=scenario,
            title=members[0].title,
            level=members[0].level,
            confidence=members[0].confidence,
            operations=members[0].operations,
            slots={
                client: [Slot(numbers[id(cell)], cell) for cell in members if cell.label == client]
                for client in clients
            },
        )
        for scenario, members in tally.grouped(cells, lambda cell: cell.scenario).items()
    ]


def _hundredths(number: int, cells: list[Cell]) -> float:
    return round(100 * number / len(cells), 2)
