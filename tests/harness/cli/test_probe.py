"""`s3conform probe`: what it shows, writes, leaves behind, and how it ends."""

from __future__ import annotations

import configparser
import json
from pathlib import Path

import pytest

from harness.probe import KNOBS
from tests.support import BUCKETS, Handler, Server, environment, reference_server, s3conform, stub

TEXTS = {"rclone.conf", "provider.yaml", "aws-config", "boto3.py", "client.mjs"}


@pytest.fixture(scope="module")
def flawed() -> Server:
    """A server that does three things its own way."""
    names = ("own-bucket-already-exists", "upload-part-copy-501", "keys-unsorted")
    with reference_server(*(word for name in names for word in ("--defect", name))) as running:
        yield running


def test_terminal(flawed: Server, tmp_path: Path) -> None:
    """Needed settings first, facts after them, then texts to paste; nothing stays at the endpoint or on disk."""
    end = s3conform("probe", *flawed.options, cwd=tmp_path, env={"TMPDIR": str(tmp_path)})
    assert (end.code, end.err) == (0, "")
    headings = ["Needed:", "Better:", "Different from Amazon S3", "more are right by default", "--- rclone.conf"]
    places = [end.out.index(heading) for heading in headings]
    assert places == sorted(places)
    assert end.out.index("copy_cutoff = 1Pi") < places[1] < end.out.index("list_version = 2")
    assert "list_order = unsorted" in end.out
    assert "\nno_head = false" not in end.out
    assert "# no_head = false" in end.out
    assert flawed.secret_key not in end.out
    assert flawed.access_key not in end.out
    assert max(map(len, end.out.partition("--- rclone.conf")[0].splitlines())) <= 80
    assert flawed.buckets() == []
    assert list(tmp_path.iterdir()) == []


def test_everything_on_demand(flawed: Server, tmp_path: Path) -> None:
    """`--all` shows what is right by default, too."""
    end = s3conform("probe", *flawed.options, "--all", cwd=tmp_path, env={"COLUMNS": "200"})
    assert end.code == 0
    shown = end.out.partition("--- rclone.conf")[0]
    names = {option.name for knob in KNOBS for option in knob.options} | {k.name for k in KNOBS if not k.options}
    assert {name for name in names if f"{name} = " not in shown} == set()


def test_json(flawed: Server, tmp_path: Path) -> None:
    """One object: findings with the requests behind them, settings, texts."""
    end = s3conform("probe", *flawed.options, "--json", cwd=tmp_path)
    assert (end.code, end.err) == (0, "")
    document = json.loads(end.out)
    assert document["endpoint"] == flawed.endpoint
    findings = {one["knob"]: one for one in document["findings"]}
    assert list(findings) == [knob.name for knob in KNOBS]
    assert (findings["use_already_exists"]["value"], findings["use_already_exists"]["standard"]) == ("false", "true")
    assert all(request.startswith("curl ") for one in findings.values() for request in one["requests"])
    assert findings["list_version"]["requests"]
    assert set(document["texts"]) == TEXTS
    assert {"client", "name", "value", "default", "observation", "needed"} == set(document["settings"][0])
    assert flawed.secret_key not in end.out
    assert flawed.access_key not in end.out


def test_files(flawed: Server, tmp_path: Path) -> None:
    """`--out` writes the texts, and nothing but them."""
    out = tmp_path / "new" / "settings"
    end = s3conform("probe", *flawed.options, "--out", out, cwd=tmp_path)
    assert end.code == 0
    assert {path.name for path in out.iterdir()} == TEXTS
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(out / "rclone.conf")
    assert (parser["s3conform"]["copy_cutoff"], parser["s3conform"]["list_version"]) == ("1Pi", "2")
    assert "use_already_exists" not in parser["s3conform"]  # what provider "Other" does anyway
    assert "use_already_exists: false" in (out / "provider.yaml").read_text(encoding="utf-8")


def test_bucket_of_the_user(server: Server, tmp_path: Path) -> None:
    """Only that one is used; it is there afterwards with what was in it."""
    with server.client() as client:
        client.create_bucket(Bucket="probed-one")
        client.put_object(Bucket="probed-one", Key="theirs", Body=b"theirs")
        before = server.buckets()
        end = s3conform("probe", *server.options, "--bucket", "probed-one", cwd=tmp_path)
        assert (end.code, end.err) == (0, "")
        assert server.buckets() == before
        listing = client.list_objects_v2(Bucket="probed-one")
        assert [entry["Key"] for entry in listing["Contents"]] == ["theirs"]
        client.delete_object(Bucket="probed-one", Key="theirs")
        client.delete_bucket(Bucket="probed-one")
    assert "only the bucket given may be used" in " ".join(end.out.split())


def test_what_cannot_be_removed_is_said(tmp_path: Path) -> None:
    """With the way to remove it, which works once the endpoint allows it."""
    with reference_server("--defect", "version-id-ignored-on-delete") as keeping:
        end = s3conform("probe", *keeping.options, cwd=tmp_path, env={"TMPDIR": str(tmp_path)})
        assert end.code == 0
        *left, how = end.err.splitlines()
        assert {line.partition("s3conform-")[0] for line in left} == {"left behind: "}
        journal, kept = how.split()[2], keeping.buckets()
        assert len(kept) == len(left)
        assert all(bucket in Path(journal).read_text(encoding="utf-8") for bucket in kept)
        assert journal.startswith(str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "Missing option '--endpoint'"),
        (("--endpoint", "ftp://x"), 2, "must begin with http"),
        (("--endpoint", "http://127.0.0.1:1"), 3, "does not answer"),
        (("--endpoint", "http://127.0.0.1:1", "--bucket", "a/b"), 2, "is no bucket name"),
        (("--endpoint", "http://127.0.0.1:1", "--out", "/proc/x"), 2, "cannot write there"),
    ],
)
def test_mistakes(in_process, arguments: tuple[str, ...], code: int, words: str) -> None:
    """One line and the exit code of every verb."""
    end = in_process("probe", *arguments, "--access-key", "AK", "--secret-key", "SK")
    assert (end.code, end.out) == (code, "")
    assert len(end.err.splitlines()) == 1
    assert words in end.err


def test_wrong_credentials(server: Server, tmp_path: Path) -> None:
    """Refused credentials are no finding."""
    keys = ("--access-key", server.access_key, "--secret-key", "wrong")
    end = s3conform("probe", "--endpoint", server.endpoint, *keys, cwd=tmp_path)
    assert (end.code, end.out) == (3, "")
    assert "refuses the credentials" in end.err


def test_missing_bucket(server: Server, tmp_path: Path) -> None:
    """A bucket that is not there is a mistake of the user."""
    end = s3conform("probe", *server.options, "--bucket", "not-there", cwd=tmp_path)
    assert (end.code, end.out) == (2, "")


def hostile(request: Handler) -> None:
    """Lists buckets, and refuses all else with control characters."""
    if request.command == "GET" and request.path == "/":
        request.say(200, BUCKETS)
        return
    request.say(403, "<Error><Code>&#10;endpoint = evil\u202e[red]</Code></Error>".encode())


def test_nothing_can_be_found_out(tmp_path: Path) -> None:
    """Exit code 4, the reason, and nothing of the endpoint's that a terminal or a file would act on."""
    with stub(hostile) as url:
        keys = ("--access-key", "AK", "--secret-key", "SK")
        end = s3conform("probe", "--endpoint", url, *keys, cwd=tmp_path, env={"TMPDIR": str(tmp_path)})
    assert end.code == 4
    assert "no bucket could be made (403 endpoint = evil [red])" in " ".join(end.out.split())
    assert "\u202e" not in end.text
    assert "\nendpoint = evil" not in end.text


def test_start_is_quick(tmp_path: Path) -> None:
    """Neither boto3 nor the reports' HTML is loaded for it."""
    import subprocess
    import sys

    code = "import sys, harness.cli.probe; print(sorted({'boto3', 'jinja2', 'rich'} & set(sys.modules)))"
    end = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment(), cwd=tmp_path, capture_output=True, timeout=30, check=True
    )
    assert end.stdout.decode().strip() == "[]"
