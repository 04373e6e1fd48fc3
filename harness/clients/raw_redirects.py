"""Redirects to another port of the same endpoint, which a gateway may document: where to, and the request for there."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from harness.wire.exchange import Exchange
from harness.wire.http1 import Origin, same_host


def onward(exchange: Exchange, origin: Origin, follow: Collection[int]) -> str | None:
    """The URL that an answer sends its request on to, or None if it is not to be followed.

    Args:
        exchange: request and answer.
        origin: the endpoint; only other ports of its host are followed, since credentials go along. All names of this
            machine's own are one host.
        follow: statuses that are followed.
    """
    if exchange.status not in follow:
        return None
    url = next((value for name, value in exchange.response_headers if name.lower() == "location"), "")
    try:
        parts = urlsplit(url)
        same = parts.scheme == origin.scheme and same_host(parts.hostname or "", origin.host) and parts.username is None
        known = parts.port is None or parts.port > 0
    except ValueError:
        return None
    readable = url.isascii() and url.isprintable() and " " not in url
    return url if same and known and readable and not parts.fragment else None


def repeated(exchange: Exchange, request: bytes, url: str) -> tuple[Exchange, bytes]:
    """The same request for another URL: target and Host are those of the URL, as it stands, and nothing else changes.

    Args:
        exchange: what is known of the request that was sent on.
        request: its bytes.
        url: where to.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    authority = Origin.of(url).authority
    head, end, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    sent = [b" ".join((first.partition(b" ")[0], target.encode(), first.rpartition(b" ")[2]))]
    for line in lines:
        name = line.partition(b":")[0]
        sent.append(name + b": " + authority.encode() if name.lower() == b"host" else line)
    headers = [(name, authority if name.lower() == "host" else value) for name, value in exchange.request_headers]
    again = Exchange(exchange.method, f"{parts.scheme}://{authority}{target}", headers, exchange.request_body)
    return again, b"\r\n".join(sent) + end + body
