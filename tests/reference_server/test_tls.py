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
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from reference_server import tls
from reference_server.app import App
from reference_server.server import Server
from reference_server.store import Store
from reference_server.wire import Answer, Limits
from tests.reference_server.scripted import Scripted, echo, read_all, read_one, text
from tests.reference_server.test_command import finish, started

OWNER = ("OWNERKEY", "owner-secret")
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def authority() -> tls.Authority:
    return tls.Authority("127.0.0.1", ["s3.example.com"])


@pytest.fixture(scope="module")
def bundle(authority: tls.Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tls.write_bundle(tmp_path_factory.mktemp("ca"), authority.bundle)


@contextmanager
def serving(authority: tls.Authority, answer: Any = lambda *_: text(b"ok"), **limits: Any) -> Iterator[Server]:
    """A server around a function."""
    server = Server(Scripted(answer), limits=Limits(**limits), debug=True, ssl_context=authority.context)
    server.start()
    try:
        yield server
    finally:
        server.stop()


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


def trusting(pem: bytes) -> ssl.SSLContext:
    """A client's settings: trusts this authority alone and is as strict as the newest Python."""
    context = ssl.create_default_context(cadata=pem.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def connect(server: Server, authority: tls.Authority, name: str = "127.0.0.1") -> ssl.SSLSocket:
    """A verified connection on which a missing goodbye is an error."""
    sock = socket.create_connection((server.host, server.port), timeout=5)
    try:
        context = trusting(authority.bundle)
        return context.wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False)
    except OSError:
        sock.close()
        raise


# Names


@pytest.mark.parametrize(
    "name",
    [
        *("localhost", "127.0.0.1", "::1", "bucket.localhost", "my.bucket.localhost", "bucket.s3-website.localhost"),
        *("s3.example.com", "bucket.s3.example.com", "my.bucket.S3.example.com"),
    ],
)
def test_the_certificate_is_good_for_every_name_of_the_server(
    secured: Server, authority: tls.Authority, name: str
) -> None:
    with connect(secured, authority, name) as sock:
        sock.sendall(REQUEST)
        assert read_one(sock)[0].startswith(b"HTTP/1.1 403")  # nobody signed it, but it has arrived


@pytest.mark.parametrize("name", ["elsewhere.example.com", "s3.example.com.evil", "notlocalhost", "127.0.0.2"])
def test_and_for_no_other(secured: Server, authority: tls.Authority, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        connect(secured, authority, name)


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "files.example.net"])
def test_the_bound_address_is_a_name_too(host: str) -> None:
    own = tls.Authority(host)
    with serving(own) as server, connect(server, own, host) as sock:
        sock.sendall(REQUEST)
        assert read_one(sock)[1] == b"ok"


def test_a_client_that_names_nobody_gets_the_wildcard_names(secured: Server, authority: tls.Authority) -> None:
    context = trusting(authority.bundle)
    context.check_hostname = False
    with (
        socket.create_connection((secured.host, secured.port), timeout=5) as plain,
        context.wrap_socket(plain) as sock,
    ):
        certificate = sock.getpeercert()
    assert certificate is not None
    names = {value for _, value in certificate["subjectAltName"]}  # type: ignore[union-attr, misc]
    assert {"*.localhost", "*.s3.example.com", "*.s3-website.localhost", "127.0.0.1", "localhost"} <= names


def hello(authority: tls.Authority, name: str, sent: bytes) -> bytes:
    """The first message of a handshake, with another name of the same length written into it."""
    out = ssl.MemoryBIO()
    client = trusting(authority.bundle).wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    message = out.read()
    assert name.encode() in message
    return message.replace(name.encode(), sent)


@pytest.mark.parametrize("sent", [b"a_aaaaaa.localhost", b"aa..aaaa.localhost", b"-aaaaaaa.localhost"])
def test_what_can_stand_in_no_certificate_gets_the_ordinary_one(
    secured: Server, authority: tls.Authority, sent: bytes
) -> None:
    with socket.create_connection((secured.host, secured.port), timeout=5) as sock:
        sock.sendall(hello(authority, "aaaaaaaa.localhost", sent))
        assert sock.recv(1) == b"\x16"  # a handshake message, no alert


def test_http_1_1_is_what_is_agreed_on(secured: Server, authority: tls.Authority) -> None:
    for name in ("127.0.0.1", "bucket.localhost"):
        context = trusting(authority.bundle)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection((secured.host, secured.port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=name) as sock,
        ):
            assert sock.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("name", ["s3_x.example.com", "", "a..b", "s3.example.com:9000", "x" * 64])
def test_a_domain_that_can_stand_in_no_certificate_is_named(name: str) -> None:
    with pytest.raises(tls.CertificateError) as refused:
        tls.Authority("127.0.0.1", [name])
    assert str(refused.value).startswith(f"cannot make a certificate for {name!r}: ")


# Manners


def test_requests_follow_each_other_and_the_end_is_announced(authority: tls.Authority) -> None:
    """A client that insists on the goodbye can tell a whole stream from one that was cut."""
    with serving(authority, echo) as server, connect(server, authority) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"x" * 100_000 + b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert read_one(sock)[1] == b"x" * 100_000
        assert b"\r\nConnection: close" in read_all(sock)


def test_a_cut_answer_is_not_announced_as_whole(authority: tls.Authority) -> None:
    def cut(*_: object) -> Answer:
        return Answer(200, [("Content-Length", "10")], iter([b"half "]), 10)

    with serving(authority, cut) as server, connect(server, authority) as sock:
        sock.sendall(REQUEST)
        with pytest.raises(ssl.SSLEOFError):
            read_all(sock)


def test_a_client_that_has_said_goodbye_still_gets_its_answer(authority: tls.Authority) -> None:
    with serving(authority) as server, connect(server, authority) as sock:
        sock.sendall(REQUEST)
        sock.settimeout(0)
        with pytest.raises(ssl.SSLWantReadError):  # ours is sent, the server's has not come yet
            sock.unwrap()
        sock.settimeout(5)
        assert read_one(sock)[1] == b"ok"
        with pytest.raises(ssl.SSLZeroReturnError):  # Python's word for both having said goodbye
            sock.recv(1)


def test_an_answer_to_a_large_refused_body_arrives_whole(authority: tls.Authority) -> None:
    with serving(authority) as server, connect(server, authority) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000)
        assert read_all(sock).endswith(b"\r\n\r\nok")


def test_a_client_that_takes_record_after_record_is_given_up(authority: tls.Authority) -> None:
    """The time is for all that is sent at once, as with plain sockets, and does not begin anew with each record."""
    ended = threading.Event()
    answer = Answer(200, body=b"x" * 100_000_000, done=ended.set)
    with serving(authority, lambda *_: answer, idle=0.5) as server, connect(server, authority) as sock:
        sock.sendall(REQUEST)
        end = time.monotonic() + 3
        while time.monotonic() < end and not ended.wait(0.001):
            with suppress(ssl.SSLError):
                sock.recv(16384)
        assert ended.is_set()


def test_connections_beyond_the_limit_are_told_so(authority: tls.Authority) -> None:
    with serving(authority, connections=1) as server, connect(server, authority) as first:
        first.sendall(REQUEST)
        assert read_one(first)[1] == b"ok"
        with connect(server, authority) as second:
            assert read_all(second).startswith(b"HTTP/1.1 503 ")


def test_a_stop_waits_for_nobody_and_says_goodbye(authority: tls.Authority) -> None:
    server = Server(Scripted(lambda *_: text(b"ok")), debug=True, ssl_context=authority.context)
    server.start()
    with connect(server, authority) as idle, socket.create_connection((server.host, server.port)) as silent:
        idle.sendall(REQUEST)
        assert read_one(idle)[1] == b"ok"
        silent.sendall(b"\x16\x03\x01")
        time.sleep(0.1)  # until the server waits for both
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 0.7
        assert idle.recv(1) == b""


@pytest.mark.parametrize(
    "data",
    [
        REQUEST,
        b"",
        b"\x16\x03\x01\x02\x00",
        b"\x16\x03\x01\x00\x02\x01\x00",
        b"\x80\x2e\x01\x00\x02",
        bytes(range(0, 256, 7)) * 20,
    ],
)
def test_what_is_no_handshake_costs_its_own_connection_only(
    authority: tls.Authority, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        serving(authority, handshake=0.3) as server,
        socket.create_connection((server.host, server.port), timeout=5) as sock,
    ):
        sock.sendall(data)
        if not data:
            sock.shutdown(socket.SHUT_WR)
        with connect(server, authority) as other:  # while the first one is still waited for
            other.sendall(REQUEST)
            assert read_one(other)[1] == b"ok"
        with suppress(ConnectionError):
            assert b"HTTP" not in read_all(sock)
    assert capsys.readouterr() == ("", "")


def test_a_handshake_that_only_trickles_is_given_up(authority: tls.Authority) -> None:
    message = hello(authority, "localhost", b"localhost")
    with (
        serving(authority, handshake=0.3) as server,
        socket.create_connection((server.host, server.port), timeout=5) as sock,
    ):
        started = time.monotonic()
        with suppress(OSError):
            for byte in message[:100]:
                sock.sendall(bytes([byte]))
                time.sleep(0.02)
        assert time.monotonic() - started < 1.5


# The command line


def facts_of(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    facts: dict[str, str] = json.loads(process.stdout.readline())
    return facts


def test_serve_prints_the_bundle_and_takes_it_away_at_the_end() -> None:
    with started("--tls", "--json", "--until-eof") as process:
        facts = facts_of(process)
        assert list(facts) == ["endpoint", "access_key", "secret_key", "region", "ca_bundle"]
        assert facts["endpoint"].startswith("https://127.0.0.1:")
        bundle = Path(facts["ca_bundle"])
        assert stat.S_IMODE(bundle.stat().st_mode) == 0o644
        assert sorted(entry.name for entry in bundle.parent.iterdir()) == [".in-use", "ca.pem"]
        client = trusting(bundle.read_bytes())
        address = ("127.0.0.1", int(facts["endpoint"].rpartition(":")[2]))
        with (
            socket.create_connection(address, timeout=5) as plain,
            client.wrap_socket(plain, server_hostname="bucket.localhost") as idle,
            socket.create_connection(address, timeout=5),
        ):
            idle.sendall(REQUEST)
            assert read_one(idle)[0].startswith(b"HTTP/1.1 403")
            process.send_signal(signal.SIGINT)
            output, errors, seconds = finish(process)
        assert (process.returncode, output, errors) == (0, "", "")
        assert seconds < 2
        assert not bundle.parent.exists()


def test_serve_keeps_the_bundle_with_the_data(tmp_path: Path) -> None:
    bundles = []
    for _ in range(2):
        with started("--tls", "--json", "--until-eof", "--data", str(tmp_path)) as process:
            facts = facts_of(process)
            bundles.append(Path(facts["ca_bundle"]).read_bytes())
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(5) == 0
    assert facts["ca_bundle"] == str(tmp_path / "ca.pem")
    assert bundles[0] != bundles[1] == (tmp_path / "ca.pem").read_bytes()
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".ca")]  # noqa: PTH208 - names are enough


def test_what_a_killed_server_leaves_is_removed_by_the_next() -> None:
    with started("--tls", "--json", "--until-eof") as process:
        left = Path(facts_of(process)["ca_bundle"])
        with started("--tls", "--json", "--until-eof") as other:
            facts_of(other)
            assert left.exists()
        process.kill()
        process.wait(5)
        with started("--json", "--until-eof") as last:
            facts_of(last)
            assert not left.parent.exists()


def test_serve_tells_people_where_the_bundle_is() -> None:
    with started("--tls", "--until-eof") as process:
        assert process.stdout is not None
        lines = dict(process.stdout.readline().split(maxsplit=1) for _ in range(5))
        assert lines["endpoint"].startswith("https://")
        assert lines["ca"].startswith("bundle ")
        assert Path(lines["ca"].removeprefix("bundle ").strip()).is_file()


def test_serve_refuses_a_domain_that_can_have_no_certificate() -> None:
    with started("--tls", "--until-eof", "--domain", "s3_x.example.com") as process:
        output, errors, _ = finish(process)
    assert (process.returncode, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("s3conform serve: cannot make a certificate for 's3_x.example.com': ")


def test_serve_is_silent_about_names_that_are_not_ascii(authority: tls.Authority) -> None:
    """Python itself prints a traceback for each."""
    with started("--tls", "--json", "--until-eof") as process:
        port = int(facts_of(process)["endpoint"].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(hello(authority, "aaaaaaaa.localhost", b"aa\xff\xfeaaaa.localhost"))
            with suppress(ConnectionError):
                read_all(sock)
        process.send_signal(signal.SIGINT)
        assert finish(process)[:2] == ("", "")


def test_serve_loads_nothing_of_this_without_being_asked() -> None:
    code = (
        "import sys; from reference_server.command import main\n"
        "assert main(['--until-eof']) == 0\n"
        "print({'reference_server.tls', 'trustme', 'cryptography'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout.splitlines()[-1]) == (0, "", "set()")


# Clients as people use them


@pytest.fixture
def client(secured: Server, bundle: Path) -> Iterator[Any]:
    with closing(s3(secured.endpoint, bundle, "path")) as one:
        yield one


def s3(endpoint: str, bundle: Path, addressing: str) -> Any:
    config = Config(s3={"addressing_style": addressing}, retries={"total_max_attempts": 1}, signature_version="s3v4")
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=OWNER[0],
        aws_secret_access_key=OWNER[1],
        region_name="us-east-1",
        verify=str(bundle),
        config=config,
    )


def program(name: str) -> str:
    """Where a client program is: beside this Python, or anywhere."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return found or pytest.skip(f"{name} is not installed")


def run(*command: str, home: Path, send: bytes = b"", **environment: str) -> bytes:
    """What a program prints; it must succeed and knows nothing of this machine's settings."""
    own = {"PATH": os.environ["PATH"], "HOME": str(home), **environment}
    done = subprocess.run(command, input=send, capture_output=True, env=own, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_boto3_moves_large_objects(client: Any, tmp_path: Path) -> None:
    data = os.urandom(11 * 1024**2)
    (tmp_path / "up").write_bytes(data)
    client.create_bucket(Bucket="boto3-large")
    parts = TransferConfig(multipart_threshold=5 * 1024**2, multipart_chunksize=5 * 1024**2)
    client.upload_file(str(tmp_path / "up"), "boto3-large", "key", Config=parts)
    client.download_file("boto3-large", "key", str(tmp_path / "down"), Config=parts)
    assert (tmp_path / "down").read_bytes() == data


def test_boto3_speaks_to_buckets_as_hosts(secured: Server, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more: resolve("127.0.0.1" if host.endswith(".localhost") else host, *more),
    )
    hosts: list[str] = []
    with closing(s3(f"https://localhost:{secured.port}", bundle, "virtual")) as client:
        client.meta.events.register("before-send.s3", lambda request, **_: hosts.append(request.url))
        client.create_bucket(Bucket="boto3-virtual")
        client.put_object(Bucket="boto3-virtual", Key="a/b c", Body=b"by host")
        assert client.get_object(Bucket="boto3-virtual", Key="a/b c")["Body"].read() == b"by host"
    assert hosts[1].startswith("https://boto3-virtual.localhost:")


def test_curl_takes_presigned_urls(client: Any, secured: Server, bundle: Path, tmp_path: Path) -> None:
    client.create_bucket(Bucket="curl-tls")
    client.put_object(Bucket="curl-tls", Key="key", Body=b"for curl")
    by_path = client.generate_presigned_url("get_object", {"Bucket": "curl-tls", "Key": "key"})
    with closing(s3(f"https://localhost:{secured.port}", bundle, "virtual")) as virtual:
        by_host = virtual.generate_presigned_url("get_object", {"Bucket": "curl-tls", "Key": "key"})
    assert by_host.startswith("https://curl-tls.localhost:")
    host = f"curl-tls.localhost:{secured.port}:127.0.0.1"
    for url in (by_path, by_host):
        command = (program("curl"), "--silent", "--fail", "--cacert", str(bundle), "--resolve", host, url)
        assert run(*command, home=tmp_path) == b"for curl"


def test_aws_cli_trusts_the_bundle(client: Any, secured: Server, bundle: Path, tmp_path: Path) -> None:
    client.create_bucket(Bucket="awscli-tls")
    (tmp_path / "file").write_bytes(b"from the command line")
    run(
        *(
            program("aws"),
            "--endpoint-url",
            secured.endpoint,
            "s3",
            "cp",
            str(tmp_path / "file"),
            "s3://awscli-tls/key",
        ),
        home=tmp_path,
        AWS_ACCESS_KEY_ID=OWNER[0],
        AWS_SECRET_ACCESS_KEY=OWNER[1],
        AWS_DEFAULT_REGION="us-east-1",
        AWS_CA_BUNDLE=str(bundle),
    )
    assert client.get_object(Bucket="awscli-tls", Key="key")["Body"].read() == b"from the command line"


def test_rclone_trusts_the_bundle(client: Any, secured: Server, bundle: Path, tmp_path: Path) -> None:
    client.create_bucket(Bucket="rclone-tls")
    remote = {
        "TYPE": "s3",
        "PROVIDER": "Other",
        "ENDPOINT": secured.endpoint,
        "ACCESS_KEY_ID": OWNER[0],
        "SECRET_ACCESS_KEY": OWNER[1],
    }
    settings = {f"RCLONE_CONFIG_REF_{name}": value for name, value in remote.items()}
    rclone = (program("rclone"), "--ca-cert", str(bundle), "--config", "")
    run(*rclone, "rcat", "ref:rclone-tls/key", home=tmp_path, send=b"from a pipe", **settings)
    assert run(*rclone, "cat", "ref:rclone-tls/key", home=tmp_path, **settings) == b"from a pipe"
