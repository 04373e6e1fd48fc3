"""First contact, the plan, the run file's end, and the last line of defence against a run that hangs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness import run
from harness.config import Endpoint, RunConfig
from harness.errors import EndpointError, NothingChecked, UsageError
from harness.record import ClientInfo, read
from harness.scenario import load
from harness.wire.sigv4 import Credentials
from tests.support import BUCKETS, Handler, Server, environment, listener, stub

CREDENTIALS = Credentials("AKIACONTACT", "s3cr3t-contact", "t0ken-of-the-session")

STUCK = """
import sys, time
from pathlib import Path
from harness import run
from harness.record import GatewayInfo, Header
header = Header("r", "now", "0", "http://x", GatewayInfo(), "aws", [], 1, {})
file = run.RunFile(Path(sys.argv[1]), header, lambda cell: None)
run._TELLING_SECONDS = 0.5
def tell(why):
    print(why, flush=True)
    time.sleep(float(sys.argv[2]))
    raise OSError("nothing more can be told")
run._Watch(file, 0.2, tell)
time.sleep(60)
"""


def endpoint(url: str, timeout: float = 30.0) -> Endpoint:
    """An endpoint that nobody checked."""
    return Endpoint(url, CREDENTIALS, timeout=timeout)


def test_contact_tells_what_the_endpoint_calls_itself() -> None:
    """Any HTTP answer but a refusal of the credentials is contact; its Server header names the product."""
    with stub(lambda request: request.say(501, b"<Error><Code>NotImplemented</Code></Error>")) as url:
        assert run.contact(endpoint(url)).startswith("BaseHTTP/")


def test_contact_names_no_secret() -> None:
    """A product name made of the request's own credentials and signature is emptied of them."""

    def echo(request: Handler) -> None:
        request.send_response_only(200)
        request.send_header("Server", f"{request.headers['x-amz-security-token']} {request.headers['Authorization']}")
        request.send_header("Content-Length", str(len(BUCKETS)))
        request.end_headers()
        request.wfile.write(BUCKETS)

    with stub(echo) as url:
        name = run.contact(endpoint(url))
    assert "[redacted]" in name
    assert "t0ken" not in name
    assert "AKIACONTACT" not in name
    assert len(name) <= 400


@pytest.mark.parametrize("code", sorted(run._REFUSALS))
def test_contact_takes_every_way_of_refusing_credentials_for_one(code: str) -> None:
    """The codes that S3 knows for credentials it does not take end a run before it begins."""
    body = f"<Error><Code>{code}</Code></Error>".encode()
    with stub(lambda request: request.say(403, body)) as url, pytest.raises(EndpointError, match=code):
        run.contact(endpoint(url))


def test_contact_is_bounded_when_the_name_does_not_resolve_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket timeout covers name resolution or several dead addresses; the limit on contact does."""
    monkeypatch.setattr(run, "_CONTACT_SECONDS", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2.5) or [])
    begun = time.monotonic()
    with pytest.raises(EndpointError, match="no complete answer within"):
        run.contact(endpoint("http://slow.invalid"))
    assert time.monotonic() - begun < 2


def test_contact_waits_no_longer_than_the_users_own_timeout() -> None:
    """A shorter --timeout holds for first contact too."""
    begun = time.monotonic()
    with listener() as url, pytest.raises(EndpointError, match=r"within 0\.3 s"):
        run.contact(endpoint(url, 0.3))
    assert time.monotonic() - begun < 3


Answer = tuple[int, bytes]
DENIED = b"<Error><Code>AccessDenied</Code></Error>"
MISSING = b"<Error><Code>NoSuchBucket</Code></Error>"
LISTING = b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>"
PAGE = b"<!DOCTYPE html><title>Welcome</title>"


def answering(root: Answer, v2: Answer = (500, b""), v1: Answer = (500, b""), head: Answer = (500, b"")) -> Any:
    """A stub's answers to ListBuckets, ListObjectsV2, ListObjects and HeadBucket."""

    def answer(request: Handler) -> None:
        if request.path == "/":
            request.say(*root)
        elif request.command == "HEAD":
            request.say(*head)
        else:
            assert "max-keys=1" in request.path
            assert "prefix=p%2F" in request.path
            request.say(*(v2 if "list-type=2" in request.path else v1))

    return answer


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ((500, b""), "answers GET / with 500;"),
        ((503, b"<Error><Code>SlowDown</Code></Error>"), "answers GET / with 503 SlowDown;"),
        ((502, PAGE), "answers GET / with 502;"),
        ((200, b""), "200 and an empty body"),
        ((200, PAGE), "200 and a body that is no XML"),
        ((200, b"{}"), "200 and a body that is no XML"),
        ((200, b"<html><body/></html>"), "200 and the document <html>"),
        ((200, LISTING), "200 and the document <ListBucketResult>"),
        ((204, b""), "204 and an empty body"),
        ((301, PAGE), "301, a redirect to nowhere"),
    ],
)
def test_contact_tells_what_is_no_s3_endpoint(root: Answer, said: str) -> None:
    """A web server, or a proxy with nothing behind it, ends a run before it begins; what it answered is named."""
    with stub(answering(root)) as url, pytest.raises(EndpointError, match="is not an S3 endpoint") as error:
        run.contact(endpoint(url))
    assert said in str(error.value)


def test_contact_names_where_a_redirect_leads() -> None:
    """Http where https is wanted: the line names the URL to give, and no secret."""

    def redirect(request: Handler) -> None:
        request.say(301, b"", Location=f"https://s3.example/?{request.headers['x-amz-security-token']}")

    with stub(redirect) as url, pytest.raises(EndpointError, match=r"a redirect to https://s3\.example/") as error:
        run.contact(endpoint(url))
    assert "t0ken" not in str(error.value)


@pytest.mark.parametrize(
    "root", [(403, DENIED), (404, b""), (405, b""), (400, b""), (501, b""), (200, BUCKETS), (307, DENIED)]
)
def test_contact_goes_on_after_a_refusal(root: Answer) -> None:
    """Not every account may list buckets, and not every gateway can: what else it does is for the run to find out."""
    with stub(answering(root)) as url:
        assert run.contact(endpoint(url)).startswith("BaseHTTP/")


@pytest.mark.parametrize(
    "answers",
    [
        ((200, BUCKETS), (200, LISTING)),
        ((200, BUCKETS), (501, b""), (200, LISTING)),
        ((200, BUCKETS), (501, b""), (404, b""), (200, b"")),
        ((200, BUCKETS), (501, b""), (501, b""), (501, b"")),
        ((404, PAGE), (200, LISTING)),
        ((200, PAGE), (200, LISTING)),
        ((502, PAGE), (200, LISTING)),
        ((200, PAGE), (501, DENIED), (200, LISTING)),
    ],
)
def test_contact_with_a_bucket_needs_no_more_than_the_bucket(answers: tuple[Answer, ...]) -> None:
    """It is there by any of three operations; behind some gateways `/` belongs to somebody else."""
    with stub(answering(*answers)) as url:
        run.contact(endpoint(url), "given", "p/")


@pytest.mark.parametrize(
    ("answers", "error", "said"),
    [
        (((200, BUCKETS), (404, MISSING)), UsageError, "--bucket given: .* has no such bucket .404 NoSuchBucket"),
        (((200, PAGE), (404, MISSING)), UsageError, "--bucket given: .* has no such bucket"),
        (((403, DENIED), (404, b""), (404, b""), (404, b"")), UsageError, "--bucket given: .* has no such bucket"),
        (((200, BUCKETS), (501, b""), (501, b""), (404, b"")), UsageError, "--bucket given: .* has no such bucket"),
        (
            ((200, BUCKETS), (400, b"<Error><Code>InvalidBucketName</Code></Error>")),
            UsageError,
            "--bucket given: .* InvalidBucketName",
        ),
        (((200, BUCKETS), (403, DENIED)), EndpointError, "the credentials may not use --bucket given .*AccessDenied"),
        (((200, BUCKETS), (501, b""), (401, b"")), EndpointError, "the credentials may not use --bucket given"),
        (((200, PAGE), (200, PAGE)), EndpointError, "is not an S3 endpoint"),
        (((200, PAGE), (404, PAGE), (404, PAGE), (404, PAGE)), EndpointError, "is not an S3 endpoint"),
        (((503, b""), (503, b""), (503, b""), (503, b"")), EndpointError, "is not an S3 endpoint"),
    ],
)
def test_contact_tells_a_wrong_bucket_from_a_wrong_endpoint(
    answers: tuple[Answer, ...], error: type[Exception], said: str
) -> None:
    """A bucket that is missing or forbidden is not charged to the endpoint."""
    with stub(answering(*answers)) as url, pytest.raises(error, match=said):
        run.contact(endpoint(url), "given", "p/")


def test_contact_takes_a_missing_bucket_where_objects_make_buckets() -> None:
    """Where the profile says that a bucket comes into being with its first object, there is none before."""
    with stub(answering((200, BUCKETS), (404, MISSING))) as url:
        run.contact(endpoint(url), "given", "p/", implicit=True)


def test_plan_without_cells_is_an_error(server: Server) -> None:
    """A scenario that none of the chosen clients can express leaves nothing to check."""
    found = load()["DEL-010"]
    infos = [ClientInfo("rclone", "1", "local")]
    config = RunConfig("r", endpoint(server.endpoint), "aws", infos, [found.id], "out")
    assert "rclone" not in found.clients
    with pytest.raises(NothingChecked, match="selection"):
        run.plan([found], config)


@pytest.mark.parametrize("telling", ["0", "60"])
def test_run_in_which_nothing_finishes_is_ended_from_within(tmp_path: Path, telling: str) -> None:
    """Whatever hangs, and however: the file gets its footer, and the process ends with the code for incomplete.

    What is told about it may fail or hang as well.
    """
    path = tmp_path / "run.jsonl"
    end = subprocess.run(
        [sys.executable, "-P", "-c", STUCK, path, telling],
        env=environment(),
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert end.returncode == 4, end.stderr
    assert (end.stdout, end.stderr) == (b"nothing finished for 1 s\n", b"")
    footer = read(path).footer
    assert footer is not None
    assert footer.interrupted == "nothing finished for 1 s"


def test_footer_is_written_once(tmp_path: Path) -> None:
    """The watch and the run may both want to close the file; the first one does."""
    from harness.record import GatewayInfo, Header

    header = Header("r", "now", "0", "http://x", GatewayInfo(), "aws", [], 0, {})
    file = run.RunFile(tmp_path / "run.jsonl", header, lambda _: None)
    assert [file.finish([], ""), file.finish(["late"], "late")] == [True, False]
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert kinds == ["header", "footer"]


def test_run_ids_of_runs_that_start_at_once_differ() -> None:
    """They name buckets: two runs must never share one."""
    assert len({run.new_run_id() for _ in range(5)}) == 5
