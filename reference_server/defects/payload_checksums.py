"""Defects of checksums in requests: headers that are not looked at, misread, or compared in another order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server import checksums
from reference_server.auth import STREAMING, UNSIGNED
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.payload import Payload, Received
    from reference_server.request import Request

Factory = Callable[..., "Payload"]
Headers = dict[str, str]

_PREFIX = "x-amz-checksum-"
_VALUES = tuple(f"{_PREFIX}{name}" for name in checksums.ALGORITHMS)
_OTHERS = ("x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-checksum-algorithm")


def _headers(edit: Callable[[Headers], Headers]) -> Wrap:
    """A body is checked as if its request had other headers; `edit` may refuse them."""

    def wrap(inner: Factory) -> Factory:
        def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
            return inner(replace(request, headers=edit(request.headers)), authenticated, **options)

        return payload

    return wrap


def _without(headers: Headers, *names: str) -> Headers:
    return {name: value for name, value in headers.items() if name not in names}


def _first_alone(headers: Headers) -> Headers:
    announced, _, more = headers.get("x-amz-trailer", "").partition(",")
    found = [name for name in _VALUES if name in headers]
    if announced:
        kept = {**headers, "x-amz-trailer": announced} if more else headers
        return _without(kept, *found)
    return _without(headers, *found[1:])


def _known_alone(headers: Headers) -> Headers:
    unknown = [name for name in headers if name.startswith(_PREFIX) and name not in (*_VALUES, *_OTHERS)]
    announced = headers.get("x-amz-trailer", _VALUES[0]).lower()
    if announced not in _VALUES and "," not in announced:
        unknown.append("x-amz-trailer")
    return _without(headers, *unknown)


def _no_form(headers: Headers) -> Headers:
    for algorithm, name in zip(checksums.ALGORITHMS.values(), _VALUES, strict=True):
        if name in headers and checksums.decode(algorithm, headers[name]) is None:
            raise S3Error("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
    return headers


def _algorithm_taken_for_value(headers: Headers) -> Headers:
    if "x-amz-checksum-algorithm" in headers:
        raise S3Error("InvalidRequest", "The algorithm type you specified in x-amz-checksum- header is invalid.")
    return headers


family(
    "payload",
    _headers,
    {
        "checksum-algorithm-misread": row(
            "The header x-amz-checksum-algorithm of a request with a body is taken for a checksum of an unknown "
            "algorithm (CKS-010).",
            _algorithm_taken_for_value,
        ),
        "malformed-checksum-says-bad-digest": row(
            "A checksum that cannot be one of its algorithm is a bad digest like any other (CKS-005).",
            _no_form,
        ),
        "sdk-algorithm-ignored": row(
            "That x-amz-sdk-checksum-algorithm names a checksum which is not there, or is another, goes unnoticed "
            "(CKS-008).",
            lambda headers: _without(headers, "x-amz-sdk-checksum-algorithm"),
        ),
        "several-checksums-accepted": row(
            "Of several checksums in one request the first is verified and the others are dropped (CKS-006).",
            _first_alone,
        ),
        "unknown-checksum-ignored": row(
            "A checksum of an unknown algorithm is read over instead of refused (CKS-007).",
            _known_alone,
        ),
    },
)


@defect(
    "payload-hash-checked-last",
    "payload",
    "Content-MD5 and checksums are compared before the hash that was signed (CKS-025).",
)
def _payload_hash_checked_last(inner: Factory) -> Factory:
    def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
        made = inner(request, authenticated, **options)
        signed, receive = made.mode, made.receive
        if signed == UNSIGNED or signed in STREAMING:
            return made

        def late(sink: Callable[[bytes], None], algorithms: Iterable[str] = ()) -> Received:
            digest = hashlib.sha256()

            def take(data: bytes) -> None:
                digest.update(data)
                sink(data)

            made.mode = UNSIGNED
            received = receive(take, algorithms)
            if digest.hexdigest() != signed.lower():
                raise S3Error("XAmzContentSHA256Mismatch")
            return received

        made.receive = late  # type: ignore[method-assign]
        return made

    return payload
