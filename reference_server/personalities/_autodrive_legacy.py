"""An object that Auto Drive stored before it kept MD5s: the only thing known of its content is its CID.

Such an object has no ETag, and its CID stands in listings where others have theirs. It was stored before there were
buckets, too, under a key of one segment, which is in the bucket `default` by now. Source: "Auto Drive S3 Layer Guide",
sections 2 and 4; claims `ad.legacy.*` and `ad.bucket.legacy_default`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reference_server.objects import StoredObject
from reference_server.personalities._autodrive_cid import cid_of
from reference_server.personalities._autodrive_requests import DEFAULT

if TYPE_CHECKING:
    from reference_server.app import App
    from reference_server.auth import Account

#: Key and content of the object.
KEY, CONTENT = "stored-before-md5", b"stored before there were MD5s, and before there were buckets"


def preload(app: App, owner: Account, settings: Mapping[str, Any]) -> str:
    """Store the object unless its key is taken; where it is, as BUCKET/KEY.

    Args:
        app: the application.
        owner: of the bucket, if it is not there yet.
        settings: likewise of the bucket.
    """
    bucket = app.store.bucket(DEFAULT) or app.store.create_bucket(DEFAULT, owner.id, settings)[0]
    if app.objects.newest(bucket, KEY) is None:
        writer = app.store.blobs.writer()
        writer.write(CONTENT)
        cid = cid_of([CONTENT])
        kept = {"Metadata": {"cid": cid}}
        stored = StoredObject(KEY, len(CONTENT), cid, app.store.now(), attributes=kept)
        app.objects.put(bucket, stored, writer.finish(), lambda _: None)
    return f"{DEFAULT}/{KEY}"
