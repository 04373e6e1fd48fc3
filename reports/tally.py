"""What every report counts: shares by level, cells by client and family, what fails, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from harness.record import FAILING, Cell, Level, Run, VerdictName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

LEVELS: tuple[Level, ...] = ("MUST", "SHOULD", "EXTENDED")

LEFTOVERS = 5
"""Things left behind that are named one by one."""

SYMBOLS: dict[VerdictName, str] = {
    "conforms": "✓",
    "deviates": "≈",
    "unsupported": "○",
    "violates": "✗",
    "contradicts": "≠",
    "blocked": "⊘",
    "error": "!",
    "inapplicable": "·",
}
"""One sign a verdict, each of another shape, so that no reader depends on colour."""

MEANINGS: dict[VerdictName, str] = {
    "conforms": "does what S3 does",
    "deviates": "differs exactly as documented",
    "unsupported": "documented as not offered, and refused cleanly",
    "violates": "differs from S3, undocumented",
    "contradicts": "the documentation is wrong",
    "blocked": "a prerequisite failed",
    "error": "not judged: the harness, a client or the network failed",
    "inapplicable": "this client cannot express it",
}


class Share(NamedTuple):
    """How many of the gating cells that could be judged conform or deviate as documented.

    Lines without a record of real S3 behaviour are left out; so are `inapplicable` and `error` cells, and the
    latter are counted in `errors` so that no report can keep silent about them. `blocked` counts as judged.
    """

    good: int
    judged: int
    errors: int

    @property
    def percent(self) -> int | None:
        """Whole percent, rounded down so that only perfection reads 100; None where nothing was judged."""
        return self.good * 100 // self.judged if self.judged else None


def share(cells: Iterable[Cell]) -> Share:
    """The share of `cells` that conform, as defined by `Share`."""
    verdicts = [cell.verdict for cell in cells if cell.gates]
    good = sum(verdict in {"conforms", "deviates"} for verdict in verdicts)
    judged = sum(verdict not in {"inapplicable", "error"} for verdict in verdicts)
    return Share(good, judged, verdicts.count("error"))


def grouped(things: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """`things` by `key`, the keys in order of first appearance."""
    groups: dict[str, list[T]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return groups


def client_names(run: Run) -> list[str]:
    """Names of the clients: as the header lists them, then those that only cells name."""
    listed = [client.label for client in run.header.clients]
    return list(dict.fromkeys([*listed, *sorted({cell.label for cell in run.cells})]))


def ordered(run: Run) -> list[Cell]:
    """All cells by family, scenario and client; a run file holds them in the order in which they finished."""
    rank = {name: number for number, name in enumerate(client_names(run))}
    return sorted(run.cells, key=lambda cell: (cell.family, cell.scenario, rank[cell.label]))


def failing(run: Run) -> list[Cell]:
    """The cells that make a gate fail: the gravest level first, then in the order of `ordered`."""
    return sorted((cell for cell in ordered(run) if cell.fails), key=lambda cell: LEVELS.index(cell.level))


def not_gating(run: Run) -> int:
    """How many cells have a failing verdict that does not count, for want of a record of real S3."""
    return sum(cell.verdict in FAILING and not cell.gates for cell in run.cells)


def incomplete(run: Run) -> str:
    """Why `run` is no basis for a judgement, as one line; empty when it is complete."""
    if run.complete:
        return ""
    line = f"incomplete run: {len(run.cells)} of {run.header.planned} cells"
    if run.footer is None:
        return f"{line} (the run was killed: its file has no footer)"
    return f"{line} (interrupted: {run.footer.interrupted})" if run.footer.interrupted else line


def gateway_name(run: Run) -> str:
    """Name and version of the gateway as far as they are known, or else the endpoint."""
    gateway = run.header.gateway
    if gateway.name == "unknown":
        return run.header.endpoint
    return gateway.name if gateway.version == "unknown" else f"{gateway.name} {gateway.version}"


def share_words(part: Share) -> str:
    """A share as words: `96 % (212 of 221 judged)`, with the errors beside it."""
    words = "nothing judged" if part.percent is None else f"{part.percent} % ({part.good} of {part.judged} judged)"
    return f"{words}, {plural(part.errors, 'error')}" if part.errors else words


def remarks(run: Run) -> list[str]:
    """What a reader must know beside the verdicts, one line each: soft, flaky, lint, missing, left behind."""
    lines = []
    if soft := not_gating(run):
        lines.append(f"{plural(soft, 'failing verdict')} on lines without a record of real S3: never gating")
    if flaky := sum(cell.flaky for cell in run.cells):
        lines.append(f"{plural(flaky, 'flaky cell')}: a second try came to another verdict")
    for party in ("endpoint", "client", "harness"):
        rules = sorted({lint.rule for lint in run.lints if lint.party == party})
        if rules:
            number = sum(lint.party == party for lint in run.lints)
            what = "about its answers" if party == "endpoint" else f"about what the {party} sent"
            lines.append(f"{plural(number, 'lint finding')} {what}: {', '.join(rules)}")
    lines += [f"client {client.label} missing: {client.missing}" for client in run.header.clients if client.missing]
    leftovers = run.footer.leftovers if run.footer else []
    lines += [f"left behind: {line}" for line in leftovers[:LEFTOVERS]]
    if len(leftovers) > LEFTOVERS:
        lines.append(f"… and {len(leftovers) - LEFTOVERS} more left behind; the run file's last line names them")
    return lines


def plural(number: int, noun: str) -> str:
    """`1 cell`, `2 cells`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
