"""ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads. Source: catalogue LST1, LST2, LVER, LMU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_server import access
from reference_server.call import Call, Handler, Result
from reference_server.errors import S3Error, invalid_argument
from reference_server.listing import BEFORE, BEHIND, Page, Row, encoder, make_token, read_token
from reference_server.objects import version_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reference_server.store import Bucket

_PAGE = 1000
_MAX_INTEGER = 2**31 - 1


def list_objects(call: Call) -> Result:
    """ListObjects (version 1)."""
    if "start-after" in call.request.parameters:
        value = call.request.parameters["start-after"]
        raise invalid_argument("start-after", value, "start-after only supported in REST.GET.BUCKET V2")
    members, encode = call.members, encoder(call.members.get("EncodingType"))
    limit = _limit(members, "MaxKeys", "max-keys")
    bucket = call.bucket()
    marker = members.get("Marker") or ""
    found = _object_page(call, bucket, marker.encode(), limit)
    output = _common(call, bucket, found, encode, with_owner=True)
    output |= {"Marker": encode(marker), "MaxKeys": limit}
    if found.truncated and members.get("Delimiter"):
        output["NextMarker"] = encode(found.last.decode())
    return Result(output, headers=[("x-amz-bucket-region", call.endpoint.region)])


def list_objects_v2(call: Call) -> Result:
    """ListObjectsV2."""
    members, encode = call.members, encoder(call.members.get("EncodingType"))
    limit = _limit(members, "MaxKeys", "max-keys")
    bucket = call.bucket()
    token, start_after = members.get("ContinuationToken"), members.get("StartAfter")
    marker = (start_after or "").encode()
    if token is not None:
        marker = read_token(token)
    found = _object_page(call, bucket, marker, limit)
    output = _common(call, bucket, found, encode, with_owner=bool(members.get("FetchOwner")))
    output |= {
        "MaxKeys": limit,
        "KeyCount": len(found.rows) + len(found.prefixes),
        "ContinuationToken": token,
    }
    if token is None and start_after:
        output["StartAfter"] = encode(start_after)
    if found.truncated:
        output["NextContinuationToken"] = make_token(found.last)
    return Result(output, headers=[("x-amz-bucket-region", call.endpoint.region)])


def _limit(members: dict[str, Any], member: str, name: str) -> int:
    value = members.get(member)
    if value is None:
        return _PAGE
    if not 0 <= value <= _MAX_INTEGER:
        message = f"Argument {name} must be an integer between 0 and {_MAX_INTEGER}"
        raise invalid_argument(name, str(value), message)
    return int(min(value, _PAGE))


def _fold(call: Call) -> tuple[bytes, bytes]:
    return (call.members.get("Prefix") or "").encode(), (call.members.get("Delimiter") or "").encode()


def _object_page(call: Call, bucket: Bucket, marker: bytes, limit: int) -> Page:
    def rows(lower: bytes, after: int) -> Iterator[Row]:
        return call.objects.rows(bucket, lower, inclusive=after == BEFORE)

    with call.store.lock:
        return call.endpoint.seams.listing(rows, *_fold(call), (marker, BEHIND), limit)


def _common(
    call: Call, bucket: Bucket, found: Page, encode: Callable[[str], str], *, with_owner: bool
) -> dict[str, Any]:
    """What both versions of the listing show."""
    members = call.members
    return {
        "Name": bucket.name,
        "Prefix": encode(members.get("Prefix") or ""),
        "Delimiter": encode(members["Delimiter"]) if members.get("Delimiter") else None,
        "EncodingType": members.get("EncodingType"),
        "IsTruncated": found.truncated,
        "Contents": _contents(found.rows, encode, {"ID": bucket.owner} if with_owner else None),
        "CommonPrefixes": [{"Prefix": encode(prefix.decode())} for prefix in found.prefixes],
    }


def _contents(rows: list[Row], encode: Callable[[str], str], owner: dict[str, str] | None) -> list[dict[str, Any]]:
    shown = {} if owner is None else {"Owner": owner}
    return [
        {
            "Key": encode(key.decode()),
            "LastModified": modified,
            "ETag": f'"{etag}"',
            "ChecksumAlgorithm": (algorithm,) if algorithm else (),
            "ChecksumType": checksum_type,
            "Size": size,
            **shown,
            "StorageClass": storage_class,
        }
        for key, size, etag, modified, storage_class, algorithm, checksum_type in rows
    ]


def list_object_versions(call: Call) -> Result:
    """ListObjectVersions: by key, newest first; delete markers take their place among the versions."""
    members, encode = call.members, encoder(call.members.get("EncodingType"))
    limit = _limit(members, "MaxKeys", "max-keys")
    key_marker, id_marker = members.get("KeyMarker") or "", members.get("VersionIdMarker")
    if id_marker is not None and not key_marker:
        message = "A version-id marker cannot be specified without a key marker."
        raise invalid_argument("version-id-marker", id_marker, message)
    bucket = call.bucket()

    def rows(lower: bytes, rank: int) -> Iterator[Row]:
        return call.objects.version_rows(bucket, lower, rank)

    with call.store.lock:
        behind = _rank(call, bucket, key_marker, id_marker) if id_marker else BEHIND
        found = call.endpoint.seams.listing(rows, *_fold(call), (key_marker.encode(), behind), limit)
        newest = call.objects.newest(bucket, key_marker)
    # What follows a marker inside its key is older than the newest, unless all that was newer is deleted by now.
    resumed = (key_marker.encode(), newest.rank if newest is not None else None)
    entries = _version_entries(found.rows, encode, bucket.owner, resumed)
    output = {
        "Name": bucket.name,
        "Prefix": encode(members.get("Prefix") or ""),
        "Delimiter": encode(members["Delimiter"]) if members.get("Delimiter") else None,
        "EncodingType": members.get("EncodingType"),
        "KeyMarker": encode(key_marker),
        "VersionIdMarker": id_marker or "",
        "MaxKeys": limit,
        "IsTruncated": found.truncated,
        "Versions": entries,
        "CommonPrefixes": [{"Prefix": encode(prefix.decode())} for prefix in found.prefixes],
    }
    if found.truncated:
        output["NextKeyMarker"] = encode(found.last.decode())
        if not found.last_is_prefix:
            output["NextVersionIdMarker"] = found.rows[-1][2] or "null"
    return Result(output, headers=[("x-amz-bucket-region", call.endpoint.region)])


def _rank(call: Call, bucket: Bucket, key: str, version_id: str) -> int:
    """The rank behind which to continue; the version may be deleted by now (LVER-009).

    Where a null version was, nobody knows once it is gone: its key begins again, since repeated entries harm less
    than missing ones.
    """
    stored = call.objects.get(bucket, key, version_id)
    rank = stored.rank if stored is not None else version_rank(version_id)
    if rank is None and version_id == "null":
        return BEFORE
    if rank is None:
        raise invalid_argument("version-id-marker", version_id, "Invalid version id specified")
    return rank


def _version_entries(
    rows: list[Row], encode: Callable[[str], str], owner: str, resumed: tuple[bytes, int | None]
) -> list[tuple[str, dict[str, Any]]]:
    """Version and DeleteMarker elements in one sequence; the first of a key is its latest.

    `resumed`: the key in which the page may begin, and the rank of its newest version.
    """
    entries: list[tuple[str, dict[str, Any]]] = []
    previous = resumed[0] if rows and rows[0][:2] != resumed else None
    for key, _, version, size, etag, modified, storage_class, algorithm, checksum_type, marker in rows:
        entry = {
            "Key": encode(key.decode()),
            "VersionId": version or "null",
            "IsLatest": key != previous,
            "LastModified": modified,
            "Owner": {"ID": owner},
        }
        previous = key
        if not marker:
            entry |= {"ETag": f'"{etag}"', "Size": size, "StorageClass": storage_class}
            entry |= {"ChecksumAlgorithm": (algorithm,) if algorithm else (), "ChecksumType": checksum_type}
        entries.append(("DeleteMarkers" if marker else "Versions", entry))
    return entries


def list_multipart_uploads(call: Call) -> Result:
    """ListMultipartUploads: by key, and for one key by initiation."""
    members, encode = call.members, encoder(call.members.get("EncodingType"))
    limit = _limit(members, "MaxUploads", "max-uploads")
    bucket = call.bucket()
    key_marker = members.get("KeyMarker") or ""
    id_marker = (members.get("UploadIdMarker") or "") if key_marker else ""

    def rows(lower: bytes, after: int) -> Iterator[Row]:
        return call.uploads.rows(bucket, lower, after)

    with call.store.lock:
        behind = _sequence(call, bucket, key_marker, id_marker) if id_marker else BEHIND
        found = call.endpoint.seams.listing(rows, *_fold(call), (key_marker.encode(), behind), limit)
    shown_last = found.rows[-1] if found.rows and not found.last_is_prefix else None
    output = {
        "Bucket": bucket.name,
        "KeyMarker": encode(key_marker),
        "UploadIdMarker": id_marker,
        # A page that ends in a common prefix has empty ones, as recorded on AWS (LMU-010).
        "NextKeyMarker": encode(shown_last[0].decode()) if shown_last else "",
        "NextUploadIdMarker": shown_last[2] if shown_last else "",
        "Prefix": encode(members.get("Prefix") or ""),
        "Delimiter": encode(members["Delimiter"]) if members.get("Delimiter") else None,
        "EncodingType": members.get("EncodingType"),
        "MaxUploads": limit,
        "IsTruncated": found.truncated,
        "Uploads": [_upload_entry(row, encode, bucket) for row in found.rows],
        "CommonPrefixes": [{"Prefix": encode(prefix.decode())} for prefix in found.prefixes],
    }
    return Result(output)


def _sequence(call: Call, bucket: Bucket, key: str, upload_id: str) -> int:
    """The number behind which to continue for an upload-id-marker, which must belong to the key (LMU-007)."""
    try:
        return call.uploads.find(bucket, key, upload_id, finished=True).seq
    except S3Error:
        raise invalid_argument("upload-id-marker", upload_id, "Invalid uploadId marker") from None


def _upload_entry(row: Row, encode: Callable[[str], str], bucket: Bucket) -> dict[str, Any]:
    key, _, upload_id, initiated, storage_class, algorithm, checksum_type, initiator = row
    return {
        "Key": encode(key.decode()),
        "UploadId": upload_id,
        "Initiator": {"ID": initiator},
        "Owner": {"ID": access.owner_of(bucket, initiator)},
        "StorageClass": storage_class,
        "Initiated": initiated,
        "ChecksumAlgorithm": algorithm,
        "ChecksumType": checksum_type,
    }


HANDLERS: dict[str, Handler] = {
    "ListMultipartUploads": list_multipart_uploads,
    "ListObjectVersions": list_object_versions,
    "ListObjects": list_objects,
    "ListObjectsV2": list_objects_v2,
}
