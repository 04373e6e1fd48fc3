"""What SDKs hide of answers: namespaces, declarations, codings, and what proxies do to headers."""

from __future__ import annotations

from harness.clients.base import Observed
from harness.expect import Matcher, body, metadata, no_header, ok
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._checksums import place

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_DECLARED = b'<?xml version="1.0" encoding="UTF-8"?>'
CONTENT = b"plain text that compresses well, " * 40


def _documents(s3: Scene) -> list[Observed]:
    """A list of buckets and one of keys, and, where they are offered, a list of versions and a begun upload."""
    s3.put(s3.key("a"))
    where, below = f"/{s3.bucket}", f"prefix={s3.prefix}"
    always = [
        s3.send("ListBuckets", "GET", "/?prefix=s3conform"),
        s3.send("ListObjectsV2", "GET", f"{where}?list-type=2&{below}", bucket=s3.bucket),
    ]
    offered = [
        s3.send("ListObjectVersions", "GET", f"{where}?versions&{below}", bucket=s3.bucket),
        s3.send("CreateMultipartUpload", "POST", place(s3, s3.key("b")) + "?uploads", bucket=s3.bucket),
    ]
    return [*always, *(answer for answer in offered if answer.ok)]


def _in_namespace() -> Matcher:
    def test(seen: Observed) -> str:
        if seen.document is None:
            return "there is no document"
        found = {node.namespace for node in (seen.document, *seen.document)}
        return "" if found == {NAMESPACE} else f"its elements are in {sorted(found)}"

    return Matcher(f"a document whose elements are in {NAMESPACE}", test)


@scenario(
    "RAW-013",
    MUST,
    "ListBuckets",
    "ListObjectsV2",
    "ListObjectVersions",
    "CreateMultipartUpload",
    source="LocalStack test_response_structure (recorded on AWS); localstack/localstack#9983, seaweedfs/seaweedfs#6676",
    clients=("raw",),
)
def documents_have_a_namespace(s3: Scene) -> None:
    """Documents are in the namespace http://s3.amazonaws.com/doc/2006-03-01/, to the last slash.

    S3 promises: the root element of a successful answer declares this namespace, and all elements are in it.

    Breaks: parsers that ask for elements by namespace, as those of the SDKs for Java and .NET, s3fs and many small
    libraries, find no element and report an empty bucket. boto3 ignores namespaces and hides it.

    Fix: write xmlns with this very text on the root element; error documents have none.
    """
    for answer in _documents(s3):
        s3.expect(answer, ok(), _in_namespace())


@scenario(
    "RAW-014",
    SHOULD,
    "ListBuckets",
    "ListObjectsV2",
    "ListObjectVersions",
    "CreateMultipartUpload",
    source="LocalStack test_response_structure (recorded on AWS); adobe/S3Mock#1754",
    clients=("raw",),
)
def documents_have_a_declaration(s3: Scene) -> None:
    """Documents begin with an XML declaration that says version 1.0 and UTF-8.

    S3 promises: the declaration comes first in every document; its quotes may be of either kind.

    Breaks: programs that tell a document from object data, or from an HTML page of a proxy, by its first bytes.

    Fix: let the XML writer print the declaration, and say UTF-8 since that is what keys are in.
    """
    declared = Matcher(
        f"a body that begins {_DECLARED.decode()}",
        lambda seen: (
            ""
            if (seen.body or b"").replace(b"'", b'"').lower().startswith(_DECLARED.lower())
            else f"it begins {(seen.body or b'')[:60]!r}"
        ),
    )
    for answer in _documents(s3):
        s3.expect(answer, ok(), declared)


@scenario(
    "RAW-015",
    SHOULD,
    "PutObject",
    "GetObject",
    source="RFC 9110 §12.5.3; rclone/rclone#6670 (Google Cloud Storage rewrites it), supabase/storage#729",
    clients=("raw",),
)
def signed_accept_encoding(s3: Scene) -> None:
    """A request whose signature covers Accept-Encoding is accepted.

    S3 promises: any header may be signed, and is verified as it was sent.

    Breaks: SDKs for Go and rclone sign Accept-Encoding: identity. Where a proxy rewrites the header on its way
    every one of their requests is refused with SignatureDoesNotMatch.

    Fix: verify against the header that the client sent: keep proxies from changing it, or hand its value on.
    """
    key = s3.key()
    for value in ("identity", "gzip", "gzip, deflate, br"):
        line = ("Accept-Encoding", value)
        s3.expect(s3.send("PutObject", "PUT", place(s3, key), line, body=CONTENT, bucket=s3.bucket), ok())
        s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT))


@scenario(
    "RAW-016",
    MUST,
    "GetObject",
    source="AWS documentation, GetObject (the object is returned as it was stored); rclone/rclone#8137",
    clients=("raw",),
)
def never_compressed_on_the_way(s3: Scene) -> None:
    """A client that accepts gzip gets the stored bytes, uncompressed, with their own length.

    S3 promises: S3 never compresses; Content-Encoding is what was stored with the object, and nothing else.

    Breaks: rclone and sync tools compare lengths and digests of what they received, and take the object for damaged;
    ranges of a compressed stream mean nothing.

    Fix: switch compression off in every proxy in front of the gateway, whatever Content-Type objects have.
    """
    key = s3.key("text.txt")
    s3.put(key, CONTENT, ContentType="text/plain")
    for value in ("gzip", "gzip, deflate, br, zstd"):
        found = s3.send("GetObject", "GET", place(s3, key), ("Accept-Encoding", value), bucket=s3.bucket)
        s3.expect(found, ok(), body(CONTENT), no_header("Content-Encoding"))


@scenario(
    "RAW-017",
    SHOULD,
    "GetObject",
    source="RFC 9110 §8.6, §15.4.5; aws/aws-sdk-js-v3#6835 and supabase/storage#1419 (clients that met it)",
    clients=("raw",),
    confidence="partly unverified",
)
def not_modified_says_nothing_of_a_body(s3: Scene) -> None:
    """304 Not Modified has no Content-Length of another object, and no checksum of a body that it lacks.

    S3 promises: an answer without a body says nothing about one: a length, where there is one, is the object's.

    Breaks: caches that believe the length keep an empty object; SDKs that find a checksum compute it over nothing and
    report a damaged download.

    Fix: write 304 with the ETag and Last-Modified alone.
    """
    key = s3.key()
    etag = s3.put(key, CONTENT).etag or ""
    enabled = ("x-amz-checksum-mode", "ENABLED")
    again = s3.send("GetObject", "GET", place(s3, key), enabled, ("If-None-Match", etag), bucket=s3.bucket)
    s3.expect(again, Matcher("status 304", lambda seen: "" if seen.status == 304 else f"got {seen.summary()}"))
    lengths = (None, str(len(CONTENT)))
    found = (again.headers or {}).get("content-length")
    s3.check(found in lengths, f"no Content-Length, or {lengths[1]}", f"Content-Length was {found!r}", again)
    for name in again.headers or {}:
        wrong = name.startswith("x-amz-checksum-")
        s3.check(not wrong, "no checksum of a body that is not there", f"there is {name}", again)
    s3.expect(s3.send("GetObject", "GET", place(s3, key), enabled, bucket=s3.bucket), ok(), body(CONTENT))


@scenario(
    "RAW-018",
    SHOULD,
    "PutObject",
    "HeadObject",
    source="AWS documentation, Working with object metadata; RFC 9110 §5.1 (an underscore is a letter of names)",
    clients=("raw",),
)
def underscores_in_metadata_names(s3: Scene) -> None:
    """A metadata name with an underscore is stored and comes back.

    S3 promises: what follows x-amz-meta- may be any header name, underscores included.

    Breaks: programs that keep names such as "uploaded_by": behind nginx, which drops such headers unless told
    otherwise, the signature does not match any more, or the value is gone without a word.

    Fix: `underscores_in_headers on` in nginx, and the like in other proxies.
    """
    key = s3.key()
    line = ("x-amz-meta-uploaded_by", "somebody")
    s3.expect(s3.send("PutObject", "PUT", place(s3, key), line, body=CONTENT, bucket=s3.bucket), ok())
    s3.expect(s3.look("HeadObject", Key=key), ok(), metadata({"uploaded_by": "somebody"}))
