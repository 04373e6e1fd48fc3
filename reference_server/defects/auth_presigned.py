"""Defects of presigned URLs: what they are good for, for how long, and what may be sent with them."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server.auth import MAX_SKEW, UNSIGNED, Authenticated, account_of
from reference_server.defects.auth import refusing
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.request import Request

Auth = Callable[["Request"], Authenticated]

_KNOWN = ("X-Amz-", "x-amz-", "response-", "partNumber", "uploadId", "versionId")


def _only(refuse: Callable[[Request], S3Error | None]) -> Wrap:
    """Presigned URLs of version 4 are refused for no good reason."""
    return refusing(lambda request: refuse(request) if "X-Amz-Signature" in request.parameters else None)


def _has_unknown(request: Request) -> S3Error | None:
    unknown = any(not name.startswith(_KNOWN) for name, _ in request.query)
    return S3Error("InvalidArgument", "Unknown parameter.") if unknown else None


def _has_unsigned_type(request: Request) -> S3Error | None:
    signed = request.parameters.get("X-Amz-SignedHeaders", "").lower().split(";")
    return S3Error("SignatureDoesNotMatch") if {"content-type"} & request.head.headers.keys() - {*signed} else None


def _has_token(request: Request) -> S3Error | None:
    return S3Error("InvalidAccessKeyId") if "X-Amz-Security-Token" in request.parameters else None


def _is_part(request: Request) -> S3Error | None:
    return S3Error("AccessDenied") if "uploadId" in request.parameters else None


family(
    "auth",
    _only,
    {
        "presigned-parts-refused": row(
            "Presigned URLs are for whole objects, those of parts are refused (PRE-016).",
            _is_part,
        ),
        "presigned-token-unread": row(
            "The session token in a presigned URL is not read, so that URLs by temporary credentials are refused "
            "(PRE-014).",
            _has_token,
        ),
        "presigned-type-refused": row(
            "A Content-Type that was not signed is refused with a presigned URL, so that browsers cannot upload "
            "(PRE-010).",
            _has_unsigned_type,
        ),
        "presigned-unknown-parameter-refused": row(
            "A presigned URL with a parameter that S3 does not have is refused (PRE-006).",
            _has_unknown,
        ),
    },
)


def _instead(meant: Callable[[S3Error], bool], code: str, status: int) -> Wrap:
    """A refusal is none, or has another code."""

    def wrap(inner: Auth) -> Auth:
        def auth(request: Request) -> Authenticated:
            try:
                return inner(request)
            except S3Error as error:
                if not meant(error):
                    raise
                if code:
                    raise S3Error(code, None, status=status) from None
                return Authenticated(account_of(request.parameters["X-Amz-Credential"].partition("/")[0]), UNSIGNED)

        return auth

    return wrap


family(
    "auth",
    _instead,
    {
        "presigned-expired-400": row(
            "An expired URL is a bad request (PRE-002).",
            lambda error: error.message == "Request has expired",
            "ExpiredToken",
            400,
        ),
        "presigned-for-ever": row(
            "A presigned URL may hold for any number of seconds, for years too (PRE-019).",
            lambda error: "less than a week" in error.message,
            "",
            200,
        ),
        "presigned-v2-incomplete-400": row(
            "A presigned URL of Signature Version 2 that lacks a parameter is a bad request (PRE-008).",
            lambda error: error.message.startswith("Query-string authentication requires"),
            "InvalidRequest",
            400,
        ),
    },
)


@defect(
    "presigned-one-more-parameter",
    "auth",
    "Parameters that follow the signature of a presigned URL are not signed, so that anybody may add some (PRE-006).",
)
def _presigned_one_more_parameter(inner: Auth) -> Auth:
    def auth(request: Request) -> Authenticated:
        names = [name for name, _ in request.query]
        signed = names.index("X-Amz-Signature") + 1 if "X-Amz-Signature" in names else len(names)
        return inner(replace(request, query=request.query[:signed]))

    return auth


@defect(
    "presigned-settings-unread",
    "auth",
    "x-amz-* parameters of a presigned URL are not read as headers, so that uploads lose their metadata (PRE-012).",
)
def _presigned_settings_unread(inner: Auth) -> Auth:
    def auth(request: Request) -> Authenticated:
        authenticated = inner(request)
        for name in request.parameters.keys() - request.head.headers.keys():
            request.headers.pop(name.lower(), None)
        return authenticated

    return auth


@defect(
    "presigned-within-skew",
    "auth",
    "A presigned URL holds for a quarter of an hour at most, as if it were signed in its headers (PRE-002).",
)
def _presigned_within_skew(inner: Auth) -> Auth:
    def auth(request: Request) -> Authenticated:
        stamp = request.parameters.get("X-Amz-Date", "")
        authenticated = inner(request)
        if stamp and time.time() - calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) > MAX_SKEW:
            raise S3Error("RequestTimeTooSkewed")
        return authenticated

    return auth
