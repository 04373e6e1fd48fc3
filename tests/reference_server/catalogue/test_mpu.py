"""MPU: the life of a multipart upload."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.reference_server.catalogue.steps import (
    MIN_PART,
    Upload,
    completion,
    fields,
    md5,
    multipart_etag,
    names,
    refusal,
    texts,
    tree,
)

if TYPE_CHECKING:
    from conftest import Raw

LARGE, SMALL = b"a" * MIN_PART, b"the end"
KEY = "sp ace/+ünï, 日本😀"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")


@pytest.mark.catalogue("MPU-001")
def test_creation_names_bucket_key_and_upload(raw: Raw, bucket: str) -> None:
    """The document has the three elements, and each upload an id of its own."""
    uploads = [Upload(raw, f"/{bucket}/k") for _ in range(2)]
    for upload in uploads:
        assert upload.created.status == 200
        root = tree(upload.created)
        assert root.tag == "InitiateMultipartUploadResult"
        assert fields(root) == {"Bucket": bucket, "Key": "k", "UploadId": upload.id}
    assert uploads[0].id != uploads[1].id
    assert all(upload.id for upload in uploads)


@pytest.mark.catalogue("MPU-002")
@pytest.mark.parametrize("bodies", [(SMALL,), (b"",), (LARGE, SMALL)], ids=["one", "empty", "two"])
def test_the_etag_of_the_object_is_made_of_those_of_its_parts(raw: Raw, bucket: str, bodies: tuple[bytes, ...]) -> None:
    """It is the MD5 of the parts' MD5s with their number, wherever it is shown."""
    done = Upload(raw, f"/{bucket}/k").finish(*bodies)
    assert (done.status, done.element("ETag")) == (200, multipart_etag(*bodies))
    for method in ("GET", "HEAD"):
        assert raw(method, f"/{bucket}/k").headers["etag"] == multipart_etag(*bodies)
    assert raw("GET", f"/{bucket}?list-type=2").element("ETag") == multipart_etag(*bodies)


@pytest.mark.catalogue("MPU-010")
@pytest.mark.parametrize("document", [completion([]), b"<CompleteMultipartUpload/>", b""])
def test_complete_without_parts_is_an_invalid_request(raw: Raw, bucket: str, document: bytes) -> None:
    """A document that lists nothing, or none at all, completes nothing, though there are parts."""
    upload = Upload(raw, f"/{bucket}/k")
    upload.part(1, SMALL)
    assert refusal(raw("POST", upload.target, document)) == (400, "InvalidRequest")
    assert raw("HEAD", f"/{bucket}/k").status == 404
    assert upload.listed().elements("PartNumber") == ["1"]


@pytest.mark.catalogue("MPU-015")
def test_complete_says_where_the_object_is(raw: Raw, bucket: str) -> None:
    """Location has the key percent-encoded, Key has it as it is."""
    done = tree(Upload(raw, f"/{bucket}/{quote(KEY)}").finish(SMALL))
    assert done.tag == "CompleteMultipartUploadResult"
    found = fields(done)
    assert (found["Bucket"], found["Key"], found["ETag"]) == (bucket, KEY, multipart_etag(SMALL))
    assert re.fullmatch(f"https?://[^/]*/{bucket}/(.*)", found["Location"])
    assert found["Location"].rpartition(f"/{bucket}/")[2] in (quote(KEY, safe=""), quote(KEY))


@pytest.mark.catalogue("MPU-017")
def test_a_completed_upload_has_no_parts_to_list(raw: Raw, bucket: str) -> None:
    """Complete ends the upload: its id is not known any more, nor is it listed."""
    upload = Upload(raw, f"/{bucket}/k")
    assert upload.finish(SMALL).status == 200
    assert refusal(upload.listed(), "UploadId") == (404, "NoSuchUpload", upload.id)
    assert raw("GET", f"/{bucket}?uploads").elements("Upload") == []


@pytest.mark.catalogue("MPU-022")
def test_the_answer_to_a_part_is_empty(raw: Raw, bucket: str) -> None:
    """A length of zero and no content type."""
    reply = Upload(raw, f"/{bucket}/k").part(1, SMALL)
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")
    assert "content-type" not in reply.headers


@pytest.mark.catalogue("MPU-024")
def test_a_copied_part_needs_a_number(raw: Raw, bucket: str) -> None:
    """With an upload id alone the copy is neither a part nor an object."""
    raw("PUT", f"/{bucket}/source", SMALL)
    upload = Upload(raw, f"/{bucket}/k")
    reply = raw("PUT", upload.target, headers={"x-amz-copy-source": f"/{bucket}/source"})
    assert refusal(reply) == (405, "MethodNotAllowed")
    assert upload.listed().elements("Part") == []
    assert raw("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.catalogue("MPU-026")
def test_parts_are_no_object_until_they_are_completed(raw: Raw, bucket: str) -> None:
    """A new key stays absent, an existing one keeps its object."""
    raw("PUT", f"/{bucket}/old", b"earlier")
    for key in ("new", "old"):
        Upload(raw, f"/{bucket}/{key}").part(1, SMALL)
    assert refusal(raw("GET", f"/{bucket}/new")) == (404, "NoSuchKey")
    assert raw("HEAD", f"/{bucket}/new").status == 404
    assert raw("GET", f"/{bucket}/old").body == b"earlier"
    assert raw("HEAD", f"/{bucket}/old").headers["etag"] == f'"{md5(b"earlier")}"'


@pytest.mark.catalogue("MPU-028")
@pytest.mark.parametrize(("number", "status"), [(0, 400), (1, 200), (10_000, 200), (10_001, 400)])
def test_parts_are_numbered_from_1_to_10000(raw: Raw, bucket: str, number: int, status: int) -> None:
    """The bounds are the same for bytes that are sent and bytes that are copied."""
    raw("PUT", f"/{bucket}/source", SMALL)
    upload = Upload(raw, f"/{bucket}/k")
    assert upload.part(number, SMALL).status == status
    assert upload.copy(number, f"/{bucket}/source").status == status


@pytest.mark.catalogue("MPU-028")
def test_a_part_is_of_5_gib_at_most(raw: Raw, bucket: str) -> None:
    """One byte more is refused from the header, before the body is sent."""
    upload = Upload(raw, f"/{bucket}/k")
    target = f"/{bucket}/k?partNumber=1&uploadId={upload.id}"
    length = {"Content-Length": str(5 * 1024**3 + 1)}
    assert refusal(raw("PUT", target, length=False, unsigned=length)) == (400, "EntityTooLarge")


@pytest.mark.catalogue("MPU-028")
@pytest.mark.parametrize("copied", [False, True])
@pytest.mark.parametrize(("size", "status"), [(MIN_PART - 1, 400), (MIN_PART, 200)])
def test_only_the_last_part_may_be_under_5_mib(raw: Raw, bucket: str, size: int, status: int, *, copied: bool) -> None:
    """Copied parts obey the same bound as sent ones."""
    raw("PUT", f"/{bucket}/source", LARGE)
    upload = Upload(raw, f"/{bucket}/k")
    if copied:
        reply = upload.copy(1, f"/{bucket}/source", {"x-amz-copy-source-range": f"bytes=0-{size - 1}"})
        first = reply.element("ETag")
    else:
        first = upload.part(1, LARGE[:size]).headers["etag"]
    last = upload.part(2, b"").headers["etag"]
    assert upload.complete([(1, first, ""), (2, last, "")]).status == status


@pytest.mark.catalogue("MPU-030")
def test_a_listed_part_has_number_time_etag_and_size(raw: Raw, bucket: str) -> None:
    """Parts come in the order of their numbers, whatever the order of their arrival."""
    upload = Upload(raw, f"/{bucket}/k")
    for number in (10, 9, 100):
        upload.part(number, b"x" * number)
    parts = [fields(part) for part in tree(upload.listed()).findall("Part")]
    assert all(TIME.fullmatch(part.pop("LastModified")) for part in parts)
    assert parts == [
        {"PartNumber": str(number), "ETag": f'"{md5(b"x" * number)}"', "Size": str(number)} for number in (9, 10, 100)
    ]


@pytest.mark.catalogue("MPU-032")
def test_parts_can_be_listed_one_by_one(raw: Raw, bucket: str) -> None:
    """Every page but the last says that there is more, and its marker leads to the next."""
    upload = Upload(raw, f"/{bucket}/k")
    for number in (2, 4, 7):
        upload.part(number, SMALL)
    seen, marker = [], "0"
    for _ in range(3):
        page = upload.listed(f"&max-parts=1&part-number-marker={marker}")
        assert (page.element("PartNumberMarker"), page.element("MaxParts")) == (marker, "1")
        marker = page.element("NextPartNumberMarker")
        seen.append((page.elements("PartNumber"), marker, page.element("IsTruncated")))
    assert seen == [(["2"], "2", "true"), (["4"], "4", "true"), (["7"], "7", "false")]


@pytest.mark.catalogue("MPU-034")
@pytest.mark.parametrize("query", ["&part-number-marker=", "&max-parts=", "&max-parts=&part-number-marker="])
def test_an_empty_number_in_the_list_of_parts_is_the_default(raw: Raw, bucket: str, query: str) -> None:
    """As if the parameter were not there."""
    upload = Upload(raw, f"/{bucket}/k")
    upload.part(1, SMALL)
    page = upload.listed(query)
    assert (page.status, page.elements("PartNumber")) == (200, ["1"])
    assert (page.element("PartNumberMarker"), page.element("MaxParts")) == ("0", "1000")


@pytest.mark.catalogue("MPU-035")
@pytest.mark.parametrize("marker", ["x", "1.5", "0x1"])
def test_a_part_number_marker_must_be_a_number(raw: Raw, bucket: str, marker: str) -> None:
    """The refusal names the parameter."""
    reply = Upload(raw, f"/{bucket}/k").listed(f"&part-number-marker={marker}")
    assert refusal(reply, "ArgumentName") == (400, "InvalidArgument", "part-number-marker")


@pytest.mark.catalogue("MPU-036")
@pytest.mark.parametrize("asked", ["STANDARD", "STANDARD_IA"])
def test_the_list_of_parts_says_whose_they_are_and_how_they_are_kept(raw: Raw, bucket: str, asked: str) -> None:
    """Initiator and owner have an id, and the storage class is that of the creation."""
    root = tree(Upload(raw, f"/{bucket}/k", {"x-amz-storage-class": asked}).listed())
    assert root.findtext("StorageClass") == asked
    owner = tree(raw("GET", "/")).findtext("Owner/ID")
    assert owner
    assert (root.findtext("Owner/ID"), root.findtext("Initiator/ID")) == (owner, owner)


@pytest.mark.catalogue("MPU-037")
@pytest.mark.parametrize("key", ["a b", "a+b", "ünï/日本", "😀", KEY])
def test_every_step_takes_any_key_and_echoes_it_as_it_is(raw: Raw, bucket: str, key: str) -> None:
    """Creation, parts and their list agree on the key, and the object ends up under it."""
    upload = Upload(raw, f"/{bucket}/{quote(key)}")
    assert tree(upload.created).findtext("Key") == key
    etag = upload.part(1, SMALL).headers["etag"]
    listed = tree(upload.listed())
    assert (listed.findtext("Key"), listed.findtext("Part/ETag")) == (key, etag)
    assert tree(upload.complete([(1, etag, "")])).findtext("Key") == key
    assert texts(tree(raw("GET", f"/{bucket}")), "Contents/Key") == [key]


@pytest.mark.catalogue("MPU-029")
def test_the_list_of_no_parts_has_all_its_facts(raw: Raw, bucket: str) -> None:
    """Markers are zero, the page size is the default, and nothing more is to come."""
    upload = Upload(raw, f"/{bucket}/k")
    listed = upload.listed()
    assert listed.status == 200
    root = tree(listed)
    assert "Part" not in names(root)
    expected = {"PartNumberMarker": "0", "NextPartNumberMarker": "0", "MaxParts": "1000", "IsTruncated": "false"}
    assert expected.items() <= fields(root).items()
