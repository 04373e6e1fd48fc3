"""GetObjectAttributes and RestoreObject. Source: catalogue GET-039, GET-040, CKS-018, MPC-021 to -026, CFG-008."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_server import checksums
from reference_server.call import Call, Handler, Result
from reference_server.codec import http_time
from reference_server.errors import S3Error, invalid_argument
from reference_server.ops import versions
from reference_server.ops.multipart import page_number
from reference_server.ops.writes import ARCHIVED, checksum_members, customer_md5
from reference_server.rules import encryption

if TYPE_CHECKING:
    from reference_server.objects import StoredObject

_PAGE = 1000
_NAMES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")
_DAY = 86_400


def get_object_attributes(call: Call) -> Result:
    """GetObjectAttributes: only what is asked for, in the order of the schema."""
    asked = _asked(call)
    bucket = call.bucket()
    stored = versions.found(call, bucket, versions.version_id(call))
    encryption.check_key(customer_md5(stored.attributes), call.members)
    everything = {
        "ETag": stored.etag,
        "Checksum": _checksum(stored),
        "ObjectParts": _parts(call, stored),
        "StorageClass": stored.storage_class,
        "ObjectSize": stored.size,
    }
    output = {name: everything[name] for name in _NAMES if name in asked}
    return Result({**output, "LastModified": stored.modified, **versions.shown(bucket, stored)})


def _asked(call: Call) -> set[str]:
    header = call.request.headers.get("x-amz-object-attributes", "")
    asked = {name.strip() for name in header.split(",") if name.strip()}
    if not asked:
        raise S3Error("InvalidRequest", "The x-amz-object-attributes header specifying the attributes is missing")
    if not asked <= set(_NAMES):
        message = f"Invalid attribute name specified. Valid are: {', '.join(_NAMES)}"
        raise invalid_argument("x-amz-object-attributes", header, message)
    return asked


def _checksum(stored: StoredObject) -> dict[str, str] | None:
    """The object's checksum; a composite one is printed without its part count (MPC-021)."""
    if stored.checksum is None:
        return None
    return checksum_members(stored.algorithm, stored.checksum.partition("-")[0], stored.checksum_type)


def _parts(call: Call, stored: StoredObject) -> dict[str, Any] | None:
    """Count of the parts; each part with its checksum only under a composite checksum (MPC-025, MPC-026)."""
    if stored.parts is None or stored.upload is None:
        return None
    if stored.checksum_type != "COMPOSITE" or stored.algorithm is None:
        return {"TotalPartsCount": stored.parts}
    after = page_number(call.members.get("PartNumberMarker"), 0, "PartNumberMarker")
    limit = min(page_number(call.members.get("MaxParts"), _PAGE, "MaxParts"), _PAGE)
    found = call.uploads.parts(stored.upload, after, limit + 1)
    shown = found[:limit]
    return {
        "TotalPartsCount": stored.parts,
        "PartNumberMarker": after,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": limit,
        "IsTruncated": limit > 0 and len(found) > limit,
        "Parts": [
            {
                "PartNumber": part.number,
                "Size": part.size,
                checksums.member(stored.algorithm): part.checksums.get(stored.algorithm),
            }
            for part in shown
        ],
    }


def restore_object(call: Call) -> Result:
    """RestoreObject: at once, since nothing is really archived; 202, and 200 if it was restored before."""
    bucket = call.bucket()
    days = call.document().get("Days")
    stored = versions.found(call, bucket, versions.version_id(call))
    if stored.storage_class not in ARCHIVED:
        message = "Restore is not allowed for the object's current storage class"
        raise S3Error("InvalidObjectState", message, {"StorageClass": stored.storage_class})
    if days is None or days < 1:
        raise S3Error("MalformedXML")
    before = "Restored" in stored.attributes
    end = (int(call.store.clock()) // _DAY + 1 + days) * _DAY
    call.objects.change(bucket, stored, Restored=f'ongoing-request="false", expiry-date="{http_time(end)}"')
    return Result(status=200 if before else 202)


HANDLERS: dict[str, Handler] = {
    "GetObjectAttributes": get_object_attributes,
    "RestoreObject": restore_object,
}
