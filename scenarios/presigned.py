"""PRE: presigned URLs, and that they are good for what was signed and nothing else."""

from __future__ import annotations

import hashlib

from harness.clients.base import Observed
from harness.expect import Matcher, body, etag, header, no_body, ok, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from harness.wire.sigv4 import encode
from scenarios._signing import (
    CONTENT,
    MISMATCH,
    altered,
    follow,
    is_missing,
    is_stored,
    link,
    other_digit,
    path,
    without,
)
from scenarios.etag import look_at_parts, md5_etag
from scenarios.mpu import begin

_TAMPERING = "LocalStack test_presigned_url_signature_authentication (recorded on AWS)"
_NAMES = ("a b", "a+b", "a%20b", "é/中", "100%", "a&b=c?d#e")


@scenario(
    "PRE-001",
    MUST,
    "PutObject",
    "GetObject",
    "HeadObject",
    "DeleteObject",
    source="LocalStack test_put_object, test_delete_has_empty_content_length_header, "
    "test_head_has_correct_content_length_header (recorded on AWS)",
    clients=("raw",),
)
def four_methods(s3: Scene) -> None:
    """A presigned URL needs no header but Host: it stores, reads, describes and deletes for whoever holds it.

    S3 promises: PUT answers 200 with an empty body, GET 200, HEAD 200 with the length, DELETE 204. The query carries
    what the Authorization header would.

    Breaks: uploads straight from browsers, download links, Terraform modules and CI caches: whatever hands out access
    to one object without handing out credentials.

    Fix: verify the query's signature with UNSIGNED-PAYLOAD as the hash of the body, and act for its access key.
    """
    target = path(s3)
    s3.expect(follow(s3, "PUT", link(s3, "PUT", target), content=CONTENT), ok(), no_body())
    is_stored(s3, target)
    s3.expect(follow(s3, "GET", link(s3, "GET", target)), ok(), body(CONTENT))
    head = follow(s3, "HEAD", link(s3, "HEAD", target))
    s3.expect(head, ok(), header("Content-Length", str(len(CONTENT))), no_body())
    s3.expect(follow(s3, "DELETE", link(s3, "DELETE", target)), ok(204), no_body())
    is_missing(s3, target)


@scenario("PRE-004", MUST, "GetObject", "PutObject", "DeleteObject", source=_TAMPERING, clients=("raw",))
def tampered_url(s3: Scene) -> None:
    """A presigned URL with another signature, path, method or signed parameter is 403 SignatureDoesNotMatch.

    S3 promises: whoever gets a URL gets what was signed: one method, one key, one set of parameters, until one moment.

    Breaks: access control of every application that hands out URLs: its users could read each other's objects, keep
    links for ever, or overwrite what they may only read.

    Fix: recompute the signature over method, path and the whole query as they came, less X-Amz-Signature alone.
    """
    s3.put(s3.key(), CONTENT)
    s3.put(s3.key("other"), b"not given away")
    url = link(s3, "GET", path(s3, query="response-content-type=text%2Fx&x-id=GetObject"), expires=600)
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT))
    stamp = url.partition("X-Amz-Date=")[2][:16]
    for wrong in (
        other_digit(url),
        url.replace(path(s3), path(s3, "other")),
        altered(url, "X-Amz-Expires", "601"),
        altered(url, "X-Amz-Date", f"{stamp[:13]}{(int(stamp[13:15]) + 1) % 60:02}Z"),
        altered(url, "response-content-type", "text%2Fhtml"),
        altered(url, "x-id", "HeadObject"),
        without(url, "response-content-type"),
    ):
        s3.expect(follow(s3, "GET", wrong), MISMATCH)
    s3.expect(follow(s3, "PUT", url, content=b"forged"), MISMATCH)
    s3.expect(follow(s3, "DELETE", url), MISMATCH)
    is_stored(s3, path(s3))


@scenario("PRE-005", SHOULD, "GetObject", source=_TAMPERING, clients=("raw",))
def explained_mismatch(s3: Scene) -> None:
    """SignatureDoesNotMatch shows what should have been signed: StringToSign and CanonicalRequest, as text and bytes.

    S3 promises: the error has AWSAccessKeyId, SignatureProvided, StringToSign, StringToSignBytes, CanonicalRequest and
    CanonicalRequestBytes, and they are those of the request that was refused.

    Breaks: no program. But with these six a developer finds a wrong byte in minutes, by comparing them with what their
    own code signed; without, signing is a matter of guessing.

    Fix: keep both texts until the comparison, and write them with their bytes in hex, a space between two.
    """
    s3.put(s3.key(), CONTENT)
    url = link(s3, "GET", path(s3))
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT))
    s3.expect(follow(s3, "GET", other_digit(url)), MISMATCH, Matcher("what should have been signed", _explained))


def _explained(seen: Observed) -> str:
    found = seen.error_fields
    missing = [name for name in ("AWSAccessKeyId", "SignatureProvided") if not found.get(name)]
    for name in ("StringToSign", "CanonicalRequest"):
        shown = found.get(name, "").encode().hex(" ")
        missing += [] if shown and found.get(f"{name}Bytes", "").lower() == shown else [f"{name} and {name}Bytes"]
    if missing:
        return f"these are missing or do not fit each other: {', '.join(missing)}"
    digest = hashlib.sha256(found["CanonicalRequest"].encode()).hexdigest()
    return "" if found["StringToSign"].endswith(digest) else "StringToSign does not end in the hash of CanonicalRequest"


@scenario(
    "PRE-006",
    MUST,
    "GetObject",
    source="LocalStack test_presign_with_additional_query_params, "
    "test_s3_put_presigned_url_same_header_and_qs_parameter (recorded on AWS)",
    clients=("raw",),
)
def unknown_parameters(s3: Scene) -> None:
    """A parameter that S3 does not know is accepted in a presigned URL when signed, and refused when added later.

    S3 promises: unknown parameters do nothing, and are signed like all others. One that was appended to a finished URL
    makes it 403 SignatureDoesNotMatch.

    Breaks: SDKs add parameters of their own (x-id, x-amz-checksum-mode), applications add marks for their logs. Where
    these are refused, all URLs fail; left out of the signature, anybody could append response-content-type to a link.

    Fix: sign over all parameters but X-Amz-Signature, and ignore those you do not know.
    """
    s3.put(s3.key(), CONTENT)
    url = link(s3, "GET", path(s3, query="requested-by=a%20user&x-id=GetObject"))
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT))
    for added in ("requested-by=me", "response-content-type=text%2Fhtml"):
        s3.expect(follow(s3, "GET", f"{link(s3, 'GET', path(s3))}&{added}"), MISMATCH)


@scenario(
    "PRE-015",
    SHOULD,
    "GetObject",
    source="LocalStack test_s3_get_response_header_overrides (recorded on AWS); "
    "Moto test_presigned_url_generates_content_response_headers (verified on AWS)",
    clients=("raw",),
)
def signed_overrides(s3: Scene) -> None:
    """response-* parameters of a presigned URL set the headers of its answer, and cannot be changed by its holder.

    S3 promises: response-content-type, -disposition, -language, -encoding, -cache-control and -expires come back as
    headers of that one answer. They are signed like the rest of the query.

    Breaks: downloads under a proper file name: without Content-Disposition browsers show or misname the file. If the
    values were not signed, anybody could turn a text of theirs into a page of yours.

    Fix: take the overrides from the verified query and set them after the object's own headers.
    """
    s3.put(s3.key(), CONTENT, ContentType="text/plain")
    wanted = {
        "content-type": "image/jpeg",
        "content-disposition": 'attachment; filename="a b.jpg"',
        "cache-control": "max-age=74",
        "content-language": "de-DE",
    }
    url = link(s3, "GET", path(s3, query=_overrides(wanted)))
    s3.expect(follow(s3, "GET", url), ok(), body(CONTENT), *(header(name, value) for name, value in wanted.items()))
    s3.expect(follow(s3, "GET", altered(url, "response-content-type", "text%2Fhtml")), MISMATCH)


def _overrides(wanted: dict[str, str]) -> str:
    return "&".join(f"response-{name}={encode(value)}" for name, value in wanted.items())


@scenario(
    "PRE-016",
    SHOULD,
    "UploadPart",
    source="LocalStack test_presigned_url_signature_authentication_multi_part (recorded on AWS)",
    clients=("raw",),
)
def part_by_url(s3: Scene) -> None:
    """A presigned UploadPart stores its part, and no other number or upload can be made of it.

    S3 promises: partNumber and uploadId stand in the query like any parameters and are signed with it.

    Breaks: large uploads from browsers (Uppy, Evaporate and their kin), which get one URL per part from their server.

    Fix: route by the query after its signature was verified, and let presigned UploadPart pass like PutObject.
    """
    upload, other = begin(s3, s3.key()), begin(s3, s3.key())
    query = f"partNumber=1&uploadId={encode(str(upload['UploadId']))}"
    url = link(s3, "PUT", path(s3, query=query))
    for wrong in (altered(url, "partNumber", "2"), altered(url, "uploadId", encode(str(other["UploadId"])))):
        s3.expect(_part(s3, wrong), MISMATCH)
    s3.expect(_part(s3, url), ok(), etag(md5_etag(CONTENT)))
    look_at_parts(s3, upload, {1: CONTENT})
    look_at_parts(s3, other, {})


def _part(s3: Scene, url: str) -> Observed:
    return s3.send("UploadPart", "PUT", url, bucket=s3.bucket, body=CONTENT, signing=None)


@scenario(
    "PRE-017",
    MUST,
    "GetObject",
    "PutObject",
    source="LocalStack test_s3_presign_url_encoding (recorded on AWS)",
    clients=("raw",),
)
def special_names(s3: Scene) -> None:
    """Presigned URLs work for keys with spaces, plus and percent signs, and letters of any script.

    S3 promises: the key is percent-encoded once in the path of the URL, and the signature is over that path.

    Breaks: links to files as people name them. Usual slips: a plus taken for a space, a path decoded twice, a server or
    proxy that rewrites %2B or %20 before the signature is checked.

    Fix: sign over the raw path; decode it once for the key, and never treat a plus in it as a space.
    """
    for name in _NAMES:
        content = name.encode()
        s3.expect(follow(s3, "PUT", link(s3, "PUT", path(s3, name)), content=content), ok())
        is_stored(s3, path(s3, name), content)
        s3.expect(follow(s3, "GET", link(s3, "GET", path(s3, name))), ok(), body(content))
    moved = link(s3, "GET", path(s3, "a+b")).replace(path(s3, "a+b"), path(s3, "a b"))
    s3.expect(follow(s3, "GET", moved), refused(403, "SignatureDoesNotMatch"))
