"""GET: headers of the answer that the request overrides; that GetObject does so at all is GET-024 in `get`."""

from __future__ import annotations

import json

from harness.clients import LIBRARIES
from harness.expect import body, header, if_shown, no_body, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire import model
from scenarios.get import NAMES, OVERRIDE_EXPIRES, OVERRIDES, STORED, expires, said

CONTENT = b"overridden"


@scenario(
    "GET-025",
    SHOULD,
    "HeadObject",
    source="versitygw REST test HeadObject - response queries",
    clients=LIBRARIES,
)
def overrides_on_head(s3: Scene) -> None:
    """The response-* parameters replace headers of a HEAD as they do of a GET.

    S3 promises: HEAD shows the headers that the same GET would have. The stored object keeps its own.

    Breaks: browsers and download managers ask for the headers of a link first; told another name or type than the
    download then has, they choose the wrong file name or refuse to go on.

    Fix: apply the parameters where the headers of both methods are made.
    """
    key = s3.key()
    s3.put(key, CONTENT, **STORED)
    asked = {f"Response{name}": value for name, value in OVERRIDES.items()} | {"ResponseExpires": OVERRIDE_EXPIRES}
    replaced = [said(name, value) for name, value in OVERRIDES.items()]
    answer = s3.call("HeadObject", Key=key, **asked)
    s3.expect(answer, ok(), *replaced, expires(OVERRIDE_EXPIRES), if_shown(no_body()))
    kept = [said(name, value) for name, value in STORED.items()]
    s3.expect(s3.call("HeadObject", Key=key), ok(), *kept)


@scenario(
    "GET-026",
    SHOULD,
    "GetObject",
    source="versitygw REST test GetObject - response query - invalid response type",
    clients=("raw",),
)
def unknown_override(s3: Scene) -> None:
    """A response-* parameter that S3 does not know is refused with 400 InvalidArgument.

    S3 promises: six headers can be overridden. A parameter that begins like theirs and names another one is an error.

    Breaks: strict validation. It keeps a link's author from believing that, say, response-content-security-policy
    protects the page.

    Fix: hold every parameter that begins with response- to the list of six.
    """
    key = s3.key()
    s3.put(key, CONTENT)
    target = model.build("GetObject", {"Bucket": s3.bucket, "Key": key}).target
    known = s3.send("GetObject", "GET", f"{target}?response-cache-control=no-store", bucket=s3.bucket)
    s3.expect(known, ok(), body(CONTENT), header("Cache-Control", "no-store"))
    for name in ("response-content-security-policy", "response-invalid"):
        answer = s3.send("GetObject", "GET", f"{target}?{name}=x", bucket=s3.bucket)
        s3.expect(answer, refused(400, "InvalidArgument"))


@scenario(
    "GET-027",
    EXTENDED,
    "GetObject",
    source="LocalStack test_get_response_overrides_unicode_metadata_with_sig_s3 (recorded on AWS)",
    clients=("raw",),
)
def override_that_no_header_can_say(s3: Scene) -> None:
    """An override with characters outside ISO-8859-1 is refused with 400 InvalidArgument.

    S3 promises: a header value is made of ISO-8859-1. What cannot be written in it is refused rather than mangled.

    Breaks: links that give a download its name in Japanese or Greek as plain text; on S3 they fail at once, and their
    author learns of filename*=UTF-8''…. Sent as question marks or raw UTF-8, the file gets a broken name.

    Fix: try to encode the value as ISO-8859-1 before the answer is begun.
    """
    key = s3.key()
    s3.put(key, CONTENT)
    plain = "attachment; filename*=UTF-8''%E6%97%A5%E6%9C%AC.txt"
    answer = s3.call("GetObject", Key=key, ResponseContentDisposition=plain)
    s3.expect(answer, ok(), body(CONTENT), said("ContentDisposition", plain))
    for name in ("日本.txt", "Ω.txt"):
        answer = s3.call("GetObject", Key=key, ResponseContentDisposition=f'attachment; filename="{name}"')
        s3.expect(answer, refused(400, "InvalidArgument"))


@scenario(
    "GET-028",
    SHOULD,
    "GetObject",
    source="botocore service model, GetObject: overrides need a signed request",
    clients=("raw",),
    confidence="partly unverified",
)
def overrides_need_a_signature(s3: Scene) -> None:
    """A response-* parameter on a request without a signature is refused with 400 InvalidRequest.

    S3 promises: everybody may read a public object, but only who can sign may choose the headers it comes with. The
    same request without the parameter is answered 200.

    Breaks: owners of public buckets: with overrides for everybody, a link to their own harmless file can serve it as
    text/html, and scripts in it run under their domain.

    Fix: look for response-* after authentication, and refuse it for anonymous requests.
    """
    bucket, key = s3.new_bucket(), "public"
    s3.put(key, CONTENT, Bucket=bucket)
    s3.look("DeletePublicAccessBlock", Bucket=bucket)  # what is not blocked need not be let through
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.setup("PutBucketPolicy", Bucket=bucket, Policy=policy)
    target = f"/{bucket}/{key}"
    open_to_all = s3.send("GetObject", "GET", target, bucket=bucket, signing=None)
    s3.expect(open_to_all, ok(), body(CONTENT))
    for name in ("response-content-type", "response-content-disposition"):
        answer = s3.send("GetObject", "GET", f"{target}?{name}=text/html", bucket=bucket, signing=None)
        s3.expect(answer, refused(400, "InvalidRequest"))
    signed = s3.send("GetObject", "GET", f"{target}?response-content-type=text/plain", bucket=bucket)
    s3.expect(signed, ok(), header(NAMES["ContentType"], "text/plain"))
