"""Defects of documents in their form: lists, names, wrappers and values that a strict reader stumbles over."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from reference_server.answers import with_body
from reference_server.call import Result
from reference_server.codec import NAMESPACE
from reference_server.defects.registry import Wrap, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.call import Call
    from reference_server.wire import Answer

Serialise = Callable[["Call | None", "Result | S3Error"], "Answer"]

_DECLARATION = re.compile(rb"\A<\?xml[^>]*>\s*")


def _documents(operations: Collection[str], edit: Callable[[bytes], bytes]) -> Wrap:
    """Documents of these operations' results (of all if none is named) are edited; object data is left alone."""

    def wrap(inner: Serialise) -> Serialise:
        def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
            answer = inner(call, outcome)
            meant = call is not None and (not operations or call.operation in operations)
            document = answer.body if isinstance(outcome, Result) and outcome.body is None else b""
            if meant and isinstance(document, bytes) and document.startswith(b"<?xml"):
                with_body(answer, edit(document))
            return answer

        return serialise

    return wrap


def _replaced(*pairs: tuple[bytes, bytes]) -> Callable[[bytes], bytes]:
    def edit(body: bytes) -> bytes:
        for right, wrong in pairs:
            body = body.replace(right, wrong)
        return body

    return edit


def _wrapped(body: bytes) -> bytes:
    """The result within a response, as in S3's interface for SOAP."""
    found = _DECLARATION.match(body)
    head, rest = (found[0], body[found.end() :]) if found else (b"", body)
    space = f' xmlns="{NAMESPACE}"'.encode()
    return head + b"<CopyObjectResponse" + space + b">" + rest.replace(space, b"", 1) + b"</CopyObjectResponse>"


family(
    "serialise",
    _documents,
    {
        "booleans-capitalised": row(
            "Booleans in documents are True and False, as Python prints them (LINT-019).",
            (),
            _replaced((b">true<", b">True<"), (b">false<", b">False<")),
        ),
        "common-prefixes-in-one": row(
            "All common prefixes of a listing share one CommonPrefixes element, of which clients read the first "
            "(LST2-015).",
            (),
            _replaced((b"</CommonPrefixes><CommonPrefixes>", b"")),
        ),
        "copy-result-wrapped": row(
            "CopyObjectResult is within a CopyObjectResponse, as in the interface for SOAP (LINT-024).",
            {"CopyObject"},
            _wrapped,
        ),
        "parts-element-plural": row(
            "The parts of an upload are listed in elements Parts, as SDKs call them, instead of Part (LINT-018).",
            {"ListParts"},
            _replaced((b"<Part>", b"<Parts>"), (b"</Part>", b"</Parts>")),
        ),
        "storage-class-invented": row(
            "The storage class of an object in a listing is a word of the gateway's own (LINT-031).",
            (),
            _replaced((b">STANDARD<", b">DISK<")),
        ),
        "tags-unwrapped": row(
            "Tags are children of Tagging itself, without their TagSet (LINT-017).",
            {"GetBucketTagging", "GetObjectTagging"},
            _replaced((b"<TagSet>", b""), (b"</TagSet>", b"")),
        ),
    },
)
