"""Buckets: made twice, with versions, with Object Lock."""

from __future__ import annotations

from collections.abc import Iterator

from harness.clients.base import Observed
from harness.probe.context import Context, Finding, Undecided, evidence, experiment, listed, need, said
from harness.record import NOTHING, UNKNOWN
from harness.sandbox import creation

_ALONE = "only the bucket given may be used, and it is left as it is"
_FORBIDDEN = (401, 403, 405, 501)
_KEY, _PREFIX = "key", "ke"
_BODIES = (b"1", b"22", b"333")
"""Contents of three versions, which a listing tells apart by their sizes."""


@experiment("no_check_bucket", "use_already_exists", bucket=False)
def buckets(ctx: Context) -> Iterator[Finding]:
    """A bucket of one's own, made a second time: rclone does so before many uploads."""
    if ctx.sandbox.confined:
        raise Undecided(_ALONE)
    if ctx.refused is not None:
        if ctx.refused.status in _FORBIDDEN:
            text = f"CreateBucket is answered {said(ctx.refused)}."
            yield Finding("no_check_bucket", "true", text, exchanges=evidence(ctx.refused))
        raise Undecided(f"no bucket could be made ({said(ctx.refused)})")
    again = ctx.call("CreateBucket", creation(ctx.bucket, ctx.endpoint.region))
    text = f"CreateBucket of one's own bucket is answered {said(again)}."
    if again.ok or again.code == "BucketAlreadyOwnedByYou":
        yield Finding("use_already_exists", "true", text, ("true", "false"), evidence(again))
    elif again.code == "BucketAlreadyExists":
        yield Finding("use_already_exists", "false", text, (), evidence(again))
    else:
        yield Finding("use_already_exists", NOTHING, text, (), evidence(again))
        yield Finding("no_check_bucket", "true", text, (), evidence(again))
        return
    yield Finding("no_check_bucket", "false", "Buckets can be made.", ("false", "true"), evidence(again))


@experiment("object_lock_supported")
def object_lock(ctx: Context) -> Iterator[Finding]:
    """The lock settings of a bucket that has none, whose error code shows whether there is such a thing."""
    answer = ctx.call("GetObjectLockConfiguration", {"Bucket": ctx.bucket})
    text = f"GetObjectLockConfiguration is answered {said(answer)}."
    if not answer.ok and not answer.code and answer.status == 404:
        raise Undecided("GetObjectLockConfiguration is answered 404 without an error code")
    there = answer.code == "ObjectLockConfigurationNotFoundError" or (
        answer.ok and answer.document is not None and answer.document.tag == "ObjectLockConfiguration"
    )
    if answer.ok and not there:
        text = "GetObjectLockConfiguration is answered with something else."
    yield Finding("object_lock_supported", "true" if there else "false", text, ("true", "false"), evidence(answer))


@experiment("versioning", "list_versions_oldest_first")
def versions(ctx: Context) -> Iterator[Finding]:
    """Three versions of a key in a bucket of their own, listed, and removed one by one."""
    if ctx.sandbox.confined:
        raise Undecided(_ALONE)
    bucket, refused = ctx.fresh()
    if refused is not None:
        raise Undecided(f"a second bucket is answered {said(refused)}")
    enabled = ctx.call("PutBucketVersioning", {"Bucket": bucket, "VersioningConfiguration": {"Status": "Enabled"}})
    if not enabled.ok:
        yield Finding("versioning", "no", f"PutBucketVersioning is answered {said(enabled)}.", (), evidence(enabled))
        raise Undecided("there are no versions")
    puts: list[Observed] = []
    listing = None
    try:
        puts.extend(ctx.call("PutObject", {"Bucket": bucket, "Key": _KEY, "Body": body}) for body in _BODIES)
        for put in puts:
            need(put, "an upload")
        listing = ctx.call("ListObjectVersions", {"Bucket": bucket, "Prefix": _PREFIX})
        yield from _versions(listing)
    finally:
        _remove(ctx, bucket, [*puts, *([listing] if listing else [])])


def _versions(listing: Observed) -> Iterator[Finding]:
    found = listing.output.get("Versions", []) if listing.ok else []
    sizes = [entry.get("Size") for entry in found]
    if sorted(map(str, sizes)) != ["1", "2", "3"]:
        what = (
            f"is answered {said(listing)}" if not listing.ok else f"shows versions of {listed(map(str, sizes))} bytes"
        )
        yield Finding("versioning", "no", f"ListObjectVersions of three versions {what}.", (), evidence(listing))
        raise Undecided("versions are not listed")
    yield Finding("versioning", "yes", "Three versions of a key are kept and listed.", (), evidence(listing))
    order = {(3, 2, 1): "false", (1, 2, 3): "true"}.get(tuple(sizes))
    if order is None:
        yield Finding("list_versions_oldest_first", UNKNOWN, "Versions come in no order.", (), evidence(listing))
        return
    text = f"Versions come from the {'oldest to the newest' if order == 'true' else 'newest to the oldest'}."
    yield Finding("list_versions_oldest_first", order, text, (), evidence(listing))


def _remove(ctx: Context, bucket: str, answers: list[Observed]) -> None:
    """Delete every version that is known of, so that the bucket can be deleted."""
    ids = [answer.output.get("VersionId") for answer in answers]
    ids += [entry.get("VersionId") for answer in answers for entry in answer.output.get("Versions", [])]
    for version in dict.fromkeys(str(one) for one in ids if one):
        ctx.call("DeleteObject", {"Bucket": bucket, "Key": _KEY, "VersionId": version})
