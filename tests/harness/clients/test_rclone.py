"""What rclone can say, and that what it did is shown as it was."""

from __future__ import annotations

from typing import Any

import pytest

from harness.clients.raw import RawClient
from harness.clients.rclone import Rclone
from harness.signals import Inexpressible

KEY = "dir/kéy +1 %41&?#.txt"


def test_buckets(rclone: Rclone, witness: RawClient, bucket: str) -> None:
    """Made, listed, removed; the wire shows the refusal of one that is not empty."""
    made = rclone.call("CreateBucket", {"Bucket": f"{bucket}-new"})
    assert (made.ok, made.status, made.exit_code) == (True, 200, 0)
    listed = rclone.call("ListBuckets", {})
    assert {bucket, f"{bucket}-new"} <= {entry["Name"] for entry in listed.output["Buckets"]}
    assert rclone.call("DeleteBucket", {"Bucket": f"{bucket}-new"}).status == 204
    witness.call("PutObject", {"Bucket": bucket, "Key": "k", "Body": b""})
    kept = rclone.call("DeleteBucket", {"Bucket": bucket})
    assert (kept.ok, kept.status, kept.code, kept.exit_code) == (False, 409, "BucketNotEmpty", 1)


def test_object_with_its_headers(rclone: Rclone, witness: RawClient, bucket: str) -> None:
    """Stored with headers and metadata, read whole and in part, shown, copied, deleted."""
    place = {"Bucket": bucket, "Key": KEY}
    stored = rclone.call(
        "PutObject",
        place
        | {"Body": b"0123456789", "ContentType": "text/x-a", "CacheControl": "no-store", "Metadata": {"a": "B c"}},
    )
    assert (stored.ok, stored.status, stored.operation) == (True, 200, "PutObject")
    assert stored.etag == '"781e5e245d69b566979b86e28d23f2c7"'
    seen = witness.call("HeadObject", place)
    assert (seen.output["ContentType"], seen.output["CacheControl"]) == ("text/x-a", "no-store")
    assert seen.output["Metadata"]["a"] == "B c"

    assert rclone.call("GetObject", place).body == b"0123456789"
    read = rclone.call("GetObject", place | {"Range": "bytes=2-4"})
    assert (read.status, read.body) == (206, b"234")
    for value in ("bytes=7-", "bytes=-2", "bytes=0-100"):  # rclone turns these into ranges of its own
        with pytest.raises(Inexpressible, match="rclone asked for"):
            rclone.call("GetObject", place | {"Range": value})

    shown = rclone.call("HeadObject", place)
    assert (shown.output["ContentLength"], shown.output["ContentType"]) == (10, "text/x-a")
    assert shown.output["Metadata"] == {"a": "B c"}
    assert shown.partial

    copied = rclone.call(
        "CopyObject", {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/d%69r/k%C3%A9y %2B1 %2541&?#.txt"}
    )
    assert (copied.ok, copied.status) == (True, 200)
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "copy"}).body == b"0123456789"

    assert rclone.call("DeleteObject", place).status == 204
    assert witness.call("HeadObject", place).status == 404


def test_empty_object(rclone: Rclone, witness: RawClient, bucket: str) -> None:
    """`rcat` refuses empty input; a file is copied instead."""
    stored = rclone.call("PutObject", {"Bucket": bucket, "Key": "empty", "Body": b"", "IfNoneMatch": "*"})
    assert (stored.ok, stored.status) == (True, 200)
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "empty"}).body == b""


def test_refusals_are_those_of_the_wire(rclone: Rclone, bucket: str) -> None:
    """Status, code and elements come from the answer; the exit code and words are rclone's."""
    refused = rclone.call("PutObject", {"Bucket": f"{bucket}-none", "Key": "k", "Body": b"x"})
    assert (refused.ok, refused.status, refused.code, refused.exit_code) == (False, 404, "NoSuchBucket", 1)
    assert refused.error_fields["BucketName"] == f"{bucket}-none"
    assert "StatusCode: 404" in refused.stderr
    listed = rclone.call("ListObjectsV2", {"Bucket": f"{bucket}-none"})
    assert (listed.status, listed.code, listed.exit_code) == (404, "NoSuchBucket", 3)


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject"])
def test_missing_objects_are_no_success(rclone: Rclone, bucket: str, operation: str) -> None:
    """Exit code 0 comes from rclone; what it learnt by HeadObject is told."""
    missing = rclone.call(operation, {"Bucket": bucket, "Key": "none"})
    assert (missing.ok, missing.status, missing.code, missing.exit_code) == (False, 404, "", 0)
    assert missing.body is None
    assert missing.output == {}


def test_what_was_never_sent_is_not_judged(rclone: Rclone, bucket: str) -> None:
    """HeadObject comes first: DeleteObject of a missing key does not reach the endpoint."""
    with pytest.raises(Inexpressible, match="does not send DeleteObject"):
        rclone.call("DeleteObject", {"Bucket": bucket, "Key": "none"})


def test_listings(rclone: Rclone, witness: RawClient, bucket: str) -> None:
    """Keys and common prefixes with the prefix they were asked with; all pages, in both versions."""
    names = ["a", "b/1", "b/2", "b/c/3", "é +%"]
    for name in names:
        witness.call("PutObject", {"Bucket": bucket, "Key": name, "Body": b"x"})
    for version in (1, 2):
        walked = rclone.list_all(version, {"Bucket": bucket, "MaxKeys": 2})
        assert walked.keys == names
        assert len(walked.exchanges) == 3
        assert ("list-type=2" in walked.exchanges[0].url) == (version == 2)
    folded = rclone.call("ListObjectsV2", {"Bucket": bucket, "Prefix": "b/", "Delimiter": "/"})
    assert (folded.keys, folded.prefixes) == (["b/1", "b/2"], ["b/c/"])
    assert [entry["Size"] for entry in folded.output["Contents"]] == [1, 1]
    nothing = rclone.list_all(2, {"Bucket": bucket, "Prefix": "none/"})
    assert (nothing.ok, nothing.keys, nothing.prefixes) == (True, [], [])


def test_multipart_upload(rclone: Rclone, witness: RawClient, bucket: str) -> None:
    """In parts of the size asked for; the completion's exchange stands for all."""
    body = bytes(range(256)) * (6 << 12)
    place = {"Bucket": bucket, "Key": "big"}
    stored = rclone.upload(place | {"Body": body}, 5 << 20)
    assert (stored.ok, stored.status, stored.operation) == (True, 200, "CompleteMultipartUpload")
    assert sum("partNumber=" in e.url for e in stored.exchanges) == 2
    assert witness.call("GetObject", place).body == body


def test_commands_of_workflows(rclone: Rclone, witness: RawClient, bucket: str) -> None:
    """Files of the working folder, any command, and what went over the wire."""
    (rclone.folder / "tree").mkdir(exist_ok=True)
    (rclone.folder / "tree" / "one.txt").write_text("1")
    copied = rclone.command("copy", "tree", f"remote:{bucket}/to", "--s3-no-check-bucket")
    assert (copied.ok, copied.exit_code) == (True, 0)
    assert witness.call("GetObject", {"Bucket": bucket, "Key": "to/one.txt"}).body == b"1"
    again = rclone.command("copy", "tree", f"remote:{bucket}/to", "--error-on-no-transfer")
    assert (again.ok, again.exit_code) == (False, 9)
    assert not any(e.method == "PUT" for e in again.exchanges)
    written = rclone.command("rcat", f"remote:{bucket}/in", stdin=b"input")
    assert written.ok
    assert rclone.command("cat", f"remote:{bucket}/in").body == b"input"
    assert written.command["rclone"].startswith(f"rclone rcat :s3:{bucket}/in --s3-provider Other --s3-env-auth ")


@pytest.mark.parametrize(
    ("operation", "params", "reason"),
    [
        ("GetBucketPolicy", {}, "no command that is GetBucketPolicy"),
        ("GetObject", {"Key": "a//b"}, "empty segment"),
        ("GetObject", {"Key": "/a"}, "empty segment"),
        ("GetObject", {"Key": "a/"}, "empty segment"),
        ("GetObject", {"Key": ""}, "empty segment"),
        ("GetObject", {"Key": "a/../b"}, "unchanged"),
        ("GetObject", {"Key": "．"}, "unchanged"),
        ("GetObject", {"Key": "a‛b"}, "unchanged"),
        ("GetObject", {"Key": "a\0b"}, "command line"),
        ("GetObject", {"Key": "a\ud800"}, "command line"),
        ("GetObject", {"Key": "a", "VersionId": "v"}, "no way to say VersionId"),
        ("GetObject", {"Key": "a", "Range": "bytes=0-1,3-4"}, "one range"),
        ("GetObject", {"Key": "a", "Range": "bytes=3-1"}, "inverted"),
        ("PutObject", {"Key": "a", "Metadata": {"n": "é"}}, "printable ASCII"),
        ("PutObject", {"Key": "a", "Metadata": {"n": "x\r\ny"}}, "printable ASCII"),
        ("PutObject", {"Key": "a", "ContentMD5": "x"}, "no way to say ContentMD5"),
        ("ListObjects", {"MaxKeys": 2}, "no way to say MaxKeys"),
        ("ListObjects", {"Delimiter": "-"}, "slash only"),
        ("ListObjects", {"Prefix": "ab"}, "must end with a slash"),
        ("ListObjects", {"Prefix": "/"}, "empty segment"),
        ("CopyObject", {"Key": "a", "CopySource": "b/a"}, "onto itself"),
        ("CopyObject", {"Key": "a", "CopySource": "b/c", "MetadataDirective": "REPLACE"}, "with its metadata"),
        ("DeleteBucket", {"Bucket": "a/b"}, "without slashes"),
    ],
)
def test_what_it_cannot_say(rclone: Rclone, operation: str, params: dict[str, Any], reason: str) -> None:
    """Refused with the reason, and without starting a program."""
    with pytest.raises(Inexpressible, match=reason):
        rclone.call(operation, {"Bucket": "b"} | params)


def test_small_parts_are_refused(rclone: Rclone) -> None:
    """No parts below 5 MiB."""
    with pytest.raises(Inexpressible, match="5 MiB"):
        rclone.upload({"Bucket": "b", "Key": "k", "Body": b""}, 1 << 20)
