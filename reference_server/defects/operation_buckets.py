"""Defects of buckets as the service lists them, and of making and deleting them."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.call import Call, Result
from reference_server.defects.editing import Members, dropping
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error

Operation = Callable[[Call], Result]


@defect(
    "create-bucket-pretended",
    "operation",
    "CreateBucket of a good name is 200, and there is no bucket afterwards (BKT-001, LBKT-001).",
)
def _create_bucket_pretended(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        name = call.request.bucket or ""
        there = call.operation != "CreateBucket" or call.store.bucket(name) is not None
        result = inner(call)
        made = None if there else call.store.bucket(name)
        if made is not None:
            call.store.delete_bucket(made)
        return result

    return operation


@defect(
    "delete-bucket-pretended",
    "operation",
    "DeleteBucket is 204, and the bucket stays (BKT-014).",
)
def _delete_bucket_pretended(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if call.operation != "DeleteBucket":
            return inner(call)
        call.bucket()
        return Result()

    return operation


@defect(
    "head-bucket-of-none",
    "operation",
    "HeadBucket answers 200 for every name, as where buckets come with their first object (BKT-002).",
)
def _head_bucket_of_none(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        try:
            return inner(call)
        except S3Error as error:
            if call.operation != "HeadBucket" or error.code != "NoSuchBucket":
                raise
            return Result({"BucketRegion": call.endpoint.region})

    return operation


@defect(
    "newest-bucket-unlisted",
    "operation",
    "ListBuckets does not show the bucket that was made last, since its list is cached (LBKT-001).",
)
def _newest_bucket_unlisted(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "ListBuckets":
            newest = max(call.store.buckets(call.account.id), key=lambda bucket: bucket.id, default=None)
            shown = result.members["Buckets"]
            result.members["Buckets"] = [one for one in shown if newest is None or one["Name"] != newest.name]
        return result

    return operation


def _entries(edit: Callable[[Members, str], None]) -> Wrap:
    """Every entry of ListBuckets is changed in place: `edit(entry, region)`, with the region of the endpoint."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            result = inner(call)
            if call.operation == "ListBuckets":
                for entry in result.members["Buckets"]:
                    edit(entry, call.endpoint.region)
            return result

        return operation

    return wrap


family(
    "operation",
    _entries,
    {
        "bucket-regions-always": row(
            "ListBuckets shows the region of every bucket, asked or not (LBKT-006).",
            lambda entry, region: entry.update(BucketRegion=region),
        ),
        "bucket-regions-never": row(
            "ListBuckets never shows the region of a bucket (LBKT-006).",
            lambda entry, _region: dropping("BucketRegion")(entry),
        ),
    },
)
