"""`aws s3 presign` and `aws s3 website`: objects for those who have no credentials."""

from __future__ import annotations

from harness.expect import body, ok, output, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.signals import ClientFault
from scenarios.workflows._awscli import configured, done

BODY = b"for everyone who has the URL"


def presigned(s3: Scene, key: str, *options: str, version: str = "") -> str:
    """The URL that `aws s3 presign` prints; `version` is s3v4 for the signature that version 2 makes anyway.

    Raises:
        ClientFault: it printed none; for this it asks nobody.
    """
    environment = configured(s3, {"signature_version": version}) if version else None
    run = s3.program("s3", "presign", f"s3://{s3.bucket}/{key}", *options, environment=environment)
    url = run.stdout.strip()
    if not run.ok or not url.startswith(("http://", "https://")):
        raise ClientFault(f"aws s3 presign printed no URL: {run.summary()}")
    return url


@scenario(
    "AWSCLI-025",
    SHOULD,
    "GetObject",
    source="AWS CLI reference, s3 presign; measured: aws 1.46.2 signs with version 2, 2.23.6 with version 4",
    clients=("awscli",),
)
def presign(s3: Scene) -> None:
    """`aws s3 presign`, as it is configured by default, prints a URL that gives the object to anybody.

    S3 promises: a presigned URL carries the rights of who signed it. Version 1 of the CLI signs such URLs with
    Signature Version 2, unless it is told otherwise, version 2 with Signature Version 4.

    Breaks: links that are sent to people, who see an error document in their browser.

    Fix: accept signatures in the query, of Version 4 and, for older clients, of Version 2.
    """
    s3.put(s3.key("a b/é+1"), BODY)
    s3.expect(s3.fetch(presigned(s3, s3.key("a b/é+1"))), ok(), body(BODY))


@scenario(
    "AWSCLI-048",
    SHOULD,
    "GetObject",
    source="Amazon S3 API reference, authenticating requests: using query parameters",
    clients=("awscli",),
)
def presign_version_4(s3: Scene) -> None:
    """`aws s3 presign` with signature_version = s3v4 prints a URL that gives the object to anybody.

    S3 promises: the parameters X-Amz-Algorithm to X-Amz-Signature stand for an Authorization header.

    Breaks: links, and browsers that fetch or upload by URLs of a back end.

    Fix: verify the query without X-Amz-Signature; the payload hash is UNSIGNED-PAYLOAD.
    """
    s3.put(s3.key("a b/é+1"), BODY)
    url = presigned(s3, s3.key("a b/é+1"), "--expires-in", "600", version="s3v4")
    s3.expect(s3.fetch(url), ok(), body(BODY))


@scenario(
    "AWSCLI-049",
    SHOULD,
    "GetObject",
    source="Amazon S3 API reference, authenticating requests: using query parameters",
    clients=("awscli",),
)
def presign_of_another_key(s3: Scene) -> None:
    """A URL of `aws s3 presign` opens the one object that it was made for: with another key in it, it is refused.

    S3 promises: the signature covers method, path and query; anything else is 403 SignatureDoesNotMatch.

    Breaks: everybody who shares one file and not the whole bucket.

    Fix: compute the signature from the request as it came, and compare.
    """
    s3.put(s3.key("public"), BODY)
    s3.put(s3.key("secret"), b"for nobody")
    url = presigned(s3, s3.key("public"), version="s3v4")
    s3.expect(s3.fetch(url), ok(), body(BODY))
    s3.expect(s3.fetch(url.replace("/public?", "/secret?")), refused(403))


@scenario(
    "AWSCLI-050",
    EXTENDED,
    "GetObject",
    source="Amazon S3 API reference, authenticating requests: using query parameters, X-Amz-Expires",
    clients=("awscli",),
)
def presign_expires(s3: Scene) -> None:
    """A URL of `aws s3 presign --expires-in 1` is refused two seconds later.

    S3 promises: after X-Amz-Expires seconds a presigned URL is 403 AccessDenied.

    Breaks: whoever shares a file for an hour, and finds the link in a search engine.

    Fix: compare X-Amz-Date and X-Amz-Expires with the clock at every request.
    """
    s3.put(s3.key("object"), BODY)
    url = presigned(s3, s3.key("object"), "--expires-in", "1", version="s3v4")
    s3.wait(2)  # times in signatures are whole seconds: only now is the second surely over
    s3.expect(s3.fetch(url), refused(403, "AccessDenied"))


@scenario(
    "AWSCLI-029",
    EXTENDED,
    "PutBucketWebsite",
    "GetBucketWebsite",
    source="AWS CLI reference, s3 website; measured with aws 1.46.2 and 2.23.6",
    clients=("awscli",),
)
def website(s3: Scene) -> None:
    """`aws s3 website` gives a bucket an index and an error document, and GetBucketWebsite shows them.

    S3 promises: GetBucketWebsite gives back the configuration that PutBucketWebsite stored.

    Breaks: deployments of static sites, which set this in every run.

    Fix: store the configuration, or answer 501 NotImplemented; never 200 without storing it.
    """
    bucket = s3.new_bucket()
    s3.put("index.html", BODY, Bucket=bucket)
    run = s3.program("s3", "website", f"s3://{bucket}", "--index-document", "index.html", "--error-document", "no.html")
    documents = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "no.html"}}
    done(s3, run, "PutBucketWebsite", Bucket=bucket, WebsiteConfiguration=documents)
    found = s3.expect(s3.look("GetBucketWebsite", Bucket=bucket), ok())
    s3.expect(found, *(output(name, value) for name, value in documents.items()))
