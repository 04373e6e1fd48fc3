"""Software is installed once, in a folder of its own, by package managers that are stood in for here."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path

import pytest

from harness.errors import EndpointError, UsageError
from harness.gateways import install as packages
from harness.gateways.description import Gateway
from tests.harness.gateways.making import HEAD, described, python

MANAGER = f"""#!{sys.executable}
import json, os, pathlib, sys
pathlib.Path(os.environ["CALLS"]).open("a").write(json.dumps(sys.argv) + "\\n")
name, words = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
if os.environ.get("FAILING") == name:
    sys.exit("\\x1b[31mno such package\\x1b[0m")
if name == "npm":
    folder = pathlib.Path(words[2], "node_modules", "@some", "gateway")
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{{"version": "3.7.1"}}')
if name == "go" and words[0] == "install":
    pathlib.Path(os.environ["GOBIN"]).mkdir()
    pathlib.Path(os.environ["GOBIN"], "gateway").touch()
if name == "go" and words[0] == "version":
    print("x: go1.26\\n\\tpath\\texample.org/x/cmd/gateway")
    print("\\tmod\\texample.org/x\\t" + os.environ["MODULE"] + "\\th1:=")
if name == "dpkg-query" and words[-1] == "there":
    print("installed 16.2.15+ds", end="")
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Package managers that do as if; the file that their commands are written to."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("npm", "node", "go", "cargo", "mvn", "java", "dpkg-query", "apt-get"):
        (folder / name).write_text(MANAGER, encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("MODULE", "v1.8.0")
    return tmp_path / "calls"


def wanting(folder: Path, *ways: str) -> Gateway:
    """A gateway with these packages."""
    return described(folder, "\n".join([HEAD.partition("needs")[0], *ways, python("0")]))


def asked(calls: Path) -> list[list[str]]:
    """The commands of package managers, without their paths, and without questions."""
    told = [json.loads(line) for line in calls.read_text().splitlines()]
    found = [[Path(words[0]).name, *words[1:]] for words in told]
    return [words for words in found if words[0] != "dpkg-query" and words[:2] != ["go", "version"]]


def test_packages_are_installed_once_for_each_description(tmp_path: Path, calls: Path) -> None:
    """With no scripts of theirs, in a folder of the gateway's; again only if the description changes."""
    one = wanting(tmp_path, 'npm = ["@some/gateway@3.7.1"]')
    assert packages.install(one).version == packages.install(one).version == "3.7.1"
    ((name, verb, *words),) = asked(calls)
    assert (name, verb, words[-1]) == ("npm", "install", "@some/gateway@3.7.1")
    assert "--ignore-scripts" in words
    assert str(tmp_path / "cache/s3conform/gateways/small") in words
    packages.install(wanting(tmp_path, 'npm = ["@some/gateway@3.7.2"]'))
    assert len(asked(calls)) == 2


@pytest.mark.parametrize(
    ("version", "told"), [("v1.8.0", "1.8.0"), ("v0.0.0-20260212201848-7aac2a2c5b7c", "2026-02-12-7aac2a2c5b7c")]
)
def test_version_of_a_go_program_is_that_of_its_module(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, version: str, told: str
) -> None:
    """Without a release it is the day and the commit."""
    monkeypatch.setenv("MODULE", version)
    done = packages.install(wanting(tmp_path, f'go = ["example.org/x/cmd/gateway@{version}"]'))
    assert done.version == told
    assert asked(calls) == [["go", "install", f"example.org/x/cmd/gateway@{version}"]]
    assert done.path.split(os.pathsep)[2] == str(packages.home("small") / "bin")


def test_other_managers_are_asked_for_exactly_what_is_described(tmp_path: Path, calls: Path) -> None:
    """Options of cargo are words; a jar has a place that can be named."""
    cargo, maven = 'cargo = ["x@0.14.1 --features binary"]', 'maven = ["org.x:gateway:4.1.0:exec"]'
    done = packages.install(wanting(tmp_path, cargo, maven))
    (one, two) = asked(calls)
    assert one[:3] == ["cargo", "install", "--locked"]
    assert one[-3:] == ["x@0.14.1", "--features", "binary"]
    assert "-Dartifact=org.x:gateway:4.1.0:jar:exec" in two
    assert done.version == "0.14.1"
    assert done.jar == str(packages.home("small") / "lib" / "gateway-4.1.0-exec.jar")


def test_failure_of_a_package_manager_is_one_line_and_nothing_counts_as_installed(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last line, made safe, and its log; the next try begins anew."""
    gateway = wanting(tmp_path, 'npm = ["@some/gateway@3.7.1"]')
    monkeypatch.setenv("FAILING", "npm")
    with pytest.raises(EndpointError, match=r"^npm ended with exit code 1: no such package \(log: .*npm\.log\)$"):
        packages.install(gateway)
    monkeypatch.delenv("FAILING")
    assert packages.install(gateway).version == "3.7.1"
    assert len(asked(calls)) == 2


def test_what_the_machine_lacks_is_said(tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs, Debian packages with the command that installs them, and a Python that is new enough."""
    assert packages.missing(wanting(tmp_path, 'debian = ["there"]')) == ""
    assert packages.install(wanting(tmp_path, 'debian = ["there"]')).version == "16.2.15+ds"
    lacking = wanting(tmp_path, 'debian = ["there", "away"]')
    told = "Debian packages are missing: apt-get install --no-install-recommends away (or --apt)"
    assert packages.missing(lacking) == told
    assert packages.missing(lacking, apt=True) == ""
    packages._python.cache_clear()
    newer = wanting(tmp_path, f'pip = ["x==1"]\npython = "3.{sys.version_info.minor + 1}"')
    assert packages.missing(newer) == f"there is no Python 3.{sys.version_info.minor + 1} or newer here"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert packages.missing(wanting(tmp_path, 'npm = ["x@1"]')) == "there is no npm and no node here"


def test_packages_of_the_machine_are_installed_only_when_that_is_asked_for(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only by root."""
    gateway = wanting(tmp_path, 'debian = ["away"]')
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UsageError, match="needs to be root"):
        packages.install(gateway, apt=True)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    packages.install(gateway, apt=True)
    assert asked(calls)[-1] == ["apt-get", "install", "-y", "-q", "--no-install-recommends", "away"]


def test_pip_packages_have_an_environment_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its programs come first in PATH. A real one, of a package that is made here, from no registry."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel = tmp_path / "small_gateway-1.5-py3-none-any.whl"
    about = "small_gateway-1.5.dist-info"
    files = {
        "small_gateway.py": "def main(): print('here')\n",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: small-gateway\nVersion: 1.5\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": "[console_scripts]\nsmall-gateway = small_gateway:main\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    done = packages.install(wanting(tmp_path, 'pip = ["small-gateway==1.5"]'))
    assert done.version == "1.5"
    assert (Path(done.path.split(os.pathsep)[0]) / "small-gateway").is_file()
