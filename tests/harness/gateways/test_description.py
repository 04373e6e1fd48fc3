"""Descriptions: those that come with the program are whole, and every mistake is one clear line with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import profile
from harness.errors import UsageError
from harness.gateways import description
from harness.gateways.placeholders import filled
from tests.harness.gateways.making import HEAD, SERVE, described

REGISTRIES = re.compile(
    r"pypi|npmjs|proxy\.golang|crates\.io|maven\.org|debian\.org|docker\.io|ghcr|quay", re.IGNORECASE
)


@pytest.mark.parametrize("name", description.names())
def test_shipped_description_is_whole(name: str) -> None:
    """It loads, its profile is there, and it says which version of each package it is about."""
    found = description.load(name)
    assert found.name == name
    profile.load(found.profile)
    assert found.homepage.startswith("https://")
    assert found.licence
    assert all(re.search(r"==|@|:", way) for names in pinned(found) for way in names[:1])


def pinned(found: description.Gateway) -> list[list[str]]:
    """The packages of a description by registry, but for those of Debian, which come with it."""
    return [names for way, names in found.install.packages.items() if way != "debian"]


@pytest.mark.parametrize("name", description.names())
def test_shipped_description_names_no_registry(name: str) -> None:
    """Which registry is asked is a setting of the machine."""
    text = (description.FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    assert REGISTRIES.findall(text) == []


def test_gateways_that_people_have_are_described() -> None:
    """The ones that were promised."""
    wanted = {"moto", "rclone", "s3rver", "localstack", "minio", "versitygw", "seaweedfs", "garage", "aistore"}
    assert wanted | {"s3mock", "s3proxy", "swift", "ceph-rgw"} <= set(description.names())


MISTAKES = {
    "key": (HEAD.replace("licence", "license") + SERVE, ", line 5: Object", "`license`; did you mean 'licence'?"),
    "missing": (HEAD.replace('title = "Small"', "") + SERVE, "missing required field `title`"),
    "way": (HEAD + 'pipp = ["x"]' + SERVE, ", line 8: Object", "`pipp` at install; did you mean 'pip'?"),
    "no version": (HEAD + 'go = ["example.org/x"]' + SERVE, "'example.org/x' names no version: PACKAGE@VERSION"),
    "artifact": (HEAD + 'maven = ["a:b"]' + SERVE, "'a:b' is not GROUP:ARTIFACT:VERSION[:CLASSIFIER] at install"),
    "python": (HEAD + 'python = "2"' + SERVE, "'2' is no version of Python"),
    "two kinds": (HEAD + '[[steps]]\nwrite = "a"\nrun = ["b"]', "exactly one of write, run, start, wait at steps.0"),
    "no kind": (HEAD + SERVE + "[[steps]]\nseconds = 5.0", "exactly one of write, run, start, wait at steps.1"),
    "foreign": (HEAD + '[[steps]]\nrun = ["b"]\ntext = "x"', "'text' does not belong to a step with 'run'"),
    "seconds": (HEAD + '[[steps]]\nrun = ["b"]\nseconds = 0', "'seconds' must be more than 0"),
    "outside": (HEAD + '[[steps]]\nwrite = "../x"', "'../x' is not a file below"),
    "absolute": (HEAD + '[[steps]]\nwrite = "/etc/x"', "'/etc/x' is not a file below"),
    "wait": (HEAD + '[[steps]]\nwait = "http://example.org/"', "'http://example.org/' cannot be waited for"),
    "group": (HEAD + '[[steps]]\nrun = ["b"]\nkeep = "k"\npattern = "x"', "'x' has no group"),
    "pattern": (HEAD + '[[steps]]\nrun = ["b"]\nkeep = "k"\npattern = "("', "is no regular expression"),
    "placeholder": (
        HEAD + SERVE.replace("{port}", "{prot}"),
        "step 1: unknown placeholder 'prot': did you mean 'port'?",
    ),
    "too early": (HEAD + SERVE + '[[steps]]\nrun = ["{k}"]\n[[steps]]\nrun = ["b"]\nkeep = "k"', "step 2: ", "'k'"),
    "taken": ('ports = ["folder"]' + HEAD + SERVE, "'folder' cannot be the name of a port"),
    "endpoint": ('endpoint = "http://10.0.0.1:{port}"' + HEAD + SERVE, "is not at {port} of this machine"),
    "nothing starts": (HEAD + '[[steps]]\nrun = ["b"]', "needs a step that starts something"),
    "nothing at all": (HEAD.partition("[install]")[0], "there is neither a step nor an image"),
    "image file": (HEAD + SERVE + '[image]\nname = "x"\nport = 1\nfiles = { "a" = "" }', "'a' is no absolute path"),
    "name": (HEAD.replace('"small"', '"Small"') + SERVE, "'Small' is no name"),
    "other name": (HEAD.replace('"small"', '"other"') + SERVE, "its name is 'other'; it must be that of the file"),
    "toml": ("name = ", "Invalid value"),
    "number": (HEAD + SERVE + "[options]\nworkers = 1.5", "Expected `int | null`, got `float` at options.workers"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_one_line(mistake: str, tmp_path: Path) -> None:
    """It says which file, what is wrong, and where."""
    text, *wanted = MISTAKES[mistake]
    with pytest.raises(UsageError) as caught:
        described(tmp_path, text)
    said = str(caught.value)
    assert "\n" not in said
    assert all(part in said for part in [str(tmp_path / "small.toml"), *wanted]), said


def test_gateway_that_is_not_known_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown gateway 'motto': did you mean 'moto'"):
        description.load("motto")
    with pytest.raises(UsageError, match=r"cannot read gateway nowhere/x\.toml: No such file"):
        description.load("nowhere/x.toml")


def test_braces_that_are_no_placeholders_are_text(tmp_path: Path) -> None:
    """JSON and shell variables can stand in files; a literal {name} is written {{name}}."""
    step = '[[steps]]\nwrite = "a.json"\ntext = \'{"a": {}, "b": "${HOME} {{port}}"}\'\n'
    found = described(tmp_path, HEAD + step + SERVE)
    assert filled(found.steps[0].text, {"port": "1"}) == '{"a": {}, "b": "${HOME} {port}"}'
