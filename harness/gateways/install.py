"""Getting a gateway's software: from package registries into a folder of its own in the user's cache."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import UsageError
from harness.gateways.description import Gateway
from harness.gateways.process import complete

SECONDS = 3600.0
"""How long a package manager may take: some compile the gateway."""
_ASK_SECONDS = 60.0
_SYSTEM_PATH = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_NEWEST_PYTHON = 30
"""The highest 3.NUMBER that is looked for."""
_PSEUDO = re.compile(r"v0\.0\.0-(\d{4})(\d\d)(\d\d)\d{6}-([0-9a-f]{12})")
"""The version of a Go module without releases: time and commit. Source: Go Modules Reference, "Pseudo-versions"."""
_PROGRAMS = {"npm": ("npm", "node"), "go": ("go",), "cargo": ("cargo",), "maven": ("mvn", "java")}


class Installed(msgspec.Struct, frozen=True):
    """Software that is there: PATH for its programs, its jar or "", its version, and seconds that it took now."""

    path: str
    jar: str
    version: str
    seconds: float


def home(name: str) -> Path:
    """The folder in the user's cache that a gateway is installed in."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "s3conform" / "gateways" / name


def missing(gateway: Gateway, *, apt: bool = False) -> str:
    """What this machine lacks to install a gateway's packages, and what helps, or "".

    Args:
        gateway: its description.
        apt: whether Debian packages that are missing may be installed.
    """
    if not gateway.install.packages and not gateway.install.needs:
        return "it is not in a package registry"
    wanted = [name for way in gateway.install.packages for name in _PROGRAMS.get(way, ())]
    absent = [name for name in dict.fromkeys([*wanted, *gateway.install.needs]) if not _program(name)]
    if absent:
        return f"there is no {' and no '.join(absent)} here"
    if gateway.install.pip and not _python(gateway.install.python):
        return f"there is no Python {gateway.install.python} or newer here"
    lacking = _lacking(gateway.install.debian)
    if lacking and not (apt and _program("apt-get")):
        return f"Debian packages are missing: apt-get install --no-install-recommends {' '.join(lacking)} (or --apt)"
    return ""


def install(gateway: Gateway, *, apt: bool = False) -> Installed:
    """Install a gateway unless its very packages are there already.

    Args:
        gateway: what to install.
        apt: install Debian packages that are missing, for the whole machine.

    Raises:
        UsageError: another process is installing it, or the machine's packages are not the user's to install.
        EndpointError: a package manager failed, or took too long.
    """
    place = home(gateway.name)
    place.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    with _locked(place, gateway.name):
        lacking = _lacking(gateway.install.debian)
        if apt and lacking:
            _apt(lacking, place)
        _fresh(gateway, place)
    jars = [_jar(place, name) for name in gateway.install.maven]
    path = os.pathsep.join([str(place / "venv/bin"), str(place / "node_modules/.bin"), str(place / "bin"), _path()])
    seconds = round(time.monotonic() - begun, 1)
    return Installed(path, str(jars[0]) if jars else "", _version(gateway, place), seconds)


@contextmanager
def _locked(place: Path, name: str) -> Iterator[None]:
    """The folder is this process's alone."""
    with (place / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"gateway {name} is being installed by another process") from None
        yield


def _fresh(gateway: Gateway, place: Path) -> None:
    """Install what is described, unless that is what was installed last."""
    python = _python(gateway.install.python) if gateway.install.pip else ""
    wanted = {"packages": gateway.install.packages, "python": python}
    stamp = place / "installed.json"
    if stamp.exists() and json.loads(stamp.read_bytes()) == wanted:
        return
    for part in place.iterdir():
        if part.name != ".lock":
            shutil.rmtree(part) if part.is_dir() else part.unlink()
    if python:
        _do(place, [python, "-m", "venv", str(place / "venv")])
    for way, packages in gateway.install.packages.items():
        if way in _WAYS:
            _WAYS[way](place, packages)
    stamp.write_text(json.dumps(wanted), encoding="utf-8")


def _do(place: Path, words: Sequence[str], **environment: str) -> None:
    """Run a package manager, which needs the user's own settings; its output stays beside what it installs."""
    complete(words, place / f"{Path(words[0]).name}.log", place, {**os.environ, **environment}, SECONDS)


def _pip(place: Path, packages: list[str]) -> None:
    _do(place, [str(place / "venv/bin/python"), "-m", "pip", "install", "--quiet", *packages])


def _npm(place: Path, packages: list[str]) -> None:
    """With no scripts of packages."""
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    _do(place, ["npm", "install", "--prefix", str(place), *quiet, *packages])


def _go(place: Path, packages: list[str]) -> None:
    for package in packages:
        _do(place, ["go", "install", package], GOBIN=str(place / "bin"))


def _cargo(place: Path, packages: list[str]) -> None:
    for package in packages:
        _do(place, ["cargo", "install", "--locked", "--root", str(place), *shlex.split(package)])


def _maven(place: Path, packages: list[str]) -> None:
    for package in packages:
        group, artifact, version, *classifier = package.split(":")
        whole = ":".join([group, artifact, version, "jar", *classifier])
        _do(place, ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={whole}", f"-DoutputDirectory={place / 'lib'}"])


_WAYS: dict[str, Callable[[Path, list[str]], None]] = {
    "pip": _pip,
    "npm": _npm,
    "go": _go,
    "cargo": _cargo,
    "maven": _maven,
}


def _apt(packages: list[str], place: Path) -> None:
    """Install packages for the whole machine.

    Raises:
        UsageError: this is not for the user to do.
        EndpointError: apt-get failed.
    """
    if os.geteuid() != 0:
        raise UsageError("--apt installs packages for the whole machine, and needs to be root")
    words = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    _do(place, words, DEBIAN_FRONTEND="noninteractive")


def _lacking(packages: list[str]) -> list[str]:
    """Those Debian packages that are not installed."""
    return [name for name in packages if not _debian(name)]


def _debian(package: str) -> str:
    """The version of an installed Debian package, or ""."""
    told = _told(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package])
    status, _, version = told.partition(" ")
    return version if status == "installed" else ""


def _version(gateway: Gateway, place: Path) -> str:
    """What the package manager says of the first package, "unknown" where it does not say."""
    told = (_VERSIONS[way](place, packages[0]) for way, packages in gateway.install.packages.items())
    return next(told, "") or "unknown"


def _pip_version(place: Path, package: str) -> str:
    name = re.split(r"[^A-Za-z0-9._-]", package)[0]
    ask = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    return _told([str(place / "venv/bin/python"), "-c", ask, name])


def _npm_version(place: Path, package: str) -> str:
    name = package[0] + package[1:].partition("@")[0]
    about: dict[str, Any] = json.loads((place / "node_modules" / name / "package.json").read_bytes())
    return str(about["version"])


def _go_version(place: Path, package: str) -> str:
    """The version of the module that a program was built from."""
    for program in sorted((place / "bin").iterdir()):
        said = _told(["go", "version", "-m", str(program)]).splitlines()
        built = dict(line.split("\t")[1:3] for line in said if line.startswith(("\tpath\t", "\tmod\t")))
        if built.get("path") == package.partition("@")[0]:
            module = next(line.split("\t") for line in said if line.startswith("\tmod\t"))
            return _PSEUDO.sub(r"\1-\2-\3-\4", module[3]).removeprefix("v")
    return ""


def _cargo_version(_place: Path, package: str) -> str:
    return package.partition("@")[2].split()[0]


def _maven_version(_place: Path, package: str) -> str:
    return package.split(":")[2]


def _debian_version(_place: Path, package: str) -> str:
    return _debian(package)


_VERSIONS: dict[str, Callable[[Path, str], str]] = {
    "pip": _pip_version,
    "npm": _npm_version,
    "go": _go_version,
    "cargo": _cargo_version,
    "maven": _maven_version,
    "debian": _debian_version,
}


def _jar(place: Path, package: str) -> Path:
    """Where the jar of a Maven artifact is."""
    _, artifact, version, *classifier = package.split(":")
    return place / "lib" / f"{'-'.join([artifact, version, *classifier])}.jar"


@functools.cache
def _python(oldest: str) -> str:
    """The path of a Python of this version or a newer one, this very one if it serves; "" where there is none."""
    least = int(oldest.removeprefix("3.") or 0)
    if sys.version_info.minor >= least:
        return sys.executable
    found = (_program(f"python3.{minor}") for minor in range(least, _NEWEST_PYTHON))
    return next((path for path in found if path and _told([path, "--version"])), "")


def _path() -> str:
    """The machine's PATH with the folders of its services."""
    own = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join([*own, *(each for each in _SYSTEM_PATH if each not in own)])


def _program(name: str) -> str | None:
    return shutil.which(name, path=_path())


def _told(words: Sequence[str]) -> str:
    """What a command prints, "" where it fails or is not there."""
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", timeout=_ASK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
