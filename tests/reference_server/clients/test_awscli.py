"""The AWS CLI, version 1 as a program and version 2 in a container: whole commands, each proved by reading again."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.reference_server.clients.programs import (
    ContainerProgram,
    Program,
    container,
    installed,
    read_tree,
    require_image,
    write_tree,
)
from tests.reference_server.clients.running import Site

IMAGE = "amazon/aws-cli:2.23.6"
FAILED_TRANSFER = 1


class Maker(Protocol):
    """Makes the program for a folder and an environment."""

    def __call__(self, folder: Path, environment: Mapping[str, str]) -> Program: ...


@dataclass(frozen=True)
class Cli:
    """One major version.

    Attributes:
        version: 1 or 2.
        refused: its exit code for an answer that is an error.
    """

    version: int
    refused: int
    make: Maker

    def aws(self, site: Site, folder: Path) -> Program:
        """The program, which knows the server from its environment."""
        environment = {
            "AWS_ACCESS_KEY_ID": site.access_key,
            "AWS_SECRET_ACCESS_KEY": site.secret_key,
            "AWS_DEFAULT_REGION": site.region,
            "AWS_ENDPOINT_URL": site.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }
        if site.ca_bundle:
            environment["AWS_CA_BUNDLE"] = str(site.ca_bundle)
        return self.make(folder, environment)


@pytest.fixture(scope="session", params=[1, 2], ids=["v1", "v2"])
def cli(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    base = tmp_path_factory.getbasetemp()
    with ExitStack() as stack:
        if request.param == 1:
            make: Maker = partial(Program, [installed("aws")])
            said = make(folder=base, environment={})("--version")
            if not said.out.startswith(b"aws-cli/1."):
                pytest.skip("the aws of this machine is not version 1")
            yield Cli(1, 255, make)
        else:
            require_image(IMAGE)
            make = partial(ContainerProgram, stack.enter_context(container(IMAGE, base)), ["aws"])
            assert make(folder=base, environment={})("--version").out.startswith(b"aws-cli/2.")
            yield Cli(2, 254, make)


@pytest.fixture
def aws(cli: Cli, plain: Site, tmp_path: Path) -> Program:
    return cli.aws(plain, tmp_path)


def document(aws: Program, operation: str, bucket: str, *arguments: str, **more: Any) -> Any:
    """What `aws s3api` prints."""
    return json.loads(aws("s3api", operation, "--bucket", bucket, *arguments, **more).out or b"{}")


# aws s3


def test_buckets_come_and_go(cli: Cli, plain: Site, aws: Program) -> None:
    bucket = f"clients-aws-{cli.version}-{os.getpid()}"
    assert aws("s3", "mb", f"s3://{bucket}").lines == [f"make_bucket: {bucket}"]
    plain.put(bucket, {"k": b"body"})
    assert any(line.endswith(f" {bucket}") for line in aws("s3", "ls").lines)
    assert "BucketNotEmpty" in aws("s3", "rb", f"s3://{bucket}", code=1).err
    assert plain.stored(bucket) == {"k": b"body"}
    aws("s3", "rb", f"s3://{bucket}", "--force")
    assert bucket not in plain.buckets()
    assert "NoSuchBucket" in aws("s3", "ls", f"s3://{bucket}", code=cli.refused).err


def test_single_objects_go_up_and_down(plain: Site, aws: Program, large: bytes, tmp_path: Path) -> None:
    bucket = plain.bucket()
    write_tree(tmp_path, {"small": b"small", "large": large})
    facts = ("--metadata", "a=1,b=2", "--content-type", "text/x-special", "--storage-class", "STANDARD_IA")
    aws("s3", "cp", "small", f"s3://{bucket}/d/", *facts)
    aws("s3", "cp", "large", f"s3://{bucket}/large", "--no-progress")
    aws("s3", "cp", "-", f"s3://{bucket}/piped + é", stdin=b"from a pipe")
    assert plain.stored(bucket) == {"d/small": b"small", "large": large, "piped + é": b"from a pipe"}
    head = plain.head(bucket, "d/small")
    assert (head["Metadata"], head["ContentType"]) == ({"a": "1", "b": "2"}, "text/x-special")
    assert head["StorageClass"] == "STANDARD_IA"
    assert plain.head(bucket, "large")["ETag"].endswith('-2"')
    aws("s3", "cp", f"s3://{bucket}/large", "back", "--no-progress")
    assert (tmp_path / "back").read_bytes() == large
    assert aws("s3", "cp", f"s3://{bucket}/piped + é", "-").out == b"from a pipe"
    assert "(404)" in aws("s3", "cp", f"s3://{bucket}/none", "none", code=FAILED_TRANSFER).err


def test_copies_and_moves_within_the_server(cli: Cli, plain: Site, aws: Program, large: bytes) -> None:
    """Version 1 leaves the metadata of what it copies in parts behind; version 2 takes it along."""
    bucket, other = plain.bucket(), plain.bucket()
    plain.put(bucket, {"small": b"small", "goes": b"goes"})
    plain.s3.put_object(Bucket=bucket, Key="large", Body=large, Metadata={"a": "1"}, Tagging="t=1")
    aws("s3", "cp", f"s3://{bucket}/", f"s3://{other}/all/", "--recursive", "--exclude", "goes", "--no-progress")
    aws("s3", "mv", f"s3://{bucket}/goes", f"s3://{other}/went")
    assert plain.stored(other) == {"all/large": large, "all/small": b"small", "went": b"goes"}
    assert sorted(plain.stored(bucket)) == ["large", "small"]
    head = plain.head(other, "all/large")
    assert (head["ETag"][-3:], head["Metadata"]) == ('-2"', {"a": "1"} if cli.version == 2 else {})


def test_folders_are_synchronised(plain: Site, aws: Program, tree: dict[str, bytes], tmp_path: Path) -> None:
    """Versions show what was written: a second run writes nothing."""
    bucket = plain.bucket()
    plain.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    source = write_tree(tmp_path / "source", tree)
    would = aws("s3", "sync", "source", f"s3://{bucket}/x", "--dryrun").lines
    assert len(would) == len(tree)
    assert plain.stored(bucket) == {}
    aws("s3", "sync", "source", f"s3://{bucket}/x", "--no-progress")
    stored = {f"x/{name}": body for name, body in tree.items()}
    assert plain.stored(bucket) == stored
    assert aws("s3", "sync", "source", f"s3://{bucket}/x").out == b""
    assert len(plain.versions(bucket)) == len(tree)
    (source / "a.txt").unlink()
    (source / "empty").write_bytes(b"no more")
    changes = aws("s3", "sync", "source", f"s3://{bucket}/x", "--delete", "--no-progress").lines
    assert sorted(line.split(":")[0] for line in changes) == ["delete", "upload"]
    del stored["x/a.txt"]
    assert plain.stored(bucket) == {**stored, "x/empty": b"no more"}
    aws("s3", "sync", f"s3://{bucket}/x", "back", "--exclude", "*", "--include", "sub/*", "--no-progress")
    assert read_tree(tmp_path / "back") == {name: body for name, body in tree.items() if name.startswith("sub/")}
    for path in source.rglob("*"):  # S3 shows whole seconds: a file of this second would look newer than its object
        os.utime(path, (0, 0))
    assert aws("s3", "sync", f"s3://{bucket}/x", "source").out == b""


def test_an_empty_file_does_not_spoil_the_connection_for_the_next(plain: Site, aws: Program, tmp_path: Path) -> None:
    """One connection for all: the CLI expects `100 Continue` for an empty file too, and else misreads what follows."""
    bucket, files = plain.bucket(), {"1-empty": b"", "2-full": b"x", "3-empty": b"", "4-full": b"y"}
    write_tree(tmp_path / "files", files)
    write_tree(tmp_path, {"config": b"[default]\ns3 =\n  max_concurrent_requests = 1\n"})
    sync = ("s3", "sync", "files", f"s3://{bucket}", "--no-progress", "--cli-read-timeout", "10")
    aws(*sync, AWS_CONFIG_FILE=str(tmp_path / "config"))
    assert plain.stored(bucket) == files


def test_listings_and_recursive_removal(plain: Site, aws: Program) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {"a b+c%20": b"1", "d/e": b"22", "d/f/é": b"333", "x": b"4444"})
    lines = aws("s3", "ls", f"s3://{bucket}", "--recursive", "--summarize", "--page-size", "1").lines
    assert [line[20:].split(maxsplit=1) for line in lines[:4]] == [
        ["1", "a b+c%20"],
        ["2", "d/e"],
        ["3", "d/f/é"],
        ["4", "x"],
    ]
    assert [line.split() for line in lines[-2:]] == [["Total", "Objects:", "4"], ["Total", "Size:", "10"]]
    assert [line.split()[-1] for line in aws("s3", "ls", f"s3://{bucket}/d/").lines] == ["f/", "e"]
    aws("s3", "ls", f"s3://{bucket}/none", code=1)
    aws("s3", "rm", f"s3://{bucket}", "--recursive", "--exclude", "d/f/*")
    assert plain.stored(bucket) == {"d/f/é": b"333"}


def test_presigned_urls_work_without_credentials(cli: Cli, plain: Site, aws: Program) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {"a b/é": b"signed"})
    url = aws("s3", "presign", f"s3://{bucket}/a b/é").out.decode().strip()
    assert ("Signature=" in url, "X-Amz-Signature=" in url) == (True, cli.version == 2)
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.read() == b"signed"


# aws s3api


def test_objects_one_operation_at_a_time(cli: Cli, plain: Site, aws: Program, tmp_path: Path) -> None:
    bucket = plain.bucket()
    write_tree(tmp_path, {"body": b"0123456789"})
    target = ("--key", "k")
    put = document(aws, "put-object", bucket, *target, "--body", "body", "--tagging", "t=1&u=2")
    assert put["ETag"] == plain.head(bucket, "k")["ETag"]
    aws("s3api", "put-object", "--bucket", bucket, *target, "--if-none-match", "*", code=cli.refused)
    assert plain.stored(bucket) == {"k": b"0123456789"}
    got = document(aws, "get-object", bucket, *target, "--range", "bytes=2-4", "part")
    assert (got["ContentRange"], (tmp_path / "part").read_bytes()) == ("bytes 2-4/10", b"234")
    unchanged = ("--if-none-match", put["ETag"], "none")
    said = aws("s3api", "get-object", "--bucket", bucket, *target, *unchanged, code=cli.refused)
    assert "(304)" in said.err
    assert not (tmp_path / "none").exists()
    parts = ("ETag", "Checksum", "ObjectSize", "StorageClass")
    attributes = document(aws, "get-object-attributes", bucket, *target, "--object-attributes", *parts)
    assert (attributes["ETag"], attributes["ObjectSize"]) == (put["ETag"].strip('"'), 10)
    tags = document(aws, "get-object-tagging", bucket, *target)["TagSet"]
    assert tags == [{"Key": "t", "Value": "1"}, {"Key": "u", "Value": "2"}]
    said = aws("s3api", "head-object", "--bucket", bucket, "--key", "none", code=cli.refused)
    assert "(404)" in said.err
    aws("s3api", "wait", "object-exists", "--bucket", bucket, *target)


def test_pages_resume_where_they_ended(plain: Site, aws: Program) -> None:
    bucket = plain.bucket()
    keys = ["a", "b c+d%", "e/1", "é"]
    plain.put(bucket, dict.fromkeys(keys, b""))
    first = document(aws, "list-objects-v2", bucket, "--page-size", "1", "--max-items", "2")
    rest = document(aws, "list-objects-v2", bucket, "--page-size", "2", "--starting-token", first["NextToken"])
    assert [entry["Key"] for entry in first["Contents"] + rest["Contents"]] == keys
    old = document(aws, "list-objects", bucket, "--page-size", "1", "--delimiter", "/")
    assert [entry["Key"] for entry in old["Contents"]] == ["a", "b c+d%", "é"]
    assert old["CommonPrefixes"] == [{"Prefix": "e/"}]


def test_versions_and_batch_removal(plain: Site, aws: Program) -> None:
    bucket = plain.bucket()
    plain.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    plain.put(bucket, {"k": b"first", "l": b"other"})
    plain.put(bucket, {"k": b"second"})
    aws("s3api", "delete-object", "--bucket", bucket, "--key", "k")
    assert (plain.stored(bucket), plain.markers(bucket)) == ({"l": b"other"}, ["k"])
    listed = document(aws, "list-object-versions", bucket)
    assert [(one["Key"], one["Size"], one["IsLatest"]) for one in listed["Versions"]] == [
        ("k", 6, False),
        ("k", 5, False),
        ("l", 5, True),
    ]
    gone = [listed["DeleteMarkers"][0], listed["Versions"][1]]
    objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in gone]
    answer = document(aws, "delete-objects", bucket, "--delete", json.dumps({"Objects": objects}))
    assert len(answer["Deleted"]) == 2
    assert plain.versions(bucket) == [("k", b"second"), ("l", b"other")]
    assert plain.stored(bucket) == {"k": b"second", "l": b"other"}


def test_an_upload_part_by_part(plain: Site, aws: Program, large: bytes, tmp_path: Path) -> None:
    bucket = plain.bucket()
    part, rest = large[: 5 * 1024**2], large[5 * 1024**2 :]
    write_tree(tmp_path, {"part": part})
    plain.put(bucket, {"source": rest})
    upload = document(aws, "create-multipart-upload", bucket, "--key", "k")["UploadId"]
    which = ("--key", "k", "--upload-id", upload)
    first = document(aws, "upload-part", bucket, *which, "--part-number", "1", "--body", "part")
    copied = ("--part-number", "2", "--copy-source", f"{bucket}/source")
    second = document(aws, "upload-part-copy", bucket, *which, *copied)["CopyPartResult"]
    listed = document(aws, "list-parts", bucket, *which)["Parts"]
    assert [(one["PartNumber"], one["ETag"]) for one in listed] == [(1, first["ETag"]), (2, second["ETag"])]
    parts = {"Parts": [{"PartNumber": one["PartNumber"], "ETag": one["ETag"]} for one in listed]}
    done = document(aws, "complete-multipart-upload", bucket, *which, "--multipart-upload", json.dumps(parts))
    assert done["ETag"] == plain.head(bucket, "k")["ETag"]
    assert plain.stored(bucket) == {"k": large, "source": rest}
    left = document(aws, "create-multipart-upload", bucket, "--key", "left")["UploadId"]
    assert plain.uploads(bucket) == ["left"]
    aws("s3api", "abort-multipart-upload", "--bucket", bucket, "--key", "left", "--upload-id", left)
    assert plain.uploads(bucket) == []


def test_a_configuration_comes_back_as_it_was_put(plain: Site, aws: Program) -> None:
    bucket = plain.bucket()
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}}
    option = ("--lifecycle-configuration", json.dumps({"Rules": [rule]}))
    aws("s3api", "put-bucket-lifecycle-configuration", "--bucket", bucket, *option)
    assert document(aws, "get-bucket-lifecycle-configuration", bucket)["Rules"] == [rule]
    assert plain.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule]


# https


def test_https(cli: Cli, secure: Site, tree: dict[str, bytes], tmp_path: Path) -> None:
    """Bodies go up in chunks with a checksum behind them."""
    aws, bucket = cli.aws(secure, tmp_path), secure.bucket()
    write_tree(tmp_path / "source", tree)
    aws("s3", "sync", "source", f"s3://{bucket}/x", "--no-progress")
    aws("s3", "cp", "-", f"s3://{bucket}/piped", stdin=tree["large.bin"])
    stored = {f"x/{name}": body for name, body in tree.items()}
    assert secure.stored(bucket) == {**stored, "piped": tree["large.bin"]}
    assert {"ChecksumCRC32", "ChecksumCRC64NVME"} & set(secure.head(bucket, "x/a.txt"))
    assert "ContentEncoding" not in secure.head(bucket, "x/a.txt")
    for algorithm in ("CRC32C", "SHA256"):
        aws("s3", "cp", "source/a.txt", f"s3://{bucket}/x/a.txt", "--checksum-algorithm", algorithm)
        assert f"Checksum{algorithm}" in secure.head(bucket, "x/a.txt")
    aws("s3", "mv", f"s3://{bucket}/piped", "down", "--no-progress")
    assert (tmp_path / "down").read_bytes() == tree["large.bin"]
    assert secure.stored(bucket) == stored
    url = aws("s3", "presign", f"s3://{bucket}/x/a.txt").out.decode().strip()
    assert url.startswith(secure.endpoint)
    aws("s3", "rb", f"s3://{bucket}", "--force")
    assert bucket not in secure.buckets()


def test_https_with_an_unknown_authority_is_refused_by_aws(cli: Cli, secure: Site, tmp_path: Path) -> None:
    aws = cli.aws(replace(secure, ca_bundle=None), tmp_path)
    assert "SSL" in aws("s3", "ls", code=255).err
