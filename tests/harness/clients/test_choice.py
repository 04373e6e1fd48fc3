"""Which clients a run has, and how each is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.clients import CLIENTS, choice, docker, local
from harness.clients.choice import Wish
from harness.errors import UsageError
from harness.record import ClientInfo


def choose(names: list[str], *wishes: str, runner: Any = "local") -> list[ClientInfo]:
    return choice.choose(names, [choice.wish(text) for text in wishes], runner, lambda _: None)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of rclones that tell a version, the only programs there are."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(local.sys, "executable", str(tmp_path / "beside" / "python"))
    (tmp_path / "beside").mkdir()
    local.version.cache_clear()
    return tmp_path


def rclone(path: Path, version: str) -> str:
    path.write_text(f"#!/bin/sh\necho rclone v{version}\n")
    path.chmod(0o755)
    return str(path)


def test_wishes_are_read() -> None:
    """A client, a way, and perhaps a path or an image, which may have colons."""
    assert choice.wish("rclone=local") == Wish("rclone", "local", "")
    assert choice.wish("rclone=docker:rclone/rclone:1.66") == Wish("rclone", "docker", "rclone/rclone:1.66")
    assert choice.wish("awscli=docker-run:host:5000/a:1") == Wish("awscli", "docker-run", "host:5000/a:1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rclown=local", "did you mean 'rclone'"),
        ("rclone", "say how to run it, as rclone=local or rclone=docker:IMAGE"),
        ("rclone=podman", "say how to run it"),
        ("rclone=inprocess", "rclone runs local, docker, docker-run"),
        ("boto3=docker", "boto3 runs inprocess"),
        ("boto3=inprocess:/x", "has no other path"),
    ],
)
def test_wishes_that_cannot_be_granted_are_usage_errors(text: str, told: str) -> None:
    """One line that says what would do."""
    with pytest.raises(UsageError, match=told):
        choice.wish(text)


def test_clients_stand_in_the_order_of_columns() -> None:
    """Whatever order they were asked for in."""
    assert [info.name for info in choose(["boto3", "raw"])] == ["raw", "boto3"]
    assert [info.runner for info in choose(["boto3", "raw"])] == ["inprocess", "inprocess"]


def test_the_program_on_the_path_comes_before_the_packaged_one(program: Path) -> None:
    """And one that does not run is passed over."""
    own, packaged = rclone(program / "rclone", "1.60.0"), rclone(program / "beside" / "rclone", "1.75.2")
    assert choose(["rclone"]) == [ClientInfo("rclone", "1.60.0", "local", program=own)]
    Path(own).write_text("#!/nowhere\n")
    local.version.cache_clear()
    assert choose(["rclone"]) == [ClientInfo("rclone", "1.75.2", "local", program=packaged)]


def test_absence_is_told_with_what_to_do(program: Path) -> None:
    """Nothing is left behind by looking."""
    (info,) = choose(["rclone"])
    assert info.missing == "rclone is not installed (pip install 's3-conformance[clients]')"
    broken = rclone(program / "rclone", "")
    (info,) = choose(["rclone"])
    assert info.missing == f"{broken} does not run (pip install 's3-conformance[clients]')"


def test_several_versions_are_several_columns(program: Path) -> None:
    """By version where that tells them apart, else also by runner, else by number."""
    old, new = rclone(program / "old", "1.66.0"), rclone(program / "new", "1.75.2")
    both = choose(["raw", "rclone"], f"rclone=local:{old}", f"rclone=local:{new}")
    assert [info.label for info in both] == ["raw", "rclone-1.66.0", "rclone-1.75.2"]
    assert [info.name for info in both] == ["raw", "rclone", "rclone"]
    twice = choose(["rclone"], f"rclone=local:{old}", f"rclone=local:{old}")
    assert [info.label for info in twice] == ["rclone-1.66.0-local", "rclone-1.66.0-local-2"]
    assert len({info.label for info in choose(["rclone"], *[f"rclone=local:{old}"] * 5)}) == 5


def test_containers_are_taken_where_an_engine_has_the_image(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto`: the image that is there, else the one that comes, else the local program; `docker`: nothing else."""
    here = rclone(program / "rclone", "1.60.0")
    images, pulls = set[str](), list[str]()
    monkeypatch.setattr(docker, "engine", object)
    monkeypatch.setattr(docker, "has", lambda image: image in images)
    monkeypatch.setattr(docker, "version", lambda *_: ("1.75.2", ""))

    def pull(image: str) -> str:
        pulls.append(image)
        return "" if image in images else "no such registry"

    monkeypatch.setattr(docker, "pull", pull)
    image = "rclone/rclone:1.75.2"
    assert choose(["rclone"], runner="auto") == [ClientInfo("rclone", "1.60.0", "local", program=here)]
    (info,) = choose(["rclone"], runner="docker")
    assert info.missing == f"{image} is not here and cannot be pulled: no such registry"
    assert pulls == [image, image]
    images.add(image)
    assert choose(["rclone"], runner="auto") == [ClientInfo("rclone", "1.75.2", "docker", image)]
    assert choose(["rclone"], runner="local")[0].runner == "local"
    assert [info.label for info in choose(["rclone"], f"rclone=docker:{image}", "rclone=local")] == [
        "rclone-1.75.2",
        "rclone-1.60.0",
    ]


def test_without_an_engine_containers_are_missing(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` takes what is local; who wants a container is told why there is none."""
    here = rclone(program / "rclone", "1.60.0")
    monkeypatch.setattr(docker, "engine", lambda: None)
    assert choose(["rclone"], runner="auto")[0].program == here
    assert choose(["rclone"], runner="docker")[0].missing == "no container engine answers"
    assert choose(["rclone"], "rclone=docker:a b")[0].missing == "'a b' is not the name of an image"


def test_every_client_can_be_looked_for() -> None:
    """Each tells its version, or why it is missing; none breaks."""
    infos = choose(list(CLIENTS))
    assert [info.name for info in infos] == list(CLIENTS)
    assert all(bool(info.version) != bool(info.missing) for info in infos)
    assert {info.name for info in infos if info.runner == "inprocess"} == {"raw", "boto3"}
