"""CKS: which checksum an object is stored with: the default, that of a copy, that of a framed upload."""

from __future__ import annotations

import base64
import datetime as dt
import json

from harness.clients import LIBRARIES
from harness.expect import ok
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from harness.wire.checksums import DEFAULT
from scenarios._checksums import CONTENT, ENABLED, carries, document, full_object, keeps, sent
from scenarios._customer_keys import customer_key
from scenarios._streaming import put, trailing

TEN = b"0123456789"


@scenario(
    "CKS-011",
    SHOULD,
    "PutObject",
    "HeadObject",
    source="LocalStack test_s3_checksum_no_automatic_sdk_calculation (recorded on AWS); versitygw REST test "
    "HeadObject - default crc64nvme checksum",
    clients=("raw",),
)
def default_checksum(s3: Scene) -> None:
    """An object sent without any checksum gets a CRC64NVME of all its bytes, which HEAD in checksum mode shows.

    S3 promises: since December 2024 every object has a checksum. Where the client sends none, the endpoint computes
    CRC64NVME and stores it with the type FULL_OBJECT; empty objects included.

    Breaks: tools that verify a bucket from its checksums alone (inventories, replication checks) find objects of
    older clients, curl and rclone without one and must download them.

    Fix: compute CRC64NVME over the stored bytes whenever the request names no algorithm.
    """
    for name, content in (("empty", b""), ("small", CONTENT)):
        key = s3.key(name)
        s3.expect(s3.call("PutObject", Key=key, Body=content), ok())
        shown = s3.call("HeadObject", Key=key, **ENABLED)
        s3.expect(shown, ok(), carries(DEFAULT, content), full_object())


@scenario(
    "CKS-012",
    SHOULD,
    "PostObject",
    source="LocalStack test_post_object_default_checksum (recorded on AWS)",
    clients=("raw",),
)
def default_checksum_of_form(s3: Scene) -> None:
    """A browser form without a checksum field is answered with x-amz-checksum-crc64nvme, and the object keeps it.

    S3 promises: POST of a form is an upload like any other: no checksum sent, CRC64NVME computed, shown in the
    answer, and stored with type FULL_OBJECT.

    Breaks: web applications let browsers upload by form; their back ends check later from the checksum whether the
    file arrived as it was chosen.

    Fix: send the file of a form through the same writer as PutObject, and print the same headers.
    """
    key = s3.key()
    kind, form = _form(s3, key, CONTENT)
    # The model of S3 has no PostObject; what its answer shows of checksums is in the headers of PutObject.
    answer = s3.send("PutObject", "POST", f"/{s3.bucket}", kind, body=form, bucket=s3.bucket, signing=None)
    s3.expect(answer, ok(204), carries(DEFAULT, CONTENT))
    keeps(s3, key, DEFAULT, CONTENT)


@scenario(
    "CKS-013",
    EXTENDED,
    "PutObject",
    "HeadObject",
    source="LocalStack test_put_object_default_checksum_with_sse_c (recorded on AWS)",
    clients=("raw",),
)
def default_checksum_under_customer_key(s3: Scene) -> None:
    """An object under a customer key (SSE-C) gets the default CRC64NVME too, of its plain bytes.

    S3 promises: encryption does not change the rule: no checksum sent, CRC64NVME stored. The value is that of the
    bytes the client sent, and HEAD shows it to whoever has the key.

    Breaks: the ETag of such an object is no MD5, so the checksum is all that a backup tool with SSE-C can verify
    an object by.

    Fix: compute the checksum before encryption, on the same path as for other uploads.
    """
    key, encrypted = s3.key(), customer_key()
    answer = s3.call("PutObject", Key=key, Body=CONTENT, **encrypted)
    if answer.status == 400 and s3.witness.endpoint.url.startswith("http:"):
        raise Inexpressible("the endpoint takes customer keys over https only")  # as AWS does
    s3.expect(answer, ok())
    shown = s3.call("HeadObject", Key=key, **encrypted, **ENABLED)
    s3.expect(shown, ok(), carries(DEFAULT, CONTENT), full_object())


@scenario(
    "CKS-022",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_with_default_checksum (recorded on AWS)",
    clients=LIBRARIES,
)
def copy_keeps_the_algorithm(s3: Scene) -> None:
    """A copy has a checksum of its source's algorithm when none is asked for, in CopyObjectResult and on HEAD.

    S3 promises: the copy is hashed with the algorithm that the source was stored with, and CopyObjectResult shows
    the value.

    Breaks: renames and moves are copies; an object that loses its SHA256 on the way drops out of compliance checks
    that go by it.

    Fix: carry the algorithm over from the source, and print the value in the result document.
    """
    for algorithm in ("CRC32", "SHA256"):
        source, copy = s3.key(f"{algorithm}/source"), s3.key(f"{algorithm}/copy")
        s3.put(source, CONTENT, **sent(algorithm, CONTENT))
        answer = s3.call("CopyObject", Key=copy, CopySource=f"{s3.bucket}/{source}")
        s3.expect(answer, ok(), document("CopyObjectResult", sent(algorithm, CONTENT)))
        keeps(s3, copy, algorithm, CONTENT)


@scenario(
    "CKS-023",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_with_checksum (recorded on AWS)",
    clients=LIBRARIES,
)
def copy_changes_the_algorithm(s3: Scene) -> None:
    """x-amz-checksum-algorithm on CopyObject decides the algorithm that the copy is stored with and shows.

    S3 promises: the algorithm asked for is computed over the copied bytes, stored, and printed in CopyObjectResult;
    that of the source is gone.

    Breaks: copying in place with an algorithm is how AWS tells users to give old objects a checksum.

    Fix: read the bytes once while copying whenever the algorithm differs from the stored one.
    """
    source = s3.key("source")
    s3.put(source, CONTENT, **sent("CRC32", CONTENT))
    for algorithm in ("CRC32C", "CRC64NVME", "SHA1", "SHA256"):
        copy = s3.key(algorithm)
        origin = f"{s3.bucket}/{source}"
        answer = s3.call("CopyObject", Key=copy, CopySource=origin, ChecksumAlgorithm=algorithm)
        s3.expect(answer, ok(), document("CopyObjectResult", sent(algorithm, CONTENT)))
        keeps(s3, copy, algorithm, CONTENT)


@scenario(
    "CKS-024",
    SHOULD,
    "PutObject",
    source="LocalStack test_s3_checksum_with_content_encoding (recorded on AWS); OpenStack Swift S3 "
    "cross-compatibility test test_strm_unsgnd_pyld_trl_with_trailer_ok",
    clients=("raw",),
)
def checksum_of_stored_bytes(s3: Scene) -> None:
    """The checksum is of the bytes that are stored, not of the aws-chunked framing nor of decoded content.

    S3 promises: framing is taken off before anything is hashed, and what Content-Encoding says about the bytes
    (gzip) changes nothing: S3 never looks into them.

    Breaks: every upload of a current SDK over https is framed this way; hashing the framing refuses all of them,
    decompressing first refuses those of web assets that are uploaded compressed.

    Fix: hash behind the decoder of aws-chunked, and treat all other codings as a label.
    """
    for coding in ("aws-chunked", "gzip,aws-chunked"):
        key = s3.key(coding.partition(",")[0])
        stream = trailing("CRC32", TEN)
        s3.expect(put(s3, key, stream, {"Content-Encoding": coding}), ok(), carries("CRC32", TEN))
        keeps(s3, key, "CRC32", TEN)


def _form(s3: Scene, key: str, content: bytes) -> tuple[tuple[str, str], bytes]:
    """A signed form that uploads a file: its Content-Type, and its bytes."""
    signer, token = s3.witness.signer(), s3.witness.endpoint.credentials.session_token
    fields = {
        "key": key,
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": signer.credential,
        "x-amz-date": signer.stamp,
    } | ({"x-amz-security-token": token} if token else {})
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=10)
    conditions = [{"bucket": s3.bucket}, *({name: value} for name, value in fields.items())]
    policy = json.dumps({"expiration": f"{ends:%Y-%m-%dT%H:%M:%SZ}", "conditions": conditions})
    fields["policy"] = base64.b64encode(policy.encode()).decode()
    fields["x-amz-signature"] = signer.sign(fields["policy"])
    pieces = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    pieces.append(b'name="file"; filename="file"\r\nContent-Type: application/octet-stream\r\n\r\n' + content)
    limit = "s3conform-limit"
    lines = b"".join(f"--{limit}\r\nContent-Disposition: form-data; ".encode() + piece + b"\r\n" for piece in pieces)
    return ("Content-Type", f"multipart/form-data; boundary={limit}"), lines + f"--{limit}--\r\n".encode()
