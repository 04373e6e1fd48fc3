"""Auto Drive's listings, with the functions that it publishes for them (`building_blocks`).

Source: autonomys/auto-drive at c29e3d5b, apps/backend/src/app/controllers/s3/s3.ts; claims `ad.list_*`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

from reference_server.building_blocks import (
    ListObjectsParams,
    S3ObjectListing,
    compute_list_objects_db_limit,
    decode_token,
    encode_token,
    finalize_list_objects,
    format_etag,
)
from reference_server.codec import iso_time
from reference_server.personalities._autodrive_answers import result

if TYPE_CHECKING:
    from reference_server.call import Call, Result
    from reference_server.store import Bucket


def list_buckets(call: Call) -> Result:
    """ListBuckets: all that something was written to; an upload alone makes none."""
    written = [bucket for bucket in call.store.buckets(call.account.id) if _has_objects(call, bucket)]
    entries = [{"Name": bucket.name, "CreationDate": iso_time(bucket.created)} for bucket in written]
    return result("ListAllMyBucketsResult", {"Buckets": {"Bucket": entries}})


def _has_objects(call: Call, bucket: Bucket) -> bool:
    with call.store.lock:
        return next(call.objects.rows(bucket, b"", inclusive=True), None) is not None


def list_objects_v2(call: Call) -> Result:
    """ListObjectsV2: one page of a bucket, which need not exist."""
    return result("ListBucketResult", page(call))


def page(call: Call) -> dict[str, Any]:
    """One page, as elements in the order of the document."""
    query = call.request.parameters
    params = ListObjectsParams(
        *(call.request.bucket or "", query.get("prefix", ""), query.get("delimiter"), int(query["max-keys"])),
        _token(query.get("continuation-token", "")),
    )
    limit = compute_list_objects_db_limit(params.max_keys, params.delimiter)
    found = finalize_list_objects(params, _rows(call, params, limit), limit)
    more = found.next_continuation_token
    return {
        "Name": found.name,
        "Prefix": found.prefix,
        "MaxKeys": found.max_keys,
        "KeyCount": len(found.objects) + len(found.common_prefixes),
        "IsTruncated": found.is_truncated,
        **({"NextContinuationToken": more} if more else {}),
        "Contents": [_entry(row) for row in found.objects],
        "CommonPrefixes": [{"Prefix": prefix} for prefix in found.common_prefixes],
    }


def _entry(row: S3ObjectListing) -> dict[str, Any]:
    modified = f"{row.last_modified:%Y-%m-%dT%H:%M:%S}.000Z"
    return {"Key": row.key, "Size": row.size, "LastModified": modified, "ETag": row.etag}


def _rows(call: Call, params: ListObjectsParams, limit: int) -> list[S3ObjectListing]:
    """What storage has behind the token, see `building_blocks`."""
    bucket = call.store.bucket(params.bucket)
    if bucket is None or bucket.owner != call.account.id:
        return []
    prefix, behind = params.prefix.encode(), decode_token(params.continuation_token or "").encode()
    with call.store.lock:
        rows = call.objects.rows(bucket, max(prefix, behind), inclusive=not behind or behind < prefix)
        wanted = [*islice(takewhile(lambda row: row[0].startswith(prefix), rows), limit)]
    return [
        S3ObjectListing(key.decode(), size, datetime.fromtimestamp(modified, UTC), format_etag(etag))
        for key, size, etag, modified, *_ in wanted
    ]


def _token(text: str) -> str:
    """A token as sent; one that was never given out is taken for a key."""
    try:
        decode_token(text)
    except ValueError:
        return encode_token(text)
    return text
