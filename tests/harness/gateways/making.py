"""A small gateway for tests: the bundled server behind a description, in several steps."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from harness.gateways.description import Gateway, load
from harness.gateways.install import Installed
from tests.support import ROOT

HERE = Installed(os.environ.get("PATH", os.defpath), "", "1.2.3", 0.0)
"""Software that is on this machine already."""
HEAD = f"""
name = "small"
title = "Small"
homepage = "https://example.org"
licence = "Apache-2.0"
[install]
needs = ["{sys.executable}"]
"""
SERVE = f"""
[[steps]]
start = [
  "{sys.executable}", "-P", "-m", "reference_server", "--port", "{{port}}",
  "--credential", "{{access_key}}:{{secret_key}}", "--credential", "{{second_access_key}}:{{second_secret_key}}",
]
environment = {{ PYTHONPATH = "{ROOT}" }}
wait = "http://127.0.0.1:{{port}}/"
"""


def python(script: str, more: str = "") -> str:
    """A step that starts a script of Python, with what else belongs to it."""
    return f"[[steps]]\nstart = [\"{sys.executable}\", \"-P\", \"-c\", '''{script}''']\n{more}\n"


def described(folder: Path, text: str) -> Gateway:
    """The gateway that a text describes."""
    return load(str(written(folder, text)))


def written(folder: Path, text: str) -> Path:
    """The file of a description."""
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path
