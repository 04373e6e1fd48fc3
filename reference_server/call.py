"""What an operation gets and gives: `Call` in, `Result` out, and the checks that many operations share."""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reference_server import checksums
from reference_server.auth import STREAMING, Account, Authenticated
from reference_server.errors import S3Error, invalid_argument, not_implemented_header
from reference_server.payload import Payload
from reference_server.store import Bucket, Store

if TYPE_CHECKING:
    from reference_server.personality import Personality
    from reference_server.request import Request
    from reference_server.uploads import Uploads
    from reference_server.wire import Headers

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
#: Encryption on writes and reads: SSE-S3 is always on (catalogue ENC-001).
ENCRYPTION = {"ServerSideEncryption": "AES256"}

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+\Z")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_VERSION_ID = re.compile(r"[A-Za-z0-9._]{32}\Z")
_ENCODED_WORD = re.compile(r"=\?([^?]+)\?([bBqQ])\?([^?]*)\?=\Z")
# Members that ask for what no bucket here has; refusing beats ignoring them.
_NOT_OFFERED = {
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
    "SSECustomerKey": "x-amz-server-side-encryption-customer-key",
    "SSECustomerKeyMD5": "x-amz-server-side-encryption-customer-key-MD5",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "SSEKMSEncryptionContext": "x-amz-server-side-encryption-context",
    "Tagging": "x-amz-tagging",
    "WriteOffsetBytes": "x-amz-write-offset-bytes",
}
_LOCKS = ("ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus")
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP", "GrantWrite")
_HARMLESS_ACLS = {None, "private", "bucket-owner-full-control"}


@dataclass
class Result:
    """What an operation answers, by member names of the model; `body` only for object data."""

    members: dict[str, Any] = field(default_factory=dict)
    status: int | None = None
    headers: Headers = field(default_factory=list)
    body: bytes | Iterable[bytes] | None = None
    length: int | None = None
    done: Callable[[], None] | None = None


class Endpoint(Protocol):
    """The part of the application that operations use."""

    store: Store
    uploads: Uploads
    region: str
    personality: Personality

    @property
    def codec(self) -> DocumentReader:
        """Reads request documents."""


class DocumentReader(Protocol):
    """The part of the codec that operations use."""

    def parse_document(self, operation: str, body: bytes) -> dict[str, Any]:
        """The payload member of an operation."""


@dataclass
class Call:
    """One authenticated request for one operation; `members` is its input by model names."""

    endpoint: Endpoint
    request: Request
    authenticated: Authenticated
    operation: str
    members: dict[str, Any]

    @property
    def account(self) -> Account:
        """Who asks."""
        return self.authenticated.account

    @property
    def store(self) -> Store:
        """All metadata."""
        return self.endpoint.store

    @property
    def uploads(self) -> Uploads:
        """Multipart uploads."""
        return self.endpoint.uploads

    @property
    def key(self) -> str:
        """The object key of an object operation."""
        return self.request.key or ""

    def bucket(self, *, write: bool = False) -> Bucket:
        """The bucket of the request, if the account may use it.

        Args:
            write: create it where buckets are implicit.

        Raises:
            S3Error: NoSuchBucket, AccessDenied, InvalidBucketOwnerAWSAccountID.
        """
        name = self.request.bucket or ""
        found = self.store.bucket(name)
        if found is None and self.endpoint.personality.implicit_buckets:
            if write:
                check_bucket_name(name)
                found, _ = self.store.create_bucket(name, self.account.id)
            else:
                found = Bucket(0, name, self.account.id, 0)
        return self.allowed(found, name, self.members.get("ExpectedBucketOwner"))

    def allowed(self, bucket: Bucket | None, name: str, expected_owner: str | None) -> Bucket:
        """A bucket that was looked up, if it exists and the account may use it."""
        if expected_owner is not None and not (
            len(expected_owner) == 12 and expected_owner.isascii() and expected_owner.isdigit()
        ):
            message = "The value of the expected bucket owner parameter must be an AWS Account ID..."
            raise S3Error("InvalidBucketOwnerAWSAccountID", f"{message} [{expected_owner}]")
        if bucket is None:
            raise S3Error("NoSuchBucket", None, {"BucketName": name})
        if bucket.owner != self.account.id or expected_owner not in (None, self.account.number):
            raise S3Error("AccessDenied")
        return bucket

    def payload(self, *, hex_md5: bool = False, streaming: bool = False, object_checksum: bool = False) -> Payload:
        """The request body, see `Payload`; raises for what its headers get wrong."""
        return Payload(
            self.request,
            self.authenticated,
            hex_md5=hex_md5,
            streaming=streaming,
            object_checksum=object_checksum,
        )

    def document(self, payload: Payload) -> dict[str, Any]:
        """The XML document in the body."""
        return self.endpoint.codec.parse_document(self.operation, payload.document())


Handler = Callable[[Call], Result]


def check_bucket_name(name: str) -> None:
    """Hold a name to the rules for general purpose buckets (Amazon S3 User Guide, "Bucket naming rules").

    Raises:
        S3Error: InvalidBucketName.
    """
    good = (
        _BUCKET_NAME.match(name)
        and ".." not in name
        and not _IP_ADDRESS.match(name)
        and not name.startswith(_RESERVED_PREFIXES)
        and not name.endswith(_RESERVED_SUFFIXES)
    )
    if not good:
        raise S3Error("InvalidBucketName", None, {"BucketName": name})


def check_version(call: Call) -> None:
    """A versionId in a bucket without versions: `null` is the object itself (catalogue VER-015 to VER-017).

    Raises:
        S3Error: InvalidArgument for what is no version id, NoSuchVersion for any other.
    """
    version = call.members.get("VersionId")
    if version is None or version == "null":
        return
    if not _VERSION_ID.match(version):
        raise invalid_argument("versionId", version, "Invalid version id specified")
    raise S3Error("NoSuchVersion", None, {"Key": call.key, "VersionId": version})


def check_offered(members: dict[str, Any]) -> None:
    """Refuse settings of an object that this server would have to ignore.

    Raises:
        S3Error: NotImplemented, InvalidRequest, AccessControlListNotSupported,
            InvalidEncryptionAlgorithmError.
    """
    for member, header in _NOT_OFFERED.items():
        if members.get(member) is not None:
            raise not_implemented_header(header)
    if any(member in members for member in _LOCKS):
        raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")
    if members.get("ACL") not in _HARMLESS_ACLS or any(member in members for member in _GRANTS):
        raise S3Error("AccessControlListNotSupported")
    encryption = members.get("ServerSideEncryption")
    if encryption in ("aws:kms", "aws:kms:dsse", "aws:fsx"):
        raise not_implemented_header("x-amz-server-side-encryption")
    if encryption not in (None, "AES256"):
        elements = {"ArgumentName": "x-amz-server-side-encryption", "ArgumentValue": encryption}
        raise S3Error("InvalidEncryptionAlgorithmError", None, dict(elements))


def has_bucket_acl(members: dict[str, Any]) -> bool:
    """Whether a bucket is asked for with another ACL than the owner's own."""
    return members.get("ACL") not in (None, "private") or any(member in members for member in _GRANTS)


def storage_class(members: dict[str, Any]) -> str:
    """The storage class asked for, STANDARD if none is.

    Raises:
        S3Error: InvalidStorageClass.
    """
    asked = str(members.get("StorageClass") or "STANDARD")
    if asked not in STORAGE_CLASSES:
        raise S3Error("InvalidStorageClass", None, {"StorageClassRequested": asked})
    return asked


def attributes(call: Call) -> dict[str, Any]:
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
    size = sum(len(name) + len(value) for name, value in metadata.items())
    if size > MAX_METADATA:
        raise S3Error("MetadataTooLarge", None, {"Size": size, "MaxSizeAllowed": MAX_METADATA})
    if metadata:
        found["Metadata"] = {name: _metadata_value(value) for name, value in metadata.items()}
    return found


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


def checksum_members(algorithm: str | None, value: str | None, checksum_type: str | None) -> dict[str, str]:
    """The members that show a stored checksum."""
    if algorithm is None or value is None:
        return {}
    members = {checksums.member(algorithm): value}
    if checksum_type is not None:
        members["ChecksumType"] = checksum_type
    return members
