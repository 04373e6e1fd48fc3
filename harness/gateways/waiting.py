"""Waiting for a gateway: until it answers, takes connections, or has made a file; always bounded."""

from __future__ import annotations

import http.client
import os
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from harness.errors import EndpointError
from harness.limit import OutOfTime, limit

_TRY_SECONDS = 2.0
_TICK = 0.1


def until(wait: str, seconds: float, look: Callable[[], None]) -> None:
    """Wait until something is there. Not to be called below another `limit`.

    Args:
        wait: a URL that is answered with a status below 500, `tcp://` with an address that takes connections, or
            `file://` with the path of a file.
        seconds: how long, whatever the other side does.
        look: is called between two tries; raises what ends the wait.

    Raises:
        EndpointError: it did not come in time.
    """
    seen = "no answer"
    try:
        with limit(seconds):
            while seen := _unready(wait):
                look()
                time.sleep(_TICK)
    except OutOfTime:
        raise EndpointError(f"{wait} is not there after {seconds:g} s: {seen}") from None


def _unready(wait: str) -> str:
    """What is there instead, "" as soon as it is there."""
    parts = urlsplit(wait)
    if parts.scheme == "file":
        return "" if os.path.lexists(parts.path) else "no such file"
    address = parts.hostname or "", parts.port or 0
    try:
        if parts.scheme == "tcp":
            socket.create_connection(address, _TRY_SECONDS).close()
            return ""
        status = _status(*address, parts.path or "/")
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    return "" if status < 500 else f"status {status}"


def _status(host: str, port: int, path: str) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=_TRY_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()
