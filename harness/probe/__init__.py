"""What an endpoint needs of its clients, found in seconds with signed requests and no client program.

The way of the data: experiments -> findings (`survey`) -> settings and texts (`advise`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from harness.clients.raw import RawClient
from harness.config import Endpoint
from harness.probe import addressing, buckets, listing, multipart, reads, uploads
from harness.probe.advice import advise, needed
from harness.probe.context import Context, Finding, Registered, Stop, Undecided, evidence, plain, said
from harness.probe.knobs import KNOBS
from harness.record import UNKNOWN, Advice
from harness.sandbox import Sandbox
from harness.wire.redact import Redactor

__all__ = ["Finding", "advise", "needed", "probe", "survey"]

SECONDS = 120.0
_WAIT = 8.0
"""Seconds that a single wait may take, whatever the endpoint's own timeout is."""

EXPERIMENTS: tuple[Registered, ...] = (
    buckets.buckets,
    reads.heads,
    addressing.addressing,
    addressing.presigned,
    addressing.http2,
    listing.listings,
    listing.directory_markers,
    reads.x_id,
    reads.accept_encoding,
    reads.stored_gzip,
    reads.tagging,
    uploads.unsigned_payload,
    uploads.checksums,
    uploads.validation,
    uploads.expect,
    uploads.delete_objects,
    multipart.multipart,
    multipart.parts,
    buckets.object_lock,
    buckets.versions,
)


def probe(endpoint: Endpoint, sandbox: Sandbox, *, seconds: float = SECONDS) -> Advice:
    """Find out which settings clients need for an endpoint that is known to answer.

    Args:
        endpoint: where to look, and with whose credentials.
        sandbox: what may be used of it: its bucket below `prefix("probe")`, and one bucket more unless it is
            confined. Both are journaled; to empty them is left to `harness.sandbox.cleanup`.
        seconds: after this no further request is sent; what is not known by then is unknown.

    Returns:
        Settings by client, those that are needed first, and texts to paste by file name. Nothing secret is in them.
    """
    return advise(endpoint, survey(endpoint, sandbox, seconds=seconds))


def survey(endpoint: Endpoint, sandbox: Sandbox, *, seconds: float = SECONDS) -> list[Finding]:
    """One finding for every knob, in their order; see `probe`."""
    client = RawClient(msgspec.structs.replace(endpoint, timeout=min(endpoint.timeout, _WAIT)))
    try:
        ctx = Context(endpoint, client, sandbox, time.monotonic() + seconds)
        found = [finding for one in EXPERIMENTS for finding in _findings(one, ctx)]
        found.append(_concurrency(ctx))
    finally:
        client.close()
        sandbox.end_cell()
    by_knob = {finding.knob: finding for finding in found}
    clean = _Clean(endpoint, found)
    return [clean(by_knob[knob.name]) for knob in KNOBS]


def _findings(one: Registered, ctx: Context) -> Iterator[Finding]:
    """What an experiment comes to: a finding for each of its knobs, UNKNOWN where it could not be made."""
    missing = dict.fromkeys(one.knobs)
    why = "it could not be told apart"
    try:
        if one.bucket and ctx.obstacle:
            raise Undecided(ctx.obstacle)
        for finding in one.run(ctx):
            missing.pop(finding.knob, None)
            yield finding
    except (Undecided, Stop) as error:
        why = str(error)
    except Exception as error:
        why = f"an answer could not be made sense of ({type(error).__name__}: {plain(str(error), 120)})"
    for knob in missing:
        yield Finding(knob, UNKNOWN, f"Not known: {why}.")


def _concurrency(ctx: Context) -> Finding:
    if not ctx.throttled:
        text = "No request was asked to slow down."
        return Finding("concurrency", "many", text, ("many", "few"))
    text = f"{len(ctx.throttled)} requests, one at a time, were answered {said(ctx.throttled[0])}."
    return Finding("concurrency", "few", text, ("few", "many"), evidence(ctx.throttled[0]))


class _Clean:
    """Findings without secrets; an exchange that several of them rest on is emptied of them once."""

    def __init__(self, endpoint: Endpoint, findings: list[Finding]) -> None:
        seen = {id(exchange): exchange for finding in findings for exchange in finding.exchanges}
        self._redactor = Redactor(endpoint.secrets)
        self._redactor.learn(seen.values())
        self._exchanges = {number: self._redactor.exchange(exchange) for number, exchange in seen.items()}

    def __call__(self, finding: Finding) -> Finding:
        exchanges = [self._exchanges[id(exchange)] for exchange in finding.exchanges]
        return replace(finding, observation=self._redactor.text(finding.observation), exchanges=exchanges)
