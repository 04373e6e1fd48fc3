"""Real S3 clients behind one shape. Each is imported only when a run uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.record import ClientInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.clients.base import Client
    from harness.config import Endpoint


CLIENTS = ("raw", "boto3", "awscli", "rclone")
"""Every client there is a driver for, in the order of columns."""

CALLERS = ("raw", "boto3", "awscli")
"""Clients with a call for every operation; rclone has commands, and asks in its own way."""

PROGRAMS = frozenset({"awscli", "rclone"})
"""Clients that start a process for every call."""


def make(name: str, endpoint: Endpoint, settings: Mapping[str, str]) -> Client:
    """A client by name, ready for the endpoint; `settings` are what the gateway tells its users to configure."""
    if name == "raw":
        from harness.clients.raw import RawClient

        return RawClient(endpoint)
    if name == "boto3":
        from harness.clients.boto3 import Boto3Client

        return Boto3Client(endpoint)
    if name == "awscli":
        from harness.clients.awscli import AwsCli

        return AwsCli(endpoint)
    if name == "rclone":
        from harness.clients.rclone import Rclone

        return Rclone(endpoint, settings)
    raise ValueError(name)


def info(name: str) -> ClientInfo:
    """Which version of a client is here, or why there is none."""
    if name == "raw":
        from harness import __version__

        return ClientInfo("raw", __version__, "inprocess")
    if name == "boto3":
        from importlib.metadata import version

        return ClientInfo("boto3", version("boto3"), "inprocess")
    if name == "awscli":
        from harness.clients.awscli import AwsCli

        version_, missing = AwsCli.available()
    else:
        from harness.clients.rclone import Rclone

        version_, missing = Rclone.available()
    return ClientInfo(name, version_, "local", missing=missing)
