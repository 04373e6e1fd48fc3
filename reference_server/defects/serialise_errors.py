"""Defects of errors: another code or status, another form than the XML that clients read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from reference_server.answers import header, with_body, without
from reference_server.call import Result
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.call import Call
    from reference_server.wire import Answer

Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]

_ONE_ID = b"<RequestId>4442587FB7D0A2F9</RequestId>"


def saying(codes: Collection[str], operations: Collection[str], code: str, status: int) -> Wrap:
    """Errors with these codes, of these operations (of all if none is named), have another code and status."""

    def wrap(inner: Serialise) -> Serialise:
        def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
            meant = not operations or (call is not None and call.operation in operations)
            if isinstance(outcome, S3Error) and outcome.code in codes and meant:
                outcome = S3Error(code, None, status=status)
            return inner(call, outcome)

        return serialise

    return wrap


family(
    "serialise",
    saying,
    {
        "bad-digest-500": row(
            "A wrong Content-MD5 is an internal error, which SDKs repeat, as in RustFS (rustfs/rustfs#6829).",
            {"BadDigest"},
            {"PutObject", "UploadPart"},
            "InternalError",
            500,
        ),
        "bad-signature-says-access-denied": row(
            "A wrong signature is AccessDenied like any other refusal, as in Dodil K3 (docs.dodil.io, K3 S3 "
            "compatibility).",
            {"SignatureDoesNotMatch", "InvalidAccessKeyId"},
            (),
            "AccessDenied",
            403,
        ),
        "head-403-for-missing": row(
            "HEAD of a missing key is 403 instead of 404, as S3 answers those who may not list "
            "(clineamb/gulp-s3-upload#39, rclone/rclone#8975).",
            {"NoSuchKey"},
            {"HeadObject"},
            "AccessDenied",
            403,
        ),
        "invalid-digest-says-bad-digest": row(
            "A Content-MD5 that is no digest is BadDigest instead of InvalidDigest, as in Ozone once "
            "(apache/ozone#10078).",
            {"InvalidDigest"},
            (),
            "BadDigest",
            400,
        ),
        "invalid-part-500": row(
            "Completing with a part that is not there is an internal error, as in LeoFS and NooBaa once "
            "(leo-project/leofs#1050, noobaa/noobaa-core#9994).",
            {"InvalidPart"},
            {"CompleteMultipartUpload"},
            "InternalError",
            500,
        ),
        "list-uploads-of-missing-bucket-503": row(
            "ListMultipartUploads of a missing bucket is 503 instead of 404, as in Riak CS once (basho/riak_cs#400).",
            {"NoSuchBucket"},
            {"ListMultipartUploads"},
            "ServiceUnavailable",
            503,
        ),
        "missing-bucket-says-no-such-key": row(
            "A missing bucket is NoSuchKey instead of NoSuchBucket, as in Dodil K3 (docs.dodil.io, K3 S3 "
            "compatibility).",
            {"NoSuchBucket"},
            (),
            "NoSuchKey",
            404,
        ),
        "no-such-upload-503": row(
            "An unknown upload is 503 instead of 404, so that clients try again and again, as in LeoFS once "
            "(leo-project/leofs#1050).",
            {"NoSuchUpload"},
            (),
            "ServiceUnavailable",
            503,
        ),
    },
)


@defect(
    "error-details-missing",
    "serialise",
    "Errors have a code and a message and none of the elements that say more, as in versitygw "
    "(versity/versitygw#2034, versity/versitygw#2036).",
)
def _error_details_missing(inner: Serialise) -> Serialise:
    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        if isinstance(outcome, S3Error):
            outcome = S3Error(outcome.code, outcome.message, status=outcome.status, headers=outcome.headers)
        return inner(call, outcome)

    return serialise


def _error_answers(change: Callable[[S3Error, Answer], None]) -> Wrap:
    """The answers of errors are changed in place."""

    def wrap(inner: Serialise) -> Serialise:
        def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
            answer = inner(call, outcome)
            if isinstance(outcome, S3Error):
                change(outcome, answer)
            return answer

        return serialise

    return wrap


def _as_json(error: S3Error, answer: Answer) -> None:
    with_body(answer, json.dumps({"error": error.message}).encode(), "application/json")


def _as_html(error: S3Error, answer: Answer) -> None:
    page = f"<html><head><title>Error {error.status}</title></head><body><h1>HTTP {error.status}</h1></body></html>"
    with_body(answer, page.encode(), "text/html;charset=utf-8")


def _as_nothing(_error: S3Error, answer: Answer) -> None:
    without("content-length", "content-type")(answer)
    answer.headers.append(("Content-Length", "0"))
    answer.body = b""


def _as_bytes(_error: S3Error, answer: Answer) -> None:
    header("content-type", lambda _: "application/octet-stream")(answer)


def _with_one_id(_error: S3Error, answer: Answer) -> None:
    if isinstance(answer.body, bytes):
        with_body(answer, re.sub(rb"<RequestId>.*?</RequestId>", _ONE_ID, answer.body))


family(
    "serialise",
    _error_answers,
    {
        "empty-errors": row(
            "Errors have no body, as in findify's s3mock (findify/s3mock#19).",
            _as_nothing,
        ),
        "error-request-id-constant": row(
            "Every error has the same RequestId, that of an example in Amazon's documentation, as in Chimera "
            "(chimera-nas/chimera#477).",
            _with_one_id,
        ),
        "error-type-binary": row(
            "Errors are announced as application/octet-stream, as by Chimera (chimera-nas/chimera#1212).",
            _as_bytes,
        ),
        "html-errors": row(
            "Errors are HTML instead of XML, as from Trino's proxy for AWS (trinodb/aws-proxy#154).",
            _as_html,
        ),
        "json-errors": row(
            "Errors are JSON instead of XML, as in Auto Drive for 401 and 404 (autonomys/auto-drive@c29e3d5b).",
            _as_json,
        ),
    },
)
