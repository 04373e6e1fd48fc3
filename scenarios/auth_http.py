"""AUTH: requests that are broken before anybody could be asked who sent them, and the form of every refusal."""

from __future__ import annotations

import hashlib

from harness.clients import LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, body, header, header_where, no_body, ok, one_of, refused, root
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._signing import CONTENT, ask, is_missing, is_stored, path, wrong_secret

_CONTINUE = 5.0
"""Seconds in which 100 Continue must come; most clients wait for one, and then send the body unasked."""


@scenario(
    "AUTH-020",
    MUST,
    "PutObject",
    source="OpenStack Swift S3 cross-compatibility test test_no_md5_no_sha_no_content_length; "
    "versitygw REST test put object, missing Content-Length (run against AWS)",
    clients=("raw",),
)
def no_content_length(s3: Scene) -> None:
    """PutObject without Content-Length is refused with 411 MissingContentLength, and nothing is stored.

    S3 promises: how long a body will be must be known from the headers. Where it is not, the upload is refused before
    anything is read of it.

    Breaks: broken uploaders that forget the header: by the rules of HTTP such a request has no body, so a gateway that
    accepts it stores an empty object and reports success.

    Fix: demand Content-Length on PutObject and UploadPart, also for an empty body.
    """
    new = path(s3, "new")
    unsized = ask(s3, "PUT", new, content_length=False)
    s3.expect(unsized, refused(411, "MissingContentLength"))
    is_missing(s3, new)
    s3.expect(ask(s3, "PUT", new), ok())
    is_stored(s3, new, b"")


@scenario(
    "AUTH-021",
    EXTENDED,
    "GetObject",
    source="versitygw REST tests deformed message; missing host parameter (run against AWS)",
    clients=("raw",),
)
def no_request(s3: Scene) -> None:
    """Bytes that are not HTTP, and HTTP/1.1 without a Host header, are answered with status 400.

    S3 promises: what cannot be read as a request is a bad request, and is told so before the connection closes.

    Breaks: nobody's daily work. It is how port scanners, TLS on a plain port and broken proxies show themselves; an
    endpoint that only closes, or says 500, looks as if it were down.

    Fix: let the HTTP parser's errors end in 400, and demand Host (RFC 9112, section 3.2).
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    s3.expect(ask(s3, "GET", path(s3), host=False), refused(400))
    s3.expect(ask(s3, "GET", path(s3), version="deformed"), refused(400))
    deformed = s3.send("GetObject", "\x16\x03\x01", path(s3), bucket=s3.bucket, signing=None)
    s3.expect(deformed, refused(400))


@scenario(
    "AUTH-022",
    MUST,
    "GetObject",
    "ListObjectsV2",
    "PutObject",
    source="versitygw REST test ListBuckets - error Content-Type is application/xml (run against AWS); "
    "LocalStack test_response_structure (recorded on AWS)",
    clients=("raw",),
)
def form_of_errors(s3: Scene) -> None:
    """Errors are XML: an Error without namespace, with Code, Message, HostId and the RequestId of the header.

    S3 promises: every refusal, whatever for, has Content-Type application/xml and one form of document. RequestId is
    the text of x-amz-request-id, by which a request can be found again.

    Breaks: every SDK finds the code in this document. JSON, HTML or an empty body become "UnknownError", and programs
    that handle NoSuchKey or AccessDenied do not recognise them. Support has no id to look for.

    Fix: write all errors in one place, those of the router, of the login check and of proxies in front of it too.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    absent = f"/{s3.bucket_name()}?list-type=2"
    _is_document(s3, ask(s3, "GET", path(s3, "missing")), refused(404, "NoSuchKey"))
    _is_document(s3, s3.send("ListObjectsV2", "GET", absent), refused(404, "NoSuchBucket"))
    _is_document(s3, ask(s3, "GET", path(s3), signing=None), refused(403, "AccessDenied"))
    _is_document(s3, ask(s3, "GET", path(s3), signing=wrong_secret(s3)), refused(403, "SignatureDoesNotMatch"))
    wrong = ("x-amz-content-sha256", hashlib.sha256(b"other").hexdigest())
    _is_document(s3, ask(s3, "PUT", path(s3), wrong, body=CONTENT), refused(400, "XAmzContentSHA256Mismatch"))


def _is_document(s3: Scene, seen: Observed, refusal: Matcher) -> None:
    """The refusal is meant, and has the form that all have."""

    def has(name: str) -> Matcher:
        return Matcher(f"{name} in the document", lambda seen: "" if seen.error_fields.get(name) else f"no {name}")

    def plain(seen: Observed) -> str:
        found = seen.document.namespace if seen.document else ""
        return f"its namespace was {found!r}" if found else ""

    xml = header_where("Content-Type", "application/xml", lambda kind: kind.partition(";")[0] == "application/xml")
    s3.expect(seen, refusal, xml, root("Error"), Matcher("no namespace", plain))
    s3.expect(seen, *map(has, ("Code", "Message", "RequestId", "HostId")))
    s3.expect(seen, header("x-amz-request-id", seen.error_fields.get("RequestId", "")))


@scenario(
    "AUTH-023",
    SHOULD,
    "PutObject",
    source="versitygw REST test PutObject - expect continue - success (run against AWS)",
    clients=("raw",),
)
def waiting_for_continue(s3: Scene) -> None:
    """A client that sends Expect: 100-continue is told to go on, and its body is then stored.

    S3 promises: 100 Continue comes when the headers were accepted, and the body follows it. A client that waits for it
    need not send a body that would be refused.

    Breaks: the AWS CLI, boto3, the Java SDK and curl send the header with uploads. Without the interim answer each
    upload stands still for a second or more, and some clients wait for ever.

    Fix: check the headers, then send 100 Continue before reading the body; do not let a proxy swallow it.
    """
    target = path(s3)
    waiting = ask(s3, "PUT", target, ("Expect", "100-continue"), body=CONTENT, patience=_CONTINUE)
    s3.expect(waiting, ok(), no_body())
    is_stored(s3, target)


@scenario(
    "AUTH-027",
    SHOULD,
    "PutBucketAcl",
    "PutObjectAcl",
    source="LocalStack test_s3_bucket_acl_exceptions (recorded on AWS)",
    clients=LIBRARIES,
)
def acl_without_input(s3: Scene) -> None:
    """PutBucketAcl and PutObjectAcl that name no ACL are 400 MissingSecurityHeader, with MissingHeaderName x-amz-acl.

    S3 promises: an ACL comes as x-amz-acl, as grant headers or as a document. A request with none of them is refused
    with the name of the header that would have been enough.

    Breaks: programs whose ACL was left out by mistake; where the empty request counts as success, they believe that
    rights were set.

    Fix: refuse the request before anything is written, and name x-amz-acl.
    """
    bucket = s3.new_bucket()
    rules = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.setup("PutBucketOwnershipControls", Bucket=bucket, OwnershipControls=rules)
    s3.setup("PutObject", Bucket=bucket, Key="object", Body=CONTENT)
    refusal = refused(400, "MissingSecurityHeader", fields={"MissingHeaderName": "x-amz-acl"})
    for operation, params in (("PutBucketAcl", {}), ("PutObjectAcl", {"Key": "object"})):
        s3.expect(s3.call(operation, Bucket=bucket, **params, ACL="private"), one_of(ok(), ok(204)))
        s3.expect(s3.call(operation, Bucket=bucket, **params), refusal)
