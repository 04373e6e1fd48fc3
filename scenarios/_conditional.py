"""What conditional reads and writes share: ETags to hold against objects, and the refusals they come to."""

from __future__ import annotations

from typing import Any

from harness.expect import Matcher, refused
from harness.scene import Scene
from harness.signals import Prerequisite

STALE = '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"'
"""An ETag that no object here has."""


def put_for_etag(s3: Scene, key: str, content: bytes, **params: Any) -> str:
    """An object stored to prepare the scene; its ETag as the endpoint says it (that it is an MD5 is ETAG-001)."""
    stored = s3.put(key, content, **params)
    if not stored.etag:
        raise Prerequisite(stored)
    return stored.etag


def failed(condition: str) -> Matcher:
    """412 PreconditionFailed that names the condition."""
    return refused(412, "PreconditionFailed", fields={"Condition": condition})


def not_implemented(header: str) -> Matcher:
    """501 NotImplemented that names the header."""
    return refused(501, "NotImplemented", fields={"Header": header})
