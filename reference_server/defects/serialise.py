"""Defects of good answers as they are written out: headers, status, XML."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.answers import Change, header, with_body, without
from reference_server.call import Result
from reference_server.codec import DECLARATION, NAMESPACE
from reference_server.defects.editing import answers
from reference_server.defects.registry import defect, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.call import Call
    from reference_server.wire import Answer

Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]

READS = {"GetObject", "HeadObject"}
LISTS = {"ListObjects", "ListObjectsV2"}


def _status(before: int, after: int, *dropped: str) -> Change:
    def change(answer: Answer) -> None:
        if answer.status == before:
            answer.status = after
            without(*dropped)(answer) if dropped else None
            if before == 204:
                answer.headers.append(("Content-Length", "0"))

    return change


def _capitalised(answer: Answer) -> None:
    answer.headers = [
        (name.title() if name.lower().startswith("x-amz-meta-") else name, value) for name, value in answer.headers
    ]


def _xml(edit: Callable[[bytes], bytes]) -> Change:
    """Edits documents; object data is left alone."""

    def change(answer: Answer) -> None:
        if isinstance(answer.body, bytes) and answer.body.startswith(b"<?xml") and answer.length is None:
            with_body(answer, edit(answer.body))

    return change


def _namespaced(replacement: str) -> Callable[[bytes], bytes]:
    return lambda body: body.replace(f' xmlns="{NAMESPACE}"'.encode(), replacement.encode(), 1)


def _renamed(root: bytes, wrong: bytes) -> Callable[[bytes], bytes]:
    return lambda body: body.replace(b"<" + root, b"<" + wrong, 1).replace(b"</" + root, b"</" + wrong, 1)


def _ampersands_bare(body: bytes) -> bytes:
    return body.replace(b"&amp;", b"&")


def _fraction(value: str) -> str:
    return value.replace(" GMT", ".123456789 GMT")


def _iso(value: str) -> str:
    """`Wed, 21 Oct 2015 07:28:00 GMT` as `2015-10-21T07:28:00.000Z`."""
    day, month, year, clock = value.split(" ")[1:5]
    number = (["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]).index(month) + 1
    return f"{year}-{number:02}-{day}T{clock}.000Z"


family(
    "serialise",
    answers,
    {
        "bucket-region-missing": row(
            "Listings lack x-amz-bucket-region; versitygw keeps its test of it for AWS only (LST1-023).",
            {*LISTS, "ListObjectVersions"},
            without("x-amz-bucket-region"),
        ),
        "checksum-missing": row(
            "Checksums are not shown, neither after an upload nor to those who ask, as in Chimera "
            "(chimera-nas/chimera#1385).",
            {*READS, "PutObject", "UploadPart"},
            without("x-amz-checksum-"),
        ),
        "content-range-missing": row(
            "Part of an object is answered without Content-Range, as in Alluxio once (Alluxio/alluxio#16332).",
            {"GetObject"},
            without("content-range"),
        ),
        "content-type-missing-on-head": row(
            "HEAD of an object has no Content-Type, as in AIStore (NVIDIA/aistore@583e7729).",
            {"HeadObject"},
            without("content-type"),
        ),
        "delete-bucket-200": row(
            "DeleteBucket is answered 200 instead of 204, as by AIStore (NVIDIA/aistore@583e7729).",
            {"DeleteBucket"},
            _status(204, 200),
        ),
        "delete-object-200": row(
            "DeleteObject is answered 200 instead of 204, as by AIStore (NVIDIA/aistore@583e7729).",
            {"DeleteObject"},
            _status(204, 200),
        ),
        "etag-unquoted": row(
            "The ETag header lacks its quotation marks, as in RustFS and S3rver once (rustfs/rustfs#611, "
            "jamhall/s3rver#14).",
            (),
            header("etag", lambda value: value.strip('"')),
        ),
        "etag-weak": row(
            "The ETag of a download is weak, as Cloudflare makes it when it transforms what it passes on "
            "(cloudflare/cloudflare-docs#11662).",
            READS,
            header("etag", lambda value: f"W/{value}"),
        ),
        "keys-unescaped": row(
            "An ampersand in a key makes the listing malformed, as in Zenko CloudServer once (scality/cloudserver#66).",
            {*LISTS, "ListObjectVersions"},
            _xml(_ampersands_bare),
        ),
        "last-modified-as-iso-8601": row(
            "Last-Modified is ISO 8601 instead of an HTTP date, as from a server that the Go SDK could not read "
            "(aws/aws-sdk-go#3361).",
            READS,
            header("last-modified", _iso),
        ),
        "last-modified-missing-on-get": row(
            "GET of an object has no Last-Modified, only HEAD has, as in Pithos once (exoscale/pithos#94).",
            {"GetObject"},
            without("last-modified"),
        ),
        "last-modified-utc": row(
            "Last-Modified ends in UTC instead of GMT, the only name that some clients read, as in Pithos once "
            "(exoscale/pithos#54).",
            READS,
            header("last-modified", lambda value: value.replace(" GMT", " UTC")),
        ),
        "last-modified-with-fraction": row(
            "Last-Modified has fractions of a second, as from rclone serve s3 once (rclone/rclone#7762).",
            READS,
            header("last-modified", _fraction),
        ),
        "last-modified-with-offset": row(
            "Last-Modified ends in +00:00 instead of GMT, as in Pithos once (exoscale/pithos#78).",
            READS,
            header("last-modified", lambda value: value.replace(" GMT", " +00:00")),
        ),
        "list-root-renamed": row(
            "The root element of a listing is that of ListBuckets, as in S3rver once (jamhall/s3rver#15).",
            LISTS,
            _xml(_renamed(b"ListBucketResult", b"ListAllMyBucketsResult")),
        ),
        "metadata-names-capitalised": row(
            "User metadata comes back with capital letters in its names, which boto3 shows, as from MinIO "
            "(minio/minio#6471, boto/botocore#1963).",
            READS,
            _capitalised,
        ),
        "multipart-root-renamed": row(
            "The root element of CreateMultipartUpload is CreateMultipartUploadResult, as in Auto Drive "
            "(autonomys/auto-drive@c29e3d5b).",
            {"CreateMultipartUpload"},
            _xml(_renamed(b"InitiateMultipartUploadResult", b"CreateMultipartUploadResult")),
        ),
        "namespace-missing": row(
            "Documents have no namespace, which some clients ask for, as in LocalStack and SeaweedFS once "
            "(localstack/localstack#9983, seaweedfs/seaweedfs#6676).",
            (),
            _xml(_namespaced("")),
        ),
        "namespace-without-slash": row(
            "The namespace of documents lacks its last slash, as in AIStore (NVIDIA/aistore@583e7729).",
            (),
            _xml(_namespaced(f' xmlns="{NAMESPACE.rstrip("/")}"')),
        ),
        "range-200": row(
            "Part of an object is answered 200 instead of 206, so that caches take it for the whole, as by lakeFS "
            "once (treeverse/lakeFS#6100).",
            {"GetObject"},
            _status(206, 200),
        ),
        "xml-declaration-missing": row(
            "Documents have no XML declaration, as in Adobe's S3Mock once (adobe/S3Mock#1754).",
            (),
            _xml(lambda body: body.removeprefix(DECLARATION.encode())),
        ),
    },
)


@defect(
    "complete-200-with-error",
    "serialise",
    "A completion that fails is answered 200 with the error in the body, which S3 itself may do late and clients "
    "take for success (apache/arrow-rs-object-store#122).",
)
def _complete_200_with_error(inner: Serialise) -> Serialise:
    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        answer = inner(call, outcome)
        if call is not None and call.operation == "CompleteMultipartUpload":
            answer.status = 200
        return answer

    return serialise


@defect(
    "part-number-200",
    "serialise",
    "GET with a part number is answered 200 without Content-Range, as by versitygw (versity/versitygw#2074).",
)
def _part_number_200(inner: Serialise) -> Serialise:
    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        answer = inner(call, outcome)
        if call is not None and call.operation in READS and call.members.get("PartNumber") is not None:
            _status(206, 200, "content-range")(answer)
        return answer

    return serialise
