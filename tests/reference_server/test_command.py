"""The command line: a real process, started, asked, stopped."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.reference_server.conftest import Raw

ROOT = Path(__file__).parents[2]


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The server as a process; it ends with its standard input at the latest."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "reference_server", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def finish(process: subprocess.Popen[str]) -> tuple[str, str, float]:
    """What is left of both outputs, and how long the end took."""
    begun = time.monotonic()
    output, errors = process.communicate(timeout=10)
    return output, errors, time.monotonic() - begun


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_json_line_then_a_quick_stop_despite_an_idle_client(number: int) -> None:
    with started("--json", "--until-eof") as process:
        facts = json.loads(process.stdout.readline())
        assert list(facts) == ["endpoint", "access_key", "secret_key", "region"]
        host, _, port = facts["endpoint"].removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as idle:
            idle.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 403")
            process.send_signal(number)
            output, errors, seconds = finish(process)
        assert (process.returncode, output, errors) == (0, "", "")
        assert seconds < 2


def test_people_are_told_how_to_connect_and_stop() -> None:
    with started("--until-eof", "--credential", "AK:SK", "--region", "eu-west-1") as process:
        lines = [process.stdout.readline() for _ in range(5)]
        process.send_signal(signal.SIGINT)
        finish(process)
    text = "".join(lines)
    assert "http://127.0.0.1:" in text
    assert "AK\n" in text
    assert "SK\n" in text
    assert "eu-west-1" in text
    assert "Ctrl-C" in text


def test_end_of_input_stops_it() -> None:
    with started("--json", "--until-eof") as process:
        endpoint = json.loads(process.stdout.readline())["endpoint"]
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(endpoint, timeout=5)  # noqa: S310 - our own server
        refused.value.close()
        process.stdin.close()
        assert process.wait(5) == 0


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--personality", "auto-driv"], "did you mean 'auto-drive'?"),
        (["--personality", "zzzz"], "known are: aistore, auto-drive, "),
        (["--credential", "no-colon"], "ACCESS_KEY:SECRET_KEY"),
        (["--credential", "AK:one", "--credential", "AK:two"], "an access key twice"),
        (["--port", "70000"], "cannot listen on 127.0.0.1 port 70000"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--data", "/dev/null/x"], "cannot use /dev/null/x for data"),
    ],
)
def test_wrong_arguments_get_one_line_and_exit_code_2(arguments: list[str], hint: str) -> None:
    with started("--until-eof", *arguments) as process:
        output, errors, _ = finish(process)
        assert process.returncode == 2
    assert output == ""
    assert errors.count("\n") == 1
    assert errors.startswith("s3conform serve: ")
    assert hint in errors


def test_a_port_in_use_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with started("--until-eof", "--port", port) as process:
            _, errors, _ = finish(process)
            assert process.returncode == 2
    assert errors == f"s3conform serve: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_unknown_option_is_a_usage_error() -> None:
    with started("--until-eof", "--nonsense") as process:
        _, errors, _ = finish(process)
        assert process.returncode == 2
    assert "unrecognized arguments: --nonsense" in errors


def test_an_open_address_is_warned_about() -> None:
    with started("--json", "--until-eof", "--host", "0.0.0.0") as process:  # noqa: S104 - what is tested
        assert json.loads(process.stdout.readline())["endpoint"].startswith("http://127.0.0.1:")
        process.stdin.close()
        process.wait(5)
        assert process.stderr.read().startswith("warning: 0.0.0.0 is no loopback address")


def test_data_and_its_credentials_survive_and_belong_to_one_server(tmp_path: Path) -> None:
    arguments = ("--json", "--until-eof", "--data", str(tmp_path / "data"))
    with started(*arguments) as process:
        first = json.loads(process.stdout.readline())
        with started(*arguments) as second:
            _, errors, _ = finish(second)
            assert second.returncode == 2
        assert "another server uses" in errors
    with started(*arguments) as process:
        again = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(5) == 0
    assert (again["access_key"], again["secret_key"]) == (first["access_key"], first["secret_key"])


@pytest.mark.parametrize("personality", ["auto-drive", "auto-drive-2026-08"])
def test_an_object_from_before_the_etags_is_there_and_named(personality: str, tmp_path: Path) -> None:
    """Also where a folder keeps what was stored: what became of the object stays."""
    arguments = ("--json", "--until-eof", "--personality", personality, "--data", str(tmp_path / "data"))
    for stored in (False, True):
        with started(*arguments) as process:
            facts = json.loads(process.stdout.readline())
            raw = Raw(facts["endpoint"], (facts["access_key"], facts["secret_key"]))
            target = f"/{facts['legacy_object']}"
            reply = raw("GET", target)
            assert (reply.status, "etag" in reply.headers) == (200, stored)
            assert raw("PUT", target, b"stored again").status == 200
            process.stdin.close()
            assert process.wait(5) == 0


def test_an_output_that_nobody_reads_is_said_so() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "reference_server", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, check=False, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment, timeout=10
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (2, "s3conform serve: cannot write to standard output: Broken pipe\n")


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system about another process")
def test_many_connections_find_enough_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with started("--json", "--until-eof") as process:
            process.stdout.readline()
            allowed, _ = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert allowed == min(4096, hard)


def test_temporary_credentials_act_for_the_account_before_them() -> None:
    """`--credential AK:SK:TOKEN`: with the token they own its buckets, without it nobody knows them."""
    options = ("--json", "--until-eof", "--credential", "AK:SK", "--credential", "TEMP:SK2:TOKEN")
    with started(*options) as process:
        endpoint = json.loads(process.stdout.readline())["endpoint"]
        assert Raw(endpoint, ("AK", "SK"))("PUT", "/bucket").status == 200
        temporary = Raw(endpoint, ("TEMP", "SK2"))
        assert temporary("HEAD", "/bucket", headers={"x-amz-security-token": "TOKEN"}).status == 200
        assert temporary("GET", "/bucket").code == "InvalidAccessKeyId"


def test_kms_keys_are_those_that_were_named() -> None:
    with started("--json", "--until-eof", "--credential", "AK:SK", "--kms-key", "mine") as process:
        raw = Raw(json.loads(process.stdout.readline())["endpoint"], ("AK", "SK"))
        raw("PUT", "/bucket")
        kms = {"x-amz-server-side-encryption": "aws:kms"}
        name = "x-amz-server-side-encryption-aws-kms-key-id"
        assert raw("PUT", "/bucket/k", b"x", {**kms, name: "mine"}).headers[name].endswith(":key/mine")
        assert raw("PUT", "/bucket/k", b"x", {**kms, name: "other"}).code == "KMS.NotFoundException"


def test_a_token_without_an_account_is_refused() -> None:
    with started("--credential", "AK:SK:TOKEN") as process:
        _, errors, _ = finish(process)
    assert (process.returncode, errors.count("\n")) == (2, 1)
    assert "--credential" in errors
    assert "TOKEN" not in errors.replace("with a token", "")
