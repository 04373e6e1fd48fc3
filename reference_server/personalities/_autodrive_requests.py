"""Which operation Auto Drive takes a request for, and the request as the right server would have to see it.

One route, `/:key(*)`: the path is split at its first slash into bucket and key, and without a slash it is a key of the
bucket `default`. The method decides, and a handful of query parameters; every other sub-resource, and every header that
is not read, is as if it were not there. Source: autonomys/auto-drive, apps/backend/src/app/controllers/s3/http.ts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode

from reference_server.personalities._autodrive_answers import RefusedError
from reference_server.request import parse_query, split_target

if TYPE_CHECKING:
    from reference_server.wire import Head

#: The bucket of keys without a slash.
DEFAULT = "default"
#: Largest body, in bytes ("100mb").
MAX_BODY = 100 * 1024**2
#: Where the host that the client named is kept: no bucket is ever taken from it.
HOST = "x-forwarded-host"
# The key that a path to one of these has is not looked at.
_OF_BUCKETS = ("GetBucketVersioning", "GetObjectLockConfiguration", "ListObjectVersions", "ListObjectsV2")
_RANGE = re.compile(r"(\d*)-(\d*)")
_LEADING_DIGITS = re.compile(r"\s*([+-]?\d+)")
_UNDERSTOOD = ("x-amz-meta-compression", "x-amz-meta-encryption")

Query = Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """What a request asks for; the operation has the name of S3's, or none where there is no such operation."""

    operation: str
    bucket: str
    key: str
    query: Query


Route = Callable[[str, Query, Mapping[str, str]], str]
Read = Callable[[Query], dict[str, str]]


@dataclass(frozen=True)
class Era:
    """How requests are read at one time of the service.

    Attributes:
        route: the operation of a method, query and headers.
        queries: what is read of the query, by operation.
        unread: whether a header is as if it were not there; all others mean what they mean to S3.
        byte_range: the range that is read from a header, empty for none.
    """

    route: Route
    queries: Mapping[str, Read]
    unread: Callable[[str], bool]
    byte_range: Callable[[str], str] = str


def route(method: str, query: Query, headers: Mapping[str, str]) -> str:
    """The operation in the days of the guide; UploadPartCopy was UploadPart then."""
    if method == "GET":
        if "uploadId" in query:
            return "ListParts"
        if "uploads" in query:
            return "ListMultipartUploads"
        return "ListObjectsV2" if query.get("list-type") == "2" else "GetObject"
    if method == "PUT":
        if "uploadId" in query and "partNumber" in query:
            return "UploadPart"
        return "CopyObject" if "x-amz-copy-source" in headers else "PutObject"
    if method == "POST":
        if "uploads" in query:
            return "CreateMultipartUpload"
        return "CompleteMultipartUpload" if "uploadId" in query else ""
    if method == "DELETE":
        return "AbortMultipartUpload" if "uploadId" in query else "DeleteObject"
    return "HeadObject" if method == "HEAD" else ""


def asked(head: Head, era: Era) -> Asked:
    """What a request asks for.

    Raises:
        S3Error: the target is none, or its query not UTF-8.
        RefusedError: likewise its path; no host is named; the body is too large, or framed in a way that is not read.
    """
    if "host" not in head.headers:
        raise RefusedError(400, "", "html")
    raw_path, raw_query = split_target(head.target)
    query = dict(reversed(parse_query(raw_query)))
    try:
        path = unquote(raw_path[1:], errors="strict")
    except UnicodeDecodeError:
        raise RefusedError(400, f"URIError: Failed to decode param '{raw_path[1:]}'", "html") from None
    if not path and head.method in ("GET", "HEAD"):
        return Asked("ListMultipartUploads" if "uploads" in query else "ListBuckets", "", "", query)
    _check_body(head.headers)
    operation = era.route(head.method, query, head.headers)
    bucket, slash, key = path.partition("/")
    if operation in _OF_BUCKETS:
        return Asked(operation, bucket, "", query)
    return Asked(operation, *((bucket, key) if slash else (DEFAULT, path)), query)


def _check_body(headers: Mapping[str, str]) -> None:
    """What the parser of bodies looks at before any handler is asked."""
    if "transfer-encoding" not in headers and "content-length" not in headers:
        return
    coding = headers.get("content-encoding", "").lower()
    if "aws-chunked" in coding:
        raise RefusedError(415, f'UnsupportedMediaTypeError: unsupported content encoding "{coding}"', "html")
    if int(headers.get("content-length", "0")) > MAX_BODY:
        raise RefusedError(413, "PayloadTooLargeError: request entity too large", "html")


def rewritten(head: Head, asked: Asked, era: Era) -> Head:
    """The request that the right server understands as that operation, and as nothing more."""
    kept = {name: value for name, value in head.headers.items() if name != "range" and not era.unread(name)}
    kept |= {"host": "localhost", HOST: head.headers.get("host", "localhost")}
    wanted = era.byte_range(head.headers.get("range", ""))
    if wanted:
        kept["range"] = wanted
    path = f"/{quote(asked.bucket, safe='')}" if asked.bucket else "/"
    if asked.operation not in (*_OF_BUCKETS, "ListBuckets"):
        path += f"/{quote(asked.key, safe='')}"
    read = era.queries.get(asked.operation)
    query = urlencode(read(asked.query)) if read is not None else ""
    method = "GET" if asked.operation == "ListBuckets" else head.method
    return replace(head, method=method, target=(f"{path}?{query}" if query else path).encode(), headers=kept)


def byte_range(header: str) -> str:
    """The range that is read from a header, empty for none: a suffix is taken for a beginning, the first one counts.

    Source: autonomys/auto-sdk, packages/utility/file-server/src/http/headers.ts, getByteRange.
    """
    match = _RANGE.match(header[len("bytes=") :])
    if match is None or not any(match.groups()):
        return ""
    start, end = int(match[1] or 0), match[2]
    return "" if end and start > int(end) else f"bytes={start}-{end}"


def page_size(text: str | None) -> int:
    """max-keys as JavaScript's parseInt reads it: what is no number, or not positive, is 1000, and so is more."""
    match = _LEADING_DIGITS.match(text or "")
    number = int(match[1]) if match else 0
    return min(number, 1000) if number > 0 else 1000


def listing(query: Query) -> dict[str, str]:
    """What a listing reads of its query."""
    names = ("prefix", "delimiter", "continuation-token", "key-marker", "encoding-type")
    return {name: query[name] for name in names if name in query} | {"max-keys": str(page_size(query.get("max-keys")))}


def _some(*names: str) -> Read:
    """Reads these of a query; one that ends in `-` stands for all that begin so."""
    begins = tuple(name for name in names if name.endswith("-"))
    return lambda query: {
        name: value for name, value in query.items() if name in names or (begins and name.startswith(begins))
    }


def version_of(query: Query) -> dict[str, str]:
    """The version that a request names; an empty one is none."""
    return {"versionId": query["versionId"]} if query.get("versionId") else {}


read_of = _some("partNumber", "response-")
upload_of = _some("uploadId")
part_of = _some("uploadId", "partNumber")


def of_acls(name: str) -> bool:
    """Whether a header asks for an ACL: there are none."""
    return name == "x-amz-acl" or name.startswith("x-amz-grant-")


def _unread(name: str) -> bool:
    """Also user metadata but for what was done to the content; and UploadPartCopy is UploadPart, with nothing in it."""
    dropped = name.startswith("x-amz-meta-") and name not in _UNDERSTOOD
    return dropped or of_acls(name) or name.startswith("x-amz-copy-source")


GUIDE = Era(
    route,
    {
        "CompleteMultipartUpload": upload_of,
        "CreateMultipartUpload": lambda _: {"uploads": ""},
        "GetObject": read_of,
        "HeadObject": read_of,
        "ListObjectsV2": lambda query: {"list-type": "2", **listing(query)},
        "PutObject": part_of,
        "UploadPart": part_of,
    },
    _unread,
    byte_range,
)
