"""Every knob: what it means, what Amazon S3 needs, and where clients have it.

Sources: rclone 1.75.2 (`rclone config providers`, backend/s3/provider/*.yaml), botocore 1.43, AWS CLI, AWS SDK for
JavaScript v3.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

RCLONE, AWS, BOTO3, JS = "rclone", "aws", "boto3", "js"

_SAME: Mapping[str, str] = MappingProxyType({})


class Option(NamedTuple):
    """A knob as one client has it.

    Attributes:
        client: the client.
        name: what it calls the setting.
        default: what it does unless told otherwise; for rclone that is provider "Other".
        values: its words for the values of the knob, where they differ; "" for a value that it does not have.
        better: worth setting where it differs from a default that works too.
        place: where it stands, if not in the main part: `s3` of an AWS profile, `transfer` of boto3, `yaml` of an
            rclone provider alone, `command` line.
    """

    client: str
    name: str
    default: str
    values: Mapping[str, str] = _SAME
    better: bool = False
    place: str = ""

    def said(self, value: str) -> str:
        """The client's word for a value of the knob; "" if it has none."""
        return self.values.get(value, value)


class Quirk(NamedTuple):
    """A knob as a provider's file of rclone has it; `default` is what holds where the file is silent."""

    name: str
    default: str
    values: Mapping[str, str] = _SAME

    def said(self, value: str) -> str:
        """The file's word for a value of the knob; "" if it has none."""
        return self.values.get(value, value)


class Knob(NamedTuple):
    """Something in which endpoints differ; `standard` is its value on Amazon S3."""

    name: str
    about: str
    standard: str
    options: tuple[Option, ...] = ()
    quirk: Quirk | None = None


def _rclone(
    name: str, about: str, standard: str, default: str, *, better: bool = False, quirk: str = "", place: str = ""
) -> Knob:
    """A knob that rclone alone has, under its own name."""
    option = Option(RCLONE, name, default, better=better, place=place)
    return Knob(name, about, standard, (option,), Quirk(name, quirk) if quirk else None)


PARTS, BIG_PARTS = "5Mi", "64Mi"
ENDLESS = "1Pi"
"""A size that no object reaches, which rclone takes; its own providers' 2**63 - 1 is refused in a configuration."""
_BYTES = {PARTS: "0", BIG_PARTS: str(64 * 1024**2), "4.656Gi": "0", ENDLESS: str(2**63 - 1)}
_PATH_STYLE = {"path": "true", "virtual": "false", "auto": ""}
_SCREAMING = {"when_supported": "WHEN_SUPPORTED", "when_required": "WHEN_REQUIRED"}
_THRESHOLD = {"true": "8MB", "false": "5GB"}
_PART_SIZES = {PARTS: "8MB", BIG_PARTS: "64MB", "10000": "8MB", "1000": "80MB"}
_AT_A_TIME = {"many": "10", "few": "2"}

KNOBS: tuple[Knob, ...] = (
    # --- listings
    _rclone("list_version", "which ListObjects to use", "2", "1", better=True, quirk="2"),
    _rclone("list_url_encode", "ask for percent-encoded keys in listings", "true", "false", better=True, quirk="true"),
    _rclone("list_chunk", "keys to ask for in one page", "1000", "1000"),
    _rclone(
        "encoding", "characters of file names to replace", "Slash,InvalidUtf8,Dot", "Slash,InvalidUtf8,Dot", better=True
    ),
    Knob("list_url_encode_v1", "percent-encoded keys in listings by version 1", "works"),
    Knob("encoding_type", "what becomes of encoding-type=url, which AWS CLI and boto3 always ask for", "applied"),
    Knob("list_order", "keys are listed in the order of their bytes, which sync commands rely on", "sorted"),
    Knob("directory_markers", "an empty object dir/ can stand for a folder (rclone --s3-directory-markers)", "yes"),
    # --- addressing and signatures
    Knob(
        "addressing",
        "bucket in the path or in the host name",
        "path",
        (
            Option(RCLONE, "force_path_style", "true", _PATH_STYLE),
            Option(AWS, "addressing_style", "auto", place="s3"),
            Option(BOTO3, "addressing_style", "auto", place="s3"),
            Option(JS, "forcePathStyle", "false", _PATH_STYLE | {"auto": "false"}),
        ),
        Quirk("force_path_style", "false", _PATH_STYLE),
    ),
    Knob(
        "signature_version",
        "signature of presigned URLs; boto3 and AWS CLI v1 use version 2 unless told otherwise",
        "s3v4",
        (Option(AWS, "signature_version", "s3", place="s3"), Option(BOTO3, "signature_version", "s3")),
    ),
    _rclone("v2_auth", "sign requests with version 2", "false", "false"),
    _rclone("use_presigned_request", "upload by presigned URL", "false", "false"),
    _rclone("use_x_id", "add x-id=Operation to URLs", "true", "true", quirk="true"),
    _rclone("sign_accept_encoding", "sign the header Accept-Encoding", "true", "true", quirk="true"),
    _rclone("use_accept_encoding_gzip", "send Accept-Encoding: gzip", "true", "true", quirk="true"),
    _rclone("might_gzip", "downloads may be compressed on the way", "false", "true", quirk="true"),
    _rclone("decompress", "decompress objects stored with Content-Encoding: gzip", "false", "false"),
    _rclone("disable_http2", "speak HTTP/1.1 only", "false", "false"),
    # --- buckets
    _rclone("use_already_exists", "BucketAlreadyExists is an error", "true", "false", better=True, quirk="true"),
    _rclone("no_check_bucket", "never create the bucket", "false", "false"),
    _rclone("object_lock_supported", "there is Object Lock", "true", "true", quirk="true", better=True),
    _rclone("list_versions_oldest_first", "versions come from old to new", "false", "false", quirk="false"),
    Knob("versioning", "versions are kept and listed (rclone --s3-versions, --s3-version-at)", "yes"),
    # --- uploads
    _rclone("use_unsigned_payload", "upload with UNSIGNED-PAYLOAD", "true", "true", quirk="true"),
    Knob(
        "payload_signing",
        "sign the digest of a body over https too",
        "false",
        (
            Option(AWS, "payload_signing_enabled", "false", place="s3"),
            Option(BOTO3, "payload_signing_enabled", "false", place="s3"),
        ),
    ),
    _rclone("use_data_integrity_protections", "send checksums in trailers", "true", "false", quirk="false"),
    Knob(
        "request_checksum_calculation",
        "send a CRC32 with every upload",
        "when_supported",
        (
            Option(BOTO3, "request_checksum_calculation", "when_supported", better=True),
            Option(JS, "requestChecksumCalculation", "WHEN_SUPPORTED", _SCREAMING, better=True),
        ),
    ),
    Knob(
        "request_checksum_calculation_cli",
        "send a checksum with every upload: CRC32 by AWS CLI v1, CRC64NVME by v2",
        "when_supported",
        (Option(AWS, "request_checksum_calculation", "when_supported", better=True),),
    ),
    Knob("checksum_verified", "a checksum that is not the body's is refused", "yes"),
    Knob("aws_chunked_replayed", "downloads repeat Content-Encoding: aws-chunked of their upload", "no"),
    Knob("expect_continue", "Expect: 100-continue is answered; boto3 waits a second for it with every upload", "yes"),
    _rclone("etag_is_not_md5", "the ETag of an upload is not its MD5", "false", "false", quirk="false", place="yaml"),
    # --- multipart
    Knob(
        "use_multipart_uploads",
        "upload large files in parts",
        "true",
        (
            Option(RCLONE, "use_multipart_uploads", "true"),
            Option(AWS, "multipart_threshold", "8MB", _THRESHOLD, place="s3"),
            Option(BOTO3, "multipart_threshold", "8MB", _THRESHOLD, place="transfer"),
        ),
        Quirk("use_multipart_uploads", "true"),
    ),
    _rclone("use_multipart_etag", "check the ETag of an upload in parts", "true", "false", better=True, quirk="true"),
    Knob(
        "min_chunk_size",
        "size of parts",
        PARTS,
        (
            Option(RCLONE, "chunk_size", PARTS),
            Option(AWS, "multipart_chunksize", "8MB", _PART_SIZES, place="s3"),
            Option(BOTO3, "multipart_chunksize", "8MB", _PART_SIZES, place="transfer"),
        ),
        Quirk("min_chunk_size", "0", _BYTES),
    ),
    Knob(
        "max_upload_parts",
        "parts that an upload may have",
        "10000",
        (
            Option(RCLONE, "max_upload_parts", "10000"),
            Option(AWS, "multipart_chunksize", "8MB", _PART_SIZES, place="s3"),
            Option(BOTO3, "multipart_chunksize", "8MB", _PART_SIZES, place="transfer"),
        ),
        Quirk("max_upload_parts", "10000"),
    ),
    Knob(
        "copy_cutoff",
        "size from which objects are copied in parts, by UploadPartCopy",
        "4.656Gi",
        (Option(RCLONE, "copy_cutoff", "4.656Gi"),),
        Quirk("copy_cutoff", "0", _BYTES),
    ),
    Knob("upload_limit", "a body of 5 MiB, the smallest part there is, passes", "none seen"),
    # --- reads and deletes
    _rclone("no_head", "do not look at an object after its upload", "false", "false"),
    _rclone("no_head_object", "do not look at an object before its download", "false", "false"),
    Knob("head_missing", "HEAD of a key that is not there; anything but 404 looks like a refusal", "404"),
    Knob(
        "response_checksum_validation",
        "ask for the checksum of a download and check it",
        "when_supported",
        (
            Option(AWS, "response_checksum_validation", "when_supported", better=True),
            Option(BOTO3, "response_checksum_validation", "when_supported", better=True),
            Option(JS, "responseChecksumValidation", "WHEN_SUPPORTED", _SCREAMING, better=True),
        ),
    ),
    Knob(
        "copy_props",
        "what AWS CLI v2 copies of a large object; by default it reads its tags (GetObjectTagging)",
        "default",
        (Option(AWS, "--copy-props", "default", place="command"),),
    ),
    Knob("delete_objects", "what DeleteObjects wants of its document; SDKs send a checksum and no MD5", "crc32"),
    Knob(
        "concurrency",
        "requests at a time",
        "many",
        (
            Option(RCLONE, "upload_concurrency", "4", {"many": "4", "few": "1"}, better=True),
            Option(AWS, "max_concurrent_requests", "10", _AT_A_TIME, place="s3", better=True),
            Option(BOTO3, "max_concurrency", "10", _AT_A_TIME, place="transfer", better=True),
        ),
    ),
)

BY_NAME: dict[str, Knob] = {knob.name: knob for knob in KNOBS}
