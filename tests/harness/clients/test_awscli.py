"""What the AWS CLI can say, and that what it did is shown as it was. Each call costs half a second: few calls."""

from __future__ import annotations

import pytest

from harness.clients.awscli import AwsCli
from harness.clients.raw import RawClient
from harness.signals import Inexpressible

KEY = "-dir//kéy +1 %41&?#./"


def test_object_with_its_headers(awscli: AwsCli, witness: RawClient, bucket: str) -> None:
    """A key that no file name could have, stored with headers and read in part; the output verbatim."""
    place = {"Bucket": bucket, "Key": KEY}
    stored = awscli.call(
        "PutObject", place | {"Body": b"0123456789", "ContentType": "text/x-a", "Metadata": {"a": "B c"}}
    )
    assert (stored.ok, stored.status, stored.exit_code, stored.operation) == (True, 200, 0, "PutObject")
    assert stored.output["ETag"] == '"781e5e245d69b566979b86e28d23f2c7"'
    assert not stored.partial
    assert witness.call("HeadObject", place).output["Metadata"] == {"a": "B c"}
    read = awscli.call("GetObject", place | {"Range": "bytes=2-4"})
    assert (read.status, read.body, read.output["ContentLength"]) == (206, b"234", 3)
    assert read.output["LastModified"].endswith(" GMT")
    source = f"{bucket}/-dir//k%C3%A9y%20%2B1%20%2541%26%3F%23./"
    copied = awscli.call("CopyObject", {"Bucket": bucket, "Key": "copy", "CopySource": source})
    assert copied.output["CopyObjectResult"]["ETag"] == stored.etag


def test_refusals_are_those_of_the_wire(awscli: AwsCli, bucket: str) -> None:
    """Code and elements come from the answer; HEAD has none, so only its status is known."""
    refused = awscli.call("GetObject", {"Bucket": bucket, "Key": "none"})
    assert (refused.ok, refused.status, refused.code) == (False, 404, "NoSuchKey")
    assert refused.error_fields["Key"] == "none"
    assert "(NoSuchKey) when calling the GetObject operation" in refused.stderr
    assert refused.body is None
    head = awscli.call("HeadObject", {"Bucket": bucket, "Key": "none"})
    assert (head.ok, head.status, head.code, head.message) == (False, 404, "", "Not Found")


def test_listings(awscli: AwsCli, witness: RawClient, bucket: str) -> None:
    """One page as it is; all pages joined by the CLI's own pagination."""
    names = ["a", "b/1", "b/2", "c/3", "é +%"]
    for name in names:
        witness.call("PutObject", {"Bucket": bucket, "Key": name, "Body": b"x"})
    page = awscli.call("ListObjectsV2", {"Bucket": bucket, "MaxKeys": 2, "Delimiter": "/"})
    assert (page.keys, page.prefixes, page.output["IsTruncated"]) == (["a"], ["b/"], True)
    assert len(page.exchanges) == 1
    for version in (1, 2):
        walked = awscli.list_all(version, {"Bucket": bucket, "MaxKeys": 2, "Delimiter": "/"})
        assert (walked.keys, walked.prefixes) == (["a", "é +%"], ["b/", "c/"])
        assert len(walked.exchanges) == 2


def test_multipart_upload(awscli: AwsCli, witness: RawClient, bucket: str) -> None:
    """`aws s3 cp` in parts of the size asked for; the completion's exchange stands for all."""
    body = bytes(range(256)) * (6 << 12)
    place = {"Bucket": bucket, "Key": "big"}
    stored = awscli.upload(place | {"Body": body}, 5 << 20)
    assert (stored.ok, stored.status, stored.operation) == (True, 200, "CompleteMultipartUpload")
    assert sum("partNumber=" in e.url for e in stored.exchanges) == 2
    assert witness.call("GetObject", place).body == body


def test_commands_of_workflows(awscli: AwsCli, witness: RawClient, bucket: str) -> None:
    """Files of the working folder are the workflow's own; input and output pass."""
    tree = awscli.folder / "tree"
    tree.mkdir(exist_ok=True)
    (tree / "one.txt").write_text("1")
    synced = awscli.command("s3", "sync", ".", f"s3://{bucket}/")
    assert (synced.ok, synced.exit_code) == (True, 0)
    assert witness.call("ListObjects", {"Bucket": bucket}).keys == ["tree/one.txt"]
    assert awscli.command("s3", "cp", "-", f"s3://{bucket}/in", stdin=b"input").ok
    assert awscli.command("s3", "cp", f"s3://{bucket}/in", "-").body == b"input"
    refused = awscli.command("s3", "ls", f"s3://{bucket}-none")
    assert (refused.ok, refused.code) == (False, "NoSuchBucket")
    assert refused.command["awscli"].startswith(f"aws s3 ls s3://{bucket}-none --endpoint-url http://")


def test_what_it_does_not_send(awscli: AwsCli) -> None:
    """Its own validation is not the endpoint's answer."""
    with pytest.raises(Inexpressible, match=r'does not send this: Invalid bucket name "x y"'):
        awscli.call("DeleteBucket", {"Bucket": "x y"})
    with pytest.raises(Inexpressible, match="arguments are required: --key"):
        awscli.call("GetObject", {"Bucket": "b"})
    with pytest.raises(Inexpressible, match="command line"):
        awscli.call("GetObject", {"Bucket": "b", "Key": "a\0"})
    with pytest.raises(Inexpressible, match="5 MiB"):
        awscli.upload({"Bucket": "b", "Key": "k", "Body": b""}, 1 << 20)
    with pytest.raises(Inexpressible, match="folder"):
        awscli.upload({"Bucket": "b", "Key": "k/", "Body": b""}, 5 << 20)
    with pytest.raises(Inexpressible, match="not given ContentType"):
        awscli.upload({"Bucket": "b", "Key": "k", "Body": b"", "ContentType": "x"}, 5 << 20)
