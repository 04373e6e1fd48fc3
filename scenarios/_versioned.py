"""A bucket that keeps versions, for the statements beside VER that need one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.scene import Scene


@contextmanager
def versioned_bucket(s3: Scene) -> Iterator[str]:
    """A new bucket with versioning enabled; it is emptied at the end."""
    bucket = s3.new_bucket()
    s3.setup("PutBucketVersioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    try:
        yield bucket
    finally:
        purge(s3, bucket)


def with_and_without_versions(s3: Scene) -> list[str]:
    """The cell's bucket and, where versioning is offered, one that keeps versions, for statements about both."""
    bucket = s3.new_bucket()
    enabled = s3.look("PutBucketVersioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    if enabled.ok:
        return [s3.bucket, bucket]
    s3.note(f"versioning is refused with {enabled.summary()}; judged without it")
    return [s3.bucket]


def purge(s3: Scene, bucket: str) -> None:
    """Remove the versions and delete markers of a bucket of the cell's own; what is refused stays to be reported."""
    listed = s3.look("ListObjectVersions", Bucket=bucket)
    for entry in [*listed.output.get("Versions", []), *listed.output.get("DeleteMarkers", [])]:
        version = str(entry.get("VersionId", "null"))
        s3.look("DeleteObject", Bucket=bucket, Key=str(entry.get("Key", "")), VersionId=version)
