"""Who may import whom, held by reading the code itself; and that every module can be imported alone."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("harness", "scenarios", "reference_server", "reports")
REPORTS_MAY = (
    "harness.record",
    "harness.compare",
    "harness.profile",
    "harness.claims",
    "harness.wire.exchange",
    "harness.errors",
)
MODULES = {
    str(path.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imports(path: Path, module: str) -> set[str]:
    """Full names of all that a module imports, wherever in it: within functions and for the type checker too."""
    found: set[str] = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*up, *([node.module] if node.module else [])])
            # `from harness import record` imports harness.record; `from harness.record import Run` harness.record.
            found |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names}
    return found


IMPORTS = {module: imports(path, module) for module, path in MODULES.items()}


def crossings(package: str, *allowed: str) -> dict[str, set[str]]:
    """What modules of a package import of other packages of this project, but for what is allowed."""
    own = tuple(f"{name}." for name in PACKAGES if name != package)
    found = {
        module: {name for name in names if f"{name}.".startswith(own) and not within(name, allowed)}
        for module, names in IMPORTS.items()
        if within(module, (package,))
    }
    return {module: names for module, names in found.items() if names}


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_the_reader_of_imports_sees_them():
    """A reader that sees nothing would hold every rule."""
    assert len(MODULES) > 60
    assert {module.split(".")[0] for module in MODULES} == set(PACKAGES)
    assert "harness.record" in IMPORTS["reports"]
    assert "harness.clients.base" in IMPORTS["harness.clients"]
    assert "harness.scenario" in IMPORTS["harness.plugin"]
    assert "harness.expect" in IMPORTS["scenarios.etag"]


def test_scenarios_import_from_harness_only():
    assert crossings("scenarios", "harness") == {}


def test_scenarios_do_not_reach_into_the_machinery():
    """They are written against scenes and matchers; what runs and judges them is none of their business."""
    hidden = ("harness.cli", "harness.cell", "harness.run", "harness.plugin", "harness.verdict", "harness.profile")
    found = {m: {n for n in names if within(n, hidden)} for m, names in IMPORTS.items() if within(m, ("scenarios",))}
    assert {module: names for module, names in found.items() if names} == {}


def test_reports_import_only_what_describes_a_run():
    assert crossings("reports", *REPORTS_MAY) == {}


def test_the_reference_server_imports_nothing_of_the_others():
    """Usable alone, and no mistake of the judge can hide in it."""
    assert crossings("reference_server") == {}


def test_the_judge_imports_neither_the_server_nor_the_spec():
    """The command line alone may write reports."""
    assert crossings("harness", "reports") == {}
    writers = {module for module, names in IMPORTS.items() if any(within(name, ("reports",)) for name in names)}
    outside = {module for module in writers if not within(module, ("reports", "harness.cli"))}
    assert outside <= {"harness.run"}


def test_wire_depends_on_nothing_above_it():
    """Exchanges, signatures and XML know nothing of clients, scenarios or verdicts, but for a run's endpoint."""
    above = tuple(f"harness.{name}" for name in ("clients", "scenario", "scene", "verdict", "profile", "cell"))
    found = {m: {n for n in names if within(n, above)} for m, names in IMPORTS.items() if within(m, ("harness.wire",))}
    assert {module: names for module, names in found.items() if names} == {}


def test_third_party_imports_are_declared():
    """A wheel installed in an empty environment has what the code imports."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[\s<>=!\[;]", name)[0].replace("-", "_") for name in project["dependencies"]}
    declared |= {"xdist"} if "pytest_xdist" in declared else set()
    declared |= {"markdown_it"} if "markdown_it_py" in declared else set()
    declared |= {"markupsafe"} if "jinja2" in declared else set()  # the type of Jinja2's own texts
    for module, names in IMPORTS.items():
        tops = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - set(PACKAGES) - {"fixtures"}
        assert tops <= declared, module


ALONE = """
import importlib, json, os, sys, warnings
import boto3, botocore.loaders, jinja2, msgspec, pytest, rich.console  # once, for speed: not what is tested
warnings.simplefilter("error")
failed = {}
for name in json.loads(sys.stdin.read()):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            importlib.import_module(name)
        except BaseException as error:
            os.write(writer, f"{type(error).__name__}: {error}"[:4000].encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    if text:
        failed[name] = text
print(json.dumps(failed))
"""


@pytest.mark.skipif(not hasattr(sys, "platform") or sys.platform == "win32", reason="forks")
def test_every_module_imports_alone_without_a_warning(tmp_path):
    """In a fresh process each, so that none relies on another having been imported first; nothing is printed."""
    names = sorted(module for module in MODULES if not module.endswith("__main__"))
    done = subprocess.run(
        [sys.executable, "-P", "-c", ALONE],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        timeout=400,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("harness.cli", ["boto3", "botocore", "jinja2", "rich", "pytest", "reference_server", "docker"]),
        ("harness.record", ["boto3", "botocore", "pytest", "click", "rich"]),
        ("harness.clients.raw", ["boto3", "click", "jinja2", "rich", "pytest", "httptools"]),
        ("reference_server", ["boto3", "pytest", "click", "jinja2", "rich"]),
    ],
)
def test_importing_does_not_bring_what_only_other_parts_need(module, heavy):
    """Start-up time is part of every user's wait."""
    code = f"import {module}, sys; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        check=True,
    )
    assert done.stdout.strip() == "[]"
