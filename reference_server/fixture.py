"""pytest fixtures for any project that talks to S3: a server of its own for each test, and a boto3 client for it.

Use: `pytest_plugins = ["reference_server.fixture"]` in the top `conftest.py`. The server keeps everything in memory,
listens on a free port of 127.0.0.1, and costs a few milliseconds a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from reference_server.app import App
from reference_server.server import Server
from reference_server.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

_CREDENTIALS = ("S3TESTACCESSKEY", "s3-test-secret-key")


@dataclass(frozen=True)
class S3Server:
    """A running server.

    Attributes:
        endpoint_url: its URL, as SDKs take it.
        access_key: of the one account.
        secret_key: of the one account.
        region: of every bucket.
        app: the application, for `app.behave(["DEFECT"])`.
    """

    endpoint_url: str
    access_key: str
    secret_key: str
    region: str
    app: App

    def client(self, **options: Any) -> Any:
        """A boto3 client for this server; options go to `boto3.client`."""
        import boto3  # noqa: PLC0415 - tests that use another client need not wait for it

        settings: dict[str, Any] = {
            "endpoint_url": self.endpoint_url,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "region_name": self.region,
        }
        return boto3.client("s3", **{**settings, **options})


@pytest.fixture
def s3_server_options() -> dict[str, Any]:
    """Options of `reference_server.app.App`; override it to choose a region, a personality or defects."""
    return {}


@pytest.fixture
def s3_server(s3_server_options: dict[str, Any]) -> Iterator[S3Server]:
    """An empty S3 server for this test alone."""
    store = Store()
    try:
        app = App(store, dict([_CREDENTIALS]), **s3_server_options)
        server = Server(app)
        server.start()
        try:
            yield S3Server(server.endpoint, *_CREDENTIALS, app.region, app)
        finally:
            server.stop()
    finally:
        store.close()


@pytest.fixture
def s3_client(s3_server: S3Server) -> Iterator[Any]:
    """A boto3 client for `s3_server`."""
    client = s3_server.client()
    yield client
    client.close()
