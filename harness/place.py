"""An endpoint while cells run against it: who asks it beside the client under test, and what all of them witnessed."""

from __future__ import annotations

import functools

import msgspec

from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.lint import Witnessed
from harness.wire.redact import Redactor
from harness.wire.tape import Recorded
from harness.wire.wiretap import Wiretap

_LINTED = 400
"""Exchanges of a cell that the rules look at."""
_HELD = 32 * 1024 * 1024
"""Bytes of bodies that are held for the rules, in a cell; exchanges that come later are judged without theirs."""


class Place:
    """An endpoint with its witness, and its wiretap as soon as a client needs one.

    A run has one, and a second where the bundled server is judged over http and https.

    Args:
        endpoint: the endpoint.
        redactor: is told of every exchange, since an endpoint may repeat later what signed an earlier request.
    """

    def __init__(self, endpoint: Endpoint, redactor: Redactor) -> None:
        self.endpoint = endpoint
        self._redactor = redactor
        self.witnessed: list[Witnessed] = []
        self._held = 0
        self.sender = ""
        self.witness = RawClient(endpoint)
        self.witness.taken = self._said
        self.stranger: RawClient | None = None
        if endpoint.second is not None:
            self.stranger = RawClient(msgspec.structs.replace(endpoint, credentials=endpoint.second))
            self.stranger.taken = self._said

    @functools.cached_property
    def tap(self) -> Wiretap:
        """What records the clients; their calls never overlap."""
        tap = Wiretap(self.endpoint)
        tap.taken = self._passed
        return tap

    def begin(self, sender: str) -> None:
        """Forget what was witnessed; what comes from now on belongs to a cell of this column."""
        self.witnessed.clear()
        self._held = 0
        self.sender = sender

    def _said(self, record: Recorded, deliberate: bool) -> None:
        self._take(record, "raw", deliberate=deliberate)

    def _passed(self, records: list[Recorded], crowded: bool) -> None:
        for record in records:
            self._take(record, self.sender, crowded=crowded)

    def _take(self, record: Recorded, sender: str, *, deliberate: bool = False, crowded: bool = False) -> None:
        """Keep an exchange for the rules, of a cell with very many the first ones; a website is no S3."""
        self._redactor.learn([record.exchange])
        if len(self.witnessed) < _LINTED and not self.endpoint.is_website(record.exchange.url):
            seen = Witnessed.of(record, sender, deliberate=deliberate, crowded=crowded)
            self._held += len(seen.body or b"") + len(seen.request_body or b"")
            if self._held > _HELD:
                seen = seen._replace(body=None, request_body=None)
            self.witnessed.append(seen)

    def close(self) -> None:
        """End all of it."""
        self.witness.close()
        if self.stranger is not None:
            self.stranger.close()
        if "tap" in vars(self):
            self.tap.close()
