"""Runs as one HTML file that opens from disk, loads nothing, and trusts nothing that it shows.

The tables are plain HTML and readable without JavaScript. The evidence behind the cells (exchanges, steps,
reproductions) is stored once a run as gzip in base64, inflated when the first panel is opened: about a sixth
of the same as JSON, since exchanges repeat themselves, and its alphabet holds no character that could end a
script element. The script puts it on the page as text nodes only.

What endpoints and clients sent passes `visible`, then Jinja2's autoescape, both by construction for every
expression of the template. Should that ever fail, the content security policy allows no script, style, image
or connection but the one inline script and style whose hashes it names.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.record import VERDICTS, Run
from reports import tally, view
from reports.text import cleaned, visible, write_atomic

if TYPE_CHECKING:
    from pathlib import Path


def write_html(runs: list[Run], path: Path) -> None:
    """Write `runs` to `path`, each with its own overview and matrix, one after another."""
    write_atomic(path, render(runs))


def render(runs: list[Run]) -> str:
    """The whole HTML document for `runs`."""
    env = _environment()
    style, script = _source(env, "report.css"), _source(env, "report.js")
    pages = [view.page(run, number) for number, run in enumerate(runs)]
    return env.get_template("report.html.jinja").render(
        pages=pages,
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        policy=_policy(style, script),
        evidence=[_evidence(run) for run in runs],
        symbols=tally.SYMBOLS,
        meanings=tally.MEANINGS,
        verdicts=VERDICTS,
        levels=tally.LEVELS,
        families=sorted({cell.family for run in runs for cell in run.cells}),
        clients=list(dict.fromkeys(name for run in runs for name in tally.client_names(run))),
        share_words=tally.share_words,
        plural=tally.plural,
    )


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    """What an expression of the template puts out: `visible` text, which autoescape then escapes."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _source(env: Environment, name: str) -> str:
    """A style sheet or script of the package, fit to stand inline: the element ends where it should."""
    assert env.loader is not None  # noqa: S101 - set by _environment
    text = env.loader.get_source(env, name)[0]
    if "</" in text or "<!--" in text:
        raise ValueError(f"{name} holds a sequence that would end its element early")
    return text


def _policy(style: str, script: str) -> str:
    """A content security policy that lets in the one style and the one script, by hash, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _evidence(run: Run) -> Markup:
    """All that the panels show of `run`, as base64 of gzip of JSON."""
    data = {
        "scenarios": run.header.scenarios,
        "cells": run.cells,
        "lints": [
            {"rule": rule.rule, "message": rule.example.message, "example": rule.example} for rule in view.rules(run)
        ],
    }
    json = msgspec.json.encode(cleaned(msgspec.to_builtins(data)))
    packed = base64.b64encode(gzip.compress(json, 9, mtime=0)).decode()
    return Markup(packed)  # noqa: S704 - base64 has no character that HTML reads
