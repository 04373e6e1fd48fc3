"""Defects of what browsers ask for: cross-origin requests, and websites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reference_server.defects.answers import without
from reference_server.defects.registry import defect
from reference_server.frame import frame
from reference_server.wire import Answer, Body, Head

Wire = Callable[[Head, Body], Answer]

_CORS = "access-control-"
_WEBSITE = ".s3-website"


@defect(
    "cors-open-to-all",
    "wire",
    "Every preflight is answered with success for any origin, whatever the rules of the bucket are (CORS-003).",
)
def _cors_open_to_all(inner: Wire) -> Wire:
    def answer(head: Head, body: Body) -> Answer:
        if head.method != "OPTIONS":
            return inner(head, body)
        anyone = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "GET, PUT, POST, DELETE")]
        return Answer(200, frame([*anyone, ("Content-Length", "0")]))

    return answer


@defect(
    "cors-preflight-only",
    "wire",
    "CORS headers are on the answer to a preflight and not on the one to the request itself (CORS-007).",
)
def _cors_preflight_only(inner: Wire) -> Wire:
    def answer(head: Head, body: Body) -> Answer:
        found = inner(head, body)
        if head.method != "OPTIONS":
            without(_CORS, "vary")(found)
        return found

    return answer


@defect(
    "cors-origin-unchecked",
    "wire",
    "Requests of any origin get the CORS headers that those of an allowed one get, as from Moto (CORS-007).",
)
def _cors_origin_unchecked(inner: Wire) -> Wire:
    def answer(head: Head, body: Body) -> Answer:
        found = inner(head, body)
        origin = head.headers.get("origin")
        if origin and not any(name.lower() == f"{_CORS}allow-origin" for name, _ in found.headers):
            found.headers.append(("Access-Control-Allow-Origin", origin))
        return found

    return answer


@defect(
    "website-is-plain-bucket",
    "wire",
    "The website endpoint is the bucket itself: no index, no redirects, errors in XML (WEB-003, WEB-004).",
)
def _website_is_plain_bucket(inner: Wire) -> Wire:
    def answer(head: Head, body: Body) -> Answer:
        host = head.headers.get("host", "")
        if _WEBSITE in host:
            head = replace(head, headers={**head.headers, "host": host.replace(_WEBSITE, "", 1)})
        return inner(head, body)

    return answer


@defect(
    "website-errors-are-200",
    "wire",
    "The website endpoint answers missing pages with 200, so that search engines keep them (WEB-004).",
)
def _website_errors_are_200(inner: Wire) -> Wire:
    def answer(head: Head, body: Body) -> Answer:
        found = inner(head, body)
        if _WEBSITE in head.headers.get("host", "") and found.status == 404:
            found.status = 200
        return found

    return answer
