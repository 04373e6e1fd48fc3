"""ENC: encryption with keys of the service. Keys of the user: `encryption_keys`."""

from __future__ import annotations

import re
import uuid
from typing import Any

from harness.clients import LIBRARIES
from harness.expect import body, header, header_where, if_shown, ok, output_where, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene

_CONTENT = b"encrypted by the service"
_HEADER = "x-amz-server-side-encryption"
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_KEY_ARN = re.compile(r"arn:[^:]+:kms:[^:]*:[^:]*:key/.+")


@scenario(
    "ENC-001",
    SHOULD,
    "PutObject",
    "GetObject",
    "HeadObject",
    source="LocalStack test_s3_default_bucket_encryption and test_s3_bucket_encryption_sse_s3 (recorded on AWS)",
)
def encrypted_by_default(s3: Scene) -> None:
    """Every object is encrypted unless asked otherwise: x-amz-server-side-encryption: AES256 on writes and reads.

    S3 promises: since 2023 SSE-S3 is on for every bucket. PutObject, GetObject and HeadObject say so in the header,
    although the request asked for nothing.

    Breaks: security scanners and data catalogues list objects without the header as unencrypted; backup programs
    that must prove encryption refuse the bucket.

    Fix: print the header on every write and read, if data is in fact encrypted at rest; otherwise document that it
    is not.
    """
    key, encrypted = s3.key(), header(_HEADER, "AES256")
    s3.expect(s3.call("PutObject", Key=key, Body=_CONTENT), ok(), if_shown(encrypted))
    s3.expect(s3.look("HeadObject", Key=key), ok(), encrypted)
    s3.expect(s3.call("HeadObject", Key=key), ok(), encrypted)
    s3.expect(s3.call("GetObject", Key=key), ok(), body(_CONTENT), if_shown(encrypted))


@scenario(
    "ENC-002",
    EXTENDED,
    "GetBucketEncryption",
    source="LocalStack test_s3_default_bucket_encryption (recorded on AWS)",
    clients=LIBRARIES,
)
def default_encryption(s3: Scene) -> None:
    """GetBucketEncryption of a new bucket shows one rule: AES256, without a bucket key.

    S3 promises: a bucket that nobody configured answers 200 with SSEAlgorithm AES256 and BucketKeyEnabled false,
    no longer ServerSideEncryptionConfigurationNotFoundError.

    Breaks: Terraform shows a change on every plan where the default is not reported; security scanners report a
    finding for each bucket.

    Fix: answer the default document where none is stored.
    """
    bucket = s3.new_bucket()

    def is_default(configuration: dict[str, Any]) -> bool:
        rules = configuration.get("Rules") or []
        algorithms = [(rule.get("ApplyServerSideEncryptionByDefault") or {}).get("SSEAlgorithm") for rule in rules]
        return algorithms == ["AES256"] and rules[0].get("BucketKeyEnabled") is False

    default = output_where("ServerSideEncryptionConfiguration", "one rule, AES256, no bucket key", is_default)
    s3.expect(s3.call("GetBucketEncryption", Bucket=bucket), ok(), default)


@scenario(
    "ENC-007",
    EXTENDED,
    "PutObject",
    source="LocalStack test_s3_sse_validate_kms_key and test_s3_sse_validate_kms_key_state (recorded on AWS)",
    clients=LIBRARIES,
)
def unknown_kms_key(s3: Scene) -> None:
    """A KMS key that does not exist is refused with 400 KMS.NotFoundException, and nothing is stored.

    S3 promises: the key of x-amz-server-side-encryption-aws-kms-key-id must exist; without one the key of the account
    is taken. A disabled key is 400 KMS.DisabledException; that half is not asked here, since it needs a key that
    somebody made and disabled.

    Breaks: whoever mistypes a key id: where any id is accepted, data is not encrypted as its owner believes, or can
    never be read again.

    Fix: look the key up before the body is read, and name the error as KMS does.
    """
    key, kms = s3.key(), {"ServerSideEncryption": "aws:kms"}
    s3.expect(s3.call("PutObject", Key=s3.key("default"), Body=_CONTENT, **kms), ok())
    s3.expect(s3.look("GetObject", Key=s3.key("default")), ok(), body(_CONTENT))
    answer = s3.call("PutObject", Key=key, Body=_CONTENT, **kms, SSEKMSKeyId=str(uuid.uuid4()))
    s3.expect(answer, refused(400, "KMS.NotFoundException"))
    s3.expect(s3.look("HeadObject", Key=key), refused(404))


@scenario(
    "ENC-008",
    EXTENDED,
    "PutObject",
    "HeadObject",
    source="LocalStack test_s3_sse_default_kms_key and test_s3_bucket_encryption_sse_kms (recorded on AWS)",
)
def kms_is_told(s3: Scene) -> None:
    """An upload with SSE-KMS is answered with x-amz-server-side-encryption: aws:kms and the ARN of the key.

    S3 promises: where the request names no key, that of the account is used, and the answer tells its full ARN. HEAD
    says the same later.

    Breaks: programs that must prove with which key data is encrypted, and replication, which needs the ARN. A gateway
    that answers AES256, or nothing, to aws:kms gives up what the user asked for without a word.

    Fix: resolve the key once, store its ARN with the object, and print both headers on writes and reads.
    """
    key, kms = s3.key(), header(_HEADER, "aws:kms")
    arn = header_where(_KEY_HEADER, "the ARN of a key", lambda value: bool(_KEY_ARN.fullmatch(value)))
    s3.expect(
        s3.call("PutObject", Key=key, Body=_CONTENT, ServerSideEncryption="aws:kms"), ok(), if_shown(kms), if_shown(arn)
    )
    s3.expect(s3.look("HeadObject", Key=key), ok(), kms, arn)
    s3.expect(s3.call("GetObject", Key=key), ok(), body(_CONTENT), kms, arn)
