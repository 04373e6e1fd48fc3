"""Auto Drive's S3 layer in the days of its guide: c29e3d5b of autonomys/auto-drive, 2026-06-01.

The guide is "Auto Drive S3 Layer Guide"; where the service's source answers otherwise than the guide says, the source
is followed, since that is what clients met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server import access
from reference_server.personalities import _autodrive_listing as listing
from reference_server.personalities import _autodrive_objects as objects
from reference_server.personalities._autodrive_legacy import preload
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


def legacy(app: App) -> str:
    """Keep an object from before there were MD5s, unless it is there, and say where: no request can make one."""
    return preload(app, EVERYONE, access.NEW_BUCKET)
