"""What every write of an object has in common: attributes it is stored with, and what the answer shows of them.

PutObject, CopyObject, CreateMultipartUpload and POST Object all come here. Source: catalogue META, TAG, LOCK, ENC.
"""

from __future__ import annotations

import base64
import hashlib
import quopri
import re
from typing import TYPE_CHECKING, Any

from reference_server import access, checksums
from reference_server.auth import STREAMING
from reference_server.errors import S3Error, invalid_argument, not_implemented_header
from reference_server.rules import acl, encryption, lifecycle, lock, public_access, tags, website

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.call import Call
    from reference_server.objects import StoredObject
    from reference_server.payload import Payload, Received
    from reference_server.store import Bucket

#: Largest sum of names and values of user metadata, in bytes (Amazon S3 User Guide, "Working with metadata").
MAX_METADATA = 2048
STORAGE_CLASSES = {
    *("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING"),
    *("GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"),
}
ARCHIVED = {"GLACIER", "DEEP_ARCHIVE"}
#: Members of an object that are stored as sent and returned as stored.
STORED = (
    *("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires"),
    "WebsiteRedirectLocation",
)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ENCODED_WORD = re.compile(r"=\?([^?]+)\?([bBqQ])\?([^?]*)\?=\Z")


def storage_class(members: Mapping[str, Any]) -> str:
    """The storage class asked for, STANDARD if none is.

    Raises:
        S3Error: InvalidStorageClass.
    """
    asked = str(members.get("StorageClass") or "STANDARD")
    if asked not in STORAGE_CLASSES:
        raise S3Error("InvalidStorageClass", None, {"StorageClassRequested": asked})
    return asked


def headers_of(call: Call) -> dict[str, Any]:
    """Stored headers and user metadata of a write.

    Raises:
        S3Error: MetadataTooLarge.
    """
    found = {name: call.members[name] for name in STORED if call.members.get(name) is not None}
    if call.authenticated.payload in STREAMING and "ContentEncoding" in found:
        # aws-chunked is the framing of this transfer, not a coding of the object (catalogue CHNK-021).
        codings = [coding.strip() for coding in found["ContentEncoding"].split(",")]
        kept = [coding for coding in codings if coding and coding.lower() != "aws-chunked"]
        found["ContentEncoding"] = ",".join(kept)
        if not kept:
            del found["ContentEncoding"]
    metadata = call.members.get("Metadata") or {}
    _check_fields([*metadata], [value for value in (*metadata.values(), *found.values()) if isinstance(value, str)])
    size = sum(len(name) + len(value) for name, value in metadata.items())
    if size > MAX_METADATA:
        raise S3Error("MetadataTooLarge", None, {"Size": size, "MaxSizeAllowed": MAX_METADATA})
    if metadata:
        found["Metadata"] = {name: _metadata_value(value) for name, value in metadata.items()}
    return found


def _check_fields(names: list[str], values: list[str]) -> None:
    """A form or a query can say what no header line can carry; it would break the answers to all who read it.

    Raises:
        S3Error: InvalidArgument.
    """
    for name in names:
        if not _TOKEN.match(name):
            raise invalid_argument(f"x-amz-meta-{name}", name, "The name of user metadata is no header name")
    for value in values:
        if _CONTROL.search(value):
            raise S3Error("InvalidArgument", "A header value must not have control characters")


def settings_of(call: Call, bucket: Bucket, payload: Payload | None = None) -> dict[str, Any]:
    """Tags, lock, encryption and ACL of a write, as attributes of the object; its redirect is only checked.

    Args:
        call: the request.
        bucket: where to.
        payload: the body of the write, if it brings the object's data.

    Raises:
        S3Error: what the rules of these settings refuse.
    """
    members = call.members
    if members.get("WriteOffsetBytes") is not None:
        raise not_implemented_header("x-amz-write-offset-bytes")
    if members.get("WebsiteRedirectLocation") is not None:
        website.check_location(members["WebsiteRedirectLocation"])
    found: dict[str, Any] = {}
    if members.get("Tagging") is not None:
        found["Tags"] = tags.from_header(members["Tagging"])
    found |= _lock_of(call, bucket, payload)
    found |= _encryption_of(call, bucket)
    access_control = _acl_of(call, bucket)
    if access_control is not None:
        found["ACL"] = access_control
    return {name: value for name, value in found.items() if value}


def encryption_members(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer shows of the encryption among these attributes: SSE-S3 is always on (catalogue ENC-001)."""
    return dict(stored.get("Encryption") or {"ServerSideEncryption": "AES256"})


def etag_of(received: Received, attributes: Mapping[str, Any]) -> str:
    """The ETag of a body: its MD5, but opaque under SSE-KMS and SSE-C (catalogue ETAG-015)."""
    kept = attributes.get("Encryption")
    return hashlib.md5(f"{received.md5}{kept}".encode()).hexdigest() if kept else received.md5


def written_members(bucket: Bucket, stored: StoredObject) -> dict[str, Any]:
    """What the answer to a write shows beside ETag and checksums: encryption, version, expiry."""
    return {
        **encryption_members(stored.attributes),
        "VersionId": stored.version,
        "Expiration": expiration(bucket, stored),
    }


def expiration(bucket: Bucket, stored: StoredObject) -> str | None:
    """x-amz-expiration of an object, if a lifecycle rule will end it (catalogue LC-004)."""
    configuration = bucket.settings.get("lifecycle")
    if configuration is None:
        return None
    tagged = stored.attributes.get("Tags", [])
    return lifecycle.expiration_header(configuration, stored.key, stored.size, tagged, stored.modified)


def checksum_members(algorithm: str | None, value: str | None, checksum_type: str | None) -> dict[str, str]:
    """The members that show a stored checksum."""
    if algorithm is None or value is None:
        return {}
    members = {checksums.member(algorithm): value}
    if checksum_type is not None:
        members["ChecksumType"] = checksum_type
    return members


def _lock_of(call: Call, bucket: Bucket, payload: Payload | None) -> dict[str, Any]:
    members = call.members
    configuration = bucket.settings.get("object-lock")
    digest = payload is None or payload.has_digest
    now = call.store.clock()
    asked = lock.check_request(members, configuration is not None, digest, now)
    retention = asked or lock.default_retention(configuration, now)
    return {"Retention": retention, "LegalHold": members.get("ObjectLockLegalHoldStatus")}


def retention_of(stored: StoredObject) -> lock.Retention | None:
    """The retention of a version, if it has one."""
    kept = stored.attributes.get("Retention")
    return lock.Retention(*kept) if kept else None


def _encryption_of(call: Call, bucket: Bucket) -> dict[str, Any]:
    def resolve(key_id: str | None) -> str:
        owner = call.endpoint.account(bucket.owner)
        return call.endpoint.keys.resolve(key_id, call.endpoint.region, owner.number if owner else "")

    found = encryption.effective(call.members, bucket.settings.get("encryption"), resolve)
    return {} if found == encryption.Encryption() else {"Encryption": found.members()}


def customer_md5(attributes: Mapping[str, Any]) -> str | None:
    """MD5 of the customer key that an object or upload has, in base64."""
    md5 = (attributes.get("Encryption") or {}).get("SSECustomerKeyMD5")
    return None if md5 is None else str(md5)


def _acl_of(call: Call, bucket: Bucket) -> dict[str, Any] | None:
    """The ACL asked for; None for what every object has."""
    members = call.members
    ownership = access.ownership(bucket)
    public_access.check_upload(ownership, members)
    if ownership == public_access.ENFORCED:
        return None
    owner = public_access.object_owner(ownership, members, call.account.id, bucket.owner)
    asked = acl.asked_for(members, owner, bucket.owner, call.knows)
    if asked is not None:
        access.block(bucket).check_acl(asked)
    elif owner != bucket.owner:
        asked = acl.canned("private", owner, bucket.owner)
    return None if asked is None else asked.to_json()


def _metadata_value(value: str) -> str:
    """A metadata value as S3 returns it: RFC 2047 where it is not ASCII (catalogue META-005 to META-007)."""
    if not value.isascii():
        raw = value.encode("latin-1")
        try:
            raw.decode()
        except UnicodeDecodeError:
            return value
        return f"=?UTF-8?B?{base64.b64encode(raw).decode()}?="
    match = _ENCODED_WORD.match(value)
    if match is None:
        return value
    charset, encoding, word = match.groups()
    try:
        if encoding in "bB":
            raw = base64.b64decode(word, validate=True)
        else:
            raw = quopri.decodestring(word.encode(), header=True)
        text = raw.decode(charset)
    except (LookupError, ValueError):
        return value
    return text if text.isascii() and text.isprintable() else value
