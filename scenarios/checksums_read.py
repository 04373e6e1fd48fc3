"""CKS: what reads, attributes and listings show of checksums."""

from __future__ import annotations

import hashlib

from harness.clients import LIBRARIES
from harness.expect import Matcher, body, ok, one_of, output, output_where, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from harness.wire import model
from harness.wire.checksums import ALGORITHMS
from scenarios._checksums import CONTENT, ENABLED, attributes, bare, carries, full_object, sent

TEN = b"0123456789"


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


def _entries(member_: str, wanted: dict[str, tuple[list[str], str]]) -> Matcher:
    """Algorithms and type of every key of a listing."""

    def found(entries: list[dict[str, object]]) -> dict[object, tuple[object, object]]:
        return {entry.get("Key"): (entry.get("ChecksumAlgorithm"), entry.get("ChecksumType")) for entry in entries}

    return output_where(member_, f"algorithms and types {wanted}", lambda entries: found(entries) == wanted)
