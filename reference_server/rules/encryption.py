"""Server-side encryption: what a request asks for, which key serves it, and who may read the result.

Nothing is encrypted here: the rules decide what is answered. Customer keys are known by their MD5, in base64,
which is all that S3 keeps of them.
Sources: Amazon S3 User Guide, "Protecting data with server-side encryption"; catalogue ENC.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reference_server.errors import S3Error, invalid_argument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AES256 = "AES256"
KMS = ("aws:kms", "aws:kms:dsse")
DEFAULT_ALIAS = "alias/aws/s3"
#: What GetBucketEncryption answers for a bucket without a configuration of its own (catalogue ENC-002).
DEFAULT_CONFIGURATION: dict[str, Any] = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": AES256}, "BucketKeyEnabled": False}]
}
_HEADER = "x-amz-server-side-encryption"
_BLOCKED = "BlockedEncryptionTypes"
_KEY_BYTES = 32
_ARN = re.compile(r"arn:[^:]+:kms:(?P<region>[^:]*):(?P<account>[^:]*):(?P<resource>(?:key|alias)/.+)", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CUSTOMER = "Requests specifying Server Side Encryption with Customer provided keys must provide"
_PARAMETERS_NEEDED = (
    "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to "
    "retrieve the object."
)
_PART_PARAMETERS_NEEDED = (
    "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate "
    "encryption parameters."
)


@dataclass(frozen=True)
class KeyRing:
    """The keys of the key management service.

    Attributes:
        keys: whether a key is enabled, by key id. The one that S3 manages is always there and enabled.
    """

    keys: Mapping[str, bool] = field(default_factory=dict)

    def resolve(self, key_id: str | None, region: str, account: str) -> str:
        """The ARN of a key that may be used (catalogue ENC-007, ENC-008).

        Args:
            key_id: key id or ARN, or the alias of the key that S3 manages; None for that key.
            region: of the bucket; keys of others cannot be used.
            account: of the bucket.

        Raises:
            S3Error: KMS.NotFoundException, KMS.DisabledException.
        """
        named = key_id or DEFAULT_ALIAS
        match = _ARN.fullmatch(named)
        if match is not None and match["region"] != region:
            raise S3Error("KMS.NotFoundException", f"Invalid arn {match['region']}")
        resource = named if match is None else match["resource"]
        if match is not None and match["account"] != account:
            raise S3Error("KMS.NotFoundException", f"Key '{named}' does not exist")
        managed = str(uuid.uuid5(uuid.NAMESPACE_URL, _arn(region, account, DEFAULT_ALIAS)))
        found = resource.removeprefix("key/")
        if found in (DEFAULT_ALIAS, managed):
            return _arn(region, account, f"key/{managed}")
        arn = _arn(region, account, f"key/{found}")
        if found not in self.keys:
            raise _not_found(found, region, account)
        if not self.keys[found]:
            raise S3Error("KMS.DisabledException", f"{arn} is disabled.")
        return arn


@dataclass(frozen=True)
class Encryption:
    """How an object is stored.

    Attributes:
        algorithm: AES256 or one of KMS; AES256 too with a customer key.
        key_arn: of the KMS key.
        bucket_key_enabled: whether a bucket key stands for the KMS key.
        customer_md5: MD5 of the customer key.
    """

    algorithm: str = AES256
    key_arn: str | None = None
    bucket_key_enabled: bool = False
    customer_md5: str | None = None

    def members(self) -> dict[str, Any]:
        """Members of the outputs of writes and reads (catalogue ENC-001, ENC-008)."""
        if self.customer_md5 is not None:
            return {"SSECustomerAlgorithm": self.algorithm, "SSECustomerKeyMD5": self.customer_md5}
        members: dict[str, Any] = {"ServerSideEncryption": self.algorithm}
        if self.key_arn is not None:
            members["SSEKMSKeyId"] = self.key_arn
        if self.bucket_key_enabled:
            members["BucketKeyEnabled"] = True
        return members


def check(configuration: Mapping[str, Any]) -> None:
    """Refuse a document that PutBucketEncryption refuses.

    Raises:
        S3Error: MalformedXML unless there is one rule with a known algorithm or with encryption types to block,
            InvalidArgument for a KMS key with another algorithm.
    """
    rules = configuration.get("Rules") or []
    default = rules[0].get("ApplyServerSideEncryptionByDefault") if len(rules) == 1 else None
    if default is None and len(rules) == 1 and rules[0].get(_BLOCKED):
        return
    if not default or default.get("SSEAlgorithm") not in (AES256, *KMS):
        raise S3Error("MalformedXML")
    if default["SSEAlgorithm"] == AES256 and "KMSMasterKeyID" in default:
        message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        raise S3Error("InvalidArgument", message, {"ArgumentName": "ApplyServerSideEncryptionByDefault"})


def effective(
    members: Mapping[str, Any], configuration: Mapping[str, Any] | None, resolve: Callable[[str | None], str]
) -> Encryption:
    """How to store what a request writes: as it asks, else as the bucket says (catalogue ENC-001, ENC-008).

    Args:
        members: input of PutObject, CopyObject or CreateMultipartUpload.
        configuration: of the bucket; None if it has none of its own.
        resolve: gives the ARN of a KMS key by its id, as `KeyRing.resolve` does for one bucket.

    Raises:
        S3Error: as `check_headers` and `resolve`; AccessDenied for a customer key where the bucket blocks them.
    """
    customer_md5 = check_headers(members)
    rule = (configuration or DEFAULT_CONFIGURATION)["Rules"][0]
    if customer_md5 is not None:
        if "SSE-C" in rule.get(_BLOCKED, {}).get("EncryptionType", ()):
            raise S3Error("AccessDenied", "The bucket does not take objects with customer provided keys (SSE-C)")
        return Encryption(customer_md5=customer_md5)
    default = rule.get("ApplyServerSideEncryptionByDefault") or {"SSEAlgorithm": AES256}
    asked = members.get("ServerSideEncryption")
    algorithm = asked or default["SSEAlgorithm"]
    if algorithm not in KMS:
        return Encryption()
    # A request that asks for KMS without a key means the account's, not the bucket's.
    key_id = members.get("SSEKMSKeyId") if asked else default.get("KMSMasterKeyID")
    bucket_key = members.get("BucketKeyEnabled")
    if bucket_key is None:
        bucket_key = rule.get("BucketKeyEnabled", False)
    return Encryption(algorithm, resolve(key_id), bool(bucket_key) and algorithm == KMS[0])


def check_headers(members: Mapping[str, Any]) -> str | None:
    """Refuse encryption headers of a write that contradict each other (catalogue ENC-003).

    Returns:
        MD5 of the customer key, if the request has one.

    Raises:
        S3Error: InvalidArgument, InvalidEncryptionAlgorithmError.
    """
    asked = members.get("ServerSideEncryption")
    if asked is not None and _has_customer_key(members, ""):
        message = "Server Side Encryption with Customer provided key is incompatible with the encryption method"
        raise invalid_argument(_HEADER, asked, f"{message} specified")
    if asked is not None and asked not in (AES256, *KMS):
        raise invalid_argument(_HEADER, asked, "The encryption method specified is not supported")
    if members.get("SSEKMSKeyId") is not None and asked not in KMS:
        message = f"Server Side Encryption with AWS KMS managed key requires HTTP header {_HEADER} : aws:kms"
        raise invalid_argument(_HEADER, asked or "null", message)
    key = _customer_key(members, "")
    if key is None:
        return None
    if len(key) != _KEY_BYTES:
        raise _refused("The secret key was invalid for the specified algorithm.")
    return _md5(key)


def check_key(stored_md5: str | None, members: Mapping[str, Any], prefix: str = "") -> None:
    """Refuse to read an object without the key that it was written with (catalogue ENC-004, ENC-005).

    Statuses are those of HEAD too, whose answers lack only the body.

    Args:
        stored_md5: of the object's customer key; None if it has none.
        members: input with SSECustomerAlgorithm, SSECustomerKey and SSECustomerKeyMD5.
        prefix: `CopySource` for the source of a copy.

    Raises:
        S3Error: InvalidRequest, AccessDenied for another key, or as `check_headers`.
    """
    key = _customer_key(members, prefix)
    if key is None and stored_md5 is not None:
        raise S3Error("InvalidRequest", _PARAMETERS_NEEDED)
    if key is not None and stored_md5 is None:
        raise S3Error("InvalidRequest", "The encryption parameters are not applicable to this object.")
    if key is not None and _md5(key) != stored_md5:
        raise S3Error("AccessDenied", f"{_CUSTOMER} the correct secret key.")


def check_part(upload_md5: str | None, members: Mapping[str, Any]) -> None:
    """Refuse a part that is not encrypted as its upload is (catalogue ENC-006).

    Args:
        upload_md5: of the customer key given when the upload was created.
        members: input of UploadPart or UploadPartCopy.

    Raises:
        S3Error: InvalidRequest, or as `check_headers`.
    """
    key = _customer_key(members, "")
    if (key is None) != (upload_md5 is None):
        raise S3Error("InvalidRequest", _PART_PARAMETERS_NEEDED)
    if key is not None and _md5(key) != upload_md5:
        raise S3Error("InvalidRequest", "The provided encryption parameters did not match the ones used originally.")


def _has_customer_key(members: Mapping[str, Any], prefix: str) -> bool:
    names = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")
    return any(members.get(prefix + name) is not None for name in names)


def _customer_key(members: Mapping[str, Any], prefix: str) -> bytes | None:
    """The key of the three headers, of any length; None without them."""
    if not _has_customer_key(members, prefix):
        return None
    algorithm = members.get(f"{prefix}SSECustomerAlgorithm")
    text, md5 = members.get(f"{prefix}SSECustomerKey"), members.get(f"{prefix}SSECustomerKeyMD5")
    if algorithm is None:
        raise _refused(f"{_CUSTOMER} a valid encryption algorithm.")
    if algorithm != AES256:
        elements: dict[str, object] = {"ArgumentName": _HEADER, "ArgumentValue": algorithm}
        raise S3Error("InvalidEncryptionAlgorithmError", None, elements)
    if text is None:
        raise _refused(f"{_CUSTOMER} an appropriate secret key.")
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _refused("The secret key was invalid for the specified algorithm.") from None
    if md5 is None:
        raise _refused(f"{_CUSTOMER} the client calculated MD5 of the secret key.")
    if md5 != _md5(key):
        raise _refused("The calculated MD5 hash of the key did not match the hash that was provided.")
    return key


def _refused(message: str) -> S3Error:
    # As recorded: the argument is named after another header, and its value is never repeated.
    return S3Error("InvalidArgument", message, {"ArgumentName": _HEADER})


def _md5(key: bytes) -> str:
    return base64.b64encode(hashlib.md5(key).digest()).decode()


def _arn(region: str, account: str, resource: str) -> str:
    return f"arn:aws:kms:{region}:{account}:{resource}"


def _not_found(name: str, region: str, account: str) -> S3Error:
    if name.startswith("alias/"):
        message = f"Alias {_arn(region, account, name)} is not found."
    elif _UUID.fullmatch(name):
        message = f"Key '{_arn(region, account, f'key/{name}')}' does not exist"
    else:
        message = f"Invalid keyId '{name}'"
    return S3Error("KMS.NotFoundException", message)
