"""A gateway in a container of its image, through the engine's API; for machines that reach an image registry."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker.errors

from harness.clients.docker import LABEL, engine, has, pull
from harness.errors import EndpointError, UsageError
from harness.gateways import waiting
from harness.gateways.description import Gateway, Image
from harness.gateways.placeholders import filled, first_values
from harness.gateways.process import STOP_SECONDS, safe

_GONE = (docker.errors.DockerException, OSError)
_TAIL = 20


def missing(gateway: Gateway) -> str:
    """Why a gateway cannot be run as a container here, or ""."""
    if gateway.image is None:
        return "it has no image"
    return "" if engine() is not None else "no container engine answers"


class Container:
    """The container of a gateway; as `Launch`.

    Attributes:
        values: what stands for the placeholders.
        restarts: 0; a container is not started again.
    """

    def __init__(self, gateway: Gateway, image: Image, logs: Path) -> None:
        self.values = first_values(gateway) | {"folder": "/tmp", "jar": ""}  # noqa: S108 - inside the container
        self.restarts = 0
        self._gateway, self._image = gateway, image
        self._log = logs / "container.log"
        self._name = f"{LABEL}-{os.getpid()}-{secrets.token_hex(6)}"
        self._api: Any = engine()

    def start(self) -> None:
        """Make and start it, and wait for the gateway.

        Raises:
            EndpointError: any of that failed, or took too long.
        """
        try:
            self._start()
        except (EndpointError, UsageError, *_GONE) as error:
            raise EndpointError(f"gateway {self._gateway.name}, image {self._image.name}: {safe(str(error))}") from None

    def _start(self) -> None:
        image = self._image
        ports = {image.port: ("127.0.0.1", int(self.values["port"]))} | {
            each: ("127.0.0.1", each) for each in image.also
        }
        if not has(image.name) and (why := pull(image.name)):
            raise EndpointError(f"cannot be pulled: {why}")
        self._api.create_container(
            image.name,
            command=self._words(image.command) or None,
            name=self._name,
            environment={name: self._filled(text) for name, text in image.environment.items()},
            labels={LABEL: str(os.getpid())},
            ports=list(ports),
            host_config=self._api.create_host_config(port_bindings=ports, init=True),
        )
        self._api.put_archive(
            self._name, "/", _packed({path: self._filled(text) for path, text in image.files.items()})
        )
        self._api.start(self._name)
        waiting.until(self._filled(image.wait), image.seconds, self._look)
        for words in image.after:
            self._run(self._words(words))

    def tend(self) -> str:
        """How it ended, "" while it runs."""
        state = self._api.inspect_container(self._name)["State"]
        return "" if state["Running"] else f"its container ended with exit code {state['ExitCode']}: {self._said()}"

    def stop(self) -> None:
        """Keep what it wrote, and remove it."""
        with contextlib.suppress(*_GONE):
            self._log.write_bytes(self._api.logs(self._name))
        try:
            with contextlib.suppress(*_GONE):
                self._api.stop(self._name, timeout=int(STOP_SECONDS))
        finally:
            with contextlib.suppress(*_GONE):
                self._api.remove_container(self._name, force=True, v=True)

    def version(self) -> str:
        """The image's tag."""
        return self._image.name.rpartition(":")[2]

    def _look(self) -> None:
        if ended := self.tend():
            raise EndpointError(ended)

    def _said(self) -> str:
        lines = self._api.logs(self._name, tail=_TAIL).decode("utf-8", "replace").splitlines()
        return next((text for line in reversed(lines) if (text := safe(line))), "it wrote nothing")

    def _run(self, words: list[str]) -> None:
        made = self._api.exec_create(self._name, words)
        said = self._api.exec_start(made["Id"]).decode("utf-8", "replace")
        code = self._api.exec_inspect(made["Id"])["ExitCode"]
        if code:
            raise EndpointError(f"{words[0]} ended with exit code {code}: {said}")

    def _filled(self, text: str) -> str:
        return filled(text, self.values)

    def _words(self, words: list[str]) -> list[str]:
        return [self._filled(word) for word in words]


def _packed(files: dict[str, str]) -> bytes:
    """An archive of text files by absolute path."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode = len(text.encode()), 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@contextmanager
def contained(gateway: Gateway, logs: Path) -> Iterator[Container]:
    """A gateway in a container that lives as long as the block.

    Raises:
        UsageError: it has no image, or there is no engine.
        EndpointError: it did not start.
    """
    reason = missing(gateway)
    if gateway.image is None or reason:
        raise UsageError(f"gateway {gateway.name} cannot run as a container here: {reason}")
    logs.mkdir(parents=True, exist_ok=True)
    container = Container(gateway, gateway.image, logs)
    try:
        container.start()
        yield container
    finally:
        container.stop()
