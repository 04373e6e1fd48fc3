"""What s3cmd can say, and that what it did is shown as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.clients.s3cmd import S3cmd
from harness.config import Endpoint
from harness.signals import ClientFault, Inexpressible
from harness.wire.sigv4 import Credentials
from tests import support
from tests.harness.clients.conftest import endpoint_of
from tests.harness.clients.making import opened

KEY = "dir/kéy +1 %41&#.txt"


@pytest.fixture(scope="module")
def s3cmd(server: support.Server) -> Iterator[S3cmd]:
    """The real s3cmd, for all tests of a module."""
    client = opened("s3cmd", endpoint_of(server))
    yield client
    client.close()


def test_buckets(s3cmd: S3cmd, witness: RawClient, bucket: str) -> None:
    """Made, listed, removed; the wire shows the refusal of one that is not empty, the exit code its status."""
    made = s3cmd.call("CreateBucket", {"Bucket": f"{bucket}-new"})
    assert (made.ok, made.status, made.exit_code) == (True, 200, 0)
    listed = s3cmd.call("ListBuckets", {})
    assert {bucket, f"{bucket}-new"} <= {entry["Name"] for entry in listed.output["Buckets"]}
    assert s3cmd.call("DeleteBucket", {"Bucket": f"{bucket}-new"}).status == 204
    witness.call("PutObject", {"Bucket": bucket, "Key": "k", "Body": b""})
    kept = s3cmd.call("DeleteBucket", {"Bucket": bucket})
    assert (kept.ok, kept.status, kept.code, kept.exit_code) == (False, 409, "BucketNotEmpty", 13)


def test_object_with_its_headers(s3cmd: S3cmd, witness: RawClient, bucket: str) -> None:
    """Stored with headers and metadata, and none of s3cmd's own; read, shown, copied, deleted."""
    place = {"Bucket": bucket, "Key": KEY}
    headers = {"ContentType": "text/x-a", "CacheControl": "no-store", "Metadata": {"two-words": "B, c:d"}}
    stored = s3cmd.call("PutObject", place | {"Body": b"0123456789"} | headers)
    assert (stored.ok, stored.status, stored.etag) == (True, 200, '"781e5e245d69b566979b86e28d23f2c7"')
    seen = witness.call("HeadObject", place)
    assert (seen.output["ContentType"], seen.output["CacheControl"]) == ("text/x-a", "no-store")
    assert seen.output["Metadata"] == {"two-words": "B, c:d"}

    read = s3cmd.call("GetObject", place)
    assert (read.ok, read.status, read.body, read.stdout) == (True, 200, b"0123456789", "")
    shown = s3cmd.call("HeadObject", place)
    assert (shown.output["ContentLength"], shown.output["ContentType"]) == (10, "text/x-a")
    assert (shown.output["Metadata"], shown.partial) == ({"two-words": "B, c:d"}, True)

    copied = s3cmd.call("CopyObject", {"Bucket": bucket, "Key": "copy", "CopySource": place})
    assert (copied.ok, copied.status, len(copied.exchanges)) == (True, 200, 1)
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "copy"}).body == b"0123456789"

    assert s3cmd.call("DeleteObject", place).status == 204
    assert witness.call("HeadObject", place).status == 404


def test_conditions_are_headers(s3cmd: S3cmd, witness: RawClient, bucket: str) -> None:
    """What has no option of its own is said by `--add-header`."""
    place = {"Bucket": bucket, "Key": "once"}
    assert s3cmd.call("PutObject", place | {"Body": b"", "IfNoneMatch": "*"}).status == 200
    second = s3cmd.call("PutObject", place | {"Body": b"x", "IfNoneMatch": "*"})
    assert (second.status, second.code, second.exit_code) == (412, "PreconditionFailed", 14)
    assert witness.call("GetObject", place).body == b""


def test_refusals_are_those_of_the_wire(s3cmd: S3cmd, bucket: str) -> None:
    """Status, code and elements come from the answer; the exit code and words are s3cmd's."""
    refused = s3cmd.call("PutObject", {"Bucket": f"{bucket}-none", "Key": "k", "Body": b"x"})
    assert (refused.ok, refused.status, refused.code, refused.exit_code) == (False, 404, "NoSuchBucket", 12)
    assert refused.error_fields["BucketName"] == f"{bucket}-none"
    assert "404 (NoSuchBucket)" in refused.stderr
    listed = s3cmd.call("ListObjects", {"Bucket": f"{bucket}-none"})
    assert (listed.ok, listed.status, listed.code, listed.keys) == (False, 404, "NoSuchBucket", [])


@pytest.mark.parametrize(("operation", "exit_code"), [("GetObject", 64), ("HeadObject", 12)])
def test_missing_objects(s3cmd: S3cmd, bucket: str, operation: str, exit_code: int) -> None:
    """It learns of them by HeadObject, and takes the first for a wrong argument."""
    missing = s3cmd.call(operation, {"Bucket": bucket, "Key": "none"})
    assert (missing.ok, missing.status, missing.code, missing.exit_code) == (False, 404, "", exit_code)
    assert (missing.failure, missing.output) == ("", {})


def test_listings(s3cmd: S3cmd, witness: RawClient, bucket: str) -> None:
    """Keys and common prefixes in full; a limit, and whether it was reached."""
    names = ["a", "b/1", "b/2", "b/c/3", "é +%"]
    for name in names:
        witness.call("PutObject", {"Bucket": bucket, "Key": name, "Body": b"x"})
    assert s3cmd.list_all(1, {"Bucket": bucket}).keys == names
    folded = s3cmd.call("ListObjects", {"Bucket": bucket, "Prefix": "b/", "Delimiter": "/"})
    assert (folded.keys, folded.prefixes) == (["b/1", "b/2"], ["b/c/"])
    assert [entry["Size"] for entry in folded.output["Contents"]] == [1, 1]
    cut = s3cmd.call("ListObjects", {"Bucket": bucket, "MaxKeys": 2})
    assert (cut.keys, cut.output["IsTruncated"]) == (names[:2], True)
    whole = s3cmd.call("ListObjects", {"Bucket": bucket, "MaxKeys": 5})
    assert (whole.keys, whole.output["IsTruncated"]) == (names, False)
    nothing = s3cmd.call("ListObjects", {"Bucket": bucket, "Prefix": "none/"})
    assert (nothing.ok, nothing.keys, nothing.prefixes) == (True, [], [])
    witness.call("PutObject", {"Bucket": bucket, "Key": "two\nlines", "Body": b"x"})
    with pytest.raises(Inexpressible, match="no entry"):
        s3cmd.call("ListObjects", {"Bucket": bucket})


def test_multipart_upload(s3cmd: S3cmd, witness: RawClient, bucket: str) -> None:
    """In parts of the size asked for; the completion's exchange stands for all."""
    body = bytes(range(256)) * (6 << 12)
    place = {"Bucket": bucket, "Key": "big"}
    stored = s3cmd.upload(place | {"Body": body}, 5 << 20)
    assert (stored.ok, stored.status, stored.operation) == (True, 200, "CompleteMultipartUpload")
    assert sum("partNumber=" in e.url for e in stored.exchanges) == 2
    assert witness.call("GetObject", place).body == body
    with pytest.raises(Inexpressible, match="whole MiB"):
        s3cmd.upload(place | {"Body": body}, 1 << 20)
    with pytest.raises(Inexpressible, match="in one piece"):
        s3cmd.upload(place | {"Body": b"small"}, 5 << 20)


def test_commands_of_workflows(s3cmd: S3cmd, witness: RawClient, bucket: str) -> None:
    """Files of the working folder, what went over the wire, and a command to repeat."""
    (s3cmd.folder / "one.txt").write_text("1")
    stored = s3cmd.command("put", "one.txt", f"s3://{bucket}/to/")
    assert (stored.ok, stored.exit_code, [e.method for e in stored.exchanges]) == (True, 0, ["PUT"])
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "to/one.txt"}).body == b"1"
    host = s3cmd.endpoint.url.removeprefix("http://")
    where = f"--host={host} --host-bucket={host} --region=us-east-1 --no-ssl"
    assert stored.command["s3cmd"] == f"s3cmd put one.txt s3://{bucket}/to/ {where}"
    signed = s3cmd.command("signurl", f"s3://{bucket}/to/one.txt", "+60")
    assert (signed.exchanges, witness.fetch(signed.stdout.strip()).body) == ([], b"1")


def test_further_settings_are_lines_of_its_configuration(server: support.Server) -> None:
    """As the gateway tells its users; secrets are not in it."""
    client = opened("s3cmd", endpoint_of(server), {"host_bucket": "%(bucket)s.example.org"})
    try:
        text = Path(client.environment["S3CMD_CONFIG"]).read_text()
        assert "host_bucket = %(bucket)s.example.org\n" in text
        assert client.endpoint.credentials.secret_key not in text
    finally:
        client.close()


# --- answers of other servers ---


def test_no_retries(answering: Callable[..., Any]) -> None:
    """Every answer is the endpoint's own."""
    text = b"<Error><Code>SlowDown</Code><Message>later</Message></Error>"
    url = answering(b"HTTP/1.1 503 Slow Down\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)).url
    client = opened("s3cmd", Endpoint(url, Credentials("AKONE", "secret-one"), timeout=5))
    try:
        slow = client.call("ListBuckets", {})
        assert (slow.status, slow.code, slow.exit_code, len(slow.exchanges)) == (503, "SlowDown", 15, 1)
    finally:
        client.close()


def test_info_stops_at_another_refusal(s3cmd: S3cmd, monkeypatch: pytest.MonkeyPatch) -> None:
    """HeadObject is not blamed for it."""
    seen = Observed("HeadObject", "s3cmd", ok=False, status=200, exit_code=11, stderr="ERROR: 405 (no CORS)")
    monkeypatch.setattr(s3cmd, "perform", lambda *_: seen)
    with pytest.raises(Inexpressible, match="asks for more than HeadObject"):
        s3cmd.call("HeadObject", {"Bucket": "bucket", "Key": "k"})


def test_silent_success_is_its_own_fault(server: support.Server, tmp_path: Path) -> None:
    """A program that ends with exit code 0 and does nothing shows nothing of the endpoint."""
    idle = tmp_path / "s3cmd"
    idle.write_text("#!/bin/sh\nexit 0\n")
    idle.chmod(0o755)
    client = opened("s3cmd", endpoint_of(server), program=str(idle))
    try:
        for command in (["ls"], ["signurl", "s3://bucket/k", "+1"]):
            with pytest.raises(ClientFault, match="without doing anything"):
                client.command(*command)
        with pytest.raises(ClientFault, match="without sending anything"):
            client.call("ListBuckets", {})
    finally:
        client.close()


@pytest.mark.parametrize(
    ("operation", "params", "reason"),
    [
        ("GetBucketPolicy", {}, "no command of s3cmd is known here that is GetBucketPolicy"),
        ("ListObjectsV2", {}, "version 1 only"),
        ("GetObject", {"Key": ""}, "empty key"),
        ("GetObject", {"Key": "a/"}, "for a folder"),
        ("GetObject", {"Key": "a?"}, "wildcards"),
        ("GetObject", {"Key": "a\0b"}, "command line"),
        ("GetObject", {"Key": "a", "Range": "bytes=0-1"}, "no way to say Range"),
        ("PutObject", {"Key": "a", "Metadata": {"n": "é"}}, "printable ASCII"),
        ("PutObject", {"Key": "a", "ContentType": "two words/x"}, "letters, digits"),
        ("PutObject", {"Key": "a", "ChecksumCRC32": "x"}, "no way to say ChecksumCRC32"),
        ("CopyObject", {"Key": "a", "CopySource": "b/c", "MetadataDirective": "REPLACE"}, "with its metadata"),
        ("ListObjects", {"Delimiter": "-"}, "slash only"),
        ("ListObjects", {"Prefix": "a*"}, "wildcard"),
        ("CreateBucket", {"Bucket": "b", "CreateBucketConfiguration": {"LocationConstraint": "x"}}, "own region"),
        ("CreateBucket", {"Bucket": "ab"}, "does not send this: .*too short"),
    ],
)
def test_what_it_cannot_say(s3cmd: S3cmd, operation: str, params: dict[str, Any], reason: str) -> None:
    """Refused with the reason."""
    with pytest.raises(Inexpressible, match=reason):
        s3cmd.call(operation, {"Bucket": "bucket"} | params)


def test_pages_have_no_size(s3cmd: S3cmd) -> None:
    """Neither has it version 2."""
    with pytest.raises(Inexpressible, match="size of a page"):
        s3cmd.list_all(1, {"Bucket": "bucket", "MaxKeys": 2})
    with pytest.raises(Inexpressible, match="version 1 only"):
        s3cmd.list_all(2, {"Bucket": "bucket"})
