"""s5cmd: whole commands, each proved by reading again what is stored."""

from __future__ import annotations

import json
import os
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reference_server.clients.programs import Program, installed, read_tree, write_tree
from tests.reference_server.clients.running import Site


def s5cmd_for(site: Site, folder: Path) -> Program:
    """A program that knows the server from its environment, and never retries."""
    environment = {
        "AWS_ACCESS_KEY_ID": site.access_key,
        "AWS_SECRET_ACCESS_KEY": site.secret_key,
        "AWS_REGION": site.region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "S3_ENDPOINT_URL": site.endpoint,
    }
    if site.ca_bundle:
        environment["AWS_CA_BUNDLE"] = str(site.ca_bundle)
    return Program([installed("s5cmd"), "--retry-count", "0"], folder, environment)


@pytest.fixture
def s5cmd(plain: Site, tmp_path: Path) -> Program:
    return s5cmd_for(plain, tmp_path)


def test_buckets_come_and_go(plain: Site, s5cmd: Program) -> None:
    bucket = f"clients-s5cmd-{os.getpid()}"
    s5cmd("mb", f"s3://{bucket}")
    plain.put(bucket, {"k": b"body"})
    assert any(line.endswith(f"  s3://{bucket}") for line in s5cmd("ls").lines)
    assert "BucketNotEmpty" in s5cmd("rb", f"s3://{bucket}", code=1).err
    s5cmd("rm", f"s3://{bucket}/*")
    s5cmd("rb", f"s3://{bucket}")
    assert bucket not in plain.buckets()
    assert "NoSuchBucket" in s5cmd("cp", f"s3://{bucket}/k", "k", code=1).err


def test_a_folder_goes_up_and_comes_back(plain: Site, s5cmd: Program, tree: dict[str, bytes], tmp_path: Path) -> None:
    bucket = plain.bucket()
    write_tree(tmp_path / "source", tree)
    s5cmd("cp", "--part-size", "5", "--concurrency", "3", "source/", f"s3://{bucket}/x/")
    assert plain.stored(bucket) == {f"x/{name}": body for name, body in tree.items()}
    assert plain.head(bucket, "x/large.bin")["ETag"].endswith('-3"')
    s5cmd("cp", "--part-size", "5", f"s3://{bucket}/x/*", "back/")
    assert read_tree(tmp_path / "back") == tree


def test_sync_writes_what_changed_and_deletes(plain: Site, s5cmd: Program, tmp_path: Path) -> None:
    """Versions show what was written: a second run writes nothing."""
    bucket = plain.bucket()
    plain.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    source = write_tree(tmp_path / "source", {"stays": b"1", "changes": b"2", "goes/é +": b"3"})
    s5cmd("sync", "source/", f"s3://{bucket}/")
    assert s5cmd("sync", "source/", f"s3://{bucket}/").out == b""
    assert len(plain.versions(bucket)) == 3
    (source / "changes").write_bytes(b"longer")
    (source / "goes/é +").unlink()
    said = s5cmd("sync", "--delete", "source/", f"s3://{bucket}/").lines
    assert sorted(line.split()[0] for line in said) == ["cp", "rm"]
    assert plain.stored(bucket) == {"stays": b"1", "changes": b"longer"}


@pytest.mark.parametrize("options", [(), ("--use-list-objects-v1",)], ids=["v2", "v1"])
def test_listings(plain: Site, s5cmd: Program, options: tuple[str, ...]) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {"a b+c%20": b"1", "d/e": b"22", "d/é&": b"333", "x": b"4444"})
    entries = [json.loads(line) for line in s5cmd("--json", *options, "ls", f"s3://{bucket}/*").lines]
    assert [(entry["key"].removeprefix(f"s3://{bucket}/"), entry["size"]) for entry in entries] == [
        ("a b+c%20", 1),
        ("d/e", 2),
        ("d/é&", 3),
        ("x", 4),
    ]
    folder = [line.split(maxsplit=3) for line in s5cmd(*options, "ls", f"s3://{bucket}").lines]
    assert [words[-1] for words in folder] == ["d/", "a b+c%20", "x"]
    assert s5cmd(*options, "du", f"s3://{bucket}/d/*").out.startswith(b"5 bytes in 2 objects")
    assert "no object found" in s5cmd(*options, "ls", f"s3://{bucket}/none", code=1).err


def test_single_objects(plain: Site, s5cmd: Program) -> None:
    bucket = plain.bucket()
    s5cmd("pipe", "--content-type", "text/x-special", "--metadata", "a=1", f"s3://{bucket}/k", stdin=b"piped")
    assert s5cmd("cat", f"s3://{bucket}/k").out == b"piped"
    head = json.loads(s5cmd("head", f"s3://{bucket}/k").out)
    assert (head["content_type"], head["size"], head["metadata"]) == ("text/x-special", 5, {"a": "1"})
    s5cmd("cp", f"s3://{bucket}/k", f"s3://{bucket}/copy + é")
    s5cmd("mv", f"s3://{bucket}/k", f"s3://{bucket}/moved")
    assert plain.stored(bucket) == {"copy + é": b"piped", "moved": b"piped"}
    url = s5cmd("presign", f"s3://{bucket}/copy + é").out.decode().strip()
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.read() == b"piped"


def test_many_commands_at_once(plain: Site, s5cmd: Program, tmp_path: Path) -> None:
    bucket = plain.bucket()
    files = {f"{number:03}": f"body {number}".encode() for number in range(120)}
    write_tree(tmp_path / "many", files)
    commands = "".join(f"cp many/{name} s3://{bucket}/{name}\n" for name in files)
    s5cmd("--numworkers", "32", "run", stdin=commands.encode())
    assert plain.stored(bucket) == files
    s5cmd("rm", f"s3://{bucket}/*5")  # by DeleteObjects
    assert plain.stored(bucket) == {name: body for name, body in files.items() if not name.endswith("5")}


def test_versions(plain: Site, s5cmd: Program) -> None:
    bucket = plain.bucket()
    s5cmd("bucket-version", "--set", "Enabled", f"s3://{bucket}")
    plain.put(bucket, {"k": b"first", "l": b"other"})
    plain.put(bucket, {"k": b"second"})
    s5cmd("rm", f"s3://{bucket}/k")
    assert (plain.stored(bucket), plain.markers(bucket)) == ({"l": b"other"}, ["k"])
    lines = [line.split() for line in s5cmd("ls", "--all-versions", f"s3://{bucket}/*").lines]
    ids = {(words[-2], words[-3]): words[-1] for words in lines}
    assert s5cmd("cat", "--version-id", ids["k", "5"], f"s3://{bucket}/k").out == b"first"
    s5cmd("rm", "--version-id", ids["k", "6"], f"s3://{bucket}/k")
    assert plain.versions(bucket) == [("k", b"first"), ("l", b"other")]
    s5cmd("rm", "--all-versions", f"s3://{bucket}/*")
    assert (plain.versions(bucket), plain.markers(bucket)) == ([], [])


def test_https(secure: Site, tree: dict[str, bytes], tmp_path: Path) -> None:
    s5cmd, bucket = s5cmd_for(secure, tmp_path), secure.bucket()
    write_tree(tmp_path / "source", tree)
    s5cmd("cp", "--part-size", "5", "source/", f"s3://{bucket}/x/")
    assert secure.stored(bucket) == {f"x/{name}": body for name, body in tree.items()}
    s5cmd("mv", "--part-size", "5", f"s3://{bucket}/x/*", "back/")
    assert read_tree(tmp_path / "back") == tree
    assert secure.stored(bucket) == {}
    unknown = s5cmd_for(replace(secure, ca_bundle=None), tmp_path)
    assert "certificate signed by unknown authority" in unknown("ls", code=1).err
