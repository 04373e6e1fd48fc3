"""Exchanges in few words, for the tests of the rules."""

from __future__ import annotations

import itertools
from typing import Any

from harness.lint import Finding, Witnessed, lint
from harness.wire.exchange import Body, Exchange
from harness.wire.http1 import Origin

HOST = "s3.test:9000"
ORIGIN = Origin.of(f"http://{HOST}")
DECLARED = '<?xml version="1.0" encoding="UTF-8"?>\n'
SPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
MD5 = "900150983cd24fb0d6963f7d28e17f72"
"""Of `abc`."""

_ids = itertools.count(1)


def seen(
    request: str,
    status: int | None = 200,
    body: str | bytes = b"",
    sent: str | bytes = b"",
    asked: dict[str, str] | None = None,
    headers: list[tuple[str, str]] | None = None,
    **answer: str,
) -> Witnessed:
    """An exchange.

    Args:
        request: method and target, `HOST` between them where it is another than the endpoint's.
        status: of the answer.
        body: of the answer.
        sent: body of the request.
        asked: request headers; Host and the length are there anyway.
        headers: response headers as they are.
        answer: response headers, with underscores for hyphens; request ids, and the type of errors, come by themselves.
    """
    method, target = request.split(" ", 1)
    host, _, rest = target.partition("/")
    sent, body = (text.encode() if isinstance(text, str) else text for text in (sent, body))
    lines = {"Host": host or HOST} | (asked or {})
    if (sent or method in ("PUT", "POST")) and "Content-Length" not in lines:
        lines["Content-Length"] = str(len(sent))
    number = f"{next(_ids):016X}"
    given = {"x-amz-request-id": number, "x-amz-id-2": f"{number}=="}
    given |= {"Content-Type": "application/xml"} if (status or 0) >= 400 and body else {}
    given |= {name.replace("_", "-"): value for name, value in answer.items()}
    stray = body if method == "HEAD" or status in (204, 304) else b""
    exchange = Exchange(
        method=method,
        url=f"http://{host or HOST}/{rest}",
        request_headers=[pair for pair in lines.items() if pair[1]],
        request_body=Body.of(sent),
        status=status,
        response_headers=[pair for pair in given.items() if pair[1]] + (headers or []),
        response_body=Body.of(body),
    )
    return Witnessed(exchange, None if stray else body, stray, sent, "raw")


def error(code: str, more: str = "", request_id: str = "R") -> str:
    """An error document."""
    named = f"<Error><Code>{code}</Code><Message>m</Message>{more}<RequestId>{request_id}</RequestId>"
    return f"{DECLARED}{named}<HostId>h</HostId></Error>"


def refusal(request: str, status: int, code: str, more: str = "", **given: Any) -> Witnessed:
    """A refusal as S3 writes it, whose id is in the header too."""
    number = f"R{next(_ids):015X}"
    return seen(request, status, error(code, more, number), **{"x_amz_request_id": number, **given})


def document(root: str, content: str = "", space: str = SPACE) -> str:
    """A document as S3 writes it."""
    return f"{DECLARED}<{root}{space}>{content}</{root}>"


def entry(key: str, etag: str = f'"{MD5}"', more: str = "") -> str:
    """An entry of a listing."""
    return (
        f"<Contents><Key>{key}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>{etag}</ETag>"
        f"<Size>3</Size>{more}<StorageClass>STANDARD</StorageClass></Contents>"
    )


def page(
    *keys: str, more: str = "", truncated: str = "false", v2: bool = True, prefix: str = "", most: int = 1000
) -> str:
    """A page of a listing of the bucket `b`."""
    second = f"<KeyCount>{len(keys)}</KeyCount>" if v2 else "<Marker/>"
    return document(
        "ListBucketResult",
        f"<Name>b</Name><Prefix>{prefix}</Prefix>{second}<MaxKeys>{most}</MaxKeys>"
        f"<IsTruncated>{truncated}</IsTruncated>{more}" + "".join(entry(key) for key in keys),
    )


def found(*exchanges: Witnessed) -> list[Finding]:
    """What the rules find in them."""
    return lint(exchanges, ORIGIN)


def rules(*exchanges: Witnessed) -> list[str]:
    """The rules that they break, each once, `w` behind those that only warn."""
    names = {one.rule + ("w" if one.severity == "warning" else "") for one in found(*exchanges)}
    return sorted(names)
