"""MPC: the checksum of a completed object, its known values, and what attributes and part reads show of it."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import Matcher, absent, body, etag, ok, one_of, output, output_where
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import PART, Scene
from harness.wire.checksums import COMPOSITE, DEFAULT, checksum, composite, member
from scenarios._checksum_uploads import RECORDED, Upload, begun, complete, completed, part, value_of
from scenarios._checksums import CONTENT, ENABLED, OTHER, attributes, bare, document, sent
from scenarios.mpu import begin, filler

SIZE = 5242881
KNOWN_ETAG = '"4d45984fc3feb2ac9b22683c49674b56-3"'
KNOWN_COMPOSITE = {
    "CRC32": "5FRUiw==-3",
    "CRC32C": "XF5+4A==-3",
    "SHA1": "AyE60nyQoBgJcwsyPHWu7aJuxBs=-3",
    "SHA256": "9o++y6AejqboiJ7MZCx0fahK2Vu5YC/qnNhhYsCLciI=-3",
}
KNOWN_FULL = {"CRC32": "qSEQSA==", "CRC32C": "eTdAQA==", "CRC64NVME": "ZMNX55lZurA="}
"""Values of two parts of `SIZE` times "a" and one of ten, recorded on AWS."""

LARGE_PART = {
    "CRC32": "NRU+Sw==",
    "CRC32C": "2/Ckiw==",
    "SHA1": "bH71WIZUKQtUwR2wKSSkFjCRBPM=",
    "SHA256": "DjU70AB1bON8k0n0fVHv2PJQVWcA/jWsITp6ti20Tbs=",
}
"""Values of `SIZE` times "a": written down, since CRC-32C of so much takes a second to compute here."""


@scenario(
    "MPC-020",
    SHOULD,
    "CompleteMultipartUpload",
    "GetObject",
    "HeadObject",
    source=RECORDED.format("composite"),
    clients=LIBRARIES,
)
def composite_checksum(s3: Scene) -> None:
    """A COMPOSITE checksum is that of the joined raw part checksums, then "-" and the number of parts.

    S3 promises: take the raw value of each part in order, join them, compute the algorithm over that, print it in
    base64, and append the count. Complete, GET and HEAD in checksum mode show the same text.

    Breaks: SDKs tell by the "-N" that they must not verify the download against the value; without it every read of
    a multipart object ends with a checksum error (aws-sdk-cpp#3496). Verifying tools compute the same value from
    the parts of a local file.

    Fix: keep the raw value of every part and hash those; not the base64 text, and not the assembled object.
    """
    for algorithm in COMPOSITE:
        upload = begun(s3, algorithm, algorithm, "COMPOSITE")
        expected = value_of(algorithm, composite(algorithm, CONTENT), "COMPOSITE")
        s3.expect(complete(s3, upload, part(s3, upload, 7, CONTENT, algorithm)), ok(), *expected)
        s3.expect(s3.call("GetObject", Key=upload["Key"], **ENABLED), ok(), body(CONTENT), *expected)
        s3.expect(s3.call("HeadObject", Key=upload["Key"], **ENABLED), ok(), *expected)


@scenario("MPC-021", SHOULD, "GetObjectAttributes", source=RECORDED.format("composite"), clients=LIBRARIES)
def composite_among_attributes(s3: Scene) -> None:
    """GetObjectAttributes prints a composite checksum without the "-N" at its end.

    S3 promises: in the Checksum element of the document the value is base64 alone; type and count of parts have
    elements of their own.

    Breaks: programs decode the text as base64, which a suffix makes impossible.

    Fix: keep value and count apart, and join them for headers and Complete only.
    """
    for algorithm in ("CRC32", "SHA256"):
        upload = begun(s3, algorithm, algorithm, "COMPOSITE")
        completed(s3, upload, part(s3, upload, 1, CONTENT, algorithm))
        value = composite(algorithm, CONTENT).removesuffix("-1")
        wanted = {member(algorithm): value, "ChecksumType": "COMPOSITE"}
        s3.expect(attributes(s3, upload["Key"], "Checksum"), ok(), output("Checksum", wanted))


@scenario(
    "MPC-022",
    SHOULD,
    "CompleteMultipartUpload",
    source=RECORDED.format("composite"),
    clients=("raw",),
)
def known_composites(s3: Scene) -> None:
    """Parts of 5242881, 5242881 and 10 times "a" have the ETag and composite checksums that were recorded on AWS.

    S3 promises: ETag "4d45984fc3feb2ac9b22683c49674b56-3", and the values of CRC32, CRC32C, SHA1 and SHA256 that
    end in "-3".

    Breaks: tools that compute these values from a local file and a part size to skip or verify an upload transfer
    everything again, or report damage.

    Fix: MPC-020 says how the value is formed; test with these bytes.
    """
    for algorithm, value in KNOWN_COMPOSITE.items():
        upload = begun(s3, algorithm, algorithm, "COMPOSITE")
        parts = _three(s3, upload, algorithm)
        answer = complete(s3, upload, *parts)
        s3.expect(answer, ok(), etag(KNOWN_ETAG), *value_of(algorithm, value, "COMPOSITE"))
        _shown(s3, upload, algorithm, value, "COMPOSITE")


@scenario(
    "MPC-023",
    SHOULD,
    "CompleteMultipartUpload",
    source=RECORDED.format("full_object"),
    clients=("raw",),
)
def known_full_objects(s3: Scene) -> None:
    """The same bytes as FULL_OBJECT uploads have the CRC32, CRC32C and CRC64NVME of all 10485772 of them.

    S3 promises: qSEQSA==, eTdAQA== and ZMNX55lZurA=, type FULL_OBJECT, no suffix: the value that the bytes would
    have as one object.

    Breaks: SDKs verify downloads against a full-object checksum; a value that is not that of the bytes makes the
    object unreadable for every current SDK.

    Fix: combine the CRCs of the parts with their lengths, as crc32_combine of zlib does, in order of part numbers.
    """
    for algorithm, value in KNOWN_FULL.items():
        upload = begun(s3, algorithm, algorithm, "FULL_OBJECT")
        parts = _three(s3, upload)
        answer = complete(s3, upload, *parts)
        s3.expect(answer, ok(), etag(KNOWN_ETAG), *value_of(algorithm, value, "FULL_OBJECT"))
        _shown(s3, upload, algorithm, value, "FULL_OBJECT")


@scenario(
    "MPC-025",
    SHOULD,
    "GetObjectAttributes",
    source=f"{RECORDED.format('composite')}; {RECORDED.format('full_object')}",
    clients=LIBRARIES,
)
def parts_among_attributes(s3: Scene) -> None:
    """ObjectParts lists number, size and checksum of each part for COMPOSITE only, else just the count of parts.

    S3 promises: for FULL_OBJECT and for uploads without algorithm the element holds PartsCount and nothing more;
    only a composite checksum needs the parts to be verified.

    Breaks: programs that verify a composite object part by part learn here where parts end and what each must
    have; without the list they cannot.

    Fix: keep number, size and checksum of the parts with the finished object.
    """
    plain = begin(s3, s3.key("plain"))
    completed(s3, plain, part(s3, plain, 1, CONTENT))
    full = begun(s3, "full", "CRC32", "FULL_OBJECT")
    completed(s3, full, part(s3, full, 1, CONTENT, "CRC32"))
    for upload in (plain, full):
        found = attributes(s3, upload["Key"], "ObjectParts")
        s3.expect(found, ok(), output("ObjectParts", {"TotalPartsCount": 1}))
    composed = begun(s3, "composite", "SHA256", "COMPOSITE")
    completed(s3, composed, part(s3, composed, 1, CONTENT, "SHA256"))
    wanted = [{"PartNumber": 1, "Size": len(CONTENT), **sent("SHA256", CONTENT)}]
    s3.expect(attributes(s3, composed["Key"], "ObjectParts"), ok(), _object_parts(TotalPartsCount=1, Parts=wanted))


@scenario(
    "MPC-026",
    SHOULD,
    "GetObjectAttributes",
    source="LocalStack test_list_parts_via_object_attrs_pagination (recorded on AWS)",
    clients=LIBRARIES,
)
def pages_of_parts(s3: Scene) -> None:
    """ObjectParts comes in pages of x-amz-max-parts, continued by x-amz-part-number-marker.

    S3 promises: a page that is not the last says IsTruncated true and gives in NextPartNumberMarker the number
    after which to go on; the pages together are all parts.

    Breaks: an object may have 10000 parts and a page at most 1000; a program that verifies a large object sees its
    first tenth, or loops when the marker is ignored.

    Fix: page as ListParts does; start after the marker, and compare with what is left to set IsTruncated.
    """
    upload, contents = _two_parts(s3, "COMPOSITE")
    marker = 0
    for number, content in contents.items():
        page = attributes(s3, upload["Key"], "ObjectParts", MaxParts=1, PartNumberMarker=marker)
        last = number == len(contents)
        wanted = [{"PartNumber": number, "Size": len(content), **sent("CRC32", content)}]
        rest = {"IsTruncated": not last, "PartNumberMarker": marker, "MaxParts": 1, "TotalPartsCount": len(contents)}
        s3.expect(page, ok(), _object_parts(Parts=wanted, **rest))
        if not last:
            s3.expect(page, _object_parts(NextPartNumberMarker=number))
        marker = number


@scenario(
    "MPC-027",
    EXTENDED,
    "GetObject",
    source="LocalStack test_get_object_part_checksum (recorded on AWS)",
    clients=LIBRARIES,
)
def checksum_of_a_part_read(s3: Scene) -> None:
    """GET with partNumber in checksum mode returns the part's own checksum for COMPOSITE, none for FULL_OBJECT.

    S3 promises: a checksum beside a body is that of the body. A part of a composite object has one of its own; a
    part of an object with several and a full-object checksum has none to show.

    Breaks: SDKs that download by part number verify each answer; with the checksum of the whole object on a part
    every such download fails.

    Fix: answer with the value kept for the part, without a count, and with nothing where none is kept.
    """
    upload = begun(s3, "composite", "CRC32", "COMPOSITE")
    completed(s3, upload, part(s3, upload, 1, CONTENT, "CRC32"))
    found = s3.call("GetObject", Key=upload["Key"], PartNumber=1, **ENABLED)
    # That the status must be 206 is a statement of its own in GET; the bytes show that the part was served.
    served = one_of(ok(206), ok())
    s3.expect(found, served, body(CONTENT), *value_of("CRC32", checksum("CRC32", CONTENT), "COMPOSITE"))
    upload, contents = _two_parts(s3, "FULL_OBJECT")
    last = s3.call("GetObject", Key=upload["Key"], PartNumber=2, **ENABLED)
    s3.expect(last, served, body(contents[2]), bare(), absent(member("CRC32")))


@scenario(
    "MPC-024",
    SHOULD,
    "CompleteMultipartUpload",
    source="LocalStack test_complete_multipart_parts_checksum_default (recorded on AWS)",
    clients=LIBRARIES,
)
def plain_upload_gets_the_default(s3: Scene) -> None:
    """An upload without algorithm ends with a CRC64NVME of the whole object, type FULL_OBJECT.

    S3 promises: as for PutObject, the endpoint computes CRC64NVME where the client chose nothing. Complete's answer
    shows it, and so do reads in checksum mode.

    Breaks: objects written by rclone, restic and older SDKs have no checksum that a later check could use.

    Fix: compute CRC64NVME of each part as it arrives, and combine the values with the part sizes at Complete.
    """
    upload = begin(s3, s3.key())
    named = part(s3, upload, 1, CONTENT)
    expected = value_of(DEFAULT, checksum(DEFAULT, CONTENT), "FULL_OBJECT")
    s3.expect(complete(s3, upload, named), ok(), *expected)
    s3.expect(s3.look("HeadObject", Key=upload["Key"], ChecksumMode="ENABLED"), ok(), *expected)


@scenario(
    "MPC-028",
    EXTENDED,
    "CopyObject",
    source="LocalStack test_complete_multipart_parts_checksum_composite (recorded on AWS)",
    clients=LIBRARIES,
)
def copy_of_composite(s3: Scene) -> None:
    """The copy of an object with a COMPOSITE checksum has a FULL_OBJECT checksum of the same algorithm.

    S3 promises: a copy is one piece. Its checksum is of its bytes, without a part count, in CopyObjectResult and on
    HEAD.

    Breaks: a composite value cannot be checked without knowing the parts, which the copy no longer has: verifying
    tools report every copied object as damaged.

    Fix: compute the checksum anew while copying; do not carry the stored text over.
    """
    for algorithm in ("CRC32", "SHA256"):
        upload = begun(s3, f"{algorithm}/source", algorithm, "COMPOSITE")
        completed(s3, upload, part(s3, upload, 1, CONTENT, algorithm))
        copy = s3.key(f"{algorithm}/copy")
        answer = s3.call("CopyObject", Key=copy, CopySource=f"{s3.bucket}/{upload['Key']}")
        s3.expect(
            answer, ok(), document("CopyObjectResult", sent(algorithm, CONTENT) | {"ChecksumType": "FULL_OBJECT"})
        )
        expected = value_of(algorithm, checksum(algorithm, CONTENT), "FULL_OBJECT")
        s3.expect(s3.look("HeadObject", Key=copy, ChecksumMode="ENABLED"), ok(), *expected)


def _three(s3: Scene, upload: Upload, algorithm: str = "") -> list[dict[str, Any]]:
    """The parts that the recorded values are of, with their checksums if an algorithm is named."""
    large = {member(algorithm): LARGE_PART[algorithm]} if algorithm else {}
    small = sent(algorithm, filler(10)) if algorithm else {}
    parts = []
    for number, (content, value) in enumerate(((filler(SIZE), large), (filler(SIZE), large), (filler(10), small)), 1):
        stored = s3.setup("UploadPart", **upload, PartNumber=number, Body=content, **value)
        parts.append({"PartNumber": number, "ETag": stored.etag or "", **value})
    return parts


def _shown(s3: Scene, upload: Upload, algorithm: str, value: str, kind: str) -> None:
    """HEAD in checksum mode by the witness shows the value."""
    s3.expect(s3.look("HeadObject", Key=upload["Key"], **ENABLED), ok(), *value_of(algorithm, value, kind))


def _two_parts(s3: Scene, kind: str) -> tuple[Upload, dict[int, bytes]]:
    """An object of two parts with a CRC32 of some type, and the bytes of its parts."""
    contents = {1: filler(PART), 2: OTHER}
    upload = begun(s3, kind.lower(), "CRC32", kind)
    completed(s3, upload, *(part(s3, upload, number, content, "CRC32") for number, content in contents.items()))
    return upload, contents


def _object_parts(**wanted: Any) -> Matcher:
    """ObjectParts has these members; its markers are numbers to some SDKs and texts to others."""

    def test(found: Any) -> bool:
        return isinstance(found, dict) and all(_same(name, found.get(name), wanted[name]) for name in wanted)

    return output_where("ObjectParts", f"with {wanted}", test)


def _same(name: str, found: Any, wanted: Any) -> bool:
    return str(found) == str(wanted) if name.endswith("Marker") else bool(found == wanted)
