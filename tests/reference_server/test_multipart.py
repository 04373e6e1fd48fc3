"""Multipart uploads. Ids are those of the behaviour catalogue."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Raw, Reply, Running

VECTORS = json.loads((Path(__file__).parent / "data" / "checksums.json").read_text())
LARGE = b"a" * 5242881


class Multipart:
    """One upload, step by step."""

    def __init__(self, raw: Raw, path: str, headers: dict[str, str] | None = None) -> None:
        self.raw = raw
        self.path = path
        self.created = raw("POST", f"{path}?uploads", headers=headers or {})
        self.id = self.created.element("UploadId")

    def part(self, number: int, body: bytes, headers: dict[str, str] | None = None) -> Reply:
        return self.raw("PUT", f"{self.path}?partNumber={number}&uploadId={self.id}", body, headers)

    def complete(self, entries: list[tuple[int, str]], headers: dict[str, str] | None = None, extra: str = "") -> Reply:
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>{extra}</Part>" for number, etag in entries
        )
        document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        return self.raw("POST", f"{self.path}?uploadId={self.id}", document, headers)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@pytest.mark.catalogue("MPU-003", "ETAG-012", "ETAG-013", "COPY-022")
@pytest.mark.parametrize("case", VECTORS["multipart"], ids=lambda case: str(case["etag"][-8:]))
def test_mpu_003_known_answers(raw: Raw, bucket: str, case: dict[str, Any]) -> None:
    upload = Multipart(raw, f"/{bucket}/k")
    assert upload.created.element("Bucket") == bucket
    assert upload.created.element("Key") == "k"
    bodies = [text.encode() * count for text, count in case["parts"]]
    entries = []
    for number, body in enumerate(bodies, 1):
        reply = upload.part(number, body)
        assert reply.headers["etag"] == f'"{md5(body)}"'
        assert (reply.body, reply.headers["content-length"]) == (b"", "0")
        assert "content-type" not in reply.headers
        entries.append((number, reply.headers["etag"]))
    done = upload.complete(entries)
    assert done.element("ETag") == f'"{case["etag"]}"'
    assert done.element("ChecksumType") == "FULL_OBJECT"
    if "full_object" in case:
        assert done.element("ChecksumCRC64NVME") == case["full_object"]["crc64nvme"]
    assert raw("GET", f"/{bucket}/k").body == b"".join(bodies)
    copy = raw("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"{bucket}/k"})
    assert copy.element("ETag") == f'"{md5(b"".join(bodies))}"'
    assert "x-amz-mp-parts-count" not in raw("HEAD", f"/{bucket}/copy?partNumber=1").headers


@pytest.mark.catalogue("MPC-022")
@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "sha1", "sha256"])
def test_mpc_022_composite_checksums(raw: Raw, s3: Any, bucket: str, algorithm: str) -> None:
    case, name = VECTORS["multipart"][0], f"Checksum{algorithm.upper()}"
    created = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm.upper())
    assert created["ChecksumType"] == "COMPOSITE"
    parts = []
    for number, (text, count) in enumerate(case["parts"], 1):
        body = text.encode() * count
        where = {"Bucket": bucket, "Key": "k", "UploadId": created["UploadId"], "PartNumber": number}
        reply = s3.upload_part(**where, Body=body, ChecksumAlgorithm=algorithm.upper())
        parts.append({"PartNumber": number, "ETag": reply["ETag"], name: reply[name]})
    listed = s3.list_parts(Bucket=bucket, Key="k", UploadId=created["UploadId"])
    assert [part[name] for part in listed["Parts"]] == [part[name] for part in parts]
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (algorithm.upper(), "COMPOSITE")
    finish = {"Bucket": bucket, "Key": "k", "UploadId": created["UploadId"]}
    without = {"Parts": [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in parts]}
    with pytest.raises(s3.exceptions.ClientError, match="InvalidRequest"):
        s3.complete_multipart_upload(**finish, MultipartUpload=without)
    swapped = {"Parts": [{**part, name: parts[2][name]} for part in parts]}
    with pytest.raises(s3.exceptions.ClientError, match="InvalidPart"):
        s3.complete_multipart_upload(**finish, MultipartUpload=swapped)
    done = s3.complete_multipart_upload(**finish, MultipartUpload={"Parts": parts})
    assert (done[name], done["ETag"]) == (case["composite"][algorithm], f'"{case["etag"]}"')
    head = raw("HEAD", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
    assert head.headers[f"x-amz-checksum-{algorithm}"] == case["composite"][algorithm]
    part = raw("HEAD", f"/{bucket}/k?partNumber=3", headers={"x-amz-checksum-mode": "ENABLED"})
    assert part.headers[f"x-amz-checksum-{algorithm}"] == parts[2][name]


@pytest.mark.catalogue("MPC-023")
@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme"])
def test_mpc_023_full_object_checksums(raw: Raw, bucket: str, algorithm: str) -> None:
    case = VECTORS["multipart"][0]
    headers = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": "full_object"}
    upload = Multipart(raw, f"/{bucket}/k", headers)
    assert upload.created.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    entries = [
        (number, upload.part(number, text.encode() * count).headers["etag"])
        for number, (text, count) in enumerate(case["parts"], 1)
    ]
    name, value = f"x-amz-checksum-{algorithm}", case["full_object"][algorithm]
    wrong = "AAAAAAAAAAA=" if algorithm == "crc64nvme" else "AAAAAA=="
    assert upload.complete(entries, {name: wrong}).code == "BadDigest"
    assert upload.complete(entries, {"x-amz-checksum-type": "COMPOSITE"}).code == "InvalidRequest"
    done = upload.complete(entries, {name: value, "x-amz-mp-object-size": str(2 * 5242881 + 10)})
    assert done.element(f"Checksum{algorithm.upper()}") == value
    assert done.element("ChecksumType") == "FULL_OBJECT"
    part = raw("HEAD", f"/{bucket}/k?partNumber=3", headers={"x-amz-checksum-mode": "ENABLED"})
    assert name not in part.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "COMPOSITE"},
        {"x-amz-checksum-algorithm": "SHA1", "x-amz-checksum-type": "FULL_OBJECT"},
        {"x-amz-checksum-type": "COMPOSITE"},
        {"x-amz-checksum-algorithm": "CRC16"},
        {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "PARTIAL"},
    ],
)
def test_checksum_settings_that_cannot_be(raw: Raw, bucket: str, headers: dict[str, str]) -> None:
    assert Multipart(raw, f"/{bucket}/k", headers).created.code == "InvalidRequest"


def test_parts_follow_the_algorithm_of_the_upload(raw: Raw, bucket: str) -> None:
    upload = Multipart(raw, f"/{bucket}/k", {"x-amz-checksum-algorithm": "CRC32"})
    assert (
        upload.part(1, b"test data..", {"x-amz-checksum-sha1": "B++3uSfJMSHWToQMQ1g6lIJY5Eo="}).code == "InvalidRequest"
    )
    assert upload.part(1, b"test data..", {"x-amz-checksum-crc32": "AAAAAA=="}).code == "BadDigest"
    reply = upload.part(1, b"test data..", {"x-amz-checksum-crc32": "cZWHwQ=="})
    assert reply.headers["x-amz-checksum-crc32"] == "cZWHwQ=="


@pytest.mark.catalogue("MPU-004", "MPU-005", "MPU-013", "MPU-014", "MPU-020")
def test_gaps_order_and_replacement(raw: Raw, bucket: str) -> None:
    upload = Multipart(raw, f"/{bucket}/k")
    last = upload.part(9, b"old").headers["etag"]
    last = upload.part(9, b"tail").headers["etag"]
    unused = upload.part(5, b"unused").headers["etag"]
    first = upload.part(3, LARGE).headers["etag"]
    reply = upload.complete([(9, last), (3, first)])
    assert (reply.status, reply.code, reply.element("UploadId")) == (400, "InvalidPartOrder", upload.id)
    assert upload.complete([(3, first), (3, first)]).code == "InvalidPartOrder"
    for entry in ((4, first), (9, unused)):
        reply = upload.complete([(3, first), entry] if entry[0] > 3 else [entry])
        assert (reply.status, reply.code) == (400, "InvalidPart")
        assert reply.element("PartNumber") == str(entry[0])
        assert reply.element("ETag") == entry[1].strip('"')
        assert reply.element("UploadId") == upload.id
    assert upload.complete([(3, first), (9, last)]).status == 200
    assert raw("GET", f"/{bucket}/k").body == LARGE + b"tail"
    part = raw("GET", f"/{bucket}/k?partNumber=2")
    assert (part.status, part.body, part.headers["x-amz-mp-parts-count"]) == (206, b"tail", "2")
    assert raw("GET", f"/{bucket}/k?partNumber=3").code == "InvalidPartNumber"


@pytest.mark.catalogue("MPU-011", "MPU-012")
def test_mpu_011_too_small(raw: Raw, bucket: str) -> None:
    upload = Multipart(raw, f"/{bucket}/k")
    etags = [upload.part(number, b"small").headers["etag"] for number in (1, 2)]
    reply = upload.complete([(1, etags[0]), (2, etags[1])])
    assert (reply.status, reply.code) == (400, "EntityTooSmall")
    found = [reply.element(name) for name in ("PartNumber", "ETag", "MinSizeAllowed", "ProposedSize")]
    assert found == ["1", md5(b"small"), "5242880", "5"]
    assert raw("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.catalogue("MPU-006")
@pytest.mark.parametrize("number", ["0", "10001", "-1", "x"])
def test_mpu_006_part_numbers(raw: Raw, bucket: str, number: str) -> None:
    upload = Multipart(raw, f"/{bucket}/k")
    reply = raw("PUT", f"/{bucket}/k?partNumber={number}&uploadId={upload.id}", b"x")
    assert (reply.status, reply.code) == (400, "InvalidArgument")
    assert (reply.element("ArgumentName"), reply.element("ArgumentValue")) == ("partNumber", number)


@pytest.mark.catalogue("MPU-007", "MPU-008", "MPU-009")
def test_unknown_uploads(raw: Raw, bucket: str) -> None:
    upload = Multipart(raw, f"/{bucket}/k")
    document = (
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"
    )
    for path, number in ((f"/{bucket}/k", "unknown"), (f"/{bucket}/other", upload.id), (f"/{bucket}/k", "")):
        replies = [
            raw("PUT", f"{path}?partNumber=1&uploadId={number}", b"x"),
            raw("POST", f"{path}?uploadId={number}", document),
            raw("GET", f"{path}?uploadId={number}"),
            raw("DELETE", f"{path}?uploadId={number}"),
        ]
        for reply in replies:
            assert (reply.status, reply.code, reply.element("UploadId")) == (404, "NoSuchUpload", number)


@pytest.mark.catalogue("MPU-016", "MPU-018")
def test_the_key_appears_with_complete_and_again_is_the_same(raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/sp%20ace%2Bé".replace("é", "%C3%A9")
    raw("PUT", path, b"before")
    upload = Multipart(raw, path, {"x-amz-meta-m": "v", "Content-Type": "text/x", "x-amz-storage-class": "GLACIER_IR"})
    assert upload.created.element("Key") == "sp ace+é"
    etag = upload.part(1, b"after").headers["etag"]
    assert raw("GET", path).body == b"before"
    document_error = raw("POST", f"{path}?uploadId={upload.id}", b"<CompleteMultipartUpload/>")
    assert document_error.code == "InvalidRequest"
    assert raw("POST", f"{path}?uploadId={upload.id}", b"nonsense").code == "MalformedXML"
    first = upload.complete([(1, etag)], {"x-amz-mp-object-size": "5"})
    again = upload.complete([(1, etag)])
    assert (first.status, again.status) == (200, 200)
    assert first.element("ETag") == again.element("ETag") == f'"{md5(hashlib.md5(b"after").digest())}-1"'
    assert first.element("Location") == f"http://{raw.host}/{bucket}/sp%20ace%2B%C3%A9"
    got = raw("GET", path)
    assert got.body == b"after"
    assert (got.headers["x-amz-meta-m"], got.headers["content-type"]) == ("v", "text/x")
    assert got.headers["x-amz-storage-class"] == "GLACIER_IR"
    for reply in (raw("GET", f"{path}?uploadId={upload.id}"), raw("DELETE", f"{path}?uploadId={upload.id}")):
        assert reply.code == "NoSuchUpload"


def test_mpc_030_declared_size(raw: Raw, bucket: str) -> None:
    upload = Multipart(raw, f"/{bucket}/k")
    etag = upload.part(1, b"12345").headers["etag"]
    for wrong in ("6", "five"):
        assert upload.complete([(1, etag)], {"x-amz-mp-object-size": wrong}).code == "InvalidRequest"


@pytest.mark.catalogue("CWR-009")
def test_conditional_complete(raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/k"

    def complete(headers: dict[str, str], between: str) -> Reply:
        upload = Multipart(raw, path)
        etag = upload.part(1, b"part").headers["etag"]
        if between:
            raw(between, path, b"during" if between == "PUT" else b"")
        return upload.complete([(1, etag)], headers)

    raw("PUT", path, b"x")
    reply = complete({"If-None-Match": "*"}, "")
    assert (reply.status, reply.code) == (412, "PreconditionFailed")
    reply = complete({"If-None-Match": "*"}, "DELETE")
    assert (reply.status, reply.code, reply.element("Key")) == (409, "ConditionalRequestConflict", "k")
    assert complete({"If-Match": '"stale"'}, "").code == "NoSuchKey"
    assert complete({"If-None-Match": "*"}, "").status == 200
    assert complete({"If-Match": '"stale"'}, "").code == "PreconditionFailed"
    assert complete({"If-Match": f'"{md5(b"during")}"'}, "PUT").code == "ConditionalRequestConflict"
    assert complete({"If-Match": f'"{md5(b"during")}"'}, "").status == 200


@pytest.mark.catalogue("MPU-031", "MPU-033")
def test_list_parts(raw: Raw, bucket: str) -> None:
    upload = Multipart(raw, f"/{bucket}/k")
    path = f"/{bucket}/k?uploadId={upload.id}"
    empty = raw("GET", path)
    names = ("PartNumberMarker", "NextPartNumberMarker", "MaxParts", "IsTruncated", "StorageClass")
    assert [empty.element(name) for name in names] == ["0", "0", "1000", "false", "STANDARD"]
    assert empty.elements("Part") == []
    for number in (7, 2, 4):
        upload.part(number, b"x" * number)
    whole = raw("GET", path)
    assert whole.elements("PartNumber") == ["2", "4", "7"]
    assert whole.elements("Size") == ["2", "4", "7"]
    assert whole.element("NextPartNumberMarker") == "7"
    seen, marker = [], ""
    for _ in range(3):
        page = raw("GET", f"{path}&max-parts=1&part-number-marker={marker}")
        seen += page.elements("PartNumber")
        marker = page.element("NextPartNumberMarker")
    assert (seen, page.element("IsTruncated")) == (["2", "4", "7"], "false")
    beyond = raw("GET", f"{path}&part-number-marker=9&max-parts=")
    assert (beyond.element("NextPartNumberMarker"), beyond.elements("Part")) == ("0", [])
    reply = raw("GET", f"{path}&part-number-marker=x")
    assert (reply.code, reply.element("ArgumentName")) == ("InvalidArgument", "part-number-marker")


@pytest.mark.catalogue("MPU-019", "MPU-027")
def test_abort_and_bucket_with_unfinished_uploads(running: Running, raw: Raw, bucket: str) -> None:
    upload = Multipart(raw, f"/{bucket}/k")
    upload.part(1, b"x" * 100_000)
    reply = raw("DELETE", f"/{bucket}/k?uploadId={upload.id}")
    assert (reply.status, reply.body) == (204, b"")
    assert raw("GET", f"/{bucket}?uploads").elements("Upload") == []
    other = Multipart(raw, f"/{bucket}/k")
    other.part(1, b"x" * 100_000)
    before = len(list(running.store.blobs._directory.iterdir()))
    assert raw("DELETE", f"/{bucket}").status == 204
    assert len(list(running.store.blobs._directory.iterdir())) == before - 1


@pytest.mark.catalogue("LMU-001", "LMU-004", "LMU-005", "LMU-006")
def test_list_multipart_uploads(raw: Raw, bucket: str) -> None:
    ids = {}
    for key in ("b", "a", "dir/x", "b", "dir/y"):
        ids.setdefault(key, []).append(Multipart(raw, f"/{bucket}/{key}").id)
    listed = raw("GET", f"/{bucket}?uploads")
    assert listed.elements("UploadId") == [*ids["a"], *ids["b"], *ids["dir/x"], *ids["dir/y"]]
    assert (listed.element("NextKeyMarker"), listed.element("MaxUploads")) == ("dir/y", "1000")
    assert raw("GET", f"/{bucket}?uploads&key-marker=a").elements("UploadId")[0] == ids["b"][0]
    assert raw("GET", f"/{bucket}?uploads&key-marker=b").elements("Key") == ["dir/x", "dir/y"]
    behind = raw("GET", f"/{bucket}?uploads&key-marker=b&upload-id-marker={ids['b'][0]}")
    assert behind.elements("UploadId")[0] == ids["b"][1]
    ignored = raw("GET", f"/{bucket}?uploads&upload-id-marker={ids['b'][0]}")
    assert len(ignored.elements("UploadId")) == 5
    wrong = raw("GET", f"/{bucket}?uploads&key-marker=a&upload-id-marker={ids['b'][0]}")
    assert (wrong.code, wrong.element("ArgumentName")) == ("InvalidArgument", "upload-id-marker")
    folded = raw("GET", f"/{bucket}?uploads&delimiter=%2F&max-uploads=4")
    assert folded.elements("CommonPrefixes") == ["<Prefix>dir/</Prefix>"]
    assert folded.element("IsTruncated") == "false"
    assert raw("GET", f"/{bucket}?uploads&encoding-type=x").code == "InvalidArgument"
    assert raw("GET", f"/{bucket}/k?uploads&uploadId=1").code == "InvalidArgument"
    assert raw("GET", "/no-such-bucket-here?uploads").code == "NoSuchBucket"


def test_boto3_transfers_in_parts(s3: Any, bucket: str, tmp_path: Path) -> None:
    from boto3.s3.transfer import TransferConfig

    source = tmp_path / "source"
    source.write_bytes(bytes(range(251)) * 50_000)
    config = TransferConfig(multipart_threshold=5 * 1024**2, multipart_chunksize=5 * 1024**2)
    s3.upload_file(str(source), bucket, "k", Config=config)
    s3.copy({"Bucket": bucket, "Key": "k"}, bucket, "copy", Config=config)
    s3.download_file(bucket, "copy", str(tmp_path / "target"), Config=config)
    assert (tmp_path / "target").read_bytes() == source.read_bytes()
    assert s3.head_object(Bucket=bucket, Key="copy")["ETag"].endswith('-3"')


def test_a_part_replaced_during_complete_stays_out(
    running: Running, raw: Raw, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The object is the parts whose ETags it was made from, whatever arrives while it is made."""
    upload = raw("POST", f"/{bucket}/race?uploads").element("UploadId")
    target = f"/{bucket}/race?partNumber=1&uploadId={upload}"
    etag = raw("PUT", target, b"first").headers["etag"]
    late: list[Reply] = []
    other = threading.Thread(target=lambda: late.append(raw("PUT", target, b"second, longer")))
    read_parts = running.app.uploads.parts

    def parts(*arguments: Any) -> Any:
        found = read_parts(*arguments)
        if not other.ident:
            other.start()
            other.join(0.3)
        return found

    monkeypatch.setattr(running.app.uploads, "parts", parts)
    document = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    )
    done = raw("POST", f"/{bucket}/race?uploadId={upload}", document.encode())
    other.join()
    assert done.status == 200
    assert (late[0].status, late[0].code) == (404, "NoSuchUpload")
    assert raw("GET", f"/{bucket}/race").body == b"first"
