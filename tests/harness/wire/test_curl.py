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
from urllib.parse import unquote_to_bytes

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
        if argument in ("-i", "-g", "--http1.1", "--path-as-is"):
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


def meaning(url: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The path, and the parameters in no order, whatever way they are spelled."""
    path, _, query = url.partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")] if query else []
    return unquote_to_bytes(path), sorted((unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs)


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
        assert meaning(found.url) == meaning(one.url)
        typed = [("Content-Type", "binary/octet-stream")] if one.request_body.size else []
        assert found.headers == one.request_headers[1:-1] + typed
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
    """Curl would store objects as application/x-www-form-urlencoded; older ones sign a header that is taken away."""
    body = Body.of(b"x")
    (sent,) = bash(curl(exchange(method="PUT", request_body=body), "r"))
    assert (sent.removed, sent.headers) == ([], [("Content-Type", "binary/octet-stream")])
    (sent,) = bash(curl(exchange(method="PUT", request_body=body, request_headers=[]), "r"))
    assert (sent.removed, sent.headers) == (["Content-Type"], [])
    lines = [("content-type", "text/plain"), AUTHORIZATION]
    (sent,) = bash(curl(exchange(method="PUT", request_body=body, request_headers=lines), "r"))
    assert (sent.removed, sent.headers) == ([], lines[:1])


def test_an_empty_body_keeps_its_length(bash):
    """A PUT of nothing says Content-Length: 0; many endpoints insist."""
    (sent,) = bash(curl(exchange(method="PUT", request_headers=[("Content-Length", "0"), AUTHORIZATION]), "r"))
    assert sent.body == ""
    (sent,) = bash(curl(exchange(method="GET"), "r"))
    assert sent.body is None


def test_brackets_of_a_url_mean_nothing():
    assert " -g " in curl(exchange(url="http://127.0.0.1:9000/b/a[1-9]{x,y}", request_headers=[]), "r")


@pytest.mark.parametrize("path", ["b/../a", "b/.", "b/..?acl", "b/%2e%2E/a", "./b"])
def test_dots_of_a_path_mean_nothing(path):
    """Newer versions refuse to sign such a path, which the command tells."""
    command = curl(exchange(url=f"http://127.0.0.1:9000/{path}"), "r")
    assert " --path-as-is " in command
    assert "refuse to sign a path with dots" in command


@pytest.mark.parametrize("path", ["b/a", "b/a.b/.c/d./...", "b/k?prefix=/../", "b//a//"])
def test_other_paths_are_signed_by_all_versions(path):
    """None but the oldest takes `--path-as-is` together with `--aws-sigv4`."""
    assert "--path-as-is" not in curl(exchange(url=f"http://127.0.0.1:9000/{path}"), "r")


def test_the_url_of_a_signed_request_is_canonical():
    """Older versions sign a URL as it is written; `?delete` and `(` were refused."""
    url = "http://h/b/a%7e(+)?uploads&prefix=a/&delete"
    sign = ("Authorization", "AWS4-HMAC-SHA256 …")
    assert "http://h/b/a~%28%2B%29?delete=&prefix=a%2F&uploads='" in curl(Exchange("POST", url, [sign]), "us-east-1")
    assert curl(Exchange("POST", url, []), "us-east-1").endswith(f" '{url}'")


SCOPED = "AWS4-HMAC-SHA256 Credential={}, SignedHeaders=host, Signature=[redacted]"


@pytest.mark.parametrize(
    ("credential", "scope"),
    [
        ("[redacted]/20130524/eu-west-9/s3/aws4_request", "eu-west-9:s3"),
        ("A/K/20130524/eu-west-9/ec2/aws4_request", "eu-west-9:ec2"),
        ("[redacted]/20130524/a:b/s3/aws4_request", "us-east-1:s3"),
        ("[redacted]/20130524//s3/aws4_request", "us-east-1:s3"),
        ("nonsense", "us-east-1:s3"),
    ],
)
def test_it_is_signed_for_the_region_and_service_of_the_original(credential, scope):
    """Wrong ones too, as far as curl can be told them."""
    lines = [("authorization", SCOPED.format(credential))]
    assert f"--aws-sigv4 aws:amz:{scope} --user" in curl(exchange(request_headers=lines), "us-east-1")


def test_no_other_authorization_is_taken_for_a_signature(bash):
    """What was refused as nonsense must not be repeated as a good request."""
    lines = [("authorization", "nonsense"), ("x-amz-date", "20130524T000000Z"), ("Date", "now")]
    command = curl(exchange(request_headers=lines), "r")
    (sent,) = bash(command)
    assert (sent.headers, sent.user) == (lines, "")
    assert " && : " not in command


def test_a_new_signature_is_told(bash):
    """And only that: the date of the original would be taken for the time of the new one."""
    command = curl(exchange(request_headers=[("Date", "now"), AUTHORIZATION]), "r")
    assert command.endswith("/b/k && : 'curl signs this anew: right, and for now, however the original was signed'")
    (sent,) = bash(command)
    assert sent.headers == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"request_headers": [("a", ""), AUTHORIZATION]}, "curl before 8.3 signs empty headers wrong"),
        ({"request_headers": [("a", "1"), ("A", "2"), AUTHORIZATION]}, "curl before 8.14 signs repeated headers wrong"),
        ({"request_body": Body.of(b"a" * (BODY_CAP + 1))}, f"body.bin is to hold the {BODY_CAP + 1} bytes of the body"),
        ({"url": "http://h/b?X-Amz-Signature=[redacted]", "request_headers": []}, "[redacted] stands for a secret"),
        ({"request_headers": [("x-amz-meta-a", "aa…")]}, "lines that end with … were cut"),
    ],
)
def test_what_cannot_be_repeated_is_told(changes, told):
    command = curl(exchange(**changes), "r")
    assert told in command.partition(" && : ")[2]
    assert told not in curl(exchange(), "r")


@pytest.mark.parametrize("length", ["5368709121", "0", "-1", "abc"])
def test_a_length_that_is_not_that_of_the_body_is_said(bash, length):
    """It is what such a request is about, and so is its Expect."""
    framing = [("Content-Length", length), ("Expect", "100-continue")]
    (sent,) = bash(curl(exchange(method="PUT", request_headers=framing, request_body=Body.of(b"abc")), "r"))
    assert sent.headers == framing
    (sent,) = bash(
        curl(
            exchange(method="PUT", request_headers=[("Content-Length", "3"), framing[1]], request_body=Body(3, "abc")),
            "r",
        )
    )
    assert sent.headers == []
