"""`{name}` in the texts of a description: which there are, and what stands for them."""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from harness.errors import UsageError, unknown
from harness.offline import invented

if TYPE_CHECKING:
    from harness.gateways.description import Gateway

_PLACEHOLDER = re.compile(r"\{(\{[a-z][a-z0-9_]*\})\}|\{([a-z][a-z0-9_]*)\}")
"""A placeholder, or one in double braces that stands for itself; braces around anything else are text."""
NAME = re.compile(r"[a-z][a-z0-9_]*")
"""What a placeholder can be called."""


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with all placeholders replaced; `{{name}}` becomes `{name}`.

    Raises:
        UsageError: one has no value.
    """

    def one(found: re.Match[str]) -> str:
        literal, name = found.groups()
        if literal:
            return str(literal)
        if name not in values:
            raise UsageError(f"{{{name}}} has no value here")
        return values[name]

    return _PLACEHOLDER.sub(one, text)


def check(texts: Iterable[str], known: Iterable[str], where: str) -> None:
    """All placeholders of the texts are known ones.

    Raises:
        UsageError: one is not.
    """
    valid = set(known)
    for text in texts:
        for found in _PLACEHOLDER.finditer(text):
            if found[2] and found[2] not in valid:
                raise UsageError(f"{where}: {unknown('placeholder', found[2], valid)}")


def first_values(gateway: Gateway) -> dict[str, str]:
    """What stands for the placeholders before anything is started, but for the folder and the jar."""
    first, second, _ = invented()
    one, two = gateway.credentials, gateway.second
    wanted = ["port", *gateway.ports]
    return {
        "user": getpass.getuser(),
        "region": gateway.region,
        "access_key": one.access_key or first.access_key,
        "secret_key": one.secret_key or first.secret_key,
        "second_access_key": (two.access_key if two else "") or second.access_key,
        "second_secret_key": (two.secret_key if two else "") or second.secret_key,
        **dict(zip(wanted, map(str, _free_ports(len(wanted))), strict=True)),
    }


def _free_ports(count: int) -> list[int]:
    """Different ports of the loopback address that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
