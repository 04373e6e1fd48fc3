"""VER: reading by version id."""

from __future__ import annotations

from harness.clients import CALLERS, LIBRARIES
from harness.expect import body, header, ok, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._versioned import versioned_bucket
from scenarios._versions import write
from scenarios.deletes_refused import NOT_A_VERSION


@scenario(
    "VER-012",
    SHOULD,
    "GetObject",
    "HeadObject",
    source="LocalStack test_get_object_after_deleted_in_versioned_bucket (recorded on AWS); versitygw REST test "
    "HeadObject does not return 405 with versioning, after file deleted",
    clients=LIBRARIES,
)
def newest_is_a_marker(s3: Scene) -> None:
    """Where the newest version is a delete marker, GET and HEAD are 404 with x-amz-delete-marker and its version id.

    S3 promises: the object is not found, with code NoSuchKey for GET. The headers x-amz-delete-marker: true and
    x-amz-version-id tell that it was deleted, and by which marker. The status is 404, not 405.

    Breaks: tools that offer to undo a delete need the id of the marker from this answer; clients that ask whether a
    key exists take 405 for an outage, and retry.

    Fix: when the newest entry is a marker answer 404 and set both headers from it.
    """
    with versioned_bucket(s3) as bucket:
        marker = write(s3, bucket, ("key", "-key"))[0]
        shown = (header("x-amz-delete-marker", "true"), header("x-amz-version-id", marker.id))
        s3.expect(s3.call("GetObject", Bucket=bucket, Key="key"), refused(404, "NoSuchKey"), *shown)
        s3.expect(s3.call("HeadObject", Bucket=bucket, Key="key"), refused(404), *shown)


@scenario(
    "VER-015",
    SHOULD,
    "GetObject",
    source="LocalStack test_get_object_with_version_unversioned_bucket and test_delete_object_versioned (recorded on "
    "AWS)",
    clients=CALLERS,
)
def unknown_version(s3: Scene) -> None:
    """A well-formed versionId that is unknown is 404 NoSuchVersion, with Key and VersionId.

    S3 promises: a version that was deleted is told apart from a key that does not exist (NoSuchKey), and the error
    names both the key and the version.

    Breaks: restores that go through a list of versions skip those that are gone by this code; where the present
    object comes instead, they restore the wrong bytes under an old name.

    Fix: look the pair of key and version up, and never fall back to the newest.
    """
    with versioned_bucket(s3) as bucket:
        newer, older = write(s3, bucket, ("key", "key"))
        s3.setup("DeleteObject", Bucket=bucket, Key="key", VersionId=older.id)
        missing = refused(404, "NoSuchVersion", fields={"Key": "key", "VersionId": older.id})
        s3.expect(s3.call("GetObject", Bucket=bucket, Key="key", VersionId=older.id), missing)
        s3.expect(s3.call("GetObject", Bucket=bucket, Key="key", VersionId=newer.id), ok(), body(b"key"))


@scenario(
    "VER-016",
    SHOULD,
    "GetObject",
    source="LocalStack test_get_object_with_version_unversioned_bucket (recorded on AWS)",
    clients=LIBRARIES,
)
def malformed_version(s3: Scene) -> None:
    """A malformed versionId is refused with 400 InvalidArgument, which names versionId.

    S3 promises: text that no version id can be is an error of the argument, not a missing version, in buckets with
    and without versions. ArgumentName is versionId.

    Breaks: strict validation only. A store that ignores what it cannot read answers the present object, and a
    restore of a mistyped version looks like a success.

    Fix: check the form of the id first.
    """
    key = s3.key()
    s3.put(key, b"present")
    refusal = refused(400, "InvalidArgument", fields={"ArgumentName": "versionId"})
    s3.expect(s3.call("GetObject", Key=key, VersionId=NOT_A_VERSION), refusal)
    s3.expect(s3.call("GetObject", Key=key), ok(), body(b"present"))
    with versioned_bucket(s3) as bucket:
        version = write(s3, bucket, ("key",))[0]
        s3.expect(s3.call("GetObject", Bucket=bucket, Key="key", VersionId=NOT_A_VERSION), refusal)
        s3.expect(s3.call("GetObject", Bucket=bucket, Key="key", VersionId=version.id), ok(), body(b"key"))


@scenario(
    "VER-017",
    EXTENDED,
    "GetObject",
    source="LocalStack test_get_object_with_version_unversioned_bucket (recorded on AWS)",
    clients=LIBRARIES,
)
def null_without_versioning(s3: Scene) -> None:
    """versionId=null in a bucket without versioning reads the object.

    S3 promises: null is the id of an object that has none, in every bucket, so that one code reads all of them.

    Breaks: tools that list versions first and then read by id (bucket copies, migrations) find the id null in buckets
    without versioning, and fail on every object there.

    Fix: accept null as the present object where versioning was never set.
    """
    bucket, key = s3.new_bucket(), "key"
    s3.put(key, b"present", Bucket=bucket)
    s3.expect(s3.call("GetObject", Bucket=bucket, Key=key, VersionId="null"), ok(), body(b"present"))
    s3.expect(s3.call("GetObject", Bucket=bucket, Key="missing", VersionId="null"), refused(404))
