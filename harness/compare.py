"""Two runs side by side: every cell of either is in exactly one list. Pure; `reports.comparison` shows it.

    regressed   passed before, fails now
    fixed       failed before, passes now
    new         not judged before: not in the earlier run, or inapplicable there
    vanished    judged before, but not now: not in the later run, or inapplicable there
    changed     on the same side of the gate, but another verdict, or other evidence for the same
    old         fails as it failed before
    same        passes as it passed before: a number only

To fail is `Cell.fails`. Lists, never the difference of two counts: a fixed cell does not make up for a regressed one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

from harness.record import Cell, ClientInfo, Level, Observation, Run

LEVELS: tuple[Level, ...] = ("MUST", "SHOULD", "EXTENDED")
"""From the highest to the lowest."""


class Key(NamedTuple):
    """What makes a cell of one run the same as one of another: scenario id, and label of the column."""

    scenario: str
    label: str


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was, of a cell or of the runs themselves: `status`, `200`, `501`.

    `old` and `new` may be text of the endpoint.
    """

    what: str
    old: str
    new: str


@dataclass(frozen=True)
class Change:
    """One cell in both runs; at least one of `old` and `new` is there.

    `what` is what differs: verdict, confidence, then operation, status and code of the call that it turns on, and what
    was observed (or, where that is the same, its outcome); nothing for a cell that is as it was.
    """

    key: Key
    old: Cell | None
    new: Cell | None
    what: tuple[Difference, ...] = ()

    @property
    def cell(self) -> Cell:
        """The cell as it is now, or else as it was."""
        return cast(Cell, self.new or self.old)

    @property
    def fails(self) -> bool:
        """Whether it fails now."""
        return self.new is not None and self.new.fails


@dataclass(frozen=True)
class Comparison:
    """All cells of two runs, each in one list, in order of family, scenario and label.

    `differences` are those of the runs themselves, which may explain those of the cells.
    """

    before: Run
    after: Run
    regressed: tuple[Change, ...]
    fixed: tuple[Change, ...]
    new: tuple[Change, ...]
    vanished: tuple[Change, ...]
    changed: tuple[Change, ...]
    old: tuple[Change, ...]
    same: int
    differences: tuple[Difference, ...]

    @property
    def lists(self) -> dict[str, tuple[Change, ...]]:
        """The lists by name, in the order in which a reader wants them."""
        return {name: getattr(self, name) for name in LISTS}

    @property
    def new_failing(self) -> tuple[Change, ...]:
        """Those of `new` that fail."""
        return tuple(change for change in self.new if change.fails)


LISTS = ("regressed", "vanished", "new", "fixed", "changed", "old")


def compare(before: Run, after: Run, level: Level = "EXTENDED") -> Comparison:
    """What became of each cell, of this level or a higher one.

    The level of a cell is what the later run says, for one that vanished what the earlier one said.
    """
    found: dict[str, list[Change]] = {name: [] for name in (*LISTS, "same")}
    for change in _changes(_by_key(before.cells), _by_key(after.cells)):
        if reaches(change.cell, level):
            found[_place(change)].append(change)
    return Comparison(
        before,
        after,
        **{name: tuple(found[name]) for name in LISTS},
        same=len(found["same"]),
        differences=tuple(_differences(before, after)),
    )


def reaches(cell: Cell, level: Level) -> bool:
    """Whether a cell is of this level or a higher one."""
    return LEVELS.index(cell.level) <= LEVELS.index(level)


def _by_key(cells: Iterable[Cell]) -> dict[Key, Cell]:
    """Cells by key; of several for one, one that fails, as the gate sees it."""
    found: dict[Key, Cell] = {}
    for cell in cells:
        key = Key(cell.scenario, cell.label)
        if key not in found or (cell.fails and not found[key].fails):
            found[key] = cell
    return found


def _changes(old: dict[Key, Cell], new: dict[Key, Cell]) -> Iterator[Change]:
    def place(key: Key) -> tuple[str, Key]:
        return (new.get(key) or old[key]).family, key

    for key in sorted({**old, **new}, key=place):
        yield Change(key, old.get(key), new.get(key), tuple(_what(old.get(key), new.get(key))))


def _place(change: Change) -> str:
    """The list that a cell belongs to."""
    before, after = _judged(change.old), _judged(change.new)
    if before != after:
        return "new" if after else "vanished"
    old, new = change.old, change.new
    if old is None or new is None:  # inapplicable in the one run, absent from the other
        return "new" if old is None else "vanished"
    if old.fails != new.fails:
        return "regressed" if new.fails else "fixed"
    if change.what:
        return "changed"
    return "old" if new.fails else "same"


def _judged(cell: Cell | None) -> bool:
    return cell is not None and cell.verdict != "inapplicable"


def _what(old: Cell | None, new: Cell | None) -> Iterator[Difference]:
    """What differs between a cell before and now."""
    if old is None or new is None:
        return
    if old.verdict != new.verdict:
        yield Difference("verdict", old.verdict, new.verdict)
    if old.gates != new.gates:
        yield Difference("confidence", old.confidence, new.confidence)
    was, now = old.observed, new.observed
    for name, before, after in zip(("operation", "status", "code"), _call(was), _call(now), strict=False):
        if before != after:
            yield Difference(name, before or "none", after or "none")
    if normal(was.text) != normal(now.text):
        yield Difference("observed", _told(was), _told(now))
    elif was.outcome != now.outcome:
        yield Difference("outcome", was.outcome, now.outcome)


def _told(observed: Observation) -> str:
    return observed.text or ("as expected" if observed.outcome == "match" else observed.outcome)


def _call(observed: Observation) -> tuple[str, ...]:
    """Operation, status and code of the call that an observation turns on; empty where there is none.

    A run that was trimmed may not have kept it. The text tells of it too, so that nothing is missed.
    """
    if not 0 <= observed.failing < len(observed.steps):
        return ()
    step = observed.steps[observed.failing]
    return step.operation, "" if step.status is None else str(step.status), step.code


# --- evidence without what is another in every run ---

_DIGEST = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[\w+]{22}==|[\w+]{27}=|[\w+]{43}=")
"""MD5, SHA-1 and SHA-256, in hexadecimal and in base64: they tell contents, which are the same in every run."""

_TOKEN = re.compile(r"(?<![\w/+~-])[\w~-]{20,}={0,2}(?![\w/+~])")


def _identifier(match: re.Match[str]) -> str:
    """`<id>` for a long token of digits and letters of both cases, as keys and names of headers are not."""
    token = match[0]
    if _DIGEST.fullmatch(token):
        return token
    digits = sum(char.isdigit() for char in token)
    mixed = token.lower() != token and token.upper() != token
    return "<id>" if digits > 1 and mixed else token


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r" \(example: .*\)$", re.DOTALL), ""),  # generated from the run's seed
    (re.compile(r"\b(gen-\d{3}-[\w-]{1,40}-\d)/\d+/"), r"\1/<number>/"),
    (re.compile(r"\bs3conform-\d{12}-[0-9a-f]{6}(?:[\w.-]*\w)?"), "<bucket>"),
    (re.compile(r"\b(?:s3conform-|tmp)[a-z0-9_]{8}(?=/)"), "<folder>"),
    (re.compile(r"\bdatetime\.datetime\([\w, =]{1,80}(?:\(\))?\)"), "<time>"),
    (re.compile(r"\b\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d:?\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"), "<time>"),
    (re.compile(r"\b1\d{9}(?:\d{3})?(?:\.\d+)?\b"), "<time>"),  # Unix time, seconds or milliseconds
    (re.compile(r"\b\d+\.\d+ (?=m?s\b)"), "<duration> "),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{3,4}(?:-[0-9a-f]{4}){0,2}(?:-[0-9a-f]{12})?\b…?"), "<id>"),
    (re.compile(r"(?<=['\"] )[\w~.+/=-]{12}(?:…|(?= latest| marker|, '|\]))"), "<id>"),  # cut to twelve characters
    (re.compile(r"\b(?=[A-F]*\d)(?=\d*[A-F])[0-9A-F]{16}\b"), "<id>"),
    (_TOKEN, _identifier),
    (re.compile(r"(?<=[\w\]]):\d{4,5}\b"), ":<port>"),
)
"""What is replaced, in this order: measured as what differs between two runs of one gateway."""


def normal(text: str) -> str:
    """A message without ids, times, durations, ports, and the names of buckets and folders that a run makes up."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


# --- the runs themselves ---


def _differences(before: Run, after: Run) -> Iterator[Difference]:
    """What else is different, and may be why cells are."""
    old, new = before.header, after.header
    for what, was, now in (
        ("gateway", f"{old.gateway.name} {old.gateway.version}", f"{new.gateway.name} {new.gateway.version}"),
        ("endpoint", old.endpoint, new.endpoint),
        ("profile", old.profile, new.profile),
        ("suite", old.suite_version, new.suite_version),
    ):
        if was != now:
            yield Difference(what, was, now)
    clients = [{info.label: _client(info) for info in run.header.clients} for run in (before, after)]
    for label in sorted({**clients[0], **clients[1]}):
        was, now = (known.get(label, "not in the run") for known in clients)
        if was != now:
            yield Difference(f"client {label}", was, now)


def _client(info: ClientInfo) -> str:
    """A client's version and way of running, or why it is missing."""
    if info.missing:
        return f"missing: {info.missing}"
    return " ".join(part for part in (info.version, info.runner, info.image, info.scheme) if part)
