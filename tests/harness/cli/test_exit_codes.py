"""What a run's exit code says, seen from the outside."""

from __future__ import annotations

import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

import reports
from harness import record
from tests.support import (
    BUCKETS,
    SECONDS,
    Ended,
    Handler,
    Relay,
    Server,
    cells,
    ended,
    environment,
    lines,
    listener,
    s3conform,
    started,
    stub,
)

CREDENTIALS = ("--access-key", "AK", "--secret-key", "SK")
SMALL = ("--scenario", "ETAG-001", "--clients", "raw", "--workers", "1", "--out", "out")
UNREACHABLE_SECONDS = 15.0
"""Ten for the program, and five for the start of seven of them at once on two cores that others use too."""


def one_line(text: str) -> str:
    """The text, which is a single line beside those that show the progress of a run."""
    shown = [line for line in text.strip().splitlines() if not re.match(r"Judging |\d+/\d+ cells", line)]
    assert len(shown) == 1, text
    return shown[0]


# --- 0 and 1 ---


def test_offline_run_of_a_family_exits_0_and_leaves_every_file(tmp_path: Path) -> None:
    """Without --endpoint the bundled server is judged; all files of a run folder are there."""
    end = s3conform(
        "run",
        "--family",
        "ETAG",
        "--scenario",
        "ETAG-001,ETAG-002",
        "--clients",
        "boto3,raw",
        "--out",
        "out",
        cwd=tmp_path,
    )
    assert end.code == 0, end.text
    found = {path.name for path in (tmp_path / "out").iterdir()} - {".lock"}
    assert found == {"run.jsonl", "journal.jsonl", *reports.FILES.values()}
    assert set(cells(tmp_path / "out").values()) == {"conforms"}
    assert lines(tmp_path / "out")[-1]["interrupted"] == ""


def test_violations_exit_1(tmp_path: Path) -> None:
    """An endpoint that answers 501 to everything violates what is asked of it."""

    def refuse(request: Handler) -> None:
        request.say(*((200, BUCKETS) if request.path == "/" else (501,)))

    with stub(refuse) as url:
        end = s3conform("run", "--endpoint", url, *CREDENTIALS, *SMALL, "--bucket", "given", cwd=tmp_path)
    assert end.code == 1, end.text
    assert cells(tmp_path / "out") == {"ETAG-001[raw]": "violates"}


# --- 2 ---


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--profile", "auto-driv"), "did you mean 'auto-drive'?"),
        (("--profile", "./nowhere.toml"), "cannot read profile nowhere.toml"),
        (("--family", "ETAGG"), "did you mean 'ETAG'?"),
        (("--scenario", "ETAG-01"), "did you mean 'ETAG-0"),
        (("--clients", "botto3"), "did you mean 'boto3'?"),
        (("--level", "most"), "'must'"),
        (("--personality", "aws", "--endpoint", "http://127.0.0.1:1"), "--personality is for the bundled server"),
        (("--endpoint", "http://127.0.0.1:1"), "no credentials"),
        (("--endpoint", "127.0.0.1:9000", *CREDENTIALS), "must begin with http:// or https://"),
        (("--endpoint", "ftp://127.0.0.1", *CREDENTIALS), "must begin with http:// or https://"),
        (("--endpoint", "http://", *CREDENTIALS), "no valid host and port"),
        (("--endpoint", "http://127.0.0.1:99999", *CREDENTIALS), "is not a URL"),
        (("--endpoint", "http://127.0.0.1:0", *CREDENTIALS), "no valid host and port"),
        (("--endpoint", "http://[::1", *CREDENTIALS), "is not a URL"),
        (("--endpoint", "http://127.0.0.1/?a=b", *CREDENTIALS), "takes no user name, query or fragment"),
        (("--endpoint", "http://a b/", *CREDENTIALS), "characters that a URL cannot have"),
        (("--endpoint", "http://127.0.0.1:1", "--access-key", "A\nK", "--secret-key", "S"), "--access-key has"),
        (("--endpoint", "https://127.0.0.1:1", *CREDENTIALS, "--ca-bundle", "no.pem"), "no.pem: cannot load"),
        (("--endpoint", "https://127.0.0.1:1", *CREDENTIALS, "--ca-bundle", "file"), "--ca-bundle file: cannot load"),
        (("--endpoint", "http://127.0.0.1:1", *CREDENTIALS, "--timeout", "0"), "--timeout"),
        (("--out", "file"), "'file' is a file"),
        (("--out", "file/out"), "--out file/out: cannot write there"),
        (("--workers", "0"), "--workers"),
        (("--endpont", "x"), "'s3conform run --help'"),
        (("surplus",), "surplus"),
        (("--region", ""), "--region '' is no region"),
        (("--region", "bad_region!"), "--region 'bad_region!' is no region"),
        (("--endpoint", "http://127.0.0.1:1", *CREDENTIALS, "--region", ""), "--region '' is no region"),
        (("--endpoint", "http://127.0.0.1:1", *CREDENTIALS, "--region", "bad_region!"), "is no region"),
        (("--bucket", "no/bucket"), "--bucket 'no/bucket' is no bucket name"),
        (("--bucket", "x"), "--bucket 'x' is no bucket name"),
        (("--bucket", "Under_score", "--addressing", "virtual"), "cannot be part of a host name"),
    ],
)  # fmt: skip
def test_what_the_user_got_wrong_exits_2_with_one_clear_line(
    tmp_path: Path, in_process: Callable[..., Ended], arguments: tuple[str, ...], said: str
) -> None:
    """A wrong option, name, file or URL is named in one line, with the nearest valid name where there is one."""
    (tmp_path / "file").write_text("no certificate, no folder")
    end = in_process("run", *arguments)
    assert end.code == 2, end.text
    assert said in one_line(end.err)
    assert end.err.startswith("s3conform: ")


def test_user_name_in_the_url_is_refused_without_repeating_it(in_process: Callable[..., Ended]) -> None:
    """Credentials in a URL are not taken, nor printed."""
    end = in_process("run", "--endpoint", "http://user:hunter2@127.0.0.1:1", *CREDENTIALS)
    assert end.code == 2
    assert "hunter2" not in end.text


def test_unknown_personality_exits_2_with_the_nearest_name(tmp_path: Path) -> None:
    """The bundled server names the nearest personality; its line is the only one."""
    end = s3conform("run", "--personality", "autodrive", *SMALL, cwd=tmp_path)
    assert end.code == 2, end.text
    assert one_line(end.err).startswith("s3conform: unknown personality 'autodrive'")
    assert "did you mean 'auto-drive'?" in end.err


def test_run_file_that_cannot_be_written_exits_2(tmp_path: Path) -> None:
    """A folder where the run file should be is named, before anything is sent."""
    (tmp_path / "taken" / "run.jsonl").mkdir(parents=True)
    end = s3conform("run", *SMALL[:-1], "taken", cwd=tmp_path)
    assert end.code == 2, end.text
    assert "--out taken: cannot write there" in one_line(end.err)


@pytest.mark.parametrize(("verb", "meant"), [("rn", "run"), ("reprot", "report")])
def test_unknown_verb_exits_2(in_process: Callable[..., Ended], verb: str, meant: str) -> None:
    """A verb that does not exist is a usage error, and the nearest one is named."""
    end = in_process(verb)
    assert end.code == 2
    assert one_line(end.err) == f"s3conform: unknown verb {verb!r}: did you mean {meant!r}?"


def test_no_verb_shows_the_help_and_exits_2(in_process: Callable[..., Ended]) -> None:
    """Nothing was asked for: that is no success, and the way on is shown."""
    end = in_process()
    assert (end.code, end.out) == (2, "")
    assert "s3conform run --endpoint URL" in end.err


def test_bucket_that_does_not_exist_exits_2(tmp_path: Path, server: Server) -> None:
    """A mistyped --bucket is the user's, and is not charged to the endpoint."""
    end = s3conform("run", *server.options, *SMALL, "--bucket", "not-there", cwd=tmp_path)
    assert end.code == 2, end.text
    assert "--bucket not-there" in one_line(end.err)
    assert not (tmp_path / "out" / "run.jsonl").exists()


def test_half_a_second_account_exits_2(tmp_path: Path) -> None:
    """An access key without its secret key would silently leave scenarios out."""
    options = ("--endpoint", "http://127.0.0.1:1", *CREDENTIALS, *SMALL)
    end = s3conform("run", *options, cwd=tmp_path, env={"S3CONFORM_SECOND_ACCESS_KEY": "AK2"})
    assert end.code == 2, end.text
    assert "S3CONFORM_SECOND_SECRET_KEY" in one_line(end.err)


# --- 3 ---


def trickle(connection: socket.socket) -> None:
    """An answer whose head never ends, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(200):
        connection.sendall(b"z")
        time.sleep(0.1)


def banner(connection: socket.socket) -> None:
    """Another protocol, which greets with an escape sequence."""
    connection.sendall(b"SSH-2.0-OpenSSH_9.9\x1b[31m\r\n")
    connection.recv(65536)


def never(connection: socket.socket) -> None:
    """Reads, and says nothing."""
    while connection.recv(65536):
        pass


def test_endpoint_that_does_not_answer_exits_3_within_10_seconds(tmp_path: Path) -> None:
    """Whatever keeps an answer from coming is told soon and in one line.

    A refused connection, an unknown name, a black hole, silence, a head that trickles without end, another protocol.
    """
    with ExitStack() as stack:
        urls = {
            "http://127.0.0.1:1": "cannot connect",
            "https://127.0.0.1:1": "cannot connect",
            "http://no-such-host.invalid": "",  # at once, or when the resolver has taken its time
            stack.enter_context(listener()): "no complete answer within 8 s",
            stack.enter_context(listener(never)): "no complete answer within 8 s",
            stack.enter_context(listener(trickle)): "no complete answer within 8 s",
            stack.enter_context(listener(banner)): "not a valid HTTP answer",
        }
        common = (*CREDENTIALS, *SMALL[:-1])
        running = {
            url: stack.enter_context(started("run", "--endpoint", url, *common, number, cwd=tmp_path))
            for number, url in enumerate(urls)
        }
        begun = time.monotonic()
        for url, said in urls.items():
            end = ended(running[url])
            assert end.code == 3, end.text
            assert f"{url} does not answer: {said}" in one_line(end.err)
            assert "\x1b" not in end.text
        assert time.monotonic() - begun < UNREACHABLE_SECONDS


def test_https_towards_a_plain_http_port_exits_3(tmp_path: Path, server: Server) -> None:
    """A failed TLS handshake is an endpoint that cannot be reached."""
    url = server.endpoint.replace("http://", "https://")
    end = s3conform("run", "--endpoint", url, *CREDENTIALS, *SMALL, cwd=tmp_path)
    assert end.code == 3, end.text
    assert "cannot connect" in one_line(end.err)


@pytest.mark.parametrize("wrong", ["access", "secret"])
def test_wrong_credentials_exit_3(tmp_path: Path, server: Server, wrong: str) -> None:
    """Refused credentials are told as such, and never repeated."""
    access = "WRONGACCESSKEY" if wrong == "access" else server.access_key
    arguments = ("--endpoint", server.endpoint, "--access-key", access, "--secret-key", "wrong-secret-key")
    end = s3conform("run", *arguments, *SMALL, cwd=tmp_path)
    assert end.code == 3, end.text
    assert "refuses the credentials" in one_line(end.err)
    assert "wrong-secret-key" not in end.text


def test_refusal_with_a_hostile_code_stays_one_harmless_line(tmp_path: Path) -> None:
    """The error code of a refusal is the endpoint's text: it cannot reach the terminal raw."""

    def refuse(request: Handler) -> None:
        request.say(401, b"<Error><Code>Evil&#10;line\x7f " + b"x" * 5000 + b"</Code></Error>", Server="\x1b[31mred")

    with stub(refuse) as url:
        end = s3conform("run", "--endpoint", url, *CREDENTIALS, *SMALL, cwd=tmp_path)
    assert end.code == 3, end.text
    assert len(one_line(end.err)) < 400
    assert "\x1b" not in end.text
    assert "\x7f" not in end.text


# --- 4 ---


def test_empty_selection_exits_4(tmp_path: Path) -> None:
    """A family and a scenario of another one have nothing in common: nothing is checked, and that is no pass."""
    end = s3conform(
        "run", "--family", "ETAG", "--scenario", "LST2-004", "--clients", "raw", "--out", "out", cwd=tmp_path
    )
    assert end.code == 4, end.text
    assert "nothing to check" in one_line(end.err)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that passed."""
    folder = tmp_path_factory.mktemp("finished")
    assert s3conform("run", *SMALL, cwd=folder).code == 0
    return folder / "out"


def test_gate_passes_a_whole_run_and_fails_what_is_left_of_one(finished: Path, tmp_path: Path) -> None:
    """Cut at any line, a run file is incomplete (4); whole, it passes (0)."""
    assert s3conform("gate", finished, cwd=tmp_path).code == 0
    whole = (finished / "run.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "run.jsonl").write_bytes(b"".join(whole[:-1]))
    end = s3conform("gate", tmp_path, cwd=tmp_path)
    assert (end.code, "incomplete" in end.out) == (4, True)
    (tmp_path / "run.jsonl").write_bytes(b"".join(whole)[:-20])
    assert s3conform("gate", "run.jsonl", cwd=tmp_path).code == 4


@pytest.mark.parametrize("content", [None, b"", b"{}\n", b"not json\n", b"\xff\xfe\n", b'{"kind":"cell"}\n'])
def test_gate_on_what_is_no_run_file_exits_4(tmp_path: Path, content: bytes | None) -> None:
    """A missing, empty or foreign file is never a pass."""
    if content is not None:
        (tmp_path / "run.jsonl").write_bytes(content)
    end = s3conform("gate", "run.jsonl", cwd=tmp_path)
    assert end.code == 4, end.text
    assert "run.jsonl" in one_line(end.err)


def test_gate_on_a_run_with_too_few_cells_exits_4(finished: Path, tmp_path: Path) -> None:
    """A footer alone does not make a run complete: every planned cell must be there."""
    header, *_, footer = (finished / "run.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "run.jsonl").write_bytes(header + footer)
    assert s3conform("gate", tmp_path, cwd=tmp_path).code == 4


def test_full_disk_ends_a_run_with_4_and_a_readable_file(tmp_path: Path, server: Server) -> None:
    """Where nothing more can be written, the run stops, cleans up, and says why; what was written can be read."""
    options = ("--scenario", "ETAG-001,ETAG-002,LST2-004", "--clients", "raw,boto3", "--workers", 1, "--out", "out")
    before = server.buckets()
    with (
        Relay(server.address, hold_after=0) as relay,
        started("run", "--endpoint", relay.endpoint, *server.keys, *options, cwd=tmp_path) as process,
    ):
        assert relay.held.wait(20)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (32_000, 32_000))
        relay.release()
        end = ended(process)
    assert end.code == 4, end.text
    assert one_line(end.err) == "s3conform: File too large"
    run = record.read(tmp_path / "out")
    assert run.cells
    assert not run.complete
    assert server.buckets() == before


STUCK = """
import sys, time
from harness import plugin, run
run._STALL_LIMITS = 0.01
plugin.main = lambda *_: time.sleep(60)
from harness.cli import main
main()
"""


def test_stuck_run_says_so_leaves_reports_and_exits_4(tmp_path: Path) -> None:
    """A run in which nothing finishes any more ends with one clear line, and reports that call it incomplete."""
    end = subprocess.run(
        [sys.executable, "-P", "-c", STUCK, "run", *SMALL],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert end.returncode == 4, end.stderr
    assert one_line(end.stderr).startswith("s3conform: nothing finished for 1.2 s: ")
    assert lines(tmp_path / "out")[-1]["interrupted"] == "nothing finished for 1.2 s"
    assert "incomplete" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8").lower()
