"""Endpoints that do their worst: a run ends, says what it saw, and nothing of theirs gets out of hand."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support import BUCKETS, OF_CELLS, Handler, Relay, Server, cells, lines, s3conform, stub

CREDENTIALS = ("--access-key", "AK", "--secret-key", "SK")
ESCAPES = "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>[red]&#0;\u202e"


def endless(request: Handler) -> None:
    """A body without end; one that fits in memory for boto3, which reads whole answers."""
    raw = "-raw-" in request.path
    request.send_response(200)
    request.end_headers()
    for _ in range(4096 if raw else 16):
        request.wfile.write(b"<x>" * 21845)
    request.close_connection = True


def escapes(request: Handler) -> None:
    """Terminal codes and markup wherever a text can be."""
    text = ESCAPES.replace("\x1b", "&#27;").replace("<", "&lt;").replace("\x07", "&#7;").replace("&#0;", "")
    body = f"<Error><Code>{text}</Code><Message>{text}</Message></Error>".encode()
    request.say(400, body, X_Text="\x1b[31m<b>", Server="\x1b[31m<b>")


def garbage(request: Handler) -> None:
    """No XML at all, and no UTF-8."""
    request.say(403, b"<Error><Code>\xff\xfe\x00" + bytes(range(256)) * 40)


def laughs(request: Handler) -> None:
    """Entities that grow to gigabytes when they are expanded."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    document = f'<!DOCTYPE Error [<!ENTITY e0 "ha">{entities}]><Error><Code>&e11;</Code></Error>'
    request.say(400, document.encode(), Content_Type="application/xml")


def trickle(request: Handler) -> None:
    """A body that takes half a minute."""
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    for _ in range(100):
        request.wfile.write(b"z")
        time.sleep(0.3)


def hang_up(request: Handler) -> None:
    """The connection is closed without an answer."""
    request.close_connection = True


def lying_length(request: Handler) -> None:
    """A length that is no number."""
    request.send_response(200)
    request.send_header("Content-Length", "-5")
    request.end_headers()
    request.close_connection = True


def many_headers(request: Handler) -> None:
    """More headers than anybody reads."""
    request.send_response(200)
    for number in range(3000):
        request.send_header(f"X-Header-{number}", "v" * 60)
    request.send_header("Content-Length", "0")
    request.end_headers()


def circle(request: Handler) -> None:
    """Writes succeed; a listing always has one more page, and sends others in circles."""
    if request.command == "PUT":
        request.say(200)
        return
    page = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{time.time_ns()}</NextContinuationToken>"
    request.say(200, f"<ListBucketResult><KeyCount>1</KeyCount>{page}</ListBucketResult>".encode())


ATTACKS: dict[str, Callable[[Handler], None]] = {
    "ETAG-001": endless,
    "ETAG-002": escapes,
    "DEL-001": garbage,
    "DEL-002": laughs,
    "DEL-015": hang_up,
    "DEL-016": lying_length,
    "DEL-021": many_headers,
    "LST2-004": circle,
}


def attack(request: Handler) -> None:
    """The attack that belongs to the scenario whose key or prefix is in the request; other requests are fine."""
    found = re.search(r"([a-z0-9]+-\d{3})-(raw|boto3)-\d", request.path)
    action = ATTACKS.get(found[1].upper()) if found else None
    if action is None:
        request.say(200, BUCKETS if request.path == "/" else b"")
        return
    with suppress(ConnectionError):
        action(request)


def test_hostile_answers_neither_hang_nor_crash_a_run(tmp_path: Path) -> None:
    """Huge and endless answers, garbage, entity bombs, escape sequences, circles: each is a verdict like any other."""
    with stub(attack) as url:
        options = ("--bucket", "given", "--clients", "raw,boto3", "--workers", 2, "--timeout", 2, "--out", "out")
        end = s3conform("run", "--endpoint", url, *CREDENTIALS, "--scenario", ",".join(ATTACKS), *options, cwd=tmp_path)
    assert end.code == 1, end.text
    found = cells(tmp_path / "out")
    assert set(found) == {f"{name}[{client}]" for name in ATTACKS for client in ("raw", "boto3")}
    assert set(found.values()) <= {"violates", "blocked"}, found
    assert not re.search("[\x1b\x07\u202e]", end.text)
    for name in ("index.html", "junit.xml", "summary.md"):
        text = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert not re.search("[\x1b\x07\u202e]", text)
    assert (tmp_path / "out" / "run.jsonl").stat().st_size < 10_000_000


def test_answer_that_trickles_is_given_up(tmp_path: Path) -> None:
    """Bytes that keep coming do not keep a cell waiting for ever."""

    def slow(request: Handler) -> None:
        if request.command == "PUT":
            with suppress(ConnectionError):
                trickle(request)
        else:
            request.say(200, BUCKETS if request.path == "/" else b"")

    begun = time.monotonic()
    with stub(slow) as url:
        options = ("--bucket", "given", "--clients", "raw", "--timeout", 0.2, "--workers", 1, "--out", "out")
        end = s3conform("run", "--endpoint", url, *CREDENTIALS, "--scenario", "ETAG-002", *options, cwd=tmp_path)
    assert end.code == 1, end.text
    assert cells(tmp_path / "out") == {"ETAG-002[raw]": "violates"}
    assert time.monotonic() - begun < 30


SELECTION = ("--scenario", "ETAG-001,ETAG-002,DEL-001,DEL-002,DEL-003,DEL-005,LST2-004")


def messages(folder: Path) -> set[str]:
    """What the cells that ended in error say."""
    return {line["message"] for line in lines(folder) if line["kind"] == "cell" and line["verdict"] == "error"}


def test_endpoint_that_dies_in_mid_run_gives_errors_that_say_so(tmp_path: Path, server: Server) -> None:
    """The scenario that was running is told from those that could not run; the run ends at once, with a footer."""
    begun = time.monotonic()
    with Relay(server.address, die_after=9, counting=OF_CELLS) as relay:
        options = ("--clients", "raw,boto3", "--workers", 1, "--out", "out")
        end = s3conform("run", "--endpoint", relay.endpoint, *server.keys, *SELECTION, *options, cwd=tmp_path)
    assert time.monotonic() - begun < 30
    try:
        assert end.code == 1, end.text
        verdicts = list(cells(tmp_path / "out").values())
        assert verdicts[0] == "conforms"
        assert set(verdicts) == {"conforms", "error"}
        said = messages(tmp_path / "out")
        assert any(text.startswith("the endpoint stopped answering during this scenario: ") for text in said), said
        assert "not run: the endpoint does not answer any more" in said
        footer = lines(tmp_path / "out")[-1]
        assert footer["kind"] == "footer"
        assert footer["leftovers"], "what could not be cleaned up is named"
    finally:
        cleaned = s3conform("cleanup", "out", *server.options, cwd=tmp_path)
    assert cleaned.code == 0, cleaned.text


def test_endpoint_that_falls_silent_does_not_cost_a_timeout_for_every_cell(tmp_path: Path, server: Server) -> None:
    """A black hole is asked again, but not for as long as it takes for each of the remaining cells."""
    begun = time.monotonic()
    with Relay(server.address, hold_after=9, counting=OF_CELLS) as relay:
        options = ("--clients", "raw,boto3", "--workers", 1, "--timeout", 0.5, "--out", "out")
        end = s3conform("run", "--endpoint", relay.endpoint, *server.keys, *SELECTION, *options, cwd=tmp_path)
        seconds = time.monotonic() - begun
    try:
        assert end.code == 1, end.text
        assert "not run: the endpoint does not answer any more" in messages(tmp_path / "out")
        assert seconds < 25
    finally:
        cleaned = s3conform("cleanup", "out", *server.options, cwd=tmp_path)
    assert cleaned.code == 0, cleaned.text
