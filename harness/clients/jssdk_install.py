"""Where the AWS SDK for JavaScript is looked for, and how it gets there.

To install it with npm, by default where it is looked for: `python -m harness.clients.jssdk_install [FOLDER]`.
"""

from __future__ import annotations

import functools
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from harness.clients import local

NODE = 20
"""The oldest major version of Node that the SDK runs on."""
PACKAGE_JSON = Path(__file__).parents[2] / "fixtures" / "jssdk" / "package.json"
_QUIET = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1")
_SECONDS = 600.0


def project(folder: str = "") -> Path:
    """The folder whose node_modules has the SDK: `folder`, or the one in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(folder).absolute() if folder else cache / "s3conform" / "jssdk"


def node() -> str:
    """The path of the first Node that is new enough, "" where there is none."""
    found = ((path, local.version(path, "--version", r"v(\d+)\.")) for path in local.find("node"))
    return next((path for path, major in found if major and int(major) >= NODE), "")


def available(folder: str = "") -> tuple[str, str]:
    """The SDK's version and "", or "" and the reason why it cannot be used."""
    if not node():
        return "", f"there is no Node {NODE} or newer"
    place = project(folder)
    versions = [_version(place, package) for package in _packages()]
    if "" in versions:
        missing = list(_packages())[versions.index("")]
        return "", f"{missing} is not in {place / 'node_modules'} ({shlex.join(command(place))})"
    return versions[0], ""


def command(place: Path) -> list[str]:
    """The npm command that installs the SDK in a folder; it runs no script of any package."""
    packages = [f"{name}@{version}" for name, version in _packages().items()]
    return ["npm", "install", "--prefix", str(place), *_QUIET, *packages]


def install(folder: str = "") -> None:
    """Install the SDK where it is looked for.

    Raises:
        OSError: there is no npm.
        subprocess.SubprocessError: npm failed, or did not end in time.
    """
    place = project(folder)
    place.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PACKAGE_JSON, place / "package.json")
    subprocess.run(command(place), check=True, timeout=_SECONDS)


@functools.cache
def _packages() -> dict[str, str]:
    """The packages by name, the SDK's client first, each with the versions that serve."""
    wanted: dict[str, str] = json.loads(PACKAGE_JSON.read_bytes())["dependencies"]
    return wanted


def _version(place: Path, package: str) -> str:
    """The version of an installed package, "" where it is not there."""
    try:
        found = json.loads((place / "node_modules" / package / "package.json").read_bytes())
    except (OSError, ValueError):
        return ""
    return str(found.get("version", "")) if isinstance(found, dict) else ""


if __name__ == "__main__" and available(*sys.argv[1:2])[1]:
    install(*sys.argv[1:2])
