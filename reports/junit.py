"""A run as JUnit XML in the xunit2 flavour: one test suite a client, one test case a cell.

What the gate fails on is a `failure`, what could not be judged an `error`; a cell that fails without a record
of real S3 behaviour behind it, or that a client cannot express, is `skipped` and says why. An incomplete run
carries one error more, so that no CI shows it green.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from harness.record import FAILING, Cell, Run
from reports import tally
from reports.text import one_line, visible, write_atomic

if TYPE_CHECKING:
    from pathlib import Path

_LINE = 1000
"""Characters of an attribute."""
_TEXT = 4000
"""Characters of each part of what a case says."""


def write_junit(run: Run, path: Path) -> None:
    """Write `run` to `path` as JUnit XML."""
    root = ET.Element("testsuites", name="s3conform")
    for client, cells in tally.grouped(tally.ordered(run), lambda cell: cell.label).items():
        root.append(_suite(run, client, [_testcase(cell) for cell in cells]))
    if reason := tally.incomplete(run):
        root.append(_suite(run, "s3conform", [_unfinished(reason)]))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", _time(sum(cell.seconds for cell in run.cells)))
    ET.indent(root, " ")
    xml = ET.tostring(root, encoding="unicode")
    write_atomic(path, f'<?xml version="1.0" encoding="utf-8"?>\n{xml}\n')


def _suite(run: Run, name: str, cases: list[ET.Element]) -> ET.Element:
    """A `testsuite` with its counts; each case counts in at most one of errors, failures and skipped."""
    suite = ET.Element("testsuite", name=_line(name))
    for attribute, tag in (("errors", "error"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("time", _time(sum(float(case.get("time", "0")) for case in cases)))
    suite.set("timestamp", _line(run.header.started))
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(run, name).items():
        ET.SubElement(properties, "property", name=key, value=_line(value))
    suite.extend(cases)
    return suite


def _properties(run: Run, client: str) -> dict[str, str]:
    header = run.header
    facts = {
        "gateway": header.gateway.name,
        "gateway_version": header.gateway.version,
        "endpoint": header.endpoint,
        "profile": header.profile,
        "suite_version": header.suite_version,
        "run_id": header.run_id,
    }
    for info in header.clients:
        if info.label == client:
            facts |= {"client_version": info.version, "runner": info.runner}
            facts |= {"image": info.image} if info.image else {}
    return facts


def _testcase(cell: Cell) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=_line(f"{cell.label}.{cell.family}"),
        name=_line(f"{cell.scenario} {cell.title}"),
        time=_time(cell.seconds),
    )
    tag, message = _outcome(cell)
    if tag:
        outcome = ET.SubElement(case, tag, message=_line(message))
        if tag != "skipped":
            outcome.set("type", cell.verdict)
        outcome.text = _details(cell)
    elif cell.verdict != "conforms" or cell.flaky:
        ET.SubElement(case, "system-out").text = _remark(cell)
    return case


def _outcome(cell: Cell) -> tuple[str, str]:
    """The element that says how the cell ended, empty for a good one, and its message."""
    said = cell.message or cell.observed.text or tally.MEANINGS[cell.verdict]
    if cell.verdict == "inapplicable":
        return "skipped", f"inapplicable: {said}"
    if cell.verdict not in FAILING:
        return "", ""
    if not cell.gates:
        return "skipped", f"{cell.verdict}, but does not gate ({cell.confidence} line): {said}"
    return ("error" if cell.verdict == "error" else "failure"), f"{cell.verdict}: {said}"


def _details(cell: Cell) -> str:
    lines = [
        _remark(cell),
        f"level: {cell.level}",
        f"expected: {_text(cell.expected)}",
        f"observed: {_text(cell.observed.text)}",
    ]
    lines += [f"{name}:\n{_text(command)}" for name, command in cell.repro.items()]
    return "\n".join(lines)


def _remark(cell: Cell) -> str:
    parts = [f"{cell.verdict}: {_text(cell.message)}" if cell.message else cell.verdict]
    parts += [f"profile entry: {_text(cell.profile_entry)}"] if cell.profile_entry else []
    parts += ["flaky: a second try came to another verdict"] if cell.flaky else []
    return "\n".join(parts)


def _unfinished(reason: str) -> ET.Element:
    case = ET.Element("testcase", classname="s3conform", name="the run is complete", time="0.000")
    ET.SubElement(case, "error", message=_line(reason), type="incomplete")
    return case


def _line(text: str) -> str:
    return one_line(text, _LINE)


def _text(text: str) -> str:
    """`text`, visible and bounded; a reproduction that is cut says so rather than run by half."""
    shown = visible(text[:_TEXT])
    return f"{shown}\n… cut after {_TEXT} of {len(text)} characters" if len(text) > _TEXT else shown


def _time(seconds: float) -> str:
    return f"{max(seconds, 0.0):.3f}"
