"""Applications on the AWS SDK for JavaScript v3: streams, uploads in parts, and checksums on and off."""

from __future__ import annotations

import base64
import zlib

from harness.expect import body, header_where, no_header, ok, one_of, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import PART, Scene
from harness.signals import Inexpressible
from scenarios.workflows.jssdk import CONTENT, MEASURED, is_whole, script, sent

TWO_PARTS = bytes(range(256)) * (PART // 256) + b"and the rest of it"
"""Bytes that take two parts of the smallest size."""
REQUIRED = {"requestChecksumCalculation": "WHEN_REQUIRED", "responseChecksumValidation": "WHEN_REQUIRED"}


def _crc32(content: bytes) -> str:
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


@scenario(
    "JSSDK-002",
    SHOULD,
    "PutObject",
    source=f"AWS documentation, SigV4 streaming with trailers; boto/boto3#4435; {MEASURED}",
    clients=("jssdk",),
)
def put_of_a_stream(s3: Scene) -> None:
    """`new PutObjectCommand({ Body: stream, ContentLength })` stores the stream's bytes, and nothing of its framing.

    S3 promises: STREAMING-UNSIGNED-PAYLOAD-TRAILER is understood: the body comes in chunks of aws-chunked with a
    checksum behind them; the object is what is between. The SDK sends streams so over plain http too, without
    Content-Length but with x-amz-decoded-content-length.

    Breaks: `fs.createReadStream` as a Body. Gateways store the framing within the object, replay aws-chunked as its
    Content-Encoding, or answer 411 or 501.

    Fix: decode aws-chunked, verify or skip the trailer, and take aws-chunked out of what is stored.
    """
    key, content = s3.key("stream.bin"), bytes(range(256)) * 700
    put = script(s3, "stream", "PutObject", Key=key, Body=content, ContentLength=len(content))
    s3.expect(put, ok())
    uncoded = one_of(
        no_header("Content-Encoding"),
        header_where("Content-Encoding", "no aws-chunked", lambda value: "aws-chunked" not in value),
    )
    s3.expect(s3.look("GetObject", Key=key), ok(), body(content), uncoded)
    if "x-amz-trailer" not in sent(put):
        raise Inexpressible("this version of the SDK sends streams without a trailer")


@scenario(
    "JSSDK-003",
    MUST,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    source=f"AWS SDK for JavaScript v3, lib-storage Upload; {MEASURED}",
    clients=("jssdk",),
)
def upload(s3: Scene) -> None:
    """`new Upload()` of lib-storage stores a large Buffer in parts that are sent side by side.

    S3 promises: parts of one upload may come in any order and at once; each is kept until the upload is completed.
    The SDK announces CRC32 at the start, sends it with every part and names all of them at the end; it waits for
    100 Continue before a large part.

    Breaks: every upload of a large file from Node. Gateways that refuse x-amz-checksum-algorithm, or the ChecksumCRC32
    elements of CompleteMultipartUpload, refuse all of them.

    Fix: accept checksums in all three requests; answer 200 to the last only when the object is there.
    """
    key = s3.key("large.bin")
    s3.expect(s3.upload(key, TWO_PARTS), ok())
    is_whole(s3, key, TWO_PARTS)


@scenario(
    "JSSDK-019",
    SHOULD,
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
    source=f"AWS SDK for JavaScript v3, lib-storage Upload; {MEASURED}",
    clients=("jssdk",),
)
def upload_of_a_stream(s3: Scene) -> None:
    """`new Upload({ Body: stream })` stores a stream whose length nobody knows before its end.

    S3 promises: an upload in parts needs no length at its start; the last part may be of any size.

    Breaks: whatever is made while it is sent: archives, exports, request bodies passed on. PutObject cannot send
    them, Upload is what the SDK recommends.

    Fix: ask for no total size; take a last part of a few bytes.
    """
    key = s3.key("unknown-length.bin")
    s3.expect(script(s3, "uploadStream", "CompleteMultipartUpload", Key=key, Body=TWO_PARTS), ok())
    is_whole(s3, key, TWO_PARTS)


@scenario(
    "JSSDK-015",
    SHOULD,
    "GetObject",
    source=f"AWS documentation, Checking object integrity; aws/aws-sdk-js-v3#5032; {MEASURED}",
    clients=("jssdk",),
)
def get_of_parts(s3: Scene) -> None:
    """`new GetObjectCommand()` reads an object that was uploaded in parts with checksums.

    S3 promises: the checksum of such an object is made of those of its parts, and told with `-2` behind it; no client
    takes it for that of the bytes. The SDK asks for it by default.

    Breaks: a composite checksum told without its `-2`, or that of the last part, makes the SDK throw "Checksum
    mismatch" at the end of a download that was right.

    Fix: tell composite checksums with the number of parts and x-amz-checksum-type: COMPOSITE, or none at all.
    """
    key, parts = s3.key("parts.bin"), [TWO_PARTS[:PART], TWO_PARTS[PART:]]
    created = s3.setup("CreateMultipartUpload", Key=key, ChecksumAlgorithm="CRC32")
    upload_id, done = created.output.get("UploadId", ""), []
    for number, part in enumerate(parts, 1):
        given = {"PartNumber": number, "ChecksumCRC32": _crc32(part)}
        put = s3.setup("UploadPart", Key=key, UploadId=upload_id, Body=part, **given)
        done.append(given | {"ETag": put.etag or ""})
    s3.setup("CompleteMultipartUpload", Key=key, UploadId=upload_id, MultipartUpload={"Parts": done})
    s3.expect(s3.call("GetObject", Key=key), ok(), body(TWO_PARTS))


@scenario(
    "JSSDK-012",
    SHOULD,
    "PutObject",
    source=f"AWS SDKs and Tools Reference, Data integrity protections; {MEASURED}",
    clients=("jssdk",),
)
def put_without_checksums(s3: Scene) -> None:
    """With requestChecksumCalculation WHEN_REQUIRED the SDK stores a Buffer and a stream without any checksum.

    S3 promises: checksums are optional for PutObject. With this option the SDK sends no x-amz-checksum header and no
    trailer; a stream goes as UNSIGNED-PAYLOAD with its Content-Length.

    Breaks: the way out that gateways without checksums tell their users of: it has to lead somewhere.

    Fix: accept UNSIGNED-PAYLOAD over http as over https, and requests without any digest.
    """
    for name in ("call", "stream"):
        key = s3.key(name)
        put = script(s3, name, "PutObject", settings=REQUIRED, Key=key, Body=CONTENT, ContentLength=len(CONTENT))
        s3.expect(put, ok())
        is_whole(s3, key, CONTENT)
        if any("checksum" in header or header == "x-amz-trailer" for header in sent(put)):
            raise Inexpressible("this version of the SDK sends a checksum all the same")


@scenario(
    "JSSDK-013",
    SHOULD,
    "GetObject",
    source=f"AWS SDKs and Tools Reference, Data integrity protections; {MEASURED}",
    clients=("jssdk",),
)
def get_without_checksums(s3: Scene) -> None:
    """With responseChecksumValidation WHEN_REQUIRED the SDK reads an object without asking for its checksum.

    S3 promises: a checksum is for those who ask for it; with both options at WHEN_REQUIRED the SDK does not, and
    reads the bytes as they come.

    Breaks: the other half of the way out: downloads through gateways whose checksums cannot be trusted.

    Fix: serve GetObject without x-amz-checksum-mode.
    """
    key = s3.key("plain")
    s3.put(key, CONTENT)
    found = script(s3, "call", "GetObject", settings=REQUIRED, Key=key)
    s3.expect(found, ok(), body(CONTENT))
    if any("checksum" in header for header in sent(found)):
        raise Inexpressible("this version of the SDK asks for a checksum all the same")


@scenario("JSSDK-018", EXTENDED, "GetObject", source=MEASURED, clients=("jssdk",))
def get_with_a_checksum_of_nothing(s3: Scene) -> None:
    """With responseChecksumValidation alone at WHEN_REQUIRED the SDK reads objects, though it sends a checksum itself.

    S3 promises: x-amz-checksum-crc32 on a GET is about the body of the request, which is empty. With this one option
    the SDK sends AAAAAA==, the CRC32 of nothing, with every GetObject.

    Breaks: whoever turned off one option of the two, where a gateway compares that header with the object, or refuses
    it.

    Fix: hold x-amz-checksum headers against the body they came with, or leave them unread on GET.
    """
    key = s3.key("plain")
    s3.put(key, CONTENT)
    only = {"responseChecksumValidation": "WHEN_REQUIRED"}
    s3.expect(script(s3, "call", "GetObject", settings=only, Key=key), ok(), body(CONTENT))


@scenario(
    "JSSDK-014",
    SHOULD,
    "GetObject",
    source=f"AWS SDKs and Tools Reference, Retry behavior; {MEASURED}",
    clients=("jssdk",),
)
def refusals_are_final(s3: Scene) -> None:
    """With the SDK's retries on, a missing key is asked for once, and NoSuchKey thrown at once.

    S3 promises: 4xx is final; 500, 503 and SlowDown mean "try again", and the SDK does, three times in all.

    Breaks: gateways that answer 500 or 503 for what is not there make every such question three requests and a wait,
    and end it with an error that no application expects.

    Fix: keep 5xx for what may succeed later.
    """
    key = s3.key("there")
    s3.put(key, CONTENT)
    retrying = {"maxAttempts": 3}
    s3.expect(script(s3, "call", "GetObject", settings=retrying, Key=key), ok(), body(CONTENT))
    missing = script(s3, "call", "GetObject", settings=retrying, Key=s3.key("not-there"))
    s3.expect(missing, refused(404, "NoSuchKey"))
    s3.check(len(missing.exchanges) == 1, "one request", f"there were {len(missing.exchanges)}", missing)
