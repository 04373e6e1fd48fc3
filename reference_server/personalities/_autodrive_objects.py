"""Auto Drive's operations on objects in the days of its guide, around those of the reference server.

Names are one space: whoever has an API key reads and writes all of it. What no claim says otherwise is as S3 has it.
Source: autonomys/auto-drive at c29e3d5b, apps/backend/src/app/controllers/s3/s3.ts and core/s3; claims `ad.*`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from reference_server import access
from reference_server.blobs import Blob
from reference_server.building_blocks import format_etag, md5_hex
from reference_server.call import Call, Handler, Result
from reference_server.conditions import write_check
from reference_server.errors import NotModifiedError, S3Error
from reference_server.objects import StoredObject
from reference_server.personalities._autodrive_answers import RefusedError, broken, not_found, result
from reference_server.personalities._autodrive_cid import cid_of
from reference_server.personalities._autodrive_requests import HOST
from reference_server.views import put_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reference_server.store import Bucket
    from reference_server.uploads import Upload
    from reference_server.wire import Headers

_MISSING = ("NoSuchBucket", "NoSuchKey")
_MD5 = re.compile(r'"[0-9a-f]{32}(-[0-9]+)?"\Z')
_PART = re.compile(r"<Part>(.*?)</Part>", re.DOTALL)
_NUMBER = re.compile(r"<PartNumber>(\d+)</PartNumber>")
_ETAG = re.compile(r"<ETag>([^<]+)</ETag>")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_BLOBS = "SELECT b.size, b.data, b.file FROM part p JOIN blob b ON b.id=p.blob WHERE p.upload=? ORDER BY p.number"


class Operations:
    """The operations on objects.

    Args:
        inner: the right function of the seam `operation`.
    """

    #: Of every bucket, beside those of any new one.
    settings: Mapping[str, Any] = {}

    def __init__(self, inner: Callable[[Call], Result]) -> None:
        self.inner = inner

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
        found, cid = self.stored(call)
        found.headers += self.identifying(cid)
        return found

    def stored(self, call: Call) -> tuple[Result, str]:
        """What the right server answers to a write, and the CID that the object has from the moment it is there."""
        self.bucket(call)
        cids = []

        def described(new: StoredObject, blob: Blob | None) -> StoredObject:
            blobs = [blob] if blob is not None else []
            kept = _described(new.attributes, call.key, call.store.blobs.read(blobs, 0, new.size))
            cids.append(kept["Metadata"]["cid"])
            return replace(new, attributes=kept)

        put_changed(call, described)
        found = self.inner(call)
        return found, cids[-1]

    def identifying(self, cid: str) -> Headers:
        """The headers of the answer to a write that name the content."""
        return [("x-amz-meta-cid", cid)]

    # Reading

    def read(self, call: Call) -> Result:
        """GetObject and HeadObject from those of the right server; a legacy object has its CID and no ETag."""
        try:
            found = self.inner(call)
        except NotModifiedError as unchanged:
            kept = [(name, value) for name, value in unchanged.headers if name != "ETag" or _MD5.match(value)]
            raise NotModifiedError(kept) from None
        except S3Error as error:
            if error.code in _MISSING:
                raise not_found(call.request.bucket or "", call.key) from None
            if error.code == "InvalidRange":
                return self.behind_the_end(call, error)
            raise
        if not _MD5.match(found.members["ETag"]):
            del found.members["ETag"]
        return found

    def behind_the_end(self, call: Call, error: S3Error) -> Result:
        """A range that begins behind the end is no error: 206 with an end before its start, and no bytes.

        Simplified: the length that the service announces is negative, which would make the answer unreadable.
        """
        size = int(str(error.elements["ActualObjectSize"]))
        start = call.request.headers["range"].removeprefix("bytes=").partition("-")[0]
        shown = {"ContentLength": 0, "ContentRange": f"bytes {start}-{size - 1}/{size}"}
        return Result(shown, 206, body=b"", length=0)

    # Multipart

    def create_multipart_upload(self, call: Call) -> Result:
        """CreateMultipartUpload, whose root element has the name of the operation."""
        self.bucket(call)
        tree = {"UploadId": None, "Bucket": None, "Key": None}
        return written_as(call, "CreateMultipartUploadResult", tree, self.inner(call))

    def upload_part(self, call: Call) -> Result:
        """UploadPart, of any size.

        Raises:
            RefusedError: there is no such upload.
        """
        try:
            return self.inner(call)
        except S3Error as error:
            raise broken() if error.code == "NoSuchUpload" else error from None

    def complete_multipart_upload(self, call: Call) -> Result:
        """CompleteMultipartUpload: the object has all parts that were uploaded, the ETag is that of those listed.

        If none is listed the object has no ETag but its CID.
        """
        etags = self.listed_etags(call.payload(object_checksum=True).document())
        bucket = self.bucket(call)
        with call.store.transaction():
            try:
                upload = call.uploads.find(bucket, call.key, call.request.parameters["uploadId"])
            except S3Error:
                raise broken() from None
            etag, cid = _complete(call, bucket, upload, etags)
        location = f"http://{call.request.headers[HOST]}/{quote(f'{bucket.name}/{call.key}')}"
        shown = {"Location": location, "Bucket": bucket.name, "Key": call.key, "ETag": format_etag(etag)}
        return result("CompleteMultipartUploadResult", shown, [("ETag", format_etag(etag)), *self.identifying(cid)])

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


def _complete(call: Call, bucket: Bucket, upload: Upload, etags: list[str]) -> tuple[str, str]:
    """Make the object of an upload; its ETag and CID. The store is locked: nothing can remove a part meanwhile."""
    parts = call.uploads.parts(upload.seq)
    numbers = [part.number for part in parts]
    if numbers != [*range(1, len(parts) + 1)]:
        raise RefusedError(400, "Error: File parts have a gap in sequence", "html")
    blobs = [Blob(*row) for row in call.store.rows(_BLOBS, upload.seq)]
    size = sum(blob.size for blob in blobs)
    attributes = {name: value for name, value in upload.attributes.items() if name != "Initiator"}
    kept = _described(attributes, call.key, call.store.blobs.read(blobs, 0, size))
    cid = kept["Metadata"]["cid"]
    etag = composite(etags) if etags else cid
    new = StoredObject(call.key, size, etag, call.store.now(), upload.storage_class, attributes=kept)
    new = replace(new, upload=upload.seq, parts=len(parts))
    check = write_check(call.members, call.key, upload.touched)
    call.uploads.finish(bucket, upload, new, (set(numbers), "", {}), check)
    return etag, cid


def _described(attributes: Mapping[str, Any], key: str, content: Iterable[bytes]) -> dict[str, Any]:
    """Attributes of an object with its CID, and with the name of a file unless the client gave one.

    What the client compressed or encrypted has a CID of its own.
    """
    metadata = attributes.get("Metadata") or {}
    cid = cid_of(content, compressed="compression" in metadata, encrypted="encryption" in metadata)
    name = quote(key.rpartition("/")[2] or "download", safe="!'()*-._~")
    disposition = {"ContentDisposition": f"inline; filename=\"{name}\"; filename*=UTF-8''{name}"}
    return {**disposition, **attributes, "Metadata": {**metadata, "cid": cid}}


def written_as(call: Call, root: str, tree: Mapping[str, Any], found: Result) -> Result:
    """The answer of the right server in a document of this gateway's own.

    Args:
        call: the request.
        root: name of the root element.
        tree: what is in it; None for a member of the answer.
        found: the answer.
    """
    encoded = call.endpoint.codec.write(call.operation, found.members)
    shown = {name: found.members[name] if value is None else value for name, value in tree.items()}
    return result(root, shown, [*encoded.headers, *found.headers])


def composite(etags: list[str]) -> str:
    """The ETag of parts, without quotes. Not checked: of each counts what is hex at its beginning."""
    digests = [_HEX.match(etag.replace('"', "")) for etag in etags]
    joined = b"".join(bytes.fromhex(match[0]) for match in digests if match)
    return f"{md5_hex(joined)}-{len(etags)}"
