"""The life of a multipart upload, except copying into it and listing uploads. Source: catalogue MPU, MPC."""

from __future__ import annotations

from reference_server import access, checksums
from reference_server.call import Call, Handler, Result
from reference_server.errors import S3Error, invalid_argument
from reference_server.ops.completion import complete_multipart_upload
from reference_server.ops.objects import receive
from reference_server.ops.writes import (
    checksum_members,
    customer_md5,
    encryption_members,
    etag_of,
    headers_of,
    settings_of,
    storage_class,
)
from reference_server.rules import encryption
from reference_server.uploads import Part, Upload

MAX_PART = 10_000
_PAGE = 1000


def create_multipart_upload(call: Call) -> Result:
    """CreateMultipartUpload."""
    algorithm, checksum_type = _checksum_of(call)
    kept, kept_class = headers_of(call), storage_class(call.members)
    bucket = call.bucket(write=True)
    kept |= settings_of(call, bucket) | {"Initiator": call.account.id}
    upload_id = call.uploads.create(bucket, call.key, kept, kept_class, (algorithm, checksum_type))
    output = {"Bucket": bucket.name, "Key": call.key, "UploadId": upload_id, **encryption_members(kept)}
    return Result({**output, "ChecksumAlgorithm": algorithm, "ChecksumType": checksum_type})


def _checksum_of(call: Call) -> tuple[str | None, str | None]:
    """Algorithm and type asked for; names are accepted in lower case (MPC-001 to MPC-007)."""
    asked, asked_type = call.members.get("ChecksumAlgorithm"), call.members.get("ChecksumType")
    if asked is None:
        if asked_type is not None:
            message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            raise S3Error("InvalidRequest", message)
        return None, None
    algorithm = checksums.named(asked)
    if asked_type is None:
        return algorithm, checksums.default_type(algorithm)
    checksum_type = asked_type.upper()
    if checksum_type not in ("COMPOSITE", "FULL_OBJECT"):
        raise S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    if not checksums.allows(algorithm, checksum_type):
        message = f"checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        raise S3Error("InvalidRequest", f"The {checksum_type} {message}")
    return algorithm, checksum_type


def part_number(call: Call) -> int:
    """The part number of a request.

    Raises:
        S3Error: InvalidArgument outside 1 to 10000 (MPU-006).
    """
    number = call.members.get("PartNumber")
    if number is None or not 1 <= number <= MAX_PART:
        message = "Part number must be an integer between 1 and 10000, inclusive"
        raise invalid_argument("partNumber", call.request.parameters.get("partNumber", ""), message)
    return int(number)


def upload_part(call: Call) -> Result:
    """UploadPart."""
    number = part_number(call)
    payload = call.payload()
    payload.require_length(call.request.headers)
    bucket = call.bucket()
    upload = call.uploads.find(bucket, call.key, call.members["UploadId"])
    encryption.check_part(customer_md5(upload.attributes), call.members)
    used = payload.algorithm
    _check_algorithm(upload, used)
    received, blob = receive(call, payload, upload.algorithm or checksums.DEFAULT)
    etag = etag_of(received, upload.attributes)
    part = Part(number, received.size, etag, call.store.now(), received.checksums, 0)
    call.uploads.put_part(bucket, upload, part, blob)
    shown = checksum_members(used, received.checksums.get(used or ""), None)
    return Result({"ETag": f'"{part.etag}"', **encryption_members(upload.attributes), **shown})


def _check_algorithm(upload: Upload, used: str | None) -> None:
    """A part has the checksum of its upload; only a FULL_OBJECT upload may go without (MPC-008, MPC-019)."""
    expected = upload.algorithm
    if expected is None or used == expected or (used is None and upload.checksum_type == "FULL_OBJECT"):
        return
    actual = used.lower() if used else "null"
    message = f"expected checksum Type: {expected.lower()}, actual checksum Type: {actual}"
    raise S3Error("InvalidRequest", f"Checksum Type mismatch occurred, {message}")


def abort_multipart_upload(call: Call) -> Result:
    """AbortMultipartUpload."""
    call.uploads.abort(call.bucket(), call.key, call.members["UploadId"])
    return Result()


def list_parts(call: Call) -> Result:
    """ListParts: NextPartNumberMarker is the last part shown, 0 for none (MPU-031)."""
    members = call.members
    after = page_number(members.get("PartNumberMarker"), 0, "part-number-marker")
    limit = min(page_number(members.get("MaxParts"), _PAGE, "max-parts"), _PAGE)
    bucket = call.bucket()
    with call.store.lock:
        upload = call.uploads.find(bucket, call.key, members["UploadId"])
        parts = call.uploads.parts(upload.seq, after, limit + 1)
    shown = parts[:limit]
    initiator = upload.attributes["Initiator"]
    output = {
        "Bucket": bucket.name,
        "Key": call.key,
        "UploadId": upload.id,
        "Initiator": {"ID": initiator},
        "Owner": {"ID": access.owner_of(bucket, initiator)},
        "StorageClass": upload.storage_class,
        "PartNumberMarker": after,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": limit,
        "IsTruncated": limit > 0 and len(parts) > limit,
        "Parts": [_part_entry(part, upload) for part in shown],
        "ChecksumAlgorithm": upload.algorithm,
        "ChecksumType": upload.checksum_type,
    }
    return Result(output)


def page_number(value: int | None, default: int, name: str) -> int:
    """A marker or limit of a listing of parts; `name` is the argument in the error.

    Raises:
        S3Error: InvalidArgument.
    """
    if value is None:
        return default
    if not 0 <= value < 2**31:
        raise invalid_argument(name, str(value), f"Provided {name} not an integer or within integer range")
    return value


def _part_entry(part: Part, upload: Upload) -> dict[str, object]:
    """Checksums are shown only if the upload was created with an algorithm (MPC-011, MPC-012)."""
    value = part.checksums.get(upload.algorithm) if upload.algorithm else None
    return {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": f'"{part.etag}"',
        "Size": part.size,
        **checksum_members(upload.algorithm, value, None),
    }


HANDLERS: dict[str, Handler] = {
    "AbortMultipartUpload": abort_multipart_upload,
    "CompleteMultipartUpload": complete_multipart_upload,
    "CreateMultipartUpload": create_multipart_upload,
    "ListParts": list_parts,
    "UploadPart": upload_part,
}
