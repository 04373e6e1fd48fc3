"""`s3conform run`: run scenarios, write a run folder, print a summary."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import click

from harness import __version__, gate, offline, profile, record, run, scenario
from harness.cli.options import endpoint_options, make_endpoint
from harness.cli.progress import Progress
from harness.clients import CLIENTS
from harness.config import Endpoint, RunConfig
from harness.errors import INTERRUPTED, UsageError, unknown
from harness.record import ClientInfo, GatewayInfo


@click.command("run")
@click.option("--endpoint", default="", help="URL to judge; without it, the bundled reference server is started.")
@endpoint_options
@click.option(
    "--profile",
    "profile_name",
    default="aws",
    show_default=True,
    help="What the gateway documents: name or file.",
)
@click.option("--clients", default="", help="Clients, comma-separated. Default: all that are installed.")
@click.option("--family", default="", help="Only these families, comma-separated: ETAG,LST2 …")
@click.option("--scenario", "scenario_ids", default="", help="Only these scenarios, comma-separated: ETAG-001 …")
@click.option(
    "--level",
    type=click.Choice(["must", "should", "extended"]),
    default="extended",
    show_default=True,
    help="Lowest level to check.",
)
@click.option("--bucket", default="", help="Use only this existing bucket, below a prefix of the run's own.")
@click.option("-n", "--workers", type=click.IntRange(1, 64), default=None, help="Processes. Default: number of CPUs.")
@click.option("--personality", default="", help="What the bundled server plays, when there is no --endpoint.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("reports/latest"),
              show_default=True, help="Folder for run file and reports.")  # fmt: skip
def command(**options: Any) -> int:
    """Judge an endpoint: run scenarios through real clients and write a run folder.

    Exit codes: 0 everything conforms or is as documented; 1 violations; 2 usage; 3 endpoint unreachable or
    credentials refused; 4 nothing was checked or the run is incomplete; 130 interrupted.
    """
    registry = scenario.load()
    level = options["level"].upper()
    selection = scenario.select(registry, _names(options["family"]), _names(options["scenario_ids"]), level)
    documented = profile.load(options["profile_name"])
    profile.check(documented, registry)
    infos = _clients(options["clients"])
    with ExitStack() as stack:
        stack.enter_context(_locked(options["out"]))
        endpoint, gateway = _endpoint(options, stack)
        config = RunConfig(
            run_id=run.new_run_id(),
            endpoint=endpoint,
            profile=options["profile_name"],
            clients={info.name: info.version for info in infos if not info.missing},
            missing={info.name: info.missing for info in infos if info.missing},
            scenarios=[found.id for found in selection],
            out=str(options["out"]),
            bucket=options["bucket"],
        )
        planned = run.plan(selection, config)
        workers = options["workers"] or os.cpu_count() or 1
        with Progress(len(planned), f"{endpoint.url} as {documented.title}") as progress:
            outcome = run.execute(
                config, selection, infos, gateway, min(workers, len(planned)), progress.cell, lambda: None
            )
    return _report(options["out"], outcome)


def _report(out: Path, outcome: run.Outcome) -> int:
    """Write the reports, print the summary; the exit code."""
    from rich.console import Console

    import reports
    from reports.terminal import summary

    finished = record.read(out)
    files = reports.write_all(finished, out)
    console = Console(soft_wrap=True)
    summary(finished, console)
    console.print(f"Report: {files['html']}", markup=False, highlight=False)
    if outcome.interrupted == run.BY_USER:
        return INTERRUPTED
    return gate.exit_code(finished)


def _endpoint(options: dict[str, Any], stack: ExitStack) -> tuple[Endpoint, GatewayInfo]:
    """The endpoint to judge, contacted; the bundled server if none is named."""
    if options["endpoint"]:
        if options["personality"]:
            raise UsageError("--personality is for the bundled server; it does not go with --endpoint")
        endpoint = make_endpoint(options["endpoint"], options)
        return endpoint, GatewayInfo(name=run.contact(endpoint)[:100] or "unknown")
    first, second = ((f"AK{token_hex(9).upper()}", token_hex(20)) for _ in range(2))
    arguments = ["--region", options["region"], "--credential", ":".join(first), "--credential", ":".join(second)]
    arguments += ["--personality", options["personality"]] if options["personality"] else []
    ready = stack.enter_context(offline.reference_server(*arguments))
    own = {"access_key": first[0], "secret_key": first[1], "session_token": ""}
    own |= {"second_access_key": second[0], "second_secret_key": second[1]}
    # By name, not by address: a bucket can stand before a name, so that virtual-hosted style is judged too.
    endpoint = make_endpoint(ready.endpoint.replace("127.0.0.1", "localhost"), options | own)
    run.contact(endpoint)
    name = "s3conform reference server" + (f" as {options['personality']}" if options["personality"] else "")
    return endpoint, GatewayInfo(name=name, version=__version__)


def _clients(names: str) -> list[ClientInfo]:
    """The clients asked for, or all; one that was asked for by name must be there."""
    asked = _names(names)
    for name in asked:
        if name not in CLIENTS:
            raise unknown("client", name, CLIENTS)
    infos = run.find_clients(name for name in CLIENTS if not asked or name in asked)
    absent = next((info for info in infos if info.missing), None)
    if asked and absent is not None:
        raise UsageError(f"client {absent.name}: {absent.missing}")
    return infos


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """The folder is this run's alone while it lasts.

    Raises:
        UsageError: it cannot be written, or another run is using it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = (out / ".lock").open("w")
    except OSError as error:
        raise UsageError(f"--out {out}: cannot write there: {error.strerror}") from None
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"--out {out}: another run is writing there; choose another folder") from None
        yield
