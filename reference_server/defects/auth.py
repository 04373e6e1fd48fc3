"""Defects of authentication: what should have been refused, and what should not.

A check that is let pass stands for those behind it: a request that is too old *and* wrongly signed is let in by
`skew-ignored`. The honest order of checks is that of `reference_server.auth`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from reference_server.auth import UNSIGNED, Authenticated, account_of
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.request import Request

Auth = Callable[["Request"], Authenticated]

_CREDENTIAL = re.compile(r"Credential=([^,\s]+)")
_LETTERS = re.compile(r"[A-Za-z0-9]*\Z")


def _claimed_key(request: Request) -> str:
    """The access key that a request names, in whichever form it is signed."""
    found = _CREDENTIAL.search(request.headers.get("authorization", ""))
    query = request.parameters
    credential = found[1] if found else query.get("X-Amz-Credential", "")
    return credential.rsplit("/", 4)[0] if credential else query.get("AWSAccessKeyId", "")


# Let in


def _admitting(refused: Callable[[S3Error], bool]) -> Wrap:
    """One refusal is none: the request acts for the access key that it names."""

    def wrap(inner: Auth) -> Auth:
        def auth(request: Request) -> Authenticated:
            try:
                return inner(request)
            except S3Error as error:
                if not refused(error):
                    raise
                payload = request.headers.get("x-amz-content-sha256", UNSIGNED)
                return Authenticated(account_of(_claimed_key(request)), payload)

        return auth

    return wrap


family(
    "auth",
    _admitting,
    {
        "any-access-key": row(
            "Unknown access keys are let in, as AIStore does without its own authentication (NVIDIA/aistore@583e7729).",
            lambda error: error.code == "InvalidAccessKeyId",
        ),
        "any-region": row(
            "The region that a signature is for is not checked, as in Chimera (chimera-nas/chimera#1187).",
            lambda error: "Region" in error.elements,
        ),
        "any-signature": row(
            "Signatures are not checked, only access keys are, as in Auto Drive (autonomys/auto-drive@c29e3d5b).",
            lambda error: error.code == "SignatureDoesNotMatch",
        ),
        "host-unsigned-accepted": row(
            "Host and x-amz-* headers need not be signed, as in S3 Orchestrator (afreidah/s3-orchestrator#65).",
            lambda error: "HeadersNotSigned" in error.elements,
        ),
        "presigned-never-expires": row(
            "Presigned URLs work after their time, as in lakeFS and LocalStack (treeverse/lakeFS#9599, "
            "localstack/localstack#1685).",
            lambda error: error.message == "Request has expired",
        ),
        "scope-date-unchecked": row(
            "The date in the credential need not be that of the request, as in Chimera (chimera-nas/chimera#1187).",
            lambda error: error.code == "AuthorizationHeaderMalformed" and "not the same as" in error.message,
        ),
        "skew-ignored": row(
            "A signed request can be repeated for ever, since its time is not checked, as in Chimera "
            "(chimera-nas/chimera#492).",
            lambda error: error.code == "RequestTimeTooSkewed",
        ),
    },
)


# Kept out


def refusing(refuse: Callable[[Request], S3Error | None]) -> Wrap:
    """Requests are refused for no good reason, before they are looked at."""

    def wrap(inner: Auth) -> Auth:
        def auth(request: Request) -> Authenticated:
            error = refuse(request)
            if error is not None:
                raise error
            return inner(request)

        return auth

    return wrap


def _without_header(request: Request) -> S3Error | None:
    return None if "authorization" in request.headers else S3Error("AccessDenied", "Missing authorization", status=401)


def _version_2(request: Request) -> S3Error | None:
    if "AWSAccessKeyId" not in request.parameters:
        return None
    message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    return S3Error("InvalidRequest", message)


def _wants_spaces(request: Request) -> S3Error | None:
    if re.search(r",\S", request.headers.get("authorization", "")):
        return S3Error("AuthorizationHeaderMalformed", "The authorization header is malformed.")
    return None


def _forbids_spaces(request: Request) -> S3Error | None:
    if ", " in request.headers.get("authorization", ""):
        return S3Error("AuthorizationHeaderMalformed", "The authorization header is malformed.")
    return None


def _keeps_spaces(request: Request) -> S3Error | None:
    """What a signature over values as they were sent would find."""
    signed = re.search(r"SignedHeaders=([^,\s]+)", request.headers.get("authorization", ""))
    names = signed[1].lower().split(";") if signed else []
    return S3Error("SignatureDoesNotMatch") if any("  " in request.headers.get(name, "") for name in names) else None


def _x_id(request: Request) -> S3Error | None:
    return S3Error("InvalidRequest", "Unexpected query parameter.") if "x-id" in request.parameters else None


def _trailer_keyword(request: Request) -> S3Error | None:
    if request.headers.get("x-amz-content-sha256") != "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
        return None
    return S3Error("XAmzContentSHA256Mismatch", "invalid header: x-amz-content-sha256")


def _odd_key(request: Request) -> S3Error | None:
    return None if _LETTERS.match(_claimed_key(request)) else S3Error("InvalidAccessKeyId", status=401)


family(
    "auth",
    refusing,
    {
        "access-key-letters-only": row(
            "An access key with anything but letters and digits is refused, as in Auto Drive "
            "(autonomys/auto-drive@c29e3d5b).",
            _odd_key,
        ),
        "authorization-forbids-spaces": row(
            "An Authorization header with spaces behind its commas is refused, as in Riak CS (basho/riak_cs#1166).",
            _forbids_spaces,
        ),
        "authorization-wants-spaces": row(
            "An Authorization header without spaces behind its commas is refused, as by Teleport's proxy for AWS "
            "(gravitational/teleport#50866).",
            _wants_spaces,
        ),
        "header-spaces-kept": row(
            "A signed header with two spaces in a row does not verify, as in Supabase Storage and Chimera "
            "(supabase/storage#1396, chimera-nas/chimera#1102).",
            _keeps_spaces,
        ),
        "presigned-refused": row(
            "Only requests with an Authorization header are let in, others get 401, presigned URLs too, as in Auto "
            "Drive (autonomys/auto-drive@c29e3d5b).",
            _without_header,
        ),
        "presigned-v2-refused": row(
            "Presigned URLs of Signature Version 2, which boto3 makes by default, are refused, as by newer regions "
            "of AWS (mcohen01/amazonica#307).",
            _version_2,
        ),
        "trailer-payload-refused": row(
            "Uploads with an unsigned trailing checksum are refused as a wrong payload hash, as in s3s "
            "(s3s-project/s3s#328).",
            _trailer_keyword,
        ),
        "x-id-refused": row(
            "The query parameter x-id, which many SDKs send, is refused, as in Filen's gateway "
            "(FilenCloudDienste/filen-s3#72).",
            _x_id,
        ),
    },
)


@defect(
    "path-encoded-twice",
    "auth",
    "The path is encoded twice for the signature, as for services other than S3, so that keys with special "
    "characters are refused, as in Chimera and Yulin (chimera-nas/chimera#702, KensioSoftware/yulin#841).",
)
def _path_encoded_twice(inner: Auth) -> Auth:
    return lambda request: inner(replace(request, raw_path=quote(request.raw_path, safe="/-_.~")))
