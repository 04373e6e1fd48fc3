"""A whole run: first contact, pytest over the cells, cleanup, footer. What is shown meanwhile is the caller's."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from harness import __version__, clients, plugin
from harness.clients.raw import RawClient
from harness.config import Endpoint, RunConfig
from harness.errors import EndpointError, NothingChecked
from harness.record import (
    Cell,
    ClientInfo,
    Footer,
    GatewayInfo,
    Header,
    Observation,
    RunWriter,
    count,
)
from harness.sandbox import JournalHead, append, cleanup
from harness.scenario import Scenario

_CLEANUP_SECONDS = 120.0
_CONTACT_SECONDS = 8.0
_REFUSALS = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurity", "ExpiredToken", "InvalidToken"}
)


def new_run_id() -> str:
    """A name for a run: UTC time, and six random digits for runs that start at once."""
    return f"{dt.datetime.now(dt.UTC):%y%m%d%H%M%S}-{secrets.token_hex(3)}"


def contact(endpoint: Endpoint) -> str:
    """First contact: the endpoint answers HTTP and takes the credentials.

    Returns:
        What it calls itself in its `Server` header, or "".

    Raises:
        EndpointError: it does not answer within seconds, or refuses the credentials.
    """
    quick = msgspec.structs.replace(endpoint, timeout=min(endpoint.timeout, _CONTACT_SECONDS))
    client = RawClient(quick)
    try:
        answer = client.send("ListBuckets", "GET", "/")
    finally:
        client.close()
    if answer.failure:
        raise EndpointError(f"{endpoint.url} does not answer: {answer.failure}; check --endpoint and that it runs")
    if answer.status == 401 or answer.code in _REFUSALS:
        what = answer.code or f"status {answer.status}"
        raise EndpointError(f"{endpoint.url} refuses the credentials ({what}); check --access-key and --secret-key")
    return (answer.headers or {}).get("server", "")


class RunFile:
    """Takes cells in as they finish and writes them; ends with a footer exactly once."""

    def __init__(self, path: Path, header: Header, on_cell: Callable[[Cell], None]) -> None:
        self.cells: list[Cell] = []
        self._on_cell = on_cell
        self._writer = RunWriter(path)
        self._writer.write(header)
        self._closed = threading.Lock()
        self.latest = time.monotonic()

    def add(self, cell: Cell) -> None:
        """Write one cell."""
        self._writer.write(cell)
        self.cells.append(cell)
        self.latest = time.monotonic()
        self._on_cell(cell)

    def finish(self, leftovers: list[str], interrupted: str) -> bool:
        """Write the footer, unless that was done already; says whether it did."""
        if not self._closed.acquire(blocking=False):
            return False
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
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
        f"{found.id}[{client}]": (found, client) for found in selection for client in plugin.clients_of(found, config)
    }
    if not cells:
        raise NothingChecked("nothing to check: the selection of --family, --scenario, --level and --clients is empty")
    return cells


def execute(
    config: RunConfig,
    selection: list[Scenario],
    infos: list[ClientInfo],
    gateway: GatewayInfo,
    workers: int,
    on_cell: Callable[[Cell], None],
    on_stall: Callable[[], None],
) -> Outcome:
    """Run all cells and clean up.

    Args:
        config: the run.
        selection: its scenarios.
        infos: its clients.
        gateway: what is known of the product.
        workers: processes to use.
        on_cell: called with each finished cell.
        on_stall: called when nothing finished for so long that the process must end; it does not return.
    """
    planned = plan(selection, config)
    folder = Path(config.out)
    folder.mkdir(parents=True, exist_ok=True)
    config.journal.unlink(missing_ok=True)
    endpoint = config.endpoint
    append(config.journal, JournalHead(config.run_id, endpoint.url, endpoint.region, endpoint.addressing))
    header = _header(config, selection, infos, gateway, len(planned))
    file = RunFile(folder / "run.jsonl", header, on_cell)

    def lost(name: str, why: str) -> None:
        if name in planned:
            file.add(_lost_cell(*planned[name], config, why))

    watch = _Watch(file, endpoint.cell_limit, on_stall)
    try:
        status = plugin.main(plugin.Collector(config, file.add, lost, workers), workers)
        interrupted = "interrupted by the user" if status == 2 else ""
        leftovers = _cleanup(config)
    except KeyboardInterrupt:
        interrupted, leftovers = "interrupted by the user", ["cleanup was interrupted; see the journal"]
    finally:
        watch.stop()
    if not interrupted and len(file.cells) < len(planned):
        interrupted = f"pytest ended with status {status} before all cells were run"
    file.finish(leftovers, interrupted)
    return Outcome(interrupted, leftovers)


def _cleanup(config: RunConfig) -> list[str]:
    witness = RawClient(config.endpoint)
    try:
        return cleanup(config.journal, witness, _CLEANUP_SECONDS)
    finally:
        witness.close()


class _Watch:
    """Every cell is bounded, so a run in which none finishes for longer than two bounds is stuck: end it."""

    def __init__(self, file: RunFile, limit: float, on_stall: Callable[[], None]) -> None:
        self._file, self._limit, self._on_stall = file, 5 * limit, on_stall
        self._done = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def stop(self) -> None:
        self._done.set()

    def _look(self) -> None:
        while not self._done.wait(1):
            if time.monotonic() - self._file.latest > self._limit:
                if self._file.finish(["not cleaned up; see the journal"], f"nothing finished for {self._limit:g} s"):
                    with suppress(Exception):
                        self._on_stall()
                os._exit(1)


def _header(
    config: RunConfig, selection: list[Scenario], infos: list[ClientInfo], gateway: GatewayInfo, planned: int
) -> Header:
    return Header(
        run_id=config.run_id,
        started=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        suite_version=__version__,
        endpoint=config.endpoint.url,
        gateway=gateway,
        profile=config.profile,
        clients=infos,
        planned=planned,
        scenarios={found.id: found.text for found in selection},
    )


def _lost_cell(found: Scenario, client: str, config: RunConfig, why: str) -> Cell:
    return Cell(
        scenario=found.id,
        level=found.level,
        family=found.family,
        title=found.title,
        operations=list(found.operations),
        client=client,
        client_version=config.clients.get(client, ""),
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


def find_clients(names: Iterable[str]) -> list[ClientInfo]:
    """Version or absence of each client."""
    return [clients.info(name) for name in names]
