"""Defects of what browsers ask for: cross-origin requests, and websites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reference_server.answers import without
from reference_server.defects.registry import defect, family, row
from reference_server.defects.wire import answering, asking
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


def _bare(head: Head, answer: Answer) -> None:
    if head.method != "OPTIONS":
        without(_CORS, "vary")(answer)


def _any_origin(head: Head, answer: Answer) -> None:
    origin = head.headers.get("origin")
    if origin and not any(name.lower() == f"{_CORS}allow-origin" for name, _ in answer.headers):
        answer.headers.append(("Access-Control-Allow-Origin", origin))


def _errors_as_200(head: Head, answer: Answer) -> None:
    if _WEBSITE in head.headers.get("host", "") and answer.status == 404:
        answer.status = 200


family(
    "wire",
    answering,
    {
        "cors-origin-unchecked": row(
            "Requests of any origin get the CORS headers that those of an allowed one get, as from Moto (CORS-007).",
            _any_origin,
        ),
        "cors-preflight-only": row(
            "CORS headers are on the answer to a preflight and not on the one to the request itself (CORS-007).",
            _bare,
        ),
        "website-errors-are-200": row(
            "The website endpoint answers missing pages with 200, so that search engines keep them (WEB-004).",
            _errors_as_200,
        ),
    },
)


def _at_bucket(head: Head) -> Head:
    host = head.headers.get("host", "")
    if _WEBSITE not in host:
        return head
    return replace(head, headers={**head.headers, "host": host.replace(_WEBSITE, "", 1)})


family(
    "wire",
    asking,
    {
        "website-is-plain-bucket": row(
            "The website endpoint is the bucket itself: no index, no redirects, errors in XML (WEB-003, WEB-004).",
            _at_bucket,
        ),
    },
)
