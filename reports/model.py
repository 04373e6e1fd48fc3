"""What the page's script knows of a matrix: names, places and letters, as one JSON document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from reports import families, history, matrix, tally
from reports.text import cleaned

if TYPE_CHECKING:
    from pathlib import Path

    from harness.record import ScenarioText
    from reports.history import Since
    from reports.matrix import Matrix

_FOLD = re.compile(r"(?<=[^\n])\n(?=[^\s*-])")
"""An end of line within a paragraph; lines that begin with a space or a sign of a list stay."""


def model(of: Matrix, sinces: list[Since]) -> dict[str, Any]:
    """The document, to be put into the page by `script_json`.

    `rows` are (scenario, number of its level, numbers of its operations, a letter a column); `families` are (name,
    words, first row, rows); `since` are (key, title); `marks` is that of `reports.history`.
    """
    operations = sorted({operation for row in of.rows for operation in row.operations})
    numbers = {operation: number for number, operation in enumerate(operations)}
    return {
        "gateways": [
            {
                "key": gateway.key,
                "name": gateway.name,
                "version": gateway.version,
                "first": gateway.first,
                "clients": gateway.clients,
                "file": _file(gateway.run.path),
                "trimmed": gateway.run.header.trimmed,
            }
            for gateway in of.gateways
        ],
        "verdicts": {letter: [verdict, tally.SYMBOLS[verdict]] for verdict, letter in matrix.CODES.items()},
        "failing": matrix.FAILING_CODES,
        "levels": list(tally.LEVELS),
        "operations": operations,
        "families": [[name, families.words(name), rows[0], len(rows)] for name, rows in of.families.items()],
        "rows": [
            [row.scenario, tally.LEVELS.index(row.level), [numbers[one] for one in row.operations], of.codes(number)]
            for number, row in enumerate(of.rows)
        ],
        "since": [[since.key, f"{since.gateway.name} {since.title}"] for since in sinces],
        "marks": history.marks(of, sinces),
    }


def _file(path: Path) -> str:
    """A run file as readers of the page may find it: where it lies on somebody's machine is nothing to publish."""
    return path.name if path.is_absolute() else str(path)


def texts(scenarios: dict[str, ScenarioText]) -> dict[str, Any]:
    """The texts of scenarios; which defects one catches by number, since few defects are caught by many."""
    names = sorted({name for text in scenarios.values() for name in text.catches})
    numbers = {name: number for number, name in enumerate(names)}
    known: dict[str, Any] = cleaned(
        {
            "defects": names,
            "texts": {
                name: [_FOLD.sub(" ", text.text), text.source, [numbers[one] for one in text.catches]]
                for name, text in scenarios.items()
            },
        }
    )
    return known


def script_json(data: Any) -> str:
    """JSON that can stand in a script element, cleaned: nothing in it can end the element."""
    return msgspec.json.encode(cleaned(msgspec.to_builtins(data))).decode().replace("<", "\\u003c")
