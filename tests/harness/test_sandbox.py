"""The journal, and what cleanup makes of it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.errors import RunFileError
from harness.sandbox import JournalHead, Owned, Removed, Sandbox, append, cleanup, read_journal
from harness.wire.sigv4 import Credentials
from tests.support import Server

RUN = "260101000000-0a1b2c"


@pytest.fixture
def witness(server: Server) -> Iterator[RawClient]:
    """A raw client for the shared server."""
    client = RawClient(Endpoint(server.endpoint, Credentials(server.access_key, server.secret_key)))
    yield client
    client.close()


@pytest.fixture
def journal(tmp_path: Path, server: Server) -> Path:
    """A journal with its head."""
    append(tmp_path / "journal.jsonl", JournalHead(RUN, server.endpoint, "us-east-1", "path"))
    return tmp_path / "journal.jsonl"


def test_journal_names_what_may_still_be_there(journal: Path) -> None:
    """What is known to be gone is not named again."""
    for entry in (Owned("a"), Owned("b"), Removed("a"), Owned("c", "p/")):
        append(journal, entry)
    head, owned = read_journal(journal)
    assert head.run_id == RUN
    assert owned == [Owned("b"), Owned("c", "p/")]


def test_half_a_last_line_is_what_a_kill_leaves(journal: Path) -> None:
    """It named nothing that exists: entries are written before what they name is made."""
    append(journal, Owned("a"))
    with journal.open("ab") as file:
        file.write(b'{"kind":"owned","buck')
    assert read_journal(journal)[1] == [Owned("a")]


def test_damaged_line_in_the_middle_is_told_with_its_number(journal: Path) -> None:
    """A journal that cannot be understood is not half obeyed."""
    with journal.open("ab") as file:
        file.write(b'{"kind":"owned"}\n')
    append(journal, Owned("a"))
    with pytest.raises(RunFileError, match=r"journal\.jsonl, line 2"):
        read_journal(journal)


def test_bucket_is_journaled_before_it_is_made(journal: Path, witness: RawClient) -> None:
    """A kill between the two leaves a name too many, never a bucket too many."""
    sandbox = Sandbox(RUN, "w0", witness, journal)
    name = sandbox.name()
    assert witness.call("HeadBucket", {"Bucket": name}).status == 404
    assert Owned(name) in read_journal(journal)[1]
    bucket, refused = sandbox.fresh()
    assert refused is None
    assert Owned(bucket) in read_journal(journal)[1]
    assert cleanup(journal, witness, 10) == []
    assert witness.call("HeadBucket", {"Bucket": bucket}).status == 404


def test_names_of_workers_and_runs_never_meet(journal: Path, witness: RawClient) -> None:
    """Every name bears run, worker and a number, and is one that S3 takes for a bucket."""
    names = [Sandbox(run, worker, witness, journal).name() for run in (RUN, RUN[:-1] + "d") for worker in ("w0", "gw1")]
    assert len(set(names)) == 4
    assert all(len(name) <= 63 and name.islower() for name in names)


def test_store_with_implicit_buckets_is_never_asked_to_create_one(journal: Path, witness: RawClient) -> None:
    """Where buckets appear with their first object, a name is enough."""
    bucket, refused = Sandbox(RUN, "w0", witness, journal, implicit=True).bucket()
    assert refused is None
    assert bucket is not None
    assert witness.call("HeadBucket", {"Bucket": bucket}).status == 404


def test_cleanup_removes_objects_and_unfinished_uploads(journal: Path, witness: RawClient) -> None:
    """A bucket goes with all that is in it, however its keys are spelled."""
    bucket, _ = Sandbox(RUN, "w0", witness, journal).fresh()
    for key in ("a", "a/b", "ä ö?&=+%2F", "dir/", "<x>&amp;"):
        assert witness.call("PutObject", {"Bucket": bucket, "Key": key, "Body": b"x"}).ok
    assert witness.call("CreateMultipartUpload", {"Bucket": bucket, "Key": "u+v w"}).ok
    assert cleanup(journal, witness, 30) == []
    assert witness.call("HeadBucket", {"Bucket": bucket}).status == 404


def test_cleanup_removes_versions_and_what_their_owner_may_release(journal: Path, witness: RawClient) -> None:
    """Old versions, delete markers and governed versions: all of a bucket of the run's own, by page."""
    sandbox = Sandbox(RUN, "w0", witness, journal)
    plain, _ = sandbox.fresh()
    enabled = {"VersioningConfiguration": {"Status": "Enabled"}}
    assert witness.call("PutBucketVersioning", {"Bucket": plain, **enabled}).ok
    for key in ("a b", "control\x01", "é/+"):
        for _ in range(2):
            assert witness.call("PutObject", {"Bucket": plain, "Key": key, "Body": b"1"}).ok
        assert witness.call("DeleteObject", {"Bucket": plain, "Key": key}).ok
    locked = sandbox.name()
    assert witness.call("CreateBucket", {"Bucket": locked, "ObjectLockEnabledForBucket": True}).ok
    until = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    kept = {"Bucket": locked, "Key": "kept", "Body": b"1", "ContentMD5": "xMpCOKC5I4INzFCab3WEmw=="}
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    assert witness.call("PutObject", kept | lock).ok
    assert cleanup(journal, witness, 30) == []
    for bucket in (plain, locked):
        assert witness.call("HeadBucket", {"Bucket": bucket}).status == 404


def test_cleanup_of_a_prefix_removes_its_versions_and_no_others(journal: Path, witness: RawClient) -> None:
    """In a bucket that somebody lent and that keeps versions, a delete alone would leave all that the run stored."""
    bucket = f"s3conform-{RUN}-lent"
    append(journal, Owned(bucket))
    assert witness.call("CreateBucket", {"Bucket": bucket}).ok
    enabled = {"VersioningConfiguration": {"Status": "Enabled"}}
    assert witness.call("PutBucketVersioning", {"Bucket": bucket, **enabled}).ok
    for key in (f"s3conform-{RUN}/a b/é", f"s3conform-{RUN}x/theirs", "theirs"):
        for _ in range(2):
            assert witness.call("PutObject", {"Bucket": bucket, "Key": key, "Body": b"1"}).ok
    lent = journal.with_name("lent.jsonl")
    append(lent, JournalHead(RUN, witness.endpoint.url, "us-east-1", "path"))
    append(lent, Owned(bucket, f"s3conform-{RUN}/"))
    assert cleanup(lent, witness, 30) == []
    left = witness.call("ListObjectVersions", {"Bucket": bucket})
    assert [one["Key"] for one in left.output["Versions"]] == [f"s3conform-{RUN}x/theirs"] * 2 + ["theirs"] * 2
    assert "DeleteMarkers" not in left.output
    assert cleanup(journal, witness, 30) == []


def test_cleanup_without_time_names_what_it_did_not_do(journal: Path, witness: RawClient) -> None:
    """Places that time did not reach are told, and stay in the journal for the next cleanup."""
    bucket, _ = Sandbox(RUN, "w0", witness, journal).fresh()
    assert cleanup(journal, witness, -1) == [f"{bucket}/: no time left; see the journal"]
    assert cleanup(journal, witness, 10) == []


def test_cleanup_of_a_dead_endpoint_ends_in_time(journal: Path) -> None:
    """Each place costs a bounded wait, all of them no more than they were given."""
    for number in range(200):
        append(journal, Owned(f"s3conform-{RUN}-w0-{number}"))
    client = RawClient(Endpoint("http://127.0.0.1:1", Credentials("AK", "SK")))
    begun = time.monotonic()
    left = cleanup(journal, client, 20)
    assert time.monotonic() - begun < 20
    assert len(left) >= 200
