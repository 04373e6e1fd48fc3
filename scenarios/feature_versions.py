"""PERM: versions that nobody can destroy, named by their content; a deletion only hides the key."""

from __future__ import annotations

from typing import Any

from harness.clients import LIBRARIES
from harness.expect import body, header, header_where, keys, no_header, ok, one_of, output, refused
from harness.scenario import MUST, SHOULD, scenario
from harness.scene import Scene
from scenarios._features import cid, told

_SOURCE = "autonomys/auto-drive at 38f05169, apps/backend/src/app/controllers/s3"
_FIRST, _SECOND = b"first version", b"second version, and longer"
_PERMANENT = told(refused(403, "AccessDenied"), "permanent", "cannot be destroyed")


def _readable(s3: Scene, key: str, versions: dict[str, bytes]) -> None:
    """The witness reads each of these contents by its identifier."""
    for version, content in versions.items():
        s3.expect(s3.look("GetObject", Key=key, VersionId=version), ok(), body(content))


def _written(s3: Scene, key: str) -> dict[str, bytes]:
    """Two versions of a key, stored by the client under test: their contents by identifier."""
    found = {}
    for content in (_FIRST, _SECOND):
        s3.expect(s3.call("PutObject", Key=key, Body=content), ok())
        found[cid(s3, s3.look("HeadObject", Key=key))] = content
    return found


@scenario(
    "PERM-001",
    MUST,
    "PutObject",
    "GetObject",
    source=f"{_SOURCE}, s3.ts",
    clients=LIBRARIES,
    feature="permanent-versions",
)
def overwritten_is_readable(s3: Scene) -> None:
    """What a key held before an overwrite is read with its content identifier as versionId, which x-amz-version-id is.

    The gateway promises: every write makes a version, whose id is the identifier of its content. All of them can be
    read for ever.

    Breaks: restoring what was overwritten, which is what immutable storage is bought for.

    Fix: keep what a key pointed at before, and look it up by its identifier.
    """
    key = s3.key()
    versions = _written(s3, key)
    s3.check(len(versions) == 2, "two identifiers", f"there is {[*versions]}")
    for version, content in versions.items():
        s3.expect(s3.call("GetObject", Key=key, VersionId=version), ok(), body(content), output("VersionId", version))
    s3.expect(s3.look("GetObject", Key=key), ok(), body(_SECOND), header("x-amz-version-id", [*versions][1]))


@scenario(
    "PERM-002",
    MUST,
    "DeleteObject",
    source=f"{_SOURCE}, s3.ts",
    clients=LIBRARIES,
    feature="permanent-versions",
)
def deletion_hides(s3: Scene) -> None:
    """DeleteObject hides the key behind a marker, which it names, and every version stays readable by its identifier.

    The gateway promises: 204 with x-amz-delete-marker and an id dm-MILLISECONDS. The key is 404 and not listed then;
    a key that never was gets 204 without a marker. Writing the key again brings it back.

    Breaks: both who counts on deletion and who counts on permanence, if either is not what was said.

    Fix: note the marker beside the versions, and leave the content alone.
    """
    key = s3.key()
    versions = _written(s3, key)
    marker = header_where("x-amz-version-id", "dm- and a time", lambda text: text.startswith("dm-"))
    s3.expect(s3.call("DeleteObject", Key=key), ok(204), header("x-amz-delete-marker", "true"), marker)
    s3.expect(s3.look("GetObject", Key=key), refused(404))
    s3.expect(s3.look("ListObjectsV2", Prefix=key), ok(), keys([]))
    _readable(s3, key, versions)
    s3.expect(s3.call("DeleteObject", Key=s3.key("never")), ok(204), no_header("x-amz-delete-marker"))
    s3.expect(s3.call("PutObject", Key=key, Body=_FIRST), ok())
    s3.expect(s3.look("GetObject", Key=key), ok(), body(_FIRST))


@scenario(
    "PERM-003",
    MUST,
    "DeleteObject",
    source=f"{_SOURCE}, s3.ts",
    clients=LIBRARIES,
    feature="permanent-versions",
)
def versions_stay(s3: Scene) -> None:
    """DeleteObject with a versionId is 403 AccessDenied with a message that says why, whichever version it names.

    The gateway promises: versions are permanent. Neither the present one, nor an old one, nor one that never was can
    be destroyed, and the refusal says so.

    Breaks: tools that expire old versions take a success for done, and a bare refusal for a lack of permission.

    Fix: refuse before the version is looked up.
    """
    key = s3.key()
    versions = _written(s3, key)
    answers = [s3.call("DeleteObject", Key=key, VersionId=version) for version in (*versions, "dm-1", "no-version")]
    _readable(s3, key, versions)
    s3.expect(s3.look("GetObject", Key=key), ok(), body(_SECOND))
    for answer in answers:
        s3.expect(answer, _PERMANENT)


@scenario(
    "PERM-004",
    SHOULD,
    "DeleteObjects",
    "DeleteBucket",
    source=f"{_SOURCE}, http.ts",
    clients=LIBRARIES,
    feature="permanent-versions",
)
def no_other_way(s3: Scene) -> None:
    """DeleteObjects is 501 NotImplemented, and DeleteBucket removes nothing: objects stay as they are, present too.

    The gateway promises: there is no way to delete many keys at once, and a bucket is no thing that could be deleted.
    Its DeleteBucket is the deletion of a key of that name in the bucket `default`.

    Breaks: clean-up tools that take an answer of 204 to DeleteBucket for the end of what was in it.

    Fix: answer 501 NotImplemented to both.
    """
    bucket, key = s3.new_bucket(), s3.key()
    entry: dict[str, Any] = {"Bucket": bucket, "Key": key}
    s3.setup("PutObject", **entry, Body=_FIRST)
    batch = s3.call("DeleteObjects", Bucket=bucket, Delete={"Objects": [{"Key": key}]})
    s3.expect(s3.look("GetObject", **entry), ok(), body(_FIRST))
    s3.expect(batch, told(refused(501, "NotImplemented"), "not supported by Auto Drive"))
    removed = s3.call("DeleteBucket", Bucket=bucket)
    s3.expect(s3.look("GetObject", **entry), ok(), body(_FIRST))
    s3.expect(removed, one_of(ok(204), refused(501, "NotImplemented")))
