"""Uploads in parts: whether there are any, their ETag, their sizes and numbers, and parts that are copied."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from typing import Any

from harness.clients.base import Observed
from harness.probe.context import Context, Finding, Undecided, bare, evidence, experiment, need, said
from harness.probe.knobs import BIG_PARTS, ENDLESS, PARTS

_FIRST = bytes(5 * 1024 * 1024)
"""A part of the smallest size that S3 takes for any part but the last."""
_LAST = b"the last part"
_MOST, _FEWER = 10_000, 1_000


@experiment("use_multipart_uploads", "use_multipart_etag", "min_chunk_size", "upload_limit")
def multipart(ctx: Context) -> Iterator[Finding]:
    """One upload of two parts."""
    target = {"Bucket": ctx.bucket, "Key": f"{ctx.prefix}parts"}
    made = ctx.call("CreateMultipartUpload", target)
    upload = _upload(made, target)
    if not upload:
        text = f"CreateMultipartUpload is answered {said(made)}{' without an UploadId' if made.ok else ''}."
        yield Finding("use_multipart_uploads", "false", text, (), evidence(made))
        raise Undecided("there are no uploads in parts")
    done = False
    try:
        done = yield from _two_parts(ctx, upload)
    finally:
        if not done:
            ctx.call("AbortMultipartUpload", upload)


def _upload(made: Observed, target: dict[str, str]) -> dict[str, Any]:
    upload_id = str(made.output.get("UploadId", ""))
    return target | {"UploadId": upload_id} if made.ok and upload_id else {}


def _two_parts(ctx: Context, upload: dict[str, Any]) -> Generator[Finding, None, bool]:
    """Yields findings; the generator's value says whether the upload was completed."""
    parts, answers = [], []
    for number, body in ((1, _FIRST), (2, _LAST)):
        part = ctx.call("UploadPart", upload | {"PartNumber": number, "Body": body})
        answers.append(part)
        if part.status == 413 and number == 1:
            text = f"A part of 5 MiB is answered {said(part)}, and so are all larger bodies."
            yield Finding("upload_limit", "5Mi", text, (), evidence(part))
            raise Undecided("no part of 5 MiB passes")
        if not part.ok:
            text = f"UploadPart is answered {said(part)}."
            yield Finding("use_multipart_uploads", "false", text, (), evidence(part))
            raise Undecided("parts cannot be uploaded")
        parts.append({"ETag": part.etag or "", "PartNumber": number})
    yield Finding("upload_limit", "none seen", "A part of 5 MiB passes.", (), evidence(*answers))
    complete = ctx.call("CompleteMultipartUpload", upload | {"MultipartUpload": {"Parts": parts}})
    if complete.code == "EntityTooSmall":
        text = "A first part of 5 MiB is answered EntityTooSmall; that 64 MiB are enough was not tried."
        yield Finding("min_chunk_size", BIG_PARTS, text, (), evidence(complete))
        yield Finding("use_multipart_uploads", "true", text, (), evidence(complete))
        raise Undecided("parts of 5 MiB are too small")
    yield from _completed(ctx, upload, complete)
    return complete.ok


def _completed(ctx: Context, upload: dict[str, Any], complete: Observed) -> Iterator[Finding]:
    head = ctx.call("HeadObject", {"Bucket": upload["Bucket"], "Key": upload["Key"]})
    if not complete.ok or not head.ok:
        what = f"is answered {said(complete)}" if not complete.ok else f"makes no object: HEAD is answered {said(head)}"
        text = f"CompleteMultipartUpload {what}."
        yield Finding("use_multipart_uploads", "false", text, (), evidence(complete, head))
        raise Undecided("uploads in parts cannot be completed")
    seen = evidence(complete, head)
    text = "An upload of two parts, the first of 5 MiB, is completed."
    yield Finding("use_multipart_uploads", "true", text, ("true", "false"), seen)
    yield Finding("min_chunk_size", PARTS, text, (PARTS, BIG_PARTS), seen)
    digests = b"".join(hashlib.md5(part).digest() for part in (_FIRST, _LAST))
    expected = f"{hashlib.md5(digests).hexdigest()}-2"
    if bare(head.etag) == expected:
        text = "The ETag of an upload in parts is the MD5 of their MD5s and their number."
        yield Finding("use_multipart_etag", "true", text, ("true", "false"), seen)
    else:
        text = "The ETag of an upload in parts is not the MD5 of their MD5s and their number."
        yield Finding("use_multipart_etag", "false", text, (), seen)


@experiment("copy_cutoff", "max_upload_parts")
def parts(ctx: Context) -> Iterator[Finding]:
    """A copied part and the part with the highest number, in an upload that is given up."""
    need(ctx.put("source", _LAST), "an upload")
    target = {"Bucket": ctx.bucket, "Key": f"{ctx.prefix}copied"}
    made = ctx.call("CreateMultipartUpload", target)
    upload = _upload(made, target)
    if not upload:
        text = f"There is no UploadPartCopy, since CreateMultipartUpload is answered {said(made)}."
        yield Finding("copy_cutoff", ENDLESS, text, (), evidence(made))
        raise Undecided("there are no uploads in parts")
    try:
        source = f"{ctx.bucket}/{ctx.prefix}source"
        yield _copied(ctx.call("UploadPartCopy", upload | {"PartNumber": 1, "CopySource": source}))
        yield _numbered(ctx, upload)
    finally:
        ctx.call("AbortMultipartUpload", upload)


def _copied(answer: Observed) -> Finding:
    result = answer.output.get("CopyPartResult")
    if answer.ok and isinstance(result, dict) and result.get("ETag"):
        text = "UploadPartCopy answers the ETag of the part that it copied."
        return Finding("copy_cutoff", "4.656Gi", text, ("4.656Gi", ENDLESS), evidence(answer))
    what = "without CopyPartResult" if answer.ok else ""
    text = (
        f"UploadPartCopy is answered {said(answer)} {what}".rstrip()
        + ": large objects can be copied in one piece only."
    )
    return Finding("copy_cutoff", ENDLESS, text, (), evidence(answer))


def _numbered(ctx: Context, upload: dict[str, Any]) -> Finding:
    highest = ctx.call("UploadPart", upload | {"PartNumber": _MOST, "Body": b"x"})
    if highest.ok:
        return Finding("max_upload_parts", str(_MOST), f"Part number {_MOST} is accepted.", (), evidence(highest))
    lower = ctx.call("UploadPart", upload | {"PartNumber": _FEWER, "Body": b"x"})
    if not lower.ok:
        raise Undecided(f"part number {_MOST} is answered {said(highest)}, and {_FEWER} {said(lower)}")
    text = f"Part number {_MOST} is answered {said(highest)}, {_FEWER} is accepted."
    return Finding("max_upload_parts", str(_FEWER), text, (), evidence(highest, lower))
