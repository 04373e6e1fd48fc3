"""The headers that every answer has (catalogue GET-036, LINT-030)."""

from __future__ import annotations

import base64
import os
import time

from reference_server.codec import http_time

SERVER = "s3conform"


def request_ids() -> tuple[str, str]:
    """A new request id and host id."""
    raw = os.urandom(56)
    return raw[:8].hex().upper(), base64.b64encode(raw).decode()


def frame(headers: list[tuple[str, str]], ids: tuple[str, str] | None = None) -> list[tuple[str, str]]:
    """The headers of an answer between those that every answer has."""
    request_id, host_id = ids or request_ids()
    return [
        ("x-amz-id-2", host_id),
        ("x-amz-request-id", request_id),
        ("Date", http_time(int(time.time()))),
        *headers,
        ("Server", SERVER),
    ]
