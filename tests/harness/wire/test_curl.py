"""The curl line repeats a request exactly, is safe to paste, and holds no secret.

Proved with real bash: `curl` is replaced by a program that notes its arguments, and these are read as curl does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.wire.curl import curl
from harness.wire.exchange import BODY_CAP, Body, Exchange

AUTHORIZATION = ("Authorization", "AWS4-HMAC-SHA256 Credential=[redacted]/x, SignedHeaders=host, Signature=[redacted]")
SCRIPT = """import json, os, sys
with open(os.environ["NOTE"], "a") as note:
    note.write(json.dumps([os.fsencode(text).decode("utf-8", "surrogateescape") for text in sys.argv[1:]]) + "\\n")
"""


class Sent(NamedTuple):
    """What curl would send."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    removed: list[str]
    body: str | None
    user: str


def understood(arguments: list[str]) -> Sent:
    """Arguments as curl takes them: a short list, so that an option it does not know is a failure."""
    method, url, body, user = "GET", "", None, ""
    headers: list[tuple[str, str]] = []
    removed: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument in ("-i", "-g", "--path-as-is"):
            continue
        if argument == "-I":
            method = "HEAD"
        elif argument in ("--max-time", "--aws-sigv4"):
            next(rest)
        elif argument == "--user":
            user = next(rest)
        elif argument == "-X":
            method = next(rest)
        elif argument == "-H":
            line = next(rest)
            name, separator, value = line.partition(":") if ":" in line else line.partition(";")
            if separator == ":" and not value.strip():
                removed.append(name)
            else:
                headers.append((name, value.removeprefix(" ")))
        elif argument in ("--data-raw", "--data-binary"):
            body = next(rest)
            assert argument == "--data-raw" or body == "@body.bin"
        else:
            assert not argument.startswith("-"), argument
            assert not url, argument
            url = argument
    return Sent(method, url, headers, removed, body, user)


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Gives a command to `bash -c` and returns what `curl` was started with, each time."""
    folder = tmp_path_factory.mktemp("curl")
    (folder / "noted.py").write_text(SCRIPT, encoding="utf-8")
    program = folder / "curl"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{folder / "noted.py"}" "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    note = folder / "note"
    environment = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "NOTE": str(note),
        "AWS_ACCESS_KEY_ID": "AK",
        "AWS_SECRET_ACCESS_KEY": "S K",
        "AWS_SESSION_TOKEN": "T",
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
    }

    def run(*commands: str) -> list[Sent]:
        note.unlink(missing_ok=True)
        done = subprocess.run(
            ["/bin/bash", "-c", "\n".join(commands)],
            env=environment,
            cwd=folder,
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert sorted(path.name for path in Path(folder).iterdir()) == ["curl", "note", "noted.py"]
        return [understood(json.loads(line)) for line in note.read_text(encoding="utf-8").splitlines()]

    return run


def exchange(**changes: Any) -> Exchange:
    fields = {"method": "GET", "url": "http://127.0.0.1:9000/b/k", "request_headers": [("Host", "h"), AUTHORIZATION]}
    return Exchange(**(fields | changes))


NASTY = st.text(
    st.one_of(
        st.sampled_from("'\"\\$`!;&|<>(){}[]*?~#@% \t\n\r\x1b\x07\u202e\u200b\u2028\u00e9\u4e2d\U0001f600%="),
        st.characters(codec="utf-8", exclude_characters="\0\ufffd"),
    ),
    max_size=30,
)
VALUES = NASTY.map(lambda text: text.replace("\r", "").replace("\n", "").strip())
NAMES = st.text(st.sampled_from("abcXYZ019-_'`!#$%&*+.^|~"), min_size=1, max_size=12).map(lambda name: f"x-amz-{name}")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.builds(
            exchange,
            method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "it's $(id)"]),
            url=NASTY.map(lambda text: "http://127.0.0.1:9000/b/" + text),
            request_headers=st.lists(st.tuples(NAMES, VALUES), max_size=4).map(
                lambda lines: [("Host", "h"), *lines, AUTHORIZATION]
            ),
            request_body=NASTY.map(lambda text: Body.of(text.encode())),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_bash_hands_curl_exactly_what_was_sent(bash, exchanges):
    sent = bash(*(curl(one, "us-east-1") for one in exchanges))
    assert len(sent) == len(exchanges)
    for one, found in zip(exchanges, sent, strict=True):
        assert found.method == one.method
        path, mark, query = one.url.partition("?")  # of a signed request: parameters in order, each with a "="
        pairs = sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&")) if query else []
        assert found.url == path + mark + "&".join(pairs)
        assert found.headers == one.request_headers[1:-1]
        assert (found.body or "") == one.request_body.text
        assert found.user == "AK:S K"


@given(NASTY, NASTY, VALUES)
def test_the_command_is_one_printable_line(url, body, value):
    """Pasting it neither moves the cursor, nor sends a line before it is read, nor hides its end."""
    command = curl(exchange(url=url, request_body=Body.of(body.encode()), request_headers=[("a", value)]), "r")
    assert command.isprintable()


def test_credentials_are_named_not_written(bash):
    """Neither what signed the request nor its date or token is repeated."""
    command = curl(
        exchange(
            request_headers=[
                AUTHORIZATION,
                ("X-Amz-Date", "20130524T000000Z"),
                ("x-amz-security-token", "[redacted]"),
                ("range", "bytes=0-1"),
            ]
        ),
        "eu-west-1",
    )
    for gone in ("HMAC", "Signature", "20130524", "redacted"):
        assert gone not in command
    assert "--aws-sigv4 aws:amz:eu-west-1:s3" in command
    assert '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"' in command
    (sent,) = bash(command)
    assert sent.headers == [("x-amz-security-token", "T"), ("range", "bytes=0-1")]


def test_a_request_without_signature_is_repeated_without():
    """An anonymous request that worked must not be repeated as somebody."""
    command = curl(exchange(request_headers=[("Host", "h")]), "us-east-1")
    assert "--aws-sigv4" not in command
    assert "AWS_" not in command


def test_an_empty_header_is_sent_empty(bash):
    """`-H 'name:'` would take it away."""
    (sent,) = bash(curl(exchange(request_headers=[("x-amz-meta-a", ""), AUTHORIZATION]), "r"))
    assert (sent.headers, sent.removed) == ([("x-amz-meta-a", "")], [])


def test_a_body_is_never_taken_for_a_file(bash):
    (sent,) = bash(curl(exchange(method="PUT", request_body=Body.of(b"@/etc/passwd")), "r"))
    assert sent.body == "@/etc/passwd"


@pytest.mark.parametrize(
    "body", [Body.of(b"a\0b"), Body.of(b"\xff\xfe"), Body.of(b"a" * (BODY_CAP + 1)), Body.of(b"", 7)]
)
def test_a_body_that_cannot_be_written_is_a_file(bash, body):
    (sent,) = bash(curl(exchange(method="PUT", request_body=body), "r"))
    assert sent.body == "@body.bin"


def test_content_type_is_never_curls_own(bash):
    """Curl would store objects as application/x-www-form-urlencoded."""
    body = Body.of(b"x")
    (sent,) = bash(curl(exchange(method="PUT", request_body=body), "r"))
    assert sent.removed == ["Content-Type"]
    lines = [("content-type", "text/plain"), AUTHORIZATION]
    (sent,) = bash(curl(exchange(method="PUT", request_body=body, request_headers=lines), "r"))
    assert (sent.removed, sent.headers) == ([], lines[:1])


def test_an_empty_body_keeps_its_length(bash):
    """A PUT of nothing says Content-Length: 0; many endpoints insist."""
    (sent,) = bash(curl(exchange(method="PUT", request_headers=[("Content-Length", "0"), AUTHORIZATION]), "r"))
    assert sent.body == ""
    (sent,) = bash(curl(exchange(method="GET"), "r"))
    assert sent.body is None


def test_brackets_and_dots_of_a_url_mean_nothing():
    command = curl(exchange(url="http://127.0.0.1:9000/b/../a[1-9]{x,y}"), "r")
    assert " -g " in command
    assert " --path-as-is " in command


def test_the_query_of_a_signed_request_stands_in_canonical_order():
    """Before version 8 curl signs a query as it is written; `?delete` and unsorted parameters were refused."""
    signed = Exchange("POST", "http://h/b?uploads&prefix=a&delete", [("Authorization", "AWS4-HMAC-SHA256 …")])
    assert curl(signed, "us-east-1").endswith("'http://h/b?delete=&prefix=a&uploads='")
    anonymous = Exchange("POST", "http://h/b?uploads&prefix=a&delete", [])
    assert curl(anonymous, "us-east-1").endswith("'http://h/b?uploads&prefix=a&delete'")
