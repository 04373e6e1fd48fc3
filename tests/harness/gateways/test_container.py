"""A gateway by image against a real engine; skipped, with the reason, where there is none or not the image."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec
import pytest

from harness.clients.docker import engine, has
from harness.errors import EndpointError, UsageError
from harness.gateways import container
from harness.gateways.container import contained
from harness.gateways.description import Gateway, Image, load


@pytest.fixture
def rclone() -> Gateway:
    """A gateway whose image is here."""
    found = load("rclone")
    assert found.image is not None
    if engine() is None:
        pytest.skip("no container engine answers")
    if not has(found.image.name):
        pytest.skip(f"the engine has no image {found.image.name}")
    return found


def changed(gateway: Gateway, **parts: object) -> Gateway:
    """A gateway with other parts of its image."""
    assert gateway.image is not None
    return msgspec.structs.replace(gateway, image=msgspec.structs.replace(gateway.image, **parts))


def left() -> list[str]:
    """Names of this process's containers."""
    found = engine().containers(all=True, filters={"label": f"{container.LABEL}={container.os.getpid()}"})
    return [name for each in found for name in each["Names"]]


def test_container_answers_on_a_port_of_this_machine_and_is_gone_afterwards(rclone: Gateway, tmp_path: Path) -> None:
    """With its files, and commands that are run in it; what it wrote is kept."""
    files, after = {"/etc/deep/small.conf": "port {port}"}, [["/usr/local/bin/rclone", "cat", "/etc/deep/small.conf"]]
    with contained(changed(rclone, files=files, after=after), tmp_path) as running:
        assert running.version() == "1.75.2"
        assert running.tend() == ""
        address = ("127.0.0.1", int(running.values["port"]))
        socket.create_connection(address, 5).close()
        assert left()
    assert left() == []
    with socket.socket() as probe:
        assert probe.connect_ex(address) != 0
    assert b"Starting s3 server" in (tmp_path / "container.log").read_bytes()


FAILURES: dict[str, tuple[dict[str, object], str]] = {
    "ends": ({"command": ["nonsense"]}, 'its container ended with exit code 2: .*unknown command "nonsense"'),
    "never answers": ({"port": 4, "seconds": 1.5}, "is not there after 1.5 s"),
    "command fails": ({"after": [["/usr/local/bin/rclone", "cat", "/none"]]}, "rclone ended with exit code 3: "),
    "no image": ({"name": "s3conform.invalid/none:1"}, "cannot be pulled: "),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_container_that_does_not_start_is_told_in_one_line(rclone: Gateway, failure: str, tmp_path: Path) -> None:
    """And nothing of it stays."""
    parts, wanted = FAILURES[failure]
    told = pytest.raises(EndpointError, match=f"^gateway rclone, image .*: .*{wanted}")
    with told as caught, contained(changed(rclone, **parts), tmp_path):
        pass
    assert "\n" not in str(caught.value)
    assert left() == []


def test_without_an_engine_or_an_image_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "engine", lambda: None)
    gateway = msgspec.structs.replace(load("rclone"), image=Image(name="x:1", port=1))
    assert container.missing(gateway) == "no container engine answers"
    assert container.missing(msgspec.structs.replace(gateway, image=None)) == "it has no image"
    told = pytest.raises(UsageError, match="gateway rclone cannot run as a container here: no container engine answers")
    with told, contained(gateway, tmp_path):
        pass
