"""Run file to HTML, JUnit, Markdown, badges, annotations and terminal; one module a format, none knows another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harness.record import Level, Run


def write_all(run: Run, folder: Path, baseline: Run | None = None, level: Level = "EXTENDED") -> dict[str, Path]:
    """Write every report of `run` into `folder`, each file whole or not at all.

    Args:
        run: what to report.
        folder: made if need be.
        baseline: the run that the gate compares with: what regressed comes first.
        level: the lowest level of which the two are compared.

    Returns:
        The paths by kind: `html`, `junit`, `markdown`, `badge`, `shields`, `annotations`, `score`.

    Raises:
        OSError: the folder cannot be written.
    """
    # Imported here so that a terminal summary alone does not load Jinja2.
    from harness.compare import compare  # noqa: PLC0415
    from reports.annotations import write_annotations  # noqa: PLC0415
    from reports.badge import write_badge, write_shields  # noqa: PLC0415
    from reports.evidence import Source  # noqa: PLC0415
    from reports.html import write_matrix  # noqa: PLC0415
    from reports.junit import write_junit  # noqa: PLC0415
    from reports.markdown import write_markdown  # noqa: PLC0415
    from reports.score import write_score  # noqa: PLC0415

    comparison = compare(baseline, run, level) if baseline is not None else None
    paths = {kind: folder / name for kind, name in FILES.items()}
    earlier = Source.of(baseline) if baseline is not None else None
    write_matrix([Source.of(run)], paths["html"], baseline=earlier)
    write_junit(run, paths["junit"])
    write_markdown(run, paths["markdown"], comparison)
    write_badge(run, paths["badge"])
    write_shields(run, paths["shields"])
    write_annotations(run, paths["annotations"], comparison)
    write_score(run, paths["score"])
    return paths


FILES = {
    "html": "index.html",
    "junit": "junit.xml",
    "markdown": "summary.md",
    "badge": "badge.svg",
    "shields": "badge.json",
    "annotations": "annotations.txt",
    "score": "score.env",
}
"""Names of the reports in the folder of a run, by kind."""
