"""ETAG: digests in errors, and ETags of attributes, copies, encrypted objects and conditions."""

from __future__ import annotations

import hashlib
import re

from harness.clients import LIBRARIES
from harness.expect import Matcher, body, etag, header_where, ok, output, refused
from harness.scenario import SHOULD, scenario
from harness.scene import Scene
from scenarios._checksums import attributes
from scenarios._customer_keys import customer_key
from scenarios.etag import content_md5, md5_etag
from scenarios.mpu import ONE_PART, begin, naming, store

_QUOTED_HEX = re.compile(r'"[0-9a-f]{32}"')

SENT, MEANT = b"what arrives", b"what was meant"
"""The bytes of a request, and the bytes that its Content-MD5 is of."""


@scenario(
    "ETAG-006",
    SHOULD,
    "GetObjectAttributes",
    source="LocalStack test_get_object_attributes and test_response_structure_get_obj_attrs (recorded on AWS)",
    clients=LIBRARIES,
)
def etag_among_attributes(s3: Scene) -> None:
    """GetObjectAttributes shows the ETag as bare hex, without the quotes that it has everywhere else.

    S3 promises: in the document of GetObjectAttributes the element ETag holds the digest alone. It is one of the
    few places of S3 where no quotation marks belong to the value.

    Breaks: inventory and verification programs compare this value with a local MD5 and strip nothing; with quotes
    every object looks damaged. A program that adds the quotes for If-Match sends them twice.

    Fix: print the stored digest here without the quotes that headers and listings get.
    """
    key, content = s3.key(), b"an object with attributes"
    s3.put(key, content)
    s3.expect(attributes(s3, key, "ETag"), ok(), output("ETag", hashlib.md5(content).hexdigest()))


@scenario(
    "ETAG-010",
    SHOULD,
    "PutObject",
    source="LocalStack test_s3_invalid_content_md5 (recorded on AWS)",
    clients=LIBRARIES,
)
def digests_of_refused_object(s3: Scene) -> None:
    """BadDigest of PutObject names both digests: CalculatedDigest in base64 and ExpectedDigest in hex.

    S3 promises: the error document has CalculatedDigest, the MD5 of the bytes that arrived in base64, and
    ExpectedDigest, the MD5 that the request announced; for an object S3 prints the latter in hex.

    Breaks: strict validation for most; whoever has to find out where an upload is altered (a proxy, a broken disk)
    compares these two values with the file and has nothing to go by without them.

    Fix: keep both digests when they differ and add the two elements, each in its own form.
    """
    key, digests = s3.key(), _digests(hashlib.md5(MEANT).hexdigest())
    refusal = s3.call("PutObject", Key=key, Body=SENT, ContentMD5=content_md5(MEANT))
    s3.expect(refusal, refused(400, "BadDigest", fields=digests))
    s3.expect(s3.look("HeadObject", Key=key), refused(404))
    s3.expect(s3.call("PutObject", Key=key, Body=SENT, ContentMD5=content_md5(SENT)), ok())


@scenario(
    "ETAG-011",
    SHOULD,
    "UploadPart",
    source="LocalStack test_s3_invalid_content_md5 (recorded on AWS)",
    clients=LIBRARIES,
)
def digests_of_refused_part(s3: Scene) -> None:
    """BadDigest of UploadPart names both digests in base64: CalculatedDigest and ExpectedDigest.

    S3 promises: a part whose Content-MD5 is that of other bytes is refused with both values in the document. Unlike
    for PutObject, ExpectedDigest is the text of the header as it was sent.

    Breaks: strict validation for most; programs that log the pair to tell a damaged file from a damaged transfer.

    Fix: echo Content-MD5 as ExpectedDigest, and put the base64 of what was computed beside it.
    """
    upload, digests = begin(s3, s3.key()), _digests(content_md5(MEANT))
    refusal = s3.call("UploadPart", **upload, PartNumber=1, Body=SENT, ContentMD5=content_md5(MEANT))
    s3.expect(refusal, refused(400, "BadDigest", fields=digests))
    s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=SENT, ContentMD5=content_md5(SENT)), ok())


def _digests(expected: str) -> dict[str, str]:
    return {"CalculatedDigest": content_md5(SENT), "ExpectedDigest": expected}


@scenario(
    "ETAG-012",
    SHOULD,
    "CopyObject",
    source="LocalStack test_multipart_copy_object_etag (recorded on AWS)",
)
def etag_of_copied_upload(s3: Scene) -> None:
    """The copy of an object that was written in parts has the plain MD5 of its content as ETag.

    S3 promises: CopyObject writes its target in one piece. Whatever the source's ETag was, the copy's is the quoted
    MD5 of the bytes, without "-" and a number of parts.

    Breaks: rclone and s3cmd read "-N" as "no MD5 to compare": where the copy keeps it they verify nothing, and where
    the copy claims parts that it does not have, reads by part number fail.

    Fix: digest the bytes while they are copied; do not hand on the ETag of the source.
    """
    source, target = s3.key("source"), s3.key("target")
    upload = begin(s3, source)
    s3.setup("CompleteMultipartUpload", **upload, **naming(store(s3, upload, 1, ONE_PART)))
    s3.expect(s3.call("CopyObject", Key=target, CopySource=f"{s3.bucket}/{source}"), ok())
    s3.expect(s3.look("GetObject", Key=target), ok(), body(ONE_PART), etag(md5_etag(ONE_PART)))


@scenario(
    "ETAG-015",
    SHOULD,
    "PutObject",
    "HeadObject",
    source="LocalStack test_put_object_validation_sse_c (recorded on AWS); AWS documentation, Common response headers",
    clients=LIBRARIES,
)
def etag_of_encrypted(s3: Scene) -> None:
    """Under SSE-KMS or SSE-C the ETag is 32 hex digits that are not the MD5 of the data.

    S3 promises: an object that is encrypted with a KMS key or with a key of the customer has an opaque ETag of the
    usual form. It tells whether the object changed, and nothing about its bytes.

    Breaks: the MD5 of the plain text tells everybody who may list the bucket which known file lies there, which is
    what the encryption was to hide. Another form than 32 hex digits breaks parsers.

    Fix: derive the ETag of such objects from something random, such as the digest of the encrypted bytes.
    """
    content = b"not to be recognised by its digest"
    key = s3.key("kms")
    s3.expect(s3.call("PutObject", Key=key, Body=content, ServerSideEncryption="aws:kms"), ok())
    s3.expect(s3.call("HeadObject", Key=key), ok(), _opaque(content))
    if s3.witness.endpoint.url.startswith("https:"):  # S3 takes a customer's key over nothing else
        key, secret = s3.key("customer"), customer_key()
        s3.expect(s3.look("PutObject", Key=key, Body=content, **secret), ok(), _opaque(content))
        s3.expect(s3.look("HeadObject", Key=key, **secret), ok(), _opaque(content))


def _opaque(content: bytes) -> Matcher:
    """The ETag has the usual form and is not the MD5 of these bytes."""
    plain = md5_etag(content)
    what = "32 hex digits in double quotes, not the MD5 of the data"
    return header_where("ETag", what, lambda value: bool(_QUOTED_HEX.fullmatch(value)) and value != plain)


@scenario(
    "ETAG-016",
    SHOULD,
    "GetObject",
    "HeadObject",
    source="LocalStack test_s3_get_object_preconditions (recorded on AWS)",
    clients=LIBRARIES,
)
def quotes_in_conditions(s3: Scene) -> None:
    """If-Match and If-None-Match take an ETag with its quotation marks or without them.

    S3 promises: both forms name the same ETag in conditions of GetObject and HeadObject. If-Match with either
    lets the read through, If-None-Match with either answers 304; another value does the opposite.

    Breaks: programs that stripped the quotes for display, or read the ETag from GetObjectAttributes, use it so: with
    a strict comparison their cache checks always download, and their guarded reads always fail.

    Fix: strip one pair of quotes from each tag before comparing it with the stored digest.
    """
    key, content = s3.key(), b"a cached object"
    s3.put(key, content)
    digest = hashlib.md5(content).hexdigest()
    for tag in (f'"{digest}"', digest):
        s3.expect(s3.call("GetObject", Key=key, IfMatch=tag), ok(), body(content))
        s3.expect(s3.call("HeadObject", Key=key, IfMatch=tag), ok())
        s3.expect(s3.call("GetObject", Key=key, IfNoneMatch=tag), refused(304))
        s3.expect(s3.call("HeadObject", Key=key, IfNoneMatch=tag), refused(304))
    other = hashlib.md5(b"another object").hexdigest()
    s3.expect(s3.call("GetObject", Key=key, IfMatch=other), refused(412, "PreconditionFailed"))
    s3.expect(s3.call("GetObject", Key=key, IfNoneMatch=other), ok(), body(content))
