"""Defects of the Authorization header and of what stands beside it: scope, date, declared payload."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server.auth import ANONYMOUS, STREAMING, UNSIGNED, Authenticated, account_of
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.request import Request

Auth = Callable[["Request"], Authenticated]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)")


# Let in


def _unchecked(passed: Callable[[S3Error], bool]) -> Wrap:
    """One check is not made: the request acts for the access key that it names, whatever its body."""

    def wrap(inner: Auth) -> Auth:
        def auth(request: Request) -> Authenticated:
            try:
                return inner(request)
            except S3Error as error:
                named = _CREDENTIAL.search(request.headers.get("authorization", ""))
                if named is None or not passed(error):
                    raise
                return Authenticated(account_of(named[1]), UNSIGNED)

        return auth

    return wrap


family(
    "auth",
    _unchecked,
    {
        "any-service": row(
            "The service that a signature is for is not checked (AUTH-010).",
            lambda error: "Incorrect service" in error.message,
        ),
        "date-not-demanded": row(
            "A signed request needs no date that can be read (AUTH-012).",
            lambda error: "requires a valid Date" in error.message,
        ),
        "payload-hash-not-demanded": row(
            "A request without x-amz-content-sha256 is taken for one with an unsigned body (AUTH-013).",
            lambda error: error.code == "InvalidRequest" and "Missing required header" in error.message,
        ),
        "payload-keyword-unchecked": row(
            "Any text in x-amz-content-sha256 that is no hash is taken for an unsigned body (AUTH-014).",
            lambda error: error.elements.get("ArgumentName") == "x-amz-content-sha256",
        ),
        "scope-day-unchecked": row(
            "The day of the credential may be any text (AUTH-008).",
            lambda error: "credential date" in error.message,
        ),
    },
)


@defect(
    "unknown-scheme-anonymous",
    "auth",
    "An Authorization header of an unknown scheme counts as none, so that the request is refused as anonymous "
    "(AUTH-006).",
)
def _unknown_scheme_anonymous(inner: Auth) -> Auth:
    def auth(request: Request) -> Authenticated:
        scheme = request.headers.get("authorization", "").partition(" ")[0]
        if scheme in ("", "AWS4-HMAC-SHA256"):
            return inner(request)
        return Authenticated(ANONYMOUS, UNSIGNED)

    return auth


@defect(
    "streaming-anywhere",
    "auth",
    "A keyword of streamed uploads is accepted on operations that upload no object, whose body then is not verified "
    "(AUTH-019).",
)
def _streaming_anywhere(inner: Auth) -> Auth:
    def auth(request: Request) -> Authenticated:
        authenticated = inner(request)
        uploads = request.method == "PUT" and request.key is not None and "tagging" not in request.parameters
        if authenticated.payload in STREAMING and not uploads:
            return replace(authenticated, payload=UNSIGNED)
        return authenticated

    return auth


# Refused, or in other words


def _saying(meant: Callable[[S3Error], bool], code: str, status: int) -> Wrap:
    """A refusal has another code and status."""

    def wrap(inner: Auth) -> Auth:
        def auth(request: Request) -> Authenticated:
            try:
                return inner(request)
            except S3Error as error:
                if meant(error):
                    raise S3Error(code, None, status=status) from None
                raise

        return auth

    return wrap


family(
    "auth",
    _saying,
    {
        "malformed-authorization-403": row(
            "An Authorization header that is malformed is a wrong signature like any other (AUTH-007).",
            lambda error: error.code == "AuthorizationHeaderMalformed",
            "SignatureDoesNotMatch",
            403,
        ),
        "malformed-presigned-403": row(
            "A presigned URL that is malformed is AccessDenied like any other (PRE-007).",
            lambda error: error.code == "AuthorizationQueryParametersError",
            "AccessDenied",
            403,
        ),
        "skew-says-expired": row(
            "A request whose time is off is AccessDenied, by which no client corrects its clock (AUTH-011).",
            lambda error: error.code == "RequestTimeTooSkewed",
            "AccessDenied",
            403,
        ),
    },
)


def _not_for(payload: Callable[[str], bool], code: str) -> Wrap:
    """Bodies that are declared in one of the right ways are refused."""

    def wrap(inner: Auth) -> Auth:
        def auth(request: Request) -> Authenticated:
            if payload(request.headers.get("x-amz-content-sha256", "")):
                raise S3Error(code)
            return inner(request)

        return auth

    return wrap


family(
    "auth",
    _not_for,
    {
        "payload-hash-in-capitals-refused": row(
            "A SHA-256 in upper-case hex is not compared as a number, and does not match (AUTH-016).",
            lambda text: len(text) == 64 and text != text.lower(),
            "XAmzContentSHA256Mismatch",
        ),
        "unsigned-payload-refused": row(
            "Uploads whose body is not signed are refused (AUTH-018).",
            lambda text: text == UNSIGNED,
            "XAmzContentSHA256Mismatch",
        ),
    },
)
