"""Real S3 clients behind one shape. Each is imported only when a run uses it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.clients.base import Client
    from harness.clients.program import ProgramClient
    from harness.clients.runner import Runner
    from harness.config import Endpoint
    from harness.record import ClientInfo
    from harness.wire.wiretap import Wiretap

DRIVERS = {
    "raw": ("raw", "RawClient"),
    "boto3": ("boto3", "Boto3Client"),
    "jssdk": ("jssdk", "JsSdk"),
    "awscli": ("awscli", "AwsCli"),
    "rclone": ("rclone", "Rclone"),
    "s5cmd": ("s5cmd", "S5cmd"),
    "s3cmd": ("s3cmd", "S3cmd"),
    "mc": ("mc", "Mc"),
}
"""Module and class of each driver, in the order of columns."""

CLIENTS = tuple(DRIVERS)
"""Every client there is a driver for, in the order of columns."""

CALLERS = ("raw", "boto3", "jssdk", "awscli")
"""Clients with a call for every operation; the others have commands, and ask in their own way."""

LIBRARIES = ("raw", "boto3", "jssdk")
"""Those of them that cost no process: for statements about parameters and answers that only programs see."""

INPROCESS = frozenset({"raw", "boto3"})
"""Clients that are libraries of this process."""

PROGRAMS = frozenset(CLIENTS) - INPROCESS - {"jssdk"}
"""Clients that start a process for every call; the SDK for JavaScript has one process for all."""


def driver(name: str) -> Any:
    """The class of a driver."""
    module, attribute = DRIVERS[name]
    return getattr(importlib.import_module(f"harness.clients.{module}"), attribute)


def make(info: ClientInfo, endpoint: Endpoint, settings: Mapping[str, str], tap: Wiretap) -> Client:
    """A client of a run, ready for the endpoint.

    Args:
        info: which client, at which version, and how it is run.
        endpoint: where it is to send.
        settings: what it is to be configured with beside that, as the gateway tells its users.
        tap: what records it; `raw` records itself.
    """
    chosen = driver(info.name)
    if info.name == "raw":
        client: Client = chosen(endpoint)
    elif info.name == "boto3":
        client = chosen(endpoint, settings, tap)
    elif info.name == "jssdk":
        client = chosen(endpoint, settings, tap, info.program)
    else:
        client = chosen(endpoint, settings, tap, _runner(info, chosen, tap), info.version)
    return client


def _runner(info: ClientInfo, program: type[ProgramClient], tap: Wiretap) -> Runner:
    """What runs a client program."""
    if info.image:
        from harness.clients.docker import DockerRunner

        shared = [tap.ca_bundle] if tap.ca_bundle else []
        return DockerRunner(info.image, program.idle, shared, isolated=info.runner == "docker-run")
    from harness.clients.local import LocalRunner

    return LocalRunner(info.program)
