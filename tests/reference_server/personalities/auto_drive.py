"""Steps that the tests of Auto Drive share."""

from __future__ import annotations

import hashlib

from tests.reference_server.conftest import Raw, Reply


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def listed(raw: Raw, bucket: str, query: str = "") -> Reply:
    reply = raw("GET", f"/{bucket}?list-type=2{query}")
    assert reply.status == 200
    return reply
