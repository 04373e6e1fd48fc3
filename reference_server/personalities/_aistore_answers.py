"""How AIStore writes what it answers: documents of Go's encoder, hardly a namespace, few elements, no request ids.

Source: aistore 583e7729, ais/s3/types.go, ais/s3/bucket.go, ais/s3/lso.go, ais/s3/mpt.go, ais/s3/err.go.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server.codec import DECLARATION, http_time, iso_time
from reference_server.wire import Answer
from reference_server.xmltext import escape

if TYPE_CHECKING:
    from reference_server.call import Call, Result
    from reference_server.errors import S3Error
    from reference_server.wire import Headers

#: Without the slash at the end that S3's has.
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01"
SERVER = ("Server", "AIStore")
#: What it says of objects to whom and of buckets to which owner.
OWNER = "1"

Element = tuple[str, object]


def document(root: str, elements: Iterable[Element], namespace: str = "") -> bytes:
    """A document; the value of an element is its text, or further elements."""
    space = f' xmlns="{namespace}"' if namespace else ""
    return f"{DECLARATION}<{root}{space}>{_written(elements)}</{root}>".encode()


def _written(elements: Iterable[Element]) -> str:
    return "".join(
        f"<{name}>{_written(value) if isinstance(value, list) else _text(value)}</{name}>" for name, value in elements
    )


def _text(value: object) -> str:
    """Go writes quotes as references."""
    return escape(str(value)).replace('"', "&#34;").replace("'", "&#39;")


def answer(status: int, headers: Headers, body: bytes = b"") -> Answer:
    """An answer with a date and a length."""
    length = ("Content-Length", str(len(body)))
    return Answer(status, [("Date", http_time(int(time.time()))), *headers, length], body)


def refusal(error: S3Error) -> Answer:
    """Four elements, of which the last two are always empty."""
    elements = [("Code", error.code), ("Message", error.message), ("Resource", ""), ("RequestId", "")]
    headers = [*error.headers.items(), ("Content-Type", "application/xml"), ("X-Content-Type-Options", "nosniff")]
    return answer(error.status, headers, document("Error", elements))


def redirect(url: str, bucket: str) -> Answer:
    """The way to the target that has an object."""
    elements = [("Code", "TemporaryRedirect"), ("Message", "Redirect"), ("Endpoint", url), ("Bucket", bucket)]
    headers = [("Location", url), ("Content-Type", "text/xml; charset=utf-8"), SERVER]
    return answer(307, headers, document("Error", elements))


def rfc3339(seconds: int) -> str:
    """Listings show no fractions of a second."""
    return iso_time(seconds).replace(".000Z", "Z")


def _buckets(members: Mapping[str, Any]) -> bytes:
    buckets = [
        (
            "Bucket",
            [("Name", one["Name"]), ("CreationDate", iso_time(one["CreationDate"])), ("String", "Provider: ais")],
        )
        for one in members["Buckets"]
    ]
    elements: list[Element] = [("Owner", [("ID", OWNER), ("DisplayName", "ais")]), ("Buckets", buckets)]
    return document("ListAllMyBucketsResult", elements, NAMESPACE)


def _listing(members: Mapping[str, Any]) -> bytes:
    """The prefix is not repeated; an element for the storage class is there and empty."""
    contents = [
        (
            "Contents",
            [
                *(("Key", one["Key"]), ("LastModified", rfc3339(one["LastModified"])), ("ETag", one["ETag"])),
                *(("StorageClass", ""), ("Size", one["Size"])),
            ],
        )
        for one in members["Contents"]
    ]
    folded = [("CommonPrefixes", [("Prefix", prefix)]) for prefix in members["CommonPrefixes"]]
    first: list[Element] = [("Name", members["Name"]), ("Prefix", "")]
    first.append(("ContinuationToken", members["ContinuationToken"]))
    counts = [("KeyCount", len(contents) + len(folded)), ("MaxKeys", 1000), ("IsTruncated", "false")]
    return document("ListBucketResult", [*first, *contents, *folded, *counts], NAMESPACE)


def _uploads(members: Mapping[str, Any]) -> bytes:
    found = [
        ("Upload", [("Initiated", rfc3339(one["Initiated"])), ("Key", one["Key"]), ("UploadId", one["UploadId"])])
        for one in members["Uploads"]
    ]
    last = [("MaxUploads", members["MaxUploads"]), ("IsTruncated", str(members["IsTruncated"]).lower())]
    elements = [("Bucket", members["Bucket"]), ("UploadIdMarker", ""), *found, *last]
    return document("ListMultipartUploadsResult", elements)


def _parts(members: Mapping[str, Any]) -> bytes:
    parts = [("Part", [("ETag", one["ETag"]), ("PartNumber", one["PartNumber"])]) for one in members["Parts"]]
    return document("ListPartsResult", [*_some(members, "Bucket", "Key", "UploadId"), *parts])


def _deleted(members: Mapping[str, Any]) -> bytes:
    return document("DeleteResult", [("Deleted", [("Key", key)]) for key in members["Deleted"]])


def _some(members: Mapping[str, Any], *names: str) -> list[Element]:
    return [(name, members[name]) for name in names]


_DOCUMENTS: dict[str, Callable[[Mapping[str, Any]], bytes]] = {
    "CompleteMultipartUpload": lambda members: document(
        "CompleteMultipartUploadResult", _some(members, "Bucket", "Key", "ETag")
    ),
    "CopyObject": lambda members: document("CopyObjectResult", _some(members, "LastModified", "ETag")),
    "CreateMultipartUpload": lambda members: document(
        "InitiateMultipartUploadResult", _some(members, "Bucket", "Key", "UploadId")
    ),
    "DeleteObjects": _deleted,
    "GetBucketVersioning": lambda members: document("VersioningConfiguration", _some(members, "Status")),
    "ListBuckets": _buckets,
    "ListMultipartUploads": _uploads,
    "ListObjectsV2": _listing,
    "ListParts": _parts,
}


def document_of(call: Call, result: Result) -> Answer | None:
    """The answer of an operation that has a document and something to say in it."""
    write = _DOCUMENTS.get(call.operation)
    if write is None or not result.members:
        return None
    return answer(200, [*result.headers, ("Content-Type", "application/xml")], write(result.members))
