"""Client programs against the reference server; a program that is not installed skips its tests."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.clients.awscli import AwsCli
from harness.clients.raw import RawClient
from harness.clients.rclone import Rclone
from harness.config import Endpoint
from harness.wire.sigv4 import Credentials
from tests import support
from tests.harness.clients.making import opened

_numbers = itertools.count()


def endpoint_of(server: support.Server) -> Endpoint:
    """The reference server as an endpoint."""
    return Endpoint(server.endpoint, Credentials(server.access_key, server.secret_key), server.region, timeout=10)


@pytest.fixture(scope="module")
def rclone(server: support.Server) -> Iterator[Rclone]:
    """The real rclone, for all tests of a module."""
    client = opened("rclone", endpoint_of(server))
    yield client
    client.close()


@pytest.fixture(scope="module")
def awscli(server: support.Server) -> Iterator[AwsCli]:
    """The real AWS CLI, for all tests of a module."""
    client = opened("awscli", endpoint_of(server))
    yield client
    client.close()


@pytest.fixture(scope="module")
def witness(server: support.Server) -> Iterator[RawClient]:
    """Raw HTTP, to prepare and to look."""
    client = RawClient(endpoint_of(server))
    yield client
    client.close()


@pytest.fixture
def bucket(witness: RawClient) -> str:
    """An empty bucket of the test's own."""
    name = f"programs-{os.getpid()}-{next(_numbers)}"
    assert witness.call("CreateBucket", {"Bucket": name}).ok
    return name


@pytest.fixture
def ask(answering: Any, client: Any) -> Callable[..., Any]:
    """One operation against an endpoint that gives these answers, by the `client` of the module that asks."""

    def call(operation: str, params: dict[str, Any], *answers: Any) -> Any:
        return client(answering(*answers).url).call(operation, params)

    return call
