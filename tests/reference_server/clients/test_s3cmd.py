"""s3cmd: whole commands, each proved by reading again what is stored."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.reference_server.clients.programs import Program, installed, read_tree, write_tree
from tests.reference_server.clients.running import Site

NOT_FOUND, CONFLICT, NO_SOURCE, NOT_TRUSTED = 12, 13, 64, 77
PARTS = ("--multipart-chunk-size-mb", "5")
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


def s3cmd_for(site: Site, folder: Path) -> Program:
    """A program with a configuration file; `host_bucket` without a bucket in it means path style."""
    settings = {
        "access_key": site.access_key,
        "secret_key": site.secret_key,
        "bucket_location": site.region,
        "host_base": site.address,
        "host_bucket": site.address,
        "use_https": str(site.endpoint.startswith("https")),
        "signurl_use_https": str(site.endpoint.startswith("https")),
        "max_retries": "1",
    }
    if site.ca_bundle:
        settings["ca_certs_file"] = str(site.ca_bundle)
    lines = [f"{name} = {value}" for name, value in settings.items()]
    write_tree(folder, {"s3cfg": "\n".join(["[default]", *lines, ""]).encode()})
    return Program([installed("s3cmd"), "--config", str(folder / "s3cfg"), "--no-progress"], folder, {})


@pytest.fixture
def s3cmd(plain: Site, tmp_path: Path) -> Program:
    return s3cmd_for(plain, tmp_path)


def test_buckets_come_and_go(plain: Site, s3cmd: Program) -> None:
    bucket = f"clients-s3cmd-{os.getpid()}"
    s3cmd("mb", f"s3://{bucket}")
    plain.put(bucket, {"k": b"body"})
    assert any(line.endswith(f"  s3://{bucket}") for line in s3cmd("ls").lines)
    assert any(line.endswith(f"  s3://{bucket}/k") for line in s3cmd("la").lines)
    assert "BucketNotEmpty" in s3cmd("rb", f"s3://{bucket}", code=CONFLICT).err
    assert plain.stored(bucket) == {"k": b"body"}
    s3cmd("rb", "--recursive", f"s3://{bucket}")
    assert bucket not in plain.buckets()
    assert "NoSuchBucket" in s3cmd("ls", f"s3://{bucket}", code=NOT_FOUND).err


def test_objects_go_up_and_down(plain: Site, s3cmd: Program, large: bytes, tmp_path: Path) -> None:
    bucket = plain.bucket()
    write_tree(tmp_path, {"sm all+é": b"small", "large": large})
    facts = ("--add-header", "x-amz-meta-a:1", "--mime-type", "text/x-special")
    s3cmd("put", *PARTS, *facts, "sm all+é", "large", f"s3://{bucket}/d/")
    s3cmd("put", "-", f"s3://{bucket}/piped", stdin=b"from a pipe")
    assert plain.stored(bucket) == {"d/sm all+é": b"small", "d/large": large, "piped": b"from a pipe"}
    head = plain.head(bucket, "d/large")
    assert (head["ETag"][-3:], head["Metadata"]["a"], head["ContentType"]) == ('-3"', "1", "text/x-special")
    s3cmd("get", f"s3://{bucket}/d/large", "back")
    assert (tmp_path / "back").read_bytes() == large
    assert s3cmd("get", f"s3://{bucket}/piped", "-").out == b"from a pipe"
    s3cmd("get", f"s3://{bucket}/none", "none", code=NO_SOURCE)
    said = s3cmd("info", f"s3://{bucket}/d/large").lines
    assert {"   File size: 12582919", "   MIME type: text/x-special", "   x-amz-meta-a: 1"} <= set(said)


def test_folders_are_synchronised(plain: Site, s3cmd: Program, tree: dict[str, bytes], tmp_path: Path) -> None:
    """Versions show what was written: a second run writes nothing."""
    bucket = plain.bucket()
    plain.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    source = write_tree(tmp_path / "source", tree)
    s3cmd("sync", *PARTS, "source/", f"s3://{bucket}/x/")
    stored = {f"x/{name}": body for name, body in tree.items()}
    assert plain.stored(bucket) == stored
    s3cmd("sync", *PARTS, "source/", f"s3://{bucket}/x/")
    assert len(plain.versions(bucket)) == len(tree)
    (source / "a.txt").unlink()
    (source / "empty").write_bytes(b"no more")
    s3cmd("sync", "--delete-removed", *PARTS, "source/", f"s3://{bucket}/x/")
    del stored["x/a.txt"]
    assert plain.stored(bucket) == {**stored, "x/empty": b"no more"}
    (tmp_path / "back").mkdir()
    s3cmd("sync", f"s3://{bucket}/x/", "back/")
    assert read_tree(tmp_path / "back") == read_tree(source)


def test_listings_and_removal(plain: Site, s3cmd: Program) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {"a b+c%20": b"1", "d/e": b"22", "d/f/é": b"333", "x": b"4444"})
    listed = s3cmd("ls", "--recursive", f"s3://{bucket}").lines
    assert [line.partition(f"s3://{bucket}/")[2] for line in listed] == ["a b+c%20", "d/e", "d/f/é", "x"]
    folder = s3cmd("ls", f"s3://{bucket}/d/").lines
    assert [line.partition(f"s3://{bucket}/")[2] for line in folder] == ["d/f/", "d/e"]
    assert s3cmd("du", f"s3://{bucket}").out.split()[:3] == [b"10", b"4", b"objects"]
    s3cmd("del", f"s3://{bucket}/x")
    s3cmd("del", "--recursive", f"s3://{bucket}/d/")
    assert plain.stored(bucket) == {"a b+c%20": b"1"}


def test_copies_and_moves(plain: Site, s3cmd: Program) -> None:
    """In a bucket without ACLs s3cmd copies only if told to set none, on AWS too."""
    bucket = plain.bucket()
    plain.put(bucket, {"k": b"body"})
    said = s3cmd("cp", f"s3://{bucket}/k", f"s3://{bucket}/refused", code=1)
    assert "AccessControlListNotSupported" in said.err
    s3cmd("cp", "--acl-private", f"s3://{bucket}/k", f"s3://{bucket}/copy + é")
    s3cmd("mv", "--acl-private", f"s3://{bucket}/k", f"s3://{bucket}/moved")
    s3cmd("modify", "--acl-private", "--add-header", "x-amz-meta-a:1", f"s3://{bucket}/moved")
    assert plain.stored(bucket) == dict.fromkeys(["copy + é", "moved", "refused"], b"body")
    assert plain.head(bucket, "moved")["Metadata"] == {"a": "1"}


def test_objects_become_public_and_private(plain: Site, s3cmd: Program) -> None:
    bucket = plain.bucket()
    s3cmd("setownership", f"s3://{bucket}", "ObjectWriter")
    s3cmd("setblockpublicaccess", f"s3://{bucket}", "")
    plain.put(bucket, {"k": b"for all"})
    s3cmd("setacl", "--acl-public", f"s3://{bucket}/k")
    s3cmd("mv", f"s3://{bucket}/k", f"s3://{bucket}/l")  # takes its ACL along
    grants = plain.s3.get_object_acl(Bucket=bucket, Key="l")["Grants"]
    assert [grant["Permission"] for grant in grants if grant["Grantee"].get("URI") == EVERYBODY] == ["READ"]
    with urllib.request.urlopen(f"{plain.endpoint}/{bucket}/l", timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.read() == b"for all"
    s3cmd("setacl", "--acl-private", f"s3://{bucket}/l")
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(f"{plain.endpoint}/{bucket}/l", timeout=10)  # noqa: S310 - our own server
    refused.value.close()


def test_signed_urls_work_without_credentials(plain: Site, s3cmd: Program) -> None:
    bucket = plain.bucket()
    plain.put(bucket, {"a b/é": b"signed"})
    url = s3cmd("signurl", f"s3://{bucket}/a b/é", "+600").out.decode().strip()
    assert "AWSAccessKeyId=" in url  # version 2 of the signature
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
        assert answer.read() == b"signed"


POLICY = b"""{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",
"Action": "s3:GetObjectTorrent", "Resource": "arn:aws:s3:::%s/*"}]}"""
CORS = b"""<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>
</CORSConfiguration>"""


def test_settings_of_a_bucket(plain: Site, s3cmd: Program, tmp_path: Path) -> None:
    bucket = plain.bucket()
    write_tree(tmp_path, {"policy": POLICY % bucket.encode(), "cors": CORS})
    target = f"s3://{bucket}"
    s3cmd("setpolicy", "policy", target)
    s3cmd("setcors", "cors", target)
    s3cmd("expire", "--expiry-days", "3", "--expiry-prefix", "logs/", target)
    s3cmd("settagging", target, "a=1&b=2")
    s3cmd("ws-create", "--ws-index", "i.html", target)
    s3cmd("payer", "--requester-pays", target)
    s3cmd("accesslog", "--access-logging-target-prefix", f"{target}/log-", target)
    s3cmd("setversioning", target, "enable")
    assert settings_of(plain, bucket) == {
        "policy": (POLICY % bucket.encode()).decode(),
        "cors": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}],
        "expiry": ("logs/", 3),
        "tags": {"a": "1", "b": "2"},
        "index": "i.html",
        "payer": "Requester",
        "log": "log-",
        "versioning": "Enabled",
    }
    said = s3cmd("info", target).lines
    assert {"   Payer:     Requester", "   Versioning:Enabled", "   Location:  us-east-1"} <= set(said)


def settings_of(site: Site, bucket: str) -> dict[str, Any]:
    """The settings as boto3 reads them."""
    s3, where = site.s3, {"Bucket": bucket}
    rule = s3.get_bucket_lifecycle_configuration(**where)["Rules"][0]
    return {
        "policy": s3.get_bucket_policy(**where)["Policy"],
        "cors": s3.get_bucket_cors(**where)["CORSRules"],
        "expiry": (rule["Filter"]["Prefix"], rule["Expiration"]["Days"]),
        "tags": {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(**where)["TagSet"]},
        "index": s3.get_bucket_website(**where)["IndexDocument"]["Suffix"],
        "payer": s3.get_bucket_request_payment(**where)["Payer"],
        "log": s3.get_bucket_logging(**where)["LoggingEnabled"]["TargetPrefix"],
        "versioning": s3.get_bucket_versioning(**where)["Status"],
    }


def test_unfinished_uploads_are_listed_and_aborted(plain: Site, s3cmd: Program) -> None:
    bucket = plain.bucket()
    upload = plain.s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    plain.s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"part")
    assert any(line.endswith(f"s3://{bucket}/k\t{upload}") for line in s3cmd("multipart", f"s3://{bucket}").lines)
    assert any(line.split("\t")[1] == "1" for line in s3cmd("listmp", f"s3://{bucket}/k", upload).lines[1:])
    s3cmd("abortmp", f"s3://{bucket}/k", upload)
    assert plain.uploads(bucket) == []


def test_https(secure: Site, tree: dict[str, bytes], tmp_path: Path) -> None:
    s3cmd, bucket = s3cmd_for(secure, tmp_path), secure.bucket()
    write_tree(tmp_path / "source", tree)
    s3cmd("sync", *PARTS, "source/", f"s3://{bucket}/x/")
    assert secure.stored(bucket) == {f"x/{name}": body for name, body in tree.items()}
    (tmp_path / "back").mkdir()
    s3cmd("get", "--recursive", f"s3://{bucket}/x/", "back/")
    assert read_tree(tmp_path / "back") == tree
    s3cmd("rb", "--recursive", f"s3://{bucket}")
    assert bucket not in secure.buckets()
    unknown = s3cmd_for(replace(secure, ca_bundle=None), tmp_path)
    assert "certificate verify failed" in unknown("ls", code=NOT_TRUSTED).err
