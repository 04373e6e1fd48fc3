"""COPY: what else a copy takes from its source or not: tags, storage class, locks; and versions as sources."""

from __future__ import annotations

from harness.clients import LIBRARIES
from harness.expect import Matcher, body, header, no_header, ok, one_of, output, refused
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._locked import CONTENT as LOCKED
from scenarios._locked import governance, keep, locked_bucket
from scenarios._tags import keeps_tags, tag_set
from scenarios._versioned import versioned_bucket
from scenarios.copies import CONTENT, planted
from scenarios.mpu import read_back

_CLASS = "x-amz-storage-class"
_MODE, _UNTIL, _HOLD = (f"x-amz-object-lock-{name}" for name in ("mode", "retain-until-date", "legal-hold"))


@scenario(
    "COPY-011",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_tagging_directive (recorded on AWS)",
    clients=LIBRARIES,
)
def tags_of_copy(s3: Scene) -> None:
    """A copy keeps the tags of its source unless x-amz-tagging-directive is REPLACE, which takes those of the request.

    S3 promises: COPY is the default, and tags in the request are then ignored. With REPLACE the copy has exactly the
    tags of x-amz-tagging, and none where that header is absent.

    Breaks: access policies, lifecycle rules and cost reports select objects by tag; a copy that lost "confidential"
    can be read by everybody, and one that kept "temporary" is deleted.

    Fix: handle the tags' directive on its own, apart from that of the metadata.
    """
    source = planted(s3, Tagging="colour=blue&kept=1")
    kept, new = tag_set(("colour", "blue"), ("kept", "1")), tag_set(("new", "2"))
    for name, params, expected in (
        ("default", {}, kept),
        ("copied", {"TaggingDirective": "COPY", "Tagging": "new=2"}, kept),
        ("replaced", {"TaggingDirective": "REPLACE", "Tagging": "new=2"}, new),
        ("removed", {"TaggingDirective": "REPLACE"}, []),
    ):
        s3.expect(s3.call("CopyObject", Key=s3.key(name), CopySource=source, **params), ok())
        keeps_tags(s3, s3.key(name), expected)
        read_back(s3, s3.key(name), CONTENT)


@scenario(
    "COPY-012",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_storage_class (recorded on AWS)",
    clients=LIBRARIES,
)
def class_of_copy(s3: Scene) -> None:
    """A copy is in storage class STANDARD unless the request names another; the source's class is not inherited.

    S3 promises: the class belongs to the write. Without x-amz-storage-class the copy is STANDARD, for which no
    header is shown, whatever the source is in.

    Breaks: copies made to get data out of a slow or archived class stay in it: they are billed as such, and cannot
    be read before they are restored.

    Fix: take the storage class from the request with its default, never from the source.
    """
    source = planted(s3, StorageClass="REDUCED_REDUNDANCY")
    s3.expect(s3.call("CopyObject", Key=s3.key("plain"), CopySource=source), ok())
    s3.expect(s3.look("HeadObject", Key=s3.key("plain")), ok(), standard())
    asked = s3.call("CopyObject", Key=s3.key("asked"), CopySource=source, StorageClass="REDUCED_REDUNDANCY")
    s3.expect(asked, ok())
    s3.expect(s3.look("HeadObject", Key=s3.key("asked")), ok(), header(_CLASS, "REDUCED_REDUNDANCY"))


def standard() -> Matcher:
    """Storage class STANDARD, which S3 shows by no header at all."""
    return one_of(no_header(_CLASS), header(_CLASS, "STANDARD"))


@scenario(
    "COPY-013",
    EXTENDED,
    "CopyObject",
    source="LocalStack test_s3_copy_object_retention_lock and test_s3_copy_object_legal_hold (recorded on AWS)",
    clients=LIBRARIES,
)
def locks_of_copy(s3: Scene) -> None:
    """Retention and legal hold of the source are not on the copy.

    S3 promises: locks protect one version of one object. A copy has those that its own request names, and none
    otherwise.

    Breaks: working copies of locked archives could not be deleted for years; a program that relies on the copy
    being free fills its bucket.

    Fix: leave retention mode, date and legal hold out of what is copied from the source.
    """
    with locked_bucket(s3) as bucket:
        source = keep(s3, bucket, "source", ObjectLockLegalHoldStatus="ON", **governance())
        s3.expect(s3.look("HeadObject", **source), ok(), header(_MODE, "GOVERNANCE"), header(_HOLD, "ON"))
        s3.expect(s3.call("CopyObject", Bucket=bucket, Key="copy", CopySource=f"{bucket}/source"), ok())
        seen = s3.expect(s3.look("GetObject", Bucket=bucket, Key="copy"), ok(), body(LOCKED))
        s3.expect(seen, no_header(_MODE), no_header(_UNTIL), no_header(_HOLD))


@scenario(
    "COPY-014",
    SHOULD,
    "CopyObject",
    source="Moto test_copy_object_with_versioning (verified on AWS); "
    "LocalStack test_s3_copy_tagging_directive_versioned (recorded on AWS)",
    clients=LIBRARIES,
)
def version_as_source(s3: Scene) -> None:
    """A copy source with ?versionId copies that version, and x-amz-copy-source-version-id tells which it was.

    S3 promises: the bytes are those of the version that was named, not of the present one. The answer names the
    version copied from, also where the request named none and the bucket keeps versions.

    Breaks: undoing an overwrite is a copy of an old version (rclone's `--s3-version-at`, boto3's Object.copy_from,
    the console); where the id is dropped it copies the bad version onto itself and reports success.

    Fix: cut `?versionId=` off the header before decoding the key, and resolve it as GetObject does.
    """
    with versioned_bucket(s3) as bucket:
        old = s3.put("k", CONTENT, Bucket=bucket).output.get("VersionId", "")
        new = s3.put("k", b"the present version", Bucket=bucket).output.get("VersionId", "")
        for target, query, content, version in (
            ("old", f"?versionId={old}", CONTENT, old),
            ("new", "", b"the present version", new),
        ):
            copied = s3.call("CopyObject", Bucket=bucket, Key=target, CopySource=f"{bucket}/k{query}")
            s3.expect(copied, ok(), output("CopySourceVersionId", version))
            s3.expect(s3.look("GetObject", Bucket=bucket, Key=target), ok(), body(content))


@scenario(
    "COPY-015",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_src_not_exists (recorded on AWS, its test is gone by now)",
    clients=LIBRARIES,
)
def delete_marker_as_source(s3: Scene) -> None:
    """A source whose newest version is a delete marker is 404 NoSuchKey; the marker named by its id is 400.

    S3 promises: a deleted object is not there to copy, and a delete marker is no object: naming it is 400
    InvalidRequest. The versions behind it can still be copied by their ids.

    Breaks: restore programs that go through the versions of a key meet the marker first; an empty object copied from
    it replaces the file they meant to bring back.

    Fix: treat the marker as a missing key unless its id is given, and refuse it then.
    """
    with versioned_bucket(s3) as bucket:
        old = s3.put("k", CONTENT, Bucket=bucket).output.get("VersionId", "")
        marker = s3.setup("DeleteObject", Bucket=bucket, Key="k").output.get("VersionId", "")
        target = {"Bucket": bucket, "Key": "target"}
        s3.expect(s3.call("CopyObject", **target, CopySource=f"{bucket}/k"), refused(404, "NoSuchKey"))
        named = s3.call("CopyObject", **target, CopySource=f"{bucket}/k?versionId={marker}")
        s3.expect(named, refused(400, "InvalidRequest"))
        s3.expect(s3.look("HeadObject", **target), refused(404))
        s3.expect(s3.call("CopyObject", **target, CopySource=f"{bucket}/k?versionId={old}"), ok())
        s3.expect(s3.look("GetObject", **target), ok(), body(CONTENT))
