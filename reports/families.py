"""What the families of scenarios are about, in a few words, for readers who do not know their letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "APIKEY": "API keys",
    "ATTR": "Attribution of buckets",
    "AUTH": "Signatures",
    "AWSCLI": "AWS CLI workflows",
    "BKT": "Buckets",
    "CFG": "Bucket configurations",
    "CHNK": "Chunked uploads",
    "CID": "Content identifiers",
    "CKS": "Checksums",
    "CON": "Consistency and races",
    "COPY": "Copies",
    "CORS": "Cross-origin requests",
    "CRD": "Conditional reads",
    "CWR": "Conditional writes",
    "DEL": "Deletes",
    "DIG": "Digests that S3 demands",
    "ENC": "Encryption",
    "ETAG": "ETags and Content-MD5",
    "GEN": "Generated examples",
    "GET": "Reads and ranges",
    "IMM": "Immutable objects",
    "IMPL": "Implicit buckets",
    "LBKT": "List of buckets",
    "LC": "Lifecycle",
    "LEGACY": "Objects of older versions",
    "LIM": "Limits",
    "LMU": "List of uploads",
    "LOCK": "Object lock",
    "LST1": "Listing, version 1",
    "LST2": "Listing, version 2",
    "LVER": "List of versions",
    "META": "Metadata, headers and keys",
    "MPC": "Checksums of parts",
    "MPU": "Multipart uploads",
    "NATIVE": "Beside S3",
    "OPS": "Every operation of S3",
    "PERM": "Permanent versions",
    "POL": "Policies and ownership",
    "POST": "Browser forms",
    "PRE": "Presigned URLs",
    "RAW": "Exact HTTP",
    "RCLONE": "rclone workflows",
    "REDIR": "Redirects",
    "REGION": "Regions",
    "S3API": "S3 API of command lines",
    "SHARE": "Shared links",
    "TAG": "Tags",
    "TOKEN": "Tokens",
    "TTL": "Objects that expire",
    "VER": "Versioning",
    "WEB": "Static websites",
}
"""By family; a family that is not here stands for itself."""


def words(family: str) -> str:
    """What a family is about; empty where no one wrote it down."""
    return WORDS.get(family, "")
