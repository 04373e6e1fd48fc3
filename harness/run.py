"""A whole run: first contact, pytest over the cells, cleanup, footer. What is shown meanwhile is the caller's."""

from __future__ import annotations

import datetime as dt
import os
import queue
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from harness import __version__, plugin, profile
from harness.clients.base import Observed
from harness.clients.raw import RawClient
from harness.config import Endpoint, RunConfig
from harness.errors import INCOMPLETE, EndpointError, NothingChecked, UsageError
from harness.probe import needed, probe
from harness.record import (
    Advice,
    Cell,
    Footer,
    GatewayInfo,
    Header,
    Lint,
    Observation,
    RunWriter,
    count,
)
from harness.sandbox import JournalHead, Sandbox, append, cleanup
from harness.scenario import Scenario
from harness.wire.redact import MASK, Redactor

BY_USER = "interrupted by the user"
_CLEANUP_SECONDS = 120.0
_PROBE_SECONDS = 30.0
_UNFINISHED = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
_CONTACT_SECONDS = 8.0
_STALL_LIMITS = 5
"""Limits of a cell in which none finishes before a run is taken to be stuck: a cell is tried twice, and cleaned up."""
_TELLING_SECONDS = 20.0
_SHOWN = 400
_REFUSALS = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity", "ExpiredToken", "InvalidToken"}
)


def new_run_id() -> str:
    """A name for a run: UTC time, and six random digits for runs that start at once."""
    return f"{dt.datetime.now(dt.UTC):%y%m%d%H%M%S}-{secrets.token_hex(3)}"


def reach(endpoint: Endpoint) -> Observed:
    """The endpoint answers HTTP and takes the credentials.

    Returns:
        What it said to ListBuckets.

    Raises:
        EndpointError: it does not answer within seconds, or refuses the credentials.
    """
    answer = _bounded(endpoint, lambda client: client.send("ListBuckets", "GET", "/"))
    if answer.failure:
        raise EndpointError(
            f"{endpoint.url} does not answer: {shown(answer.failure, endpoint)}; check --endpoint and that it runs"
        )
    if answer.status == 401 or answer.code in _REFUSALS:
        raise EndpointError(
            f"{endpoint.url} refuses the credentials ({_said(answer, endpoint)}); check --access-key and --secret-key"
        )
    return answer


def contact(endpoint: Endpoint, bucket: str = "", prefix: str = "", *, implicit: bool = False) -> str:
    """First contact: the endpoint answers, takes the credentials, speaks S3, and has the bucket if one is given.

    Args:
        endpoint: where to look.
        bucket: the only bucket that may be used, or "".
        prefix: what the run may list in it.
        implicit: buckets come into being with their first object, so that a missing one is no mistake.

    Returns:
        What it calls itself in its `Server` header, or "".

    Raises:
        EndpointError: it does not answer within seconds, is no S3 endpoint, or refuses the credentials.
        UsageError: it does not have the bucket.
    """
    answer = reach(endpoint)
    about = _bounded(endpoint, lambda client: _look(client, bucket, prefix)) if bucket else None
    # Behind some gateways `/` belongs to somebody else; what the bucket answers then decides.
    foreign = "" if about is not None and _speaks_s3(about) else _foreign(answer, endpoint)
    if foreign:
        raise EndpointError(f"{endpoint.url} is not an S3 endpoint: it answers GET / with {foreign}; check --endpoint")
    if about is not None:
        _usable(about, endpoint, bucket, implicit=implicit)
    return shown((answer.headers or {}).get("server", ""), endpoint)


def _foreign(answer: Observed, endpoint: Endpoint) -> str:
    """What an answer to ListBuckets is that no S3 endpoint gives; "" if it is none such.

    Refusals (4xx, 501) are none: not every account may list buckets, and not every gateway can.
    """
    status, document = answer.status or 0, answer.document
    if 400 <= status < 500 or status == 501:
        return ""
    if status >= 500:
        return _said(answer, endpoint)
    if status >= 300:
        if document is not None and document.tag == "Error":
            return ""
        return f"{status}, a redirect to {shown((answer.headers or {}).get('location', '') or 'nowhere', endpoint)}"
    if document is not None and document.tag == "ListAllMyBucketsResult":
        return ""
    if document is not None:
        return f"{status} and the document <{shown(document.tag, endpoint)[:60]}>, not a list of buckets"
    kind = shown((answer.headers or {}).get("content-type", ""), endpoint)[:60]
    what = f"a body that is no XML{f' ({kind})' if kind else ''}" if answer.body else "an empty body"
    return f"{status} and {what}, not a list of buckets"


def _usable(answer: Observed, endpoint: Endpoint, bucket: str, *, implicit: bool) -> None:
    """The bucket that the run was given is there and may be used, as far as the answer about it shows.

    Raises:
        UsageError: there is none of that name.
        EndpointError: the endpoint does not answer, or the credentials may not use it.
    """
    if answer.failure:
        raise EndpointError(
            f"{endpoint.url} does not answer about --bucket {bucket}: {shown(answer.failure, endpoint)}"
        )
    if answer.status in (401, 403):
        raise EndpointError(
            f"the credentials may not use --bucket {bucket} at {endpoint.url} ({_said(answer, endpoint)})"
        )
    if answer.code == "InvalidBucketName" or (answer.status == 404 and not implicit):
        raise UsageError(f"--bucket {bucket}: {endpoint.url} has no such bucket ({_said(answer, endpoint)})")


def _look(client: RawClient, bucket: str, prefix: str) -> Observed:
    """The first clear answer about a bucket: it is there, is not, or may not be used.

    An operation that a gateway lacks says nothing of the bucket, so that others are asked too; 404 without a
    reason is the next best answer.
    """
    page = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": 1}
    unclear = []
    for operation, params in (("ListObjectsV2", page), ("ListObjects", page), ("HeadBucket", {"Bucket": bucket})):
        answer = client.call(operation, params)
        clear = answer.status in (401, 403) or answer.code in ("NoSuchBucket", "InvalidBucketName")
        if answer.ok or answer.failure or clear:
            return answer
        unclear.append(answer)
    return next((answer for answer in unclear if answer.status == 404), unclear[0])


def _speaks_s3(answer: Observed) -> bool:
    """Whether an answer about a bucket is a listing or S3's own refusal, not what a web server says to everything."""
    if answer.ok:
        return answer.document is not None and answer.document.tag == "ListBucketResult"
    return bool(answer.code) and ((answer.status or 500) < 500 or answer.status == 501)


def _said(answer: Observed, endpoint: Endpoint) -> str:
    """Status and code of an answer, short enough for a line."""
    return " ".join(part for part in (str(answer.status), shown(answer.code, endpoint)[:60]) if part)


def _bounded(endpoint: Endpoint, ask: Callable[[RawClient], Observed]) -> Observed:
    """What a question comes to; a `failure` if that takes too long.

    The limit holds for all of it, and so for what no socket timeout covers: names that do not resolve, several
    addresses one after another, an answer that trickles. The thread that still waits then ends with the process.
    """
    quick = msgspec.structs.replace(endpoint, timeout=min(endpoint.timeout, _CONTACT_SECONDS))
    answers: queue.SimpleQueue[Observed] = queue.SimpleQueue()

    def work() -> None:
        client = RawClient(quick)
        try:
            answers.put(ask(client))
        finally:
            client.close()

    threading.Thread(target=work, daemon=True).start()
    try:
        return answers.get(timeout=_CONTACT_SECONDS + 0.5)
    except queue.Empty:
        return Observed("", "raw", ok=False, failure=f"no complete answer within {_CONTACT_SECONDS:g} s")


_SIGNATURE = re.compile(r"[0-9A-Fa-f]{64,}")
"""What may be a signature; outside of a cell nothing tells which digits are one."""


def shown(text: str, endpoint: Endpoint) -> str:
    """What an endpoint said outside of any cell, of bounded length, without credentials and signatures."""
    return _SIGNATURE.sub(MASK, Redactor(endpoint.secrets).text(text[: 10 * _SHOWN]))[:_SHOWN]


class RunFile:
    """Takes cells in as they finish and writes them; ends with a footer exactly once."""

    def __init__(self, path: Path, header: Header, on_cell: Callable[[Cell], None]) -> None:
        self.cells: list[Cell] = []
        self._linted: set[tuple[str, ...]] = set()
        self._on_cell = on_cell
        self._path = path
        self._writer = RunWriter(path)
        self._writer.write(header)
        self._closed = threading.Lock()
        self._broken = False
        self.latest = time.monotonic()

    def write(self, line: Cell | Lint | Advice) -> None:
        """Write one line; a disk that is full ends the session, and cleanup still takes place."""
        try:
            self._writer.write(line)
        except OSError as error:
            self._broken = True
            pytest.exit(f"cannot write {self._path}: {error.strerror}")

    def add(self, cell: Cell) -> None:
        """Write one cell."""
        self.write(cell)
        self.cells.append(cell)
        self.latest = time.monotonic()
        self._on_cell(cell)

    def lint(self, line: Lint) -> None:
        """Write what a rule found, once for each rule, operation and client, and for who is to blame and how much."""
        key = (line.rule, line.operation, line.client, line.party, line.severity)
        if key not in self._linted:
            self._linted.add(key)
            self.write(line)

    def finish(self, leftovers: list[str], interrupted: str) -> bool:
        """Write the footer, unless that was done already; says whether it did."""
        if not self._closed.acquire(blocking=False):
            return False
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with suppress(OSError):  # without a footer the file is incomplete, and after half a line nothing may follow
            if not self._broken:
                self._writer.write(Footer(now, count(self.cells), leftovers, interrupted))
        self._writer.close()
        return True


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended: `interrupted` is "" or says by what."""

    interrupted: str
    leftovers: list[str]


def plan(selection: Iterable[Scenario], config: RunConfig) -> dict[str, tuple[Scenario, str]]:
    """Every cell of the run by its item name.

    Raises:
        NothingChecked: there is none.
    """
    cells = {
        f"{found.id}[{column}]": (found, column) for found in selection for column in plugin.columns_of(found, config)
    }
    if not cells:
        raise NothingChecked("nothing to check: the selection of --family, --scenario, --level and --clients is empty")
    return cells


def execute(
    config: RunConfig,
    selection: list[Scenario],
    gateway: GatewayInfo,
    workers: int,
    on_cell: Callable[[Cell], None],
    on_stall: Callable[[str], None],
) -> Outcome:
    """Run all cells and clean up.

    Args:
        config: the run.
        selection: its scenarios.
        gateway: what is known of the product.
        workers: processes to use.
        on_cell: called with each finished cell.
        on_stall: called with the reason when nothing finished for so long that the process ends.

    Raises:
        UsageError: the files of the run cannot be written.
    """
    planned = plan(selection, config)
    file = _begin(config, _header(config, selection, gateway, len(planned)), on_cell)

    def lost(name: str, why: str) -> None:
        # A worker may die after its report has come and before xdist knows the cell for finished.
        if name in planned and all(f"{cell.scenario}[{cell.label}]" != name for cell in file.cells):
            file.add(_lost_cell(*planned[name], config, why))

    watch = _Watch(file, config.endpoint.cell_limit, on_stall)
    try:
        interrupted = _judge(config, file, lost, workers)
        leftovers = _cleanup(config)
    except KeyboardInterrupt:
        interrupted, leftovers = BY_USER, ["cleanup was interrupted; see the journal"]
    finally:
        watch.stop()
    if not interrupted and len(file.cells) < len(planned):
        interrupted = "pytest ended before all cells were run"
    file.finish(leftovers, interrupted)
    return Outcome(interrupted, leftovers)


def _begin(config: RunConfig, header: Header, on_cell: Callable[[Cell], None]) -> RunFile:
    """The journal and the run file, each with its first line."""
    endpoint = config.endpoint
    try:
        config.journal.parent.mkdir(parents=True, exist_ok=True)
        config.journal.unlink(missing_ok=True)
        implicit = profile.load(config.profile).implicit
        head = JournalHead(config.run_id, endpoint.url, endpoint.region, endpoint.addressing, implicit)
        append(config.journal, head)
        return RunFile(Path(config.out) / "run.jsonl", header, on_cell)
    except OSError as error:
        raise UsageError(f"--out {config.out}: cannot write there: {error.strerror}: {error.filename}") from None


def _judge(config: RunConfig, file: RunFile, lost: Callable[[str, str], None], workers: int) -> str:
    """Find out what clients need, then run all cells; by what that was interrupted, or ""."""
    try:
        advice = _probe(config)
        file.write(advice)
        advised = msgspec.structs.replace(config, advised=needed(advice))
        collector = plugin.Collector(advised, file.add, file.lint, lost, workers)
        status = plugin.main(collector, workers)
    except KeyboardInterrupt:  # in the probe; pytest takes it by itself
        return BY_USER
    except pytest.exit.Exception as stop:  # of a full disk, likewise
        return str(stop)
    if status in _UNFINISHED and not collector.stopped:
        return BY_USER if status == pytest.ExitCode.INTERRUPTED else f"pytest ended with status {status}"
    return collector.stopped


def _probe(config: RunConfig) -> Advice:
    """What clients need for the endpoint; what cannot be found out in time is said to be unknown."""
    witness = RawClient(config.endpoint)
    try:
        sandbox = Sandbox(config.run_id, "probe", witness, config.journal, config.bucket)
        return probe(config.endpoint, sandbox, seconds=_PROBE_SECONDS)
    finally:
        witness.close()


def _cleanup(config: RunConfig) -> list[str]:
    witness = RawClient(config.endpoint)
    try:
        return [shown(line, config.endpoint) for line in cleanup(config.journal, witness, _CLEANUP_SECONDS)]
    finally:
        witness.close()


class _Watch:
    """Every cell is bounded, so a run in which none finishes for longer than several bounds is stuck: end it.

    `on_stall` is told why, once the run file has its footer; it too is given up after a while, since whatever holds
    the run may hold it as well.
    """

    def __init__(self, file: RunFile, limit: float, on_stall: Callable[[str], None]) -> None:
        self._file, self._limit, self._on_stall = file, _STALL_LIMITS * limit, on_stall
        self._done = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def stop(self) -> None:
        self._done.set()

    def _look(self) -> None:
        while not self._done.wait(min(1.0, self._limit)):
            if time.monotonic() - self._file.latest > self._limit:
                why = f"nothing finished for {self._limit:g} s"
                if self._file.finish(["not cleaned up; see the journal"], why):
                    telling = threading.Thread(target=self._tell, args=(why,), daemon=True)
                    telling.start()
                    telling.join(_TELLING_SECONDS)
                    os._exit(INCOMPLETE)
                return

    def _tell(self, why: str) -> None:
        with suppress(Exception):
            self._on_stall(why)


def _header(config: RunConfig, selection: list[Scenario], gateway: GatewayInfo, planned: int) -> Header:
    return Header(
        run_id=config.run_id,
        started=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        suite_version=__version__,
        endpoint=config.endpoint.url,
        gateway=gateway,
        profile=config.profile,
        clients=config.clients,
        planned=planned,
        scenarios={found.id: found.text for found in selection},
        seed=config.seed,
    )


def _lost_cell(found: Scenario, column: str, config: RunConfig, why: str) -> Cell:
    info = next(info for info in config.clients if info.label == column)
    return Cell(
        scenario=found.id,
        level=found.level,
        family=found.family,
        title=found.title,
        operations=list(found.operations),
        client=info.name,
        client_version=info.version,
        column=info.column,
        verdict="error",
        expected="",
        observed=Observation("failure", why),
        message=f"the worker process ended while this ran: {why}",
        seconds=0.0,
        requests=0,
        exchanges=[],
        repro={},
        confidence=found.confidence,
    )
