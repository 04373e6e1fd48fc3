"""A run file made small enough to be kept beside the code: every verdict stays, evidence goes step by step.

What goes first is what a reader of a published run misses least. A file that is under the limit as it is loses nothing
but the paths of programs on the machine that ran them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import RunFileError, UsageError
from harness.record import FAILING, Cell, Footer, Lint, Run, anonymous
from harness.wire.exchange import Body, Exchange
from reports import tally
from reports.text import write_atomic

CAP = 2 * 1024 * 1024
"""Bytes of a published run file."""

_EXCERPT = 600
"""Characters of a body that are kept when bodies are cut."""

_encoder = msgspec.json.Encoder()

Cut = Callable[[Cell], Cell]


def _passes(cell: Cell) -> bool:
    return cell.verdict not in FAILING


def _evidence_of_passes(cell: Cell) -> Cell:
    return msgspec.structs.replace(cell, exchanges=[], repro={}) if _passes(cell) else cell


def _steps_of_passes(cell: Cell) -> Cell:
    if not _passes(cell):
        return cell
    return msgspec.structs.replace(cell, observed=msgspec.structs.replace(cell.observed, steps=[], failing=-1))


def _long_bodies(cell: Cell) -> Cell:
    return msgspec.structs.replace(cell, exchanges=[_short(exchange) for exchange in cell.exchanges])


def _all_but_last(cell: Cell) -> Cell:
    return msgspec.structs.replace(cell, exchanges=cell.exchanges[-1:])


def _headers_of_steps(cell: Cell) -> Cell:
    steps = [msgspec.structs.replace(step, headers={}) for step in cell.observed.steps]
    return msgspec.structs.replace(cell, observed=msgspec.structs.replace(cell.observed, steps=steps))


def _beside_must(cell: Cell) -> Cell:
    return cell if cell.level == "MUST" else msgspec.structs.replace(cell, exchanges=[], repro={})


def _exchanges(cell: Cell) -> Cell:
    return msgspec.structs.replace(cell, exchanges=[], repro={})


CUTS: dict[str, Cut] = {
    "exchanges and reproductions of cells that pass": _evidence_of_passes,
    f"bodies beyond {_EXCERPT} characters": _long_bodies,
    "steps of cells that pass": _steps_of_passes,
    "headers of steps": _headers_of_steps,
    "all exchanges of a cell but the last": _all_but_last,
    "exchanges of cells that are not MUST": _beside_must,
    "all exchanges": _exchanges,
}
"""What is left out, in this order, until a run fits."""


def trimmed(run: Run, cap: int = CAP) -> bytes:
    """The run file of `run` in at most `cap` bytes.

    Raises:
        RunFileError: the run is not complete, or too large without any evidence.
    """
    if reason := tally.incomplete(run):
        raise RunFileError(f"{run.path}: {reason}; only complete runs are published")
    run = msgspec.structs.replace(run, header=anonymous(run.header), lints=_examples(run.lints))
    data = _encoded(run)
    left: list[str] = []
    for words, cut in CUTS.items():
        if len(data) <= cap:
            return data
        left.append(words)
        run = msgspec.structs.replace(
            run,
            header=msgspec.structs.replace(run.header, trimmed=f"left out: {'; '.join(left)}"),
            cells=[cut(cell) for cell in run.cells],
        )
        data = _encoded(run)
    if len(data) > cap:
        raise RunFileError(f"{run.path}: {len(data)} bytes without evidence; a published run has at most {cap}")
    return data


def name(run: Run) -> str:
    """The file name of a published run: gateway, version and day, as `moto_server-5.1.2-2026-11-21.jsonl`.

    Raises:
        UsageError: the run does not say what it is of, or in which version.
    """
    gateway = run.header.gateway
    if "unknown" in (gateway.name, gateway.version):
        raise UsageError(f"{run.path} does not say which gateway it is of: run with --gateway and --gateway-version")
    return f"{slug(gateway.name)}-{slug(gateway.version)}-{run.header.started[:10]}.jsonl"


def slug(text: str) -> str:
    """`text` as part of a file name or an address: lower case letters, digits, dots and hyphens."""
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-.") or "unnamed"


def publish(run: Run, folder: Path) -> Path:
    """Store `run` trimmed in `folder`; the path of its file.

    Raises:
        RunFileError, UsageError: it cannot be published, see `trimmed` and `name`.
        OSError: the folder cannot be written.
    """
    path = folder / name(run)
    write_atomic(path, trimmed(run).decode())
    return path


def _examples(lints: list[Lint]) -> list[Lint]:
    """All findings, with the exchange of the first of each rule and party alone."""
    seen: set[tuple[str, str]] = set()
    found = []
    for lint in lints:
        key = (lint.rule, lint.party)
        empty = Exchange(lint.exchange.method, "", [])
        found.append(msgspec.structs.replace(lint, exchange=empty) if key in seen else lint)
        seen.add(key)
    return found


def _short(exchange: Exchange) -> Exchange:
    bodies = {name: _cut(getattr(exchange, name)) for name in ("request_body", "response_body")}
    return msgspec.structs.replace(exchange, **bodies)


def _cut(body: Body) -> Body:
    if len(body.text) <= _EXCERPT:
        return body
    return Body(size=body.size, text=body.text[:_EXCERPT], truncated=True)


def _encoded(run: Run) -> bytes:
    footer: list[Footer] = [run.footer] if run.footer else []
    lines: list[Any] = [run.header, *run.cells, *run.lints, *([run.advice] if run.advice else []), *footer]
    return b"".join(_encoder.encode(line) + b"\n" for line in lines)
