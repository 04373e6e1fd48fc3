"""Tags of objects; those of buckets are a configuration. Source: catalogue TAG."""

from __future__ import annotations

from reference_server.call import Call, Handler, Result
from reference_server.ops import versions
from reference_server.rules import tags


def get_object_tagging(call: Call) -> Result:
    """GetObjectTagging: an empty set if there are none (TAG-001)."""
    bucket = call.bucket()
    stored = versions.found(call, bucket, versions.version_id(call))
    return Result({"TagSet": stored.attributes.get("Tags", []), **versions.shown(bucket, stored)})


def put_object_tagging(call: Call) -> Result:
    """PutObjectTagging: replaces the whole set; an empty one clears it (TAG-016)."""
    bucket = call.bucket()
    asked = call.document()["TagSet"]
    tags.check(asked, tags.OBJECT_LIMIT)
    with call.store.transaction():  # another object may be under the key since the body was on its way
        bucket = call.bucket()
        stored = versions.found(call, bucket, versions.version_id(call))
        call.objects.change(bucket, stored, Tags=asked or None)
    return Result(versions.shown(bucket, stored))


def delete_object_tagging(call: Call) -> Result:
    """DeleteObjectTagging."""
    bucket = call.bucket()
    stored = versions.found(call, bucket, versions.version_id(call))
    call.objects.change(bucket, stored, Tags=None)
    return Result(versions.shown(bucket, stored))


HANDLERS: dict[str, Handler] = {
    "DeleteObjectTagging": delete_object_tagging,
    "GetObjectTagging": get_object_tagging,
    "PutObjectTagging": put_object_tagging,
}
