"""Published runs as a static site: a landing table, the matrix, a page a gateway, the specification, badges.

A page loads nothing but other files of the site, and the only scripts are that of the matrix and the search of the
specification; a content security policy names style and script by hash. What endpoints sent passes the same filters as
in the matrix (`reports.html`).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from markdown_it import MarkdownIt
from markupsafe import Markup

from harness.record import Confidence, Level, Run, ScenarioText
from reports import badge, families, html, matrix, tally, view
from reports.evidence import Source
from reports.text import visible, write_atomic

RUNS = "runs"
BADGES = "badges"
GATEWAYS = "gateways"


@dataclass(frozen=True)
class Statement:
    """A scenario as the specification prints it; `feature` is what gateways have beyond S3 that it is about."""

    id: str
    family: str
    level: Level
    confidence: Confidence
    title: str
    operations: tuple[str, ...]
    feature: str
    text: ScenarioText


@dataclass(frozen=True)
class Standing:
    """A run as a line of the landing table, or of a gateway's history; `page` and `file` are addresses in the site."""

    gateway: matrix.Gateway
    run: Run
    page: str
    file: str
    bars: dict[Level, view.Bar]
    failing: int
    clients: list[str]


def write_site(published: list[Path], statements: list[Statement], out: Path) -> None:
    """Write the site of `published` run files into `out`, which may exist: files of the same names are replaced.

    Args:
        published: run files of one folder; a note about one stands beside it, in Markdown, as `NAME.md`.
        statements: all scenarios of the suite.
        out: folder for the site; within that of the run files, it points to them, otherwise it has copies.

    Raises:
        RunFileError: a run file cannot be read.
        OSError: a note cannot be read, or the folder cannot be written.
    """
    texts = {statement.id: statement.text for statement in statements}
    whole = matrix.build([explained(Source.load(path), texts) for path in published])
    order = sorted(whole.gateways, key=lambda gateway: (_rank(gateway.run), gateway.name))
    files = _files(published, out)
    shown = [standing(gateway, gateway.run, files) for gateway in order]
    words: dict[str, Any] = {"levels": tally.LEVELS, "meanings": tally.MEANINGS, "plural": tally.plural}
    words |= {"symbols": tally.SYMBOLS, "codes": matrix.CODES}
    write_atomic(out / "index.html", _page("index", standings=shown, statements=len(statements), **words))
    write_atomic(out / "matrix.html", html.render_matrix(whole))
    for number, gateway in enumerate(order):
        runs = [gateway.run, *(source.run for source in gateway.history)]
        values: dict[str, Any] = {
            "gateway": gateway,
            "standings": [standing(gateway, run, files) for run in runs],
            **words,
        }
        values |= {"page": view.page(gateway.run, number), "note": _note(gateway.run.path.with_suffix(".md"))}
        write_atomic(out / GATEWAYS / f"{gateway.key}.html", _page("gateway", "../", **values))
        badge.write_badge(gateway.run, out / BADGES / f"{gateway.key}.svg")
        badge.write_shields(gateway.run, out / BADGES / f"{gateway.key}.json")
    members = tally.grouped(sorted(statements, key=_beyond), lambda statement: statement.family)
    seen = {gateway.name: worst(gateway.run) for gateway in order}
    write_atomic(
        out / "specification.html",
        _page("specification", script="search.js", families=members, family_words=families.words, seen=seen, **words),
    )
    guide = marked(html.source(html.environment(), "site/add.md"))
    write_atomic(out / "add.html", _page("text", title="Add a gateway", body=guide))


def _files(published: list[Path], out: Path) -> str:
    """Where the run files are, as an address in the site at `out`; they are copied there unless it lies among them."""
    folder = published[0].parent.resolve()
    if folder in out.resolve().parents:
        return Path(os.path.relpath(folder, out.resolve())).as_posix()
    (out / RUNS).mkdir(parents=True, exist_ok=True)
    for path in published:
        shutil.copyfile(path, out / RUNS / path.name)
    return RUNS


def explained(source: Source, texts: dict[str, ScenarioText]) -> Source:
    """`source` with the texts of its scenarios, where it was published without them."""
    run = source.run
    wanted = {cell.scenario for cell in run.cells}
    known = {name: text for name, text in texts.items() if name in wanted} | run.header.scenarios
    run.header = msgspec.structs.replace(run.header, scenarios=known)
    return source


def standing(gateway: matrix.Gateway, run: Run, files: str) -> Standing:
    """How a run of a gateway does, by level; `files` is where run files are."""
    levels = tally.grouped(run.cells, lambda cell: cell.level)
    return Standing(
        gateway=gateway,
        run=run,
        page=f"{GATEWAYS}/{gateway.key}.html",
        file=f"{files}/{run.path.name}",
        bars={level: view.bar(levels[level]) for level in tally.LEVELS if level in levels},
        failing=sum(cell.fails for cell in run.cells),
        clients=[f"{info.label} {info.version}" for info in run.header.clients if not info.missing],
    )


def worst(run: Run) -> dict[str, tuple[str, str]]:
    """The gravest verdict of each scenario of `run`, and the clients that met it, by scenario id."""
    found = {}
    for scenario, cells in tally.grouped(tally.ordered(run), lambda cell: cell.scenario).items():
        verdict = str(matrix.worst(cells))
        found[scenario] = (verdict, ", ".join(cell.label for cell in cells if cell.verdict == verdict))
    return found


def marked(text: str) -> Markup:
    """Markdown as HTML. HTML within it is shown as text, pictures are links, and no link leads to a script."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    return Markup(renderer.render(visible(text)))  # noqa: S704 - html is off, and the renderer escapes


def _rank(run: Run) -> list[float]:
    """How well a run does in MUST, then SHOULD, then EXTENDED; the best is the smallest."""
    shares = [tally.share(cell for cell in run.cells if cell.level == level) for level in tally.LEVELS]
    return [-share.good / share.judged if share.judged else 0.0 for share in shares]


def _beyond(statement: Statement) -> tuple[bool, str]:
    """What is about S3 itself stands before what only some gateways have."""
    return bool(statement.feature), statement.id


def _note(path: Path) -> Markup:
    return marked(path.read_text(encoding="utf-8")) if path.exists() else Markup("")


def _page(name: str, root: str = "", *, script: str = "", **values: Any) -> str:
    """The page of a template of the site; `root` leads to its top folder, `script` is what it runs."""
    env = html.environment()
    style = "\n".join(html.source(env, part) for part in ("report/base.css", "site/site.css"))
    code = html.source(env, f"site/{script}") if script else ""
    return env.get_template(f"site/{name}.html.jinja").render(
        root=root,
        style=Markup(style),  # noqa: S704 - files of this package
        script=Markup(code),  # noqa: S704 - a file of this package
        policy=html.policy(style, code).replace("default-src 'none'", "default-src 'none'; img-src 'self'"),
        **values,
    )
