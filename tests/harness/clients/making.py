"""Clients for the tests, each with a wiretap of its own that is closed with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.clients import INPROCESS, choice, make
from harness.record import ClientInfo
from harness.wire.wiretap import Wiretap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.config import Endpoint


def info(name: str) -> ClientInfo:
    """A client as it is here; skips the test where it is not."""
    if name in INPROCESS:
        return ClientInfo(name, "0", "inprocess")
    (found,) = choice.choose([name], [], "local", lambda _: None)
    if found.missing:
        pytest.skip(found.missing)
    return found


def opened(
    name: str, endpoint: Endpoint, settings: Mapping[str, str] | None = None, *, program: str = "", version: str = "1.0"
) -> Any:
    """A client of the endpoint: the one that is here, or another `program` in its place."""
    chosen = ClientInfo(name, version, "local", program=program) if program else info(name)
    tap = Wiretap(endpoint)
    client: Any = make(chosen, endpoint, settings or {}, tap)
    close = client.close

    def both() -> None:
        close()
        tap.close()

    client.close = both
    return client
