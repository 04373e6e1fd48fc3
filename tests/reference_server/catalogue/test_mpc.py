"""MPC: checksums in multipart uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.reference_server.catalogue.steps import (
    ALGORITHMS,
    ENABLED,
    MIN_PART,
    Upload,
    checksum,
    composite,
    fields,
    multipart_etag,
    names,
    object_attributes,
    refusal,
    tree,
)

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from conftest import Raw, Reply

CRCS = ("crc32", "crc32c", "crc64nvme")
NOT_JOINED = ("crc32", "crc32c", "sha1", "sha256")
LARGE, SMALL = b"a" * MIN_PART, b"the end"


def begun(raw: Raw, bucket: str, algorithm: str, kind: str = "", key: str = "k") -> Upload:
    """An upload with a checksum algorithm, and a checksum type if one is named."""
    headers = {"x-amz-checksum-algorithm": algorithm.upper()} | ({"x-amz-checksum-type": kind} if kind else {})
    upload = Upload(raw, f"/{bucket}/{key}", headers)
    assert upload.created.status == 200
    return upload


def header(algorithm: str, body: bytes) -> dict[str, str]:
    """The checksum header of a body."""
    return {f"x-amz-checksum-{algorithm}": checksum(algorithm, body)}


def element(algorithm: str, body: bytes) -> str:
    """The checksum element of a part in the document of Complete."""
    name = f"Checksum{algorithm.upper()}"
    return f"<{name}>{checksum(algorithm, body)}</{name}>"


def sent(upload: Upload, algorithm: str, *bodies: bytes) -> list[tuple[int, str, str]]:
    """Parts uploaded with their checksum, as Complete names them."""
    etags = [upload.part(n, body, header(algorithm, body)).headers["etag"] for n, body in enumerate(bodies, 1)]
    return [(n, etag, element(algorithm, body)) for n, (etag, body) in enumerate(zip(etags, bodies, strict=True), 1)]


def made(raw: Raw, bucket: str, algorithm: str, kind: str, *bodies: bytes) -> Reply:
    """A finished object `k`; the answer of Complete."""
    upload = begun(raw, bucket, algorithm, kind)
    reply = upload.complete(sent(upload, algorithm, *bodies))
    assert reply.status == 200
    return reply


@pytest.mark.catalogue("MPC-001")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_algorithm_decides_the_type_if_none_is_named(raw: Raw, bucket: str, algorithm: str) -> None:
    """CRC64NVME can only be of the full object; all others are composite unless asked otherwise."""
    created = begun(raw, bucket, algorithm).created
    assert created.headers["x-amz-checksum-algorithm"] == algorithm.upper()
    expected = "FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE"
    assert created.headers["x-amz-checksum-type"] == expected


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [
        pytest.param("CRC64NVME", "COMPOSITE", marks=pytest.mark.catalogue("MPC-002")),
        pytest.param("SHA1", "FULL_OBJECT", marks=pytest.mark.catalogue("MPC-003")),
        pytest.param("SHA256", "FULL_OBJECT", marks=pytest.mark.catalogue("MPC-003")),
        pytest.param("", "COMPOSITE", marks=pytest.mark.catalogue("MPC-004")),
        pytest.param("", "FULL_OBJECT", marks=pytest.mark.catalogue("MPC-004")),
        pytest.param("CRC16", "", marks=pytest.mark.catalogue("MPC-005")),
        pytest.param("CRC32", "PARTIAL", marks=pytest.mark.catalogue("MPC-006")),
    ],
)
def test_checksums_that_cannot_be_are_refused_at_creation(raw: Raw, bucket: str, algorithm: str, kind: str) -> None:
    """An algorithm must be known, be named with its type, and go together with it; no upload begins otherwise."""
    headers = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": kind}
    given = {name: value for name, value in headers.items() if value}
    assert refusal(Upload(raw, f"/{bucket}/k", given).created) == (400, "InvalidRequest")
    assert raw("GET", f"/{bucket}?uploads").elements("Upload") == []


@pytest.mark.catalogue("MPC-007")
@pytest.mark.parametrize(("algorithm", "kind"), [("crc32", "composite"), ("crc64nvme", "full_object")])
def test_lower_case_names_are_accepted_at_creation(raw: Raw, bucket: str, algorithm: str, kind: str) -> None:
    """The answer spells them in upper case."""
    headers = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": kind}
    created = Upload(raw, f"/{bucket}/k", headers).created
    assert created.status == 200
    assert created.headers["x-amz-checksum-algorithm"] == algorithm.upper()
    assert created.headers["x-amz-checksum-type"] == kind.upper()


@pytest.mark.catalogue("MPC-008")
@pytest.mark.parametrize("algorithm", NOT_JOINED)
@pytest.mark.parametrize("other", ALGORITHMS)
def test_a_part_must_use_the_algorithm_of_its_upload(raw: Raw, bucket: str, algorithm: str, other: str) -> None:
    """A right checksum of another algorithm is refused and the part is not kept."""
    upload = begun(raw, bucket, algorithm)
    reply = upload.part(1, SMALL, header(other, SMALL))
    assert refusal(reply) == ((200, "") if other == algorithm else (400, "InvalidRequest"))
    assert len(upload.listed().elements("Part")) == (other == algorithm)


@pytest.mark.catalogue("MPC-009")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_wrong_or_malformed_checksum_keeps_a_part_out(raw: Raw, bucket: str, algorithm: str) -> None:
    """Other data is a bad digest, and what cannot be a checksum an invalid request."""
    upload = begun(raw, bucket, algorithm)
    assert refusal(upload.part(1, SMALL, header(algorithm, b"else"))) == (400, "BadDigest")
    assert refusal(upload.part(1, SMALL, {f"x-amz-checksum-{algorithm}": "AAA="})) == (400, "InvalidRequest")
    assert upload.listed().elements("Part") == []


@pytest.mark.catalogue("MPC-010")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_checksum_of_a_part_is_echoed(raw: Raw, bucket: str, algorithm: str) -> None:
    """The answer has the header that the request had."""
    reply = begun(raw, bucket, algorithm).part(1, SMALL, header(algorithm, SMALL))
    assert reply.status == 200
    assert reply.headers[f"x-amz-checksum-{algorithm}"] == checksum(algorithm, SMALL)


@pytest.mark.catalogue("MPC-011")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_listed_parts_show_their_checksums(raw: Raw, bucket: str, algorithm: str) -> None:
    """Each part has its value, the document the algorithm and the type."""
    upload = begun(raw, bucket, algorithm)
    bodies = (b"one", b"two")
    sent(upload, algorithm, *bodies)
    root = tree(upload.listed())
    found = [part.findtext(f"Checksum{algorithm.upper()}") for part in root.findall("Part")]
    assert found == [checksum(algorithm, body) for body in bodies]
    assert root.findtext("ChecksumAlgorithm") == algorithm.upper()
    assert root.findtext("ChecksumType") == ("FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE")


@pytest.mark.catalogue("MPC-012")
def test_without_an_algorithm_parts_may_have_any_checksum_that_is_not_listed(raw: Raw, bucket: str) -> None:
    """Each is verified on arrival, but the upload does not keep them."""
    upload = Upload(raw, f"/{bucket}/k")
    for number, algorithm in enumerate(ALGORITHMS, 1):
        assert upload.part(number, SMALL, header(algorithm, SMALL)).status == 200
    parts = tree(upload.listed()).findall("Part")
    assert len(parts) == len(ALGORITHMS)
    assert not [name for part in parts for name in names(part) if name.startswith("Checksum")]


@pytest.mark.catalogue("MPC-013")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_complete_cannot_name_checksums_that_the_upload_does_not_keep(raw: Raw, bucket: str, algorithm: str) -> None:
    """Even the right value of the part is an invalid part there."""
    upload = Upload(raw, f"/{bucket}/k")
    assert refusal(upload.complete(sent(upload, algorithm, SMALL))) == (400, "InvalidPart")


@pytest.mark.catalogue("MPC-014")
@pytest.mark.parametrize("algorithm", NOT_JOINED)
def test_complete_of_a_composite_upload_needs_every_checksum(raw: Raw, bucket: str, algorithm: str) -> None:
    """None at all, or one missing, is an invalid request."""
    upload = begun(raw, bucket, algorithm, "COMPOSITE")
    (first, second) = sent(upload, algorithm, b"one", b"two")
    for parts in ([(*first[:2], ""), (*second[:2], "")], [first, (*second[:2], "")]):
        assert refusal(upload.complete(parts)) == (400, "InvalidRequest")


@pytest.mark.catalogue("MPC-015")
@pytest.mark.parametrize(
    ("algorithm", "kind"), [("crc32", "COMPOSITE"), ("sha256", "COMPOSITE"), ("crc32", "FULL_OBJECT")]
)
def test_a_wrong_checksum_in_complete_is_an_invalid_part(raw: Raw, bucket: str, algorithm: str, kind: str) -> None:
    """The document names the checksum of other data for a part that exists."""
    upload = begun(raw, bucket, algorithm, kind)
    ((number, etag, _),) = sent(upload, algorithm, SMALL)
    assert refusal(upload.complete([(number, etag, element(algorithm, b"else"))])) == (400, "InvalidPart")


@pytest.mark.catalogue("MPC-016")
def test_a_checksum_of_another_algorithm_in_complete_is_a_bad_digest(raw: Raw, bucket: str) -> None:
    """The value is right for the bytes, but the upload has another algorithm."""
    upload = begun(raw, bucket, "crc32", "COMPOSITE")
    ((number, etag, _),) = sent(upload, "crc32", SMALL)
    assert refusal(upload.complete([(number, etag, element("sha256", SMALL))])) == (400, "BadDigest")


@pytest.mark.catalogue("MPC-017")
@pytest.mark.parametrize(("kind", "other"), [("COMPOSITE", "FULL_OBJECT"), ("FULL_OBJECT", "COMPOSITE")])
def test_complete_cannot_change_the_checksum_type(raw: Raw, bucket: str, kind: str, other: str) -> None:
    """The header must say what creation said, if it says anything."""
    upload = begun(raw, bucket, "crc32", kind)
    parts = sent(upload, "crc32", SMALL)
    assert refusal(upload.complete(parts, {"x-amz-checksum-type": other})) == (400, "InvalidRequest")
    assert upload.complete(parts, {"x-amz-checksum-type": kind}).status == 200


@pytest.mark.catalogue("MPC-018")
@pytest.mark.parametrize("algorithm", CRCS)
def test_a_wrong_checksum_of_the_whole_keeps_the_object_out(raw: Raw, bucket: str, algorithm: str) -> None:
    """Complete of a full-object upload is held to the checksum header it carries."""
    upload = begun(raw, bucket, algorithm, "FULL_OBJECT")
    parts = sent(upload, algorithm, SMALL)
    assert refusal(upload.complete(parts, header(algorithm, b"else"))) == (400, "BadDigest")
    assert raw("HEAD", f"/{bucket}/k").status == 404
    assert upload.complete(parts, header(algorithm, SMALL)).status == 200


@pytest.mark.catalogue("MPC-019")
@pytest.mark.parametrize("algorithm", CRCS)
def test_complete_of_a_full_object_upload_needs_no_part_checksums(raw: Raw, bucket: str, algorithm: str) -> None:
    """Neither the parts nor the document name any, and the object has the checksum of its bytes."""
    upload = begun(raw, bucket, algorithm, "FULL_OBJECT")
    done = upload.finish(SMALL)
    assert done.status == 200
    assert done.element(f"Checksum{algorithm.upper()}") == checksum(algorithm, SMALL)


@pytest.mark.catalogue("MPC-020")
@pytest.mark.parametrize(
    ("algorithm", "bodies"),
    [("crc32", (LARGE, SMALL)), ("sha1", (LARGE, SMALL)), ("sha256", (LARGE, SMALL)), ("crc32c", (SMALL,))],
)
def test_a_composite_checksum_is_of_the_part_checksums(
    raw: Raw, bucket: str, algorithm: str, bodies: tuple[bytes, ...]
) -> None:
    """The value with the number of parts is in the answer of Complete and in the headers of GET and HEAD."""
    expected = composite(algorithm, bodies)
    done = made(raw, bucket, algorithm, "COMPOSITE", *bodies)
    assert done.element(f"Checksum{algorithm.upper()}") == expected
    assert done.element("ETag") == multipart_etag(*bodies)
    for method in ("GET", "HEAD"):
        found = raw(method, f"/{bucket}/k", headers=ENABLED).headers
        assert found[f"x-amz-checksum-{algorithm}"] == expected
        assert found["x-amz-checksum-type"] == "COMPOSITE"


@pytest.mark.catalogue("MPC-021")
@pytest.mark.parametrize("algorithm", NOT_JOINED)
def test_the_attributes_document_shows_a_composite_checksum_without_its_count(
    raw: Raw, bucket: str, algorithm: str
) -> None:
    """There the value ends with its base64."""
    made(raw, bucket, algorithm, "COMPOSITE", SMALL)
    found = object_attributes(raw, f"/{bucket}/k", "Checksum").find("Checksum")
    assert found is not None
    value = composite(algorithm, [SMALL]).removesuffix("-1")
    assert fields(found) == {f"Checksum{algorithm.upper()}": value, "ChecksumType": "COMPOSITE"}


@pytest.mark.catalogue("MPC-024")
def test_an_upload_without_algorithm_ends_with_crc64nvme(raw: Raw, bucket: str) -> None:
    """The server's default is of the full object, whatever checksum the part came with."""
    upload = Upload(raw, f"/{bucket}/k")
    etag = upload.part(1, SMALL, header("sha1", SMALL)).headers["etag"]
    done = upload.complete([(1, etag, "")])
    assert done.element("ChecksumCRC64NVME") == checksum("crc64nvme", SMALL)
    assert done.element("ChecksumType") == "FULL_OBJECT"
    found = raw("HEAD", f"/{bucket}/k", headers=ENABLED).headers
    assert found["x-amz-checksum-crc64nvme"] == checksum("crc64nvme", SMALL)
    assert found["x-amz-checksum-type"] == "FULL_OBJECT"


def object_parts(raw: Raw, bucket: str, headers: dict[str, str] | None = None) -> ET.Element:
    """The ObjectParts element of object `k`."""
    found = object_attributes(raw, f"/{bucket}/k", "ObjectParts", headers).find("ObjectParts")
    assert found is not None
    return found


@pytest.mark.catalogue("MPC-025")
@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT", "plain"])
def test_the_attributes_document_lists_parts_of_composite_objects_only(raw: Raw, bucket: str, kind: str) -> None:
    """Each with number, size and checksum; of all other uploads it tells just how many parts there are."""
    if kind == "plain":
        assert Upload(raw, f"/{bucket}/k").finish(LARGE, SMALL).status == 200
    else:
        made(raw, bucket, "crc32", kind, LARGE, SMALL)
    found = object_parts(raw, bucket)
    assert found.findtext("PartsCount") == "2"
    if kind != "COMPOSITE":
        assert names(found) == ["PartsCount"]
        return
    assert [fields(part) for part in found.findall("Part")] == [
        {"PartNumber": str(number), "Size": str(len(body)), "ChecksumCRC32": checksum("crc32", body)}
        for number, body in enumerate((LARGE, SMALL), 1)
    ]


@pytest.mark.catalogue("MPC-026")
def test_parts_in_the_attributes_document_come_in_pages(raw: Raw, bucket: str) -> None:
    """x-amz-max-parts limits a page and x-amz-part-number-marker continues behind its last part."""
    made(raw, bucket, "crc32", "COMPOSITE", LARGE, LARGE, SMALL)
    pages, marker = [], "0"
    for _ in range(3):
        headers = {"x-amz-max-parts": "2", "x-amz-part-number-marker": marker}
        page = object_parts(raw, bucket, headers)
        shown = [part.findtext("PartNumber") for part in page.findall("Part")]
        pages.append(
            (shown, page.findtext("IsTruncated"), page.findtext("PartNumberMarker"), page.findtext("MaxParts"))
        )
        if page.findtext("IsTruncated") == "false":
            break
        marker = page.findtext("NextPartNumberMarker") or ""
    assert pages == [(["1", "2"], "true", "0", "2"), (["3"], "false", "2", "2")]


@pytest.mark.catalogue("MPC-027")
@pytest.mark.parametrize("kind", ["COMPOSITE", "FULL_OBJECT"])
def test_reading_a_part_shows_its_checksum_if_the_object_is_composite(raw: Raw, bucket: str, kind: str) -> None:
    """A part of a full-object upload has no checksum of its own to show."""
    made(raw, bucket, "crc32", kind, LARGE, SMALL)
    for number, body in enumerate((LARGE, SMALL), 1):
        found = raw("GET", f"/{bucket}/k?partNumber={number}", headers=ENABLED)
        assert (found.status, found.body) == (206, body)
        expected = checksum("crc32", body) if kind == "COMPOSITE" else None
        assert found.headers.get("x-amz-checksum-crc32") == expected


@pytest.mark.catalogue("MPC-028")
@pytest.mark.parametrize("algorithm", NOT_JOINED)
def test_a_copy_of_a_composite_object_has_a_full_object_checksum(raw: Raw, bucket: str, algorithm: str) -> None:
    """The copy is one piece, checked by the algorithm of its source."""
    made(raw, bucket, algorithm, "COMPOSITE", SMALL)
    copied = raw("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"/{bucket}/k"})
    assert copied.element(f"Checksum{algorithm.upper()}") == checksum(algorithm, SMALL)
    assert copied.element("ChecksumType") == "FULL_OBJECT"
    found = raw("HEAD", f"/{bucket}/copy", headers=ENABLED).headers
    assert found[f"x-amz-checksum-{algorithm}"] == checksum(algorithm, SMALL)
    assert found["x-amz-checksum-type"] == "FULL_OBJECT"


@pytest.mark.catalogue("MPC-029")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_copied_part_shows_its_checksum(raw: Raw, bucket: str, algorithm: str) -> None:
    """The server computes it from the bytes it copies, here five of the source."""
    raw("PUT", f"/{bucket}/source", b"0123456789")
    upload = begun(raw, bucket, algorithm)
    reply = upload.copy(1, f"/{bucket}/source", {"x-amz-copy-source-range": "bytes=2-6"})
    assert reply.status == 200
    assert reply.element(f"Checksum{algorithm.upper()}") == checksum(algorithm, b"23456")


@pytest.mark.parametrize(
    ("size", "status", "code"),
    [
        pytest.param("6", 400, "InvalidRequest", marks=pytest.mark.catalogue("MPC-030")),
        pytest.param("8", 400, "InvalidRequest", marks=pytest.mark.catalogue("MPC-030")),
        pytest.param("7", 200, "", marks=pytest.mark.catalogue("MPC-030")),
        pytest.param("seven", 400, "InvalidRequest", marks=pytest.mark.catalogue("MPC-031")),
    ],
)
def test_the_declared_size_of_the_object_must_be_the_sum_of_its_parts(
    raw: Raw, bucket: str, size: str, status: int, code: str
) -> None:
    """x-amz-mp-object-size is a number, and the right one, or nothing is completed."""
    upload = Upload(raw, f"/{bucket}/k")
    etag = upload.part(1, SMALL).headers["etag"]
    assert refusal(upload.complete([(1, etag, "")], {"x-amz-mp-object-size": size})) == (status, code)
    assert raw("HEAD", f"/{bucket}/k").status == (404 if code else 200)


@pytest.mark.catalogue("MPC-032")
@pytest.mark.parametrize("named", ["SHA256", "NONSENSE"])
def test_complete_ignores_the_algorithm_header(raw: Raw, bucket: str, named: str) -> None:
    """The object keeps the algorithm of the upload."""
    upload = begun(raw, bucket, "crc32")
    done = upload.complete(sent(upload, "crc32", SMALL), {"x-amz-checksum-algorithm": named})
    assert done.status == 200
    assert done.element("ChecksumCRC32") == composite("crc32", [SMALL])
