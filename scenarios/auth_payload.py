"""AUTH: x-amz-content-sha256, by which a signature covers the body, or says that it does not."""

from __future__ import annotations

import hashlib

from harness.clients.raw import Signing
from harness.expect import body, ok, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._signing import CONTENT, ask, is_missing, is_stored, one_key, path

_HEADER = "x-amz-content-sha256"
_HASH = hashlib.sha256(CONTENT).hexdigest()
_SWIFT = "OpenStack Swift S3 cross-compatibility test"


def _refuses(s3: Scene, value: str) -> None:
    """An upload that declares its body with this text is refused, naming header and text; with its hash it is not."""
    new = path(s3, f"declared {value}")
    refusal = refused(400, "InvalidArgument", fields={"ArgumentName": _HEADER, "ArgumentValue": value})
    s3.expect(ask(s3, "PUT", new, (_HEADER, value), body=CONTENT), refusal)
    is_missing(s3, new)
    s3.expect(ask(s3, "PUT", new, (_HEADER, _HASH), body=CONTENT), ok())
    is_stored(s3, new)


@scenario(
    "AUTH-013",
    MUST,
    "GetObject",
    "PutObject",
    source=f"{_SWIFT} test_no_md5_no_sha; versitygw REST test ListBuckets - missing sha256 hash (run against AWS)",
    clients=("raw",),
)
def undeclared_payload(s3: Scene) -> None:
    """A request signed in its header without x-amz-content-sha256 is refused with 400 InvalidRequest.

    S3 promises: Signature Version 4 for S3 needs the header on every request, also on those without a body. It is the
    only way to know what the signature is over.

    Breaks: no client of today, as all send it. A gateway that fills in what is missing accepts bodies that nobody
    signed, and hides mistakes of hand-made signers until they meet S3.

    Fix: demand the header where the Authorization is AWS4-HMAC-SHA256; do not assume UNSIGNED-PAYLOAD.
    """
    s3.put(s3.key(), CONTENT)
    s3.expect(ask(s3, "GET", path(s3)), ok(), body(CONTENT))
    silent = Signing(digest="")
    s3.expect(ask(s3, "GET", path(s3), signing=silent), refused(400, "InvalidRequest"))
    s3.expect(ask(s3, "PUT", path(s3, "new"), body=CONTENT, signing=silent), refused(400, "InvalidRequest"))
    is_missing(s3, path(s3, "new"))


@scenario(
    "AUTH-014",
    SHOULD,
    "PutObject",
    source=f"{_SWIFT} test_no_md5_invalid_sha; versitygw REST test ListBuckets - invalid hash type (run against AWS)",
    clients=("raw",),
)
def unknown_payload_keyword(s3: Scene) -> None:
    """A payload hash that is neither 64 hex digits nor a known keyword is 400 InvalidArgument naming name and value.

    S3 promises: x-amz-content-sha256 is a SHA-256 in hex, UNSIGNED-PAYLOAD, or one of the STREAMING keywords. Anything
    else is refused with ArgumentName and ArgumentValue, and nothing is stored.

    Breaks: authors of signers, who send base64 or a truncated hash and see a wrong signature instead of the reason; and
    uploads that nobody verifies, where the unknown word is taken for "unsigned".

    Fix: match the header against the keywords and 64 hex digits before anything else is done with it.
    """
    for value in ("invalid", _HASH[:-1], f"{_HASH[:-1]}g"):
        _refuses(s3, value)


@scenario(
    "AUTH-015",
    SHOULD,
    "PutObject",
    source=f"{_SWIFT} test_no_md5_unsigned_lcase",
    clients=("raw",),
)
def keyword_in_small_letters(s3: Scene) -> None:
    """The keyword of x-amz-content-sha256 in small letters, unsigned-payload, is refused with 400 InvalidArgument.

    S3 promises: keywords are in capital letters, and only so. The refusal names header and value.

    Breaks: strict validation. Where small letters pass, a client comes to rely on them that fails elsewhere.

    Fix: compare keywords as they are, without folding case.
    """
    _refuses(s3, "unsigned-payload")


@scenario(
    "AUTH-016",
    EXTENDED,
    "PutObject",
    source=f"{_SWIFT} test_no_md5_good_sha_ucase",
    clients=("raw",),
)
def hash_in_capitals(s3: Scene) -> None:
    """The SHA-256 of the body may be in upper-case hex.

    S3 promises: hex digits are numbers: A to F and a to f are the same. The canonical request has the text as it was
    sent, the body is compared by value.

    Breaks: signers in languages whose hex formatting is in capitals by default, such as .NET's.

    Fix: compare the decoded 32 bytes, or fold the case of the header before comparing, not before signing.
    """
    target = path(s3)
    s3.expect(ask(s3, "PUT", target, (_HEADER, _HASH.upper()), body=CONTENT), ok())
    is_stored(s3, target)


@scenario(
    "AUTH-017",
    MUST,
    "PutObject",
    source=f"{_SWIFT} test_no_md5_bad_sha",
    clients=("raw",),
)
def wrong_hash(s3: Scene) -> None:
    """A body other than its declared SHA-256 is refused with 400 XAmzContentSHA256Mismatch, and nothing is stored.

    S3 promises: the hash in x-amz-content-sha256 is held against the bytes that arrived. The error has both, as
    ClientComputedContentSHA256 and S3ComputedContentSHA256, and an object of that key stays what it was.

    Breaks: over plain http this hash is all that protects a body on its way. Where it is not compared, damaged or
    replaced bytes are stored with a success.

    Fix: hash while receiving, compare before the object becomes visible, and drop what was received on a difference.
    """
    other = hashlib.sha256(b"what was meant").hexdigest()
    fields = {"ClientComputedContentSHA256": other, "S3ComputedContentSHA256": _HASH}
    refusal = refused(400, "XAmzContentSHA256Mismatch", fields=fields)
    s3.expect(ask(s3, "PUT", path(s3), (_HEADER, other), body=CONTENT), refusal)
    is_missing(s3, path(s3))
    s3.expect(ask(s3, "PUT", path(s3), (_HEADER, _HASH), body=CONTENT), ok())
    forged = ask(s3, "PUT", path(s3), (_HEADER, _HASH), body=CONTENT.upper())
    s3.expect(forged, refused(400, "XAmzContentSHA256Mismatch"))
    is_stored(s3, path(s3))


@scenario(
    "AUTH-018",
    MUST,
    "PutObject",
    source=f"{_SWIFT} test_no_md5_unsigned",
    clients=("raw",),
)
def unsigned_payload(s3: Scene) -> None:
    """With UNSIGNED-PAYLOAD any body is stored: it is not part of the signature.

    S3 promises: the keyword stands in the canonical request in place of the hash. Headers and path are protected as
    ever, and the body may be read once, without a hash of it beforehand.

    Breaks: uploads of streams: the AWS CLI, rclone and SDKs send it over https for bodies that they cannot read twice.

    Fix: take the header's text for the signature, whatever it is, and compare no hash when it is this keyword.
    """
    for content in (CONTENT, b"", b"another body, with nothing in common"):
        s3.expect(ask(s3, "PUT", path(s3), (_HEADER, "UNSIGNED-PAYLOAD"), body=content), ok())
        is_stored(s3, path(s3), content)


@scenario(
    "AUTH-019",
    SHOULD,
    "PutObjectTagging",
    "ListObjectsV2",
    source="versitygw REST tests PutBucketTagging - STREAMING-UNSIGNED-PAYLOAD-TRAILER fails; "
    "ListBuckets - non-matching hash type (run against AWS)",
    clients=("raw",),
)
def streaming_where_nothing_streams(s3: Scene) -> None:
    """A STREAMING keyword on an operation that uploads no object is refused with 400 InvalidRequest.

    S3 promises: bodies in signed chunks or with a trailer are for PutObject and UploadPart. Elsewhere the keyword is no
    valid value, and nothing is read or changed.

    Breaks: strict validation. A gateway that accepts it reads a document in chunk framing as XML, or takes any body
    for verified.

    Fix: check the keyword against the operation before the body is read.
    """
    s3.put(s3.key(), CONTENT)
    listing, tagging = one_key(s3), path(s3, query="tagging")
    document = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    s3.expect(s3.send("ListObjectsV2", "GET", listing, bucket=s3.bucket), ok())
    for keyword in ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"):
        told = (_HEADER, keyword)
        s3.expect(s3.send("ListObjectsV2", "GET", listing, told, bucket=s3.bucket), refused(400, "InvalidRequest"))
        tagged = s3.send("PutObjectTagging", "PUT", tagging, told, body=document, bucket=s3.bucket)
        s3.expect(tagged, refused(400, "InvalidRequest"))
    s3.expect(s3.look("GetObject", Key=s3.key()), ok(), body(CONTENT))
