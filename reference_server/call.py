"""What an operation gets and gives: `Call` in, `Result` out, and how it finds its bucket."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from reference_server import access
from reference_server.auth import Account, Authenticated
from reference_server.errors import S3Error
from reference_server.store import Bucket, Store

if TYPE_CHECKING:
    from reference_server.codec import Codec
    from reference_server.objects import Objects
    from reference_server.payload import Payload
    from reference_server.personality import Personality
    from reference_server.request import Request
    from reference_server.rules.encryption import KeyRing
    from reference_server.seams import Seams
    from reference_server.uploads import Uploads
    from reference_server.wire import Headers

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+\Z")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


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
    objects: Objects
    uploads: Uploads
    region: str
    personality: Personality
    keys: KeyRing
    seams: Seams

    def authenticate_form(self, fields: Mapping[str, str]) -> Account:
        """The account that signed a form."""

    def account(self, account_id: str) -> Account | None:
        """The account with this canonical id, if it has credentials here."""

    codec: Codec


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
    def objects(self) -> Objects:
        """Objects and their versions."""
        return self.endpoint.objects

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
            if write and not self.account.anonymous:
                check_bucket_name(name)
                found, _ = self.store.create_bucket(name, self.account.id, access.NEW_BUCKET)
            else:
                found = Bucket(0, name, self.account.id, 0)
        found = checked(found, name)
        check_expected_owner(self.endpoint, found, self.members.get("ExpectedBucketOwner"))
        access.require(self, found)
        return found

    def location(self, key: str) -> str:
        """The URL of an object in the bucket of the request, in the style of the request."""
        path = quote(key, safe="-_.~")
        if not self.request.virtual_host:
            path = f"{self.request.bucket}/{path}"
        return f"{'https' if self.request.head.secure else 'http'}://{self.request.headers['host']}/{path}"

    def knows(self, account_id: str) -> bool:
        """Whether this is the canonical id of an account that has credentials here."""
        return self.endpoint.account(account_id) is not None

    def payload(self, *, hex_md5: bool = False, object_checksum: bool = False) -> Payload:
        """The request body, see `Payload`; raises for what its headers get wrong."""
        return self.endpoint.seams.payload(
            self.request,
            self.authenticated,
            hex_md5=hex_md5,
            object_checksum=object_checksum,
        )

    def text(self, payload: Payload | None = None) -> bytes:
        """The document in the body, verified; not parsed.

        Raises:
            S3Error: MissingRequestBodyError; InvalidRequest for want of a digest where S3 demands one (LINT-015).
        """
        payload = payload or self.payload()
        if self.endpoint.codec.needs_digest(self.operation) and not payload.has_digest:
            raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
        body = payload.document()
        if not body:
            raise S3Error("MissingRequestBodyError")
        return body

    def document(self, payload: Payload | None = None) -> dict[str, Any]:
        """The XML document in the body, by member names."""
        return self.endpoint.codec.parse_document(self.operation, self.text(payload))


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


def checked(bucket: Bucket | None, name: str) -> Bucket:
    """A bucket that was looked up.

    Raises:
        S3Error: NoSuchBucket.
    """
    if bucket is None:
        raise S3Error("NoSuchBucket", None, {"BucketName": name})
    return bucket


def check_expected_owner(endpoint: Endpoint, bucket: Bucket, expected: str | None) -> None:
    """Hold a bucket to x-amz-expected-bucket-owner, the number of an account (catalogue BKT-017, BKT-018).

    Raises:
        S3Error: InvalidBucketOwnerAWSAccountID, AccessDenied.
    """
    if expected is None:
        return
    if not (len(expected) == 12 and expected.isascii() and expected.isdigit()):
        message = "The value of the expected bucket owner parameter must be an AWS Account ID..."
        raise S3Error("InvalidBucketOwnerAWSAccountID", f"{message} [{expected}]")
    owner = endpoint.account(bucket.owner)
    if owner is None or owner.number != expected:
        raise S3Error("AccessDenied")
