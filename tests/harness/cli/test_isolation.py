"""What a run and a cleanup touch, and what they never do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.support import (
    BUCKETS,
    Ended,
    Handler,
    Relay,
    Server,
    cells,
    ended,
    lines,
    reference_server,
    s3conform,
    started,
    stub,
)

SELECTION = ("--scenario", "ETAG-001,LST2-004,DEL-001,DEL-003,DEL-005", "--clients", "raw,boto3")
RUN = "s3conform-250101120000-abcdef"
OTHER = "s3conform-250101120000-123456"


@contextmanager
def somebody_elses(server: Server, bucket: str) -> Iterator[Any]:
    """A bucket with objects of somebody else, which are checked at the end; a boto3 client."""
    objects = {"photo.jpg": b"\xff\xd8", f"{OTHER}/etag-001-raw-1/object": b"another run's", "s3conform": b"x"}
    with server.client() as client:
        client.create_bucket(Bucket=bucket)
        for key, body in objects.items():
            client.put_object(Bucket=bucket, Key=key, Body=body)
        upload = client.create_multipart_upload(Bucket=bucket, Key="film.mp4")["UploadId"]
        try:
            yield client
            found = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"]]
            assert sorted(found) == sorted(objects)
            for key, body in objects.items():
                assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == body
            uploads = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
            assert [entry["UploadId"] for entry in uploads] == [upload]
        finally:
            client.abort_multipart_upload(Bucket=bucket, Key="film.mp4", UploadId=upload)
            for entry in client.list_objects_v2(Bucket=bucket).get("Contents", []):
                client.delete_object(Bucket=bucket, Key=entry["Key"])
            client.delete_bucket(Bucket=bucket)


def owned(bucket: str, prefix: str = "") -> dict[str, str]:
    """A journal line."""
    return {"kind": "owned", "bucket": bucket, "prefix": prefix}


def journal(folder: Path, endpoint: str, *entries: dict[str, str], run_id: str = RUN[10:]) -> Path:
    """A journal of a run that was killed."""
    head = {"kind": "run", "run_id": run_id, "endpoint": endpoint, "region": "us-east-1", "addressing": "path"}
    path = folder / "journal.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in (head, *entries)))
    return path


def test_run_touches_only_buckets_of_its_own(tmp_path: Path) -> None:
    """Every request but ListBuckets goes to a bucket that the journal named before; others keep what they have."""
    with reference_server() as server, somebody_elses(server, "theirs"), Relay(server.address) as relay:
        end = s3conform(
            "run", "--endpoint", relay.endpoint, *server.keys, *SELECTION, "--workers", 1, "--out", "out", cwd=tmp_path
        )
        assert end.code == 0, end.text
        named = {
            entry["bucket"]
            for entry in map(json.loads, (tmp_path / "out" / "journal.jsonl").read_text().splitlines())
            if entry["kind"] == "owned"
        }
        touched = {re.split("[/?]", line.partition(" ")[2])[1] for line in relay.requests} - {""}
        assert touched <= named
        assert "theirs" not in touched
        assert server.buckets() == ["theirs"]


def test_given_bucket_is_the_only_one_used_below_one_prefix(tmp_path: Path) -> None:
    """With --bucket, no other bucket is named in any request, and nothing is written outside the run's prefix."""
    with reference_server() as server, somebody_elses(server, "given"), Relay(server.address) as relay:
        options = ("--endpoint", relay.endpoint, *server.keys, *SELECTION, "--workers", 2, "--out", "out")
        end = s3conform("run", *options, "--bucket", "given", cwd=tmp_path)
        assert end.code == 0, end.text
        run_id = lines(tmp_path / "out")[0]["run_id"]
        targets = [line.partition(" ")[2] for line in relay.requests]
        assert {re.split("[/?]", target)[1] for target in targets} <= {"given", ""}
        written = [line for line in relay.requests if re.match(r"(PUT|DELETE|POST) /given/[^?]", line)]
        assert written
        assert all(line.partition("/given/")[2].startswith(f"s3conform-{run_id}/") for line in written)
        listed = [target for target in targets if "list-type=2" in target]
        assert all(f"prefix=s3conform-{run_id}" in target for target in listed)
        assert server.buckets() == ["given"]
    assert cells(tmp_path / "out")["DEL-003[raw]"] == "inapplicable"


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Two runs against one endpoint, started together, both pass and leave nothing."""
    with reference_server() as server, ExitStack() as stack:
        options = ("run", *server.options, *SELECTION, "--workers", 2, "--out")
        running = [stack.enter_context(started(*options, name, cwd=tmp_path)) for name in ("one", "two")]
        for process in running:
            end = ended(process)
            assert end.code == 0, end.text
        assert server.buckets() == []
    headers = [lines(tmp_path / name)[0] for name in ("one", "two")]
    assert headers[0]["run_id"] != headers[1]["run_id"]


def test_second_run_into_the_same_folder_exits_2(tmp_path: Path, server: Server) -> None:
    """One folder, one run: the second says so at once, and the first is not disturbed."""
    with Relay(server.address, hold_after=0) as relay:
        options = ("run", "--endpoint", relay.endpoint, *server.keys, *SELECTION, "--workers", 1, "--out", "out")
        with started(*options, cwd=tmp_path) as process:
            assert relay.held.wait(20)
            second = s3conform(*options, cwd=tmp_path)
            assert second.code == 2, second.text
            assert "another run is writing there" in second.err
            relay.release()
            first = ended(process)
            assert first.code == 0, first.text


def test_cleanup_refuses_what_the_run_could_not_have_made(tmp_path: Path) -> None:
    """A journal is only text: each entry must bear the run's own name, or it is left alone and named."""
    foreign = [
        owned("theirs"),
        owned(OTHER),
        owned(f"{RUN}7"),
        owned("theirs", "photo"),
        owned("theirs", f"{OTHER}/"),
        owned("theirs", ""),
        owned("theirs", f"x/{RUN}/"),
        owned(f"{RUN}-w0-1/../theirs"),
    ]
    with reference_server() as server, somebody_elses(server, "theirs") as client:
        for bucket in (OTHER, f"{RUN}7", f"{RUN}-w0-1"):
            client.create_bucket(Bucket=bucket)
        path = journal(tmp_path, server.endpoint, *foreign, owned(f"{RUN}-w0-1"), owned(f"{RUN}-w0-2"))
        end = s3conform("cleanup", path, *server.keys, cwd=tmp_path)
        assert end.code == 1, end.text
        assert end.out.count("not a name that this run could have made") == len(foreign)
        assert server.buckets() == sorted([OTHER, f"{RUN}7", "theirs"])


def test_cleanup_of_a_journal_with_a_forged_run_removes_nothing(
    tmp_path: Path, server: Server, in_process: Callable[..., Ended]
) -> None:
    """A run id that is no run id matches no bucket, whatever begins like it."""
    with server.client() as client:
        client.create_bucket(Bucket=OTHER)
        try:
            for run_id in ("", "2", "250101120000"):
                path = journal(tmp_path, server.endpoint, owned(OTHER), run_id=run_id)
                assert in_process("cleanup", str(path), *server.keys).code == 1
            assert OTHER in server.buckets()
        finally:
            client.delete_bucket(Bucket=OTHER)


def test_cleanup_survives_a_store_that_never_deletes_and_lists_what_stayed(tmp_path: Path) -> None:
    """On an immutable store every delete is refused: a run and its cleanup end, and name what had to stay."""
    with reference_server("--personality", "auto-drive") as server:
        end = s3conform(
            "run", *server.options, "--profile", "auto-drive", *SELECTION, "--workers", 2, "--out", "out", cwd=tmp_path
        )
        assert end.code == 0, end.text
        left = lines(tmp_path / "out")[-1]["leftovers"]
        assert left
        assert all("immutable" in line for line in left), left
        assert any("objects stayed" in line for line in left), left
        assert end.out.count("left behind: ") == min(len(left), 5)
        again = s3conform("cleanup", "out", *server.keys, cwd=tmp_path)
        assert again.code == 1, again.text
        assert again.out.count("left behind: ") == len(left)
        assert f"{len(left)} things stayed" in again.out


def test_cleanup_needs_neither_batches_nor_versions_nor_uploads(tmp_path: Path) -> None:
    """DeleteObjects, ListObjectVersions, ListMultipartUploads and ListObjectsV2 may all be missing."""
    objects = {f"etag-001-raw-1/{number}" for number in range(5)}
    asked: list[str] = []

    def small(request: Handler) -> None:
        path, _, query = request.path.partition("?")
        key = path.removeprefix(f"/{RUN}-w0-1").removeprefix("/")
        asked.append(f"{request.command} {query}")
        if "list-type=2" in query or re.search(r"\b(delete|versions|uploads)\b", query):
            request.say(501, b"<Error><Code>NotImplemented</Code></Error>")
        elif path == "/":
            request.say(200, BUCKETS)
        elif request.command == "GET" and objects is not None and not key:
            found = "".join(f"<Contents><Key>{name}</Key></Contents>" for name in sorted(objects))
            page = f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
            request.say(200, page.encode())
        elif request.command == "DELETE" and key:
            objects.discard(key)
            request.say(204)
        elif request.command == "DELETE" and not objects:
            asked.append("bucket deleted")
            request.say(204)
        else:
            request.say(409, b"<Error><Code>BucketNotEmpty</Code></Error>")

    with stub(small) as url:
        path = journal(tmp_path, url, owned(f"{RUN}-w0-1"))
        end = s3conform("cleanup", path, "--access-key", "AK", "--secret-key", "SK", cwd=tmp_path)
    assert end.code == 0, end.text
    assert objects == set()
    assert "bucket deleted" in asked


def test_cleanup_with_an_endpoint_that_ignores_the_prefix_deletes_nothing_of_others(tmp_path: Path) -> None:
    """A listing that shows foreign keys although a prefix was asked for is not followed."""
    deleted: list[str] = []

    def careless(request: Handler) -> None:
        if request.command == "DELETE":
            deleted.append(request.path)
            request.say(204)
            return
        keys = ("photo.jpg", f"{RUN}/k", f"{OTHER}/k")
        found = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
        found += "".join(f"<Upload><Key>{key}</Key><UploadId>u</UploadId></Upload>" for key in keys)
        request.say(200, f"<Result><IsTruncated>false</IsTruncated>{found}</Result>".encode())

    with stub(careless) as url:
        path = journal(tmp_path, url, owned("theirs", f"{RUN}/"))
        end = s3conform("cleanup", path, "--access-key", "AK", "--secret-key", "SK", cwd=tmp_path)
    assert end.code == 0, end.text
    assert deleted == [f"/theirs/{RUN}/k", f"/theirs/{RUN}/k?uploadId=u"]


def test_cleanup_repeats_nothing_harmful_of_what_the_endpoint_says(tmp_path: Path) -> None:
    """The endpoint's messages are shown without escape sequences, in lines of bounded length, without secrets."""

    def rude(request: Handler) -> None:
        if request.path == "/":
            request.say(200, BUCKETS)
            return
        token = request.headers["x-amz-security-token"]
        text = f"<Error><Code>No&#27;[2J</Code><Message>{token}\n{'x' * 9999}&#133;</Message></Error>"
        request.say(403, text.encode())

    with stub(rude) as url:
        path = journal(tmp_path, url, owned(f"{RUN}-w0-1"))
        secrets = ("--access-key", "AKIDRUDE", "--secret-key", "s3cr3t-rude", "--session-token", "t0ken-rude-session")
        end = s3conform("cleanup", path, *secrets, cwd=tmp_path)
    assert end.code == 1, end.text
    assert not re.search("t0ken|s3cr3t|AKIDRUDE|\x1b|\x85", end.text)
    assert all(len(line) < 600 for line in end.out.splitlines())


def test_cleanup_of_what_is_no_journal_exits_4(tmp_path: Path, in_process: Callable[..., Ended]) -> None:
    """A missing file, a folder without one and other files are told in one line."""
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "other").write_bytes(b'{"kind":"header"}\n')
    for name in ("missing", ".", "empty", "other"):
        end = in_process("cleanup", name, "--access-key", "AK", "--secret-key", "SK")
        assert end.code == 4, end.text
        assert len(end.err.splitlines()) == 1


def test_cleanup_signs_for_the_region_of_the_run(tmp_path: Path, in_process: Callable[..., Ended]) -> None:
    """Whoever cleans up need not know which region the run was given; what they give counts more."""
    scopes: set[str] = set()

    def note(request: Handler) -> None:
        scopes.add(request.headers["Authorization"].split("/")[2])
        request.say(200, BUCKETS)

    with stub(note) as url:
        path = journal(tmp_path, url)
        path.write_text(path.read_text().replace("us-east-1", "eu-west-1"))
        options = ("cleanup", str(path), "--access-key", "AK", "--secret-key", "SK")
        assert in_process(*options).code == 0
        assert scopes == {"eu-west-1"}
        assert in_process(*options, "--region", "us-east-1").code == 0
    assert scopes == {"eu-west-1", "us-east-1"}
