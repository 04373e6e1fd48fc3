"""The workflows, and the examples of them in docs/ci.md, as far as they can be checked without GitHub."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci import matrix
from tests.support import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GUIDE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
EXAMPLES = [block for block in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL) if re.match(r"name:.*\non:", block)]
needs_actionlint = pytest.mark.skipif(not shutil.which("actionlint"), reason="needs actionlint; `nox -s workflows`")


def actionlint(path: Path, folder: Path) -> str:
    """What actionlint finds in a workflow."""
    done = subprocess.run(
        ["actionlint", "-no-color", str(path)],  # noqa: S607 - found on PATH
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        check=False,
    )
    return done.stdout + done.stderr


@needs_actionlint
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_finds_nothing(path: Path) -> None:
    """Syntax, types of expressions, inputs of known actions, scripts."""
    assert actionlint(path, ROOT) == ""


@needs_actionlint
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_of_the_guide_are_workflows(number: int, tmp_path: Path) -> None:
    """So that they can be copied."""
    path = tmp_path / "example.yml"
    path.write_text(EXAMPLES[number], encoding="utf-8")
    assert actionlint(path, tmp_path) == ""


@needs_actionlint
def test_actionlint_would_find_something(tmp_path: Path) -> None:
    """A linter that is silent about everything proves nothing."""
    path = tmp_path / "wrong.yml"
    path.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("steps.matrix.outputs", "steps.none.outputs"))
    assert "none" in actionlint(path, tmp_path)


def jobs() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every job with its workflow."""
    read = [(path.name, yaml.safe_load(path.read_text(encoding="utf-8"))) for path in WORKFLOWS]
    return [(f"{name}: {job}", flow, about) for name, flow in read for job, about in flow["jobs"].items()]


@pytest.mark.parametrize(("flow", "job"), [pytest.param(flow, job, id=name) for name, flow, job in jobs()])
def test_a_job_is_bounded_and_may_do_little(flow: dict[str, Any], job: dict[str, Any]) -> None:
    """A timeout, no right to write but where it deploys, actions of GitHub itself at a major version."""
    assert job["timeout-minutes"]
    assert flow["permissions"] == {"contents": "read"}
    assert job.get("permissions", {}) in ({}, {"pages": "write", "id-token": "write"})
    for step in job["steps"]:
        assert re.fullmatch(r"actions/[\w-]+@v\d+|\./(\.s3conform)?", step.get("uses", "./")), step
        assert "${{" not in step.get("run", ""), "a script gets what it needs by its environment"
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_the_matrix_has_the_tests_on_every_python() -> None:
    """Oldest first, each once; other sessions on the oldest, with the arguments that they need."""
    sessions = [{"session": name} for name in ("lint", "tests", "mutants")]
    versions = matrix.pythons([f"Programming Language :: Python :: {version}" for version in ("3.12", "3", "3.9")])
    assert matrix.include(sessions, versions) == [
        {"session": "lint", "python": "3.9", "arguments": ""},
        {"session": "tests", "python": "3.9", "arguments": ""},
        {"session": "tests", "python": "3.12", "arguments": ""},
        {"session": "mutants", "python": "3.9", "arguments": "--bounded"},
    ]


@pytest.mark.skipif(not shutil.which("nox"), reason="needs nox on PATH")
def test_the_plan_of_ci_is_what_nox_lists(tmp_path: Path) -> None:
    """The step that makes the matrix, run as it stands: all its sessions exist, and `tests` comes four times."""
    flow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    step = next(step for step in flow["jobs"]["plan"]["steps"] if step.get("id") == "matrix")
    script = step["run"].replace("sessions.json", str(tmp_path / "sessions.json"))
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],  # noqa: S607 - as the runner does
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "GITHUB_OUTPUT": str(tmp_path / "output")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    name, _, value = (tmp_path / "output").read_text(encoding="utf-8").partition("=")
    made = json.loads(value)
    assert name == "include"
    assert [job["python"] for job in made if job["session"] == "tests"] == ["3.11", "3.12", "3.13", "3.14"]
    assert {"lint", "types", "conformance", "mutants", "build", "workflows"} < {job["session"] for job in made}
