"""Reading objects: HEAD, compression on the way, what is signed, and what a copy asks for."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from harness.clients.base import Observed
from harness.probe.context import (
    MD5_SHAPE,
    Context,
    Finding,
    Undecided,
    bare,
    evidence,
    experiment,
    md5,
    need,
    read,
    said,
    same,
)
from harness.record import NOTHING

_TEXT = b"The same line again and again, which is what compression likes.\n" * 800
"""About 50 kB: smaller bodies are left alone by proxies that compress."""
_GZIP = ("Accept-Encoding", "gzip")
_BOTH = ("true", "false")


@experiment("v2_auth", "use_presigned_request", "etag_is_not_md5", "no_head", "no_head_object", "head_missing")
def heads(ctx: Context) -> Iterator[Finding]:
    """An object as HEAD shows it, and a key that is not there."""
    put = need(ctx.put("t", _TEXT), "an upload")
    signed = "Requests that are signed in their headers with version 4 are accepted."
    yield Finding("v2_auth", "false", signed, (), evidence(put))
    yield Finding("use_presigned_request", "false", signed, (), evidence(put))
    head = ctx.object("HeadObject", "HEAD", "t")
    yield from _head(ctx, head)
    missing = ctx.object("HeadObject", "HEAD", "missing")
    if not missing.failure:
        text = f"HEAD of a key that is not there is answered {missing.status}."
        yield Finding("head_missing", str(missing.status), text, (), evidence(missing))
    etag = bare((head if head.ok else put).etag)
    if etag == md5(_TEXT):
        yield Finding("etag_is_not_md5", "false", "The ETag of an upload is its MD5.", (), evidence(put, head))
        return
    harmful = MD5_SHAPE.fullmatch(etag) is not None
    text = "The ETag of an upload looks like an MD5 but is not its own." if harmful else "The ETag is no MD5."
    yield Finding("etag_is_not_md5", "true", text, ("true",) if harmful else ("true", "false"), evidence(put, head))


def _head(ctx: Context, head: Observed) -> Iterator[Finding]:
    length = (head.headers or {}).get("content-length")
    if head.ok and length == str(len(_TEXT)):
        text = "HEAD of an object is answered with its length."
        works: tuple[str, ...] = ("false", "true")
        seen = evidence(head)
    else:
        get = need(ctx.get("t"), "a download")
        how = (
            f"is answered {said(head)}" if not head.ok else f"says {f'length {length[:20]}' if length else 'no length'}"
        )
        text = f"HEAD of an object of {len(_TEXT)} bytes {how}, GET gives it."
        works, seen = ("true",), evidence(head, get)
    yield Finding("no_head", works[0], text, works, seen)
    yield Finding("no_head_object", works[0], text, works, seen)


@experiment("use_x_id")
def x_id(ctx: Context) -> Iterator[Finding]:
    """A download with the parameter that names its operation, which newer SDKs add to every URL."""
    body = b"x-id"
    need(ctx.put("x", body), "an upload")
    got = ctx.get("x", query="x-id=GetObject")
    if same(got, body):
        yield Finding(
            "use_x_id", "true", "A download with x-id=GetObject is answered as one without.", _BOTH, evidence(got)
        )
        return
    without = ctx.get("x")
    if not same(without, body):
        raise Undecided(f"a download is answered {read(without)}")
    text = f"A download with x-id=GetObject is answered {read(got)}, one without it does well."
    yield Finding("use_x_id", "false", text, (), evidence(got, without))


@experiment("sign_accept_encoding", "use_accept_encoding_gzip", "might_gzip")
def accept_encoding(ctx: Context) -> Iterator[Finding]:
    """Accept-Encoding as a signed header of reads and writes: proxies rewrite it, and some compress because of it."""
    need(ctx.put("z", _TEXT), "an upload")
    signed = ctx.get("z", [_GZIP])
    written = ctx.put("y", _TEXT[:100], [_GZIP])
    if signed.ok and written.ok:
        text = "Reads and writes that sign Accept-Encoding are accepted."
        yield Finding("sign_accept_encoding", "true", text, _BOTH, evidence(signed, written))
        yield Finding("use_accept_encoding_gzip", "true", text, _BOTH, evidence(signed))
        yield _gzip(signed)
        return
    failed, verb = (written, "write") if signed.ok else (signed, "read")
    loose = ctx.get("z", unsigned=[_GZIP])
    if loose.ok:
        text = f"A {verb} that signs Accept-Encoding is answered {said(failed)}; unsigned it is accepted."
        yield Finding("sign_accept_encoding", "false", text, (), evidence(failed, loose))
        yield Finding("use_accept_encoding_gzip", "true", text, _BOTH, evidence(loose))
        yield _gzip(loose)
        return
    need(ctx.get("z"), "a download")
    text = f"Reads with Accept-Encoding: gzip are answered {said(failed)}, signed and not; without it they do well."
    yield Finding("sign_accept_encoding", "false", text, (), evidence(failed, loose))
    yield Finding("use_accept_encoding_gzip", "false", text, (), evidence(failed, loose))
    raise Undecided("downloads that accept gzip are refused")


def _gzip(got: Observed) -> Finding:
    coding = (got.headers or {}).get("content-encoding", "")
    if same(got, _TEXT) and "gzip" not in coding:
        text = "50 kB of text come as they are to a client that accepts gzip."
        return Finding("might_gzip", "false", text, ("false", "true"), evidence(got))
    text = "50 kB of text come compressed to a client that accepts gzip."
    return Finding("might_gzip", "true", text, (), evidence(got))


@experiment("decompress")
def stored_gzip(ctx: Context) -> Iterator[Finding]:
    """An object that was stored compressed, and says so."""
    body = gzip.compress(_TEXT[:1000], mtime=0)
    put = need(ctx.put("g", body, [("Content-Encoding", "gzip")]), "an upload with Content-Encoding: gzip")
    got = need(ctx.get("g"), "a download")
    if same(got, body):
        text = "An object stored with Content-Encoding: gzip comes back byte by byte; to decompress it is your choice."
        yield Finding("decompress", "false", text, ("false", "true"), evidence(put, got))
        return
    text = "An object stored with Content-Encoding: gzip does not come back as it was stored."
    yield Finding("decompress", NOTHING, text, (), evidence(put, got))


@experiment("copy_props")
def tagging(ctx: Context) -> Iterator[Finding]:
    """The tags of an object that has none, which a copy by AWS CLI v2 asks for."""
    need(ctx.put("n/e/sted", b"tags"), "an upload")
    answer = ctx.object("GetObjectTagging", "GET", "n/e/sted", query="tagging=")
    there = answer.ok and answer.document is not None and answer.document.tag == "Tagging"
    if there:
        text = "GetObjectTagging answers an object's tags."
        yield Finding("copy_props", "default", text, ("default", "metadata-directive"), evidence(answer))
        return
    what = "with something else" if answer.ok else said(answer)
    text = f"GetObjectTagging is answered {what}: copies of large objects fail unless they leave tags out."
    yield Finding("copy_props", "metadata-directive", text, (), evidence(answer))
