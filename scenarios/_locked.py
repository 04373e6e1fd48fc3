"""Buckets with object lock, and how a scenario gets rid of what it locked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.sandbox import creation
from harness.scene import Scene
from scenarios.etag import content_md5

CONTENT = b"to be kept"


@contextmanager
def locked_bucket(s3: Scene) -> Iterator[str]:
    """A new bucket with object lock, and with versions therefore; what is in it is released and removed at the end.

    Nothing may be left under COMPLIANCE in it: that cannot be removed before its time.
    """
    bucket = s3.bucket_name()
    s3.setup("CreateBucket", **creation(bucket, s3.witness.region), ObjectLockEnabledForBucket=True)
    try:
        yield bucket
    finally:
        _release(s3, bucket)


def _release(s3: Scene, bucket: str) -> None:
    """Delete every version; where a legal hold forbids that, lift it first. What is still refused is left over."""
    listed = s3.look("ListObjectVersions", Bucket=bucket).output
    for entry in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        version = {"Bucket": bucket, "Key": entry.get("Key", ""), "VersionId": entry.get("VersionId", "null")}
        if not s3.look("DeleteObject", **version, BypassGovernanceRetention=True).ok:
            s3.look("PutObjectLegalHold", **version, LegalHold={"Status": "OFF"})
            s3.look("DeleteObject", **version, BypassGovernanceRetention=True)


def after(seconds: float) -> str:
    """The time so many seconds from now, in ISO 8601 with whole seconds, not earlier than asked."""
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    if moment.microsecond:
        moment = moment.replace(microsecond=0) + dt.timedelta(seconds=1)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def tomorrow() -> str:
    """A time until which GOVERNANCE can keep an object in a test: the bypass ends it."""
    return after(86400)


def governance() -> dict[str, Any]:
    """Parameters of an upload that is to be kept until tomorrow."""
    return {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": tomorrow()}


def with_digest(content: bytes = CONTENT) -> dict[str, Any]:
    """A body with the digest that S3 asks for beside the headers of object lock."""
    return {"Body": content, "ContentMD5": content_md5(content)}


def keep(s3: Scene, bucket: str, key: str, **lock: Any) -> dict[str, str]:
    """An object stored with a lock to prepare the scene: the parameters that name its version."""
    stored = s3.setup("PutObject", Bucket=bucket, Key=key, **with_digest(), **lock)
    return {"Bucket": bucket, "Key": key, "VersionId": str(stored.output.get("VersionId", ""))}
