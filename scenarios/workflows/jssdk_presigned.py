"""Applications on the AWS SDK for JavaScript v3: URLs that they sign for browsers, which have no credentials."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from harness.expect import body, header, ok, output_where, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios.workflows.jssdk import CONTENT, MEASURED, is_missing, is_whole, script

PRESIGNER = f"AWS SDK for JavaScript v3, s3-request-presigner; {MEASURED}"


def _url(s3: Scene, operation: str, **params: Any) -> str:
    """What `getSignedUrl` makes of a command, good for a minute; it asks the endpoint for nothing."""
    made = script(s3, "presign", operation, **params)
    s3.expect(made, output_where("Url", "a signed URL", lambda url: "X-Amz-Signature=" in url))
    url: str = made.output["Url"]
    return url


@scenario("JSSDK-008", MUST, "GetObject", source=PRESIGNER, clients=("jssdk",))
def signed_download(s3: Scene) -> None:
    """`getSignedUrl(new GetObjectCommand())` makes a URL that anybody can download by, under the name it asks for.

    S3 promises: a URL signed in its query needs no header but Host. The SDK's has X-Amz-Content-Sha256, x-id and
    x-amz-checksum-mode among what is signed; response-content-disposition becomes a header of the answer.

    Breaks: download links in web applications; with another name or type, browsers show what they should save.

    Fix: sign over the whole query as it came, encoded once; ignore parameters that are not known.
    """
    key, shown = s3.key("report & more/été 1.txt"), 'attachment; filename="report.txt"'
    s3.put(key, CONTENT)
    url = _url(s3, "GetObject", Key=key, ResponseContentDisposition=shown)
    s3.expect(s3.fetch(url), ok(), body(CONTENT), header("Content-Disposition", shown))


@scenario(
    "JSSDK-017",
    MUST,
    "GetObject",
    source=f"{PRESIGNER}; LocalStack test_presigned_url_signature_authentication",
    clients=("jssdk",),
)
def altered_download(s3: Scene) -> None:
    """A URL by `getSignedUrl` opens one object: with another key in it, it is refused with 403.

    S3 promises: method, path and every parameter are signed; a change in any of them is SignatureDoesNotMatch.

    Breaks: whoever gives a link to one file gives all of them away.

    Fix: verify the signature over the path as it came, before anything else is looked at.
    """
    given, other = s3.key("given"), s3.key("other")
    for key in (given, other):
        s3.put(key, key.encode())
    url = _url(s3, "GetObject", Key=given)
    s3.expect(s3.fetch(url), ok(), body(given.encode()))
    altered = urlsplit(url)._replace(path=urlsplit(url).path.removesuffix("given") + "other").geturl()
    s3.expect(s3.fetch(altered), refused(403, "SignatureDoesNotMatch"))


@scenario(
    "JSSDK-009",
    SHOULD,
    "PutObject",
    source=f"localstack/localstack#12164 (compared with AWS), ministackorg/ministack#1695, "
    f"aws/aws-sdk-js-v3#6994; {PRESIGNER}",
    clients=("jssdk",),
)
def signed_upload(s3: Scene) -> None:
    """`getSignedUrl(new PutObjectCommand())` makes a URL that takes any body, though a checksum of none is signed.

    S3 promises: the URL is for a body that nobody knows yet. By default the SDK puts x-amz-checksum-crc32=AAAAAA==, the
    CRC32 of nothing, into the query; S3 takes it for a part of what is signed and for nothing else.

    Breaks: uploads straight from browsers, since January 2025: gateways that hold the parameter against the body
    answer 400 BadDigest or XAmzContentChecksumMismatch to every file but an empty one.

    Fix: verify checksums that come as headers; leave those of a presigned query unread.
    """
    key = s3.key("from a browser.txt")
    url = _url(s3, "PutObject", Key=key)
    is_missing(s3, key)
    s3.expect(s3.fetch(url, "PUT", body=CONTENT), ok())
    is_whole(s3, key, CONTENT)
