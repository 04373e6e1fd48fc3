"""Presigned URLs of Signature Version 2, which `boto3` and AWS CLI v1 still make by default.

Source: Amazon S3 User Guide, "Signing and authenticating REST requests (AWS signature version 2)",
section "Query string request authentication alternative".
"""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from reference_server.codec import iso_time
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.request import Request

#: Query parameters that are part of what is signed; all others are not.
_SIGNED = {
    *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location"),
    *(
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "partNumber",
        "policy",
        "replication",
        "requestPayment",
        "restore",
        "select",
    ),
    *("select-type", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions"),
    *("website", "response-cache-control", "response-content-disposition", "response-content-encoding"),
    *("response-content-language", "response-content-type", "response-expires"),
}


def verify(request: Request, secret: str, current: float) -> None:
    """Check expiry and signature of a presigned request.

    Args:
        request: has AWSAccessKeyId, Signature and Expires in its query.
        secret: secret key of that access key.
        current: seconds since the epoch.

    Raises:
        S3Error: AccessDenied, SignatureDoesNotMatch.
    """
    query = request.parameters
    expires = query.get("Expires", "")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 20):
        message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise S3Error("AccessDenied", message)
    to_sign = string_to_sign(request)
    expected = signature(secret, to_sign)
    if not hmac.compare_digest(expected.encode(), query["Signature"].encode("utf-8", "replace")):
        elements: dict[str, object] = {
            "AWSAccessKeyId": query["AWSAccessKeyId"],
            "StringToSign": to_sign,
            "SignatureProvided": query["Signature"],
            "StringToSignBytes": to_sign.encode().hex(" "),
        }
        raise S3Error("SignatureDoesNotMatch", None, elements)
    if current > int(expires):
        times = {"Expires": iso_time(min(int(expires), 2**37)), "ServerTime": iso_time(int(current))}
        raise S3Error("AccessDenied", "Request has expired", dict(times))


def signature(secret: str, text: str) -> str:
    """Base64 signature of a string to sign, also of the policy of a form."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()


def string_to_sign(request: Request) -> str:
    """What a presigned request signs: the path as it was sent, not decoded."""
    headers = request.head.headers
    lines = [request.method, headers.get("content-md5", ""), headers.get("content-type", "")]
    lines.append(request.parameters.get("Expires", ""))
    # Headers on the wire, and those that were hoisted into the query.
    lines += [f"{name}:{value}" for name, value in sorted(request.headers.items()) if name.startswith("x-amz-")]
    path = f"/{request.bucket}{request.raw_path}" if request.virtual_host else request.raw_path
    if request.key is None and request.bucket is not None and not path.endswith("/"):
        path += "/"  # what is signed for a bucket ends so, however it is sent
    signed = sorted((name, value) for name, value in request.query if name in _SIGNED)
    resource = "&".join(f"{name}={value}" if value else name for name, value in signed)
    return "\n".join(lines) + "\n" + path + (f"?{resource}" if resource else "")
