"""Defects of buckets: made where they must not be, refused where they may be, deleted with what is in them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from reference_server.call import Call, Result
from reference_server.defects.editing import calls
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error
from reference_server.listing import BEFORE

if TYPE_CHECKING:
    from reference_server.store import Bucket

Operation = Callable[[Call], Result]


def _created(call: Call) -> Result:
    """The bucket is made all the same, without settings."""
    name = call.request.bucket or ""
    call.store.create_bucket(name, call.account.id)
    return Result({"Location": f"/{name}"})


def accepting(codes: Collection[str]) -> Wrap:
    """CreateBucket makes the bucket where it should answer one of these codes."""

    def wrap(inner: Operation) -> Operation:
        def operation(call: Call) -> Result:
            try:
                return inner(call)
            except S3Error as error:
                if call.operation != "CreateBucket" or error.code not in codes:
                    raise
                return _created(call)

        return operation

    return wrap


family(
    "operation",
    accepting,
    {
        "any-location-accepted": row(
            "Any LocationConstraint is accepted, and none, wherever the endpoint is (BKT-009, BKT-010).",
            {"IllegalLocationConstraintException", "InvalidLocationConstraint"},
        ),
        "malformed-creation-accepted": row(
            "CreateBucket makes a bucket from a document that it cannot read (BKT-020).",
            {"MalformedXML"},
        ),
        "own-bucket-always-200": row(
            "CreateBucket of one's own bucket is 200 everywhere and in every form (BKT-004, BKT-022).",
            {"BucketAlreadyOwnedByYou"},
        ),
    },
)


def _own_refused(code: str, status: int) -> Wrap:
    """CreateBucket of one's own bucket is refused."""

    def refuse(call: Call) -> None:
        found = call.store.bucket(call.request.bucket or "")
        if found is not None and found.owner == call.account.id:
            raise S3Error(code, None, status=status)

    return calls({"CreateBucket"}, refuse)


family(
    "operation",
    _own_refused,
    {
        "own-bucket-403": row("CreateBucket of one's own bucket is 403 (BKT-003).", "AccessDenied", 403),
        "own-bucket-405": row("CreateBucket of one's own bucket is 405 (BKT-003).", "MethodNotAllowed", 405),
    },
)


@defect("dotted-names-refused", "operation", "Bucket names must not have dots (BKT-008).")
def _dotted_names_refused(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        name = call.request.bucket or ""
        if call.operation == "CreateBucket" and "." in name:
            raise S3Error("InvalidBucketName", None, {"BucketName": name})
        return inner(call)

    return operation


@defect(
    "creation-tags-ignored",
    "operation",
    "Tags in the document of CreateBucket are not stored (BKT-021).",
)
def _creation_tags_ignored(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "CreateBucket":
            call.store.configure(call.bucket(), "tagging", None)
        return result

    return operation


def emptied(meant: Callable[[Call, Bucket], bool]) -> Wrap:
    """DeleteBucket first deletes every version of every key in such a bucket."""

    def empty(call: Call) -> None:
        bucket = call.bucket()
        with call.store.transaction():
            if meant(call, bucket):
                for key, _, version, *_rest in list(call.objects.version_rows(bucket, b"", BEFORE)):
                    call.objects.delete_version(bucket, key.decode(), version or "null", lambda _: None)

    return calls({"DeleteBucket"}, empty)


family(
    "operation",
    emptied,
    {
        "delete-bucket-with-versions": row(
            "DeleteBucket looks for present objects only, and deletes old versions and delete markers with the bucket "
            "(BKT-015).",
            lambda call, bucket: not list(call.objects.rows(bucket, b"", inclusive=True)),
        ),
    },
)


@defect(
    "bucket-settings-survive",
    "operation",
    "A bucket that is made again after its deletion has the settings of the old one (BKT-016).",
)
def _bucket_settings_survive(inner: Operation) -> Operation:
    left: dict[str, dict[str, Any]] = {}

    def operation(call: Call) -> Result:
        name = call.request.bucket or ""
        settings = dict(call.bucket().settings) if call.operation == "DeleteBucket" else {}
        result = inner(call)
        if call.operation == "DeleteBucket":
            left[name] = settings
        if call.operation == "CreateBucket":
            for setting, value in left.pop(name, {}).items():
                call.store.configure(call.bucket(), setting, value)
        return result

    return operation


@defect(
    "expected-owner-ignored",
    "operation",
    "No operation looks at x-amz-expected-bucket-owner (BKT-017, BKT-018).",
)
def _expected_owner_ignored(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        call.members.pop("ExpectedBucketOwner", None)
        return inner(call)

    return operation
