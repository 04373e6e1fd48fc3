"""Writing and deleting objects. Source: catalogue ETAG, CKS, CWR, DEL, META."""

from __future__ import annotations

from typing import Any

from reference_server import checksums
from reference_server.call import (
    ENCRYPTION,
    Call,
    Handler,
    Result,
    attributes,
    check_offered,
    check_version,
    checksum_members,
    storage_class,
)
from reference_server.conditions import etag_matches, write_check
from reference_server.errors import S3Error, invalid_argument, not_implemented_header
from reference_server.store import Bucket, StoredObject, now

_MAX_DELETE = 1000


def put_object(call: Call) -> Result:
    """PutObject."""
    if "versionId" in call.request.parameters:
        version = call.request.parameters["versionId"]
        raise invalid_argument("versionId", version, "This operation does not accept a query-string.")
    check_offered(call.members)
    payload = call.payload(hex_md5=True, streaming=True)
    payload.require_length(call.request.headers)
    stored_attributes, kept_class = attributes(call), storage_class(call.members)
    check = write_check(call.members, call.key)
    bucket = call.bucket(write=True)
    with_condition = call.members.get("IfMatch") is not None or call.members.get("IfNoneMatch") is not None
    if with_condition:
        check(call.store.object(bucket, call.key))  # early, before the body; the transaction decides
    algorithm = payload.algorithm or checksums.DEFAULT
    writer = call.store.blobs.writer()
    try:
        received = payload.receive(writer.write, [algorithm])
        blob = writer.finish()
    except BaseException:
        writer.abort()
        raise
    value = received.checksums[algorithm]
    new = StoredObject(
        *(call.key, received.size, received.md5, now(), kept_class),
        *(algorithm, "FULL_OBJECT", value, stored_attributes),
    )
    call.store.put_object(bucket, new, blob, check)
    return Result({"ETag": f'"{new.etag}"', **ENCRYPTION, **checksum_members(algorithm, value, "FULL_OBJECT")})


def delete_object(call: Call) -> Result:
    """DeleteObject: 204 whether or not there was one."""
    members = call.members
    for member, header in (
        ("IfMatchSize", "x-amz-if-match-size"),
        ("IfMatchLastModifiedTime", "x-amz-if-match-last-modified-time"),
    ):
        if member in members:
            raise not_implemented_header(header)
    bucket = call.bucket()
    if "BypassGovernanceRetention" in members:
        message = "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets."
        raise invalid_argument("x-amz-bypass-governance-retention", "true", message)
    try:
        check_version(call)
    except S3Error as error:
        if error.code == "NoSuchVersion":
            return Result()
        raise

    def check(present: StoredObject | None) -> None:
        match = members.get("IfMatch")
        if match is None:
            return
        if present is None:
            raise S3Error("NoSuchKey", None, {"Key": call.key})
        if not etag_matches(match, present.etag):
            raise S3Error("PreconditionFailed", None, {"Condition": "If-Match"})

    call.store.delete_object(bucket, call.key, check)
    return Result()


def delete_objects(call: Call) -> Result:
    """DeleteObjects: needs a digest of its body (DEL-010), keys are literal (DEL-015)."""
    bucket = call.bucket()
    payload = call.payload()
    if payload.declared.md5 is None and payload.algorithm is None:
        raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5")
    body = payload.document()
    if not body:
        raise S3Error("MissingRequestBodyError")
    document = call.endpoint.codec.parse_document(call.operation, body)
    entries = document["Objects"]
    if len(entries) > _MAX_DELETE:
        raise S3Error("MalformedXML")
    deleted, errors = [], []
    for entry in entries:
        try:
            _delete_entry(call, bucket, entry)
            deleted.append({name: entry[name] for name in ("Key", "VersionId") if name in entry})
        except S3Error as error:
            shown = {name: entry[name] for name in ("Key", "VersionId") if name in entry}
            errors.append({**shown, "Code": error.code, "Message": error.message})
    return Result({"Deleted": [] if document.get("Quiet") else deleted, "Errors": errors})


def _delete_entry(call: Call, bucket: Bucket, entry: dict[str, Any]) -> None:
    if not entry["Key"]:
        raise S3Error("UserKeyMustBeSpecified", "The request was missing a key")
    if entry.get("VersionId") not in (None, "null"):
        raise S3Error("NoSuchVersion")
    for name in ("LastModifiedTime", "Size"):
        if name in entry:
            raise S3Error("NotImplemented")

    def check(present: StoredObject | None) -> None:
        if "ETag" in entry and (present is None or not etag_matches(entry["ETag"], present.etag)):
            raise S3Error("PreconditionFailed")

    call.store.delete_object(bucket, entry["Key"], check)


HANDLERS: dict[str, Handler] = {
    "DeleteObject": delete_object,
    "DeleteObjects": delete_objects,
    "PutObject": put_object,
}
