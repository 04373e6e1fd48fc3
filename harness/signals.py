"""How a scenario ends when its statement is not shown to hold: one signal for each reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.clients.base import Observed


class Mismatch(Exception):
    """An expectation was not met: what was expected, what was observed, and the call that showed it."""

    def __init__(self, expected: str, found: str, observed: Observed | None = None) -> None:
        super().__init__(f"expected {expected}; {found}")
        self.expected = expected
        self.found = found
        self.observed = observed


class Prerequisite(Exception):
    """A step that only prepares the scene failed; the statement could not be checked."""

    def __init__(self, observed: Observed) -> None:
        super().__init__(f"prerequisite {observed.operation} failed: {observed.summary()}")
        self.observed = observed


class Inexpressible(Exception):
    """The client has no way to say this, or does not show what was asked for; the text says which."""


class ClientFault(Exception):
    """The client itself broke before it spoke to the endpoint: a crash, a missing library, a name that is not found.

    Never charged to the endpoint; the text says what happened.
    """
