"""What Auto Drive's S3 layer can do since July 2026: versions that nobody can destroy, soft deletion, copies, metadata.

Every write makes a version, whose id is its CID; a deletion hides the key behind a marker. What is not said of that
time is as in the days of the guide. Simplified: a bucket belongs to who wrote to it first, not each key to its writer.

Source: autonomys/auto-drive at 38f05169, apps/backend/src/app/controllers/s3; claims `ad.*`, what they say of it.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Mapping
from itertools import groupby, takewhile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from reference_server.building_blocks import format_etag
from reference_server.call import Call, Handler, Result
from reference_server.codec import iso_time
from reference_server.errors import S3Error
from reference_server.listing import BEHIND
from reference_server.objects import StoredObject
from reference_server.personalities import _autodrive_listing as listings
from reference_server.personalities._autodrive_answers import RefusedError, not_found, result, unwritable
from reference_server.personalities._autodrive_objects import Operations, written_as
from reference_server.xmltree import Node, parse_xml

if TYPE_CHECKING:
    from reference_server.store import Bucket
    from reference_server.wire import Headers

#: How long a version is locked, in years, which stands for ever.
YEARS = 100
_PERMANENT = (
    "Versions are permanent and cannot be destroyed. Autonomys DSN storage is immutable (COMPLIANCE-mode Object Lock); "
    "only the current version can be hidden with a delete marker (DeleteObject without a versionId)."
)
_ENCODE = (
    "This listing contains keys with characters that require URL encoding. Retry the request with encoding-type=url."
)


class Versions(Operations):
    """The operations on objects and their versions."""

    settings: Mapping[str, Any] = {
        "versioning": {"Status": "Enabled"},
        "object-lock": {"ObjectLockEnabled": "Enabled"},
    }

    def handlers(self) -> dict[str, Handler]:
        """By the names of the operations."""
        return {
            **super().handlers(),
            "AbortMultipartUpload": self.abort_multipart_upload,
            "CopyObject": self.copy_object,
            "DeleteObject": self.delete_object,
            "GetBucketVersioning": lambda _: result("VersioningConfiguration", {"Status": "Enabled"}),
            "GetObjectLegalHold": self.legal_hold,
            "GetObjectLockConfiguration": lambda _: result("ObjectLockConfiguration", _LOCK),
            "GetObjectRetention": self.retention,
            "ListBuckets": listings.list_buckets,
            "ListObjectVersions": self.list_object_versions,
            "ListObjectsV2": self.list_objects_v2,
        }

    # Writing

    def bucket(self, call: Call) -> Bucket:
        """The bucket of a write.

        Raises:
            RefusedError: another user's.
        """
        found = super().bucket(call)
        if found.owner != call.account.id:
            raise RefusedError(403, f"Key {found.name}/{call.key} is owned by another user")
        return found

    def identifying(self, cid: str) -> Headers:
        """With the version, whose id is the CID."""
        return [*super().identifying(cid), ("x-amz-version-id", cid)]

    def stored(self, call: Call) -> tuple[Result, str]:
        """As before; the store's own id of the version is nobody's concern."""
        found, cid = super().stored(call)
        found.members.pop("VersionId", None)
        return found, cid

    def copy_object(self, call: Call) -> Result:
        """CopyObject; a version of the source is named by its CID.

        Raises:
            S3Error: NoSuchVersion, beside what the right server has to say.
        """
        path, mark, wanted = call.members["CopySource"].partition("?versionId=")
        name, _, key = unquote(path).removeprefix("/").partition("/")
        if mark and key:
            bucket = call.store.bucket(name)
            version = _version(call, bucket, key, wanted) if bucket is not None else None
            if version is None:
                raise S3Error("NoSuchVersion", None, {"Key": key, "VersionId": wanted})
            call.members["CopySource"] = f"{path}{mark}{version}"
        found, cid = self.stored(call)
        copied = found.members["CopyObjectResult"]
        tree = {**copied, "LastModified": iso_time(copied["LastModified"])}
        if "CopySourceVersionId" in found.members:
            found.members["CopySourceVersionId"] = cid
        found.headers += self.identifying(cid)
        return written_as(call, "CopyObjectResult", tree, found)

    def delete_object(self, call: Call) -> Result:
        """DeleteObject hides the key; a version is there for ever.

        Raises:
            S3Error: AccessDenied for a version; a condition that does not hold.
        """
        if call.members.get("VersionId"):
            raise S3Error("AccessDenied", _PERMANENT)
        bucket = self._own(call)
        if bucket is None or (call.objects.get(bucket, call.key) is None and call.members.get("IfMatch") is None):
            return Result()
        found = self.inner(call)
        marker = call.objects.get(bucket, call.key, found.members["VersionId"])
        if marker is not None:
            found.members["VersionId"] = _marker_id(marker.modified)
        return found

    def abort_multipart_upload(self, call: Call) -> Result:
        """AbortMultipartUpload.

        Raises:
            S3Error: NoSuchUpload.
        """
        upload = call.request.parameters["uploadId"]
        try:
            call.uploads.abort(self.bucket(call), call.key, upload)
        except S3Error:
            message = "The specified multipart upload does not exist."
            raise S3Error("NoSuchUpload", message, {"UploadId": upload}) from None
        return Result()

    def listed_etags(self, document: bytes) -> list[str]:
        """The ETags of the parts by number, from a document that must be one.

        Raises:
            S3Error: MalformedXML.
        """
        root = parse_xml(document)
        if root is None or root.name != "CompleteMultipartUpload":
            raise _malformed("Missing CompleteMultipartUpload root element")
        parts = [_listed(part) for part in root.children if part.name == "Part"]
        if not parts:
            raise _malformed("CompleteMultipartUpload has no parts")
        return [etag for _, etag in sorted(parts, key=lambda part: part[0])]

    # Reading

    def read(self, call: Call) -> Result:
        """GetObject and HeadObject, of a version by its CID."""
        wanted, bucket = call.members.get("VersionId"), self._own(call)
        if bucket is None:
            raise not_found(call.request.bucket or "", call.key)
        if wanted:
            call.members["VersionId"] = _version(call, bucket, call.key, wanted)
            if call.members["VersionId"] is None:
                raise not_found(bucket.name, call.key)
        found = super().read(call)
        found.members["VersionId"] = found.members["Metadata"]["cid"]
        return found

    def behind_the_end(self, call: Call, error: S3Error) -> Result:  # noqa: ARG002 - an error tells all
        """416, as elsewhere.

        Raises:
            S3Error: always.
        """
        raise error

    @staticmethod
    def _own(call: Call) -> Bucket | None:
        found = call.store.bucket(call.request.bucket or "")
        return found if found is not None and found.owner == call.account.id else None

    def _present(self, call: Call) -> StoredObject:
        bucket = self._own(call)
        found = call.objects.get(bucket, call.key) if bucket is not None else None
        if found is None:
            raise _no_such_key(call.key)
        return found

    def retention(self, call: Call) -> Result:
        """GetObjectRetention: so many years from the write.

        Raises:
            S3Error: NoSuchKey.
        """
        written = time.gmtime(self._present(call).modified)
        until = iso_time(calendar.timegm((written.tm_year + YEARS, *written[1:6], 0, 0, 0)))
        return result("Retention", {"Mode": "COMPLIANCE", "RetainUntilDate": until})

    def legal_hold(self, call: Call) -> Result:
        """GetObjectLegalHold: never.

        Raises:
            S3Error: NoSuchKey.
        """
        self._present(call)
        return result("LegalHold", {"Status": "OFF"})

    # Listings

    def list_objects_v2(self, call: Call) -> Result:
        """ListObjectsV2, with encoding-type."""
        tree = listings.page(call)
        names = [entry["Key"] for entry in tree["Contents"]] + [entry["Prefix"] for entry in tree["CommonPrefixes"]]
        encode = _encoder(call, names)
        for entry in (*tree["Contents"], *tree["CommonPrefixes"]):
            name = "Key" if "Key" in entry else "Prefix"
            entry[name] = encode(entry[name])
        return result("ListBucketResult", {**tree, "Prefix": encode(tree["Prefix"]), **_encoding(call)})

    def list_object_versions(self, call: Call) -> Result:
        """ListObjectVersions: whole keys, so that a page may be longer than asked for, by versions of its last one."""
        query = call.request.parameters
        bucket, marker, limit = self._own(call), query.get("key-marker", ""), int(query["max-keys"])
        prefix = query.get("prefix", "").encode()
        versions: list[dict[str, Any]] = []
        markers: list[dict[str, Any]] = []
        more = ""
        for key in _keys(call, bucket, prefix, marker) if bucket is not None else []:
            if len(versions) + len(markers) >= limit:
                more = marker
                break
            marker = key
            found = _versions(call, bucket, key) if bucket is not None else []
            hidden = [version for version in found[:1] if version.marker]
            markers += [_marker_entry(version) for version in hidden]
            kept = [version for version in found if not version.marker]
            versions += [_version_entry(version, latest=version is found[0]) for version in kept]
        encode = _encoder(call, [entry["Key"] for entry in versions + markers])
        for entry in versions + markers:
            entry["Key"] = encode(entry["Key"])
        tree = {
            "Name": call.request.bucket,
            "Prefix": encode(prefix.decode()),
            "KeyMarker": query.get("key-marker", ""),
            "MaxKeys": limit,
            "IsTruncated": bool(more),
            **_encoding(call),
            **({"NextKeyMarker": encode(more)} if more else {}),
            "Version": versions,
            "DeleteMarker": markers,
        }
        return result("ListVersionsResult", tree)


_LOCK = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": YEARS}}}


def _no_such_key(key: str) -> S3Error:
    return S3Error("NoSuchKey", "The specified key does not exist.", {"Key": key})


def _malformed(message: str) -> S3Error:
    return S3Error("MalformedXML", message)


def _listed(part: Node) -> tuple[int, str]:
    texts = {child.name: child.text.strip() for child in part.children}
    number, etag = texts.get("PartNumber", ""), texts.get("ETag", "")
    if not (number.isascii() and number.isdigit() and int(number)):
        raise _malformed("Part is missing a valid PartNumber")
    if not etag:
        raise _malformed("Part is missing a non-empty ETag")
    return int(number), etag


def _cid(stored: StoredObject) -> str:
    return str(stored.attributes["Metadata"]["cid"])


def _marker_id(modified: int) -> str:
    return f"dm-{modified * 1000}"


def _versions(call: Call, bucket: Bucket, key: str) -> list[StoredObject]:
    """All versions of a key and its markers, newest first."""
    with call.store.lock:
        rows = call.objects.version_rows(bucket, key.encode(), -BEHIND)
        ids = [row[2] or "null" for row in takewhile(lambda row: row[0] == key.encode(), rows)]
        found = [call.objects.get(bucket, key, version) for version in ids]
    return [version for version in found if version is not None]


def _version(call: Call, bucket: Bucket, key: str, cid: str) -> str | None:
    """The store's id of the newest version with this CID."""
    found = [one.version_id for one in _versions(call, bucket, key) if not one.marker and _cid(one) == cid]
    return found[0] if found else None


def _keys(call: Call, bucket: Bucket, prefix: bytes, marker: str) -> list[str]:
    """The keys that have versions, behind a marker."""
    with call.store.lock:
        lower = max(prefix, marker.encode())
        rows = call.objects.version_rows(bucket, lower, BEHIND if lower == marker.encode() and marker else -BEHIND)
        return [key.decode() for key, _ in groupby(row[0] for row in rows) if key.startswith(prefix)]


def _version_entry(version: StoredObject, *, latest: bool) -> dict[str, Any]:
    return {
        "Key": version.key,
        "VersionId": _cid(version),
        "IsLatest": latest,
        "LastModified": iso_time(version.modified),
        "ETag": format_etag(version.etag),
        "Size": version.size,
        "StorageClass": "STANDARD",
    }


def _marker_entry(marker: StoredObject) -> dict[str, Any]:
    shown = {"Key": marker.key, "VersionId": _marker_id(marker.modified), "IsLatest": True}
    return {**shown, "LastModified": iso_time(marker.modified)}


def _encoding(call: Call) -> dict[str, str]:
    return {"EncodingType": "url"} if call.request.parameters.get("encoding-type") == "url" else {}


def _encoder(call: Call, names: list[str]) -> Callable[[str], str]:
    """How keys are written: all percent-encoded if the client asked for it, slashes too.

    Raises:
        S3Error: InvalidArgument, it did not and must.
    """
    if _encoding(call):
        return lambda text: quote(text, safe="!'()*-._~")
    if any(unwritable(name) for name in names):
        where: dict[str, object] = {"ArgumentName": "encoding-type", "Resource": f"/{call.request.bucket}/"}
        raise S3Error("InvalidArgument", _ENCODE, where)
    return str
