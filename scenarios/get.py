"""GET: GetObject and HeadObject, headers and addressing; byte ranges are in `get_range`."""

from __future__ import annotations

import gzip
import ipaddress
import re
from urllib.parse import urlsplit

from harness.clients import CALLERS
from harness.clients.base import Observed
from harness.expect import Matcher, body, etag, header, header_where, if_shown, no_body, no_header, ok, output, refused
from harness.scenario import MUST, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from harness.wire import model
from scenarios.etag import md5_etag

_HTTP_DATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d:\d\d GMT"
)

STORED = {
    "ContentType": "text/x-stored",
    "ContentLanguage": "de-CH",
    "CacheControl": "max-age=60, No-Transform",
    "ContentDisposition": 'attachment; filename="Stored name; v1.txt"',
    "ContentEncoding": "x-stored",
}
"""Members of the stored object that have an override. The sixth, Expires, is only overridden, as header text."""

OVERRIDES = {
    "ContentType": "application/x-override",
    "ContentLanguage": "fr-FR",
    "CacheControl": "no-store",
    "ContentDisposition": 'inline; filename="override.txt"',
    "ContentEncoding": "x-override",
}

OVERRIDE_EXPIRES = "Fri, 02 Jan 2032 11:00:00 GMT"

NAMES = {
    "ContentType": "Content-Type",
    "ContentLanguage": "Content-Language",
    "CacheControl": "Cache-Control",
    "ContentDisposition": "Content-Disposition",
    "ContentEncoding": "Content-Encoding",
    "ContentLength": "Content-Length",
    "AcceptRanges": "Accept-Ranges",
}
"""Headers that clients show as members of the answer."""


def said(member: str, value: str | int) -> Matcher:
    """A header with this value; the member that stands for it where the client shows no headers."""
    shown, by_member = header(NAMES[member], str(value)), output(member, value)

    def test(seen: Observed) -> str:
        return (by_member if seen.headers is None else shown).test(seen)

    return Matcher(shown.expected, test)


def http_date(name: str) -> Matcher:
    """A header with a date as HTTP writes it today, in GMT (RFC 9110, section 5.6.7)."""
    return header_where(name, "a date like Sun, 06 Nov 1994 08:49:37 GMT", lambda v: bool(_HTTP_DATE.fullmatch(v)))


def expires(value: str) -> Matcher:
    """The Expires header as text, which SDKs show as ExpiresString."""

    def test(seen: Observed) -> str:
        found = seen.output.get("ExpiresString") if seen.headers is None else seen.headers.get("expires")
        return "" if found == value else f"Expires was {found!r}"

    return Matcher(f"Expires {value!r}", test)


@scenario(
    "GET-001",
    MUST,
    "GetObject",
    "HeadObject",
    source="LocalStack test_s3_get_object_headers, test_head_object_fields and "
    "test_head_has_correct_content_length_header (recorded on AWS)",
)
def headers_of_a_hit(s3: Scene) -> None:
    """GET and HEAD of an object carry the same length, ETag, type, Last-Modified and Accept-Ranges; HEAD no body.

    S3 promises: both answers have Content-Length of the whole object, the quoted ETag, Last-Modified as an HTTP date
    in GMT, Accept-Ranges: bytes and Content-Type. HEAD is GET without the bytes.

    Breaks: the AWS CLI and boto3 plan a download from the length that HEAD shows; rclone compares length,
    Last-Modified and ETag; a missing Accept-Ranges keeps browsers and players from seeking.

    Fix: build both answers in one place from the stored attributes, and for HEAD leave out only the bytes. Make
    sure the web framework does not replace Content-Length with 0.
    """
    content = b"some content"
    key = s3.key()
    s3.put(key, content, ContentType="text/x-hit")
    shown = [
        ok(),
        said("ContentLength", len(content)),
        etag(md5_etag(content)),
        said("ContentType", "text/x-hit"),
        said("AcceptRanges", "bytes"),
        if_shown(http_date("Last-Modified")),
    ]
    got = s3.expect(s3.call("GetObject", Key=key), *shown, body(content))
    head = s3.expect(s3.call("HeadObject", Key=key), *shown, if_shown(no_body()))
    times = [seen.headers.get("last-modified") for seen in (got, head) if seen.headers is not None]
    s3.check(len(set(times)) <= 1, "the same Last-Modified in GET and HEAD", f"they were {times}", head)


@scenario(
    "GET-002",
    MUST,
    "GetObject",
    "HeadObject",
    source="LocalStack test_s3_get_response_default_content_type (recorded on AWS); "
    "versitygw REST test HeadObject - default Content-Type is binary/octet-stream",
)
def default_content_type(s3: Scene) -> None:
    """An object stored without Content-Type is served as binary/octet-stream.

    S3 promises: the type of an object is what its writer said; where the writer said nothing, it is
    binary/octet-stream. It is not guessed from the key or the bytes.

    Breaks: clients that copy objects between stores compare types; a guessed text/html lets a browser run what
    was uploaded as data, and a charset that was added changes how text is read.

    Fix: store binary/octet-stream when the header is missing, and switch off sniffing in the HTTP library.
    """
    key = s3.key("page.html")
    s3.put(key, b"<html>looks like a page</html>")
    for operation in ("HeadObject", "GetObject"):
        s3.expect(s3.call(operation, Key=key), ok(), said("ContentType", "binary/octet-stream"))


@scenario(
    "GET-003",
    MUST,
    "GetObject",
    source="LocalStack test_range_key_not_exists (recorded on AWS)",
    clients=CALLERS,
)
def missing_key(s3: Scene) -> None:
    """GET of a key that does not exist answers 404 NoSuchKey, with the key in the error document.

    S3 promises: 404 with an error document whose Code is NoSuchKey and whose Key element is the key asked for.

    Breaks: SDKs turn the code into an exception of its own (NoSuchKey in boto3), on which locks, caches and
    Terraform's first run rely. Another code, or a 404 without a document, becomes a general error and stops them.

    Fix: answer misses yourself, with the XML document, before a framework's own 404 page does.
    """
    key = s3.key("missing")
    s3.expect(s3.call("GetObject", Key=key), refused(404, "NoSuchKey", fields={"Key": key}))


@scenario(
    "GET-004",
    MUST,
    "GetObject",
    source="LocalStack test_get_object_no_such_bucket (recorded on AWS)",
    clients=CALLERS,
)
def missing_bucket(s3: Scene) -> None:
    """GET of an object in a bucket that does not exist answers 404 NoSuchBucket, with the bucket's name.

    S3 promises: the missing bucket is reported rather than the missing key: 404, Code NoSuchBucket, and the
    element BucketName.

    Breaks: Terraform and backup tools take NoSuchKey for an empty store to start afresh in, NoSuchBucket for an
    error or a bucket to create; confuse the two, and a misspelt bucket looks like lost data.

    Fix: look up the bucket first, and give this error its own code and element.
    """
    bucket = s3.bucket_name()
    answer = s3.call("GetObject", Bucket=bucket, Key="object")
    s3.expect(answer, refused(404, "NoSuchBucket", fields={"BucketName": bucket}))


@scenario(
    "GET-005",
    MUST,
    "HeadObject",
    source="LocalStack test_head_object_fields (recorded on AWS)",
)
def head_of_nothing(s3: Scene) -> None:
    """HEAD of a missing key, or in a missing bucket, answers 404 without a body.

    S3 promises: HEAD answers have no body, errors too; the status 404 alone tells that there is nothing.

    Breaks: rclone and the AWS CLI ask by HEAD whether a file exists before they write or read it; 403, 400 or 500
    here stops them. Bytes of an error document are read as the start of the next answer on the connection.

    Fix: use the same lookup as for GET, and send status and headers only.
    """
    s3.expect(s3.call("HeadObject", Key=s3.key("missing")), refused(404), if_shown(no_body()))
    answer = s3.call("HeadObject", Bucket=s3.bucket_name(), Key="object")
    s3.expect(answer, refused(404), if_shown(no_body()))


@scenario(
    "GET-024",
    MUST,
    "GetObject",
    source="LocalStack test_s3_get_object_header_overrides (recorded on AWS); "
    "versitygw REST test GetObject - response-cache-control",
)
def response_overrides(s3: Scene) -> None:
    """The six response-* parameters of a signed GET replace headers of that answer and leave the object as it is.

    S3 promises: response-content-type, -content-language, -expires, -cache-control, -content-disposition and
    -content-encoding each set the header of that name in this one answer. Headers not named, and the stored
    object, keep their values.

    Breaks: download links: web applications presign a GET with response-content-disposition so that the browser
    saves the file under its proper name and type.

    Fix: apply the parameters to the answer only, after authentication, and send their decoded text verbatim.
    """
    key = s3.key()
    s3.put(key, b"plain", **STORED)
    asked = {f"Response{name}": value for name, value in OVERRIDES.items()} | {"ResponseExpires": OVERRIDE_EXPIRES}
    answer = s3.call("GetObject", Key=key, **asked)
    replaced = [said(name, value) for name, value in OVERRIDES.items()]
    s3.expect(answer, ok(), body(b"plain"), *replaced, expires(OVERRIDE_EXPIRES))
    one = STORED | {"CacheControl": "no-cache"}
    answer = s3.call("GetObject", Key=key, ResponseCacheControl="no-cache")
    s3.expect(answer, ok(), *[said(name, value) for name, value in one.items()])
    kept = [said(name, value) for name, value in STORED.items()]
    s3.expect(s3.look("HeadObject", Key=key), ok(), *kept, no_header("Expires"))


@scenario(
    "GET-029",
    MUST,
    "GetObject",
    source="LocalStack test_put_and_get_object_with_content_language_disposition and test_s3_upload_download_gzip "
    "(recorded on AWS)",
)
def stored_headers_come_back(s3: Scene) -> None:
    """Stored Content-Encoding, -Disposition, -Language and Cache-Control come back verbatim; gzip is not decoded.

    S3 promises: these four headers are kept as text and repeated in every answer. They describe the bytes but do
    nothing to them: a body stored compressed is served compressed, byte for byte, with its length.

    Breaks: static sites and log archives with Content-Encoding: gzip. A gateway or proxy that unpacks the body
    changes length and digest: rclone and SDK downloads fail as corrupt (rclone/rclone#8137 tells of R2).

    Fix: store the four values as sent, and switch off compression and decompression for object bodies everywhere
    on the way.
    """
    content = gzip.compress(b"compressed by the client " * 40, mtime=0)
    stored = STORED | {"ContentEncoding": "gzip"}
    key = s3.key("text.gz")
    s3.put(key, content, **stored)
    kept = [said(name, value) for name, value in stored.items() if name != "ContentType"]
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content), header("Content-Length", str(len(content))))
    s3.expect(s3.call("GetObject", Key=key), ok(), body(content), *kept)


@scenario(
    "GET-035",
    MUST,
    "GetObject",
    source="LocalStack test_get_object_content_length_with_virtual_host and test_url_encoded_key (recorded on AWS)",
    clients=("raw",),
)
def both_addressing_styles(s3: Scene) -> None:
    """An object is the same whether its bucket is named in the path or in the host name.

    S3 promises: GET /bucket/key at the endpoint and GET /key at bucket.endpoint give the same bytes and headers.

    Breaks: SDKs and rclone's AWS provider put the bucket in the host name by default; without it users must find
    force_path_style (rclone), addressing_style=path (boto3, AWS CLI) or forcePathStyle (JavaScript).

    Fix: take the bucket from the Host header when it ends in one of the gateway's own domains, sign and route from
    the raw target, and publish a wildcard name (and certificate) for the domain.
    """
    content = b"the same in both styles"
    key = s3.key("a b+c é.txt")
    _named_host(s3.put(key, content, ContentType="text/x-style", Metadata={"color": "red"}))
    target = model.build("GetObject", {"Bucket": s3.bucket, "Key": key}).target
    modified = set()
    for style in ("path", "virtual"):
        answer = s3.send("GetObject", "GET", target, bucket=s3.bucket, addressing=style)
        s3.expect(answer, ok(), body(content), etag(md5_etag(content)), header("Content-Type", "text/x-style"))
        s3.expect(answer, header("Content-Length", str(len(content))), header("x-amz-meta-color", "red"))
        modified.add((answer.headers or {}).get("last-modified"))
    s3.check(len(modified) == 1, "the same Last-Modified in both styles", f"they were {modified}")


def _named_host(answer: Observed) -> None:
    """No bucket can stand before an IP address: there is no such name, and every client falls back to the path."""
    host = urlsplit(answer.exchanges[0].url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    raise Inexpressible(f"the endpoint is the IP address {host}: virtual-hosted style needs a host name")


@scenario(
    "GET-036",
    MUST,
    "GetObject",
    source="LocalStack test_response_structure (recorded on AWS); AWS documentation, Common response headers",
)
def request_id_and_date(s3: Scene) -> None:
    """Every answer to GetObject, success or error, has x-amz-request-id and Date.

    S3 promises: each answer carries the id under which the service logged the request, and the time at which it
    answered as an HTTP date.

    Breaks: SDKs put the id in exceptions and logs, and support starts from it. Those for JavaScript and Java correct
    a wrong local clock from Date; without it every signature of that machine is refused.

    Fix: make an id per request at the outermost layer, so that early refusals and framework errors have it too.
    """
    request_id = header_where("x-amz-request-id", "not empty", lambda value: bool(value.strip()))
    key = s3.key()
    s3.put(key, b"0123456789")
    s3.expect(s3.call("GetObject", Key=key), ok(), request_id, http_date("Date"))
    answer = s3.call("GetObject", Key=s3.key("missing"))
    s3.expect(answer, refused(404), request_id, http_date("Date"))
