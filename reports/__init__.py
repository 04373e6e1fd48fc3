"""Run file to HTML, JUnit, Markdown, badge and terminal; one module a format, none knows another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.record import Run


def write_all(run: Run, folder: Path) -> dict[str, Path]:
    """Write every report of `run` into `folder`, each file whole or not at all.

    Returns:
        The paths by kind: `html`, `junit`, `markdown`, `badge`.

    Raises:
        OSError: the folder cannot be written.
    """
    # Imported here so that a terminal summary alone does not load Jinja2.
    from reports import badge, html, junit, markdown  # noqa: PLC0415

    writers: dict[str, tuple[str, Callable[[Run, Path], None]]] = {
        "html": ("index.html", lambda run, path: html.write_html([run], path)),
        "junit": ("junit.xml", junit.write_junit),
        "markdown": ("summary.md", markdown.write_markdown),
        "badge": ("badge.svg", badge.write_badge),
    }
    paths = {}
    for kind, (name, write) in writers.items():
        paths[kind] = folder / name
        write(run, paths[kind])
    return paths
