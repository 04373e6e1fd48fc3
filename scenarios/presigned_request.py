"""PRE: the parameters that a presigned URL needs, and the headers that are sent with it."""

from __future__ import annotations

import base64
import hashlib

from harness.expect import body, header, metadata, ok, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._signing import CONTENT, MISMATCH, follow, is_missing, is_stored, link, path, without

_INCOMPLETE = "LocalStack test_s3_put_presigned_url_missing_sig_param (recorded on AWS)"
_HEADERS = "LocalStack test_s3_put_presigned_url_with_different_headers (recorded on AWS)"
_MALFORMED = refused(400, "AuthorizationQueryParametersError")
_VERSION_4 = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
_VERSION_2 = ("AWSAccessKeyId", "Expires", "Signature")


@scenario("PRE-007", MUST, "PutObject", source=_INCOMPLETE, clients=("raw",))
def incomplete_query(s3: Scene) -> None:
    """A URL that lacks one of the six X-Amz-… parameters is refused with 400 AuthorizationQueryParametersError.

    S3 promises: Algorithm, Credential, Date, Expires, SignedHeaders and Signature are needed together. Five of them are
    a malformed request, and neither an anonymous one nor a wrong signature.

    Breaks: people whose URL was cut or altered on its way (by a mail program, a shell that took & for itself) read
    which parameters there must be; and where Expires may be missing, a URL never ends.

    Fix: as soon as one X-Amz-… parameter of the signature is there, demand all six.
    """
    new = path(s3, "new")
    url = link(s3, "PUT", new)
    for name in _VERSION_4:
        s3.expect(follow(s3, "PUT", without(url, f"X-Amz-{name}"), content=CONTENT), _MALFORMED)
    is_missing(s3, new)
    s3.expect(follow(s3, "PUT", url, content=CONTENT), ok())
    is_stored(s3, new)


@scenario("PRE-008", EXTENDED, "PutObject", source=_INCOMPLETE, clients=("raw",))
def incomplete_query_of_version_2(s3: Scene) -> None:
    """A URL of Signature Version 2 that lacks one of its three parameters is refused with 403 AccessDenied.

    S3 promises: AWSAccessKeyId, Expires and Signature are needed together; with two of them nobody is let in.

    Breaks: where Expires may be missing, URLs that boto3 makes by default never end.

    Fix: demand all three as soon as one is there.
    """
    new = path(s3, "new")
    url = link(s3, "PUT", new, version=2)
    for name in _VERSION_2:
        s3.expect(follow(s3, "PUT", without(url, name), content=CONTENT), refused(403, "AccessDenied"))
    is_missing(s3, new)
    s3.expect(follow(s3, "PUT", url, content=CONTENT), ok())
    is_stored(s3, new)


@scenario(
    "PRE-009",
    SHOULD,
    "PutObject",
    source=f"{_HEADERS}; LocalStack test_s3_ignored_special_headers, test_put_url_metadata_with_sig_s3v4 "
    "(recorded on AWS)",
    clients=("raw",),
)
def unsigned_settings(s3: Scene) -> None:
    """An x-amz-* header that was not signed is refused with 403 AccessDenied and HeadersNotSigned.

    S3 promises: what changes the meaning of an upload (metadata, ACL, encryption, storage class) must be foreseen by
    whoever made the URL. x-amz-content-sha256 alone may be added.

    Breaks: the limits that an application sets: with an upload link, its holder could make the object public
    (x-amz-acl), or name any metadata that the application trusts.

    Fix: compare the x-amz-* headers of the request with X-Amz-SignedHeaders, and name those that are not in it.
    """
    target = path(s3)
    url = link(s3, "PUT", target)
    unsigned = follow(s3, "PUT", url, ("x-amz-meta-sneaked", "in"), content=CONTENT)
    s3.expect(unsigned, refused(403, "AccessDenied", fields={"HeadersNotSigned": "x-amz-meta-sneaked"}))
    is_missing(s3, target)
    s3.expect(follow(s3, "PUT", url, ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), content=CONTENT), ok())
    is_stored(s3, target)


@scenario("PRE-010", SHOULD, "PutObject", source=_HEADERS, clients=("raw",))
def ordinary_headers(s3: Scene) -> None:
    """Ordinary headers such as Content-Type may be sent with a presigned URL without being signed, and count.

    S3 promises: under Signature Version 4 only x-amz-* headers and Host must be signed. A Content-Type that is sent
    becomes that of the object.

    Breaks: browsers, which always send a Content-Type with an upload. Refused, no upload succeeds; ignored, every photo
    is application/octet-stream.

    Fix: sign over the headers that X-Amz-SignedHeaders names, and no others.
    """
    target = path(s3)
    kind = ("Content-Type", "image/x-test")
    s3.expect(follow(s3, "PUT", link(s3, "PUT", target), kind, content=CONTENT), ok())
    is_stored(s3, target)
    s3.expect(s3.look("HeadObject", Key=s3.key()), ok(), header(*kind))


@scenario(
    "PRE-011",
    MUST,
    "PutObject",
    source=f"{_HEADERS}; LocalStack test_presigned_url_v4_signed_headers_in_qs (recorded on AWS)",
    clients=("raw",),
)
def signed_headers(s3: Scene) -> None:
    """A header that was signed must be sent as it was: with another value or left out, 403 SignatureDoesNotMatch.

    S3 promises: X-Amz-SignedHeaders names headers whose values are part of the signature.

    Breaks: applications that allow uploads of one type or with one piece of metadata only; where it is not checked, a
    link for a picture takes a web page.

    Fix: take each named header from the request, an absent one as empty, and let the comparison decide.
    """
    target = path(s3)
    for name, right in (("Content-Type", "text/right"), ("x-amz-meta-owner", "right")):
        url = link(s3, "PUT", target, (name, right))
        s3.expect(follow(s3, "PUT", url, (name, "text/wrong"), content=b"forged"), MISMATCH)
        s3.expect(follow(s3, "PUT", url, content=b"forged"), MISMATCH)
        is_missing(s3, target) if name == "Content-Type" else is_stored(s3, target)
        s3.expect(follow(s3, "PUT", url, (name, right), content=CONTENT), ok())
        is_stored(s3, target)


@scenario(
    "PRE-012",
    SHOULD,
    "PutObject",
    source="LocalStack test_presigned_url_v4_x_amz_in_qs (recorded on AWS)",
    clients=("raw",),
)
def settings_in_the_query(s3: Scene) -> None:
    """x-amz-* settings that stand in a presigned query count as if they had been sent as headers.

    S3 promises: whoever makes the URL can put them there, so that its holder need not send any header: metadata,
    storage class, ACL and the like.

    Breaks: the AWS SDK for JavaScript moves all x-amz-* headers into the query of the URLs it makes. Ignored there,
    uploads from browsers lose their metadata or encryption without an error.

    Fix: after the signature was verified, read x-amz-* parameters as headers of the same name.
    """
    target = path(s3)
    url = link(s3, "PUT", path(s3, query="x-amz-meta-owner=a%20b&x-amz-meta-kind=c"))
    s3.expect(follow(s3, "PUT", url, content=CONTENT), ok())
    is_stored(s3, target)
    s3.expect(s3.look("HeadObject", Key=s3.key()), ok(), metadata({"owner": "a b", "kind": "c"}))


@scenario(
    "PRE-013",
    SHOULD,
    "GetObject",
    source="LocalStack test_presigned_double_encoded_credentials (recorded on AWS)",
    clients=("raw",),
)
def credential_encoded_twice(s3: Scene) -> None:
    """A URL whose X-Amz-Credential is percent-encoded twice is refused with 400 AuthorizationQueryParametersError.

    S3 promises: the parameter is decoded once, and then has slashes between its parts. With %252F in the URL it has
    none, and is malformed.

    Breaks: strict validation, for URLs that were escaped once too often. A server that decodes until nothing is left to
    decode signs other text than it was sent.

    Fix: decode the query once, and refuse a credential without its five parts.
    """
    s3.put(s3.key(), CONTENT)
    url = link(s3, "GET", path(s3))
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT))
    before, credential, rest = url.partition("X-Amz-Credential=")
    value, mark, rest = rest.partition("&")
    twice = before + credential + value.replace("%2F", "%252F") + mark + rest
    s3.expect(follow(s3, "GET", twice), _MALFORMED)


@scenario(
    "PRE-022",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_with_md5_and_chunk_signature_bad_headers, test_s3_copy_md5 (recorded on AWS)",
    clients=("raw",),
)
def digest_of_an_upload(s3: Scene) -> None:
    """Content-MD5 sent with a presigned PUT is held against the body: another digest is refused with 400.

    S3 promises: the digest protects an upload by URL as any other, whether the URL foresaw it or not. Nothing is stored
    when it does not fit.

    Breaks: uploads from browsers and phones that send Content-MD5 because their connection is poor; damaged files are
    stored with a success.

    Fix: verify the header wherever it comes from; do not skip it because the body was not signed.
    """
    target, wrong = path(s3), ("Content-MD5", _md5(b"what was meant"))
    for signed in ((), (wrong,)):
        url = link(s3, "PUT", target, *signed)
        s3.expect(follow(s3, "PUT", url, wrong, content=CONTENT), refused(400, "BadDigest"))
        is_missing(s3, target)
    right = ("Content-MD5", _md5(CONTENT))
    s3.expect(follow(s3, "PUT", link(s3, "PUT", target, right), right, content=CONTENT), ok())
    is_stored(s3, target)


def _md5(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()
