"""What is linted, what a rule is, and what it finds."""

from __future__ import annotations

from typing import Literal, NamedTuple

from harness.wire.exchange import Exchange
from harness.wire.tape import Recorded

Severity = Literal["failure", "warning"]
Party = Literal["endpoint", "client", "harness"]


class Witnessed(NamedTuple):
    """One exchange as it was seen, with as much of the bodies as was kept.

    Attributes:
        exchange: request and answer; its bodies are evidence, cut at `BODY_CAP`.
        body: the whole body of the response, None if it was not kept whole.
        stray: bytes that came where HTTP allows no body.
        request_body: the whole body of the request, without transfer coding, None if it was not kept whole.
        sender: `raw`, or the name of the client that sent the request.
        deliberate: the harness sent this request wrong, or odd, on purpose; what rests on the request is not judged.
        final: whether the answer came whole.
        crowded: other requests were under way at the same time, so that the order of exchanges says nothing.
    """

    exchange: Exchange
    body: bytes | None
    stray: bytes = b""
    request_body: bytes | None = None
    sender: str = "raw"
    deliberate: bool = False
    final: bool = True
    crowded: bool = False

    @classmethod
    def of(cls, record: Recorded, sender: str, *, deliberate: bool = False, crowded: bool = False) -> Witnessed:
        """An exchange as the wiretap, or the raw client, tells it."""
        answer = record.answer
        body = answer.body if answer is not None and record.whole else None
        stray = answer.stray if answer is not None else b""
        return cls(record.exchange, body, stray, record.sent, sender, deliberate, record.whole, crowded)


class Finding(NamedTuple):
    """One violation of a rule; `index` counts the exchanges of the cell from 0."""

    rule: str
    severity: Severity
    party: Party
    operation: str
    message: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks of a finding


class Rule(NamedTuple):
    """One rule. `failure` and `warning` say what it takes for each; "" where there is none.

    `elsewhere` names what the catalogue's line asks for that no exchange shows, and where it is checked.
    """

    id: str
    title: str
    source: str
    failure: str
    warning: str = ""
    elsewhere: str = ""

    @property
    def severity(self) -> Severity:
        """The worst that the rule can find."""
        return "failure" if self.failure else "warning"
