"""Two runs side by side, for a terminal, as Markdown and as JSON: lists of cells, never a difference of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from harness.compare import LISTS, Change, Comparison, Difference
from harness.record import FAILING, Cell, Confidence, Level, Run, VerdictName
from reports import tally
from reports.markdown import escaped
from reports.text import cleaned, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

CAP = 20
"""Cells that are shown of each list unless all are asked for."""
_MESSAGE = 240
_CHANGE = 160
"""Characters shown of a message, and of each thing that changed."""

ListName = Literal["regressed", "vanished", "new", "fixed", "changed", "old"]
TITLES: dict[ListName, str] = {
    "regressed": "Regressed: passed before, fails now",
    "vanished": "Vanished: judged before, not judged now",
    "new": "New: not judged before",
    "fixed": "Fixed: failed before, passes now",
    "changed": "Changed: another verdict or other evidence, on the same side of the gate",
    "old": "Old: fails as it failed before",
}
_STYLES: dict[ListName, str] = {"regressed": "bold red", "vanished": "bold red", "new": "bold", "fixed": "bold green"}


class Line(NamedTuple):
    """A line of text without anything that a terminal obeys, and its style."""

    text: str
    style: str = ""


# --- words that all formats share ---


def facts(comparison: Comparison) -> Iterator[str]:
    """What a reader must know of the two runs before the cells, a line each; not yet made safe."""
    for name, run in (("OLD", comparison.before), ("NEW", comparison.after)):
        yield f"{name}: {tally.gateway_name(run)}, {run.header.started}, run {run.header.run_id}"
        if reason := tally.incomplete(run):
            yield f"{name} is an {reason}"
        if accepted := run.header.accepted:
            yield f"{name} was accepted on {accepted.at[:10]}: {accepted.reason}"
    for difference in comparison.differences:
        yield f"{difference.what}: {difference.old} → {difference.new}"


def counts(comparison: Comparison) -> str:
    """How long each list is: `1 regressed, 0 vanished, 3 new (1 fails), …`."""
    parts = [f"{len(listed)} {name}" for name, listed in comparison.lists.items()]
    fails = len(comparison.new_failing)
    parts[LISTS.index("new")] += f" ({fails} failing)" if fails else ""
    return ", ".join([*parts, f"{comparison.same} same"])


def verdicts(change: Change) -> str:
    """`conforms → violates`, one word where both are the same; a cell that is not there is `absent`."""
    old, new = (cell.verdict if cell else "absent" for cell in (change.old, change.new))
    return old if old == new else f"{old} → {new}"


def details(change: Change, *, changed: bool) -> str:
    """Why, in one line: what changed, for that list; else what the cell says now, or said."""
    if changed:
        parts = (
            f"{one.what}: {one_line(one.old, _CHANGE)} → {one_line(one.new, _CHANGE)}"
            for one in change.what
            if one.what != "verdict"
        )
        return ("; ".join(parts) + _remark(change.cell)).strip()
    fixed = change.old is not None and change.old.fails and not change.fails
    cell = change.old if fixed and change.old is not None else change.cell
    return message(cell)


def message(cell: Cell) -> str:
    """What a cell says, in one line, with what there is to remark."""
    return (one_line(cell.message or cell.observed.text, _MESSAGE) + _remark(cell)).strip()


def _remark(cell: Cell) -> str:
    """That a failing verdict does not count, or that a second try came to another one."""
    soft = " (does not gate)" if cell.verdict in FAILING and not cell.gates else ""
    return soft + (" (flaky)" if cell.flaky else "")


def gravest(changes: Iterable[Change]) -> list[Change]:
    """The cells of a list, those of the highest level first."""
    return sorted(changes, key=lambda change: tally.LEVELS.index(change.cell.level))


# --- terminal ---


def text(comparison: Comparison, lists: Iterable[str] = LISTS, cap: int | None = CAP) -> Iterator[Line]:
    """The comparison as lines: the runs, how long each list is, then the cells of `lists`, `cap` of each."""
    for fact in facts(comparison):
        yield Line(one_line(fact))
    yield Line("")
    yield Line(counts(comparison), "bold")
    for name in TITLES:
        if name in lists:
            yield from listed(name, getattr(comparison, name), cap)


def listed(name: ListName, changes: Iterable[Change], cap: int | None = CAP, title: str = "") -> Iterator[Line]:
    """One list with its title; nothing where it is empty."""
    rows = [
        _row(change.cell, verdicts(change), details(change, changed=name == "changed")) for change in gravest(changes)
    ]
    yield from _section(title or TITLES[name], _STYLES.get(name, "bold"), rows, cap)


def failing(cells: Iterable[Cell], cap: int | None = CAP) -> Iterator[Line]:
    """The failing cells of a run that is compared with nothing; nothing where there are none."""
    ranked = sorted(cells, key=lambda cell: (tally.LEVELS.index(cell.level), cell.family, cell.scenario, cell.label))
    rows = [_row(cell, cell.verdict, message(cell)) for cell in ranked]
    yield from _section("Failing", "bold red", rows, cap)


def _row(cell: Cell, words: str, why: str) -> str:
    return f"  {one_line(cell.scenario)} {one_line(cell.label)}  {cell.level}  {words}  {why}".rstrip()


def _section(title: str, style: str, rows: list[str], cap: int | None) -> Iterator[Line]:
    if not rows:
        return
    yield Line("")
    yield Line(f"{title} ({tally.plural(len(rows), 'cell')})", style)
    for row in rows[:cap]:
        yield Line(row)
    if cap is not None and len(rows) > cap:
        yield Line(f"  … and {len(rows) - cap} more; `s3conform gate` and `compare` list them with --all")


def show(lines: Iterable[Line], console: Console) -> None:
    """Print lines as they are: no markup, no wrapping; what the encoding of the output lacks becomes `?`."""
    from rich.text import Text  # noqa: PLC0415 - only who prints needs it

    for line in lines:
        plain = line.text.encode(console.encoding, "replace").decode(console.encoding)
        console.print(Text(plain, line.style), soft_wrap=True, highlight=False)


# --- Markdown ---


def markdown(comparison: Comparison, cap: int | None = CAP) -> str:
    """The comparison as GitHub flavoured Markdown, a table for each list that is not empty."""
    blocks = ["## S3 conformance, compared", "\n".join(f"- {escaped(fact)}" for fact in facts(comparison))]
    blocks.append(f"**{counts(comparison)}**")
    for name, title in TITLES.items():
        changes: tuple[Change, ...] = getattr(comparison, name)
        if changes:
            blocks.append(f"### {title}")
            blocks.append(_table(gravest(changes)[:cap], changed=name == "changed"))
        if cap is not None and len(changes) > cap:
            blocks.append(f"… and {len(changes) - cap} more; `s3conform compare` lists them with `--all`")
    return "\n\n".join(blocks) + "\n"


def _table(changes: list[Change], *, changed: bool) -> str:
    rows = [["scenario", "level", "client", "verdict", "what"], ["---"] * 5]
    for change in changes:
        cells = change.key.scenario, change.cell.level, change.key.label, verdicts(change)
        rows.append([*map(escaped, cells), escaped(details(change, changed=changed))])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# --- JSON ---


class RunSide(msgspec.Struct, frozen=True):
    """One of the two runs; `incomplete` says why it is no whole run, or is ""."""

    run_id: str
    started: str
    gateway: str
    gateway_version: str
    endpoint: str
    profile: str
    suite_version: str
    incomplete: str


class CellSide(msgspec.Struct, frozen=True):
    """A cell in one of the runs: its verdict, whether that fails the gate, and what was seen."""

    verdict: VerdictName
    confidence: Confidence
    fails: bool
    flaky: bool
    message: str
    observed: str


class ChangedCell(msgspec.Struct, frozen=True):
    """A cell in both runs, null where it is in one alone; `client` is its column, `what` all that differs."""

    scenario: str
    client: str
    level: Level
    family: str
    title: str
    old: CellSide | None
    new: CellSide | None
    what: list[Differs]


class Differs(msgspec.Struct, frozen=True):
    """One thing that is not as it was.

    Of runs: gateway, endpoint, profile, suite, `client NAME`. Of a cell: verdict, confidence, operation, status, code,
    observed, outcome.
    """

    what: str
    old: str
    new: str


class Document(msgspec.Struct, frozen=True):
    """Two runs compared: every cell of either is in one of the six lists, or is counted in `same`."""

    old_run: RunSide
    new_run: RunSide
    differences: list[Differs]
    regressed: list[ChangedCell]
    vanished: list[ChangedCell]
    new: list[ChangedCell]
    fixed: list[ChangedCell]
    changed: list[ChangedCell]
    old: list[ChangedCell]
    same: int
    schema: Literal[1] = 1


def document(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain data that obeys `json_schema`; every text in it can be shown."""
    cells = {name: [_changed(change) for change in changes] for name, changes in comparison.lists.items()}
    made = Document(
        old_run=_run(comparison.before),
        new_run=_run(comparison.after),
        differences=[_differs(one) for one in comparison.differences],
        regressed=cells["regressed"],
        vanished=cells["vanished"],
        new=cells["new"],
        fixed=cells["fixed"],
        changed=cells["changed"],
        old=cells["old"],
        same=comparison.same,
    )
    data: dict[str, Any] = cleaned(msgspec.to_builtins(made))
    return data


def json(comparison: Comparison) -> str:
    """The comparison as one JSON document, indented."""
    return msgspec.json.format(msgspec.json.encode(document(comparison)), indent=1).decode() + "\n"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `document`."""
    return msgspec.json.schema(Document)


def _run(run: Run) -> RunSide:
    header = run.header
    return RunSide(
        run_id=header.run_id,
        started=header.started,
        gateway=header.gateway.name,
        gateway_version=header.gateway.version,
        endpoint=header.endpoint,
        profile=header.profile,
        suite_version=header.suite_version,
        incomplete=tally.incomplete(run),
    )


def _differs(one: Difference) -> Differs:
    return Differs(one.what, one.old, one.new)


def _changed(change: Change) -> ChangedCell:
    cell = change.cell
    return ChangedCell(
        scenario=change.key.scenario,
        client=change.key.label,
        level=cell.level,
        family=cell.family,
        title=cell.title,
        old=_side(change.old),
        new=_side(change.new),
        what=[_differs(one) for one in change.what],
    )


def _side(cell: Cell | None) -> CellSide | None:
    if cell is None:
        return None
    return CellSide(cell.verdict, cell.confidence, cell.fails, cell.flaky, cell.message, cell.observed.text)
