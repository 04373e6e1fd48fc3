"""VER: deleting with versions."""

from __future__ import annotations

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, body, ok, output, output_where, refused
from harness.sandbox import creation
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._versioned import versioned_bucket
from scenarios._versions import Version, versions, write
from scenarios.deletes import document
from scenarios.versions import configured, no_null, reads, switch


def listed(s3: Scene, bucket: str, wanted: list[Version]) -> None:
    """The witness finds exactly these versions and delete markers."""
    s3.expect(s3.look("ListObjectVersions", Bucket=bucket), ok(), versions(wanted))


@scenario(
    "VER-009",
    SHOULD,
    "DeleteObject",
    source="LocalStack test_delete_object_versioned (recorded on AWS)",
    clients=CALLERS,
)
def delete_adds_a_marker(s3: Scene) -> None:
    """With versioning enabled, DeleteObject without versionId answers 204 with a delete marker, and all versions stay.

    S3 promises: the answer has x-amz-delete-marker: true and the marker's own x-amz-version-id. The key is not found
    any more, and every version of it can still be read by id.

    Breaks: this is the safety net that users switch versioning on for: what a mistake, a script or an attacker
    deletes can be brought back. A store that removes the newest version, or all, has no net.

    Fix: write a marker as the newest version instead of removing anything, and return its id.
    """
    with versioned_bucket(s3) as bucket:
        newer, older = write(s3, bucket, ("key", "key"))
        answer = s3.call("DeleteObject", Bucket=bucket, Key="key")
        s3.expect(answer, ok(204), output("DeleteMarker", True), no_null())
        s3.expect(s3.look("GetObject", Bucket=bucket, Key="key"), refused(404, "NoSuchKey"))
        reads(s3, bucket, "key", {newer.id: b"key", older.id: b"key"})
        marker = Version("key", answer.output["VersionId"], marker=True, latest=True)
        listed(s3, bucket, [marker, newer._replace(latest=False), older])


@scenario(
    "VER-010",
    EXTENDED,
    "DeleteObject",
    source="LocalStack test_delete_object_versioned (recorded on AWS)",
    clients=LIBRARIES,
)
def marker_for_a_missing_key(s3: Scene) -> None:
    """With versioning enabled, deleting a key that never existed creates a delete marker all the same.

    S3 promises: the answer is 204 with x-amz-delete-marker: true and an id, and the listing of versions shows the
    marker.

    Breaks: little: replication and audit logs expect an entry for every delete, and clean-ups must reckon with
    markers that hide nothing.

    Fix: do not look for the key before writing the marker.
    """
    with versioned_bucket(s3) as bucket:
        answer = s3.call("DeleteObject", Bucket=bucket, Key="never")
        s3.expect(answer, ok(204), output("DeleteMarker", True), no_null())
        listed(s3, bucket, [Version("never", answer.output["VersionId"], marker=True, latest=True)])


@scenario(
    "VER-011",
    EXTENDED,
    "DeleteObject",
    source="LocalStack test_delete_object_on_suspended_bucket (recorded on AWS)",
    clients=LIBRARIES,
)
def delete_while_suspended(s3: Scene) -> None:
    """While versioning is suspended, DeleteObject puts a delete marker with version null in place of the null version.

    S3 promises: the marker's id is null, and it replaces the null version, whose bytes are gone. Versions with an id
    stay.

    Breaks: users who suspend versioning expect deletes to free space again, and to leave the history alone: a store
    that adds a marker with an id frees nothing, one that removes the newest version loses history.

    Fix: remove the null version, and only that, then write a marker whose id is null.
    """
    with versioned_bucket(s3) as bucket:
        kept = write(s3, bucket, ("key",))[0]
        switch(s3, bucket, "Suspended")
        s3.setup("PutObject", Bucket=bucket, Key="key", Body=b"null")
        answer = s3.call("DeleteObject", Bucket=bucket, Key="key")
        s3.expect(answer, ok(204), output("DeleteMarker", True), output("VersionId", "null"))
        s3.expect(s3.look("GetObject", Bucket=bucket, Key="key"), refused(404, "NoSuchKey"))
        reads(s3, bucket, "key", {kept.id: b"key"})
        listed(s3, bucket, [Version("key", "null", marker=True, latest=True), kept._replace(latest=False)])


@scenario(
    "VER-014",
    SHOULD,
    "DeleteObject",
    source="LocalStack test_delete_object_versioned (recorded on AWS); Moto "
    "test_delete_versioned_bucket_returns_metadata (verified on AWS)",
    clients=CALLERS,
)
def marker_removed(s3: Scene) -> None:
    """Deleting the delete marker by its id answers 204 with x-amz-delete-marker: true, and the object is back.

    S3 promises: a delete with versionId removes exactly that entry and adds none. Removing the newest marker makes
    the version below it the present object again; the answer says that a marker was removed, and which.

    Breaks: this is how a delete is undone, in the AWS console and by scripts, and how a bucket is emptied, for which
    rclone has the backend command cleanup-hidden: where a delete of a marker adds another one, that never ends.

    Fix: with versionId never write a marker; afterwards let the newest remaining version be the present one.
    """
    with versioned_bucket(s3) as bucket:
        marker, version = write(s3, bucket, ("key", "-key"))
        answer = s3.call("DeleteObject", Bucket=bucket, Key="key", VersionId=marker.id)
        s3.expect(answer, ok(204), output("DeleteMarker", True), output("VersionId", marker.id))
        s3.expect(s3.look("GetObject", Bucket=bucket, Key="key"), ok(), body(b"key"))
        listed(s3, bucket, [version._replace(latest=True)])


@scenario(
    "VER-018",
    SHOULD,
    "DeleteObjects",
    source="LocalStack test_delete_keys_in_versioned_bucket and test_delete_objects_versioned (recorded on AWS)",
    clients=LIBRARIES,
)
def batch_with_versions(s3: Scene) -> None:
    """DeleteObjects reports DeleteMarker and DeleteMarkerVersionId for markers, and with VersionId removes the version.

    S3 promises: an entry without VersionId adds a marker, and its Deleted entry has DeleteMarker true and the marker's
    id. An entry with VersionId removes that version for good; its Deleted entry repeats the id.

    Breaks: emptying a versioned bucket is done with such batches (the AWS console, boto3's collections, Terraform):
    where VersionId is not read, markers pile up on the objects, and the bucket can never be removed.

    Fix: hand every entry to the code that serves DeleteObject, with its VersionId, and report what that did.
    """
    with versioned_bucket(s3) as bucket:
        newer, older, other = write(s3, bucket, ("key", "key", "other"))
        answer = s3.call("DeleteObjects", Bucket=bucket, **document(["other"]))
        s3.expect(answer, ok(), _entry("other", {"DeleteMarker": True}), _marker_id())
        marker = Version("other", answer.output["Deleted"][0]["DeleteMarkerVersionId"], marker=True, latest=True)
        entries = [{"Key": "key", "VersionId": older.id}]
        answer = s3.call("DeleteObjects", Bucket=bucket, Delete={"Objects": entries})
        s3.expect(answer, ok(), _entry("key", {"VersionId": older.id}))
        s3.expect(s3.look("GetObject", Bucket=bucket, Key="key"), ok(), body(b"key"))
        listed(s3, bucket, [newer, marker, other._replace(latest=False)])


@scenario(
    "VER-019",
    EXTENDED,
    "PutBucketVersioning",
    source="LocalStack test_disable_versioning_on_locked_bucket (recorded on AWS)",
    clients=LIBRARIES,
)
def locked_buckets_keep_versions(s3: Scene) -> None:
    """Suspending versioning on a bucket with object lock is refused with 409 InvalidBucketState.

    S3 promises: object lock needs versions. The bucket stays Enabled; to put Enabled again is no error.

    Breaks: retention: with versioning suspended an overwrite would replace a null version, whatever it was promised.

    Fix: check for the object lock configuration before the status changes.
    """
    bucket = s3.bucket_name()
    s3.setup("CreateBucket", **creation(bucket, s3.witness.region), ObjectLockEnabledForBucket=True)
    s3.expect(configured(s3, bucket, "Suspended"), refused(409, "InvalidBucketState"))
    s3.expect(s3.look("GetBucketVersioning", Bucket=bucket), ok(), output("Status", "Enabled"))
    s3.expect(configured(s3, bucket, "Enabled"), ok())


def _entry(key: str, wanted: dict[str, object]) -> Matcher:
    """One Deleted entry, of this key and with these members, and no Error entry."""

    def test(seen: Observed) -> str:
        if seen.output.get("Errors"):
            return f"Errors were {seen.output['Errors']!r}"
        entries = seen.output.get("Deleted", [])
        fits = [entry for entry in entries if {"Key": key, **wanted}.items() <= entry.items()]
        return "" if len(entries) == len(fits) == 1 else f"Deleted was {entries!r}"

    return Matcher(f"one Deleted entry for {key!r} with {wanted!r}", test)


def _marker_id() -> Matcher:
    return output_where(
        "Deleted",
        "names the id of the marker",
        lambda entries: all(entry.get("DeleteMarkerVersionId") for entry in entries),
    )
