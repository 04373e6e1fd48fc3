"""Auto Drive's operations on objects in the days of its guide, over the store of the reference server.

Names are one space: whoever has an API key reads and writes all of it. Source: autonomys/auto-drive at c29e3d5b,
apps/backend/src/app/controllers/s3/s3.ts and core/s3; claims `ad.*`.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reference_server import access, checksums
from reference_server.blobs import Blob
from reference_server.building_blocks import format_etag, md5_hex
from reference_server.call import Call, Handler, Result
from reference_server.errors import S3Error
from reference_server.objects import StoredObject
from reference_server.ops.objects import receive
from reference_server.personalities._autodrive_answers import RefusedError, broken, not_found, result
from reference_server.personalities._autodrive_cid import cid_of
from reference_server.personalities._autodrive_requests import HOST
from reference_server.uploads import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reference_server.store import Bucket
    from reference_server.uploads import Upload
    from reference_server.wire import Headers

_SHOWN = (
    *("ContentLength", "ContentRange", "ContentType", "ContentDisposition", "ContentEncoding", "LastModified"),
    *("ETag", "Metadata", "AcceptRanges", "CacheControl", "ContentLanguage"),
)
_MD5 = re.compile(r'"[0-9a-f]{32}(-[0-9]+)?"\Z')
_TEXT = re.compile(r"text/|application/(javascript|json)")
_PART = re.compile(r"<Part>(.*?)</Part>", re.DOTALL)
_NUMBER = re.compile(r"<PartNumber>(\d+)</PartNumber>")
_ETAG = re.compile(r"<ETag>([^<]+)</ETag>")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
#: How the client may have changed the content; the values are what it is always said to be.
_TRANSFORMS = {"compression": "ZLIB", "encryption": "AES_256_GCM"}
_BLOBS = "SELECT b.size, b.data, b.file FROM part p JOIN blob b ON b.id=p.blob WHERE p.upload=? ORDER BY p.number"


def any_object(_present: StoredObject | None) -> None:
    """No write depends on what is there."""


class Operations:
    """The operations on objects.

    Args:
        inner: the right function of the seam `operation`.
    """

    #: Of every bucket, beside those of any new one.
    settings: Mapping[str, Any] = {}

    def __init__(self, inner: Callable[[Call], Result]) -> None:
        self._inner = inner

    def handlers(self) -> dict[str, Handler]:
        """By the names of the operations."""
        return {
            "CompleteMultipartUpload": self.complete_multipart_upload,
            "CreateMultipartUpload": self.create_multipart_upload,
            "GetObject": self.read,
            "HeadObject": self.read,
            "PutObject": self.put_object,
            "UploadPart": self.upload_part,
        }

    def bucket(self, call: Call) -> Bucket:
        """The bucket of a write, made if there is none; any name will do."""
        name = call.request.bucket or ""
        found = call.store.bucket(name)
        if found is None:
            settings = {**access.NEW_BUCKET, **self.settings}
            found, _ = call.store.create_bucket(name, call.account.id, settings)
        return found

    # Writing

    def put_object(self, call: Call) -> Result:
        """PutObject; the same key again is a new object in its place, and the content before stays where it is."""
        bucket, described = self.bucket(call), self.described(call)
        size, md5, blob = self.body(call)
        cid = _cid(call.store.blobs.read([blob], 0, size), described["Metadata"])
        self.store(call, bucket, StoredObject(call.key, size, md5, call.store.now(), attributes=described), cid, blob)
        return Result(headers=self.written(md5, cid))

    @staticmethod
    def store(call: Call, bucket: Bucket, stored: StoredObject, cid: str, blob: Blob) -> None:
        """Keep an object under its CID."""
        stored.attributes["Metadata"] = {**stored.attributes["Metadata"], "cid": cid}
        call.objects.put(bucket, stored, blob, any_object)

    def written(self, etag: str, cid: str) -> Headers:
        """The headers of the answer to a write."""
        return [("ETag", format_etag(etag)), ("x-amz-meta-cid", cid)]

    def body(self, call: Call) -> tuple[int, str, Blob]:
        """Size, MD5 and blob of a body; one that comes compressed is kept as what it expands to.

        Raises:
            RefusedError: it is not compressed as it says.
        """
        received, blob = receive(call, call.payload(), checksums.DEFAULT)
        if call.request.headers.get("content-encoding", "identity").lower() == "identity":
            return received.size, received.md5, blob
        try:
            plain = zlib.decompress(b"".join(call.store.blobs.read([blob], 0, blob.size)), wbits=zlib.MAX_WBITS | 32)
        except zlib.error:
            raise RefusedError(400, "BadRequestError: incorrect header check", "html") from None
        finally:
            if blob.file is not None:
                call.store.blobs.remove([blob.file])
        writer = call.store.blobs.writer()
        writer.write(plain)
        return len(plain), md5_hex(plain), writer.finish()

    def described(self, call: Call) -> dict[str, Any]:
        """What is kept with an object, as it will be shown; of user metadata only how the client changed its content.

        What was compressed, but not encrypted, is answered with Content-Encoding deflate, and the type of what was
        encrypted is not told (autonomys/auto-sdk, packages/utility/file-server/src/http/headers.ts).
        """
        sent = call.members.get("Metadata") or {}
        metadata = {name: value for name, value in _TRANSFORMS.items() if sent.get(name)}
        name = quote(call.key.rpartition("/")[2] or "download", safe="!'()*-._~")
        kept: dict[str, Any] = {
            "ContentType": _content_type(
                "" if "encryption" in metadata else call.request.headers.get("content-type", "")
            ),
            "ContentDisposition": f"inline; filename=\"{name}\"; filename*=UTF-8''{name}",
            "Metadata": metadata,
        }
        return kept | ({"ContentEncoding": "deflate"} if [*metadata] == ["compression"] else {})

    # Reading

    def read(self, call: Call) -> Result:
        """GetObject and HeadObject from those of the right server."""
        try:
            found = self._inner(call)
        except S3Error as error:
            if error.code != "InvalidRange":
                raise not_found(call.request.bucket or "", call.key) from None
            return self.behind_the_end(call, error)
        shown = {name: value for name, value in found.members.items() if name in _SHOWN}
        if not _MD5.match(shown["ETag"]):
            del shown["ETag"]  # a legacy object: only its CID is known
        found.members = shown
        if call.operation == "HeadObject":
            found.status = 200  # also where the length is that of a range
        return found

    def behind_the_end(self, call: Call, error: S3Error) -> Result:
        """A range that begins behind the end is no error: 206 with an end before its start, and no bytes.

        Simplified: the length that the service announces is negative, which would make the answer unreadable.
        """
        size = int(str(error.elements["ActualObjectSize"]))
        start = call.request.headers["range"].removeprefix("bytes=").partition("-")[0]
        shown = {"ContentLength": 0, "ContentRange": f"bytes {start}-{size - 1}/{size}"}
        return Result(shown, 206 if call.operation == "GetObject" else 200, body=b"", length=0)

    # Multipart

    def create_multipart_upload(self, call: Call) -> Result:
        """CreateMultipartUpload, whose root element has the name of the operation."""
        attributes = {**self.described(call), "Initiator": call.account.id}
        upload = call.uploads.create(self.bucket(call), call.key, attributes, "STANDARD", (None, None))
        tree = {"UploadId": upload, "Bucket": call.request.bucket, "Key": call.key}
        return result("CreateMultipartUploadResult", tree)

    def upload_part(self, call: Call) -> Result:
        """UploadPart, of any size and number; number 0 is answered like any other and dropped."""
        size, md5, blob = self.body(call)
        bucket, number = self.bucket(call), int(call.request.parameters["partNumber"])
        try:
            upload = call.uploads.find(bucket, call.key, call.request.parameters["uploadId"])
        except S3Error:
            raise broken() from None
        if number > 0:
            call.uploads.put_part(bucket, upload, Part(number, size, md5, call.store.now(), {}, 0), blob)
        return Result(headers=[("ETag", format_etag(md5))])

    def complete_multipart_upload(self, call: Call) -> Result:
        """CompleteMultipartUpload: the object has all parts that were uploaded, the ETag is that of those listed.

        If none is listed the object has no ETag but its CID.
        """
        etags = self.listed_etags(call.payload().document())
        bucket = self.bucket(call)
        with call.store.transaction():
            try:
                upload = call.uploads.find(bucket, call.key, call.request.parameters["uploadId"])
            except S3Error:
                raise broken() from None
            etag, cid = _complete(call, bucket, upload, etags)
        location = f"http://{call.request.headers[HOST]}/{quote(f'{bucket.name}/{call.key}')}"
        shown = {"Location": location, "Bucket": bucket.name, "Key": call.key, "ETag": format_etag(etag)}
        return result("CompleteMultipartUploadResult", shown, self.written(etag, cid))

    def listed_etags(self, document: bytes) -> list[str]:
        """The ETags of the parts in a document, by part number; what has not both is passed over.

        Quotes are read as they are or as `&quot;`, in no other way: an ETag between numeric references, as some
        clients write it, stays what it is and counts for nothing.
        """
        parts = []
        for block in _PART.findall(document.decode("utf-8", "replace")):
            number, etag = _NUMBER.search(block), _ETAG.search(block)
            if number and etag:
                parts.append((int(number[1]), etag[1].strip().replace("&quot;", '"')))
        return [etag for _, etag in sorted(parts, key=lambda part: part[0])]


def _content_type(sent: str) -> str:
    """Express names the charset of text that does not."""
    if _TEXT.match(sent) and "charset" not in sent:
        return f"{sent}; charset=utf-8"
    return sent or "application/octet-stream"


def _complete(call: Call, bucket: Bucket, upload: Upload, etags: list[str]) -> tuple[str, str]:
    """Make the object of an upload; its ETag and CID. The store is locked: nothing can remove a part meanwhile."""
    parts = call.uploads.parts(upload.seq)
    numbers = [part.number for part in parts]
    if numbers != [*range(1, len(parts) + 1)]:
        raise RefusedError(400, "Error: File parts have a gap in sequence", "html")
    blobs = [Blob(*row) for row in call.store.rows(_BLOBS, upload.seq)]
    size = sum(blob.size for blob in blobs)
    attributes = {name: value for name, value in upload.attributes.items() if name != "Initiator"}
    cid = _cid(call.store.blobs.read(blobs, 0, size), attributes["Metadata"])
    attributes["Metadata"] = {**attributes["Metadata"], "cid": cid}
    etag = composite(etags) if etags else cid
    new = StoredObject(call.key, size, etag, call.store.now(), attributes=attributes, upload=upload.seq)
    call.uploads.finish(bucket, upload, new, (set(numbers), "", {}), any_object)
    return etag, cid


def _cid(content: Iterable[bytes], metadata: Mapping[str, str]) -> str:
    return cid_of(content, compressed="compression" in metadata, encrypted="encryption" in metadata)


def composite(etags: list[str]) -> str:
    """The ETag of parts, without quotes. Not checked: of each counts what is hex at its beginning."""
    digests = [_HEX.match(etag.replace('"', "")) for etag in etags]
    joined = b"".join(bytes.fromhex(match[0]) for match in digests if match)
    return f"{md5_hex(joined)}-{len(etags)}"
