"""COPY: copies of an object onto itself."""

from __future__ import annotations

from typing import Any

from harness.clients import CALLERS, LIBRARIES
from harness.expect import body, ok, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._versioned import versioned_bucket
from scenarios.copies import CONTENT, source_of
from scenarios.meta import has_metadata, lacks_metadata
from scenarios.mpu import read_back

LEGAL: tuple[dict[str, Any], ...] = (
    {"MetadataDirective": "REPLACE"},
    {"StorageClass": "STANDARD"},
    {"ServerSideEncryption": "AES256"},
    {"WebsiteRedirectLocation": "/elsewhere"},
)
"""What a request may say so that a copy onto itself changes something, even if only to what was there before."""


def _onto_itself(s3: Scene) -> dict[str, str]:
    """An object with CONTENT and the metadata old=1, and the parameters that copy it onto itself."""
    key = s3.key()
    s3.put(key, CONTENT, Metadata={"old": "1"})
    return {"Key": key, "CopySource": source_of(s3, key)}


@scenario(
    "COPY-004",
    MUST,
    "CopyObject",
    source="LocalStack test_s3_copy_object_in_place (recorded on AWS); "
    "Moto test_copy_key_without_changes_should_error (verified on AWS)",
    clients=CALLERS,
)
def nothing_would_change(s3: Scene) -> None:
    """Copying an object onto itself with nothing changed is refused with 400 InvalidRequest.

    S3 promises: such a request is an error, the object stays as it is, and a copy to any other key works.

    Breaks: scripts that refresh objects in place count on the error to learn that they forgot the directive; on a
    gateway that truncates the target before it reads the source, the same request empties the object.

    Fix: compare bucket and key of both sides first, and refuse unless the request changes something.
    """
    asked = _onto_itself(s3)
    s3.expect(s3.call("CopyObject", **asked), refused(400, "InvalidRequest"))
    read_back(s3, asked["Key"], CONTENT)
    s3.expect(s3.call("CopyObject", **asked | {"Key": s3.key("elsewhere")}), ok())
    read_back(s3, s3.key("elsewhere"), CONTENT)


@scenario(
    "COPY-005",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_in_place_metadata_directive and test_s3_copy_object_in_place "
    "(recorded on AWS)",
    clients=LIBRARIES,
)
def new_metadata_without_directive(s3: Scene) -> None:
    """New metadata without the directive REPLACE, or an ACL, does not make a copy onto itself legal: 400.

    S3 promises: metadata in a request that does not say REPLACE is ignored, so nothing would change, and the answer
    is 400 InvalidRequest; an ACL alone changes no object either.

    Breaks: the usual slip of whoever wants to set a Content-Type afterwards: with a success instead of the error
    the program believes the new metadata stored, and it is not.

    Fix: decide by the directive and the other changing headers, not by whether metadata came along.
    """
    asked, new = _onto_itself(s3), {"new": "1"}
    for useless in ({"Metadata": new}, {"Metadata": new, "MetadataDirective": "COPY"}, _ACL):
        s3.expect(s3.call("CopyObject", **asked, **useless), refused(400, "InvalidRequest"))
        seen = s3.look("GetObject", Key=asked["Key"])
        s3.expect(seen, ok(), body(CONTENT), has_metadata({"old": "1"}), lacks_metadata("new"))
    s3.expect(s3.call("CopyObject", **asked, Metadata=new, MetadataDirective="REPLACE"), ok())
    seen = s3.look("GetObject", Key=asked["Key"])
    s3.expect(seen, ok(), body(CONTENT), has_metadata(new), lacks_metadata("old"))


_ACL = {"ACL": "bucket-owner-full-control"}
"""The canned ACL that is accepted where ACLs are disabled too."""


@scenario(
    "COPY-006",
    SHOULD,
    "CopyObject",
    source="LocalStack test_s3_copy_object_in_place_storage_class, test_s3_copy_object_in_place_with_encryption, "
    "test_s3_copy_object_in_place_website_redirect_location, test_copy_in_place_with_bucket_encryption and "
    "test_s3_copy_object_in_place_versioned (recorded on AWS)",
    clients=LIBRARIES,
)
def something_changes(s3: Scene) -> None:
    """A copy onto itself is legal when the request replaces metadata, or names a class, encryption or redirect.

    S3 promises: each of these is enough: the directive REPLACE, a storage class, an encryption header, a website
    redirect, an encryption configuration of the bucket, and a version of the source. The bytes stay as they are.

    Breaks: this is how metadata and storage classes are changed at all: rclone's `--metadata-set` and settier,
    `aws s3 cp --recursive` onto itself to encrypt old objects, s3cmd modify; restoring an old version is the last
    of them.

    Fix: refuse only where none of the six is there, and read the source completely before replacing it.
    """
    asked = _onto_itself(s3)
    for change in LEGAL:
        s3.expect(s3.call("CopyObject", **asked, **change), ok())
        read_back(s3, asked["Key"], CONTENT)
    _in_encrypted_bucket(s3)
    with versioned_bucket(s3) as bucket:
        first = s3.put("k", CONTENT, Bucket=bucket)
        s3.put("k", b"the present version", Bucket=bucket)
        source = f"{bucket}/k?versionId={first.output.get('VersionId', '')}"
        s3.expect(s3.call("CopyObject", Bucket=bucket, Key="k", CopySource=source), ok())
        s3.expect(s3.look("GetObject", Bucket=bucket, Key="k"), ok(), body(CONTENT))


def _in_encrypted_bucket(s3: Scene) -> None:
    """A bucket with an encryption configuration: a copy onto itself may always encrypt."""
    bucket = s3.new_bucket()
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.setup("PutBucketEncryption", Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put("k", CONTENT, Bucket=bucket)
    s3.expect(s3.call("CopyObject", Bucket=bucket, Key="k", CopySource=f"{bucket}/k"), ok())
    s3.expect(s3.look("GetObject", Bucket=bucket, Key="k"), ok(), body(CONTENT))
