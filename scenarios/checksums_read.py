"""CKS: what is stored without a checksum, and what reads, listings, attributes and copies show of checksums."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json

from harness.clients import LIBRARIES
from harness.expect import Matcher, body, ok, one_of, output, output_where, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.signals import Inexpressible
from harness.wire import model
from harness.wire.checksums import ALGORITHMS, DEFAULT, checksum, member
from scenarios._checksums import (
    CONTENT,
    ENABLED,
    attributes,
    bare,
    carries,
    full_object,
    keeps,
    sent,
)
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
    "CKS-014",
    SHOULD,
    "GetObject",
    "HeadObject",
    source="LocalStack test_head_object_fields (recorded on AWS); versitygw REST test attempt to get checksum "
    "without checksum mode",
    clients=("raw",),
)
def only_in_checksum_mode(s3: Scene) -> None:
    """GET and HEAD show x-amz-checksum-* headers only when the request has x-amz-checksum-mode: ENABLED.

    S3 promises: without the mode no header of the answer speaks of a checksum; with it the value and its type are
    there.

    Breaks: users switch verification off (response_checksum_validation = when_required) because a proxy between
    them and the endpoint decodes or rewrites bodies; a header that comes all the same brings their errors back in
    clients that verify whatever they see.

    Fix: print the stored checksum only when the mode is there.
    """
    key = s3.key()
    s3.put(key, CONTENT, **sent("CRC32", CONTENT))
    for operation in ("GetObject", "HeadObject"):
        s3.expect(s3.call(operation, Key=key), ok(), bare())
        s3.expect(s3.call(operation, Key=key, **ENABLED), ok(), carries("CRC32", CONTENT), full_object())


@scenario(
    "CKS-015",
    SHOULD,
    "GetObject",
    source="LocalStack test_s3_get_object_checksum (recorded on AWS)",
    clients=LIBRARIES,
)
def mode_in_any_case(s3: Scene) -> None:
    """x-amz-checksum-mode is understood in any letter case: ENABLED, enabled, Enabled.

    S3 promises: the value of this header is compared without regard to case.

    Breaks: clients spell it in several ways; against an endpoint that insists on capitals a reader in lower case
    loses its verification silently, since the object still comes.

    Fix: fold the case of the value before comparing it.
    """
    key = s3.key()
    s3.put(key, CONTENT, **sent("SHA256", CONTENT))
    for mode in ("ENABLED", "enabled", "Enabled"):
        found = s3.call("GetObject", Key=key, ChecksumMode=mode)
        s3.expect(found, ok(), body(CONTENT), carries("SHA256", CONTENT))


@scenario(
    "CKS-016",
    SHOULD,
    "GetObject",
    source="LocalStack test_s3_get_object_checksum and test_get_object_range (recorded on AWS)",
    clients=LIBRARIES,
)
def none_for_a_slice(s3: Scene) -> None:
    """A range that returns only part of the object does not carry the object's checksum, even in checksum mode.

    S3 promises: a checksum beside a body is that of the body. Where part of the object comes there is none.

    Breaks: current SDKs ask every GET in checksum mode and verify what arrives: with the whole object's value on a
    slice, each ranged or resumed download, and each parallel one, ends with a checksum error.

    Fix: print the checksum only where the bytes sent are the whole object.
    """
    key = s3.key()
    s3.put(key, TEN, **sent("CRC32", TEN))
    for wanted, slice_ in (("bytes=0-3", TEN[:4]), ("bytes=4-", TEN[4:]), ("bytes=-1", TEN[-1:])):
        s3.expect(s3.call("GetObject", Key=key, Range=wanted, **ENABLED), one_of(ok(206), ok()), body(slice_), bare())
    s3.expect(s3.call("GetObject", Key=key, **ENABLED), ok(), body(TEN), carries("CRC32", TEN))


@scenario(
    "CKS-017",
    EXTENDED,
    "GetObject",
    source="LocalStack test_get_object_range (recorded on AWS)",
    clients=LIBRARIES,
)
def checksum_of_a_full_range(s3: Scene) -> None:
    """A range that comes out as the whole object is 206 and does carry the checksum in checksum mode.

    S3 promises: what counts is what is returned: bytes=0-100 or bytes=-15 of ten bytes are all of them, the answer
    is partial content in form only, and has the checksum.

    Breaks: parallel downloaders (those built on the AWS Common Runtime) begin with a range of a whole part, which
    for small objects is more than there is; without the value these downloads are not verified.

    Fix: decide after the range is resolved against the size, not from the presence of the header.
    """
    key = s3.key()
    s3.put(key, TEN, **sent("CRC32", TEN))
    for wanted in ("bytes=0-100", "bytes=-15"):
        found = s3.call("GetObject", Key=key, Range=wanted, **ENABLED)
        s3.expect(found, ok(206), body(TEN), carries("CRC32", TEN))


@scenario(
    "CKS-018",
    SHOULD,
    "GetObjectAttributes",
    source="LocalStack test_get_object_attributes (recorded on AWS); versitygw REST test attributes - checksum",
    clients=LIBRARIES,
)
def checksum_among_attributes(s3: Scene) -> None:
    """GetObjectAttributes shows in Checksum the value under the algorithm's name, and the ChecksumType.

    S3 promises: the Checksum element has one child for the algorithm, ChecksumCRC32 for instance, and ChecksumType.

    Breaks: programs that verify objects without downloading them ask here; with the element empty or missing they
    fall back to reading everything.

    Fix: print the stored value and type, and only when Checksum is among the attributes asked for.
    """
    for algorithm in ALGORITHMS:
        key = s3.key(algorithm)
        s3.put(key, CONTENT, **sent(algorithm, CONTENT))
        shown = sent(algorithm, CONTENT) | {"ChecksumType": "FULL_OBJECT"}
        s3.expect(attributes(s3, key, "Checksum"), ok(), output("Checksum", shown))


@scenario(
    "CKS-019",
    SHOULD,
    "GetObjectAttributes",
    source="versitygw REST test attributes - invalid param",
    clients=LIBRARIES,
)
def unknown_attribute(s3: Scene) -> None:
    """GetObjectAttributes with a name that S3 does not know is refused with 400 InvalidArgument.

    S3 promises: the attributes are ETag, Checksum, ObjectParts, StorageClass and ObjectSize. Any other name is an
    error, also beside known ones.

    Breaks: strict validation. A misspelt name answered with an empty document looks like an object that lacks the
    attribute.

    Fix: compare each name with the five, in their exact spelling.
    """
    key = s3.key()
    s3.put(key, CONTENT)
    for asked in (("Colour",), ("ObjectSize", "Colour")):
        s3.expect(attributes(s3, key, *asked), refused(400, "InvalidArgument"))
    s3.expect(attributes(s3, key, "ObjectSize"), ok(), output("ObjectSize", len(CONTENT)))


@scenario(
    "CKS-020",
    SHOULD,
    "GetObjectAttributes",
    source="none recorded; RFC 9110 §5.3, combined field values",
    confidence="unverified",
    clients=("raw",),
)
def attributes_in_several_lines(s3: Scene) -> None:
    """x-amz-object-attributes means the same as several header lines and as one line with commas.

    S3 promises: what HTTP says of every list in a header: lines of the same name are one list, in their order.

    Breaks: the SDK for Go writes one line for each name, boto3 one list; an endpoint that reads the first line alone
    shows half of what was asked for.

    Fix: join the lines of the header before splitting at the commas.
    """
    key, name = s3.key(), "x-amz-object-attributes"
    s3.put(key, CONTENT)
    forms: tuple[tuple[str, ...], ...] = (("ETag,ObjectSize",), ("ETag, ObjectSize",), ("ETag", "ObjectSize"))
    target = model.build("GetObjectAttributes", {"Bucket": s3.bucket, "Key": key}).target
    for form in forms:
        lines = [(name, value) for value in form]
        answer = s3.send("GetObjectAttributes", "GET", target, *lines, bucket=s3.bucket)
        s3.expect(answer, ok(), output("ETag", hashlib.md5(CONTENT).hexdigest()), output("ObjectSize", len(CONTENT)))


@scenario(
    "CKS-021",
    SHOULD,
    "ListObjectsV2",
    "ListObjectVersions",
    source="LocalStack test_list_objects_versions_markers and test_object_with_slashes_in_key (recorded on AWS)",
    clients=LIBRARIES,
)
def checksums_in_listings(s3: Scene) -> None:
    """Entries of ListObjectsV2 and ListObjectVersions show ChecksumAlgorithm and ChecksumType of each object.

    S3 promises: a listing names the algorithm and the type; the value itself comes from HEAD or the attributes.

    Breaks: tools that verify a bucket choose from the listing how to hash their local files; without it they need
    one more request for every object.

    Fix: keep algorithm and type in the index beside size and ETag, and print both in each entry.
    """
    wanted = {s3.key(algorithm): ([algorithm], "FULL_OBJECT") for algorithm in ("CRC32", "CRC64NVME", "SHA256")}
    for key, ((algorithm,), _) in wanted.items():
        s3.put(key, CONTENT, **sent(algorithm, CONTENT))
    for operation, entries in (("ListObjectsV2", "Contents"), ("ListObjectVersions", "Versions")):
        s3.expect(s3.call(operation, Prefix=s3.prefix), ok(), _entries(entries, wanted))


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
        s3.expect(answer, ok(), _copied(algorithm))
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
        s3.expect(answer, ok(), _copied(algorithm))
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


def _entries(member_: str, wanted: dict[str, tuple[list[str], str]]) -> Matcher:
    """Algorithms and type of every key of a listing."""

    def found(entries: list[dict[str, object]]) -> dict[object, tuple[object, object]]:
        return {entry.get("Key"): (entry.get("ChecksumAlgorithm"), entry.get("ChecksumType")) for entry in entries}

    return output_where(member_, f"algorithms and types {wanted}", lambda entries: found(entries) == wanted)


def _copied(algorithm: str) -> Matcher:
    """CopyObjectResult has the checksum of the content."""
    value = checksum(algorithm, CONTENT)
    return output_where(
        "CopyObjectResult",
        f"{member(algorithm)} {value!r}",
        lambda result: isinstance(result, dict) and result.get(member(algorithm)) == value,
    )
