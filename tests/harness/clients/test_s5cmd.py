"""What s5cmd can say, and that what it did is shown as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.clients.raw import RawClient
from harness.clients.s5cmd import S5cmd
from harness.config import Endpoint
from harness.signals import Inexpressible
from harness.wire.sigv4 import Credentials
from tests import support
from tests.harness.clients.conftest import endpoint_of
from tests.harness.clients.making import opened

KEY = "dir/kéy +1 %41&?#*.txt"


@pytest.fixture(scope="module")
def s5cmd(server: support.Server) -> Iterator[S5cmd]:
    """The real s5cmd, for all tests of a module."""
    client = opened("s5cmd", endpoint_of(server))
    yield client
    client.close()


def test_buckets(s5cmd: S5cmd, witness: RawClient, bucket: str) -> None:
    """Made, looked at, listed, removed; the wire shows the refusal of one that is not empty."""
    made = s5cmd.call("CreateBucket", {"Bucket": f"{bucket}-new"})
    assert (made.ok, made.status, made.exit_code) == (True, 200, 0)
    assert s5cmd.call("HeadBucket", {"Bucket": f"{bucket}-new"}).status == 200
    listed = s5cmd.call("ListBuckets", {})
    assert {bucket, f"{bucket}-new"} <= {entry["Name"] for entry in listed.output["Buckets"]}
    assert s5cmd.call("DeleteBucket", {"Bucket": f"{bucket}-new"}).status == 204
    witness.call("PutObject", {"Bucket": bucket, "Key": "k", "Body": b""})
    kept = s5cmd.call("DeleteBucket", {"Bucket": bucket})
    assert (kept.ok, kept.status, kept.code, kept.exit_code) == (False, 409, "BucketNotEmpty", 1)


def test_object_with_its_headers(s5cmd: S5cmd, witness: RawClient, bucket: str) -> None:
    """Stored with headers and metadata, read, shown, copied, deleted."""
    place = {"Bucket": bucket, "Key": KEY}
    metadata = {"two-words": "B, c=d"}
    headers = {"ContentType": "text/x-a", "CacheControl": "no-store", "Metadata": metadata}
    stored = s5cmd.call("PutObject", place | {"Body": b"0123456789"} | headers)
    assert (stored.ok, stored.status, stored.etag) == (True, 200, '"781e5e245d69b566979b86e28d23f2c7"')
    seen = witness.call("HeadObject", place)
    assert (seen.output["ContentType"], seen.output["CacheControl"]) == ("text/x-a", "no-store")
    assert seen.output["Metadata"] == metadata

    shown = s5cmd.call("HeadObject", place)
    assert (shown.output["ContentLength"], shown.output["ContentType"]) == (10, "text/x-a")
    assert (shown.output["Metadata"], shown.partial) == (metadata, True)

    copied = s5cmd.call("CopyObject", {"Bucket": bucket, "Key": "copy", "CopySource": place})
    assert (copied.ok, copied.status) == (True, 200)
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "copy"}).body == b"0123456789"

    deleted = s5cmd.call("DeleteObjects", {"Bucket": bucket, "Delete": {"Objects": [{"Key": KEY}, {"Key": "none"}]}})
    assert deleted.status == 200
    assert {entry["Key"] for entry in deleted.output["Deleted"]} == {KEY, "none"}
    assert witness.call("HeadObject", place).status == 404


def test_reads_are_ranges_of_its_own(s5cmd: S5cmd, witness: RawClient, bucket: str) -> None:
    """The 206 of a range that nobody asked for is not shown, nor the 416 of an empty object; the headers are."""
    for key, content in (("full", b"content"), ("empty", b"")):
        witness.call("PutObject", {"Bucket": bucket, "Key": key, "Body": content})
    full = s5cmd.call("GetObject", {"Bucket": bucket, "Key": "full"})
    assert (full.ok, full.status, full.body, full.stdout) == (True, None, b"content", "")
    assert full.headers is not None
    assert (full.headers["content-length"], "content-range" in full.headers) == ("7", False)
    assert full.exchanges[-1].status == 206
    empty = s5cmd.call("GetObject", {"Bucket": bucket, "Key": "empty"})
    assert (empty.ok, empty.status, empty.headers, empty.code, empty.body) == (True, None, None, "", b"")
    assert empty.exchanges[-1].status == 416


def test_refusals_are_those_of_the_wire(s5cmd: S5cmd, bucket: str) -> None:
    """Status, code and elements come from the answer; the exit code and words are s5cmd's."""
    refused = s5cmd.call("PutObject", {"Bucket": f"{bucket}-none", "Key": "k", "Body": b"x"})
    assert (refused.ok, refused.status, refused.code, refused.exit_code) == (False, 404, "NoSuchBucket", 1)
    assert refused.error_fields["BucketName"] == f"{bucket}-none"
    assert "NoSuchBucket" in refused.stderr
    listed = s5cmd.call("ListObjectsV2", {"Bucket": f"{bucket}-none"})
    assert (listed.ok, listed.status, listed.code, listed.keys) == (False, 404, "NoSuchBucket", [])


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject"])
def test_missing_objects(s5cmd: S5cmd, bucket: str, operation: str) -> None:
    """It learns of them by HeadObject, whose answer has no code."""
    missing = s5cmd.call(operation, {"Bucket": bucket, "Key": "none"})
    assert (missing.ok, missing.status, missing.code, missing.exit_code) == (False, 404, "", 1)
    assert (missing.failure, missing.output) == ("", {})
    assert "not found" in missing.stderr


def test_listings(s5cmd: S5cmd, witness: RawClient, bucket: str) -> None:
    """Keys and common prefixes in full, in both versions; an empty listing is no failure."""
    names = ["a", "b/1", "b/2", "b/c/3", "é +%"]
    for name in names:
        witness.call("PutObject", {"Bucket": bucket, "Key": name, "Body": b"x"})
    for version in (1, 2):
        listed = s5cmd.list_all(version, {"Bucket": bucket})
        assert (listed.ok, listed.keys) == (True, names)
        assert ("list-type=2" in listed.exchanges[0].url) == (version == 2)
    folded = s5cmd.call("ListObjectsV2", {"Bucket": bucket, "Prefix": "b/", "Delimiter": "/"})
    assert (folded.keys, folded.prefixes) == (["b/1", "b/2"], ["b/c/"])
    assert [entry["Size"] for entry in folded.output["Contents"]] == [1, 1]
    nothing = s5cmd.call("ListObjectsV2", {"Bucket": bucket, "Prefix": "none/"})
    assert (nothing.ok, nothing.exit_code, nothing.keys, nothing.prefixes) == (True, 1, [], [])


def test_multipart_upload(s5cmd: S5cmd, witness: RawClient, bucket: str) -> None:
    """In parts of the size asked for; the completion's exchange stands for all."""
    body = bytes(range(256)) * (6 << 12)
    place = {"Bucket": bucket, "Key": "big"}
    stored = s5cmd.upload(place | {"Body": body}, 5 << 20)
    assert (stored.ok, stored.status, stored.operation) == (True, 200, "CompleteMultipartUpload")
    assert sum("partNumber=" in e.url for e in stored.exchanges) == 2
    assert witness.call("GetObject", place).body == body
    with pytest.raises(Inexpressible, match="whole MiB"):
        s5cmd.upload(place | {"Body": body}, (5 << 20) + 1)
    with pytest.raises(Inexpressible, match="in one piece"):
        s5cmd.upload(place | {"Body": b"small"}, 5 << 20)


def test_commands_of_workflows(s5cmd: S5cmd, witness: RawClient, bucket: str) -> None:
    """Files of the working folder, standard input, what went over the wire, and a command to repeat."""
    (s5cmd.folder / "one.txt").write_text("1")
    copied = s5cmd.command("cp", "one.txt", f"s3://{bucket}/to/")
    assert (copied.ok, copied.exit_code, [e.method for e in copied.exchanges]) == (True, 0, ["PUT"])
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "to/one.txt"}).body == b"1"
    batch = s5cmd.command("run", stdin=f"rm s3://{bucket}/to/one.txt\n".encode())
    assert batch.body == f"rm s3://{bucket}/to/one.txt\n".encode()
    url = f"--endpoint-url {s5cmd.endpoint.url}"
    assert copied.command["s5cmd"] == f"AWS_REGION=us-east-1 s5cmd {url} cp one.txt s3://{bucket}/to/"


def test_presigned_urls_name_the_endpoint(s5cmd: S5cmd, witness: RawClient, bucket: str) -> None:
    """Not the wiretap, which nobody can reach afterwards."""
    witness.call("PutObject", {"Bucket": bucket, "Key": "k", "Body": b"shared"})
    signed = s5cmd.command("presign", f"s3://{bucket}/k")
    assert signed.stdout.startswith(f"{s5cmd.endpoint.url}/{bucket}/k?")
    assert witness.fetch(signed.stdout.strip()).body == b"shared"


def test_other_hosts_go_through_the_proxy() -> None:
    """Only loopback addresses are replaced by the wiretap; everything else is asked of it as a proxy."""
    endpoint = Endpoint("http://s3.invalid:9000", Credentials("AKONE", "secret-one"), timeout=2)
    client = opened("s5cmd", endpoint)
    try:
        listed = client.call("ListBuckets", {})
        assert listed.exchanges[0].url == "http://s3.invalid:9000/"
        assert not listed.ok
        assert "cannot connect" in listed.failure
    finally:
        client.close()


def test_secrets_are_not_on_the_command_line(s5cmd: S5cmd) -> None:
    """Every user of the machine can read that."""
    args, variables = s5cmd.line(["ls"])
    assert not any(s5cmd.endpoint.credentials.secret_key in text for text in (*args, *variables.values()))
    assert s5cmd.environment["AWS_SECRET_ACCESS_KEY"] == s5cmd.endpoint.credentials.secret_key


@pytest.mark.parametrize(
    ("operation", "params", "reason"),
    [
        ("GetBucketPolicy", {}, "no command of s5cmd is known here that is GetBucketPolicy"),
        ("DeleteObject", {"Key": "a"}, "deletes with DeleteObjects"),
        ("GetObject", {"Key": ""}, "empty key"),
        ("GetObject", {"Key": "a/"}, "for a folder"),
        ("GetObject", {"Key": "a\0b"}, "command line"),
        ("GetObject", {"Key": "a", "Range": "bytes=0-1"}, "no way to say Range"),
        ("PutObject", {"Key": "a", "Metadata": {"n": "é"}}, "printable ASCII"),
        ("PutObject", {"Key": "a", "ContentMD5": "x"}, "no way to say ContentMD5"),
        ("ListObjects", {"MaxKeys": 2}, "no way to say MaxKeys"),
        ("ListObjects", {"Delimiter": "-"}, "slash only"),
        ("ListObjects", {"Prefix": "a*"}, "wildcards"),
        ("DeleteObjects", {"Delete": {"Objects": [], "Quiet": True}}, "no way to say Quiet"),
        ("DeleteBucket", {"Bucket": "a/b"}, "without slashes"),
        ("CreateBucket", {"Bucket": "a*"}, "does not send this: .*wildcards"),
    ],
)
def test_what_it_cannot_say(s5cmd: S5cmd, operation: str, params: dict[str, Any], reason: str) -> None:
    """Refused with the reason."""
    with pytest.raises(Inexpressible, match=reason):
        s5cmd.call(operation, {"Bucket": "bucket"} | params)


def test_a_documented_redirect_is_followed_and_seen(answering: Any) -> None:
    """s5cmd takes no proxy for a loopback address; it is led to the target through the wiretap all the same."""
    bodies: list[bytes] = []

    def stored(request: bytes) -> bytes:
        bodies.append(request.partition(b"\r\n\r\n")[2])
        return b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Length: 0\r\n\r\n'

    target = answering(stored).url
    there = f"{target}/bucket/k?node=1"
    gateway = answering(f"HTTP/1.1 307 Go\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n".encode()).url
    client = opened("s5cmd", Endpoint(gateway, Credentials("AK", "SK"), timeout=10, follow=(307,)))
    try:
        seen = client.call("PutObject", {"Bucket": "bucket", "Key": "k", "Body": b"0123456789"})
    finally:
        client.close()
    assert [(one.url, one.status) for one in seen.exchanges] == [(f"{gateway}/bucket/k", 307), (there, 200)]
    assert dict(seen.exchanges[0].response_headers)["Location"] == there
    assert (seen.ok, seen.status, seen.etag) == (True, 200, '"a"')
    assert bodies == [b"0123456789"]
