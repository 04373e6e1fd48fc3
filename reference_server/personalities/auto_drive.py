"""Auto Drive's S3 layer in the days of its guide: c29e3d5b of autonomys/auto-drive, 2026-06-01.

The guide is "Auto Drive S3 Layer Guide"; where the service's source answers otherwise than the guide says, the source
is followed, since that is what clients met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server import access
from reference_server.objects import StoredObject
from reference_server.personalities import _autodrive_listing as listing
from reference_server.personalities import _autodrive_objects as objects
from reference_server.personalities._autodrive_cid import cid_of
from reference_server.personalities._autodrive_requests import GUIDE
from reference_server.personalities._autodrive_seams import EVERYONE, seams

if TYPE_CHECKING:
    from reference_server.app import App
    from reference_server.call import Call, Handler, Result


def wraps(app: App) -> Mapping[str, Callable[[Any], Any]]:
    """The gateway's functions of the seams."""
    return seams(app, GUIDE, handlers, shared=True)


def handlers(inner: Callable[[Call], Result]) -> Mapping[str, Handler]:
    """The operations that it has."""
    listings = {"ListBuckets": listing.list_buckets, "ListObjectsV2": listing.list_objects_v2}
    return {**objects.Operations(inner).handlers(), **listings}


def preload(app: App, bucket: str, key: str, content: bytes) -> str:
    """Store a legacy object, as from before MD5s were kept: the only thing known of it is its CID, which is returned.

    No request can make one. Its CID stands where other objects have their ETag, so that listings show it.
    """
    writer = app.store.blobs.writer()
    writer.write(content)
    cid = cid_of([content])
    found, _ = app.store.create_bucket(bucket, EVERYONE.id, access.NEW_BUCKET)
    kept = {"ContentType": "application/octet-stream", "Metadata": {"cid": cid}}
    stored = StoredObject(key, len(content), cid, app.store.now(), attributes=kept)
    app.objects.put(found, stored, writer.finish(), objects.any_object)
    return cid
