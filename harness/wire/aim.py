"""Where the requests on one connection of the wiretap are aimed, told from what the client writes.

A client that knows of the tap as a proxy writes whole URLs, or a host in CONNECT. One that takes the tap for the
endpoint writes the tap's own port, which stands for a port of the endpoint, and is told of such ports in turn.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from harness.wire.framing import Head
    from harness.wire.http1 import Origin

OWN_NAMES = ("127.0.0.1", "localhost", "host.docker.internal")
"""What clients that speak to the tap itself may call this machine; the last from within a container."""
_LOCATION = re.compile(rb"(?im)^(location:[^/\r\n]*//[^/?#\r\n]*?)(:\d+)?(?=[/?#\r\n])")
"""The header line of a redirect up to its port."""


class Known(Protocol):
    """What is to be known of the wiretap here."""

    origin: Origin

    def is_endpoint(self, host: str, port: int, scheme: str) -> bool:
        """Whether that is the endpoint, or a bucket as a host below it."""
        ...

    def door(self, port: int) -> int | None:
        """The tap's own port that stands for a port of the endpoint, None if it can have none."""
        ...


class Aim(NamedTuple):
    """Where a request is to go: host and port that the client means, the URL that shows it, the target to send."""

    host: str
    port: int
    url: str
    target: str


class Aims:
    """What the addresses on one connection mean.

    Args:
        tap: the wiretap.
        own: the tap's port that the client connected to.
        meant: the port of the endpoint that it stands for.
    """

    def __init__(self, tap: Known, own: int, meant: int) -> None:
        self._tap = tap
        self._own = tuple(f"{name}:{own}" for name in OWN_NAMES)
        origin = tap.origin
        self._authority = origin.authority if meant == origin.port else f"{origin.host}:{meant}"

    def url(self, head: Head, target: str, scheme: str, *, tunnelled: bool) -> str:
        """The URL of a request: its target, or what that stands for in a tunnel, or to the tap as the endpoint."""
        if not target.startswith("/"):
            return target
        host = next(iter(head.get("host")), "")
        for own in () if tunnelled else self._own:
            if host == own or host.endswith(f".{own}"):
                host = host.removesuffix(own) + self._authority
        return f"{scheme}://{host}{target}"

    def of(self, url: str) -> Aim | None:
        """What a URL is aimed at, None if that is not the endpoint."""
        try:
            parts = urlsplit(url)
            port, host = parts.port or (443 if parts.scheme == "https" else 80), parts.hostname or ""
        except ValueError:
            return None
        if "@" in parts.netloc or not self._tap.is_endpoint(host, port, parts.scheme):
            return None
        target = re.sub(r"^[^:/]*://[^/?#]*", "", url)
        return Aim(host, port, url, target if target.startswith("/") else f"/{target}")

    def led_here(self, head: Head) -> bytes:
        """The head of an answer for a client that takes the tap for the endpoint.

        A redirect within the endpoint, to a name of this machine, leads to the tap's own port for it.
        """
        aim = self.of(next(iter(head.get("location")), ""))
        port = self._tap.door(aim.port) if aim is not None and aim.host in OWN_NAMES else None
        return head.raw if port is None else _LOCATION.sub(rb"\1:%d" % port, head.raw, count=1)
