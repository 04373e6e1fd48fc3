"""`s3conform run`: run scenarios, write a run folder, print a summary."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import randbits
from typing import Any

import click
import msgspec

from harness import __version__, gate, offline, profile, profile_check, record, run, sandbox, scenario
from harness.cli.gate import as_level, show
from harness.cli.options import (
    LEGACY,
    SECOND_ACCESS_KEY,
    SECOND_SECRET_KEY,
    TEMPORARY,
    WEBSITE,
    Extras,
    endpoint_options,
    extras,
    make_endpoint,
    writing,
)
from harness.cli.progress import Progress
from harness.clients import CLIENTS, choice
from harness.config import Endpoint, RunConfig, check_bucket, check_region
from harness.errors import INTERRUPTED, RunFileError, UsageError, unknown
from harness.profile import Profile
from harness.record import ClientInfo, GatewayInfo, Run

_EPILOG = f"""\
\b
Examples:
  s3conform run
      try it: judge the bundled server with every client
  s3conform run --endpoint https://s3.example.com --family LST2,MPU
      two families, with credentials from the environment
  s3conform run --endpoint URL --bucket my-bucket --clients rclone
      only rclone, only below a prefix of an existing bucket
  s3conform run --profile auto-drive
      the bundled server plays a gateway that documents what it does
      otherwise; with --personality, another one than the profile is of

\b
Exit codes:
  0    everything conforms or is as documented
  1    violations; with a baseline: something regressed, vanished, or is
       new and fails
  2    usage or configuration
  3    endpoint unreachable, no S3 endpoint, or credentials refused
  4    nothing was checked, or the run is incomplete
  130  interrupted; the run file stays valid

\b
A few scenarios need more than one account, the website endpoint, or an
object from before a gateway's ETags; the bundled server has all of it. For
others the environment names them:
  {SECOND_ACCESS_KEY}, {SECOND_SECRET_KEY}
      another account
  {TEMPORARY[0]}, {TEMPORARY[1]},
  {TEMPORARY[2]}
      temporary credentials of the same account
  {WEBSITE}
      URL of a bucket's website, with {{bucket}} for its name
  {LEGACY}
      BUCKET/KEY of an object without ETag, which is only read
"""


@click.command("run", short_help="Judge an endpoint and write a report.", epilog=_EPILOG)
@click.option(
    "--endpoint",
    default="",
    metavar="URL",
    help="Endpoint to judge; without it, the bundled reference server is started.",
)
@endpoint_options
@click.option(
    "--profile",
    "profile_name",
    default=profile.STANDARD,
    show_default=True,
    metavar="NAME|FILE",
    help="What the gateway documents about itself.",
)
@click.option(
    "--clients",
    default="",
    metavar="NAME,…",
    help=f"Only these clients: {', '.join(CLIENTS)}.  [default: all that are installed]",
)
@click.option(
    "--runner",
    type=click.Choice(choice.RUNNERS),
    default="auto",
    show_default=True,
    help="How client programs run; auto takes a container where an engine has or can pull the image.",
)
@click.option(
    "--client",
    multiple=True,
    metavar="NAME=WAY[:TARGET]",
    help="How one client runs, as rclone=docker:rclone/rclone:1.66 or rclone=local; repeat for several versions.",
)
@click.option(
    "--family",
    default="",
    metavar="NAME,…",
    help="Only these families of scenarios, as ETAG,LST2; `s3conform scenarios` lists them.",
)
@click.option("--scenario", "scenario_ids", default="", metavar="ID,…", help="Only these scenarios, as ETAG-001.")
@click.option(
    "--level",
    type=click.Choice(["must", "should", "extended"]),
    default="extended",
    show_default=True,
    help="Lowest level to check; must is the highest.",
)
@click.option(
    "--bucket", default="", metavar="NAME", help="Use only this existing bucket, below a prefix of the run's own."
)
@click.option(
    "-n",
    "--workers",
    type=click.IntRange(1, 64),
    default=None,
    metavar="N",
    help="Processes to use.  [default: CPUs available]",
)
@click.option(
    "--personality",
    default="",
    metavar="NAME",
    help="Gateway that the bundled server plays; not with --endpoint.  [default: that of the profile]",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=None,
    metavar="N",
    help="What generated examples begin with; the run file names the one that was used.  [default: a new one]",
)
@click.option(
    "--gateway", default="", metavar="NAME", help="What the endpoint is, for reports.  [default: what its answers say]"
)
@click.option("--gateway-version", default="", metavar="VERSION", help="Which version of it.")
@click.option("--durations", is_flag=True, help="Also print the ten cells that took longest.")
@click.option("--baseline", type=click.Path(path_type=Path), default=None, metavar="RUN",
              help="Earlier run, or accepted baseline: only what is worse than it fails.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("reports/latest"),
              show_default=True, metavar="DIR", help="Folder for run file and reports.")  # fmt: skip
def command(**options: Any) -> int:
    """Judge an endpoint: run scenarios through real clients and write a report.

    The run makes buckets named s3conform-…, works in those alone, and removes them. index.html in the --out folder
    is what to read first.
    """
    baseline = _baseline(options["baseline"])
    registry = scenario.load()
    documented = profile.load(options["profile_name"])
    wanted = _names(options["family"]), _names(options["scenario_ids"]), options["level"].upper()
    selection = scenario.select(registry, *wanted, documented.features)
    profile_check.check(documented, registry)
    options["personality"] = _personality(options, documented)
    asked, wishes = _asked(options["clients"], options["client"])
    if options["bucket"]:
        check_bucket(options["bucket"], options["addressing"])
    run_id = run.new_run_id()
    with ExitStack() as stack:
        stack.enter_context(_locked(options["out"]))
        endpoint, secure, gateway = _endpoint(options, run_id, documented, stack)
        infos = _clients(asked, wishes, options["runner"])
        config = RunConfig(
            run_id=run_id,
            endpoint=endpoint,
            profile=options["profile_name"],
            clients=_columns(infos, secure),
            scenarios=[found.id for found in selection],
            out=str(options["out"]),
            bucket=options["bucket"],
            seed=randbits(32) if options["seed"] is None else options["seed"],
            secure=secure,
        )
        planned = run.plan(selection, config)
        workers = min(options["workers"] or _cpus(), len(planned))
        with Progress(len(planned), f"{endpoint.url} as {documented.title}") as progress:
            outcome = run.execute(
                config, selection, gateway, workers, progress.cell, lambda why: _stalled(options["out"], why)
            )
    return _report(options, outcome, baseline)


def _baseline(path: Path | None) -> Run | None:
    """The run to compare with, as much of it as a comparison needs.

    Raises:
        UsageError: it is no run file, or no whole run; better told now than after an hour.
    """
    if path is None:
        return None
    try:
        baseline = record.read(path)
    except RunFileError as error:
        raise UsageError(f"--baseline: {error}") from None
    if reason := gate.unfit("baseline", baseline):
        raise UsageError(f"--baseline {path}: {reason}")
    return gate.slim(baseline)


def _report(options: dict[str, Any], outcome: run.Outcome, baseline: Run | None) -> int:
    """Write the reports, print the summary and what the baseline makes of it; the exit code."""
    from rich.console import Console

    import reports
    from reports.terminal import slowest, summary

    finished = record.read(options["out"])
    level = as_level(options["level"])
    decision = gate.decide(finished, baseline, level)
    files = reports.write_all(finished, options["out"], baseline, level)
    console = Console(soft_wrap=True)
    summary(finished, console)
    if options["durations"]:
        slowest(finished, console)
    if baseline is not None:
        show(decision, finished, console)
    console.print(f"Report: {files['html']}", markup=False, highlight=False)
    return INTERRUPTED if outcome.interrupted == run.BY_USER else decision.code


def _stalled(out: Path, why: str) -> None:
    """Say that a run is stuck, and report what it has; the process ends after this, whatever comes of it."""
    click.echo(
        f"s3conform: {why}: the run is stuck and ends here; s3conform cleanup {out} removes what it left", err=True
    )
    import reports

    reports.write_all(record.read(out), out)
    sys.stderr.flush()


def _endpoint(
    options: dict[str, Any], run_id: str, documented: Profile, stack: ExitStack
) -> tuple[Endpoint, Endpoint | None, GatewayInfo]:
    """The endpoint to judge, contacted; the bundled server, over http and https, if none is named."""
    secure = None
    if not options["endpoint"]:
        endpoint, secure = _bundled(options, stack)
        played = options["personality"]
        name = "s3conform reference server" + (f" as {played}" if played not in ("", profile.STANDARD) else "")
        gateway = GatewayInfo(name=name, version=__version__)
    else:
        endpoint, gateway = make_endpoint(options["endpoint"], options, extras()), None
    endpoint = msgspec.structs.replace(endpoint, follow=documented.follow)
    secure = msgspec.structs.replace(secure, follow=documented.follow) if secure is not None else None
    named = run.contact(endpoint, options["bucket"], f"{sandbox.NAME}-{run_id}/", implicit=documented.implicit)
    return endpoint, secure, _gateway(options, gateway or GatewayInfo(name=named[:100] or "unknown"))


def _gateway(options: dict[str, Any], found: GatewayInfo) -> GatewayInfo:
    """The product behind the endpoint: what the user calls it, or what was found."""
    version = options["gateway_version"] or (found.version if not options["gateway"] else "unknown")
    return GatewayInfo(name=options["gateway"] or found.name, version=version)


def _personality(options: dict[str, Any], documented: Profile) -> str:
    """What the bundled server plays: the gateway that the profile is of, unless another one is asked for.

    Raises:
        UsageError: one is asked for, and the endpoint is somebody else's.
    """
    if options["endpoint"] and options["personality"]:
        raise UsageError("--personality is for the bundled server; it does not go with --endpoint")
    own = documented.name if documented.name in profile.names() else profile.STANDARD
    return str(options["personality"]) or own


def _bundled(options: dict[str, Any], stack: ExitStack) -> tuple[Endpoint, Endpoint]:
    """The bundled server, with two accounts of its own, over http and over https."""
    first, second, temporary = offline.invented()
    arguments = ["--tls", "--also-http", "--region", check_region(options["region"])]
    arguments += offline.accounts(first, temporary, second)
    arguments += ["--personality", options["personality"]]
    ready = stack.enter_context(offline.reference_server(*arguments))
    own = {"access_key": first.access_key, "secret_key": first.secret_key, "session_token": "", "insecure": False}

    def at(url: str, bundle: str) -> Endpoint:
        url, website = offline.by_name(url)
        further = Extras(second, temporary, website, ready.legacy_object)
        return make_endpoint(url, options | own | {"ca_bundle": bundle}, further)

    return at(ready.http_endpoint, ""), at(ready.endpoint, ready.ca_bundle)


def _cpus() -> int:
    """CPUs that this process may use, which in a container or under `taskset` are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _asked(names: str, wishes: tuple[str, ...]) -> tuple[list[str], list[choice.Wish]]:
    """The clients that are asked for by name, and how some of them are to be run."""
    asked = _names(names)
    for name in asked:
        if name not in CLIENTS:
            raise unknown("client", name, CLIENTS)
    wanted = [choice.wish(text) for text in wishes]
    unused = next((wish for wish in wanted if asked and wish.client not in asked), None)
    if unused is not None:
        raise UsageError(f"--client {unused.client}={unused.way}: {unused.client} is not among --clients {names}")
    return asked, wanted


def _clients(asked: list[str], wishes: list[choice.Wish], runner: choice.RunnerName) -> list[ClientInfo]:
    """The clients asked for, or all; one that was asked for by name must be there."""
    infos = choice.choose(asked or CLIENTS, wishes, runner, lambda text: click.echo(f"s3conform: {text}", err=True))
    named = {*asked, *(wish.client for wish in wishes)}
    absent = next((info for info in infos if info.missing and info.name in named), None)
    if absent is not None:
        raise UsageError(f"client {absent.name}: {absent.missing}")
    return infos


def _columns(infos: list[ClientInfo], secure: Endpoint | None) -> list[ClientInfo]:
    """The clients, and each but raw HTTP, which writes the same, once more over https if the server speaks both."""
    if secure is None:
        return infos
    present = [info for info in infos if not info.missing and info.name != "raw"]
    return infos + [msgspec.structs.replace(info, column=f"{info.label}-https", scheme="https") for info in present]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """The folder is this run's alone while it lasts.

    Raises:
        UsageError: it cannot be written, or another run is using it.
    """
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        handle = (out / ".lock").open("w")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"--out {out}: another run is writing there; choose another folder") from None
        yield
