"""VER: versioning, and what writing and reading do with it."""

from __future__ import annotations

import re
from typing import Any

from harness.clients import CALLERS, LIBRARIES
from harness.clients.base import Observed
from harness.expect import Matcher, absent, body, if_shown, ok, output, output_where, refused, root
from harness.scenario import EXTENDED, SHOULD, scenario
from harness.scene import Scene
from scenarios._versioned import purge, versioned_bucket
from scenarios._versions import Version, versions
from scenarios.etag import content_md5

_ID = re.compile(r"[A-Za-z0-9._]{32}")


def status(s3: Scene, bucket: str, wanted: str) -> None:
    """Client and witness alike see this versioning status."""
    for found in (s3.call("GetBucketVersioning", Bucket=bucket), s3.look("GetBucketVersioning", Bucket=bucket)):
        s3.expect(found, ok(), output("Status", wanted))


def switch(s3: Scene, bucket: str, wanted: str) -> None:
    """Versioning set to this status to prepare the scene."""
    s3.setup("PutBucketVersioning", Bucket=bucket, VersioningConfiguration={"Status": wanted})


def no_null() -> Matcher:
    """The answer names a version id, and not that of the null version."""
    return output_where("VersionId", "an id that is not null", lambda value: bool(value) and value != "null")


def reads(s3: Scene, bucket: str, key: str, wanted: dict[str, bytes]) -> None:
    """The witness reads each of these versions of the key, by id."""
    for version_id, content in wanted.items():
        found = s3.look("GetObject", Bucket=bucket, Key=key, VersionId=version_id)
        s3.expect(found, ok(), body(content), output("VersionId", version_id))


def configured(s3: Scene, bucket: str, value: str | None) -> Observed:
    """PutBucketVersioning through the client, with this Status or with none."""
    configuration: dict[str, Any] = {} if value is None else {"Status": value}
    return s3.call("PutBucketVersioning", Bucket=bucket, VersioningConfiguration=configuration)


@scenario(
    "VER-001",
    SHOULD,
    "GetBucketVersioning",
    source="LocalStack test_bucket_versioning_crud and test_get_bucket_versioning_order (recorded on AWS)",
    clients=CALLERS,
)
def never_configured(s3: Scene) -> None:
    """GetBucketVersioning of a bucket that was never configured is 200, with an empty VersioningConfiguration.

    S3 promises: there is no error for "not configured". The document has no Status, neither Suspended nor an empty
    one, since suspended buckets may hold versions and such a bucket does not.

    Breaks: Terraform and backup tools ask before they configure: a 404 stops them, and "Suspended" makes Terraform see
    a difference on every plan.

    Fix: answer an empty document until PutBucketVersioning was called.
    """
    bucket = s3.new_bucket()
    s3.expect(
        s3.call("GetBucketVersioning", Bucket=bucket),
        ok(),
        absent("Status"),
        absent("MFADelete"),
        if_shown(root("VersioningConfiguration")),
    )
    switch(s3, bucket, "Enabled")
    s3.expect(s3.call("GetBucketVersioning", Bucket=bucket), ok(), output("Status", "Enabled"))


@scenario(
    "VER-002",
    SHOULD,
    "PutBucketVersioning",
    source="LocalStack test_bucket_versioning_crud (recorded on AWS)",
    clients=CALLERS,
)
def switched_on_and_off(s3: Scene) -> None:
    """PutBucketVersioning accepts Enabled and Suspended, Suspended also first, and GetBucketVersioning shows it.

    S3 promises: both words answer 200 in any order, and what was put last is what is shown.

    Breaks: Terraform and rclone's backend command versioning set the status and trust it; where it is accepted and
    forgotten their users believe that old versions are kept, and the next overwrite loses the only copy.

    Fix: store the status with the bucket. A store without versions should refuse the request with 501.
    """
    bucket = s3.new_bucket()
    for wanted in ("Suspended", "Enabled") if s3.costly else ("Suspended", "Enabled", "Suspended", "Enabled"):
        s3.expect(configured(s3, bucket, wanted), ok())
        status(s3, bucket, wanted)


@scenario(
    "VER-003",
    SHOULD,
    "PutBucketVersioning",
    source="LocalStack test_bucket_versioning_crud (recorded on AWS)",
    clients=LIBRARIES,
)
def words_for_status(s3: Scene) -> None:
    """Any Status but Enabled and Suspended is 400 MalformedXML; none at all: IllegalVersioningConfigurationException.

    S3 promises: the words are exact, letter case included. A document without Status has an error code of its own,
    also with status 400. The bucket stays as it was.

    Breaks: a tool that writes "enabled" or "On" must learn that nothing was switched on; where any word is accepted
    the bucket keeps no versions, or keeps them for ever.

    Fix: validate against the two words of the schema before anything is stored.
    """
    bucket = s3.new_bucket()
    for word in ("enabled", "SUSPENDED", "Disabled", "On"):
        s3.expect(configured(s3, bucket, word), refused(400, "MalformedXML"))
    s3.expect(configured(s3, bucket, None), refused(400, "IllegalVersioningConfigurationException"))
    s3.expect(s3.look("GetBucketVersioning", Bucket=bucket), ok(), absent("Status"))
    s3.expect(configured(s3, bucket, "Enabled"), ok())
    s3.expect(s3.look("GetBucketVersioning", Bucket=bucket), ok(), output("Status", "Enabled"))


@scenario(
    "VER-004",
    SHOULD,
    "PutBucketVersioning",
    source="versitygw REST test PutBucketVersioning, empty payload",
    clients=("raw",),
)
def no_document(s3: Scene) -> None:
    """PutBucketVersioning with an empty body is refused with 400 MissingRequestBodyError.

    S3 promises: a configuration that did not arrive is told apart from one that is wrong.

    Breaks: strict validation only; a success would leave a bucket without the versions that were asked for.

    Fix: look at the length of the body before the parser does.
    """
    bucket, target = s3.new_bucket(), "?versioning"
    nothing = s3.send(
        "PutBucketVersioning", "PUT", f"/{bucket}{target}", ("Content-MD5", content_md5(b"")), bucket=bucket
    )
    s3.expect(nothing, refused(400, "MissingRequestBodyError"))
    s3.expect(s3.look("GetBucketVersioning", Bucket=bucket), ok(), absent("Status"))
    document = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    header = ("Content-MD5", content_md5(document))
    sent = s3.send("PutBucketVersioning", "PUT", f"/{bucket}{target}", header, body=document, bucket=bucket)
    s3.expect(sent, ok())


@scenario(
    "VER-005",
    SHOULD,
    "PutObject",
    source="LocalStack test_s3_put_object_versioned and test_s3_delete_object_with_version_id (recorded on AWS)",
    clients=CALLERS,
)
def every_put_is_a_version(s3: Scene) -> None:
    """With versioning enabled each PutObject returns a new x-amz-version-id, and older versions stay readable by it.

    S3 promises: an overwrite replaces nothing. A GET without versionId reads the newest, with versionId exactly that
    one, and the answer names the version that was read.

    Breaks: this is what users switch versioning on for: restores after a mistake or an attack, Terraform's state
    history, undeleting by hand. An id that reads the present bytes restores nothing.

    Fix: store every PUT under a new id, return it in the header, and look versionId up in every read.
    """
    key, contents = "key", (b"first", b"second, longer", b"3rd")
    with versioned_bucket(s3) as bucket:
        written: dict[str, bytes] = {}
        for content in contents[:2] if s3.costly else contents:
            answer = s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=content), ok(), no_null())
            version_id = str(answer.output["VersionId"])
            s3.check(version_id not in written, "a new version id for each PUT", f"{version_id} came again", answer)
            written[version_id] = content
        reads(s3, bucket, key, written)
        oldest, first = next(iter(written.items()))
        old = s3.call("GetObject", Bucket=bucket, Key=key, VersionId=oldest)
        s3.expect(old, ok(), body(first), output("VersionId", oldest))
        newest, last = list(written.items())[-1]
        found = s3.call("GetObject", Bucket=bucket, Key=key)
        s3.expect(found, ok(), body(last), output("VersionId", newest))


@scenario(
    "VER-006",
    EXTENDED,
    "PutObject",
    source="LocalStack test_object_version_id_format (recorded on AWS)",
    clients=LIBRARIES,
)
def form_of_version_ids(s3: Scene) -> None:
    """Version ids are 32 characters out of letters, digits, "." and "_".

    S3 promises: ids are of one length and go into a URL as they are.

    Breaks: tools that keep ids in database columns or file names made for that form; ids with slashes or plus signs
    break links that somebody assembled by hand.

    Fix: make ids from 24 random bytes in a URL-safe alphabet.
    """
    shape = output_where("VersionId", 'is 32 of letters, digits, "." and "_"', lambda value: _shaped(str(value)))
    with versioned_bucket(s3) as bucket:
        for key in ("a", "a", "b"):
            s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=b""), ok(), shape)
        s3.expect(s3.call("DeleteObject", Bucket=bucket, Key="a"), ok(204), shape)


@scenario(
    "VER-007",
    SHOULD,
    "PutObject",
    "GetObject",
    source="LocalStack test_s3_put_object_versioned and test_put_object_on_suspended_bucket (recorded on AWS)",
    clients=CALLERS,
)
def older_than_versioning(s3: Scene) -> None:
    """An object from before versioning has the version id null, which GetObject shows once versioning was set.

    S3 promises: before, no answer has x-amz-version-id. As soon as versioning is set, the object that is there is
    its version null: a GET says so, and it stays readable as versionId=null when a new version is written.

    Breaks: buckets that are switched to versioning later, which is most of them: everything in them is such an
    object, and the first overwrite must not lose it.

    Fix: treat what was stored without an id as version null, instead of dropping or converting it.
    """
    key, old, new = "key", b"from before", b"from after"
    bucket = s3.new_bucket()
    before = s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=old), ok())
    s3.expect(before, if_shown(absent("VersionId")))
    switch(s3, bucket, "Enabled")
    try:
        s3.expect(s3.call("GetObject", Bucket=bucket, Key=key), ok(), body(old), output("VersionId", "null"))
        written = s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=new), ok(), no_null())
        reads(s3, bucket, key, {"null": old, str(written.output["VersionId"]): new})
        s3.expect(s3.call("GetObject", Bucket=bucket, Key=key, VersionId="null"), ok(), body(old))
    finally:
        purge(s3, bucket)


@scenario(
    "VER-008",
    SHOULD,
    "PutObject",
    source="LocalStack test_put_object_on_suspended_bucket (recorded on AWS)",
    clients=LIBRARIES,
)
def put_while_suspended(s3: Scene) -> None:
    """While versioning is suspended PutObject shows no version id, and replaces an earlier null version only.

    S3 promises: the answer has no x-amz-version-id, and the object is version null. A null version that was there is
    gone; versions with an id stay.

    Breaks: users suspend versioning to stop the growth, and rely on what they have: a store that overwrites the newest
    version instead destroys history, one that goes on keeping versions fills up.

    Fix: on a suspended bucket remove the null version, and only that, and store the new one as null.
    """
    key = "key"
    with versioned_bucket(s3) as bucket:
        kept = s3.setup("PutObject", Bucket=bucket, Key=key, Body=b"with an id").output.get("VersionId", "")
        switch(s3, bucket, "Suspended")
        for content in (b"null, first", b"null, second"):
            answer = s3.expect(s3.call("PutObject", Bucket=bucket, Key=key, Body=content), ok())
            s3.expect(answer, absent("VersionId"))
            reads(s3, bucket, key, {kept: b"with an id", "null": content})
        wanted = [Version(key, "null", latest=True), Version(key, kept)]
        s3.expect(s3.look("ListObjectVersions", Bucket=bucket), ok(), versions(wanted))


@scenario(
    "VER-020",
    EXTENDED,
    "CompleteMultipartUpload",
    "CopyObject",
    source="Moto test_copy_object_in_place_with_versioning (verified on AWS); botocore service model, "
    "CompleteMultipartUploadOutput.VersionId",
    clients=LIBRARIES,
)
def other_writes_make_versions(s3: Scene) -> None:
    """In a versioned bucket CompleteMultipartUpload and CopyObject return x-amz-version-id.

    S3 promises: every way to write an object makes a version and says which.

    Breaks: boto3's `upload_file` and `copy` use these two for large files: programs that note the version of what
    they stored get it for small files only.

    Fix: set the header where the object becomes visible, which all writes have in common.
    """
    with versioned_bucket(s3) as bucket:
        target = {"Bucket": bucket, "Key": "joined"}
        upload = target | {"UploadId": s3.setup("CreateMultipartUpload", **target).output.get("UploadId", "")}
        part = s3.setup("UploadPart", **upload, PartNumber=1, Body=b"a part")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part.etag or ""}]}
        joined = s3.expect(s3.call("CompleteMultipartUpload", **upload, MultipartUpload=parts), ok(), no_null())
        reads(s3, bucket, "joined", {str(joined.output["VersionId"]): b"a part"})
        copied = s3.call("CopyObject", Bucket=bucket, Key="copied", CopySource=f"{bucket}/joined")
        s3.expect(copied, ok(), no_null())
        reads(s3, bucket, "copied", {str(copied.output["VersionId"]): b"a part"})


def _shaped(value: str) -> bool:
    return bool(_ID.fullmatch(value))
