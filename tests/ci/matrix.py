"""The jobs of `.github/workflows/ci.yml`: `nox --list --json` on standard input, a matrix on standard output.

`tests` runs on every Python that pyproject.toml names, everything else on the oldest of them.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
ARGUMENTS = {"mutants": "--bounded"}
"""What `.ci/run` passes on to a session."""


def pythons(classifiers: list[str]) -> list[str]:
    """The versions of Python among the classifiers, oldest first."""
    found = (re.fullmatch(r"Programming Language :: Python :: (\d+\.\d+)", line) for line in classifiers)
    return sorted((match[1] for match in found if match), key=lambda version: tuple(map(int, version.split("."))))


def include(sessions: list[dict[str, Any]], versions: list[str]) -> list[dict[str, str]]:
    """One entry a job: the session, the Python to run it with, and arguments for it."""
    return [
        {"session": name, "python": version, "arguments": ARGUMENTS.get(name, "")}
        for name in (session["session"] for session in sessions)
        for version in (versions if name == "tests" else versions[:1])
    ]


def main() -> None:
    """Print the matrix on one line."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    jobs = include(json.load(sys.stdin), pythons(project["classifiers"]))
    sys.stdout.write(json.dumps(jobs) + "\n")


if __name__ == "__main__":
    main()
