"""What mc can say, and that what it did is shown as it was; skipped where it is not installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.clients.mc import Mc
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.signals import Inexpressible
from harness.wire.sigv4 import Credentials
from tests import support
from tests.harness.clients.conftest import endpoint_of
from tests.harness.clients.making import opened

KEY = "dir/kéy +1 %41&#.txt"


@pytest.fixture(scope="module")
def mc(server: support.Server) -> Iterator[Mc]:
    """The real mc, for all tests of a module."""
    client = opened("mc", endpoint_of(server))
    yield client
    client.close()


def test_midnight_commander_is_another_program() -> None:
    """It has the same name, and other words for its version."""
    told = re.search(Mc.version_pattern, "mc version RELEASE.2025-08-13T08-35-41Z (commit-id=7394ce0)")
    assert told is not None
    assert told[1] == "RELEASE.2025-08-13T08-35-41Z"
    assert re.search(Mc.version_pattern, "GNU Midnight Commander 4.8.29\nBuilt with GLib 2.74.6") is None


def test_buckets(mc: Mc, witness: RawClient, bucket: str) -> None:
    """Made, listed, removed; of one that is not empty it does not ask the endpoint at all."""
    made = mc.call("CreateBucket", {"Bucket": f"{bucket}-new"})
    assert (made.ok, made.status, made.exit_code) == (True, 200, 0)
    listed = mc.call("ListBuckets", {})
    assert {bucket, f"{bucket}-new"} <= {entry["Name"] for entry in listed.output["Buckets"]}
    assert mc.call("DeleteBucket", {"Bucket": f"{bucket}-new"}).status == 204
    witness.call("PutObject", {"Bucket": bucket, "Key": "k", "Body": b""})
    with pytest.raises(Inexpressible, match=r"does not send DeleteBucket after .*ListObjectVersions \(200\)"):
        mc.call("DeleteBucket", {"Bucket": bucket})


def test_object_with_its_headers(mc: Mc, witness: RawClient, bucket: str) -> None:
    """Stored with headers and metadata, read whole and from an offset, shown, copied."""
    place = {"Bucket": bucket, "Key": KEY}
    headers = {"ContentType": "text/x-a", "CacheControl": "no-store", "Metadata": {"two-words": "B, c"}}
    stored = mc.call("PutObject", place | {"Body": b"0123456789"} | headers)
    assert (stored.ok, stored.status, stored.etag) == (True, 200, '"781e5e245d69b566979b86e28d23f2c7"')
    seen = witness.call("GetObject", place)
    assert (seen.body, seen.output["ContentType"], seen.output["CacheControl"]) == (
        b"0123456789",
        "text/x-a",
        "no-store",
    )
    assert seen.output["Metadata"] == {"two-words": "B, c"}

    read = mc.call("GetObject", place)
    assert (read.ok, read.status, read.body, read.stdout) == (True, 200, b"0123456789", "")
    rest = mc.call("GetObject", place | {"Range": "bytes=7-"})
    assert (rest.status, rest.body) == (206, b"789")
    shown = mc.call("HeadObject", place)
    assert (shown.output["ContentLength"], shown.output["ContentType"]) == (10, "text/x-a")
    assert (shown.output["Metadata"], shown.partial) == ({"two-words": "B, c"}, True)

    copied = mc.call("CopyObject", {"Bucket": bucket, "Key": "copy", "CopySource": place})
    assert (copied.ok, copied.status) == (True, 200)
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "copy"}).body == b"0123456789"


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject"])
def test_missing_objects(mc: Mc, bucket: str, operation: str) -> None:
    """It learns of them by HeadObject, whose answer has no code."""
    missing = mc.call(operation, {"Bucket": bucket, "Key": "none"})
    assert (missing.ok, missing.status, missing.code, missing.exit_code) == (False, 404, "", 1)
    assert (missing.failure, missing.output) == ("", {})


def test_what_was_never_sent_is_not_judged(mc: Mc, bucket: str) -> None:
    """The location of the bucket comes first: in a bucket that is not there nothing is stored."""
    with pytest.raises(Inexpressible, match=r"does not send PutObject after GetBucketLocation \(404\)"):
        mc.call("PutObject", {"Bucket": f"{bucket}-none", "Key": "k", "Body": b"x"})


def test_listings(mc: Mc, witness: RawClient, bucket: str) -> None:
    """Keys and common prefixes with the prefix they were asked with."""
    names = ["a", "b/1", "b/2", "b/c/3", "é +%"]
    for name in names:
        witness.call("PutObject", {"Bucket": bucket, "Key": name, "Body": b"x"})
    assert mc.list_all(2, {"Bucket": bucket}).keys == names
    folded = mc.call("ListObjectsV2", {"Bucket": bucket, "Prefix": "b/", "Delimiter": "/"})
    assert (folded.keys, folded.prefixes) == (["b/1", "b/2"], ["b/c/"])
    assert [entry["Size"] for entry in folded.output["Contents"]] == [1, 1]
    nothing = mc.call("ListObjectsV2", {"Bucket": bucket, "Prefix": "none/"})
    assert (nothing.ok, nothing.keys, nothing.prefixes) == (True, [], [])
    with pytest.raises(Inexpressible, match="version 2 only"):
        mc.list_all(1, {"Bucket": bucket})


def test_multipart_upload(mc: Mc, witness: RawClient, bucket: str) -> None:
    """In parts of the size asked for; the completion's exchange stands for all."""
    body = bytes(range(256)) * (6 << 12)
    place = {"Bucket": bucket, "Key": "big"}
    stored = mc.upload(place | {"Body": body}, 5 << 20)
    assert (stored.ok, stored.status, stored.operation) == (True, 200, "CompleteMultipartUpload")
    assert sum("partNumber=" in e.url for e in stored.exchanges) == 2
    assert witness.call("GetObject", place).body == body
    with pytest.raises(Inexpressible, match="below 5 MiB"):
        mc.upload(place | {"Body": body}, 1 << 20)
    with pytest.raises(Inexpressible, match="in one piece"):
        mc.upload(place | {"Body": b"small"}, 5 << 20)


def test_commands_of_workflows(mc: Mc, witness: RawClient, bucket: str) -> None:
    """Files of the working folder, what went over the wire, a command to repeat, and a URL of the endpoint."""
    (mc.folder / "one.txt").write_text("1")
    copied = mc.command("cp", "one.txt", f"remote/{bucket}/to/")
    assert (copied.ok, copied.exit_code, copied.exchanges[-1].method) == (True, 0, "PUT")
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "to/one.txt"}).body == b"1"
    host = mc.endpoint.url.replace("http://", "http://ACCESS_KEY:SECRET_KEY@")
    assert copied.command["mc"] == f"MC_HOST_remote={host} mc cp one.txt remote/{bucket}/to/"
    shared = mc.command("share", "download", f"remote/{bucket}/to/one.txt")
    url = shared.stdout.partition("Share: ")[2].strip()
    assert url.startswith(f"{mc.endpoint.url}/{bucket}/to/one.txt?")
    assert witness.fetch(url).body == b"1"


def test_secrets_are_in_a_private_file(mc: Mc) -> None:
    """Not on the command line, which every user of the machine can read."""
    args, variables = mc.line(["ls", "remote"])
    secret = mc.endpoint.credentials.secret_key
    assert not any(secret in text for text in (*args, *variables.values(), *mc.environment.values()))
    assert secret in (Path(variables["MC_CONFIG_DIR"]) / "config.json").read_text()
    assert mc.runner.home.parent.stat().st_mode & 0o077 == 0


def test_other_hosts_go_through_the_proxy() -> None:
    """Only loopback addresses are replaced by the wiretap; everything else is asked of it as a proxy."""
    client = opened("mc", Endpoint("http://s3.invalid:9000", Credentials("AKONE", "secret-one"), timeout=2))
    try:
        assert client.tapped == "http://s3.invalid:9000"
        listed = client.call("ListBuckets", {})
        assert listed.exchanges[0].url == "http://s3.invalid:9000/"
        assert not listed.ok
    finally:
        client.close()


@pytest.mark.parametrize(
    ("operation", "params", "reason"),
    [
        ("GetBucketPolicy", {}, "no command of mc is known here that is GetBucketPolicy"),
        ("DeleteObject", {"Key": "a"}, "deletes with DeleteObjects"),
        ("ListObjects", {}, "version 2 only"),
        ("GetObject", {"Key": ""}, "empty key"),
        ("GetObject", {"Key": "a/"}, "for a folder"),
        ("GetObject", {"Key": "a\0b"}, "command line"),
        ("GetObject", {"Key": "a", "Range": "bytes=0-1"}, "from an offset"),
        ("PutObject", {"Key": "a", "Metadata": {"n": "é"}}, "printable ASCII"),
        ("PutObject", {"Key": "a", "Metadata": {"n": "x;y"}}, "semicolons"),
        ("PutObject", {"Key": "a", "ContentMD5": "x"}, "no way to say ContentMD5"),
        ("ListObjectsV2", {"MaxKeys": 2}, "no way to say MaxKeys"),
        ("ListObjectsV2", {"Delimiter": "-"}, "slash only"),
        ("ListObjectsV2", {"Prefix": "a"}, "end with a slash"),
        ("CreateBucket", {"Bucket": "a_b"}, "does not send this"),
    ],
)
def test_what_it_cannot_say(mc: Mc, operation: str, params: dict[str, Any], reason: str) -> None:
    """Refused with the reason."""
    with pytest.raises(Inexpressible, match=reason):
        mc.call(operation, {"Bucket": "bucket"} | params)
