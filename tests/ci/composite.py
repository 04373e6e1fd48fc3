"""Runs the steps of a composite action as the runner of GitHub does: each script by bash, with its own environment.

Steps that use another action are not run; what such a step would put out is given by the caller. Expressions are
evaluated as far as action.yml needs them: contexts, `||`, `&&`, `==`, `!=` and `!cancelled()`.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.support import ROOT

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
SECONDS = 300


class Composite:
    """One use of the action in a job of its own.

    Args:
        folder: a place for the workspace and the runner's files.
        inputs: what the caller gives; the rest are the defaults.
        env: the environment of the job.

    Attributes:
        log: all that the steps printed.
        code: exit code of the step that failed, else 0.
        uploaded: the inputs of the step that keeps the report, None if its condition does not hold.
    """

    def __init__(self, folder: Path, inputs: dict[str, str], env: dict[str, str] | None = None) -> None:
        self.workspace, self.temporary = folder / "workspace", folder / "temporary"
        self._summary, self._folder = folder / "summary", folder
        for made in (self.workspace, self.temporary):
            made.mkdir(parents=True, exist_ok=True)
        defaults = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()}
        assert set(inputs) <= set(defaults)
        self._inputs = defaults | inputs
        self._env = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"} | (env or {})
        self._steps: dict[str, dict[str, str]] = {}
        self.log, self.code = "", 0
        self.uploaded: dict[str, str] | None = None

    def run(self, skip: tuple[str, ...] = ()) -> None:
        """Run all steps but those of these names."""
        for step in ACTION["runs"]["steps"]:
            if self.code or not self._holds(step) or step.get("name") in skip:
                continue
            if "run" in step:
                self._script(step)
            elif step["uses"].startswith("actions/upload-artifact@"):
                self.uploaded = {name: self.filled(value) for name, value in step["with"].items()}

    @property
    def outputs(self) -> dict[str, str]:
        """What the action puts out."""
        return {name: self.filled(about["value"]) for name, about in ACTION["outputs"].items()}

    @property
    def summary(self) -> str:
        """What the steps wrote for the summary of the job."""
        return self._summary.read_text(encoding="utf-8") if self._summary.exists() else ""

    def _holds(self, step: dict[str, Any]) -> bool:
        condition = str(step.get("if", "!cancelled()"))
        return bool(self._value(condition.removeprefix("${{").removesuffix("}}")))

    def _script(self, step: dict[str, Any]) -> None:
        script, output = self._folder / "step.sh", self._folder / "output"
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "a script gets what it needs by its environment"
        script.write_text(step["run"], encoding="utf-8")
        output.write_text("", encoding="utf-8")
        env = {
            **self._env,
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self._summary),
            **{name: self.filled(value) for name, value in step.get("env", {}).items()},
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],  # noqa: S607 - as the runner does
            cwd=self.workspace,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        self.log += done.stdout
        self.code = done.returncode
        lines = output.read_text(encoding="utf-8").splitlines()
        self._steps[step.get("id", "")] = dict(line.split("=", 1) for line in lines)

    def filled(self, text: object) -> str:
        """`text` with its expressions evaluated."""
        return re.sub(r"\$\{\{(.*?)\}\}", lambda match: self._value(match[1]), str(text))

    def _value(self, expression: str) -> str:
        """The value of an expression; "" for what is false."""
        for operator in ("||", "&&"):
            if operator in expression:
                left, right = (self._value(part) for part in expression.split(operator, 1))
                return (left or right) if operator == "||" else (right if left else "")
        for operator, same in (("==", True), ("!=", False)):
            if operator in expression:
                left, right = (self._value(part) for part in expression.split(operator, 1))
                return "true" if (left == right) is same else ""
        return self._operand(expression.strip())

    def _operand(self, word: str) -> str:
        if word.startswith("'"):
            return word.strip("'")
        if word == "!cancelled()":
            return "true"
        context, _, rest = word.partition(".")
        if context == "inputs":
            return self._inputs[rest]
        step, outputs, name = rest.split(".")
        assert (context, outputs) == ("steps", "outputs"), word
        return self._steps.get(step, {}).get(name, "")
