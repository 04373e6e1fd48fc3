"""rclone: whole commands, each proved by reading again what is stored."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.reference_server.clients.programs import Program, installed, read_tree, write_tree
from tests.reference_server.clients.running import Site

PARTS = ("--s3-upload-cutoff", "5Mi", "--s3-chunk-size", "5Mi", "--s3-copy-cutoff", "5Mi")


def rclone_for(site: Site, folder: Path, **remote: str) -> Program:
    """A program that knows the server as `s3:`; further options of the remote by their names."""
    options = {
        "type": "s3",
        "provider": "Other",
        "access_key_id": site.access_key,
        "secret_access_key": site.secret_key,
        "endpoint": site.endpoint,
        "region": site.region,
        **remote,
    }
    environment = {f"RCLONE_CONFIG_S3_{name.upper()}": value for name, value in options.items()}
    environment |= {"RCLONE_CONFIG": os.devnull, "RCLONE_RETRIES": "1", "RCLONE_LOW_LEVEL_RETRIES": "1"}
    if site.ca_bundle:
        environment["RCLONE_CA_CERT"] = str(site.ca_bundle)
    return Program([installed("rclone")], folder, environment)


@pytest.fixture
def rclone(plain: Site, tmp_path: Path) -> Program:
    return rclone_for(plain, tmp_path)


@pytest.fixture
def source(tmp_path: Path, tree: Mapping[str, bytes]) -> Path:
    return write_tree(tmp_path / "source", tree)


def below(prefix: str, tree: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{prefix}{name}": body for name, body in tree.items()}


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


# Folders up and down


def test_a_folder_goes_up_is_checked_and_comes_back(
    plain: Site, rclone: Program, source: Path, tree: dict[str, bytes], tmp_path: Path
) -> None:
    remote = f"s3:{plain.bucket()}/backup"
    rclone("copy", source, remote, *PARTS)
    bucket = remote.removeprefix("s3:").partition("/")[0]
    assert plain.stored(bucket) == below("backup/", tree)
    assert plain.head(bucket, "backup/large.bin")["ETag"].endswith('-3"')
    rclone("copy", source, remote, "--error-on-no-transfer", code=9)  # nothing left to do
    assert "could not be checked" not in rclone("check", source, remote).err
    assert f"{len(tree)} matching files" in rclone("check", "--download", source, remote).err
    rclone("copy", remote, "back", "--metadata")
    assert read_tree(tmp_path / "back") == tree
    times = [{p.name: p.stat().st_mtime_ns for p in folder.rglob("*.txt")} for folder in (source, tmp_path / "back")]
    assert times[0] == times[1]


def test_check_finds_what_differs(plain: Site, rclone: Program, tmp_path: Path) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {"same": b"same", "changed": b"before", "lost": b"lost here"})
    write_tree(tmp_path / "here", {"same": b"same", "changed": b"BEFORE", "extra": b"extra here"})
    report = rclone("check", "--download", "--combined", "-", "here", f"s3:{bucket}", code=1)
    assert sorted(report.lines) == ["* changed", "+ extra", "- lost", "= same"]


def test_sync_deletes_and_renames(plain: Site, rclone: Program, tmp_path: Path) -> None:
    bucket = plain.bucket()
    write_tree(tmp_path / "src", {"stays": b"1", "changes": b"2", "goes": b"3", "moves": b"a body to recognise"})
    rclone("sync", "src", f"s3:{bucket}")
    before = plain.head(bucket, "stays")["LastModified"]
    (tmp_path / "src/goes").unlink()
    (tmp_path / "src/moves").rename(tmp_path / "src/moved")
    (tmp_path / "src/changes").write_bytes(b"22")
    said = rclone("sync", "src", f"s3:{bucket}", "--track-renames", "-v").err
    assert plain.stored(bucket) == {"stays": b"1", "changes": b"22", "moved": b"a body to recognise"}
    assert plain.head(bucket, "stays")["LastModified"] == before
    assert "Renamed from" in said


def test_many_files_at_once(plain: Site, rclone: Program, tmp_path: Path) -> None:
    files = {f"{number % 7}/{number:03}": f"body {number}".encode() for number in range(150)}
    bucket = plain.bucket()
    write_tree(tmp_path / "many", files)
    rclone("copy", "many", f"s3:{bucket}", "--transfers", "32", "--checkers", "16", "--fast-list")
    assert plain.stored(bucket) == files
    rclone("delete", f"s3:{bucket}", "--checkers", "16", "--include", "/3/**")
    assert sorted(plain.stored(bucket)) == sorted(name for name in files if not name.startswith("3/"))


def test_bisync_carries_changes_both_ways(plain: Site, rclone: Program, tmp_path: Path) -> None:
    bucket = plain.bucket()
    write_tree(tmp_path / "two", {"one": b"1"})
    rclone("bisync", "two", f"s3:{bucket}", "--resync")
    plain.put(bucket, {"there": b"from there"})
    write_tree(tmp_path / "two", {"here": b"from here"})
    rclone("bisync", "two", f"s3:{bucket}")
    both = {"one": b"1", "there": b"from there", "here": b"from here"}
    assert plain.stored(bucket) == read_tree(tmp_path / "two") == both


# Listings


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("encoded", ["true", "false"])
def test_listings_have_every_key_once_in_pages_of_two(plain: Site, rclone: Program, version: str, encoded: str) -> None:
    """No page ends with a sign that means something when decoded: rclone decodes such a key twice (version 1)."""
    bucket = plain.bucket()
    keys = ["a b+c", "b", "d%20e/f&g", "e/x", "i/é+", "i/漢字", "k/l/m", "k/l/n", "o"]
    plain.put(bucket, dict.fromkeys(keys, b"x"))
    options = ("--s3-list-version", version, "--s3-list-url-encode", encoded, "--s3-list-chunk", "2")
    listed = rclone("lsf", "-R", "--files-only", f"s3:{bucket}", *options)
    assert sorted(listed.lines) == sorted(keys)
    assert rclone("lsf", f"s3:{bucket}", *options).lines == ["a b+c", "b", "d%20e/", "e/", "i/", "k/", "o"]


def test_listings_tell_sizes_hashes_and_times(
    plain: Site, rclone: Program, source: Path, tree: dict[str, bytes]
) -> None:
    bucket = plain.bucket()
    rclone("copy", source, f"s3:{bucket}", *PARTS)
    entries = json.loads(rclone("lsjson", "-R", "--hash", "--files-only", f"s3:{bucket}").out)
    assert {e["Path"]: (e["Size"], e["Hashes"]["md5"]) for e in entries} == {
        name: (len(body), md5(body)) for name, body in tree.items()
    }
    for entry in entries:
        modified = datetime.fromisoformat(entry["ModTime"][:26] + "+00:00")
        assert abs((source / entry["Path"]).stat().st_mtime - modified.timestamp()) < 0.001
    assert json.loads(rclone("size", "--json", f"s3:{bucket}").out) == {
        "count": len(tree),
        "bytes": sum(map(len, tree.values())),
        "sizeless": 0,
    }
    sums = rclone("hashsum", "md5", f"s3:{bucket}").lines
    assert sorted(sums) == sorted(f"{md5(body)}  {name}" for name, body in tree.items())
    downloaded = rclone("hashsum", "sha256", "--download", f"s3:{bucket}/large.bin")
    assert downloaded.out.split()[0].decode() == hashlib.sha256(tree["large.bin"]).hexdigest()


def test_what_is_not_there(plain: Site, rclone: Program, tmp_path: Path) -> None:
    bucket = plain.bucket()
    assert bucket in rclone("lsf", "--dirs-only", "s3:").out.decode()
    rclone("lsf", "s3:clients-nobody-made", code=3)
    rclone("copyto", f"s3:{bucket}/none", "none", "--error-on-no-transfer", code=9)
    rclone("deletefile", f"s3:{bucket}/none", code=4)
    assert read_tree(tmp_path) == {}


# Single objects


def test_parts_of_an_object(plain: Site, rclone: Program) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {"k": b"0123456789"})
    assert rclone("cat", "--offset", "3", "--count", "4", f"s3:{bucket}/k").out == b"3456"
    assert rclone("cat", "--offset", "8", f"s3:{bucket}/k").out == b"89"
    assert rclone("cat", "--tail", "3", f"s3:{bucket}/k").out == b"789"
    assert rclone("cat", f"s3:{bucket}/k").out == b"0123456789"


def test_streams_of_unknown_length(plain: Site, rclone: Program, large: bytes) -> None:
    bucket = plain.bucket()
    rclone("rcat", f"s3:{bucket}/small", stdin=b"from a pipe")
    rclone("rcat", f"s3:{bucket}/large", "--s3-upload-concurrency", "8", *PARTS, stdin=large)
    assert plain.stored(bucket) == {"small": b"from a pipe", "large": large}


def test_copies_and_moves_within_the_server(plain: Site, rclone: Program, large: bytes) -> None:
    bucket, other = plain.bucket(), plain.bucket()
    plain.put(bucket, {"a/small": b"small", "a/large": large, "a/stays": b"stays"})
    rclone("copyto", f"s3:{bucket}/a/large", f"s3:{other}/copied", *PARTS)
    assert plain.head(other, "copied")["ETag"].endswith('-3"')  # by UploadPartCopy
    rclone("moveto", f"s3:{bucket}/a/small", f"s3:{other}/b/moved + renamed")
    assert plain.stored(other) == {"copied": large, "b/moved + renamed": b"small"}
    assert sorted(plain.stored(bucket)) == ["a/large", "a/stays"]
    rclone("move", f"s3:{other}/b", f"s3:{bucket}/c")
    assert sorted(plain.stored(bucket)) == ["a/large", "a/stays", "c/moved + renamed"]
    assert sorted(plain.stored(other)) == ["copied"]


def test_metadata_content_type_and_time(plain: Site, rclone: Program, tmp_path: Path) -> None:
    bucket = plain.bucket()
    write_tree(tmp_path / "src", {"k": b"body"})
    headers = ("--header-upload", "Content-Type: text/x-special", "--header-upload", "Cache-Control: no-cache")
    rclone("copy", "src", f"s3:{bucket}", "-M", "--metadata-set", "purpose=a test", *headers)
    head = plain.head(bucket, "k")
    assert (head["ContentType"], head["CacheControl"]) == ("text/x-special", "no-cache")
    shown = json.loads(rclone("lsjson", "--stat", "-M", f"s3:{bucket}/k").out)
    assert (shown["MimeType"], shown["Metadata"]["purpose"]) == ("text/x-special", "a test")
    rclone("touch", "-t", "2020-02-03T04:05:06.789", f"s3:{bucket}/k")
    stat = json.loads(rclone("lsjson", "--stat", f"s3:{bucket}/k").out)
    assert datetime.fromisoformat(stat["ModTime"].replace("Z", "000Z")[:26] + "+00:00") == datetime(
        2020, 2, 3, 4, 5, 6, 789000, UTC
    )
    assert plain.stored(bucket) == {"k": b"body"}


def test_an_existing_object_is_kept_when_asked(plain: Site, rclone: Program, tmp_path: Path) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {"k": b"kept"})
    write_tree(tmp_path / "src", {"k": b"new, and longer"})
    said = rclone("copy", "src", f"s3:{bucket}", "--header-upload", "If-None-Match: *", code=1)
    assert "PreconditionFailed" in said.err
    rclone("copy", "src", f"s3:{bucket}", "--immutable", code=6)
    rclone("copy", "src", f"s3:{bucket}", "--ignore-existing")
    assert plain.stored(bucket) == {"k": b"kept"}


def test_links_work_without_credentials(plain: Site, rclone: Program) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {"a b/é": b"linked"})
    link = rclone("link", "--expire", "1h", f"s3:{bucket}/a b/é").out.decode().strip()
    with urllib.request.urlopen(link, timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.read() == b"linked"
    rclone("copyurl", link, f"s3:{bucket}/fetched")
    assert plain.stored(bucket) == {"a b/é": b"linked", "fetched": b"linked"}


def test_an_encrypted_remote(
    plain: Site, rclone: Program, source: Path, tree: dict[str, bytes], tmp_path: Path
) -> None:
    bucket = plain.bucket()
    secret = rclone("obscure", "-", stdin=b"a password").out.decode().strip()
    crypt = {"TYPE": "crypt", "REMOTE": f"s3:{bucket}/vault", "PASSWORD": secret}
    rclone.environment |= {f"RCLONE_CONFIG_VAULT_{name}": value for name, value in crypt.items()}
    rclone("copy", source, "vault:", *PARTS)
    assert "0 differences found" in rclone("cryptcheck", source, "vault:").err
    assert rclone("cat", "vault:large.bin", "--offset", "70000", "--count", "9").out == tree["large.bin"][70000:70009]
    rclone("copy", "vault:", "back")
    assert read_tree(tmp_path / "back") == tree
    assert not {md5(body) for body in plain.stored(bucket).values()} & {md5(body) for body in tree.values()}


# Buckets and folders


def test_buckets_and_folders_come_and_go(plain: Site, rclone: Program) -> None:
    bucket = f"clients-rclone-{os.getpid()}"
    rclone("mkdir", f"s3:{bucket}")
    rclone("mkdir", f"s3:{bucket}")  # again: it is ours
    rclone("mkdir", f"s3:{bucket}/folder", "--s3-directory-markers")
    assert plain.stored(bucket) == {"folder/": b""}
    assert rclone("lsf", f"s3:{bucket}", "--s3-directory-markers").lines == ["folder/"]
    assert "BucketNotEmpty" in rclone("rmdir", f"s3:{bucket}", code=1).err
    rclone("rmdirs", f"s3:{bucket}", "--s3-directory-markers")
    rclone("lsf", f"s3:{bucket}", code=3)


def test_purge_leaves_the_neighbours(plain: Site, rclone: Program) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {f"gone/{number}": b"x" for number in range(12)} | {"gone-not": b"1", "stays/x": b"2"})
    rclone("purge", f"s3:{bucket}/gone", "--s3-list-chunk", "5")
    assert plain.stored(bucket) == {"gone-not": b"1", "stays/x": b"2"}
    rclone("purge", f"s3:{bucket}")
    assert bucket not in plain.buckets()


def test_the_names_that_can_be_stored(plain: Site, rclone: Program, tmp_path: Path) -> None:
    """`test info` writes and reads back control characters, names of every length, and both forms of Unicode."""
    bucket = plain.bucket()
    checks = ("--check-control", "--check-length", "--check-normalization", "--check-streaming")
    said = rclone("test", "info", *checks, "--write-json", "info.json", f"s3:{bucket}")
    found: dict[str, Any] = json.loads((tmp_path / "info.json").read_bytes())
    folder = re.search(r"rclone-test-info-\w+/?", said.err)
    assert folder is not None
    assert found["MaxFileLength"] == 1024 - len(folder[0].rstrip("/") + "/")
    assert (found["CanStream"], found["CanWriteUnnormalized"], found["CanReadUnnormalized"]) == (True, True, True)
    assert found["CanReadRenormalized"] is False
    assert plain.stored(bucket) == {}


# Versions, archives, uploads


def next_second() -> None:
    """Wait for it: rclone tells versions apart by the second."""
    time.sleep(1.001 - time.time() % 1)


def test_versions_are_listed_read_and_cleaned_up(plain: Site, rclone: Program) -> None:
    bucket = plain.bucket()
    remote = f"s3:{bucket}"
    assert json.loads(rclone("backend", "versioning", remote).out) == "Unversioned"
    rclone("backend", "versioning", remote, "Enabled")
    plain.put(bucket, {"kept.txt": b"first", "gone.txt": b"last words"})
    between = datetime.fromtimestamp(time.time() + 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    next_second()
    next_second()
    plain.put(bucket, {"kept.txt": b"second"})
    rclone("deletefile", f"{remote}/gone.txt")
    assert rclone("lsf", remote).lines == ["kept.txt"]
    versions = rclone("lsf", "--s3-versions", remote).lines
    assert [re.sub(r"-v[-0-9]{21}", "-v", name) for name in versions] == ["gone-v.txt", "kept-v.txt", "kept.txt"]
    assert rclone("cat", "--s3-versions", f"{remote}/{versions[1]}").out == b"first"
    assert rclone("lsf", "--s3-version-at", between, remote).lines == ["gone.txt", "kept.txt"]
    assert rclone("cat", "--s3-version-at", between, f"{remote}/kept.txt").out == b"first"
    rclone("copyto", "--s3-versions", f"{remote}/{versions[0]}", f"{remote}/back.txt")
    assert plain.stored(bucket) == {"kept.txt": b"second", "back.txt": b"last words"}
    assert (plain.markers(bucket), len(plain.versions(bucket))) == (["gone.txt"], 4)
    rclone("backend", "cleanup-hidden", remote)
    assert plain.markers(bucket) == []
    assert plain.versions(bucket) == [("back.txt", b"last words"), ("kept.txt", b"second")]


def test_archived_objects_are_restored(plain: Site, rclone: Program) -> None:
    bucket = plain.bucket()
    rclone("rcat", f"s3:{bucket}/a/k", "--s3-storage-class", "GLACIER", stdin=b"frozen")
    assert "restore first" in rclone("cat", f"s3:{bucket}/a/k", code=1).err
    restored = json.loads(rclone("backend", "restore", f"s3:{bucket}/a", "-o", "lifetime=1").out)
    assert restored == [{"Status": "OK", "Remote": "k"}]
    assert rclone("cat", f"s3:{bucket}/a/k").out == b"frozen"
    head = plain.head(bucket, "a/k")
    assert (head["StorageClass"], head["Restore"][:23]) == ("GLACIER", 'ongoing-request="false"')


def test_unfinished_uploads_are_found_and_cleaned_up(plain: Site, rclone: Program) -> None:
    bucket = plain.bucket()
    for key in ("one", "two/é"):
        upload = plain.s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        plain.s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"part")
    found = json.loads(rclone("backend", "list-multipart-uploads", f"s3:{bucket}").out)
    assert sorted(one["Key"] for one in found[bucket]) == ["one", "two/é"]
    rclone("cleanup", f"s3:{bucket}")  # none is a day old
    assert plain.uploads(bucket) == ["one", "two/é"]
    rclone("backend", "cleanup", f"s3:{bucket}", "-o", "max-age=0s")
    assert plain.uploads(bucket) == []


# Refusals and https


def test_a_wrong_secret_is_refused(plain: Site, tmp_path: Path) -> None:
    bucket = plain.bucket()
    stranger = rclone_for(plain, tmp_path, secret_access_key="not-the-secret")
    assert "SignatureDoesNotMatch" in stranger("rcat", f"s3:{bucket}/k", code=1, stdin=b"x").err
    assert plain.stored(bucket) == {}


@pytest.mark.parametrize("provider", ["Other", "AWS"])
def test_https(secure: Site, tmp_path: Path, tree: dict[str, bytes], provider: str) -> None:
    bucket = secure.bucket()
    rclone = rclone_for(secure, tmp_path, provider=provider)
    write_tree(tmp_path / "source", tree)
    rclone("sync", "source", f"s3:{bucket}/a", *PARTS)
    rclone("rcat", f"s3:{bucket}/a/piped", *PARTS, stdin=tree["large.bin"])
    assert secure.stored(bucket) == below("a/", {**tree, "piped": tree["large.bin"]})
    rclone("check", "--download", "--one-way", "source", f"s3:{bucket}/a")
    rclone("moveto", f"s3:{bucket}/a/large.bin", f"s3:{bucket}/b", *PARTS)
    assert secure.stored(bucket)["b"] == tree["large.bin"]
    assert rclone("cat", "--offset", "6000000", "--count", "5", f"s3:{bucket}/b").out == tree["large.bin"][6000000:][:5]
    rclone("purge", f"s3:{bucket}")
    assert bucket not in secure.buckets()


def test_https_with_an_unknown_authority_is_refused_by_rclone(secure: Site, tmp_path: Path) -> None:
    rclone = rclone_for(replace(secure, ca_bundle=None), tmp_path)
    assert "certificate signed by unknown authority" in rclone("lsf", "s3:", code=1).err
