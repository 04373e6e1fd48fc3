"""Plain HTTP as it reaches a gateway in the wild: through proxies, from old clients, with clocks that differ."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from harness.clients.base import Observed
from harness.clients.raw import Signing
from harness.expect import Matcher, body, header, keys, metadata, no_body, no_header, ok, one_of, output, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from scenarios._checksums import place

CONTENT = b"a body: \x00\xff\r\n0\r\n\r\n and what looks like the end of a chunked one"
CONTINUE = ("Expect", "100-continue")
PATIENCE = 5.0
"""Seconds in which 100 Continue has to come. curl, Go and Python wait for one second and then send all the same."""
MINUTE = 60.0


def _is(s3: Scene, key: str, content: bytes) -> Observed:
    return s3.expect(s3.look("GetObject", Key=key), ok(), body(content))


def _is_missing(s3: Scene, key: str) -> None:
    s3.expect(s3.look("GetObject", Key=key), refused(404, "NoSuchKey"))


@scenario(
    "RAW-001",
    SHOULD,
    "PutObject",
    source="RFC 9110 §10.1.1; AWS documentation, PutObject, 100-continue; boto/boto3#743, curtis0x/fake-s3#92",
    clients=("raw",),
)
def body_after_continue(s3: Scene) -> None:
    """A PUT with Expect: 100-continue that keeps its body back is told to go on, or answered, within 5 seconds.

    S3 promises: 100 Continue as soon as the headers are fine; the body follows, and is stored whole.

    Breaks: every upload by boto3 and the AWS CLI, and large parts by rclone and JavaScript: without the answer each
    is a second late, and clients without a timer of their own hang.

    Fix: answer 100 Continue once signature and headers are checked; see that no proxy in front drops it.
    """
    key = s3.key()
    where = place(s3, key)
    s3.expect(s3.send("PutObject", "PUT", where, CONTINUE, body=CONTENT, bucket=s3.bucket, patience=PATIENCE), ok())
    _is(s3, key, CONTENT)


@scenario(
    "RAW-002",
    MUST,
    "PutObject",
    source="RFC 9110 §10.1.1; botocore, awsrequest.AWSConnection; aws/aws-cli#1116",
    clients=("raw",),
)
def body_without_waiting(s3: Scene) -> None:
    """A PUT with Expect: 100-continue that sends its body at once is stored whole, and so is the next.

    S3 promises: a client need not wait for 100 Continue; the server may leave it out once the body has begun.

    Breaks: clients that give up waiting, or sit behind a proxy that swallowed the interim answer. A gateway that
    reads the body as the next request answers with 400, or with somebody else's answer.

    Fix: read the body where it begins, whether 100 Continue was sent or not.
    """
    first, second = s3.key("first"), s3.key("second")
    for key, content in ((first, CONTENT), (second, CONTENT[::-1])):
        s3.expect(s3.send("PutObject", "PUT", place(s3, key), CONTINUE, body=content, bucket=s3.bucket), ok())
    _is(s3, first, CONTENT)
    _is(s3, second, CONTENT[::-1])


@scenario(
    "RAW-003",
    SHOULD,
    "PutObject",
    source="RFC 9110 §10.1.1; AWS documentation, PutObject, 100-continue; versitygw REST expect continue",
    clients=("raw",),
)
def refusal_before_the_body(s3: Scene) -> None:
    """A PUT with Expect: 100-continue into a missing bucket is 404 NoSuchBucket, whether its body comes or not.

    S3 promises: the refusal comes in place of 100 Continue, or after the body; it comes, and says why.

    Breaks: clients with gigabytes to send. Where a gateway waits for a body that the client keeps back, both wait
    until one of them gives up, and the user sees a timeout for a misspelt bucket.

    Fix: decide from the headers what can be decided, answer, and close the connection unless the body is read.
    """
    bucket = s3.bucket_name()
    where = f"/{bucket}/{s3.key()}"
    refusal = refused(404, "NoSuchBucket")
    s3.expect(s3.send("PutObject", "PUT", where, CONTINUE, body=CONTENT, bucket=bucket, patience=PATIENCE), refusal)
    s3.expect(s3.send("PutObject", "PUT", where, CONTINUE, body=CONTENT, bucket=bucket), refusal)
    s3.expect(s3.look("HeadBucket", Bucket=bucket), refused(404))


@scenario(
    "RAW-004",
    SHOULD,
    "PutObject",
    "GetObject",
    source="RFC 9112 §6.1 and appendix C.2.2; nginx documentation, proxy_http_version (1.0 by default)",
    clients=("raw",),
)
def http_1_0(s3: Scene) -> None:
    """HTTP/1.0 with Connection: keep-alive: an upload and two downloads, whole and with their length, not in chunks.

    S3 promises: the older version is served too. It has no chunked coding, so an answer has a length, or ends with
    the connection.

    Breaks: gateways behind nginx, which speaks HTTP/1.0 to them unless told otherwise, and health checks of load
    balancers; chunks sent to such a client become part of the file.

    Fix: send Content-Length, and Connection: keep-alive only where the connection stays open.
    """
    key, alive = s3.key(), ("Connection", "keep-alive")
    old = {"version": "HTTP/1.0", "bucket": s3.bucket}
    s3.expect(s3.send("PutObject", "PUT", place(s3, key), alive, body=CONTENT, **old), ok())
    _is(s3, key, CONTENT)
    whole = (ok(), body(CONTENT), header("Content-Length", str(len(CONTENT))), no_header("Transfer-Encoding"))
    for _ in range(2):
        s3.expect(s3.send("GetObject", "GET", place(s3, key), alive, **old), *whole)


def _begins_with_markup() -> Matcher:
    """The first byte of the answer is that of an XML declaration or element."""
    return Matcher(
        "a body whose first byte is <",
        lambda seen: "" if (seen.body or b"").startswith(b"<") else f"it begins {(seen.body or b'')[:20]!r}",
    )


@scenario(
    "RAW-005",
    SHOULD,
    "ListBuckets",
    "ListObjectsV2",
    "GetObject",
    source="XML 1.0 §2.8; AWS documentation, CompleteMultipartUpload (the one that may send white space first)",
    clients=("raw",),
)
def nothing_before_xml(s3: Scene) -> None:
    """Listings and errors begin with their XML, with no white space or byte order mark before it.

    S3 promises: white space before the document only where it keeps a long CompleteMultipartUpload alive.

    Breaks: XML parsers refuse a declaration that is not at the very beginning: SDKs for Go, Java and JavaScript
    report a malformed answer, and retry what has succeeded.

    Fix: write the document in one piece; keep the trick with white space for the answer that needs it.
    """
    key, b = s3.key(), s3.bucket
    s3.put(key)
    listing = s3.send("ListObjectsV2", "GET", f"/{b}?list-type=2&prefix={s3.prefix}", bucket=b)
    s3.expect(listing, ok(), _begins_with_markup(), keys([key]))
    s3.expect(s3.send("ListBuckets", "GET", "/"), ok(), _begins_with_markup())
    missing = s3.send("GetObject", "GET", place(s3, s3.key("missing")), bucket=b)
    s3.expect(missing, refused(404, "NoSuchKey"), _begins_with_markup())


def _chunked(content: bytes) -> bytes:
    """A body in the chunked transfer coding (RFC 9112 §7.1): three chunks, one of them of a single byte."""
    pieces = (content[:20], content[20:21], content[21:])
    return b"".join(b"%X\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@scenario(
    "RAW-006",
    SHOULD,
    "PutObject",
    source="RFC 9112 §7.1; ceph/s3-tests#501, apache/ozone#10196, JuliaWeb/HTTP.jl#98 (501 from Amazon S3)",
    clients=("raw",),
)
def chunked_without_length(s3: Scene) -> None:
    """A PUT in chunks without Content-Length is stored whole and without its framing, or refused with 411 or 501.

    S3 promises: it demands a length: 411 MissingContentLength, or 501 NotImplemented for the coding. Gateways that
    accept such a body must decode it.

    Breaks: uploads from pipes and proxies that re-frame what they pass on. A gateway that stores the chunk sizes with
    the data, or nothing at all, and answers 200 destroys the file.

    Fix: decode the transfer coding before anything is hashed or stored, or refuse it before the body.
    """
    digests = {"signed": hashlib.sha256(CONTENT).hexdigest(), "unsigned": "UNSIGNED-PAYLOAD"}
    for name, digest in digests.items():
        key = s3.key(name)
        lines = (("Transfer-Encoding", "chunked"), ("x-amz-content-sha256", digest))
        framed = {"body": _chunked(CONTENT), "content_length": False, "bucket": s3.bucket}
        answer = s3.send("PutObject", "PUT", place(s3, key), *lines, **framed)
        if answer.ok:
            _is(s3, key, CONTENT)
        else:
            s3.expect(answer, one_of(refused(411, "MissingContentLength"), refused(501, "NotImplemented")))
            _is_missing(s3, key)


@scenario(
    "RAW-007",
    SHOULD,
    "PutObject",
    source="RFC 9110 §5.1; gaul/s3proxy#665",
    clients=("raw",),
)
def header_names_in_any_case(s3: Scene) -> None:
    """Requests with all header names in capital or all in small letters, Host and Authorization too, are understood.

    S3 promises: header names are compared without regard to case, for the signature and everywhere else.

    Breaks: whatever comes through HTTP/2 or a proxy, which write small letters: refused signatures, lost metadata
    and types. User metadata is shown in small letters by all clients.

    Fix: look headers up by their lower-case names, and store the names of user metadata in lower case.
    """
    for name, spelled in (("capital", str.upper), ("small", str.lower)):
        key = s3.key(name)
        lines = (("Content-Type", "text/x-case"), ("x-amz-meta-Color", "Dark Red"))
        options = {"body": CONTENT, "bucket": s3.bucket, "spelled": spelled}
        s3.expect(s3.send("PutObject", "PUT", place(s3, key), *lines, **options), ok())
        found = s3.expect(s3.look("GetObject", Key=key), ok(), body(CONTENT), output("ContentType", "text/x-case"))
        s3.expect(found, metadata({"color": "Dark Red"}))


def _behind(answer: Observed) -> float:
    """Seconds by which this machine's clock is behind the endpoint's, by the Date of an answer; 0 without one."""
    date = (answer.headers or {}).get("date", "")
    try:
        return (parsedate_to_datetime(date) - dt.datetime.now(dt.UTC)).total_seconds()
    except (TypeError, ValueError):
        return 0.0


@scenario(
    "RAW-008",
    MUST,
    "PutObject",
    source="AWS documentation, Error responses, RequestTimeTooSkewed (15 minutes); chimera-nas/chimera#492",
    clients=("raw",),
)
def clock_too_far_off(s3: Scene) -> None:
    """A request signed 20 minutes before or after the endpoint's time is refused with 403 RequestTimeTooSkewed.

    S3 promises: a signature is good for 15 minutes on either side of its time; after that it proves nothing.

    Breaks: nothing at once. But a recorded request can be repeated for ever, and SDKs that correct their clock wait
    for this code: with another one they cannot tell a wrong clock from a wrong key.

    Fix: compare X-Amz-Date with the time of arrival, after the signature was verified.
    """
    behind = _behind(s3.put(s3.key("now")))
    for name, minutes in (("early", -20), ("late", 20)):
        key, skew = s3.key(name), behind + minutes * MINUTE
        answer = s3.send("PutObject", "PUT", place(s3, key), body=CONTENT, bucket=s3.bucket, signing=Signing(skew=skew))
        s3.expect(answer, refused(403, "RequestTimeTooSkewed"))
        _is_missing(s3, key)


@scenario(
    "RAW-009",
    MUST,
    "PutObject",
    source="AWS documentation, Error responses, RequestTimeTooSkewed (15 minutes)",
    clients=("raw",),
)
def clock_a_little_off(s3: Scene) -> None:
    """A request signed 10 minutes before or after the endpoint's time is carried out.

    S3 promises: clocks may differ by up to 15 minutes.

    Breaks: laptops, phones and virtual machines that woke up; large uploads, which are signed when they begin; and
    every client where the endpoint's own clock is what is wrong.

    Fix: allow 15 minutes on both sides, and keep the gateway's clock right.
    """
    behind = _behind(s3.put(s3.key("now")))
    for name, minutes in (("early", -10), ("late", 10)):
        key, skew = s3.key(name), behind + minutes * MINUTE
        s3.expect(
            s3.send("PutObject", "PUT", place(s3, key), body=CONTENT, bucket=s3.bucket, signing=Signing(skew=skew)),
            ok(),
        )
        _is(s3, key, CONTENT)


@scenario(
    "RAW-010",
    MUST,
    "HeadObject",
    "GetObject",
    source="RFC 9110 §9.3.2; AWS documentation, HeadObject; fujita/swift3#74",
    clients=("raw",),
)
def head_without_body(s3: Scene) -> None:
    """HEAD has no body, be it 200, 304, 403, 404 or 416, and the next answer on the connection is right.

    S3 promises: the headers that GET would have, and not one byte after them.

    Breaks: every client that keeps connections: the error document that follows a HEAD is read as the beginning of
    the next answer, which then is garbage.

    Fix: let the framework drop the body of every answer to HEAD, errors of middleware and proxies included.
    """
    key = s3.key()
    tag = s3.put(key, CONTENT).etag or ""
    missing = s3.key("missing")
    asked: list[tuple[Matcher, str, tuple[tuple[str, str], ...], float]] = [
        (ok(), key, (), 0.0),
        (refused(404), missing, (), 0.0),
        (no_body(), key, (("If-None-Match", tag),), 0.0),  # 304
        (no_body(), key, (("Range", "bytes=1000-"),), 0.0),  # 416
        (no_body(), key, (), 24 * 60 * MINUTE),  # 403
    ]
    for wanted, name, lines, skew in asked:
        answer = s3.send("HeadObject", "HEAD", place(s3, name), *lines, bucket=s3.bucket, signing=Signing(skew=skew))
        s3.expect(answer, wanted, no_body())
        following = s3.send("GetObject", "GET", place(s3, key), bucket=s3.bucket)
        s3.expect(following, ok(), body(CONTENT))


@scenario(
    "RAW-011",
    EXTENDED,
    "ListObjectsV2",
    source="AWS documentation, Create a signed request; aws/aws-sdk-go#1495 (Amazon S3 refuses the signature)",
    confidence="partly unverified",
    clients=("raw",),
)
def the_same_key_twice(s3: Scene) -> None:
    """A listing with two values of prefix shows the keys of one of them, or is 400 or SignatureDoesNotMatch.

    S3 promises: nothing for such a query; Amazon's own documents and service differ on how it is signed. But an
    answer is one to what was asked, and a query that is not understood is refused.

    Breaks: whatever trusts a proxy that checks one of the two values while the gateway uses the other; a gateway
    that drops both lists the whole bucket, and one that fails with 500 is asked again and again.

    Fix: refuse repeated keys with 400 InvalidArgument, or use the same value for checks and for the listing.
    """
    one, two = s3.key("one/a"), s3.key("two/b")
    s3.put(one)
    s3.put(two)
    listing = f"/{s3.bucket}?list-type=2&prefix="
    both = f"{listing}{s3.key('two/')}&prefix={s3.key('one/')}"
    answer = s3.send("ListObjectsV2", "GET", both, bucket=s3.bucket)
    s3.expect(answer, one_of(keys([one]), keys([two]), refused(400), refused(403, "SignatureDoesNotMatch")))
    for prefix, key in ((s3.key("one/"), one), (s3.key("two/"), two)):
        alone = s3.send("ListObjectsV2", "GET", listing + prefix, bucket=s3.bucket)
        s3.expect(alone, ok(), keys([key]))


@scenario(
    "RAW-012",
    SHOULD,
    "PutObject",
    "ListObjectsV2",
    "DeleteObject",
    source="AWS documentation, Virtual hosting of general purpose buckets; LocalStack test_url_encoded_key",
    clients=("raw",),
)
def bucket_in_the_host(s3: Scene) -> None:
    """With `Host: bucket.endpoint` an upload, a listing and a delete reach the bucket, as they do by its path.

    S3 promises: the bucket is the first label of the host name, and the whole path is the key.

    Breaks: rclone with its AWS provider, boto3, the AWS CLI and the SDKs for Go, Java and JavaScript, which address
    buckets so by default; where it does not work, the first segment of the key is taken for a bucket.

    Fix: configure the gateway's own domain, take what stands before it in Host for the bucket, and sign the path as
    it came.
    """
    key, content = s3.key("a b/c+d"), b"through the host name"
    _has_a_name(s3.put(key, CONTENT))
    hosted = {"bucket": s3.bucket, "addressing": "virtual"}
    s3.expect(s3.send("PutObject", "PUT", place(s3, key), body=content, **hosted), ok())
    _is(s3, key, content)
    listing = f"/{s3.bucket}?list-type=2&prefix={s3.prefix}"
    s3.expect(s3.send("ListObjectsV2", "GET", listing, **hosted), ok(), keys([key]))
    s3.expect(s3.send("DeleteObject", "DELETE", place(s3, key), **hosted), ok(204))
    _is_missing(s3, key)


def _has_a_name(answer: Observed) -> None:
    """Nothing can stand before an IP address.

    Raises:
        Inexpressible: the endpoint is one.
    """
    host = urlsplit(answer.exchanges[0].url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    raise Inexpressible(f"the endpoint is the IP address {host}: a bucket in the host name needs a host name")
