"""CompleteMultipartUpload: checks on the list of parts, then one transaction. Source: catalogue MPU, MPC."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import TYPE_CHECKING, Any

from reference_server import checksums
from reference_server.call import Call, Result
from reference_server.conditions import write_check
from reference_server.errors import S3Error
from reference_server.objects import StoredObject
from reference_server.ops.writes import checksum_members, encryption_members, expiration

if TYPE_CHECKING:
    from reference_server.store import Bucket
    from reference_server.uploads import Part, Upload

MIN_PART = 5 * 1024**2


def complete_multipart_upload(call: Call) -> Result:
    """CompleteMultipartUpload; the same request again gives the same answer (MPU-016, CWR-014)."""
    bucket = call.bucket()
    upload = call.uploads.find(bucket, call.key, call.members["UploadId"], finished=True)
    entries = _entries(call, upload)
    # From here on one step: a part replaced meanwhile would otherwise end up under the ETag of its predecessor.
    with call.store.transaction():
        return Result(_output(call, _complete(call, bucket, entries)))


def _complete(call: Call, bucket: Bucket, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Check the parts and finish the upload; the members of the answer that a repetition gives again."""
    upload = call.uploads.find(bucket, call.key, call.members["UploadId"], finished=True)
    fingerprint = hashlib.sha256(
        json.dumps([[entry["PartNumber"], entry["ETag"].strip('"')] for entry in entries]).encode()
    ).hexdigest()
    if upload.fingerprint is not None:
        if upload.fingerprint != fingerprint or upload.result is None:
            raise S3Error("NoSuchUpload", None, {"UploadId": upload.id})
        return upload.result
    parts = _parts(call, upload, entries)
    new = _object(call, upload, parts)
    result = {"ETag": f'"{new.etag}"', **checksum_members(new.algorithm, new.checksum, new.checksum_type)}
    check = write_check(call.members, call.key, upload.touched)
    result |= encryption_members(upload.attributes) | {"Expiration": expiration(bucket, new)}
    return call.uploads.finish(bucket, upload, new, ({part.number for part in parts}, fingerprint, result), check)


def _output(call: Call, result: dict[str, Any]) -> dict[str, Any]:
    return {"Location": call.location(call.key), "Bucket": call.request.bucket, "Key": call.key, **result}


def _entries(call: Call, upload: Upload) -> list[dict[str, Any]]:
    """The parts that the document lists, in ascending order."""
    # x-amz-checksum-* on this request is the checksum of the object, not of this body.
    body = call.payload(object_checksum=True).document()
    document = call.endpoint.codec.parse_document(call.operation, body) if body else {}
    entries: list[dict[str, Any]] = document.get("Parts") or []
    if not entries:
        raise S3Error("InvalidRequest", "You must specify at least one part")
    if any("PartNumber" not in entry or "ETag" not in entry for entry in entries):
        raise S3Error("MalformedXML")
    numbers = [entry["PartNumber"] for entry in entries]
    if any(later <= earlier for earlier, later in itertools.pairwise(numbers)):
        raise S3Error("InvalidPartOrder", None, {"UploadId": upload.id})
    return entries


def _parts(call: Call, upload: Upload, entries: list[dict[str, Any]]) -> list[Part]:
    """The stored parts, held to what the document says about them."""
    stored = {part.number: part for part in call.uploads.parts(upload.seq)}
    parts = []
    for entry in entries:
        part, etag = stored.get(entry["PartNumber"]), entry["ETag"].strip().strip('"')
        if part is None or part.etag != etag:
            raise _invalid_part(upload, entry)
        _check_checksum(upload, entry, part)
        parts.append(part)
    for part in parts[:-1]:
        if part.size < MIN_PART:
            elements = {"ProposedSize": part.size, "MinSizeAllowed": MIN_PART, "PartNumber": part.number}
            raise S3Error("EntityTooSmall", None, {**elements, "ETag": part.etag})
    return parts


def _invalid_part(upload: Upload, entry: dict[str, Any]) -> S3Error:
    etag = entry["ETag"].strip().strip('"')
    return S3Error("InvalidPart", None, {"UploadId": upload.id, "PartNumber": entry["PartNumber"], "ETag": etag})


def _check_checksum(upload: Upload, entry: dict[str, Any], part: Part) -> None:
    """The checksum that the document gives for one part (MPC-013 to MPC-016)."""
    sent = {name: value for name, value in entry.items() if name.startswith("Checksum")}
    if upload.algorithm is None:
        if sent:
            raise _invalid_part(upload, entry)
        return
    expected = checksums.member(upload.algorithm)
    others = [name for name in sent if name != expected]
    if others:
        algorithm = others[0].removeprefix("Checksum").lower()
        message = f"The {algorithm} you specified for part {part.number} did not match what we received."
        raise S3Error("BadDigest", message)
    if expected not in sent:
        if upload.checksum_type == "COMPOSITE":
            message = (
                f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request "
                f"must include the checksum for each part. It was missing for part {part.number}."
            )
            raise S3Error("InvalidRequest", message)
    elif sent[expected] != part.checksums.get(upload.algorithm):
        raise _invalid_part(upload, entry)


def _object(call: Call, upload: Upload, parts: list[Part]) -> StoredObject:
    """Metadata of the finished object."""
    size = sum(part.size for part in parts)
    _check_size(call.request.headers.get("x-amz-mp-object-size"), size)
    algorithm = upload.algorithm or checksums.DEFAULT
    checksum_type = upload.checksum_type or "FULL_OBJECT"
    asked_type = call.members.get("ChecksumType")
    if asked_type is not None and asked_type.upper() != checksum_type:
        message = f"The upload was created using the {checksum_type} checksum mode."
        raise S3Error("InvalidRequest", f"{message} The complete request must use the same checksum mode.")
    values = [part.checksums[algorithm] for part in parts]
    if checksum_type == "COMPOSITE":
        value = checksums.composite(algorithm, values)
    else:
        value = checksums.joined(algorithm, [(v, part.size) for v, part in zip(values, parts, strict=True)])
    _check_object_checksum(call, algorithm, value)
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts)).hexdigest()
    return StoredObject(
        *(call.key, size, f"{digest}-{len(parts)}", call.store.now(), upload.storage_class),
        *(algorithm, checksum_type, value),
        attributes={name: value for name, value in upload.attributes.items() if name != "Initiator"},
        upload=upload.seq,
        parts=len(parts),
    )


def _check_size(header: str | None, size: int) -> None:
    """x-amz-mp-object-size, if given, is the sum of the parts (MPC-030, MPC-031)."""
    if header is None:
        return
    if not (header.isascii() and header.isdigit() and len(header) < 20):
        raise S3Error("InvalidRequest", "Value for x-amz-mp-object-size header is invalid.")
    if int(header) != size:
        message = f"The provided 'x-amz-mp-object-size' header value {header} does not match what was computed:"
        raise S3Error("InvalidRequest", f"{message}: {size}")


def _check_object_checksum(call: Call, algorithm: str, value: str) -> None:
    """A checksum of the whole object in the headers (MPC-018); a composite may lack its part count."""
    for known in checksums.ALGORITHMS.values():
        sent = call.members.get(checksums.member(known))
        if sent is None:
            continue
        if known != algorithm or sent not in (value, value.partition("-")[0]):
            raise S3Error("BadDigest", f"The {known} you specified did not match the calculated checksum.")
