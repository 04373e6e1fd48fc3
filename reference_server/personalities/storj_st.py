"""Storj's Gateway-ST: nothing but what both gateways do, and the list of refusals in its TOML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reference_server.personalities import _storj

if TYPE_CHECKING:
    from reference_server.app import App


def wraps(app: App) -> Mapping[str, Callable[[Any], Any]]:
    """The seams that Gateway-ST has of its own."""
    return _storj.wraps(app, lambda _: {})
