"""A bucket that keeps versions, for the statements beside VER that need one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.scene import Scene


@contextmanager
def versioned_bucket(s3: Scene) -> Iterator[str]:
    """A new bucket with versioning enabled; it is emptied at the end, since the sandbox removes no old versions."""
    bucket = s3.new_bucket()
    s3.setup("PutBucketVersioning", Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    try:
        yield bucket
    finally:
        purge(s3, bucket)


def purge(s3: Scene, bucket: str) -> None:
    """Remove the versions and delete markers of a bucket of the cell's own; what is refused stays to be reported."""
    listed = s3.look("ListObjectVersions", Bucket=bucket)
    for entry in [*listed.output.get("Versions", []), *listed.output.get("DeleteMarkers", [])]:
        version = str(entry.get("VersionId", "null"))
        s3.look("DeleteObject", Bucket=bucket, Key=str(entry.get("Key", "")), VersionId=version)
