"""Defects of HTTP itself, and of proxies in front of a gateway."""

from __future__ import annotations

import gzip
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from reference_server.answers import header, is_download, without
from reference_server.defects.registry import Wrap, defect, family, row
from reference_server.errors import REASONS, S3Error
from reference_server.frame import frame, request_ids
from reference_server.request import split_target
from reference_server.wire import Answer

if TYPE_CHECKING:
    from reference_server.wire import Body, Head

Wire = Callable[["Head", "Body"], Answer]

#: The largest body that `body-limit-413` lets through, in bytes.
LIMIT = 1024**2
_FOLLOWED = b"redirected=1"


def refusal(error: S3Error) -> Answer:
    """An error as the honest server writes it, for a request that does not get as far as that."""
    request_id, host_id = request_ids()
    document = error.document(request_id, host_id)
    headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(document))), *error.headers.items()]
    return Answer(error.status, frame(headers, (request_id, host_id)), document)


# What comes in


def asking(change: Callable[[Head], Head]) -> Wrap:
    """The request is changed before the server sees it."""
    return lambda inner: lambda head, body: inner(change(head), body)


def _encoding_rewritten(head: Head) -> Head:
    sent = head.headers.get("accept-encoding")
    return head if sent is None else replace(head, headers={**head.headers, "accept-encoding": f"{sent},gzip(gfe)"})


def _without_underscores(head: Head) -> Head:
    return replace(head, headers={name: value for name, value in head.headers.items() if "_" not in name})


def _slashes_merged(head: Head) -> Head:
    path, mark, query = head.target.partition(b"?")
    return replace(head, target=re.sub(rb"//+", b"/", path) + mark + query)


family(
    "wire",
    asking,
    {
        "accept-encoding-rewritten": row(
            "Accept-Encoding is rewritten before the signature is checked, so that signing it is fatal, as by Google "
            "Cloud Storage and Cloudflare (rclone/rclone#6670, supabase/storage#729).",
            _encoding_rewritten,
        ),
        "slashes-merged": row(
            "A proxy merges the slashes of a path, so that signatures of keys with an empty segment fail, as nginx "
            "does in front of MinIO (minio/minio-js#1344).",
            _slashes_merged,
        ),
        "underscore-headers-dropped": row(
            "Request headers with an underscore in their name never arrive, signed or not, as behind nginx by "
            "default (earth-mover/icechunk#2354).",
            _without_underscores,
        ),
    },
)


@defect(
    "continue-never-sent",
    "wire",
    "100 Continue is never sent, so that a client that waits for it is slow or hangs, as with fake-s3 "
    "(curtis0x/fake-s3#92).",
)
def _continue_never_sent(inner: Wire) -> Wire:
    def wire(head: Head, body: Body) -> Answer:
        body._expects_continue = False  # noqa: SLF001 - it has no public way to keep quiet
        return inner(head, body)

    return wire


@defect(
    "body-limit-413",
    "wire",
    "A body over 1 MiB is refused with 413 and without an S3 error, as a body limit in front of Auto Drive does at "
    "100 MB (autonomys/auto-drive@c29e3d5b).",
)
def _body_limit(inner: Wire) -> Wire:
    def wire(head: Head, body: Body) -> Answer:
        if int(head.headers.get("content-length", "0")) > LIMIT:
            return Answer(413, frame([("Content-Length", "0")]))
        return inner(head, body)

    return wire


@defect(
    "slow-down-429",
    "wire",
    "Every second request is told to slow down, with 429 where S3 has 503, as by Storj's Gateway-MT "
    "(storj/edge@d3e74da).",
)
def _slow_down(inner: Wire) -> Wire:
    numbers = itertools.count(1)

    def wire(head: Head, body: Body) -> Answer:
        if next(numbers) % 2:
            return inner(head, body)
        return refusal(S3Error("SlowDown", "Please reduce your request rate.", status=429))

    return wire


@defect(
    "redirect-307",
    "wire",
    "Requests for an object are redirected to another URL of the server, as AIStore's proxy does to its targets "
    "(NVIDIA/aistore@583e7729).",
)
def _redirect(inner: Wire) -> Wire:
    """The URL that is redirected to is served as if it were the first one, whose signature the client repeats."""

    def wire(head: Head, body: Body) -> Answer:
        path, query = split_target(head.target)
        bucket, _, key = path[1:].partition("/")
        names = query.split("&") if query else []
        followed = _FOLLOWED.decode()
        if followed in names:
            rest = "&".join(name for name in names if name != followed)
            return inner(replace(head, target=f"{path}{'?' if rest else ''}{rest}".encode("latin-1")), body)
        if not key:
            return inner(head, body)
        scheme = "https" if head.secure else "http"
        location = f"{scheme}://{head.headers.get('host', '')}{path}?{'&'.join([*names, followed])}"
        elements: dict[str, object] = {"Endpoint": location, "Bucket": bucket}
        return refusal(S3Error("TemporaryRedirect", "Redirect", elements, status=307, headers={"Location": location}))

    return wire


# What goes out


def answering(change: Callable[[Head, Answer], None]) -> Wrap:
    """The answer is changed in place before it leaves."""

    def wrap(inner: Wire) -> Wire:
        def wire(head: Head, body: Body) -> Answer:
            answer = inner(head, body)
            change(head, answer)
            return answer

        return wire

    return wrap


def _cut(_head: Head, answer: Answer) -> None:
    if not is_download(answer):
        return
    if isinstance(answer.body, bytes):
        answer.length, answer.body = len(answer.body), [answer.body]
    answer.body = _half(answer.body, (answer.length or 0) // 2)


def _half(chunks: Iterable[bytes], left: int) -> Iterator[bytes]:
    for chunk in chunks:
        if left > 0:
            yield chunk[:left]
        left -= len(chunk)


def _gzipped(head: Head, answer: Answer) -> None:
    encoded = any(name.lower() == "content-encoding" for name, _ in answer.headers)
    if head.method != "GET" or answer.status != 200 or not is_download(answer) or encoded:
        return
    if "gzip" not in head.headers.get("accept-encoding", ""):
        return
    whole = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    answer.body, answer.length = gzip.compress(whole), None
    without("content-length")(answer)
    answer.headers += [("Content-Encoding", "gzip"), ("Content-Length", str(len(answer.body)))]


def _head_with_body(head: Head, answer: Answer) -> None:
    answer.force_body = head.method == "HEAD" and answer.status >= 400


def _on_head(change: Callable[[Answer], None]) -> Callable[[Head, Answer], None]:
    return lambda head, answer: change(answer) if head.method == "HEAD" and is_download(answer) else None


def _on_304(name: str, value: str) -> Callable[[Head, Answer], None]:
    return lambda _, answer: answer.headers.append((name, value)) if answer.status == 304 else None


def _no_request_id(_head: Head, answer: Answer) -> None:
    without("x-amz-request-id", "x-amz-id-2")(answer)


def _closed_silently(_head: Head, answer: Answer) -> None:
    """As it would be sent, but for the header that announces the end of the connection."""
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    answer.raw, answer.close = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace"), True


family(
    "wire",
    answering,
    {
        "checksum-on-304": row(
            "304 Not Modified carries a checksum, which SDKs then hold against the missing body, as on R2 and "
            "Scaleway (earth-mover/icechunk#1991).",
            _on_304("x-amz-checksum-crc32", "AAAAAA=="),
        ),
        "connection-reset-mid-body": row(
            "A download ends half way although its whole length was promised, as with objects of AIStore that lost "
            "parts (mlcommons/storage#593).",
            _cut,
        ),
        "gzip-on-the-fly": row(
            "A download is compressed if the client accepts gzip, so that length and bytes are not the object's, as "
            "on R2 (rclone/rclone#8137).",
            _gzipped,
        ),
        "head-length-zero": row(
            "HEAD of an object says Content-Length: 0, as LocalStack and MinIO did (localstack/localstack#638, "
            "minio/minio#16232).",
            _on_head(header("content-length", lambda _: "0")),
        ),
        "head-with-body": row(
            "A refused HEAD is answered with the error document, which the next answer on the connection then "
            "follows, as Swift3 did (fujita/swift3#74).",
            _head_with_body,
        ),
        "head-without-length": row(
            "HEAD of an object does not say its length, as R2 behind Cloudflare's proxy (async-aws/aws#2077).",
            _on_head(without("content-length")),
        ),
        "keep-alive-dropped": row(
            "The connection is closed after every answer without an announcement, as Eucalyptus did after GET "
            "(Corymbia/eucalyptus#17).",
            _closed_silently,
        ),
        "length-zero-on-304": row(
            "304 Not Modified says Content-Length: 0 for an object that is not empty, as Supabase Storage did "
            "(supabase/storage#1419).",
            _on_304("Content-Length", "0"),
        ),
        "no-request-id": row(
            "Answers lack x-amz-request-id and x-amz-id-2, as Chimera's do (chimera-nas/chimera#477).",
            _no_request_id,
        ),
    },
)
