"""Defects of documents in requests: elements that are not read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from reference_server.defects.registry import Wrap, family, row

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.payload import Payload
    from reference_server.request import Request

Factory = Callable[..., "Payload"]


def _reading(edit: Callable[[Request, bytes], bytes]) -> Wrap:
    """A document is read otherwise than it was sent, once its digests were checked."""

    def wrap(inner: Factory) -> Factory:
        def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
            made = inner(request, authenticated, **options)
            document = made.document
            made.document = lambda: edit(request, document())  # type: ignore[method-assign]
            return made

        return payload

    return wrap


def _deleting_without(pattern: bytes) -> Callable[[Request, bytes], bytes]:
    """DeleteObjects does not see these elements."""
    return lambda request, sent: re.sub(pattern, b"", sent) if "delete" in request.parameters else sent


def _parts_in_order(request: Request, sent: bytes) -> bytes:
    parts: list[bytes] = re.findall(rb"<Part>.*?</Part>", sent, re.DOTALL)
    if request.method != "POST" or "uploadId" not in request.parameters or not parts:
        return sent
    before, after = sent[: sent.index(b"<Part>")], sent[sent.rindex(b"</Part>") + len(b"</Part>") :]
    parts.sort(key=_part_number)
    return before + b"".join(parts) + after


def _part_number(part: bytes) -> int:
    found = re.search(rb"<PartNumber>\s*(\d+)", part)
    return int(found[1]) if found else 0


def _no_bucket_settings(request: Request, sent: bytes) -> bytes:
    return b"" if (request.method, request.level, request.query) == ("PUT", "bucket", []) else sent


family(
    "payload",
    _reading,
    {
        "delete-objects-etag-ignored": row(
            "DeleteObjects deletes an object whose ETag is not the one in its entry; versitygw keeps its test of "
            "that for AWS only (DEL-017).",
            _deleting_without(rb"<ETag>.*?</ETag>"),
        ),
        "delete-objects-versions-ignored": row(
            "DeleteObjects does not read the VersionId of an entry and deletes the present version, as Moto did "
            "(getmoto/moto#2918).",
            _deleting_without(rb"<VersionId>.*?</VersionId>"),
        ),
        "location-constraint-ignored": row(
            "CreateBucket does not read its document, so that a wrong region goes unnoticed, as in AIStore "
            "(NVIDIA/aistore@583e7729).",
            _no_bucket_settings,
        ),
        "part-order-ignored": row(
            "Parts may be listed in any order when an upload is completed, as in versitygw once and in AIStore "
            "(versity/versitygw#1063, NVIDIA/aistore@583e7729).",
            _parts_in_order,
        ),
        "quiet-ignored": row(
            "DeleteObjects lists successes although Quiet was asked for, as AIStore does (NVIDIA/aistore@583e7729).",
            _deleting_without(rb"<Quiet>\s*true\s*</Quiet>"),
        ),
    },
)
