"""Auto Drive's S3 layer at 38f05169 of autonomys/auto-drive, 2026-08-05."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server import access
from reference_server.auth import account_of
from reference_server.personalities import _autodrive_requests as requests
from reference_server.personalities._autodrive_legacy import preload
from reference_server.personalities._autodrive_seams import seams
from reference_server.personalities._autodrive_versions import Versions

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


def legacy(app: App) -> str:
    """As in the days of the guide; names are no longer one space, so the object belongs to the first API key."""
    owner = account_of(next(iter(app.credentials)))
    return preload(app, owner, {**access.NEW_BUCKET, **Versions.settings})


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


def _version_read(query: requests.Query) -> dict[str, str]:
    return requests.read_of(query) | requests.version_of(query)


def _named(name: str) -> requests.Read:
    return lambda _: {name: ""}


ERA = requests.Era(
    route,
    {
        **requests.GUIDE.queries,
        **{operation: _named(name) for name, operation in _READS.items()},
        "AbortMultipartUpload": requests.upload_of,
        "CopyObject": requests.part_of,
        "DeleteObject": requests.version_of,
        "GetObject": _version_read,
        "HeadObject": _version_read,
        "ListObjectVersions": lambda query: {"versions": "", **requests.listing(query)},
    },
    requests.of_acls,
)
