"""Rules for every exchange: what S3's answers, and the requests for them, look like, whatever a scenario asks.

Driven by botocore's service model and by what was recorded on AWS (`facts`). A finding names who is to blame: the
endpoint for its answers, the client or the harness for their requests. No rule raises, whatever an endpoint sends,
and none takes more than linear time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.lint import contents, envelope, headers, status
from harness.lint.base import Finding, Party, Rule, Severity, Witnessed
from harness.lint.history import History
from harness.lint.requests import requests
from harness.lint.rules import RULES
from harness.lint.view import CLEAN, View
from harness.wire.http1 import Origin

__all__ = ["RULES", "Finding", "Party", "Rule", "Severity", "Witnessed", "lint"]

_CHECKS = (*status.CHECKS, *headers.CHECKS, *envelope.CHECKS, *contents.CHECKS)


def lint(
    witnessed: Sequence[Witnessed], origin: Origin | None = None, clean: Callable[[str], str] = str
) -> list[Finding]:
    """What the rules find in all exchanges of one cell, in their order.

    Args:
        witnessed: the exchanges in the order in which they ended.
        origin: the endpoint they were sent to; those sent elsewhere are passed over. By default it is taken from the
            exchanges, as the authority that the others are at or below, without a path.
        clean: empties secrets out of what messages quote.
    """
    CLEAN.set(clean)
    own = origin or _common(witnessed)
    history, findings = History(), list[Finding]()
    for index, one in enumerate(witnessed):
        view = View(index, one, own)
        if not view.ours:
            continue
        requests(view)
        if view.status:
            for check in _CHECKS:
                check(view)
        history.take(view)
        findings += view.findings
    return findings


def _common(witnessed: Sequence[Witnessed]) -> Origin:
    """The endpoint that the exchanges show: of all authorities the shortest."""
    urls = [one.exchange.url for one in witnessed]
    authorities = {url.partition("://")[2].partition("/")[0] for url in urls}
    shortest = min(authorities, key=len, default="")
    return Origin("http", shortest.partition(":")[0], 80, shortest.removesuffix(":80").removesuffix(":443"), "")
