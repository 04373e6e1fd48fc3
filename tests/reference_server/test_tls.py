"""TLS: the certificate and its names, sockets that keep their manners, and real clients that verify."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from reference_server import tls
from reference_server.app import App
from reference_server.server import Server
from reference_server.store import Store
from reference_server.wire import Answer, Limits
from tests.reference_server.scripted import Scripted, read_all, read_one, text
from tests.reference_server.test_command import finish, started

if TYPE_CHECKING:
    from conftest import Raw

OWNER = ("OWNERKEY", "owner-secret")
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def authority() -> tls.Authority:
    return tls.Authority("127.0.0.1", ["s3.example.com"])


@pytest.fixture(scope="module")
def secured(authority: tls.Authority) -> Iterator[Server]:
    """S3 over TLS."""
    store = Store()
    app = App(store, dict([OWNER]), domains=("s3.example.com",), debug=True)
    server = Server(app, debug=True, ssl_context=authority.context)
    server.start()
    yield server
    server.stop()
    store.close()


@pytest.fixture(scope="module")
def bundle(authority: tls.Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tls.write_bundle(tmp_path_factory.mktemp("ca"), authority.bundle)


def trusting(authority: tls.Authority) -> ssl.SSLContext:
    """A client's settings: trusts this authority alone and is as strict as the newest Python."""
    context = ssl.create_default_context(cadata=authority.bundle.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def connect(
    server: Server, authority: tls.Authority, name: str = "127.0.0.1", context: ssl.SSLContext | None = None
) -> ssl.SSLSocket:
    """A verified connection on which a missing goodbye is an error."""
    sock = socket.create_connection((server.host, server.port), timeout=5)
    secured = context or trusting(authority)
    return secured.wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False)


@pytest.fixture
def raw(secured: Server) -> Raw:
    from conftest import Raw as Signed

    return Signed(secured.endpoint, OWNER)


# Names


@pytest.mark.parametrize(
    "name",
    [
        *("localhost", "127.0.0.1", "::1", "bucket.localhost", "my.bucket.localhost", "bucket.s3-website.localhost"),
        *("s3.example.com", "bucket.s3.example.com", "my.bucket.S3.example.com"),
    ],
)
def test_the_certificate_is_good_for_every_name_that_reaches_the_server(
    secured: Server, authority: tls.Authority, name: str
) -> None:
    with connect(secured, authority, name) as sock:
        sock.sendall(REQUEST)
        assert read_one(sock)[0].startswith(b"HTTP/1.1 403")  # nobody signed it, but it has arrived


@pytest.mark.parametrize("name", ["elsewhere.example.com", "s3.example.com.evil", "notlocalhost", "127.0.0.2"])
def test_and_for_no_other(secured: Server, authority: tls.Authority, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for|mismatch"):
        connect(secured, authority, name)


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "files.example.net"])
def test_the_bound_address_is_a_name_too(host: str) -> None:
    names = tls.Authority(host)
    client, server = socket.socketpair()
    with closing(server), closing(client), closing(tls.TlsSocket(server, names.context)) as ours:
        theirs = trusting(names).wrap_socket(client, server_hostname=host, do_handshake_on_connect=False)
        with closing(theirs):
            theirs.settimeout(0)
            with suppress(ssl.SSLWantReadError):
                theirs.do_handshake()
            ours.settimeout(5)
            theirs.settimeout(5)
            import threading

            thread = threading.Thread(target=theirs.do_handshake)
            thread.start()
            ours.handshake(5)
            thread.join(5)
            assert theirs.version() in ("TLSv1.2", "TLSv1.3")
