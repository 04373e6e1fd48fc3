"""boto3: every operation by its model, and what is built on them: transfers, paginators, waiters, signed requests."""

from __future__ import annotations

import io
import os
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import boto3
import jmespath
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError, WaiterError

from tests.reference_server.clients import operations
from tests.reference_server.clients.model_check import Asker
from tests.reference_server.clients.running import Site
from tests.reference_server.conftest import Raw

MIB = 1024 * 1024
PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
#: Of other endpoints: their hosts are not this server's.
ELSEWHERE = {"ListDirectoryBuckets", "WriteGetObjectResponse"}


@pytest.fixture(scope="module")
def witness(plain: Site) -> Raw:
    """Signed raw requests, which share nothing with boto3 but the signature."""
    return Raw(plain.endpoint, (plain.access_key, plain.secret_key))


# Operations


@pytest.fixture(params=["plain", "secure"])
def ask(request: pytest.FixtureRequest) -> Iterator[Asker]:
    with closing(Asker(request.getfixturevalue(request.param))) as asker:
        yield asker


def test_every_operation_answers_as_the_model_says(ask: Asker) -> None:
    """No answer has an element or an x-amz- header that the model does not know, and what was put is shown."""
    names = [f"operations-{os.getpid()}-{letter}" for letter in "abcd"]
    first, second, third, fourth = names
    for name in names:
        made = ask("CreateBucket", Bucket=name, ObjectLockEnabledForBucket=name == third)
        assert made["Location"] == f"/{name}"
        ask("HeadBucket", Bucket=name)
    assert {*names} <= {bucket["Name"] for bucket in ask("ListBuckets")["Buckets"]}
    assert ask("GetBucketLocation", Bucket=first)["LocationConstraint"] is None
    for name in (first, second):
        ask("PutBucketVersioning", Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    operations.ask_settings(ask, first, second)
    operations.ask_objects(ask, third)
    operations.ask_uploads(ask, fourth)
    operations.ask_acls(ask, second)
    ask("DeleteBucket", Bucket=first)
    for name in sorted(ask.names - ask.asked - ELSEWHERE):
        with pytest.raises(ClientError, match="NotImplemented") as refused:
            ask(name, **ask.least(name, Bucket=fourth, Key="k"))
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_refusals_are_the_exceptions_of_the_model(plain: Site) -> None:
    bucket, s3 = plain.bucket(), plain.s3
    known = s3.exceptions
    upload = {"Bucket": bucket, "Key": "k", "UploadId": "none"}
    with pytest.raises(known.NoSuchKey):
        s3.get_object(Bucket=bucket, Key="none")
    with pytest.raises(known.NoSuchBucket):
        s3.list_objects_v2(Bucket="clients-nobody-made")
    with pytest.raises(known.NoSuchUpload):
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": "e"}]})
    s3.put_object(Bucket=bucket, Key="cold", Body=b"", StorageClass="GLACIER")
    with pytest.raises(known.InvalidObjectState) as state:
        s3.get_object(Bucket=bucket, Key="cold")
    assert state.value.response["StorageClass"] == "GLACIER"
    with pytest.raises(ClientError) as missing:
        s3.head_object(Bucket=bucket, Key="none")
    assert missing.value.response["Error"]["Code"] == "404"


def test_no_id_looks_like_an_option_of_a_command_line(plain: Site) -> None:
    """A command line refuses `--upload-id -abc`. One of 64 random texts would begin so."""
    bucket, s3 = plain.bucket(), plain.s3
    ids = [s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"] for _ in range(150)]
    plain.put(bucket, {str(number): b"" for number in range(150)})
    where = {"Bucket": bucket, "PaginationConfig": {"PageSize": 1}}
    pages = s3.get_paginator("list_objects_v2").paginate(**where)
    ids += [page["NextContinuationToken"] for page in pages if page["IsTruncated"]]
    assert len(ids) == 299
    assert [one for one in ids if one.startswith("-")] == []


# Transfers


def test_files_go_up_and_down_in_parts(plain: Site, witness: Raw, large: bytes, tmp_path: Any) -> None:
    bucket = plain.bucket()
    seen: list[int] = []
    (tmp_path / "up").write_bytes(large)
    facts = {"Metadata": {"a": "1"}, "ContentType": "text/plain"}
    plain.s3.upload_file(str(tmp_path / "up"), bucket, "k", ExtraArgs=facts, Config=PARTS, Callback=seen.append)
    stored = witness("GET", f"/{bucket}/k")
    assert stored.body == large
    assert (stored.headers["etag"][-3:], stored.headers["x-amz-meta-a"]) == ('-3"', "1")
    assert sum(seen) == len(large)
    plain.s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "copy + é", Config=PARTS)
    assert witness("GET", f"/{bucket}/copy%20%2B%20%C3%A9").body == large
    plain.s3.download_file(bucket, "copy + é", str(tmp_path / "down"), Config=PARTS)
    assert (tmp_path / "down").read_bytes() == large


class Stream(io.RawIOBase):
    """Bytes that cannot be read twice."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def test_streams_go_up_and_down(plain: Site, secure: Site, large: bytes) -> None:
    for site in (plain, secure):
        bucket, back = site.bucket(), io.BytesIO()
        site.s3.upload_fileobj(Stream(large), bucket, "k", Config=PARTS)
        assert site.stored(bucket) == {"k": large}
        site.s3.download_fileobj(bucket, "k", back, Config=PARTS)
        assert back.getvalue() == large


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_go_ahead_or_behind(plain: Site, secure: Site, algorithm: str) -> None:
    """As a header over http, behind a body in chunks over https; boto3 holds what it reads to them."""
    for site in (plain, secure):
        bucket = site.bucket()
        put = site.s3.put_object(Bucket=bucket, Key="k", Body=b"checked", ChecksumAlgorithm=algorithm)
        got = site.s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert got["Body"].read() == b"checked"
        assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
        assert "ContentEncoding" not in got


def test_checksums_can_be_left_out(plain: Site, secure: Site) -> None:
    for site in (plain, secure):
        bucket = site.bucket()
        modes = dict.fromkeys(("request_checksum_calculation", "response_checksum_validation"), "when_required")
        with closing(site.boto3(**modes)) as client:
            client.put_object(Bucket=bucket, Key="k", Body=b"bare")
            assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"bare"
            client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})
        assert site.stored(bucket) == {}


def test_many_threads_share_a_client(plain: Site, witness: Raw) -> None:
    bucket = plain.bucket()
    bodies = {f"k{number}": secrets.token_bytes(number * 997) for number in range(64)}
    with closing(plain.boto3(max_pool_connections=16)) as client, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda item: client.put_object(Bucket=bucket, Key=item[0], Body=item[1]), bodies.items()))
        read = pool.map(lambda key: client.get_object(Bucket=bucket, Key=key)["Body"].read(), bodies)
        assert list(read) == list(bodies.values())
    assert {key: witness("GET", f"/{bucket}/{key}").body for key in bodies} == bodies


# Paginators, waiters, resources


KEYS = ["a", "b/1", "b/2", "c +%", "d/é", "e", "f/", "g"]


def pages_of(client: Any, operation: str, result: str, **params: Any) -> list[Any]:
    """Keys, prefixes, or whatever `result` (JMESPath) names, over all pages; there are several."""
    pages = list(client.get_paginator(operation).paginate(**params))
    assert len(pages) > 1
    return [found for page in pages for found in jmespath.search(result, page) or []]


def test_paginators_find_everything_once(plain: Site, witness: Raw) -> None:
    bucket, s3 = plain.bucket(), plain.s3
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    plain.put(bucket, dict.fromkeys(KEYS, b"1"))
    plain.put(bucket, dict.fromkeys(KEYS[::2], b"22"))
    s3.delete_object(Bucket=bucket, Key="a")
    small: dict[str, Any] = {"Bucket": bucket, "PaginationConfig": {"PageSize": 2}}
    assert witness("GET", f"/{bucket}?list-type=2").elements("Key") == KEYS[1:]
    for operation in ("list_objects", "list_objects_v2"):
        assert pages_of(s3, operation, "Contents[].Key", **small) == KEYS[1:]
        folded = pages_of(s3, operation, "[Contents[].Key, CommonPrefixes[].Prefix][][]", **small, Delimiter="/")
        assert sorted(folded) == ["b/", "c +%", "d/", "e", "f/", "g"]
    assert sorted(pages_of(s3, "list_object_versions", "Versions[].Key", **small)) == sorted(KEYS + KEYS[::2])
    assert pages_of(s3, "list_object_versions", "DeleteMarkers[].Key", **small) == ["a"]
    uploads = [s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in ("u", "u", "v é")]
    assert sorted(pages_of(s3, "list_multipart_uploads", "Uploads[].UploadId", **small)) == sorted(uploads)
    for number in (1, 2, 3):
        s3.upload_part(Bucket=bucket, Key="u", UploadId=uploads[0], PartNumber=number, Body=b"p")
    found = pages_of(s3, "list_parts", "Parts[].PartNumber", **small, Key="u", UploadId=uploads[0])
    assert found == [1, 2, 3]
    assert bucket in pages_of(s3, "list_buckets", "Buckets[].Name", PaginationConfig={"PageSize": 2})
    paginated = {"list_buckets", "list_multipart_uploads", "list_object_versions", "list_objects", "list_objects_v2"}
    offered = {name for name in s3.meta.method_to_api_mapping if s3.can_paginate(name)}
    assert offered - {"list_directory_buckets", "list_object_annotations"} == paginated | {"list_parts"}


def test_waiters_wait(plain: Site) -> None:
    s3, bucket = plain.s3, f"clients-wait-{os.getpid()}"
    patient, hasty = {"Delay": 1, "MaxAttempts": 8}, {"Delay": 1, "MaxAttempts": 1}
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        s3.get_waiter("bucket_exists").wait(Bucket=bucket, WaiterConfig=hasty)
    timer = threading.Timer(0.3, s3.create_bucket, kwargs={"Bucket": bucket})
    timer.start()
    s3.get_waiter("bucket_exists").wait(Bucket=bucket, WaiterConfig=patient)
    timer.join()
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        s3.get_waiter("object_exists").wait(Bucket=bucket, Key="k", WaiterConfig=hasty)
    s3.get_waiter("object_not_exists").wait(Bucket=bucket, Key="k", WaiterConfig=hasty)
    plain.put(bucket, {"k": b""})
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key="k", WaiterConfig=hasty)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)
    s3.get_waiter("bucket_not_exists").wait(Bucket=bucket, WaiterConfig=hasty)


def test_resources_work_on_collections(plain: Site, witness: Raw) -> None:
    name = plain.bucket()
    settings = {"endpoint_url": plain.endpoint, "region_name": plain.region}
    keys = {"aws_access_key_id": plain.access_key, "aws_secret_access_key": plain.secret_key}
    resource = boto3.resource("s3", **settings, **keys)
    with closing(resource.meta.client):
        bucket = resource.Bucket(name)
        bucket.Versioning().enable()
        for key in KEYS:
            bucket.Object(key).put(Body=key.encode())
        assert [one.key for one in bucket.objects.filter(Prefix="b/")] == ["b/1", "b/2"]
        assert resource.Object(name, "c +%").get()["Body"].read() == b"c +%"
        bucket.objects.filter(Prefix="b/").delete()
        assert witness("GET", f"/{name}?list-type=2").elements("Key") == [key for key in KEYS if key[0] != "b"]
        bucket.object_versions.delete()
        bucket.delete()
    assert name not in plain.buckets()


# Signed requests for others


def fetch(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> bytes:
    """What a request without credentials gets."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, body, names, method=method)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        data: bytes = answer.read()
        return data


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls(plain: Site, witness: Raw, version: str) -> None:
    bucket = plain.bucket()
    with closing(plain.boto3(signature_version=version)) as client:
        where = {"Bucket": bucket, "Key": "a +/é"}
        put = client.generate_presigned_url("put_object", {**where, "ContentType": "text/plain"})
        fetch(put, "PUT", b"by another", Content_Type="text/plain")
        assert witness("GET", f"/{bucket}/a%20%2B/%C3%A9").body == b"by another"
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            fetch(put, "PUT", b"other", Content_Type="text/html")
        refused.value.close()
        get = client.generate_presigned_url("get_object", {**where, "ResponseContentType": "text/special"})
        with urllib.request.urlopen(get, timeout=10) as answer:  # noqa: S310 - our own server
            assert (answer.read(), answer.headers["Content-Type"]) == (b"by another", "text/special")
        fetch(client.generate_presigned_url("delete_object", where), "DELETE")
    assert plain.stored(bucket) == {}


def form(fields: dict[str, str], body: bytes) -> tuple[bytes, str]:
    """A form as a browser posts it, and its content type."""
    boundary = "boundary-of-the-form"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="of mine.txt"\r\n\r\n'
    whole = "".join(parts).encode() + head.encode() + body + f"\r\n--{boundary}--\r\n".encode()
    return whole, f"multipart/form-data; boundary={boundary}"


def test_presigned_posts(plain: Site, witness: Raw) -> None:
    bucket = plain.bucket()
    fields = {"Content-Type": "text/x-special", "x-amz-meta-a": "1"}
    conditions = [*({name: value} for name, value in fields.items()), ["content-length-range", 1, 9]]
    post = plain.s3.generate_presigned_post(bucket, "up/${filename}", fields, conditions)
    body, kind = form(post["fields"], b"posted")
    fetch(post["url"], "POST", body, Content_Type=kind)
    stored = witness("GET", f"/{bucket}/up/of%20mine.txt")
    assert (stored.body, stored.headers["content-type"], stored.headers["x-amz-meta-a"]) == (
        *(b"posted", "text/x-special", "1"),
    )
    for wrong in (form(post["fields"], b"far too long"), form({**post["fields"], "x-amz-meta-a": "2"}, b"other")):
        with pytest.raises(urllib.error.HTTPError, match=r"40[03]") as refused:
            fetch(post["url"], "POST", wrong[0], Content_Type=wrong[1])
        refused.value.close()
    assert plain.stored(bucket) == {"up/of mine.txt": b"posted"}
