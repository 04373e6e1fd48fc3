"""Which of AIStore's own handlers a request reaches, and the request that this server answers in its place.

AIStore routes by method, by the number of names in the path and by very few query parameters. All others are not read,
so that `DELETE /bucket?policy` is a request to destroy the bucket. Headers that it does not read are taken away here;
handlers then see none of them.

Source: aistore 583e7729, ais/prxs3.go `s3Handler`, ais/tgts3.go `s3Handler`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlencode

from reference_server.errors import S3Error
from reference_server.request import parse_query, split_target

if TYPE_CHECKING:
    from reference_server.wire import Head

METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")
# The default endpoint is /s3; with the feature S3-API-via-Root buckets are at / as well.
_ROOT = "s3"
_UNSUPPORTED = ("lifecycle", "policy", "cors", "acl")
# Beside those that describe the connection. Conditions, metadata, types, checksums and settings are not read.
_READ = frozenset(
    {
        *("connection", "content-length", "expect", "range", "transfer-encoding", "x-amz-copy-source"),
        *("x-amz-content-sha256", "x-amz-decoded-content-length"),
    }
)
_LISTING = ("continuation-token", "delimiter", "prefix", "start-after")
STREAMING = "STREAMING-"


@dataclass(frozen=True)
class Route:
    """Where a request goes.

    Attributes:
        bucket: its first name, or None.
        key: the other names joined, or None.
        handler: `unsupported` for an empty 501, else the operation.
        query: the parameters that the operation reads.
        at_target: whether the gateway sends it on to the target that has the object.
    """

    bucket: str | None
    key: str | None
    handler: str
    query: Mapping[str, str]
    at_target: bool = False

    @property
    def needs_bucket(self) -> bool:
        """Whether it fails where there is no such bucket."""
        return self.handler not in ("CreateBucket", "ListBuckets")


def generic(message: str, status: int = 400, code: str = "", headers: dict[str, str] | None = None) -> S3Error:
    """An error without an S3 code: AIStore gives the Go type of the error, or nothing."""
    return S3Error(code, message, status=status, headers=headers)


def names(head: Head) -> list[str]:
    """The names in a path, decoded; empty ones do not count.

    Raises:
        S3Error: a path that is not UTF-8, or has names that a file system would follow elsewhere.
    """
    path, _ = split_target(head.target)
    try:
        text = unquote_to_bytes(path.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise generic("invalid URL escape") from None
    found = [name for name in text.split("/") if name]
    if found[:1] == [_ROOT]:
        found = found[1:]
    if any(name in (".", "..") for name in found) or "~/" in text:
        raise generic(f'invalid object name "{"/".join(found[1:])}"', code="errInvalidObjName")
    return found


def object_name(text: str) -> str:
    """A key as AIStore keeps it: two slashes are one, and none is at an end."""
    return "/".join(name for name in text.split("/") if name)


def route(head: Head) -> Route:
    """What AIStore takes a request for.

    Raises:
        S3Error: nothing that it knows.
    """
    _, raw = split_target(head.target)
    query = dict(reversed(parse_query(raw)))
    found = names(head)
    if not found:
        if head.method != "GET":
            raise generic("invalid s3 request")
        return Route(None, None, "ListBuckets", {})
    bucket = found[0]
    if head.method == "GET" and any(name in query for name in _UNSUPPORTED):
        return Route(bucket, None, "unsupported", {})
    if len(found) == 1 or (head.method == "GET" and "uploads" in query):
        return _of_bucket(head.method, bucket, query)
    return _of_object(head, bucket, "/".join(found[1:]), query)


def _of_bucket(method: str, bucket: str, query: dict[str, str]) -> Route:
    if method == "HEAD":
        return Route(bucket, None, "HeadBucket", {})
    if method == "GET":
        return _read_bucket(bucket, query)
    if "versioning" in query and method == "PUT":
        return Route(bucket, None, "PutBucketVersioning", {"versioning": ""})
    if method == "PUT":
        return Route(bucket, None, "CreateBucket", {})
    if "delete" in query:
        return Route(bucket, None, "DeleteObjects", {"delete": ""})
    if method == "DELETE":
        return Route(bucket, None, "DeleteBucket", {})
    if "uploadId" in query or "uploads" in query:
        raise generic("missing or empty bucket and/or object name")
    raise generic("invalid s3 request")


def _read_bucket(bucket: str, query: dict[str, str]) -> Route:
    if "uploads" in query:
        kept = {"uploads": ""} | _some(query, "upload-id-marker")
        if query.get("max-uploads", "").isdecimal():
            kept["max-uploads"] = query["max-uploads"]
        return Route(bucket, None, "ListMultipartUploads", kept, at_target=True)
    if "versioning" in query:
        return Route(bucket, None, "GetBucketVersioning", {"versioning": ""})
    return Route(bucket, None, "ListObjectsV2", {"list-type": "2"} | _some(query, *_LISTING))


def _of_object(head: Head, bucket: str, key: str, query: dict[str, str]) -> Route:
    method, upload = head.method, _some(query, "uploadId")
    copies = bool(head.headers.get("x-amz-copy-source"))
    kept: dict[str, str] = {}
    if method == "HEAD":
        handler = "HeadObject"
    elif method == "GET":
        handler, kept = _read_object(query)
    elif method == "DELETE":
        handler, kept = ("AbortMultipartUpload" if upload else "DeleteObject"), upload
    elif method == "POST":
        handler, kept = _posted(query)
    elif "partNumber" in query and upload:
        handler, kept = ("UploadPartCopy" if copies else "UploadPart"), upload | _some(query, "partNumber")
    else:
        handler = "CopyObject" if copies else "PutObject"
    return Route(bucket, key, handler, kept, at_target=True)


def _read_object(query: dict[str, str]) -> tuple[str, dict[str, str]]:
    if "partNumber" in query:
        return "GetObject", _some(query, "partNumber")
    if query.get("uploadId"):
        return "ListParts", _some(query, "uploadId")
    return "GetObject", {}


def _posted(query: dict[str, str]) -> tuple[str, dict[str, str]]:
    if "uploads" in query:
        return "CreateMultipartUpload", {"uploads": ""}
    if "uploadId" in query:
        return "CompleteMultipartUpload", _some(query, "uploadId")
    raise generic("invalid s3 request")


def _some(query: dict[str, str], *wanted: str) -> dict[str, str]:
    return {name: query[name] for name in wanted if name in query}


def rewritten(head: Head, found: Route) -> Head:
    """The request that asks this server for the same, with nothing that AIStore would not read."""
    path = "/" + "/".join(quote(name, safe="") for name in (found.bucket, found.key) if name)
    method = "POST" if found.handler == "DeleteObjects" else head.method
    headers = {name: value for name, value in head.headers.items() if name in _READ} | {"host": "aistore"}
    if found.handler not in ("PutObject", "UploadPart"):  # only these take bodies in chunks of their own
        headers.pop("x-amz-content-sha256", None)
    if found.handler != "GetObject":
        headers.pop("range", None)
    query = f"?{urlencode(found.query)}" if found.query else ""
    return replace(head, method=method, target=f"{path}{query}".encode(), headers=headers)
