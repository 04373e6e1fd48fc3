"""REDIR: gateways that answer for buckets, and send requests about objects on to the node that has the object."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from harness.clients.base import Observed
from harness.expect import body, etag, keys, ok, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.exchange import Exchange
from scenarios._features import AISTORE
from scenarios._signing import follow, link, path

_SOURCE = f"{AISTORE}, ais/prxs3.go, s3Redirect"
_CONTENT = b"kept by a node of its own, \x00\xff\r\n and sent there once more"


def sent_on(s3: Scene, observed: Observed) -> Exchange:
    """The first answer of a call: a redirect to another port, with a document that says the same.

    Raises:
        Mismatch: there was none, or it leads elsewhere than where the same request can be repeated.
    """
    wanted = f"{observed.operation}: 307 first"
    s3.check(bool(observed.exchanges), wanted, f"got {observed.summary()}", observed)
    first = observed.exchanges[0]
    s3.check(first.status == 307, wanted, f"it was {first.status or observed.summary()}", observed)
    headers = {name.lower(): value for name, value in first.response_headers}
    asked, given = urlsplit(first.url), urlsplit(headers.get("location", ""))
    where = f"Location was {given.geturl()[:200]!r} for {asked.geturl()[:200]!r}"
    s3.check(given.netloc not in ("", asked.netloc), "a Location at another address", where, observed)
    kept = set(parse_qsl(asked.query, True)) <= set(parse_qsl(given.query, True)) and given.path == asked.path
    s3.check(kept, "a Location with the path and the whole query of the request", where, observed)
    document = first.response_body.text
    said = first.method == "HEAD" or "<Code>TemporaryRedirect</Code>" in document
    s3.check(said, "an error document TemporaryRedirect", f"the body was {document[:200]!r}", observed)
    s3.check(len(observed.exchanges) == 2, "the same request answered there", "it was not followed", observed)
    return observed.exchanges[1]


def answered(s3: Scene, observed: Observed) -> None:
    """A call was answered where it was sent to."""
    statuses = [exchange.status for exchange in observed.exchanges]
    s3.check(len(statuses) == 1, f"{observed.operation}: one answer, no redirect", f"there were {statuses}", observed)


@scenario(
    "REDIR-001",
    MUST,
    "GetObject",
    "HeadObject",
    source=_SOURCE,
    clients=("raw",),
    feature="redirects",
)
def reads_are_sent_on(s3: Scene) -> None:
    """GetObject and HeadObject are answered 307 with a Location, where the same request gives the object's bytes.

    The gateway promises: the address of the node that has the object, for the request as it is: path and query, and a
    few parameters of the cluster's own. Requests about buckets are answered at once.

    Breaks: clients that do not follow redirects, or lose the query or the Range header on the way.

    Fix: repeat the path and the whole query in Location, and verify there what was signed for the first address.
    """
    key = s3.key()
    stored = s3.call("PutObject", Key=key, Body=_CONTENT)
    s3.expect(stored, ok())
    whole = s3.call("GetObject", Key=key)
    sent_on(s3, whole)
    s3.expect(whole, ok(), body(_CONTENT), etag(stored.etag or ""))
    part = s3.call("GetObject", Key=key, Range="bytes=3-9")
    sent_on(s3, part)
    s3.expect(part, ok(206), body(_CONTENT[3:10]))
    head = s3.call("HeadObject", Key=key)
    sent_on(s3, head)
    s3.expect(head, ok(), etag(stored.etag or ""))
    missing = s3.call("GetObject", Key=s3.key("missing"))
    sent_on(s3, missing)
    s3.expect(missing, refused(404))


@scenario(
    "REDIR-002",
    MUST,
    "PutObject",
    "DeleteObject",
    "CompleteMultipartUpload",
    source=_SOURCE,
    clients=("raw",),
    feature="redirects",
)
def writes_are_sent_on(s3: Scene) -> None:
    """PutObject, DeleteObject and the calls of a multipart upload are sent on with 307: same method, same body.

    The gateway promises: 307 and not 302, so that the method and the body are repeated where Location leads.

    Breaks: clients that turn a redirected PUT or POST into a GET, or send it without its body.

    Fix: answer 307 before the body is read, with the query that says which upload and part it is about.
    """
    key, uploaded = s3.key(), s3.key("uploaded")
    stored = s3.call("PutObject", Key=key, Body=_CONTENT)
    sent_on(s3, stored)
    s3.expect(s3.look("GetObject", Key=key), ok(), body(_CONTENT))
    created = s3.call("CreateMultipartUpload", Key=uploaded)
    sent_on(s3, created)
    upload = {"Key": uploaded, "UploadId": str(created.output.get("UploadId", ""))}
    part = s3.call("UploadPart", **upload, PartNumber=1, Body=_CONTENT)
    sent_on(s3, part)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part.etag or ""}]}
    sent_on(s3, s3.call("CompleteMultipartUpload", **upload, MultipartUpload=parts))
    s3.expect(s3.look("GetObject", Key=uploaded), ok(), body(_CONTENT))
    sent_on(s3, s3.call("DeleteObject", Key=key))
    s3.expect(s3.look("GetObject", Key=key), refused(404))


@scenario(
    "REDIR-003",
    MUST,
    "ListObjectsV2",
    "HeadBucket",
    "ListBuckets",
    "GetObject",
    source=f"{AISTORE}, ais/prxs3.go, s3Handler",
    clients=("raw",),
    feature="redirects",
)
def buckets_are_answered(s3: Scene) -> None:
    """Requests about buckets are answered at once, while those about an object in the same bucket are sent on.

    The gateway promises: its proxies know all buckets and list them, and only what is about one object, or one upload,
    is answered by the node that has it.

    Breaks: clients that follow redirects for objects alone, as its patch of botocore makes boto3 do.

    Fix: answer creation, removal, listings and DeleteObjects where they arrive.
    """
    bucket, key = s3.new_bucket(), s3.key()
    sent_on(s3, s3.call("PutObject", Bucket=bucket, Key=key, Body=_CONTENT))
    listed = s3.call("ListObjectsV2", Bucket=bucket)
    s3.expect(listed, ok(), keys([key]))
    head = s3.expect(s3.call("HeadBucket", Bucket=bucket), ok())
    every = s3.expect(s3.call("ListBuckets"), ok())
    removed = s3.expect(s3.call("DeleteObjects", Bucket=bucket, Delete={"Objects": [{"Key": key}]}), ok())
    for observed in (listed, head, every, removed):
        answered(s3, observed)
    missing = s3.call("GetObject", Bucket=bucket, Key=key)
    sent_on(s3, missing)
    s3.expect(missing, refused(404))


@scenario(
    "REDIR-004",
    SHOULD,
    "GetObject",
    "PutObject",
    source=f"{AISTORE}, docs/s3compat.md, presigned requests; ais/prxs3.go",
    clients=("raw",),
    feature="redirects",
)
def presigned_urls_are_sent_on(s3: Scene) -> None:
    """A presigned URL is sent on with its signature in Location, and works there without any further header.

    The gateway promises: Location is a full signed URL, so that a browser that follows it needs nothing else.

    Breaks: links and uploads from browsers, which follow redirects but can sign nothing.

    Fix: repeat the query as it came, and verify it for the first address.
    """
    target = path(s3)
    stored = follow(s3, "PUT", link(s3, "PUT", target), content=_CONTENT)
    s3.expect(stored, ok())
    sent_on(s3, stored)
    found = follow(s3, "GET", link(s3, "GET", target))
    s3.expect(found, ok(), body(_CONTENT))
    sent_on(s3, found)


@scenario(
    "REDIR-005",
    SHOULD,
    "PutObject",
    "GetObject",
    source=f"{AISTORE}, docs/s3compat.md, Boto3 prerequisites and FAQ; python/aistore/botocore_patch",
    clients=("raw", "s5cmd"),  # measured: the others do not follow, or not every request
    feature="redirects",
)
def followed_by_clients(s3: Scene) -> None:
    """A client that follows 307 with the same method and body stores and reads objects as if there were no redirect.

    The gateway promises: following is all that a client needs, since the signature is not verified for the new host.

    Breaks: all others: botocore and the SDK for JavaScript keep to the endpoint, rclone and s3cmd follow in part. Their
    users need the gateway's patch, or its feature S3-Reverse-Proxy.

    Fix: answer object requests in place of the node where clients cannot be changed.
    """
    key = s3.key()
    stored = s3.call("PutObject", Key=key, Body=_CONTENT)
    _went_on(s3, stored)
    s3.expect(s3.look("GetObject", Key=key), ok(), body(_CONTENT))
    found = s3.call("GetObject", Key=key)
    _went_on(s3, found)
    s3.expect(found, body(_CONTENT))


def _went_on(s3: Scene, observed: Observed) -> None:
    """A call succeeded although its request was answered with a redirect: by an answer from where that leads."""
    s3.check(observed.ok, f"{observed.operation} succeeds", f"got {observed.summary()}", observed)
    sent = [(exchange.status, urlsplit(exchange.url).netloc) for exchange in observed.exchanges]
    leaving = {at for status, at in sent if status == 307}
    s3.check(bool(leaving), f"{observed.operation}: a 307 on the way", f"answers were {sent}", observed)
    s3.check(sent[-1][1] not in leaving, "the last answer from another address", f"answers were {sent}", observed)
