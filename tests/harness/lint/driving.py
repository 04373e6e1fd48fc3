"""A broad set of operations through a client, with all that crosses the wire kept for the rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from harness.clients import make
from harness.clients.base import Client, Observed
from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.lint import Finding, Witnessed, lint
from harness.record import ClientInfo
from harness.wire import checksums
from harness.wire.http1 import Origin
from harness.wire.sigv4 import Credentials
from harness.wire.wiretap import Wiretap
from tests.support import Server

PART = 5 * 1024 * 1024
CONTENT = b"what is stored"


class Driver:
    """A client whose every exchange is kept."""

    def __init__(self, client: Client, endpoint: Endpoint) -> None:
        self.client, self.endpoint = client, endpoint
        self.seen: list[Witnessed] = []

    def call(self, operation: str, **params: Any) -> Observed:
        """One operation, whatever comes of it."""
        return self.client.call(operation, params)

    def found(self) -> list[Finding]:
        """What the rules find in everything that crossed the wire."""
        return lint(self.seen, Origin.of(self.endpoint.url))


@contextmanager
def driver(server: Server, name: str, addressing: Any = "path") -> Iterator[Driver]:
    """raw, or boto3 behind a wiretap."""
    credentials = Credentials(server.access_key, server.secret_key)
    # A bucket can stand before a host name, not before an address.
    url = server.endpoint.replace("127.0.0.1", "localhost") if addressing == "virtual" else server.endpoint
    endpoint = Endpoint(url, credentials, server.region, addressing=addressing, timeout=10)
    if name == "raw":
        with closing(RawClient(endpoint)) as raw:
            made = Driver(raw, endpoint)
            raw.taken = lambda record, odd: made.seen.append(Witnessed.of(record, "raw", deliberate=odd))
            yield made
        return
    with closing(Wiretap(endpoint)) as tap, closing(make(ClientInfo(name, "0", "inprocess"), endpoint, {}, tap)) as sdk:
        made = Driver(sdk, endpoint)
        tap.taken = lambda records, crowded: made.seen.extend(
            Witnessed.of(record, name, crowded=crowded) for record in records
        )
        yield made


def objects(it: Driver, bucket: str) -> None:
    """Objects stored, read, copied and deleted; refusals among them."""
    at = {"Bucket": bucket, "Key": "folder/an object & more"}
    kept = {"Metadata": {"colour": "blue"}, "Expires": dt.datetime(2030, 1, 1, tzinfo=dt.UTC)}
    kept |= {"ContentType": "text/plain", "CacheControl": "no-store"}
    if it.client.name == "raw":
        kept["Expires"] = "in a while"
    it.call("CreateBucket", Bucket=bucket)
    it.call("HeadBucket", Bucket=bucket)
    it.call("HeadBucket", Bucket=bucket + "-none")
    it.call("GetBucketVersioning", Bucket=bucket)
    it.call("PutObject", **at, Body=CONTENT, **kept)
    for mode in ({}, {"ChecksumMode": "ENABLED"}):
        it.call("GetObject", **at, **mode)
        it.call("HeadObject", **at, **mode)
    it.call("GetObject", **at, Range="bytes=2-5")
    it.call("HeadObject", **at, Range="bytes=2-5")
    it.call("GetObject", **at, Range="bytes=99-")
    it.call("GetObject", **at, IfNoneMatch="*")
    it.call("GetObject", **at, IfMatch='"0"')
    it.call("GetObject", Bucket=bucket, Key="none")
    it.call("HeadObject", Bucket=bucket, Key="none")
    attributes = ["ETag", "Checksum", "ObjectSize", "StorageClass"]
    it.call("GetObjectAttributes", **at, ObjectAttributes=_listed(it, attributes))
    for algorithm in checksums.ALGORITHMS:
        value = {f"Checksum{algorithm}": checksums.checksum(algorithm, CONTENT)}
        it.call("PutObject", Bucket=bucket, Key=f"sum/{algorithm}", Body=CONTENT, **value)
        it.call("GetObject", Bucket=bucket, Key=f"sum/{algorithm}", ChecksumMode="ENABLED")
    copied = {"Bucket": bucket, "Key": "copied"}
    it.call("CopyObject", **copied, CopySource=f"{bucket}/sum/SHA1")
    it.call("CopyObject", **copied, CopySource=f"{bucket}/none")
    it.call("PutObjectTagging", **copied, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    it.call("GetObjectTagging", **copied)
    it.call("GetObject", **copied)
    it.call("DeleteObjectTagging", **copied)
    it.call("GetObjectAcl", **copied)
    it.call("PutObject", Bucket=bucket, Key="x", Body=b"", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
    it.call("DeleteObjects", Bucket=bucket, Delete={"Objects": [{"Key": "copied"}, {"Key": "none"}]})
    it.call("DeleteObject", Bucket=bucket, Key="sum/SHA1")


def listings(it: Driver, bucket: str) -> None:
    """Pages of every listing, walked to their ends."""
    keys = ["a", "b/1", "b/2", "c d+é", "d", "e/1", "f&<>"]
    for key in keys:
        it.call("PutObject", Bucket=bucket, Key="list/" + key, Body=b"")
    for version in (1, 2):
        for delimiter in ({}, {"Delimiter": "/"}):
            for encoding in ({}, {"EncodingType": "url"}):
                asked = {"Bucket": bucket, "Prefix": "list/", **delimiter, **encoding}
                it.client.list_all(version, asked)
                it.client.list_all(version, asked | {"MaxKeys": 2})
    it.call("ListObjectsV2", Bucket=bucket, StartAfter="list/b", FetchOwner=True)
    it.call("ListObjectsV2", Bucket=bucket, MaxKeys=0)
    it.call("ListObjectsV2", Bucket=bucket, MaxKeys=2000)
    it.call("ListObjects", Bucket=bucket, Marker="list/b/1")
    it.call("ListObjects", Bucket=bucket + "-none")
    it.call("ListBuckets")
    it.call("ListBuckets", MaxBuckets=1)


def uploads(it: Driver, bucket: str) -> None:
    """Multipart uploads begun, listed, completed and given up."""
    at = {"Bucket": bucket, "Key": "upload/a b"}
    begun = it.call("CreateMultipartUpload", **at)
    upload = at | {"UploadId": str(begun.output.get("UploadId"))}
    etags = [it.call("UploadPart", **upload, PartNumber=n, Body=body).etag for n, body in ((1, b"a" * PART), (2, b"b"))]
    it.call("UploadPartCopy", **upload, PartNumber=3, CopySource=f"{bucket}/list/a")
    _walked(it, "ListParts", {"PartNumberMarker": "NextPartNumberMarker"}, **upload, MaxParts=1)
    it.call("CreateMultipartUpload", Bucket=bucket, Key="upload/other")
    _walked(
        it,
        "ListMultipartUploads",
        {"KeyMarker": "NextKeyMarker", "UploadIdMarker": "NextUploadIdMarker"},
        Bucket=bucket,
        Prefix="upload/",
        MaxUploads=1,
    )
    it.call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": [{"PartNumber": 9, "ETag": '"0"'}]})
    parts = [{"PartNumber": number, "ETag": str(etag)} for number, etag in enumerate(etags, 1)]
    it.call("CompleteMultipartUpload", **upload, MultipartUpload={"Parts": parts})
    it.call("HeadObject", **at)
    it.call("HeadObject", **at, PartNumber=1)
    it.call("GetObject", **at, PartNumber=2)
    it.call("UploadPart", **upload, PartNumber=1, Body=b"late")
    other = it.call("CreateMultipartUpload", **at)
    it.call("AbortMultipartUpload", **at, UploadId=str(other.output.get("UploadId")))


def configurations(it: Driver, bucket: str) -> None:
    """Settings of a bucket, there and not there, and versions at last."""
    of = {"Bucket": bucket}
    for name in ("Policy", "Tagging", "Cors", "Website", "LifecycleConfiguration", "Replication", "Encryption"):
        it.call(f"GetBucket{name}", **of)
    for name in ("Acl", "Location", "Logging", "RequestPayment", "OwnershipControls", "AccelerateConfiguration"):
        it.call(f"GetBucket{name}", **of)
    it.call("GetPublicAccessBlock", **of)
    it.call("GetObjectLockConfiguration", **of)
    it.call("PutBucketTagging", **of, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    it.call("GetBucketTagging", **of)
    it.call("DeleteBucketTagging", **of)
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    it.call("PutBucketCors", **of, CORSConfiguration={"CORSRules": [rule]})
    it.call("GetBucketCors", **of)
    expiring = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}
    it.call("PutBucketLifecycleConfiguration", **of, LifecycleConfiguration={"Rules": [expiring]})
    it.call("GetBucketLifecycleConfiguration", **of)
    it.call("DeleteBucketLifecycle", **of)
    policy = f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"s3:PutBucketLogging","Resource":"arn:aws:s3:::{bucket}"}}]}}'  # noqa: E501
    it.call("PutBucketPolicy", **of, Policy=policy)
    it.call("GetBucketPolicy", **of)
    it.call("DeleteBucketPolicy", **of)
    it.call("PutBucketVersioning", **of, VersioningConfiguration={"Status": "Enabled"})
    it.call("GetBucketVersioning", **of)
    for key in ("v/a", "v/a", "v/b"):
        it.call("PutObject", **of, Key=key, Body=b"v")
    it.call("DeleteObject", **of, Key="v/b")
    it.call("GetObject", **of, Key="v/b")
    it.call("GetObject", **of, Key="v/a")
    markers = {"KeyMarker": "NextKeyMarker", "VersionIdMarker": "NextVersionIdMarker"}
    _walked(it, "ListObjectVersions", markers, **of, Prefix="v/", MaxKeys=2)
    _walked(it, "ListObjectVersions", markers, **of, Prefix="v/")
    it.call("DeleteBucket", **of)
    it.call("DeleteBucket", Bucket=bucket + "-none")
    it.call("CreateBucket", Bucket=bucket + "-empty")
    it.call("DeleteBucket", Bucket=bucket + "-empty")


def everything(it: Driver, bucket: str) -> None:
    """All of it; every bucket is left to the end of the server."""
    objects(it, bucket)
    listings(it, bucket)
    uploads(it, bucket)
    configurations(it, bucket)


def _walked(it: Driver, operation: str, following: Mapping[str, str], **params: Any) -> None:
    """A listing page by page, for some pages."""
    asked = dict(params)
    for _ in range(6):
        output = it.call(operation, **asked).output
        if output.get("IsTruncated") is not True:
            return
        asked |= {name: output[other] for name, other in following.items() if output.get(other)}


def _listed(it: Driver, names: list[str]) -> Any:
    """A list in a header, as the raw client has it said."""
    return ",".join(names) if it.client.name == "raw" else names
