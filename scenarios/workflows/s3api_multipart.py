"""`aws s3api` multipart uploads, step by step: made of files or of other objects, listed, completed and aborted."""

from __future__ import annotations

from typing import Any

from harness.clients.base import Observed
from harness.expect import metadata, ok, output, refused
from harness.scenario import EXTENDED, MUST, SHOULD, scenario
from harness.scene import PART, Scene
from scenarios.workflows._s3api import SOURCE, api, at, document, done, downloaded, file, is_missing, is_whole, rejected
from scenarios.workflows._steps import LARGE

FIRST = LARGE[:PART]
LAST = b"the last part may be short"


def _completed(s3: Scene, key: str, upload: str, tags: list[str]) -> Observed:
    """`complete-multipart-upload` with these ETags for parts 1, 2, …"""
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    chosen = ["--upload-id", upload, "--multipart-upload", document(s3, {"Parts": parts})]
    return api(s3, "complete-multipart-upload", *at(s3.bucket, key), *chosen)


@scenario(
    "S3API-012",
    MUST,
    "CreateMultipartUpload",
    "UploadPart",
    "ListParts",
    "CompleteMultipartUpload",
    source=SOURCE.format("create-multipart-upload to complete-multipart-upload"),
    clients=("awscli",),
)
def upload_in_parts(s3: Scene) -> None:
    """`aws s3api` `create-multipart-upload`, `upload-part`, `list-parts`, `complete-multipart-upload` make one object.

    S3 promises: parts are listed with number, size and the ETag that their upload had; completing joins them in the
    order of their numbers, and the object has the type and metadata that the upload was created with.

    Breaks: uploads of large files by scripts. An answer to complete without a document ends with exit code 0 in the
    AWS CLI, whether there is an object or not; only a second look tells.

    Fix: answer complete with CompleteMultipartUploadResult, and only once the object can be read.
    """
    key = s3.key("large file")
    notes = ["--content-type", "text/x-large", "--metadata", "color=red"]
    made = s3.expect(api(s3, "create-multipart-upload", *at(s3.bucket, key), *notes), done(), output("Key", key))
    upload, tags = str(made.output.get("UploadId")), list[str]()
    for number, content in enumerate((FIRST, LAST), 1):
        part = ["--upload-id", upload, "--part-number", str(number), "--body", file(s3, content)]
        tags.append(s3.expect(api(s3, "upload-part", *at(s3.bucket, key), *part), done()).etag or "")
    listed = s3.expect(api(s3, "list-parts", *at(s3.bucket, key), "--upload-id", upload), done())
    found = [(part.get("PartNumber"), part.get("Size"), part.get("ETag")) for part in listed.output.get("Parts", [])]
    wanted = [(1, len(FIRST), tags[0]), (2, len(LAST), tags[1])]
    s3.check(found == wanted, f"Parts {wanted}", f"they were {found}", listed)
    is_missing(s3, key)
    whole = s3.expect(_completed(s3, key, upload, tags), done(), output("Key", key))
    seen = s3.expect(is_whole(s3, key, FIRST + LAST), output("ContentType", "text/x-large"), metadata({"color": "red"}))
    s3.check(whole.etag == seen.etag, f"ETag {seen.etag}, with which the object is read", f"it was {whole.etag}", whole)


@scenario(
    "S3API-013",
    SHOULD,
    "ListMultipartUploads",
    "AbortMultipartUpload",
    source=SOURCE.format("list-multipart-uploads and abort-multipart-upload"),
    clients=("awscli",),
)
def abort_of_an_upload(s3: Scene) -> None:
    """`aws s3api list-multipart-uploads` finds an unfinished upload, and `abort-multipart-upload` ends it alone.

    S3 promises: uploads are listed until they are completed or aborted; an aborted one has no parts and no object.

    Breaks: clean-up scripts, which find forgotten uploads by this list; what it hides is stored and paid for.

    Fix: list uploads by key and id, below a prefix where one is asked for; drop all parts at the abort.
    """
    key, other = s3.key("in/unfinished"), s3.key("out/unfinished")
    upload, elsewhere = (
        str(s3.setup("CreateMultipartUpload", Key=name).output.get("UploadId")) for name in (key, other)
    )
    s3.setup("UploadPart", Key=key, UploadId=upload, PartNumber=1, Body=LAST)
    found = s3.expect(api(s3, "list-multipart-uploads", *at(s3.bucket), "--prefix", s3.key("in/")), done())
    uploads = [(entry.get("Key"), entry.get("UploadId")) for entry in found.output.get("Uploads", [])]
    s3.check(uploads == [(key, upload)], f"Uploads with {key} and its id alone", f"they were {uploads}", found)
    s3.expect(api(s3, "abort-multipart-upload", *at(s3.bucket, key), "--upload-id", upload), done())
    s3.expect(s3.look("ListParts", Key=key, UploadId=upload), refused(404, "NoSuchUpload"))
    is_missing(s3, key)
    left = s3.expect(s3.look("ListMultipartUploads", Prefix=s3.prefix), ok())
    uploads = [(entry.get("Key"), entry.get("UploadId")) for entry in left.output.get("Uploads", [])]
    s3.check(uploads == [(other, elsewhere)], f"Uploads with {other} alone", f"they were {uploads}", left)
    s3.look("AbortMultipartUpload", Key=other, UploadId=elsewhere)


@scenario("S3API-014", SHOULD, "UploadPartCopy", source=SOURCE.format("upload-part-copy"), clients=("awscli",))
def parts_of_an_object(s3: Scene) -> None:
    """`aws s3api upload-part-copy` makes parts of an object's ranges, and prints the ETag to complete them with.

    S3 promises: the named bytes of the source become the part; CopyPartResult has its ETag.

    Breaks: copies of large objects by every SDK. A gateway that takes the request for UploadPart stores an empty
    part and answers 200 without a document (rclone/rclone#8139 tells of one that has no such operation).

    Fix: look for x-amz-copy-source before anything else; a gateway that cannot copy parts answers 501.
    """
    source, key = s3.key("source &c"), s3.key("copy")
    content = LAST + FIRST + LAST
    s3.put(source, content)
    upload = str(s3.setup("CreateMultipartUpload", Key=key).output.get("UploadId"))
    place, tags = ["--copy-source", f"{s3.bucket}/{source}", "--upload-id", upload], list[str]()
    for number, (start, end) in enumerate(((0, PART - 1), (PART, len(content) - 1)), 1):
        part = ["--part-number", str(number), "--copy-source-range", f"bytes={start}-{end}"]
        run = s3.expect(api(s3, "upload-part-copy", *at(s3.bucket, key), *place, *part), done())
        result: dict[str, Any] = run.output.get("CopyPartResult", {})
        s3.check("ETag" in result, "CopyPartResult with an ETag", f"it was {result}", run)
        tags.append(result["ETag"])
    s3.expect(_completed(s3, key, upload, tags), done())
    is_whole(s3, key, content)


@scenario("S3API-016", EXTENDED, "GetObject", source=SOURCE.format("get-object"), clients=("awscli",))
def one_part(s3: Scene) -> None:
    """`aws s3api get-object --part-number 2` downloads the second part alone, and prints how many there are.

    S3 promises: the bytes that were uploaded as this part, status 206, Content-Range and x-amz-mp-parts-count.

    Breaks: downloads in parallel along the parts, as the SDKs' transfer managers make them: the whole object
    instead of a part becomes a file of several times its size. A part that is not there is 416.

    Fix: keep the sizes of parts; a gateway that does not has to refuse partNumber rather than ignore it.
    """
    key = s3.key("in two parts")
    upload = str(s3.setup("CreateMultipartUpload", Key=key).output.get("UploadId"))
    parts = []
    for number, content in enumerate((FIRST, LAST), 1):
        made = s3.setup("UploadPart", Key=key, UploadId=upload, PartNumber=number, Body=content)
        parts.append({"PartNumber": number, "ETag": made.etag or ""})
    s3.setup("CompleteMultipartUpload", Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    run = s3.expect(downloaded(s3, "get-object", *at(s3.bucket, key), "--part-number", "2"), done())
    s3.check(run.body == LAST, f"a file of {len(LAST)} bytes, the second part", f"it has {len(run.body or b'')}", run)
    shown = f"bytes {len(FIRST)}-{len(FIRST + LAST) - 1}/{len(FIRST + LAST)}"
    s3.expect(run, output("ContentLength", len(LAST)), output("ContentRange", shown), output("PartsCount", 2))
    s3.expect(
        downloaded(s3, "get-object", *at(s3.bucket, key), "--part-number", "3"), rejected(416, "InvalidPartNumber")
    )
    is_whole(s3, key, FIRST + LAST)
