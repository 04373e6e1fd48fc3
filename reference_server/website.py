"""The website endpoint of a bucket: pages for visitors without credentials. Source: catalogue WEB.

Amazon S3 User Guide, "Website endpoints": hosts are `BUCKET.s3-website.DOMAIN` here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server import browser
from reference_server.auth import ANONYMOUS, UNSIGNED, Authenticated
from reference_server.call import Call, Endpoint, checked
from reference_server.errors import S3Error
from reference_server.frame import frame, request_ids
from reference_server.ops.reads import get_object, head_object
from reference_server.request import split_target
from reference_server.rules import website as rules
from reference_server.rules.website import Redirect, Visit
from reference_server.wire import Answer

if TYPE_CHECKING:
    from reference_server.request import Request
    from reference_server.store import Bucket


def answer(endpoint: Endpoint, request: Request) -> Answer:
    """One page, redirect or error page, with the CORS headers that the request earns.

    Raises:
        NotModifiedError: what the visitor has is current.
    """
    found = _answer(endpoint, request)
    found.headers += browser.earned(endpoint.store, request.head, request.bucket)
    return found


def _answer(endpoint: Endpoint, request: Request) -> Answer:
    key = request.key or ""
    try:
        if request.method not in ("GET", "HEAD"):
            raise S3Error("MethodNotAllowed", None, {"Method": request.method, "ResourceType": "OBJECT"})
        bucket = checked(endpoint.store.bucket(request.bucket or ""), request.bucket or "")
        configuration = bucket.settings.get("website")
        if configuration is None:
            raise S3Error("NoSuchWebsiteConfiguration", None, {"BucketName": bucket.name})
    except S3Error as error:
        return _page(error)
    scheme = "https" if request.head.secure else "http"
    visit = Visit(scheme, request.headers["host"], key, split_target(request.head.target)[1])
    redirect = rules.redirect_before(configuration, visit)
    if redirect is not None:
        return _redirected(redirect)
    try:
        return _object(endpoint, request, rules.index_key(configuration, key))
    except S3Error as error:
        return _failed(endpoint, request, bucket, visit, error)


def _call(endpoint: Endpoint, request: Request, key: str) -> Call:
    members = endpoint.codec.parse_input("GetObject", {}, request.head.headers)
    visited = replace(request, key=key, query=[])
    return Call(endpoint, visited, Authenticated(ANONYMOUS, UNSIGNED), "GetObject", members)


def _object(endpoint: Endpoint, request: Request, key: str) -> Answer:
    call = _call(endpoint, request, key)
    result = get_object(call)
    location = result.members.get("WebsiteRedirectLocation")
    if location is None:
        return endpoint.seams.serialise(call, result)
    if result.done is not None:
        result.done()
    return _redirected(rules.to_location(location))


def _failed(endpoint: Endpoint, request: Request, bucket: Bucket, visit: Visit, error: S3Error) -> Answer:
    """What a visitor gets for an object that cannot be read (WEB-003, WEB-004, WEB-007)."""
    configuration = bucket.settings["website"]
    index = rules.directory_index(configuration, visit.key)
    # Whether the key is there decides, not the error: without leave to list, a missing one is 403.
    if index is not None and endpoint.objects.get(bucket, visit.key) is None and _readable(endpoint, request, index):
        return _redirected(rules.to_directory(visit.key))
    redirect = rules.redirect_after(configuration, visit, error.status)
    if redirect is not None:
        return _redirected(redirect)
    document = rules.error_key(configuration, error.status)
    if document is None:
        return _page(error)
    try:
        page = _object(endpoint, _plain(request), document)
    except S3Error as nested:
        return _page(error, nested)
    if page.status == 200:  # and not the redirect of an error document that is one
        page.status = error.status
    return page


def _plain(request: Request) -> Request:
    """The same without ranges and conditions."""
    sent = request.head.headers
    kept = {name: value for name, value in sent.items() if name != "range" and not name.startswith("if-")}
    return replace(request, head=replace(request.head, headers=kept))


def _readable(endpoint: Endpoint, request: Request, key: str) -> bool:
    try:
        head_object(_call(endpoint, _plain(request), key))
    except S3Error:
        return False
    return True


def _redirected(redirect: Redirect) -> Answer:
    return Answer(redirect.status, frame([("Location", redirect.location), ("Content-Length", "0")]))


def _page(error: S3Error, nested: S3Error | None = None) -> Answer:
    ids = request_ids()
    body = rules.error_page(error, *ids, nested)
    headers = [("x-amz-error-code", error.code), ("x-amz-error-message", error.message)]
    headers += [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
    return Answer(error.status, frame(headers, ids), body)
