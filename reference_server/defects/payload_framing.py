"""Defects of aws-chunked framing: bodies that are read more loosely, or more strictly, than S3 reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from reference_server.auth import STREAMING, UNSIGNED
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import S3Error

if TYPE_CHECKING:
    from reference_server.auth import Authenticated
    from reference_server.payload import Payload
    from reference_server.request import Request

Factory = Callable[..., "Payload"]

_LENGTH = "x-amz-decoded-content-length"
_FRAMING = {"x-amz-trailer", _LENGTH, "x-amz-sdk-checksum-algorithm"}


class _Frames(NamedTuple):
    """A framed body taken apart: head and bytes of each chunk, the empty one among them, and the trailing lines."""

    chunks: list[tuple[bytes, bytes]]
    trailers: list[bytes]

    @property
    def ended(self) -> bool:
        """Whether the empty chunk is there."""
        return bool(self.chunks) and not self.chunks[-1][1]

    @property
    def names(self) -> list[bytes]:
        """Names of the trailing headers."""
        return [line.partition(b":")[0].strip().lower() for line in self.trailers]


def _read(body: bytes) -> _Frames | None:
    """The frames of a body, whatever ends its lines; None if they are not to be made out or break off."""
    chunks: list[tuple[bytes, bytes]] = []
    while body:
        line, _, rest = body.partition(b"\n")
        head = line.rstrip(b"\r")
        try:
            size = int(head.partition(b";")[0], 16)
        except ValueError:
            return None
        if not size:
            return _Frames([*chunks, (head, b"")], [each.rstrip(b"\r") for each in rest.split(b"\n") if each.strip()])
        if len(rest) < size:
            return None
        chunks.append((head, rest[:size]))
        body = rest[size:].removeprefix(b"\r").removeprefix(b"\n")
    return _Frames(chunks, [])


def _written(frames: _Frames) -> bytes:
    parts = [head + b"\r\n" + data + b"\r\n" for head, data in frames.chunks[: -1 if frames.ended else None]]
    if frames.ended:
        parts += [line + b"\r\n" for line in (frames.chunks[-1][0], *frames.trailers, b"")]
    return b"".join(parts)


Edit = Callable[["_Frames", dict[str, str]], "_Frames | None"]
"""Changes frames, and headers in place; may refuse. None leaves the body as it came."""


def _reframed(edit: Edit) -> Wrap:
    """An aws-chunked body is read as if it had been framed otherwise."""

    def wrap(inner: Factory) -> Factory:
        def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
            if authenticated.payload not in STREAMING:
                return inner(request, authenticated, **options)
            body, headers = b"".join(request.body), dict(request.headers)
            frames = _read(body)
            changed = edit(frames, headers) if frames is not None else None
            data = cast("Any", [body if changed is None else _written(changed)])
            return inner(replace(request, body=data, headers=headers), authenticated, **options)

        return payload

    return wrap


def _any_line_end(frames: _Frames, _headers: dict[str, str]) -> _Frames:
    return frames


def _no_spaces(frames: _Frames, _headers: dict[str, str]) -> None:
    if any(b" " in head for head, _ in frames.chunks):
        raise S3Error("IncompleteBody")


def _one_size(frames: _Frames, _headers: dict[str, str]) -> None:
    sizes = [len(data) for _, data in frames.chunks if data]
    if any(size != sizes[0] for size in sizes[:-1]):
        raise S3Error("InvalidChunkSizeError")


def _end_supplied(frames: _Frames, _headers: dict[str, str]) -> _Frames | None:
    return None if frames.ended else frames._replace(chunks=[*frames.chunks, (b"0", b"")])


def _announced_or_not(frames: _Frames, headers: dict[str, str]) -> _Frames | None:
    announced = headers.get("x-amz-trailer", "").lower().encode()
    if not announced or b"," in announced or announced in frames.names:
        return None
    del headers["x-amz-trailer"]
    headers.pop("x-amz-sdk-checksum-algorithm", None)
    return frames._replace(trailers=[])


def _first_of_each(frames: _Frames, _headers: dict[str, str]) -> _Frames | None:
    if len(set(frames.names)) == len(frames.names):
        return None
    first = dict(zip(reversed(frames.names), reversed(frames.trailers), strict=True))
    return frames._replace(trailers=list(reversed(first.values())))


def _length_counted(frames: _Frames, headers: dict[str, str]) -> None:
    if not headers.get(_LENGTH, "").isdigit():
        headers[_LENGTH] = str(sum(len(data) for _, data in frames.chunks))


def _plain_length(_frames: _Frames, headers: dict[str, str]) -> None:
    if "transfer-encoding" in headers:
        raise S3Error("MissingContentLength")


def _some_length(_frames: _Frames, headers: dict[str, str]) -> None:
    if headers.get(_LENGTH) == "0":
        raise S3Error("MissingContentLength")


family(
    "payload",
    _reframed,
    {
        "bare-line-feeds-accepted": row(
            "The lines of aws-chunked framing may end with a line feed alone (CHNK-019).",
            _any_line_end,
        ),
        "decoded-length-zero-is-missing": row(
            "An aws-chunked upload of nothing is refused for want of a length, since 0 is taken for none (CHNK-025).",
            _some_length,
        ),
        "decoded-length-optional": row(
            "An aws-chunked upload need not say how long its data is; versitygw keeps its test of that for AWS only "
            "(CHNK-010).",
            _length_counted,
        ),
        "final-chunk-optional": row(
            "An unsigned upload that ends without the empty chunk is complete (CHNK-008).",
            _end_supplied,
        ),
        "first-repeated-trailer-counts": row(
            "Of a trailing checksum that is sent twice the first one counts (CHNK-018).",
            _first_of_each,
        ),
        "framing-needs-content-length": row(
            "An aws-chunked upload within HTTP's own chunks is refused for want of a Content-Length (CHNK-023).",
            _plain_length,
        ),
        "spaced-chunk-head-refused": row(
            "The head of a chunk must not have spaces (CHNK-007).",
            _no_spaces,
        ),
        "trailer-announcement-unchecked": row(
            "A trailing checksum that was announced may be missing, or be another (CHNK-014).",
            _announced_or_not,
        ),
        "uneven-chunks-refused": row(
            "All chunks of an upload but the last must be of one size (CHNK-006).",
            _one_size,
        ),
    },
)


@defect(
    "framing-by-content-encoding",
    "payload",
    "A body is decoded from its chunks only if Content-Encoding names aws-chunked, which may be left out (CHNK-022).",
)
def _framing_by_content_encoding(inner: Factory) -> Factory:
    def payload(request: Request, authenticated: Authenticated, **options: bool) -> Payload:
        coded = "aws-chunked" in request.headers.get("content-encoding", "").lower()
        if authenticated.payload in STREAMING and not coded:
            headers = {name: value for name, value in request.headers.items() if name not in _FRAMING}
            request, authenticated = replace(request, headers=headers), replace(authenticated, payload=UNSIGNED)
        return inner(request, authenticated, **options)

    return payload
