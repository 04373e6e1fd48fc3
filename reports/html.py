"""Runs as one HTML file that opens from disk, loads nothing, and trusts nothing that it shows.

The tables are plain HTML and readable without JavaScript. What stands behind the cells is packed (`reports.evidence`)
and inflated when it is asked for; base64 holds no character that could end a script element. The script puts it on
the page as text nodes only.

What endpoints and clients sent passes `visible`, then Jinja2's autoescape, both by construction for every
expression of the template. Should that ever fail, the content security policy allows no script, style, image
or connection but the one inline script and style whose hashes it names.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.record import VERDICTS, Run
from reports import claims, evidence, families, history, matrix, model, overview, plots, tally, view
from reports.text import one_line, visible, write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reports.evidence import Source
    from reports.matrix import Matrix

STYLES = ("base", "overview", "matrix", "pages", "drawer")
SCRIPTS = ("dom", "state", "evidence", "matrix", "exchange", "difference", "drawer", "keys", "pages", "main")
"""Parts of the style and of the script, in this order, below templates/report/."""

FILE = 5_700_000
"""Bytes that a report may come to, but for evidence of which the core alone is more."""
EVIDENCE = 5_000_000
"""Bytes of it that exchanges and reproductions may take."""

BLOCK = 10
"""Rows that are laid out together: as many as a browser need not do when only some of them are seen."""

WORDY, ROOMY = 4, 10
"""Columns up to which cells show words, and up to which names of clients lie flat."""


def write_html(runs: list[Run], path: Path) -> None:
    """Write the matrix of `runs` to `path`."""
    write_atomic(path, render(runs))


def write_matrix(sources: Sequence[Source], path: Path, *, each: bool = False, baseline: Source | None = None) -> None:
    """Write the matrix of runs, which may be read again for their evidence, to `path`; options as `matrix.build`."""
    write_atomic(path, render_matrix(matrix.build(sources, each=each, baseline=baseline)))


def render(runs: list[Run]) -> str:
    """The whole HTML document for `runs`."""
    return render_matrix(matrix.build([evidence.Source.of(run) for run in runs]))


def render_matrix(of: Matrix, file: int = FILE, budget: int = EVIDENCE) -> str:
    """The whole HTML document; `file` and `budget` bound it and its evidence, in bytes."""
    env = environment()
    sinces = history.histories(of)
    style = _joined(env, STYLES, "css") + _columns(of)
    script = '"use strict";\n(() => {\n' + _joined(env, SCRIPTS, "js") + "\n})();"
    pages = [view.page(gateway.run, number) for number, gateway in enumerate(of.gateways)]
    page = env.get_template("report.html.jinja").render(
        matrix=of,
        pages=list(zip(of.gateways, pages, strict=True)),
        overview=overview.overview(of, pages),
        figures=plots.figures(of),
        sinces=sinces,
        style=Markup(style),  # noqa: S704 - files of this package
        script=Markup(script),  # noqa: S704 - files of this package
        policy=policy(style, script),
        model=Markup(model.script_json(model.model(of, sinces))),  # noqa: S704 - `script_json` has no "<"
        density="wordy" if len(of.columns) <= WORDY else "roomy" if len(of.columns) <= ROOMY else "dense",
        **_words(),
    )
    data = _data("texts", [evidence.packed(model.texts(of.texts))])
    data += _data("core", [evidence.core(of, number, sinces) for number in range(len(of.gateways))])
    data += _data("lint", [evidence.examples(rule.example for rule in page.rules) for page in pages])
    chunks = evidence.chunks(of, min(budget, file - len(page.encode()) - len(data)))
    data += _data("chunk", chunks.packed)
    index = model.script_json({"cells": chunks.cells, "leftOut": chunks.left_out})
    data += f'<script type="application/json" id="chunks">{index}</script>\n'
    return f"{page}{data}</html>\n"


def _words() -> dict[str, Any]:
    """What every part of the template may use."""
    return {
        "symbols": tally.SYMBOLS,
        "meanings": tally.MEANINGS,
        "verdicts": VERDICTS,
        "levels": tally.LEVELS,
        "codes": matrix.CODES,
        "signs": history.SIGNS,
        "plural": tally.plural,
        "family_words": families.words,
        "entry_sources": claims.entry_sources,
        "one_line": one_line,
        "cap": history.CAP,
        "block_rows": BLOCK,
    }


def environment() -> Environment:
    """Jinja2 for the templates of this package: every expression is cleaned and escaped, none may be undefined."""
    env = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["fragment"] = _fragment
    return env


def _shown(value: Any) -> Any:
    """What an expression of the template puts out: `visible` text, which autoescape then escapes."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _fragment(text: str) -> str:
    """Text as a value in the fragment of an address."""
    return quote(visible(text), safe="/")


def source(env: Environment, name: str) -> str:
    """A style sheet or script of the package, fit to stand inline: the element ends where it should."""
    assert env.loader is not None  # noqa: S101 - set by `environment`
    text = env.loader.get_source(env, name)[0]
    if "</" in text or "<!--" in text:
        raise ValueError(f"{name} holds a sequence that would end its element early")
    return text


def _joined(env: Environment, names: tuple[str, ...], kind: str) -> str:
    return "\n".join(source(env, f"report/{name}.{kind}") for name in names)


def _columns(of: Matrix) -> str:
    """What of the style hangs on the matrix: how many columns, where gateways begin, how tall blocks of rows are."""
    rules = [f":root{{--columns:{len(of.columns)}}}"]
    starts = [f".m tr>:nth-child({gateway.first + 2})" for gateway in of.gateways if gateway.first]
    if starts:
        rules.append(f"{','.join(starts)}{{border-left:2px solid var(--edge)}}")
    rules += [f".b{number}{{--rows:{number}}}" for number in range(1, BLOCK)]
    return "\n".join(rules)


def policy(style: str, script: str) -> str:
    """A content security policy that lets in the one style and the one script, by hash, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(name: str, packed: Sequence[str]) -> str:
    """Packed evidence as elements that browsers neither run nor show, `NAME-0` and so on."""
    return "".join(
        f'<script type="application/octet-stream" id="{name}-{number}">{text}</script>\n'
        for number, text in enumerate(packed)
    )
