"""A real server in a thread for each worker, and two ways to talk to it: boto3 and signed raw requests."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from reference_server.app import App
from reference_server.personality import Personality
from reference_server.server import Server
from reference_server.store import Store
from reference_server.wire import Limits

OWNER = ("OWNERKEY", "owner-secret")
OTHER = ("OTHERKEY", "other-secret")
_numbers = itertools.count()


@dataclass
class Reply:
    """One response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw_headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def code(self) -> str:
        """The text of the Code element."""
        return self.element("Code")

    def element(self, name: str) -> str:
        """The text of the first element of that name; empty if there is none."""
        _, _, rest = self.body.decode().partition(f"<{name}>")
        return rest.partition(f"</{name}>")[0]

    def elements(self, name: str) -> list[str]:
        """The texts of all elements of that name."""
        return [piece.partition(f"</{name}>")[0] for piece in self.body.decode().split(f"<{name}>")[1:]]


class _Signer(S3SigV4Auth):
    """botocore's signer with a payload keyword of our choice."""

    keyword = ""

    def payload(self, request: AWSRequest) -> str:  # noqa: ARG002 - botocore's signature
        return self.keyword


class Raw:
    """Signed requests whose target and headers go out as given."""

    def __init__(self, endpoint: str, credentials: tuple[str, str], region: str = "us-east-1") -> None:
        self.address = (str(urlsplit(endpoint).hostname), int(urlsplit(endpoint).port or 80))
        self.host = f"{self.address[0]}:{self.address[1]}"
        self._credentials = credentials
        self._region = region

    def sign(
        self, method: str, target: str, headers: Mapping[str, str], payload: str, host: str | None = None
    ) -> dict[str, str]:
        """The headers with a signature over all of them."""
        host = host or self.host
        request = AWSRequest(method, f"http://{host}{target}", headers=dict(headers))
        request.headers["Host"] = host
        signer = _Signer(Credentials(*self._credentials), "s3", self._region)
        signer.keyword = payload
        signer.add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}

    def __call__(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        payload: str | None = None,
        host: str | None = None,
        length: bool = True,
        sign: bool = True,
        unsigned: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request on a connection of its own."""
        keyword = hashlib.sha256(body).hexdigest() if payload is None else payload
        sent = {"Host": host or self.host, **(headers or {})}
        if sign:
            sent = self.sign(method, target, headers or {}, keyword, host)
        if length and (body or method in ("PUT", "POST")):
            sent["Content-Length"] = str(len(body))
        sent |= unsigned or {}
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        with closing(connection):
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            data = response.read()
            headers_in = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, headers_in, data, response.getheaders())

    def bytes_of(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
        """A whole signed request as bytes, for sockets."""
        sent = self.sign(method, target, headers or {}, hashlib.sha256(body).hexdigest())
        if body:
            sent["Content-Length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + body

    def connect(self) -> socket.socket:
        """A plain connection."""
        return socket.create_connection(self.address, timeout=5)


@dataclass
class Running:
    """A server with its store."""

    endpoint: str
    store: Store
    app: App
    server: Server

    def raw(self, credentials: tuple[str, str] = OWNER) -> Raw:
        """Signed raw requests of an account."""
        return Raw(self.endpoint, credentials, self.app.region)

    def client(self, credentials: tuple[str, str] = OWNER, **config: Any) -> Any:
        """A boto3 client that never retries."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=credentials[0],
            aws_secret_access_key=credentials[1],
            region_name=self.app.region,
            config=Config(
                s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, signature_version="s3v4", **config
            ),
        )


def run(**options: Any) -> Iterator[Running]:
    """Serve until the generator is resumed."""
    limits = options.pop("limits", None)
    store = Store(options.pop("data", None), options.pop("clock", time.time))
    app = App(store, {**dict([OWNER, OTHER]), **options.pop("credentials", {})}, debug=True, **options)
    server = Server(app, limits=limits, debug=True)
    server.start()
    yield Running(server.endpoint, store, app, server)
    server.stop()
    store.close()


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """The ordinary server."""
    yield from run()


@pytest.fixture(scope="session")
def frankfurt() -> Iterator[Running]:
    """A server of another region."""
    yield from run(region="eu-central-1")


@pytest.fixture(scope="session")
def implicit() -> Iterator[Running]:
    """A server whose buckets appear with their first object."""
    yield from run(personality=Personality("implicit", implicit_buckets=True))


@pytest.fixture
def hasty() -> Iterator[Running]:
    """A server that waits for nobody."""
    yield from run(limits=Limits(head_wait=0.2, idle=0.5, linger=0.5))


@pytest.fixture(scope="session")
def raw(running: Running) -> Raw:
    """Signed raw requests of the owner."""
    return running.raw()


@pytest.fixture(scope="session")
def s3(running: Running) -> Iterator[Any]:
    """A boto3 client of the owner."""
    client = running.client()
    yield client
    client.close()


@pytest.fixture
def serve() -> Callable[..., Iterator[Running]]:
    """Starts further servers, see `run`."""
    return run


@pytest.fixture
def bucket(running: Running) -> str:
    """A bucket of the owner with a name of its own."""
    name = f"bucket-{os.getpid()}-{next(_numbers)}"
    assert running.raw()("PUT", f"/{name}").status == 200
    return name
