"""Nothing secret leaves a run, whatever the endpoint does to bring it out."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.support import BUCKETS, Handler, cells, descendants, ended, reference_server, s3conform, started, stub, until

ACCESS = "AKIADISTINCTIVE00017"
SECRET = "Zq9/dist+inctive'secret\"key&<0123456789>%="
TOKEN = "FwoGZXtoken//" + "distinctive+session/token=" * 12 + "=="
SHORTEST = 16
"""Characters of a secret's beginning that must not be found either: a text that was cut may end within one."""
SIGNATURE = re.compile(r"Signature=([0-9a-f]{64})")


class Echo:
    """Answers everything with everything it was told, in headers, messages, codes and bodies."""

    def __init__(self) -> None:
        self.signatures: set[str] = set()
        self._lock = threading.Lock()
        self._count = 0

    def __call__(self, request: Handler) -> None:
        given = str(request.headers)
        with self._lock:
            self.signatures.update(SIGNATURE.findall(given + request.path))
            self._count += 1
            count = self._count
        if count <= 2:  # first contact, and the look at the bucket
            request.say(
                200,
                BUCKETS if count == 1 else b"<ListBucketResult/>",
                Server=f"echo {request.headers['Authorization']}",
            )
            return
        bare = SIGNATURE.search(given)
        assert bare is not None
        known = [ACCESS, SECRET, TOKEN, bare[1], bare[1].upper(), f"f{bare[1]}"]
        encoded = [quote(text, safe="") for text in known] + [
            base64.b64encode(text.encode()).decode() for text in known
        ]
        words = " ".join([*known, *encoded, given])
        headers = {"X_Secret": SECRET, "X_Long": "y" * 180 + SECRET, "ETag": f'"{bare[1]}"', "X_Words": " ".join(known)}
        elements = "".join(
            f"<{name}>{html.escape(words)}</{name}>"
            for name in ("Code", "Message", "StringToSign", "SignatureProvided", "Else", "AWSAccessKeyId")
        )
        status = (403, 400, 200, 503)[count % 4]
        padding = "p" * (8192 - 20 - len("<Error>")) if count % 3 == 0 else ""
        body = f"<Error>{padding}{html.escape(SECRET) if padding else ''}{elements}</Error>"
        request.say(status, body.encode(), **headers)


def texts(folder: Path) -> dict[str, str]:
    """All that a run folder says, by file, also what its files hold in packed form."""
    found = {path.name: path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file()}
    packed = re.findall(r"H4sI[0-9A-Za-z+/=]{100,}", found["index.html"])
    assert packed, "the report has evidence"
    for number, text in enumerate(packed):
        found[f"evidence {number}"] = gzip.decompress(base64.b64decode(text)).decode()
    return found


def leaks(name: str, text: str, echo: Echo) -> list[str]:
    """The secrets that a text holds, plain or in an encoding."""
    forms = {text, unquote(text), html.unescape(text), html.unescape(html.unescape(text))}
    if name.endswith("jsonl") or name.startswith("evidence"):
        forms |= {"\n".join(strings([json.loads(line) for line in text.splitlines()]))}
    elif name.endswith("json"):
        forms |= {"\n".join(strings(json.loads(text)))}
    wanted = [ACCESS, SECRET[:SHORTEST], TOKEN[:SHORTEST]]
    wanted += [base64.b64encode(secret.encode()).decode()[:20] for secret in (ACCESS, SECRET, TOKEN)]
    found = [f"{name}: {secret}" for secret in wanted if any(secret in form for form in forms)]
    hexes = {digits.lower() for form in forms for digits in re.findall(r"(?i)[0-9a-f]{64,}", form)}
    return found + [f"{name}: a signature" for digits in hexes if any(one in digits for one in echo.signatures)]


def strings(value: Any) -> list[str]:
    """Every string of a JSON document."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in strings(item)]
    return [text for item in value for text in strings(item)] if isinstance(value, list) else []


@pytest.mark.parametrize("clients", ["raw,boto3", "awscli,rclone"])
def test_no_secret_and_no_signature_in_files_output_or_arguments(tmp_path: Path, clients: str) -> None:
    """An endpoint that repeats all it was sent, and knows the secret key, gets none of it into a run's traces."""
    given = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
    options = ("--bucket", "given", "--scenario", "ETAG-001,LST2-004,DEL-001", "--workers", 2, "--timeout", 5)
    arguments: set[str] = set()
    echo = Echo()
    with (
        stub(echo) as url,
        started(
            "run", "--endpoint", url, *options, "--clients", clients, "--out", "out", cwd=tmp_path, env=given
        ) as process,
    ):

        def watched() -> bool:
            for pid in descendants(process.pid):
                try:
                    arguments.add((Path("/proc") / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace"))
                except OSError:
                    continue
            time.sleep(0.02)
            return process.poll() is not None

        until(watched, 60, "the run ends")
        end = ended(process)
    if end.code == 2 and "is not installed" in end.err:
        pytest.skip(end.err.strip())
    assert end.code == 1, end.text
    assert echo.signatures
    everything = texts(tmp_path / "out") | {"stdout": end.out, "stderr": end.err, "arguments": " ".join(arguments)}
    assert [leak for name, text in everything.items() for leak in leaks(name, text, echo)] == []


@pytest.mark.parametrize("access", ["match", "a"])
def test_access_key_that_is_a_word_of_the_run_file_breaks_nothing(tmp_path: Path, access: str) -> None:
    """Emptying the access key out of all texts leaves the harness's own words alone."""
    with reference_server("--credential", f"{access}:secret-of-this-test") as server:
        end = s3conform(
            "run", *server.options, "--scenario", "ETAG-001", "--clients", "raw", "--out", "out", cwd=tmp_path
        )
    assert end.code == 0, end.text
    assert cells(tmp_path / "out") == {"ETAG-001[raw]": "conforms"}
