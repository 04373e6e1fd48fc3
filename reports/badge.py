"""A run as a badge: `S3 conformance | 96 % MUST`.

As SVG without fonts or files from elsewhere, and as JSON for the endpoint badge of shields.io, which draws its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from reports import tally
from reports.text import visible, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from harness.record import Run

LABEL = "S3 conformance"

_SHADES = ((100, "#1a7f37"), (90, "#4c7a12"), (70, "#9a6700"), (0, "#b42318"))
_UNKNOWN = "#57606a"
_CHARACTER = 6.3
"""Mean advance in pixels of one character of Verdana at 11 px; `textLength` holds the text to it."""

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">
<title>{title}</title>
<clipPath id="round"><rect width="{width}" height="20" rx="3"/></clipPath>
<g clip-path="url(#round)">
<rect width="{left}" height="20" fill="#24292f"/>
<rect x="{left}" width="{right}" height="20" fill="{shade}"/>
</g>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{label_middle}" y="14" textLength="{label_length}">{label}</text>
<text x="{value_middle}" y="14" textLength="{value_length}">{value}</text>
</g>
</svg>
"""


def write_badge(run: Run, path: Path) -> None:
    """Write the badge of `run` to `path`."""
    value, shade = verdict(run)
    write_atomic(path, _svg(LABEL, value, shade))


def write_shields(run: Run, path: Path) -> None:
    """Write the badge of `run` to `path` as JSON for shields.io (<https://shields.io/badges/endpoint-badge>)."""
    value, shade = verdict(run)
    fields = {"schemaVersion": 1, "label": LABEL, "message": value, "color": shade}
    write_atomic(path, json.dumps(fields, indent=1) + "\n")


def verdict(run: Run) -> tuple[str, str]:
    """The right half of the badge and its colour; a run that is cut short has no percentage."""
    if tally.incomplete(run):
        return "incomplete", _UNKNOWN
    part = tally.share(cell for cell in run.cells if cell.level == "MUST")
    errors = f", {tally.plural(part.errors, 'error')}" if part.errors else ""
    if part.percent is None:
        return f"no MUST judged{errors}", _UNKNOWN
    shade = next(shade for least, shade in _SHADES if part.percent >= least)
    return f"{part.percent} % MUST{errors}", _UNKNOWN if errors else shade


def _svg(label: str, value: str, shade: str) -> str:
    label, value = visible(label), visible(value)
    label_length, value_length = round(len(label) * _CHARACTER), round(len(value) * _CHARACTER)
    left, right = label_length + 12, value_length + 12
    return _SVG.format(
        width=left + right,
        left=left,
        right=right,
        shade=shade,
        label=_escaped(label),
        value=_escaped(value),
        title=_escaped(f"{label}: {value}"),
        label_length=label_length,
        value_length=value_length,
        label_middle=left / 2,
        value_middle=left + right / 2,
    )


def _escaped(text: str) -> str:
    return escape(text, {'"': "&quot;", "'": "&apos;"})
