"""LIM: limits of requests and answers: pages, documents, bodies, header sections and presigned URLs."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.expect import body, keys, ok, one_of, output, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from harness.wire.sigv4 import UNSIGNED, encode
from scenarios.deletes import deleted, document
from scenarios.limits import MAX_KEY, long_key
from scenarios.mpu import begin, naming, nothing_stored, read_back, store
from scenarios.mpu_parts import ends, lists

PAGE = 1000
"""Entries of the largest page, and of the largest DeleteObjects."""

GIB = 1024**3
_WEEK = 604_800
_PATIENCE = 5.0
"""Seconds for an answer to headers without their body."""


def _target(s3: Scene, key: str, query: str = "") -> str:
    return f"/{s3.bucket}/{encode(key, safe='/')}" + (f"?{query}" if query else "")


@scenario(
    "LIM-010",
    MUST,
    "ListObjectsV2",
    "ListObjects",
    source="AWS documentation, ListObjectsV2 and ListObjects",
    confidence="partly unverified",
    clients=("raw",),
)
def largest_page(s3: Scene) -> None:
    """A page of a listing has at most 1000 keys, even where max-keys asks for more, and says that it is truncated.

    S3 promises: max-keys may ask for less, not for more; a greater number is no error. The rest comes with the next
    page, in both versions of the listing.

    Breaks: clients size their buffers and timeouts for pages of 1000; a gateway that answers with everything at once
    runs into both with large buckets, and one that refuses the number cannot be listed by tools that send a high
    one and rely on the cut.

    Fix: use the smaller of max-keys and 1000, and set IsTruncated by what lies behind the page.
    """
    planted = [s3.key(f"{number:04}") for number in range(PAGE + 1)]
    try:
        for key in planted:
            s3.put(key, b"")
        for asked in ({"MaxKeys": 5000}, {}):
            page = s3.call("ListObjectsV2", Prefix=s3.prefix, **asked)
            s3.expect(page, ok(), keys(planted[:PAGE]), output("IsTruncated", True))
            token = str(page.output.get("NextContinuationToken", ""))
            rest = s3.call("ListObjectsV2", Prefix=s3.prefix, ContinuationToken=token, **asked)
            s3.expect(rest, ok(), keys(planted[PAGE:]), output("IsTruncated", False))
        first = s3.call("ListObjects", Prefix=s3.prefix, MaxKeys=5000)
        s3.expect(first, ok(), keys(planted[:PAGE]), output("IsTruncated", True))
    finally:
        s3.look("DeleteObjects", **document(planted[:PAGE], Quiet=True))  # in one request; the sandbox needs as many


@scenario(
    "LIM-011",
    MUST,
    "DeleteObjects",
    source="AWS documentation, DeleteObjects",
    confidence="partly unverified",
    clients=CALLERS,
)
def largest_delete(s3: Scene) -> None:
    """DeleteObjects takes 1000 keys in one request, and answers for each of them.

    S3 promises: up to 1000 keys, all handled and all reported.

    Breaks: s5cmd rm, s3cmd del --recursive, mc and boto3's `bucket.objects.delete()` send full batches; where the
    gateway stops earlier, or reports only some, objects stay that the user believes deleted.

    Fix: allow 1000 entries, and give the operation the time that they take.
    """
    existing = [s3.key(f"{number:04}") for number in (0, PAGE // 2, PAGE - 1)]
    for key in existing:
        s3.put(key)
    names = [s3.key(f"{number:04}") for number in range(PAGE)]
    _deletes(s3, names)


def _deletes(s3: Scene, names: list[str]) -> None:
    """One DeleteObjects reports each of these keys as deleted, and no key of the cell is left."""
    s3.expect(s3.call("DeleteObjects", **document(names)), ok(), deleted(names))
    s3.expect(s3.look("ListObjectsV2", Prefix=s3.prefix), ok(), keys([]))


@scenario(
    "LIM-012",
    EXTENDED,
    "DeleteObjects",
    source="AWS documentation, DeleteObjects, and Naming Amazon S3 objects",
    confidence="partly unverified",
    clients=("raw",),
)
def largest_delete_document(s3: Scene) -> None:
    """DeleteObjects reads a document of 1000 keys that have 1024 bytes each, about a megabyte of XML.

    S3 promises: both limits hold at once: a full batch of the longest keys is a request like any other.

    Breaks: buckets with deep trees: the batches of s5cmd and s3cmd pass with short keys and fail with long ones,
    depending on how many of them meet in one request.

    Fix: allow documents of some megabytes, and set the limits of proxies in front accordingly.
    """
    stem = long_key(s3, MAX_KEY - 4)
    names = [f"{stem}{number:04}" for number in range(PAGE)]
    for key in (names[0], names[-1]):
        s3.put(key)
    _deletes(s3, names)


@scenario(
    "LIM-013",
    SHOULD,
    "CompleteMultipartUpload",
    source="AWS documentation, Amazon S3 multipart upload limits",
    confidence="partly unverified",
    clients=("raw",),
)
def largest_list_of_parts(s3: Scene) -> None:
    """CompleteMultipartUpload reads a document of 10000 parts, and judges the parts in it.

    S3 promises: all 10000 parts of an upload can be named. Here only the first exists, so that the answer is 400
    InvalidPart (or EntityTooSmall for the first): the document was read, and not refused for its size.

    Breaks: the largest uploads, and only those: a limit on the size of XML documents shows after hours, when all
    parts are there and cannot be joined.

    Fix: allow about a megabyte for this document, and do not parse it with quadratic effort.
    """
    upload = begin(s3, s3.key())
    part = store(s3, upload, 1, b"the first")
    parts = [part | {"PartNumber": number} for number in range(1, 10_001)]
    refusal = s3.call("CompleteMultipartUpload", **upload, **naming(*parts))
    s3.expect(refusal, one_of(refused(400, "InvalidPart"), refused(400, "EntityTooSmall")))
    nothing_stored(s3, upload["Key"])
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **naming(part)), ok())
    read_back(s3, upload["Key"], b"the first")


@scenario(
    "LIM-014",
    SHOULD,
    "UploadPart",
    source="AWS documentation, Amazon S3 multipart upload limits, and Error responses",
    confidence="partly unverified",
    clients=("raw",),
)
def part_too_large(s3: Scene) -> None:
    """A part that declares more than 5 GiB is refused with 400 EntityTooLarge before its body is sent.

    S3 promises: a part has at most 5 GiB. With Expect: 100-continue the refusal comes for the headers alone, so that
    nothing of the body crosses the wire. (An object in one PUT is META-022.)

    Breaks: clients with a part size set too high send gigabytes for hours before they learn of it, or fill the disk
    of a gateway that buffers parts.

    Fix: compare the declared length with 5 GiB before answering 100 Continue.
    """
    upload = begin(s3, s3.key())
    target = _target(s3, upload["Key"], f"partNumber=1&uploadId={encode(upload['UploadId'])}")
    refusal = _declared(s3, "UploadPart", target, 5 * GIB + 1)
    s3.expect(refusal, refused(400, "EntityTooLarge"))
    s3.expect(s3.look("ListParts", **upload), ok(), lists())
    s3.expect(s3.send("UploadPart", "PUT", target, body=b"a small part", bucket=s3.bucket), ok())


def _declared(s3: Scene, operation: str, target: str, size: int) -> Observed:
    """The answer to the headers of a PUT of `size` bytes, of which none is sent."""
    if not isinstance(s3.client, RawClient):
        raise Inexpressible(f"{s3.client.name} sends the body that it announces")
    # An endpoint that asks for the body waits for it, longer than is worth waiting for an answer.
    client = type(s3.client)(msgspec.structs.replace(s3.client.endpoint, timeout=_PATIENCE))
    headers = [("Content-Length", str(size)), ("Expect", "100-continue"), ("x-amz-content-sha256", UNSIGNED)]
    try:
        answer = client.send(
            operation, "PUT", target, headers, bucket=s3.bucket, content_length=False, patience=_PATIENCE
        )
        return s3.keep("client", answer)
    finally:
        client.close()


@scenario(
    "LIM-015",
    SHOULD,
    "ListParts",
    "ListMultipartUploads",
    source="AWS documentation, ListParts and ListMultipartUploads",
    confidence="partly unverified",
    clients=LIBRARIES,
)
def largest_pages_of_uploads(s3: Scene) -> None:
    """max-parts and max-uploads above 1000 mean 1000, and the answer says so.

    S3 promises: a page of parts or of uploads has at most 1000 entries. A greater limit is no error; MaxParts and
    MaxUploads tell the limit that was in force.

    Breaks: strict validation for most; programs that page by their own count (start at entry 2000 next) skip what
    the page did not hold when the echo repeats their number.

    Fix: clamp the limit before it is used, and echo the clamped one.
    """
    upload = begin(s3, s3.key())
    store(s3, upload, 1, b"part")
    parts = s3.call("ListParts", **upload, MaxParts=5000)
    s3.expect(parts, ok(), output("MaxParts", PAGE), ends())
    uploads = s3.call("ListMultipartUploads", Prefix=s3.prefix, MaxUploads=5000)
    s3.expect(uploads, ok(), output("MaxUploads", PAGE), ends())


@scenario(
    "LIM-016",
    SHOULD,
    "PutObject",
    "GetObject",
    source="AWS documentation, Working with object metadata",
    confidence="partly unverified",
    clients=("raw",),
)
def large_header_section(s3: Scene) -> None:
    """A request whose header section has more than 7 KB is served.

    S3 promises: the headers of a PUT may have 8 KB in all. Headers that S3 does not know are ignored, however many
    there are within that.

    Breaks: long session tokens, 2 KB of metadata, checksums and the headers of tracing tools add up; gateways and
    proxies with buffers of 4 KB answer 400 or 431 to some users only.

    Fix: allow at least 8 KB for the header section, and more for the request line beside it.
    """
    key, content = s3.key(), b"with many headers"
    padding = [(f"X-S3conform-Padding-{number}", "p" * 900) for number in range(7)]
    stored = s3.send("PutObject", "PUT", _target(s3, key), *padding, body=content, bucket=s3.bucket)
    s3.expect(stored, ok())
    s3.expect(s3.send("GetObject", "GET", _target(s3, key), *padding, bucket=s3.bucket), ok(), body(content))
    read_back(s3, key, content)


@scenario(
    "LIM-017",
    EXTENDED,
    "PutObject",
    source="AWS documentation, Error responses",
    confidence="partly unverified",
    clients=("raw",),
)
def header_section_too_large(s3: Scene) -> None:
    """A header section of 64 KB is refused with an answer: 400 RequestHeaderSectionTooLarge, or 431.

    S3 promises: an error document with the code RequestHeaderSectionTooLarge; 431, which RFC 6585 has for it, is
    accepted here and noted. Nothing is stored, and the endpoint goes on to serve.

    Breaks: where the connection is just closed, SDKs take it for a failure of the network and send the same request
    again and again.

    Fix: stop reading at the limit, but answer before closing.
    """
    key = s3.key()
    padding = [(f"X-S3conform-Padding-{number}", "p" * 1000) for number in range(64)]
    refusal = s3.send("PutObject", "PUT", _target(s3, key), *padding, body=b"x", bucket=s3.bucket)
    s3.expect(refusal, one_of(refused(400, "RequestHeaderSectionTooLarge"), refused(431)))
    s3.note(f"answered {refusal.status} {refusal.code}".rstrip())
    nothing_stored(s3, key)
    s3.expect(s3.send("PutObject", "PUT", _target(s3, key), *padding[:1], body=b"x", bucket=s3.bucket), ok())


@scenario(
    "LIM-018",
    SHOULD,
    "GetObject",
    source="AWS documentation, Authenticating requests: using query parameters",
    confidence="partly unverified",
    clients=("raw",),
)
def longest_presigned_url(s3: Scene) -> None:
    """A presigned URL may be valid for 604800 seconds, which are seven days, and works.

    S3 promises: X-Amz-Expires goes up to 604800, the end included.

    Breaks: links in mails, package indexes and CI artefacts are presigned for the longest time there is; a gateway
    with a shorter limit of its own refuses URLs that every SDK makes without a word.

    Fix: compare with "above 604800".
    """
    key, content = s3.key(), b"to be fetched within a week"
    s3.put(key, content)
    for seconds in (1 + _WEEK // 2, _WEEK):
        s3.expect(_presigned(s3, key, seconds), ok(), body(content))


def _presigned(s3: Scene, key: str, seconds: int) -> Observed:
    """GetObject of a key by a URL that is valid for so long."""
    endpoint, signer = urlsplit(s3.witness.endpoint.url), s3.witness.signer()
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={encode(signer.credential)}&X-Amz-Date={signer.stamp}"
        f"&X-Amz-Expires={seconds}&X-Amz-SignedHeaders=host"
    )
    target = _target(s3, key, query)
    whole = endpoint.path.rstrip("/") + target
    _, signature = signer.request("GET", whole, [("Host", endpoint.netloc)], UNSIGNED)
    signed = f"{target}&X-Amz-Signature={signature}"
    return s3.send("GetObject", "GET", signed, bucket=s3.bucket, addressing="path", signing=None)


@scenario(
    "LIM-019",
    EXTENDED,
    "CompleteMultipartUpload",
    source="AWS documentation, CompleteMultipartUpload, and Amazon S3 multipart upload limits",
    confidence="partly unverified",
    clients=("raw",),
)
def size_beyond_32_bits(s3: Scene) -> None:
    """x-amz-mp-object-size is read whole: the right size plus 4 GiB, or plus 4 TiB, is refused with 400.

    S3 promises: the header is compared with the sum of the parts as a number of any object's size. One that differs
    is 400 InvalidRequest (MPC-030), also where only bits beyond the lower 32 differ.

    Breaks: the check is there to notice that parts of a large upload are missing; counted in 32 bits it says yes to
    an object of 5 GiB that has arrived as 1 GiB.

    Fix: parse and compare as 64-bit integers.
    """
    content = b"the only part"
    upload = begin(s3, s3.key())
    part = naming(store(s3, upload, 1, content))
    for wrong in (4 * GIB, 4096 * GIB):
        refusal = s3.call("CompleteMultipartUpload", **upload, **part, MpuObjectSize=len(content) + wrong)
        s3.expect(refusal, refused(400, "InvalidRequest"))
        nothing_stored(s3, upload["Key"])
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **part, MpuObjectSize=len(content)), ok())
    read_back(s3, upload["Key"], content)


@scenario(
    "LIM-020",
    SHOULD,
    "UploadPart",
    "CompleteMultipartUpload",
    source="AWS documentation, Amazon S3 multipart upload limits (the last part has no minimum); NVIDIA/aistore",
    confidence="partly unverified",
    clients=LIBRARIES,
)
def one_empty_part(s3: Scene) -> None:
    """An upload of a single part without a byte is completed, and the object is empty.

    S3 promises: the last part may be of any size, also of none; an upload needs at least one part.

    Breaks: streaming writers that open an upload before they know whether any data comes: Hadoop's S3A, s3fs and
    smart_open end such a stream with one empty part, since an upload without parts cannot be completed.

    Fix: hold parts other than the last to the minimum, and let the last one be empty.
    """
    upload = begin(s3, s3.key())
    s3.expect(s3.call("UploadPart", **upload, PartNumber=1, Body=b""), ok())
    part = naming(store(s3, upload, 1, b""))
    s3.expect(s3.call("CompleteMultipartUpload", **upload, **part), ok())
    read_back(s3, upload["Key"], b"")
