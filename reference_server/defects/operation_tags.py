"""Defects of tags: taken as they come, kept too long, refused without need."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from reference_server.call import Call, Result
from reference_server.defects.registry import defect
from reference_server.errors import S3Error

Operation = Callable[[Call], Result]


@defect(
    "tags-outlive-overwrite",
    "operation",
    "An object that overwrites another one has its tags (TAG-010).",
)
def _tags_outlive_overwrite(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        bucket = call.store.bucket(call.request.bucket or "")
        if call.operation == "PutObject" and bucket is not None and "Tagging" not in call.members:
            stored = call.objects.get(bucket, call.key)
            kept = stored.attributes.get("Tags") if stored is not None else None
            if kept:
                call.members["Tagging"] = urlencode({tag["Key"]: tag["Value"] for tag in kept})
        return inner(call)

    return operation


@defect(
    "tagging-needs-digest",
    "operation",
    "PutObjectTagging without Content-MD5 or checksum is refused, as the service model would have it (TAG-014).",
)
def _tagging_needs_digest(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        names = ("content-md5", "x-amz-checksum-", "x-amz-trailer")
        if call.operation == "PutObjectTagging" and not any(name.startswith(names) for name in call.request.headers):
            raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5")
        return inner(call)

    return operation


@defect(
    "empty-tag-set-refused",
    "operation",
    "PutObjectTagging with an empty set is refused instead of clearing the tags, and tags without a value are lost "
    "(TAG-016, TAG-009).",
)
def _empty_tag_set_refused(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation == "PutObject" and "Tagging" in call.members:
            pairs = str(call.members["Tagging"]).split("&")
            call.members["Tagging"] = "&".join(pair for pair in pairs if pair.partition("=")[2])
        result = inner(call)
        bucket = call.store.bucket(call.request.bucket or "")
        if call.operation == "PutObjectTagging" and bucket is not None:
            stored = call.objects.get(bucket, call.key)
            if stored is not None and not stored.attributes.get("Tags"):
                raise S3Error("MalformedXML")
        return result

    return operation
