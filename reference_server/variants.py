"""Harmless choices that other correct servers make: the same S3, answered a little otherwise.

A suite that turns red against one of them would call a right gateway wrong. Each changes one or two seams, as a defect
does, but nothing that S3 promises.
"""

from __future__ import annotations

import base64
import difflib
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reference_server.answers import header, is_download, with_body, without
from reference_server.call import Call, Result
from reference_server.codec import http_time
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.defects.registry import Seam, Wrap
    from reference_server.seams import Seams
    from reference_server.wire import Answer

#: Seconds by which every answer comes later.
DELAY = 0.004
#: Seconds by which the clock of the Date header is ahead.
SKEW = 7

_TOKENS = ("ContinuationToken", "NextContinuationToken")
_MARK = "tok:"


@dataclass(frozen=True)
class Variant:
    """One harmless choice: what is different, in a sentence, and the wrapper for each seam."""

    name: str
    about: str
    wraps: Mapping[Seam, Wrap]


# What wraps a seam


def _answers(change: Callable[[Answer], None]) -> Wrap:
    """Every answer is changed before it is sent."""

    def wrap(inner: Callable[..., Answer]) -> Callable[..., Answer]:
        def wire(*arguments: Any) -> Answer:
            answer = inner(*arguments)
            change(answer)
            return answer

        return wire

    return wrap


def _documents(edit: Callable[[bytes], bytes]) -> Wrap:
    """Every XML document is written otherwise."""

    def change(answer: Answer) -> None:
        if isinstance(answer.body, bytes) and answer.body.startswith(b"<?xml") and not is_download(answer):
            kind = next((value for name, value in answer.headers if name.lower() == "content-type"), "application/xml")
            with_body(answer, edit(answer.body), kind)

    return _answers(change)


# Headers


def _reordered(answer: Answer) -> None:
    answer.headers = [(name.lower(), value) for name, value in reversed(answer.headers)]


def _upper(answer: Answer) -> None:
    """All but the names of user metadata, whose letter case S3 promises."""
    answer.headers = [
        (name if name.startswith("x-amz-meta-") else name.upper(), value) for name, value in answer.headers
    ]


def _more_headers(answer: Answer) -> None:
    answer.headers += [
        ("X-Content-Type-Options", "nosniff"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
        ("X-Gateway-Node", "node-7"),
        ("Vary", "Origin, Accept-Encoding"),
        ("X-Xss-Protection", "1; mode=block"),
    ]


def _one_request_each(answer: Answer) -> None:
    answer.close = True


def _late(_answer: Answer) -> None:
    time.sleep(DELAY)


_ahead = header("date", lambda _: http_time(int(time.time()) + SKEW))
_named = header("server", lambda _: "ExampleGateway/3.1 (build 77)")


def _with_other_ids(answer: Answer) -> None:
    """Request ids of another form, the same in header and document."""
    old = {name: value for name, value in answer.headers if name.lower() in ("x-amz-request-id", "x-amz-id-2")}
    fresh = {name: str(uuid.uuid4()) for name in old}
    answer.headers = [(name, fresh.get(name, value)) for name, value in answer.headers]
    if isinstance(answer.body, bytes) and answer.body.startswith(b"<?xml") and not is_download(answer):
        body = answer.body
        for name, value in old.items():
            body = body.replace(f">{value}<".encode(), f">{fresh[name]}<".encode())
        kind = next((value for name, value in answer.headers if name.lower() == "content-type"), "application/xml")
        with_body(answer, body, kind)


def _chunked(answer: Answer) -> None:
    """Documents come without Content-Length, in chunks of an odd size; object data keeps its length."""
    if not isinstance(answer.body, bytes) or not answer.body.startswith(b"<?xml") or is_download(answer):
        return
    without("content-length")(answer)
    answer.headers.append(("Transfer-Encoding", "chunked"))
    pieces = [answer.body[at : at + 97] for at in range(0, len(answer.body), 97)]
    answer.body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


# Documents


def _spaced(body: bytes) -> bytes:
    """Elements that hold elements are indented; texts stay as they are."""
    text = re.sub(rb"(<[A-Za-z][^<>]*[^/<>]>|<[A-Za-z]>)(?=<[A-Za-z])", rb"\1\n  ", body)
    return re.sub(rb"(</[^<>]+>|<[^<>?!]+/>)(?=<)", rb"\1\n", text)


def _short_empties(body: bytes) -> bytes:
    return re.sub(rb"<([A-Za-z0-9]+)></\1>", rb"<\1/>", body)


def _long_empties(body: bytes) -> bytes:
    return re.sub(rb"<([A-Za-z0-9]+)/>", rb"<\1></\1>", body)


def _entities(body: bytes) -> bytes:
    """Quotes as numbers, and the plain quote where it may stand."""
    return body.replace(b"&quot;", b"&#34;").replace(b"&#39;", b"&apos;")


def _more_in_errors(inner: Callable[..., Answer]) -> Callable[..., Answer]:
    """Errors say more than S3's, in other words."""

    def serialise(call: Call | None, outcome: Result | S3Error) -> Answer:
        if isinstance(outcome, S3Error):
            more = {**outcome.elements, "Resource": _printable(call.request.raw_path) if call else "/"}
            status, headers = outcome.status, outcome.headers
            outcome = S3Error(
                outcome.code, "Something is wrong, and this says what.", more, status=status, headers=headers
            )
        return inner(call, outcome)

    return serialise


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


# Choices of operations


def _other_tokens(inner: Callable[[Call], Result]) -> Callable[[Call], Result]:
    """Continuation tokens of another form: what is behind them is nobody's business."""

    def operation(call: Call) -> Result:
        sent = call.members.get("ContinuationToken")
        if sent:
            plain = _unwrapped(sent)
            call.members["ContinuationToken"] = plain
        result = inner(call)
        for name in _TOKENS:
            if result.members.get(name):
                result.members[name] = _wrapped(result.members[name])
        return result

    return operation


def _wrapped(token: str) -> str:
    return base64.urlsafe_b64encode((_MARK + token[::-1]).encode()).decode() + "/+="


def _unwrapped(token: str) -> str:
    try:
        plain = base64.urlsafe_b64decode(token.removesuffix("/+=")).decode()
    except ValueError:
        return token
    return plain.removeprefix(_MARK)[::-1] if plain.startswith(_MARK) else token


def _marker_always(inner: Callable[[Call], Result]) -> Callable[[Call], Result]:
    """Version 1 names the next marker on every truncated page, not only where there is a delimiter."""

    def operation(call: Call) -> Result:
        result = inner(call)
        if call.operation == "ListObjects" and result.members.get("IsTruncated") and result.members.get("Contents"):
            result.members.setdefault("NextMarker", result.members["Contents"][-1]["Key"])
        return result

    return operation


def _named_owners(inner: Callable[[Call], Result]) -> Callable[[Call], Result]:
    """Owners have a display name, as S3's had until 2025."""

    def operation(call: Call) -> Result:
        result = inner(call)
        entries = [entry for value in result.members.values() if isinstance(value, list) for entry in value]
        for holder in [result.members, *entries]:
            owner = holder.get("Owner") if isinstance(holder, dict) else None
            if isinstance(owner, dict) and "ID" in owner:
                holder["Owner"] = {"DisplayName": "owner", **owner}
        return result

    return operation


_ALL = (
    Variant("closes-connections", "Every answer ends its connection.", {"wire": _answers(_one_request_each)}),
    Variant("chunked-documents", "Documents come chunked, without Content-Length.", {"wire": _answers(_chunked)}),
    Variant("clock-ahead", f"The Date header is {SKEW} seconds ahead.", {"wire": _answers(_ahead)}),
    Variant("empty-elements-long", "Empty elements are written with two tags.", {"wire": _documents(_long_empties)}),
    Variant("empty-elements-short", "Empty elements are written with one tag.", {"wire": _documents(_short_empties)}),
    Variant("error-texts", "Errors have other messages and one element more.", {"serialise": _more_in_errors}),
    Variant("headers-lower-case", "Headers come in lower case and in another order.", {"wire": _answers(_reordered)}),
    Variant("headers-upper-case", "Headers come in capitals.", {"wire": _answers(_upper)}),
    Variant("more-headers", "Answers have headers that S3 does not know.", {"wire": _answers(_more_headers)}),
    Variant("next-marker-always", "Version 1 listings always name the next marker.", {"operation": _marker_always}),
    Variant("owners-named", "Owners have a display name.", {"operation": _named_owners}),
    Variant("request-ids", "Request ids are UUIDs.", {"wire": _answers(_with_other_ids)}),
    Variant("server-name", "The server has another name.", {"wire": _answers(_named)}),
    Variant("slower", f"Every answer comes {DELAY * 1000:g} ms later.", {"wire": _answers(_late)}),
    Variant("tokens", "Continuation tokens have another form.", {"operation": _other_tokens}),
    Variant("xml-entities", "Quotes are escaped as other entities.", {"wire": _documents(_entities)}),
    Variant("xml-spaced", "Documents are indented.", {"wire": _documents(_spaced)}),
)


def variants() -> dict[str, Variant]:
    """All of them by name."""
    return {found.name: found for found in _ALL}


class UnknownVariantError(ValueError):
    """There is no variant of that name; the message offers the nearest one."""


def check_names(names: Iterable[str]) -> None:
    """Hold names to those of the variants that there are.

    Raises:
        UnknownVariantError: for the first that is none.
    """
    known = variants()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.3)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise UnknownVariantError(f"unknown variant {name!r}; {hint}")


def install(seams: Seams, names: Iterable[str]) -> None:
    """Wrap the seams with these variants.

    Raises:
        UnknownVariantError: there is none of that name; nothing is wrapped then.
    """
    asked = list(names)
    check_names(asked)
    for name in asked:
        for seam, wrap in variants()[name].wraps.items():
            setattr(seams, seam, wrap(getattr(seams, seam)))
