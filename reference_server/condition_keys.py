"""What a request tells the conditions of bucket policies: condition keys by lower-case name.

Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Actions, resources, and
condition keys for Amazon S3"; Amazon S3 API Reference, "Bucket policy examples using condition keys".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reference_server.codec import iso_time
from reference_server.errors import S3Error
from reference_server.rules import tags
from reference_server.rules.policy_conditions import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_server.call import Call
    from reference_server.objects import StoredObject
    from reference_server.request import Request
    from reference_server.rules.policy_text import Context
    from reference_server.store import Bucket

#: Query parameters that are condition keys of their own.
_PARAMETERS = ("prefix", "delimiter", "max-keys")
_HEADERS = ("if-match", "if-none-match")
_BROWSER = {"user-agent": "useragent", "referer": "referer"}
_LOCK = "x-amz-object-lock-"
# What a client chooses freely is kept short: patterns made of it are remembered for a while.
_LONGEST = 1024


def context(call: Call, bucket: Bucket, members: Mapping[str, Any], stored: StoredObject | None) -> Context:
    """The condition keys of a request.

    Args:
        call: the request.
        bucket: what it is about.
        members: input of what is asked, which of a copy or of DeleteObjects is only a part of the request.
        stored: the object that it is about, if there is one.
    """
    request, now = call.request, call.store.clock()
    owner = call.endpoint.account(bucket.owner)
    found: dict[str, str | tuple[str, ...]] = {
        "aws:securetransport": "true" if request.head.secure else "false",
        "aws:sourceip": request.head.peer,
        "aws:currenttime": iso_time(int(now)),
        "aws:epochtime": str(int(now)),
        "aws:requestedregion": call.endpoint.region,
        "aws:principaltype": "Anonymous" if call.account.anonymous else "User",
    }
    if not call.account.anonymous:
        found |= {"aws:username": call.account.access_key, "aws:userid": call.account.access_key}
    if owner is not None:
        found |= {"aws:resourceaccount": owner.number, "s3:resourceaccount": owner.number}
    # From the request itself: the fields of a form cannot stand for them.
    sent = request.head.headers
    found |= {f"aws:{key}": sent[name][:_LONGEST] for name, key in _BROWSER.items() if name in sent}
    found |= {f"s3:{name}": request.parameters[name] for name in _PARAMETERS if name in request.parameters}
    if members.get("VersionId") is not None:
        found["s3:versionid"] = str(members["VersionId"])
    return found | _of_headers(request.headers) | _of_tags(members, stored) | _of_signature(request, now)


def _of_headers(headers: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, value in headers.items():
        if name.startswith("x-amz-") or name in _HEADERS:
            found[f"s3:{name}"] = value
        if name.startswith(_LOCK):
            found[f"s3:{name.removeprefix('x-amz-')}"] = value
    return found


def _of_tags(members: Mapping[str, Any], stored: StoredObject | None) -> dict[str, str | tuple[str, ...]]:
    """Tags that the object has, and those that a write brings; not those in a body, which is read later."""
    found: dict[str, str | tuple[str, ...]] = {}
    for tag in stored.attributes.get("Tags", []) if stored is not None else []:
        found[f"s3:existingobjecttag/{tag['Key'].lower()}"] = tag["Value"]
    try:
        asked = tags.from_header(members.get("Tagging") or "")
    except S3Error:  # refused later, as everything that is wrong with a write
        asked = []
    for tag in asked:
        found[f"s3:requestobjecttag/{tag['Key'].lower()}"] = tag["Value"]
    if asked:
        found["s3:requestobjecttagkeys"] = tuple(tag["Key"] for tag in asked)
    return found


def _of_signature(request: Request, now: float) -> dict[str, str]:
    """How the request was signed; of a signature in a URL also its age in milliseconds."""
    query = request.parameters
    if "authorization" in request.head.headers:
        return {"s3:authtype": "REST-HEADER", "s3:signatureversion": "AWS4-HMAC-SHA256"}
    if "X-Amz-Signature" in query:
        found = {"s3:authtype": "REST-QUERY-STRING", "s3:signatureversion": "AWS4-HMAC-SHA256"}
        signed = moment(query.get("X-Amz-Date", ""))
        return found if signed is None else found | {"s3:signatureage": str(int((now - float(signed)) * 1000))}
    if "Signature" in query:
        return {"s3:authtype": "REST-QUERY-STRING", "s3:signatureversion": "AWS"}
    fields = request.headers
    if request.method == "POST" and not query and "policy" in fields:  # a form that stands for a PutObject
        return {"s3:authtype": "POST", "s3:signatureversion": "AWS" if "signature" in fields else "AWS4-HMAC-SHA256"}
    return {}
