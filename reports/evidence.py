"""What a reader may want to see behind a cell, packed within a budget: what fails first, what conforms last.

Two things are packed, each as gzip in base64, inflated by the page when it is asked for. The `core` of a gateway is
what the drawer says of each of its cells in words: expected, observed, steps; always whole. `Chunks` hold exchanges
and reproductions, in order of interest, until the budget is spent; each string and exchange stands once in a chunk.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from harness import record
from harness.record import FAILING, Cell, Lint, Run
from harness.wire.exchange import Body, Exchange
from reports import history, tally
from reports.text import cleaned, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from reports.history import Since
    from reports.matrix import Matrix

CHUNK = 1_000_000
"""Bytes of JSON, about, that are packed and unpacked together."""


@dataclass(frozen=True)
class Source:
    """A run, and where its evidence is: in memory, or in the file that it was read from.

    `whole(n)` is the n-th cell with its exchanges, which the cells of `run` may lack; `lines` are the lines of the
    run file that the cells stand in, counted from 1, empty when no file is known.
    """

    run: Run
    whole: Callable[[int], Cell]
    lines: list[int]

    @classmethod
    def of(cls, run: Run) -> Source:
        """A run that is in memory with all it has."""
        return cls(run, run.cells.__getitem__, [])

    @classmethod
    def load(cls, path: Path) -> Source:
        """The run in a file or folder, without the bulk of its evidence, which is read again where it is wanted.

        Raises:
            RunFileError: as `record.read`.
        """
        run = record.read(path)
        run.path = path / "run.jsonl" if path.is_dir() else path
        places = list(_cell_lines(run.path))
        run.cells = [_light(cell) for cell in run.cells]
        decoder = msgspec.json.Decoder(Cell)

        def whole(number: int) -> Cell:
            _, start, length = places[number]
            with run.path.open("rb") as file:
                file.seek(start)
                return decoder.decode(file.read(length))

        return cls(run, whole, [line for line, _, _ in places])


def _cell_lines(path: Path) -> Iterator[tuple[int, int, int]]:
    """Line number, offset and length of every cell of a run file."""
    start = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.endswith(b"\n") and _kind(line) == "cell":
                yield number, start, len(line)
            start += len(line)


class _Kind(msgspec.Struct):
    kind: str


_kinds = msgspec.json.Decoder(_Kind)


def _kind(line: bytes) -> str:
    return "cell" if line.startswith(b'{"kind":"cell"') else _kinds.decode(line).kind


def _light(cell: Cell) -> Cell:
    """A cell without what fills most of a run file."""
    steps = [msgspec.structs.replace(step, headers={}) for step in cell.observed.steps]
    observed = msgspec.structs.replace(cell.observed, steps=steps)
    return msgspec.structs.replace(cell, exchanges=[], repro={}, observed=observed)


def packed(data: Any) -> str:
    """`data` as JSON in gzip in base64; strings are as they are, so clean them before."""
    return _pack(msgspec.json.encode(data))


def _pack(json: bytes) -> str:
    return base64.b64encode(gzip.compress(json, 6, mtime=0)).decode()


class Table:
    """Strings, each once and `visible`, by number."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.size = 0
        self._numbers: dict[str, int] = {}

    def add(self, text: str) -> int:
        """The number of `text`."""
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self.texts)
            shown = visible(text)
            self.texts.append(shown)
            self.size += len(shown)
        return number


def core(matrix: Matrix, gateway: int, sinces: list[Since]) -> str:
    """What the drawer says in words of every cell of a gateway.

    A dict with `strings`, and by `row/column`: `cells` (a list each, see `_words`), `lint`, `since`.
    """
    table = Table()
    of = matrix.gateways[gateway]
    columns = matrix.columns_of(of)
    cells = {
        f"{row}/{column}": _words(place.cell, table, of.source.lines[place.number] if of.source.lines else 0)
        for (row, column), place in sorted(matrix.cells.items())
        if column in columns
    }
    lint = _lint(matrix, gateway, table)
    since = cleaned(history.told(matrix, gateway, sinces))
    return packed({"strings": table.texts, "cells": cells, "lint": lint, "since": since})


def _words(cell: Cell, table: Table, line: int) -> list[Any]:
    """A cell in the order in which the page reads it; texts by their numbers."""
    observed = cell.observed
    steps = [
        [
            table.add(step.operation),
            table.add(step.role),
            int(step.ok),
            step.status,
            table.add(step.code),
            table.add(step.message or step.failure),
            step.exit_code,
        ]
        for step in observed.steps
    ]
    return [
        table.add(cell.expected),
        table.add(observed.text),
        table.add(cell.message),
        table.add(cell.profile_entry or ""),
        table.add(cell.passes_with),
        [table.add(note) for note in cell.notes],
        round(cell.seconds, 3),
        cell.requests,
        steps,
        observed.failing,
        table.add(cell.client_version),
        int(cell.flaky),
        line,
    ]


def _lint(matrix: Matrix, gateway: int, table: Table) -> dict[str, list[list[Any]]]:
    """The findings about the exchanges of each cell."""
    of = matrix.gateways[gateway]
    rows = {row.scenario: number for number, row in enumerate(matrix.rows)}
    found: dict[str, list[list[Any]]] = {}
    for lint in of.run.lints:
        if lint.scenario in rows and lint.client in of.clients:
            place = f"{rows[lint.scenario]}/{of.first + of.clients.index(lint.client)}"
            texts = (lint.rule, lint.operation, lint.message, lint.severity, lint.party)
            found.setdefault(place, []).append([table.add(text) for text in texts])
    return found


def examples(lints: Iterable[Lint]) -> str:
    """An exchange for each of some findings, packed as chunks are."""
    chunk = _Chunk()
    for lint in lints:
        chunk.add(-1, [lint.exchange], {})
    return _pack(chunk.json())


@dataclass(frozen=True)
class Chunks:
    """Packed evidence: `packed` the chunks, `cells` which cells are in each (row times columns plus column), in order.

    `left_out` counts the cells that have evidence for which there was no room.
    """

    packed: list[str]
    cells: list[list[int]]
    left_out: int


def chunks(matrix: Matrix, budget: int) -> Chunks:
    """The evidence of as many cells as fit in `budget` bytes, the most interesting first."""
    order = _by_interest(matrix)
    ready: list[str] = []
    inside: list[list[int]] = []
    chunk, kept = _Chunk(), 0

    def close() -> bool:
        """Whether the chunk still fitted."""
        nonlocal chunk, budget, kept
        text = _pack(chunk.json())
        if len(text) > budget:
            return False
        budget -= len(text)
        kept += len(chunk.cells)
        ready.append(text)
        inside.append(chunk.cells)
        chunk = _Chunk()
        return True

    fits = budget > 0
    for row, column in order:
        if not fits:
            break
        place = matrix.cells[row, column]
        cell = matrix.columns[column].gateway.source.whole(place.number)
        if cell.exchanges or cell.repro:
            chunk.add(row * len(matrix.columns) + column, cell.exchanges, cell.repro)
        if chunk.size > CHUNK:
            fits = close()
    if fits and chunk.cells:
        close()
    requested = sum(place.cell.requests > 0 for place in matrix.cells.values())
    return Chunks(ready, inside, max(0, requested - kept))


def _by_interest(matrix: Matrix) -> list[tuple[int, int]]:
    """The places of all cells: failing ones first, by level; then what differs, what is refused, what conforms.

    After what fails stands one conforming cell of the same scenario, with which it can be compared.
    """
    wrong = {row for (row, _), place in matrix.cells.items() if place.cell.fails}
    right: dict[int, tuple[int, int]] = {}
    for at in sorted(matrix.cells):
        if at[0] in wrong and matrix.cells[at].cell.verdict == "conforms":
            right.setdefault(at[0], at)

    def key(at: tuple[int, int]) -> tuple[int, int, int, int]:
        cell = matrix.cells[at].cell
        tier = _COMPARED if right.get(at[0]) == at else _tier(cell)
        return tier, tally.LEVELS.index(cell.level), *at

    return sorted(matrix.cells, key=key)


_COMPARED = 1


def _tier(cell: Cell) -> int:
    if cell.verdict in FAILING:
        return 0 if cell.gates else 2
    return {"deviates": 3, "unsupported": 4, "conforms": 5}.get(cell.verdict, 6)


class _Chunk:
    """Cells with their exchanges, whose texts and repetitions stand once.

    As JSON: `strings`, `exchanges` (lists, in the order of `_exchange`), `cells` (their exchanges by number, and their
    reproductions as pairs of strings).
    """

    def __init__(self) -> None:
        self.cells: list[int] = []
        self._table = Table()
        self._exchanges: dict[tuple[Any, ...], int] = {}
        self._content: list[Any] = []

    @property
    def size(self) -> int:
        """Bytes of JSON, roughly."""
        return self._table.size + 60 * len(self._exchanges)

    def add(self, number: int, exchanges: list[Exchange], repro: dict[str, str]) -> None:
        """One more cell."""
        self.cells.append(number)
        kept = [self._number(exchange) for exchange in exchanges]
        texts = [(self._table.add(name), self._table.add(text)) for name, text in repro.items()]
        self._content.append((kept, texts))

    def _number(self, exchange: Exchange) -> int:
        flat = self._exchange(exchange)
        return self._exchanges.setdefault(flat, len(self._exchanges))

    def _exchange(self, exchange: Exchange) -> tuple[Any, ...]:
        add = self._table.add
        return (
            add(exchange.method),
            add(exchange.url),
            tuple(add(f"{name}: {value}") for name, value in exchange.request_headers),
            *self._body(exchange.request_body),
            exchange.status,
            add(exchange.reason),
            tuple(add(f"{name}: {value}") for name, value in exchange.response_headers),
            *self._body(exchange.response_body),
            add(exchange.error),
            round(exchange.seconds * 1000),
        )

    def _body(self, body: Body) -> tuple[int, int, int]:
        return self._table.add(body.text), body.size, int(body.truncated)

    def json(self) -> bytes:
        """The chunk as the page reads it."""
        data = {"strings": self._table.texts, "exchanges": list(self._exchanges), "cells": self._content}
        return msgspec.json.encode(data)
