"""Defects of operations that are pretended: a success that did nothing, or an answer with nothing in it."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.answers import without
from reference_server.call import Call, Result
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error
from reference_server.frame import frame
from reference_server.wire import Answer

Operation = Callable[[Call], Result]
Serialise = Callable[[Call | None, Result | S3Error], Answer]

_SETTINGS = ("Bucket", "PublicAccessBlock", "ObjectLockConfiguration")
_OF_OBJECTS = ("ObjectTagging", "ObjectAcl", "ObjectRetention", "ObjectLegalHold")


def _of(verb: str, *things: str) -> Callable[[Call], bool]:
    """Operations on the settings of a bucket or an object, but not on bucket or object themselves."""
    starts = tuple(f"{verb}{thing}" for thing in things)
    return lambda call: call.operation.startswith(starts) and call.operation != f"{verb}Bucket"


def _pretended(meant: Callable[[Call], bool], status: int) -> Wrap:
    """These calls are answered with success, and nothing is done."""

    def wrap(inner: Operation) -> Operation:
        return lambda call: _nothing(call, status) if meant(call) else inner(call)

    return wrap


def _nothing(call: Call, status: int | None = None) -> Result:
    """An answer with nothing in it; where the document is a member of its own, that is empty."""
    payload = call.endpoint.codec.output_payload(call.operation)
    return Result({payload: {}} if payload else {}, status)


family(
    "operation",
    _pretended,
    {
        "multipart-pretended": row(
            "Parts are taken and uploads aborted with success, and nothing of it is done (OPS-001, OPS-114).",
            lambda call: call.operation in ("AbortMultipartUpload", "UploadPart", "UploadPartCopy"),
            200,
        ),
        "copies-and-deletes-pretended": row(
            "Objects are copied and deleted with success, and nothing of it is done (OPS-003, OPS-024, OPS-027).",
            lambda call: call.operation in ("CopyObject", "DeleteObject", "DeleteObjects"),
            200,
        ),
        "put-pretended": row(
            "PutObject says 200 and stores nothing (OPS-099, META-001).",
            lambda call: call.operation == "PutObject",
            200,
        ),
        "settings-delete-pretended": row(
            "DELETE of a bucket's settings or an object's tags says 204 and keeps them (OPS-011, OPS-026).",
            _of("Delete", *_SETTINGS, *_OF_OBJECTS),
            204,
        ),
        "settings-list-empty": row(
            "Lists of a bucket's configurations, uploads and versions are always empty (OPS-067, OPS-072).",
            lambda call: call.operation.startswith("ListBucket") and call.operation != "ListBuckets",
            200,
        ),
        "settings-put-pretended": row(
            "PUT of a bucket's or an object's settings says 200 and keeps nothing (OPS-083, OPS-104).",
            _of("Put", *_SETTINGS, *_OF_OBJECTS),
            200,
        ),
    },
)


def _page(status: int, heading: bytes) -> Answer:
    page = b"<html><body><h1>" + heading + b"</h1></body></html>"
    return Answer(status, frame([("Content-Type", "text/html"), ("Content-Length", str(len(page)))]), page)


def _instead(meant: Callable[[Call | None, Result | S3Error], bool], other: Callable[[], Answer]) -> Wrap:
    """In place of such answers there is another one, made anew for each."""

    def wrap(inner: Serialise) -> Serialise:
        return lambda call, outcome: other() if meant(call, outcome) else inner(call, outcome)

    return wrap


def _not_implemented(_call: Call | None, outcome: Result | S3Error) -> bool:
    return isinstance(outcome, S3Error) and outcome.code == "NotImplemented"


family(
    "serialise",
    _instead,
    {
        "refusals-without-document": row(
            "What is not implemented is refused with a page of HTML (OPS-008, CFG-009).",
            _not_implemented,
            lambda: _page(501, b"Not Implemented"),
        ),
        "service-root-is-a-page": row(
            "GET / shows a web page instead of the list of buckets (LBKT-001, OPS-070, OPS-071).",
            lambda call, _outcome: call is not None and call.operation == "ListBuckets",
            lambda: _page(200, b"Welcome"),
        ),
        "unimplemented-as-success": row(
            "What is not implemented is answered 200 without a body (OPS-062, CFG-009).",
            _not_implemented,
            lambda: Answer(200, frame([("Content-Length", "0")])),
        ),
    },
)


@defect(
    "settings-get-empty",
    "operation",
    "GET of a bucket's or an object's settings answers with an empty document (OPS-035, OPS-061).",
)
def _settings_get_empty(inner: Operation) -> Operation:
    meant = _of("Get", *_SETTINGS, *_OF_OBJECTS, "ObjectAttributes")

    def operation(call: Call) -> Result:
        return _nothing(call) if meant(call) else inner(call)

    return operation


@defect(
    "empty-settings-kept",
    "operation",
    "PUT of an empty notification configuration keeps the one that is there (OPS-090).",
)
def _empty_settings_kept(inner: Operation) -> Operation:
    def operation(call: Call) -> Result:
        if not call.operation.startswith("PutBucketNotification"):
            return inner(call)
        before = call.bucket().settings.get("notification")
        result = inner(call)
        if call.bucket().settings.get("notification") is None:
            call.store.configure(call.bucket(), "notification", before)
        return result

    return operation


@defect(
    "head-bucket-without-region",
    "serialise",
    "HeadBucket does not say the region of the bucket (BKT-002).",
)
def _head_bucket_without_region(inner: Serialise) -> Serialise:
    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        answer = inner(call, outcome)
        if call is not None and call.operation == "HeadBucket":
            without("x-amz-bucket-region")(answer)
        return answer

    return serialise
