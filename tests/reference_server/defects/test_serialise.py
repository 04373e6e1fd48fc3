"""Defects of answers: headers, status, codes, XML, members of results."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.reference_server.catalogue.steps import ENABLED, Upload, fields, md5, md5_header, texts, tree
from tests.reference_server.defects.probing import (
    ETAG,
    TEN,
    Lab,
    Probe,
    empty,
    keys,
    names_in,
    one,
    target,
    versioned,
)

if TYPE_CHECKING:
    from conftest import Reply

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
HTTP = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


def shape(text: str | None) -> str:
    """Which form of time a text has; otherwise how it ends."""
    if text is None:
        return "missing"
    forms = {"ISO 8601": ISO, "HTTP date": HTTP}
    return next((name for name, form in forms.items() if form.fullmatch(text)), text[-10:].partition(" ")[2] or text)


def header(method: str, name: str, headers: dict[str, str] | None = None) -> Callable[[Lab, str], str | None]:
    """A header of the answer about the object."""
    return lambda lab, b: lab.raw(method, f"/{b}/key", headers=headers).headers.get(name)


def modified(method: str) -> Callable[[Lab, str], str]:
    """The form of Last-Modified."""
    return lambda lab, b: shape(header(method, "last-modified")(lab, b))


def listing(query: str, *elements: str) -> Callable[[Lab, str], list[str]]:
    """Texts of elements of a listing."""

    def ask(lab: Lab, bucket: str) -> list[str]:
        reply = lab.raw("GET", target(bucket, query))
        return [text for name in elements for text in texts(tree(reply), name)]

    return ask


def error(method: str, suffix: str) -> Callable[[Lab, str], tuple[int, str]]:
    """Status and code of a refusal."""

    def ask(lab: Lab, bucket: str) -> tuple[int, str]:
        reply = lab.raw(method, f"/{bucket}{suffix}")
        return reply.status, reply.code

    return ask


def bad_md5(text: str) -> Callable[[Lab, str], tuple[int, str]]:
    def ask(lab: Lab, bucket: str) -> tuple[int, str]:
        reply = lab.raw("PUT", f"/{bucket}/new", TEN, {"Content-MD5": text})
        return reply.status, reply.code

    return ask


def completed(lab: Lab, bucket: str) -> Reply:
    """The answer to the completion of an upload of one part."""
    return Upload(lab.raw, f"/{bucket}/parts").finish(TEN)


def complete_wrongly(lab: Lab, bucket: str) -> tuple[int, str]:
    """Completion with a part that is not there."""
    reply = Upload(lab.raw, f"/{bucket}/parts").complete([(7, ETAG, "")])
    return reply.status, reply.code


def uploads(lab: Lab, bucket: str) -> dict[str, bool]:
    """What a listing of two uploads shows, page by page of one."""
    for key in ("a", "b"):
        Upload(lab.raw, f"/{bucket}/{key}")
    page = tree(lab.raw("GET", f"/{bucket}?uploads&max-uploads=1"))
    shown, entry = fields(page), page.find("Upload")
    assert entry is not None
    return {
        "markers": bool(shown.get("NextKeyMarker") and shown.get("NextUploadIdMarker")),
        "owners": entry.find("Owner") is not None and entry.find("Initiator") is not None,
    }


def copied(lab: Lab, bucket: str) -> str:
    """The form of LastModified of a copy."""
    return shape(
        lab.raw("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"/{bucket}/key"}).element("LastModified")
    )


def boto_keys(lab: Lab, bucket: str) -> list[str]:
    """Keys as boto3 shows them, which asks for encoding-type=url and decodes them if the answer says so."""
    client = lab.running.client()
    found = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"]]
    client.close()
    return found


def boto_metadata(lab: Lab, bucket: str) -> dict[str, str]:
    client = lab.running.client()
    found = client.head_object(Bucket=bucket, Key="key")["Metadata"]
    client.close()
    return found


def document(lab: Lab, bucket: str) -> bytes:
    """The beginning of a listing."""
    return lab.raw("GET", f"/{bucket}?list-type=2").body[:120]


def parsed(body: bytes) -> bool:
    """Whether a strict parser reads it."""
    try:
        ET.fromstring(body)  # noqa: S314 - from our own server
    except ET.ParseError:
        return False
    return True


def missing(lab: Lab, bucket: str) -> Reply:
    """GET of a key that is not there."""
    return lab.raw("GET", f"/{bucket}/missing")


def as_json(reply: Reply) -> Any:
    """Type of the answer, and what JSON it is."""
    kind = reply.headers.get("content-type")
    return kind, json.loads(reply.body) if reply.body.startswith(b"{") else "no JSON"


XML, ANSWERED_204, ANSWERED_200 = "application/xml", (204, None), (200, "0")
RANGE = {"Range": "bytes=0-1"}


def emptied(lab: Lab, bucket: str, path: str) -> tuple[int, str | None]:
    reply = lab.raw("DELETE", f"/{bucket}{path}")
    return reply.status, reply.headers.get("content-length")


ANSWERS = {
    "bucket-region-missing": Probe(
        lambda lab, b: lab.raw("GET", f"/{b}?list-type=2").headers.get("x-amz-bucket-region"), "us-east-1", None
    ),
    "checksum-missing": Probe(
        lambda lab, b: [
            any(name.startswith("x-amz-checksum-crc") for name in lab.raw(method, f"/{b}/key", b"", ENABLED).headers)
            for method in ("GET", "HEAD", "PUT")
        ],
        [True, True, True],
        [False, False, False],
    ),
    "complete-200-with-error": Probe(complete_wrongly, (400, "InvalidPart"), (200, "InvalidPart"), empty),
    "content-range-missing": Probe(header("GET", "content-range", RANGE), "bytes 0-1/10", None),
    "content-type-missing-on-head": Probe(
        lambda lab, b: [header(method, "content-type")(lab, b) for method in ("GET", "HEAD")],
        ["text/plain", "text/plain"],
        ["text/plain", None],
    ),
    "delete-bucket-200": Probe(lambda lab, b: emptied(lab, b, ""), ANSWERED_204, ANSWERED_200, empty),
    "delete-object-200": Probe(lambda lab, b: emptied(lab, b, "/key"), ANSWERED_204, ANSWERED_200),
    "etag-unquoted": Probe(
        lambda lab, b: [
            lab.raw(method, f"/{b}/key", TEN if method == "PUT" else b"").headers["etag"]
            for method in ("PUT", "GET", "HEAD")
        ],
        [ETAG] * 3,
        [ETAG.strip('"')] * 3,
    ),
    "etag-weak": Probe(header("GET", "etag"), ETAG, f"W/{ETAG}"),
    "keys-unescaped": Probe(
        lambda lab, b: parsed(lab.raw("GET", f"/{b}?list-type=2").body), honest=True, wrong=False, given=keys("a&b")
    ),
    "last-modified-as-iso-8601": Probe(modified("GET"), "HTTP date", "ISO 8601"),
    "last-modified-missing-on-get": Probe(
        lambda lab, b: [modified(method)(lab, b) for method in ("GET", "HEAD")],
        ["HTTP date", "HTTP date"],
        ["missing", "HTTP date"],
    ),
    "last-modified-utc": Probe(modified("HEAD"), "HTTP date", "UTC"),
    "last-modified-with-fraction": Probe(
        lambda lab, b: bool(re.search(r":\d\d\.\d+ GMT", header("GET", "last-modified")(lab, b) or "")), False, True
    ),
    "last-modified-with-offset": Probe(modified("GET"), "HTTP date", "+00:00"),
    "list-root-renamed": Probe(
        lambda lab, b: tree(lab.raw("GET", f"/{b}?list-type=2")).tag, "ListBucketResult", "ListAllMyBucketsResult"
    ),
    "metadata-names-capitalised": Probe(boto_metadata, {"color": "red"}, {"Color": "red"}),
    "multipart-root-renamed": Probe(
        lambda lab, b: tree(lab.raw("POST", f"/{b}/key?uploads")).tag,
        "InitiateMultipartUploadResult",
        "CreateMultipartUploadResult",
    ),
    "namespace-missing": Probe(
        lambda lab, b: f'<ListBucketResult xmlns="{NAMESPACE}">'.encode() in document(lab, b), honest=True, wrong=False
    ),
    "namespace-without-slash": Probe(
        lambda lab, b: f'xmlns="{NAMESPACE[:-1]}">'.encode() in document(lab, b), honest=False, wrong=True
    ),
    "part-number-200": Probe(
        lambda lab, b: (
            lab.raw("GET", f"/{b}/key?partNumber=1").status,
            lab.raw("GET", f"/{b}/key?partNumber=1").headers.get("content-range"),
            lab.raw("GET", f"/{b}/key", headers=RANGE).status,
        ),
        (206, "bytes 0-9/10", 206),
        (200, None, 206),
    ),
    "range-200": Probe(
        lambda lab, b: (
            lab.raw("GET", f"/{b}/key", headers=RANGE).status,
            header("GET", "content-range", RANGE)(lab, b),
        ),
        (206, "bytes 0-1/10"),
        (200, "bytes 0-1/10"),
    ),
    "xml-declaration-missing": Probe(lambda lab, b: document(lab, b).startswith(b"<?xml "), honest=True, wrong=False),
}
RESULTS = {
    "complete-etag-unquoted": Probe(
        lambda lab, b: completed(lab, b).element("ETag"),
        f'"{md5(bytes.fromhex(md5(TEN)))}-1"',
        f"{md5(bytes.fromhex(md5(TEN)))}-1",
        empty,
    ),
    "copy-last-modified-as-http-date": Probe(copied, "ISO 8601", "HTTP date"),
    "encoding-type-not-echoed": Probe(boto_keys, ["a b"], ["a+b"], keys("a b")),
    "etag-missing": Probe(
        lambda lab, b: [header(method, "etag")(lab, b) for method in ("GET", "HEAD")], [ETAG, ETAG], [None, None]
    ),
    "key-count-without-prefixes": Probe(listing("list-type=2&delimiter=/", "KeyCount"), ["2"], ["1"], keys("a", "b/c")),
    "list-etag-unquoted": Probe(listing("list-type=2", "Contents/ETag"), [ETAG], [ETAG.strip('"')]),
    "list-last-modified-as-http-date": Probe(
        lambda lab, b: shape(listing("list-type=2", "Contents/LastModified")(lab, b)[0]), "ISO 8601", "HTTP date"
    ),
    "next-marker-unencoded": Probe(
        listing("max-keys=1&delimiter=/&encoding-type=url", "NextMarker", "Contents/Key"),
        ["a+b", "a+b"],
        ["a b", "a+b"],
        keys("a b", "c"),
    ),
    "prefixes-unencoded": Probe(
        listing("list-type=2&delimiter=/&encoding-type=url", "CommonPrefixes/Prefix", "Contents/Key"),
        ["a+b/", "c+d"],
        ["a b/", "c+d"],
        keys("a b/x", "c d"),
    ),
    "truncated-without-token": Probe(
        lambda lab, b: [
            listing(f"{version}&max-keys=1&delimiter=/", "IsTruncated", "NextContinuationToken", "NextMarker")(lab, b)[
                1:
            ]
            != []
            for version in ("list-type=2", "marker=")
        ],
        [True, True],
        [False, False],
        keys("a", "b"),
    ),
    "uploads-without-markers": Probe(
        uploads, {"markers": True, "owners": True}, {"markers": False, "owners": True}, empty
    ),
    "uploads-without-owner": Probe(
        uploads, {"markers": True, "owners": True}, {"markers": True, "owners": False}, empty
    ),
    "version-id-missing": Probe(
        lambda lab, b: [
            "x-amz-version-id" in lab.raw(method, f"/{b}/key").headers for method in ("PUT", "GET", "HEAD", "DELETE")
        ],
        [True] * 4,
        [False] * 4,
        versioned,
    ),
}
NO_KEY, NO_BUCKET = (404, "NoSuchKey"), (404, "NoSuchBucket")
ERRORS = {
    "bad-digest-500": Probe(
        bad_md5(md5_header(b"another")["Content-MD5"]), (400, "BadDigest"), (500, "InternalError"), empty
    ),
    "bad-signature-says-access-denied": Probe(
        lambda lab, b: [
            (reply.status, reply.code)
            for reply in (
                lab.running.raw(("OWNERKEY", "wrong"))("GET", f"/{b}/key"),
                lab.running.raw(("NOBODY", "nothing"))("GET", f"/{b}/key"),
            )
        ],
        [(403, "SignatureDoesNotMatch"), (403, "InvalidAccessKeyId")],
        [(403, "AccessDenied"), (403, "AccessDenied")],
    ),
    "empty-errors": Probe(
        lambda lab, b: (missing(lab, b).status, missing(lab, b).code, missing(lab, b).headers.get("content-type")),
        (404, "NoSuchKey", XML),
        (404, "", None),
    ),
    "error-details-missing": Probe(
        lambda lab, b: (missing(lab, b).code, missing(lab, b).element("Key")),
        ("NoSuchKey", "missing"),
        ("NoSuchKey", ""),
    ),
    "error-request-id-constant": Probe(
        lambda lab, b: len({missing(lab, b).element("RequestId") for _ in range(3)}), 3, 1
    ),
    "error-type-binary": Probe(lambda lab, b: missing(lab, b).headers["content-type"], XML, "application/octet-stream"),
    "head-403-for-missing": Probe(
        lambda lab, b: [lab.raw(method, f"/{b}/missing").status for method in ("HEAD", "GET")], [404, 404], [403, 404]
    ),
    "html-errors": Probe(
        lambda lab, b: (missing(lab, b).headers["content-type"], missing(lab, b).body[:6]),
        (XML, b"<?xml "),
        ("text/html;charset=utf-8", b"<html>"),
    ),
    "invalid-digest-says-bad-digest": Probe(bad_md5("none"), (400, "InvalidDigest"), (400, "BadDigest"), empty),
    "invalid-part-500": Probe(complete_wrongly, (400, "InvalidPart"), (500, "InternalError"), empty),
    "json-errors": Probe(
        lambda lab, b: as_json(missing(lab, b)),
        (XML, "no JSON"),
        ("application/json", {"error": "The specified key does not exist."}),
    ),
    "list-uploads-of-missing-bucket-503": Probe(
        error("GET", "-missing?uploads"), NO_BUCKET, (503, "ServiceUnavailable"), empty
    ),
    "missing-bucket-says-no-such-key": Probe(error("GET", "-missing?list-type=2"), NO_BUCKET, NO_KEY, empty),
    "no-such-upload-503": Probe(
        error("GET", "/key?uploadId=none"), (404, "NoSuchUpload"), (503, "ServiceUnavailable"), empty
    ),
}
PROBES = ANSWERS | RESULTS | ERRORS


@pytest.mark.parametrize("name", PROBES)
def test_it_shows_with_the_defect_and_not_without(lab: Lab, name: str) -> None:
    assert PROBES[name].observe(lab) == PROBES[name].honest
    assert PROBES[name].observe(lab, name) == PROBES[name].wrong


def test_every_defect_here_is_shown() -> None:
    assert names_in("serialise") == ANSWERS.keys()
    assert names_in("serialise_results") == RESULTS.keys()
    assert names_in("serialise_errors") == ERRORS.keys()


@pytest.mark.parametrize("name", PROBES)
def test_object_data_comes_whole(lab: Lab, name: str) -> None:
    """Also data that looks like a document of the server."""
    data = b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">&amp;'

    def ask(lab: Lab, bucket: str) -> bytes:
        assert lab.raw("PUT", f"/{bucket}/document", data).status == 200
        return lab.raw("GET", f"/{bucket}/document").body

    assert Probe(ask, None, None, one).observe(lab, name) == data
