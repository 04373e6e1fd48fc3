"""Auto Drive's S3 layer at 38f05169 of autonomys/auto-drive, 2026-08-05."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server.personalities import _autodrive_requests as requests
from reference_server.personalities._autodrive_seams import seams
from reference_server.personalities._autodrive_versions import HEADERS, Versions

if TYPE_CHECKING:
    from reference_server.app import App

_READS = {
    "versioning": "GetBucketVersioning",
    "versions": "ListObjectVersions",
    "object-lock": "GetObjectLockConfiguration",
    "retention": "GetObjectRetention",
    "legal-hold": "GetObjectLegalHold",
}
_WRITES = {
    "versioning": "PutBucketVersioning",
    "object-lock": "PutObjectLockConfiguration",
    "retention": "PutObjectRetention",
    "legal-hold": "PutObjectLegalHold",
}


def wraps(app: App) -> Mapping[str, Callable[[Any], Any]]:
    """The gateway's functions of the seams."""
    return seams(app, ERA, lambda inner: Versions(inner).handlers(), shared=False)


def route(method: str, query: requests.Query, headers: Mapping[str, str]) -> str:
    """The operation of a request: as in the days of the guide, but for what there is beside."""
    before = requests.route(method, query, headers)
    if before in ("GetObject", "ListObjectsV2"):
        return next((operation for name, operation in _READS.items() if name in query), before)
    if before == "UploadPart" and "x-amz-copy-source" in headers:
        return "UploadPartCopy"
    if before in ("PutObject", "CopyObject"):
        return next((operation for name, operation in _WRITES.items() if name in query), before)
    return before


def _named(name: str) -> requests.Read:
    return lambda _: {name: ""}


ERA = requests.Era(
    route,
    {
        **requests.GUIDE.queries,
        **{operation: _named(name) for name, operation in _READS.items()},
        "AbortMultipartUpload": requests.upload_of,
        "DeleteObject": requests.version_of,
        "GetObject": requests.version_of,
        "HeadObject": requests.version_of,
        "ListObjectVersions": lambda query: {"versions": "", **requests.listing(query)},
    },
    HEADERS,
    exact=True,
)
